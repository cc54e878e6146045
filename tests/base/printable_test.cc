// What is shown of text that a guest has chosen.
#include "base/printable.h"

#include <wasi/error.h>
#include <wasi/trap.h>

#include <catch2/catch.hpp>

namespace wasi {
namespace {

TEST_CASE("what shows stays, what does not is escaped", "[printable]") {
  CHECK(printable("plain \"text\" \\ of 3") == "plain \"text\" \\ of 3");
  CHECK(printable("Gr\u00fc\u00dfe \u4e16\u754c \U0001F600") == "Gr\u00fc\u00dfe \u4e16\u754c \U0001F600");
  CHECK(printable("a\x1b[2J\n\t\r\x7f") == "a\\x1b[2J\\n\\t\\r\\x7f");
  CHECK(printable(std::string_view("\0", 1)) == "\\x00");
  CHECK(printable("\u009b31m\u202e\u2028") == "\\u{9b}31m\\u{202e}\\u{2028}");
  CHECK(printable("a\nb\tc\x1b", "\n\t") == "a\nb\tc\\x1b");
}

TEST_CASE("bytes that are no UTF-8 are escaped one by one", "[printable]") {
  CHECK(printable("\x9b") == "\\x9b");
  CHECK(printable("\xc0\x80") == "\\xc0\\x80");
  CHECK(printable("\xe2\x82") == "\\xe2\\x82");
  CHECK(printable("\xe0\x9f\xbf") == "\\xe0\\x9f\\xbf");
  CHECK(printable("\xed\xa0\x80") == "\\xed\\xa0\\x80");
  CHECK(printable("\xf4\x90\x80\x80") == "\\xf4\\x90\\x80\\x80");
  CHECK(printable("\xc3(") == "\\xc3(");
}

TEST_CASE("traps and errors show names on one line, and keep them whole as data", "[printable]") {
  Trap trap;
  trap.backtrace.push_back({.module = "m\x1b[31m", .function = "f\n  1: forged", .function_index = 0, .offset = {}});
  CHECK(trap.to_string() == "trap: unreachable\n    0: m\\x1b[31m!f\\n  1: forged");
  CHECK(trap.backtrace[0].module == "m\x1b[31m");
  const Error error{.kind = ErrorKind::unlinkable, .message = "missing import \"a\x1b[2J\"", .offset = {}, .text = {}};
  CHECK(error.to_string() == "missing import \"a\\x1b[2J\"");
}

}  // namespace
}  // namespace wasi
