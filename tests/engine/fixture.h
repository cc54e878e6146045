// What the tests of the public API share: an engine, and modules from WAT.
#pragma once

#include <wasi/wasi.h>

#include <catch2/catch.hpp>
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

}  // namespace wasi::test
