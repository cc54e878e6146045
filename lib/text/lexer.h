// Text to tokens. White space, comments and annotations are skipped; annotations that mean something are kept
// aside, and each token knows how many of them stood before it.
//
// The first failure is kept and ends the text: every later token is the end. So parsers look for an error once.
// The text must be UTF-8 (Lexer::check_encoding).
// Source: https://webassembly.github.io/spec/core/text/lexical.html
#pragma once

#include <wasi/error.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "text/keywords.h"
#include "text/source.h"

namespace wasi::text {

enum class TokenKind : std::uint8_t {
  end,  // of the text, or of all that is read after a failure
  lpar,
  rpar,
  string,    // with its quotes
  id,        // "$..."
  keyword,   // begins with a letter; `keyword` is known or not
  number,    // begins with a digit or a sign; not yet checked
  reserved,  // any other run of characters
};

struct Token {
  TokenKind kind = TokenKind::end;
  Keyword keyword;
  std::uint32_t annotations = 0;  // of those kept, how many stand before this token
  const char* begin = nullptr;
  const char* end = nullptr;

  [[nodiscard]] std::string_view text() const { return {begin, static_cast<std::size_t>(end - begin)}; }
  [[nodiscard]] Span span() const { return {begin, end}; }
};

enum class AnnotationKind : std::uint8_t { custom, name, branch_hint };
std::string_view name_of(AnnotationKind kind);

struct Annotation {
  AnnotationKind kind;
  Span span;      // all of it
  Span contents;  // behind the name, without the closing parenthesis
};

class Lexer {
 public:
  // Reads `part` of `text`; errors tell positions in `text`. Both outlive the lexer.
  Lexer(std::string_view text, std::string_view part)
      : text_(text), begin_(part.data()), pos_(begin_), end_(begin_ + part.size()) {}

  // Fails where the part is not UTF-8.
  void check_encoding();

  Token next();

  // Moves behind the parenthesis that closes the list in which `pos` stands. False when there is none.
  bool skip_list(const char* pos);
  // Goes on reading at `pos`.
  void seek(const char* pos) { pos_ = pos; }
  [[nodiscard]] const char* position() const { return pos_; }

  [[nodiscard]] const std::vector<Annotation>& annotations() const { return annotations_; }
  void forget_annotations() { annotations_.clear(); }

  void fail(Span span, std::string message, ErrorKind kind = ErrorKind::malformed);
  [[nodiscard]] bool failed() const { return error_ != nullptr; }
  [[nodiscard]] Error take_error() { return std::move(*error_); }
  [[nodiscard]] std::string_view text() const { return text_; }
  [[nodiscard]] std::uint64_t offset_of(const char* pos) const {
    return static_cast<std::uint64_t>(pos - text_.data());
  }

 private:
  void skip_space();
  bool skip_block_comment();
  void skip_line_comment();
  void annotation();
  void annotation_contents(const char* start, Span& contents);
  Token word();
  Token string();
  [[nodiscard]] bool word_goes_on() const;
  Token reserved(const char* begin);
  // Moves over a string's closing quote; `failure` replaces the message where a string may not stand alone.
  bool string_characters(const char* failure = nullptr);
  void illegal_character();
  Token make(TokenKind kind, const char* begin) const {
    return {kind, {}, static_cast<std::uint32_t>(annotations_.size()), begin, pos_};
  }

  std::string_view text_;
  const char* begin_;
  const char* pos_;
  const char* end_;
  std::vector<Annotation> annotations_;
  std::unique_ptr<Error> error_;
};

}  // namespace wasi::text
