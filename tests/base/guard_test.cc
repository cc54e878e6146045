// What becomes of exceptions at the border of the library.
#include "base/guard.h"

#include <catch2/catch.hpp>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "base/result.h"

namespace wasi {
namespace {

TEST_CASE("values and errors pass the guard unchanged", "[guard]") {
  CHECK(guarded([] { return 7; }) == 7);
  CHECK(**guarded([] { return std::make_unique<int>(7); }) == 7);
  CHECK(guarded([]() -> Result<int> { return 7; }) == 7);
  CHECK(guarded([] {}));
  const Result<int> failed = guarded([]() -> Result<int> { return fail(ErrorKind::argument, "no {}", 7); });
  CHECK(failed.error().kind == ErrorKind::argument);
  CHECK(failed.error().message == "no 7");
}

TEST_CASE("allocations that fail are errors", "[guard]") {
  const auto expect_out_of_memory = [](const auto& result) {
    REQUIRE_FALSE(result);
    CHECK(result.error().kind == ErrorKind::limit);
    CHECK(result.error().message == "out of memory");
  };
  std::vector<int> numbers = {1};
  // Thrown by hand: the address sanitizer ends the process where operator new would throw.
  expect_out_of_memory(guarded([] { throw std::bad_alloc(); }));
  expect_out_of_memory(guarded([&] { numbers.resize(numbers.max_size() + 1); }));
  expect_out_of_memory(guarded([]() -> Result<std::string> { return std::string(std::string().max_size() + 1, 'x'); }));
  CHECK(numbers == std::vector{1});
}

TEST_CASE("a thread that cannot be had is an error, everything else is not the guard's", "[guard]") {
  const auto result = guarded([] { throw std::system_error(EAGAIN, std::generic_category()); });
  REQUIRE_FALSE(result);
  CHECK(result.error().kind == ErrorKind::io);
  CHECK(result.error().message == "the host refused: Resource temporarily unavailable");
  CHECK_THROWS_AS(guarded([] { throw std::logic_error("a mistake"); }), std::logic_error);
}

}  // namespace
}  // namespace wasi
