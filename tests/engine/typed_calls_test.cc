// Typed calls of every shape, from the host and of the host, in every tier: machine code calls C++ functions directly
// where their values have registers.
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>
#include <utility>

#include "engine/fixture.h"

using namespace wasi;
using namespace wasi::test;

namespace {

std::span<const std::uint8_t> bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

template <class... Ts>
std::string text_of(detail::ValueList<Ts...> /*list*/, std::string_view keyword) {
  std::string text = "(" + std::string(keyword);
  for (const ValueType type : detail::ValueList<Ts...>::kTypes) text += " " + type.to_string();
  return text + ")";
}

// Values that differ from each other, with every half of theirs.
template <class T>
T sample(int number) {
  const std::uint64_t bits = 0x8123456789ABCDEF + 0x1111111111111111 * static_cast<std::uint64_t>(number);
  if constexpr (std::is_same_v<T, V128>) {
    V128 value;
    for (std::size_t i = 0; i < 16; ++i) value.bytes[i] = static_cast<std::uint8_t>(number * 16 + static_cast<int>(i));
    return value;
  } else if constexpr (std::is_same_v<T, ExternRef>) {
    return ExternRef{reinterpret_cast<void*>(static_cast<std::uintptr_t>(number) * 64)};
  } else if constexpr (std::is_floating_point_v<T>) {
    return static_cast<T>(number) + static_cast<T>(0.25);
  } else {
    return static_cast<T>(bits);
  }
}

template <class Params>
struct Samples;
template <class... Ts>
struct Samples<std::tuple<Ts...>> {
  static std::tuple<Ts...> from(int first) {
    return [first]<std::size_t... I>(std::index_sequence<I...>) {
      static_cast<void>(first);
      return std::tuple<Ts...>(sample<Ts>(first + static_cast<int>(I))...);
    }(std::index_sequence_for<Ts...>());
  }
};

template <class R>
using AsTuple = std::conditional_t<std::is_void_v<R>, std::tuple<>, std::tuple<R>>;

// A guest hands its arguments to the host and gives back the results: plainly, and in a tail call.
template <class R, class... Args>
void check_signature(TierSelection tier) {
  const Engine engine = must(Engine::create({.tier = tier}));
  Store store(engine);
  Linker linker(engine);
  std::tuple<Args...> seen;
  bool fails = false;
  const auto result = [] {
    if constexpr (!std::is_void_v<R>) {
      if constexpr (requires { std::tuple_size<R>::value; }) {
        return Samples<R>::from(40);
      } else {
        return sample<R>(40);
      }
    }
  };
  linker.define("host", "plain", [&](Args... args) -> R {
    seen = {args...};
    if (fails) throw std::runtime_error("enough");
    return result();
  });
  linker.define("host", "caller", [&](Caller& caller, Args... args) -> std::expected<R, Trap> {
    seen = {args...};
    CHECK(caller.memory().size() == 65536);
    CHECK(caller.instance()->get("plain"));
    if (fails) return std::unexpected(Trap{.code = TrapCode::host_error, .message = "refused"});
    if constexpr (std::is_void_v<R>) {
      return {};
    } else {
      return result();
    }
  });
  using Types = detail::SignatureOf<R(Args...)>;
  std::string locals;
  for (std::size_t i = 0; i < sizeof...(Args); ++i) locals += " (local.get " + std::to_string(i) + ")";
  std::string text = "(module (type $t (func " + text_of(typename Types::Params(), "param") +
                     text_of(typename Types::Results(), "result") +
                     "))(import \"host\" \"plain\" (func $plain (type $t)))(import \"host\" \"caller\" (func $caller "
                     "(type $t))) (memory 1)";
  for (const std::string name : {"plain", "caller"}) {
    text += "(func (export \"" + name + "\") (type $t) (call $" + name + locals + "))";
    text += "(func (export \"tail " + name + "\") (type $t) (return_call $" + name + locals + "))";
  }
  CAPTURE(text);
  const Instance instance = must(linker.instantiate(store, must(Module::from_bytes(engine, bytes_of(text + ")")))));
  const std::tuple<Args...> given = Samples<std::tuple<Args...>>::from(1);
  for (const std::string name : {"plain", "tail plain", "caller", "tail caller"}) {
    const auto function = must(instance.template function<R(Args...)>(name));
    // The first call is another way than the second one.
    for (int i = 0; i < 3; ++i) {
      seen = {};
      const std::expected<R, Trap> got = std::apply(function, given);
      REQUIRE(got.has_value());
      CHECK(seen == given);
      if constexpr (!std::is_void_v<R>) CHECK(*got == result());
    }
    fails = true;
    const std::expected<R, Trap> failed = std::apply(function, given);
    fails = false;
    REQUIRE_FALSE(failed.has_value());
    CHECK(failed.error().code == TrapCode::host_error);
    const bool has_caller = name.ends_with("caller");
    CHECK_THAT(failed.error().message, Catch::Contains(has_caller ? "refused" : "enough"));
    CHECK(failed.error().backtrace.size() == 1);
  }
}

template <class F>
struct Check;
template <class R, class... Args>
struct Check<R(Args...)> {
  static void in_every_tier() {
    for (const TierSelection tier : tiers()) check_signature<R, Args...>(tier);
  }
};

using I = std::int32_t;
using U = std::uint32_t;
using L = std::int64_t;
using M = std::uint64_t;
using F = float;
using D = double;
using V = V128;
using X = ExternRef;

}  // namespace

