#include "jit/common/gdb_types.h"

#include <optional>

#include "base/printable.h"

namespace wasi::jit {

using binary::Dwarf;
using binary::DwarfAttribute;
using binary::DwarfEncoding;
using binary::DwarfEntry;
using binary::DwarfTag;
using binary::DwarfValue;

namespace {

// Of one function. What would be more is without its type.
constexpr std::size_t kMostTypes = 1000;
// Names of names, and pointers to pointers.
constexpr unsigned kMostDeep = 32;

bool is_pointer_tag(DwarfTag tag) {
  return tag == DwarfTag::pointer_type || tag == DwarfTag::reference_type || tag == DwarfTag::rvalue_reference_type;
}

bool is_qualifier(DwarfTag tag) {
  return tag == DwarfTag::const_type || tag == DwarfTag::volatile_type || tag == DwarfTag::restrict_type ||
         tag == DwarfTag::atomic_type;
}

}  // namespace

std::optional<DwarfEntry> TypeWriter::entry(std::uint64_t type) const {
  const Dwarf::Unit* const unit = dwarf_.unit_of(type);
  return unit != nullptr ? dwarf_.entry(*unit, type) : std::nullopt;
}

// One to a function is the function's index in a table, and points nowhere.
std::optional<std::uint64_t> TypeWriter::pointer_in(std::uint64_t type) const {
  for (unsigned depth = 0; depth < kMostDeep; ++depth) {
    const auto found = entry(type);
    if (!found) return std::nullopt;
    const auto target = found->reference(DwarfAttribute::type);
    if (is_pointer_tag(found->tag)) {
      const auto pointed = target ? entry(*target) : std::nullopt;
      return pointed && pointed->tag == DwarfTag::subroutine_type ? std::nullopt : std::optional(type);
    }
    if (!target || (found->tag != DwarfTag::typedef_type && !is_qualifier(found->tag))) return std::nullopt;
    type = *target;
  }
  return std::nullopt;
}

bool TypeWriter::is_pointer(std::uint64_t type) const { return pointer_in(type).has_value(); }

TypeWriter::Label TypeWriter::of_variable(std::uint64_t type) {
  const auto pointer = pointer_in(type);
  return pointer ? of(*pointer, true) : of(type);
}

TypeWriter::Label TypeWriter::of_result(std::uint64_t type) {
  std::uint64_t named = type;
  for (unsigned depth = 0; depth < kMostDeep; ++depth) {
    const auto found = entry(named);
    if (!found) break;
    const bool is_scalar =
        is_pointer_tag(found->tag) || found->tag == DwarfTag::base_type || found->tag == DwarfTag::enumeration_type;
    if (is_scalar) return of(type);
    const auto target = found->reference(DwarfAttribute::type);
    if (!target || (found->tag != DwarfTag::typedef_type && !is_qualifier(found->tag))) break;
    named = *target;
  }
  return EntryWriter::kNone;
}

TypeWriter::Label TypeWriter::of(std::uint64_t type, bool is_variable) {
  const auto known = labels_.find({type, is_variable});
  if (known != labels_.end()) return known->second;
  if (labels_.size() >= kMostTypes || !entry(type)) return EntryWriter::kNone;
  const Label label = out_.new_label();
  labels_[{type, is_variable}] = label;
  pending_.push_back({type, is_variable, label});
  return label;
}

TypeWriter::Label TypeWriter::base(std::string_view name, DwarfEncoding encoding, std::uint8_t size) {
  const Label label = out_.new_label();
  out_.begin(DwarfTag::base_type, false, label);
  out_.text(DwarfAttribute::name, name);
  out_.number(DwarfAttribute::encoding, static_cast<std::uint64_t>(encoding));
  out_.number(DwarfAttribute::byte_size, size);
  return label;
}

TypeWriter::Label TypeWriter::pointer_to(Label target) {
  const Label label = out_.new_label();
  out_.begin(DwarfTag::pointer_type, false, label);
  out_.number(DwarfAttribute::byte_size, sizeof(void*));
  out_.reference(DwarfAttribute::type, target);
  return label;
}

TypeWriter::Label TypeWriter::vector_of(Label element, std::uint8_t count) {
  const Label label = out_.new_label();
  out_.begin(DwarfTag::array_type, true, label);
  out_.flag(DwarfAttribute::GNU_vector);
  out_.reference(DwarfAttribute::type, element);
  out_.begin(DwarfTag::subrange_type, false);
  out_.number(DwarfAttribute::count, count);
  out_.end();
  return label;
}

void TypeWriter::write_pending() {
  while (!pending_.empty()) {
    const Pending next = pending_.front();
    pending_.pop_front();
    write(next);
  }
}

std::string TypeWriter::name_of(std::uint64_t type, unsigned depth) const {
  const auto found = depth < kMostDeep ? entry(type) : std::nullopt;
  if (!found) return "?";
  const auto target = found->reference(DwarfAttribute::type);
  const std::string of_target = target && found->tag != DwarfTag::typedef_type && found->tag != DwarfTag::base_type
                                    ? name_of(*target, depth + 1)
                                    : "void";
  if (found->tag == DwarfTag::pointer_type) return of_target + (of_target.ends_with('*') ? "*" : " *");
  if (found->tag == DwarfTag::reference_type) return of_target + " &";
  if (found->tag == DwarfTag::rvalue_reference_type) return of_target + " &&";
  if (found->tag == DwarfTag::const_type) return "const " + of_target;
  if (found->tag == DwarfTag::volatile_type) return "volatile " + of_target;
  if (is_qualifier(found->tag)) return of_target;
  if (found->tag == DwarfTag::array_type) return of_target + "[]";
  if (found->tag == DwarfTag::subroutine_type) return of_target + " ()";
  const std::string_view name = found->text(DwarfAttribute::name);
  return name.empty() ? "(unnamed)" : printable(name);
}

// Something is written for each, since others refer to it.
void TypeWriter::write(const Pending& pending) {
  const Dwarf::Unit& unit = *dwarf_.unit_of(pending.type);
  const DwarfEntry found = *entry(pending.type);
  const auto target = found.reference(DwarfAttribute::type);
  const std::string name = printable(found.text(DwarfAttribute::name));
  if (is_pointer_tag(found.tag)) {
    const Label to = target ? of(*target) : EntryWriter::kNone;
    if (pending.is_variable) {
      out_.begin(found.tag, false, pending.label);
      out_.number(DwarfAttribute::byte_size, sizeof(void*));
      out_.reference(DwarfAttribute::type, to);
      return;
    }
    out_.begin(DwarfTag::base_type, false, pending.label);
    out_.text(DwarfAttribute::name, name_of(pending.type));
    out_.number(DwarfAttribute::encoding, static_cast<std::uint64_t>(DwarfEncoding::address));
    out_.number(DwarfAttribute::byte_size, unit.address_size);
    return;
  }
  switch (found.tag) {
    case DwarfTag::structure_type:
    case DwarfTag::class_type:
    case DwarfTag::union_type:
      return write_structure(unit, found, pending.label);
    case DwarfTag::array_type:
      return write_array(unit, found, pending.label);
    case DwarfTag::enumeration_type:
      return write_enumeration(unit, found, pending.label);
    default:
      break;
  }
  const bool is_named = found.tag == DwarfTag::typedef_type || found.tag == DwarfTag::base_type;
  const bool is_known = is_named || is_qualifier(found.tag) || found.tag == DwarfTag::subroutine_type;
  const Label to = target && is_known ? of(*target) : EntryWriter::kNone;
  out_.begin(is_known ? found.tag : DwarfTag::unspecified_type, false, pending.label);
  if (is_named || !is_known) out_.text(DwarfAttribute::name, name.empty() ? "?" : name);
  out_.reference(DwarfAttribute::type, to);
  for (const DwarfAttribute attribute : {DwarfAttribute::encoding, DwarfAttribute::byte_size}) {
    const auto value = found.constant(attribute);
    if (value && found.tag == DwarfTag::base_type) out_.number(attribute, *value);
  }
}

void TypeWriter::write_structure(const Dwarf::Unit& unit, const DwarfEntry& entry, Label label) {
  const bool is_whole = !entry.flag(DwarfAttribute::declaration);
  out_.begin(entry.tag, is_whole, label);
  const std::string_view name = entry.text(DwarfAttribute::name);
  if (!name.empty()) out_.text(DwarfAttribute::name, printable(name));
  if (!is_whole) return out_.flag(DwarfAttribute::declaration);
  if (const auto size = entry.constant(DwarfAttribute::byte_size)) out_.number(DwarfAttribute::byte_size, *size);
  write_members(unit, entry);
  out_.end();
}

void TypeWriter::write_members(const Dwarf::Unit& unit, const DwarfEntry& entry) {
  for (const DwarfEntry& member : dwarf_.children(unit, entry)) {
    if (member.tag != DwarfTag::member && member.tag != DwarfTag::inheritance) continue;
    // Those that all objects share lie elsewhere.
    if (member.flag(DwarfAttribute::external) || member.flag(DwarfAttribute::declaration)) continue;
    const auto type = member.reference(DwarfAttribute::type);
    const Label label = type ? of(*type) : EntryWriter::kNone;
    if (label == EntryWriter::kNone) continue;
    out_.begin(member.tag, false);
    const std::string_view name = member.text(DwarfAttribute::name);
    if (!name.empty()) out_.text(DwarfAttribute::name, printable(name));
    out_.reference(DwarfAttribute::type, label);
    for (const DwarfAttribute attribute :
         {DwarfAttribute::data_member_location, DwarfAttribute::bit_size, DwarfAttribute::data_bit_offset}) {
      if (const auto value = member.constant(attribute)) out_.number(attribute, *value);
    }
  }
}

void TypeWriter::write_array(const Dwarf::Unit& unit, const DwarfEntry& entry, Label label) {
  const auto element = entry.reference(DwarfAttribute::type);
  const Label of_element = element ? of(*element) : EntryWriter::kNone;
  out_.begin(entry.tag, true, label);
  if (entry.flag(DwarfAttribute::GNU_vector)) out_.flag(DwarfAttribute::GNU_vector);
  out_.reference(DwarfAttribute::type, of_element);
  for (const DwarfEntry& range : dwarf_.children(unit, entry)) {
    if (range.tag != DwarfTag::subrange_type) continue;
    out_.begin(range.tag, false);
    for (const DwarfAttribute attribute : {DwarfAttribute::count, DwarfAttribute::upper_bound}) {
      if (const auto value = range.constant(attribute)) out_.number(attribute, *value);
    }
  }
  out_.end();
}

void TypeWriter::write_enumeration(const Dwarf::Unit& unit, const DwarfEntry& entry, Label label) {
  const auto base = entry.reference(DwarfAttribute::type);
  const Label of_base = base ? of(*base) : EntryWriter::kNone;
  out_.begin(entry.tag, true, label);
  const std::string_view name = entry.text(DwarfAttribute::name);
  if (!name.empty()) out_.text(DwarfAttribute::name, printable(name));
  if (const auto size = entry.constant(DwarfAttribute::byte_size)) out_.number(DwarfAttribute::byte_size, *size);
  out_.reference(DwarfAttribute::type, of_base);
  for (const DwarfEntry& one : dwarf_.children(unit, entry)) {
    const auto value = one.constant(DwarfAttribute::const_value);
    if (one.tag != DwarfTag::enumerator || !value) continue;
    out_.begin(one.tag, false);
    out_.text(DwarfAttribute::name, printable(one.text(DwarfAttribute::name)));
    out_.signed_number(DwarfAttribute::const_value, static_cast<std::int64_t>(*value));
  }
  out_.end();
}

}  // namespace wasi::jit
