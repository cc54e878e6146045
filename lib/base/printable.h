// Text of a guest's choice, made fit for terminals and logs.
#pragma once

#include <string>
#include <string_view>

namespace wasi {

// The text with everything escaped that would not show, or would change what a terminal or a reader makes of what
// stands around it: control characters (\n, \t, \r, else \x1b), bytes that are no UTF-8, and invisible characters that
// reorder or break lines (\u{202e}). Other characters stay as they are. `kept` are control characters that stay, too.
std::string printable(std::string_view text, std::string_view kept = {});

}  // namespace wasi
