// Whom calls by reference most likely reach: of the functions of the wanted type that a table or a reference may hold,
// the only one, or the one that runs much more than all others together.
//
// It is a guess: code compares before it relies on it (calls.cc).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <unordered_map>

#include "jit/common/held_functions.h"
#include "wasm/module.h"

namespace wasi::jit::optimising {

class LikelyCallees {
 public:
  LikelyCallees(const wasm::Module& module, std::span<const HeldFunction> held) : module_(module), held_(held) {}
  LikelyCallees(const LikelyCallees&) = delete;
  LikelyCallees& operator=(const LikelyCallees&) = delete;

  // Of calls by a reference of this type. It has a body.
  [[nodiscard]] std::optional<wasm::FuncIndex> of(wasm::TypeIndex type);

 private:
  // Of one type, or of several.
  struct Candidates {
    std::optional<wasm::FuncIndex> hottest;
    std::uint64_t heat = 0;  // of that one
    std::uint64_t heat_together = 0;
    std::uint32_t count = 0;
    void add(const Candidates& others);
  };
  void sort_by_type();
  [[nodiscard]] std::optional<wasm::FuncIndex> look_for(wasm::TypeId type) const;

  const wasm::Module& module_;
  const std::span<const HeldFunction> held_;
  std::unordered_map<std::uint32_t, Candidates> by_type_;  // by their own TypeIds; empty: not sorted yet
  std::unordered_map<std::uint32_t, std::optional<wasm::FuncIndex>> answers_;
};

}  // namespace wasi::jit::optimising
