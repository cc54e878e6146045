// Whom calls by reference most likely reach: the only function of the wanted type, where there is but one that a table
// or a reference may hold.
//
// It is a guess. Tables change, and references come from other instances and modules: code compares before it relies on
// it (calls.cc). What is looked at is what stands in the module outside of bodies, so that costs next to nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>

#include "wasm/module.h"

namespace wasi::jit::optimising {

class LikelyCallees {
 public:
  explicit LikelyCallees(const wasm::Module& module) : module_(module) {}
  LikelyCallees(const LikelyCallees&) = delete;
  LikelyCallees& operator=(const LikelyCallees&) = delete;

  // Of calls by a reference of this type. It has a body.
  [[nodiscard]] std::optional<wasm::FuncIndex> of(wasm::TypeIndex type);

 private:
  using Callee = std::optional<wasm::FuncIndex>;  // empty: there are several, or none
  void read();
  [[nodiscard]] Callee look_for(wasm::TypeId type) const;

  const wasm::Module& module_;
  bool was_read_ = false;
  std::unordered_map<std::uint32_t, Callee> by_type_;  // of exactly this type, by its TypeId
  std::unordered_map<std::uint32_t, Callee> answers_;  // by TypeId
};

}  // namespace wasi::jit::optimising
