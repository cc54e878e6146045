// Atomic accesses to linear memory, called by their handlers.
//
// Functions of their own, since a handler is exempt from the thread sanitizer (dispatch.h) and these must not be:
// they are what orders the accesses of threads.
// Source: https://github.com/WebAssembly/threads/blob/main/proposals/threads/Overview.md
#pragma once

#include <cstdint>

#include "runtime/vmcontext.h"

namespace wasi::interp {

using runtime::VmContext;

enum class Rmw : std::uint8_t { add, sub, and_, or_, xor_, xchg };

// An access names the instruction, its index (a whole slot), and where in the instruction its offset and the number of
// its memory stand. These travel one by one: a handler must not need a structure on the native stack
// (dispatch_tail.cc). All trap when the place is outside of the memory or not aligned. M: std::uint8_t to
// std::uint64_t.
template <class M>
[[gnu::noinline]] M atomic_load(const std::uint8_t* ip, VmContext* vm, std::uint64_t index,
                                const std::uint8_t* immediates);
template <class M>
[[gnu::noinline]] void atomic_store(const std::uint8_t* ip, VmContext* vm, std::uint64_t index,
                                    const std::uint8_t* immediates, M value);
// The old value.
template <Rmw kOperation, class M>
[[gnu::noinline]] M atomic_rmw(const std::uint8_t* ip, VmContext* vm, std::uint64_t index,
                               const std::uint8_t* immediates, M value);
template <class M>
[[gnu::noinline]] M atomic_compare_exchange(const std::uint8_t* ip, VmContext* vm, std::uint64_t index,
                                            const std::uint8_t* immediates, M expected, M replacement);

// 0: notified, 1: the value was another, 2: timed out. A negative timeout (nanoseconds) is none. Traps where the
// memory is not shared, and when the store is interrupted meanwhile.
template <class M>
[[gnu::noinline]] std::uint32_t atomic_wait(const std::uint8_t* ip, VmContext* vm, std::uint64_t index,
                                            const std::uint8_t* immediates, M expected, std::int64_t timeout);
[[gnu::noinline]] std::uint32_t atomic_notify(const std::uint8_t* ip, VmContext* vm, std::uint64_t index,
                                              const std::uint8_t* immediates, std::uint32_t count);

}  // namespace wasi::interp
