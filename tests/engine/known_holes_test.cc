// What went wrong in the compiled code of other engines, each in every tier and with both ways of bounds checking.
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "engine/fixture.h"

using namespace wasi;
using namespace wasi::test;

namespace {

constexpr const char* kOutside = "out of bounds memory access";
constexpr const char* kTableOutside = "out of bounds table access";

// One engine of each kind.
void in_every_engine(const std::function<void(const Engine&)>& check) {
  for (const TierSelection tier : tiers()) {
    for (const BoundsChecks checks : {BoundsChecks::guard_pages, BoundsChecks::explicit_checks}) {
      INFO("tier " << static_cast<int>(tier)
                   << (checks == BoundsChecks::guard_pages ? ", guard pages" : ", explicit checks"));
      check(must(Engine::create({.bounds_checks = checks, .tier = tier})));
    }
  }
}

class Guest {
 public:
  Guest(const Engine& engine, std::string_view text)
      : store_(engine), instance_(must(Linker(engine).instantiate(store_, load_text(engine, text)))) {}

  // The first result as a number, or the trap's message.
  std::string call(std::string_view name, const std::vector<Value>& arguments = {}) {
    const auto results = must(instance_.func(name)).call(arguments);
    if (!results) return results.error().message;
    return results->empty() ? "" : results->front().to_string();
  }

 private:
  Store store_;
  Instance instance_;
};

constexpr std::int64_t kDirty = 0x7777'7777'0000'0000;

}  // namespace

TEST_CASE("what is above the 32 bits of an index does not count") {
  constexpr std::string_view kText = R"((module
    (memory 1 3)
    (memory $shared 1 1 shared)
    (table $t 2 8 funcref)
    (data (i32.const 16) "\2a")
    (data (i32.const 1) "\07")
    (data (i32.const 2) "\08")
    (func (export "wrapped") (param i64) (result i32) (i32.load8_u (i32.wrap_i64 (local.get 0))))
    (func (export "wrapped, with an offset") (param i64) (result i32)
      (i32.load8_u offset=8 (i32.wrap_i64 (local.get 0))))
    (func (export "a sum") (param i32) (result i32) (i32.load8_u (i32.add (local.get 0) (i32.const 32))))
    (func (export "a difference") (param i32) (result i32) (i32.load8_u offset=32 (i32.sub (local.get 0) (i32.const -1))))
    (func (export "memory.grow") (result i32) (i32.load8_u (memory.grow (i32.const 1))))
    (func (export "table.grow") (result i32) (i32.load8_u (table.grow $t (ref.null func) (i32.const 1))))
    (func (export "table.size") (result i32) (i32.load8_u (table.size $t)))
    (func (export "a load") (param i64) (result i32)
      (i64.store (i32.const 64) (local.get 0))
      (i32.load8_u (i32.load (i32.const 64))))
    (func (export "cmpxchg") (param i64) (result i32)
      (i64.atomic.store $shared (i32.const 0) (i64.const 16))
      (i32.load8_u (i32.atomic.rmw.cmpxchg $shared (i32.const 0) (i32.wrap_i64 (local.get 0)) (i32.const 3))))
    (func (export "fill") (param i64) (result i32)
      (memory.fill (i32.wrap_i64 (local.get 0)) (i32.const 5) (i32.wrap_i64 (local.get 0)))
      (i32.load8_u (i32.const 17)))
    (func (export "an element") (param i64) (result i32)
      (ref.is_null (table.get $t (i32.wrap_i64 (local.get 0)))))
  ))";
  in_every_engine([&](const Engine& engine) {
    Guest guest(engine, kText);
    CHECK(guest.call("wrapped", {kDirty | 16}) == "42");
    CHECK(guest.call("wrapped, with an offset", {kDirty | 8}) == "42");
    CHECK(guest.call("a sum", {-16}) == "42");
    CHECK(guest.call("a difference", {-17}) == kOutside);
    CHECK(guest.call("memory.grow") == "7");
    CHECK(guest.call("table.size") == "8");
    CHECK(guest.call("table.grow") == "8");
    CHECK(guest.call("a load", {kDirty | 16}) == "42");
    CHECK(guest.call("cmpxchg", {kDirty | 16}) == "42");
    CHECK(guest.call("an element", {kDirty | 1}) == "1");
    CHECK(guest.call("an element", {kDirty | 8}) == kTableOutside);
    CHECK(guest.call("fill", {kDirty | 16}) == "5");
  });
}

