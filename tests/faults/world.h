// What a guest is given in tests of faults, and what is made of it: files, streams, descriptors.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "../wasi/guest.h"
#include "host_calls.h"
#include "support/temp_dir.h"
#include "wasi/abi.h"

namespace wasi::preview1::test {

// What a call came to, as the guest sees it.
struct Told {
  Errno error = Errno::success;
  std::string seen;  // results, as text
};

// The two ends of a pipe that are ours: the guest reads from `in` and writes to `out`.
class Streams {
 public:
  Streams();
  ~Streams();
  Streams(const Streams&) = delete;
  Streams& operator=(const Streams&) = delete;

  int guest_in = -1;
  int guest_out = -1;
  void put(std::string_view bytes);  // into what the guest reads
  void make_small();                 // what the guest writes to: room for 4096 bytes
  void end();                        // of what the guest reads
  void fill();                       // what the guest writes to, until it would block
  void drain();                      // takes out what is there, without waiting
  // All that came out, without what fill() put in.
  std::string taken();

 private:
  int in_ = -1;
  int out_ = -1;
  std::size_t filling_ = 0;
  std::string taken_;
};

// A listener, which the guest has as descriptor 2, and a connection to it once there is one.
class Peer {
 public:
  Peer();
  ~Peer();
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  int listener = -1;
  void connect();
  void put(std::string_view bytes) const;
  void end() const;  // of what the guest receives
  // All that came, up to the end or to where one would have to wait.
  [[nodiscard]] std::string taken() const;

 private:
  int connection_ = -1;
};

struct World {
  explicit World(bool walks);

  Told call(std::string_view name, std::initializer_list<std::uint64_t> arguments) {
    return {guest.call(name, arguments), {}};
  }
  // Opens with all rights; fails the test where it cannot.
  std::uint32_t open(std::string_view path, std::uint32_t oflags = 0, std::uint16_t fdflags = 0);
  [[nodiscard]] std::string text(std::uint32_t address, std::size_t size) const { return guest.text(address, size); }

  wasi::test::TempDir dir;
  Streams streams;
  Peer peer;
  Guest guest;
  std::uint32_t fd = 0;       // what a scenario has opened
  std::uint32_t out = 0;      // 128 bytes for results
  std::uint32_t buffers = 0;  // four iovecs of which the second is empty, 9000 bytes in all, filled with a pattern
  std::uint32_t data = 0;     // where they lie, one behind the other
  static constexpr std::uint32_t kBuffers = 4;
  static constexpr std::size_t kBytes = 9000;
  static const std::string& pattern();

  // Done when the guest is about to wait.
  std::function<void()> on_wait;
};

// Everything below a folder, in so much detail that every change shows; without what differs from one run to the next
// (`comparable`): inodes and times.
using Snapshot = std::map<std::string, std::string>;
Snapshot snapshot(const std::filesystem::path& path, bool comparable);

std::size_t open_descriptors();

}  // namespace wasi::preview1::test
