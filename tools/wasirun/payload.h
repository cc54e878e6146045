// A program that is part of the executable itself: what `wasirun compile --exe` makes is this executable with a
// compiled module behind it, and a note inside that says where.
#pragma once

#include <wasi/error.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace wasirun {

struct Payload {
  std::uint64_t offset = 0;  // of the compiled module in the executable
  std::uint64_t size = 0;
  std::vector<std::string> options;  // of `wasirun run`
};

inline constexpr const char* kOwnExecutable = "/proc/self/exe";

// What this executable carries; empty: it is wasirun alone, which costs nothing to find out. An error where the
// executable was cut off.
wasi::Result<std::optional<Payload>> own_payload();

// This executable's bytes with a compiled module and the options it is to be run with.
wasi::Result<std::vector<std::uint8_t>> with_payload(std::span<const std::uint8_t> module,
                                                     const std::vector<std::string>& options);

}  // namespace wasirun