TEST_CASE("services find the module's own tables behind imported ones") {
  constexpr std::string_view kFirst = R"((module
    (table (export "a") 10 funcref) (table (export "b") 10 funcref)))";
  constexpr std::string_view kText = R"((module
    (import "first" "a" (table 10 funcref))
    (import "first" "b" (table 10 funcref))
    (table $own 3 5 funcref)
    (elem $some func $f $f)
    (func $f)
    (func (export "fill") (table.fill $own (i32.const 0) (ref.func $f) (i32.const 3)))
    (func (export "fill too far") (table.fill $own (i32.const 1) (ref.func $f) (i32.const 3)))
    (func (export "init") (table.init $own $some (i32.const 1) (i32.const 0) (i32.const 2)))
    (func (export "init too far") (table.init $own $some (i32.const 2) (i32.const 0) (i32.const 2)))
    (func (export "copy too far") (table.copy $own 0 (i32.const 0) (i32.const 0) (i32.const 4)))
    (func (export "grow") (result i32) (table.grow $own (ref.func $f) (i32.const 2)))
    (func (export "get") (param i32) (result i32) (ref.is_null (table.get $own (local.get 0))))
    (func (export "set too far") (table.set $own (i32.const 5) (ref.null func)))
    (func (export "size") (result i32) (table.size $own))
    (func (export "others") (result i32)
      (i32.and (ref.is_null (table.get 0 (i32.const 0))) (ref.is_null (table.get 1 (i32.const 1)))))
  ))";
  in_every_engine([&](const Engine& engine) {
    Store store(engine);
    Linker linker(engine);
    linker.define_instance("first", must(linker.instantiate(store, load_text(engine, kFirst))));
    const Instance instance = must(linker.instantiate(store, load_text(engine, kText)));
    const auto call = [&](std::string_view name, const std::vector<Value>& arguments = {}) {
      const auto results = must(instance.func(name)).call(arguments);
      if (!results) return results.error().message;
      return results->empty() ? std::string() : results->front().to_string();
    };
    CHECK(call("init") == "");
    CHECK(call("get", {0}) == "1");
    CHECK(call("get", {2}) == "0");
    CHECK(call("fill") == "");
    CHECK(call("get", {0}) == "0");
    CHECK(call("fill too far") == kTableOutside);
    CHECK(call("init too far") == kTableOutside);
    CHECK(call("copy too far") == kTableOutside);
    CHECK(call("grow") == "3");
    CHECK(call("size") == "5");
    CHECK(call("set too far") == kTableOutside);
    CHECK(call("others") == "1");
  });
}

