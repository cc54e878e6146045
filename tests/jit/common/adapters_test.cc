// Values cross between slots and the native convention unchanged, whatever the signature, plainly and by tail calls.
#include "jit/common/adapters.h"

#include <catch2/catch.hpp>
#include <cstring>
#include <functional>
#include <random>

#include "executable.h"
#include "jit/common/assembler_x64.h"
#include "runtime/fake_tier.h"
#include "runtime/host_entry.h"
#include "runtime/machine_call.h"
#include "runtime/native_span.h"
#include "runtime/store.h"
#include "runtime/trap_raise.h"

namespace wasi::jit {
namespace {

using runtime::FuncRef;
using runtime::FunctionCode;
using runtime::Slot;
using runtime::VmContext;
using test::Executable;
using wasm::ValType;

// A store, and a function in it that counts and keeps what it is given and gives what it is told to.
struct World {
  explicit World(std::uint64_t stack_bytes = 1U << 20)
      : store(std::make_shared<wasm::TypeRegistry>(), {.limits = {.stack_bytes = stack_bytes}}) {
    vm.exec = &store.exec();
  }
  std::expected<void, Trap> call(FunctionCode& code, std::vector<Slot>& slots, runtime::CallEntry entry = nullptr) {
    FuncRef function{.code = &code, .instance = &vm, .type = {}, .call_entry = entry};
    return store.call(function, slots);
  }

  runtime::Store store;
  VmContext vm;
};

std::mt19937_64 random_numbers(12);

wasm::FuncType random_signature(std::size_t most) {
  const ValType types[] = {wasm::kI32, wasm::kI64, wasm::kF32, wasm::kF64, wasm::kV128, wasm::kFuncRef};
  wasm::FuncType type;
  for (auto* list : {&type.params, &type.results}) {
    const std::size_t count = random_numbers() % (most + 1);
    for (std::size_t i = 0; i < count; ++i) list->push_back(types[random_numbers() % std::size(types)]);
  }
  return type;
}

std::vector<Slot> random_slots(std::size_t count) {
  std::vector<Slot> slots(count);
  for (Slot& slot : slots) slot.u64 = random_numbers();
  return slots;
}

bool same(const Slot* a, const Slot* b, std::size_t count) {
  return count == 0 || std::memcmp(static_cast<const void*>(a), static_cast<const void*>(b), count * sizeof(Slot)) == 0;
}

// Between registers or the area and a buffer in memory, by the words of native_abi.h alone. Clobbers r11, and r10 where
// there are values in the area.
void move_values(Assembler& a, const std::vector<Place>& places, VmContext& vm, Slot* buffer, bool into_buffer) {
  const auto address = [&](const Place& place) {
    return x64::qword_ptr(x64::r11, static_cast<std::int32_t>(place.slot) * 8);
  };
  for (const Place& place : places) {
    a.mov(x64::r11, reinterpret_cast<std::uint64_t>(buffer));
    switch (place.bank) {
      case Place::Bank::general:
        into_buffer ? a.mov(address(place), Assembler::gpr(place.number))
                    : a.mov(Assembler::gpr(place.number), address(place));
        break;
      case Place::Bank::vector:
        if (place.is_v128) {
          into_buffer ? a.movups(address(place), Assembler::xmm(place.number))
                      : a.movups(Assembler::xmm(place.number), address(place));
        } else {
          into_buffer ? a.movq(address(place), Assembler::xmm(place.number))
                      : a.movq(Assembler::xmm(place.number), address(place));
        }
        break;
      case Place::Bank::memory:
        for (std::int32_t i = 0; i < (place.is_v128 ? 2 : 1); ++i) {
          const std::int32_t at = (static_cast<std::int32_t>(place.slot) + i) * 8;
          a.push(x64::rbx);
          a.mov(x64::r10, reinterpret_cast<std::uint64_t>(&vm.exec->free_slot));
          a.mov(x64::r10, x64::qword_ptr(x64::r10));
          const auto in_area = x64::qword_ptr(x64::r10, at);
          const auto in_buffer = x64::qword_ptr(x64::r11, at);
          a.mov(x64::rbx, into_buffer ? in_area : in_buffer);
          a.mov(into_buffer ? in_buffer : in_area, x64::rbx);
          a.pop(x64::rbx);
        }
    }
  }
}

Executable compile(const std::function<void(Assembler&)>& emit) {
  Assembler assembler;
  emit(assembler);
  return Executable(assembler.take().value());
}

// A SlotEntry that keeps its arguments and gives results.
struct Peer {
  FunctionCode code;
  NativeSignature signature;
  std::uint32_t params = 0;
  std::vector<Slot> seen;
  std::vector<Slot> results;
  runtime::NativeSpan* span = nullptr;

