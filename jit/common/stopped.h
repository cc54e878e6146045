// How a compilation that is not allowed to go on gets out of the depth of a walk.
#pragma once

#include <wasi/error.h>

#include <utility>

namespace wasi::jit {

// Thrown in a walk's sink, caught around the walk. No frame of a library is in between.
struct Stopped {
  Error error;
};

inline void stop_unless(Result<void> allowed) {
  if (!allowed) throw Stopped{std::move(allowed).error()};
}

}  // namespace wasi::jit
