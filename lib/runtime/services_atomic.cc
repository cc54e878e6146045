// Services for machine code: atomic accesses. What one does follows from its row in opcodes.def.
#include <string_view>
#include <type_traits>

#include "runtime/runtime_calls.h"
#include "runtime/services.h"

namespace wasi::runtime::services {

namespace {

constexpr calls::TrapSite kHere = nullptr;

template <std::uint8_t access>
using Word = std::conditional_t<
    access == 1, std::uint8_t,
    std::conditional_t<access == 2, std::uint16_t, std::conditional_t<access == 4, std::uint32_t, std::uint64_t>>>;

constexpr bool says(wasm::Op op, std::string_view part) {
  return wasm::info(op).text.find(part) != std::string_view::npos;
}

constexpr calls::Rmw operation_of(wasm::Op op) {
  if (says(op, ".add")) return calls::Rmw::add;
  if (says(op, ".sub")) return calls::Rmw::sub;
  if (says(op, ".and")) return calls::Rmw::and_;
  if (says(op, ".or")) return calls::Rmw::or_;
  if (says(op, ".xor")) return calls::Rmw::xor_;
  return calls::Rmw::xchg;
}

}  // namespace

template <wasm::Op op>
void atomic_access(VmContext* vm, Slot* operands, std::uint64_t offset, std::uint64_t memory) {
  using M = Word<wasm::info(op).access>;
  const std::uint64_t words[] = {offset, memory};
  const auto* immediates = reinterpret_cast<const std::uint8_t*>(words);
  const std::uint64_t index = operands[0].u64;
  const M first = static_cast<M>(operands[1].u64);
  Slot& result = operands[0];
  if constexpr (says(op, ".notify")) {
    result.u64 = calls::atomic_notify(vm, kHere, index, immediates, first);
  } else if constexpr (says(op, ".wait")) {
    result.u64 = calls::atomic_wait<M>(vm, kHere, index, immediates, first, operands[2].s64);
  } else if constexpr (says(op, ".load")) {
    result.u64 = calls::atomic_load<M>(vm, kHere, index, immediates);
  } else if constexpr (says(op, ".store")) {
    calls::atomic_store<M>(vm, kHere, index, immediates, first);
  } else if constexpr (says(op, ".cmpxchg")) {
    result.u64 =
        calls::atomic_compare_exchange<M>(vm, kHere, index, immediates, first, static_cast<M>(operands[2].u64));
  } else {
    static_assert(says(op, ".rmw"));
    result.u64 = calls::atomic_rmw<operation_of(op), M>(vm, kHere, index, immediates, first);
  }
}

#define RUNTIME_SERVICE(name)
#define RUNTIME_ATOMIC(name) \
  template void atomic_access<wasm::Op::name>(VmContext*, Slot*, std::uint64_t, std::uint64_t);
#include "runtime/runtime_calls.def"

}  // namespace wasi::runtime::services
