// Machine code that a test may call, in an arena of the tests'.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "jit/common/code_arena.h"

namespace wasi::jit::test {

class Executable {
 public:
  explicit Executable(const std::vector<std::uint8_t>& code) : piece_(arena().allocate(code.size()).value()) {
    std::ranges::copy(code, piece_.writable().begin());
    piece_.publish().value();
  }

  [[nodiscard]] const void* address() const { return piece_.code().data(); }
  template <class Function>
  [[nodiscard]] Function as() const {
    return reinterpret_cast<Function>(const_cast<std::uint8_t*>(piece_.code().data()));
  }

 private:
  static CodeArena& arena() {
    static const std::unique_ptr<CodeArena> arena = CodeArena::create({.reserved = 16U << 20}).value();
    return *arena;
  }
  CodePiece piece_;
};

}  // namespace wasi::jit::test
