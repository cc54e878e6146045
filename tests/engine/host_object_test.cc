// Objects of the host in the hands of guests: who owns them, who gets them back, and when they go.
#include <array>
#include <string>

#include "engine/fixture.h"

using namespace wasi;
using namespace wasi::test;

namespace {

Module text_module(const Engine& engine, std::string_view text) {
  return must(Module::from_bytes(engine, {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}));
}

// Places in which a guest may keep a reference, and ways to hand it on.
constexpr std::string_view kKeeper = R"((module
  (type $box (struct (field (mut externref))))
  (import "env" "make" (func $make (param i32) (result externref)))
  (import "env" "read" (func $read (param externref) (result i32)))
  (tag $tag (param externref))
  (global $global (export "global") (mut externref) (ref.null extern))
  (table $table (export "table") 4 externref)
  (global $boxed (mut (ref null $box)) (ref.null $box))
  (func (export "give") (param externref) (result externref) (local.get 0))
  (func (export "keep") (param externref) (table.set $table (i32.const 1) (local.get 0)))
  (func (export "kept") (result externref) (table.get $table (i32.const 1)))
  (func (export "box") (param externref) (global.set $boxed (struct.new $box (local.get 0))))
  (func (export "unbox") (result externref) (struct.get $box 0 (global.get $boxed)))
  (func (export "empty") (global.set $boxed (ref.null $box)) (table.set $table (i32.const 1) (ref.null extern)))
  (func (export "any") (param externref) (result anyref) (any.convert_extern (local.get 0)))
  (func (export "around") (param externref) (result externref)
    (extern.convert_any (any.convert_extern (local.get 0))))
  (func (export "tests") (param externref) (result i32) (local $any anyref)
    (local.set $any (any.convert_extern (local.get 0)))
    (i32.or (ref.test eqref (local.get $any))
      (i32.or (ref.test i31ref (local.get $any))
        (i32.or (ref.test structref (local.get $any))
          (i32.or (ref.test arrayref (local.get $any)) (ref.test (ref $box) (local.get $any)))))))
  (func (export "cast") (param externref) (result eqref) (ref.cast eqref (any.convert_extern (local.get 0))))
  (func (export "throws") (param externref) (result externref)
    (block $caught (result externref)
      (try_table (catch $tag $caught) (throw $tag (local.get 0))) unreachable))
  ;; A reference that lives in a local, across calls that make garbage and collect.
  (func (export "churn") (param $count i32) (result i32) (local $first externref) (local $sum i32)
    (local.set $first (call $make (i32.const 1000)))
    (loop $again
      (local.set $sum (i32.add (local.get $sum) (call $read (call $make (local.get $count)))))
      (local.set $sum (i32.add (local.get $sum) (call $read (local.get $first))))
      (br_if $again (local.tee $count (i32.sub (local.get $count) (i32.const 1)))))
    (local.get $sum))))";

// Counts those of its kind that there are.
struct Counted {
  explicit Counted(int* alive_count, int number = 0) : alive(alive_count), value(number) { ++*alive; }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;
  ~Counted() { --*alive; }
  int* alive;
  int value;
};

struct Guest {
  explicit Guest(TierSelection tier = TierSelection::automatic, StoreConfig config = {})
      : engine(must(Engine::create({.tier = tier}))), store(engine, config), instance([&] {
          Linker linker(engine);
          linker.define("env", "make", [this](Caller& caller, std::int32_t number) {
            return must(HostObject::create(caller, std::make_shared<Counted>(&alive, number)));
          });
          linker.define("env", "read", [](const std::shared_ptr<Counted>& counted) { return counted->value; });
          return must(linker.instantiate(store, text_module(engine, kKeeper)));
        }()) {}
  std::shared_ptr<Counted> counted(int value = 0) { return std::make_shared<Counted>(&alive, value); }
  void call(std::string_view function) { must(must(instance.function<void()>(function))()); }

  int alive = 0;
  Engine engine;
  Store store;
  Instance instance;
};

}  // namespace

TEST_CASE("A guest hands an object of the host back, and only by its type") {
  for (const TierSelection tier : tiers()) {
    Guest guest(tier);
    const HostObject object = must(HostObject::create(guest.store, std::string("hello")));
    const auto give = must(guest.instance.function<HostObject(HostObject)>("give"));
    const HostObject back = must(give(object));
    CHECK(back == object);
    CHECK(*back.get<std::string>() == "hello");
    CHECK(back.get<int>() == nullptr);
    CHECK(back.get<const std::string>() == nullptr);
    CHECK(back.get<std::string_view>() == nullptr);
    // The same object, not a copy.
    CHECK(back.get<std::string>() == object.get<std::string>());
    CHECK(must(must(guest.instance.function<HostObject(HostObject)>("around"))(object)) == object);
    CHECK(must(must(guest.instance.function<HostObject(HostObject)>("throws"))(object)) == object);
  }
}

