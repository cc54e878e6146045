// Linking beyond names that fit: definitions that are taken, looked up, listed, prepared, or given by position.
#include <algorithm>

#include "engine/fixture.h"

using namespace wasi;
using namespace wasi::test;

namespace {

constexpr std::string_view kUser =
    R"((module (import "env" "f" (func $f (result i32))) (func (export "run") (result i32) (call $f))))";

std::int32_t run(const Instance& instance) { return must(must(instance.function<std::int32_t()>("run"))()); }

Error error_of(const std::expected<Instance, InstantiationError>& instance) {
  REQUIRE_FALSE(instance);
  REQUIRE(instance.error().error() != nullptr);
  return *instance.error().error();
}

}  // namespace

TEST_CASE("A name that is defined twice is an error of everything that is asked of the linker") {
  const Engine engine;
  Store store(engine);
  const Module user = load(engine, kUser);
  const std::string message =
      R"("env"."f" is defined twice: Linker::allow_redefinition lets a later definition replace an earlier one)";
  const auto check = [&](const Linker& linker) {
    REQUIRE(linker.error() != nullptr);
    CHECK(linker.error()->kind == ErrorKind::argument);
    CHECK(linker.error()->message == message);
    CHECK(error_of(linker.instantiate(store, user)).message == message);
    CHECK(error_of(linker.instantiate(store, load(engine, "(module)"))).message == message);
    CHECK(linker.prepare(user).error().message == message);
    CHECK(linker.get(store, "env", "f").error().message == message);
  };
  SECTION("functions") {
    Linker linker(engine);
    linker.define("env", "f", [] { return 1; });
    CHECK(linker.error() == nullptr);
    check(linker.define("env", "f", [] { return 2; }));
  }
  SECTION("objects, and the first error stays") {
    Linker linker(engine);
    linker.define("env", "f", must(Memory::create(store, {.limits = {1}})));
    linker.define("env", "f", must(Memory::create(store, {.limits = {1}})));
    linker.define("env", "g", [] {}).define("env", "g", [] {});
    check(linker);
  }
  SECTION("an instance's exports") {
    Linker linker(engine);
    linker.define("env", "f", [] { return 1; });
    check(linker.define_instance("env", instantiate(engine, R"((module (func (export "f"))))")));
  }
  SECTION("WASI") {
    Linker linker(engine);
    linker.define_wasi({}).define_wasi({});
    REQUIRE(linker.error() != nullptr);
    CHECK_THAT(linker.error()->message, Catch::StartsWith("WASI is defined twice"));
    linker = Linker(engine);
    linker.allow_redefinition(true).define_wasi({}).define_wasi({});
    CHECK(linker.error() == nullptr);
  }
}

