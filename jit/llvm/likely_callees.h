// Whom calls by reference most likely reach. Where this call was seen at work: those whom it reached nearly always.
// Else, of the functions of the wanted type that a table or a reference may hold, all where they are few, or those that
// run much more than all others together.
//
// It is a guess: code compares before it relies on it (calls.cc).
#pragma once

#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "jit/common/held_functions.h"
#include "runtime/call_sites.h"
#include "wasm/module.h"

namespace wasi::jit::optimising {

// Bytes of a body, up to which a function is small enough to become a part of any that calls it.
inline constexpr std::uint32_t kMostSmallBytes = 160;

// So many callees are compared one after the other; more are told apart by a table of places to jump to.
inline constexpr std::size_t kMostCompared = 4;

class LikelyCallees {
 public:
  // `seen` by their offsets.
  LikelyCallees(const wasm::Module& module, std::span<const HeldFunction> held, std::span<const runtime::SeenCall> seen)
      : module_(module), held_(held), seen_(seen) {}
  LikelyCallees(const LikelyCallees&) = delete;
  LikelyCallees& operator=(const LikelyCallees&) = delete;

  // Of the call at this byte of the module, by a reference of this type: the likeliest first, each once. They have
  // bodies. All but one alone are small: of others, that they are known gains less than the comparisons take.
  // Valid until the next question.
  [[nodiscard]] std::span<const wasm::FuncIndex> of(std::uint64_t offset, wasm::TypeIndex type);

 private:
  using Callees = std::vector<wasm::FuncIndex>;
  [[nodiscard]] std::span<const wasm::FuncIndex> held_of(wasm::TypeId type);
  void sort_by_type();
  [[nodiscard]] Callees look_for(wasm::TypeId type) const;
  [[nodiscard]] bool may_be(wasm::FuncIndex function, wasm::TypeId type) const;
  [[nodiscard]] Callees choose(std::vector<HeldFunction> candidates, std::uint64_t other_heat) const;

  const wasm::Module& module_;
  const std::span<const HeldFunction> held_;
  const std::span<const runtime::SeenCall> seen_;
  std::unordered_map<std::uint32_t, std::vector<HeldFunction>> by_type_;  // by their own TypeIds; empty: not sorted yet
  std::unordered_map<std::uint32_t, Callees> answers_;                    // by types
  Callees of_seen_;
};

}  // namespace wasi::jit::optimising
