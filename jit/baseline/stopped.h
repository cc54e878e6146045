// How a compilation that is not allowed to go on gets out of the depth of a walk.
#pragma once

#include <wasi/error.h>

#include <utility>

namespace wasi::jit::baseline {

// Thrown in a walk's sink, caught around the walk.
struct Stopped {
  Error error;
};

inline void stop_unless(Result<void> allowed) {
  if (!allowed) throw Stopped{std::move(allowed).error()};
}

}  // namespace wasi::jit::baseline
