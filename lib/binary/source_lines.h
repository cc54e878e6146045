// Which line of the source a byte of a module comes from: the line tables of DWARF 2 to 5 in custom sections, as
// compilers write them with -g.
//
// What is wrong with them is left out: they never reject a module. Addresses in them count from the begin of the code
// section's contents.
// Source: https://yurydelendik.github.io/webassembly-dwarf/ and DWARF 5, section 6.2
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "wasm/module.h"

namespace wasi::binary {

struct SourceLine {
  std::uint32_t offset = 0;  // in the module's bytes; the line holds up to the next one's
  std::uint32_t file = 0;    // in SourceLines::files
  std::uint32_t line = 0;    // from 1; 0: this comes from no line
  bool is_body = false;      // here a function's body begins, behind what its compiler put in front of it
};

struct SourceLines {
  std::vector<std::string> files;  // paths as the compiler wrote them
  std::vector<SourceLine> lines;   // by offset, each offset once
  // By where a unit's table begins in .debug_line: what the numbers of files in that unit mean.
  std::map<std::uint64_t, std::vector<std::uint32_t>> units;

  // What holds at a byte; null: nothing.
  [[nodiscard]] const SourceLine* find(std::uint64_t offset) const;
};

// Empty where the module has none. Throws std::bad_alloc.
SourceLines decode_source_lines(const wasm::Module& module);

}  // namespace wasi::binary
