// Modules as text: what it looks like, and that wabt, which knows nothing of us, makes the same bytes of it.
#include "text/print.h"

#include <bit>
#include <catch2/catch.hpp>
#include <memory>
#include <string>

#include "binary/decoder.h"
#include "support/module_builder.h"
#include "support/wat.h"
#include "text/support.h"

namespace wasi::text {
namespace {

using test::Bytes;
using test::hex;
using test::join;
using test::section;

std::shared_ptr<wasm::Module> decode(Bytes bytes) {
  auto owner = std::make_shared<const Bytes>(std::move(bytes));
  auto module = binary::decode_module({*owner, owner}, std::make_shared<wasm::TypeRegistry>());
  if (!module) FAIL(module.error().to_string());
  return *module;
}

std::string print(const Bytes& bytes, bool fold = false) {
  auto text = print_module(*decode(bytes), {.fold = fold});
  if (!text) FAIL(text.error().to_string());
  return *text;
}

std::string error_of(const Bytes& bytes) {
  const auto text = print_module(*decode(bytes));
  return text ? "printed" : text.error().to_string();
}

// A module of one function of type () -> () with this body, locals and `end` included.
Bytes with_body(const Bytes& body) {
  return test::module({section(test::kTypeSection, hex("01 60 00 00")), section(test::kFunctionSection, hex("01 00")),
                       section(test::kCodeSection, join(hex("01"), test::sized(body)))});
}

// The lines of the only function's body, from such a module.
std::string body_of(const std::string& text) {
  const std::size_t begin = text.find("(func (;0;) (type 0)");
  REQUIRE(begin != std::string::npos);
  const std::size_t line = text.find('\n', begin) + 1;
  const std::size_t end = text.rfind("  )\n)\n");
  return end == std::string::npos || end < line ? "" : text.substr(line, end - line);
}

constexpr const char* kShapes = R"((module $app
  (type $bin (func (param i32 i32) (result i32)))
  (import "env" "log" (func $log (param i32)))
  (memory $m 1 2)
  (table $t 3 funcref)
  (global $g (mut i32) (i32.const 7))
  (export "add" (func $add))
  (elem (i32.const 0) $add $log)
  (func $add (type $bin) (param $x i32) (param $y i32) (result i32) (local $z i64) (local f32 f32)
    (local.set $z (i64.const -5))
    (block $out (result i32)
      (loop $again
        (br_if $again (i32.lt_u (i32.load offset=8 (local.get $x)) (i32.const 100)))
        (if (i32.eqz (local.get $y))
          (then (call $log (i32.const 1)))
          (else (drop (f32.add (f32.const 0.1) (f32.const nan:0x200000))))))
      (i32.store8 align=1 (i32.const 0)
        (i32.add (i32.mul (i32.load offset=8 (local.get $x)) (i32.const 100))
                 (i32.mul (i32.load offset=8 align=1 (local.get $x)) (i32.const 100000000))))
      (call_indirect (type $bin) (i32.const 1) (i32.const 2) (i32.const 0))))
  (func)
  (data (i32.const 16) "hello \"world\"\00\ff\n")))";

TEST_CASE("a module as text") {
  CHECK(print(test::wat(kShapes, "--debug-names")) == R"((module $app
  (type $bin (;0;) (func (param i32 i32) (result i32)))
  (type (;1;) (func (param i32)))
  (type (;2;) (func))
  (import "env" "log" (func $log (;0;) (type 1) (param i32)))
  (table $t (;0;) 3 funcref)
  (memory $m (;0;) 1 2)
  (global $g (;0;) (mut i32) (i32.const 7))
  (export "add" (func $add))
  (elem (;0;) (i32.const 0) func $add $log)
  (func $add (;1;) (type $bin) (param $x i32) (param $y i32) (result i32)
    (local $z i64) (local f32 f32)
    (local.set $z (i64.const -5))
    block (;@1;) (result i32)
      loop (;@2;)
        (br_if 0 (;@2;) (i32.lt_u (i32.load offset=8 (local.get $x)) (i32.const 100)))
        (i32.eqz (local.get $y))
        if (;@3;)
          (call $log (i32.const 1))
        else
          (drop (f32.add (f32.const 0.1) (f32.const nan:0x200000)))
        end
      end
      i32.const 0
      (i32.mul (i32.load offset=8 (local.get $x)) (i32.const 100))
      (i32.mul (i32.load offset=8 align=1 (local.get $x)) (i32.const 100000000))
      i32.add
      i32.store8
      (call_indirect (type $bin) (i32.const 1) (i32.const 2) (i32.const 0))
    end
  )
  (func (;2;) (type 2))
  (data (;0;) (i32.const 16) "hello \"world\"\00\ff\n")
)
)");
}

