#include "text/print_hints.h"

#include <algorithm>
#include <span>

#include "base/byte_reader.h"
#include "binary/format.h"
#include "binary/immediates.h"
#include "binary/type_reader.h"
#include "wasm/opcodes.h"

namespace wasi::text {
namespace {

using base::ByteReader;

// A number in its shortest form; anything else fails the reader.
std::uint32_t read_shortest(ByteReader& reader) {
  const std::uint64_t start = reader.offset();
  const std::uint32_t value = reader.u32("number of a branch hint");
  std::uint32_t size = 1;
  while (size < 5 && value >> (7 * size) != 0) ++size;
  if (reader.offset() - start != size) reader.fail(ErrorKind::malformed, "longer than it must be");
  return value;
}

// Whether an `if` or `br_if` begins at each of these offsets, which are sorted and count from the body's beginning.
bool are_branches(const wasm::Module& module, const wasm::FunctionBody& body, std::span<const std::uint32_t> offsets) {
  ByteReader reader(module.view({body.offset, body.size}), 0);
  const std::uint32_t groups = reader.u32("count of local declarations");
  for (std::uint32_t i = 0; i < groups && reader.ok(); ++i) {
    reader.u32("count of locals");
    (void)binary::read_value_type(reader, module);
  }
  for (const std::uint32_t offset : offsets) {
    wasm::Op op = wasm::kNoOp;
    std::uint64_t start = 0;
    do {
      start = reader.offset();
      op = binary::read_op(reader);
      if (op != wasm::kNoOp) binary::skip_immediates(reader, op);
    } while (reader.ok() && start < offset);
    if (!reader.ok() || start != offset || (op != wasm::Op::if_ && op != wasm::Op::br_if)) return false;
  }
  return true;
}

}  // namespace

BranchHints::BranchHints(const wasm::Module& module) {
  const auto is_hints = [](const wasm::CustomSection& section) { return section.name == kSection; };
  if (std::ranges::count_if(module.custom_sections, is_hints) != 1) return;
  const auto code = std::ranges::find(module.sections, binary::format::kCode, &wasm::Section::id);
  if (code == module.sections.end() || code == module.sections.begin() || (code - 1)->name != kSection) return;
  const auto hints = std::ranges::find_if(module.custom_sections, is_hints);
  if (!read(module, hints->payload)) by_offset_.clear();
}

bool BranchHints::read(const wasm::Module& module, wasm::ByteRange payload) {
  ByteReader reader(module.view(payload), payload.offset);
  std::vector<std::uint32_t> offsets;
  const std::uint32_t functions = read_shortest(reader);
  std::uint32_t next_function = module.imported_functions;
  for (std::uint32_t i = 0; i < functions && reader.ok(); ++i) {
    const std::uint32_t function = read_shortest(reader);
    const std::uint32_t count = read_shortest(reader);
    if (function < next_function || function >= module.functions.size() || count == 0) return false;
    next_function = function + 1;
    const wasm::FunctionBody& body = module.body(wasm::FuncIndex(function));
    offsets.clear();
    for (std::uint32_t hint = 0; hint < count && reader.ok(); ++hint) {
      const std::uint32_t offset = read_shortest(reader);
      const std::uint32_t size = read_shortest(reader);
      const std::uint8_t value = reader.u8("branch hint");
      if (size != 1 || value > 1 || (!offsets.empty() && offset <= offsets.back())) return false;
      offsets.push_back(offset);
      by_offset_.emplace(std::uint64_t{body.offset} + offset, value);
    }
    if (!reader.ok() || !are_branches(module, body, offsets)) return false;
  }
  return reader.ok() && reader.at_end();
}

}  // namespace wasi::text
