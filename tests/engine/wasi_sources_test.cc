// WASI of the embedder's choice through the public API: time, randomness, directories.
#include "engine/fixture.h"

using namespace wasi;
using namespace wasi::test;

namespace {

class OneFile : public VirtualFile {
 public:
  VirtualResult<VirtualStat> stat() override { return VirtualStat{.size = text.size()}; }
  VirtualResult<std::size_t> read(std::span<std::uint8_t> bytes, std::uint64_t offset) override {
    if (offset >= text.size()) return 0;
    const std::size_t size = std::min<std::size_t>(bytes.size(), text.size() - offset);
    std::copy_n(text.data() + offset, size, bytes.data());
    return size;
  }
  std::string text = "made up";
};

class OneDirectory : public VirtualDirectory {
 public:
  VirtualResult<VirtualNode> find(std::string_view name) override {
    if (name != "file") return std::unexpected(std::errc::no_such_file_or_directory);
    return VirtualNode{.file = std::make_shared<OneFile>()};
  }
  VirtualResult<std::vector<VirtualEntry>> list() override { return std::vector<VirtualEntry>{{.name = "file"}}; }
};

// Reads "file" of its directory and writes it to stdout; with oflags 1 it tries to make "new" instead.
constexpr std::string_view kCat = R"((module
  (import "wasi_snapshot_preview1" "path_open"
    (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "clock_time_get" (func $clock (param i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "filenew")
  (func (export "make") (result i32)
    (call $open (i32.const 3) (i32.const 0) (i32.const 4) (i32.const 3) (i32.const 1) (i64.const 64) (i64.const 0)
      (i32.const 0) (i32.const 16)))
  (func (export "cat") (result i32)
    (if (call $open (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 4) (i32.const 0) (i64.const 2) (i64.const 0)
          (i32.const 0) (i32.const 16))
      (then (return (i32.const -1))))
    (i32.store (i32.const 20) (i32.const 256))
    (i32.store (i32.const 24) (i32.const 100))
    (if (call $read (i32.load (i32.const 16)) (i32.const 20) (i32.const 1) (i32.const 24))
      (then (return (i32.const -2))))
    (call $write (i32.const 1) (i32.const 20) (i32.const 1) (i32.const 28)))
  (func (export "time") (result i64)
    (drop (call $clock (i32.const 1) (i64.const 0) (i32.const 32))) (i64.load (i32.const 32)))
  (func (export "random") (result i64)
    (drop (call $random (i32.const 32) (i32.const 8))) (i64.load (i32.const 32)))))";

}  // namespace

TEST_CASE("A program in a world that the embedder makes up") {
  const Engine engine;
  Store store(engine);
  OutputBuffer output;
  std::uint64_t now = 0;
  Linker linker(engine);
  linker.define_wasi(WasiConfig()
                         .preopen(std::make_shared<OneDirectory>(), "/")
                         .stdout_to(Stdio::buffer(output))
                         .time({.monotonic = [&] { return ++now; }})
                         .random_seed(5489));
  const Instance instance = must(linker.instantiate(store, load(engine, kCat)));
  CHECK(must(must(instance.function<std::int32_t()>("cat"))()) == 0);
  CHECK(output.text() == "made up");
  // The directory makes no files.
  CHECK(must(must(instance.function<std::int32_t()>("make"))()) == 69);
  const auto time = must(instance.function<std::int64_t()>("time"));
  CHECK(must(time()) == 1);
  CHECK(must(time()) == 2);
  CHECK(static_cast<std::uint64_t>(must(must(instance.function<std::int64_t()>("random"))())) == 14514284786278117030U);
}

TEST_CASE("The last word on randomness counts") {
  const Engine engine;
  const Module module = load(engine, kCat);
  const auto random = [&](const WasiConfig& config) {
    Store store(engine);
    Linker linker(engine);
    linker.define_wasi(config);
    return must(must(must(linker.instantiate(store, module)).function<std::int64_t()>("random"))());
  };
  const auto ones = [](std::span<std::uint8_t> bytes) { std::fill(bytes.begin(), bytes.end(), 1); };
  CHECK(random(WasiConfig().random_seed(5489).random(ones)) == 0x0101010101010101);
  CHECK(random(WasiConfig().random(ones).random_seed(5489)) == random(WasiConfig().random_seed(5489)));
}

TEST_CASE("A directory that is none is an error") {
  const Engine engine;
  Store store(engine);
  Linker linker(engine);
  linker.define_wasi(WasiConfig().preopen(std::shared_ptr<VirtualDirectory>(), "/data"));
  const auto instance = linker.instantiate(store, load(engine, kCat));
  REQUIRE_FALSE(instance);
  CHECK(instance.error().error()->message == "the directory for the guest's \"/data\" is a null pointer");
}