TEST_CASE("all of it folded") {
  const std::string text = print(test::wat(kShapes, "--debug-names"), true);
  CHECK(text.substr(text.find("    (local.set")) == R"(    (local.set $z (i64.const -5))
    (block (;@1;) (result i32)
      (loop (;@2;)
        (br_if 0 (;@2;) (i32.lt_u (i32.load offset=8 (local.get $x)) (i32.const 100)))
        (if (;@3;) (i32.eqz (local.get $y))
          (then
            (call $log (i32.const 1))
          )
          (else
            (drop (f32.add (f32.const 0.1) (f32.const nan:0x200000)))
          )
        )
      )
      (i32.store8
        (i32.const 0)
        (i32.add
          (i32.mul (i32.load offset=8 (local.get $x)) (i32.const 100))
          (i32.mul (i32.load offset=8 align=1 (local.get $x)) (i32.const 100000000))))
      (call_indirect (type $bin) (i32.const 1) (i32.const 2) (i32.const 0))
    )
  )
  (func (;2;) (type 2))
  (data (;0;) (i32.const 16) "hello \"world\"\00\ff\n")
)
)");
}

TEST_CASE("wabt makes the same bytes of it") {
  const char* const texts[] = {
      kShapes,
      R"((module (memory i64 1) (memory $second 2) (memory 1 1 shared)
        (func (param i64) (result i32)
          (i32.load $second offset=4 (i32.const 0))
          (i64.store8 offset=16 (local.get 0) (i64.const 5))
          (memory.copy 1 0 (i32.const 0) (i64.const 1) (i32.const 2))
          (drop (i32.atomic.rmw8.cmpxchg_u 2 offset=1 (i32.const 0) (i32.const 1) (i32.const 2)))
          (memory.init 1 $bytes (i32.const 0) (i32.const 0) (i32.const 0)) (data.drop $bytes) (atomic.fence))
        (data $bytes "x") (data (memory 1) (i32.const 0) "") (data (i64.const 0) "a" "b")))",
      R"((module (func (param v128) (result v128)
          (i8x16.shuffle 0 1 2 3 4 5 6 7 31 30 29 28 27 26 25 24 (local.get 0)
            (v128.load8_lane offset=3 15 (i32.const 1) (v128.const f32x4 1 nan 0 -inf)))
          (drop (i16x8.extract_lane_u 7 (local.get 0))))
        (memory 1)))",
      R"((module (tag $e (param i32 i64)) (tag (param))
        (func $thrower (result i32 i64)
          (try (result i32 i64)
            (do (throw $e (i32.const 1) (i64.const 2)))
            (catch $e)
            (catch_all (rethrow 0)))
          (block (try (do (call $thrower) (drop) (drop)) (delegate 0)))
          (try (do)) (try (do nop) (catch 1 nop)))))",
      R"((module (table $a 1 funcref) (table $b 2 externref) (type $f (func (param i32) (result i64 i64)))
        (func $f (type $f) (unreachable))
        (func (result i64)
          (table.copy $a $a (i32.const 0) (i32.const 1) (i32.const 2)) (table.init $a $e (i32.const 0) (i32.const 1) (i32.const 2))
          (elem.drop $e) (drop (table.get $b (i32.const 0))) (table.set $b (i32.const 0) (ref.null extern))
          (drop (ref.is_null (select (result funcref) (ref.func $f) (ref.null func) (i32.const 1))))
          (return (i64.add (call $f (i32.const 1)))))
        (func (return_call $f (i32.const 0)))
        (func (result i64 i64) (return_call_indirect $a (type $f) (i32.const 4) (i32.const 0)))
        (elem $e func $f $f) (elem declare func $f) (elem (table $b) (i32.const 0) externref (item (ref.null extern)))
        (elem (i32.const 0) funcref (item (ref.func $f)) (ref.null func))
        (start $s) (func $s)))",
      R"((module (func (param i32) (result i32)
          local.get 0 nop i32.const 1 i32.add
          block (param i32) (result i32) i32.const 3 i32.sub end
          loop (param i32) end
          i32.const 0 if i32.const 5 local.get 0 br_table 0 1 0 else end
          local.get 0 local.get 0 if (param i32) (result i32 i32) i32.const 1 else i32.const 2 end i32.mul drop)))"};
  for (const char* text : texts) {
    const Bytes binary = test::wat(text, "--no-check --debug-names");
    for (const bool fold : {false, true}) {
      const std::string printed = print(binary, fold);
      INFO(printed);
      // Tags' names have another number in wabt, so a module with tags is compared without names.
      const bool has_tags = printed.find("(tag") != std::string::npos;
      const std::string flags = has_tags ? "--no-check" : "--no-check --debug-names";
      CHECK(test::wat(printed, flags) == (has_tags ? test::wat(text, "--no-check") : binary));
    }
  }
}

