// A body's locals: types by index, and which of those without a default value have been set.
//
// Declarations are runs ("40000 times i32" is three bytes), so they are expanded only as far as the size of
// the body pays for; behind that, look-ups search the runs. So a module of many tiny functions that each claim
// the most locals costs no more than its bytes.
// Source: https://webassembly.github.io/spec/core/binary/modules.html#code-section
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "base/byte_reader.h"
#include "wasm/module.h"

namespace wasi::validate {

class Locals {
 public:
  // Reads the declarations at the cursor; failures stay in the reader.
  void read(base::ByteReader& reader, const wasm::Module& module, std::span<const wasm::ValType> params);
  void clear();

  [[nodiscard]] std::uint32_t size() const { return size_; }
  // The type of local `index` < size().
  [[nodiscard]] wasm::ValType type(std::uint32_t index) const {
    return index < types_.size() ? types_[index] : search(index);
  }
  // The first locals, which need no second look: expanded, and set from the start.
  [[nodiscard]] std::span<const wasm::ValType> plain() const {
    return {types_.data(), std::min<std::size_t>(types_.size(), unset_from_)};
  }
  // All types, expanded.
  [[nodiscard]] std::span<const wasm::ValType> all();

  // Initialisation, which matters only where some local has no default value.
  [[nodiscard]] bool is_set(std::uint32_t index) const {
    return unset_from_ > index || (set_[index / 64] >> (index % 64) & 1) != 0;
  }
  void set(std::uint32_t index) {
    if (unset_from_ <= index) [[unlikely]]
      mark_set(index);
  }
  [[nodiscard]] std::uint32_t set_height() const { return static_cast<std::uint32_t>(set_order_.size()); }
  // Forgets what was set since set_height() was `height`.
  void restore(std::uint32_t height) {
    if (set_order_.size() > height) [[unlikely]]
      unset_to(height);
  }

 private:
  struct Run {
    std::uint32_t end;  // one past its last local
    wasm::ValType type;
  };

  void expand(std::uint32_t count);
  [[nodiscard]] wasm::ValType search(std::uint32_t index) const;
  void track_initialisation(std::uint32_t params);
  void mark_set(std::uint32_t index);
  void unset_to(std::uint32_t height);

  std::vector<Run> runs_;  // parameters included
  std::vector<wasm::ValType> types_;
  std::uint32_t size_ = 0;
  std::uint32_t unset_from_ = UINT32_MAX;  // locals below it are always set
  std::vector<std::uint64_t> set_;         // one bit each, when some local has no default
  std::vector<std::uint32_t> set_order_;
};

}  // namespace wasi::validate