// With a memory of one page every wider access to its last bytes would reach outside.
TEST_CASE("loads that become operands of an instruction read no more than they should") {
  struct Type {
    const char* name;
    int bytes;
    const char* zero;
    std::vector<const char*> operations;
  };
  const Type types[] = {
      {"f32", 4, "(f32.const 1)", {"add", "sub", "mul", "div", "min", "max", "copysign", "eq", "lt", "ge"}},
      {"f64", 8, "(f64.const 1)", {"add", "sub", "mul", "div", "min", "max", "copysign", "eq", "lt", "ge"}},
      {"i32", 4, "(i32.const 1)", {"add", "sub", "mul", "and", "or", "xor", "eq", "lt_u", "shl", "div_u"}},
      {"i64", 8, "(i64.const 1)", {"add", "sub", "mul", "and", "or", "xor", "eq", "lt_u", "shl", "div_u"}},
  };
  std::string text = "(module (memory 1) (data (i32.const 65528) \"\\01\\01\\01\\01\\01\\01\\01\\01\")";
  std::vector<std::string> names;
  const auto add = [&](const std::string& name, const std::string& value) {
    names.push_back(name);
    text += "(func (export \"" + name + "\") (param i32) (drop " + value + "))";
    // With nothing in a register.
    text += "(func (export \"" + name + ", twice\") (param i32) (drop " + value + ") (drop " + value + "))";
    names.push_back(name + ", twice");
  };
  std::vector<int> sizes;
  for (const Type& type : types) {
    const std::string name = type.name;
    const std::string load = "(" + name + ".load (local.get 0))";
    for (const char* operation : type.operations) {
      const std::string op = "(" + name + "." + operation + " ";
      add(name + "." + operation + " with a load behind", op + type.zero + load + ")");
      add(name + "." + operation + " with a load in front", op + load + type.zero + ")");
      for (int i = 0; i < 4; ++i) sizes.push_back(type.bytes);
    }
  }
  const struct {
    const char* name;
    const char* load;
    int bytes;
  } others[] = {
      {"f32.sqrt", "f32.load", 4},
      {"f32.ceil", "f32.load", 4},
      {"f64.sqrt", "f64.load", 8},
      {"f64.floor", "f64.load", 8},
      {"f64.promote_f32", "f32.load", 4},
      {"f32.demote_f64", "f64.load", 8},
      {"f32.convert_i32_s", "i32.load", 4},
      {"f64.convert_i32_u", "i32.load", 4},
      {"f32.convert_i64_s", "i64.load", 8},
      {"i32.trunc_sat_f32_s", "f32.load", 4},
      {"i64.trunc_sat_f64_u", "f64.load", 8},
      {"i32.clz", "i32.load", 4},
      {"i64.popcnt", "i64.load", 8},
      {"i8x16.splat", "i32.load8_u", 1},
      {"i16x8.splat", "i32.load16_u", 2},
      {"i32x4.splat", "i32.load", 4},
      {"i64x2.splat", "i64.load", 8},
      {"f32x4.splat", "f32.load", 4},
      {"f64x2.splat", "f64.load", 8},
      {"i16x8.extend_low_i8x16_s", "v128.load64_zero", 8},
      {"f64x2.promote_low_f32x4", "v128.load64_zero", 8},
      {"f32x4.abs", "v128.load32_zero", 4},
      {"i32x4.neg", "v128.load8_splat", 1},
      {"f64x2.sqrt", "v128.load64_splat", 8},
  };
  for (const auto& other : others) {
    add(other.name, std::string("(") + other.name + " (" + other.load + " (local.get 0)))");
    sizes.insert(sizes.end(), {other.bytes, other.bytes});
  }
  text += ")";
  REQUIRE(sizes.size() == names.size());
  in_every_engine([&](const Engine& engine) {
    Guest guest(engine, text);
    for (std::size_t i = 0; i < names.size(); ++i) {
      INFO(names[i]);
      REQUIRE(guest.call(names[i], {65536 - sizes[i]}) == "");
      REQUIRE(guest.call(names[i], {65536 - sizes[i] + 1}) == kOutside);
      REQUIRE(guest.call(names[i], {-1}) == kOutside);
    }
  });
}

