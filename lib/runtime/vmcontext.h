// THE instance layout that running code sees: interpreter handlers and machine code reach memories,
// globals, tables and the runtime through it and nothing else. Offsets come from offsetof.
//
// A VmContext is the head of an Instance (instance.h); arrays behind its pointers are fixed in place
// for the instance's life.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "runtime/code_entry.h"
#include "runtime/frame.h"
#include "wasm/types.h"

namespace wasi::runtime {

struct ExecState;
struct FuncRef;

// An i32 leaves the slot's high half undefined, an i64 fills it: so instructions that serve both address types
// take the whole slot and mask it.
inline constexpr std::uint64_t kIndexMask32 = UINT32_MAX;
inline constexpr std::uint64_t kIndexMask64 = UINT64_MAX;
constexpr std::uint64_t index_mask(wasm::AddressType type) {
  return type == wasm::AddressType::i64 ? kIndexMask64 : kIndexMask32;
}

// The running part of a linear memory, shared by every instance that imports it.
// `base` never changes for a guarded or a shared memory; others may move when they grow.
struct MemoryView {
  std::uint8_t* base = nullptr;
  // Multiple of the memory's page size. Other threads may grow a shared memory at any time.
  std::atomic<std::uint64_t> byte_size{0};
  std::uint64_t index_mask = kIndexMask32;  // what counts of a slot that holds an address
  std::uint8_t page_log2 = wasm::kPageLog2;

  [[nodiscard]] std::uint64_t size() const { return byte_size.load(std::memory_order_relaxed); }
};

// The running part of a table.
struct TableView {
  void** elements = nullptr;  // FuncRef* for function tables, else reference values; null is 0
  std::uint64_t size = 0;
  std::uint64_t index_mask = kIndexMask32;
};

struct VmContext {
  MemoryView* memory0 = nullptr;  // memories[0]; a view of size 0 where there is none
  ExecState* exec = nullptr;      // the store's
  MemoryView** memories = nullptr;
  TableView** tables = nullptr;
  Slot** globals = nullptr;  // each global's cell (two slots for v128), own or imported
  FuncRef** imported_functions = nullptr;
  FunctionCode* functions = nullptr;        // the module's, by FuncIndex minus imported functions
  const std::uint32_t* type_ids = nullptr;  // canonical TypeId values by TypeIndex
  FuncRef* func_refs = nullptr;             // by FuncIndex minus imported functions; code == nullptr: not made yet
};

}  // namespace wasi::runtime
