// Exceptions pass frames of machine code: they end where they are caught, with the registers of that frame, or leave
// the span as they would leave any function.
#include "runtime/native_unwind.h"

#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <vector>

#include "executable.h"
#include "interp/interpreter.h"
#include "jit/common/adapters.h"
#include "jit/common/assembler_x64.h"
#include "runtime/code_map.h"
#include "runtime/exception.h"
#include "runtime/fake_tier.h"
#include "runtime/stack_walk.h"

namespace wasi::jit {
namespace {

using runtime::ExecState;
using runtime::External;
using runtime::FuncRef;
using runtime::FunctionCode;
using runtime::HostFunction;
using runtime::Instance;
using runtime::NativeCode;
using runtime::RuntimeCallId;
using runtime::Slot;
using runtime::VmContext;
using runtime::test::FakeFrame;
using test::Executable;

const x64::Gp kPreserved[] = {x64::rbx, x64::r12, x64::r13, x64::r14, x64::r15};

// What stood in registers at some place: the preserved ones, rsp, rbp.
struct Registers {
  std::uint64_t preserved[5] = {};
  std::uint64_t rsp = 0;
  std::uint64_t rbp = 0;
};

// Clobbers rax.
void store_registers(Assembler& a, Registers& to) {
  a.mov(x64::rax, reinterpret_cast<std::uint64_t>(&to));
  for (std::size_t i = 0; i < 5; ++i) a.mov(x64::qword_ptr(x64::rax, static_cast<std::int32_t>(i) * 8), kPreserved[i]);
  a.mov(x64::qword_ptr(x64::rax, offsetof(Registers, rsp)), x64::rsp);
  a.mov(x64::qword_ptr(x64::rax, offsetof(Registers, rbp)), x64::rbp);
}

// Takes nothing and gives an i64, as all functions here.
const NativeSignature& signature() {
  static const NativeSignature signature = native_signature({{}, {wasm::kI64}});
  return signature;
}

// What a function does that is no compiler's, in a frame as a compiler's.
struct Behaviour {
  std::uint8_t saved = 0;          // and used: bits in the order of SavedRegisters
  std::int32_t locals = 0;         // bytes
  FunctionCode* callee = nullptr;  // null: throws tag 0 with (number, number)
  bool looks = false;              // whether the callee threw
  bool matches = false;            // catches it and gives 42; else throws it on
  std::uint64_t number = 0;        // tells functions' registers apart
};

class Function {
 public:
  Function(FunctionCode& record, const Behaviour& behaviour)
      : behaviour_(behaviour), slot_entry_(make_slot_entry(signature()).value()), code_(compile()) {
    record.entry = slot_entry_.as<runtime::SlotEntry>();
    record.native_entry = code_.address();
    native_ = {.function = &record, .frame_bytes = frame_bytes(), .saved = saved(), .catches = behaviour.looks};
    const auto begin = reinterpret_cast<std::uintptr_t>(code_.address());
    entry_ = runtime::code_map().add({.begin = begin, .end = begin + size_, .owner = &native_}).value();
  }

  // The registers when a callee had thrown are those of before the call.
  [[nodiscard]] bool kept_registers() const {
    for (std::size_t i = 0; i < 5; ++i) {
      if (uses(i) && behind_.preserved[i] != behaviour_.number + i) return false;
    }
    return behind_.rsp == before_.rsp && behind_.rbp == before_.rbp;
  }
  [[nodiscard]] bool was_landed_in() const { return behind_.rsp != 0; }
  [[nodiscard]] runtime::SlotEntry slot_entry() const { return slot_entry_.as<runtime::SlotEntry>(); }

