// The guest's types as debuggers of the machine need them.
//
// They are copied as far as variables reach. A pointer of the guest's counts from the begin of its memory, which no
// debugger knows how to follow; so one that is a variable itself is given as the machine's own (gdb_expressions.h), and
// one within a structure, an array or behind another pointer as what it is: four bytes with the name of its type.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <utility>

#include "binary/dwarf.h"
#include "jit/common/dwarf_writer.h"

namespace wasi::jit {

class TypeWriter {
 public:
  using Label = EntryWriter::Label;

  TypeWriter(const binary::Dwarf& dwarf, EntryWriter& out) : dwarf_(dwarf), out_(out) {}

  // Of a variable's type, by its entry in the guest's information; kNone for void, and what is not known.
  Label of_variable(std::uint64_t type);
  // Of what a function returns in registers; kNone where that is not so.
  Label of_result(std::uint64_t type);
  // Whether such a variable is a pointer or reference whose target can be followed.
  [[nodiscard]] bool is_pointer(std::uint64_t type) const;
  // A type of our own. `encoding` as DwarfEncoding.
  Label base(std::string_view name, binary::DwarfEncoding encoding, std::uint8_t size);
  Label pointer_to(Label target);
  Label vector_of(Label element, std::uint8_t count);
  // Writes what was asked for, and what that needs. At the level of the unit.
  void write_pending();

 private:
  struct Pending {
    std::uint64_t type;
    bool is_variable;  // a pointer that is the machine's
    Label label;
  };
  Label of(std::uint64_t type, bool is_variable = false);
  void write(const Pending& pending);
  void write_structure(const binary::Dwarf::Unit& unit, const binary::DwarfEntry& entry, Label label);
  void write_members(const binary::Dwarf::Unit& unit, const binary::DwarfEntry& entry);
  void write_array(const binary::Dwarf::Unit& unit, const binary::DwarfEntry& entry, Label label);
  void write_enumeration(const binary::Dwarf::Unit& unit, const binary::DwarfEntry& entry, Label label);
  [[nodiscard]] std::string name_of(std::uint64_t type, unsigned depth = 0) const;
  [[nodiscard]] std::optional<binary::DwarfEntry> entry(std::uint64_t type) const;
  // The pointer that a variable of the type is, behind its names and qualifiers.
  [[nodiscard]] std::optional<std::uint64_t> pointer_in(std::uint64_t type) const;

  const binary::Dwarf& dwarf_;
  EntryWriter& out_;
  std::map<std::pair<std::uint64_t, bool>, Label> labels_;
  std::deque<Pending> pending_;
};

}  // namespace wasi::jit