TEST_CASE("the address that is checked is the one that is used") {
  constexpr std::string_view kText = R"((module
    (memory 1)
    (memory $wide i64 1)
    (data (i32.const 4) "\0b")
    (func (export "shifted by 33") (param i32) (result i32) (i32.load8_u (i32.shl (local.get 0) (i32.const 33))))
    (func (export "shifted by -31") (param i32) (result i32) (i32.load8_u (i32.shl (local.get 0) (i32.const -31))))
    (func (export "shifted") (param i32 i32) (result i32) (i32.load8_u (i32.shl (local.get 0) (local.get 1))))
    (func (export "shifted and added") (param i32 i32) (result i32)
      (i32.load8_u (i32.add (i32.shl (local.get 0) (i32.const 2)) (local.get 1))))
    (func (export "wide, shifted by 65") (param i64) (result i32)
      (i32.load8_u $wide (i64.shl (local.get 0) (i64.const 65))))
    (func (export "wide, with an offset") (param i64) (result i32)
      (i32.load8_u $wide offset=0xfffffffffffffff8 (local.get 0)))
    (func (export "wide, 32 bits") (param i64) (result i32) (i32.load8_u $wide (local.get 0)))
    (func (export "wide, store") (param i64) (i64.store $wide (local.get 0) (i64.const 1)))
    (func (export "wide, vector") (param i64) (drop (v128.load $wide offset=16 (local.get 0))))
  ))";
  in_every_engine([&](const Engine& engine) {
    Guest guest(engine, kText);
    CHECK(guest.call("shifted by 33", {2}) == "11");
    CHECK(guest.call("shifted by -31", {2}) == "11");
    CHECK(guest.call("shifted", {1, 34}) == "11");
    CHECK(guest.call("shifted", {1, 63}) == kOutside);
    // The sum wraps, as sums of i32 do.
    CHECK(guest.call("shifted and added", {0x4000'0000, 4}) == "11");
    CHECK(guest.call("shifted and added", {-1, 8}) == "11");
    CHECK(guest.call("wide, shifted by 65", {std::int64_t{8}}) == "0");
    CHECK(guest.call("wide, with an offset", {std::int64_t{8}}) == kOutside);
    CHECK(guest.call("wide, with an offset", {std::int64_t{16}}) == kOutside);
    for (const std::int64_t address : {std::int64_t{1} << 32, (std::int64_t{1} << 32) + 4, std::int64_t{-1},
                                       std::int64_t{1} << 47, std::int64_t{1} << 63, std::int64_t{65536}}) {
      CHECK(guest.call("wide, 32 bits", {address}) == kOutside);
      CHECK(guest.call("wide, store", {address}) == kOutside);
      CHECK(guest.call("wide, vector", {address}) == kOutside);
    }
    CHECK(guest.call("wide, vector", {std::int64_t{65504}}) == "");
    CHECK(guest.call("wide, vector", {std::int64_t{65505}}) == kOutside);
  });
}

TEST_CASE("offset and index of an atomic access do not wrap") {
  constexpr std::string_view kText = R"((module
    (memory $narrow 1 1 shared)
    (memory $wide i64 1 1 shared)
    (func (export "load") (param i32) (result i64) (i64.atomic.load $narrow offset=0xfffffff8 (local.get 0)))
    (func (export "add") (param i32) (result i32)
      (i32.atomic.rmw.add $narrow offset=0xfffffffc (local.get 0) (i32.const 1)))
    (func (export "cmpxchg") (param i32) (result i64)
      (i64.atomic.rmw.cmpxchg $narrow offset=0xfffffff8 (local.get 0) (i64.const 0) (i64.const 1)))
    (func (export "wide, load") (param i64) (result i64)
      (i64.atomic.load $wide offset=0xfffffffffffffff8 (local.get 0)))
    (func (export "wide, add") (param i64) (result i32)
      (i32.atomic.rmw.add $wide offset=0xfffffffffffffff8 (local.get 0) (i32.const 1)))
    (func (export "wide, notify") (param i64) (result i32)
      (memory.atomic.notify $wide offset=0xfffffffffffffff8 (local.get 0) (i32.const 1)))
    (func (export "wide, wait") (param i64) (result i32)
      (memory.atomic.wait64 $wide offset=0xfffffffffffffff8 (local.get 0) (i64.const 0) (i64.const 0)))
    (func (export "last") (result i64) (i64.atomic.load $wide offset=0xfff0 (i64.const 8)))
    (func (export "one too far") (result i64) (i64.atomic.load $wide offset=0xfff0 (i64.const 16)))
  ))";
  in_every_engine([&](const Engine& engine) {
    Guest guest(engine, kText);
    for (const char* name : {"load", "add", "cmpxchg"}) {
      CHECK(guest.call(name, {8}) == kOutside);
      CHECK(guest.call(name, {16}) == kOutside);
    }
    for (const char* name : {"wide, load", "wide, add", "wide, notify", "wide, wait"}) {
      CHECK(guest.call(name, {std::int64_t{8}}) == kOutside);
      CHECK(guest.call(name, {std::int64_t{16}}) == kOutside);
    }
    CHECK(guest.call("last") == "0");
    CHECK(guest.call("one too far") == kOutside);
  });
}

