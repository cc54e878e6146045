// The tier with a compiler of the test's: what is compiled, what is left to the interpreter, and how both call each
// other.
#include "jit/baseline/baseline_tier.h"

#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <functional>
#include <latch>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "base/result.h"
#include "binary/names.h"
#include "interp/interpreter.h"
#include "jit/common/any_entry.h"
#include "jit/common/assembler_x64.h"
#include "runtime/code_map.h"
#include "runtime/fake_tier.h"
#include "runtime/stack_walk.h"

namespace wasi::jit::baseline {
namespace {

using runtime::ExecState;
using runtime::FuncRef;
using runtime::FunctionCode;
using runtime::Instance;
using runtime::Preparation;
using runtime::Slot;
using runtime::VmContext;

// What the compiler makes of functions, by name; others are too large for it.
using Compilations = std::map<std::string, std::function<Result<MachineCode>(Preparation&)>, std::less<>>;
Compilations compilations;
std::atomic<int> compiled = 0;

Result<MachineCode> fake_compile(const wasm::Module& module, wasm::FuncIndex function, bool /*validated*/,
                                 const CompileOptions& /*options*/, Preparation& preparation) {
  ++compiled;
  const auto names = binary::decode_names(module);
  const auto found = compilations.find(names.function(function).value_or(""));
  if (found == compilations.end()) return fail(ErrorKind::limit, "the function is too large");
  return found->second(preparation);
}

// A function in a frame of 16 bytes: `emit` leaves the result in eax.
MachineCode in_frame(const std::function<void(Assembler&, MachineCode&)>& emit) {
  MachineCode machine;
  Assembler a;
  a.push(x64::rbp);
  a.mov(x64::rbp, x64::rsp);
  a.push(x64::rdi);
  a.sub(x64::rsp, 8);
  emit(a, machine);
  a.leave();
  a.ret();
  machine.bytes = a.take().value();
  machine.frame_bytes = 16;
  return machine;
}

MachineCode gives_now(std::int32_t value) {
  return in_frame([&](Assembler& a, MachineCode&) { a.mov(x64::eax, value); });
}
auto gives(std::int32_t value) {
  return [value](Preparation&) -> Result<MachineCode> { return gives_now(value); };
}

// With r10 the callee's record and rdi its instance, as the baseline compiler calls; the result is one more.
void call_through_record(Assembler& a, MachineCode& machine) {
  const asmjit::Label bound = a.newLabel();
  a.mov(x64::r11, x64::qword_ptr(x64::rbp, -8));
  a.mov(x64::r11, x64::qword_ptr(x64::r11, offsetof(VmContext, exec)));
  a.mov(x64::qword_ptr(x64::r11, offsetof(ExecState, native_sp)), x64::rsp);
  a.mov(x64::rax, x64::qword_ptr(x64::r10, offsetof(FunctionCode, native_entry)));
  a.test(x64::rax, x64::rax);
  a.jnz(bound);
  a.mov(x64::rax, x64::qword_ptr(x64::r11, offsetof(ExecState, bind_native_entry)));
  a.bind(bound);
  machine.marks.push_back({static_cast<std::uint32_t>(a.offset()), 77});
  a.call(x64::rax);
  a.inc(x64::eax);
}

auto calls_defined(std::uint32_t index) {
  return [index](Preparation&) -> Result<MachineCode> {
    return in_frame([&](Assembler& a, MachineCode& machine) {
      a.mov(x64::r10, x64::qword_ptr(x64::rdi, offsetof(VmContext, functions)));
      a.add(x64::r10, static_cast<std::int32_t>(index * sizeof(FunctionCode)));
      call_through_record(a, machine);
    });
  };
}

auto calls_import(std::uint32_t index) {
  return [index](Preparation&) -> Result<MachineCode> {
    return in_frame([&](Assembler& a, MachineCode& machine) {
      a.mov(x64::rax, x64::qword_ptr(x64::rdi, offsetof(VmContext, imported_functions)));
      a.mov(x64::rax, x64::qword_ptr(x64::rax, static_cast<std::int32_t>(index * sizeof(FuncRef*))));
      a.mov(x64::r10, x64::qword_ptr(x64::rax, offsetof(FuncRef, code)));
      a.mov(x64::rdi, x64::qword_ptr(x64::rax, offsetof(FuncRef, instance)));
      call_through_record(a, machine);
    });
  };
}

// Functions "one", "two", "three", all () -> i32, which give 1, 2, 3 in the interpreter.
constexpr const char* kThree = R"((module
  (func $one (export "one") (result i32) (i32.const 1))
  (func $two (export "two") (result i32) (i32.const 2))
  (func $three (export "three") (result i32) (call $one) (call $two) (i32.add))))";

