// The opcode table is consistent with itself, and complete by count.
#include "wasm/opcodes.h"

#include <catch2/catch.hpp>
#include <map>
#include <set>
#include <string>
#include <utility>

namespace wasi::wasm {
namespace {

TEST_CASE("every row is found by its encoding") {
  std::set<std::pair<int, int>> encodings;
  for (std::uint16_t i = 0; i < kOpCount; ++i) {
    const Op op = static_cast<Op>(i);
    const OpInfo& row = info(op);
    INFO(row.text);
    CHECK(encodings.emplace(row.prefix, row.code).second);
    if (row.prefix == 0) {
      CHECK(op_from_byte(static_cast<std::uint8_t>(row.code)) == op);
      CHECK_FALSE(is_prefix(static_cast<std::uint8_t>(row.code)));
    } else {
      CHECK(is_prefix(row.prefix));
      CHECK(op_from_prefixed(row.prefix, row.code) == op);
    }
  }
}

TEST_CASE("what is no instruction has no row") {
  CHECK(op_from_byte(0xFF) == kNoOp);
  CHECK(op_from_byte(0x27) == kNoOp);
  CHECK(op_from_prefixed(0xFB, 0x1F) == kNoOp);
  CHECK(op_from_prefixed(0xFC, 0x12) == kNoOp);
  CHECK(op_from_prefixed(0xFC, 0x17) == kNoOp);
  CHECK(op_from_prefixed(0xFD, 0x9A) == kNoOp);
  CHECK(op_from_prefixed(0xFD, 0x114) == kNoOp);
  CHECK(op_from_prefixed(0xFE, 0x4F) == kNoOp);
  for (int prefix = 0xFB; prefix <= 0xFE; ++prefix) {
    CHECK(op_from_prefixed(static_cast<std::uint8_t>(prefix), 0xFFFFFFFF) == kNoOp);
  }
  CHECK(op_from_prefixed(0x00, 0x00) == kNoOp);
}

TEST_CASE("the table has all instructions") {
  std::map<int, int> rows;
  for (std::uint16_t i = 0; i < kOpCount; ++i) ++rows[info(static_cast<Op>(i)).prefix];
  CHECK(rows[0xFB] == 31);
  CHECK(rows[0xFC] == 18 + 4);    // 4 of wide arithmetic
  CHECK(rows[0xFD] == 236 + 20);  // 236 of SIMD, 20 relaxed ones
  CHECK(rows[0xFE] == 67);
  CHECK(rows[0x00] == kOpCount - 31 - 22 - 256 - 67);
}

TEST_CASE("signatures are well formed and fit the immediates") {
  for (std::uint16_t i = 0; i < kOpCount; ++i) {
    const OpInfo& row = info(static_cast<Op>(i));
    INFO(row.text);
    if (row.signature == "*") continue;
    const auto colon = row.signature.find(':');
    REQUIRE(colon != std::string_view::npos);
    CHECK(row.signature.find_first_not_of("ilfdva:") == std::string_view::npos);
    CHECK(row.signature.find(':', colon + 1) == std::string_view::npos);
    const bool addresses = row.signature.find('a') != std::string_view::npos;
    const bool names_memory = row.immediate == ImmediateKind::memarg || row.immediate == ImmediateKind::memarg_lane ||
                              row.immediate == ImmediateKind::memory || row.immediate == ImmediateKind::data_memory;
    CHECK(addresses == names_memory);
    const bool accesses = row.immediate == ImmediateKind::memarg || row.immediate == ImmediateKind::memarg_lane;
    CHECK((row.access != 0) == accesses);
    if (row.access != 0) CHECK((row.access & (row.access - 1)) == 0);
  }
}

TEST_CASE("features have names and sets behave") {
  FeatureSet set{Feature::simd, Feature::gc};
  CHECK(set.has(Feature::simd));
  CHECK_FALSE(set.has(Feature::threads));
  CHECK((FeatureSet::all() - set).has(Feature::threads));
  CHECK_FALSE((FeatureSet::all() - set).has(Feature::gc));
  set.remove(Feature::simd);
  set.remove(Feature::gc);
  CHECK(set.empty());
  CHECK(name_of(Feature::memory64) == "memory64");
  CHECK(kRunnableFeatures.has(Feature::mvp));
}

}  // namespace
}  // namespace wasi::wasm
