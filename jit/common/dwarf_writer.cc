#include "jit/common/dwarf_writer.h"

namespace wasi::jit {

using binary::DwarfAttribute;
using binary::DwarfForm;
using binary::DwarfTag;

EntryWriter::Label EntryWriter::new_label() {
  places_.push_back(0);
  return static_cast<Label>(places_.size() - 1);
}

void EntryWriter::begin(DwarfTag tag, bool has_children, Label label) {
  flush();
  is_begun_ = true;
  label_ = label;
  abbreviation_ = {static_cast<std::uint16_t>(tag), static_cast<std::uint16_t>(has_children)};
}

void EntryWriter::flush() {
  if (!is_begun_) return;
  is_begun_ = false;
  const auto [known, is_new] = codes_.try_emplace(abbreviation_, codes_.size() + 1);
  if (is_new) {
    append_uleb(abbreviations_, known->second);
    append_uleb(abbreviations_, abbreviation_[0]);
    abbreviations_.push_back(static_cast<std::uint8_t>(abbreviation_[1]));
    for (std::size_t i = 2; i < abbreviation_.size(); ++i) append_uleb(abbreviations_, abbreviation_[i]);
    append(abbreviations_, {0, 0});
  }
  if (label_ != kNone) places_[label_] = static_cast<std::uint32_t>(out_.size());
  append_uleb(out_, known->second);
  for (const auto& [at, label] : open_) references_.emplace_back(out_.size() + at, label);
  append(out_, std::span<const std::uint8_t>(values_));
  values_.clear();
  open_.clear();
}

void EntryWriter::end() {
  flush();
  out_.push_back(0);
}

void EntryWriter::add(DwarfAttribute attribute, DwarfForm form) {
  abbreviation_.push_back(static_cast<std::uint16_t>(attribute));
  abbreviation_.push_back(static_cast<std::uint16_t>(form));
}

void EntryWriter::text(DwarfAttribute attribute, std::string_view value) {
  add(attribute, DwarfForm::string);
  append_string(values_, value);
}

void EntryWriter::number(DwarfAttribute attribute, std::uint64_t value) {
  add(attribute, DwarfForm::udata);
  append_uleb(values_, value);
}

void EntryWriter::signed_number(DwarfAttribute attribute, std::int64_t value) {
  add(attribute, DwarfForm::sdata);
  append_sleb(values_, value);
}

void EntryWriter::flag(DwarfAttribute attribute) { add(attribute, DwarfForm::flag_present); }

void EntryWriter::address(DwarfAttribute attribute, std::uint64_t value) {
  add(attribute, DwarfForm::addr);
  append(values_, value);
}

void EntryWriter::size(DwarfAttribute attribute, std::uint64_t value) {
  add(attribute, DwarfForm::data8);
  append(values_, value);
}

void EntryWriter::list(DwarfAttribute attribute, std::size_t offset) {
  add(attribute, DwarfForm::sec_offset);
  append(values_, static_cast<std::uint32_t>(offset));
}

void EntryWriter::expression(DwarfAttribute attribute, const Bytes& value) {
  add(attribute, DwarfForm::exprloc);
  append_uleb(values_, value.size());
  append(values_, std::span<const std::uint8_t>(value));
}

void EntryWriter::reference(DwarfAttribute attribute, Label label) {
  if (label == kNone) return;
  add(attribute, DwarfForm::ref4);
  open_.emplace_back(values_.size(), label);
  append(values_, std::uint32_t{0});
}

Bytes EntryWriter::finish() {
  flush();
  for (const auto& [at, label] : references_) std::memcpy(out_.data() + at, &places_[label], sizeof(std::uint32_t));
  abbreviations_.push_back(0);
  return std::move(abbreviations_);
}

}  // namespace wasi::jit
