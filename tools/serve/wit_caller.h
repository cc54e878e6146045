// What every host function of Spin's and of slight's interfaces needs of its caller: the request that its store is for,
// and the guest's memory.
#pragma once

#include <wasi/caller.h>

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

#include "tools/serve/wit_memory.h"

namespace wasirun::serve {

// The most that one call may pass, in bytes: of strings, keys, bodies.
inline constexpr std::uint64_t kWitArgumentLimit = std::uint64_t{64} << 20;

// `Call`: what the data of the guest's store points to.
template <class Call>
struct WitCaller {
  Call& call;
  WitMemory memory;
  LiftBudget budget = LiftBudget(kWitArgumentLimit);

  static std::expected<WitCaller, wasi::Trap> of(const wasi::Caller& caller) {
    Call* const* const call = caller.data<Call*>();
    if (call == nullptr) return std::unexpected(host_trap("called by no guest of these interfaces"));
    auto memory = WitMemory::of(caller);
    if (!memory) return std::unexpected(std::move(memory).error());
    return WitCaller{.call = **call, .memory = *std::move(memory)};
  }
  // A string of the guest's, which messages call `what`, or a trap.
  std::expected<std::string, wasi::Trap> text(WitList list, std::string_view what) {
    auto lifted = memory.lift_string(list, budget, what);
    if (!lifted) return std::unexpected(host_trap(std::move(lifted).error()));
    return *std::move(lifted);
  }
};

}  // namespace wasirun::serve