TEST_CASE("A definition goes before what WASI offers by that name, and is no second one") {
  const Engine engine;
  Store store(engine);
  Linker linker(engine);
  linker.define_wasi({});
  linker.define("wasi_snapshot_preview1", "sched_yield", [] { return 77; });
  CHECK(linker.error() == nullptr);
  const Instance instance = must(linker.instantiate(store, load(engine, R"((module
    (import "wasi_snapshot_preview1" "sched_yield" (func $f (result i32)))
    (func (export "run") (result i32) (call $f))))")));
  CHECK(run(instance) == 77);
}

TEST_CASE("What is defined can be looked up") {
  const Engine engine;
  Store store(engine);
  Linker linker(engine);
  const Memory memory = must(Memory::create(store, {.limits = {2, 3}}));
  linker.define("env", "f", [](std::int32_t x) { return x + 1; }).define("env", "memory", memory).define_wasi({});
  const Function f = *must(linker.get(store, "env", "f")).function();
  CHECK(must(must(f.typed<std::int32_t(std::int32_t)>())(41)) == 42);
  CHECK(must(linker.get(store, "env", "memory")).memory()->pages() == 2);
  const Function yield = *must(linker.get(store, "wasi_snapshot_preview1", "sched_yield")).function();
  CHECK(must(must(yield.typed<std::int32_t()>())()) == 0);
  CHECK(linker.get(store, "env", "g").error().message == R"(nothing is defined as "env"."g")");
  Store other(engine);
  CHECK_THAT(linker.get(other, "env", "memory").error().message, Catch::Contains("object of another store"));
  const Engine elsewhere;
  Store foreign(elsewhere);
  CHECK(linker.get(foreign, "env", "f").error().kind == ErrorKind::argument);
}

TEST_CASE("What is defined can be listed with its types") {
  const Engine engine;
  Linker linker(engine);
  Store store(engine);
  linker.define("b", "table", must(Table::create(store, {.limits = {1, 2}}, Value::zero_of(ValueType::funcref()))));
  {
    // Tags, unlike other handles, do not keep their store.
    Store gone(engine);
    linker.define("a", "tag", must(Tag::create(gone, std::vector{ValueType::i64()})));
  }
  linker.define("b", "f", [](std::int32_t, double) { return 1.0F; });
  linker.define("a", "shared",
                must(SharedMemory::create(engine, {.limits = {1, 2}, .is_64 = false, .is_shared = true})));
  std::vector<std::string> listed;
  for (const Definition& each : linker.definitions()) {
    listed.push_back(each.module + "." + each.name + ": " + (each.type ? each.type->to_string() : "gone"));
  }
  CHECK(listed == std::vector<std::string>{"a.shared: memory 1 2 shared", "a.tag: gone",
                                           "b.f: function (i32, f64) -> (f32)", "b.table: table 1 2 funcref"});

  linker.define_wasi({}).define("wasi_snapshot_preview1", "sched_yield", [] { return 1; });
  const std::vector<Definition> all = linker.definitions();
  const auto count = [&](std::string_view name) {
    return std::count_if(all.begin(), all.end(), [&](const Definition& each) {
      return each.module == "wasi_snapshot_preview1" && each.name == name;
    });
  };
  CHECK(count("fd_read") == 1);
  CHECK(count("sched_yield") == 1);
  CHECK(all.size() > 90);
  CHECK(std::all_of(all.begin() + 5, all.end(), [](const Definition& each) { return each.type.has_value(); }));
}

TEST_CASE("Instantiation by position") {
  const Engine engine;
  Store store(engine);
  Linker linker(engine);
  linker.define("", "f", [] { return 5; });
  const Function f = *must(linker.get(store, "", "f")).function();
  const Memory memory = must(Memory::create(store, {.limits = {1}}));
  REQUIRE(memory.write(8, std::int32_t{37}));
  const Module module = load(engine, R"((module
    (import "any" "name" (func $f (result i32)))
    (import "any" "name" (memory 1))
    (func (export "run") (result i32) (i32.add (call $f) (i32.load (i32.const 8))))))");
  CHECK(run(must(Instance::create(store, module, std::vector<Extern>{f, memory}))) == 42);
  CHECK(error_of(Instance::create(store, module, std::vector<Extern>{f})).message ==
        "the module has 2 imports, 1 were given");
  CHECK(error_of(Instance::create(store, module, std::vector<Extern>{memory, f})).kind == ErrorKind::unlinkable);
  Store other(engine);
  CHECK(error_of(Instance::create(other, module, std::vector<Extern>{f, memory})).message ==
        "import 0 is an object of another store");
  const Engine elsewhere;
  Store foreign(elsewhere);
  CHECK(error_of(Instance::create(foreign, module, {})).message ==
        "the store and the module belong to different engines");
}

TEST_CASE("A prepared instance is instantiated in any number of stores, with the definitions that there were") {
  const Engine engine;
  Linker linker(engine);
  linker.define("env", "f", [](Caller& caller) { return *caller.data<int>(); });
  const InstancePre prepared = must(linker.prepare(load(engine, kUser)));
  linker.allow_redefinition(true).define("env", "f", [] { return -1; });
  linker = Linker(engine);
  CHECK(prepared.module().imports().size() == 1);
  for (int number = 0; number < 3; ++number) {
    Store store(engine);
    store.data() = number;
    const Instance first = must(prepared.instantiate(store));
    const Instance second = must(prepared.instantiate(store));
    CHECK(run(first) == number);
    CHECK(run(second) == number);
  }
  const Engine elsewhere;
  Store foreign(elsewhere);
  CHECK(error_of(prepared.instantiate(foreign)).kind == ErrorKind::argument);
}

