// The parser of one module, which writes the sections as it reads. Internal to this folder: spread over
// module_parser.cc (the two passes, fields), parse_types.cc, parse_fields.cc, parse_instructions.cc,
// parse_immediates.cc and annotations.cc.
//
// A first pass numbers everything that has a name, without looking into bodies, and a second one reads the type
// definitions; so the third, which reads the rest, knows every index and writes each byte once. Type uses that
// match no definition add theirs behind all others.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "binary/byte_writer.h"
#include "binary/format.h"
#include "text/id_map.h"
#include "text/token_parser.h"
#include "wasm/types.h"

namespace wasi::text {

// The index spaces of a module.
enum class Space : std::uint8_t { func, table, memory, global, tag, type, elem, data };
inline constexpr std::size_t kSpaces = 8;

// The space that "func", "table" and so on name where something is imported or exported.
std::optional<Space> external_space(Keyword keyword);

// The byte at `offset` of a section's contents was written when the parser stood at `pos`.
struct Mark {
  std::uint8_t section;
  std::uint32_t offset;
  const char* pos;
};

class ModuleParser : private TokenParser {
 public:
  ModuleParser(std::string_view text, std::string_view part) : TokenParser(text, part), part_(part) {}

  // Once. With `marks`, also notes where things come from, by section.
  Result<std::vector<std::uint8_t>> run(std::vector<Mark>* marks = nullptr);
  // Where the contents of each section begin in the module, after run().
  [[nodiscard]] const std::array<std::uint64_t, binary::format::kSectionIds>& section_starts() const {
    return section_starts_;
  }

 private:
  using ByteWriter = binary::ByteWriter;

  // The section's contents without the number of entries.
  struct Section {
    ByteWriter bytes;
    std::uint32_t count = 0;
  };
  // One subsection of the name section, in the same form.
  using NameMap = Section;

  struct TypeInfo {
    std::string_view signature;  // of a function type: its definition's bytes
    std::uint32_t params = 0;
  };

  // What "(type $t)? (param ...)* (result ...)*" says.
  struct TypeUse {
    std::optional<std::uint32_t> type;
    Span span;
    bool is_inline = false;  // there are parameters or results
  };
  struct Signature {
    ByteWriter params;
    ByteWriter results;
    std::uint32_t param_count = 0;
    std::uint32_t result_count = 0;
  };

  struct HeapCode {
    bool is_index = false;
    std::uint8_t byte = 0;
    std::uint32_t index = 0;
  };
  struct RefCode {
    bool is_nullable = false;
    HeapCode heap;
  };

  struct Label {
    std::string_view name{};               // empty: none
    std::string_view shown{};              // for the name section
    std::uint32_t outer = IdMap::kAbsent;  // the label of the same name that this one hides
  };

  // The constructs that surround the next instruction, innermost last.
  enum class FrameKind : std::uint8_t {
    // In these instructions follow each other, plain or folded.
    block,      // "(block" up to ")"; also loop and try_table
    then,       // "(if ... (then" up to ")"
    else_,      // "(if ... (else"
    do_,        // "(try (do"
    catch_,     // "(try ... (catch"
    catch_all,  // "(try ... (catch_all"
    flat_block,
    flat_if,
    flat_else,
    flat_try,
    flat_catch_all,
    // In these only lists do.
    operands,       // "(i32.add": folded instructions, then the instruction itself
    condition,      // "(if": the condition, then "(then"
    after_then,     // "(else" or ")"
    after_else,     // ")"
    before_do,      // "(try": "(do"
    after_do,       // "(catch", "(catch_all", "(delegate" or ")"
    after_all,      // ")"
    after_delegate  // ")"
  };
  static constexpr FrameKind kLastSequence = FrameKind::flat_catch_all;
  struct Frame {
    FrameKind kind;
    bool has_hint = false;
    std::uint8_t hint = 0;
    bool has_catch = false;     // after_do: there was one, so that delegate may not follow
    std::uint32_t pending = 0;  // operands, condition: where in pending_ the instruction begins
    const char* pos = nullptr;  // of the opening word
    Label label{};              // condition: of the block that is not open yet
  };
  struct BranchHint {
    std::uint32_t offset;
    std::uint8_t value;
  };

  struct CustomSection {
    std::string name;
    std::string contents;
    bool after = true;         // or before
    bool at_border = true;     // of all sections: first or last
    std::uint8_t section = 0;  // else: this one
  };

  // module_parser.cc
  void header();
  void scan_fields();
  void scan_field();
  void scan_name(Space space);
  bool scan_has_list(Keyword keyword);
  void fields();
  void field();
  void skip_field();
  std::uint32_t index(Space space);
  std::uint32_t index_in(const IdMap& map, std::string_view what, std::uint32_t scope = 0);
  std::string_view optional_identifier();
  std::uint32_t define(Space space);
  void name_entry(Space space, std::uint32_t number, std::string_view id);
  void unknown_name(const Token& token, std::string_view what);
  Section& section(binary::format::SectionId id) { return sections_[id]; }
  ByteWriter& entry(binary::format::SectionId id);
  void mark(std::uint8_t section, std::size_t offset, const char* pos);
  std::vector<std::uint8_t> assemble();
  void append_section(ByteWriter& module, std::uint8_t id, const Section& section);
  void append_custom(ByteWriter& module, std::string_view name, std::string_view contents);
  void append_customs(ByteWriter& module, bool after, bool at_border, std::uint8_t section);
  void append_names(ByteWriter& module);

