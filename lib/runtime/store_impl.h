// What a store owns. Deques and pointers: objects never move, since guests hold their addresses.
#pragma once

#include <deque>
#include <memory>
#include <vector>

#include "os/virtual_memory.h"
#include "runtime/gc_heap.h"
#include "runtime/instance.h"
#include "runtime/register_entry.h"
#include "runtime/store.h"

namespace wasi::runtime {

struct Store::Impl {
  os::Reservation stack;
  std::vector<wasm::TypeRef> types;  // of the objects, some of which belong to no instance
  std::vector<std::unique_ptr<Memory>> memories;
  std::vector<std::unique_ptr<Table>> tables;
  std::deque<Global> globals;
  std::deque<Tag> tags;
  std::deque<HostFunction> host_functions;
  std::vector<std::unique_ptr<HostFunction[]>> known_host_functions;
  std::vector<std::unique_ptr<Instance>> instances;
  std::shared_ptr<const void> identity = std::make_shared<char>();
  std::shared_ptr<const HostRoot> function_root = std::make_shared<const HostRoot>();
  std::unique_ptr<GcHeap> heap;
  std::vector<Tier*> tiers;        // of the instances, each once
  std::uint64_t memory_bytes = 0;  // of the limit
  std::uint64_t object_bytes = 0;  // some of which count
  std::uint64_t code_bytes = 0;    // the same
  bool uses_guard_pages = false;
  OutermostEntry outermost;

  Memory* add(std::unique_ptr<Memory> memory) {
    uses_guard_pages |= memory->checks() == BoundsChecks::guard_pages;
    return memories.emplace_back(std::move(memory)).get();
  }
};

}  // namespace wasi::runtime
