// Calls that became the bodies of their callees are told apart as if they had not: backtraces, exceptions, tail calls
// and the end of the stack are the same in every tier, and from a compiled module.
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "engine/fixture.h"

using namespace wasi;
using namespace wasi::test;

namespace {

std::span<const std::uint8_t> bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

struct Case {
  const char* function;
  std::int32_t argument;
};

// Small callees, each of which ends badly for some arguments.
constexpr std::string_view kCalls = R"((module $calls
  (import "host" "look" (func $look (param i32) (result i32)))
  (import "host" "fail" (func $fail (param i32)))
  (memory 1)
  (tag $small (param i32))
  (tag $other)
  (table funcref (elem $divide))
  (type $unary (func (param i32) (result i32)))
  (func $divide (type $unary) (i32.div_u (i32.const 100) (local.get 0)))
  (func $load (param i32) (result i32) (i32.load (local.get 0)))
  (func $store (param i32) (i32.store (local.get 0) (i32.const 7)))
  (func $both (param i32) (result i32) (i32.add (call $divide (local.get 0)) (call $load (local.get 0))))
  (func $twice (param i32) (result i32)
    (i32.add (call $both (i32.add (local.get 0) (i32.const 2)))
             (call $both (local.get 0))))
  (func (export "deep") (param i32) (result i32)
    (i32.sub (call $twice (local.get 0)) (call $both (i32.sub (local.get 0) (i32.const 1)))))
  (func (export "loop") (param i32) (result i32) (local $sum i32)
    (loop $on
      (local.set $sum (i32.add (local.get $sum) (call $both (local.get 0))))
      (br_if $on (i32.gt_s (local.tee 0 (i32.sub (local.get 0) (i32.const 1))) (i32.const 0))))
    (local.get $sum))
  (func (export "far") (param i32) (result i32)
    (call $store (local.get 0))
    (call $store (i32.mul (local.get 0) (i32.const 16)))
    (call $load (i32.mul (local.get 0) (i32.const 256))))
  (func (export "indirect") (param i32) (result i32) (call_indirect (type $unary) (local.get 0) (i32.const 0)))

  ;; Results and arguments that nobody wants come from loads all the same.
  (func $two (param i32) (result i32 i32) (i32.load (local.get 0)) (i32.load offset=8 (local.get 0)))
  (func $ignore (param i32))
  (func $choose (param i32 i32) (result i32) (if (result i32) (local.get 1) (then (local.get 0)) (else (i32.const 1))))
  (func (export "dropped") (param i32) (result i32) (drop (call $load (local.get 0))) (i32.const 1))
  (func (export "first of two") (param i32) (result i32) (call $two (local.get 0)) (drop))
  (func (export "ignored") (param i32) (result i32) (call $ignore (i32.load (local.get 0))) (i32.const 1))
  (func (export "not chosen") (param i32) (result i32) (call $choose (i32.load (local.get 0)) (i32.const 0)))

  ;; Whoever made a tail call is not there any more.
  (func $last (param i32) (result i32) (return_call $both (local.get 0)))
  (func $last_of_all (param i32) (result i32) (return_call $last (i32.sub (local.get 0) (i32.const 1))))
  (func (export "tail") (param i32) (result i32) (i32.add (call $last_of_all (local.get 0)) (i32.const 1)))
  (func (export "tail from outside") (param i32) (result i32) (return_call $last_of_all (local.get 0)))
  (func $even (param i32) (result i32)
    (if (i32.eqz (local.get 0)) (then (return (i32.const 1))))
    (return_call $odd (i32.sub (local.get 0) (i32.const 1))))
  (func $odd (param i32) (result i32)
    (if (i32.eqz (local.get 0)) (then (return (i32.const 0))))
    (return_call $even (i32.sub (local.get 0) (i32.const 1))))
  (func (export "many tail calls") (param i32) (result i32)
    (i32.add (call $even (i32.mul (local.get 0) (i32.const 1000000))) (call $odd (i32.const 2000001))))