TEST_CASE("numbers read back as they were") {
  std::string functions;
  for (const std::uint64_t bits :
       {0x0ULL, 0x8000000000000000ULL, 0x1ULL, 0x3FF0000000000000ULL, 0x7FEFFFFFFFFFFFFFULL, 0x000FFFFFFFFFFFFFULL,
        0x7FF0000000000000ULL, 0xFFF0000000000000ULL, 0x7FF8000000000000ULL, 0xFFF8000000000000ULL,
        0x7FF0000000000001ULL, 0xFFFFFFFFFFFFFFFFULL, 0x3FB999999999999AULL, 0x4340000000000001ULL,
        0x0123456789ABCDEFULL}) {
    Bytes wide = hex("00 44");
    for (int i = 0; i < 8; ++i) wide.push_back(static_cast<std::uint8_t>(bits >> 8 * i));
    Bytes narrow = hex("43");
    for (int i = 4; i < 8; ++i) narrow.push_back(static_cast<std::uint8_t>(bits >> 8 * i));
    const Bytes binary = with_body(join(wide, hex("1a"), narrow, hex("1a 0b")));
    CHECK(test::wat(print(binary)) == binary);
  }
  for (const std::int64_t value : {INT64_MIN, std::int64_t{-1}, std::int64_t{0}, INT64_MAX}) {
    const Bytes binary = with_body(join(hex("00 42"), test::signed_leb(value), hex("1a 0b")));
    CHECK(test::wat(print(binary)) == binary);
  }
}

TEST_CASE("types keep their own numbers, groups and forms") {
  // Types 0 and 1 are equal; 2 and 3 form a group; 4 is a group of its own, said so; 5 and 6 are sub types.
  const Bytes binary =
      test::module({section(test::kTypeSection,
                            hex("06 60 00 00 60 00 00 4e 02 5f 02 63 03 01 78 00 5e 77 01 4e 01 60 01 64 02 01 63 6e"
                                "50 00 5f 00 4f 01 05 5f 01 7e 00")),
                    section(test::kFunctionSection, hex("02 01 04")),
                    section(test::kCodeSection, hex("02 05 01 01 63 01 0b 04 01 01 6b 0b"))});
  CHECK(print(binary) == R"((module
  (type (;0;) (func))
  (type (;1;) (func))
  (rec
    (type (;2;) (struct (field (mut (ref null 3))) (field i8)))
    (type (;3;) (array (mut i16)))
  )
  (rec
    (type (;4;) (func (param (ref 2)) (result (ref null any))))
  )
  (type (;5;) (sub (struct)))
  (type (;6;) (sub final 5 (struct (field i64))))
  (func (;0;) (type 1)
    (local (ref null 1)))
  (func (;1;) (type 4) (param (ref 2)) (result (ref null any))
    (local structref))
)
)");
}

TEST_CASE("page sizes that wabt does not know") {
  const auto memory = [](std::string_view type) {
    const std::string text = print(test::module({section(test::kMemorySection, hex(type))}));
    return text.substr(text.find("  (memory"));
  };
  CHECK(memory("01 08 03 00") == "  (memory (;0;) 3 (pagesize 1))\n)\n");
  CHECK(memory("01 0b 03 05 10") == "  (memory (;0;) 3 5 shared (pagesize 65536))\n)\n");
  CHECK(memory("01 0c 03 3f") == "  (memory (;0;) i64 3 (pagesize 9223372036854775808))\n)\n");
}

