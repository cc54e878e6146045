// Streams and directories of the embedder's: what it gives is what the guest reads, what the guest writes arrives.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <cstring>
#include <stdexcept>
#include <thread>

#include "engine/fixture.h"
#include "support/temp_dir.h"

using namespace wasi;
using namespace wasi::test;

namespace {

// copy: stdin to stdout until its end, or the errno that came in between. write: "0123456789" to descriptor 1 or 2.
constexpr std::string_view kStreams = R"((module
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_fdstat_set_flags" (func $set_flags (param i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 512) "0123456789")
  (func (export "copy") (result i32) (local $error i32)
    (loop $more
      (i32.store (i32.const 0) (i32.const 1024))
      (i32.store (i32.const 4) (i32.const 1000))
      (if (local.tee $error (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
        (then (return (local.get $error))))
      (if (i32.eqz (i32.load (i32.const 8))) (then (return (i32.const 0))))
      (i32.store (i32.const 4) (i32.load (i32.const 8)))
      (if (local.tee $error (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
        (then (return (local.get $error))))
      (br $more))
    unreachable)
  (func (export "write") (param $fd i32) (result i32)
    (i32.store (i32.const 0) (i32.const 512))
    (i32.store (i32.const 4) (i32.const 10))
    (call $write (local.get $fd) (i32.const 0) (i32.const 1) (i32.const 8)))
  (func (export "written") (result i32) (i32.load (i32.const 8)))
  (func (export "set_flags") (param i32 i32) (result i32) (call $set_flags (local.get 0) (local.get 1)))))";

constexpr std::int32_t kAgain = 6;
constexpr std::int32_t kIo = 29;
constexpr std::int32_t kNoSpace = 51;

struct Guest {
  Engine engine;
  Store store;
  Instance instance;

  explicit Guest(WasiConfig config, StoreConfig limits = {}, std::string_view text = kStreams)
      : store(engine, limits), instance(make(std::move(config), text)) {}
  Instance make(WasiConfig config, std::string_view text) {
    Linker linker(engine);
    linker.define_wasi(std::move(config));
    return must(linker.instantiate(store, load(engine, text)));
  }
  std::int32_t copy() { return must(must(instance.function<std::int32_t()>("copy"))()); }
  std::int32_t write(std::int32_t fd) { return must(must(instance.function<std::int32_t(std::int32_t)>("write"))(fd)); }
  std::int32_t written() { return must(must(instance.function<std::int32_t()>("written"))()); }
  std::int32_t set_flags(std::int32_t fd, std::int32_t flags) {
    return must(must(instance.function<std::int32_t(std::int32_t, std::int32_t)>("set_flags"))(fd, flags));
  }
};

// The message with which a configuration is refused.
std::string refusal(const WasiConfig& config) {
  const Engine engine;
  Store store(engine);
  Linker linker(engine);
  linker.define_wasi(config);
  const auto instance = linker.instantiate(store, load(engine, kStreams));
  if (instance || instance.error().error() == nullptr) return "";
  return instance.error().error()->message;
}

}  // namespace

TEST_CASE("Bytes go in, a buffer takes what comes out") {
  std::string text;
  for (int i = 0; i < 5000; ++i) text += std::to_string(i) + "\n";
  const OutputBuffer output;
  const WasiConfig config = WasiConfig().stdin_from(Stdio::bytes(text)).stdout_to(Stdio::buffer(output));
  Guest first(config);
  CHECK(first.copy() == 0);
  CHECK(output.size() == text.size());
  CHECK(output.take() == text);
  CHECK(output.text().empty());
  // The input begins anew for another guest.
  Guest second(config);
  CHECK(second.copy() == 0);
  CHECK(output.text() == text);
}

TEST_CASE("A buffer is full at its limit") {
  const OutputBuffer output(25);
  Guest guest(WasiConfig().stdout_to(Stdio::buffer(output)).stderr_to(Stdio::buffer(output)));
  CHECK(guest.write(1) == 0);
  CHECK(guest.write(2) == 0);
  CHECK(guest.write(1) == 0);
  CHECK(guest.written() == 5);
  CHECK(guest.write(2) == kNoSpace);
  CHECK(output.text() == "0123456789012345678901234");
  CHECK(output.take().size() == 25);
  CHECK(guest.write(1) == 0);
  CHECK(output.text() == "0123456789");
}

TEST_CASE("A buffer can be read while guests write to it") {
  const OutputBuffer output;
  constexpr int kGuests = 3;
  constexpr int kWrites = 500;
  std::vector<std::thread> threads;
  for (int i = 0; i < kGuests; ++i) {
    threads.emplace_back([&output] {
      Guest guest(WasiConfig().stdout_to(Stdio::buffer(output)));
      for (int n = 0; n < kWrites; ++n) guest.write(1);
    });
  }
  std::string seen;
  for (int n = 0; n < kWrites; ++n) seen += output.take();
  for (std::thread& thread : threads) thread.join();
  seen += output.take();
  CHECK(seen.size() == std::size_t{10} * kGuests * kWrites);
  CHECK(seen.find_first_not_of("0123456789") == std::string::npos);
}

TEST_CASE("Functions give and take bytes, and may refuse") {
  int calls = 0;
  std::string taken;
  Guest guest(
      WasiConfig()
          .stdin_from(Stdio::reader([&calls](std::span<std::uint8_t> room) -> std::expected<std::size_t, std::errc> {
            // Nothing yet, twice; then two pieces and the end.
            if (calls < 2) return ++calls, std::unexpected(std::errc::resource_unavailable_try_again);
            if (calls == 4) return 0;
            std::memset(room.data(), 'a' + calls, 3);
            ++calls;
            return 3;
          }))
          .stdout_to(
              Stdio::writer([&taken](std::span<const std::uint8_t> bytes) -> std::expected<std::size_t, std::errc> {
                // No more than two at once.
                const std::size_t size = std::min<std::size_t>(bytes.size(), 2);
                taken.append(reinterpret_cast<const char*>(bytes.data()), size);
                return size;
              }))
          .stderr_to(Stdio::writer([](std::span<const std::uint8_t>) -> std::expected<std::size_t, std::errc> {
            return std::unexpected(std::errc::no_space_on_device);
          })));
  CHECK(guest.copy() == 0);
  CHECK(taken == "cccddd");
  CHECK(guest.write(2) == kNoSpace);
}

TEST_CASE("What a function throws does not cross the guest, and nonsense is EIO") {
  Guest guest(
      WasiConfig()
          .stdin_from(Stdio::reader(
              [](std::span<std::uint8_t>) -> std::expected<std::size_t, std::errc> { throw std::runtime_error("no"); }))
          .stdout_to(Stdio::writer([](std::span<const std::uint8_t> bytes) -> std::expected<std::size_t, std::errc> {
            return bytes.size() + 1;
          })));
  CHECK(guest.copy() == kIo);
  CHECK(guest.write(1) == kIo);
}

TEST_CASE("A guest that waits for a function is stopped by its deadline") {
  const auto nothing = [](std::span<std::uint8_t>) -> std::expected<std::size_t, std::errc> {
    return std::unexpected(std::errc::resource_unavailable_try_again);
  };
  {
    Guest guest(WasiConfig().stdin_from(Stdio::reader(nothing)));
    // Without waiting there is nothing to be stopped.
    REQUIRE(guest.set_flags(0, 4) == 0);
    CHECK(guest.copy() == kAgain);
  }
  Guest guest(WasiConfig().stdin_from(Stdio::reader(nothing)), {.deadline = std::chrono::milliseconds(100)});
  const auto result = must(guest.instance.function<std::int32_t()>("copy"))();
  REQUIRE_FALSE(result);
  CHECK(result.error().code == TrapCode::deadline_exceeded);
}

TEST_CASE("Files of the host are read, made anew and written behind") {
  const TempDir dir;
  dir.write("in", "some text");
  dir.write("out", "what was there before");
  dir.write("log", "first,");
  const WasiConfig config = WasiConfig()
                                .stdin_from(Stdio::file(dir / "in"))
                                .stdout_to(Stdio::file(dir / "out"))
                                .stderr_to(Stdio::append_to(dir / "log"));
  for (int i = 0; i < 2; ++i) {
    Guest guest(config);
    CHECK(guest.copy() == 0);
    CHECK(guest.write(2) == 0);
  }
  CHECK(dir.read("out") == "some text");
  CHECK(dir.read("log") == "first,01234567890123456789");
  CHECK_THAT(refusal(WasiConfig().stdin_from(Stdio::file(dir / "none"))),
             Catch::Contains((dir / "none").string()) && Catch::Contains("No such file"));
  CHECK_THAT(refusal(WasiConfig().stdout_to(Stdio::file(dir / "none/out"))), Catch::Contains("none/out"));
  CHECK_THAT(refusal(WasiConfig().stdout_to(Stdio::append_to(dir.path()))), Catch::Contains("directory"));
  CHECK_FALSE(dir.has("none"));
}

TEST_CASE("Streams are refused where they are of no use") {
  const OutputBuffer output;
  CHECK(refusal(WasiConfig().stdin_from(Stdio::buffer(output))) != "");
  CHECK(refusal(WasiConfig().stdout_to(Stdio::bytes("x"))) != "");
  const Pipe pipe = must(Pipe::from_guest());
  CHECK(refusal(WasiConfig().stdin_from(pipe.guest_end())) != "");
}

TEST_CASE("Pipes lead in and out") {
  Pipe in = must(Pipe::to_guest());
  Pipe out = must(Pipe::from_guest());
  const WasiConfig config = WasiConfig().stdin_from(in.guest_end()).stdout_to(out.guest_end());
  std::string text(300'000, 'x');  // more than a pipe holds
  for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>('a' + i % 26);
  std::thread writer([&in, &text] {
    std::size_t done = 0;
    while (done < text.size()) {
      const ssize_t count = ::write(in.fd(), text.data() + done, text.size() - done);
      if (count <= 0) break;
      done += static_cast<std::size_t>(count);
    }
    in.close();
  });
  std::string received;
  std::thread reader([&out, &received] {
    std::array<char, 4096> buffer;
    for (ssize_t count; (count = ::read(out.fd(), buffer.data(), buffer.size())) > 0;) {
      received.append(buffer.data(), static_cast<std::size_t>(count));
    }
  });
  {
    Guest guest(config);
    CHECK(guest.copy() == 0);
    writer.join();
  }
  // The guest's end went with its store, so the reader sees the end, although the configuration is still here.
  reader.join();
  CHECK(received == text);
  CHECK_THAT(refusal(config), Catch::Contains("another"));
}

namespace {

// run: reads "in" of directory 3, and writes what it finds to "out", which it makes in directory 4. An errno.
constexpr std::string_view kFiles = R"((module
  (import "wasi_snapshot_preview1" "path_open"
    (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 512) "in")
  (data (i32.const 520) "out")
  (func (export "run") (result i32) (local $error i32)
    (if (local.tee $error (call $open (i32.const 3) (i32.const 1) (i32.const 512) (i32.const 2) (i32.const 0)
                                      (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 0)))
      (then (return (local.get $error))))
    (if (local.tee $error (call $open (i32.const 4) (i32.const 1) (i32.const 520) (i32.const 3) (i32.const 9)
                                      (i64.const 64) (i64.const 0) (i32.const 0) (i32.const 4)))
      (then (return (local.get $error))))
    (i32.store (i32.const 16) (i32.const 1024))
    (i32.store (i32.const 20) (i32.const 1000))
    (if (local.tee $error (call $read (i32.load (i32.const 0)) (i32.const 16) (i32.const 1) (i32.const 24)))
      (then (return (local.get $error))))
    (i32.store (i32.const 20) (i32.load (i32.const 24)))
    (call $write (i32.load (i32.const 4)) (i32.const 16) (i32.const 1) (i32.const 24)))))";

std::int32_t run_files(const WasiConfig& config) {
  Guest guest(config, {}, kFiles);
  return must(must(guest.instance.function<std::int32_t()>("run"))());
}

}  // namespace

TEST_CASE("Directories in memory are given like those of the host") {
  const MemoryDirectory in;
  const MemoryDirectory out;
  must(in.add_file("/in", "what is read"));
  WasiConfig config;
  config.preopen(in, "/in", Access::read_only).preopen(out, "/out");
  CHECK(run_files(config) == 0);
  CHECK(must(out.read_file("out")) == "what is read");
  CHECK(out.used() > 0);
  CHECK(in.used() == 0);
  // The embedder changes it under way; the bytes that it gave stay as they are.
  const auto bytes = std::make_shared<const std::vector<std::uint8_t>>(500, 'b');
  must(in.add_file("in", *bytes, bytes));
  CHECK(run_files(config) == 0);
  CHECK(must(out.read_file("/out")) == std::string(500, 'b'));
  CHECK_FALSE(out.read_file("out", 499));
  CHECK_FALSE(out.read_file("other"));

  CHECK_FALSE(in.add_file("in/file", "below a file"));
  CHECK_FALSE(in.add_file("", ""));
  CHECK_FALSE(in.add_file("directory/", ""));
  CHECK_FALSE(in.add_file("../in", ""));
  CHECK_FALSE(in.add_file(std::string_view("a\0b", 3), ""));
  CHECK_FALSE(in.add_file("\xFF", ""));
  CHECK_FALSE(in.add_file(std::string(256, 'n'), ""));
  must(in.add_directory("a/b/c"));
  must(in.add_directory("a/b/c"));
  CHECK_FALSE(in.add_file("a/b", ""));
  must(in.add_file("a/b/c/d/e", "deep"));
  must(in.add_symlink("way", "a/b/c"));
  CHECK_FALSE(in.add_symlink("way", "a"));
  CHECK(must(in.read_file("way/d/e")) == "deep");
}

TEST_CASE("A scratch directory is each program's own and limited") {
  const MemoryDirectory in;
  must(in.add_file("in", std::string(1000, 'x')));
  WasiConfig config;
  config.preopen(in, "/in", Access::read_only).scratch("/tmp", 8192);
  for (int i = 0; i < 5; ++i) CHECK(run_files(config) == 0);
  WasiConfig small;
  small.preopen(in, "/in", Access::read_only).scratch("/tmp", 1000);
  CHECK(run_files(small) == kNoSpace);
}

TEST_CASE("What a program may write below a directory of the host is limited") {
  constexpr std::int32_t kQuota = 19;
  const TempDir dir;
  const MemoryDirectory in;
  must(in.add_file("in", std::string(1000, 'x')));
  const auto config = [&](std::uint64_t limit) {
    return WasiConfig().preopen(in, "/in", Access::read_only).preopen_limited(dir.path(), "/out", limit);
  };
  CHECK(run_files(config(100)) == kQuota);
  CHECK_FALSE(dir.has("out"));
  CHECK(run_files(config(256 + 400)) == 0);
  CHECK(dir.read("out") == std::string(400, 'x'));
  CHECK(run_files(config(256 + 1000)) == 0);
  CHECK(dir.read("out").size() == 1000);
}

TEST_CASE("Limits that leave no room are refused") {
  WasiConfig config;
  CHECK_THAT(refusal(config.limits({.descriptors = 2})), Catch::Contains("2 descriptors"));
  CHECK_THAT(refusal(config.limits({.path_length = 5000})), Catch::Contains("4095"));
  CHECK(refusal(config.limits({.descriptors = 3})) == "");
  CHECK(refusal(config.scratch("/tmp")) != "");
}
