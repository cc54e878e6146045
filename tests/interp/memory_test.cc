// Memories and tables with 64-bit addresses: accesses that wrap, reach beyond 4 GiB, and mix with 32-bit ones.
#include <catch2/catch.hpp>

#include "machine.h"
#include "support/module_builder.h"
#include "text/text.h"

namespace wasi::interp::test {
namespace {

constexpr std::string_view kWide = R"((module
  (memory $wide i64 65538)
  (memory $narrow 1)
  (memory $other i64 1)
  (data $bytes "\01\02\03\04\05\06\07\08")
  (func (export "load") (param i64) (result i32) (i32.load (local.get 0)))
  (func (export "load_next") (param i64) (result i32) (i32.load offset=4 (i64.add (local.get 0) (i64.const 0))))
  (func (export "load_constant") (result i64) (i64.load (i64.const 0x1_0000_0010)))
  (func (export "store") (param i64 i32) (i32.store (local.get 0) (local.get 1)))
  (func (export "store_next") (param i64 i32) (i32.store offset=4 (i64.add (local.get 0) (i64.const 0)) (local.get 1)))
  (func (export "store_sum") (param i64 i32) (i32.store (local.get 0) (i32.add (local.get 1) (i32.const 1))))
  (func (export "store_7") (param i64) (i32.store (local.get 0) (i32.const 7)))
  (func (export "store_8") (param i64) (i32.store (i64.add (local.get 0) (i64.const 0)) (i32.const 8)))
  (func (export "store_other") (param i64 f64) (f64.store $other offset=8 (local.get 0) (local.get 1)))
  (func (export "load_other") (param i64) (result f64) (f64.load $other offset=8 (local.get 0)))
  (func (export "size") (result i64) (memory.size $wide))
  (func (export "grow") (param i64) (result i64) (memory.grow $other (local.get 0)))
  (func (export "fill") (param i64 i32 i64) (memory.fill $wide (local.get 0) (local.get 1) (local.get 2)))
  (func (export "copy") (param i64 i64 i64) (memory.copy $wide $wide (local.get 0) (local.get 1) (local.get 2)))
  (func (export "to_narrow") (param i32 i64 i32)
    (memory.copy $narrow $wide (local.get 0) (local.get 1) (local.get 2)))
  (func (export "to_wide") (param i64 i32 i32)
    (memory.copy $wide $narrow (local.get 0) (local.get 1) (local.get 2)))
  (func (export "init") (param i64 i32 i32)
    (memory.init $wide $bytes (local.get 0) (local.get 1) (local.get 2)))
))";

constexpr std::uint64_t kSize = 65538 * 65536ULL;
constexpr std::string_view kOutside = "out of bounds memory access";

std::string trap_of(Machine& machine, std::string_view function, const Values& arguments) {
  const auto result = machine.call(function, arguments);
  return result ? "no trap" : result.error().message;
}

TEST_CASE("accesses to 64-bit memories reach beyond 4 GiB and never wrap", "[memory64]") {
  for (const Mode mode : kModes) {
    INFO(describe(mode));
    Machine machine(mode);
    machine.instantiate(kWide);
    REQUIRE(machine.call("store", {kSize - 4, 0x11223344}));
    CHECK(machine.value("load", {kSize - 4}) == 0x11223344);
    CHECK(machine.value("load_next", {kSize - 8}) == 0x11223344);
    CHECK(machine.value("load", {kSize - 4 - (1ULL << 32)}) == 0);
    REQUIRE(machine.call("store_next", {16, 5}));
    CHECK(machine.value("load", {20}) == 5);
    REQUIRE(machine.call("store_sum", {16, 5}));
    CHECK(machine.value("load", {16}) == 6);
    REQUIRE(machine.call("store_7", {16}));
    CHECK(machine.value("load", {16}) == 7);
    REQUIRE(machine.call("store_8", {16}));
    CHECK(machine.value("load", {16}) == 8);
    REQUIRE(machine.call("store", {(1ULL << 32) + 16, 0x05060708}));
    CHECK(machine.value("load_constant") == 0x05060708);
    REQUIRE(machine.call("store_other", {16, 0x3FF0000000000000}));
    CHECK(machine.value("load_other", {16}) == 0x3FF0000000000000);

    for (const std::uint64_t index : {kSize - 3, kSize, std::uint64_t{1} << 63, UINT64_MAX - 3, UINT64_MAX}) {
      INFO(index);
      CHECK(trap_of(machine, "load", {index}) == kOutside);
      CHECK(trap_of(machine, "load_next", {index}) == kOutside);
      CHECK(trap_of(machine, "load_other", {index}) == kOutside);
      CHECK(trap_of(machine, "store", {index, 1}) == kOutside);
      CHECK(trap_of(machine, "store_7", {index}) == kOutside);
      CHECK(trap_of(machine, "store_other", {index, 1}) == kOutside);
    }
  }
}

