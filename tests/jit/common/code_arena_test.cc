// The arena: pieces that run, go back, and run out.
#include "jit/common/code_arena.h"

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <random>
#include <thread>
#include <utility>
#include <vector>

#include "jit/common/snippets.h"

namespace wasi::jit {
namespace {

using test::call;
using wasi::test::returning;

constexpr std::size_t kChunk = runtime::kCodeChunkBytes;

std::unique_ptr<CodeArena> arena_of(std::size_t reserved, std::size_t limit = SIZE_MAX,
                                    os::CodeViews views = os::CodeViews::any) {
  auto arena = CodeArena::create({.reserved = reserved, .least_reserved = reserved, .limit = limit, .views = views});
  REQUIRE(arena.has_value());
  return *std::move(arena);
}

// A piece of `size` bytes that returns `value`.
CodePiece piece_of(CodeArena& arena, int value, std::size_t size = 6) {
  auto piece = arena.allocate(size);
  REQUIRE(piece.has_value());
  test::write(*piece, returning(value));
  return *std::move(piece);
}

TEST_CASE("a piece is written, published and run", "[code_arena]") {
  const os::CodeViews views = GENERATE(os::CodeViews::two, os::CodeViews::one);
  const auto arena = arena_of(1 << 20, SIZE_MAX, views);
  CHECK(arena->has_two_views() == (views == os::CodeViews::two));
  auto piece = arena->allocate(6);
  REQUIRE(piece.has_value());
  CHECK(piece->code().size() == 6);
  CHECK(reinterpret_cast<std::uintptr_t>(piece->code().data()) % kCodeAlignment == 0);
  CHECK(piece->code().data() >= arena->range().data());
  CHECK(piece->code().data() + 6 <= arena->range().data() + arena->range().size());
  const auto code = returning(42);
  REQUIRE(piece->writable().size() == 6);
  std::copy(code.begin(), code.end(), piece->writable().begin());
  REQUIRE(piece->publish().has_value());
  CHECK(piece->writable().empty());
  CHECK(call(*piece) == 42);

  const auto other = piece_of(*arena, 43);
  CHECK(call(*piece) == 42);
  CHECK(call(other) == 43);

  const std::size_t unit = views == os::CodeViews::two ? kCodeAlignment : os::page_size();
  const CodeArenaStatistics statistics = arena->statistics();
  CHECK(statistics.reserved == 1 << 20);
  CHECK(statistics.pieces == 2);
  CHECK(statistics.used == 2 * unit);
  CHECK(statistics.committed == kChunk);
}

TEST_CASE("freed code is trap instructions, and its place is used again", "[code_arena]") {
  const os::CodeViews views = GENERATE(os::CodeViews::two, os::CodeViews::one);
  const auto arena = arena_of(1 << 20, SIZE_MAX, views);
  const auto neighbour = piece_of(*arena, 1);
  auto piece = piece_of(*arena, 2, 40);
  const std::span<const std::uint8_t> code = piece.code();
  CHECK(call(piece) == 2);
  piece = CodePiece();
  CHECK(std::all_of(code.begin(), code.end(), [](std::uint8_t byte) { return byte == os::kTrapByte; }));
  const auto again = piece_of(*arena, 3, 33);
  CHECK(again.code().data() == code.data());
  // Nothing of what stood there is behind it.
  CHECK(std::all_of(code.begin() + 6, code.end(), [](std::uint8_t byte) { return byte == os::kTrapByte; }));
  CHECK(call(neighbour) == 1);
  CHECK(call(again) == 3);
}

TEST_CASE("a piece that was never published goes back", "[code_arena]") {
  const os::CodeViews views = GENERATE(os::CodeViews::two, os::CodeViews::one);
  const auto arena = arena_of(1 << 20, SIZE_MAX, views);
  const std::uint8_t* place = nullptr;
  {
    auto piece = arena->allocate(100);
    REQUIRE(piece.has_value());
    place = piece->code().data();
    piece->writable()[0] = 0xC3;
  }
  CHECK(*place == os::kTrapByte);
  CHECK(arena->statistics().used == 0);
  CHECK(arena->statistics().pieces == 0);
}

TEST_CASE("memory goes back with the last piece of a chunk", "[code_arena]") {
  const auto arena = arena_of(16 << 20);
  const std::size_t kept = runtime::kKeptCodeBytes;
  std::vector<CodePiece> pieces;
  for (int i = 0; i < 100; ++i) pieces.push_back(piece_of(*arena, i, kChunk / 2));
  CHECK(arena->statistics().committed == 50 * kChunk);
  CHECK(arena->statistics().used == 50 * kChunk);
  // Every second one: no chunk is empty.
  for (std::size_t i = 0; i < pieces.size(); i += 2) pieces[i] = CodePiece();
  CHECK(arena->statistics().committed == 50 * kChunk);
  for (std::size_t i = 1; i < 50; i += 2) pieces[i] = CodePiece();
  CHECK(arena->statistics().committed == 25 * kChunk + kept);
  for (int i = 51; i < 100; i += 2) CHECK(call(pieces[static_cast<std::size_t>(i)]) == i);
  pieces.clear();
  CHECK(arena->statistics().committed == kept);
  CHECK(arena->statistics().used == 0);

  // What is kept is used first; what was given back comes again.
  const auto large = piece_of(*arena, 8, 20 * kChunk);
  CHECK(call(large) == 8);
  CHECK(arena->statistics().committed >= 20 * kChunk);
}

TEST_CASE("the limit is an error, and what was freed counts no more", "[code_arena]") {
  const auto arena = arena_of(1 << 20, 1024);
  auto piece = arena->allocate(950);  // rounded to 960
  REQUIRE(piece.has_value());
  const auto refused = arena->allocate(65);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().kind == ErrorKind::limit);
  CHECK(refused.error().message == "65 bytes of machine code are more than the 64 that are left of 1024");
  CHECK(arena->allocate(64).has_value());
  *piece = CodePiece();
  CHECK(arena->allocate(1024).has_value());
}

TEST_CASE("a full arena is an error, and goes on when something is freed", "[code_arena]") {
  const auto arena = arena_of(1 << 20);
  std::vector<CodePiece> pieces;
  for (int i = 0; i < 16; ++i) pieces.push_back(piece_of(*arena, i, 64 << 10));
  const auto refused = arena->allocate(1);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().kind == ErrorKind::limit);
  CHECK(refused.error().message == "no room for 1 bytes of machine code: 1048576 of 1048576 are in use");
  pieces[7] = CodePiece();
  pieces[9] = CodePiece();
  CHECK_FALSE(arena->allocate((64 << 10) + 1).has_value());
  pieces[8] = CodePiece();
  const auto three = piece_of(*arena, 77, 3 * (64 << 10));
  CHECK(call(three) == 77);
  CHECK(call(pieces[6]) == 6);
  CHECK(call(pieces[10]) == 10);
}

