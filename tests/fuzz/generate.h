// Bytes -> modules that are valid, run for a bounded time, and do as much as they can meanwhile.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "fuzz/host.h"
#include "wasm/opcodes.h"

namespace wasi::test::fuzz {

struct Case {
  // Each is instantiated as "earlier" for the next one.
  std::vector<std::vector<std::uint8_t>> modules;
  std::string fuel;  // the first one's global that bounds the calls; empty: there is none
  std::vector<UntypedHostFunction> host_functions;
  bool has_loose_nans = false;      // two NaNs of scalar floats are equal
  bool has_exact_nans = false;      // not for an optimising compiler
  std::uint64_t argument_seed = 0;  // of what the functions are called with
  // Pieces that can be left out, outer ones in front of those in them: for each the first one that is not in it.
  std::vector<std::uint32_t> node_ends;
  std::array<std::uint32_t, wasm::kOpCount> counts{};  // of instructions
};

// `omitted` says which nodes are left out: the rest stays what it is without them.
Case generate(std::span<const std::uint8_t> bytes, const std::vector<bool>& omitted = {});

std::vector<std::uint8_t> bytes_of_seed(std::uint64_t seed);

}  // namespace wasi::test::fuzz
