// describe_as_elf: the object file for one function.

#include <elf.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <iterator>
#include <string>
#include <string_view>

#include "base/printable.h"
#include "jit/common/dwarf_writer.h"
#include "jit/common/gdb_information.h"
#include "jit/common/gdb_jit.h"
#include "jit/common/native_abi.h"

namespace wasi::jit {

namespace {

// Numbers of DWARF for x86-64, and its call frame instructions.
enum : std::uint8_t {
  kRbp = 6,
  kRsp = 7,
  kReturnAddress = 16,
  kNop = 0x00,
  kDefineCfa = 0x0C,          // register, offset
  kDefineCfaRegister = 0x0D,  // register
  kDefineCfaOffset = 0x0E,    // offset
  kAdvance = 0x40,            // | bytes of code
  kOffset = 0x80,             // | register; offset in words
};

// A length in front of what `fill` appends, padded to words.
template <class F>
void append_entry(Bytes& out, F&& fill) {
  const std::size_t begin = out.size();
  append(out, std::uint32_t{0});
  fill();
  align(out, 8, kNop);
  const auto length = static_cast<std::uint32_t>(out.size() - begin - sizeof(std::uint32_t));
  std::memcpy(out.data() + begin, &length, sizeof(length));
}

// Bytes from `at` on that push registers, which is how all our prologues save those that are preserved.
std::size_t pushes_at(std::span<const std::uint8_t> code, std::size_t at) {
  const std::size_t begin = at;
  const auto is_push = [&](std::size_t i) { return i < code.size() && (code[i] & 0xF8) == 0x50; };
  for (;;) {
    if (is_push(at)) {
      at += 1;
    } else if (at < code.size() && code[at] == 0x41 && is_push(at + 1)) {
      at += 2;
    } else {
      return at - begin;
    }
  }
}

// Behind the prologue the CFA is rbp + 16, the return address and the caller's rbp lie below it, and below that the
// preserved registers. Of a prologue that is not the usual one, the same is said from the start on.
Bytes unwind_information(std::span<const std::uint8_t> code, const SavedRegisters& saved) {
  constexpr std::array<std::uint8_t, 4> kPrologue = {0x55, 0x48, 0x89, 0xE5};  // push rbp; mov rbp, rsp
  const bool has_prologue =
      code.size() > kPrologue.size() && std::equal(kPrologue.begin(), kPrologue.end(), code.begin());
  Bytes out;
  append_entry(out, [&] {  // the common part
    append(out, std::uint32_t{0});
    append(out, {1, 0});                     // version, no augmentation
    append(out, {1, 0x78, kReturnAddress});  // code is counted in bytes, words are negative 8 (a signed LEB128)
    append(out, {kDefineCfa, kRsp, 8, kOffset | kReturnAddress, 1});
  });
  append_entry(out, [&] {
    append(out, static_cast<std::uint32_t>(out.size()));  // back to the common part, which is in front
    append(out, reinterpret_cast<std::uint64_t>(code.data()));
    append(out, std::uint64_t{code.size()});
    if (has_prologue) append(out, {kAdvance | 1, kDefineCfaOffset, 16});
    append(out, {kOffset | kRbp, 2});
    if (has_prologue) {
      append(out, {kAdvance | 3, kDefineCfaRegister, kRbp});
    } else {
      append(out, {kDefineCfa, kRbp, 16});
    }
    // A push saves what still is in the register.
    const std::size_t pushes = has_prologue ? pushes_at(code, kPrologue.size()) : 0;
    if (pushes != 0 && pushes < kOffset - kAdvance) append(out, {static_cast<std::uint8_t>(kAdvance | pushes)});
    constexpr unsigned kWordsAboveRbp = 2;
    for (std::size_t i = 0; i < saved.size(); ++i) {
      if (saved[i] == 0) continue;
      append(out, {static_cast<std::uint8_t>(kOffset | static_cast<unsigned>(kPreservedRegisters[i]))});
      append_uleb(out, saved[i] + kWordsAboveRbp);
    }
  });
  append(out, std::uint32_t{0});  // the end
  return out;
}

// Those of debug information are there where lines are known.
enum Section : std::uint16_t {
  kNone,
  kText,
  kEhFrame,
  kSymbols,
  kStrings,
  kSectionCount,
  kAbbreviations = kSectionCount,
  kInformation,
  kLineTable,
  kLocations,
  kRanges,
  kAllSections
};

// Names of sections begin here in the table of strings; the symbol's name is behind them.
constexpr std::string_view kStringTable(
    "\0.text\0.eh_frame\0.symtab\0.strtab\0.debug_abbrev\0.debug_info\0.debug_line\0.debug_loc\0.debug_ranges\0", 96);
constexpr std::array<std::uint32_t, kAllSections> kNames = {0, 1, 7, 17, 25, 33, 47, 59, 71, 82};

}  // namespace

Bytes describe_as_elf(const NamedCode& code) {
  const auto address = reinterpret_cast<std::uint64_t>(code.code.data());
  const bool has_source = code.guest != nullptr || !code.lines.empty();
  const std::uint16_t section_count = has_source ? kAllSections : kSectionCount;
  std::array<Elf64_Shdr, kAllSections> sections = {};
  for (std::size_t i = 0; i < sections.size(); ++i) sections[i].sh_name = kNames[i];
  Bytes file(sizeof(Elf64_Ehdr));
  const auto add_section = [&](Section which, std::uint32_t type, std::span<const std::uint8_t> content) {
    align(file, 8, 0);
    sections[which].sh_type = type;
    sections[which].sh_offset = file.size();
    sections[which].sh_size = content.size();
    sections[which].sh_addralign = 8;
    file.insert(file.end(), content.begin(), content.end());
  };

  sections[kText].sh_type = SHT_NOBITS;
  sections[kText].sh_flags = SHF_ALLOC | SHF_EXECINSTR;
  sections[kText].sh_addr = address;
  sections[kText].sh_offset = file.size();
  sections[kText].sh_size = code.code.size();
  sections[kText].sh_addralign = 1;
  add_section(kEhFrame, SHT_PROGBITS,
              unwind_information(code.code, code.guest != nullptr ? code.guest->saved : SavedRegisters()));

  Bytes symbols(sizeof(Elf64_Sym));
  Elf64_Sym symbol = {};
  symbol.st_name = static_cast<std::uint32_t>(kStringTable.size());
  symbol.st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC);
  symbol.st_shndx = kText;
  symbol.st_value = 0;  // in its section
  symbol.st_size = code.code.size();
  append(symbols, symbol);
  add_section(kSymbols, SHT_SYMTAB, symbols);
  sections[kSymbols].sh_link = kStrings;
  sections[kSymbols].sh_info = 1;  // the first that is not local
  sections[kSymbols].sh_entsize = sizeof(Elf64_Sym);