  static void entry(VmContext* vm, Slot* slots, FunctionCode* self) {
    auto& peer = *reinterpret_cast<Peer*>(self);
    peer.span = vm->exec->native_span;
    peer.seen.assign(slots, slots + peer.params);
    std::copy(peer.results.begin(), peer.results.end(), slots);
  }
};

TEST_CASE("places are those of the platform's convention, then slots") {
  const NativeSignature signature = native_signature(
      {{wasm::kI32, wasm::kF32, wasm::kV128, wasm::kFuncRef, wasm::kI64, wasm::kI64, wasm::kI64, wasm::kI32},
       {wasm::kI64, wasm::kF64, wasm::kI32, wasm::kI32, wasm::kV128, wasm::kV128}});
  using enum Place::Bank;
  const auto number = [](Gpr reg) { return static_cast<std::uint8_t>(reg); };
  CHECK(signature.params == std::vector<Place>{{general, false, number(Gpr::rsi), 0},
                                               {vector, false, 0, 1},
                                               {vector, true, 1, 2},
                                               {general, false, number(Gpr::rdx), 4},
                                               {general, false, number(Gpr::rcx), 5},
                                               {general, false, number(Gpr::r8), 6},
                                               {general, false, number(Gpr::r9), 7},
                                               {memory, false, 0, 8}});
  CHECK(signature.results == std::vector<Place>{{general, false, number(Gpr::rax), 0},
                                                {vector, false, 0, 1},
                                                {general, false, number(Gpr::rdx), 2},
                                                {memory, false, 0, 3},
                                                {vector, true, 1, 4},
                                                {memory, true, 0, 6}});
  CHECK(signature.slot_count == 9);
}

TEST_CASE("arguments and results of every signature cross from slots to machine code and back") {
  World world;
  // By the host's own way where nothing runs, which is known to be so behind a first call, or by that of all slots.
#if defined(WASI_ENTRY_WITH_SETJMP)
  const bool is_call_entry = false;
#else
  const bool is_call_entry = GENERATE(false, true);
#endif
  Peer first;
  first.code.entry = Peer::entry;
  std::vector<Slot> none(1);
  REQUIRE(world.call(first.code, none));
  for (int round = 0; round < 300; ++round) {
    const wasm::FuncType type = random_signature(40);
    const NativeSignature signature = native_signature(type);
    const Executable adapter((is_call_entry ? make_call_entry(signature) : make_slot_entry(signature)).value());
    std::vector<Slot> seen(wasm::slot_count(type.params));
    const std::vector<Slot> results = random_slots(wasm::slot_count(type.results));
    const Executable function = compile([&](Assembler& a) {
      move_values(a, signature.params, world.vm, seen.data(), true);
      move_values(a, signature.results, world.vm, const_cast<Slot*>(results.data()), false);
      a.ret();
    });
    FunctionCode code;
    if (!is_call_entry) code.entry = adapter.as<runtime::SlotEntry>();
    code.native_entry = function.address();
    std::vector<Slot> slots = random_slots(signature.slot_count);
    const std::vector<Slot> arguments = slots;
    REQUIRE(world.call(code, slots, is_call_entry ? adapter.as<runtime::CallEntry>() : nullptr));
    REQUIRE(same(seen.data(), arguments.data(), seen.size()));
    REQUIRE(same(slots.data(), results.data(), results.size()));
    REQUIRE(world.store.exec().native_span == nullptr);
    REQUIRE(world.store.exec().top == nullptr);
  }
}

TEST_CASE("machine code calls what has none, plainly and in a tail call") {
  World world;
  const bool is_tail_call = GENERATE(false, true);
  for (int round = 0; round < 300; ++round) {
    const wasm::FuncType type = random_signature(40);
    Peer peer;
    peer.signature = native_signature(type);
    peer.params = wasm::slot_count(type.params);
    peer.results = random_slots(wasm::slot_count(type.results));
    peer.code.entry = Peer::entry;
    const Executable to_native(make_slot_entry(peer.signature).value());
    const Executable to_slots(make_native_entry(peer.signature).value());
    peer.code.native_entry = to_slots.address();
    // The arguments go on as they came, and so do the results.
    const Executable function = compile([&](Assembler& a) {
      a.mov(x64::r10, reinterpret_cast<std::uint64_t>(&peer.code));
      const auto entry = x64::qword_ptr(x64::r10, offsetof(FunctionCode, native_entry));
      if (is_tail_call) {
        a.jmp(entry);
      } else {
        a.push(x64::rbp);
        a.mov(x64::rbp, x64::rsp);
        a.call(entry);
        a.pop(x64::rbp);
        a.ret();
      }
    });
    FunctionCode code;
    code.entry = to_native.as<runtime::SlotEntry>();
    code.native_entry = function.address();
    std::vector<Slot> slots = random_slots(peer.signature.slot_count);
    const std::vector<Slot> arguments = slots;
    REQUIRE(world.call(code, slots));
    REQUIRE(same(peer.seen.data(), arguments.data(), peer.params));
    REQUIRE(same(slots.data(), peer.results.data(), peer.results.size()));
    REQUIRE(peer.span != nullptr);
    REQUIRE(world.store.exec().native_span == nullptr);
  }
}

// Calls `inner` through the store again, `depth` times, then traps or returns.
struct Nester {
  FunctionCode code;
  World* world = nullptr;
  FunctionCode* inner = nullptr;
  int depth = 0;
  bool traps = false;
  std::vector<runtime::NativeSpan*> spans;
  std::vector<std::uintptr_t> stack_pointers;

