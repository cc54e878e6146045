// Line tables of DWARF in custom sections, of each version, and what is wrong with them.
#include "binary/source_lines.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "binary/decoder.h"
#include "binary/section_bytes.h"

using namespace wasi;
using namespace wasi::test::section_bytes;

namespace {

// One function of many nops; the code section's contents begin at kCode.
constexpr std::size_t kCode = 19;
constexpr std::size_t kNops = 40;
std::shared_ptr<wasm::Module> module_with(const Bytes& sections) {
  Bytes bytes;
  bytes = Bytes{0, 'a', 's', 'm', 1, 0, 0, 0} + Bytes{1, 4, 1, 0x60, 0, 0} + Bytes{3, 2, 1, 0};
  bytes = bytes + Bytes{10, kNops + 4, 1, kNops + 2, 0} + Bytes(kNops, 1) + Bytes{0x0B};
  auto owner = std::make_shared<const Bytes>(bytes + sections);
  const std::span<const std::uint8_t> view = *owner;
  auto module = binary::decode_module({view, std::move(owner)}, std::make_shared<wasm::TypeRegistry>());
  REQUIRE(module.has_value());
  for (const wasm::Section& section : (*module)->sections) {
    if (section.id == 10) REQUIRE(section.payload.offset == kCode + 1);
  }
  return *std::move(module);
}

// What all versions have between the header's length and the files, with 13 opcodes of the standard's.
Bytes settings(bool has_operations) {
  Bytes bytes = {1};  // least instruction
  if (has_operations) bytes.push_back(1);
  return bytes + Bytes{1, 0xFB, 14, 13} + Bytes{0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1};  // lines from -5 on, 14 of them
}

Bytes set_address(std::size_t at) { return Bytes{0, 5, 2} + u32(at); }
const Bytes kEnd = {0, 1, 1};

Bytes unit(std::uint8_t version, const Bytes& files, const Bytes& program) {
  Bytes body = {version, 0};
  if (version >= 5) body = body + Bytes{4, 0};
  return sized(body + sized(settings(version >= 4) + files) + program);
}

Bytes old_files(const Bytes& folders, const Bytes& files) { return folders + Bytes{0} + files + Bytes{0}; }
Bytes old_file(std::string_view name, std::uint8_t folder) { return text(name) + Bytes{folder, 0, 0}; }

std::string line_at(const binary::SourceLines& lines, std::size_t address) {
  const binary::SourceLine* const line = lines.find(kCode + 1 + address);
  return line == nullptr ? "none" : lines.files[line->file] + ":" + std::to_string(line->line);
}

binary::SourceLines decoded(const Bytes& sections) { return binary::decode_source_lines(*module_with(sections)); }

}  // namespace

TEST_CASE("Line tables of DWARF 2 to 4") {
  const std::uint8_t version = GENERATE(2, 3, 4);
  const Bytes files =
      old_files(text("/src") + text("lib"), old_file("a.c", 1) + old_file("b.h", 2) + old_file("c.c", 0));
  const Bytes program = set_address(3) + Bytes{3, 9, 1} +            // line 10
                        Bytes{2, 4, 3, 0x7E, 1} +                    // 4 bytes on, line 8
                        Bytes{13 + 5 + 2 + 14 * 3} +                 // special: 3 bytes on, 2 lines on
                        Bytes{4, 2, 5, 7, 6, 7, 10, 11, 12, 0, 1} +  // another file; column and such say nothing
                        Bytes{2, 2, 4, 3, 8, 1} +                    // 2 + 17 bytes on, for the constant
                        Bytes{2, 3} + kEnd;
  const auto lines = decoded(custom(".debug_line", unit(version, files, program)));
  CHECK(line_at(lines, 2) == "none");
  CHECK(line_at(lines, 3) == "/src/a.c:10");
  CHECK(line_at(lines, 6) == "/src/a.c:10");
  CHECK(line_at(lines, 7) == "/src/a.c:8");
  CHECK(line_at(lines, 10) == "lib/b.h:10");
  CHECK(line_at(lines, 28) == "lib/b.h:10");
  CHECK(line_at(lines, 29) == "c.c:10");
  CHECK(line_at(lines, 31) == "c.c:10");
  CHECK(line_at(lines, 32) == "none");
}

