#include "binary/dwarf.h"

#include <algorithm>
#include <iterator>

#include "binary/dwarf_cursor.h"

namespace wasi::binary {

namespace {

using Bytes = std::span<const std::uint8_t>;
using Kind = DwarfValue::Kind;

// More attributes than any compiler writes would let few bytes stand for many.
constexpr std::size_t kMostAttributes = 128;
// So would entries within entries, to whoever goes down.
constexpr std::size_t kMostLevels = 256;

// From a place in a section on; nothing where it is outside.
DwarfCursor at(Bytes section, std::uint64_t offset) {
  return DwarfCursor(offset < section.size() ? section.subspan(static_cast<std::size_t>(offset)) : Bytes());
}

std::uint64_t read_sized(DwarfCursor& cursor, unsigned bytes) {
  std::uint64_t value = 0;
  const Bytes raw = cursor.take(bytes);
  if (!raw.empty() && raw.size() <= sizeof(value)) std::memcpy(&value, raw.data(), raw.size());
  return value;
}

}  // namespace

struct Dwarf::Abbreviation {
  struct Attribute {
    DwarfAttribute attribute;
    DwarfForm form;
    std::int64_t implicit;
  };
  DwarfTag tag = {};
  bool has_children = false;
  std::vector<Attribute> attributes;
};

class Dwarf::Abbreviations {
 public:
  explicit Abbreviations(DwarfCursor cursor) {
    while (!cursor.at_end()) {
      const std::uint64_t code = cursor.uleb();
      if (code == 0) return;
      Abbreviation abbreviation{.tag = DwarfTag{static_cast<std::uint16_t>(cursor.uleb())},
                                .has_children = cursor.fixed<std::uint8_t>() != 0,
                                .attributes = {}};
      for (;;) {
        const std::uint64_t attribute = cursor.uleb();
        const DwarfForm form{static_cast<std::uint16_t>(cursor.uleb())};
        const std::int64_t implicit = form == DwarfForm::implicit_const ? cursor.sleb() : 0;
        if (attribute == 0 || !cursor.ok() || abbreviation.attributes.size() == kMostAttributes) break;
        abbreviation.attributes.push_back({DwarfAttribute{static_cast<std::uint16_t>(attribute)}, form, implicit});
      }
      if (cursor.ok()) by_code_.try_emplace(code, std::move(abbreviation));
    }
  }
  [[nodiscard]] const Abbreviation* find(std::uint64_t code) const {
    const auto found = by_code_.find(code);
    return found != by_code_.end() ? &found->second : nullptr;
  }

