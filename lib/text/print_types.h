// Types as the text format spells them, straight from the module's bytes.
//
// The module's own type indices are what counts here: two of them may name one canonical type, and text that is
// parsed again must name the same one. So types are read from the sections, not from wasm::Module's handles.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/byte_reader.h"
#include "text/print_names.h"
#include "wasm/module.h"

namespace wasi::text {

class TypeText {
 public:
  // Reads the type section.
  TypeText(const wasm::Module& module, ModuleIdentifiers& identifiers);

  // The fields of the type section, a line each.
  [[nodiscard]] const std::string& section() const { return section_; }

  void append_value_type(std::string& out, base::ByteReader& reader) const;
  void append_heap_type(std::string& out, base::ByteReader& reader) const;
  void append_block_type(std::string& out, base::ByteReader& reader) const;
  // "10 funcref", "i64 1 2 shared", "(mut i32)".
  void append_table_type(std::string& out, base::ByteReader& reader) const;
  void append_memory_type(std::string& out, base::ByteReader& reader) const;
  void append_global_type(std::string& out, base::ByteReader& reader) const;

  // " (type $t)", with the parameters and results behind it.
  void append_type_use(std::string& out, std::uint32_t type, const Identifiers* locals = nullptr) const;

  struct Counts {
    std::uint32_t params = 0;
    std::uint32_t results = 0;
  };
  // Of a function type; zeros where there is none.
  [[nodiscard]] Counts counts(std::uint32_t type) const;
  // The values that struct.new takes.
  [[nodiscard]] std::uint32_t field_count(std::uint32_t type) const;

 private:
  void sub_type(base::ByteReader& reader, std::string_view indentation);
  void composite_type(std::string& out, base::ByteReader& reader, std::uint32_t type);
  void append_field_type(std::string& out, base::ByteReader& reader) const;
  void append_limits(std::string& out, base::ByteReader& reader) const;
  void append_signature(std::string& out, base::ByteReader& reader, const Identifiers* locals) const;
  [[nodiscard]] const wasm::SubType* find(std::uint32_t type, wasm::CompositeKind kind) const;

  const wasm::Module& module_;
  ModuleIdentifiers& identifiers_;
  std::uint32_t end_ = 0;               // of the type section
  std::vector<std::uint32_t> offsets_;  // of each type's parameters, if it is a function type
  std::string section_;
};

// The bytes of a section that is no custom section; empty where the module has none.
wasm::ByteRange find_section(const wasm::Module& module, std::uint8_t id);

inline base::ByteReader reader_of(const wasm::Module& module, wasm::ByteRange range) {
  return {module.view(range), range.offset};
}

}  // namespace wasi::text
