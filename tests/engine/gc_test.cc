// References to a store's objects in the host's hands. wabt does not write these modules, so they are in bytes.
#include "fixture.h"
#include "support/module_builder.h"

using namespace wasi;
using namespace wasi::test;

namespace {

// (module
//   (type $s (struct (field (mut i32))))
//   (type $list (struct (field anyref)))
//   (func (export "make") (param i32) (result anyref) (struct.new $s (local.get 0)))
//   (func (export "read") (param anyref) (result i32) (struct.get $s 0 (ref.cast (ref $s) (local.get 0))))
//   (func (export "i31") (param i32) (result anyref) (ref.i31 (local.get 0)))
//   (func (export "out") (param anyref) (result externref) (extern.convert_any (local.get 0)))
//   (func (export "in") (param externref) (result anyref) (any.convert_extern (local.get 0)))
//   (func (export "exhaust") (local anyref) (loop (local.set 0 (struct.new $list (local.get 0))) (br 0)))
//   (func (export "around") (param externref) (result externref)
//     (extern.convert_any (any.convert_extern (local.get 0))))
//   (func (export "mint") (result externref) (extern.convert_any (ref.i31 (i32.const 5))))
//   (global (export "global") (mut anyref) (ref.null any))
//   (table (export "table") 4 anyref))
Bytes gc_module() {
  const Bytes types =
      hex("09 5f 01 7f 01  5f 01 6e 00  60 01 7f 01 6e  60 01 6e 01 7f  60 01 6e 01 6f  60 01 6f 01 6e  60 00 00"
          "60 01 6f 01 6f  60 00 01 6f");
  const auto function = [](std::string_view export_name, std::uint8_t index) {
    return join(name(export_name), Bytes{0, index});
  };
  const auto body = [](std::string_view code) { return sized(hex(code)); };
  return module(
      {section(kTypeSection, types), section(kFunctionSection, hex("08 02 03 02 04 05 06 07 08")),
       section(kTableSection, hex("01 6e 00 04")), section(kGlobalSection, hex("01 6e 01 d0 6e 0b")),
       section(kExportSection,
               vec({function("make", 0), function("read", 1), function("i31", 2), function("out", 3), function("in", 4),
                    function("exhaust", 5), function("around", 6), function("mint", 7),
                    join(name("global"), hex("03 00")), join(name("table"), hex("01 00"))})),
       section(kCodeSection, vec({body("00 20 00 fb 00 00 0b"), body("00 20 00 fb 16 00 fb 02 00 00 0b"),
                                  body("00 20 00 fb 1c 0b"), body("00 20 00 fb 1b 0b"), body("00 20 00 fb 1a 0b"),
                                  body("01 01 6e 03 40 20 00 fb 00 01 21 00 0c 00 0b 0b"),
                                  body("00 20 00 fb 1a fb 1b 0b"), body("00 41 05 fb 1c fb 1b 0b")}))});
}

struct Guest {
  explicit Guest(StoreConfig config = {})
      : store(engine, config),
        instance(must(Linker(engine).instantiate(store, must(Module::from_bytes(engine, gc_module()))))) {}

  std::expected<std::vector<Value>, Trap> call(std::string_view function, const std::vector<Value>& arguments = {}) {
    return must(instance.func(function)).call(arguments);
  }
  Value one(std::string_view function, const std::vector<Value>& arguments = {}) {
    return must(call(function, arguments)).at(0);
  }

  Engine engine;
  Store store;
  Instance instance;
};

StoreConfig stressed() {
  StoreConfig config;
  config.gc_stress = true;
  return config;
}

}  // namespace

TEST_CASE("a value keeps the object that it refers to alive, copies do too") {
  Guest guest(stressed());
  std::vector<Value> values;
  for (int i = 0; i < 50; ++i) values.push_back(guest.one("make", {i}));
  const std::vector<Value> copies = values;
  values.clear();
  guest.store.collect_garbage();
  CHECK(guest.store.heap_metrics().live_bytes == 50 * 16);
  for (int i = 0; i < 50; ++i) {
    const Value& copy = copies[static_cast<std::size_t>(i)];
    CHECK(copy.reference_kind() == ReferenceKind::structure);
    CHECK(guest.one("read", {copy}) == Value(i));
  }
}

TEST_CASE("objects without values and other roots are freed") {
  Guest guest;
  for (int i = 0; i < 50; ++i) guest.one("make", {i});
  guest.store.collect_garbage();
  CHECK(guest.store.heap_metrics().live_bytes == 0);
  CHECK(guest.store.heap_metrics().collections == 1);
}

TEST_CASE("globals and tables keep objects, and give them back") {
  Guest guest(stressed());
  const Global global = must(guest.instance.global("global"));
  const Table table = must(guest.instance.table("table"));
  must(global.set(guest.one("make", {1})));
  must(table.set(3, guest.one("make", {2})));
  for (int i = 0; i < 10; ++i) guest.one("make", {9});
  CHECK(guest.one("read", {global.get()}) == Value(1));
  CHECK(guest.one("read", {table.get(3).value()}) == Value(2));
  CHECK(global.get() == global.get());
  must(global.set(Value::zero_of(ValueType::anyref())));
  must(table.set(3, Value::from_i31(4)));
  guest.store.collect_garbage();
  CHECK(guest.store.heap_metrics().live_bytes == 0);
}