  static void entry(VmContext* vm, Slot* slots, FunctionCode* self) {
    auto& nester = *reinterpret_cast<Nester*>(self);
    runtime::ExecState& exec = *vm->exec;
    runtime::NativeSpan* const span = exec.native_span;
    const std::uintptr_t stack_pointer = exec.native_sp;
    CHECK((span != nullptr && runtime::is_span(*span)));
    nester.spans.push_back(span);
    nester.stack_pointers.push_back(stack_pointer);
    if (nester.depth-- > 0) {
      const bool inner_traps = nester.traps && nester.depth == 0;
      std::vector<Slot> inner_slots(1);
      const auto called = nester.world->call(*nester.inner, inner_slots);
      // What stood before the call stands again, however it ended.
      CHECK(exec.native_span == span);
      CHECK(exec.native_sp == stack_pointer);
      CHECK(called.has_value() != inner_traps);
      if (!nester.traps) slots[0].u64 = inner_slots[0].u64 + 1;
    } else if (nester.traps) {
      runtime::raise_trap(exec, TrapCode::unreachable);
    } else {
      slots[0].u64 = 0;
    }
  }
};

TEST_CASE("spans nest with calls from the host, and traps end them") {
  World world;
  const wasm::FuncType type{{}, {wasm::kI64}};
  const NativeSignature signature = native_signature(type);
  const Executable to_native(make_slot_entry(signature).value());
  const Executable to_slots(make_native_entry(signature).value());
  Nester nester;
  nester.traps = GENERATE(false, true);
  nester.world = &world;
  nester.depth = 5;
  nester.code.entry = Nester::entry;
  nester.code.native_entry = to_slots.address();
  const Executable function = compile([&](Assembler& a) {
    a.mov(x64::r10, reinterpret_cast<std::uint64_t>(&nester.code));
    a.jmp(x64::qword_ptr(x64::r10, offsetof(FunctionCode, native_entry)));
  });
  FunctionCode code;
  code.entry = to_native.as<runtime::SlotEntry>();
  code.native_entry = function.address();
  nester.inner = &code;
  std::vector<Slot> slots(1);
  const auto called = world.call(code, slots);
  // Only the innermost function trapped.
  CHECK(called.has_value());
  if (!nester.traps) CHECK(slots[0].u64 == 5);
  REQUIRE(nester.spans.size() == 6);
  for (std::size_t i = 0; i < 6; ++i) {
    REQUIRE(nester.spans[i] != nullptr);
    // The stack grows downward, call by call.
    if (i > 0) CHECK(nester.stack_pointers[i] < nester.stack_pointers[i - 1]);
    CHECK(nester.stack_pointers[i] <= reinterpret_cast<std::uintptr_t>(nester.spans[i]));
  }
  CHECK(world.store.exec().native_span == nullptr);
  CHECK(world.store.exec().top == nullptr);
}

TEST_CASE("a Wasm stack without room for a span is a trap") {
  World world(8U << 10);
  const NativeSignature signature = native_signature({{}, {}});
  const Executable to_native(make_slot_entry(signature).value());
  FunctionCode code;
  code.entry = to_native.as<runtime::SlotEntry>();
  code.native_entry = to_native.address();  // never reached
  std::vector<Slot> slots;
  const auto called = world.call(code, slots);
  REQUIRE_FALSE(called);
  CHECK(called.error().code == TrapCode::stack_overflow);
  CHECK(world.store.exec().native_span == nullptr);
}

TEST_CASE("machine code calls host functions, which have no instance") {
  World world;
  for (int round = 0; round < 100; ++round) {
    const wasm::FuncType type = random_signature(40);
    const NativeSignature signature = native_signature(type);
    struct Host {
      std::vector<Slot> seen;
      std::vector<Slot> results;
    } host{.seen = std::vector<Slot>(wasm::slot_count(type.params)),
           .results = random_slots(wasm::slot_count(type.results))};
    const auto type_ref = world.store.registry().add_func(type);
    runtime::HostFunction* function = world.store.add_host_function(
        type_ref->id(),
        [](void* data, runtime::HostCall& call) -> std::optional<Trap> {
          auto& self = *static_cast<Host*>(data);
          std::copy_n(call.slots, self.seen.size(), self.seen.begin());
          std::ranges::copy(self.results, call.slots);
          return std::nullopt;
        },
        std::shared_ptr<void>(&host, [](void*) {}));
    const Executable to_host(make_host_entry(signature).value());
    function->code.native_entry = to_host.address();
    const Executable to_native(make_slot_entry(signature).value());
    const Executable jump = compile([&](Assembler& a) {
      a.mov(x64::r10, reinterpret_cast<std::uint64_t>(&function->code));
      a.xor_(x64::edi, x64::edi);
      a.jmp(x64::qword_ptr(x64::r10, offsetof(FunctionCode, native_entry)));
    });
    FunctionCode code;
    code.entry = to_native.as<runtime::SlotEntry>();
    code.native_entry = jump.address();
    std::vector<Slot> slots = random_slots(signature.slot_count);
    const std::vector<Slot> arguments = slots;
    REQUIRE(world.call(code, slots));
    REQUIRE(same(host.seen.data(), arguments.data(), host.seen.size()));
    REQUIRE(same(slots.data(), host.results.data(), host.results.size()));
  }
}

// The registers in which arguments may be: rdi, rsi, rdx, rcx, r8, r9, r10 and all of xmm0 to xmm7.
struct ArgumentRegisters {
  std::uint64_t general[7];
  std::uint64_t vectors[16];
  friend bool operator==(const ArgumentRegisters&, const ArgumentRegisters&) = default;

