#include "runtime/interruption.h"

#include <pthread.h>

#include <mutex>

#include "runtime/exec_state.h"
#include "runtime/sample_interrupt.h"

namespace wasi::runtime {

namespace {

// Protects the links from outer to inner stores: interrupts from other threads follow them. Calls from store to store
// are rare, so one for all is enough.
std::mutex& links() {
  static auto* const mutex = [] {
    // A child that is forked meanwhile must not find it locked for ever.
    pthread_atfork([] { links().lock(); }, [] { links().unlock(); }, [] { links().unlock(); });
    return new std::mutex;
  }();
  return *mutex;
}

}  // namespace

void prepare_interrupts() { static_cast<void>(links()); }

void set_interrupt(ExecState& exec, std::uint32_t bits) {
  exec.interrupt.fetch_or(bits);
  exec.stack_limit.store(kRaisedStackLimit);
}

void set_stack_limit(ExecState& exec, std::uintptr_t limit) {
  exec.stack_limit.store(limit);
  if (exec.interrupt.load() != 0) exec.stack_limit.store(kRaisedStackLimit);
}

void interrupt(ExecState& exec, std::uint32_t bits) {
  wake_with(exec, bits);
  const std::lock_guard lock(links());
  struct Walk {
    static void visit(ExecState& outer, std::uint32_t bits) {
      for (NestedCall* call = outer.nested; call != nullptr; call = call->previous_) {
        const std::uint32_t for_inner =
            (bits & kInterruptDeadline) | (bits != kInterruptDeadline ? kInterruptOuter : 0);
        // Stores may call each other in a circle.
        if ((call->inner_.interrupt.load() & for_inner) == for_inner) continue;
        wake_with(call->inner_, for_inner);
        visit(call->inner_, for_inner);
      }
    }
  };
  Walk::visit(exec, bits);
}

NestedCall::NestedCall(ExecState& outer, ExecState& inner)
    : outer_(outer), inner_(inner), outer_deadline_(inner.outer_deadline) {
  const std::lock_guard lock(links());
  previous_ = outer.nested;
  outer.nested = this;
  was_interrupted_ = (inner.interrupt.load() & kInterruptOuter) != 0;
  was_outer_watched_ = inner.is_outer_watched;
  inner.is_outer_watched = was_outer_watched_ && outer.is_outer_watched && (!outer.own_deadline || outer.is_watched);
  inner.outer_deadline = earlier(inner.outer_deadline, outer.deadline);
  inner.deadline = earlier(inner.own_deadline, inner.outer_deadline);
  const std::uint32_t pending = outer.interrupt.load();
  const std::uint32_t stops = pending & kInterruptStops & ~kInterruptDeadline;
  // Whether a deadline has passed, the poll finds out.
  const std::uint32_t for_inner = (pending & kInterruptDeadline) | (stops != 0 ? kInterruptOuter : 0);
  if (for_inner != 0) set_interrupt(inner, for_inner);
}

NestedCall::~NestedCall() {
  const std::lock_guard lock(links());
  outer_.nested = previous_;
  inner_.outer_deadline = outer_deadline_;
  inner_.is_outer_watched = was_outer_watched_;
  inner_.deadline = earlier(inner_.own_deadline, outer_deadline_);
  if (!was_interrupted_) inner_.interrupt.fetch_and(~kInterruptOuter);
}

}  // namespace wasi::runtime