struct TierWorld {
  explicit TierWorld(Compilations functions, CodeSpaceOptions space_options = {}, BaselineOptions options = {})
      : space(std::move(space_options)) {
    compilations = std::move(functions);
    compiled = 0;
    auto made = std::make_unique<BaselineTier>(space, interp::make_interpreter(), fake_compile, options);
    tier = made.get();
    world.emplace(runtime::StoreOptions{}, std::move(made));
  }

  std::expected<std::uint32_t, Trap> call(Instance& instance, std::string_view function) {
    std::vector<Slot> slots(1);
    auto done = world->call(instance, function, slots);
    if (!done) return std::unexpected(std::move(done).error());
    return slots[0].u32;
  }
  static FunctionCode& record(Instance& instance, std::uint32_t index) {
    return instance.code->code(wasm::FuncIndex(index));
  }

  CodeSpace space;
  BaselineTier* tier = nullptr;
  std::optional<runtime::test::World> world;
};

TEST_CASE("functions are compiled at their first call, and what cannot be is interpreted") {
  TierWorld world({{"one", gives(10)}});
  Instance& instance = world.world->instantiate(kThree);
  CHECK(compiled == 0);
  CHECK(world.space.statistics().reserved == 0);
  CHECK(world.call(instance, "one") == 10);
  CHECK(world.call(instance, "two") == 2);
  CHECK(compiled == 2);
  // From the interpreter into machine code.
  CHECK(world.call(instance, "three") == 12);
  CHECK(compiled == 3);
  CHECK(world.call(instance, "three") == 12);
  CHECK(compiled == 3);
  CHECK(TierWorld::record(instance, 0).native_code != nullptr);
  CHECK(TierWorld::record(instance, 1).native_code == nullptr);
  const std::vector<runtime::TierStatistics> statistics = world.tier->statistics();
  REQUIRE(statistics.size() == 2);
  CHECK(statistics[0].functions == 2);
  CHECK(statistics[1].functions == 1);
  CHECK(statistics[1].uncompiled == 2);
  CHECK(statistics[1].bytecode_bytes > 0);
  CHECK(statistics[1].code_bytes > 0);
}

TEST_CASE("machine code calls what has code, what is interpreted, and the host") {
  const bool has_room = GENERATE(true, false);
  CAPTURE(has_room);
  TierWorld world(
      {{"one", gives(10)}, {"two", calls_defined(0)}, {"three", calls_import(0)}, {"four", calls_import(1)}});
  Instance& exporter = world.world->instantiate(R"((module
    (func (export "f") (result i32) (i32.const 50))))");
  runtime::HostFunction* const host =
      world.world->host_function({}, {wasm::kI32}, [](void*, runtime::HostCall& call) -> std::optional<Trap> {
        call.slots[0].u64 = call.caller != nullptr ? 60 : 0;
        return std::nullopt;
      });
  Instance& instance = world.world->instantiate(R"((module
    (import "a" "f" (func $f (result i32)))
    (import "a" "g" (func $g (result i32)))
    (func $one (export "one") (result i32) (unreachable))
    (func $two (export "two") (result i32) (unreachable))
    (func $three (export "three") (result i32) (unreachable))
    (func $four (export "four") (result i32) (unreachable))))",
                                                {*exporter.find_export("f"), runtime::External(&host->ref)});
  if (!has_room) {
    TierWorld::record(exporter, 0).native_entry = any_native_entry();
    host->code.native_entry = any_native_entry();
  }
  for (int i = 0; i < 2; ++i) {
    CHECK(world.call(instance, "two") == 11);
    CHECK(world.call(instance, "three") == 51);
    CHECK(world.call(instance, "four") == 61);
  }
  CHECK(TierWorld::record(instance, 2).native_entry.load() != nullptr);
  CHECK((TierWorld::record(exporter, 0).native_entry.load() == any_native_entry()) == !has_room);
  CHECK((host->code.native_entry.load() == any_native_entry()) == !has_room);
}

