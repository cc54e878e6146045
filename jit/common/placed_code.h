// Code that can be executed, and that the listeners know of (code_space.h). No thread is in it when the object goes.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <utility>

#include "jit/common/code_arena.h"
#include "jit/common/code_listener.h"

namespace wasi::jit {

using CodeListeners = std::span<const std::shared_ptr<CodeListener>>;

class PlacedCode {
 public:
  PlacedCode() = default;
  // The piece is published; the listeners, which outlive it, are told.
  PlacedCode(CodePiece piece, CodeListeners listeners, const NamedCode& named)
      : piece_(std::move(piece)), listeners_(listeners) {
    for (const auto& listener : listeners_) listener->code_added(named);
  }
  ~PlacedCode() { tell_removal(); }
  PlacedCode(PlacedCode&& other) noexcept { *this = std::move(other); }
  PlacedCode& operator=(PlacedCode&& other) noexcept {
    if (this == &other) return *this;
    tell_removal();
    piece_ = std::move(other.piece_);
    listeners_ = std::exchange(other.listeners_, {});
    return *this;
  }
  PlacedCode(const PlacedCode&) = delete;
  PlacedCode& operator=(const PlacedCode&) = delete;

  [[nodiscard]] std::span<const std::uint8_t> bytes() const { return piece_.code(); }

 private:
  void tell_removal() {
    for (const auto& listener : listeners_) listener->code_removed(piece_.code());
  }

  CodePiece piece_;
  CodeListeners listeners_;
};

}  // namespace wasi::jit
