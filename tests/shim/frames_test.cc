#include "tools/shim/frames.h"

#include <google/protobuf/stubs/logging.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <random>

#include "task.pb.h"

namespace wasirun::shim {
namespace {

std::string header(std::uint32_t size) {
  std::string bytes(kFrameHeaderSize, '\0');
  for (int i = 0; i < 4; ++i) bytes[i] = static_cast<char>(size >> (24 - 8 * i));
  bytes[8] = 1;
  return bytes;
}

TEST_CASE("a frame is its header in network order and its message") {
  CHECK(encode_frame(0x01020304, FrameType::response, "ab") == std::string("\0\0\0\2\1\2\3\4\2\0ab", 12));
}

TEST_CASE("frames are read whole from pieces of every size") {
  std::string bytes;
  std::vector<std::string> messages;
  for (const std::size_t size : {0, 1, 9, 10, 11, 4096, 70000}) {
    messages.emplace_back(size, static_cast<char>('a' + messages.size()));
    bytes += encode_frame(static_cast<std::uint32_t>(2 * messages.size() + 1), FrameType::request, messages.back());
  }
  for (const std::size_t piece : {1, 3, 10, 64, 4096, 100000}) {
    FrameReader reader;
    std::vector<std::string> read;
    for (std::size_t begin = 0; begin < bytes.size(); begin += piece) {
      reader.feed(std::string_view(bytes).substr(begin, piece));
      while (auto frame = reader.next()) {
        CHECK(frame->type == 1);
        CHECK(frame->stream == 2 * read.size() + 3);
        read.push_back(std::move(frame->message));
      }
    }
    CHECK(read == messages);
  }
}

TEST_CASE("a message that is too large is dropped, and what follows it read") {
  FrameReader reader;
  reader.feed(header(kLargestMessage + 5));
  auto frame = reader.next();
  REQUIRE(frame);
  CHECK(frame->is_too_large);
  CHECK_FALSE(reader.next());
  for (std::uint32_t left = kLargestMessage + 5; left > 0;) {
    const std::uint32_t piece = std::min(left, 1000000U);
    reader.feed(std::string(piece, 'x'));
    CHECK_FALSE(reader.next());
    left -= piece;
  }
  reader.feed(encode_frame(7, FrameType::request, "next"));
  frame = reader.next();
  REQUIRE(frame);
  CHECK(frame->stream == 7);
  CHECK(frame->message == "next");
}

TEST_CASE("the largest message is read") {
  FrameReader reader;
  reader.feed(encode_frame(1, FrameType::request, std::string(kLargestMessage, 'm')));
  const auto frame = reader.next();
  REQUIRE(frame);
  CHECK(frame->message.size() == kLargestMessage);
}

// Whatever comes, reading ends, and holds no more than it was given.
TEST_CASE("bytes at random are frames or wait for more") {
  std::mt19937 random(20260301);
  for (int round = 0; round < 2000; ++round) {
    FrameReader reader;
    std::size_t fed = 0;
    std::size_t read = 0;
    for (int piece = 0; piece < 20; ++piece) {
      std::string bytes(random() % 64, '\0');
      for (char& byte : bytes) byte = static_cast<char>(random() % 4 == 0 ? random() : 0);
      fed += bytes.size();
      reader.feed(bytes);
      while (const auto frame = reader.next()) read += kFrameHeaderSize + frame->message.size();
    }
    CHECK(read <= fed);
  }
}

// Messages that were changed, cut or made up are parsed or refused, and nothing else happens.
TEST_CASE("protobufs at random are messages or refused") {
  task::CreateRequest request;
  request.set_id("container");
  request.set_bundle("/bundle");
  for (int i = 0; i < 3; ++i) {
    task::Mount& mount = *request.add_rootfs();
    mount.set_type("overlay");
    mount.add_options("lowerdir=/a");
  }
  request.mutable_options()->set_type_url("runtimeoptions.v1.Options");
  const std::string good = request.SerializeAsString();
  google::protobuf::SetLogHandler(nullptr);
  std::mt19937 random(20260302);
  int parsed = 0;
  constexpr int kRounds = 20000;
  for (int round = 0; round < kRounds; ++round) {
    std::string bytes = good.substr(0, 1 + random() % good.size());
    for (std::size_t changes = random() % 4; changes > 0; --changes) {
      bytes[random() % bytes.size()] = static_cast<char>(random());
    }
    parsed += task::CreateRequest().ParseFromString(bytes) ? 1 : 0;
    static_cast<void>(rpc::Request().ParseFromString(bytes));
    static_cast<void>(task::UpdateRequest().ParseFromString(bytes));
  }
  CHECK(parsed > 0);
  CHECK(parsed < kRounds);
}

}  // namespace
}  // namespace wasirun::shim
