// What a guest's compiler wrote about its functions, variables and types: the entries of DWARF 4 and 5 in custom
// sections (.debug_info and what that points to), read one at a time.
//
// A reader of our own: libdw takes no expression with a Wasm location in it and would be loaded by each process, and
// LLVM is in the plug-in alone, while debuggers are told of the baseline's code, too.
// What is wrong with the sections is left out: they never reject a module. Addresses in them count from the begin of
// the code section's contents; all that is returned counts from the module's begin instead.
// Source: DWARF 5, section 7, and https://yurydelendik.github.io/webassembly-dwarf/
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "binary/dwarf_constants.h"
#include "wasm/module.h"

namespace wasi::binary {

class DwarfCursor;

struct DwarfValue {
  enum class Kind : std::uint8_t {
    none,       // of a form that nothing here needs
    constant,   // `number`
    flag,       // `number`: 0 or 1
    text,       // `text`
    reference,  // `number`: an entry's offset in .debug_info
    block,      // `block`: bytes, or an expression
    address,    // `number`: as it is written
    list        // `number`: in the section of lists that the attribute is about; `is_index`: or in the unit's table of
                // those
  };
  Kind kind = Kind::none;
  bool is_index = false;
  std::uint64_t number = 0;  // of a signed one two's complement
  std::string_view text = {};
  std::span<const std::uint8_t> block = {};
};

struct DwarfEntry {
  std::uint64_t offset = 0;  // in .debug_info
  std::uint64_t behind = 0;  // of the next entry: the first child, or a sibling
  DwarfTag tag = {};
  bool has_children = false;
  std::vector<std::pair<DwarfAttribute, DwarfValue>> attributes;

  [[nodiscard]] const DwarfValue* find(DwarfAttribute attribute) const;
  // Empty, or `otherwise`, where there is none of that kind.
  [[nodiscard]] std::string_view text(DwarfAttribute attribute) const;
  [[nodiscard]] std::optional<std::uint64_t> constant(DwarfAttribute attribute) const;
  [[nodiscard]] std::optional<std::uint64_t> reference(DwarfAttribute attribute) const;
  [[nodiscard]] bool flag(DwarfAttribute attribute) const;
};

struct DwarfRange {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;  // behind the last byte
};

// Where a value is while an instruction of the range is executed.
struct DwarfLocation {
  std::optional<DwarfRange> range;  // none: of the whole function
  std::span<const std::uint8_t> expression;
};

// Views into the module, which outlives it. Thread-safe once it is made. All throws std::bad_alloc alone.
class Dwarf {
 public:
  struct Unit {
    std::uint64_t begin = 0;  // of its header
    std::uint64_t first = 0;  // of its own entry
    std::uint64_t end = 0;
    unsigned version = 0;
    bool is_64 = false;
    std::uint8_t address_size = 4;
    std::uint64_t low_pc = 0;
    std::uint64_t string_offsets = 0;  // bases, in their sections
    std::uint64_t addresses = 0;
    std::uint64_t ranges = 0;
    std::uint64_t locations = 0;
    const void* abbreviations = nullptr;
    std::vector<std::uint64_t> variables;  // outside of all functions: entries
  };
  struct Function {
    DwarfRange code;
    std::uint64_t entry = 0;  // of the subprogram
    const Unit* unit = nullptr;
  };

  explicit Dwarf(const wasm::Module& module);
  ~Dwarf();
  Dwarf(const Dwarf&) = delete;
  Dwarf& operator=(const Dwarf&) = delete;

  // The one whose code this byte of the module belongs to; null: nothing is known of it.
  [[nodiscard]] const Function* function_at(std::uint64_t offset) const;
  [[nodiscard]] const Unit* unit_of(std::uint64_t entry) const;
  // Empty at the end of a list of siblings, and where there is none.
  [[nodiscard]] std::optional<DwarfEntry> entry(const Unit& unit, std::uint64_t offset) const;
  // Those below it, in order. The end of a nested list is found by reading it.
  [[nodiscard]] std::vector<DwarfEntry> children(const Unit& unit, const DwarfEntry& entry) const;
  // The code that a function, block or unit has. What lies outside of the code section is left out.
  [[nodiscard]] std::vector<DwarfRange> ranges(const Unit& unit, const DwarfEntry& entry) const;
  [[nodiscard]] std::vector<DwarfLocation> locations(const Unit& unit, const DwarfValue& value) const;
  // The number of an address that an expression names by its index.
  [[nodiscard]] std::uint64_t address(const Unit& unit, std::uint64_t index) const;

 private:
  struct Abbreviation;
  class Abbreviations;
  struct Lists;

  void read_unit(DwarfCursor& header, std::uint64_t begin, std::uint64_t end, bool is_64);
  void scan(Unit& unit);
  const Abbreviations* abbreviations_at(std::uint64_t offset);
  [[nodiscard]] DwarfValue value(const Unit& unit, DwarfForm form, std::int64_t implicit, DwarfCursor& cursor,
                                 unsigned depth = 0) const;
  [[nodiscard]] std::uint64_t list_at(const Unit& unit, const DwarfValue& value, std::span<const std::uint8_t> section,
                                      std::uint64_t base) const;
  // Calls `found(begin, end, expression)` of each entry of the list at `at`.
  template <class F>
  void walk_list(const Unit& unit, const Lists& lists, std::uint64_t at, F&& found) const;
  [[nodiscard]] std::optional<DwarfRange> in_code(std::uint64_t begin, std::uint64_t end) const;

  wasm::ByteRange code_;
  std::span<const std::uint8_t> info_;
  std::span<const std::uint8_t> abbreviations_;
  std::span<const std::uint8_t> strings_;
  std::span<const std::uint8_t> line_strings_;
  std::span<const std::uint8_t> string_offsets_;
  std::span<const std::uint8_t> addresses_;
  std::span<const std::uint8_t> old_ranges_;
  std::span<const std::uint8_t> ranges_;
  std::span<const std::uint8_t> old_locations_;
  std::span<const std::uint8_t> locations_;
  std::map<std::uint64_t, Abbreviations> tables_;
  std::map<std::uint64_t, Unit> units_;  // by their begin
  std::vector<Function> functions_;      // in order
};

}  // namespace wasi::binary
