// WASI through the public API: what WasiConfig gives arrives at the guest.
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>

#include "engine/fixture.h"

using namespace wasi;
using namespace wasi::test;

namespace {

// Writes its arguments or its environment to stdout, each string with its NUL.
std::string print_strings(std::string_view name) {
  const std::string what(name);
  return "(module (import \"wasi_snapshot_preview1\" \"" + what +
         "_sizes_get\" (func $sizes (param i32 i32) (result i32)))"
         "(import \"wasi_snapshot_preview1\" \"" +
         what + "_get\" (func $get (param i32 i32) (result i32)))" + R"(
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (func (export "_start")
      (drop (call $sizes (i32.const 0) (i32.const 4)))
      (drop (call $get (i32.const 1024) (i32.const 8192)))
      (i32.store (i32.const 8) (i32.const 8192))
      (i32.store (i32.const 12) (i32.load (i32.const 4)))
      (drop (call $write (i32.const 1) (i32.const 8) (i32.const 1) (i32.const 16)))))
  )";
}

// Runs a guest with its stdout in a pipe; what it wrote. Small outputs only.
std::string output_of(std::string_view text, WasiConfig config) {
  std::array<int, 2> ends{};
  REQUIRE(pipe(ends.data()) == 0);
  const Engine engine;
  Store store(engine);
  Linker linker(engine);
  linker.define_wasi(config.stdout_to(Stdio::fd(ends[1])));
  const Instance instance = must(linker.instantiate(store, load(engine, text)));
  must(must(instance.function<void()>("_start"))());
  close(ends[1]);
  std::string output;
  std::array<char, 4096> buffer;
  for (ssize_t count; (count = read(ends[0], buffer.data(), buffer.size())) > 0;) {
    output.append(buffer.data(), static_cast<std::size_t>(count));
  }
  close(ends[0]);
  return output;
}

using namespace std::string_literals;

}  // namespace

TEST_CASE("Arguments arrive") {
  CHECK(output_of(print_strings("args"), WasiConfig().args({"app", "--x", "", "ü"})) == "app\0--x\0\0ü\0"s);
  CHECK(output_of(print_strings("args"), WasiConfig()) == "");
}

TEST_CASE("The environment is what was given, nothing else") {
  setenv("WASIRUN_TEST_VARIABLE", "inherited", 1);
  CHECK(output_of(print_strings("environ"), WasiConfig()) == "");
  CHECK(output_of(print_strings("environ"), WasiConfig().env("A", "1").env("B", "").env("A", "2")) == "A=2\0B=\0"s);
  CHECK(
      output_of(print_strings("environ"), WasiConfig().inherit_env("WASIRUN_TEST_VARIABLE").inherit_env("NOT_SET_X")) ==
      "WASIRUN_TEST_VARIABLE=inherited\0"s);
  CHECK_THAT(output_of(print_strings("environ"), WasiConfig().inherit_env()),
             Catch::Contains("WASIRUN_TEST_VARIABLE=inherited\0"s));

  CHECK(WasiConfig().env("A", "1").env("A", "2").env("A") == "2");
  CHECK(WasiConfig().env("A", "").env("A") == "");
  CHECK_FALSE(WasiConfig().env("AB", "1").env("A"));

  // A process may be handed an entry without a name: it is no variable, and no reason to refuse the others.
  char** const before = environ;
  char nameless[] = "=x";
  char named[] = "NAMED=y";
  char* entries[] = {nameless, named, nullptr};
  environ = entries;
  const std::string passed_on = output_of(print_strings("environ"), WasiConfig().inherit_env());
  environ = before;
  CHECK(passed_on == "NAMED=y\0"s);
  unsetenv("WASIRUN_TEST_VARIABLE");
}