  // By way of r11.
  void move(Assembler& a, bool from_registers) {
    const x64::Gp registers[] = {x64::rdi, x64::rsi, x64::rdx, x64::rcx, x64::r8, x64::r9, x64::r10};
    a.mov(x64::r11, reinterpret_cast<std::uint64_t>(this));
    for (std::size_t i = 0; i < std::size(registers); ++i) {
      const auto at = x64::qword_ptr(x64::r11, static_cast<std::int32_t>(i) * 8);
      from_registers ? a.mov(at, registers[i]) : a.mov(registers[i], at);
    }
    for (std::uint32_t i = 0; i < 8; ++i) {
      const auto at =
          x64::xmmword_ptr(x64::r11, static_cast<std::int32_t>(offsetof(ArgumentRegisters, vectors) + i * 16));
      from_registers ? a.movups(at, x64::xmm(i)) : a.movups(x64::xmm(i), at);
    }
  }
};

// Its functions' native entries are what the test says. Loses all registers that a C++ function may.
struct BindingTier : runtime::test::FakeTier {
  const void* native_entry = nullptr;
  runtime::ExecState* exec = nullptr;
  VmContext* instance = nullptr;
  FunctionCode* function = nullptr;
  std::uintptr_t native_sp = 0;

  runtime::NativeEntry bind_native(runtime::ExecState& e, VmContext* i, FunctionCode& code) override {
    exec = &e;
    instance = i;
    function = &code;
    native_sp = e.native_sp;
    asm volatile(
        "pcmpeqb %%xmm0, %%xmm0\n movdqa %%xmm0, %%xmm1\n movdqa %%xmm0, %%xmm2\n movdqa %%xmm0, %%xmm3\n"
        "movdqa %%xmm0, %%xmm4\n movdqa %%xmm0, %%xmm5\n movdqa %%xmm0, %%xmm6\n movdqa %%xmm0, %%xmm7\n"
        "movq $-1, %%rsi\n movq $-1, %%rdx\n movq $-1, %%rcx\n movq $-1, %%r8\n movq $-1, %%r9\n movq $-1, %%r10\n" ::
            : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "rsi", "rdx", "rcx", "r8", "r9", "r10");
    code.native_entry = native_entry;
    return native_entry;
  }
};

TEST_CASE("the stub that binds a function keeps all registers of arguments, and goes on in the function") {
  World world;
  BindingTier tier;
  runtime::ExecState& exec = world.store.exec();
  exec.native_tier = &tier;
  const bool is_tail_call = GENERATE(false, true);
  const bool is_host = GENERATE(false, true);

  FunctionCode callee;
  ArgumentRegisters given;
  ArgumentRegisters seen;
  for (auto* list : {given.general, given.vectors}) {
    for (std::size_t i = 0; i < (list == given.general ? 7 : 16); ++i) list[i] = random_numbers();
  }
  given.general[0] = is_host ? 0 : reinterpret_cast<std::uint64_t>(&world.vm);
  given.general[6] = reinterpret_cast<std::uint64_t>(&callee);
  const Executable function = compile([&](Assembler& a) {
    seen.move(a, true);
    a.mov(x64::eax, 77);
    a.ret();
  });
  tier.native_entry = function.address();
  std::uintptr_t stack_pointer = 0;
  const Executable caller = compile([&](Assembler& a) {
    const asmjit::Label bound = a.newLabel();
    if (!is_tail_call) {
      a.push(x64::rbp);
      a.mov(x64::rbp, x64::rsp);
    }
    a.mov(x64::r11, reinterpret_cast<std::uint64_t>(&stack_pointer));
    a.mov(x64::qword_ptr(x64::r11), x64::rsp);
    given.move(a, false);
    // As the baseline does.
    a.mov(x64::rax, x64::qword_ptr(x64::r10, offsetof(FunctionCode, native_entry)));
    a.test(x64::rax, x64::rax);
    a.jnz(bound);
    a.mov(x64::r11, reinterpret_cast<std::uint64_t>(&exec));
    a.mov(x64::rax, x64::qword_ptr(x64::r11, offsetof(runtime::ExecState, bind_native_entry)));
    a.bind(bound);
    if (is_tail_call) {
      a.jmp(x64::rax);
    } else {
      a.call(x64::rax);
      a.add(x64::rax, 1);
      a.pop(x64::rbp);
      a.ret();
    }
  });
  const Executable to_native(make_slot_entry(native_signature({{}, {wasm::kI64}})).value());
  FunctionCode code;
  code.entry = to_native.as<runtime::SlotEntry>();
  code.native_entry = caller.address();
  for (int i = 0; i < 2; ++i) {
    seen = {};
    std::vector<Slot> slots(1);
    REQUIRE(world.call(code, slots));
    CHECK(slots[0].u64 == (is_tail_call ? 77 : 78));
    CHECK(seen == given);
    // Bound once.
    CHECK(tier.function == (i == 0 ? &callee : nullptr));
    if (i == 0) {
      CHECK(tier.exec == &exec);
      CHECK(tier.instance == (is_host ? nullptr : &world.vm));
      // As of a call: where its return address lies, or of a jump, where that of the function does.
      CHECK(tier.native_sp == stack_pointer + (is_tail_call ? 8 : 0));
    }
    tier.function = nullptr;
  }
}

// A function in slots that goes on in machine code at once, as the interpreter does at a loop.
struct Looper {
  FunctionCode code;
  runtime::LoopTarget target;
  const Slot* slots = nullptr;

