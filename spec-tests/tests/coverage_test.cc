// The check that every instruction is executed must be able to fail.
#include "coverage.h"

#include <wasi/wasi.h>

#include <algorithm>
#include <catch2/catch.hpp>

#include "support/wat.h"

namespace wasi::spec {
namespace {

bool has(const std::vector<std::string_view>& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

TEST_CASE("instructions count when they are executed") {
  const Engine engine = Engine::create({.tier = TierSelection::interpreter}).value();
  const Coverage coverage(engine);
  const std::size_t all = coverage.missing().size();
  CHECK(coverage.executed() == 0);
  CHECK(all > 150);

  Store store(engine);
  const auto module = Module::from_bytes(engine, test::wat(R"((module
    (func (export "f") (param i32) (result i32)
      (if (result i32) (i32.eqz (local.get 0))
        (then (i32.add (local.get 0) (i32.const 5)))
        (else (i32.sub (local.get 0) (i32.const 3)))))
    (func (export "never called") (drop (i64.clz (i64.const 1))))))"));
  REQUIRE(module);
  const auto instance = Linker(engine).instantiate(store, *module);
  REQUIRE(instance);
  const auto function = instance->function<std::int32_t(std::int32_t)>("f");
  REQUIRE(function);
  CHECK((*function)(0) == 5);
  // if, local.get, i32.eqz, i32.const, i32.add, end
  CHECK(coverage.executed() == 6);
  CHECK(coverage.missing().size() == all - 6);
  CHECK(has(coverage.missing(), "else"));
  CHECK_FALSE(has(coverage.missing(), "i32.add"));
  CHECK(has(coverage.missing(), "i32.sub"));
  CHECK(has(coverage.missing(), "i64.clz"));

  CHECK((*function)(7) == 4);
  CHECK_FALSE(has(coverage.missing(), "i32.sub"));
  CHECK_FALSE(has(coverage.missing(), "else"));
}

}  // namespace
}  // namespace wasi::spec