TEST_CASE("instructions that wabt does not know") {
  const auto body = [](std::string_view code, bool fold = false) {
    return body_of(print(with_body(join(hex("00"), hex(code), hex("0b"))), fold));
  };
  // ref.null any; ref.cast (ref null i31), ref.test (ref 0), br_on_cast 0 from anyref to (ref eq)
  CHECK(body("d0 6e fb 17 6c 1a") == "    (drop (ref.cast (ref null i31) (ref.null any)))\n");
  CHECK(body("d0 00 fb 14 00 1a") == "    (drop (ref.test (ref 0) (ref.null 0)))\n");
  CHECK(body("fb 18 01 00 6e 6d") == "    br_on_cast 0 (;@0;) (ref null any) (ref eq)\n");
  CHECK(body("41 01 41 02 fb 08 07 02 1a") == "    (drop (array.new_fixed 7 2 (i32.const 1) (i32.const 2)))\n");
  CHECK(body("1f 40 02 00 03 00 02 01 0b") == "    try_table (;@1;) (catch 3 0 (;@0;)) (catch_all 1)\n    end\n");
  // Two results: one line as a stack has them, and operands of what takes both.
  CHECK(body("42 01 42 02 fc 16 42 03 42 04 fc 13 1a 1a") ==
        "    (i64.add128 (i64.mul_wide_u (i64.const 1) (i64.const 2)) (i64.const 3) (i64.const 4))\n    drop\n    "
        "drop\n");
  // In a line of its own where it holds more than one instruction.
  CHECK(body("02 40 01 0b 02 40 01 01 0b", true) ==
        "    (block (;@1;) (nop))\n    (block (;@1;)\n      (nop)\n      (nop)\n    )\n");
  CHECK(body("1f 7f 00 41 05 0b 1a", true) == "    (drop (try_table (;@1;) (result i32) (i32.const 5)))\n");
  CHECK(body("14 00 fb 02 05 03 fb 11 01 02 fb 09 01 02") ==
        "    call_ref 0\n    struct.get 5 3\n    array.copy 1 2\n    array.new_data 1 2\n");
  // Indices of nothing are printed all the same.
  CHECK(body("20 63 10 ff 7f 0c 09 02 e3 00 0b") ==
        "    local.get 99\n    call 16383\n    br 9\n    block (;@1;) (type 99)\n    end\n");
}

TEST_CASE("names that must not be mistaken for one another") {
  const auto entry = [](std::uint32_t index, std::string_view name) {
    return join(test::leb(index), test::name(name));
  };
  const auto subsection = [](std::uint8_t id, const Bytes& payload) { return join(Bytes{id}, test::sized(payload)); };
  const Bytes binary = test::module(
      {section(test::kTypeSection, hex("01 60 00 00")), section(test::kFunctionSection, hex("06 00 00 00 00 00 00")),
       section(test::kCodeSection,
               join(hex("06"), test::sized(hex("00 10 00 10 01 10 02 10 03 10 04 10 05 0b")), test::sized(hex("00 0b")),
                    test::sized(hex("00 0b")), test::sized(hex("00 0b")), test::sized(hex("00 0b")),
                    // Three blocks inside of each other; the outer two have one name.
                    test::sized(hex("00 02 40 02 40 02 40 0c 00 0c 01 0c 02 0b 0c 01 0b 0c 00 0b 0b")))),
       section(test::kCustomSection,
               join(test::name("name"),
                    subsection(1, test::vec({entry(0, "f"), entry(1, "f"), entry(2, "f#1"),
                                             entry(3, "a b\n\xE2\x80\xAE"), entry(4, "")})),
                    subsection(
                        3, test::vec({join(hex("05"), test::vec({entry(0, "l"), entry(1, "l"), entry(2, "m")}))}))))});
  const std::string text = print(binary);
  CHECK(text.substr(text.find("  (func")) == R"(  (func $f (;0;) (type 0)
    call $f
    call $f#1#
    call $f#1
    call $"a b\n\u{202e}"
    call 4
    call 5
  )
  (func $f#1# (@name "f") (;1;) (type 0))
  (func $f#1 (;2;) (type 0))
  (func $"a b\n\u{202e}" (;3;) (type 0))
  (func (@name "") (;4;) (type 0))
  (func (;5;) (type 0)
    block $l
      block $l
        block $m
          br $m
          br $l
          br 2 (;@1;)
        end
        br 1 (;@1;)
      end
      br $l
    end
  )
)
)");
}

// What the text says, printed; the print says the same.
std::string printed_again(std::string_view text) {
  const Bytes binary = test::encode(text);
  const std::string result = print(binary);
  CHECK(test::encode(result) == binary);
  return result;
}

