#include "text/module_parser.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/byte_reader.h"
#include "base/result.h"
#include "binary/names.h"
#include "text/text.h"
#include "wasm/limits.h"

namespace wasi::text {
namespace {

namespace format = binary::format;

struct SpaceWords {
  std::string_view duplicate;  // in "duplicate func $f"
  std::string_view unknown;    // in "unknown function $f"
  std::string_view expected;
};
constexpr SpaceWords kSpaceWords[kSpaces] = {
    {"func", "function", "a function index"},
    {"table", "table", "a table index"},
    {"memory", "memory", "a memory index"},
    {"global", "global", "a global index"},
    {"tag", "tag", "a tag index"},
    {"type", "type", "a type index"},
    {"elem", "elem segment", "an index of an elem segment"},
    {"data", "data segment", "an index of a data segment"},
};
const SpaceWords& words(Space space) { return kSpaceWords[static_cast<std::size_t>(space)]; }

}  // namespace

Result<std::vector<std::uint8_t>> ModuleParser::run(std::vector<Mark>* marks) {
  if (part_.size() > wasm::kMaxTextBytes) {
    return wasi::fail(ErrorKind::limit, "the text is larger than {} bytes", wasm::kMaxTextBytes);
  }
  marks_ = marks;
  lexer_.check_encoding();
  scan_fields();
  type_fields();
  fields();
  if (failed()) return std::unexpected(lexer_.take_error());
  if (unknown_name_) return std::unexpected(std::move(*unknown_name_));
  return assemble();
}

// "(module $id", unless the fields stand alone.
void ModuleParser::header() {
  has_module_word_ = take_list(Word::module);
  if (!has_module_word_) return;
  (void)take(Word::definition);  // as scripts have it
  module_name_ = optional_identifier();
}

void ModuleParser::scan_fields() {
  ignore_annotations(true);
  seek(part_.data());
  header();
  while (at(TokenKind::lpar) && scan_is_complete_) scan_field();
  ignore_annotations(false);
  lexer_.forget_annotations();
}

void ModuleParser::scan_field() {
  const char* pos = current().begin;
  advance();
  const Keyword keyword = current().keyword;
  if (!at(TokenKind::keyword)) scan_is_complete_ = false;
  advance();
  switch (keyword.word()) {
    case Word::type:
      type_fields_.push_back(pos);
      scan_name(Space::type);
      break;
    case Word::rec:
      type_fields_.push_back(pos);
      while (at_list(Word::type)) {
        const char* definition = current().begin;
        take_list(Word::type);
        scan_name(Space::type);
        if (!lexer_.skip_list(definition + 1)) break;
        seek(lexer_.position());
      }
      break;
    case Word::import:
      while (at(TokenKind::string)) advance();
      if (at(TokenKind::lpar)) {
        advance();
        const auto space = external_space(current().keyword);
        advance();
        if (space) scan_name(*space);
      }
      break;
    case Word::func:
      scan_name(Space::func);
      break;
    case Word::table:
      scan_name(Space::table);
      if (scan_has_list(Word::elem)) ++scanned_[static_cast<std::size_t>(Space::elem)];
      break;
    case Word::memory:
      scan_name(Space::memory);
      if (scan_has_list(Word::data)) ++scanned_[static_cast<std::size_t>(Space::data)];
      break;
    case Word::global:
      scan_name(Space::global);
      break;
    case Word::tag:
      scan_name(Space::tag);
      break;
    case Word::elem:
      scan_name(Space::elem);
      break;
    case Word::data:
      scan_name(Space::data);
      break;
    default:
      break;
  }
  if (failed() || !lexer_.skip_list(pos + 1)) {
    scan_is_complete_ = false;
  } else {
    seek(lexer_.position());
  }
}

// Behind "(func" and the like: counts one more in its space, with its name.
void ModuleParser::scan_name(Space space) {
  const std::uint32_t number = scanned_[static_cast<std::size_t>(space)]++;
  if (!at(TokenKind::id)) return;
  if (!ids_[static_cast<std::size_t>(space)].add(identifier(current()), number)) {
    fail(current().span(), fmt::format("duplicate {} {}", words(space).duplicate, current().text()));
  }
  advance();
}

// Whether the list that the parser is in contains "(keyword".
bool ModuleParser::scan_has_list(Keyword keyword) {
  while (!at(TokenKind::rpar) && !at(TokenKind::end)) {
    if (at_list(keyword)) return true;
    if (!at(TokenKind::lpar)) {
      advance();
    } else if (lexer_.skip_list(current().begin + 1)) {
      seek(lexer_.position());
    } else {
      return false;
    }
  }
  return false;
}

void ModuleParser::fields() {
  if (failed()) return;
  seek(part_.data());
  header();
  module_name_annotations();
  for (;;) {
    field_annotations();
    if (!at(TokenKind::lpar)) break;
    field();
  }
  if (has_module_word_) expect_rpar("a module field or )");
  if (!at(TokenKind::end)) unexpected(has_module_word_ ? "the end of the text" : "a module field");
}

void ModuleParser::field() {
  const Token& word = peek();
  if (word.kind != TokenKind::keyword) {
    advance();
    return unexpected("a module field");
  }
  const Word what = word.keyword.word();
  if (what == Word::type || what == Word::rec) return skip_field();
  advance();
  const Token keyword = current();
  switch (what) {
    case Word::import:
      advance();
      import_field();
      break;
    case Word::func:
      func_field();
      break;
    case Word::table:
      table_field();
      break;
    case Word::memory:
      memory_field();
      break;
    case Word::global:
      global_field();
      break;
    case Word::tag:
      tag_field();
      break;
    case Word::export_:
      advance();
      export_field();
      break;
    case Word::start:
      start_field();
      break;
    case Word::elem:
      elem_field();
      break;
    case Word::data:
      data_field();
      break;
    default:
      return unexpected(
          keyword, "a module field: type, rec, import, func, table, memory, global, tag, export, start, elem or data");
  }
  expect_rpar();
}

// A type definition: it has been read already.
void ModuleParser::skip_field() {
  const char* inside = current().begin + 1;
  if (lexer_.skip_list(inside)) return seek(lexer_.position());
  seek(lexer_.position());
  unexpected(")");
}

std::string_view ModuleParser::optional_identifier() {
  if (!at(TokenKind::id)) return {};
  const std::string_view id = identifier(current());
  advance();
  return id;
}

// Behind "(func" and the like, in the last pass: the next number of the space, named.
std::uint32_t ModuleParser::define(Space space) {
  const std::uint32_t number = defined_[static_cast<std::size_t>(space)]++;
  const std::string_view id = optional_identifier();
  name_entry(space, number, id);
  return number;
}

void ModuleParser::name_entry(Space space, std::uint32_t number, std::string_view id) {
  NameMap& names = names_[static_cast<std::size_t>(space)];
  const auto annotated = name_annotation();
  if (!annotated && id.empty()) return;
  ++names.count;
  names.bytes.u32(number);
  names.bytes.name(annotated ? std::string_view(*annotated) : id);
}

// A name that stands behind an unclosed list is not known, but the list is what is wrong then.
void ModuleParser::unknown_name(const Token& token, std::string_view what) {
  std::string message = fmt::format("unknown {} {}", what, token.text().substr(0, 60));
  if (scan_is_complete_) return fail(token.span(), std::move(message));
  if (!unknown_name_) {
    unknown_name_ = std::make_unique<Error>(
        Error{ErrorKind::malformed, std::move(message), {}, position_of(lexer_.text(), token.span())});
  }
}

std::uint32_t ModuleParser::index_in(const IdMap& map, std::string_view what, std::uint32_t scope) {
  const std::uint32_t number = map.find(identifier(current()), scope);
  if (number == IdMap::kAbsent) {
    unknown_name(current(), what);
    advance();
    return 0;
  }
  advance();
  return number;
}

std::uint32_t ModuleParser::index(Space space) {
  if (at(TokenKind::id)) return index_in(ids_[static_cast<std::size_t>(space)], words(space).unknown);
  return u32(words(space).expected);
}

binary::ByteWriter& ModuleParser::entry(format::SectionId id) {
  Section& target = section(id);
  ++target.count;
  mark(id, target.bytes.size(), current().begin);
  return target.bytes;
}

void ModuleParser::mark(std::uint8_t section, std::size_t offset, const char* pos) {
  if (marks_ != nullptr) [[unlikely]]
    marks_->push_back({section, static_cast<std::uint32_t>(offset), pos});
}

// Sections in their order, custom ones where they want to be.
std::vector<std::uint8_t> ModuleParser::assemble() {
  static constexpr format::SectionId kOrder[] = {format::kType,   format::kImport,  format::kFunction,  format::kTable,
                                                 format::kMemory, format::kTag,     format::kGlobal,    format::kExport,
                                                 format::kStart,  format::kElement, format::kDataCount, format::kCode,
                                                 format::kData};
  std::size_t size = 0;
  for (const Section& one : sections_) size += one.bytes.size();
  ByteWriter module;
  module.reserve(size + size / 8 + 64);
  module.append(format::kMagic);
  module.fixed32(format::kModuleVersion);
  append_customs(module, false, true, 0);
  if (has_start_) section(format::kStart).count = 1;
  if (uses_data_) section(format::kDataCount).count = section(format::kData).count;
  for (const format::SectionId id : kOrder) {
    append_customs(module, false, false, id);
    if (id == format::kCode && hint_section_.count != 0) {
      ByteWriter contents;
      contents.u32(hint_section_.count);
      contents.append(hint_section_.bytes);
      append_custom(module, name_of(AnnotationKind::branch_hint),
                    {reinterpret_cast<const char*>(contents.bytes().data()), contents.size()});
    }
    if (section(id).count != 0 || (id == format::kDataCount && uses_data_)) append_section(module, id, section(id));
    append_customs(module, true, false, id);
  }
  append_names(module);
  append_customs(module, true, true, 0);
  return module.take();
}

void ModuleParser::append_section(ByteWriter& module, std::uint8_t id, const Section& section) {
  ByteWriter count;
  if (id != format::kStart) count.u32(section.count);
  module.u8(id);
  module.u64(count.size() + section.bytes.size());
  module.append(count);
  section_starts_[id] = module.size();
  module.append(section.bytes);
}

void ModuleParser::append_custom(ByteWriter& module, std::string_view name, std::string_view contents) {
  ByteWriter payload;
  payload.name(name);
  payload.append(contents);
  module.u8(format::kCustom);
  module.sized(payload);
}

void ModuleParser::append_customs(ByteWriter& module, bool after, bool at_border, std::uint8_t section) {
  for (const CustomSection& custom : customs_) {
    if (custom.after == after && custom.at_border == at_border && custom.section == section) {
      append_custom(module, custom.name, custom.contents);
    }
  }
}

void ModuleParser::append_names(ByteWriter& module) {
  using binary::NameKind;
  const auto names = [&](Space space) -> const NameMap& { return names_[static_cast<std::size_t>(space)]; };
  ByteWriter payload;
  const auto subsection = [&](NameKind kind, const NameMap& map) {
    if (map.count == 0) return;
    ByteWriter count;
    count.u32(map.count);
    payload.u8(static_cast<std::uint8_t>(kind));
    payload.u64(count.size() + map.bytes.size());
    payload.append(count);
    payload.append(map.bytes);
  };
  if (!module_name_.empty()) {
    ByteWriter name;
    name.name(module_name_);
    payload.u8(static_cast<std::uint8_t>(NameKind::module));
    payload.sized(name);
  }
  subsection(NameKind::function, names(Space::func));
  subsection(NameKind::local, local_names_);
  subsection(NameKind::label, label_names_);
  subsection(NameKind::type, names(Space::type));
  subsection(NameKind::table, names(Space::table));
  subsection(NameKind::memory, names(Space::memory));
  subsection(NameKind::global, names(Space::global));
  subsection(NameKind::element, names(Space::elem));
  subsection(NameKind::data, names(Space::data));
  subsection(NameKind::field, field_names_);
  subsection(NameKind::tag, names(Space::tag));
  if (payload.empty()) return;
  append_custom(module, "name", {reinterpret_cast<const char*>(payload.bytes().data()), payload.size()});
}

Result<std::vector<std::uint8_t>> encode_module(std::string_view text, std::string_view part) {
  return ModuleParser(text, part).run();
}

std::optional<TextPosition> locate(std::string_view text, std::string_view part, std::uint64_t offset) {
  std::vector<Mark> marks;
  ModuleParser parser(text, part);
  if (!parser.run(&marks)) return std::nullopt;
  const auto& starts = parser.section_starts();
  // The nearest mark in front of it.
  const Mark* best = nullptr;
  std::uint64_t best_offset = 0;
  for (const Mark& mark : marks) {
    if (starts[mark.section] == 0) continue;
    const std::uint64_t at = starts[mark.section] + mark.offset;
    if (at > offset || (best != nullptr && at < best_offset)) continue;
    best = &mark;
    best_offset = at;
  }
  if (best == nullptr) return std::nullopt;
  const char* end = best->pos;
  const char* limit = part.data() + part.size();
  while (end != limit && *end != ' ' && *end != '\n' && *end != ')' && (*end != '(' || end == best->pos)) ++end;
  return position_of(text, {best->pos, end});
}

}  // namespace wasi::text
