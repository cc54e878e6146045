// What comes out of the pool is as new, whoever had it before.
#include "os/reservation_pool.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <cerrno>
#include <cstring>
#include <thread>
#include <vector>

namespace wasi::os {
namespace {

// No other test takes reservations of this size.
const std::size_t kSize = 1000 * page_size();

bool is_zero(const std::uint8_t* data, std::size_t size) {
  return std::all_of(data, data + size, [](std::uint8_t byte) { return byte == 0; });
}

// The kernel says EFAULT where it cannot read.
bool is_accessible(const std::uint8_t* address) {
  std::array<int, 2> pipe_ends{};
  REQUIRE(::pipe(pipe_ends.data()) == 0);
  const bool could_read = ::write(pipe_ends[1], address, 1) == 1;
  if (!could_read) CHECK(errno == EFAULT);
  ::close(pipe_ends[0]);
  ::close(pipe_ends[1]);
  return could_read;
}

void use(const Reservation& reservation, std::size_t accessible) { std::memset(reservation.base(), 0xAA, accessible); }

TEST_CASE("a reservation that was given back comes again, empty", "[reservation_pool]") {
  free_kept_reservations();
  const std::size_t page = page_size();
  auto first = take_reservation(kSize, 100 * page);
  REQUIRE(first.has_value());
  const std::uint8_t* const base = first->base();
  use(*first, 100 * page);
  const KeptMemory kept = GENERATE(KeptMemory{}, KeptMemory{1, 1}, KeptMemory{64, 0}, KeptMemory{0, 8},
                                   KeptMemory{60, 60}, KeptMemory{1000, 1000});
  give_back_reservation(std::move(*first), 100 * page, {kept.at_begin * page, kept.at_end * page});

  // As large as before, smaller, larger.
  const std::size_t accessible = GENERATE(100, 7, 0, 300, 1000) * page;
  auto second = take_reservation(kSize, accessible);
  REQUIRE(second.has_value());
  CHECK(second->base() == base);
  CHECK(is_zero(base, accessible));
  if (accessible != 0) CHECK(is_accessible(base + accessible - 1));
  if (accessible != kSize) CHECK_FALSE(is_accessible(base + accessible));
  REQUIRE(second->commit(accessible, kSize - accessible).has_value());
  CHECK(is_zero(base, kSize));
}

TEST_CASE("another size is another reservation", "[reservation_pool]") {
  free_kept_reservations();
  auto first = take_reservation(kSize, page_size());
  REQUIRE(first.has_value());
  const std::uint8_t* const base = first->base();
  give_back_reservation(std::move(*first), page_size(), {});
  const auto other = take_reservation(kSize + page_size(), page_size());
  REQUIRE(other.has_value());
  CHECK(other->base() != base);
  CHECK(free_kept_reservations());
  CHECK_FALSE(free_kept_reservations());
}

TEST_CASE("more than the pool keeps are freed", "[reservation_pool]") {
  std::vector<Reservation> all;
  for (int i = 0; i < 200; ++i) {
    auto one = take_reservation(kSize, page_size());
    REQUIRE(one.has_value());
    all.push_back(std::move(*one));
  }
  for (Reservation& one : all) give_back_reservation(std::move(one), page_size(), {});
  CHECK(free_kept_reservations());
}

TEST_CASE("threads take and give back at once", "[reservation_pool]") {
  std::vector<std::thread> threads;
  std::array<bool, 4> ok{};
  for (bool& result : ok) {
    threads.emplace_back([&result] {
      for (int i = 0; i < 200; ++i) {
        const std::size_t accessible = (1 + i % 5) * page_size();
        auto one = take_reservation(kSize, accessible);
        if (!one || !is_zero(one->base(), accessible)) return;
        use(*one, accessible);
        give_back_reservation(std::move(*one), accessible, {page_size(), page_size()});
      }
      result = true;
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(std::all_of(ok.begin(), ok.end(), [](bool one) { return one; }));
}

}  // namespace
}  // namespace wasi::os
