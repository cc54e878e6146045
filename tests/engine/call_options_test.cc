// What holds for one call, or is told of each: deadlines and fuel of a call, refused growth, the hook of tracers.
#include <chrono>

#include "engine/fixture.h"

using namespace wasi;
using namespace wasi::test;

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::string_view kLoops = R"((module
  (func (export "forever") (loop $again (br $again)))
  (func (export "count") (param i32) (result i32)
    (loop $again (br_if $again (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
    (i32.const 7))))";

}  // namespace

TEST_CASE("A call has a deadline of its own, and the store's comes first where it is earlier") {
  const Engine engine;
  Store store(engine);
  const Instance instance = must(Linker(engine).instantiate(store, load(engine, kLoops)));
  const auto forever = must(instance.function<void()>("forever"));
  const Function untyped = must(instance.func("forever"));
  const CallOptions soon{.deadline = Clock::now() + std::chrono::milliseconds(5)};
  CHECK(forever.call(soon).error().code == TrapCode::deadline_exceeded);
  CHECK(untyped.call({}, soon).error().code == TrapCode::deadline_exceeded);
  // It is over with the call.
  const auto count = must(instance.function<std::int32_t(std::int32_t)>("count"));
  CHECK(must(count(1000)) == 7);
  must(store.set_deadline(Clock::now() + std::chrono::milliseconds(5)));
  CHECK(forever.call({.deadline = Clock::now() + std::chrono::hours(1)}).error().code == TrapCode::deadline_exceeded);
  CHECK(count(10).error().code == TrapCode::deadline_exceeded);
  must(store.set_deadline({}));
  CHECK(must(count.call({.deadline = Clock::now() + std::chrono::hours(1)}, 10)) == 7);
}

TEST_CASE("A call has fuel of its own, of which the store's is no part") {
  const Engine engine = must(Engine::create({.fuel = true}));
  Store store(engine);
  must(store.set_fuel(1'000'000));
  const Instance instance = must(Linker(engine).instantiate(store, load(engine, kLoops)));
  const auto forever = must(instance.function<void()>("forever"));
  const auto count = must(instance.function<std::int32_t(std::int32_t)>("count"));
  must(store.set_fuel(10));
  std::uint64_t left = 99;
  CHECK(forever.call({.fuel = 100, .fuel_left = &left}).error().code == TrapCode::out_of_fuel);
  CHECK(left == 0);
  CHECK(must(store.fuel()) == 10);
  CHECK(must(count.call({.fuel = 1000, .fuel_left = &left}, 10)) == 7);
  CHECK(left > 0);
  const std::uint64_t used = 1000 - left;
  must(store.set_fuel(1000));
  CHECK(must(count(10)) == 7);
  CHECK(1000 - must(store.fuel()) == used);

  const Engine free;
  const auto refused =
      must(instantiate(free, kLoops).function<std::int32_t(std::int32_t)>("count")).call({.fuel = 5}, 1);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == TrapCode::host_error);
  CHECK_THAT(refused.error().message, Catch::Contains("EngineConfig::fuel"));
}

TEST_CASE("A call with options outlives all handles of its store") {
  const Engine engine = must(Engine::create({.fuel = true}));
  std::optional<Instance> instance;
  std::optional<Store> store(std::in_place, engine);
  must(store->set_fuel(1000));
  Linker linker(engine);
  linker.define("env", "drop", [&] {
    instance.reset();
    store.reset();
  });
  instance = must(linker.instantiate(*store, load(engine, R"((module (import "env" "drop" (func $drop))
    (func (export "run") (result i32) (call $drop) (i32.const 4))))")));
  std::uint64_t left = 0;
  std::optional<TypedFunction<std::int32_t()>> function = must(instance->function<std::int32_t()>("run"));
  const auto call = [&] {
    const TypedFunction<std::int32_t()> own = *std::exchange(function, std::nullopt);
    return own.call({.fuel = 100, .fuel_left = &left});
  };
  CHECK(must(call()) == 4);
  CHECK(left > 0);
}

TEST_CASE("A limiter is asked for everything that grows, and may refuse it") {
  const Engine engine;
  std::vector<std::string> asked;
  bool allows = true;
  const auto limiter = [&](const Growth& growth) {
    constexpr std::string_view kNames[] = {"memory", "table", "instance"};
    asked.push_back(std::string(kNames[static_cast<std::size_t>(growth.kind)]) + " " + std::to_string(growth.current) +
                    " " + std::to_string(growth.desired) + " of " +
                    (growth.maximum ? std::to_string(*growth.maximum) : "any"));
    return allows;
  };
  Store store(engine, {.memory_limit = 1 << 20, .instance_limit = 5, .limiter = limiter});
  const Module module = load(engine, R"((module
    (memory (export "memory") 1 8) (table (export "table") 3 9 funcref)
    (func (export "memory_grow") (param i32) (result i32) (memory.grow (local.get 0)))
    (func (export "table_grow") (param i32) (result i32) (table.grow 0 (ref.null func) (local.get 0)))))");
  const Instance instance = must(Linker(engine).instantiate(store, module));
  CHECK(asked == std::vector<std::string>{"instance 0 1 of 5", "memory 0 65536 of 524288", "table 0 3 of 9"});
  asked.clear();
  const auto grow_memory = must(instance.function<std::int32_t(std::int32_t)>("memory_grow"));
  const auto grow_table = must(instance.function<std::int32_t(std::int32_t)>("table_grow"));
  Memory memory = must(instance.memory("memory"));
  const Table table = must(instance.table("table"));
  const Value null = Value::zero_of(ValueType::funcref());
  CHECK(must(grow_memory(1)) == 1);
  CHECK(memory.grow(1) == 2);
  CHECK(must(grow_table(2)) == 3);
  CHECK(table.grow(1, null) == 5);
  CHECK(asked == std::vector<std::string>{"memory 65536 131072 of 524288", "memory 131072 196608 of 524288",
                                          "table 3 5 of 9", "table 5 6 of 9"});
  asked.clear();
  // Not asked about nothing, nor about what cannot be anyway.
  CHECK(must(grow_memory(0)) == 3);
  CHECK(must(grow_memory(6)) == -1);
  CHECK(must(grow_table(9)) == -1);
  CHECK(asked.empty());

  allows = false;
  CHECK(must(grow_memory(1)) == -1);
  CHECK_FALSE(memory.grow(1));
  CHECK(must(grow_table(1)) == -1);
  CHECK_FALSE(table.grow(1, null));
  CHECK(asked.size() == 4);
  const auto refused = Linker(engine).instantiate(store, module);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().error()->kind == ErrorKind::limit);
  CHECK(refused.error().error()->message == "the embedder's limiter refuses another instance, beside 1");
  CHECK(Memory::create(store, {.limits = {1}}).error().message ==
        "the embedder's limiter refuses a memory of 65536 bytes");
  CHECK(Table::create(store, {.limits = {4}}, null).error().message ==
        "the embedder's limiter refuses a table of 4 elements");
  // What was refused is not taken: all of the limit is there.
  allows = true;
  CHECK(must(grow_memory(5)) == 3);
  CHECK(Memory::create(store, {.limits = {7}}));
}

