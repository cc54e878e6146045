#include "text/lexer.h"

#include <fmt/format.h>

#include <array>

#include "base/byte_reader.h"
#include "text/literals.h"

namespace wasi::text {
namespace {

enum Class : std::uint8_t {
  kIllegal,
  kSpace,
  kIdChar,    // what identifiers and keywords consist of
  kReserved,  // , ; [ ] { }
  kQuote,
  kParenthesis,
};

constexpr std::array<std::uint8_t, 256> kClasses = [] {
  std::array<std::uint8_t, 256> classes{};
  for (int c = '0'; c <= '9'; ++c) classes[static_cast<std::size_t>(c)] = kIdChar;
  for (int c = 'a'; c <= 'z'; ++c) classes[static_cast<std::size_t>(c)] = kIdChar;
  for (int c = 'A'; c <= 'Z'; ++c) classes[static_cast<std::size_t>(c)] = kIdChar;
  for (const char c : std::string_view("!#$%&'*+-./:<=>?@\\^_`|~")) classes[static_cast<std::uint8_t>(c)] = kIdChar;
  for (const char c : std::string_view(",;[]{}")) classes[static_cast<std::uint8_t>(c)] = kReserved;
  for (const char c : std::string_view(" \t\n\r")) classes[static_cast<std::uint8_t>(c)] = kSpace;
  classes['"'] = kQuote;
  classes['('] = classes[')'] = kParenthesis;
  return classes;
}();

Class class_of(char c) { return static_cast<Class>(kClasses[static_cast<std::uint8_t>(c)]); }

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return c >= 'a' && c <= 'z'; }

struct KnownAnnotation {
  std::string_view name;
  AnnotationKind kind;
};
constexpr KnownAnnotation kAnnotations[] = {
    {"custom", AnnotationKind::custom},
    {"name", AnnotationKind::name},
    {"metadata.code.branch_hint", AnnotationKind::branch_hint},
};

}  // namespace

std::string_view name_of(AnnotationKind kind) { return kAnnotations[static_cast<std::size_t>(kind)].name; }

void Lexer::fail(Span span, std::string message, ErrorKind kind) {
  if (!error_) {
    error_ = std::make_unique<Error>(Error{kind, std::move(message), {}, position_of(text_, span)});
  }
  pos_ = end_;
}

void Lexer::check_encoding() {
  const std::string_view part(begin_, static_cast<std::size_t>(end_ - begin_));
  const std::size_t good = base::utf8_prefix(part);
  if (good != part.size()) fail({begin_ + good, begin_ + good + 1}, "malformed UTF-8 encoding: the text is not UTF-8");
}

void Lexer::skip_line_comment() {
  while (pos_ != end_ && *pos_ != '\n' && *pos_ != '\r') ++pos_;
}

// At "(;".
bool Lexer::skip_block_comment() {
  const char* start = pos_;
  pos_ += 2;
  for (std::size_t depth = 1; depth != 0;) {
    if (end_ - pos_ < 2) {
      fail({start, start + 2}, "unclosed comment: expected ;)");
      return false;
    }
    if (pos_[0] == '(' && pos_[1] == ';') {
      ++depth;
      pos_ += 2;
    } else if (pos_[0] == ';' && pos_[1] == ')') {
      --depth;
      pos_ += 2;
    } else {
      ++pos_;
    }
  }
  return true;
}

void Lexer::skip_space() {
  while (pos_ != end_) {
    switch (*pos_) {
      case ' ':
      case '\t':
      case '\n':
      case '\r':
        ++pos_;
        continue;
      case ';':
        if (pos_ + 1 == end_ || pos_[1] != ';') return;
        skip_line_comment();
        continue;
      case '(':
        if (pos_ + 1 == end_) return;
        if (pos_[1] == ';') {
          skip_block_comment();
          continue;
        }
        if (pos_[1] == '@') {
          annotation();
          continue;
        }
        return;
      default:
        return;
    }
  }
}

Token Lexer::next() {
  skip_space();
  if (pos_ == end_) return make(TokenKind::end, pos_);
  const char* begin = pos_;
  switch (class_of(*pos_)) {
    case kParenthesis:
      ++pos_;
      return make(*begin == '(' ? TokenKind::lpar : TokenKind::rpar, begin);
    case kQuote:
      return string();
    case kIdChar:
    case kReserved:
      return word();
    default:
      illegal_character();
      return make(TokenKind::end, pos_);
  }
}

void Lexer::illegal_character() {
  const auto c = static_cast<unsigned char>(*pos_);
  fail({pos_, pos_ + 1}, c < 0x80 ? fmt::format("illegal character {:#04x}", c)
                                  : "illegal character: only strings and comments may hold characters beyond ASCII");
}

