#include "runtime/gc_heap_mark.h"

#include <bit>

namespace wasi::runtime {

namespace {
// How many objects are on their way into the cache while others are followed.
constexpr std::uint32_t kAhead = 8;
}  // namespace

void Marker::follow(Object& object) {
  const TypeLayout& layout = layouts_[object.type.id().value];
  if (!layout.has_references) return;
  Slot* words = object.words();
  if (object.type.kind() == ObjectKind::array) {
    for (std::uint32_t i = 0; i < object.length; ++i) visit(words[i].u64);
    return;
  }
  for (std::uint64_t left = layout.references; left != 0; left &= left - 1) {
    visit(words[std::countr_zero(left)].u64);
  }
  if (layout.more == nullptr) return;
  for (const std::uint32_t word : *layout.more) visit(words[word].u64);
}

void Marker::drain() {
  Object* ahead[kAhead];
  std::uint32_t first = 0;
  std::uint32_t count = 0;
  for (;;) {
    while (count < kAhead && !found_.empty()) {
      Object* next = found_.back();
      found_.pop_back();
      __builtin_prefetch(next);
      ahead[(first + count++) % kAhead] = next;
    }
    if (count == 0) return;
    Object* object = ahead[first];
    first = (first + 1) % kAhead;
    --count;
    follow(*object);
  }
}

// Each round over all marked objects marks another one at least, or is the last.
void Marker::finish() {
  drain();
  while (is_short_of_memory_) {
    is_short_of_memory_ = false;
    blocks_.for_each_marked([this](Object& object) {
      if (object.type.kind() != ObjectKind::host) follow(object);
      drain();
    });
  }
}

}  // namespace wasi::runtime
