#include "binary/allocation_meter.h"

#include <malloc.h>

#include <algorithm>
#include <cstdlib>
#include <new>

namespace {

thread_local std::size_t live = 0;
thread_local std::size_t highest = 0;

}  // namespace

void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  void* memory = std::malloc(size == 0 ? 1 : size);
  if (memory == nullptr) return nullptr;
  live += malloc_usable_size(memory);
  highest = std::max(highest, live);
  return memory;
}

void* operator new(std::size_t size) {
  void* memory = operator new(size, std::nothrow);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

void operator delete(void* memory) noexcept {
  if (memory == nullptr) return;
  live -= malloc_usable_size(memory);
  std::free(memory);
}

void operator delete(void* memory, std::size_t) noexcept { operator delete(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { operator delete(memory); }

namespace wasi::test {

AllocationMeter::AllocationMeter() : start_(live) { highest = live; }

// Memory freed here but allocated elsewhere makes `live` wrap around; differences stay right.
std::size_t AllocationMeter::peak() const { return highest - start_; }

}  // namespace wasi::test
