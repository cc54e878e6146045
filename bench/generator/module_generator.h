// Modules of any size that look like what compilers make: for measures of decoding, validation and compilation.
#pragma once

#include <cstdint>
#include <vector>

namespace wasi::bench {

struct GeneratedModule {
  std::vector<std::uint8_t> bytes;
  std::uint64_t functions = 0;
  std::uint64_t code_bytes = 0;  // of the code section
};

// About `size` bytes: functions of some 20 bytes to 60 kB that compute, branch, call each other and use memory, with
// data and a table. The same size gives the same bytes, everywhere. It is a WASI command without imports, of the first
// version's instructions alone; `_start` calls each function once, with an argument that makes it return at once, so
// that engines which compile late have compiled everything when it ends.
GeneratedModule generate_module(std::uint64_t size);

}  // namespace wasi::bench
