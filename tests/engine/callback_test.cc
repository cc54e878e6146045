// Functions of the embedder's that grow the memory of the guest that called them, where it moves.
#include <algorithm>
#include <optional>
#include <string>

#include "engine/fixture.h"
#include "support/moving_memory.h"

using namespace wasi;
using namespace wasi::test;

namespace {

// run: leaves a mark, calls the host and keeps its answer: the answer, and a hundred times what the mark is then.
// out: ten bytes to stdout, and how many went. in: up to ten bytes from stdin, of which it gives the last.
constexpr std::string_view kGuest = R"((module
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "env" "host" (func $host (param i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "\10\00\00\00\0A\00\00\00")
  (data (i32.const 16) "0123456789")
  (func (export "grow") (result i32) (memory.grow (i32.const 1)))
  (func (export "run") (result i32)
    (i32.store (i32.const 1000) (i32.const 5))
    (i32.store (i32.const 1004) (call $host (i32.const 1000)))
    (i32.add (i32.load (i32.const 1004)) (i32.mul (i32.const 100) (i32.load (i32.const 1000)))))
  (func (export "out") (result i32)
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
    (i32.load (i32.const 8)))
  (func (export "in") (result i32)
    (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
    (i32.load8_u (i32.add (i32.const 15) (i32.load (i32.const 8)))))))";

class MovingGuest {
  Engine engine_ = must(Engine::create({.bounds_checks = BoundsChecks::explicit_checks}));
  Store store_;

 public:
  MovingGuest() : store_(engine_), linker(engine_) {
    linker.allow_redefinition(true).define("env", "host", [](std::int32_t value) { return value; });
  }

  Linker linker;

  // Through the guest, which the linker's definitions are given to when it is first called.
  void move() {
    mover_->move([this] { CHECK(call("grow") > 0); });
  }
  std::int32_t call(std::string_view name) {
    if (!instance_) {
      instance_ = must(linker.instantiate(store_, load(engine_, kGuest)));
      memory_ = must(instance_->memory("memory"));
      mover_.emplace([this] { return memory_.bytes(); });
    }
    return must(must(instance_->function<std::int32_t()>(name))());
  }
  [[nodiscard]] const Mover& mover() const { return *mover_; }

 private:
  std::optional<Instance> instance_;
  Memory memory_;
  std::optional<Mover> mover_;
};

}  // namespace

TEST_CASE("A host function may grow the memory of its caller and go on to use it") {
  MovingGuest guest;
  guest.linker.define_wasi(WasiConfig());
  const auto use = [&guest](Caller& caller, std::int32_t address) {
    Memory memory = caller.memory();
    const auto at = static_cast<std::uint64_t>(address);
    CHECK(memory.read<std::int32_t>(at) == 5);
    guest.move();
    // The handle is still good, also for what has been added.
    CHECK(memory.read<std::int32_t>(at) == 5);
    CHECK(memory.write<std::int32_t>(at, 7));
    CHECK(memory.pages() == 2);
    CHECK(memory.write<std::int32_t>(kPageSize + at, 1));
    CHECK(caller.memory().read<std::int32_t>(at) == 7);
    CHECK(caller.instance()->memory("memory")->read<std::int32_t>(at) == 7);
    return 3;
  };
  SECTION("typed") { guest.linker.define("env", "host", use); }
  SECTION("untyped") {
    guest.linker.define_untyped(
        "env", "host", FunctionType{{ValueType::i32()}, {ValueType::i32()}},
        [&](Caller& caller, std::span<const Value> args, std::span<Value> results) -> std::expected<void, Trap> {
          results[0] = Value(use(caller, *args[0].as<std::int32_t>()));
          return {};
        });
  }
  CHECK(guest.call("run") == 703);
  CHECK(guest.mover().moves() == 1);
  CHECK(guest.mover().is_left_alone());
}

TEST_CASE("Streams and the sink of traces may grow the memory of the guest that they serve") {
  MovingGuest guest;
  std::string written;
  std::size_t lines = 0;
  guest.linker.define_wasi(
      WasiConfig()
          .stdin_from(Stdio::reader([&](std::span<std::uint8_t> room) -> std::expected<std::size_t, std::errc> {
            guest.move();
            std::ranges::copy(std::string_view("read"), room.begin());
            return 4;
          }))
          .stdout_to(Stdio::writer([&](std::span<const std::uint8_t> bytes) -> std::expected<std::size_t, std::errc> {
            guest.move();
            const std::size_t size = std::min<std::size_t>(bytes.size(), 4);
            written.append(reinterpret_cast<const char*>(bytes.data()), size);
            return size;
          }))
          .trace([&](std::string_view) {
            guest.move();
            ++lines;
          }));
  CHECK(guest.call("out") == 10);
  CHECK(written == "0123456789");
  CHECK(guest.call("in") == 'd');
  CHECK(lines == 2);
  CHECK(guest.mover().moves() == 6);
  CHECK(guest.mover().is_left_alone());
}
