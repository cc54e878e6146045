// Entries of DWARF 4 and 5 in custom sections: functions, variables, lists of ranges and of locations; and sections of
// which some byte is another one.
#include "binary/dwarf.h"

#include <catch2/catch.hpp>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "binary/decoder.h"
#include "binary/section_bytes.h"

using namespace wasi;
using namespace wasi::test::section_bytes;

namespace {

using binary::Dwarf;
using binary::DwarfAttribute;
using binary::DwarfEntry;
using binary::DwarfTag;

struct Named {
  std::string_view name;
  Bytes content;
};

// One function of nops, whose body begins at byte 2 of the code section's contents and ends behind kEnd.
constexpr std::size_t kCode = 20;
constexpr std::size_t kBody = 2;
constexpr std::size_t kEnd = 44;
std::shared_ptr<wasm::Module> module_with(const std::vector<Named>& sections) {
  constexpr std::size_t kNops = kEnd - kBody - 2;
  Bytes bytes = Bytes{0, 'a', 's', 'm', 1, 0, 0, 0} + Bytes{1, 4, 1, 0x60, 0, 0} + Bytes{3, 2, 1, 0};
  bytes = bytes + Bytes{10, kNops + 4, 1, kNops + 2, 0} + Bytes(kNops, 1) + Bytes{0x0B};
  for (const auto& [name, content] : sections) bytes = bytes + custom(name, content);
  auto owner = std::make_shared<const Bytes>(std::move(bytes));
  const std::span<const std::uint8_t> view = *owner;
  auto module = binary::decode_module({view, std::move(owner)}, std::make_shared<wasm::TypeRegistry>());
  REQUIRE(module.has_value());
  REQUIRE((*module)->body(wasm::FuncIndex(0)).offset == kCode + kBody);
  return *std::move(module);
}

// A unit with a variable of its own; a function with a parameter in Wasm's local 1, and a block of two parts in which
// there is a variable that moves.
std::vector<Named> version_4() {
  const Bytes abbreviations = Bytes{1, 0x11, 1, 0x03, 0x0E, 0x11, 0x01, 0, 0} +                          // unit
                              Bytes{2, 0x34, 0, 0x03, 0x08, 0x02, 0x18, 0, 0} +                          // variable
                              Bytes{3, 0x2E, 1, 0x03, 0x08, 0x11, 0x01, 0x12, 0x06, 0x40, 0x18, 0, 0} +  // function
                              Bytes{4, 0x05, 0, 0x03, 0x08, 0x02, 0x18, 0x49, 0x13, 0, 0} +              // parameter
                              Bytes{5, 0x0B, 1, 0x55, 0x17, 0, 0} +                                      // block
                              Bytes{6, 0x34, 0, 0x03, 0x08, 0x02, 0x17, 0x49, 0x13, 0, 0} +
                              Bytes{7, 0x24, 0, 0x03, 0x08, 0x3E, 0x0B, 0x0B, 0x0B, 0, 0} +  // base type
                              Bytes{0};
  Bytes unit = Bytes{4, 0} + u32(0) + Bytes{4};
  unit = unit + Bytes{1} + u32(0) + u32(0);
  unit = unit + Bytes{2} + text("global") + Bytes{5, 0x03} + u32(1024);
  // From here on references count from the unit's length.
  const std::size_t type = unit.size() + 4;
  unit = unit + Bytes{7} + text("int") + Bytes{5, 4};
  unit = unit + Bytes{3} + text("work") + u32(kBody) + u32(kEnd - kBody) + Bytes{4, 0xED, 0, 5, 0x9F};
  unit = unit + Bytes{4} + text("count") + Bytes{4, 0xED, 0, 1, 0x9F} + u32(type);
  unit = unit + Bytes{5} + u32(0);
  unit = unit + Bytes{6} + text("moving") + u32(0) + u32(type) + Bytes{0} + Bytes{0} + Bytes{0};
  const Bytes ranges = u32(10) + u32(14) + u32(20) + u32(24) + u32(0) + u32(0);
  // The second is relative to a base that stands in the list.
  const Bytes locations = u32(10) + u32(12) + Bytes{2, 0, 0x91, 8} + u32(UINT32_MAX) + u32(20) + u32(0) + u32(4) +
                          Bytes{1, 0, 0x30} + u32(0) + u32(0);
  return {{".debug_abbrev", abbreviations},
          {".debug_info", sized(unit)},
          {".debug_str", text("a.c")},
          {".debug_ranges", ranges},
          {".debug_loc", locations}};
}

// The same with names, addresses and lists by their index.
std::vector<Named> version_5() {
  const Bytes abbreviations =
      Bytes{1, 0x11, 1, 0x03, 0x25, 0x11, 0x1B, 0x72, 0x17, 0x73, 0x17, 0x74, 0x17, 0x8C, 1, 0x17, 0, 0} +
      Bytes{2, 0x34, 0, 0x03, 0x25, 0x02, 0x18, 0, 0} +
      Bytes{3, 0x2E, 1, 0x03, 0x25, 0x11, 0x1B, 0x12, 0x06, 0x40, 0x18, 0, 0} +
      Bytes{4, 0x05, 0, 0x03, 0x25, 0x02, 0x18, 0x49, 0x13, 0, 0} + Bytes{5, 0x0B, 1, 0x55, 0x23, 0, 0} +
      Bytes{6, 0x34, 0, 0x03, 0x25, 0x02, 0x22, 0x49, 0x13, 0, 0} +
      Bytes{7, 0x24, 0, 0x03, 0x08, 0x3E, 0x0B, 0x0B, 0x0B, 0, 0} + Bytes{0};
  const Bytes strings = text("a.c") + text("global") + text("work") + text("count") + text("moving");
  const Bytes offsets = Bytes{24, 0, 0, 0, 5, 0, 0, 0} + u32(0) + u32(4) + u32(11) + u32(16) + u32(22);
  const Bytes addresses = Bytes{20, 0, 0, 0, 5, 0, 4, 0} + u32(kBody) + u32(10) + u32(1024) + u32(20);
  Bytes unit = Bytes{5, 0, 1, 4} + u32(0);
  unit = unit + Bytes{1, 0, 0} + u32(8) + u32(8) + u32(12) + u32(12);
  unit = unit + Bytes{2, 1, 2, 0xA1, 2};
  const std::size_t type = unit.size() + 4;
  unit = unit + Bytes{7} + text("int") + Bytes{5, 4};
  unit = unit + Bytes{3, 2, 0} + u32(kEnd - kBody) + Bytes{4, 0xED, 0, 5, 0x9F};
  unit = unit + Bytes{4, 3, 4, 0xED, 0, 1, 0x9F} + u32(type);
  unit = unit + Bytes{5, 0};
  unit = unit + Bytes{6, 4, 0} + u32(type) + Bytes{0} + Bytes{0} + Bytes{0};
  const Bytes head = Bytes{5, 0, 4, 0} + u32(1);  // one list, by its offset behind the head
  // Offsets from the unit's low_pc, which is 2; begin and length of the second.
  const Bytes ranges = sized(head + u32(4) + Bytes{4, 8, 12, 7} + u32(20) + Bytes{4, 0});
  const Bytes locations = sized(head + u32(4) + Bytes{4, 8, 10, 2, 0x91, 8} + Bytes{1, 3, 4, 0, 4, 1, 0x30} + Bytes{0});
  return {{".debug_abbrev", abbreviations}, {".debug_info", sized(unit)}, {".debug_str", strings},
          {".debug_str_offsets", offsets},  {".debug_addr", addresses},   {".debug_rnglists", ranges},
          {".debug_loclists", locations}};
}

// Everything that can be asked for.
std::size_t walk(const Dwarf& dwarf, const Dwarf::Unit& unit, const DwarfEntry& entry, unsigned depth) {
  std::size_t count = 1 + dwarf.ranges(unit, entry).size();
  for (const auto& [attribute, value] : entry.attributes) count += dwarf.locations(unit, value).size();
  if (depth == 4) return count;
  for (const DwarfEntry& child : dwarf.children(unit, entry)) count += walk(dwarf, unit, child, depth + 1);
  return count;
}

}  // namespace

