#include "binary/names.h"

#include <algorithm>

#include "base/byte_reader.h"

namespace wasi::binary {
namespace {

constexpr std::uint32_t kAnyIndex = UINT32_MAX;

base::ByteReader reader_of(const wasm::Module& module, wasm::ByteRange range, const char* what) {
  return {module.view(range), range.offset, what};
}

// A name map; of several names for one index the first in the file counts (names are views into it).
NameMap read_names(base::ByteReader& reader, std::size_t limit) {
  NameMap names;
  const std::uint32_t count = reader.u32("number of names");
  names.reserve(std::min({std::size_t{count}, reader.remaining() / 2, limit}));
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::uint32_t index = reader.u32("index of a name");
    const std::string_view name = reader.name("name");
    if (!reader.ok()) break;
    if (index < limit) names.emplace_back(index, name);
  }
  const auto order = [](const auto& entry) { return std::pair(entry.first, entry.second.data()); };
  if (!std::ranges::is_sorted(names, {}, order)) std::ranges::sort(names, {}, order);
  const auto repeated = std::ranges::unique(names, {}, [](const auto& entry) { return entry.first; });
  names.erase(repeated.begin(), repeated.end());
  return names;
}

void skip_names(base::ByteReader& reader) {
  const std::uint32_t count = reader.u32("number of names");
  for (std::uint32_t i = 0; i < count && reader.ok(); ++i) {
    reader.u32("index of a name");
    reader.skip(reader.u32("size of a name"), "name");
  }
}

// How many things of this kind a module has.
std::size_t count_of(const wasm::Module& module, NameKind kind) {
  switch (kind) {
    case NameKind::function:
      return module.functions.size();
    case NameKind::type:
    case NameKind::field:
      return module.types.size();
    case NameKind::table:
      return module.tables.size();
    case NameKind::memory:
      return module.memories.size();
    case NameKind::global:
      return module.globals.size();
    case NameKind::element:
      return module.elements.size();
    case NameKind::data:
      return module.data_segments();
    case NameKind::tag:
      return module.tags.size();
    case NameKind::local:
    case NameKind::label:
      return module.functions.size();
    case NameKind::module:
      break;
  }
  return 0;
}

}  // namespace

std::string_view name_of(NameKind kind) {
  static constexpr std::string_view kNames[kNameKinds] = {"module", "function", "local",   "label", "type",  "table",
                                                          "memory", "global",   "element", "data",  "field", "tag"};
  return kNames[static_cast<std::uint8_t>(kind)];
}

std::optional<std::string_view> find_name(const NameMap& names, std::uint32_t index) {
  const auto it = std::ranges::lower_bound(names, index, {}, [](const auto& entry) { return entry.first; });
  if (it == names.end() || it->first != index) return std::nullopt;
  return it->second;
}

NameMap IndirectNames::of(std::uint32_t outer) const {
  const auto it = std::ranges::lower_bound(entries_, outer, {}, &Entry::outer);
  if (it == entries_.end() || it->outer != outer) return {};
  base::ByteReader reader = reader_of(*module_, it->names, "name map");
  return read_names(reader, kAnyIndex);
}

std::vector<std::uint32_t> IndirectNames::outer_indices() const {
  std::vector<std::uint32_t> indices;
  indices.reserve(entries_.size());
  for (const Entry& entry : entries_) indices.push_back(entry.outer);
  return indices;
}

NameSection::NameSection(const wasm::Module& module) : module_(&module) {
  const auto section = std::ranges::find(module.custom_sections, std::string_view("name"), &wasm::CustomSection::name);
  if (section == module.custom_sections.end() || !module.check(section->payload)) return;
  exists_ = true;
  base::ByteReader reader = reader_of(module, section->payload, "name section");
  while (!reader.at_end()) {
    const std::uint8_t id = reader.u8("subsection");
    const std::uint32_t size = reader.u32("size of a subsection");
    const auto offset = static_cast<std::uint32_t>(reader.offset());
    reader.skip(size, "subsection");
    if (!reader.ok()) break;
    if (id < kNameKinds && subsections_[id].size == 0) subsections_[id] = {offset, size};
  }
}

std::string_view NameSection::module_name() const {
  return reader_of(*module_, subsections_[0], "subsection").name("module name");
}

NameMap NameSection::names(NameKind kind) const {
  base::ByteReader reader = reader_of(*module_, subsections_[static_cast<std::uint8_t>(kind)], "subsection");
  return read_names(reader, count_of(*module_, kind));
}

IndirectNames NameSection::indirect(NameKind kind) const {
  IndirectNames names;
  names.module_ = module_;
  base::ByteReader reader = reader_of(*module_, subsections_[static_cast<std::uint8_t>(kind)], "subsection");
  const std::size_t limit = count_of(*module_, kind);
  const std::uint32_t count = reader.u32("number of name maps");
  names.entries_.reserve(std::min({std::size_t{count}, reader.remaining() / 2, limit}));
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::uint32_t outer = reader.u32("index of a name map");
    const std::uint64_t start = reader.offset();
    const std::uint64_t left = reader.remaining();
    skip_names(reader);
    // The part of a broken map that can be read is kept.
    const std::uint64_t size = reader.ok() ? reader.offset() - start : left;
    if (outer < limit && size != 0) {
      names.entries_.push_back({outer, {static_cast<std::uint32_t>(start), static_cast<std::uint32_t>(size)}});
    }
    if (!reader.ok()) break;
  }
  const auto order = [](const auto& entry) { return std::pair(entry.outer, entry.names.offset); };
  if (!std::ranges::is_sorted(names.entries_, {}, order)) std::ranges::sort(names.entries_, {}, order);
  const auto repeated = std::ranges::unique(names.entries_, {}, &IndirectNames::Entry::outer);
  names.entries_.erase(repeated.begin(), repeated.end());
  return names;
}

Names decode_names(const wasm::Module& module) {
  const NameSection section(module);
  return {section.module_name(), section.names(NameKind::function)};
}

}  // namespace wasi::binary
