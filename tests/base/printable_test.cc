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

TEST_CASE("characters that show nothing are escaped", "[printable]") {
  CHECK(printable("a\u00ad\u200b\u200d\u2060\ufeff\U000e0041") ==
        "a\\u{ad}\\u{200b}\\u{200d}\\u{2060}\\u{feff}\\u{e0041}");
  CHECK(printable("\u202a\u2066\u2069\u2029\u0085\u061c") == "\\u{202a}\\u{2066}\\u{2069}\\u{2029}\\u{85}\\u{61c}");
  for (const std::uint32_t shown : {0x20U, 0x7EU, 0xA0U, 0xACU, 0xAEU, 0x200AU, 0x2010U, 0x2065U, 0xFFFCU, 0x10FFFFU}) {
    CHECK_FALSE(is_hidden(shown));
  }
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
