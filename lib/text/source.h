// The text that is read, and how its errors say where they are.
#pragma once

#include <wasi/error.h>

#include <string>
#include <string_view>

namespace wasi::text {

// A piece of a text, for messages.
struct Span {
  const char* begin = nullptr;
  const char* end = nullptr;
};

// Line and column of `span`, and the line with carets below it. Costs a walk over the text up to there.
TextPosition position_of(std::string_view text, Span span);

}  // namespace wasi::text
