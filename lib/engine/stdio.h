// What a Stdio means to lib/wasi, found out when a guest is instantiated.
#pragma once

#include <functional>

#include "wasi/context.h"

namespace wasi::detail {

struct StreamSource {
  std::function<Result<preview1::Stdio>(bool reads)> open;  // `reads`: as stdin
};

}  // namespace wasi::detail
