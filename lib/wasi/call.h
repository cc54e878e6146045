// One call of a preview1 function: the program's state, the caller's memory, and the trap that may come of it.
//
// Functions of the embedder's run in the midst of calls: streams that end in them, the sink of traces. They may call
// the guest, which then grows its memory, closes descriptors, makes calls of its own. So a pointer into guest memory
// is good until the embedder is called and no longer, a descriptor is held by who uses it, and no lock that the guest
// can come to is held over such a call.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "runtime/host_function.h"
#include "runtime/memory.h"
#include "wasi/abi.h"
#include "wasi/state.h"

namespace wasi::preview1 {

struct Call {
  Context::State& state;
  runtime::HostCall& host;
  runtime::Memory* memory;     // null where the caller has none, or the function needs none
  std::optional<Trap> trap;    // set by a function that must not return to the guest
  CallTrace* trace = nullptr;  // where the call is traced

  // All of the guest's memory, as it is now.
  [[nodiscard]] std::span<std::uint8_t> bytes() const {
    return memory == nullptr ? std::span<std::uint8_t>() : memory->bytes();
  }
  // The guest's [address, address + size), or a null data pointer when it is not all inside. The sum cannot
  // overflow: both are compared before they are added.
  [[nodiscard]] std::uint8_t* range(std::uint64_t address, std::uint64_t size) const {
    const std::span<std::uint8_t> all = bytes();
    if (address > all.size() || size > all.size() - address) return nullptr;
    // A module without memory still has the empty range at 0.
    static std::uint8_t nothing;
    return all.empty() ? &nothing : all.data() + address;
  }

  // Set when the guest must stop: its deadline has passed, somebody interrupts it, or another thread has ended the
  // program. Functions that wait or loop ask between steps and return the error, which the guest will not see.
  [[nodiscard]] bool must_stop();
  // To be said before the call waits, for the trace. True when that called the embedder, after which much may be
  // different.
  [[nodiscard]] bool waits() const { return trace != nullptr && trace->waits(); }
};

// A range of guest memory that was found to be inside. It stays so, since memories never shrink; where it is has to be
// asked anew each time.
class GuestRange {
 public:
  GuestRange() = default;
  // EFAULT when it is not inside.
  Errno set(const Call& call, std::uint32_t address, std::uint64_t size) {
    call_ = &call;
    address_ = address;
    size_ = size;
    return call.range(address, size) != nullptr ? Errno::success : Errno::fault;
  }
  [[nodiscard]] std::uint8_t* data() const { return call_->range(address_, size_); }
  [[nodiscard]] std::uint32_t address() const { return address_; }

 private:
  const Call* call_ = nullptr;
  std::uint32_t address_ = 0;
  std::uint64_t size_ = 0;
};

}  // namespace wasi::preview1
