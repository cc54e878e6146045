// Small tables from wasm::Op to what makes its instructions.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "wasm/opcodes.h"

namespace wasi::jit::baseline {

// Rows that begin with `op`; each instruction has at most one.
template <class Row, std::size_t count>
class OpTable {
 public:
  consteval explicit OpTable(const Row (&rows)[count]) {
    static_assert(count < 256);
    for (std::size_t i = 0; i < count; ++i) {
      rows_[i] = rows[i];
      std::uint8_t& index = index_[static_cast<std::size_t>(rows[i].op)];
      if (index != 0) throw "an instruction has two rows";
      index = static_cast<std::uint8_t>(i + 1);
    }
  }
  [[nodiscard]] constexpr const Row* find(wasm::Op op) const {
    const std::uint8_t index = index_[static_cast<std::size_t>(op)];
    return index == 0 ? nullptr : &rows_[index - 1];
  }

 private:
  std::array<Row, count> rows_ = {};
  std::array<std::uint8_t, wasm::kOpCount> index_ = {};
};

}  // namespace wasi::jit::baseline