  ;; The stack ends, though nothing comes of it.
  (func $nothing (param i32) (if (local.get 0) (then (call $nothing_more (local.get 0)))))
  (func $nothing_more (param i32) (call $nothing (local.get 0)))
  (func (export "recursion") (param i32) (result i32) (call $nothing (local.get 0)) (i32.const 3))

  ;; Hosts look at who calls them.
  (func $ask (param i32) (result i32) (call $look (local.get 0)))
  (func (export "host") (param i32) (result i32) (i32.add (call $ask (local.get 0)) (call $ask (i32.const 1))))
  (func $ask_to_fail (param i32) (call $fail (local.get 0)))
  (func (export "host fails") (param i32) (result i32) (call $ask_to_fail (local.get 0)) (i32.const 1))
))";

// In which some functions catch: all others look whether a call threw.
constexpr std::string_view kExceptions = R"((module $exceptions
  (tag $small (param i32))
  (tag $other)
  (memory 1)
  (func $check (param i32) (result i32)
    (if (i32.lt_s (local.get 0) (i32.const 10)) (then (throw $small (local.get 0))))
    (if (i32.eq (local.get 0) (i32.const 99)) (then (throw $other)))
    (i32.load (local.get 0)))
  (func $check_more (param i32) (result i32) (i32.add (call $check (local.get 0)) (i32.const 1)))
  (func $try (export "try") (param i32) (result i32)
    (block $caught (result i32)
      (try_table (result i32) (catch $small $caught) (call $check_more (local.get 0)))
      (return))
    (i32.add (i32.const 1000)))
  (func (export "try twice") (param i32) (result i32)
    (block $caught
      (try_table (catch $other $caught)
        (return (i32.add (call $try (local.get 0)) (call $try (i32.add (local.get 0) (i32.const 5)))))))
    (i32.const -7))
  (func (export "catch all") (param i32) (result i32)
    (block $caught (try_table (catch_all $caught) (return (call $check_more (local.get 0)))))
    (i32.const -8))
  (func (export "uncaught") (param i32) (result i32) (i32.mul (call $check_more (local.get 0)) (i32.const 2)))
  (func $rethrow (param i32) (result i32)
    (block $caught (result exnref)
      (try_table (catch_all_ref $caught) (return (call $check (local.get 0))))
      (unreachable))
    (throw_ref))
  (func (export "again") (param i32) (result i32)
    (block $caught (result i32)
      (try_table (result i32) (catch $small $caught) (call $rethrow (local.get 0)))
      (return))
    (i32.add (i32.const 500)))
  (func $last (param i32) (result i32) (return_call $check (local.get 0)))
  (func (export "thrown by a tail call") (param i32) (result i32)
    (block $caught (result i32)
      (try_table (result i32) (catch $small $caught) (call $last (local.get 0)))
      (return))
    (i32.add (i32.const 50)))
))";

// What throws has no handler anywhere near.
constexpr std::string_view kThrown = R"((module $thrown
  (tag $small (param i32))
  (func $check (param i32) (if (i32.lt_s (local.get 0) (i32.const 10)) (then (throw $small (local.get 0)))))
  (func $check_more (param i32) (call $check (i32.sub (local.get 0) (i32.const 1))))
  (func (export "uncaught") (param i32) (result i32)
    (call $check (local.get 0)) (call $check_more (local.get 0)) (i32.const 4))
))";