// Offsets of more than 32 bits, which wat2wasm does not write:
//   (memory i64 65538)
//   (func (export "load") (param i64) (result i32) (i32.load offset=0x1_0000_0000 (local.get 0)))
//   (func (export "store") (param i64 i32) (i32.store offset=0x1_0000_0000 (local.get 0) (local.get 1)))
//   (func (export "last") (param i64) (result i32) (i32.load8_u offset=0xffff_ffff_ffff_ffff (local.get 0)))
std::vector<std::uint8_t> far_module() {
  using namespace wasi::test;  // NOLINT(google-build-using-namespace): the words of the module
  const auto exported = [](std::string_view export_name, const char* index) {
    return join(name(export_name), hex("00"), hex(index));
  };
  return module({
      section(kTypeSection, vec({hex("60 01 7e 01 7f"), hex("60 02 7e 7f 00")})),
      section(kFunctionSection, vec({hex("00"), hex("01"), hex("00")})),
      section(kMemorySection, vec({join(hex("04"), leb(65538))})),
      section(kExportSection, vec({exported("load", "00"), exported("store", "01"), exported("last", "02")})),
      section(kCodeSection, vec({sized(join(hex("00 20 00 28 02"), leb(1ULL << 32), hex("0b"))),
                                 sized(join(hex("00 20 00 20 01 36 02"), leb(1ULL << 32), hex("0b"))),
                                 sized(join(hex("00 20 00 2d 00"), leb(UINT64_MAX), hex("0b")))})),
  });
}

TEST_CASE("an access that traps behind a loop is found where it stands", "[trap]") {
  constexpr std::string_view kLoop = R"((module
    (memory 1)
    (func (export "access") (param i32) (result v128)
      (local $i i64)
      (loop $again
        (br_if $again (i64.ne (local.tee $i (i64.add (local.get $i) (i64.const 1))) (i64.const 2))))
      (v128.load64_splat (local.get 0)))
  ))";
  for (const Mode mode : kModes) {
    INFO(describe(mode));
    Machine machine(mode);
    machine.instantiate(kLoop);
    CHECK(machine.call("access", {65528}));
    CHECK(machine.trap("access", {65529}) == "out of bounds memory access @ 0x3d");
  }
}

TEST_CASE("offsets have 64 bits, and sums with them do not wrap", "[memory64]") {
  for (const Mode mode : kModes) {
    INFO(describe(mode));
    Machine machine(mode);
    machine.instantiate(far_module());
    REQUIRE(machine.call("store", {16, 0x01020304}));
    CHECK(machine.value("load", {16}) == 0x01020304);
    CHECK(machine.value("load", {2 * 65536 - 4}) == 0);
    for (const std::uint64_t index : {std::uint64_t{2 * 65536 - 3}, UINT64_MAX - UINT32_MAX, UINT64_MAX}) {
      CHECK(trap_of(machine, "load", {index}) == kOutside);
      CHECK(trap_of(machine, "store", {index, 1}) == kOutside);
    }
    CHECK(trap_of(machine, "last", {0}) == kOutside);
    CHECK(trap_of(machine, "last", {1}) == kOutside);
  }
}

TEST_CASE("bulk instructions take 64-bit operands, and 32-bit counts between both kinds of memory", "[memory64]") {
  Machine machine;
  machine.instantiate(kWide);
  CHECK(machine.value("size") == 65538);
  REQUIRE(machine.call("fill", {kSize - 8, 9, 8}));
  CHECK(machine.value("load", {kSize - 4}) == 0x09090909);
  CHECK(trap_of(machine, "fill", {kSize - 8, 9, 9}) == kOutside);
  CHECK(trap_of(machine, "fill", {8, 9, UINT64_MAX}) == kOutside);
  CHECK(trap_of(machine, "fill", {8, 9, kSize}) == kOutside);
  REQUIRE(machine.call("copy", {(1ULL << 32) + 8, kSize - 8, 8}));
  CHECK(machine.value("load", {(1ULL << 32) + 12}) == 0x09090909);
  CHECK(trap_of(machine, "copy", {UINT64_MAX, 0, 2}) == kOutside);
  CHECK(trap_of(machine, "copy", {0, UINT64_MAX, 2}) == kOutside);
  REQUIRE(machine.call("init", {kSize - 8, 0, 8}));
  CHECK(machine.value("load", {kSize - 8}) == 0x04030201);
  CHECK(trap_of(machine, "init", {kSize - 7, 0, 8}) == kOutside);
  CHECK(trap_of(machine, "init", {0, 1, 8}) == kOutside);

  REQUIRE(machine.call("to_narrow", {65532, kSize - 8, 4}));
  REQUIRE(machine.call("to_wide", {(1ULL << 32) + 64, 65532, 4}));
  CHECK(machine.value("load", {(1ULL << 32) + 64}) == 0x04030201);
  CHECK(trap_of(machine, "to_narrow", {65533, kSize - 8, 4}) == kOutside);
  CHECK(trap_of(machine, "to_wide", {kSize - 3, 0, 4}) == kOutside);
  CHECK(trap_of(machine, "to_wide", {1ULL << 63, 0, 1}) == kOutside);
}