TEST_CASE("Preparing says what instantiating would") {
  const Engine engine;
  Store store(engine);
  const Module user = load(engine, kUser);
  Linker linker(engine);
  CHECK(linker.prepare(user).error().message == error_of(linker.instantiate(store, user)).message);
  linker.define("env", "f", [](std::int64_t) {});
  CHECK(linker.prepare(user).error().message == error_of(linker.instantiate(store, user)).message);
  CHECK(linker.prepare(user).error().kind == ErrorKind::unlinkable);
}

TEST_CASE("What of a prepared instance belongs to a store is looked at there") {
  const Engine engine;
  Store store(engine);
  Linker linker(engine);
  const Memory memory = must(Memory::create(store, {.limits = {1, 2}}));
  REQUIRE(memory.write(0, std::int32_t{9}));
  linker.define("env", "memory", memory).unknown_imports(UnknownImports::trap);
  const InstancePre prepared = must(linker.prepare(load(engine, R"((module
    (import "env" "unknown" (func $unknown))
    (import "env" "memory" (memory 1 2))
    (func (export "fails") (call $unknown))
    (func (export "run") (result i32) (i32.load (i32.const 0)))))")));
  const Instance instance = must(prepared.instantiate(store));
  CHECK(run(instance) == 9);
  CHECK(must(instance.function<void()>("fails"))().error().code == TrapCode::unknown_import);
  Store other(engine);
  CHECK_THAT(error_of(prepared.instantiate(other)).message, Catch::Contains("object of another store"));

  linker = Linker(engine);
  linker.unknown_imports(UnknownImports::zero);
  const InstancePre zeros = must(linker.prepare(load(engine, R"((module
    (import "env" "f" (func $f (result i32))) (import "env" "memory" (memory 1))
    (func (export "run") (result i32)
      (i32.store (i32.const 0) (i32.add (i32.load (i32.const 0)) (i32.const 1)))
      (i32.add (call $f) (i32.load (i32.const 0))))))")));
  // New ones each time.
  for (int i = 0; i < 2; ++i) CHECK(run(must(zeros.instantiate(other))) == 1);
}

TEST_CASE("A prepared program has a state of WASI in each store, or one that it is given") {
  const Engine engine;
  const Module module = load(engine, R"((module
    (import "wasi_snapshot_preview1" "args_sizes_get" (func $sizes (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_close" (func $close (param i32) (result i32)))
    (memory (export "memory") 1)
    (func (export "run") (result i32) (drop (call $sizes (i32.const 0) (i32.const 4))) (i32.load (i32.const 0)))
    (func (export "close") (result i32) (call $close (i32.const 1)))))");
  Linker linker(engine);
  linker.define_wasi(WasiConfig().args({"one"}));
  const InstancePre prepared = must(linker.prepare(module));
  Store store(engine);
  const Instance first = must(prepared.instantiate(store));
  CHECK(run(first) == 1);
  const auto close = [](const Instance& instance) { return must(must(instance.function<std::int32_t()>("close"))()); };
  CHECK(close(first) == 0);
  // The same program's, whoever instantiates it.
  CHECK(close(must(prepared.instantiate(store))) == 8);
  CHECK(close(must(linker.instantiate(store, module))) == 8);
  const Instance own = must(prepared.instantiate(store, WasiConfig().args({"one", "two", "three"})));
  CHECK(run(own) == 3);
  CHECK(close(own) == 0);
  CHECK(run(first) == 1);
  Store other(engine);
  CHECK(close(must(prepared.instantiate(other))) == 0);
}

TEST_CASE("Threads of a prepared program run with its definitions") {
  const Engine engine;
  Linker linker(engine);
  linker.define_wasi({}).define("env", "f", [] { return 21; });
  const InstancePre prepared = must(linker.prepare(load(engine, R"((module
    (import "env" "memory" (memory 1 1 shared))
    (import "env" "f" (func $f (result i32)))
    (import "wasi" "thread-spawn" (func $spawn (param i32) (result i32)))
    (import "wasi_snapshot_preview1" "sched_yield" (func $yield (result i32)))
    (export "memory" (memory 0))
    (func (export "wasi_thread_start") (param i32 i32)
      (i32.atomic.store (i32.const 0) (i32.add (call $f) (local.get 1)))
      (drop (memory.atomic.notify (i32.const 0) (i32.const 1))))
    (func (export "run") (result i32)
      (drop (call $yield))
      (if (i32.le_s (call $spawn (i32.const 21)) (i32.const 0)) (then (return (i32.const -1))))
      (drop (memory.atomic.wait32 (i32.const 0) (i32.const 0) (i64.const -1)))
      (i32.atomic.load (i32.const 0)))))",
                                                        "--enable-threads")));
  for (int i = 0; i < 2; ++i) {
    Store store(engine);
    CHECK(run(must(prepared.instantiate(store))) == 42);
    Store own(engine);
    CHECK(run(must(prepared.instantiate(own, WasiConfig().args({"own"})))) == 42);
  }
}

TEST_CASE("Reactors are initialised and commands run by one call") {
  const Engine engine;
  Store store(engine);
  Linker linker(engine);
  linker.define_wasi({});
  const auto make = [&](std::string_view text) { return must(linker.instantiate(store, load(engine, text))); };
  const Instance reactor = make(R"((module (global $g (mut i32) (i32.const 0))
    (func (export "_initialize") (global.set $g (i32.const 3)))
    (func (export "run") (result i32) (global.get $g))))");
  must(reactor.initialize());
  CHECK(run(reactor) == 3);
  must(make("(module)").initialize());
  CHECK(make(R"((module (func (export "_initialize") unreachable)))").initialize().error().code ==
        TrapCode::unreachable);
  const auto wrong = make(R"((module (func (export "_initialize") (param i32))))").initialize();
  REQUIRE_FALSE(wrong);
  CHECK(wrong.error().code == TrapCode::host_error);
  CHECK_THAT(wrong.error().message, Catch::Contains("_initialize") && Catch::Contains("(i32) -> ()"));

  CHECK(must(make(R"((module (func (export "_start"))))").run()) == 0);
  CHECK(must(make(R"((module (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (memory (export "memory") 1)
    (func (export "_start") (call $exit (i32.const 7)))))")
                 .run()) == 7);
  CHECK(make(R"((module (func (export "_start") unreachable)))").run().error().code == TrapCode::unreachable);
  CHECK_THAT(make("(module)").run().error().message, Catch::Contains("no export \"_start\""));
}

