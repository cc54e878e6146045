// How DWARF writes numbers and strings: what all readers of its sections share.
// Source: DWARF 5, section 7.6
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

#include "wasm/module.h"

namespace wasi::binary {

// Reads DWARF's numbers. Behind the end everything is zero, and ok() false.
class DwarfCursor {
 public:
  explicit DwarfCursor(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}
  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] bool at_end() const { return bytes_.empty() || !ok_; }
  [[nodiscard]] std::size_t left() const { return bytes_.size(); }

  template <class T>
  T fixed() {
    T value{};
    const std::span<const std::uint8_t> raw = take(sizeof(T));
    if (raw.size() == sizeof(T)) std::memcpy(&value, raw.data(), sizeof(T));
    return value;
  }
  std::uint64_t uleb() {
    std::uint64_t value = 0;
    for (unsigned shift = 0;; shift += 7) {
      const auto byte = fixed<std::uint8_t>();
      if (shift < 64) value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
      if ((byte & 0x80) == 0) return value;
    }
  }
  std::int64_t sleb() {
    std::uint64_t value = 0;
    for (unsigned shift = 0;;) {
      const auto byte = fixed<std::uint8_t>();
      if (shift < 64) value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
      shift += 7;
      if ((byte & 0x80) != 0) continue;
      if ((byte & 0x40) != 0 && shift < 64) value |= ~std::uint64_t{0} << shift;
      return static_cast<std::int64_t>(value);
    }
  }
  std::uint64_t offset(bool is_64) { return is_64 ? fixed<std::uint64_t>() : fixed<std::uint32_t>(); }
  std::span<const std::uint8_t> take(std::uint64_t count) {
    if (count > bytes_.size()) {
      ok_ = false;
      bytes_ = {};
      return {};
    }
    const std::span<const std::uint8_t> taken = bytes_.first(static_cast<std::size_t>(count));
    bytes_ = bytes_.subspan(static_cast<std::size_t>(count));
    return taken;
  }
  std::string_view string() {
    const auto end = std::ranges::find(bytes_, std::uint8_t{0});
    const auto size = static_cast<std::size_t>(end - bytes_.begin());
    const std::span<const std::uint8_t> raw = take(size);
    take(1);
    return ok_ ? std::string_view(reinterpret_cast<const char*>(raw.data()), raw.size()) : std::string_view();
  }

 private:
  std::span<const std::uint8_t> bytes_;
  bool ok_ = true;
};

// The contents of a custom section; empty where there is none.
inline std::span<const std::uint8_t> dwarf_section(const wasm::Module& module, std::string_view name) {
  for (const wasm::CustomSection& custom : module.custom_sections) {
    if (custom.name == name && module.check(custom.payload)) return module.view(custom.payload);
  }
  return {};
}

// The string at this byte; empty where there is none.
inline std::string_view dwarf_string(std::span<const std::uint8_t> strings, std::uint64_t at) {
  if (at >= strings.size()) return {};
  return DwarfCursor(strings.subspan(static_cast<std::size_t>(at))).string();
}

}  // namespace wasi::binary
