// From an object file of LLVM's to bytes that run wherever they are placed.
#pragma once

#include <wasi/error.h>

#include <cstdint>
#include <string_view>
#include <vector>

namespace wasi::jit::optimising {

// A section of the object that is none of the program: places in the code, for whoever wrote them there.
inline constexpr const char* kPlacesSection = ".wasirun.places";

struct Linked {
  std::vector<std::uint8_t> bytes;  // the text section first; constants and jump tables behind it
  std::string_view places;          // of the object's
};

// `unsupported` where something names what the object does not have: code has no other way to the runtime than its
// context.
Result<Linked> link(std::string_view object);

}  // namespace wasi::jit::optimising