 private:
  [[nodiscard]] bool uses(std::size_t i) const { return (behaviour_.saved >> i & 1) != 0; }
  [[nodiscard]] runtime::SavedRegisters saved() const {
    runtime::SavedRegisters places = {};
    std::uint8_t place = 1;  // below the VmContext
    for (std::size_t i = 0; i < places.size(); ++i) {
      if (uses(i)) places[i] = ++place;
    }
    return places;
  }
  [[nodiscard]] std::uint32_t frame_bytes() const {
    const auto pushed = 8 * (1 + static_cast<std::uint32_t>(__builtin_popcount(behaviour_.saved)));
    return (pushed + static_cast<std::uint32_t>(behaviour_.locals) + 16 + 15) / 16 * 16;
  }

  static x64::Mem field(const x64::Gp& exec, std::size_t offset) {
    return x64::qword_ptr(exec, static_cast<std::int32_t>(offset));
  }
  static void load_exec(Assembler& a) {
    a.mov(x64::r11, x64::qword_ptr(x64::rbp, -8));
    a.mov(x64::r11, x64::qword_ptr(x64::r11, offsetof(VmContext, exec)));
  }
  // With r11 as ExecState.
  static x64::Mem runtime_call(Assembler& a, RuntimeCallId id) {
    a.mov(x64::rax, field(x64::r11, offsetof(ExecState, calls)));
    return x64::qword_ptr(x64::rax, static_cast<std::int32_t>(id) * 8);
  }

  std::vector<std::uint8_t> compile() {
    Assembler a;
    const auto frame = static_cast<std::int32_t>(frame_bytes());
    a.push(x64::rbp);
    a.mov(x64::rbp, x64::rsp);
    a.push(x64::rdi);
    for (std::size_t i = 0; i < 5; ++i) {
      if (uses(i)) a.push(kPreserved[i]);
    }
    a.lea(x64::rsp, x64::qword_ptr(x64::rbp, -frame));
    for (std::size_t i = 0; i < 5; ++i) {
      if (uses(i)) a.mov(kPreserved[i], behaviour_.number + i);
    }
    store_registers(a, before_);
    load_exec(a);
    a.mov(field(x64::r11, offsetof(ExecState, native_sp)), x64::rsp);
    if (behaviour_.callee != nullptr) {
      a.mov(x64::r10, reinterpret_cast<std::uint64_t>(behaviour_.callee));
      a.call(x64::qword_ptr(x64::r10, offsetof(FunctionCode, native_entry)));
    } else {
      for (const std::int32_t at : {0, 8})
        a.mov(x64::qword_ptr(x64::rsp, at), static_cast<std::int32_t>(behaviour_.number));
      a.mov(x64::rsi, x64::rsp);
      a.xor_(x64::edx, x64::edx);
      a.call(runtime_call(a, RuntimeCallId::throw_));
      load_exec(a);
      a.jmp(runtime_call(a, RuntimeCallId::unwind));
    }
    if (behaviour_.looks) look(a);
    a.add(x64::rax, 1);
    leave(a);
    auto code = a.take().value();
    size_ = code.size();
    return code;
  }

  // Behind the call.
  void look(Assembler& a) {
    const asmjit::Label returned = a.newLabel();
    load_exec(a);
    a.cmp(field(x64::r11, offsetof(ExecState, thrown)), 0);
    a.je(returned);
    store_registers(a, behind_);
    if (behaviour_.matches) {
      a.mov(field(x64::r11, offsetof(ExecState, thrown)), 0);
      a.mov(x64::eax, 42);
      leave(a);
    } else {
      a.mov(field(x64::r11, offsetof(ExecState, native_sp)), x64::rsp);
      a.jmp(runtime_call(a, RuntimeCallId::unwind));
    }
    a.bind(returned);
  }

  void leave(Assembler& a) {
    std::int32_t at = -8;
    for (std::size_t i = 0; i < 5; ++i) {
      if (uses(i)) a.mov(kPreserved[i], x64::qword_ptr(x64::rbp, at -= 8));
    }
    a.mov(x64::rsp, x64::rbp);
    a.pop(x64::rbp);
    a.ret();
  }

