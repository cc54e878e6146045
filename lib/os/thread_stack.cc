// Bounds of the native stack, from pthread attributes.

#include "os/thread_stack.h"

#include <pthread.h>

namespace wasi::os {

namespace {

thread_local StackBounds cached_bounds;

[[gnu::noinline, gnu::cold]] void read_bounds() {
  pthread_attr_t attributes;
  if (pthread_getattr_np(pthread_self(), &attributes) != 0) return;
  void* low = nullptr;
  std::size_t size = 0;
  std::size_t guard = 0;
  if (pthread_attr_getstack(&attributes, &low, &size) == 0) {
    // For threads that pthread_create made, some C libraries count the guard as a part of the stack.
    pthread_attr_getguardsize(&attributes, &guard);
    if (guard >= size) guard = 0;
    cached_bounds.low = reinterpret_cast<std::uintptr_t>(low) + guard;
    cached_bounds.high = reinterpret_cast<std::uintptr_t>(low) + size;
  }
  pthread_attr_destroy(&attributes);
}

}  // namespace

const StackBounds& current_thread_stack() {
  if (cached_bounds.high == 0) [[unlikely]]
    read_bounds();
  return cached_bounds;
}

}  // namespace wasi::os