TEST_CASE("Typed functions of the host that take registers only") {
  Check<void()>::in_every_tier();
  Check<I(I, I)>::in_every_tier();
  Check<U(U)>::in_every_tier();
  Check<L(I, L, U, M, I)>::in_every_tier();
  Check<D(D, D)>::in_every_tier();
  Check<F(F, D, F, D, F, D, F, D)>::in_every_tier();
  Check<X(X, I, X)>::in_every_tier();
  Check<V(V, V, I)>::in_every_tier();
  Check<V(F, V, I, D, V, L, V, V, V, V, M, X, U)>::in_every_tier();
  Check<std::tuple<I, I>(I)>::in_every_tier();
  Check<std::tuple<I, F>(F, I)>::in_every_tier();
  Check<std::tuple<F, I>(F, I)>::in_every_tier();
  Check<std::tuple<F, F>(F, I)>::in_every_tier();
  Check<std::tuple<L, D>(D, L)>::in_every_tier();
  Check<std::tuple<D, M>(L)>::in_every_tier();
  Check<std::tuple<X, U>(X)>::in_every_tier();
}

TEST_CASE("Typed functions of the host that take more than registers") {
  Check<I(I, I, I, I, I, I)>::in_every_tier();
  Check<L(L, L, L, L, L, I, I, F, X)>::in_every_tier();
  Check<D(D, D, D, D, D, D, D, D, F)>::in_every_tier();
  Check<V(V, V, V, V, V, V, V, V, V, I)>::in_every_tier();
  Check<std::tuple<I>(I)>::in_every_tier();
  Check<std::tuple<I, V>(I)>::in_every_tier();
  Check<std::tuple<V, V>(V)>::in_every_tier();
  Check<std::tuple<I, L, F>(I)>::in_every_tier();
  Check<std::tuple<I, L, F, D, V, X, U, M>(I, I, I, I, I, I, I, V)>::in_every_tier();
}

