// The walk's open blocks. Entries never move while they are open, so sinks may keep their addresses;
// chunks are used again for the next function.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <vector>

#include "validate/sink.h"

namespace wasi::validate {

// A block with what only the walk needs to know about it.
template <class Label>
struct ControlEntry : Control<Label> {
  const std::uint8_t* table_mark = nullptr;  // the br_table that checked it last
  std::uint32_t init_height = 0;             // locals initialised when it was opened
  wasm::ValType single;                      // storage of `results` for one-value block types
};

template <class Label>
class ControlStack {
 private:
  static constexpr std::size_t kChunk = 128;
  static constexpr std::size_t kKeepChunks = 16;
  using Chunk = std::array<ControlEntry<Label>, kChunk>;

 public:
  using Entry = ControlEntry<Label>;

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::uint64_t held_bytes() const { return chunks_.size() * sizeof(Chunk); }
  [[nodiscard]] Entry& from_top(std::size_t depth) {
    const std::size_t index = size_ - 1 - depth;
    return index < kChunk ? first_[index] : (*chunks_[index / kChunk])[index % kChunk];
  }

  // Opens a block. The caller fills every field but those whose default is right.
  Entry& push() {
    Entry& entry = size_ < kChunk ? first_[size_] : push_behind();
    ++size_;
    entry.unreachable = false;
    entry.table_mark = nullptr;
    entry.label = Label{};
    return entry;
  }
  void pop() { --size_; }
  void clear() {
    size_ = 0;
    if (chunks_.empty()) add_chunk();
  }
  // Gives memory back when a function nested unusually deep.
  void trim() {
    if (chunks_.size() > kKeepChunks) chunks_.resize(kKeepChunks);
  }

 private:
  void add_chunk() {
    chunks_.push_back(std::make_unique<Chunk>());
    first_ = chunks_[0]->data();
  }
  [[gnu::noinline]] Entry& push_behind() {
    if (size_ == chunks_.size() * kChunk) add_chunk();
    return (*chunks_[size_ / kChunk])[size_ % kChunk];
  }

  std::vector<std::unique_ptr<Chunk>> chunks_;
  Entry* first_ = nullptr;  // the first chunk, beyond which few functions get
  std::size_t size_ = 0;
};

}  // namespace wasi::validate