  // parse_types.cc
  void type_fields();
  bool type_definition(ByteWriter& out);
  void composite_type(ByteWriter& out, TypeInfo& info);
  void field_types(ByteWriter& out, std::uint32_t type);
  void storage_type(ByteWriter& out);
  void value_type(ByteWriter& out);
  bool at_value_type();
  bool at_ref_type();
  RefCode ref_type();
  HeapCode heap_type();
  static void write(ByteWriter& out, HeapCode heap);
  static void write(ByteWriter& out, RefCode ref);
  void signature(Signature& signature, bool has_names);
  bool parameter_name(std::uint32_t number);
  static void write(ByteWriter& out, const Signature& signature);
  TypeUse type_use(Signature& signature, bool has_names);
  // The index of the type that the use means, added where there is none.
  std::uint32_t resolve(const TypeUse& use, const Signature& signature);
  std::uint32_t type_of(Signature& signature, bool has_names);
  void remember_signature(std::string_view bytes, std::uint32_t type);
  void table_type(ByteWriter& out, bool is_64);
  void global_type(ByteWriter& out);
  std::optional<std::uint8_t> page_size();
  void limits(ByteWriter& out, bool is_64, bool is_memory);
  bool address_type();

  // parse_fields.cc
  void import_field();
  void import_type(ByteWriter& out, Space space);
  bool inline_import(Space space, std::uint32_t number);
  void inline_exports(Space space, std::uint32_t number);
  void note_definition(std::string_view what);
  void note_import(Span span);
  void export_field();
  void func_field();
  void locals(std::uint32_t params);
  void table_field();
  void memory_field();
  void global_field();
  void tag_field();
  void start_field();
  void elem_field();
  // How the elements of a segment are spelled, and how they are written.
  enum class Elements : std::uint8_t { functions, functions_as_expressions, expressions };
  std::uint32_t elements(ByteWriter& out, Elements form);
  static bool is_funcref(RefCode type);
  void data_field();
  void data_strings(ByteWriter& out);
  void offset_expression(ByteWriter& out);
  void expression(ByteWriter& out);

  // parse_instructions.cc
  void instructions(ByteWriter& out, bool is_single = false);
  [[nodiscard]] bool is_sequence() const { return frames_.empty() || frames_.back().kind <= kLastSequence; }
  void plain();
  void plain_block(wasm::Op op, FrameKind kind);
  void plain_else();
  void plain_end();
  void plain_catch(wasm::Op op);
  void plain_delegate();
  void folded();
  void folded_instruction(wasm::Op op);
  void folded_clause();
  void close_list();
  void end_label(std::string_view label);
  Label optional_label();
  void push_label(Label label);
  std::string_view pop_label();
  std::uint32_t label();
  void emit(const Frame& frame);
  [[nodiscard]] const char* what_follows() const;

  // parse_immediates.cc
  void instruction(wasm::Op op, ByteWriter& out);
  void block_type(ByteWriter& out);
  void catches(ByteWriter& out);
  void memory_argument(wasm::Op op, ByteWriter& out, bool has_lane);
  void vector_constant(ByteWriter& out);
  void numbers();
  void shuffle(ByteWriter& out);
  void lane(ByteWriter& out);
  void casts(ByteWriter& out);
  void label_table(ByteWriter& out);
  std::uint32_t optional_index(Space space);

  // annotations.cc
  void field_annotations();
  void module_name_annotations();
  void custom_annotation(const Annotation& annotation);
  std::optional<std::string> name_annotation();
  bool member_name(std::string_view what, IdMap& ids, std::uint32_t scope, NameMap& names, std::uint32_t number);
  void hint_annotations();
  void finish_function(std::uint32_t function);
  void misplaced_annotation() override;

  std::string_view part_;
  const char* body_start_ = nullptr;  // of the fields
  bool has_module_word_ = false;
  bool scan_is_complete_ = true;
  std::unique_ptr<Error> unknown_name_;  // where it may be a consequence of a scan that ended early

  std::array<IdMap, kSpaces> ids_;
  std::array<std::uint32_t, kSpaces> scanned_{};  // how many things the scan found
  std::array<std::uint32_t, kSpaces> defined_{};  // how many things have been read
  IdMap field_ids_;                               // by type
  IdMap signatures_;                              // the bytes of a function type -> the first type that is it

  std::vector<const char*> type_fields_;
  std::vector<TypeInfo> types_;
  Signature scratch_signature_;
  ByteWriter scratch_;

  std::array<Section, binary::format::kSectionIds> sections_;
  bool has_start_ = false;
  bool uses_data_ = false;
  std::string_view first_definition_;

  std::string_view module_name_;
  bool has_module_name_annotation_ = false;
  std::array<NameMap, kSpaces> names_;
  NameMap local_names_;
  NameMap function_local_names_;
  NameMap label_names_;
  NameMap function_label_names_;
  NameMap field_names_;
  std::vector<CustomSection> customs_;

  // The function or expression being read.
  bool in_function_ = false;
  IdMap locals_;
  std::uint32_t local_count_ = 0;
  ByteWriter body_;
  ByteWriter* out_ = nullptr;  // where instructions go
  std::vector<Frame> frames_;
  ByteWriter pending_;  // instructions whose operands come first
  std::vector<Label> labels_;
  IdMap label_ids_;
  std::uint32_t label_count_ = 0;  // that the function has had so far
  std::vector<std::uint32_t> label_list_;
  std::vector<Token> numbers_;
  std::optional<std::uint8_t> hint_;
  Span hint_span_;
  std::vector<BranchHint> hints_;
  Section hint_section_;

  std::vector<Mark>* marks_ = nullptr;
  std::vector<Mark> body_marks_;
  std::array<std::uint64_t, binary::format::kSectionIds> section_starts_{};
};

}  // namespace wasi::text
