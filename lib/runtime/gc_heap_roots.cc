// The roots of a store. References stand
//  - in frames: every slot up to the newest frame's end is taken for one if an object begins there, since slots do not
//    say what they hold. Running code keeps nothing in registers alone where it may allocate;
//  - in the native frames of machine code, where a pointer into an object counts, too. All that lives on across a call
//    stands there: a register that holds a local which is a reference holds a copy;
//  - in ExecState::thrown, while an exception is on its way;
//  - in globals, tables and evaluated element segments, whose types say whether they do;
//  - in the host's hands: handles, and C++ functions between two allocations (RootScope).
#include "runtime/gc_heap_roots.h"

#include <algorithm>

#include "runtime/gc_heap.h"
#include "runtime/gc_heap_mark.h"
#include "runtime/instance_private.h"
#include "runtime/module_code.h"
#include "runtime/native_span.h"
#include "runtime/store_impl.h"

namespace wasi::runtime {

std::uint32_t HostRoots::add(std::uint64_t reference) {
  const std::lock_guard lock(mutex_);
  if (free_.empty()) {
    // Letting go of all of them must not need memory.
    if (free_.capacity() <= references_.size()) free_.reserve(2 * references_.size() + 1);
    references_.push_back(reference);
    return static_cast<std::uint32_t>(references_.size() - 1);
  }
  const std::uint32_t index = free_.back();
  free_.pop_back();
  references_[index] = reference;
  return index;
}

void HostRoots::remove(std::uint32_t index) {
  const std::lock_guard lock(mutex_);
  references_[index] = 0;
  free_.push_back(index);
}

RootScope::RootScope(GcHeap& heap, const std::vector<Slot>& values)
    : heap_(heap), values_(values), outer_(std::exchange(heap.scopes_, this)) {}

RootScope::~RootScope() { heap_.scopes_ = outer_; }

void GcHeap::mark_own_roots(Marker& marker) const {
  host_roots_->visit([&](std::uint64_t reference) { marker.visit(reference); });
  for (const RootScope* scope = scopes_; scope != nullptr; scope = scope->outer_) {
    for (const Slot value : scope->values_) marker.visit_conservatively(value.u64);
  }
}

namespace {

// Behind the last slot that any call in progress uses.
const Slot* end_of_slots(const ExecState& exec) {
  const Slot* end = exec.free_slot;
  for (const Frame* frame = exec.top; frame != nullptr; frame = frame->caller) {
    if (frame->function == nullptr || frame->function->module == nullptr) continue;
    return std::max(end, frame->function->module->tier->frame_end(*frame));
  }
  return end;
}

}  // namespace

// The words between where machine code left and the adapter that entered it.
void Store::mark_native_roots(Marker& marker) const {
  std::uintptr_t stack_pointer = exec_.native_sp;
  for (const NativeSpan* span = exec_.native_span; span != nullptr; span = span->previous) {
    const auto end = reinterpret_cast<std::uintptr_t>(span->entry_frame);
    for (std::uintptr_t at = stack_pointer; at < end; at += sizeof(std::uint64_t)) {
      marker.visit_interior(*reinterpret_cast<const std::uint64_t*>(at));
    }
    if (span->previous != nullptr) stack_pointer = span->previous->stack_pointer;
  }
}

void Store::mark_roots(Marker& marker) {
  const Slot* end = std::min<const Slot*>(end_of_slots(exec_), exec_.stack_end);
  for (const Slot* slot = exec_.stack_begin; slot < end; ++slot) marker.visit_conservatively(slot->u64);
  mark_native_roots(marker);
  marker.visit(reinterpret_cast<std::uint64_t>(exec_.thrown));
  for (const Global& global : impl_->globals) {
    if (is_traced(*registry_, global.type.type)) marker.visit(global.cell[0].u64);
  }
  for (const auto& table : impl_->tables) {
    if (!is_traced(*registry_, table->type.element)) continue;
    for (std::uint64_t i = 0; i < table->view.size; ++i) {
      marker.visit(reinterpret_cast<std::uint64_t>(table->view.elements[i]));
    }
  }
  for (const auto& instance : impl_->instances) {
    for (const std::vector<Slot>& segment : instance->priv->element_values) {
      for (const Slot value : segment) marker.visit(value.u64);
    }
  }
}

}  // namespace wasi::runtime
