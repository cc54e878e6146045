// What is guessed about modules, and which functions are compiled together.
#include <algorithm>
#include <cmath>
#include <string>

#include "jit/plan/call_graph.h"
#include "jit/plan/hotness.h"
#include "jit/plan/module.h"
#include "jit/plan/units.h"

using namespace wasi;
using namespace wasi::jit;
using namespace wasi::test;
using Functions = std::vector<std::uint32_t>;

namespace {

CallGraph surveyed(const wasm::Module& module, unsigned threads = 1) { return survey_calls(module, true, threads); }

double calls_of(const CallGraph& graph, std::uint32_t caller, std::uint32_t callee) {
  const auto& calls = graph.bodies[caller].calls;
  const auto site = std::ranges::find(calls, callee, &CallSite::callee);
  return site == calls.end() ? 0 : site->times;
}

// One function of each: $main calls $hot in two loops, $cold in front of a trap, and $other once.
constexpr const char* kProgram = R"((module
  (import "host" "f" (func $host))
  (func $cold)
  (func $hot (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))
  (func $other (call $host))
  (func (export "_start") (local $i i32)
    (loop $outer
      (loop $inner
        (local.set $i (call $hot (local.get $i)))
        (br_if $inner (local.get $i)))
      (if (local.get $i) (then (call $cold) (unreachable)))
      (br_if $outer (local.get $i)))
    (call $other))
  (func $unused (call $hot (i32.const 1)) (drop))))";
enum : std::uint32_t { kCold, kHot, kOther, kMain, kUnused };

}  // namespace

TEST_CASE("Loops multiply calls, and what stands before a trap is hardly called") {
  const auto module = validated(kProgram);
  const CallGraph graph = surveyed(*module);
  CHECK(calls_of(graph, kMain, kHot) == kLoopTurns * kLoopTurns);
  CHECK(calls_of(graph, kMain, kOther) == 1);
  CHECK(calls_of(graph, kMain, kCold) > 0);
  CHECK(calls_of(graph, kMain, kCold) < 0.01);
  CHECK(graph.bodies[kOther].calls.empty());  // what is imported has no body
  CHECK(graph.is_entry == std::vector<bool>{false, false, false, true, false});

  const auto calls = estimate_calls(graph);
  CHECK(calls[kMain] == 1);
  CHECK(calls[kHot] == kLoopTurns * kLoopTurns);
  CHECK(calls[kUnused] == 0);
  const auto heat = estimate_heat(graph, calls);
  CHECK(heat[kHot] > heat[kOther]);
  CHECK(heat[kMain] > heat[kOther]);
  // In little time, the hottest; in much, all that is ever called.
  CHECK(choose_hot(graph, heat, guessed_seconds(graph.bodies[kHot].bytes)) == Functions{kHot});
  CHECK(choose_hot(graph, heat, 10) == Functions{kCold, kHot, kOther, kMain});
  CHECK(choose_hot(graph, heat, 0).empty());
}

TEST_CASE("An arm of an if is half of what is around it, and code behind its end is all again") {
  const auto module = validated(R"((module
    (func $a) (func $b) (func $c)
    (func (export "f") (param i32)
      (if (local.get 0) (then (call $a)) (else (call $b) (call $b)))
      (call $c))))");
  const CallGraph graph = surveyed(*module);
  CHECK(calls_of(graph, 3, 0) == 0.5);
  CHECK(calls_of(graph, 3, 1) == 1);
  CHECK(calls_of(graph, 3, 2) == 1);
}

TEST_CASE("Recursion, alone and round about, is finite and hotter than what is called once") {
  const auto module = validated(R"((module
    (func $fib (param i32) (result i32)
      (if (result i32) (local.get 0)
        (then (i32.add (call $fib (i32.const 1)) (call $fib (i32.const 2))))
        (else (i32.const 1))))
    (func $even (param i32) (call $odd (local.get 0)))
    (func $odd (param i32) (call $even (local.get 0)) (call $even (local.get 0)))
    (func $leaf)
    (func (export "_start")
      (drop (call $fib (i32.const 3))) (call $even (i32.const 3)) (call $leaf))))");
  const CallGraph graph = surveyed(*module);
  const auto calls = estimate_calls(graph);
  CHECK(calls[3] == 1);
  CHECK(calls[0] == 1 + kLoopTurns);
  CHECK(calls[1] > 1);
  CHECK(calls[2] > 1);
  CHECK(calls[1] + calls[2] == Approx(1 + kLoopTurns));
  // A ladder of functions that call the next one in loops stays a number.
  std::string ladder = "(module (func (export \"f\") (loop (call 1)))";
  for (int i = 1; i < 300; ++i) ladder += "(func (loop (call " + std::to_string(i + 1) + ")))";
  const auto deep = validated(ladder + "(func (loop (call 0))))");
  for (const double count : estimate_calls(surveyed(*deep))) CHECK(std::isfinite(count));
}