TEST_CASE("Frames of a trap tell instances of one module apart, also when they are gone, in every tier") {
  for (const TierSelection tier : tiers()) {
    Engine engine = must(Engine::create({.tier = tier}));
    const Module module = must(Module::from_text(engine, R"((module
      (import "env" "next" (func $next (param i32)))
      (func (export "f") (param i32)
        (if (i32.eqz (local.get 0)) (then unreachable))
        (call $next (i32.sub (local.get 0) (i32.const 1))))))"));
    std::vector<std::uint64_t> ids;
    Trap trap;
    {
      Store store(engine);
      Linker linker(engine);
      linker.allow_redefinition(true).define("env", "next", [](std::int32_t) {});
      for (int i = 0; i < 3; ++i) {
        const Instance instance = must(linker.instantiate(store, module));
        linker.define("env", "next", Extern(must(instance.func("f"))));
        ids.push_back(instance.id());
        const auto result = must(instance.function<void(std::int32_t)>("f"))(i);
        REQUIRE_FALSE(result);
        trap = result.error();
      }
    }
    REQUIRE(trap.backtrace.size() == 3);
    for (std::size_t i = 0; i < 3; ++i) {
      CHECK(ids[i] != 0);
      CHECK(trap.backtrace[i].instance == ids[i]);
      // Behind the declarations of locals: the innermost stands at its unreachable, the others at their call.
      CHECK(trap.backtrace[i].function_offset == (i == 0 ? 6U : 13U));
    }
    Store another(engine);
    Linker linker(engine);
    linker.define("env", "next", [](std::int32_t) {});
    const Instance later = must(linker.instantiate(another, module));
    CHECK(std::ranges::find(ids, later.id()) == ids.end());
  }
}