TEST_CASE("A module without debug information describes nothing") {
  const auto module = module_with({});
  const Dwarf dwarf(*module);
  CHECK(dwarf.function_at(kCode + kBody) == nullptr);
  CHECK(dwarf.unit_of(0) == nullptr);
}

TEST_CASE("Functions, blocks and variables of DWARF 4 and 5") {
  const auto module = module_with(GENERATE(0, 1) == 0 ? version_4() : version_5());
  const Dwarf dwarf(*module);
  CHECK(dwarf.function_at(kCode + kBody - 1) == nullptr);
  CHECK(dwarf.function_at(kCode + kEnd) == nullptr);
  const Dwarf::Function* const function = dwarf.function_at(kCode + kBody);
  REQUIRE(function != nullptr);
  CHECK(dwarf.function_at(kCode + kEnd - 1) == function);
  CHECK(function->code.begin == kCode + kBody);
  CHECK(function->code.end == kCode + kEnd);
  const Dwarf::Unit& unit = *function->unit;
  CHECK(dwarf.unit_of(function->entry) == &unit);
  REQUIRE(dwarf.entry(unit, unit.first).has_value());
  CHECK(dwarf.entry(unit, unit.first)->text(DwarfAttribute::name) == "a.c");
  CHECK_FALSE(dwarf.entry(unit, unit.end).has_value());

  // A variable outside of functions, and none of those in them.
  REQUIRE(unit.variables.size() == 1);
  const auto global = dwarf.entry(unit, unit.variables.front());
  REQUIRE(global.has_value());
  CHECK(global->text(DwarfAttribute::name) == "global");
  const auto at_global = dwarf.locations(unit, *global->find(DwarfAttribute::location));
  REQUIRE(at_global.size() == 1);
  CHECK_FALSE(at_global.front().range.has_value());
  if (unit.version == 5) CHECK(dwarf.address(unit, at_global.front().expression[1]) == 1024);

  const auto entry = dwarf.entry(unit, function->entry);
  REQUIRE(entry.has_value());
  CHECK(entry->tag == DwarfTag::subprogram);
  CHECK(entry->text(DwarfAttribute::name) == "work");
  CHECK(entry->find(DwarfAttribute::frame_base)->block.size() == 4);
  const auto children = dwarf.children(unit, *entry);
  REQUIRE(children.size() == 2);
  CHECK(children[0].tag == DwarfTag::formal_parameter);
  CHECK(children[0].text(DwarfAttribute::name) == "count");
  const auto type = dwarf.entry(unit, *children[0].reference(DwarfAttribute::type));
  REQUIRE(type.has_value());
  CHECK(type->tag == DwarfTag::base_type);
  CHECK(type->text(DwarfAttribute::name) == "int");
  CHECK(type->constant(DwarfAttribute::byte_size) == 4U);

  CHECK(children[1].tag == DwarfTag::lexical_block);
  const auto ranges = dwarf.ranges(unit, children[1]);
  REQUIRE(ranges.size() == 2);
  CHECK((ranges[0].begin == kCode + 10 && ranges[0].end == kCode + 14));
  CHECK((ranges[1].begin == kCode + 20 && ranges[1].end == kCode + 24));
  const auto inner = dwarf.children(unit, children[1]);
  REQUIRE(inner.size() == 1);
  CHECK(inner[0].text(DwarfAttribute::name) == "moving");
  const auto places = dwarf.locations(unit, *inner[0].find(DwarfAttribute::location));
  REQUIRE(places.size() == 2);
  REQUIRE((places[0].range.has_value() && places[1].range.has_value()));
  CHECK((places[0].range->begin == kCode + 10 && places[0].range->end == kCode + 12));
  CHECK(places[0].expression.size() == 2);
  CHECK((places[1].range->begin == kCode + 20 && places[1].range->end == kCode + 24));
  CHECK(places[1].expression.size() == 1);
}

TEST_CASE("What is wrong with debug information is left out") {
  const std::vector<Named> sections = GENERATE(0, 1) == 0 ? version_4() : version_5();
  std::mt19937 random(20261130);
  std::size_t found = 0;
  for (int i = 0; i < 4000; ++i) {
    std::vector<Named> changed = sections;
    for (unsigned changes = 1 + random() % 3; changes != 0; --changes) {
      Bytes& content = changed[random() % changed.size()].content;
      if (content.empty()) continue;
      if (random() % 8 == 0) {
        content.resize(random() % content.size());
      } else {
        content[random() % content.size()] = static_cast<std::uint8_t>(random() % 4 == 0 ? 0xFF : random());
      }
    }
    const auto module = module_with(changed);
    const Dwarf dwarf(*module);
    const Dwarf::Function* const function = dwarf.function_at(kCode + kBody);
    if (function == nullptr) continue;
    CHECK(function->code.end <= kCode + kEnd);
    const auto entry = dwarf.entry(*function->unit, function->entry);
    REQUIRE(entry.has_value());
    found += walk(dwarf, *function->unit, *entry, 0) != 0 ? 1 : 0;
  }
  CHECK(found > 400);  // else this has tried nothing but units that nobody could read
}