TEST_CASE("a 64-bit memory grows as far as it may", "[memory64]") {
  Machine machine({}, {.memory_bytes = kSize + 10 * 65536});
  machine.instantiate(kWide);
  CHECK(machine.value("grow", {0}) == 1);
  CHECK(machine.value("grow", {2}) == 1);
  CHECK(machine.value("grow", {0}) == 3);
  REQUIRE(machine.call("store_other", {3 * 65536 - 16, 4}));
  CHECK(machine.value("load_other", {3 * 65536 - 16}) == 4);
  CHECK(machine.value("grow", {100}) == UINT64_MAX);
  CHECK(machine.value("grow", {1ULL << 48}) == UINT64_MAX);
  CHECK(machine.value("grow", {UINT64_MAX}) == UINT64_MAX);
  CHECK(machine.value("grow", {0}) == 3);
}

TEST_CASE("tables with 64-bit addresses take whole indices", "[memory64]") {
  for (const Mode mode : kModes) {
    INFO(describe(mode));
    Machine machine(mode);
    // wat2wasm has no tables with 64-bit addresses.
    machine.instantiate(*text::encode_module(R"((module
      (type $number (func (result i32)))
      (table $wide i64 4 funcref)
      (table $narrow 4 funcref)
      (func $seven (result i32) (i32.const 7))
      (func $eight (result i32) (i32.const 8))
      (elem (table $wide) (i64.const 1) func $seven $eight)
      (elem $passive func $eight $seven)
      (func (export "call") (param i64) (result i32) (call_indirect $wide (type $number) (local.get 0)))
      (func (export "tail") (param i64) (result i32) (return_call_indirect $wide (type $number) (local.get 0)))
      (func (export "is_null") (param i64) (result i32) (ref.is_null (table.get $wide (local.get 0))))
      (func (export "clear") (param i64) (table.set $wide (local.get 0) (ref.null func)))
      (func (export "size") (result i64) (table.size $wide))
      (func (export "grow") (param i64) (result i64) (table.grow $wide (ref.func $seven) (local.get 0)))
      (func (export "fill") (param i64 i64) (table.fill $wide (local.get 0) (ref.func $eight) (local.get 1)))
      (func (export "init") (param i64 i32 i32)
        (table.init $wide $passive (local.get 0) (local.get 1) (local.get 2)))
      (func (export "to_narrow") (param i32 i64 i32)
        (table.copy $narrow $wide (local.get 0) (local.get 1) (local.get 2)))
      (func (export "to_wide") (param i64 i32 i32)
        (table.copy $wide $narrow (local.get 0) (local.get 1) (local.get 2)))
    ))"));
    CHECK(machine.value("call", {1}) == 7);
    CHECK(machine.value("tail", {2}) == 8);
    constexpr std::uint64_t kHigh = std::uint64_t{1} << 32;
    for (const char* function : {"call", "tail"}) {
      CHECK(trap_of(machine, function, {0}) == "uninitialized element 0");
      CHECK(trap_of(machine, function, {4}) == "undefined element 4");
      CHECK(trap_of(machine, function, {kHigh + 1}) == "undefined element 4294967297");
      CHECK(trap_of(machine, function, {UINT64_MAX}) == "undefined element 18446744073709551615");
    }
    CHECK(machine.value("is_null", {0}) == 1);
    CHECK(machine.value("is_null", {1}) == 0);
    CHECK(trap_of(machine, "is_null", {kHigh}) == "out of bounds table access");
    CHECK(trap_of(machine, "clear", {kHigh + 1}) == "out of bounds table access");
    CHECK(machine.value("size") == 4);
    CHECK(machine.value("grow", {2}) == 4);
    CHECK(machine.value("grow", {UINT64_MAX}) == UINT64_MAX);
    CHECK(machine.value("grow", {kHigh}) == UINT64_MAX);
    CHECK(machine.value("call", {5}) == 7);
    REQUIRE(machine.call("fill", {4, 2}));
    CHECK(machine.value("call", {5}) == 8);
    CHECK(trap_of(machine, "fill", {5, UINT64_MAX}) == "out of bounds table access");
    CHECK(trap_of(machine, "fill", {kHigh, 1}) == "out of bounds table access");
    REQUIRE(machine.call("init", {4, 1, 1}));
    CHECK(machine.value("call", {4}) == 7);
    CHECK(trap_of(machine, "init", {kHigh + 4, 1, 1}) == "out of bounds table access");
    REQUIRE(machine.call("to_narrow", {0, 4, 2}));
    REQUIRE(machine.call("to_wide", {0, 1, 1}));
    CHECK(machine.value("call", {0}) == 8);
    CHECK(trap_of(machine, "to_narrow", {0, kHigh, 1}) == "out of bounds table access");
  }
}

TEST_CASE("accesses to a 64-bit memory have instructions of their own", "[memory64][translator]") {
  CHECK(code_of(R"((module (memory i64 1)
    (func (param i64 i32) (i32.store offset=8 (local.get 0) (i32.load8_u (local.get 0))))))") ==
        "0: i32_load8_u_s_wide s3 s0 +0\n"
        "12: i32_store_sa_wide s0 +8\n"
        "22: return_none\n");
}

}  // namespace
}  // namespace wasi::interp::test
