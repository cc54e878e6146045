// describe_as_elf: the object file for one function.

#include <elf.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/printable.h"
#include "jit/common/gdb_jit.h"

namespace wasi::jit {

namespace {

using Bytes = std::vector<std::uint8_t>;

template <class T>
void append(Bytes& out, const T& value) {
  const auto* const bytes = reinterpret_cast<const std::uint8_t*>(&value);
  out.insert(out.end(), bytes, bytes + sizeof(T));
}

void append(Bytes& out, std::initializer_list<std::uint8_t> bytes) { out.insert(out.end(), bytes); }

void align(Bytes& out, std::size_t alignment, std::uint8_t filling) {
  while (out.size() % alignment != 0) out.push_back(filling);
}

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

// Behind the prologue the CFA is rbp + 16, the return address and the caller's rbp lie below it. Of a prologue that is
// not the usual one, the same is said from the start on.
Bytes unwind_information(std::span<const std::uint8_t> code) {
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
  });
  append(out, std::uint32_t{0});  // the end
  return out;
}

void append_uleb(Bytes& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<std::uint8_t>(value | 0x80));
  out.push_back(static_cast<std::uint8_t>(value));
}

void append_sleb(Bytes& out, std::int64_t value) {
  for (; value < -64 || value > 63; value >>= 7) out.push_back(static_cast<std::uint8_t>(value | 0x80));
  out.push_back(static_cast<std::uint8_t>(value & 0x7F));
}

// Up to a zero, which none of them holds.
void append_string(Bytes& out, std::string_view text) {
  text = text.substr(0, text.find('\0'));
  out.insert(out.end(), text.begin(), text.end());
  out.push_back(0);
}

// A length in front of what `fill` appends.
template <class F>
void append_sized(Bytes& out, F&& fill) {
  const std::size_t begin = out.size();
  append(out, std::uint32_t{0});
  fill();
  const auto length = static_cast<std::uint32_t>(out.size() - begin - sizeof(std::uint32_t));
  std::memcpy(out.data() + begin, &length, sizeof(length));
}

constexpr std::uint16_t kDwarfVersion = 4;

// Where lines are known: a unit with the function in it, whose lines are the only ones of the table.
struct DebugInformation {
  Bytes abbreviations;
  Bytes information;
  Bytes lines;
};

Bytes line_table(const NamedCode& code) {
  enum : std::uint8_t { kCopy = 1, kAdvancePc = 2, kAdvanceLine = 3, kSetFile = 4, kEndSequence = 1, kSetAddress = 2 };
  std::vector<std::string_view> files;
  std::unordered_map<std::string_view, std::uint64_t> numbers;
  const auto number_of = [&](std::string_view file) {
    const auto [found, is_new] = numbers.try_emplace(file, files.size() + 1);
    if (is_new) files.push_back(file);
    return found->second;
  };
  for (const LineMark& mark : code.lines) number_of(mark.file);
  Bytes out;
  append_sized(out, [&] {
    append(out, kDwarfVersion);
    append_sized(out, [&] {
      append(out, {1, 1, 1});                                // bytes are counted; each row is a statement
      append(out, {0, 1, 13});                               // no instructions with operands in their numbers
      append(out, {0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1, 0});  // how many operands the others have; no folders
      for (const std::string_view file : files) {
        append_string(out, file.empty() ? "?" : file);
        append(out, {0, 0, 0});
      }
      out.push_back(0);
    });
    append(out, {0, 1 + sizeof(std::uint64_t), kSetAddress});
    append(out, reinterpret_cast<std::uint64_t>(code.code.data()));
    std::uint64_t file = 1;
    std::int64_t line = 1;
    std::uint32_t at = 0;
    const auto row = [&](std::uint32_t offset, const LineMark& mark) {
      out.push_back(kAdvancePc);
      append_uleb(out, offset - at);
      at = offset;
      if (const std::uint64_t number = number_of(mark.file); number != file && mark.line != 0) {
        out.push_back(kSetFile);
        append_uleb(out, number);
        file = number;
      }
      out.push_back(kAdvanceLine);
      append_sleb(out, std::int64_t{mark.line} - line);
      line = mark.line;
      out.push_back(kCopy);
    };
    // The way in belongs to the first line that there is.
    const auto first = std::ranges::find_if(code.lines, [](const LineMark& mark) { return mark.line != 0; });
    if (first != code.lines.end() && code.lines.front().code_offset != 0) row(0, *first);
    for (const LineMark& mark : code.lines) row(mark.code_offset, mark);
    out.push_back(kAdvancePc);
    append_uleb(out, code.code.size() - at);
    append(out, {0, 1, kEndSequence});
  });
  return out;
}

