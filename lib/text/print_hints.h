// Branch hints: the custom section metadata.code.branch_hint as annotations beside the branches that it is about.
//
// Text that has the annotations gives the section again, in front of the code section and in one spelling. So they are
// used only where the section stands there, is spelled so, and each hint is about an `if` or `br_if`; else the section
// is printed as it is.
// Source: https://github.com/WebAssembly/branch-hinting
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "wasm/module.h"

namespace wasi::text {

class BranchHints {
 public:
  static constexpr std::string_view kSection = "metadata.code.branch_hint";

  BranchHints() = default;
  explicit BranchHints(const wasm::Module& module);

  // The section is printed as annotations.
  [[nodiscard]] bool is_usable() const { return !by_offset_.empty(); }
  // For the instruction at this offset in the module: 1 likely, 0 unlikely.
  [[nodiscard]] std::optional<std::uint8_t> find(std::uint64_t offset) const {
    if (by_offset_.empty()) return std::nullopt;
    const auto it = by_offset_.find(offset);
    return it == by_offset_.end() ? std::nullopt : std::optional(it->second);
  }

 private:
  bool read(const wasm::Module& module, wasm::ByteRange payload);
  std::unordered_map<std::uint64_t, std::uint8_t> by_offset_;
};

}  // namespace wasi::text
