// What keeps objects alive from outside of the heap. The whole list is Store::mark_roots.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "runtime/frame.h"

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

// One of them, for as long as this lives.
class HostRoot {
 public:
  HostRoot(std::shared_ptr<HostRoots> roots, std::uint64_t reference)
      : roots_(std::move(roots)), index_(roots_->add(reference)) {}
  ~HostRoot() { roots_->remove(index_); }
  HostRoot(const HostRoot&) = delete;
  HostRoot& operator=(const HostRoot&) = delete;
  [[nodiscard]] const HostRoots* roots() const { return roots_.get(); }

 private:
  std::shared_ptr<HostRoots> roots_;
  std::uint32_t index_;
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
