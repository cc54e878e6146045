// Which build of the library this is, as compiled modules say it: machine code knows where fields of the runtime's
// structures are, so it is of use to the very same sources alone.
#pragma once

#include <string_view>

namespace wasi::detail {

// "0.1.0-" and sixteen hexadecimal digits of a hash of the sources; the same wherever they are built.
std::string_view build_id();

}  // namespace wasi::detail
