#include "binary/names.h"

#include <algorithm>

#include "base/byte_reader.h"

namespace wasi::binary {
namespace {

enum Subsection : std::uint8_t { kModuleName = 0, kFunctionNames = 1 };

void read_function_names(base::ByteReader reader, std::size_t functions, Names& names) {
  const std::uint32_t count = reader.u32("number of names");
  names.functions.reserve(std::min({std::size_t{count}, reader.remaining() / 2, functions}));
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::uint32_t index = reader.u32("function index");
    const std::string_view name = reader.name("function name");
    if (!reader.ok()) break;
    if (index < functions) names.functions.emplace_back(index, name);
  }
  // Of several names for one function the first in the file counts; names are views into it.
  const auto order = [](const auto& entry) { return std::pair(entry.first, entry.second.data()); };
  if (!std::ranges::is_sorted(names.functions, {}, order)) std::ranges::sort(names.functions, {}, order);
}

}  // namespace

std::optional<std::string_view> Names::function(wasm::FuncIndex index) const {
  const auto it = std::ranges::lower_bound(functions, index.value, {}, [](const auto& entry) { return entry.first; });
  if (it == functions.end() || it->first != index.value) return std::nullopt;
  return it->second;
}

Names decode_names(const wasm::Module& module) {
  Names names;
  const auto section = std::ranges::find(module.custom_sections, std::string_view("name"), &wasm::CustomSection::name);
  if (section == module.custom_sections.end()) return names;
  base::ByteReader reader(module.view(section->payload), section->payload.offset, "name section");
  while (!reader.at_end()) {
    const std::uint8_t id = reader.u8("subsection");
    const std::uint32_t size = reader.u32("size of a subsection");
    const std::uint64_t offset = reader.offset();
    base::ByteReader inner(reader.bytes(size, "subsection"), offset, "subsection");
    if (!reader.ok()) break;
    if (id == kModuleName) {
      names.module = inner.name("module name");
    } else if (id == kFunctionNames && names.functions.empty()) {
      read_function_names(std::move(inner), module.functions.size(), names);
    }
  }
  return names;
}

}  // namespace wasi::binary
