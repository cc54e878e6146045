// Module fields besides types: imports, exports, functions, tables, memories, globals, tags, start, segments.
// Source: https://webassembly.github.io/spec/core/text/modules.html
#include <fmt/format.h>

#include <algorithm>

#include "binary/type_reader.h"
#include "text/module_parser.h"

namespace wasi::text {
namespace {

namespace format = binary::format;

std::uint8_t kind_of(Space space) {
  switch (space) {
    case Space::func:
      return static_cast<std::uint8_t>(wasm::ExternalKind::func);
    case Space::table:
      return static_cast<std::uint8_t>(wasm::ExternalKind::table);
    case Space::memory:
      return static_cast<std::uint8_t>(wasm::ExternalKind::memory);
    case Space::global:
      return static_cast<std::uint8_t>(wasm::ExternalKind::global);
    default:
      return static_cast<std::uint8_t>(wasm::ExternalKind::tag);
  }
}

bool is_func_heap(std::uint8_t byte) { return binary::detail::kValueTypes[byte] == wasm::kFuncRef; }

}  // namespace

std::optional<Space> external_space(Keyword keyword) {
  switch (keyword.word()) {
    case Word::func:
      return Space::func;
    case Word::table:
      return Space::table;
    case Word::memory:
      return Space::memory;
    case Word::global:
      return Space::global;
    case Word::tag:
      return Space::tag;
    default:
      return std::nullopt;
  }
}

bool ModuleParser::is_funcref(RefCode type) {
  return type.is_nullable && !type.heap.is_index && is_func_heap(type.heap.byte);
}

// Imports come first in the index spaces, so they must in the text.
void ModuleParser::note_import(Span span) {
  if (!first_definition_.empty()) fail(span, fmt::format("import after {} definition", first_definition_));
}

void ModuleParser::note_definition(std::string_view what) {
  if (first_definition_.empty()) first_definition_ = what;
}

// (import "m" "n" (func $f ...))
void ModuleParser::import_field() {
  const Span span = current().span();
  ByteWriter& out = entry(format::kImport);
  out.name(name("the name of a module"));
  out.name(name("the name of an import"));
  note_import(span);
  expect_lpar("(func, (table, (memory, (global or (tag");
  const auto external = external_space(current().keyword);
  if (!at(TokenKind::keyword) || !external) return unexpected("func, table, memory, global or tag");
  const Space space = *external;
  advance();
  in_function_ = space == Space::func;
  const std::uint32_t number = define(space);
  import_type(out, space);
  if (space == Space::func) finish_function(number);
  expect_rpar();
}

void ModuleParser::import_type(ByteWriter& out, Space space) {
  out.u8(kind_of(space));
  switch (space) {
    case Space::func:
      out.u32(type_of(scratch_signature_, true));
      break;
    case Space::table:
      table_type(out, address_type());
      break;
    case Space::memory:
      limits(out, address_type(), true);
      break;
    case Space::global:
      global_type(out);
      break;
    default:
      out.u8(0);
      out.u32(type_of(scratch_signature_, true));
  }
}

// "(import "m" "n")" in a definition, which makes it an import.
bool ModuleParser::inline_import(Space space, std::uint32_t number) {
  if (!at_list(Word::import)) return false;
  const Span span = current().span();
  take_list(Word::import);
  note_import(span);
  ByteWriter& out = entry(format::kImport);
  out.name(name("the name of a module"));
  out.name(name("the name of an import"));
  expect_rpar();
  import_type(out, space);
  if (space == Space::func) finish_function(number);
  return true;
}

void ModuleParser::inline_exports(Space space, std::uint32_t number) {
  while (at_list(Word::export_)) {
    ByteWriter& out = entry(format::kExport);
    take_list(Word::export_);
    out.name(name("the name of an export"));
    out.u8(kind_of(space));
    out.u32(number);
    expect_rpar();
  }
}

// (export "n" (func $f))
void ModuleParser::export_field() {
  ByteWriter& out = entry(format::kExport);
  out.name(name("the name of an export"));
  expect_lpar("(func, (table, (memory, (global or (tag");
  const auto space = external_space(current().keyword);
  if (!at(TokenKind::keyword) || !space) return unexpected("func, table, memory, global or tag");
  advance();
  out.u8(kind_of(*space));
  out.u32(index(*space));
  expect_rpar();
}

// (func $f (export "n") (type $t) (param $x i32) (result i32) (local $y i64) instruction ...)
void ModuleParser::func_field() {
  const char* pos = current().begin;
  advance();
  in_function_ = true;
  const std::uint32_t number = define(Space::func);
  inline_exports(Space::func, number);
  if (inline_import(Space::func, number)) return;
  note_definition("function");

  ByteWriter& declaration = entry(format::kFunction);
  const TypeUse use = type_use(scratch_signature_, true);
  const std::uint32_t type = resolve(use, scratch_signature_);
  declaration.u32(type);

  body_.clear();
  body_marks_.clear();
  locals(type < types_.size() ? types_[type].params : 0);
  if (marks_ != nullptr) body_marks_.push_back({format::kCode, 0, pos});
  instructions(body_);
  body_.op(wasm::Op::end);
  finish_function(number);
  locals_.clear();

  Section& code = section(format::kCode);
  ++code.count;
  code.bytes.u64(body_.size());
  for (const Mark& mark : body_marks_) this->mark(format::kCode, code.bytes.size() + mark.offset, mark.pos);
  code.bytes.append(body_);
}

// "(local $x i32) (local i32 i32 f64)": runs of equal types become one entry.
void ModuleParser::locals(std::uint32_t params) {
  struct Run {
    std::uint64_t count;
    std::size_t begin;
    std::size_t end;
  };
  std::vector<Run> runs;
  ByteWriter types;
  std::uint32_t number = params;
  const auto add = [&] {
    const std::size_t begin = types.size();
    value_type(types);
    ++number;
    if (!runs.empty()) {
      const std::span<const std::uint8_t> bytes = types.bytes();
      const auto last = bytes.subspan(runs.back().begin, runs.back().end - runs.back().begin);
      if (std::ranges::equal(last, bytes.subspan(begin))) {
        ++runs.back().count;
        types.truncate(begin);
        return;
      }
    }
    runs.push_back({1, begin, types.size()});
  };
  while (take_list(Word::local)) {
    if (member_name("local", locals_, 0, function_local_names_, number)) {
      add();
    } else {
      while (!at(TokenKind::rpar) && !at(TokenKind::end)) add();
    }
    expect_rpar("a value type or )");
  }
  body_.u64(runs.size());
  for (const Run& run : runs) {
    body_.u64(run.count);
    body_.append(types.bytes().subspan(run.begin, run.end - run.begin));
  }
}

// (table $t (export "n") i64? min max? reftype init?), or without limits: (table $t reftype (elem ...))
void ModuleParser::table_field() {
  advance();
  const std::uint32_t number = define(Space::table);
  inline_exports(Space::table, number);
  if (inline_import(Space::table, number)) return;
  note_definition("table");
  ByteWriter& out = entry(format::kTable);
  const bool is_64 = address_type();
  if (at_unsigned()) {
    ByteWriter type;
    table_type(type, is_64);
    if (at(TokenKind::rpar)) return out.append(type);
    out.u8(format::kTableInitByte);
    out.u8(0);
    out.append(type);
    return expression(out);
  }

  const RefCode type = ref_type();
  if (!at_list(Word::elem)) return unexpected("(elem");
  take_list(Word::elem);
  ++defined_[static_cast<std::size_t>(Space::elem)];
  // Function indices fit a table of functions; a segment for another table says its type.
  const Elements form = at(TokenKind::lpar) ? Elements::expressions
                        : is_funcref(type)  ? Elements::functions
                                            : Elements::functions_as_expressions;
  const bool are_expressions = form != Elements::functions;
  ByteWriter items;
  const std::uint32_t count = elements(items, form);
  expect_rpar();

  write(out, type);
  out.u8(static_cast<std::uint8_t>(format::kHasMax | (is_64 ? format::kAddress64 : 0)));
  out.u32(count);
  out.u32(count);

  ByteWriter& segment = entry(format::kElement);
  // The short forms mean table 0, and funcref or functions: as elem_field() has them.
  const bool is_short = number == 0 && (!are_expressions || is_funcref(type));
  segment.u8(static_cast<std::uint8_t>((is_short ? 0 : format::kElemExplicit) |
                                       (are_expressions ? format::kElemExpressions : 0)));
  if (!is_short) segment.u32(number);
  segment.op(is_64 ? wasm::Op::i64_const : wasm::Op::i32_const);
  segment.u8(0);
  segment.op(wasm::Op::end);
  if (!is_short && are_expressions) write(segment, type);
  if (!is_short && !are_expressions) segment.u8(0);
  segment.u32(count);
  segment.append(items);
}

// (memory $m (export "n") i64? min max? shared? (pagesize n)?), or without limits:
// (memory $m i64? (pagesize n)? (data ...))
void ModuleParser::memory_field() {
  advance();
  const std::uint32_t number = define(Space::memory);
  inline_exports(Space::memory, number);
  if (inline_import(Space::memory, number)) return;
  note_definition("memory");
  ByteWriter& out = entry(format::kMemory);
  const bool is_64 = address_type();
  const std::optional<std::uint8_t> page_log2 = page_size();
  if (!page_log2 && !at_list(Word::data)) return limits(out, is_64, true);
  if (!take_list(Word::data)) return unexpected("(data");
  ++defined_[static_cast<std::size_t>(Space::data)];
  ByteWriter& segment = entry(format::kData);
  segment.u32(number == 0 ? format::kDataActive : format::kDataActiveExplicit);
  if (number != 0) segment.u32(number);
  segment.op(is_64 ? wasm::Op::i64_const : wasm::Op::i32_const);
  segment.u8(0);
  segment.op(wasm::Op::end);
  std::string data;
  while (at(TokenKind::string)) string(data, "a string");
  segment.name(data);
  expect_rpar("a string or )");
  const std::uint64_t page_size = std::uint64_t{1} << page_log2.value_or(wasm::kPageLog2);
  const std::uint64_t pages = data.size() / page_size + (data.size() % page_size == 0 ? 0 : 1);
  out.u8(static_cast<std::uint8_t>(format::kHasMax | (is_64 ? format::kAddress64 : 0) |
                                   (page_log2 ? format::kPageSizeGiven : 0)));
  out.u64(pages);
  out.u64(pages);
  if (page_log2) out.u32(*page_log2);
}

// (global $g (export "n") (mut i32) instruction ...)
void ModuleParser::global_field() {
  advance();
  const std::uint32_t number = define(Space::global);
  inline_exports(Space::global, number);
  if (inline_import(Space::global, number)) return;
  note_definition("global");
  ByteWriter& out = entry(format::kGlobal);
  global_type(out);
  expression(out);
}

// (tag $t (export "n") (param i32))
void ModuleParser::tag_field() {
  advance();
  in_function_ = false;
  const std::uint32_t number = define(Space::tag);
  inline_exports(Space::tag, number);
  if (inline_import(Space::tag, number)) return;
  note_definition("tag");
  ByteWriter& out = entry(format::kTag);
  out.u8(0);
  out.u32(type_of(scratch_signature_, true));
}

void ModuleParser::start_field() {
  const Span span = current().span();
  advance();
  if (has_start_) return fail(span, "multiple start sections: a module has at most one start function");
  has_start_ = true;
  mark(format::kStart, 0, span.begin);
  section(format::kStart).bytes.u32(index(Space::func));
}

// (elem $e (table $t)? (offset ...)? list), (elem $e declare? list); list: reftype item ..., func $f ..., $f ...
void ModuleParser::elem_field() {
  ByteWriter& out = entry(format::kElement);
  advance();
  define(Space::elem);
  std::uint32_t table = 0;
  ByteWriter offset;
  std::uint8_t flags = format::kElemPassive;
  if (take(Word::declare)) {
    flags = format::kElemPassive | format::kElemExplicit;
  } else if (take_list(Word::table)) {
    table = index(Space::table);
    expect_rpar();
    offset_expression(offset);
    flags = format::kElemExplicit;
  } else if (at(TokenKind::lpar) && !at_ref_type()) {
    offset_expression(offset);
    flags = 0;
  }
  const bool are_expressions = at_ref_type();
  RefCode type;
  if (are_expressions) {
    type = ref_type();
  } else if (!take(Word::func) && (flags & format::kElemPassive) != 0) {
    return unexpected("func or a reference type");
  }
  // The short forms mean table 0, and funcref or functions. A text that names table 0 gets the long one.
  if (flags == 0 && are_expressions && !is_funcref(type)) flags = format::kElemExplicit;
  ByteWriter items;
  const std::uint32_t count = elements(items, are_expressions ? Elements::expressions : Elements::functions);

  out.u8(static_cast<std::uint8_t>(flags | (are_expressions ? format::kElemExpressions : 0)));
  if ((flags & format::kElemPassive) == 0) {
    if ((flags & format::kElemExplicit) != 0) out.u32(table);
    out.append(offset);
  }
  if (flags != 0) {
    if (are_expressions) {
      write(out, type);
    } else {
      out.u8(0);
    }
  }
  out.u32(count);
  out.append(items);
}

// "(item instruction ...)", "(instruction)", or function indices; up to the parenthesis that ends the list.
std::uint32_t ModuleParser::elements(ByteWriter& out, Elements form) {
  std::uint32_t count = 0;
  for (; !at(TokenKind::rpar) && !failed(); ++count) {
    if (form == Elements::functions) {
      out.u32(index(Space::func));
    } else if (form == Elements::functions_as_expressions) {
      out.op(wasm::Op::ref_func);
      out.u32(index(Space::func));
      out.op(wasm::Op::end);
    } else if (take_list(Word::item)) {
      expression(out);
      expect_rpar();
    } else if (at(TokenKind::lpar)) {
      in_function_ = false;
      instructions(out, true);
      out.op(wasm::Op::end);
    } else {
      unexpected("(item or ( and an instruction");
    }
  }
  return count;
}

// "(offset instruction ...)" or "(instruction)".
void ModuleParser::offset_expression(ByteWriter& out) {
  in_function_ = false;
  if (take_list(Word::offset)) {
    expression(out);
    return expect_rpar();
  }
  if (!at(TokenKind::lpar)) return unexpected("(offset");
  instructions(out, true);
  out.op(wasm::Op::end);
}

// Instructions up to the parenthesis that ends the list around them.
void ModuleParser::expression(ByteWriter& out) {
  in_function_ = false;
  instructions(out);
  out.op(wasm::Op::end);
}

// (data $d (memory $m)? (offset ...)? "..." ...)
void ModuleParser::data_field() {
  ByteWriter& out = entry(format::kData);
  advance();
  define(Space::data);
  std::uint32_t memory = 0;
  if (take_list(Word::memory)) {
    memory = index(Space::memory);
    expect_rpar();
    if (!at(TokenKind::lpar)) return unexpected("(offset");
  }
  if (at(TokenKind::lpar)) {
    out.u32(memory == 0 ? format::kDataActive : format::kDataActiveExplicit);
    if (memory != 0) out.u32(memory);
    offset_expression(out);
  } else {
    out.u32(format::kDataPassive);
  }
  std::string data;
  while (at(TokenKind::string)) string(data, "a string");
  out.name(data);
}

}  // namespace wasi::text