// References live on in callers while callees make objects.
constexpr std::string_view kObjects = R"((module $objects
  (type $pair (struct (field i32) (field (ref null $pair))))
  (func $make (param i32) (param (ref null $pair)) (result (ref $pair))
    (struct.new $pair (local.get 0) (local.get 1)))
  (func $make_two (param i32) (param (ref null $pair)) (result (ref $pair))
    (call $make (local.get 0) (call $make (i32.add (local.get 0) (i32.const 1)) (local.get 1))))
  (func $sum (param (ref null $pair)) (result i32) (local $sum i32)
    (block $done
      (loop $on
        (br_if $done (ref.is_null (local.get 0)))
        (local.set $sum (i32.add (local.get $sum) (struct.get $pair 0 (ref.as_non_null (local.get 0)))))
        (local.set 0 (struct.get $pair 1 (ref.as_non_null (local.get 0))))
        (br $on)))
    (local.get $sum))
  (func $first (param (ref null $pair)) (result i32) (struct.get $pair 0 (local.get 0)))
  (func (export "list") (param $count i32) (result i32) (local $list (ref null $pair)) (local $first (ref null $pair))
    (local.set $first (call $make_two (i32.const 5) (ref.null $pair)))
    (loop $on
      (local.set $list (call $make_two (local.get $count) (local.get $list)))
      (br_if $on (i32.gt_s (local.tee $count (i32.sub (local.get $count) (i32.const 1))) (i32.const 0))))
    (i32.add (call $sum (local.get $list)) (call $sum (local.get $first))))
  (func (export "null") (param i32) (result i32)
    (call $first (if (result (ref null $pair)) (local.get 0)
      (then (call $make (local.get 0) (ref.null $pair))) (else (ref.null $pair)))))
))";

// Several loads of one address, and loads whose results go back to where they are from: each may become a part of the
// instruction that wants it.
constexpr std::string_view kOneAddress = R"((module $one_address
  (memory 1)
  (func $load (param i32) (result i32) (i32.load (local.get 0)))
  (func $quotient (param i32) (result i32) (i32.add (i32.div_u (i32.const 100) (local.get 0)) (i32.load (local.get 0))))
  (func $increment (param i32) (i32.store (local.get 0) (i32.add (call $load (local.get 0)) (i32.const 1))))
  (func (export "first of two") (param i32) (result i32) (i32.add (call $quotient (local.get 0)) (i32.load (local.get 0))))
  (func (export "read and written") (param i32) (result i32) (call $increment (local.get 0)) (i32.const 1))
  (func (export "read behind a write") (param i32) (result i32)
    (i32.store (i32.const 4) (i32.load (i32.const 8)))
    (call $increment (i32.sub (local.get 0) (i32.const 8)))
    (i32.add (call $load (i32.sub (local.get 0) (i32.const 8))) (call $quotient (local.get 0))))
  (func (export "changed twice") (param i32) (result i32)
    (i64.store (local.get 0) (i64.or (i64.load (local.get 0)) (i64.const 5)))
    (i64.store offset=4 (local.get 0) (i64.sub (i64.load offset=4 (local.get 0)) (i64.const 7)))
    (i32.const 2))
))";

void define_host(Linker& linker) {
  linker.define("host", "look", [](std::int32_t value) -> std::expected<std::int32_t, Trap> {
    if (value == 3) return std::unexpected(Trap{.code = TrapCode::host_error, .message = "refused"});
    return value;
  });
  linker.define("host", "fail", [](std::int32_t value) -> std::expected<void, Trap> {
    if (value == 0) return {};
    return std::unexpected(Trap{.code = TrapCode::host_error, .message = "failed"});
  });
}

// Everything that is to be seen of the calls. Of the end of the stack only that it is one.
std::string behaviour(const Engine& engine, const Module& module, std::span<const Case> cases) {
  std::ostringstream seen;
  Store store(engine);
  Linker linker(engine);
  define_host(linker);
  const Instance instance = must(linker.instantiate(store, module));
  for (const auto& [function, argument] : cases) {
    seen << function << ' ' << argument << ": ";
    const auto result = must(instance.function<std::int32_t(std::int32_t)>(function))(argument);
    if (result) {
      seen << *result;
    } else if (result.error().code == TrapCode::stack_overflow) {
      seen << "call stack exhausted";
    } else {
      seen << result.error().to_string();
      for (const StackFrame& frame : result.error().backtrace) {
        seen << ' ' << frame.function_index << '+' << frame.offset.value_or(0);
      }
    }
    seen << '\n';
  }
  return seen.str();
}