TEST_CASE("annotations name parameters, locals and fields that have no identifier") {
  const std::string text = printed_again(R"((module
    (type (struct (field (@name "x") i32) (field i8) (field $y (@name "other") (mut i64)) (field (@name "") f32)))
    (type $f (func (param (@name "unused") i32) (param $unused (@name "too") i64)))
    (import "m" "n" (func (param (@name "imported") i32)))
    (tag (param (@name "unused") i32))
    (func (param (@name "first") i32) (param i32 i32) (param $p (@name "first") i64)
      (local (@name "a local") f32) (local f64) (local (@name "") f32)
      (drop (local.get 0)) (drop (local.get $p)))))");
  CHECK_THAT(text, Catch::Contains(R"((field $x i32) (field i8) (field $other (mut i64)) (field (@name "") f32))"));
  CHECK_THAT(text, Catch::Contains(R"((import "m" "n" (func (;0;) (type 2) (param $imported i32))))"));
  CHECK_THAT(text, Catch::Contains(R"((param $first i32) (param i32 i32) (param $first#3 (@name "first") i64))"));
  CHECK_THAT(text, Catch::Contains(R"((local $"a local" f32) (local f64) (local (@name "") f32))"));
  CHECK_THAT(text, !Catch::Contains("unused"));
}

TEST_CASE("empty names are kept everywhere") {
  const std::string text = printed_again(R"((module
    (type (@name "") (func)) (table (@name "") 1 funcref) (memory (@name "") 1) (tag (@name "") (type 0))
    (global (@name "") i32 (i32.const 0)) (func (@name "") (type 0) call 0) (elem (@name "") func 0) (data (@name "") "x")))");
  std::size_t count = 0;
  for (std::size_t at = text.find("(@name \"\")"); at != std::string::npos; at = text.find("(@name \"\")", at + 1))
    ++count;
  CHECK(count == 8);
}

TEST_CASE("an annotation that names nothing is refused") {
  for (const char* text : {
           R"((func (param i32 (@name "x") i32)))",  // the second of a list
           R"((func (param (@name "x") i32 i32)))",  // two at once
           R"((func (param (@name "x"))))",          // none
           R"((func (local (@name "x") i32 i32)))",  //
           R"((type (struct (field (@name "x") i32 i32))))",
           R"((func (param (@name "x") $x i32)))",  // in front of the identifier
           R"((func (param (@name "x") (@name "y") i32)))",
           R"((func (param (@name x) i32)))",
           R"((func (param (@name "x" "y") i32)))",
           R"((func (result (@name "x") i32) unreachable))",
           R"((func i32.const 0 (block (param (@name "x") i32) drop)))",
           R"((type (array (@name "x") i32)))",
           R"((func (param (@custom "x") i32)))",
           R"((func (local (@metadata.code.branch_hint "\00") i32)))",
       }) {
    INFO(text);
    CHECK(test::encode_error(text).kind == ErrorKind::malformed);
  }
}

TEST_CASE("a name of megabytes stands once") {
  const std::string name(1 << 20, 'x');
  Bytes body = hex("00");
  for (int i = 0; i < 1000; ++i) body = join(body, hex("10 00"));
  const Bytes module =
      join(with_body(join(body, hex("0b"))),
           section(test::kCustomSection,
                   join(test::name("name"), hex("01"), test::sized(test::vec({join(hex("00"), test::name(name))})))));
  CHECK(print(module).size() < 2 * name.size());
}

TEST_CASE("custom sections keep their places") {
  const Bytes binary = test::module(
      {section(test::kCustomSection, join(test::name("first"), hex("00 ff 22"))),
       section(test::kTypeSection, hex("01 60 00 00")), section(test::kCustomSection, test::name("a\"b")),
       section(test::kFunctionSection, hex("01 00")), section(test::kDataCountSection, hex("00")),
       section(test::kCustomSection, test::name("counted")), section(test::kCodeSection, hex("01 02 00 0b")),
       section(test::kCustomSection, join(test::name("last"), Bytes(200, 'x')))});
  const std::string text = print(binary);
  CHECK(text.find("  (@custom \"first\" (before first) \"\\00\\ff\\\"\")\n") != std::string::npos);
  CHECK(text.find("  (@custom \"a\\\"b\" (after type) \"\")\n") != std::string::npos);
  CHECK(text.find("  (@custom \"counted\" (before code) \"\")\n") != std::string::npos);
  CHECK(text.find("  (@custom \"last\" (after code)\n    \"xxx") != std::string::npos);
}

