// Modules that claim more than they have: memory stays a small multiple of the input, whatever counts say.

#include "binary/allocation_meter.h"
#include "binary/names.h"
#include "binary/support.h"

namespace wasi::binary {
namespace {

using test::hex;
using test::join;
using test::section;

// Peak of allocations while decoding, the input itself and its error not counted in.
std::size_t peak_of(const test::Bytes& bytes) {
  const test::AllocationMeter meter;
  const auto registry = std::make_shared<wasm::TypeRegistry>();
  const auto module = decode_module({bytes, nullptr}, registry);
  if (module) (void)decode_names(**module);
  return meter.peak();
}

// What an engine without any module takes, and slack for messages.
constexpr std::size_t kFixed = 64 << 10;

test::Bytes repeat(const test::Bytes& entry, std::size_t count) {
  test::Bytes bytes = test::leb(count);
  bytes.reserve(bytes.size() + count * entry.size());
  for (std::size_t i = 0; i < count; ++i) bytes.insert(bytes.end(), entry.begin(), entry.end());
  return bytes;
}

TEST_CASE("counts of four billion with nothing behind them") {
  const test::Bytes claim = hex("ff ff ff ff 0f");
  for (int id = test::kTypeSection; id <= test::kTagSection; ++id) {
    if (id == test::kStartSection || id == test::kDataCountSection) continue;
    INFO("section " << id);
    const test::Bytes bytes = test::module({section(static_cast<test::SectionId>(id), join(claim, hex("00 00 00")))});
    CHECK(error_of(bytes).find("unexpected end of section or function: number of ") != std::string::npos);
    CHECK(peak_of(bytes) < kFixed);
  }
}

TEST_CASE("claims inside of entries") {
  const test::SectionId type = test::kTypeSection;
  for (const test::Bytes& wrong : {
           section(type, hex("01 60 ff ff ff ff 0f 7f")),                              // parameters
           section(type, hex("01 60 00 ff ff ff ff 0f 7f")),                           // results
           section(type, hex("01 5f ff ff ff ff 0f 7f 00")),                           // fields
           section(type, hex("01 4e ff ff ff ff 0f 60 00 00")),                        // members of a group
           section(type, hex("01 50 ff ff ff ff 0f 00 60 00 00")),                     // super types
           section(test::kImportSection, hex("01 ff ff ff ff 0f 61 00 00 00")),        // a name
           section(test::kElementSection, hex("01 01 00 ff ff ff ff 0f 00")),          // functions
           section(test::kElementSection, hex("01 05 70 ff ff ff ff 0f d0 70 0b")),    // expressions
           section(test::kDataSection, hex("01 01 ff ff ff ff 0f 00")),                // bytes
           section(test::kGlobalSection, hex("01 7f 00 0e ff ff ff ff 0f 00 00 0b")),  // labels of a br_table
           section(test::kGlobalSection, hex("01 7f 00 1f 40 ff ff ff ff 0f 02 0b")),  // catch clauses
           section(test::kGlobalSection, hex("01 7f 00 1c ff ff ff ff 0f 7f 7f 0b")),  // types of a select
           section(test::kCodeSection, hex("01 ff ff ff ff 0f 00 0b")),                // a body
       }) {
    const test::Bytes bytes = test::module({wrong});
    CHECK(error_of(bytes) != "decoded");
    CHECK(peak_of(bytes) < kFixed);
  }
}

// A megabyte of the smallest entries of each kind, all real.
TEST_CASE("many small entries cost a bounded multiple of their size") {
  constexpr std::size_t kSize = 1 << 20;
  struct Case {
    const char* what;
    test::SectionId id;
    const char* entry;
  };
  for (const Case& c : {
           Case{"equal types", test::kTypeSection, "60 00 00"},
           Case{"equal groups", test::kTypeSection, "4e 02 60 00 00 5f 00"},
           Case{"empty groups", test::kTypeSection, "4e 00"},
           Case{"imports", test::kImportSection, "00 00 02 00 00"},
           Case{"tables", test::kTableSection, "70 00 00"},
           Case{"memories", test::kMemorySection, "00 00"},
           Case{"globals", test::kGlobalSection, "7f 00 0b"},
           Case{"exports", test::kExportSection, "00 00 00"},
           Case{"element segments", test::kElementSection, "01 00 00"},
           Case{"data segments", test::kDataSection, "01 00"},
       }) {
    const test::Bytes entry = hex(c.entry);
    const test::Bytes bytes = test::module({section(c.id, repeat(entry, kSize / entry.size()))});
    INFO(c.what);
    CHECK(error_of(bytes) == "decoded");
    CHECK(peak_of(bytes) < 40 * bytes.size());
  }
}

TEST_CASE("one entry with many parts") {
  constexpr std::size_t kParts = 1 << 20;
  const auto one = [&](test::SectionId id, const char* head, const char* part, const char* tail = "") {
    return test::module({section(id, join(hex("01"), hex(head), repeat(hex(part), kParts), hex(tail)))});
  };
  for (const test::Bytes& bytes : {
           one(test::kTypeSection, "60", "7f", "00"),
           one(test::kTypeSection, "5f", "7f 00"),
           one(test::kElementSection, "01 00", "00"),
           one(test::kElementSection, "05 70", "0b"),
       }) {
    CHECK(error_of(bytes) == "decoded");
    CHECK(peak_of(bytes) < 40 * bytes.size());
  }
}

// Distinct definitions are the most expensive thing that a byte can buy: each is an entry of the registry.
TEST_CASE("many distinct types") {
  const char* values[] = {"7f", "7e", "7d", "7c", "70", "6f", "6e", "6d"};
  test::Bytes types = test::leb(1 << 18);
  for (int i = 0; i < 1 << 18; ++i) {
    types.insert(types.end(), {0x60, 6});
    for (int digit = 0; digit < 6; ++digit) types.push_back(hex(values[i >> (3 * digit) & 7])[0]);
    types.push_back(0);
  }
  const test::Bytes bytes = test::module({section(test::kTypeSection, types)});
  CHECK(error_of(bytes) == "decoded");
  CHECK(peak_of(bytes) < 40 * bytes.size());
}

TEST_CASE("a group of very many members") {
  const test::Bytes group = join(hex("01 4e"), repeat(hex("5f 00"), 1 << 18));
  const test::Bytes bytes = test::module({section(test::kTypeSection, group)});
  CHECK(error_of(bytes) == "decoded");
  // Two bytes make a definition, so the factor is large; the limit on their number bounds the sum.
  CHECK(peak_of(bytes) < 160 * bytes.size());
}

TEST_CASE("more types than a module may have") {
  const test::Bytes bytes = test::module({section(test::kTypeSection, repeat(hex("60 00 00"), 1'000'001))});
  CHECK(error_of(bytes).find("the module defines more than 1000000 types") != std::string::npos);
  CHECK(error_of(test::module({section(test::kTypeSection, repeat(hex("60 00 00"), 1'000'000))})) == "decoded");
}

// With a list of ancestors per type this chain would take 20 GB.
TEST_CASE("a chain of 100000 sub types") {
  test::Bytes types = join(test::leb(100'000), hex("50 00 5f 00"));
  for (std::uint32_t i = 1; i < 100'000; ++i) {
    const test::Bytes type = join(hex("50 01"), test::leb(i - 1), hex("5f 00"));
    types.insert(types.end(), type.begin(), type.end());
  }
  const test::Bytes bytes = test::module({section(test::kTypeSection, types)});
  const auto module = decode(bytes);
  CHECK(module->registry->is_subtype(module->types[module->types.size() - 1], module->types[0]));
  CHECK(module->registry->is_subtype(module->types[99'999], module->types[50'000]));
  CHECK_FALSE(module->registry->is_subtype(module->types[50'000], module->types[50'001]));
  CHECK(peak_of(bytes) < 64 * bytes.size());
}

TEST_CASE("blocks nested a million deep in a constant expression") {
  test::Bytes expression;
  for (int i = 0; i < 1'000'000; ++i) expression.insert(expression.end(), {0x02, 0x40});
  test::Bytes ends(1'000'001, 0x0B);
  const test::Bytes global = join(hex("01 7f 00"), expression, ends);
  const test::Bytes bytes = test::module({section(test::kGlobalSection, global)});
  CHECK(error_of(bytes) == "decoded");
  CHECK(peak_of(bytes) < kFixed);
}

TEST_CASE("very many custom sections") {
  test::Bytes bytes = test::module({});
  for (int i = 0; i < 1 << 18; ++i) bytes.insert(bytes.end(), {0, 1, 0});
  CHECK(error_of(bytes) == "decoded");
  CHECK(peak_of(bytes) < 64 * bytes.size());
}

}  // namespace
}  // namespace wasi::binary
