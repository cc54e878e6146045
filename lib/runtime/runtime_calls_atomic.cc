// Services for running code: atomic accesses to linear memory.
#include <atomic>
#include <chrono>
#include <cstring>
#include <limits>
#include <optional>

#include "runtime/exec_state.h"
#include "runtime/instance.h"
#include "runtime/parking.h"
#include "runtime/runtime_calls.h"

namespace wasi::runtime::calls {

namespace {

template <class T>
T read_unaligned(const std::uint8_t* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

std::uint32_t memory_of(const std::uint8_t* immediates) {
  return read_unaligned<std::uint32_t>(immediates + sizeof(std::uint64_t));
}

template <class M>
M& resolve(VmContext* vm, TrapSite site, std::uint64_t index, const std::uint8_t* immediates) {
  const auto offset = read_unaligned<std::uint64_t>(immediates);
  std::uint8_t* address = address_in_memory(vm, site, memory_of(immediates), index, offset, sizeof(M));
  if (reinterpret_cast<std::uintptr_t>(address) % sizeof(M) != 0) trap_at(vm, site, TrapCode::unaligned_atomic);
  return *reinterpret_cast<M*>(address);
}

// When a wait that begins now is over; empty for never. What the clock cannot express is as good as never.
std::optional<std::chrono::steady_clock::time_point> end_of(std::int64_t timeout) {
  using Time = std::chrono::steady_clock::time_point;
  if (timeout < 0) return std::nullopt;
  const Time now = std::chrono::steady_clock::now();
  const std::chrono::nanoseconds left(timeout);
  if (left > Time::max() - now) return std::nullopt;
  return now + left;
}

}  // namespace

template <class M>
M atomic_load(VmContext* vm, TrapSite site, std::uint64_t index, const std::uint8_t* immediates) {
  return std::atomic_ref(resolve<M>(vm, site, index, immediates)).load();
}

template <class M>
void atomic_store(VmContext* vm, TrapSite site, std::uint64_t index, const std::uint8_t* immediates, M value) {
  std::atomic_ref(resolve<M>(vm, site, index, immediates)).store(value);
}

template <Rmw kOperation, class M>
M atomic_rmw(VmContext* vm, TrapSite site, std::uint64_t index, const std::uint8_t* immediates, M value) {
  const std::atomic_ref cell(resolve<M>(vm, site, index, immediates));
  switch (kOperation) {
    case Rmw::add:
      return cell.fetch_add(value);
    case Rmw::sub:
      return cell.fetch_sub(value);
    case Rmw::and_:
      return cell.fetch_and(value);
    case Rmw::or_:
      return cell.fetch_or(value);
    case Rmw::xor_:
      return cell.fetch_xor(value);
    case Rmw::xchg:
      return cell.exchange(value);
  }
  __builtin_unreachable();
}

template <class M>
M atomic_compare_exchange(VmContext* vm, TrapSite site, std::uint64_t index, const std::uint8_t* immediates, M expected,
                          M replacement) {
  std::atomic_ref(resolve<M>(vm, site, index, immediates)).compare_exchange_strong(expected, replacement);
  return expected;
}

template <class M>
std::uint32_t atomic_wait(VmContext* vm, TrapSite site, std::uint64_t index, const std::uint8_t* immediates, M expected,
                          std::int64_t timeout) {
  M& cell = resolve<M>(vm, site, index, immediates);
  if (!Instance::from(vm)->memory(memory_of(immediates))->type().is_shared) {
    trap_at(vm, site, TrapCode::expected_shared_memory);
  }
  const auto until = end_of(timeout);
  for (;;) {
    const Parked parked = park(*vm->exec, &cell, expected, until);
    if (parked != Parked::interrupted) return static_cast<std::uint32_t>(parked);
    poll_slowly(vm, site);  // returns where the wish was stale
  }
}

std::uint32_t atomic_notify(VmContext* vm, TrapSite site, std::uint64_t index, const std::uint8_t* immediates,
                            std::uint32_t count) {
  const std::uint32_t& cell = resolve<std::uint32_t>(vm, site, index, immediates);
  // Nobody can wait at a memory that is not shared.
  return unpark(&cell, count);
}

#define WASI_ATOMIC_RMW(M)                                                                \
  template M atomic_rmw<Rmw::add, M>(VmContext * vm, TrapSite site, std::uint64_t index,  \
                                     const std::uint8_t* immediates, M value);            \
  template M atomic_rmw<Rmw::sub, M>(VmContext * vm, TrapSite site, std::uint64_t index,  \
                                     const std::uint8_t* immediates, M value);            \
  template M atomic_rmw<Rmw::and_, M>(VmContext * vm, TrapSite site, std::uint64_t index, \
                                      const std::uint8_t* immediates, M value);           \
  template M atomic_rmw<Rmw::or_, M>(VmContext * vm, TrapSite site, std::uint64_t index,  \
                                     const std::uint8_t* immediates, M value);            \
  template M atomic_rmw<Rmw::xor_, M>(VmContext * vm, TrapSite site, std::uint64_t index, \
                                      const std::uint8_t* immediates, M value);           \
  template M atomic_rmw<Rmw::xchg, M>(VmContext * vm, TrapSite site, std::uint64_t index, \
                                      const std::uint8_t* immediates, M value);
#define WASI_ATOMICS(M)                                                                                             \
  template M atomic_load<M>(VmContext * vm, TrapSite site, std::uint64_t index, const std::uint8_t* immediates);    \
  template void atomic_store<M>(VmContext * vm, TrapSite site, std::uint64_t index, const std::uint8_t* immediates, \
                                M);                                                                                 \
  template M atomic_compare_exchange<M>(VmContext * vm, TrapSite site, std::uint64_t index,                         \
                                        const std::uint8_t* immediates, M expected, M replacement);                 \
  WASI_ATOMIC_RMW(M)
WASI_ATOMICS(std::uint8_t)
WASI_ATOMICS(std::uint16_t)
WASI_ATOMICS(std::uint32_t)
WASI_ATOMICS(std::uint64_t)
#undef WASI_ATOMICS
#undef WASI_ATOMIC_RMW
template std::uint32_t atomic_wait<std::uint32_t>(VmContext* vm, TrapSite site, std::uint64_t index,
                                                  const std::uint8_t* immediates, std::uint32_t, std::int64_t);
template std::uint32_t atomic_wait<std::uint64_t>(VmContext* vm, TrapSite site, std::uint64_t index,
                                                  const std::uint8_t* immediates, std::uint64_t, std::int64_t);

}  // namespace wasi::runtime::calls
