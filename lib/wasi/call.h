// One call of a preview1 function: the program's state, the caller's memory, and the trap that may come of it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "runtime/host_function.h"
#include "wasi/abi.h"
#include "wasi/state.h"

namespace wasi::preview1 {

struct Call {
  Context::State& state;
  runtime::HostCall& host;
  std::span<std::uint8_t> memory;  // empty where the caller has none
  std::optional<Trap> trap;        // set by a function that must not return to the guest
  CallTrace* trace = nullptr;      // where the call is traced

  // The guest's [address, address + size), or a null data pointer when it is not all inside. The sum cannot
  // overflow: both are compared before they are added.
  [[nodiscard]] std::uint8_t* range(std::uint64_t address, std::uint64_t size) const {
    if (address > memory.size() || size > memory.size() - address) return nullptr;
    // A module without memory still has the empty range at 0.
    static std::uint8_t nothing;
    return memory.empty() ? &nothing : memory.data() + address;
  }

  // Set when the guest must stop: its deadline has passed, somebody interrupts it, or another thread has ended the
  // program. Functions that wait or loop ask between steps and return the error, which the guest will not see.
  [[nodiscard]] bool must_stop();
  // To be said before the call waits, for the trace.
  void waits() const {
    if (trace != nullptr) [[unlikely]]
      trace->waits();
  }
};

}  // namespace wasi::preview1