TEST_CASE("An object of the host is neither a structure nor a number to guests") {
  for (const TierSelection tier : tiers()) {
    Guest guest(tier);
    const HostObject object = must(HostObject::create(guest.store, 5));
    CHECK(must(must(guest.instance.function<std::int32_t(HostObject)>("tests"))(object)) == 0);
    CHECK(must(guest.instance.func("cast")).call({object.to_value()}).error().code == TrapCode::cast_failure);
    const AnyRef any = must(must(guest.instance.function<AnyRef(HostObject)>("any"))(object));
    CHECK(any.kind() == ReferenceKind::host_object);
    CHECK_FALSE(any.structure());
    CHECK_FALSE(any.i31());
    CHECK(any.host_object() == object);
    CHECK(*any.host_object()->get<int>() == 5);
  }
}

TEST_CASE("Signatures have std::shared_ptr, null included") {
  Guest guest;
  const auto give = must(guest.instance.function<std::shared_ptr<Counted>(std::shared_ptr<Counted>)>("give"));
  const auto counted = guest.counted(3);
  CHECK(must(give(counted)) == counted);
  CHECK(must(give(nullptr)) == nullptr);
  // An object of another type, and a pointer that belongs to nobody.
  const auto gives_string = must(guest.instance.function<std::shared_ptr<std::string>(HostObject)>("give"));
  const HostObject other = must(HostObject::create(guest.store, 1));
  CHECK(gives_string(other).error().message ==
        "result 1 is a reference of another kind, which its C++ type does not stand for");
  int local = 0;
  const Value pointer = ExternRef{&local};
  CHECK_FALSE(HostObject::from_value(guest.store, pointer));
  const Function takes = must(Function::create(guest.store, [](std::shared_ptr<Counted> c) { return c == nullptr; }));
  CHECK(takes.call({pointer}).error().code == TrapCode::host_error);
  CHECK(takes.call({other.to_value()}).error().code == TrapCode::host_error);
  CHECK(must(takes.call({Value::zero_of(ValueType::externref())})) == std::vector<Value>{1});
  // To a function that takes raw pointers, it is none.
  const Function raw = must(Function::create(guest.store, [](ExternRef e) { return e.pointer == nullptr; }));
  CHECK(must(raw.call({other.to_value()})) == std::vector<Value>{1});
  CHECK(HostObject::create(guest.store, std::shared_ptr<int>()).error().kind == ErrorKind::argument);
}

TEST_CASE("An object of the host lives as long as a guest or a handle has it") {
  Guest guest;
  const auto collect = [&] { guest.store.collect_garbage(); };
  {
    const HostObject handle = must(HostObject::create(guest.store, guest.counted()));
    collect();
    CHECK(guest.alive == 1);
    CHECK(guest.store.heap_metrics().host_objects == 1);
  }
  collect();
  CHECK(guest.alive == 0);
  CHECK(guest.store.heap_metrics().host_objects == 0);

  must(must(guest.instance.function<void(std::shared_ptr<Counted>)>("keep"))(guest.counted(1)));
  must(must(guest.instance.function<void(std::shared_ptr<Counted>)>("box"))(guest.counted(2)));
  must(must(guest.instance.global("global")).set(must(HostObject::create(guest.store, guest.counted(3))).to_value()));
  collect();
  CHECK(guest.alive == 3);
  CHECK(must(must(guest.instance.function<std::shared_ptr<Counted>()>("kept"))())->value == 1);
  CHECK(must(must(guest.instance.function<std::shared_ptr<Counted>()>("unbox"))())->value == 2);
  guest.call("empty");
  collect();
  CHECK(guest.alive == 1);
  // Who has asked for it keeps it, without any reference.
  const auto last = HostObject::from_value(guest.store, must(guest.instance.global("global")).get())->get<Counted>();
  must(must(guest.instance.global("global")).set(Value::zero_of(ValueType::externref())));
  collect();
  CHECK(guest.store.heap_metrics().host_objects == 0);
  CHECK(guest.alive == 1);
  CHECK(last->value == 3);
}

TEST_CASE("Objects of the host go with their store, whoever has them") {
  int alive = 0;
  std::optional<Value> kept;
  {
    const Engine engine;
    Store store(engine);
    kept = must(HostObject::create(store, std::make_shared<Counted>(&alive))).to_value();
    CHECK(alive == 1);
  }
  CHECK(alive == 0);
  CHECK(kept->reference_kind() == ReferenceKind::host_object);
  const Engine engine;
  Store other(engine);
  CHECK_FALSE(HostObject::from_value(other, *kept));
  const Function takes = must(Function::create(other, [](ExternRef) {}));
  CHECK(takes.call({*kept}).error().message == "argument 1 is a reference of another store");
  // Bits are no reference.
  CHECK_FALSE(HostObject::from_value(other, Value::from_bits(ValueType::externref(), kept->bits())));
}