TEST_CASE("A limiter that throws refuses, and may look at the memory that grows") {
  const Engine engine;
  Memory* grown = nullptr;
  Store store(engine, {.limiter = [&](const Growth& growth) {
                if (grown == nullptr) return true;
                // Grows it on its own, so it is asked again about the new size.
                if (growth.desired == 2 * kPageSize) {
                  Memory* const memory = std::exchange(grown, nullptr);
                  CHECK(memory->grow(1) == 1);
                  grown = memory;
                  return true;
                }
                throw 1;
              }});
  Memory memory = must(Memory::create(store, {.limits = {1}}));
  grown = &memory;
  CHECK_FALSE(memory.grow(1));
  CHECK(memory.pages() == 2);
}

TEST_CASE("A hook is told of calls in and out, in nested order, in every tier") {
  for (const TierSelection tier : tiers()) {
    CAPTURE(static_cast<int>(tier));
    const Engine engine = must(Engine::create({.tier = tier, .tier_threshold = 1}));
    std::vector<std::string> events;
    const auto hook = [&](const CallEvent& event) {
      constexpr std::string_view kNames[] = {"> ", "< ", ">> ", "<< "};
      events.push_back(std::string(kNames[static_cast<std::size_t>(event.kind)]) + event.name() +
                       (event.failed ? " failed" : ""));
      throw 1;  // is lost
    };
    Store store(engine, {.call_hook = hook});
    Linker linker(engine);
    linker.define_wasi({});
    linker.define("env", "back", [](Caller& caller, std::int32_t depth) -> std::expected<std::int32_t, Trap> {
      if (depth == 0) return 1;
      if (depth < 0) return std::unexpected(Trap::host_error("enough"));
      return must(caller.instance()->function<std::int32_t(std::int32_t)>("run"))(depth - 1);
    });
    const Module module = load(engine, R"((module
      (import "env" "back" (func $back (param i32) (result i32)))
      (import "wasi_snapshot_preview1" "sched_yield" (func $yield (result i32)))
      (memory (export "memory") 1)
      (func $start (drop (call $yield)))
      (func (export "run") (param i32) (result i32) (call $inner (local.get 0)))
      (func $inner (param i32) (result i32) (call $back (local.get 0)))
      (start $start)))",
                               "--debug-names");
    const Instance instance = must(tier == TierSelection::interpreter ? must(linker.prepare(module)).instantiate(store)
                                                                      : linker.instantiate(store, module));
    CHECK(events == std::vector<std::string>{"> start", ">> wasi_snapshot_preview1.sched_yield",
                                             "<< wasi_snapshot_preview1.sched_yield", "< start"});
    const auto run = must(instance.function<std::int32_t(std::int32_t)>("run"));
    for (int repeated = 0; repeated < 3; ++repeated) {
      events.clear();
      CHECK(must(run(1)) == 1);
      CHECK(events == std::vector<std::string>{"> run", ">> env.back", "> run", ">> env.back", "<< env.back", "< run",
                                               "<< env.back", "< run"});
      events.clear();
      CHECK(run(-1).error().message == "error in a host function: enough");
      CHECK(events == std::vector<std::string>{"> run", ">> env.back", "<< env.back failed", "< run failed"});
    }
    events.clear();
    const Function back = *must(linker.get(store, "env", "back")).function();
    CHECK(must(must(back.typed<std::int32_t(std::int32_t)>())(0)) == 1);
    CHECK(events == std::vector<std::string>{">> env.back", "<< env.back"});
  }
}
