// What keeps objects alive from outside of the heap. The whole list is Store::mark_roots.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "runtime/frame.h"
#include "runtime/gc_heap_object.h"

namespace wasi::runtime {

class GcHeap;

// References that the host holds. Shared between a heap and the handles, which may outlive it; any thread may let go of
// a handle.
class HostRoots {
 public:
  std::uint32_t add(std::uint64_t reference);
  void remove(std::uint32_t index);
  template <class F>
  void visit(F&& each) {
    const std::lock_guard lock(mutex_);
    for (const std::uint64_t reference : references_) each(reference);
  }

 private:
  std::mutex mutex_;
  std::vector<std::uint64_t> references_;  // 0 where there is none
  std::vector<std::uint32_t> free_;
};

// What says of a reference in the host's hands which store it is of. That of an object is one of the roots, for as long
// as this lives; all functions of a store share one, which keeps nothing alive (Store::function_root).
class HostRoot {
 public:
  HostRoot() = default;  // of functions
  HostRoot(std::shared_ptr<HostRoots> roots, std::uint64_t reference)
      : roots_(std::move(roots)), kind_(cell_of(reference)->type.kind()), index_(roots_->add(reference)) {}
  ~HostRoot() {
    if (roots_ != nullptr) roots_->remove(index_);
  }
  HostRoot(const HostRoot&) = delete;
  HostRoot& operator=(const HostRoot&) = delete;
  [[nodiscard]] const HostRoots* roots() const { return roots_.get(); }
  // What the reference points to, also when its store is gone; `none`: a function.
  [[nodiscard]] ObjectKind kind() const { return kind_; }

 private:
  std::shared_ptr<HostRoots> roots_;
  ObjectKind kind_ = ObjectKind::none;
  std::uint32_t index_ = 0;
};

// Values in a C++ function that allocates: whatever the vector holds while this exists stays alive.
class RootScope {
 public:
  RootScope(GcHeap& heap, const std::vector<Slot>& values);
  ~RootScope();
  RootScope(const RootScope&) = delete;
  RootScope& operator=(const RootScope&) = delete;

 private:
  friend class GcHeap;
  GcHeap& heap_;
  const std::vector<Slot>& values_;
  RootScope* outer_;
};

}  // namespace wasi::runtime