TEST_CASE("A function of the host that was called directly calls the guest again, which may trap or throw") {
  for (const TierSelection tier : tiers()) {
    const Engine engine = must(Engine::create({.tier = tier}));
    Store store(engine);
    Linker linker(engine);
    int destroyed = 0;
    struct Counter {
      int* count;
      ~Counter() { ++*count; }
    };
    linker.define("env", "back", [&](Caller& caller, I depth, D sum) -> std::expected<D, Trap> {
      const Counter counter{&destroyed};
      const auto down = must(caller.instance()->function<D(I, D)>("down"));
      auto result = down(depth - 1, sum + 1);
      // It is the same caller as before.
      CHECK(caller.memory().size() == 65536);
      return result;
    });
    const Instance instance = must(linker.instantiate(store, must(Module::from_bytes(engine, bytes_of(R"((module
      (import "env" "back" (func $back (param i32 f64) (result f64)))
      (memory 1)
      (tag $stop (param f64))
      (func $down (export "down") (param i32 f64) (result f64)
        (if (i32.eq (local.get 0) (i32.const -7)) (then (throw $stop (local.get 1))))
        (if (i32.lt_s (local.get 0) (i32.const -20)) (then unreachable))
        (if (result f64) (i32.eqz (local.get 0))
          (then (local.get 1))
          (else (f64.add (f64.const 100) (call $back (local.get 0) (local.get 1))))))
      (func (export "catches") (param i32) (result f64)
        (block $caught (result f64)
          (try_table (result f64) (catch $stop $caught) (call $back (local.get 0) (f64.const 0))))))
    )")))));
    const auto down = must(instance.function<D(I, D)>("down"));
    const auto catches = must(instance.function<D(I)>("catches"));
    for (int i = 0; i < 2; ++i) {
      destroyed = 0;
      CHECK(must(down(10, 0)) == 1010);
      CHECK(destroyed == 10);
      // The exception passes two functions of the host as an error of theirs.
      destroyed = 0;
      CHECK(must(catches(-5)) == 2);
      CHECK(destroyed == 2);
      destroyed = 0;
      const auto trapped = down(-10, 0);
      REQUIRE_FALSE(trapped.has_value());
      CHECK(trapped.error().code == TrapCode::unreachable);
      CHECK(destroyed == 11);
    }
  }
}

TEST_CASE("Whoever wants a guest to stop is heard before and behind functions of the host") {
  for (const TierSelection tier : tiers()) {
    const Engine engine = must(Engine::create({.tier = tier}));
    Store store(engine);
    Linker linker(engine);
    int calls = 0;
    linker.define("env", "stop", [&](I value, D number) {
      calls += 1;
      store.interrupter().interrupt();
      return std::tuple<I, D>(value, number);
    });
    const Instance instance = must(linker.instantiate(store, must(Module::from_bytes(engine, bytes_of(R"((module
      (import "env" "stop" (func $stop (param i32 f64) (result i32 f64)))
      (global $reached (export "reached") (mut i32) (i32.const 0))
      (func (export "run") (result i32 f64)
        (call $stop (i32.const 1) (f64.const 2))
        (global.set $reached (i32.const 1))))
    )")))));
    const auto run = must(instance.function<std::tuple<I, D>()>("run"));
    for (int i = 1; i < 4; ++i) {
      const auto stopped = run();
      REQUIRE_FALSE(stopped.has_value());
      CHECK(stopped.error().code == TrapCode::interrupted);
      CHECK(calls == i);
      CHECK(must(instance.global("reached")).get() == Value(0));
    }
    // A wish that was taken back meanwhile changes nothing.
    Linker other(engine);
    other.define("env", "stop", [&](I value, D number) {
      store.interrupter().interrupt();
      store.clear_interrupt();
      return std::tuple<I, D>(value, number);
    });
    const Instance again = must(other.instantiate(store, instance.module()));
    const auto runs = must(again.function<std::tuple<I, D>()>("run"));
    for (int i = 0; i < 3; ++i) CHECK(must(runs()) == std::tuple(1, 2.0));
    CHECK(must(again.global("reached")).get() == Value(1));
  }
}

TEST_CASE("Typed calls that have been made before end in every way that calls end") {
  for (const TierSelection tier : tiers()) {
    const Engine engine = must(Engine::create({.tier = tier}));
    Store store(engine);
    const Instance instance = must(Linker(engine).instantiate(store, must(Module::from_bytes(engine, bytes_of(R"((module
      (memory 1)
      (tag $stop (param i64))
      (func $forever (result i64) (i64.add (call $forever) (i64.const 1)))
      (func $inner (param i32 i64) (result i64)
        (if (i32.eq (local.get 0) (i32.const 1)) (then unreachable))
        (if (i32.eq (local.get 0) (i32.const 2)) (then (throw $stop (local.get 1))))
        (if (i32.eq (local.get 0) (i32.const 3)) (then (return (call $forever))))
        (if (i32.eq (local.get 0) (i32.const 4)) (then (drop (i32.load (i32.const -4)))))
        (local.get 1))
      (func (export "run") (param i32 i64) (result i64)
        (i64.add (call $inner (local.get 0) (local.get 1)) (i64.const 1))))
    )")))));
    const auto run = must(instance.function<L(I, L)>("run"));
    const TrapCode codes[] = {TrapCode::unreachable, TrapCode::uncaught_exception, TrapCode::stack_overflow,
                              TrapCode::memory_out_of_bounds};
    for (int round = 0; round < 3; ++round) {
      for (I way = 1; way <= 4; ++way) {
        CHECK(must(run(0, 41)) == 42);
        const auto ended = run(way, 7);
        REQUIRE_FALSE(ended.has_value());
        CHECK(ended.error().code == codes[way - 1]);
        CHECK(ended.error().backtrace.size() >= 2);
      }
    }
    store.interrupter().interrupt();
    CHECK(run(0, 0).error().code == TrapCode::interrupted);
    CHECK(must(run(0, -1)) == 0);
  }
}

TEST_CASE("Typed calls go on with a store that threads have in turns, and that gets a memory meanwhile") {
  for (const TierSelection tier : tiers()) {
    const Engine engine = must(Engine::create({.tier = tier}));
    Store store(engine);
    const Module plain = must(Module::from_bytes(
        engine,
        bytes_of("(module (func (export \"f\") (param i32) (result i32) (i32.add (local.get 0) (i32.const 1))))")));
    const Instance instance = must(Linker(engine).instantiate(store, plain));
    const auto f = must(instance.function<I(I)>("f"));
    const auto calls = [&f] {
      for (I i = 0; i < 3; ++i) {
        const auto got = f(i);
        CHECK((got.has_value() && *got == i + 1));
      }
    };
    calls();
    std::thread(calls).join();
    calls();
    // This thread has run nothing that may fault.
    std::thread([&] {
      calls();
      const Instance faulting = must(Linker(engine).instantiate(
          store,
          must(Module::from_bytes(engine, bytes_of("(module (memory 1) (func (export \"f\") (param i32) (result i32) "
                                                   "(i32.load (local.get 0))))")))));
      const auto load = must(faulting.function<I(I)>("f"));
      calls();
      for (int i = 0; i < 3; ++i) {
        CHECK(must(load(0)) == 0);
        const auto trapped = load(-4);
        CHECK((!trapped.has_value() && trapped.error().code == TrapCode::memory_out_of_bounds));
      }
      calls();
    }).join();
    calls();
  }
}

TEST_CASE("A typed call in which all handles of its store go has its results all the same") {
  for (const TierSelection tier : tiers()) {
    const Engine engine = must(Engine::create({.tier = tier}));
    auto store = std::make_unique<Store>(engine);
    std::optional<Instance> instance;
    std::optional<TypedFunction<L(L)>> function;
    bool lets_go = false;
    {
      Linker linker(engine);
      linker.define("env", "maybe", [&]() {
        if (!lets_go) return;
        function.reset();
        instance.reset();
        store.reset();
      });
      instance.emplace(must(linker.instantiate(*store, must(Module::from_bytes(engine, bytes_of(R"((module
        (import "env" "maybe" (func $maybe))
        (func (export "f") (param i64) (result i64) (call $maybe) (i64.mul (local.get 0) (i64.const 3))))
      )"))))));
    }
    function.emplace(must(instance->function<L(L)>("f")));
    for (L i = 0; i < 3; ++i) CHECK(must((*function)(i)) == 3 * i);
    lets_go = true;
    CHECK(must((*function)(14)) == 42);
    CHECK(store == nullptr);
  }
}
