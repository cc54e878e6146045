// Code that frames return to when their caller is not the interpreted instruction before: native code, or
// an instruction of another instance, whose context has to be put back.
#pragma once

#include <cstdint>

#include "interp/isa.h"

namespace wasi::interp {

// As at the end of a call instruction: how far the caller's slots lie below, here nothing, then code.
struct Shim {
  std::uint16_t delta = 0;
  std::uint8_t code[kHeadSize] = {};
};

struct Shims {
  Shim exit;
  Shim restore_10;  // behind a call instruction of 10 bytes
  Shim restore_16;  // of 16
};

// Filled once, before the first translation.
extern Shims shims;
void fill_shims();

}  // namespace wasi::interp