TEST_CASE("a reference of another store, or made of bits, is refused") {
  Guest guest;
  Guest other;
  Store second(guest.engine);
  const Instance there = must(Linker(guest.engine).instantiate(second, guest.instance.module()));
  const Value foreign = must(must(there.func("make")).call(std::vector<Value>{1})).at(0);
  const auto refused = [&](const Value& value) {
    const auto done = guest.call("read", {value});
    REQUIRE_FALSE(done);
    CHECK(done.error().code == TrapCode::host_error);
    CHECK(done.error().message == "argument 1 is a reference of another store");
  };
  refused(foreign);
  refused(Value::from_bits(ValueType::anyref(), {0x7000'0000'0000, 0}));
  CHECK_FALSE(must(guest.instance.global("global")).set(foreign));
  CHECK_FALSE(must(guest.instance.table("table")).set(0, foreign));
}

TEST_CASE("a value may outlive its store") {
  Value value;
  {
    Guest guest;
    value = guest.one("make", {1});
  }
  CHECK(value.type() == ValueType::anyref());
  value = Value(1);
}

TEST_CASE("i31 numbers keep 31 bits") {
  Guest guest;
  CHECK(guest.one("i31", {-1}).as_i31() == -1);
  CHECK(guest.one("i31", {0x4000'0000}).as_i31() == -0x4000'0000);
  CHECK(guest.one("i31", {7}) == Value::from_bits(ValueType::anyref(), Value::from_i31(7).bits()));
  CHECK(Value::from_i31(-3).as_i31() == -3);
  CHECK(Value::from_i31(-3).to_string() == "-3");
  CHECK(guest.one("i31", {7}).reference_kind() == ReferenceKind::i31);
  const auto wrong = guest.call("read", {Value::from_i31(1)});
  REQUIRE_FALSE(wrong);
  CHECK(wrong.error().code == TrapCode::cast_failure);
  CHECK(wrong.error().message == "cast failure");
}

TEST_CASE("host pointers pass through both hierarchies") {
  Guest guest;
  int there = 0;
  const ExternRef host{&there};
  CHECK(guest.one("in", {host}).as_host() == host);
  CHECK(guest.one("in", {host}) == Value::any_from_extern(host));
  CHECK(guest.one("out", {Value::any_from_extern(host)}).as<ExternRef>() == host);
  CHECK(guest.one("around", {host}).as<ExternRef>() == host);
  const ExternRef highest{reinterpret_cast<void*>(std::uintptr_t{0} - 8)};
  CHECK(guest.one("around", {highest}).as<ExternRef>() == highest);
  CHECK(guest.one("in", {ExternRef{}}).is_null());
  const auto around = must(guest.instance.function<ExternRef(ExternRef)>("around"));
  CHECK(must(around(host)) == host);
  CHECK(must(around(ExternRef{})).pointer == nullptr);
}

TEST_CASE("an externref that the guest made of its own is no host pointer") {
  Guest guest;
  const Value minted = guest.one("mint");
  CHECK_FALSE(minted.is_null());
  CHECK_FALSE(minted.as<ExternRef>());
  CHECK(minted.reference_kind() == ReferenceKind::i31);
  CHECK(must(must(guest.instance.function<ExternRef()>("mint"))()).pointer == nullptr);
  const Value object = guest.one("out", {guest.one("make", {3})});
  guest.store.collect_garbage();
  CHECK(object.reference_kind() == ReferenceKind::structure);
  CHECK(guest.one("read", {guest.one("in", {object})}) == Value(3));
}

TEST_CASE("a full heap is a trap that says so, and the store goes on") {
  StoreConfig config;
  config.gc_heap_limit = 1 << 20;
  Guest guest(config);
  for (int i = 0; i < 3; ++i) {
    const auto done = guest.call("exhaust");
    REQUIRE_FALSE(done);
    CHECK(done.error().code == TrapCode::allocation_failure);
    CHECK(done.error().message == "allocation failure: the heap for objects is full (limit: 1048576 bytes)");
    CHECK(guest.one("read", {guest.one("make", {i})}) == Value(i));
  }
}

TEST_CASE("host functions take and give references") {
  Engine engine;
  StoreConfig config = stressed();
  Store store(engine, config);
  Linker linker(engine);
  std::vector<Value> kept;
  // (module (type $s (struct (field i32))) (import "h" "keep" (func $keep (param anyref) (result anyref)))
  //   (func (export "f") (param i32) (result i32)
  //     (struct.get $s 0 (ref.cast (ref $s) (call $keep (struct.new $s (local.get 0)))))))
  const Bytes bytes = module(
      {section(kTypeSection, hex("03 5f 01 7f 00 60 01 6e 01 6e 60 01 7f 01 7f")),
       section(kImportSection, join(hex("01"), name("h"), name("keep"), hex("00 01"))),
       section(kFunctionSection, hex("01 02")), section(kExportSection, join(hex("01"), name("f"), hex("00 01"))),
       section(kCodeSection, vec({sized(hex("00 20 00 fb 00 00 10 00 fb 16 00 fb 02 00 00 0b"))}))});
  linker.define_untyped("h", "keep", {{ValueType::anyref()}, {ValueType::anyref()}},
                        [&](Caller&, std::span<const Value> args, std::span<Value> results) {
                          kept.push_back(args[0]);
                          results[0] = kept.front();
                          return std::expected<void, Trap>();
                        });
  const Instance instance = must(linker.instantiate(store, must(Module::from_bytes(engine, bytes))));
  const auto f = must(instance.function<std::int32_t(std::int32_t)>("f"));
  CHECK(must(f(11)) == 11);
  CHECK(must(f(12)) == 11);
  store.collect_garbage();
  CHECK(kept.size() == 2);
  CHECK(store.heap_metrics().live_bytes == 2 * 16);
}
