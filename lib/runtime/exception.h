// Exceptions: what `throw` makes, what exnref points to, and how they reach the host.
// Source: https://webassembly.github.io/spec/core/exec/runtime.html#exception-instances
#pragma once

#include <wasi/trap.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "runtime/exec_state.h"
#include "runtime/frame.h"
#include "runtime/gc_heap_object.h"
#include "runtime/gc_heap_roots.h"

namespace wasi::runtime {

class Store;
struct Tag;

// An exception, an object of the store's heap: its tag, and behind it the tag's values as they lie in slots.
struct Exception {
  Object head;
  Tag* tag = nullptr;

  [[nodiscard]] Slot* values() { return reinterpret_cast<Slot*>(this + 1); }
};
static_assert(offsetof(Exception, tag) == sizeof(Object) && sizeof(Exception) == sizeof(Object) + sizeof(Slot));

// An exception in the host's hands, usually in a Trap, which keeps it alive. Any thread may let go of it.
class ThrownException {
 public:
  // `root` keeps it alive.
  ThrownException(Store& store, Exception& exception, std::shared_ptr<const HostRoot> root);
  ThrownException(Store& store, Exception& exception);

  // Null for exceptions of other stores, which may be gone.
  [[nodiscard]] Exception* in(const Store& store) const;
  [[nodiscard]] const std::shared_ptr<const HostRoot>& root() const { return root_; }

 private:
  std::shared_ptr<const void> store_;  // which store it is, for ever
  Exception* exception_;
  std::shared_ptr<const HostRoot> root_;
};

// An exception with the values in `slots`, which lie in roots (gc_heap.h); null when there is no memory for it.
Exception* try_make_exception(ExecState& exec, Tag& tag, const Slot* slots);

// What the host gets when nobody catches the exception: a message that names its tag and shows its values, and the
// backtrace from exec.top on.
Trap make_uncaught(ExecState& exec, Exception& exception);

// Makes exec.pending what make_uncaught would, where the host that threw left that to us.
void complete_uncaught(ExecState& exec);

// Throws exec.pending's exception out of the host function that just returned: sets exec.thrown. False where there
// is none of this store's.
bool throw_pending(ExecState& exec);

}  // namespace wasi::runtime
