// The part of an instance that only instance.cc and its making see.
#pragma once

#include <vector>

#include "os/virtual_memory.h"
#include "runtime/instance.h"

namespace wasi::runtime {

struct Instance::Private {
  os::ZeroedArray<FuncRef> func_refs;  // of the functions that are not imported; code == nullptr: not made yet
  // The arrays behind VmContext's pointers.
  MemoryView no_memory;
  std::vector<MemoryView*> memory_views;
  std::vector<TableView*> table_views;
  std::vector<Slot*> global_cells;
  std::vector<bool> dropped_data;
  std::vector<bool> dropped_elements;
  // Of segments that hold references to objects, until they are dropped: their expressions are evaluated once.
  std::vector<std::vector<Slot>> element_values;
  Memory* default_memory = nullptr;
  bool knows_default_memory = false;
};

}  // namespace wasi::runtime