  Behaviour behaviour_;
  Registers before_;
  Registers behind_;
  std::size_t size_ = 0;
  Executable slot_entry_;
  Executable code_;
  NativeCode native_;
  runtime::CodeMap::Entry entry_;
};

// A slot entry that calls another one with values of its own in the preserved registers, and looks whether they stay.
class Guard {
 public:
  explicit Guard(runtime::SlotEntry callee) : code_(compile(callee)) {}
  [[nodiscard]] runtime::SlotEntry entry() const { return code_.as<runtime::SlotEntry>(); }
  [[nodiscard]] bool kept_registers() const {
    for (std::size_t i = 0; i < 5; ++i) {
      if (behind_.preserved[i] != kNumber + i) return false;
    }
    return behind_.rsp == before_.rsp && behind_.rbp == before_.rbp;
  }

 private:
  static constexpr std::uint64_t kNumber = 0x6AA2'D000'0000'0000;
  std::vector<std::uint8_t> compile(runtime::SlotEntry callee) {
    Assembler a;
    a.push(x64::rbp);
    a.mov(x64::rbp, x64::rsp);
    for (const x64::Gp& reg : kPreserved) a.push(reg);
    a.sub(x64::rsp, 8);
    for (std::size_t i = 0; i < 5; ++i) a.mov(kPreserved[i], kNumber + i);
    store_registers(a, before_);
    a.mov(x64::rax, reinterpret_cast<std::uint64_t>(callee));
    a.call(x64::rax);
    store_registers(a, behind_);
    a.add(x64::rsp, 8);
    for (std::size_t i = 5; i > 0; --i) a.pop(kPreserved[i - 1]);
    a.pop(x64::rbp);
    a.ret();
    return a.take().value();
  }

  Registers before_;
  Registers behind_;
  Executable code_;
};

constexpr std::string_view kModule = R"((module $app
  (tag $e (export "boom") (param i32 i64))
  (func $f0 (export "run") (result i64) i64.const 0)
  (func $f1 (result i64) i64.const 0)
  (func $f2 (result i64) i64.const 0)
  (func $f3 (result i64) i64.const 0)
  (func $f4 (result i64) i64.const 0)))";

// An instance whose functions are machine code of the test's.
struct World : runtime::test::World {
  World() : instance(instantiate(kModule)) {}
  FunctionCode& record(std::uint32_t index) { return instance.code->code(wasm::FuncIndex(index)); }
  // Gives what `run` does.
  std::expected<std::uint64_t, Trap> run() {
    Slot slots[1] = {};
    const auto called = call(instance, "run", slots);
    CHECK(store->exec().native_span == nullptr);
    CHECK(store->exec().top == nullptr);
    CHECK(store->exec().thrown == nullptr);
    if (!called) return std::unexpected(called.error());
    return slots[0].u64;
  }

  Instance& instance;
};

TEST_CASE("an exception passes frames of all shapes, to the one that catches, with its registers") {
  World world;
  // From the outermost to the one that throws; each uses other registers than the next.
  const std::uint8_t outer = GENERATE(0b11111, 0b00000, 0b00110, 0b10001);
  const std::uint8_t between = GENERATE(0b11111, 0b00000, 0b01010);
  const Function f0(world.record(0), {.saved = outer, .callee = &world.record(1), .number = 1000});
  const Function f1(
      world.record(1),
      {.saved = 0b11111, .locals = 40, .callee = &world.record(2), .looks = true, .matches = true, .number = 2000});
  const Function f2(world.record(2), {.saved = between, .locals = 4000, .callee = &world.record(3), .number = 3000});
  const Function f3(world.record(3), {.saved = 0b10101, .callee = &world.record(4), .number = 4000});
  const Function f4(world.record(4), {.saved = 0b11111, .locals = 8, .number = 5000});
  for (int i = 0; i < 3; ++i) {
    // The catcher's 42, and one for the function around it.
    CHECK(world.run() == 43);
    CHECK(f1.kept_registers());
    CHECK_FALSE(f0.was_landed_in());
  }
}

