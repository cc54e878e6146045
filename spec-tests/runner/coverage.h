// Which instructions are executed: each row of lib/wasm/opcodes.def whose feature this version runs must be, by some
// script, or nothing says that it works. Code counts as it runs; what is merely translated does not count.
#pragma once

#include <wasi/engine.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "wasm/opcodes.h"

namespace wasi::spec {

class Coverage {
 public:
  // Before the engine, which has no tier but the interpreter, loads its first module.
  explicit Coverage(const Engine& engine);

  // In the order of the table.
  [[nodiscard]] std::vector<std::string_view> missing() const;
  [[nodiscard]] std::size_t executed() const;

 private:
  using Counts = std::array<std::atomic<std::uint64_t>, wasm::kOpCount>;
  std::shared_ptr<Counts> counts_;
};

}  // namespace wasi::spec
