// How errors show where in the text they are.
#include "text/source.h"

#include <catch2/catch.hpp>

namespace wasi::text {
namespace {

// The excerpt for the first `part` of `text`.
std::string excerpt(std::string_view text, std::string_view part) {
  const std::size_t at = text.find(part);
  REQUIRE(at != std::string_view::npos);
  return position_of(text, {text.data() + at, text.data() + at + part.size()}).excerpt;
}

TEST_CASE("the line is shown, and what is wrong is marked below it") {
  CHECK(excerpt("(module\n  (fun $f))\n", "fun") ==
        "2 |   (fun $f))\n"
        "  |    ^^^");
  // A tab is as wide below.
  CHECK(excerpt("\t(fun)", "fun") ==
        "1 | \t(fun)\n"
        "  | \t ^^^");
}

TEST_CASE("lines end where editors end them") { CHECK(excerpt("(fun)\r\n(func)", "fun") == "1 | (fun)\n  |  ^^^"); }

TEST_CASE("what a terminal would obey is escaped, in front, in what is marked and behind, and marked as wide") {
  CHECK(excerpt("\x1b[31m(x\x07y)\x7f", "x\x07y") ==
        "1 | \\x1b[31m(x\\x07y)\\x7f\n"
        "  |          ^^^^^^");
  // A C1 control as two bytes, a reversal of direction, and bytes that are no UTF-8.
  CHECK(excerpt("\xC2\x9B\xE2\x80\xAE(fun)\xFF", "fun") ==
        "1 | \\u{9b}\\u{202e}(fun)\\xff\n"
        "  |                ^^^");
}

}  // namespace
}  // namespace wasi::text
