#include "runtime/gc_heap_host_objects.h"

#include "runtime/gc_heap_blocks.h"

namespace wasi::runtime {

HostObjects::~HostObjects() {
  for (HostObject** list : {&dead_, &alive_}) {
    while (HostObject* entry = *list) {
      *list = entry->next;
      delete entry;
    }
  }
}

void HostObjects::add(std::unique_ptr<HostObject> entry) {
  ++live_;
  bytes_ += entry->bytes;
  entry->next = alive_;
  alive_ = entry.release();
}

void HostObjects::find_dead(const Blocks& blocks) {
  for (HostObject** link = &alive_; *link != nullptr;) {
    HostObject* const entry = *link;
    if (blocks.is_marked(entry->cell)) {
      link = &entry->next;
      continue;
    }
    *link = entry->next;
    entry->cell = nullptr;
    entry->next = dead_;
    dead_ = entry;
    --live_;
    bytes_ -= entry->bytes;
  }
}

bool HostObjects::destroy_one() {
  if (dead_ == nullptr) return false;
  const std::unique_ptr<HostObject> entry(dead_);
  dead_ = entry->next;
  return true;
}

}  // namespace wasi::runtime