  const std::string strings = std::string(kStringTable) + printable(code.name) + '\0';
  add_section(kStrings, SHT_STRTAB, {reinterpret_cast<const std::uint8_t*>(strings.data()), strings.size()});

  if (has_source) {
    const DebugInformation debug = debug_information(code);
    add_section(kAbbreviations, SHT_PROGBITS, debug.abbreviations);
    add_section(kInformation, SHT_PROGBITS, debug.information);
    add_section(kLineTable, SHT_PROGBITS, debug.lines);
    add_section(kLocations, SHT_PROGBITS, debug.locations);
    add_section(kRanges, SHT_PROGBITS, debug.ranges);
  }

  align(file, 8, 0);
  Elf64_Ehdr header = {};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_ident[EI_VERSION] = EV_CURRENT;
  header.e_type = ET_REL;
  header.e_machine = EM_X86_64;
  header.e_version = EV_CURRENT;
  header.e_shoff = file.size();
  header.e_ehsize = sizeof(Elf64_Ehdr);
  header.e_shentsize = sizeof(Elf64_Shdr);
  header.e_shnum = section_count;
  header.e_shstrndx = kStrings;
  std::memcpy(file.data(), &header, sizeof(header));
  for (const Elf64_Shdr& section : std::span(sections).first(section_count)) append(file, section);
  return file;
}

}  // namespace wasi::jit
