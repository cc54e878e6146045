// Annotations that mean something: (@custom ...), (@name ...) and (@metadata.code.branch_hint ...).
// Source: https://webassembly.github.io/spec/core/appendix/custom.html
#include <fmt/format.h>

#include "base/byte_reader.h"
#include "text/module_parser.h"

namespace wasi::text {
namespace {

namespace format = binary::format;

// Sections by the names that placements use.
struct SectionWord {
  std::string_view text;
  format::SectionId id;
};
constexpr SectionWord kSectionWords[] = {
    {"type", format::kType},     {"import", format::kImport},       {"func", format::kFunction},
    {"table", format::kTable},   {"memory", format::kMemory},       {"tag", format::kTag},
    {"global", format::kGlobal}, {"export", format::kExport},       {"start", format::kStart},
    {"elem", format::kElement},  {"datacount", format::kDataCount}, {"code", format::kCode},
    {"data", format::kData},
};

// Reads what stands in an annotation. Its errors begin with the annotation's name.
class AnnotationParser : private TokenParser {
 public:
  AnnotationParser(std::string_view text, const Annotation& annotation)
      : TokenParser(text, {annotation.contents.begin, annotation.contents.end}), annotation_(annotation) {
    ignore_annotations(true);
    seek(annotation.contents.begin);
  }

  struct Failure {
    Span span;
    std::string message;
  };
  [[nodiscard]] bool ok() const { return !failure_; }
  [[nodiscard]] const Failure& failure() const { return *failure_; }

  [[nodiscard]] bool at_string() const { return at(TokenKind::string); }
  [[nodiscard]] bool at_list() const { return at(TokenKind::lpar); }
  std::string name(std::string_view missing) {
    std::string result;
    if (!at(TokenKind::string)) {
      refuse(missing);
    } else {
      result = strings();
      if (!base::is_utf8(result)) refuse("malformed UTF-8 encoding");
    }
    return result;
  }
  // One string.
  std::string strings() {
    std::string result;
    const Span span = current().span();
    if (const char* problem = decode_string(span, result); problem != nullptr) refuse(problem);
    advance();
    return result;
  }
  void end() {
    if (ok() && !at(TokenKind::end)) refuse("unexpected token");
  }
  // "(before first)", "(after func)", ...
  void placement(bool& after, bool& at_border, std::uint8_t& section) {
    advance();
    const std::string_view side = current().text();
    if (side != "before" && side != "after") return refuse("malformed placement: expected before or after");
    after = side == "after";
    advance();
    const std::string_view place = current().text();
    at_border = place == (after ? "last" : "first");
    if (!at_border) {
      const SectionWord* found = nullptr;
      for (const SectionWord& row : kSectionWords) {
        if (row.text == place) found = &row;
      }
      if (found == nullptr) return refuse("malformed section kind");
      section = found->id;
    }
    advance();
    if (!at(TokenKind::rpar)) return refuse("malformed placement: expected )");
    advance();
  }
  void refuse(std::string_view message) {
    if (failure_) return;
    Span span = current().span();
    if (span.begin == span.end) span = annotation_.span;
    failure_ = Failure{span, fmt::format("@{} annotation: {}", name_of(annotation_.kind), message)};
  }

