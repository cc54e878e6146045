// The walk's operand stack: types with their canonical slots, in one flat buffer that is used again for
// the next function.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "validate/sink.h"

namespace wasi::validate {

class OperandStack {
 public:
  [[nodiscard]] std::size_t size() const { return static_cast<std::size_t>(top_ - data_.get()); }
  [[nodiscard]] std::span<const Operand> view() const { return {data_.get(), size()}; }
  // The operand `depth` below the top; it exists.
  [[nodiscard]] const Operand& from_top(std::size_t depth) const {
    return top_[-1 - static_cast<std::ptrdiff_t>(depth)];
  }
  // One past the top: operands lie below it.
  [[nodiscard]] const Operand* top() const { return top_; }

  [[nodiscard]] std::uint32_t slot_height() const { return slot_height_; }
  [[nodiscard]] std::uint32_t max_slot_height() const { return max_slot_height_; }

  void clear() {
    top_ = data_.get();
    slot_height_ = 0;
    max_slot_height_ = 0;
  }
  void push(wasm::ValType type) {
    if (top_ == limit_) [[unlikely]]
      grow();
    *top_++ = Operand{type, slot_height_};
    slot_height_ += type.slots();
    max_slot_height_ = std::max(max_slot_height_, slot_height_);
  }
  // Takes `count` operands off; that many are there.
  void drop(std::size_t count) {
    if (count == 0) return;
    top_ -= count;
    slot_height_ = top_->slot;
  }
  void truncate(std::size_t size) { drop(this->size() - size); }

  // Gives memory back when a function needed unusually much.
  void trim() {
    if (limit_ - data_.get() <= kKeep) return;
    data_.reset();
    limit_ = nullptr;
    clear();
  }

 private:
  static constexpr std::ptrdiff_t kKeep = 1 << 14;

  void grow() {
    const std::size_t used = size();
    const std::size_t capacity = std::max<std::size_t>(256, used * 2);
    auto data = std::make_unique_for_overwrite<Operand[]>(capacity);
    std::copy_n(data_.get(), used, data.get());
    data_ = std::move(data);
    top_ = data_.get() + used;
    limit_ = data_.get() + capacity;
  }

  std::unique_ptr<Operand[]> data_;
  Operand* top_ = nullptr;
  Operand* limit_ = nullptr;
  std::uint32_t slot_height_ = 0;
  std::uint32_t max_slot_height_ = 0;
};

}  // namespace wasi::validate