TEST_CASE("a frame that catches something else sends an exception on") {
  World world;
  const Function f0(world.record(0),
                    {.saved = 0b00111, .callee = &world.record(1), .looks = true, .matches = true, .number = 1000});
  const Function f1(world.record(1), {.saved = 0b11000, .callee = &world.record(2), .looks = true, .number = 2000});
  const Function f2(world.record(2), {.saved = 0b11111, .callee = &world.record(3), .looks = true, .number = 3000});
  const Function f3(world.record(3), {.saved = 0b11111, .number = 4000});
  CHECK(world.run() == 42);
  CHECK(f2.kept_registers());
  CHECK(f1.kept_registers());
  CHECK(f0.kept_registers());
}

TEST_CASE("an exception that no frame catches leaves the span and reaches the host, with all frames in its backtrace") {
  World world;
  const Function f0(world.record(0), {.saved = 0b11111, .callee = &world.record(1), .number = 1000});
  const Function f1(world.record(1), {.saved = 0b01111, .callee = &world.record(2), .number = 2000});
  const Function f2(world.record(2), {.saved = 0b11110, .number = 7});
  const Guard guard(f0.slot_entry());
  world.record(0).entry = guard.entry();
  for (int i = 0; i < 3; ++i) {
    const auto result = world.run();
    REQUIRE_FALSE(result);
    CHECK(result.error().code == TrapCode::uncaught_exception);
    CHECK(result.error().message == "unhandled exception: tag \"boom\" (7, 7)");
    REQUIRE(result.error().backtrace.size() == 3);
    CHECK(result.error().backtrace[0].function == "f2");
    CHECK(result.error().backtrace[2].function == "f0");
    CHECK(guard.kept_registers());
  }
}

TEST_CASE("a function of an exception that throws by itself in the first frame of a span leaves it") {
  World world;
  const Function f0(world.record(0), {.saved = 0b11111, .number = 9});
  const Guard guard(f0.slot_entry());
  world.record(0).entry = guard.entry();
  CHECK(world.run().error().message == "unhandled exception: tag \"boom\" (9, 9)");
  CHECK(guard.kept_registers());
}

// In slots, as the interpreter would be: calls another function through its slot entry.
struct Passer {
  static inline FunctionCode* callee = nullptr;
  static inline bool saw_thrown = false;
  static void entry(VmContext* vm, Slot* slots, FunctionCode* self) {
    const FakeFrame frame(vm, slots, self);
    callee->entry.load()(vm, slots + 1, callee);
    saw_thrown = vm->exec->thrown != nullptr;
    if (!saw_thrown) slots[0].u64 = slots[1].u64 + 100;
  }
};

TEST_CASE("an exception passes from one span through slots to another, and is caught there or not") {
  World world;
  const bool matches = GENERATE(true, false);
  const Executable to_slots(make_native_entry(signature()).value());
  world.record(2).entry = Passer::entry;
  world.record(2).native_entry = to_slots.address();
  Passer::callee = &world.record(3);
  const Function f0(world.record(0),
                    {.saved = 0b11111, .callee = &world.record(1), .looks = true, .matches = matches, .number = 1000});
  const Function f1(world.record(1), {.saved = 0b01100, .callee = &world.record(2), .number = 2000});
  const Function f3(world.record(3), {.saved = 0b11111, .callee = &world.record(4), .number = 3000});
  const Function f4(world.record(4), {.saved = 0b00001, .number = 8});
  const auto result = world.run();
  CHECK(Passer::saw_thrown);
  CHECK(f0.kept_registers());
  if (matches) {
    CHECK(result == 42);
  } else {
    REQUIRE_FALSE(result);
    CHECK(result.error().message == "unhandled exception: tag \"boom\" (8, 8)");
    // Its place is where it left the inner span.
    REQUIRE_FALSE(result.error().backtrace.empty());
    CHECK(result.error().backtrace.front().function == "f4");
  }
}