void check_everywhere(std::string_view text, std::span<const Case> cases) {
  const Engine interpreter = must(Engine::create({.tier = TierSelection::interpreter}));
  const std::string expected = behaviour(interpreter, must(Module::from_bytes(interpreter, bytes_of(text))), cases);
  for (const TierSelection tier : tiers()) {
    for (const BoundsChecks checks : {BoundsChecks::guard_pages, BoundsChecks::explicit_checks}) {
      for (const bool is_strict : {false, true}) {
        if (is_strict && tier != TierSelection::optimising) continue;
        INFO("tier " << static_cast<int>(tier) << ", checks " << static_cast<int>(checks) << ", strict " << is_strict);
        const EngineConfig config{.bounds_checks = checks, .tier = tier, .strict_memory = is_strict};
        const Engine engine = must(Engine::create(config));
        const Module module = must(Module::from_bytes(engine, bytes_of(text)));
        CHECK(behaviour(engine, module, cases) == expected);
        if (tier == TierSelection::interpreter || tier == TierSelection::automatic) continue;
        must(module.prepare());
        const std::vector<std::uint8_t> bytes = must(module.serialize());
        const Engine other = must(Engine::create({.bounds_checks = checks}));
        CHECK(behaviour(other, must(Module::deserialize(other, std::span(bytes))), cases) == expected);
      }
    }
  }
}

}  // namespace

TEST_CASE("Traps in callees have the same backtraces in every tier, and from a compiled module") {
  const Case cases[] = {{"deep", 5},
                        {"deep", 0},
                        {"deep", 1},
                        {"deep", -2},
                        {"deep", 65531},
                        {"loop", 3},
                        {"loop", 0},
                        {"loop", 65600},
                        {"far", 100},
                        {"far", 300},
                        {"far", 5000},
                        {"far", 65533},
                        {"indirect", 4},
                        {"indirect", 0},
                        {"dropped", 8},
                        {"dropped", 65533},
                        {"first of two", 65525},
                        {"first of two", 65524},
                        {"ignored", 65533},
                        {"not chosen", 65533},
                        {"tail", 3},
                        {"tail", 1},
                        {"tail from outside", 1},
                        {"tail from outside", -1},
                        {"many tail calls", 2},
                        {"recursion", 0},
                        {"recursion", 1},
                        {"host", 1},
                        {"host", 3},
                        {"host fails", 0},
                        {"host fails", 1}};
  check_everywhere(kCalls, cases);
}

TEST_CASE("Traps of accesses to one address are told by the access that comes first, in every tier") {
  const Case cases[] = {{"first of two", 65533},        {"first of two", 65532},        {"first of two", 0},
                        {"read and written", 65533},    {"read and written", 16},       {"read behind a write", 65540},
                        {"read behind a write", 65541}, {"read behind a write", 65544}, {"changed twice", 65524},
                        {"changed twice", 65525},       {"changed twice", 65528}};
  check_everywhere(kOneAddress, cases);
}

TEST_CASE("Exceptions of callees are caught, or not, in every tier") {
  const Case cases[] = {{"try", 12},
                        {"try", 4},
                        {"try", 65533},
                        {"try twice", 3},
                        {"try twice", 7},
                        {"try twice", 12},
                        {"try twice", 94},
                        {"try twice", 65530},
                        {"catch all", 9},
                        {"catch all", 99},
                        {"catch all", 65533},
                        {"uncaught", 9},
                        {"uncaught", 99},
                        {"uncaught", 10},
                        {"again", 3},
                        {"again", 12},
                        {"thrown by a tail call", 2},
                        {"thrown by a tail call", 12},
                        {"thrown by a tail call", 65533}};
  check_everywhere(kExceptions, cases);
}

TEST_CASE("Exceptions that nobody catches have the callees in their backtraces") {
  const Case cases[] = {{"uncaught", 9}, {"uncaught", 10}, {"uncaught", 11}};
  check_everywhere(kThrown, cases);
}

TEST_CASE("Objects of callers live on while callees make others") {
  const Case cases[] = {{"list", 3}, {"list", 200'000}, {"null", 4}, {"null", 0}};
  check_everywhere(kObjects, cases);
}