Token Lexer::word() {
  const char* begin = pos_;
  const char* p = pos_;
  while (p != end_ && class_of(*p) == kIdChar) ++p;
  pos_ = p;
  const bool is_plain =
      p == end_ || (class_of(*p) != kReserved && class_of(*p) != kQuote) || (*p == ';' && p + 1 != end_ && p[1] == ';');
  if (is_plain && p != begin) [[likely]] {
    Token token = make(TokenKind::reserved, begin);
    const char first = *begin;
    if (is_letter(first)) {
      token.kind = TokenKind::keyword;
      token.keyword = find_keyword(token.text());
    } else if (first == '$') {
      if (token.text().size() == 1) {
        fail(token.span(), "empty identifier: expected characters behind $");
        return make(TokenKind::end, pos_);
      }
      token.kind = TokenKind::id;
    } else if (is_digit(first) || first == '+' || first == '-') {
      token.kind = TokenKind::number;
    }
    return token;
  }
  if (p != end_ && *p == '"' && p == begin + 1 && *begin == '$') {
    if (!string_characters("empty identifier: expected characters between quotes")) return make(TokenKind::end, pos_);
    if (pos_ == begin + 3) {
      fail({begin, pos_}, "empty identifier: expected characters between the quotes");
      return make(TokenKind::end, pos_);
    }
    if (!word_goes_on()) return make(TokenKind::id, begin);
  }
  return reserved(begin);
}

bool Lexer::word_goes_on() const {
  if (pos_ == end_) return false;
  const Class next = class_of(*pos_);
  return next == kIdChar || next == kQuote ||
         (next == kReserved && !(*pos_ == ';' && pos_ + 1 != end_ && pos_[1] == ';'));
}

// Characters and strings without a space between them, which mean nothing.
Token Lexer::reserved(const char* begin) {
  while (word_goes_on()) {
    if (*pos_ != '"') {
      ++pos_;
    } else if (!string_characters()) {
      return make(TokenKind::end, pos_);
    }
  }
  return make(TokenKind::reserved, begin);
}

bool Lexer::string_characters(const char* failure) {
  const char* begin = pos_++;
  const auto refuse = [&](Span span, const char* message) {
    fail(span, failure != nullptr ? failure : message);
    return false;
  };
  while (pos_ != end_) {
    const auto c = static_cast<unsigned char>(*pos_);
    if (c == '"') {
      ++pos_;
      return true;
    }
    if (c == '\\') {
      ++pos_;
      if (pos_ == end_) break;
    } else if (c == '\n') {
      break;
    } else if (c < 0x20 || c == 0x7F) {
      return refuse({pos_, pos_ + 1}, "illegal control character in string literal");
    }
    ++pos_;
  }
  return refuse({begin, begin + 1}, "unclosed string literal: expected a closing quote");
}

Token Lexer::string() {
  const char* begin = pos_;
  if (!string_characters()) return make(TokenKind::end, pos_);
  if (word_goes_on()) return reserved(begin);
  return make(TokenKind::string, begin);
}

// At "(@".
void Lexer::annotation() {
  const char* start = pos_;
  pos_ += 2;
  const char* name_begin = pos_;
  std::string decoded;
  std::string_view name;
  if (pos_ != end_ && *pos_ == '"') {
    if (!string_characters("empty annotation id")) return;
    const Span span{name_begin, pos_};
    if (const char* problem = decode_string(span, decoded); problem != nullptr) return fail(span, problem);
    if (!base::is_utf8(decoded)) return fail(span, "malformed UTF-8 encoding: name of an annotation");
    name = decoded;
  } else {
    while (pos_ != end_ && class_of(*pos_) == kIdChar) ++pos_;
    name = {name_begin, static_cast<std::size_t>(pos_ - name_begin)};
  }
  if (name.empty()) return fail({start, pos_}, "empty annotation id: expected a name behind (@");

  Annotation found{AnnotationKind::custom, {}, {}};
  annotation_contents(start, found.contents);
  if (failed()) return;
  for (const KnownAnnotation& known : kAnnotations) {
    if (name != known.name) continue;
    found.kind = known.kind;
    found.span = {start, pos_};
    annotations_.push_back(found);
  }
}

// Everything up to the parenthesis that closes the annotation. Annotations in annotations are just lists.
void Lexer::annotation_contents(const char* start, Span& contents) {
  contents.begin = pos_;
  for (std::size_t depth = 1; depth != 0;) {
    if (pos_ == end_) return fail({start, start + 2}, "unclosed annotation: expected )");
    switch (class_of(*pos_)) {
      case kIllegal:
        return illegal_character();
      case kQuote:
        if (!string_characters()) return;
        break;
      case kParenthesis:
        if (*pos_ == '(' && pos_ + 1 != end_ && pos_[1] == ';') {
          if (!skip_block_comment()) return;
        } else {
          depth += *pos_ == '(' ? 1 : -1;
          contents.end = pos_;
          ++pos_;
        }
        break;
      case kReserved:
        if (*pos_ == ';' && pos_ + 1 != end_ && pos_[1] == ';') {
          skip_line_comment();
          break;
        }
        ++pos_;
        break;
      default:
        ++pos_;
    }
  }
}

bool Lexer::skip_list(const char* pos) {
  pos_ = pos;
  std::size_t depth = 1;
  while (pos_ != end_) {
    switch (*pos_) {
      case '(':
        if (pos_ + 1 != end_ && pos_[1] == ';') {
          if (!skip_block_comment()) return false;
          continue;
        }
        ++depth;
        break;
      case ')':
        if (--depth == 0) {
          ++pos_;
          return true;
        }
        break;
      case '"':
        if (!string_characters()) return false;
        continue;
      case ';':
        if (pos_ + 1 != end_ && pos_[1] == ';') {
          skip_line_comment();
          continue;
        }
        break;
      default:
        break;
    }
    ++pos_;
  }
  return false;
}

}  // namespace wasi::text
