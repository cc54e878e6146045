#include "interp/atomics.h"

#include <atomic>
#include <chrono>
#include <limits>
#include <optional>

#include "interp/slow_path.h"
#include "runtime/exec_state.h"
#include "runtime/instance.h"
#include "runtime/parking.h"

namespace wasi::interp {

using runtime::Parked;

namespace {

template <class M>
M& resolve(const AtomicPlace& place) {
  std::uint8_t* address = address_in_memory(place.ip, place.vm, place.memory, place.index, place.offset, sizeof(M));
  if (reinterpret_cast<std::uintptr_t>(address) % sizeof(M) != 0) {
    trap_at(place.ip, place.vm, TrapCode::unaligned_atomic);
  }
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
M atomic_load(const AtomicPlace& place) {
  return std::atomic_ref(resolve<M>(place)).load();
}

template <class M>
void atomic_store(const AtomicPlace& place, M value) {
  std::atomic_ref(resolve<M>(place)).store(value);
}

template <Rmw kOperation, class M>
M atomic_rmw(const AtomicPlace& place, M value) {
  const std::atomic_ref cell(resolve<M>(place));
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
M atomic_compare_exchange(const AtomicPlace& place, M expected, M replacement) {
  std::atomic_ref(resolve<M>(place)).compare_exchange_strong(expected, replacement);
  return expected;
}

template <class M>
std::uint32_t atomic_wait(const AtomicPlace& place, M expected, std::int64_t timeout) {
  M& cell = resolve<M>(place);
  if (!runtime::Instance::from(place.vm)->memory(place.memory)->type().is_shared) {
    trap_at(place.ip, place.vm, TrapCode::expected_shared_memory);
  }
  const auto until = end_of(timeout);
  for (;;) {
    const Parked parked = runtime::park(*place.vm->exec, &cell, expected, until);
    if (parked != Parked::interrupted) return static_cast<std::uint32_t>(parked);
    poll_slowly(place.ip, place.vm);  // returns where the wish was stale
  }
}

std::uint32_t atomic_notify(const AtomicPlace& place, std::uint32_t count) {
  const std::uint32_t& cell = resolve<std::uint32_t>(place);
  // Nobody can wait at a memory that is not shared.
  return runtime::unpark(&cell, count);
}

#define WASI_ATOMIC_RMW(M)                                                \
  template M atomic_rmw<Rmw::add, M>(const AtomicPlace& place, M value);  \
  template M atomic_rmw<Rmw::sub, M>(const AtomicPlace& place, M value);  \
  template M atomic_rmw<Rmw::and_, M>(const AtomicPlace& place, M value); \
  template M atomic_rmw<Rmw::or_, M>(const AtomicPlace& place, M value);  \
  template M atomic_rmw<Rmw::xor_, M>(const AtomicPlace& place, M value); \
  template M atomic_rmw<Rmw::xchg, M>(const AtomicPlace& place, M value);
#define WASI_ATOMICS(M)                                                                       \
  template M atomic_load<M>(const AtomicPlace& place);                                        \
  template void atomic_store<M>(const AtomicPlace& place, M);                                 \
  template M atomic_compare_exchange<M>(const AtomicPlace& place, M expected, M replacement); \
  WASI_ATOMIC_RMW(M)
WASI_ATOMICS(std::uint8_t)
WASI_ATOMICS(std::uint16_t)
WASI_ATOMICS(std::uint32_t)
WASI_ATOMICS(std::uint64_t)
#undef WASI_ATOMICS
#undef WASI_ATOMIC_RMW
template std::uint32_t atomic_wait<std::uint32_t>(const AtomicPlace& place, std::uint32_t, std::int64_t);
template std::uint32_t atomic_wait<std::uint64_t>(const AtomicPlace& place, std::uint64_t, std::int64_t);

}  // namespace wasi::interp
