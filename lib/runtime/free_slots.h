// The room that is left on a store's Wasm stack.
#pragma once

#include <cstddef>
#include <cstdint>

#include "runtime/exec_state.h"

namespace wasi::runtime {

// How many slots are free from `base` on. A tier may keep its records on the same stack, growing downward
// from its end as the interpreter does: arguments must not be laid over them.
inline std::size_t free_slots(const ExecState& exec, const Slot* base) {
  auto end = reinterpret_cast<std::uintptr_t>(exec.stack_end);
  for (const Frame* frame = exec.top; frame != nullptr; frame = frame->caller) {
    const auto record = reinterpret_cast<std::uintptr_t>(frame);
    if (record >= reinterpret_cast<std::uintptr_t>(exec.stack_begin) && record < end) {
      end = record;
      break;
    }
  }
  const auto begin = reinterpret_cast<std::uintptr_t>(base);
  return begin < end ? (end - begin) / sizeof(Slot) : 0;
}

}  // namespace wasi::runtime
