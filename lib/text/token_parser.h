// What parsers of modules and of scripts have in common: a token of lookahead, and one behind it on demand.
//
// After a failure every token is the end (lexer.h), so that loops over tokens stop by themselves.
#pragma once

#include <deque>
#include <string>
#include <string_view>

#include "text/lexer.h"
#include "text/literals.h"

namespace wasi::text {

class TokenParser {
 public:
  TokenParser(std::string_view text, std::string_view part) : lexer_(text, part) {}

 protected:
  // Goes on at `pos`.
  void seek(const char* pos);
  void advance() {
    if (current_.annotations != taken_annotations_) [[unlikely]]
      return misplaced_annotation();
    move_on();
  }
  [[nodiscard]] const Token& current() const { return current_; }
  const Token& peek();

  [[nodiscard]] bool at(TokenKind kind) const { return current_.kind == kind; }
  [[nodiscard]] bool at(Keyword keyword) const {
    return current_.kind == TokenKind::keyword && current_.keyword == keyword;
  }
  [[nodiscard]] bool at_index() const { return at(TokenKind::id) || at_unsigned(); }
  // A number without a sign.
  [[nodiscard]] bool at_unsigned() const {
    return at(TokenKind::number) && *current_.begin != '+' && *current_.begin != '-';
  }
  // At "(keyword".
  bool at_list(Keyword keyword);

  bool take(TokenKind kind);
  bool take(Keyword keyword);
  // Moves behind "(keyword".
  bool take_list(Keyword keyword);
  void expect(Keyword keyword, std::string_view what);
  void expect_lpar(std::string_view what);
  void expect_rpar(std::string_view what = ")");

  // "unexpected token ..." or "unknown operator ...", depending on whether the token means something elsewhere.
  void unexpected(std::string_view expected) { unexpected(current_, expected); }
  void unexpected(const Token& token, std::string_view expected);
  // Whether the token could stand somewhere in a text.
  static bool has_meaning(const Token& token);
  void fail(Span span, std::string message, ErrorKind kind = ErrorKind::malformed);
  [[nodiscard]] bool failed() const { return lexer_.failed(); }

  // Literals. Each moves on, and fails where the token is none.
  std::uint64_t unsigned_number(std::string_view what);
  std::uint32_t u32(std::string_view what);
  std::uint64_t integer(unsigned bits);
  std::uint64_t float_bits(unsigned bits);
  // The same of a token that has been passed.
  std::uint64_t integer(const Token& token, unsigned bits);
  std::uint64_t float_bits(const Token& token, unsigned bits);
  // A string, decoded and appended; empty and failed where there is none.
  void string(std::string& out, std::string_view what);
  // The same as UTF-8.
  std::string name(std::string_view what);

  // What an identifier stands for, without the $. Lives as long as the parser and the text.
  std::string_view identifier(const Token& token);
  // Keeps a string that views shall point to.
  std::string_view intern(std::string text) { return strings_.emplace_back(std::move(text)); }

  // Annotations that stand before the current token and were not taken yet.
  [[nodiscard]] bool has_annotation() const { return current_.annotations != taken_annotations_; }
  [[nodiscard]] std::uint32_t annotations_taken() const { return taken_annotations_; }
  const Annotation& take_annotation() { return lexer_.annotations()[taken_annotations_++]; }
  void ignore_annotations(bool ignore) { ignore_annotations_ = ignore; }
  virtual void misplaced_annotation();

  void check_literal(Literal literal, const Token& token, std::string_view type, std::string_view expected);

  ~TokenParser() = default;
  Lexer lexer_;

 private:
  void move_on();

  Token current_;
  Token peeked_;
  bool has_peeked_ = false;
  bool ignore_annotations_ = false;
  std::uint32_t taken_annotations_ = 0;
  std::deque<std::string> strings_;
};

}  // namespace wasi::text
