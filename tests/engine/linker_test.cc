// Names for imports, and what happens when they do not fit.
#include "engine/fixture.h"

using namespace wasi;
using namespace wasi::test;

namespace {

Error link_error(const Linker& linker, Store& store, const Module& module) {
  const auto instance = linker.instantiate(store, module);
  REQUIRE_FALSE(instance);
  REQUIRE(instance.error().error() != nullptr);
  return *instance.error().error();
}

}  // namespace

TEST_CASE("A missing import is named with its type") {
  const Engine engine;
  Store store(engine);
  Linker linker(engine);
  const Module module = load(engine, R"((module (import "env" "log" (func (param i32)))))");
  const Error error = link_error(linker, store, module);
  CHECK(error.kind == ErrorKind::unlinkable);
  CHECK(error.message == "missing import \"env\".\"log\", a function (i32) -> (): the host defines no imports at all");
  linker.define("other", "log", [] {});
  CHECK(link_error(linker, store, module).message ==
        "missing import \"env\".\"log\", a function (i32) -> (): the host defines only \"other\"");
  linker.define("env", "print", [] {});
  CHECK(link_error(linker, store, module).message ==
        "missing import \"env\".\"log\", a function (i32) -> (): the host defines other names of \"env\"");
}

TEST_CASE("A guest that wants WASI is told that it was not given") {
  const Engine engine;
  Store store(engine);
  const Module module = load(engine, R"((module (import "wasi_snapshot_preview1" "sched_yield" (func (result i32)))))");
  CHECK_THAT(link_error(Linker(engine), store, module).message,
             Catch::Contains("WASI has not been given to the program (Linker::define_wasi)"));
}

TEST_CASE("An import of another type is refused with both types") {
  const Engine engine;
  Store store(engine);
  Linker linker(engine);
  linker.define("env", "f", [](std::int64_t) { return 1.0; });
  const Error error = link_error(linker, store, load(engine, R"((module (import "env" "f" (func (param i32)))))"));
  CHECK(error.kind == ErrorKind::unlinkable);
  CHECK_THAT(error.message,
             Catch::Contains("env.f") && Catch::Contains("(i32) -> ()") && Catch::Contains("(i64) -> (f64)"));
}

TEST_CASE("A later definition replaces an earlier one where that is allowed, for instances made after it") {
  const Engine engine;
  Store store(engine);
  Linker linker(engine);
  linker.allow_redefinition(true);
  const Module module = load(
      engine, R"((module (import "env" "f" (func $f (result i32))) (func (export "run") (result i32) (call $f))))");
  linker.define("env", "f", [] { return 1; });
  const Instance first = must(linker.instantiate(store, module));
  linker.define("env", "f", [] { return 2; });
  const Instance second = must(linker.instantiate(store, module));
  CHECK(must(must(first.function<int()>("run"))()) == 1);
  CHECK(must(must(second.function<int()>("run"))()) == 2);
}

