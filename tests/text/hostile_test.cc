// Texts that are large in one direction: they work or fail with a message, and take time and memory in proportion.
#include "support.h"
#include "support/sanitizers.h"

using namespace wasi;
using test::check;
using test::encode;
using test::encode_error;

namespace {

std::string repeat(std::string_view text, std::size_t count) {
  std::string result;
  result.reserve(text.size() * count);
  for (std::size_t i = 0; i < count; ++i) result += text;
  return result;
}

// A tenth of what the tests' names say where everything takes ten times as long: still deeper than any stack.
#if defined(WASI_TEST_SANITIZER)
constexpr std::size_t kMany = 100'000;
#else
constexpr std::size_t kMany = 1'000'000;
#endif

}  // namespace

TEST_CASE("a million nested blocks and operands") {
  CHECK(encode("(module (func " + repeat("(block ", kMany) + repeat(")", kMany) + "))").size() > 3 * kMany);
  CHECK(encode("(module (func " + repeat("block $l ", kMany) + repeat("end $l ", kMany) + "))").size() > 3 * kMany);
  const auto operands =
      encode("(func (result i32) " + repeat("(i32.eqz ", kMany) + "(i32.const 0)" + repeat(")", kMany) + ")");
  CHECK(check(operands));
  CHECK(encode("(func " + repeat("(if (i32.const 0) (then ", kMany) + repeat("))", kMany) + ")").size() > 5 * kMany);
  CHECK(encode("(func " + repeat("(if (block (result i32) ", kMany / 2) + "(i32.const 1)" +
               repeat(") (then))", kMany / 2) + ")")
            .size() > 3 * kMany);
}

TEST_CASE("a million parentheses that mean nothing") {
  CHECK(encode_error(repeat("(", kMany)).message.starts_with("unexpected token"));
  CHECK(encode_error("(module " + repeat("(func ", kMany)).message.starts_with("unexpected token"));
  CHECK(encode_error(repeat("(module ", kMany) + repeat(")", kMany)).message.starts_with("unexpected token"));
  CHECK(encode_error(repeat(")", kMany)).message.starts_with("unexpected token"));
  CHECK(encode_error("(func " + repeat("(param ", kMany)).message.starts_with("unexpected token"));
  CHECK(encode_error(repeat("(type (func (param (ref ", kMany)).message.starts_with("unexpected token"));
}

TEST_CASE("nested comments and annotations") {
  CHECK(check(encode(repeat("(;", kMany) + repeat(";)", kMany))));
  CHECK(encode_error(repeat("(;", kMany)).message.starts_with("unclosed comment"));
  CHECK(check(encode(repeat("(@a ", kMany) + repeat(")", kMany))));
  CHECK(encode_error(repeat("(@a ", kMany)).message.starts_with("unclosed annotation"));
  CHECK(check(encode(repeat("(@a)", kMany))));
  CHECK(encode_error("(func " + repeat("(@custom \"x\")", kMany) + ")").message.starts_with("misplaced @custom"));
}

TEST_CASE("identifiers, strings and numbers of 10 MB") {
  const std::string id(10 * kMany, 'x');
  CHECK(check(encode("(func $" + id + ") (export \"f\" (func $" + id + "))")));
  const Error unknown = encode_error("(func (call $" + id + "))");
  CHECK(unknown.message.size() < 200);
  CHECK(unknown.to_string().size() < 1000);
  CHECK(encode_error(id).message.size() < 200);
  CHECK(check(encode("(memory (data \"" + id + "\"))")));
  CHECK(
      check(encode("(func (drop (f64.const 1" + repeat("0", 10 * kMany) + "e-" + std::to_string(10 * kMany) + ")))")));
  CHECK(check(encode("(func (drop (f64.const 0x1." + repeat("0", 10 * kMany) + ")))")));
  CHECK(encode_error("(func (drop (i32.const 1" + repeat("0", 10 * kMany) + ")))").message.starts_with("constant out"));
  CHECK(encode_error("(func (export \"" + repeat("\\u{41", kMany) + "\"))").message.starts_with("illegal escape"));
}

TEST_CASE("a million locals, functions, types, labels and names") {
  std::string locals = "(func ";
  std::string functions;
  std::string calls = "(func ";
  std::string types;
  for (std::size_t i = 0; i < kMany; ++i) {
    const std::string number = std::to_string(i);
    locals += "(local $l" + number + (i % 2 == 0 ? " i32)" : " i64)");
    functions += "(func $f" + number + ")";
    calls += "(call $f" + std::to_string(kMany - 1 - i) + ")";
    if (i < kMany / 10) types += "(type $t" + number + " (struct (field $x" + number + " i32)))";
  }
  CHECK(encode(locals + "(drop (local.get $l" + std::to_string(kMany - 1) + ")))").size() > kMany);
  CHECK(check(encode(functions + calls + ")")));
  const std::string last = std::to_string(kMany / 10 - 1);
  CHECK(check(encode(types + "(func (param (ref $t" + last + ")) (drop (struct.get $t" + last + " $x" + last +
                     " (local.get 0))))")));
  CHECK(encode("(func " + repeat("(local i32 i32)", kMany) + ")").size() < 100);
  CHECK(encode_error("(func (param" + repeat(" $x i32) (param", kMany) + "))").message == "duplicate local $x");
}

TEST_CASE("a million functions of types of their own") {
  // Each implicit type is looked up among all before it.
  std::string text;
  for (std::size_t i = 0; i < kMany / 10; ++i) {
    text += "(func (param";
    for (std::size_t bits = i + (std::size_t{1} << 17); bits != 1; bits /= 2) text += bits % 2 == 0 ? " i32" : " i64";
    text += "))";
  }
  CHECK(check(encode(text)));
}

TEST_CASE("br_table with ten million labels") {
  CHECK(check(encode("(func (br_table" + repeat(" 0", 10 * kMany) + " (i32.const 0)))")));
  CHECK(encode("(func (block $l (br_table" + repeat(" $l", kMany) + " (i32.const 0))))").size() > kMany);
}

TEST_CASE("a million labels of one name, each hiding the one before") {
  std::string text = "(func " + repeat("(block $l (br $l) ", kMany / 10) + repeat("(br $l))", kMany / 10) + ")";
  CHECK(check(encode(text)));
}

TEST_CASE("an error at the end of a long text, and on a long line") {
  const Error late = encode_error(repeat("(func)\n", kMany) + "(fun)");
  REQUIRE(late.text);
  CHECK(late.text->line == kMany + 1);
  CHECK(late.text->column == 2);
  const Error wide = encode_error(repeat("(func)", kMany) + "(fun)");
  REQUIRE(wide.text);
  CHECK(wide.text->line == 1);
  CHECK(wide.text->column == 6 * kMany + 2);
  CHECK(wide.text->excerpt.size() < 500);
}