TEST_CASE("proc_exit ends the call with its status") {
  const Engine engine;
  Store store(engine);
  Linker linker(engine);
  linker.define_wasi({});
  const Instance instance = must(linker.instantiate(store, load(engine, R"(
    (module (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
      (memory (export "memory") 1)
      (func (export "_start") (call $exit (i32.const 17)) unreachable)))")));
  const auto result = must(instance.function<void()>("_start"))();
  REQUIRE_FALSE(result);
  CHECK(result.error().is_exit());
  CHECK(result.error().exit_status == 17);
}

TEST_CASE("Calls can be traced") {
  const Engine engine;
  Store store(engine);
  Linker linker(engine);
  std::vector<std::string> lines;
  linker.define_wasi(WasiConfig().trace([&lines](std::string_view line) { lines.emplace_back(line); }));
  const Instance instance = must(linker.instantiate(store, load(engine, R"(
    (module (import "wasi_snapshot_preview1" "sched_yield" (func $yield (result i32)))
      (memory (export "memory") 1)
      (func (export "run") (result i32) (call $yield))))")));
  CHECK(must(must(instance.function<std::int32_t()>("run"))()) == 0);
  REQUIRE(lines.size() == 1);
  CHECK_THAT(lines[0], Catch::StartsWith("sched_yield("));
}

TEST_CASE("What a trace shows can be chosen") {
  std::vector<std::string> lines;
  const auto sink = [&lines](std::string_view line) { lines.emplace_back(line); };
  CHECK(output_of(print_strings("args"),
                  WasiConfig().args({"app"}).trace(
                      sink, {.string_size = 2, .times = true, .functions = {"fd_*", "args_get"}})) == "app\0"s);
  REQUIRE(lines.size() == 2);
  CHECK_THAT(lines[0], Catch::Matches(R"re(args_get\(argv=\["ap"\.\.\.\]\) = 0 <\d\.\d{6}>)re"));
  CHECK_THAT(lines[1], Catch::Matches(R"re(fd_write\(fd=1<stdout>, iovs=\[\{"ap"\.\.\., 4\}\], .* = 0 <\d\.\d{6}>)re"));
}

TEST_CASE("Modules of one store share one program state, stores do not") {
  const Engine engine;
  Linker linker(engine);
  linker.define_wasi({});
  // Closes descriptor 1: the second time there is none.
  const Module module = load(engine, R"(
    (module (import "wasi_snapshot_preview1" "fd_close" (func $close (param i32) (result i32)))
      (memory (export "memory") 1)
      (func (export "run") (result i32) (call $close (i32.const 1)))))");
  constexpr std::int32_t kBadf = 8;
  for (int round = 0; round < 2; ++round) {
    Store store(engine);
    const Instance first = must(linker.instantiate(store, module));
    const Instance second = must(linker.instantiate(store, module));
    CHECK(must(must(first.function<std::int32_t()>("run"))()) == 0);
    CHECK(must(must(second.function<std::int32_t()>("run"))()) == kBadf);
  }
}

TEST_CASE("A function defined by name stands in for WASI's own") {
  const Engine engine;
  Store store(engine);
  Linker linker(engine);
  linker.define("wasi_snapshot_preview1", "sched_yield", [] { return 77; });
  linker.define_wasi({});
  const Instance instance = must(linker.instantiate(store, load(engine, R"(
    (module (import "wasi_snapshot_preview1" "sched_yield" (func $yield (result i32)))
      (func (export "run") (result i32) (call $yield))))")));
  CHECK(must(must(instance.function<std::int32_t()>("run"))()) == 77);
}

TEST_CASE("A directory that cannot be opened is an error of the instantiation") {
  const Engine engine;
  Store store(engine);
  Linker linker(engine);
  linker.define_wasi(WasiConfig().preopen("/nowhere/at/all", "/"));
  const auto instance = linker.instantiate(store, load(engine, R"(
    (module (import "wasi_snapshot_preview1" "sched_yield" (func (result i32)))))"));
  REQUIRE_FALSE(instance);
  REQUIRE(instance.error().error() != nullptr);
  CHECK(instance.error().error()->kind == ErrorKind::io);
  CHECK_THAT(instance.error().to_string(),
             Catch::Contains("/nowhere/at/all") && Catch::Contains("No such file or directory"));
}

namespace {

// A store with WASI, and instances that are defined for one another by name.
struct World {
  Engine engine;
  Store store{engine};
  Linker linker{engine};
  World() { linker.define_wasi(WasiConfig().args({"four"})); }

  Instance add(std::string_view name, std::string_view text) {
    Instance instance = must(linker.instantiate(store, load(engine, text)));
    linker.define_instance(name, instance);
    return instance;
  }
  static std::int32_t run(const Instance& instance, std::string_view name = "run") {
    return must(must(instance.function<std::int32_t()>(name))());
  }
};

constexpr std::int32_t kSuccess = 0;
constexpr std::int32_t kFault = 21;

// args_sizes_get writes 1 to address 0 and 5 to address 4.
constexpr std::string_view kImport =
    R"((import "wasi_snapshot_preview1" "args_sizes_get" (func $sizes (param i32 i32) (result i32))))";
constexpr std::string_view kRun = R"((func (export "run") (result i32) (call $sizes (i32.const 0) (i32.const 4))))";

std::string with_memory(std::string_view memory) {
  std::string text = "(module ";
  return text.append(kImport).append(memory).append(kRun).append(")");
}

}  // namespace

TEST_CASE("Programs without memory make the calls that need none") {
  World world;
  const Instance instance = world.add("a", R"(
    (module
      (import "wasi_snapshot_preview1" "sched_yield" (func $yield (result i32)))
      (import "wasi_snapshot_preview1" "fd_close" (func $close (param i32) (result i32)))
      (import "wasi_snapshot_preview1" "fd_sync" (func $sync (param i32) (result i32)))
      (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
      (import "wasi_snapshot_preview1" "environ_get" (func $environ (param i32 i32) (result i32)))
      (import "wasi_snapshot_preview1" "environ_sizes_get" (func $sizes (param i32 i32) (result i32)))
      (import "wasi_snapshot_preview1" "path_open"
        (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
      (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
      (func (export "yield") (result i32) (call $yield))
      (func (export "close") (result i32) (call $close (i32.const 1)))
      (func (export "close again") (result i32) (call $close (i32.const 1)))
      (func (export "no random bytes") (result i32) (call $random (i32.const 0) (i32.const 0)))
      (func (export "a random byte") (result i32) (call $random (i32.const 0) (i32.const 1)))
      (func (export "environment") (result i32) (call $environ (i32.const 12345) (i32.const 67890)))
      (func (export "its size") (result i32) (call $sizes (i32.const 0) (i32.const 0)))
      (func (export "open") (result i32)
        (call $open (i32.const 2) (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 0) (i64.const 0) (i64.const 0)
                    (i32.const 0) (i32.const 0)))
      (func (export "exit") (call $exit (i32.const 5)) unreachable)))");
  CHECK(World::run(instance, "yield") == kSuccess);
  CHECK(World::run(instance, "close") == kSuccess);
  CHECK(World::run(instance, "close again") == 8);
  CHECK(World::run(instance, "no random bytes") == kSuccess);
  CHECK(World::run(instance, "a random byte") == kFault);
  CHECK(World::run(instance, "environment") == kSuccess);
  CHECK(World::run(instance, "its size") == kFault);
  CHECK(World::run(instance, "open") == 54);  // ENOTDIR: the descriptor is looked at first
  const auto exited = must(instance.function<void()>("exit"))();
  REQUIRE_FALSE(exited);
  CHECK(exited.error().exit_status == 5);
}

TEST_CASE("Pointers are into the memory called memory, or else into the first one") {
  World world;
  const auto check = [&](std::string_view name, const std::string& text) {
    INFO(name);
    const Instance instance = world.add(name, text);
    REQUIRE(World::run(instance) == kSuccess);
    CHECK(World::run(instance, "count") == 1);
  };
  check("not exported", with_memory(R"((memory 1) (func (export "count") (result i32) (i32.load (i32.const 0))))"));
  check("other name",
        with_memory(R"((memory (export "other") 1) (func (export "count") (result i32) (i32.load (i32.const 0))))"));
  check("second", with_memory(R"((memory $a (export "first") 1) (memory $b (export "memory") 1)
                                 (func (export "count") (result i32)
                                   (i32.add (i32.load $b (i32.const 0)) (i32.mul (i32.load $a (i32.const 0))
                                                                                 (i32.const 100)))))"));
  check("no memory of that name", with_memory(R"((memory 1) (global (export "memory") i32 (i32.const 0))
                                                 (func (export "count") (result i32) (i32.load (i32.const 0))))"));
  check("64-bit", with_memory(R"((memory (export "memory") i64 1)
                                 (func (export "count") (result i32) (i32.load (i64.const 0))))"));
  world.add("lender", R"((module (memory (export "memory") 1)))");
  check("imported", with_memory(R"((memory $a 1) (func (export "count") (result i32) (i32.load $b (i32.const 0))) )")
                        .insert(kImport.size() + 8, R"((import "lender" "memory" (memory $b 1)))"));
  CHECK(World::run(world.add("empty", with_memory(R"((memory (export "memory") 0))"))) == kFault);
}

TEST_CASE("Pointers are into the memory of the instance that calls") {
  World world;
  // Offers the function itself, and functions that call it: as usual, and in place of themselves.
  const Instance lender = world.add("lender", R"(
    (module
      (import "wasi_snapshot_preview1" "args_sizes_get" (func $sizes (param i32 i32) (result i32)))
      (memory (export "memory") 1)
      (table (export "table") 3 funcref)
      (elem (i32.const 0) $sizes $calls $tail_calls)
      (export "sizes" (func $sizes))
      (func $calls (export "calls") (param i32 i32) (result i32) (call $sizes (local.get 0) (local.get 1)))
      (func $tail_calls (export "tail calls") (param i32 i32) (result i32)
        (return_call $sizes (local.get 0) (local.get 1)))
      (func (export "count") (result i32)
        (i32.load (i32.const 0)) (i32.store (i32.const 0) (i32.const 0)))))");
  const Instance user = world.add("user", R"(
    (module
      (type $t (func (param i32 i32) (result i32)))
      (import "lender" "table" (table 3 funcref))
      (import "lender" "sizes" (func $sizes (type $t)))
      (import "lender" "calls" (func $calls (type $t)))
      (import "lender" "tail calls" (func $tail_calls (type $t)))
      (memory (export "memory") 1)
      (func (export "direct") (result i32) (call $sizes (i32.const 0) (i32.const 4)))
      (func (export "through table") (result i32)
        (call_indirect (type $t) (i32.const 0) (i32.const 4) (i32.const 0)))
      (func (export "tail through table") (result i32)
        (return_call_indirect (type $t) (i32.const 0) (i32.const 4) (i32.const 0)))
      (func (export "lender calls") (result i32) (call $calls (i32.const 0) (i32.const 4)))
      (func (export "lender calls, through table") (result i32)
        (call_indirect (type $t) (i32.const 0) (i32.const 4) (i32.const 1)))
      (func (export "lender tail calls") (result i32) (call $tail_calls (i32.const 0) (i32.const 4)))
      (func (export "lender tail calls, through table") (result i32)
        (call_indirect (type $t) (i32.const 0) (i32.const 4) (i32.const 2)))
      (func (export "count") (result i32)
        (i32.load (i32.const 0)) (i32.store (i32.const 0) (i32.const 0)))))");
  for (const char* name : {"direct", "through table", "tail through table"}) {
    INFO(name);
    CHECK(World::run(user, name) == kSuccess);
    CHECK(World::run(user, "count") == 1);
    CHECK(World::run(lender, "count") == 0);
  }
  for (const char* name :
       {"lender calls", "lender calls, through table", "lender tail calls", "lender tail calls, through table"}) {
    INFO(name);
    CHECK(World::run(user, name) == kSuccess);
    CHECK(World::run(user, "count") == 0);
    CHECK(World::run(lender, "count") == 1);
  }
}

TEST_CASE("A function of WASI that the embedder calls itself has no memory") {
  World world;
  const Instance instance =
      world.add("lender", with_memory(R"((memory (export "memory") 1) (export "sizes" (func $sizes)))"));
  const auto sizes = must(instance.function<std::int32_t(std::int32_t, std::int32_t)>("sizes"));
  CHECK(must(sizes(0, 4)) == kFault);
}

TEST_CASE("Snapshot 0 is there as well, also beside preview1, on the same descriptors") {
  World world;
  const Instance instance = world.add("a", R"(
    (module
      (import "wasi_unstable" "fd_close" (func $close (param i32) (result i32)))
      (import "wasi_snapshot_preview1" "fd_sync" (func $sync (param i32) (result i32)))
      (func (export "close") (result i32) (call $close (i32.const 1)))
      (func (export "sync") (result i32) (call $sync (i32.const 1)))))");
  CHECK(World::run(instance, "close") == kSuccess);
  CHECK(World::run(instance, "sync") == 8);
}