 private:
  std::map<std::uint64_t, Abbreviation> by_code_;
};

// --- entries

const DwarfValue* DwarfEntry::find(DwarfAttribute attribute) const {
  const auto found = std::ranges::find(attributes, attribute, &std::pair<DwarfAttribute, DwarfValue>::first);
  return found != attributes.end() ? &found->second : nullptr;
}

std::string_view DwarfEntry::text(DwarfAttribute attribute) const {
  const DwarfValue* const value = find(attribute);
  return value != nullptr ? value->text : std::string_view();
}

std::optional<std::uint64_t> DwarfEntry::constant(DwarfAttribute attribute) const {
  const DwarfValue* const value = find(attribute);
  return value != nullptr && value->kind == Kind::constant ? std::optional(value->number) : std::nullopt;
}

std::optional<std::uint64_t> DwarfEntry::reference(DwarfAttribute attribute) const {
  const DwarfValue* const value = find(attribute);
  return value != nullptr && value->kind == Kind::reference ? std::optional(value->number) : std::nullopt;
}

bool DwarfEntry::flag(DwarfAttribute attribute) const {
  const DwarfValue* const value = find(attribute);
  return value != nullptr && value->kind == Kind::flag && value->number != 0;
}

DwarfValue Dwarf::value(const Unit& unit, DwarfForm form, std::int64_t implicit, DwarfCursor& cursor,
                        unsigned depth) const {
  const auto constant = [](std::uint64_t number) { return DwarfValue{.kind = Kind::constant, .number = number}; };
  const auto text = [](std::string_view words) { return DwarfValue{.kind = Kind::text, .text = words}; };
  const auto block = [&](std::uint64_t size) { return DwarfValue{.kind = Kind::block, .block = cursor.take(size)}; };
  const auto reference = [&](std::uint64_t in_unit) {
    return DwarfValue{.kind = Kind::reference, .number = unit.begin + in_unit};
  };
  const auto indexed_text = [&](std::uint64_t index) {
    const unsigned size = unit.is_64 ? 8 : 4;
    if (index > string_offsets_.size()) return text({});
    DwarfCursor offset = at(string_offsets_, unit.string_offsets + index * size);
    return text(dwarf_string(strings_, offset.offset(unit.is_64)));
  };
  const auto indexed_address = [&](std::uint64_t index) {
    return DwarfValue{.kind = Kind::address, .number = address(unit, index)};
  };
  switch (form) {
    case DwarfForm::addr:
      return {.kind = Kind::address, .number = read_sized(cursor, unit.address_size)};
    case DwarfForm::block2:
      return block(cursor.fixed<std::uint16_t>());
    case DwarfForm::block4:
      return block(cursor.fixed<std::uint32_t>());
    case DwarfForm::block1:
      return block(cursor.fixed<std::uint8_t>());
    case DwarfForm::block:
    case DwarfForm::exprloc:
      return block(cursor.uleb());
    case DwarfForm::data1:
      return constant(cursor.fixed<std::uint8_t>());
    case DwarfForm::data2:
      return constant(cursor.fixed<std::uint16_t>());
    case DwarfForm::data4:
      return constant(cursor.fixed<std::uint32_t>());
    case DwarfForm::data8:
      return constant(cursor.fixed<std::uint64_t>());
    case DwarfForm::data16:
      return block(16);
    case DwarfForm::udata:
      return constant(cursor.uleb());
    case DwarfForm::sdata:
      return constant(static_cast<std::uint64_t>(cursor.sleb()));
    case DwarfForm::implicit_const:
      return constant(static_cast<std::uint64_t>(implicit));
    case DwarfForm::flag:
      return {.kind = Kind::flag, .number = cursor.fixed<std::uint8_t>() != 0};
    case DwarfForm::flag_present:
      return {.kind = Kind::flag, .number = 1};
    case DwarfForm::string:
      return text(cursor.string());
    case DwarfForm::strp:
      return text(dwarf_string(strings_, cursor.offset(unit.is_64)));
    case DwarfForm::line_strp:
      return text(dwarf_string(line_strings_, cursor.offset(unit.is_64)));
    case DwarfForm::strx:
      return indexed_text(cursor.uleb());
    case DwarfForm::strx1:
      return indexed_text(cursor.fixed<std::uint8_t>());
    case DwarfForm::strx2:
      return indexed_text(cursor.fixed<std::uint16_t>());
    case DwarfForm::strx3:
      return indexed_text(read_sized(cursor, 3));
    case DwarfForm::strx4:
      return indexed_text(cursor.fixed<std::uint32_t>());
    case DwarfForm::addrx:
      return indexed_address(cursor.uleb());
    case DwarfForm::addrx1:
      return indexed_address(cursor.fixed<std::uint8_t>());
    case DwarfForm::addrx2:
      return indexed_address(cursor.fixed<std::uint16_t>());
    case DwarfForm::addrx3:
      return indexed_address(read_sized(cursor, 3));
    case DwarfForm::addrx4:
      return indexed_address(cursor.fixed<std::uint32_t>());
    case DwarfForm::ref1:
      return reference(cursor.fixed<std::uint8_t>());
    case DwarfForm::ref2:
      return reference(cursor.fixed<std::uint16_t>());
    case DwarfForm::ref4:
      return reference(cursor.fixed<std::uint32_t>());
    case DwarfForm::ref8:
      return reference(cursor.fixed<std::uint64_t>());
    case DwarfForm::ref_udata:
      return reference(cursor.uleb());
    case DwarfForm::ref_addr:
      return {.kind = Kind::reference, .number = cursor.offset(unit.is_64)};
    case DwarfForm::sec_offset:
      return {.kind = Kind::list, .number = cursor.offset(unit.is_64)};
    case DwarfForm::loclistx:
    case DwarfForm::rnglistx:
      return {.kind = Kind::list, .is_index = true, .number = cursor.uleb()};
    case DwarfForm::indirect: {
      constexpr unsigned kMostIndirections = 4;
      const DwarfForm other{static_cast<std::uint16_t>(cursor.uleb())};
      if (depth < kMostIndirections) return value(unit, other, 0, cursor, depth + 1);
      break;
    }
    // Of other files.
    case DwarfForm::ref_sup4:
      cursor.take(4);
      return {};
    case DwarfForm::ref_sig8:
    case DwarfForm::ref_sup8:
      cursor.take(8);
      return {};
    case DwarfForm::strp_sup:
      cursor.offset(unit.is_64);
      return {};
  }
  cursor.take(UINT64_MAX);  // nobody knows how long it is
  return {};
}

std::optional<DwarfEntry> Dwarf::entry(const Unit& unit, std::uint64_t offset) const {
  if (offset < unit.first || offset >= unit.end) return std::nullopt;
  const Bytes left = info_.subspan(static_cast<std::size_t>(offset), static_cast<std::size_t>(unit.end - offset));
  DwarfCursor cursor(left);
  const std::uint64_t code = cursor.uleb();
  const auto* const table = static_cast<const Abbreviations*>(unit.abbreviations);
  const Abbreviation* const abbreviation = code != 0 ? table->find(code) : nullptr;
  if (abbreviation == nullptr) return std::nullopt;
  DwarfEntry entry{
      .offset = offset, .tag = abbreviation->tag, .has_children = abbreviation->has_children, .attributes = {}};
  entry.attributes.reserve(abbreviation->attributes.size());
  for (const auto& [attribute, form, implicit] : abbreviation->attributes) {
    entry.attributes.emplace_back(attribute, value(unit, form, implicit, cursor));
  }
  if (!cursor.ok()) return std::nullopt;
  entry.behind = unit.end - cursor.left();
  return entry;
}

// Lists end with a byte of 0, whichever way their last entry ended.
std::vector<DwarfEntry> Dwarf::children(const Unit& unit, const DwarfEntry& of) const {
  std::vector<DwarfEntry> children;
  if (!of.has_children) return children;
  std::size_t level = 1;
  for (std::uint64_t offset = of.behind; level != 0 && offset < unit.end;) {
    if (info_[static_cast<std::size_t>(offset)] == 0) {
      --level;
      ++offset;
      continue;
    }
    auto next = entry(unit, offset);
    if (!next || level == kMostLevels) break;
    offset = next->behind;
    const bool opens = next->has_children;
    if (level == 1) children.push_back(*std::move(next));
    if (opens) ++level;
  }
  return children;
}

// --- units

Dwarf::Dwarf(const wasm::Module& module) {
  for (const wasm::Section& section : module.sections) {
    if (section.id == 10) code_ = section.payload;
  }
  info_ = dwarf_section(module, ".debug_info");
  abbreviations_ = dwarf_section(module, ".debug_abbrev");
  strings_ = dwarf_section(module, ".debug_str");
  line_strings_ = dwarf_section(module, ".debug_line_str");
  string_offsets_ = dwarf_section(module, ".debug_str_offsets");
  addresses_ = dwarf_section(module, ".debug_addr");
  old_ranges_ = dwarf_section(module, ".debug_ranges");
  ranges_ = dwarf_section(module, ".debug_rnglists");
  old_locations_ = dwarf_section(module, ".debug_loc");
  locations_ = dwarf_section(module, ".debug_loclists");
  DwarfCursor cursor(info_);
  while (!cursor.at_end()) {
    const std::uint64_t begin = info_.size() - cursor.left();
    std::uint64_t length = cursor.fixed<std::uint32_t>();
    const bool is_64 = length == 0xFFFF'FFFF;
    if (is_64) length = cursor.fixed<std::uint64_t>();
    DwarfCursor unit(cursor.take(length));
    if (!cursor.ok()) break;
    read_unit(unit, begin, info_.size() - cursor.left(), is_64);
  }
  std::ranges::sort(functions_, {}, [](const Function& function) { return function.code.begin; });
}

Dwarf::~Dwarf() = default;

const Dwarf::Abbreviations* Dwarf::abbreviations_at(std::uint64_t offset) {
  const auto known = tables_.find(offset);
  if (known != tables_.end()) return &known->second;
  return &tables_.try_emplace(offset, Abbreviations(at(abbreviations_, offset))).first->second;
}

void Dwarf::read_unit(DwarfCursor& header, std::uint64_t begin, std::uint64_t end, bool is_64) {
  constexpr std::uint8_t kCompileUnit = 1;
  Unit unit;
  unit.begin = begin;
  unit.end = end;
  unit.version = header.fixed<std::uint16_t>();
  unit.is_64 = is_64;
  if (unit.version < 2 || unit.version > 5) return;
  std::uint64_t abbreviations = 0;
  if (unit.version >= 5) {
    if (header.fixed<std::uint8_t>() != kCompileUnit) return;  // of others nothing has code here
    unit.address_size = header.fixed<std::uint8_t>();
    abbreviations = header.offset(is_64);
  } else {
    abbreviations = header.offset(is_64);
    unit.address_size = header.fixed<std::uint8_t>();
  }
  if (!header.ok() || (unit.address_size != 4 && unit.address_size != 8)) return;
  unit.first = end - header.left();
  unit.abbreviations = abbreviations_at(abbreviations);
  // Where tables begin that its very own attributes may need. Without saying, they begin behind one header.
  unit.string_offsets = is_64 ? 16 : 8;
  unit.addresses = unit.string_offsets;
  const auto own = entry(unit, unit.first);
  if (!own) return;
  const auto set = [&own](DwarfAttribute attribute, std::uint64_t& base) {
    const DwarfValue* const value = own->find(attribute);
    if (value != nullptr && (value->kind == Kind::list || value->kind == Kind::constant)) base = value->number;
  };
  set(DwarfAttribute::str_offsets_base, unit.string_offsets);
  set(DwarfAttribute::addr_base, unit.addresses);
  set(DwarfAttribute::rnglists_base, unit.ranges);
  set(DwarfAttribute::loclists_base, unit.locations);
  // Read again, since its addresses may be indices.
  const auto again = entry(unit, unit.first);
  const DwarfValue* const low = again ? again->find(DwarfAttribute::low_pc) : nullptr;
  if (low != nullptr && low->kind == Kind::address) unit.low_pc = low->number;
  scan(units_.try_emplace(begin, unit).first->second);
}

void Dwarf::scan(Unit& unit) {
  std::vector<bool> is_inside = {false};  // of a function or a type, by level
  for (std::uint64_t offset = unit.first; offset < unit.end;) {
    if (info_[static_cast<std::size_t>(offset)] == 0) {
      ++offset;
      if (is_inside.size() > 1) is_inside.pop_back();
      continue;
    }
    const auto found = entry(unit, offset);
    if (!found || is_inside.size() == kMostLevels) return;
    offset = found->behind;
    if (found->tag == DwarfTag::variable && !is_inside.back()) unit.variables.push_back(found->offset);
    if (found->has_children) {
      const bool is_scope = found->tag == DwarfTag::compile_unit || found->tag == DwarfTag::namespace_;
      is_inside.push_back(is_inside.back() || !is_scope);
    }
    if (found->tag != DwarfTag::subprogram) continue;
    for (const DwarfRange& range : ranges(unit, *found)) functions_.push_back({range, found->offset, &unit});
  }
}

const Dwarf::Function* Dwarf::function_at(std::uint64_t offset) const {
  const auto behind =
      std::ranges::upper_bound(functions_, offset, {}, [](const Function& function) { return function.code.begin; });
  if (behind == functions_.begin()) return nullptr;
  const Function& function = *std::prev(behind);
  return offset < function.code.end ? &function : nullptr;
}

const Dwarf::Unit* Dwarf::unit_of(std::uint64_t entry) const {
  const auto behind = units_.upper_bound(entry);
  if (behind == units_.begin()) return nullptr;
  const Unit& unit = std::prev(behind)->second;
  return entry < unit.end ? &unit : nullptr;
}

// --- addresses and lists

std::uint64_t Dwarf::address(const Unit& unit, std::uint64_t index) const {
  if (index > addresses_.size()) return 0;
  DwarfCursor cursor = at(addresses_, unit.addresses + index * unit.address_size);
  return read_sized(cursor, unit.address_size);
}

// What the linker took out has addresses that are none, or begins at 0, where the number of bodies is.
std::optional<DwarfRange> Dwarf::in_code(std::uint64_t begin, std::uint64_t end) const {
  if (begin == 0 || begin >= end || end > code_.size) return std::nullopt;
  return DwarfRange{code_.offset + static_cast<std::uint32_t>(begin), code_.offset + static_cast<std::uint32_t>(end)};
}

// The sections that a kind of list may be in, and whether its entries have expressions.
struct Dwarf::Lists {
  Bytes old;
  Bytes present;
  bool has_expressions;
};

std::uint64_t Dwarf::list_at(const Unit& unit, const DwarfValue& value, Bytes section, std::uint64_t base) const {
  if (!value.is_index) return value.number;
  if (value.number > section.size()) return section.size();
  DwarfCursor offset = at(section, base + value.number * (unit.is_64 ? 8 : 4));
  return base + offset.offset(unit.is_64);
}

template <class F>
void Dwarf::walk_list(const Unit& unit, const Lists& lists, std::uint64_t offset, F&& found) const {
  // The kinds of entries have the same numbers in both lists; the last but one is for locations alone.
  enum : std::uint8_t { kEnd, kBaseIndex, kStartEndIndex, kStartLengthIndex, kOffsetPair, kDefault };
  std::uint64_t base = unit.low_pc;
  if (unit.version < 5) {
    const std::uint64_t no_address = unit.address_size == 4 ? UINT32_MAX : UINT64_MAX;
    DwarfCursor cursor = at(lists.old, offset);
    while (!cursor.at_end()) {
      const std::uint64_t begin = read_sized(cursor, unit.address_size);
      const std::uint64_t end = read_sized(cursor, unit.address_size);
      if (begin == 0 && end == 0) return;
      if (begin == no_address) {
        base = end;
        continue;
      }
      const Bytes expression = lists.has_expressions ? cursor.take(cursor.fixed<std::uint16_t>()) : Bytes();
      if (cursor.ok()) found(std::optional(std::pair(base + begin, base + end)), expression);
    }
    return;
  }
  DwarfCursor cursor = at(lists.present, offset);
  while (!cursor.at_end()) {
    const auto written = cursor.fixed<std::uint8_t>();
    // Ranges have no default.
    const unsigned kind = !lists.has_expressions && written >= kDefault ? written + 1U : written;
    std::optional<std::pair<std::uint64_t, std::uint64_t>> range;
    switch (kind) {
      case kEnd:
        return;
      case kBaseIndex:
        base = address(unit, cursor.uleb());
        continue;
      case kStartEndIndex: {
        const std::uint64_t begin = address(unit, cursor.uleb());
        range.emplace(begin, address(unit, cursor.uleb()));
        break;
      }
      case kStartLengthIndex: {
        const std::uint64_t begin = address(unit, cursor.uleb());
        range.emplace(begin, begin + cursor.uleb());
        break;
      }
      case kOffsetPair: {
        const std::uint64_t begin = base + cursor.uleb();
        range.emplace(begin, base + cursor.uleb());
        break;
      }
      case kDefault:
        break;
      case kDefault + 1:  // a base address
        base = read_sized(cursor, unit.address_size);
        continue;
      case kDefault + 2: {  // from here to there
        const std::uint64_t begin = read_sized(cursor, unit.address_size);
        range.emplace(begin, read_sized(cursor, unit.address_size));
        break;
      }
      case kDefault + 3: {  // so much from here on
        const std::uint64_t begin = read_sized(cursor, unit.address_size);
        range.emplace(begin, begin + cursor.uleb());
        break;
      }
      default:
        return;
    }
    const Bytes expression = lists.has_expressions ? cursor.take(cursor.uleb()) : Bytes();
    if (cursor.ok()) found(range, expression);
  }
}

std::vector<DwarfRange> Dwarf::ranges(const Unit& unit, const DwarfEntry& entry) const {
  std::vector<DwarfRange> ranges;
  const auto add = [&](std::uint64_t begin, std::uint64_t end) {
    if (const auto range = in_code(begin, end)) ranges.push_back(*range);
  };
  if (const DwarfValue* const list = entry.find(DwarfAttribute::ranges)) {
    if (list->kind != Kind::list) return ranges;
    const Bytes section = unit.version < 5 ? old_ranges_ : ranges_;
    walk_list(unit, {old_ranges_, ranges_, false}, list_at(unit, *list, section, unit.ranges),
              [&](const auto& range, Bytes) {
                if (range) add(range->first, range->second);
              });
    return ranges;
  }
  const DwarfValue* const low = entry.find(DwarfAttribute::low_pc);
  const DwarfValue* const high = entry.find(DwarfAttribute::high_pc);
  if (low == nullptr || high == nullptr || low->kind != Kind::address) return ranges;
  if (high->kind == Kind::constant) add(low->number, low->number + high->number);
  if (high->kind == Kind::address) add(low->number, high->number);
  return ranges;
}

std::vector<DwarfLocation> Dwarf::locations(const Unit& unit, const DwarfValue& value) const {
  std::vector<DwarfLocation> locations;
  if (value.kind == Kind::block) locations.push_back({std::nullopt, value.block});
  if (value.kind != Kind::list) return locations;
  const Bytes section = unit.version < 5 ? old_locations_ : locations_;
  walk_list(unit, {old_locations_, locations_, true}, list_at(unit, value, section, unit.locations),
            [&](const auto& range, Bytes expression) {
              if (!range) {
                locations.push_back({std::nullopt, expression});
              } else if (const auto code = in_code(range->first, range->second)) {
                locations.push_back({code, expression});
              }
            });
  return locations;
}

}  // namespace wasi::binary
