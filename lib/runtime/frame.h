// THE frame: what a Wasm call in progress looks like, in every tier.
//
// A frame's values are an array of 8-byte slots on the store's Wasm stack: parameters first, then the
// other locals, then the operand stack at the heights that validation computed (validate::Operand::slot
// counts from the first slot behind the locals). A v128 takes two slots. That place of a value is its
// *canonical slot*. A caller lays arguments where the callee's first slots will be, so nothing is copied
// at a call; results come back from the same first slot on.
//
// A slot holds an i32 or f32 in its low half, the high half is anything; references are pointers, null is 0.
//
// The record of a call (who was called, where it continues) is not among the slots, since arguments
// and operands would have to be moved around it: records form a linked list, newest first, through
// ExecState::top. Backtraces, Caller and later the collector and the debugger walk that list.
#pragma once

#include <cstdint>

namespace wasi::runtime {

struct VmContext;
struct FunctionCode;

union Slot {
  std::uint64_t u64;
  std::int64_t s64;
  std::uint32_t u32;
  std::int32_t s32;
  double f64;
  float f32;
  void* ref;
};
static_assert(sizeof(Slot) == 8);

// The record of one call in progress.
struct Frame {
  Frame* caller = nullptr;           // the next older record; null at the bottom of the store's stack
  VmContext* instance = nullptr;     // the callee's; null for a host function
  FunctionCode* function = nullptr;  // the callee
  Slot* slots = nullptr;             // its first slot
  // Where the tier continues, in the tier's own terms (interpreter: address of the next instruction),
  // written before whatever may call out or trap. Store::tier_of tells whose it is.
  const void* resume = nullptr;
};

}  // namespace wasi::runtime