TEST_CASE("Instances import from instances") {
  const Engine engine;
  Store store(engine);
  Linker linker(engine);
  const Instance library = must(linker.instantiate(store, load(engine, R"(
    (module
      (memory (export "memory") 1)
      (global (export "count") (mut i32) (i32.const 0))
      (table (export "table") 2 funcref)
      (func (export "next") (result i32)
        (global.set 0 (i32.add (global.get 0) (i32.const 1)))
        (i32.store (i32.const 0) (global.get 0))
        (global.get 0))))")));
  linker.define_instance("lib", library);
  const Instance user = must(linker.instantiate(store, load(engine, R"(
    (module
      (import "lib" "memory" (memory 1))
      (import "lib" "count" (global (mut i32)))
      (import "lib" "table" (table 2 funcref))
      (import "lib" "next" (func $next (result i32)))
      (func (export "run") (result i32)
        (drop (call $next)) (drop (call $next))
        (i32.add (i32.mul (global.get 0) (i32.const 10)) (i32.load (i32.const 0))))))")));
  CHECK(must(must(user.function<int()>("run"))()) == 22);
  CHECK(must(library.memory("memory")).read<std::uint32_t>(0) == 2);
}

TEST_CASE("Objects of the host can be imported, in their store only") {
  const Engine engine;
  Store store(engine);
  Linker linker(engine);
  const Memory memory = must(Memory::create(store, {.limits = {1, 3}}));
  const Global global = must(Global::create(store, {ValueType::i64(), true}, std::int64_t{40}));
  REQUIRE(memory.write(16, std::uint32_t{2}));
  linker.define("env", "memory", memory).define("env", "global", global);
  const Module module = load(engine, R"(
    (module
      (import "env" "memory" (memory 1 3))
      (import "env" "global" (global $g (mut i64)))
      (func (export "run") (result i64)
        (global.set $g (i64.add (global.get $g) (i64.load32_u (i32.const 16))))
        (global.get $g))))");
  const Instance instance = must(linker.instantiate(store, module));
  CHECK(must(must(instance.function<std::int64_t()>("run"))()) == 42);
  CHECK(global.get() == Value(std::int64_t{42}));

  Store other(engine);
  CHECK(link_error(linker, other, module).message ==
        "import \"env\".\"memory\" is defined as an object of another store");
}

TEST_CASE("Functions that nobody defined trap when they are called, where the linker is told so") {
  const Engine engine;
  Store store(engine);
  Linker linker(engine);
  const Module module = load(engine, R"(
    (module
      (import "env" "known" (func $known (result i32)))
      (import "env" "never" (func $never (param i32 f64) (result i64)))
      (import "wasi_snapshot_preview1" "fd_teleport" (func $teleport))
      (func (export "fine") (result i32) (call $known))
      (func $calls (export "calls") (drop (call $never (i32.const 1) (f64.const 2))))
      (func (export "teleports") (call $teleport))
      (export "never" (func $never))))");
  linker.define("env", "known", [] { return 7; });
  CHECK(link_error(linker, store, module).kind == ErrorKind::unlinkable);
  linker.unknown_imports(UnknownImports::trap);
  for (int repeated = 0; repeated < 2; ++repeated) {
    const Instance instance = must(linker.instantiate(store, module));
    CHECK(must(must(instance.function<int()>("fine"))()) == 7);
    const auto called = must(instance.function<void()>("calls"))();
    REQUIRE_FALSE(called);
    CHECK(called.error().code == TrapCode::unknown_import);
    CHECK(called.error().message == "unknown import called: \"env\".\"never\"");
    REQUIRE(called.error().backtrace.size() == 1);
    CHECK(called.error().backtrace[0].function == "calls");
    CHECK(must(instance.function<void()>("teleports"))().error().message ==
          "unknown import called: \"wasi_snapshot_preview1\".\"fd_teleport\"");
    // Nobody is between the host and it.
    const auto direct = must(instance.function<std::int64_t(std::int32_t, double)>("never"))(1, 2);
    REQUIRE_FALSE(direct);
    CHECK(direct.error().code == TrapCode::unknown_import);
  }
  linker.unknown_imports(UnknownImports::error);
  CHECK(link_error(linker, store, module).kind == ErrorKind::unlinkable);
}

TEST_CASE("Unknown imports that trap are functions of the right type, everything else stays an error") {
  const Engine engine;
  Store store(engine);
  Linker linker(engine);
  linker.unknown_imports(UnknownImports::trap);
  for (const char* text : {R"((import "env" "x" (memory 1)))", R"((import "env" "x" (table 1 funcref)))",
                           R"((import "env" "x" (global i32)))", R"((import "env" "x" (tag)))"}) {
    CAPTURE(text);
    const Error error = link_error(linker, store, load_text(engine, text));
    CHECK(error.kind == ErrorKind::unlinkable);
    CHECK_THAT(error.message, Catch::Contains("missing import \"env\".\"x\""));
  }
  linker.define("env", "f", [] {});
  CHECK_THAT(link_error(linker, store, load_text(engine, R"((import "env" "f" (func (param i32))))")).message,
             Catch::Contains("incompatible import type"));
}

TEST_CASE("Unknown imports can be zeros of every kind") {
  const Engine engine;
  Store store(engine, {.memory_limit = 8 * kPageSize});
  Linker linker(engine);
  linker.unknown_imports(UnknownImports::zero);
  const Module module = load_text(engine, R"(
    (import "env" "f" (func $f (param i64) (result i32 v128 f64 externref i64)))
    (import "env" "some" (func $some (result (ref func))))
    (import "env" "memory" (memory 1 3))
    (import "env" "table" (table 5 funcref))
    (import "env" "number" (global $number (mut i64)))
    (import "env" "reference" (global $reference externref))
    (import "env" "tag" (tag $tag (param i32)))
    (func (export "f") (param i64) (result i32 v128 f64 externref i64) (call $f (local.get 0)))
    (func (export "some") (drop (call $some)))
    (func (export "state") (result i32)
      (i32.or (i32.or (i32.load (i32.const 65532)) (i64.ne (global.get $number) (i64.const 0)))
              (i32.or (i32.ne (memory.size) (i32.const 1)) (i32.or (i32.ne (table.size) (i32.const 5))
                (i32.or (i32.eqz (ref.is_null (table.get (i32.const 4)))) (i32.eqz (ref.is_null (global.get $reference)))))))
      (i32.store (i32.const 65532) (i32.const 1))
      (global.set $number (i64.const 1)))
    (func (export "catches") (result i32)
      (block $caught (result i32)
        (try_table (result i32) (catch $tag $caught) (throw $tag (i32.const 5))))))");
  for (int repeated = 0; repeated < 2; ++repeated) {
    const Instance instance = must(linker.instantiate(store, module));
    const std::vector<Value> results = must(must(instance.func("f")).call(std::vector<Value>{Value(std::int64_t{-1})}));
    REQUIRE(results.size() == 5);
    for (const Value& result : results) CHECK(result == Value::zero_of(result.type()));
    // New ones for each instance.
    CHECK(must(must(instance.function<int()>("state"))()) == 0);
    CHECK(must(must(instance.function<int()>("state"))()) == 1);
    CHECK(must(must(instance.function<int()>("catches"))()) == 5);
    const auto some = must(instance.function<void()>("some"))();
    REQUIRE_FALSE(some);
    CHECK(some.error().code == TrapCode::unknown_import);
    CHECK_THAT(some.error().message, Catch::Contains("\"env\".\"some\"") && Catch::Contains("(ref func)"));
  }
  for (const char* text : {R"((import "env" "x" (table 1 (ref func))))", R"((import "env" "x" (global (ref func))))"}) {
    CHECK_THAT(link_error(linker, store, load_text(engine, text)).message,
               Catch::Contains("there is no zero of that type"));
  }
  CHECK(link_error(linker, store, load_text(engine, R"((import "env" "x" (memory 9)))")).kind == ErrorKind::limit);
  const Module shared = load_text(engine, R"((import "env" "x" (memory 1 2 shared)) (export "x" (memory 0)))");
  CHECK(must(must(linker.instantiate(store, shared)).memory("x")).type().is_shared);
}

TEST_CASE("Host functions serve any number of stores") {
  const Engine engine;
  Linker linker(engine);
  linker.define("env", "f", [](Caller& caller) { return *caller.data<int>(); });
  const Module module = load(
      engine, R"((module (import "env" "f" (func $f (result i32))) (func (export "run") (result i32) (call $f))))");
  for (int number : {1, 2, 3}) {
    Store store(engine);
    store.data() = number;
    const Instance first = must(linker.instantiate(store, module));
    const Instance second = must(linker.instantiate(store, module));
    CHECK(must(must(first.function<int()>("run"))()) == number);
    CHECK(must(must(second.function<int()>("run"))()) == number);
  }
}

TEST_CASE("Things of different engines do not mix") {
  const Engine one;
  const Engine two;
  Store store(one);
  CHECK(link_error(Linker(one), store, load(two, "(module)")).kind == ErrorKind::argument);
  CHECK(link_error(Linker(two), store, load(one, "(module)")).message ==
        "the linker, the store and the module belong to different engines");
}

TEST_CASE("A trap during instantiation is reported as one") {
  const Engine engine;
  Store store(engine);
  const auto instance =
      Linker(engine).instantiate(store, load(engine, R"((module (memory 1) (data (i32.const 65536) "x")))"));
  REQUIRE_FALSE(instance);
  CHECK(instance.error().error() == nullptr);
  REQUIRE(instance.error().trap() != nullptr);
  CHECK(instance.error().trap()->code == TrapCode::memory_out_of_bounds);
}
