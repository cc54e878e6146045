// The map of machine code: changes, readers beside them, and a reader in a signal handler.
#include "runtime/code_map.h"

#include <signal.h>
#include <sys/mman.h>
#include <ucontext.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <catch2/catch.hpp>
#include <map>
#include <memory>
#include <random>
#include <thread>
#include <vector>

#include "os/code_memory.h"
#include "support/machine_code.h"

namespace wasi::runtime {
namespace {

CodeMap::Entry add(CodeMap& map, std::uintptr_t begin, std::uintptr_t end, std::uint32_t function) {
  auto entry = map.add({.begin = begin, .end = end, .owner = &map, .function = function});
  REQUIRE(entry.has_value());
  return *std::move(entry);
}

std::optional<std::uint32_t> function_at(const CodeMap& map, std::uintptr_t pc) {
  const auto found = map.find(pc);
  if (!found) return std::nullopt;
  CHECK(found->begin <= pc);
  CHECK(pc < found->end);
  return found->function;
}

TEST_CASE("an empty map finds nothing", "[code_map]") {
  const CodeMap map;
  CHECK_FALSE(map.find(0).has_value());
  CHECK_FALSE(map.find(UINTPTR_MAX).has_value());
}

TEST_CASE("what was found holds while nothing is removed", "[code_map]") {
  CodeMap map;
  CHECK(map.removals() == 0);
  auto first = add(map, 100, 150, 1);
  const auto second = add(map, 200, 300, 2);
  CHECK(map.removals() == 0);
  first.reset();
  CHECK(map.removals() == 1);
  const auto again = add(map, 100, 150, 3);
  CHECK(map.removals() == 1);
  CHECK(function_at(map, 100) == 3);
}

TEST_CASE("a pc is found in its range alone", "[code_map]") {
  CodeMap map;
  {
    const auto second = add(map, 200, 300, 2);
    const auto first = add(map, 100, 150, 1);
    auto third = add(map, 300, 301, 3);
    CHECK_FALSE(function_at(map, 99).has_value());
    CHECK(function_at(map, 100) == 1);
    CHECK(function_at(map, 149) == 1);
    CHECK_FALSE(function_at(map, 150).has_value());
    CHECK(function_at(map, 200) == 2);
    CHECK(function_at(map, 299) == 2);
    CHECK(function_at(map, 300) == 3);
    CHECK_FALSE(function_at(map, 301).has_value());
    const auto found = map.find(120);
    REQUIRE(found.has_value());
    CHECK(found->begin == 100);
    CHECK(found->end == 150);
    CHECK(found->owner == &map);
    CHECK_FALSE(found->mark.has_value());
    CHECK_FALSE(found->trap.has_value());
    third.reset();
    CHECK_FALSE(function_at(map, 300).has_value());
    CHECK(function_at(map, 299) == 2);
    third = add(map, 300, 400, 4);
    CHECK(function_at(map, 399) == 4);
  }
  for (std::uintptr_t pc = 0; pc < 500; ++pc) REQUIRE_FALSE(map.find(pc).has_value());
}

TEST_CASE("a pc has a place in the module, and a trap code where it may trap", "[code_map]") {
  struct Tables {
    std::vector<std::uint8_t> marks;
    std::vector<std::uint8_t> traps;
  };
  CodeMap map;
  auto tables = std::make_shared<Tables>();
  tables->marks = encode_offset_table(std::vector<OffsetEntry>{{2, 70}, {9, 75}}).value();
  const auto code = static_cast<std::uint64_t>(TrapCode::integer_divide_by_zero);
  tables->traps = encode_offset_table(std::vector<OffsetEntry>{{9, code}, {12, 255}}).value();
  auto entry = map.add({.begin = 1000,
                        .end = 1020,
                        .owner = &map,
                        .function = 5,
                        .marks = OffsetTable(tables->marks),
                        .traps = OffsetTable(tables->traps),
                        .tables = tables});
  REQUIRE(entry.has_value());
  const std::weak_ptr<Tables> watched = tables;
  tables.reset();
  CHECK_FALSE(map.find(1001)->mark.has_value());
  CHECK(map.find(1008)->mark == 70);
  CHECK_FALSE(map.find(1008)->trap.has_value());
  CHECK(map.find(1009)->mark == 75);
  CHECK(map.find(1009)->trap == TrapCode::integer_divide_by_zero);
  CHECK(map.find(1010)->mark == 75);
  CHECK_FALSE(map.find(1010)->trap.has_value());
  CHECK_FALSE(map.find(1012)->trap.has_value());  // no such code
  CHECK_FALSE(watched.expired());
  entry->reset();
  CHECK(watched.expired());  // nobody was reading
}

TEST_CASE("what a range owned may change the map when it goes", "[code_map]") {
  CodeMap map;
  auto inner = std::make_shared<CodeMap::Entry>(add(map, 10, 20, 1));
  auto outer = map.add({.begin = 30, .end = 40, .tables = inner});
  REQUIRE(outer.has_value());
  inner.reset();
  CHECK(function_at(map, 15) == 1);
  outer->reset();
  CHECK_FALSE(map.find(15).has_value());
}

TEST_CASE("ranges added and removed in any order are as in a list", "[code_map]") {
  // In the order of addresses, against it, and in none.
  const int order = GENERATE(0, 1, 2);
  const std::size_t most = GENERATE(10, 200, 5000);
  CodeMap map;
  std::mt19937 random(static_cast<unsigned>(order));
  struct Known {
    std::uintptr_t end = 0;
    std::uint32_t function = 0;
    CodeMap::Entry entry;
  };
  std::map<std::uintptr_t, Known> known;
  const auto expected = [&](std::uintptr_t pc) -> std::optional<std::uint32_t> {
    auto beyond = known.upper_bound(pc);
    if (beyond == known.begin()) return std::nullopt;
    --beyond;
    return pc < beyond->second.end ? std::optional(beyond->second.function) : std::nullopt;
  };
  std::uintptr_t next = order == 1 ? 100'000'000 : 1000;
  const auto try_add = [&](std::uint32_t function) {
    const std::uintptr_t size = 1 + random() % (function % 50 == 0 ? 5000U : 100U);
    std::uintptr_t begin = next;
    if (order == 0) next += size + random() % 3;
    if (order == 1) next -= 5200, begin = next;
    if (order == 2) begin = random() % 1'000'000;
    const auto behind = known.lower_bound(begin);
    if (behind != known.end() && behind->first < begin + size) return;
    if (behind != known.begin() && std::prev(behind)->second.end > begin) return;
    known[begin] = {begin + size, function, add(map, begin, begin + size, function)};
  };
  const auto check_some = [&] {
    for (int i = 0; i < 20 && !known.empty(); ++i) {
      auto one =
          known.lower_bound(known.begin()->first + random() % (known.rbegin()->first - known.begin()->first + 1));
      for (const std::uintptr_t pc : {one->first - 1, one->first, one->second.end - 1, one->second.end}) {
        REQUIRE(function_at(map, pc) == expected(pc));
      }
    }
  };
  for (std::uint32_t function = 0; known.size() < most && function < 20 * most; ++function) {
    try_add(function);
    if (function % 64 == 0) check_some();
  }
  check_some();
  // Down to a few, with some coming back.
  for (std::uint32_t round = 0; known.size() > 3; ++round) {
    auto one = known.lower_bound(known.begin()->first + random() % (known.rbegin()->first - known.begin()->first + 1));
    if (round % 2 == 0) one = round % 4 == 0 ? known.begin() : std::prev(known.end());
    known.erase(one);
    if (order == 2 && round % 5 == 0) try_add(1'000'000 + round);
    if (round % 64 == 0) check_some();
  }
  check_some();
  known.clear();
  CHECK_FALSE(map.find(1000).has_value());
  const auto again = add(map, 5, 6, 1);
  CHECK(function_at(map, 5) == 1);
}

TEST_CASE("readers find what stays while everything around it changes", "[code_map]") {
  CodeMap map;
  // Every tenth range stays, its neighbours come and go.
  constexpr std::uintptr_t kStep = 100;
  constexpr std::uintptr_t kRanges = 1000;
  std::vector<CodeMap::Entry> stay;
  for (std::uintptr_t i = 0; i < kRanges; i += 10) {
    stay.push_back(add(map, i * kStep, i * kStep + 50, static_cast<std::uint32_t>(i)));
  }
  std::atomic<bool> is_done{false};
  std::atomic<int> wrong{0};
  std::atomic<std::uint64_t> look_ups{0};
  std::vector<std::thread> readers;
  for (unsigned seed = 0; seed < 3; ++seed) {
    readers.emplace_back([&, seed] {
      std::mt19937 random(seed);
      std::uint64_t count = 0;
      while (!is_done.load()) {
        const std::uintptr_t range = random() % kRanges;
        const auto found = map.find(range * kStep + random() % 50);
        if (range % 10 == 0 && !found) ++wrong;
        if (found && found->function != range) ++wrong;
        // The others have marks, which are freed while they are read unless the map sees to it.
        if (found && range % 10 != 0 && found->mark != range) ++wrong;
        ++count;
      }
      look_ups += count;
    });
  }
  std::vector<std::thread> writers;
  for (unsigned seed = 0; seed < 2; ++seed) {
    writers.emplace_back([&, seed] {
      std::mt19937 random(100 + seed);
      std::map<std::uintptr_t, CodeMap::Entry> mine;
      for (int i = 0; i < 4000; ++i) {
        // The ranges that are odd or even by seed, without those that stay.
        const std::uintptr_t range = random() % (kRanges / 2) * 2 + seed;
        if (range % 10 == 0) continue;
        if (mine.erase(range) != 0) continue;
        auto marks = std::make_shared<std::vector<std::uint8_t>>(
            encode_offset_table(std::vector<OffsetEntry>{{0, range}}).value_or(std::vector<std::uint8_t>()));
        auto entry = map.add({.begin = range * kStep,
                              .end = range * kStep + 50,
                              .function = static_cast<std::uint32_t>(range),
                              .marks = OffsetTable(*marks),
                              .tables = marks});
        if (!entry) ++wrong;
        if (entry) mine.emplace(range, *std::move(entry));
      }
    });
  }
  for (std::thread& thread : writers) thread.join();
  is_done = true;
  for (std::thread& thread : readers) thread.join();
  CHECK(wrong.load() == 0);
  CHECK(look_ups.load() > 0);
}

// What the handler below found. A test at a time.
std::optional<CodeLocation> found_in_handler;
std::uintptr_t behind_fault = 0;

void look_up(int, siginfo_t*, void* context) {
  auto& registers = static_cast<ucontext_t*>(context)->uc_mcontext.gregs;
  found_in_handler = code_map().find(static_cast<std::uintptr_t>(registers[REG_RIP]));
  registers[REG_RIP] = static_cast<greg_t>(behind_fault);
  registers[REG_RAX] = 42;
}

TEST_CASE("a handler of a memory fault finds the function and the trap", "[code_map]") {
  // push rbp; mov rbp, rsp; mov eax, [rdi]; pop rbp; ret
  constexpr std::array<std::uint8_t, 8> kCode = {0x55, 0x48, 0x89, 0xE5, 0x8B, 0x07, 0x5D, 0xC3};
  constexpr std::uint32_t kLoad = 4;
  auto memory = os::CodeMemory::reserve(16 * os::page_size());
  REQUIRE(memory.has_value());
  REQUIRE(memory->commit(0, os::page_size()).has_value());
  auto writable = memory->begin_write(64, kCode.size());
  REQUIRE(writable.has_value());
  std::copy(kCode.begin(), kCode.end(), writable->begin());
  REQUIRE(memory->publish(64, kCode.size()).has_value());
  const auto begin = reinterpret_cast<std::uintptr_t>(memory->code() + 64);

  const auto marks = encode_offset_table(std::vector<OffsetEntry>{{0, 500}, {kLoad, 507}, {6, 510}}).value();
  const auto code = static_cast<std::uint64_t>(TrapCode::memory_out_of_bounds);
  const auto traps = encode_offset_table(std::vector<OffsetEntry>{{kLoad, code}}).value();
  int owner = 0;
  auto entry = code_map().add({.begin = begin,
                               .end = begin + kCode.size(),
                               .owner = &owner,
                               .function = 17,
                               .marks = OffsetTable(marks),
                               .traps = OffsetTable(traps)});
  REQUIRE(entry.has_value());

  const auto run = [&](const int* argument) { return test::call(memory->code() + 64, argument); };
  const int value = 7;
  CHECK(run(&value) == 7);
  struct sigaction action = {};
  struct sigaction before = {};
  action.sa_sigaction = look_up;
  action.sa_flags = SA_SIGINFO;
  REQUIRE(::sigaction(SIGSEGV, &action, &before) == 0);
  found_in_handler.reset();
  behind_fault = begin + kLoad + 2;
  auto nothing = os::Reservation::reserve(os::page_size());
  REQUIRE(nothing.has_value());
  const int result = run(reinterpret_cast<const int*>(nothing->base()));
  REQUIRE(::sigaction(SIGSEGV, &before, nullptr) == 0);
  CHECK(result == 42);
  REQUIRE(found_in_handler.has_value());
  CHECK(found_in_handler->owner == &owner);
  CHECK(found_in_handler->function == 17);
  CHECK(found_in_handler->mark == 507);
  CHECK(found_in_handler->trap == TrapCode::memory_out_of_bounds);

  entry->reset();
  CHECK_FALSE(code_map().find(begin).has_value());
}

}  // namespace
}  // namespace wasi::runtime
