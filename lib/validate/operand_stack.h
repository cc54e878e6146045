// The walk's operand stack: types with their canonical slots, in one flat buffer that is used again for
// the next function.
//
// Invariant: the entry at the top, one past the last operand, exists and its `slot` is the height in slots.
// So taking operands off is one subtraction, and an operand's slot is there before its type is. Where nobody asks
// for slots (kSlots), none are kept.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>

#include "validate/signatures.h"
#include "validate/sink.h"

namespace wasi::validate {

template <bool kSlots>
class OperandStack {
 public:
  [[nodiscard]] std::size_t size() const { return static_cast<std::size_t>(top_ - bottom()); }
  [[nodiscard]] std::span<const Operand> view() const { return {bottom(), size()}; }
  // The operand `depth` below the top; it exists.
  [[nodiscard]] const Operand& from_top(std::size_t depth) const {
    return top_[-1 - static_cast<std::ptrdiff_t>(depth)];
  }
  // Operands of the innermost block.
  [[nodiscard]] std::size_t available() const { return static_cast<std::size_t>(top_ - base_); }
  // The innermost block's operands begin at `height`.
  void set_base(std::size_t height) { base_ = bottom() + height; }

  [[nodiscard]] std::uint32_t slot_height() const { return top_->slot; }
  [[nodiscard]] std::uint32_t max_slot_height() const { return max_slot_height_; }
  [[nodiscard]] std::uint64_t held_bytes() const {
    return static_cast<std::uint64_t>(limit_ - bottom()) * sizeof(Operand);
  }

  void clear() {
    if (!data_) grow();
    top_ = base_ = bottom();
    top_->slot = 0;
    max_slot_height_ = 0;
  }
  void push(wasm::ValType type) {
    if (top_ == limit_) [[unlikely]]
      grow();
    top_->type = type;
    ++top_;
    if constexpr (kSlots) set_height(top_[-1].slot + type.slots());
  }
  // Takes `count` operands off; that many are there.
  void drop(std::size_t count) { top_ -= count; }
  // The top operands get these types, which take the same slots.
  void retype(std::span<const wasm::ValType> types) {
    Operand* place = top_ - types.size();
    for (const wasm::ValType type : types) (place++)->type = type;
  }
  void truncate(std::size_t size) { top_ = bottom() + size; }

  // There are as many operands as the signature takes, and (kTypes) they are exactly those.
  template <bool kTypes>
  [[nodiscard]] bool fits(const ShortSignature& signature) const {
    if (available() < signature.count) [[unlikely]]
      return false;
    return !kTypes || (((top_[-1].type.bits() ^ signature.top) & signature.top_mask) |
                       ((top_[-2].type.bits() ^ signature.below) & signature.below_mask)) == 0;
  }
  // Replaces the operands of a signature by its result. It takes at least one, or gives none.
  void replace(const ShortSignature& signature) {
    Operand* place = top_ - signature.count;
    place->type = signature.result;
    top_ = place + signature.results;
    if constexpr (kSlots) set_height(place->slot + signature.result_slots);
  }

  // Gives memory back when a function needed unusually much.
  void trim() {
    if (limit_ - bottom() <= kKeep) return;
    *this = OperandStack();
  }

 private:
  static constexpr std::ptrdiff_t kKeep = 1 << 14;
  // Entries below the bottom that fits() may look at and never minds.
  static constexpr std::size_t kPadding = 2;

  void set_height(std::uint32_t slot) {
    top_->slot = slot;
    if (slot > max_slot_height_) [[unlikely]]
      max_slot_height_ = slot;
  }
  [[nodiscard]] Operand* bottom() const { return data_.get() + kPadding; }

  void grow() {
    const std::size_t used = data_ ? size() : 0;
    const std::size_t height = data_ ? static_cast<std::size_t>(base_ - bottom()) : 0;
    const std::size_t capacity = std::max<std::size_t>(256, used * 2);
    auto data = std::make_unique<Operand[]>(kPadding + capacity + 1);
    if (data_) std::copy_n(bottom(), used + 1, data.get() + kPadding);
    data_ = std::move(data);
    top_ = bottom() + used;
    base_ = bottom() + height;
    limit_ = bottom() + capacity;
  }

  std::unique_ptr<Operand[]> data_;
  Operand* top_ = nullptr;
  Operand* base_ = nullptr;
  Operand* limit_ = nullptr;
  std::uint32_t max_slot_height_ = 0;
};

}  // namespace wasi::validate