TEST_CASE("tables with 64-bit indices compare all bits") {
  constexpr std::string_view kText = R"((module
    (table $t i64 2 8 funcref)
    (type $number (func (result i32)))
    (func $one (result i32) (i32.const 1))
    (elem (table $t) (i64.const 0) func $one $one)
    (func (export "call") (param i64) (result i32) (call_indirect $t (type $number) (local.get 0)))
    (func (export "last call") (param i64) (result i32) (return_call_indirect $t (type $number) (local.get 0)))
    (func (export "get") (param i64) (result i32) (ref.is_null (table.get $t (local.get 0))))
    (func (export "set") (param i64) (table.set $t (local.get 0) (ref.null func)))
    (func (export "grow") (param i64) (result i64) (table.grow $t (ref.null func) (local.get 0)))
    (func (export "fill") (param i64) (table.fill $t (local.get 0) (ref.null func) (i64.const 1)))
  ))";
  in_every_engine([&](const Engine& engine) {
    Guest guest(engine, kText);
    CHECK(guest.call("call", {std::int64_t{1}}) == "1");
    for (const std::int64_t index : {std::int64_t{1} << 32, (std::int64_t{1} << 32) + 1, std::int64_t{-1},
                                     std::int64_t{1} << 61, std::int64_t{2}}) {
      const std::string undefined = "undefined element " + std::to_string(static_cast<std::uint64_t>(index));
      CHECK(guest.call("call", {index}) == undefined);
      CHECK(guest.call("last call", {index}) == undefined);
      CHECK(guest.call("get", {index}) == kTableOutside);
      CHECK(guest.call("set", {index}) == kTableOutside);
      CHECK(guest.call("fill", {index}) == kTableOutside);
    }
    CHECK(guest.call("grow", {std::int64_t{1} << 32}) == "-1");
    CHECK(guest.call("call", {std::int64_t{0}}) == "1");
  });
}

TEST_CASE("a memory of 4 GiB has 65536 pages") {
  constexpr std::string_view kText = R"((module
    (memory 65536)
    (func (export "size") (result i32) (memory.size))
    (func (export "grow") (result i32) (memory.grow (i32.const 0)))
    (func (export "last") (result i32) (i32.load8_u (i32.const -1)))
    (func (export "behind") (result i32) (i32.load16_u (i32.const -1)))
    (func (export "offset") (param i32) (result i32) (i32.load8_u offset=0xffffffff (local.get 0)))
  ))";
  in_every_engine([&](const Engine& engine) {
    Guest guest(engine, kText);
    CHECK(guest.call("size") == "65536");
    CHECK(guest.call("grow") == "65536");
    CHECK(guest.call("last") == "0");
    CHECK(guest.call("behind") == kOutside);
    CHECK(guest.call("offset", {0}) == "0");
    CHECK(guest.call("offset", {1}) == kOutside);
    CHECK(guest.call("offset", {-1}) == kOutside);
  });
}

