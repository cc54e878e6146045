// Whether an error's text is the one that a script expects.
#pragma once

#include <string_view>

namespace wasi::spec {

// The scripts' messages are upstream's words. Ours begins with the same words, or is of the class that
// message_classes.def lists for them (docs/conformance.md).
bool matches_message(std::string_view expected, std::string_view actual);

}  // namespace wasi::spec
