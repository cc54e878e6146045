#include "text/token_parser.h"

#include <fmt/format.h>

#include "base/byte_reader.h"
#include "text/literals.h"

namespace wasi::text {
namespace {

// What is shown of a token in a message.
constexpr std::size_t kShownCharacters = 60;

std::string shown(const Token& token) {
  std::string_view text = token.text();
  if (text.size() <= kShownCharacters) return std::string(text);
  std::size_t cut = kShownCharacters;
  while (cut > 0 && (static_cast<unsigned char>(text[cut]) & 0xC0) == 0x80) --cut;
  return std::string(text.substr(0, cut)) + "...";
}

}  // namespace

bool TokenParser::has_meaning(const Token& token) {
  switch (token.kind) {
    case TokenKind::reserved:
      return false;
    case TokenKind::number:
      return is_number(token.text());
    case TokenKind::keyword: {
      const std::string_view text = token.text();
      if (token.keyword.is_known()) return true;
      std::uint64_t ignored = 0;
      for (const std::string_view prefix : {"offset=", "align="}) {
        if (text.starts_with(prefix)) return parse_unsigned(text.substr(prefix.size()), ignored) != Literal::syntax;
      }
      return is_number(text);  // nan:0x...
    }
    default:
      return true;
  }
}

void TokenParser::seek(const char* pos) {
  lexer_.seek(pos);
  has_peeked_ = false;
  taken_annotations_ = static_cast<std::uint32_t>(lexer_.annotations().size());
  current_ = lexer_.next();
  if (ignore_annotations_) taken_annotations_ = current_.annotations;
}

void TokenParser::move_on() {
  if (has_peeked_) {
    current_ = peeked_;
    has_peeked_ = false;
  } else {
    current_ = lexer_.next();
  }
  if (ignore_annotations_) taken_annotations_ = current_.annotations;
}

const Token& TokenParser::peek() {
  if (!has_peeked_) {
    peeked_ = lexer_.next();
    has_peeked_ = true;
    if (failed()) current_.kind = TokenKind::end;
  }
  return peeked_;
}

bool TokenParser::at_list(Keyword keyword) {
  if (!at(TokenKind::lpar)) return false;
  const Token& next = peek();
  return next.kind == TokenKind::keyword && next.keyword == keyword;
}

bool TokenParser::take(TokenKind kind) {
  if (!at(kind)) return false;
  advance();
  return true;
}

bool TokenParser::take(Keyword keyword) {
  if (!at(keyword)) return false;
  advance();
  return true;
}

bool TokenParser::take_list(Keyword keyword) {
  if (!at_list(keyword)) return false;
  advance();
  advance();
  return true;
}

void TokenParser::expect(Keyword keyword, std::string_view what) {
  if (!take(keyword)) unexpected(what);
}

void TokenParser::expect_lpar(std::string_view what) {
  if (!take(TokenKind::lpar)) unexpected(what);
}

void TokenParser::expect_rpar(std::string_view what) {
  if (!take(TokenKind::rpar)) unexpected(what);
}

void TokenParser::unexpected(const Token& token, std::string_view expected) {
  if (failed()) return;
  if (token.kind == TokenKind::end) {
    return fail(token.span(), fmt::format("unexpected token: the text ends here, expected {}", expected));
  }
  fail(token.span(), fmt::format("{} {}: expected {}", has_meaning(token) ? "unexpected token" : "unknown operator",
                                 shown(token), expected));
}

void TokenParser::fail(Span span, std::string message, ErrorKind kind) {
  lexer_.fail(span, std::move(message), kind);
  current_.kind = TokenKind::end;
  current_.annotations = taken_annotations_;
  peeked_ = current_;
}

void TokenParser::check_literal(Literal literal, const Token& token, std::string_view type, std::string_view expected) {
  if (literal == Literal::range) {
    fail(token.span(),
         fmt::format("{}constant out of range: {} is no {}", type == "i8" ? "i8 " : "", shown(token), type));
  } else if (literal == Literal::syntax) {
    unexpected(token, expected);
  }
}

std::uint64_t TokenParser::unsigned_number(std::string_view what) {
  const Token token = current_;
  std::uint64_t value = 0;
  if (!at_unsigned()) {
    unexpected(what);
    return 0;
  }
  check_literal(parse_unsigned(token.text(), value), token, "i64", what);
  if (!failed()) advance();
  return value;
}

std::uint32_t TokenParser::u32(std::string_view what) {
  const Token token = current_;
  const std::uint64_t value = unsigned_number(what);
  if (value > 0xFFFFFFFF) check_literal(Literal::range, token, "i32", what);
  return static_cast<std::uint32_t>(value);
}

std::uint64_t TokenParser::integer(const Token& token, unsigned bits) {
  std::uint64_t value = 0;
  check_literal(parse_integer(token.text(), bits, value), token, bits == 32 ? "i32" : "i64", "an integer");
  return value;
}

std::uint64_t TokenParser::integer(unsigned bits) {
  const Token token = current_;
  if (!at(TokenKind::number)) {
    unexpected("an integer");
    return 0;
  }
  advance();
  return integer(token, bits);
}

std::uint64_t TokenParser::float_bits(const Token& token, unsigned bits) {
  std::uint64_t value = 0;
  std::uint32_t value32 = 0;
  const Literal literal = bits == 32 ? parse_f32(token.text(), value32) : parse_f64(token.text(), value);
  check_literal(literal, token, bits == 32 ? "f32" : "f64", "a number");
  return bits == 32 ? value32 : value;
}

std::uint64_t TokenParser::float_bits(unsigned bits) {
  const Token token = current_;
  if (!at(TokenKind::number) && !at(TokenKind::keyword)) {
    unexpected("a number");
    return 0;
  }
  advance();
  return float_bits(token, bits);
}

void TokenParser::string(std::string& out, std::string_view what) {
  if (!at(TokenKind::string)) return unexpected(what);
  if (const char* problem = decode_string(current_.span(), out); problem != nullptr) {
    return fail(current_.span(), problem);
  }
  advance();
}

std::string TokenParser::name(std::string_view what) {
  const Span span = current_.span();
  std::string result;
  string(result, what);
  if (!base::is_utf8(result)) fail(span, fmt::format("malformed UTF-8 encoding: {}", what));
  return result;
}

std::string_view TokenParser::identifier(const Token& token) {
  if (token.begin[1] != '"') return {token.begin + 1, token.end};
  std::string decoded;
  if (const char* problem = decode_string({token.begin + 1, token.end}, decoded); problem != nullptr) {
    fail(token.span(), problem);
  }
  if (!base::is_utf8(decoded)) fail(token.span(), "malformed UTF-8 encoding: identifier");
  return intern(std::move(decoded));
}

void TokenParser::misplaced_annotation() {
  const Annotation& annotation = lexer_.annotations()[taken_annotations_];
  fail(annotation.span, fmt::format("misplaced @{} annotation", name_of(annotation.kind)));
}

}  // namespace wasi::text
