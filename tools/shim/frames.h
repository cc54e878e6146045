// ttrpc's frames: a header of ten bytes (size, stream, type, flags, in network order) and a message.
// Source: https://github.com/containerd/ttrpc/blob/main/PROTOCOL.md
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace wasirun::shim {

inline constexpr std::size_t kFrameHeaderSize = 10;
inline constexpr std::uint32_t kLargestMessage = 4U << 20;  // both sides refuse larger ones

enum class FrameType : std::uint8_t { request = 1, response = 2, data = 3 };

struct Frame {
  std::uint32_t stream = 0;
  std::uint8_t type = 0;  // a FrameType, or what nobody knows yet
  std::uint8_t flags = 0;
  bool is_too_large = false;  // then the message was dropped
  std::string message;
};

// The message is at most kLargestMessage long.
std::string encode_frame(std::uint32_t stream, FrameType type, std::string_view message);

// Frames out of a stream of bytes that comes in pieces of any size. Never holds more than one message and one piece.
class FrameReader {
 public:
  void feed(std::string_view bytes) { buffer_.append(bytes); }
  // The next whole frame; empty until there are more bytes.
  std::optional<Frame> next();

 private:
  std::string buffer_;
  std::size_t begin_ = 0;       // of what is not read yet
  std::uint64_t dropping_ = 0;  // bytes of a message that is too large which are still to come
};

}  // namespace wasirun::shim