TEST_CASE("sizes that cannot be meant are errors", "[code_arena]") {
  const auto arena = arena_of(1 << 20);
  const auto nothing = arena->allocate(0);
  REQUIRE_FALSE(nothing.has_value());
  CHECK(nothing.error().message == "machine code of no bytes");
  for (const std::size_t size : {std::size_t{(1 << 20) + 1}, SIZE_MAX - 7, SIZE_MAX}) {
    const auto refused = arena->allocate(size);
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().kind == ErrorKind::limit);
  }
  for (const std::size_t size : {std::size_t{0}, std::size_t{3} << 20, std::size_t{1} << 31, std::size_t{4096}}) {
    const auto refused = CodeArena::create({.reserved = size});
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().kind == ErrorKind::argument);
  }
}

TEST_CASE("pieces reach each other by relative calls", "[code_arena]") {
  const auto arena = arena_of(runtime::kMostReservedCodeBytes);
  const auto first = piece_of(*arena, 21);
  const auto between = arena->allocate(8 << 20);
  REQUIRE(between.has_value());
  auto caller = arena->allocate(6);
  REQUIRE(caller.has_value());
  // call first; ret (of an aligned stack nothing depends here)
  const auto distance = static_cast<std::int32_t>(first.code().data() - (caller->code().data() + 5));
  std::array<std::uint8_t, 6> code = {0xE8, 0, 0, 0, 0, 0xC3};
  for (int i = 0; i < 4; ++i) {
    code[static_cast<std::size_t>(1 + i)] = static_cast<std::uint8_t>(static_cast<std::uint32_t>(distance) >> (8 * i));
  }
  test::write(*caller, code);
  CHECK(call(*caller) == 21);
}

TEST_CASE("pieces come and go in any order", "[code_arena]") {
  const os::CodeViews views = GENERATE(os::CodeViews::two, os::CodeViews::one);
  const auto arena = arena_of(4 << 20, SIZE_MAX, views);
  std::mt19937 random(7);
  std::vector<std::pair<CodePiece, int>> pieces;
  for (int i = 0; i < 2000; ++i) {
    const std::size_t size = 6 + random() % (i % 10 == 0 ? 100'000U : 3000U);
    auto piece = arena->allocate(size);
    if (piece) {
      test::write(*piece, returning(i));
      pieces.emplace_back(*std::move(piece), i);
    }
    while (!pieces.empty() && (!piece || pieces.size() > 100)) {
      std::swap(pieces[random() % pieces.size()], pieces.back());
      REQUIRE(call(pieces.back().first) == pieces.back().second);
      pieces.pop_back();
      if (random() % 8 == 0) break;
    }
  }
  CHECK(std::all_of(pieces.begin(), pieces.end(), [](const auto& one) { return call(one.first) == one.second; }));
  pieces.clear();
  CHECK(arena->statistics().used == 0);
  CHECK(arena->allocate(4 << 20).has_value());
}

TEST_CASE("threads write, run and free at once", "[code_arena]") {
  const os::CodeViews views = GENERATE(os::CodeViews::two, os::CodeViews::one);
  const auto arena = arena_of(16 << 20, SIZE_MAX, views);
  std::array<bool, 4> ok{};
  std::vector<std::thread> threads;
  for (std::size_t thread = 0; thread < ok.size(); ++thread) {
    threads.emplace_back([&, thread] {
      std::vector<CodePiece> pieces;
      for (int i = 0; i < 500; ++i) {
        auto piece = arena->allocate(6 + (static_cast<std::size_t>(i) * 37 + thread * 11) % 5000);
        if (!piece) return;
        test::write_unchecked(*piece, returning(i));
        if (call(*piece) != i) return;
        pieces.push_back(*std::move(piece));
        if (i % 3 == 0) pieces.erase(pieces.begin());
        if (i % 50 == 0) pieces.clear();
      }
      ok[thread] = true;
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(std::all_of(ok.begin(), ok.end(), [](bool one) { return one; }));
  CHECK(arena->statistics().used == 0);
}

}  // namespace
}  // namespace wasi::jit
