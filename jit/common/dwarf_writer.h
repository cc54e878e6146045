// Bytes of object files and of DWARF, and a writer of .debug_info that makes the abbreviations as they are needed.
// Source: DWARF 4, section 7.5
#pragma once

#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <map>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "binary/dwarf_constants.h"

namespace wasi::jit {

using Bytes = std::vector<std::uint8_t>;

template <class T>
void append(Bytes& out, const T& value) {
  const auto* const bytes = reinterpret_cast<const std::uint8_t*>(&value);
  out.insert(out.end(), bytes, bytes + sizeof(T));
}

inline void append(Bytes& out, std::initializer_list<std::uint8_t> bytes) { out.insert(out.end(), bytes); }

inline void append(Bytes& out, std::span<const std::uint8_t> bytes) {
  out.insert(out.end(), bytes.begin(), bytes.end());
}

inline void align(Bytes& out, std::size_t alignment, std::uint8_t filling) {
  while (out.size() % alignment != 0) out.push_back(filling);
}

inline void append_uleb(Bytes& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<std::uint8_t>(value | 0x80));
  out.push_back(static_cast<std::uint8_t>(value));
}

inline void append_sleb(Bytes& out, std::int64_t value) {
  for (; value < -64 || value > 63; value >>= 7) out.push_back(static_cast<std::uint8_t>(value | 0x80));
  out.push_back(static_cast<std::uint8_t>(value & 0x7F));
}

// Up to a zero, which none of them holds.
inline void append_string(Bytes& out, std::string_view text) {
  text = text.substr(0, text.find('\0'));
  out.insert(out.end(), text.begin(), text.end());
  out.push_back(0);
}

// A length in front of what `fill` appends.
template <class F>
void append_sized(Bytes& out, F&& fill) {
  const std::size_t begin = out.size();
  append(out, std::uint32_t{0});
  fill();
  const auto length = static_cast<std::uint32_t>(out.size() - begin - sizeof(std::uint32_t));
  std::memcpy(out.data() + begin, &length, sizeof(length));
}

// The entries of one unit, whose header `out` already has; .debug_info begins with it.
class EntryWriter {
 public:
  using Label = std::uint32_t;
  static constexpr Label kNone = 0;

  explicit EntryWriter(Bytes& out) : out_(out) {}

  // Stands for an entry that others refer to, before or after it is written.
  Label new_label();
  // Attributes belong to the entry that was begun last; its children follow, where it has any, up to end().
  void begin(binary::DwarfTag tag, bool has_children, Label label = kNone);
  void end();
  void text(binary::DwarfAttribute attribute, std::string_view value);
  void number(binary::DwarfAttribute attribute, std::uint64_t value);
  void signed_number(binary::DwarfAttribute attribute, std::int64_t value);
  void flag(binary::DwarfAttribute attribute);
  void address(binary::DwarfAttribute attribute, std::uint64_t value);
  void size(binary::DwarfAttribute attribute, std::uint64_t value);
  void list(binary::DwarfAttribute attribute, std::size_t offset);
  void expression(binary::DwarfAttribute attribute, const Bytes& value);
  // Nothing is said where the label is kNone.
  void reference(binary::DwarfAttribute attribute, Label label);
  // Behind the last entry: the abbreviations. References have their values from now on.
  Bytes finish();

 private:
  void add(binary::DwarfAttribute attribute, binary::DwarfForm form);
  void flush();

  Bytes& out_;
  bool is_begun_ = false;
  Label label_ = kNone;
  std::vector<std::uint16_t> abbreviation_;  // tag, whether it has children, attributes with their forms
  Bytes values_;
  std::vector<std::pair<std::size_t, Label>> open_;  // references in the values
  std::vector<std::uint32_t> places_ = {0};          // of labels
  std::vector<std::pair<std::size_t, Label>> references_;
  std::map<std::vector<std::uint16_t>, std::uint64_t> codes_;
  Bytes abbreviations_;
};

}  // namespace wasi::jit
