// What a module of a case has besides bodies, and how it is written.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "binary/byte_writer.h"
#include "fuzz/entropy.h"
#include "fuzz/host.h"
#include "fuzz/types.h"
#include "wasm/module.h"

namespace wasi::test::fuzz {

// Where something comes from when it is not the module's own.
struct Origin {
  std::string module;
  std::string name;
};
struct FunctionPlan {
  std::uint32_t type = 0;
  std::optional<Origin> origin = {};
};
struct TablePlan {
  wasm::TableType type = {};
  std::optional<Origin> origin = {};
  // The types of the functions that are in it at the beginning.
  std::vector<std::optional<std::uint32_t>> contents = {};
};
struct MemoryPlan {
  wasm::MemoryType type = {};
  std::optional<Origin> origin = {};
  [[nodiscard]] std::uint64_t bytes() const { return type.limits.min * type.page_size(); }
  [[nodiscard]] bool is_64() const { return type.address == wasm::AddressType::i64; }
};
struct GlobalPlan {
  wasm::GlobalType type = {};
  std::optional<Origin> origin = {};
  bool is_reserved = false;  // for counting
  std::vector<std::uint8_t> init = {};
};
struct TagPlan {
  std::uint32_t type = 0;
  std::optional<Origin> origin = {};
};
struct ElementPlan {
  wasm::SegmentMode mode = wasm::SegmentMode::passive;
  std::uint32_t table = 0;
  std::uint64_t offset = 0;
  ValType type = wasm::kFuncRef;
  std::vector<std::uint32_t> functions = {};                // where there are no expressions
  std::vector<std::vector<std::uint8_t>> expressions = {};  // each with its end
  [[nodiscard]] std::size_t size() const { return functions.empty() ? expressions.size() : functions.size(); }
};
struct DataPlan {
  wasm::SegmentMode mode = wasm::SegmentMode::passive;
  std::uint32_t memory = 0;
  std::uint64_t offset = 0;
  std::vector<std::uint8_t> bytes = {};
};

class ModulePlan {
 public:
  // `earlier` is a module whose exports this one may import, as "earlier" "<kind's letter><index>"; null: there is
  // none.
  ModulePlan(Entropy& entropy, const Features& features, TypePlan& types, const ModulePlan* earlier);

  // Index spaces, imports first.
  std::vector<FunctionPlan> functions;
  std::vector<TablePlan> tables;
  std::vector<MemoryPlan> memories;
  std::vector<GlobalPlan> globals;
  std::vector<TagPlan> tags;
  std::vector<ElementPlan> elements;
  std::vector<DataPlan> data;
  std::vector<UntypedHostFunction> host_functions;
  std::optional<std::uint32_t> start;
  std::uint32_t imported_functions = 0;
  std::uint32_t fuel = 0;         // an i32 global: entries of functions and turns of loops that are left
  std::uint32_t accumulator = 0;  // an i64 global that takes what nobody uses

  // Functions whose type matches.
  [[nodiscard]] std::vector<std::uint32_t> functions_of(HeapType heap) const;
  // The simplest value of a type, as constant expressions may have it. False, and nothing written, where there is none.
  bool write_simple_value(ByteWriter& out, ValType type) const;
  // `bodies` are those of the module's own functions, locals included.
  [[nodiscard]] std::vector<std::uint8_t> write(const std::vector<std::vector<std::uint8_t>>& bodies) const;

 private:
  void import_from(const ModulePlan& earlier);
  void import_from_host();
  void add_functions();
  void add_memories();
  void add_tables();
  void add_globals();
  void add_tags();
  void add_elements();
  void add_data();
  [[nodiscard]] std::vector<std::uint8_t> initial_value(ValType type);
  // Without its end.
  void write_initial_number(ByteWriter& out, ValType type);
  ElementPlan element_list(ValType type, std::uint32_t most);

  Entropy& entropy_;
  const Features& features_;
  TypePlan& types_;
};

}  // namespace wasi::test::fuzz
