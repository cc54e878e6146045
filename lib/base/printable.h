// Text of a guest's choice, made fit for terminals and logs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace wasi {

// The character that a text begins with; `size` is 0 where its bytes are no UTF-8. The text is not empty.
struct CodePoint {
  std::uint32_t code = 0;
  std::size_t size = 0;  // in bytes
};
CodePoint first_code_point(std::string_view text);

// Characters beyond ASCII that show nothing, or reorder or break what stands around them: controls, formats (soft
// hyphens, zero-width and bidirectional characters, tags), line and paragraph separators.
bool is_hidden(std::uint32_t code);

// The escape that C, the text format and traces share: \n \t \r \" \\. False, and nothing is written, for other bytes.
bool append_short_escape(std::string& out, char byte);

// The text with everything escaped that would not show, or would change what a terminal or a reader makes of what
// stands around it: control characters (\n, \t, \r, else \x1b), bytes that are no UTF-8, and hidden characters
// (\u{202e}). Other characters stay as they are. `kept` are control characters that stay, too.
std::string printable(std::string_view text, std::string_view kept = {});

}  // namespace wasi
