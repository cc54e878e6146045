// The printer's state while it goes through a module. Internal to this folder: sections are in print.cc, bodies in
// print_function.cc.
#pragma once

#include <expected>
#include <span>
#include <string_view>

#include "base/byte_reader.h"
#include "text/fold.h"
#include "text/print.h"
#include "text/print_hints.h"
#include "text/print_instruction.h"
#include "text/print_names.h"
#include "text/print_output.h"
#include "text/print_types.h"
#include "wasm/module.h"

namespace wasi::text::detail {

class ModulePrinter {
 public:
  ModulePrinter(const wasm::Module& module, const PrintOptions& options, const PrintSink& sink)
      : module_(module),
        out_(sink),
        has_identifiers_(has_usual_names(module)),
        identifiers_(module, has_identifiers_),
        types_(module, identifiers_),
        hints_(module),
        instructions_(module, identifiers_, types_),
        body_(out_, options.fold),
        line_(out_, true) {}
  Result<void> run();

 private:
  [[nodiscard]] const Identifiers& identifiers_of(wasm::ExternalKind kind) const;
  Result<void> contents(std::uint8_t id, base::ByteReader& reader);
  static bool has_usual_names(const wasm::Module& module);
  void custom_section(const wasm::Section& section, std::string_view place);
  Result<void> import_section(base::ByteReader& reader);
  Result<void> table_section(base::ByteReader& reader);
  Result<void> memory_section(base::ByteReader& reader);
  Result<void> tag_section();
  Result<void> global_section(base::ByteReader& reader);
  Result<void> export_section();
  Result<void> element_section(base::ByteReader& reader);
  Result<void> element_segment(base::ByteReader& reader);
  Result<void> data_section();
  void bytes(std::span<const std::uint8_t> bytes);

  Result<void> read_expression(base::ByteReader& reader);
  Result<void> expression(base::ByteReader& reader);
  Result<void> item_expression(base::ByteReader& reader, std::string_view word);
  Result<void> offset_expression(base::ByteReader& reader);
  static std::unexpected<Error> too_large();

  Result<void> code_section();
  Result<void> function(std::uint32_t index);
  Result<void> locals(base::ByteReader& reader, std::uint32_t params, const Identifiers& names);

  const wasm::Module& module_;
  Output out_;
  const bool has_identifiers_;
  ModuleIdentifiers identifiers_;
  TypeText types_;
  const BranchHints hints_;
  InstructionText instructions_;
  Folder body_;
  Folder line_;
};

}  // namespace wasi::text::detail
