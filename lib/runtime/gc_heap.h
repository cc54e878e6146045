// The heap of a store: structures, arrays and exceptions. A mark and sweep collector that moves nothing.
//
// One job per file: gc_heap_object.h what references and objects look like, gc_heap_layout.h what is known of their
// types, gc_heap_cells.h and gc_heap_blocks.h their memory, gc_heap_host_objects.h those of the host, gc_heap_mark.h
// and gc_heap_roots.h what stays alive; here when it happens. Everything belongs to one store and is used by one thread
// at a time.
//
// Whoever allocates: an allocation may collect, so whatever is still needed stands in a slot of a frame, in another
// root, or in a RootScope. What an allocation gave is written completely, or cleared, before the next one.
// ExecState::top is the record of the function that runs.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "runtime/gc_heap_blocks.h"
#include "runtime/gc_heap_host_objects.h"
#include "runtime/gc_heap_layout.h"
#include "runtime/gc_heap_object.h"
#include "runtime/gc_heap_roots.h"

namespace wasi::runtime {

class Marker;
class Store;

struct GcOptions {
  std::uint64_t limit_bytes = UINT64_MAX;  // of blocks, which are 64 KiB each
  bool is_stressed = false;                // collect at every allocation
};

struct GcStatistics {
  std::uint64_t collections = 0;
  std::uint64_t live_bytes = 0;      // found by the last collection
  std::uint64_t used_bytes = 0;      // of blocks with objects, dead ones included
  std::uint64_t reserved_bytes = 0;  // of address space
  std::uint64_t host_objects = 0;    // not found dead
};

class GcHeap {
 public:
  GcHeap(Store& store, GcOptions options);
  ~GcHeap();
  GcHeap(const GcHeap&) = delete;
  GcHeap& operator=(const GcHeap&) = delete;

  // The types of which objects will be made, behind their supertypes. Functions among them are left out.
  void add_types(std::span<const wasm::TypeId> types);
  // The type of a tag, before exceptions with it are made.
  void add_exception_type(wasm::TypeId type);

  // Objects whose contents are zero; null when the heap is full. The types have been added. Of an exception, words()[0]
  // is to hold its Tag's address; the values of the tag's type follow, in as many words as they take slots.
  Object* allocate_structure(wasm::TypeId type);
  Object* allocate_array(wasm::TypeId type, std::uint32_t length);
  Object* allocate_exception(wasm::TypeId type);
  // A reference to an object of the host with this type (HostObject::type), which takes `size` bytes; 0 when the heap
  // is full.
  std::uint64_t allocate_host_object(std::shared_ptr<void> object, const void* type, std::uint64_t size);
  // Destroys those of them that were found dead. Their destructors may do whatever host functions may, which is why
  // they wait for this: collections only ask for it (Store::ask_to_settle).
  void destroy_dead_host_objects();
  // Memory for an object whose contents are anything: the caller writes all of it.
  std::uint8_t* take(std::uint64_t bytes) {
    const std::uint32_t size_class = size_class_of(bytes);
    Cursor& cursor = state_.cursors[size_class];
    const std::uint64_t cell = size_class == kLargeClass ? bytes : cell_bytes_of(size_class);
    if (static_cast<std::uint64_t>(cursor.end - cursor.next) < cell) return take_slowly(bytes);
    std::uint8_t* memory = cursor.next;
    cursor.next += cell;
    return memory;
  }
  // The same where no cursor has room: collects when it is time to.
  std::uint8_t* take_slowly(std::uint64_t bytes);

  // Keeps an object alive while the handle exists.
  [[nodiscard]] std::shared_ptr<const HostRoot> keep(std::uint64_t reference) const;
  // Whether the handle is one of this heap's.
  [[nodiscard]] bool is_own(const HostRoot& root) const { return root.roots() == host_roots_.get(); }

  void collect();
  [[nodiscard]] GcStatistics statistics() const;
  [[nodiscard]] const TypeLayouts& layouts() const { return layouts_; }

 private:
  friend class RootScope;
  std::uint8_t* take_from_blocks(std::uint32_t size_class, std::uint64_t bytes);
  void mark_own_roots(Marker& marker) const;  // gc_heap_roots.cc

  Store& store_;
  GcState& state_;
  GcOptions options_;
  TypeLayouts layouts_;
  Blocks blocks_;
  HostObjects host_objects_;
  std::shared_ptr<HostRoots> host_roots_ = std::make_shared<HostRoots>();
  RootScope* scopes_ = nullptr;
  std::uint64_t budget_;  // bytes that may still be handed out before the next collection
  std::uint64_t collections_ = 0;
};

}  // namespace wasi::runtime