TEST_CASE("br_table and call_indirect end exactly where they should") {
  constexpr std::string_view kText = R"((module
    (type $number (func (result i32)))
    (table $t 3 3 funcref)
    (elem (i32.const 0) $zero $one $two)
    (func $zero (result i32) (i32.const 10))
    (func $one (result i32) (i32.const 11))
    (func $two (result i32) (i32.const 12))
    (func (export "call") (param i32) (result i32) (call_indirect (type $number) (local.get 0)))
    (func (export "branch") (param i32) (result i32)
      (block $default (block $two (block $one (block $zero
        (br_table $zero $one $two $default (local.get 0)))
        (return (i32.const 10))) (return (i32.const 11))) (return (i32.const 12)))
      (i32.const 13))
    (func (export "branch, of a sum") (param i32) (result i32)
      (block $default (block $two (block $one (block $zero
        (br_table $zero $one $two $default (i32.sub (local.get 0) (i32.const 5))))
        (return (i32.const 10))) (return (i32.const 11))) (return (i32.const 12)))
      (i32.const 13))
  ))";
  in_every_engine([&](const Engine& engine) {
    Guest guest(engine, kText);
    for (std::int32_t i = 0; i < 3; ++i) {
      CHECK(guest.call("call", {i}) == std::to_string(10 + i));
      CHECK(guest.call("branch", {i}) == std::to_string(10 + i));
      CHECK(guest.call("branch, of a sum", {5 + i}) == std::to_string(10 + i));
    }
    for (const std::int32_t i : {3, 4, 5, INT32_MAX, INT32_MIN, INT32_MIN + 1, -1}) {
      CHECK(guest.call("call", {i}) == "undefined element " + std::to_string(static_cast<std::uint32_t>(i)));
      CHECK(guest.call("branch", {i}) == "13");
    }
    for (const std::int32_t i : {4, 0, 8, INT32_MIN}) CHECK(guest.call("branch, of a sum", {i}) == "13");
  });
}

TEST_CASE("null references trap by themselves, and need no signal for it") {
  constexpr std::string_view kText = R"((module
    (type $s (struct (field (mut i32)) (field (mut i64))))
    (type $a (array (mut i8)))
    (type $f (func))
    (func (export "get") (result i64) (struct.get $s 1 (ref.null $s)))
    (func (export "set") (struct.set $s 0 (ref.null $s) (i32.const 1)))
    (func (export "element") (result i32) (array.get_u $a (ref.null $a) (i32.const 0)))
    (func (export "far element") (result i32) (array.get_u $a (ref.null $a) (i32.const 0x7fffffff)))
    (func (export "length") (result i32) (array.len (ref.null $a)))
    (func (export "call") (call_ref $f (ref.null $f)))
    (func (export "last call") (return_call_ref $f (ref.null $f)))
    (func (export "number") (result i32) (i31.get_s (ref.null i31)))
    (func (export "any") (drop (ref.as_non_null (ref.null any))))
  ))";
  in_every_engine([&](const Engine& engine) {
    Guest guest(engine, kText);
    CHECK(guest.call("get") == "null structure reference");
    CHECK(guest.call("set") == "null structure reference");
    CHECK(guest.call("element") == "null array reference");
    CHECK(guest.call("far element") == "null array reference");
    CHECK(guest.call("length") == "null array reference");
    CHECK(guest.call("call") == "null function reference");
    CHECK(guest.call("last call") == "null function reference");
    CHECK(guest.call("number") == "null i31 reference");
    CHECK(guest.call("any") == "null reference");
  });
}