TEST_CASE("a callee with slots that is jumped to from the first frame of a span may throw") {
  World world;
  const Executable to_slots(make_native_entry(signature()).value());
  world.record(1).entry = Passer::entry;
  Passer::callee = &world.record(2);
  const Function f2(world.record(2), {.saved = 0b11111, .number = 6});
  Assembler a;
  a.mov(x64::r10, reinterpret_cast<std::uint64_t>(&world.record(1)));
  a.jmp(x64::qword_ptr(x64::r10, offsetof(FunctionCode, native_entry)));
  world.record(1).native_entry = to_slots.address();
  const Executable jump(a.take().value());
  const Executable to_native(make_slot_entry(signature()).value());
  const Guard guard(to_native.as<runtime::SlotEntry>());
  world.record(0).entry = guard.entry();
  world.record(0).native_entry = jump.address();
  CHECK(world.run().error().message == "unhandled exception: tag \"boom\" (6, 6)");
  CHECK(guard.kept_registers());
}

TEST_CASE("a host function that machine code calls throws into it, and traps through it") {
  World world;
  struct Host {
    runtime::Exception* exception = nullptr;
    bool is_trap = false;
    Instance* caller = nullptr;
  } host;
  HostFunction* function = world.host_function(
      {}, {wasm::kI64},
      [](void* data, runtime::HostCall& call) -> std::optional<Trap> {
        auto& self = *static_cast<Host*>(data);
        self.caller = call.caller;
        if (self.is_trap) return Trap{.code = TrapCode::integer_overflow};
        if (self.exception != nullptr) {
          return Trap{.code = TrapCode::uncaught_exception,
                      .message = "from the host",
                      .exception = std::make_shared<runtime::ThrownException>(call.store, *self.exception)};
        }
        call.slots[0].u64 = 7;
        return std::nullopt;
      },
      std::shared_ptr<void>(&host, [](void*) {}));
  const Executable to_host(make_host_entry(signature()).value());
  function->code.native_entry = to_host.address();
  const bool matches = GENERATE(true, false);
  const Function f0(world.record(0),
                    {.saved = 0b00011, .callee = &world.record(1), .looks = true, .matches = matches, .number = 1000});
  const Function f1(world.record(1), {.saved = 0b11111, .callee = &function->code, .number = 2000});
  CHECK(world.run() == 9);
  CHECK(host.caller == &world.instance);
  const Slot values[2] = {};
  host.exception = world.store->make_exception(*world.instance.tags[0], values);
  const auto thrown = world.run();
  CHECK(f0.kept_registers());
  if (matches) {
    CHECK(thrown == 42);
  } else {
    REQUIRE_FALSE(thrown);
    CHECK(thrown.error().message == "from the host");
    // From where the span was left: f1 was left before.
    REQUIRE(thrown.error().backtrace.size() == 1);
    CHECK(thrown.error().backtrace.front().function == "f0");
    CHECK(thrown.error().exception->in(*world.store) == host.exception);
  }
  host.is_trap = true;
  const auto trapped = world.run();
  REQUIRE_FALSE(trapped);
  CHECK(trapped.error().code == TrapCode::integer_overflow);
}

