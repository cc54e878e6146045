// Code that can be executed, and that the listeners know of (code_space.h). No thread is in it when the object goes.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "jit/common/code_arena.h"
#include "jit/common/code_listener.h"

namespace wasi::jit {

using CodeListeners = std::span<const std::shared_ptr<CodeListener>>;

class PlacedCode {
 public:
  PlacedCode() = default;
  // A piece that is published.
  explicit PlacedCode(CodePiece piece) : piece_(std::move(piece)), code_(piece_.code()) {}
  // Code that lies in memory of somebody else's, which outlives it.
  explicit PlacedCode(std::span<const std::uint8_t> code) : code_(code) {}
  ~PlacedCode() { tell_removal(); }
  PlacedCode(PlacedCode&& other) noexcept { *this = std::move(other); }
  PlacedCode& operator=(PlacedCode&& other) noexcept {
    if (this != &other) {
      tell_removal();
      piece_ = std::move(other.piece_);
      code_ = std::exchange(other.code_, {});
      listeners_ = std::exchange(other.listeners_, {});
      told_ = std::exchange(other.told_, {});
    }
    return *this;
  }
  PlacedCode(const PlacedCode&) = delete;
  PlacedCode& operator=(const PlacedCode&) = delete;

  [[nodiscard]] std::span<const std::uint8_t> bytes() const { return code_; }

  // The listeners, which outlive it, are told of a part, and that it goes when it does. Throws std::bad_alloc.
  void tell(CodeListeners listeners, const NamedCode& part) {
    told_.push_back(part.code);
    listeners_ = listeners;
    for (const auto& listener : listeners_) listener->code_added(part);
  }

 private:
  void tell_removal() {
    for (const auto part : told_) {
      for (const auto& listener : listeners_) listener->code_removed(part);
    }
  }

  CodePiece piece_;
  std::span<const std::uint8_t> code_;
  CodeListeners listeners_;
  std::vector<std::span<const std::uint8_t>> told_;
};

}  // namespace wasi::jit
