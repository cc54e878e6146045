// A module as data: what the sections said, types canonicalised, bodies still bytes.
//
// The module owns its bytes (mapped or copied); names and bodies are views into them. It holds its types, so that
// TypeIds in it mean something for as long as it exists. The decoder fills it, the validator judges it; afterwards it
// is immutable and shared between threads. Source: https://webassembly.github.io/spec/core/syntax/modules.html
#pragma once

#include <wasi/error.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

#include "wasm/features.h"
#include "wasm/memory_image.h"
#include "wasm/type_registry.h"
#include "wasm/types.h"

namespace wasi::wasm {

// A range of the module's bytes, by offset from its start. 32 bits, since modules have less than 4 GiB and some
// have 100000 segments.
struct ByteRange {
  std::uint32_t offset = 0;
  std::uint32_t size = 0;
};

// A constant expression: its instructions, `end` included.
using ConstExpr = ByteRange;

// Bytes with their owner: a mapping, a vector, or memory that the embedder keeps alive.
struct ModuleBytes {
  std::span<const std::uint8_t> data;
  std::shared_ptr<const void> owner;
  std::shared_ptr<const LateBytes> late = nullptr;  // null: all were looked at
};

struct FuncImport {
  TypeIndex type;
};
struct TagType {
  TypeIndex type;
};

struct Import {
  std::string_view module;
  std::string_view name;
  std::variant<FuncImport, TableType, MemoryType, GlobalType, TagType> type;
  [[nodiscard]] ExternalKind kind() const { return static_cast<ExternalKind>(type.index()); }
};

struct Export {
  std::string_view name;
  ExternalKind kind = ExternalKind::func;
  std::uint32_t index = 0;
};

struct Table {
  TableType type;
  std::optional<ConstExpr> init;  // element that fills it; absent: null
};

struct Global {
  GlobalType type;
  ConstExpr init;  // size 0 for imported globals
};

enum class SegmentMode : std::uint8_t { active, passive, declarative };

struct ElementSegment {
  SegmentMode mode = SegmentMode::passive;
  TableIndex table;  // active
  ConstExpr offset;  // active
  ValType type = kFuncRef;
  // One of the two is filled.
  std::vector<FuncIndex> functions;
  std::vector<ConstExpr> expressions;
  [[nodiscard]] std::size_t size() const { return functions.empty() ? expressions.size() : functions.size(); }
};

struct DataSegment {
  SegmentMode mode = SegmentMode::passive;
  MemoryIndex memory;  // active
  ConstExpr offset;    // active
  ByteRange bytes;
};

// A body in the code section: from the local declarations to the final `end`.
struct FunctionBody {
  std::uint32_t offset = 0;
  std::uint32_t size = 0;
};

struct CustomSection {
  std::string_view name;
  ByteRange payload;
};

struct Section {
  std::uint8_t id = 0;
  std::string_view name;  // of a custom section
  ByteRange payload;
};

struct Module {
  ModuleBytes bytes;
  std::shared_ptr<TypeRegistry> registry;

  // Index spaces: imports first, then the module's own.
  TypeList types;                    // by TypeIndex
  std::vector<TypeIndex> functions;  // by FuncIndex
  std::vector<Table> tables;
  std::vector<MemoryType> memories;
  std::vector<Global> globals;
  std::vector<TypeIndex> tags;
  std::uint32_t imported_functions = 0;
  std::uint32_t imported_tables = 0;
  std::uint32_t imported_memories = 0;
  std::uint32_t imported_globals = 0;
  std::uint32_t imported_tags = 0;

  std::vector<Import> imports;
  std::vector<Export> exports;
  std::optional<FuncIndex> start;
  std::vector<ElementSegment> elements;
  std::optional<std::uint32_t> data_count;
  std::vector<DataSegment> data;                    // but for the first ones, where an image stands for them
  std::shared_ptr<const MemoryImage> memory_image;  // null: none
  std::vector<FunctionBody> bodies;                 // of the functions that are not imported
  std::vector<CustomSection> custom_sections;
  std::vector<Section> sections;  // in file order, for tools

  // Functions that `ref.func` may name: those that stand outside of bodies (one bit each).
  std::vector<bool> declared_functions;
  // Features that the sections outside of the bodies use; eager validation adds the bodies'.
  FeatureSet features;

  [[nodiscard]] std::span<const std::uint8_t> view(ByteRange range) const {
    return bytes.data.subspan(range.offset, range.size);
  }
  // Before bodies, data and the contents of custom sections are used.
  [[nodiscard]] Result<void> check(ByteRange range) const {
    if (bytes.late == nullptr) return {};
    return bytes.late->check(range.offset, std::size_t{range.offset} + range.size);
  }
  [[nodiscard]] Result<void> check_body(FuncIndex function) const {
    return check({body(function).offset, body(function).size});
  }
  // Data segments that an image stands for: dropped ones, once the module is instantiated.
  [[nodiscard]] std::uint32_t imaged_segments() const { return memory_image == nullptr ? 0 : memory_image->segments; }
  [[nodiscard]] std::size_t data_segments() const { return imaged_segments() + data.size(); }
  [[nodiscard]] const FuncType& func_type(FuncIndex function) const {
    return registry->at(types[functions[function.value].value]).func;
  }
  [[nodiscard]] bool is_imported(FuncIndex function) const { return function.value < imported_functions; }
  [[nodiscard]] const FunctionBody& body(FuncIndex function) const {
    return bodies[function.value - imported_functions];
  }
};

}  // namespace wasi::wasm