TEST_CASE("branch hints stand beside their branches") {
  const auto with_hints = [](const Bytes& payload) {
    return test::module({section(test::kTypeSection, hex("01 60 00 00")), section(test::kFunctionSection, hex("01 00")),
                         section(test::kCustomSection, join(test::name("metadata.code.branch_hint"), payload)),
                         // if (i32.const 1) br_if 0 (i32.const 2) end
                         section(test::kCodeSection, hex("01 0b 00 41 01 04 40 41 02 0d 00 0b 0b"))});
  };
  const Bytes hints = with_hints(hex("01 00 02 03 01 01 07 01 00"));
  CHECK(body_of(print(hints)) == R"(    i32.const 1
    (@metadata.code.branch_hint "\01") if (;@1;)
      (@metadata.code.branch_hint "\00") (br_if 0 (;@1;) (i32.const 2))
    end
)");
  CHECK(body_of(print(hints, true)) == R"(    (@metadata.code.branch_hint "\01") (if (;@1;) (i32.const 1)
      (then
        (@metadata.code.branch_hint "\00") (br_if 0 (;@1;) (i32.const 2))
      )
    )
)");
  CHECK(print(hints).find("@custom") == std::string::npos);
  // At another instruction, with another value, in a longer spelling, out of order: the section stays as it is.
  for (const char* payload :
       {"01 00 01 01 01 01", "01 00 01 03 01 02", "01 00 01 83 00 01 01", "01 00 02 07 01 00 03 01 01",
        "01 01 01 03 01 01", "01 00 01 03 02 01 01", "01 00 01 03 01 01 00", "05"}) {
    const std::string text = print(with_hints(hex(payload)));
    CHECK(text.find("(@custom \"metadata.code.branch_hint\" (after func) \"") != std::string::npos);
    CHECK(text.find("(@metadata") == std::string::npos);
  }
}

TEST_CASE("name sections at unusual places stay sections") {
  const Bytes names = section(test::kCustomSection, join(test::name("name"), hex("00 02 01 6d")));
  const Bytes types = section(test::kTypeSection, hex("01 60 00 00"));
  const Bytes other = section(test::kCustomSection, test::name("other"));
  CHECK(print(test::module({types, names, other})) ==
        "(module $m\n  (type (;0;) (func))\n  (@custom \"other\" (after last) \"\")\n)\n");
  CHECK(print(test::module({names, types})) ==
        "(module\n  (@custom \"name\" (before first) \"\\00\\02\\01m\")\n  (type (;0;) (func))\n)\n");
  CHECK(print(test::module({names, names})).find("(module\n") == 0);
}

TEST_CASE("bodies that cannot be printed") {
  CHECK(error_of(with_body(hex("00 06 0b"))).find("unexpected end of section or function") != std::string::npos);
  CHECK(error_of(with_body(hex("00 ff 0b"))) == "malformed module at offset 0x17: illegal opcode ff (in function 0)");
  CHECK(error_of(with_body(hex("00 05 0b"))).find("unexpected else") != std::string::npos);
  CHECK(error_of(with_body(hex("00 02 40 19 0b 0b"))).find("unexpected catch_all") != std::string::npos);
  CHECK(error_of(with_body(hex("00 02 40 18 00 0b"))).find("unexpected delegate") != std::string::npos);
  CHECK(error_of(with_body(hex("00 0b 01"))).find("1 bytes follow the body's last end") != std::string::npos);
  CHECK(error_of(with_body(hex("01 d1 86 03 7f 0b"))).find("too many locals: 50001") != std::string::npos);
}

TEST_CASE("nesting as deep as the input is long") {
  constexpr int kDepth = 200000;
  Bytes blocks = hex("00");
  for (int i = 0; i < kDepth; ++i) blocks.insert(blocks.end(), {0x02, 0x40});
  blocks.insert(blocks.end(), kDepth + 1, 0x0B);
  Bytes operands = hex("00 41 00");
  operands.insert(operands.end(), kDepth, 0x45);  // i32.eqz
  operands = join(operands, hex("1a 0b"));
  for (const bool fold : {false, true}) {
    CHECK(print(with_body(blocks), fold).size() < std::size_t{kDepth} * 400);
    CHECK(print(with_body(operands), fold).size() < std::size_t{kDepth} * 200);
  }
}

TEST_CASE("a sink that wants no more") {
  const auto module = decode(test::wat(kShapes));
  int calls = 0;
  CHECK(print_module(*module, {}, [&](std::string_view) { return ++calls > 100; }));
  CHECK(calls == 1);
}

}  // namespace
}  // namespace wasi::text
