// Machine code as text while it is made, beside the instructions of the module that it comes from.
//
// Labels are L0, L1, ... in the order in which they were made, so a listing is the same wherever the code lies, and
// from one run to the next.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "jit/baseline/encoder_x64.h"
#include "wasm/module.h"

namespace wasi::jit::baseline {

// What an assembler emits while this lives. A member or local that is made only where a listing is wanted: it costs.
class Listing {
 public:
  explicit Listing(Encoder& assembler);
  ~Listing() { assembler_.resetLogger(); }
  Listing(const Listing&) = delete;
  Listing& operator=(const Listing&) = delete;

  // What follows comes from the instruction at this offset in the module: "; 2a: i32.add".
  void begin(const wasm::Module& module, std::uint64_t offset);
  // Or from none: "; return".
  void begin(std::string_view text);
  // What data behind this line means: labels, in a row.
  void targets(std::span<const asmjit::Label> labels);

  [[nodiscard]] std::string take();

 private:
  Encoder& assembler_;
  asmjit::StringLogger logger_;
};

}  // namespace wasi::jit::baseline
