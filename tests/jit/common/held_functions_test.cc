// Which functions a table or a reference may hold: those of element segments, and where expressions stand for them all
// that are named outside of bodies.
#include "jit/common/held_functions.h"

#include <catch2/catch.hpp>
#include <vector>

using namespace wasi;
using namespace wasi::jit;

namespace {

std::vector<std::uint32_t> indices(const wasm::Module& module) {
  std::vector<std::uint32_t> found;
  for (const HeldFunction& one : held_functions(module)) {
    CHECK(one.heat == 0);
    found.push_back(one.function.value);
  }
  return found;
}

}  // namespace

TEST_CASE("Functions of element segments are held, each once, however the segments are used") {
  wasm::Module module;
  CHECK(indices(module).empty());
  module.declared_functions = {true, true, true, true, true};
  CHECK(indices(module).empty());
  module.elements.resize(3);
  module.elements[0].mode = wasm::SegmentMode::active;
  module.elements[0].functions = {wasm::FuncIndex(4), wasm::FuncIndex(1)};
  module.elements[1].mode = wasm::SegmentMode::passive;
  module.elements[1].functions = {wasm::FuncIndex(1)};
  module.elements[2].mode = wasm::SegmentMode::declarative;
  module.elements[2].functions = {wasm::FuncIndex(2)};
  CHECK(indices(module) == std::vector<std::uint32_t>{1, 2, 4});
}

TEST_CASE("Where expressions are elements, all functions are held that are named outside of bodies") {
  wasm::Module module;
  module.declared_functions = {false, true, false, true};
  module.elements.resize(1);
  module.elements[0].functions = {wasm::FuncIndex(3)};
  CHECK(indices(module) == std::vector<std::uint32_t>{3});
  module.elements.emplace_back().expressions.resize(1);
  CHECK(indices(module) == std::vector<std::uint32_t>{1, 3});
  module.elements.pop_back();
  module.tables.resize(1);
  CHECK(indices(module) == std::vector<std::uint32_t>{3});
  module.tables[0].init.emplace();
  CHECK(indices(module) == std::vector<std::uint32_t>{1, 3});
}
