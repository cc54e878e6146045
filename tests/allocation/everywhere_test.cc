// Each allocation in turn fails, alone or with all behind it: an Error, a trap or an errno, no exception and no crash,
// and what was there before works on.
#include <wasi/wasi.h>

#include <array>
#include <catch2/catch.hpp>
#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "allocation/failing_allocator.h"

using namespace wasi;
using namespace wasi::test;

namespace {

std::span<const std::uint8_t> bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

// Bulk of every kind: objects on the heap, exceptions, tables, deep calls, files in memory.
constexpr std::string_view kProgram = R"((module $program
  (type $list (struct (field $next (ref null $list)) (field $wide (ref null any))))
  (type $bytes (array (mut i8)))
  (type $refs (array (mut (ref null $list))))
  (import "wasi_snapshot_preview1" "path_open" (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_readdir" (func $readdir (param i32 i32 i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_create_directory" (func $mkdir (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_rename" (func $rename (param i32 i32 i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_unlink_file" (func $unlink (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
  (import "env" "log" (func $log (param i32) (result i32)))
  (import "env" "any" (func $any (param funcref (ref null any)) (result funcref)))
  (tag $tag (param i32 (ref null $list)))
  (memory (export "memory") 1 4)
  (table $table (export "table") 4 1000 funcref)
  (global $kept (export "kept") (mut (ref null $list)) (ref.null $list))
  (elem declare func $nothing)
  (data (i32.const 100) "name")
  (data (i32.const 110) "other")
  (data (i32.const 120) "\00\10\00\00\40\00\00\00")
  (func $nothing (export "nothing") (nop))
  (func (export "objects") (result i32)
    (local $i i32) (local $l (ref null $list))
    (loop $again
      (local.set $l (struct.new $list (local.get $l) (array.new_default $bytes (i32.const 40000))))
      (drop (array.new_default $refs (i32.const 100)))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $again (i32.lt_u (local.get $i) (i32.const 200))))
    (global.set $kept (local.get $l))
    (local.get $i))
  (func (export "throw") (throw $tag (i32.const 7) (global.get $kept)))
  (func (export "caught") (result i32)
    (block $out (result i32 (ref null $list) exnref)
      (try_table (catch_ref $tag $out) (throw $tag (i32.const 7) (global.get $kept)))
      (unreachable))
    (drop) (drop))
  (func $deep (export "deep") (param i32)
    (if (i32.eqz (local.get 0)) (then (unreachable)))
    (call $deep (i32.sub (local.get 0) (i32.const 1))))
  (func (export "grow") (result i32)
    (drop (memory.grow (i32.const 1)))
    (table.grow $table (ref.func $nothing) (i32.const 50)))
  (func (export "host") (result i32) (call $log (i32.const 3)))
  (func (export "values") (result i32) (ref.is_null (call $any (ref.func $nothing) (global.get $kept))))
  (func (export "element") (call_indirect $table (i32.const 3)))
  (func (export "files") (result i32)
    (local $error i32)
    (local.set $error (call $mkdir (i32.const 3) (i32.const 110) (i32.const 5)))
    (local.set $error (call $open (i32.const 3) (i32.const 0) (i32.const 100) (i32.const 4) (i32.const 1)
      (i64.const -1) (i64.const -1) (i32.const 0) (i32.const 200)))
    (if (local.get $error) (then (return (local.get $error))))
    (local.set $error (call $write (i32.load (i32.const 200)) (i32.const 120) (i32.const 1) (i32.const 204)))
    (if (local.get $error) (then (return (local.get $error))))
    (local.set $error (call $readdir (i32.const 3) (i32.const 1000) (i32.const 1000) (i64.const 0) (i32.const 204)))
    (if (local.get $error) (then (return (local.get $error))))
    (local.set $error (call $rename (i32.const 3) (i32.const 100) (i32.const 4) (i32.const 3) (i32.const 100)
      (i32.const 3)))
    (if (local.get $error) (then (return (local.get $error))))
    (call $unlink (i32.const 3) (i32.const 100) (i32.const 3)))
))";

struct World {
  Engine engine;
  Linker linker{engine};
  OutputBuffer out;
  explicit World(TierSelection tier = TierSelection::interpreter) : engine(*Engine::create({.tier = tier})) {
    linker.define("env", "log", [](std::int32_t n) { return std::to_string(n + 1'000'000'000).size() == 10 ? n : 0; });
    linker.define_untyped(
        "env", "any", {.params = {ValueType::funcref(), ValueType::anyref()}, .results = {ValueType::funcref()}},
        [](Caller&, std::span<const Value> args, std::span<Value> results) -> std::expected<void, Trap> {
          results[0] = args[0];
          return {};
        });
    WasiConfig config;
    config.scratch("/", 1 << 20).args({"program", "with", "arguments that are longer than a small string"});
    linker.define_wasi(std::move(config));
  }
  [[nodiscard]] Module load() const {
    auto module = Module::from_bytes(engine, bytes_of(kProgram));
    if (!module) FAIL(module.error().to_string());
    return *module;
  }
};

// Runs `step` with each allocation failing in turn until none does any more.
void with_each_failing(const std::function<void()>& step) {
  const std::uint64_t count = GENERATE(std::uint64_t{1}, std::uint64_t{1} << 40);
  for (std::uint64_t first = 0;; ++first) {
    CAPTURE(first, count);
    REQUIRE(first < 100'000);
    bool has_failed = false;
    std::optional<std::string> thrown;
    {
      const FailingAllocator allocator(first, count);
      try {
        step();
      } catch (const std::exception& error) {
        thrown = typeid(error).name();
      }
      has_failed = allocator.has_failed();
    }
    if (thrown) FAIL("threw " << *thrown);
    if (!has_failed) return;
  }
}

const std::array<const char*, 8> kCalls = {"objects", "caught", "grow", "host", "values", "files", "deep", "throw"};

std::expected<std::vector<Value>, Trap> call(const Instance& instance, const char* name) {
  auto function = instance.func(name);
  if (!function) return std::unexpected(Trap{.code = TrapCode::host_error});
  const std::array<Value, 1> argument = {50};
  return function->call(std::span(argument).first(std::string_view(name) == "deep" ? 1 : 0));
}

void check_works(const Instance& instance) {
  for (const char* name : kCalls) {
    CAPTURE(name);
    const auto result = call(instance, name);
    if (std::string_view(name) == "deep") {
      REQUIRE_FALSE(result);
      CHECK(result.error().code == TrapCode::unreachable);
      CHECK(result.error().backtrace.size() == 51);
    } else if (std::string_view(name) == "throw") {
      REQUIRE_FALSE(result);
      CHECK(result.error().code == TrapCode::uncaught_exception);
    } else {
      if (!result) FAIL(result.error().to_string());
      if (std::string_view(name) == "files") CHECK(result->front() == Value(0));
      if (std::string_view(name) == "objects") CHECK(result->front() == Value(200));
    }
  }
}

}  // namespace

TEST_CASE("Modules are loaded, or memory has run out") {
  const World world;
  with_each_failing([&] {
    const auto module = Module::from_bytes(world.engine, bytes_of(kProgram));
    if (!module && module.error().kind != ErrorKind::limit) std::abort();
  });
  static_cast<void>(world.load());
}

TEST_CASE("Bodies are validated by threads, or memory has run out") {
  const Engine engine = *Engine::create({.validation = Validation::parallel});
  std::string text = "(module";
  for (int i = 0; i < 4000; ++i)
    text +=
        " (func (param i64) (result i64) (i64.add (local.get 0) (i64.mul (local.get 0) (i64.const "
        "123456789012345678))))";
  text += ")";
  const std::uint64_t count = 1U << 30;
  for (std::uint64_t first = 0; first < 60'000; first += 1 + first / 50) {
    const FailingAllocator allocator(first, count);
    const auto module = Module::from_bytes(engine, bytes_of(text));
    if (!module && module.error().kind != ErrorKind::limit) std::abort();
  }
  CHECK(Module::from_bytes(engine, bytes_of(text)));
}

TEST_CASE("Stores are made and instances linked, or memory has run out") {
  const World world;
  const Module module = world.load();
  with_each_failing([&] {
    auto store = Store::create(world.engine, {.memory_limit = 1U << 30, .deadline = std::chrono::hours(1)});
    if (!store) return;
    const auto instance = world.linker.instantiate(*store, module);
    if (!instance && (instance.error().error() == nullptr || instance.error().error()->kind != ErrorKind::limit)) {
      std::abort();
    }
  });
  Store store(world.engine);
  const auto instance = world.linker.instantiate(store, module);
  REQUIRE(instance);
  check_works(*instance);
}

TEST_CASE("A store in which instantiation failed is as good as before") {
  const World world;
  const Module module = world.load();
  std::optional<Store> store;
  with_each_failing([&] {
    if (!store) {
      auto made = Store::create(world.engine);
      if (!made) return;
      store.emplace(std::move(*made));
    }
    static_cast<void>(world.linker.instantiate(*store, module));
  });
  const auto instance = world.linker.instantiate(*store, module);
  REQUIRE(instance);
  check_works(*instance);
}

TEST_CASE("Functions are prepared by threads, or interpreted, or at their calls where memory has run out") {
  const World world(GENERATE(TierSelection::interpreter, TierSelection::baseline));
  const std::uint64_t count = GENERATE(std::uint64_t{1}, std::uint64_t{1} << 40);
  for (std::uint64_t first = 0; first < 2000; first += 1 + first / 20) {
    CAPTURE(first, count);
    const Module module = world.load();
    std::optional<Result<void>> prepared;
    {
      const FailingAllocator allocator(first, count);
      prepared.emplace(module.prepare());
    }
    CHECK((*prepared || prepared->error().kind == ErrorKind::limit));
    Store store(world.engine);
    const auto instance = world.linker.instantiate(store, module);
    REQUIRE(instance);
    check_works(*instance);
  }
}

TEST_CASE("First and later calls end with a trap where memory has run out, and the store works on") {
  const World world(GENERATE(TierSelection::interpreter, TierSelection::baseline));
  const char* const name = GENERATE(from_range(kCalls));
  const bool is_first = GENERATE(true, false);
  CAPTURE(name, is_first);
  Store store(world.engine, {.gc_stress = std::string_view(name) != "objects"});
  const std::uint64_t count = GENERATE(std::uint64_t{1}, std::uint64_t{1} << 40);
  std::optional<Instance> instance;
  for (std::uint64_t first = 0;; ++first) {
    CAPTURE(first, count);
    REQUIRE(first < 20'000);
    if (is_first || !instance) {
      // A module of its own, so that nothing is translated yet.
      const auto made = world.linker.instantiate(store, world.load());
      if (!made) FAIL(made.error().to_string());
      instance = *made;
      if (!is_first) static_cast<void>(call(*instance, name));
    }
    std::expected<std::vector<Value>, Trap> result;
    bool has_failed = false;
    std::optional<std::string> thrown;
    {
      const FailingAllocator allocator(first, count);
      try {
        result = call(*instance, name);
      } catch (const std::exception& error) {
        thrown = typeid(error).name();
      }
      has_failed = allocator.has_failed();
    }
    if (thrown) FAIL("threw " << *thrown);
    if (!result) CHECK_FALSE(result.error().to_string().empty());
    if (!has_failed) break;
    store.collect_garbage();
  }
  const auto fresh = world.linker.instantiate(store, world.load());
  REQUIRE(fresh);
  check_works(*fresh);
}

TEST_CASE("Objects of the host are made, or memory has run out") {
  const World world;
  Store store(world.engine);
  with_each_failing([&] {
    static_cast<void>(Memory::create(store, {.limits = {1, 2}}));
    static_cast<void>(Table::create(store, {.limits = {10, 20}}, Value::zero_of(ValueType::funcref())));
    static_cast<void>(Global::create(store, {.type = ValueType::i32(), .is_mutable = true}, Value(1)));
    static_cast<void>(SharedMemory::create(world.engine, {.limits = {1, 2}, .is_shared = true}));
    const auto tag = Tag::create(store, std::array{ValueType::i32()});
    if (tag) static_cast<void>(Exception::create(*tag, std::array<Value, 1>{1}));
    static_cast<void>(store.set_deadline(std::chrono::steady_clock::now() + std::chrono::hours(1)));
  });
  CHECK(Memory::create(store, {.limits = {1, 2}}));
}