TEST_CASE("Line tables of DWARF 5 have their names in sections of their own") {
  constexpr std::uint8_t kString = 0x08;
  constexpr std::uint8_t kLineStrp = 0x1F;
  const Bytes strings = text("/build") + text("include") + text("main.rs") + text("x.rs");
  const Bytes folders = Bytes{1, 1, kLineStrp, 2} + u32(0) + u32(7);
  // With a checksum, which is passed over.
  const Bytes sum(16, 9);
  const Bytes files = Bytes{3, 1, kLineStrp, 2, 0x0B, 5, 0x1E, 3} + (u32(15) + Bytes{0} + sum) +
                      (u32(23) + Bytes{1} + sum) + (u32(15) + Bytes{0} + sum);
  const Bytes program = set_address(3) + Bytes{4, 0, 3, 4, 1, 2, 2, 4, 1, 1, 2, 1} + kEnd;
  const Bytes sections = custom(".debug_line_str", strings) + custom(".debug_line", unit(5, folders + files, program));
  const auto lines = decoded(sections);
  CHECK(line_at(lines, 3) == "/build/main.rs:5");
  CHECK(line_at(lines, 5) == "/build/include/x.rs:5");
  CHECK(line_at(lines, 6) == "none");
  // Names in the table itself.
  const Bytes inline_names = Bytes{1, 1, kString, 1} + text("/b") + Bytes{1, 1, kString, 1} + text("m.c");
  CHECK(line_at(decoded(custom(".debug_line", unit(5, inline_names, set_address(3) + Bytes{4, 0, 1, 2, 1} + kEnd))),
                3) == "/b/m.c:1");
}

TEST_CASE("Functions that the linker took out, and what does not end, are in no line") {
  const Bytes files = old_files({}, old_file("a.c", 0));
  const auto lines_of = [&](const Bytes& program) {
    return decoded(custom(".debug_line", unit(4, files, program))).lines;
  };
  CHECK(lines_of(set_address(0) + Bytes{2, 5, 1} + kEnd).empty());
  CHECK(lines_of(set_address(0xFFFF'FFFF) + Bytes{1} + kEnd).empty());
  CHECK(lines_of(set_address(5000) + Bytes{1} + kEnd).empty());
  CHECK(lines_of(set_address(3) + Bytes{1}).empty());
  // Two units, of which the second begins where the first one ends.
  const Bytes both = unit(4, files, set_address(3) + Bytes{1, 2, 4} + kEnd) +
                     unit(4, files, set_address(7) + Bytes{3, 6, 1, 2, 1} + kEnd);
  const auto lines = decoded(custom(".debug_line", both));
  CHECK(line_at(lines, 6) == "a.c:1");
  CHECK(line_at(lines, 7) == "a.c:7");
  CHECK(line_at(lines, 8) == "none");
  CHECK(decoded({}).lines.empty());
}

TEST_CASE("Damaged line tables are read as far as they go") {
  const Bytes files = old_files(text("/src"), old_file("a.c", 1));
  const Bytes good = unit(4, files, set_address(3) + Bytes{1, 2, 4, 60, 61, 200} + kEnd);
  CHECK(decoded(custom(".debug_line", good)).lines.size() == 4);
  for (std::size_t size = 0; size < good.size(); ++size) {
    decoded(custom(".debug_line", Bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size))));
  }
  for (std::size_t at = 0; at < good.size(); ++at) {
    for (const std::uint8_t value : {0x00, 0x01, 0x05, 0x7F, 0x80, 0xFF}) {
      Bytes bad = good;
      bad[at] = value;
      for (const binary::SourceLine& line : decoded(custom(".debug_line", bad)).lines) {
        CHECK(line.offset <= kCode + 1 + kNops + 4);
      }
    }
  }
}