TEST_CASE("an exception passes a host function that calls the guest again, from one span to another") {
  World world;
  struct Host {
    World* world;
    std::optional<Trap> seen;
  } host{&world, std::nullopt};
  HostFunction* function = world.host_function(
      {}, {wasm::kI64},
      [](void* data, runtime::HostCall& call) -> std::optional<Trap> {
        auto& self = *static_cast<Host*>(data);
        Slot slots[1] = {};
        FuncRef inner{.code = &self.world->record(2), .instance = &self.world->instance.vm, .type = {}};
        const auto called = call.store.call(inner, slots);
        REQUIRE_FALSE(called.has_value());
        self.seen = called.error();
        return called.error();
      },
      std::shared_ptr<void>(&host, [](void*) {}));
  const Executable to_host(make_host_entry(signature()).value());
  function->code.native_entry = to_host.address();
  const bool matches = GENERATE(true, false);
  const Function f0(world.record(0),
                    {.saved = 0b01010, .callee = &world.record(1), .looks = true, .matches = matches, .number = 1000});
  const Function f1(world.record(1), {.saved = 0b11111, .callee = &function->code, .number = 2000});
  const Function f2(world.record(2), {.saved = 0b11111, .callee = &world.record(3), .number = 3000});
  const Function f3(world.record(3), {.saved = 0b00001, .number = 5});
  const auto result = world.run();
  CHECK(f0.kept_registers());
  REQUIRE(host.seen.has_value());
  CHECK(host.seen->message == "unhandled exception: tag \"boom\" (5, 5)");
  if (matches) {
    CHECK(result == 42);
  } else {
    // What the host handed on, with the frames that the inner call ended in.
    REQUIRE_FALSE(result);
    CHECK(result.error().message == host.seen->message);
    REQUIRE(result.error().backtrace.size() == 4);
    CHECK(result.error().backtrace.front().function == "f3");
  }
}

// Interpreted functions call machine code, which calls interpreted functions again.
struct MixedWorld : runtime::test::World {
  MixedWorld() : runtime::test::World({}, interp::make_interpreter({})) {
    native_ref = {.code = &native, .instance = nullptr, .type = type()};
    instance = &instantiate(R"((module $app
      (import "" "native" (func $native (result i64)))
      (tag $e (export "boom") (param i32 i64))
      (func $throws (export "throws") (result i64) (throw $e (i32.const 3) (i64.const 5)))
      (func (export "catches") (result i64) (local $second i64)
        (try (result i64) (do (call $native))
          (catch $e local.set $second i64.extend_i32_u local.get $second i64.add)))
      (func $passes (export "passes") (result i64) (i64.add (call $native) (i64.const 1000)))))",
                            {External(&native_ref)});
    native_ref.instance = &instance->vm;
  }
  wasm::TypeId type() {
    types.push_back(registry->add_func({{}, {wasm::kI64}}).value());
    return types.back().id();
  }
  FunctionCode& record(std::string_view name) { return *instance->find_export(name)->func->code; }
  std::expected<std::uint64_t, std::string> run(std::string_view name) {
    Slot slots[1] = {};
    const auto called = call(*instance, name, slots);
    CHECK(store->exec().native_span == nullptr);
    CHECK(store->exec().top == nullptr);
    if (!called) return std::unexpected(called.error().message);
    return slots[0].u64;
  }

  std::vector<wasm::TypeRef> types;
  FunctionCode native;
  FuncRef native_ref;
  Instance* instance = nullptr;
};

TEST_CASE("an exception passes interpreted functions and machine code in turn") {
  MixedWorld world;
  const Executable to_slots(make_native_entry(signature()).value());
  for (const char* name : {"throws", "passes"}) world.record(name).native_entry = to_slots.address();

  SECTION("from an interpreted function through machine code to an interpreted handler") {
    const Function native(world.native, {.saved = 0b11111, .callee = &world.record("throws"), .number = 1000});
    for (int i = 0; i < 3; ++i) CHECK(world.run("catches") == 8);
    for (int i = 0; i < 3; ++i) CHECK(world.run("passes").error() == "unhandled exception: tag \"boom\" (3, 5)");
  }
  SECTION("from an interpreted function to machine code that catches") {
    const Function native(
        world.native,
        {.saved = 0b11111, .callee = &world.record("throws"), .looks = true, .matches = true, .number = 1000});
    for (int i = 0; i < 3; ++i) CHECK(world.run("passes") == 1042);
    CHECK(native.kept_registers());
  }
  SECTION("from machine code to an interpreted handler") {
    const Function native(world.native, {.saved = 0b11111, .number = 6});
    for (int i = 0; i < 3; ++i) CHECK(world.run("catches") == 12);
    CHECK(world.run("passes").error() == "unhandled exception: tag \"boom\" (6, 6)");
  }
}

}  // namespace
}  // namespace wasi::jit