TEST_CASE("what an interpreted or host callee does ends calls of machine code as well") {
  const bool has_room = GENERATE(true, false);
  CAPTURE(has_room);
  TierWorld world({{"two", calls_defined(0)}});
  Instance& instance = world.world->instantiate(R"((module
    (tag $e)
    (func $one (export "one") (result i32) (throw $e))
    (func $two (export "two") (result i32) (unreachable))
    (func (export "catch") (result i32)
      (try (do (drop (call $two))) (catch_all (return (i32.const 33))))
      (i32.const 0))))");
  if (!has_room) TierWorld::record(instance, 0).native_entry = any_native_entry();
  const auto uncaught = world.call(instance, "two");
  REQUIRE_FALSE(uncaught);
  CHECK(uncaught.error().code == TrapCode::uncaught_exception);
  CHECK(world.call(instance, "catch") == 33);
  CHECK(world.world->store->exec().native_span == nullptr);

  Instance& trapping = world.world->instantiate(R"((module
    (func $one (export "one") (result i32) (unreachable))
    (func $two (export "two") (result i32) (unreachable))))");
  if (!has_room) TierWorld::record(trapping, 0).native_entry = any_native_entry();
  const auto trapped = world.call(trapping, "two");
  REQUIRE_FALSE(trapped);
  CHECK(trapped.error().code == TrapCode::unreachable);
  // The frame of machine code is told with the place that its code says.
  REQUIRE(trapped.error().backtrace.size() == 2);
  CHECK(trapped.error().backtrace[0].function == "one");
  CHECK(trapped.error().backtrace[1].function == "two");
  CHECK(trapped.error().backtrace[1].offset == 77);
}

TEST_CASE("a body that is wrong is told as ever, an interruption too, and both can be asked again") {
  int polls = 0;
  TierWorld world({{"one", [](Preparation&) -> Result<MachineCode> { return fail_at(7, ErrorKind::invalid, "no"); }},
                   {"two", [&polls](Preparation& preparation) -> Result<MachineCode> {
                      ++polls;
                      WASI_TRY(preparation.poll());
                      return gives_now(20);
                    }}});
  Instance& instance = world.world->instantiate(kThree);
  for (int i = 0; i < 2; ++i) {
    const auto wrong = world.call(instance, "one");
    REQUIRE_FALSE(wrong);
    CHECK(wrong.error().code == TrapCode::invalid_function);
  }
  world.world->store->interrupt();
  const auto stopped = world.call(instance, "two");
  REQUIRE_FALSE(stopped);
  CHECK(stopped.error().code == TrapCode::interrupted);
  CHECK(world.call(instance, "two") == 20);
  CHECK(polls == 2);
}

TEST_CASE("memory that a compilation has taken is there for the interpreter") {
  TierWorld world({{"one", [](Preparation& preparation) -> Result<MachineCode> {
                      WASI_TRY(preparation.take(runtime::kUncountedCodeBytes + 1000));
                      WASI_TRY(preparation.take(1000));
                      return gives_now(10);
                    }}});
  world.world->store =
      std::make_unique<runtime::Store>(world.world->registry, runtime::StoreOptions{.limits = {.memory_bytes = 1500}});
  Instance& instance = world.world->instantiate(kThree);
  CHECK(world.call(instance, "one") == 1);
  CHECK(world.call(instance, "three") == 3);
}

