// An instance: a module's code bound to the objects of a store.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

#include "runtime/store.h"
#include "runtime/vmcontext.h"
#include "wasm/module.h"

namespace wasi::runtime {

// Of standard layout, with `vm` first: a VmContext* is an Instance*.
class Instance {
 public:
  VmContext vm;

  static Instance* from(VmContext* vm) { return reinterpret_cast<Instance*>(vm); }

  [[nodiscard]] const wasm::Module& module() const { return *code->module; }
  [[nodiscard]] std::optional<External> find_export(std::string_view name);
  [[nodiscard]] External export_at(std::size_t index);
  // The function as a value, made at first use; the pointer is unique per function and instance.
  FuncRef* func_ref(wasm::FuncIndex function);
  // Null where the module has no memory.
  [[nodiscard]] Memory* memory(std::uint32_t index) const {
    return index < memories.size() ? memories[index] : nullptr;
  }

  // What the segment instructions need; a dropped segment has size zero.
  // They return false for an out-of-bounds access (nothing written).
  bool memory_init(std::uint32_t memory, std::uint32_t segment, std::uint64_t dst, std::uint32_t src,
                   std::uint32_t count);
  bool table_init(std::uint32_t table, std::uint32_t segment, std::uint64_t dst, std::uint32_t src,
                  std::uint32_t count);
  // Segments as they are now.
  [[nodiscard]] std::span<const std::uint8_t> data(std::uint32_t segment) const;
  [[nodiscard]] std::uint64_t element_count(std::uint32_t segment) const;
  void* element(std::uint32_t segment, std::uint32_t index);
  void drop_data(std::uint32_t segment);
  void drop_element(std::uint32_t segment);
  [[nodiscard]] Table* table(std::uint32_t index) const { return tables[index]; }
  // The memory that host functions mean: the one exported as "memory", else the first; null where there is none.
  [[nodiscard]] Memory* default_memory();

  Store* store = nullptr;
  std::uint64_t id = 0;  // of all instances of the process, in the order in which they were made; from 1 on
  std::shared_ptr<ModuleCode> code;
  std::vector<Memory*> memories;
  std::vector<Table*> tables;
  std::vector<Global*> globals;
  std::vector<Tag*> tags;
  std::vector<FuncRef*> imported_functions;
  // The rest belongs to instance.cc: func_ref storage, segments' state, arrays behind `vm`.
  struct Private;
  Private* priv;  // owned; a unique_ptr would cost the standard layout

  Instance(Store& store, std::shared_ptr<ModuleCode> code);
  ~Instance();
  Instance(const Instance&) = delete;
  Instance& operator=(const Instance&) = delete;
};

static_assert(std::is_standard_layout_v<Instance> && offsetof(Instance, vm) == 0);

}  // namespace wasi::runtime
