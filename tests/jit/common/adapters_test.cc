// Values cross between slots and the native convention unchanged, whatever the signature, plainly and by tail calls.
#include "jit/common/adapters.h"

#include <catch2/catch.hpp>
#include <cstring>
#include <functional>
#include <random>

#include "executable.h"
#include "jit/common/assembler_x64.h"
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
  std::expected<void, Trap> call(FunctionCode& code, std::vector<Slot>& slots) {
    FuncRef function{.code = &code, .instance = &vm, .type = {}};
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
  for (int round = 0; round < 300; ++round) {
    const wasm::FuncType type = random_signature(40);
    const NativeSignature signature = native_signature(type);
    const Executable adapter(make_slot_entry(signature).value());
    std::vector<Slot> seen(wasm::slot_count(type.params));
    const std::vector<Slot> results = random_slots(wasm::slot_count(type.results));
    const Executable function = compile([&](Assembler& a) {
      move_values(a, signature.params, world.vm, seen.data(), true);
      move_values(a, signature.results, world.vm, const_cast<Slot*>(results.data()), false);
      a.ret();
    });
    FunctionCode code;
    code.entry = adapter.as<runtime::SlotEntry>();
    code.native_entry = function.address();
    std::vector<Slot> slots = random_slots(signature.slot_count);
    const std::vector<Slot> arguments = slots;
    REQUIRE(world.call(code, slots));
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

}  // namespace
}  // namespace wasi::jit
