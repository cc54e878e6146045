// What the tests of the public API share: an engine, and modules from WAT.
#pragma once

#include <wasi/wasi.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "support/wat.h"

namespace wasi::test {

// The value, or a failed test with the error's text.
template <class Expected>
auto must(Expected&& expected) {
  if (!expected) FAIL(expected.error().to_string());
  if constexpr (!std::is_void_v<typename std::decay_t<Expected>::value_type>) return *std::forward<Expected>(expected);
}

inline Module load(const Engine& engine, std::string_view text, std::string_view flags = "") {
  return must(Module::from_bytes(engine, wat(text, flags)));
}

// By our own reader, which knows what other tools do not yet.
inline Module load_text(const Engine& engine, std::string_view text) {
  return must(Module::from_bytes(engine, std::span(reinterpret_cast<const std::uint8_t*>(text.data()), text.size())));
}

// An instance of `text` in a store of its own, without imports.
inline Instance instantiate(const Engine& engine, std::string_view text, std::string_view flags = "") {
  Store store(engine);
  return must(Linker(engine).instantiate(store, load(engine, text, flags)));
}

// Those that there are here: the optimising one is a plug-in.
inline const std::vector<TierSelection>& tiers() {
  static const std::vector<TierSelection> known = [] {
    std::vector<TierSelection> all = {TierSelection::automatic, TierSelection::interpreter, TierSelection::baseline};
    if (Engine::create({.tier = TierSelection::optimising})) all.push_back(TierSelection::optimising);
    return all;
  }();
  return known;
}

inline bool has_optimising() { return std::ranges::find(tiers(), TierSelection::optimising) != tiers().end(); }

// How often an optimisation of the optimising compiler applied, where the engine counts that.
inline std::uint64_t optimisation_count(const Engine& engine, std::string_view name) {
  for (const OptimisationCount& row : engine.optimisations()) {
    if (row.tier == "llvm" && row.name == name) return row.count;
  }
  FAIL("there is no row " << name);
  return 0;
}

}  // namespace wasi::test
