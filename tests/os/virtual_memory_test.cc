// Reservations and zeroed arrays.
#include "os/virtual_memory.h"

#include <fcntl.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <numeric>
#include <string>

#include "os/thread_stack.h"
#include "os/unique_fd.h"
#include "support/temp_dir.h"

namespace wasi::os {
namespace {

TEST_CASE("a reservation becomes memory piece by piece", "[virtual_memory]") {
  const std::size_t page = page_size();
  auto reservation = Reservation::reserve(1ULL << 32);
  REQUIRE(reservation.has_value());
  std::uint8_t* const base = reservation->base();
  REQUIRE(reservation->commit(page, page).has_value());
  CHECK(base[page] == 0);
  base[2 * page - 1] = 1;
  REQUIRE(reservation->commit(2 * page, page).has_value());
  base[2 * page] = 2;
  CHECK(base[2 * page - 1] == 1);
  const auto address = reinterpret_cast<std::uintptr_t>(base);
  CHECK(reservation->contains(address));
  CHECK(reservation->contains(address + (1ULL << 32) - 1));
  CHECK_FALSE(reservation->contains(address + (1ULL << 32)));
  CHECK_FALSE(reservation->contains(address - 1));

  Reservation moved = std::move(*reservation);
  CHECK(moved.base() == base);
  CHECK(reservation->base() == nullptr);
  moved = Reservation();
  CHECK(moved.size() == 0);
}

TEST_CASE("a file in a reservation is read when it is touched, and written to by nobody", "[virtual_memory]") {
  const std::size_t page = page_size();
  const test::TempDir folder;
  folder.write("file", std::string(page, 'a') + std::string(page, 'b') + std::string(page, 'c'));
  const UniqueFd file(::open((folder / "file").c_str(), O_RDONLY | O_CLOEXEC));
  auto reservation = Reservation::reserve(16 * page);
  REQUIRE(reservation.has_value());
  REQUIRE(reservation->map_file(page, 2 * page, file.get(), page).has_value());
  std::uint8_t* const base = reservation->base();
  CHECK(base[page] == 'b');
  CHECK(base[3 * page - 1] == 'c');
  base[page] = 'x';
  std::string content(3 * page, ' ');
  std::ifstream(folder / "file").read(content.data(), static_cast<std::streamsize>(content.size()));
  CHECK(content[page] == 'b');
  // Zero for the next, whatever it was, and no part of the file any more.
  REQUIRE(reservation->clear(page, 2 * page).has_value());
  std::filesystem::resize_file(folder / "file", 0);
  CHECK(base[page] == 0);
  CHECK(base[3 * page - 1] == 0);
  base[page] = 1;
  CHECK_FALSE(reservation->map_file(4 * page, page, -1, 0).has_value());
  CHECK_FALSE(reservation->map_file(4 * page, page, file.get(), 1).has_value());
}

TEST_CASE("a committed reservation grows and keeps its content", "[virtual_memory]") {
  const std::size_t page = page_size();
  Reservation reservation;
  REQUIRE(reservation.resize_committed(page).has_value());
  reservation.base()[0] = 7;
  REQUIRE(reservation.resize_committed(1000 * page).has_value());
  CHECK(reservation.base()[0] == 7);
  CHECK(reservation.base()[1000 * page - 1] == 0);
  reservation.base()[1000 * page - 1] = 8;
  CHECK(reservation.size() == 1000 * page);
}

TEST_CASE("a reservation that cannot be had is an error", "[virtual_memory]") {
  const auto reservation = Reservation::reserve(std::size_t{1} << 60);
  REQUIRE_FALSE(reservation.has_value());
  CHECK(reservation.error().kind == ErrorKind::io);
  CHECK(reservation.error().message ==
        "cannot reserve 1152921504606846976 bytes of address space: Cannot allocate memory");
}

TEST_CASE("sizes are rounded to whole pages", "[virtual_memory]") {
  const std::size_t page = page_size();
  CHECK(round_up_to_pages(0) == 0);
  CHECK(round_up_to_pages(1) == page);
  CHECK(round_up_to_pages(page) == page);
  CHECK(round_up_to_pages(page + 1) == 2 * page);
}

TEST_CASE("arrays start as zeros, small and large", "[virtual_memory]") {
  const std::size_t count = GENERATE(std::size_t{0}, std::size_t{1}, std::size_t{100}, std::size_t{1} << 20);
  ZeroedArray<std::uint64_t> array(count);
  CHECK(array.size() == count);
  CHECK(std::accumulate(array.data(), array.data() + count, std::uint64_t{0}) == 0);
  for (std::size_t i = 0; i < count; ++i) array[i] = i;
  ZeroedArray<std::uint64_t> other;
  other = std::move(array);
  REQUIRE(other.size() == count);
  if (count != 0) CHECK(other[count - 1] == count - 1);
}

TEST_CASE("the bounds of a thread's stack hold its frames", "[thread_stack]") {
  const StackBounds& bounds = current_thread_stack();
  CHECK(bounds.contains(stack_pointer()));
  CHECK(bounds.high - bounds.low >= 64U << 10);
}

}  // namespace
}  // namespace wasi::os
