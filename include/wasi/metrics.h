// Where the time went: what the phases of loading and running cost so far.
#pragma once

#include <chrono>
#include <cstdint>

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
  std::uint64_t functions = 0;   // translated so far: functions that are never called are not
  std::uint64_t uncompiled = 0;  // of these, interpreted since they could not be compiled
  PhaseMetrics translate;        // bytes: of Wasm bytecode
  std::uint64_t code_bytes = 0;
};

// The heap of a store's structures and arrays.
struct HeapMetrics {
  std::uint64_t collections = 0;
  std::uint64_t live_bytes = 0;      // found by the last collection
  std::uint64_t used_bytes = 0;      // of memory blocks with objects, dead ones included
  std::uint64_t reserved_bytes = 0;  // of address space
};

}  // namespace wasi
