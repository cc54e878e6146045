// Calls from the host: typed, checked once, and untyped.
#include <cmath>

#include "engine/fixture.h"

using namespace wasi;
using namespace wasi::test;

TEST_CASE("Typed calls pass and return every kind of number") {
  const Engine engine;
  const Instance instance = instantiate(engine, R"(
    (module
      (func (export "i32") (param i32 i32) (result i32) (i32.sub (local.get 0) (local.get 1)))
      (func (export "i64") (param i64 i64) (result i64) (i64.sub (local.get 0) (local.get 1)))
      (func (export "f32") (param f32) (result f32) (f32.neg (local.get 0)))
      (func (export "f64") (param f64) (result f64) (f64.sqrt (local.get 0)))
      (func (export "mixed") (param i32 i64 f32 f64) (result f64)
        (f64.add (f64.add (f64.convert_i32_s (local.get 0)) (f64.convert_i64_s (local.get 1)))
                 (f64.add (f64.promote_f32 (local.get 2)) (local.get 3))))
      (func (export "nothing")))
  )");
  CHECK(must(must(instance.function<std::int32_t(std::int32_t, std::int32_t)>("i32"))(1, 3)) == -2);
  CHECK(must(must(instance.function<std::uint32_t(std::uint32_t, std::uint32_t)>("i32"))(1, 3)) == 0xfffffffeU);
  CHECK(must(must(instance.function<std::int64_t(std::int64_t, std::int64_t)>("i64"))(INT64_MIN, 1)) == INT64_MAX);
  CHECK(must(must(instance.function<float(float)>("f32"))(1.5F)) == -1.5F);
  CHECK(must(must(instance.function<double(double)>("f64"))(2.25)) == 1.5);
  CHECK(must(must(instance.function<double(int, long, float, double)>("mixed"))(-1, 2, 0.5F, 0.25)) == 1.75);
  must(must(instance.function<void()>("nothing"))());
}

TEST_CASE("Vectors are passed and returned, typed and untyped") {
  const Engine engine;
  const Instance instance = instantiate(engine, R"(
    (module
      (global (export "g") (mut v128) (v128.const i32x4 1 2 3 4))
      (func (export "f") (param i32 v128 v128) (result v128 i32 v128)
        (i8x16.sub (local.get 2) (local.get 1)) (local.get 0) (local.get 1)))
  )");
  const V128 a{{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}};
  const V128 b{{2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30, 32}};
  const auto f = must(instance.function<std::tuple<V128, std::int32_t, V128>(std::int32_t, V128, V128)>("f"));
  CHECK(must(f(7, a, b)) == std::tuple(a, 7, a));
  const Value args[] = {7, a, b};
  CHECK(must(must(instance.func("f")).call(args)) == std::vector<Value>{a, 7, a});
  const Global global = must(instance.global("g"));
  CHECK(global.get() == Value(V128{{1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0}}));
  must(global.set(a));
  CHECK(global.get() == Value(a));
}

TEST_CASE("Several results come as a tuple, in order") {
  const Engine engine;
  const Instance instance = instantiate(engine, R"(
    (module (func (export "f") (param i64 i32) (result i32 i64 f64) (local.get 1) (local.get 0) (f64.const 0.5)))
  )");
  const auto f =
      must(instance.function<std::tuple<std::int32_t, std::int64_t, double>(std::int64_t, std::int32_t)>("f"));
  CHECK(must(f(1LL << 40, -7)) == std::tuple(-7, 1LL << 40, 0.5));
}

TEST_CASE("More results than parameters, and many of both") {
  const Engine engine;
  std::string params;
  std::string body;
  for (int i = 0; i < 20; ++i) {
    params += " i64";
    body += " (local.get " + std::to_string(19 - i) + ")";
  }
  const Instance instance = instantiate(
      engine, "(module (func (export \"reverse\") (param" + params + ") (result" + params + ")" + body +
                  ") (func (export \"three\") (result i32 i32 i32) (i32.const 1) (i32.const 2) (i32.const 3)))");
  CHECK(must(must(instance.function<std::tuple<int, int, int>()>("three"))()) == std::tuple(1, 2, 3));
  std::vector<Value> args;
  for (std::int64_t i = 0; i < 20; ++i) args.emplace_back(i * i);
  const auto results = must(must(instance.func("reverse")).call(args));
  REQUIRE(results.size() == 20);
  for (std::int64_t i = 0; i < 20; ++i) CHECK(results[i] == Value((19 - i) * (19 - i)));
}

TEST_CASE("A wrong signature is refused with both types") {
  const Engine engine;
  const Instance instance = instantiate(engine, R"(
    (module (memory (export "memory") 1) (func (export "f") (param i32) (result i64) (i64.const 1)))
  )");
  CHECK(instance.function<std::int32_t(std::int32_t)>("f").error().message ==
        "export \"f\": the function has type (i32) -> (i64), asked for (i32) -> (i32)");
  CHECK(instance.function<std::int64_t(std::int32_t, float)>("f").error().message ==
        "export \"f\": the function has type (i32) -> (i64), asked for (i32, f32) -> (i64)");
  CHECK(instance.function<void(std::int32_t)>("f").error().message ==
        "export \"f\": the function has type (i32) -> (i64), asked for (i32) -> ()");
  const auto missing = instance.function<void()>("g");
  CHECK(missing.error().kind == ErrorKind::argument);
  CHECK(missing.error().message == "there is no export \"g\"; the module exports \"memory\", \"f\"");
  CHECK(instance.function<void()>("memory").error().message == "export \"memory\" is a memory, not a function");
  CHECK(instance.memory("f").error().message == "export \"f\" is a function, not a memory");
}

