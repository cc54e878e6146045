// Machine code calls functions of the host: by an adapter of their shape, and by the entry that serves every one.
#include <catch2/catch.hpp>
#include <cstring>
#include <functional>
#include <random>

#include "executable.h"
#include "jit/common/adapters.h"
#include "jit/common/any_entry.h"
#include "jit/common/assembler_x64.h"
#include "jit/common/code_space.h"
#include "runtime/code_map.h"
#include "runtime/stack_walk.h"
#include "runtime/store.h"

namespace wasi::jit {
namespace {

using runtime::FuncRef;
using runtime::FunctionCode;
using runtime::Slot;
using test::Executable;
using wasm::ValType;

std::mt19937_64 random_numbers(34);

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

bool same(const std::vector<Slot>& a, const Slot* b) {
  return a.empty() ||
         std::memcmp(static_cast<const void*>(a.data()), static_cast<const void*>(b), a.size() * sizeof(Slot)) == 0;
}

struct Body {
  std::vector<Slot> seen;
  std::vector<Slot> results;
  bool traps = false;

  static std::optional<Trap> run(void* data, runtime::HostCall& call) {
    auto& body = *static_cast<Body*>(data);
    if (body.traps) return Trap{.code = TrapCode::host_error, .message = "enough"};
    std::copy_n(call.slots, body.seen.size(), body.seen.begin());
    std::ranges::copy(body.results, call.slots);
    return std::nullopt;
  }
};

TEST_CASE("values of every signature cross between machine code and the host") {
  CodeSpace space;
  const bool has_adapters = GENERATE(true, false);
  const auto registry = std::make_shared<wasm::TypeRegistry>();
  for (int round = 0; round < 300; ++round) {
    runtime::Store store(registry, {});
    runtime::VmContext vm;
    vm.exec = &store.exec();
    const wasm::TypeRef type = registry->add_func(random_signature(40)).value();
    const wasm::FuncType& signature = registry->at(type.id()).func;
    const auto body = std::make_shared<Body>();
    body->seen.resize(wasm::slot_count(signature.params));
    body->results = random_slots(wasm::slot_count(signature.results));
    runtime::HostFunction* const host = store.add_host_function(type.id(), Body::run, body);
    if (has_adapters) {
      CHECK(space.entry_to_host(*host) == host->code.native_entry);
      CHECK(host->code.native_entry.load() != any_native_entry());
    } else {
      host->code.native_entry = any_native_entry();
    }

    // The arguments go on as they came, and so do the results.
    Assembler a;
    const bool is_tail_call = round % 2 == 0;
    const auto entry = x64::qword_ptr(x64::r10, offsetof(FunctionCode, native_entry));
    if (!is_tail_call) {
      a.push(x64::rbp);
      a.mov(x64::rbp, x64::rsp);
      a.push(x64::rdi);
      a.sub(x64::rsp, 8);
    }
    a.mov(x64::r10, reinterpret_cast<std::uint64_t>(&host->code));
    a.xor_(x64::edi, x64::edi);
    if (is_tail_call) {
      a.jmp(entry);
    } else {
      a.call(entry);
      a.leave();
      a.ret();
    }
    const std::vector<std::uint8_t> bytes = a.take().value();
    const Executable function(bytes);
    const NativeSignature places = native_signature(signature);
    const Executable slot_entry(make_slot_entry(places).value());
    FunctionCode code;
    code.entry = slot_entry.as<runtime::SlotEntry>();
    code.native_entry = function.address();
    const runtime::NativeCode native{.function = &code, .frame_bytes = 16};
    const auto begin = reinterpret_cast<std::uintptr_t>(function.address());
    const auto known = runtime::code_map().add({.begin = begin, .end = begin + bytes.size(), .owner = &native}).value();
    FuncRef caller{.code = &code, .instance = &vm, .type = type.id()};

    std::vector<Slot> slots = random_slots(places.slot_count);
    const std::vector<Slot> arguments = slots;
    REQUIRE(store.call(caller, slots));
    REQUIRE(same(body->seen, arguments.data()));
    REQUIRE(same(body->results, slots.data()));
    REQUIRE(store.exec().native_span == nullptr);

    body->traps = true;
    // What has no module can be in no backtrace.
    if (!is_tail_call) continue;
    const auto trapped = store.call(caller, slots);
    REQUIRE_FALSE(trapped);
    REQUIRE(trapped.error().message == "enough");
    REQUIRE(store.exec().native_span == nullptr);
  }
}

TEST_CASE("without room for an adapter, the host is called all the same") {
  CodeSpace space({.limit = 0});
  const auto registry = std::make_shared<wasm::TypeRegistry>();
  runtime::Store store(registry, {});
  const wasm::TypeRef type = registry->add_func({{wasm::kI32}, {wasm::kI32}}).value();
  runtime::HostFunction* const host = store.add_host_function(type.id(), Body::run, std::make_shared<Body>());
  CHECK(space.entry_to_host(*host) == any_native_entry());
  CHECK(host->code.native_entry.load() == any_native_entry());
}

}  // namespace
}  // namespace wasi::jit