  WASI_CALLS_MACHINE_CODE static void entry(VmContext* vm, Slot* slots, FunctionCode* self) {
    auto& looper = *reinterpret_cast<Looper*>(self);
    looper.slots = slots;
    looper.target.adapter(vm, slots, self, &looper.target);
  }
};

TEST_CASE("a loop goes on in machine code with the frame of the interpreter, and its results go to slots") {
  World world;
  for (int round = 0; round < 200; ++round) {
    wasm::FuncType type = random_signature(30);
    const NativeSignature signature = native_signature(type);
    const Executable adapter(make_loop_entry(signature).value());
    const std::vector<Slot> results = random_slots(wasm::slot_count(type.results));
    // Now and then fewer than the results take.
    const auto frame_slots = static_cast<std::uint32_t>(random_numbers() % 20);
    std::uint64_t seen[4] = {};
    std::vector<Slot> homes(frame_slots);
    const Executable stub = compile([&](Assembler& a) {
      a.mov(x64::r11, reinterpret_cast<std::uint64_t>(seen));
      for (const auto& [at, reg] : {std::pair{0, x64::rdi}, {8, x64::rsi}, {16, x64::rdx}, {24, x64::r10}}) {
        a.mov(x64::qword_ptr(x64::r11, at), reg);
      }
      for (std::uint32_t i = 0; i < frame_slots; ++i) {
        a.mov(x64::r11, x64::qword_ptr(x64::rsi, static_cast<std::int32_t>(i) * 8));
        a.mov(x64::rax, reinterpret_cast<std::uint64_t>(homes.data() + i));
        a.mov(x64::qword_ptr(x64::rax), x64::r11);
      }
      move_values(a, signature.results, world.vm, const_cast<Slot*>(results.data()), false);
      a.ret();
    });
    Looper looper;
    looper.code.entry = Looper::entry;
    looper.target = {.stub = stub.address(),
                     .head = &results,
                     .frame_slots = frame_slots,
                     .adapter = adapter.as<runtime::LoopTarget::Entry>()};
    std::vector<Slot> slots = random_slots(std::max<std::size_t>(frame_slots, signature.slot_count));
    const std::vector<Slot> frame = slots;
    REQUIRE(world.call(looper.code, slots));
    CHECK(seen[0] == reinterpret_cast<std::uint64_t>(&world.vm));
    CHECK(seen[1] == reinterpret_cast<std::uint64_t>(looper.slots));
    CHECK(seen[2] == reinterpret_cast<std::uint64_t>(&results));
    CHECK(seen[3] == reinterpret_cast<std::uint64_t>(&looper.code));
    CHECK(same(homes.data(), frame.data(), frame_slots));
    REQUIRE(same(slots.data(), results.data(), results.size()));
    REQUIRE(world.store.exec().native_span == nullptr);
    REQUIRE(world.store.exec().top == nullptr);
  }
}

}  // namespace
}  // namespace wasi::jit
