// How errors and traps read.
#include <wasi/error.h>
#include <wasi/trap.h>

#include <catch2/catch.hpp>

#include "base/result.h"

namespace wasi {
namespace {

Result<int> halve(int number) {
  if (number % 2 != 0) return fail(ErrorKind::argument, "{} is odd, expected an even number", number);
  return number / 2;
}

Result<int> quarter(int number) {
  const int half = WASI_TRY(halve(number));
  return WASI_TRY(halve(half));
}

TEST_CASE("errors travel through WASI_TRY") {
  CHECK(quarter(8) == 2);
  CHECK(quarter(6).error().message == "3 is odd, expected an even number");
  CHECK(quarter(6).error().kind == ErrorKind::argument);
}

TEST_CASE("errors about bytes say where") {
  const Error error = fail_at(0x1F, ErrorKind::malformed, "found {}", 7).error();
  CHECK(error.to_string() == "malformed module at offset 0x1f: found 7");
  CHECK(fail(ErrorKind::invalid, "type mismatch").error().to_string() == "invalid module: type mismatch");
  CHECK(fail(ErrorKind::io, "cannot open x").error().to_string() == "cannot open x");
}

TEST_CASE("every kind has a name") {
  CHECK(name_of(ErrorKind::malformed) == "malformed");
  CHECK(name_of(ErrorKind::invalid) == "invalid");
  CHECK(name_of(ErrorKind::unsupported) == "unsupported");
  CHECK(name_of(ErrorKind::unlinkable) == "unlinkable");
  CHECK(name_of(ErrorKind::io) == "I/O error");
  CHECK(name_of(ErrorKind::limit) == "limit");
  CHECK(name_of(ErrorKind::argument) == "argument");
}

}  // namespace
}  // namespace wasi
