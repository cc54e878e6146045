// What interpreted code notes of calls by reference: the first few callees of each, how often, and who does not count.
#include <catch2/catch.hpp>

#include "interp/machine.h"
#include "runtime/call_sites.h"
#include "runtime/module_code.h"
#include "text/text.h"

namespace wasi::interp::test {
namespace {

using runtime::SeenCall;

constexpr std::string_view kCalls = R"((module $app
  (type $unary (func (param i32) (result i32)))
  (import "env" "f" (func $host (type $unary)))
  (table $t 8 funcref)
  (table $wide i64 8 funcref)
  (elem (table $t) (i32.const 0) func $a $b $c $d $e $host)
  (elem (table $wide) (i64.const 0) func $a $b $c $d $e $host)
  (func $a (type $unary) (local.get 0))
  (func $b (type $unary) (local.get 0))
  (func $c (type $unary) (local.get 0))
  (func $d (type $unary) (local.get 0))
  (func $e (type $unary) (local.get 0))
  (func (export "indirect") (param i32) (result i32) (call_indirect $t (type $unary) (i32.const 5) (local.get 0)))
  (func (export "wide") (param i32) (result i32)
    (call_indirect $wide (type $unary) (i32.const 5) (i64.extend_i32_u (local.get 0))))
  (func (export "reference") (param i32) (result i32)
    (call_ref $unary (i32.const 5) (ref.cast (ref null $unary) (table.get $t (local.get 0)))))
  (func (export "tail") (param i32) (result i32) (return_call_indirect $t (type $unary) (i32.const 5) (local.get 0)))
  (func (export "wide tail") (param i32) (result i32)
    (return_call_indirect $wide (type $unary) (i32.const 5) (i64.extend_i32_u (local.get 0))))
  (func (export "tail reference") (param i32) (result i32)
    (return_call_ref $unary (i32.const 5) (ref.cast (ref null $unary) (table.get $t (local.get 0))))))
)";

// wabt does not know all of it.
std::vector<std::uint8_t> encoded() { return text::encode_module(kCalls).value(); }

Machine machine_with(bool observes, Mode mode) {
  Machine machine(make_interpreter({.style = mode.style, .observes_calls = observes}), nullptr, mode);
  machine.define("f", {wasm::kI32}, {wasm::kI32}, [](void*, runtime::HostCall&) -> std::optional<Trap> { return {}; });
  return machine;
}

TEST_CASE("each call by reference has its own callees, the first four, and how often it reached them", "[calls]") {
  for (const Mode mode : kModes) {
    INFO(describe(mode));
    Machine machine = machine_with(true, mode);
    const runtime::Instance& instance = machine.instantiate(encoded());
    const char* const functions[] = {"indirect", "wide", "reference", "tail", "wide tail", "tail reference"};
    for (const char* const function : functions) {
      INFO(function);
      // Element 5 is the host's function, $d and $e come too late, and there is nobody in 6 and 99.
      for (const std::uint64_t element : {1, 1, 1, 0, 0, 5, 2, 3, 3, 3, 4, 1}) {
        CHECK(machine.value(function, {element}) == 5);
      }
      CHECK_FALSE(machine.call(function, {6}).has_value());
      CHECK_FALSE(machine.call(function, {99}).has_value());
    }
    REQUIRE(instance.code->call_sites != nullptr);
    const std::vector<SeenCall> seen = instance.code->call_sites->seen(*instance.code);
    REQUIRE(seen.size() == std::size(functions));
    for (std::size_t i = 0; i < seen.size(); ++i) {
      INFO(i);
      if (i != 0) CHECK(seen[i - 1].offset < seen[i].offset);
      const auto& callees = seen[i].callees;
      CHECK((callees[0].function == 2 && callees[0].calls == 4));
      CHECK((callees[1].function == 1 && callees[1].calls == 2));
      CHECK((callees[2].function == 3 && callees[2].calls == 1));
      CHECK(callees[3].calls == 0);
      CHECK(seen[i].others == 5);
    }
  }
}

TEST_CASE("calls that nobody wants to know of are not noted", "[calls]") {
  Machine machine = machine_with(false, {});
  const runtime::Instance& instance = machine.instantiate(encoded());
  CHECK(machine.value("indirect", {1}) == 5);
  CHECK(instance.code->call_sites == nullptr);
}

TEST_CASE("there are only so many places to note calls in", "[calls]") {
  runtime::CallSites sites;
  std::size_t count = 0;
  while (count < 100'000 && sites.add(count) != nullptr) ++count;
  CHECK(count > 10'000);
  CHECK(count < 100'000);
  CHECK(sites.add(7) == nullptr);
}

}  // namespace
}  // namespace wasi::interp::test
