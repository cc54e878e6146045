// Marking: everything that can be reached from what it is shown. Iterative, so lists may be of any length.
#pragma once

#include <cstdint>
#include <new>
#include <vector>

#include "runtime/gc_heap_blocks.h"
#include "runtime/gc_heap_layout.h"
#include "runtime/gc_heap_object.h"

namespace wasi::runtime {

class Marker {
 public:
  Marker(Blocks& blocks, const TypeLayout* layouts) : blocks_(blocks), layouts_(layouts) {}

  // A reference of the any, extern or exn hierarchy.
  void visit(std::uint64_t reference) {
    if (!is_object(reference)) {
      if (is_host_object(reference)) [[unlikely]]
        blocks_.mark(cell_of(reference));
      return;
    }
    Object* object = object_of(reference);
    if (blocks_.mark(object)) remember(object);
  }
  // Any number: a reference if there is an object at that address.
  void visit_conservatively(std::uint64_t value) {
    mark_found(blocks_.find_object(is_host_object(value) ? value - kHostObjectTag : value));
  }
  // The same if the address lies in an object: machine code may have kept no other pointer to it.
  void visit_interior(std::uint64_t value) { mark_found(blocks_.find_object_around(value)); }
  // Follows everything that was found.
  void finish();

 private:
  void mark_found(Object* object) {
    if (object == nullptr || !blocks_.mark(object)) return;
    if (object->type.kind() != ObjectKind::host) remember(object);  // those refer to nothing
  }
  void remember(Object* object) {
    try {
      found_.push_back(object);
    } catch (const std::bad_alloc&) {
      is_short_of_memory_ = true;
    }
  }
  void drain();
  void follow(Object& object);

  Blocks& blocks_;
  const TypeLayout* layouts_;
  std::vector<Object*> found_;       // marked, not followed yet
  bool is_short_of_memory_ = false;  // there are others of which no list could be kept
};

}  // namespace wasi::runtime
