// A cursor over bytes that belong to a module, with the binary format's integers.
//
// Reads never fail one by one: the first failure is kept, the cursor jumps to the end and every later
// read yields zero. So callers read a whole instruction or entry and ask ok() once. Offsets in errors
// count from the start of the module.
// Source: https://webassembly.github.io/spec/core/binary/values.html
#pragma once

#include <wasi/error.h>

#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace wasi::base {

// The value of a signed LEB128 number's only byte.
inline std::int64_t sign_extend7(std::uint8_t byte) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(byte) << 57) >> 57;
}

class ByteReader {
 public:
  // `bytes` outlives the reader; its first byte stands at `offset` in the module. `end_of` says in messages
  // what ends where the bytes do.
  ByteReader(std::span<const std::uint8_t> bytes, std::uint64_t offset, const char* end_of = "section or function")
      : begin_(bytes.data()), pos_(begin_), end_(begin_ + bytes.size()), offset_(offset), end_of_(end_of) {}

  [[nodiscard]] bool ok() const { return error_ == nullptr; }
  [[nodiscard]] bool at_end() const { return pos_ == end_; }
  [[nodiscard]] std::size_t remaining() const { return static_cast<std::size_t>(end_ - pos_); }
  [[nodiscard]] std::uint64_t offset() const { return offset_ + static_cast<std::uint64_t>(pos_ - begin_); }
  [[nodiscard]] const std::uint8_t* position() const { return pos_; }
  [[nodiscard]] const std::uint8_t* end() const { return end_; }
  // For a loop that keeps the position in a register: `position` lies between the old one and end().
  void move_to(const std::uint8_t* position) { pos_ = position; }
  // The error that made ok() false; call it then only. Moves it out.
  [[nodiscard]] Error take_error() { return std::move(*error_); }

  // `what` names the thing for the message: "unexpected end of section or function: expected function index".
  std::uint8_t u8(const char* what) {
    if (pos_ == end_) [[unlikely]]
      return fail_end(what), std::uint8_t{0};
    return *pos_++;
  }
  // The next byte without moving, or 0 at the end.
  [[nodiscard]] std::uint8_t peek() const { return pos_ == end_ ? 0 : *pos_; }

  std::uint32_t u32(const char* what) {
    if (pos_ != end_ && *pos_ < 0x80) [[likely]]
      return *pos_++;
    return static_cast<std::uint32_t>(unsigned_leb<32>(what));
  }
  std::uint64_t u64(const char* what) {
    if (pos_ != end_ && *pos_ < 0x80) [[likely]]
      return *pos_++;
    return unsigned_leb<64>(what);
  }
  std::int32_t s32(const char* what) {
    if (pos_ != end_ && *pos_ < 0x80) [[likely]]
      return static_cast<std::int32_t>(sign_extend7(*pos_++));
    return static_cast<std::int32_t>(signed_leb<32>(what));
  }
  // 33-bit signed: heap types and block types.
  std::int64_t s33(const char* what) {
    if (pos_ != end_ && *pos_ < 0x80) [[likely]]
      return sign_extend7(*pos_++);
    return signed_leb<33>(what);
  }
  std::int64_t s64(const char* what) {
    if (pos_ != end_ && *pos_ < 0x80) [[likely]]
      return sign_extend7(*pos_++);
    return signed_leb<64>(what);
  }
  // Little-endian bit patterns of f32, f64 and other fixed-size fields.
  std::uint32_t fixed32(const char* what) { return fixed<std::uint32_t>(what); }
  std::uint64_t fixed64(const char* what) { return fixed<std::uint64_t>(what); }

  // The next `count` bytes; empty and failed when fewer are left.
  std::span<const std::uint8_t> bytes(std::uint64_t count, const char* what) {
    if (count > remaining()) [[unlikely]]
      return fail_bytes(count, what), std::span<const std::uint8_t>{};
    const std::uint8_t* start = pos_;
    pos_ += count;
    return {start, static_cast<std::size_t>(count)};
  }
  // A length-prefixed name; checks that it is UTF-8.
  std::string_view name(const char* what);
  void skip(std::uint64_t count, const char* what) { (void)bytes(count, what); }

  // Records a failure at the current position, or at `offset`; the first one wins.
  void fail(ErrorKind kind, std::string message) { fail_at(offset(), kind, std::move(message)); }
  void fail_at(std::uint64_t offset, ErrorKind kind, std::string message);

 private:
  template <class T>
  T fixed(const char* what) {
    if (remaining() < sizeof(T)) [[unlikely]]
      return fail_end(what), T{0};
    T value;
    std::memcpy(&value, pos_, sizeof(T));
    pos_ += sizeof(T);
    return value;
  }
  // Any length; the inline readers above have taken the one-byte numbers.
  template <int kBits>
  std::uint64_t unsigned_leb(const char* what);
  template <int kBits>
  std::int64_t signed_leb(const char* what);
  // The same byte by byte, with every check and its message.
  std::uint64_t checked_unsigned_leb(int bits, const char* what);
  std::int64_t checked_signed_leb(int bits, const char* what);
  void fail_end(const char* what);
  void fail_bytes(std::uint64_t count, const char* what);

  const std::uint8_t* begin_;
  const std::uint8_t* pos_;
  const std::uint8_t* end_;
  std::uint64_t offset_;
  const char* end_of_;
  std::unique_ptr<Error> error_;
};

// How many bytes at the start of `text` are well-formed UTF-8 (no surrogates, no overlong forms).
std::size_t utf8_prefix(std::string_view text);
// True when all of it is.
inline bool is_utf8(std::string_view text) { return utf8_prefix(text) == text.size(); }

}  // namespace wasi::base