 private:
  const Annotation& annotation_;
  std::optional<Failure> failure_;
};

}  // namespace

// Before a module field, or before what ends the module.
void ModuleParser::field_annotations() {
  while (has_annotation()) {
    if (lexer_.annotations()[annotations_taken()].kind != AnnotationKind::custom) return misplaced_annotation();
    custom_annotation(take_annotation());
  }
}

// Behind "(module $id".
void ModuleParser::module_name_annotations() {
  while (has_annotation() && lexer_.annotations()[annotations_taken()].kind == AnnotationKind::name) {
    const Annotation& annotation = lexer_.annotations()[annotations_taken()];
    if (has_module_name_annotation_) return fail(annotation.span, "@name annotation: multiple module names");
    has_module_name_annotation_ = true;
    if (auto name = name_annotation()) module_name_ = intern(*std::move(name));
  }
}

void ModuleParser::custom_annotation(const Annotation& annotation) {
  AnnotationParser parser(lexer_.text(), annotation);
  CustomSection custom;
  custom.name = parser.name("missing section name");
  if (parser.ok() && parser.at_list()) parser.placement(custom.after, custom.at_border, custom.section);
  while (parser.ok() && parser.at_string()) custom.contents += parser.strings();
  parser.end();
  if (!parser.ok()) return fail(parser.failure().span, parser.failure().message);
  customs_.push_back(std::move(custom));
}

// The name that stands where a name may be, if one does.
std::optional<std::string> ModuleParser::name_annotation() {
  if (!has_annotation()) [[likely]]
    return std::nullopt;
  if (lexer_.annotations()[annotations_taken()].kind != AnnotationKind::name) return std::nullopt;
  AnnotationParser parser(lexer_.text(), take_annotation());
  std::string name = parser.name("missing name");
  parser.end();
  if (!parser.ok()) {
    fail(parser.failure().span, parser.failure().message);
    return std::nullopt;
  }
  return name;
}

// "$x (@name "n")", or one of the two: of a parameter, local or field, which then stands alone in its list. False where
// there is neither.
bool ModuleParser::member_name(std::string_view what, IdMap& ids, std::uint32_t scope, NameMap& names,
                               std::uint32_t number) {
  const Token token = current();
  const std::string_view id = optional_identifier();
  const bool has_id = token.kind == TokenKind::id;
  if (has_id && !ids.add(id, number, scope)) fail(token.span(), fmt::format("duplicate {} {}", what, token.text()));
  const auto annotated = name_annotation();
  if (!has_id && !annotated) return false;
  ++names.count;
  names.bytes.u32(number);
  names.bytes.name(annotated ? std::string_view(*annotated) : id);
  return true;
}

// Before an instruction.
void ModuleParser::hint_annotations() {
  while (has_annotation()) {
    const Annotation& annotation = lexer_.annotations()[annotations_taken()];
    if (annotation.kind != AnnotationKind::branch_hint || !in_function_) return misplaced_annotation();
    if (hint_) return fail(annotation.span, "@metadata.code.branch_hint annotation: duplicate annotation");
    hint_span_ = annotation.span;
    AnnotationParser parser(lexer_.text(), take_annotation());
    const std::string value = parser.at_string() ? parser.strings() : std::string();
    parser.end();
    if (parser.ok() && (value.size() != 1 || static_cast<unsigned char>(value[0]) > 1)) {
      parser.refuse("malformed hint: expected \"\\00\" (unlikely) or \"\\01\" (likely)");
    }
    if (!parser.ok()) return fail(parser.failure().span, parser.failure().message);
    hint_ = static_cast<std::uint8_t>(value[0]);
  }
}

// The function is complete: its hints and names go into their sections.
void ModuleParser::finish_function(std::uint32_t function) {
  const auto finish_names = [&](NameMap& of_function, NameMap& all) {
    if (of_function.count != 0) {
      ++all.count;
      all.bytes.u32(function);
      all.bytes.u32(of_function.count);
      all.bytes.append(of_function.bytes);
    }
    of_function.count = 0;
    of_function.bytes.clear();
  };
  finish_names(function_local_names_, local_names_);
  finish_names(function_label_names_, label_names_);
  label_count_ = 0;
  in_function_ = false;
  locals_.clear();
  if (hints_.empty()) return;
  ++hint_section_.count;
  hint_section_.bytes.u32(function);
  hint_section_.bytes.u32(static_cast<std::uint32_t>(hints_.size()));
  for (const BranchHint& hint : hints_) {
    hint_section_.bytes.u32(hint.offset);
    hint_section_.bytes.u32(1);
    hint_section_.bytes.u8(hint.value);
  }
  hints_.clear();
}

void ModuleParser::misplaced_annotation() {
  const Annotation& annotation = lexer_.annotations()[annotations_taken()];
  if (annotation.kind == AnnotationKind::branch_hint && !in_function_) {
    return fail(annotation.span, "@metadata.code.branch_hint annotation: not in a function");
  }
  TokenParser::misplaced_annotation();
}

}  // namespace wasi::text