TEST_CASE("References to objects of the host in locals survive collections, in every tier") {
  for (const TierSelection tier : tiers()) {
    for (const bool stress : {false, true}) {
      StoreConfig config;
      config.gc_stress = stress;
      Guest guest(tier, config);
      const auto churn = must(guest.instance.function<std::int32_t(std::int32_t)>("churn"));
      constexpr std::int32_t kCount = 300;
      CHECK(must(churn(kCount)) == kCount * (kCount + 1) / 2 + kCount * 1000);
      guest.store.collect_garbage();
      CHECK(guest.alive == 0);
    }
  }
}

TEST_CASE("Objects of the host count for the next collection by their size") {
  int alive = 0;
  const Engine engine;
  Store store(engine);
  struct Large : Counted {
    using Counted::Counted;
    std::array<char, 64 << 10> bytes{};
  };
  for (int i = 0; i < 1000; ++i) must(HostObject::create(store, std::make_shared<Large>(&alive)));
  CHECK(store.heap_metrics().collections > 0);
  CHECK(alive < 500);
}

TEST_CASE("A guest that keeps objects of the host meets the heap's limit") {
  int alive = 0;
  const Engine engine;
  Store store(engine, {.gc_heap_limit = 1 << 20});
  std::vector<HostObject> kept;
  Result<HostObject> made = HostObject::create(store, std::make_shared<Counted>(&alive));
  while (made && kept.size() < 100'000) {
    kept.push_back(*made);
    made = HostObject::create(store, std::make_shared<Counted>(&alive));
  }
  REQUIRE_FALSE(made);
  CHECK(made.error().kind == ErrorKind::limit);
  CHECK(kept.size() > 1000);
  CHECK(static_cast<std::size_t>(alive) == kept.size());
  kept.clear();
  CHECK(HostObject::create(store, std::make_shared<Counted>(&alive)));
}

TEST_CASE("Destructors run at the end of the outermost call, and may use the store") {
  // Calls the guest, and makes another object, when it goes.
  struct Busy {
    Store* store;
    const Instance* instance;
    std::vector<std::string>* log;
    ~Busy() {
      const auto twice = must(instance->function<std::int32_t(std::int32_t)>("twice"));
      log->push_back("destroyed " + std::to_string(must(twice(4))));
      must(HostObject::create(*store, 1));
    }
  };
  for (const TierSelection tier : tiers()) {
    const Engine engine = must(Engine::create({.tier = tier}));
    Store store(engine, {.gc_stress = true});
    std::vector<std::string> log;
    Linker linker(engine);
    std::optional<Instance> instance;
    linker.define("env", "make", [&](Caller& caller) {
      return must(HostObject::create(caller, std::shared_ptr<Busy>(new Busy{&store, &*instance, &log})));
    });
    linker.define("env", "log", [&](std::int32_t n) { log.push_back(std::to_string(n)); });
    instance = must(linker.instantiate(store, text_module(engine, R"((module
      (type $s (struct (field i32)))
      (import "env" "make" (func $make (result externref)))
      (import "env" "log" (func $log (param i32)))
      (global $kept (mut externref) (ref.null extern))
      (global $last (mut (ref null $s)) (ref.null $s))
      (func (export "twice") (param i32) (result i32) (i32.mul (local.get 0) (i32.const 2)))
      (func (export "make") (global.set $kept (call $make)))
      (func (export "run") (param i32) (result i32)
        (global.set $kept (ref.null extern))
        (global.set $last (struct.new $s (i32.const 1)))
        (global.set $last (struct.new $s (i32.const 2)))
        (call $log (i32.const 1))
        (local.get 0))))")));
    must(must(instance->function<void()>("make"))());
    // What lay on the stack of that call may keep it once more.
    must(must(instance->function<std::int32_t(std::int32_t)>("twice"))(1));
    CHECK(must(must(instance->function<std::int32_t(std::int32_t)>("run"))(9)) == 9);
    store.collect_garbage();
    CHECK(log == std::vector<std::string>{"1", "destroyed 8"});
    log.clear();
    // A call by values, whose results are kept meanwhile.
    must(must(instance->func("make")).call({}));
    CHECK(must(must(instance->func("run")).call({7})) == std::vector<Value>{7});
    store.collect_garbage();
    CHECK(log == std::vector<std::string>{"1", "destroyed 8"});
  }
}

TEST_CASE("A destructor may let go of the last handle of the store") {
  const Engine engine;
  int alive = 0;
  struct Holder {
    std::optional<Store> store;
    Counted counted;
  };
  auto* holder = new Holder{Store(engine), Counted(&alive)};
  Store& store = *holder->store;
  {
    // It owns the store that owns it, until the guest lets go.
    must(HostObject::create(store, std::shared_ptr<Holder>(holder)));
  }
  CHECK(alive == 1);
  store.collect_garbage();
  CHECK(alive == 0);
}