TEST_CASE("a memory that is used again is empty and ends where it should") {
  constexpr std::string_view kLarge = R"((module
    (memory 4)
    (func (export "run")
      (memory.fill (i32.const 0) (i32.const 0xff) (i32.const 262144)))
  ))";
  constexpr std::string_view kSmall = R"((module
    (memory 1 4)
    (func (export "load") (param i32) (result i64) (i64.load (local.get 0)))
    (func (export "grow") (result i32) (memory.grow (i32.const 1)))
  ))";
  in_every_engine([&](const Engine& engine) {
    for (int i = 0; i < 3; ++i) {
      CHECK(Guest(engine, kLarge).call("run") == "");
      Guest guest(engine, kSmall);
      CHECK(guest.call("load", {0}) == "0");
      CHECK(guest.call("load", {65528}) == "0");
      CHECK(guest.call("load", {65529}) == kOutside);
      CHECK(guest.call("load", {65536}) == kOutside);
      CHECK(guest.call("grow") == "1");
      CHECK(guest.call("load", {65536}) == "0");
      CHECK(guest.call("load", {131065}) == kOutside);
    }
  });
}

TEST_CASE("tail calls with more arguments than their caller has, and many vectors as results") {
  std::string text = "(module (func $sum (param";
  for (int i = 0; i < 40; ++i) text += " i64";
  text += ") (result i64) (local.get 0)";
  // Each has its weight.
  for (int i = 1; i < 40; ++i) {
    text += "(i64.mul (local.get " + std::to_string(i) + ") (i64.const " + std::to_string(i + 1) + ")) i64.add";
  }
  text += ") (func (export \"few\") (param i64) (result i64) (local i64) (local.set 1 (i64.const 3)) (return_call $sum";
  for (int i = 0; i < 40; ++i) text += i % 2 == 0 ? " (local.get 0)" : " (local.get 1)";
  text +=
      ")) (func $back (param i64 i64) (result i64) (if (i64.eqz (local.get 1)) (then (return (local.get 0))))"
      " (return_call $turn";
  for (int i = 0; i < 40; ++i) text += i == 39 ? " (local.get 1)" : " (local.get 0)";
  text += ")) (func $turn (param";
  for (int i = 0; i < 40; ++i) text += " i64";
  text +=
      ") (result i64) (return_call $back (i64.add (local.get 0) (local.get 38)) (i64.sub (local.get 39) (i64.const "
      "1))))"
      " (func (export \"turns\") (param i64) (result i64) (return_call $back (i64.const 1) (local.get 0)))"
      " (func $vectors (param v128) (result";
  for (int i = 0; i < 33; ++i) text += " v128";
  text += ")";
  for (int i = 0; i < 33; ++i) {
    text += "(i64x2.replace_lane 0 (local.get 0) (i64.const " + std::to_string(i) + "))";
  }
  text += ") (func (export \"vectors\") (result i64) (local $sum i64) (call $vectors (i64x2.splat (i64.const 1)))";
  for (int i = 0; i < 33; ++i) {
    text += " i64x2.extract_lane 0 (i64.mul (i64.const " + std::to_string(i + 1) +
            ")) local.get $sum i64.add local.set $sum";
  }
  text += " local.get $sum) (func (export \"one of them\") (result i64) (call $vectors (i64x2.splat (i64.const 7)))";
  for (int i = 0; i < 32; ++i) text += " drop";
  text += " i64x2.extract_lane 1))";
  std::int64_t few = 0;
  std::int64_t vectors = 0;
  for (int i = 0; i < 40; ++i) few += (i % 2 == 0 ? 5 : 3) * (i + 1);
  // The last one comes first from the stack.
  for (int i = 0; i < 33; ++i) vectors += std::int64_t{32 - i} * (i + 1);
  in_every_engine([&](const Engine& engine) {
    Guest guest(engine, text);
    CHECK(guest.call("few", {std::int64_t{5}}) == std::to_string(few));
    CHECK(guest.call("turns", {std::int64_t{40}}) == std::to_string(std::int64_t{1} << 40));
    CHECK(guest.call("turns", {std::int64_t{1'000'000}}) == "0");
    CHECK(guest.call("vectors") == std::to_string(vectors));
    CHECK(guest.call("one of them") == "7");
  });
}