TEST_CASE("Untyped calls check their arguments before anything runs") {
  const Engine engine;
  const Instance instance = instantiate(engine, R"(
    (module
      (global (export "calls") (mut i32) (i32.const 0))
      (func (export "f") (param i32 f64) (result f64 i32)
        (global.set 0 (i32.add (global.get 0) (i32.const 1)))
        (local.get 1) (local.get 0)))
  )");
  const Function f = must(instance.func("f"));
  CHECK(f.type().to_string() == "(i32, f64) -> (f64, i32)");
  const std::vector<Value> right = {std::int32_t{3}, 0.5};
  CHECK(must(f.call(right)) == std::vector<Value>{0.5, std::int32_t{3}});

  const std::vector<Value> few = {std::int32_t{3}};
  CHECK(f.call(few).error().message == "expected 2 arguments, got 1");
  const std::vector<Value> wrong = {std::int32_t{3}, 0.5F};
  CHECK(f.call(wrong).error().message == "argument 2 is f32, expected f64");
  CHECK(f.call(wrong).error().code == TrapCode::host_error);
  CHECK(must(instance.global("calls")).get() == Value(std::int32_t{1}));
}

TEST_CASE("References go in and out") {
  const Engine engine;
  const Instance instance = instantiate(engine, R"(
    (module
      (table 1 funcref)
      (func $five (export "five") (result i32) (i32.const 5))
      (elem declare func $five)
      (func (export "get") (result funcref) (ref.func $five))
      (func (export "same") (param externref) (result externref) (local.get 0))
      (type $int (func (result i32)))
      (func (export "call") (param funcref) (result i32)
        (table.set 0 (i32.const 0) (local.get 0))
        (call_indirect (type $int) (i32.const 0))))
  )",
                                        "--no-check");
  int object = 0;
  CHECK(must(must(instance.function<ExternRef(ExternRef)>("same"))(ExternRef{&object})).pointer == &object);
  CHECK(must(must(instance.function<ExternRef(ExternRef)>("same"))(ExternRef{})).pointer == nullptr);

  const auto reference = must(must(instance.func("get")).call({}));
  REQUIRE(reference.size() == 1);
  CHECK(reference[0] == must(instance.func("five")).to_value());
  CHECK(must(must(instance.func("call")).call(reference)) == std::vector<Value>{std::int32_t{5}});
  const std::vector<Value> null = {Value::zero_of(ValueType::funcref())};
  CHECK(must(instance.func("call")).call(null).error().code == TrapCode::uninitialized_element);
  const std::vector<Value> other = {Value(ExternRef{&object})};
  CHECK(must(instance.func("call")).call(other).error().message == "argument 1 is externref, expected funcref");
}

TEST_CASE("A trap names the functions that were active, innermost first") {
  const Engine engine;
  const Module module = load(engine, R"(
    (module $m
      (func $inner (param i32) (result i32) (i32.div_u (i32.const 1) (local.get 0)))
      (func $outer (export "f") (param i32) (result i32) (i32.add (i32.const 1) (call $inner (local.get 0)))))
  )",
                             "--debug-names");
  Store store(engine);
  const auto f = must(must(Linker(engine).instantiate(store, module)).function<std::int32_t(std::int32_t)>("f"));
  CHECK(must(f(1)) == 2);
  const auto result = f(0);
  REQUIRE_FALSE(result);
  const Trap& trap = result.error();
  CHECK(trap.code == TrapCode::integer_divide_by_zero);
  CHECK(trap.message == "integer divide by zero");
  CHECK_FALSE(trap.is_exit());
  REQUIRE(trap.backtrace.size() == 2);
  CHECK(trap.backtrace[0].module == "m");
  CHECK(trap.backtrace[0].function == "inner");
  CHECK(trap.backtrace[0].function_index == 0);
  CHECK(trap.backtrace[1].function == "outer");
  REQUIRE(trap.backtrace[0].offset.has_value());
  REQUIRE(trap.backtrace[1].offset.has_value());
  CHECK(*trap.backtrace[0].offset < *trap.backtrace[1].offset);
  // The instance is as good as before.
  CHECK(must(f(1)) == 2);
}

TEST_CASE("Deep recursion is a trap, in both ways of bounds checking") {
  for (BoundsChecks checks : {BoundsChecks::guard_pages, BoundsChecks::explicit_checks}) {
    const Engine engine = must(Engine::create({.bounds_checks = checks}));
    const Instance instance = instantiate(engine, R"((module (memory 1)
      (func $f (export "f") (call $f))
      (func (export "load") (param i32) (result i32) (i32.load offset=65532 (local.get 0)))))");
    const auto deep = must(instance.function<void()>("f"))();
    REQUIRE_FALSE(deep);
    CHECK(deep.error().code == TrapCode::stack_overflow);
    CHECK(deep.error().omitted_frames > 0);
    const auto load = must(instance.function<std::int32_t(std::uint32_t)>("load"));
    CHECK(must(load(0)) == 0);
    for (std::uint32_t address : {1U, 0x7fffffffU, 0xffffffffU}) {
      CHECK(load(address).error().code == TrapCode::memory_out_of_bounds);
    }
  }
}
