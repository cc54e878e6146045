#include "tools/shim/frames.h"

#include <algorithm>
#include <utility>

namespace wasirun::shim {

namespace {

std::uint32_t read_u32(std::string_view bytes) {
  std::uint32_t value = 0;
  for (int i = 0; i < 4; ++i) value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

void append_u32(std::string& out, std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<char>(value >> shift));
}

}  // namespace

std::string encode_frame(std::uint32_t stream, FrameType type, std::string_view message) {
  std::string out;
  out.reserve(kFrameHeaderSize + message.size());
  append_u32(out, static_cast<std::uint32_t>(message.size()));
  append_u32(out, stream);
  out.push_back(static_cast<char>(type));
  out.push_back(0);
  out.append(message);
  return out;
}

std::optional<Frame> FrameReader::next() {
  const std::size_t dropped = std::min<std::uint64_t>(dropping_, buffer_.size() - begin_);
  begin_ += dropped;
  dropping_ -= dropped;
  const std::string_view rest = std::string_view(buffer_).substr(begin_);
  const auto wait = [&]() -> std::optional<Frame> {
    buffer_.erase(0, std::exchange(begin_, 0));
    return std::nullopt;
  };
  if (dropping_ > 0 || rest.size() < kFrameHeaderSize) return wait();
  const std::uint32_t size = read_u32(rest);
  Frame frame;
  frame.stream = read_u32(rest.substr(4));
  frame.type = static_cast<std::uint8_t>(rest[8]);
  frame.flags = static_cast<std::uint8_t>(rest[9]);
  if (size > kLargestMessage) {
    frame.is_too_large = true;
    dropping_ = size;
    begin_ += kFrameHeaderSize;
    return frame;
  }
  if (rest.size() - kFrameHeaderSize < size) return wait();
  frame.message = rest.substr(kFrameHeaderSize, size);
  begin_ += kFrameHeaderSize + size;
  return frame;
}

}  // namespace wasirun::shim
