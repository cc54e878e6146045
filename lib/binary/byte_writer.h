// Bytes of the binary format, appended to a buffer: the counterpart of base/byte_reader.h.
// Source: https://webassembly.github.io/spec/core/binary/values.html
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

#include "wasm/opcodes.h"

namespace wasi::binary {

class ByteWriter {
 public:
  [[nodiscard]] std::size_t size() const { return bytes_.size(); }
  [[nodiscard]] bool empty() const { return bytes_.empty(); }
  [[nodiscard]] std::span<const std::uint8_t> bytes() const { return bytes_; }
  [[nodiscard]] std::vector<std::uint8_t> take() { return std::move(bytes_); }
  void clear() { bytes_.clear(); }
  void reserve(std::size_t size) { bytes_.reserve(size); }
  // Drops what stands behind the first `size` bytes.
  void truncate(std::size_t size) { bytes_.resize(size); }

  void u8(std::uint8_t byte) { bytes_.push_back(byte); }
  void u32(std::uint32_t value) { u64(value); }
  void u64(std::uint64_t value) {
    while (value >= 0x80) {
      u8(static_cast<std::uint8_t>(value | 0x80));
      value >>= 7;
    }
    u8(static_cast<std::uint8_t>(value));
  }
  // Any signed number; s32 and s33 are the same bytes.
  void s64(std::int64_t value) {
    while (value < -0x40 || value >= 0x40) {
      u8(static_cast<std::uint8_t>(static_cast<std::uint64_t>(value) | 0x80));
      value >>= 7;
    }
    u8(static_cast<std::uint8_t>(static_cast<std::uint64_t>(value) & 0x7F));
  }
  void fixed32(std::uint32_t value) { fixed(value); }
  void fixed64(std::uint64_t value) { fixed(value); }

  void append(std::span<const std::uint8_t> bytes) { bytes_.insert(bytes_.end(), bytes.begin(), bytes.end()); }
  void append(std::string_view text) { bytes_.insert(bytes_.end(), text.begin(), text.end()); }
  void append(const ByteWriter& other) { append(other.bytes()); }
  // With their length in front.
  void name(std::string_view text) {
    u64(text.size());
    append(text);
  }
  void sized(const ByteWriter& other) {
    u64(other.size());
    append(other);
  }

  // The opcode alone.
  void op(wasm::Op op) {
    const wasm::OpInfo& row = wasm::info(op);
    if (row.prefix == 0) {
      u8(static_cast<std::uint8_t>(row.code));
    } else {
      u8(row.prefix);
      u32(row.code);
    }
  }

 private:
  template <class T>
  void fixed(T value) {
    const std::size_t at = bytes_.size();
    bytes_.resize(at + sizeof(T));
    std::memcpy(bytes_.data() + at, &value, sizeof(T));
  }

  std::vector<std::uint8_t> bytes_;
};

}  // namespace wasi::binary
