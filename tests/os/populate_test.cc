// Pages that are made present, by what the kernel says of them.
#include "os/populate.h"

#include <sys/mman.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdint>
#include <vector>

#include "os/virtual_memory.h"

namespace wasi::os {
namespace {

std::size_t present_pages(const Reservation& memory) {
  std::vector<unsigned char> pages(memory.size() / page_size());
  REQUIRE(::mincore(memory.base(), memory.size(), pages.data()) == 0);
  return static_cast<std::size_t>(std::ranges::count_if(pages, [](unsigned char page) { return (page & 1) != 0; }));
}

TEST_CASE("whole pages within memory are made present, with what they hold", "[populate]") {
  Reservation memory = Reservation::reserve_committed(16 * page_size()).value();
  memory.base()[3 * page_size()] = 7;
  REQUIRE(present_pages(memory) == 1);
  populate(memory.base() + page_size() + 1, 4 * page_size());
  const std::size_t present = present_pages(memory);
  // Three, but where the kernel is older than that: nothing then.
  CHECK((present == 3 || present == 1));
  CHECK(memory.base()[3 * page_size()] == 7);
  CHECK(memory.base()[4 * page_size()] == 0);
}

TEST_CASE("less than a page, or what cannot be written to, stays as it is", "[populate]") {
  Reservation memory = Reservation::reserve(4 * page_size()).value();
  populate(memory.base(), memory.size());
  CHECK(present_pages(memory) == 0);
  REQUIRE(memory.commit(0, memory.size()).has_value());
  populate(memory.base() + 1, page_size());
  populate(memory.base(), 0);
  populate(nullptr, 0);
  CHECK(present_pages(memory) == 0);
}

}  // namespace
}  // namespace wasi::os
