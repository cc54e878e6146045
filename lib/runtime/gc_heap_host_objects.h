// What stands behind the objects of the host in a store's heap.
//
// Such an object is a cell that holds the address of its HostObject here, and guests have references to it which are
// tagged as no object (gc_heap_object.h), so that nothing takes it for a structure. The collector finds the cell dead,
// and puts the HostObject aside; it is destroyed when the host says so, since what the host's destructors do is not
// for the middle of an allocation.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>

#include "runtime/gc_heap_object.h"

namespace wasi::runtime {

class Blocks;

inline constexpr std::uint64_t kHostObjectBytes = 64;  // that each counts for, beside its own size

struct HostObject {
  std::shared_ptr<void> object;
  const void* type = nullptr;  // which C++ type it has, as the address of something that each type has its own of
  std::uint64_t bytes = 0;     // that it counts for
  Object* cell = nullptr;
  HostObject* next = nullptr;
};

// Owns them. Destruction is that of all, the host's included.
class HostObjects {
 public:
  HostObjects() = default;
  ~HostObjects();
  HostObjects(const HostObjects&) = delete;
  HostObjects& operator=(const HostObjects&) = delete;

  // `entry` has its cell.
  void add(std::unique_ptr<HostObject> entry);
  // After marking: what has no mark is dead. Allocates nothing.
  void find_dead(const Blocks& blocks);
  // Destroys one of those that are dead; false: there is none. Its destructor may do anything, come back here included.
  bool destroy_one();

  [[nodiscard]] bool has_dead() const { return dead_ != nullptr; }
  [[nodiscard]] std::uint64_t live() const { return live_; }    // how many
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }  // that they count for

 private:
  HostObject* alive_ = nullptr;
  HostObject* dead_ = nullptr;
  std::uint64_t live_ = 0;
  std::uint64_t bytes_ = 0;
};

}  // namespace wasi::runtime