DebugInformation debug_information(const NamedCode& code) {
  enum : std::uint8_t { kCompileUnit = 0x11, kSubprogram = 0x2E };
  enum : std::uint8_t {
    kName = 0x03,
    kLines = 0x10,
    kLowPc = 0x11,
    kHighPc = 0x12,
    kLanguage = 0x13,
    kExternal = 0x3F
  };
  enum : std::uint8_t {
    kAddress = 0x01,
    kData2 = 0x05,
    kData8 = 0x07,
    kString = 0x08,
    kSecOffset = 0x17,
    kFlag = 0x19
  };
  constexpr std::uint16_t kC99 = 0x0C;
  DebugInformation debug;
  append(debug.abbreviations, {1, kCompileUnit, 1, kName, kString, kLanguage, kData2, kLines, kSecOffset});
  append(debug.abbreviations, {kLowPc, kAddress, kHighPc, kData8, 0, 0});
  append(debug.abbreviations, {2, kSubprogram, 0, kName, kString, kExternal, kFlag});
  append(debug.abbreviations, {kLowPc, kAddress, kHighPc, kData8, 0, 0, 0});
  const auto first = std::ranges::find_if(code.lines, [](const LineMark& mark) { return mark.line != 0; });
  Bytes& out = debug.information;
  const auto append_range = [&] {
    append(out, reinterpret_cast<std::uint64_t>(code.code.data()));
    append(out, std::uint64_t{code.code.size()});
  };
  append_sized(out, [&] {
    append(out, kDwarfVersion);
    append(out, std::uint32_t{0});  // where the abbreviations are
    append(out, {sizeof(std::uint64_t), 1});
    append_string(out, first == code.lines.end() ? "?" : first->file);
    append(out, kC99);
    append(out, std::uint32_t{0});  // where the lines are
    append_range();
    out.push_back(2);
    append_string(out, printable(code.name));
    append_range();
    out.push_back(0);
  });
  debug.lines = line_table(code);
  return debug;
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
  kAllSections
};

// Names of sections begin here in the table of strings; the symbol's name is behind them.
constexpr std::string_view kStringTable(
    "\0.text\0.eh_frame\0.symtab\0.strtab\0.debug_abbrev\0.debug_info\0.debug_line\0", 71);
constexpr std::array<std::uint32_t, kAllSections> kNames = {0, 1, 7, 17, 25, 33, 47, 59};

}  // namespace

Bytes describe_as_elf(const NamedCode& code) {
  const auto address = reinterpret_cast<std::uint64_t>(code.code.data());
  const bool has_lines = !code.lines.empty();
  const std::uint16_t section_count = has_lines ? kAllSections : kSectionCount;
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
  add_section(kEhFrame, SHT_PROGBITS, unwind_information(code.code));

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

  if (has_lines) {
    const DebugInformation debug = debug_information(code);
    add_section(kAbbreviations, SHT_PROGBITS, debug.abbreviations);
    add_section(kInformation, SHT_PROGBITS, debug.information);
    add_section(kLineTable, SHT_PROGBITS, debug.lines);
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
