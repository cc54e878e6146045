// Where the time went: what the phases of loading and running cost so far.
#pragma once

#include <wasi/detail/chrono.h>
#include <wasi/detail/export.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace wasi {

// One phase: how long it took and how many bytes it read.
struct PhaseMetrics {
  std::chrono::nanoseconds time{0};
  std::uint64_t bytes = 0;
};

// Loading of one module.
struct ModuleMetrics {
  PhaseMetrics decode;    // bytes: the whole module
  PhaseMetrics validate;  // bytes: bodies that were validated at load; lazy bodies count as translation
};

// Translation of bytecode into what a tier executes, of all modules of an engine.
struct TierMetrics {
  std::string_view tier;         // "interp", "baseline"; empty: of all together
  std::uint64_t functions = 0;   // translated so far: functions that are never called are not
  std::uint64_t uncompiled = 0;  // of these, interpreted since they could not be compiled
  PhaseMetrics translate;        // bytes: of Wasm bytecode
  std::uint64_t code_bytes = 0;
};

// A function that was compiled, or could not be.
struct TierChange {
  enum class Reason : std::uint8_t {
    first_call,  // compiled at its first call, or before it
    calls,       // time was spent in it
    loop,        // time was spent in a loop of it, which goes on in the machine code
    kept,        // it ran, and the cache is to have it for the next run
  };
  std::string_view tier = {};  // "baseline"
  Reason reason = Reason::first_call;
  std::uint64_t loop_offset = 0;   // of the `loop` instruction in the module's bytes
  bool in_background = false;      // by a thread of the engine's own
  std::chrono::nanoseconds at{0};  // since the engine was made: from then on calls get to the code
  std::chrono::nanoseconds took{0};
  std::string module = {};  // by its name section; empty: it has none
  std::string function = {};
  std::uint32_t function_index = 0;
  std::uint64_t body_bytes = 0;  // of Wasm bytecode
  std::string failure = {};      // why there is no machine code; empty: there is
};

// How often a compiler did better than the simplest code, in all that an engine compiled.
struct OptimisationCount {
  std::string_view tier;     // "baseline"
  std::string_view name;     // "pinned_locals"
  std::string_view counted;  // "locals that live in a register"
  std::uint64_t count = 0;
};

// The heap of a store's structures and arrays.
struct HeapMetrics {
  std::uint64_t collections = 0;
  std::uint64_t live_bytes = 0;      // found by the last collection
  std::uint64_t used_bytes = 0;      // of memory blocks with objects, dead ones included
  std::uint64_t reserved_bytes = 0;  // of address space
  std::uint64_t host_objects = 0;    // that HostObjects stand for, and the collector did not find dead
};

}  // namespace wasi