TEST_CASE("without room for code the interpreter runs all, which is told once") {
  std::vector<std::string> warnings;
  const std::size_t limit = GENERATE(std::size_t{0}, std::size_t{600});
  TierWorld world({{"one",
                    [](Preparation&) -> Result<MachineCode> {
                      MachineCode large = gives_now(10);
                      large.bytes.resize(1000, 0xCC);
                      return large;
                    }}},
                  {.limit = limit, .warn = [&](const std::string& message) { warnings.push_back(message); }});
  Instance& instance = world.world->instantiate(kThree);
  CHECK(world.call(instance, "three") == 3);
  CHECK(world.call(instance, "one") == 1);
  CHECK(warnings.size() == 1);
  // With no room at all, nothing is compiled for nothing.
  CHECK((compiled == 0) == (limit == 0));
}

TEST_CASE("two threads that compile one function both get to what one of them made") {
  std::latch both(2);
  TierWorld world({{"one", [&both](Preparation&) {
                      both.arrive_and_wait();
                      return gives_now(10);
                    }}});
  Instance& instance = world.world->instantiate(kThree);
  runtime::ModuleCode& module = *instance.code;
  FunctionCode& one = TierWorld::record(instance, 0);
  std::vector<Result<runtime::SlotEntry>> entries(2, nullptr);
  {
    std::vector<std::jthread> threads;
    for (auto& entry : entries) {
      threads.emplace_back([&] {
        Preparation preparation;
        entry = module.prepare(one, preparation);
      });
    }
  }
  REQUIRE(entries[0].has_value());
  REQUIRE(entries[1].has_value());
  CHECK(*entries[0] == *entries[1]);
  CHECK(one.entry.load() == *entries[0]);
  CHECK(compiled == 2);
  CHECK(world.tier->statistics().at(1).functions == 1);
  CHECK(world.call(instance, "one") == 10);
}

TEST_CASE("functions that begin in the interpreter are compiled when somebody says so") {
  TierWorld world({{"one", gives(10)}, {"three", calls_defined(0)}}, {}, {.compiles_at_first_call = false});
  Instance& instance = world.world->instantiate(kThree);
  CHECK(world.call(instance, "three") == 3);
  CHECK(compiled == 0);
  const auto compile = [&](std::uint32_t index) {
    Preparation preparation;
    return world.tier->compile_function(*instance.code, TierWorld::record(instance, index), preparation);
  };
  // First with an adapter to the interpreter, then with code behind it.
  REQUIRE(compile(2));
  CHECK(world.call(instance, "three") == 2);
  CHECK(world.call(instance, "one") == 1);
  REQUIRE(compile(0));
  CHECK(world.call(instance, "three") == 11);
  CHECK(world.call(instance, "one") == 10);
  REQUIRE(compile(0));
  CHECK(compiled == 2);
  CHECK(compile(1).error().kind == ErrorKind::limit);
  CHECK(world.call(instance, "two") == 2);
}

TEST_CASE("code leaves the map and the arena with its module") {
  TierWorld world({{"one", gives(10)}});
  std::uintptr_t pc = 0;
  {
    Instance& instance = world.world->instantiate(kThree);
    CHECK(world.call(instance, "one") == 10);
    const FunctionCode& one = TierWorld::record(instance, 0);
    pc = reinterpret_cast<std::uintptr_t>(one.native_entry.load());
    const auto found = runtime::code_map().find(pc);
    REQUIRE(found.has_value());
    CHECK(found->owner == one.native_code.load());
    CHECK(found->function == 0);
  }
  world.world->store.reset();
  CHECK_FALSE(runtime::code_map().find(pc).has_value());
  // The adapter of the shape is kept.
  CHECK(world.space.statistics().pieces == 1);
}

