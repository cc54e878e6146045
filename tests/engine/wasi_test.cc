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