TEST_CASE("Calls by reference go to what a table may hold, of their type") {
  const auto module = validated(R"((module
    (type $unary (func (param i32)))
    (table funcref (elem $one $two $nothing))
    (func $one (type $unary) (call $deeper))
    (func $two (type $unary))
    (func $nothing)
    (func $deeper)
    (func $elsewhere (type $unary))
    (func (export "f") (param i32)
      (loop (call_indirect (type $unary) (local.get 0) (local.get 0))))))");
  const CallGraph graph = surveyed(*module);
  CHECK(graph.is_referred == std::vector<bool>{true, true, true, false, false, false});
  const auto calls = estimate_calls(graph);
  CHECK(calls[0] == kLoopTurns / 2);
  CHECK(calls[1] == kLoopTurns / 2);
  CHECK(calls[2] == 0);
  CHECK(calls[3] == kLoopTurns / 2);
  CHECK(calls[4] == 0);
}

TEST_CASE("A body that is wrong calls nothing, and the others are surveyed") {
  const auto module = validated("(module (func $f) (func (export \"a\") (call $f) (call $f)))");
  std::vector<std::uint8_t> bytes(module->bytes.data.begin(), module->bytes.data.end());
  bytes[module->bodies[1].offset + 2] = 99;  // the function that is called
  module->bytes.data = bytes;
  const CallGraph graph = survey_calls(*module, false, 1);
  CHECK(graph.bodies[1].calls.empty());
  CHECK(graph.bodies[1].bytes == module->bodies[1].size);
}

TEST_CASE("A survey by many threads is that of one") {
  std::string text = "(module";
  for (int i = 0; i < 1000; ++i) {
    text += "(func (loop (call " + std::to_string(i * 7919 % 1000) + ")) (call " + std::to_string(i / 2) + "))";
  }
  const auto module = validated(text + "(export \"f\" (func 5)))");
  const CallGraph one = surveyed(*module);
  const CallGraph many = surveyed(*module, 8);
  CHECK(estimate_heat(one, estimate_calls(one)) == estimate_heat(many, estimate_calls(many)));
}

TEST_CASE("What covers a part of the heat, the hottest first") {
  const std::vector<double> heat = {1, 60, 0, 30, 9};
  CallGraph graph;
  graph.bodies.assign(heat.size(), {.bytes = 10});
  CHECK(choose_covering(graph, heat, 0.5, 100) == Functions{1});
  CHECK(choose_covering(graph, heat, 0.9, 100) == Functions{1, 3});
  CHECK(choose_covering(graph, heat, 1, 100) == Functions{0, 1, 3, 4});
  // What is too large has its part all the same.
  graph.bodies[3].bytes = 1'000'000;
  CHECK(choose_covering(graph, heat, 0.9, 100) == Functions{1});
  CHECK(choose_covering(graph, std::vector<double>(5), 1, 100).empty());
  CHECK(choose_covering({}, {}, 1, 100).empty());
}

TEST_CASE("Units hold each function once, are as large as they may be, and keep hot callers beside callees") {
  // Function i calls i + 50 in a loop, and i + 1 once.
  std::string text = "(module";
  for (int i = 0; i < 100; ++i) {
    text += "(func (call " + std::to_string((i + 1) % 100) + ")";
    if (i < 50) text += "(loop (call " + std::to_string(i + 50) + "))";
    text += ")";
  }
  const auto module = validated(text + "(export \"f\" (func 0)))");
  const CallGraph graph = surveyed(*module);
  Functions all(100);
  for (std::uint32_t i = 0; i < 100; ++i) all[i] = i;
  const std::vector<double> calls(100, 1.0);
  constexpr std::uint64_t kBytes = 64;
  const auto units = plan_units(graph, calls, all, kBytes);
  Functions found;
  std::vector<std::size_t> unit_of(100);
  for (std::size_t unit = 0; unit < units.size(); ++unit) {
    REQUIRE_FALSE(units[unit].empty());
    CHECK(std::ranges::is_sorted(units[unit]));
    if (unit != 0) CHECK(units[unit - 1].front() < units[unit].front());
    std::uint64_t bytes = 0;
    for (const std::uint32_t function : units[unit]) {
      bytes += graph.bodies[function].bytes;
      found.push_back(function);
      unit_of[function] = unit;
    }
    CHECK(bytes <= kBytes);
  }
  CHECK(units.size() < 30);
  std::ranges::sort(found);
  CHECK(found == all);
  for (std::uint32_t i = 0; i < 50; ++i) CHECK(unit_of[i] == unit_of[i + 50]);

  // Of a part; and what is larger than a unit is one.
  const auto of_some = plan_units(graph, calls, Functions{3, 7, 53, 60}, 1);
  CHECK(of_some == std::vector<Functions>{{3}, {7}, {53}, {60}});
  CHECK(plan_units(graph, calls, {}, kBytes).empty());
}