TEST_CASE("parts with a frame of their own are told apart, and marks hold across their borders") {
  TierWorld world({{"one", [](Preparation&) -> Result<MachineCode> {
                      MachineCode machine = gives_now(10);
                      machine.bytes.resize(100, 0xCC);
                      machine.marks = {{10, 1000}, {40, 2000}, {70, 3000}};
                      machine.traps = {{45, 3}, {60, 4}};
                      machine.saved = {2, 0, 3, 0, 0};
                      machine.catches = true;
                      machine.other_frames = {{40, 50, 24}, {50, 60, 32}, {90, 100, 40}};
                      return machine;
                    }}});
  Instance& instance = world.world->instantiate(kThree);
  CHECK(world.call(instance, "one") == 10);
  const FunctionCode& one = TierWorld::record(instance, 0);
  const auto begin = reinterpret_cast<std::uintptr_t>(one.native_entry.load());
  const std::map<std::uint32_t, std::uint32_t> frames = {{0, 16},  {39, 16}, {40, 24}, {49, 24}, {50, 32},
                                                         {59, 32}, {60, 16}, {89, 16}, {90, 40}, {99, 40}};
  for (const auto& [at, bytes] : frames) {
    CAPTURE(at);
    const auto found = runtime::code_map().find(begin + at);
    REQUIRE(found.has_value());
    const auto& code = *static_cast<const runtime::NativeCode*>(found->owner);
    CHECK(code.function == &one);
    CHECK(code.frame_bytes == bytes);
    CHECK(code.saved == SavedRegisters{2, 0, 3, 0, 0});
    CHECK(code.catches);
    const std::optional<std::uint64_t> mark = at < 10 ? std::nullopt
                                                      : std::optional<std::uint64_t>(at < 40   ? 1000
                                                                                     : at < 70 ? 2000
                                                                                               : 3000);
    CHECK(found->mark == mark);
  }
  CHECK(runtime::code_map().find(begin + 45)->trap == static_cast<TrapCode>(3));
  CHECK(runtime::code_map().find(begin + 60)->trap == static_cast<TrapCode>(4));
  CHECK_FALSE(runtime::code_map().find(begin + 44)->trap);
}

TEST_CASE("a call of the interpreter's goes on in a loop of machine code") {
  // The stub gives the sum of the frame's first two slots, and 100 or 200 by the head.
  TierWorld world({{"loop", [](Preparation&) -> Result<MachineCode> {
                      MachineCode machine;
                      Assembler a;
                      a.mov(x64::eax, 1);
                      a.ret();
                      machine.loop_stub = static_cast<std::uint32_t>(a.offset());
                      a.push(x64::rbp);
                      a.mov(x64::rbp, x64::rsp);
                      a.mov(x64::eax, x64::dword_ptr(x64::rsi));
                      a.add(x64::eax, x64::dword_ptr(x64::rsi, 8));
                      a.jmp(x64::rdx);
                      for (std::uint32_t i = 1; i <= 2; ++i) {
                        machine.loop_heads.push_back({i * 1000, static_cast<std::uint32_t>(a.offset())});
                        a.add(x64::eax, 100 * i);
                        a.pop(x64::rbp);
                        a.ret();
                      }
                      machine.bytes = a.take().value();
                      machine.frame_slots = 5;
                      return machine;
                    }}});
  Instance& instance = world.world->instantiate(R"((module
    (func $loop (export "loop") (param i32 i32) (result i32) (i32.const 1))))");
  FunctionCode& record = TierWorld::record(instance, 0);
  CHECK_FALSE(world.tier->loop_target(record, 1000));
  std::vector<Slot> slots(2);
  REQUIRE(world.world->call(instance, "loop", slots));
  CHECK(slots[0].u32 == 1);
  CHECK_FALSE(world.tier->loop_target(record, 999));
  CHECK_FALSE(world.tier->loop_target(record, 1500));
  CHECK_FALSE(world.tier->loop_target(record, 2001));

  static std::optional<runtime::LoopTarget> target;
  const auto enter = [](VmContext* vm, Slot* first, FunctionCode* self) { target->adapter(vm, first, self, &*target); };
  for (std::uint32_t i = 1; i <= 2; ++i) {
    target = world.tier->loop_target(record, i * 1000);
    REQUIRE(target.has_value());
    CHECK(target->frame_slots == 5);
    FunctionCode entering;
    entering.entry = +enter;
    FuncRef function{.code = &entering, .instance = &instance.vm, .type = {}};
    std::vector<Slot> frame(5);
    frame[0].u64 = 30;
    frame[1].u64 = 4;
    REQUIRE(world.world->store->call(function, frame));
    CHECK(frame[0].u32 == 34 + 100 * i);
  }
}

}  // namespace
}  // namespace wasi::jit::baseline
