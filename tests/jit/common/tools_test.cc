// What perf and gdb are told: read back as they read it.
#include <elf.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "jit/common/gdb_jit.h"
#include "jit/common/jitdump.h"
#include "jit/common/perf_map.h"
#include "jit/common/tool_file.h"
#include "support/temp_dir.h"

// As the debuggers' manual describes them.
extern "C" {
struct TestJitCodeEntry {
  TestJitCodeEntry* next_entry;
  TestJitCodeEntry* prev_entry;
  const char* symfile_addr;
  std::uint64_t symfile_size;
};
struct TestJitDescriptor {
  std::uint32_t version;
  std::uint32_t action_flag;
  TestJitCodeEntry* relevant_entry;
  TestJitCodeEntry* first_entry;
};
extern TestJitDescriptor descriptor_of_debuggers __asm__("__jit_debug_descriptor");
}

namespace wasi::jit {
namespace {

using wasi::test::TempDir;

// push rbp; mov rbp, rsp; mov eax, 42; pop rbp; ret
constexpr std::array<std::uint8_t, 11> kCode = {0x55, 0x48, 0x89, 0xE5, 0xB8, 42, 0, 0, 0, 0x5D, 0xC3};
constexpr std::array<std::uint8_t, 2> kOther = {0x90, 0xC3};
const std::vector<runtime::OffsetEntry> kMarks = {{0, 100}, {4, 0x1'0000'0000}};

template <class T>
T read(std::string_view bytes, std::size_t offset) {
  REQUIRE(offset <= bytes.size());
  REQUIRE(sizeof(T) <= bytes.size() - offset);
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof(T));
  return value;
}

std::uint64_t address_of(const std::uint8_t* code) { return reinterpret_cast<std::uint64_t>(code); }

TEST_CASE("a tool's file is new, its owner's alone, and no link is followed", "[tools]") {
  const TempDir dir;
  const std::string path = dir / "file";
  const int before = GENERATE(0, 1, 2, 3);
  dir.write("victim", "precious");
  if (before == 1) dir.write("file", "old");
  if (before == 2) dir.link(std::string(dir / "victim"), "file");
  if (before == 3) dir.link(std::string(dir / "nowhere"), "file");
  auto file = ToolFile::create(path);
  REQUIRE(file.has_value());
  const std::string text = "new";
  file->write({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
  CHECK_FALSE(file->failure().has_value());
  CHECK(dir.read("file") == "new");
  CHECK(dir.read("victim") == "precious");
  CHECK_FALSE(dir.has("nowhere"));
  struct stat status = {};
  REQUIRE(::lstat(path.c_str(), &status) == 0);
  CHECK(S_ISREG(status.st_mode));
  CHECK((status.st_mode & 0777) == 0600);
  CHECK((::fcntl(file->descriptor(), F_GETFD) & FD_CLOEXEC) != 0);
}

TEST_CASE("a tool's file that cannot be made is an error", "[tools]") {
  const TempDir dir;
  const auto nowhere = ToolFile::create(dir / "no/file");
  REQUIRE_FALSE(nowhere.has_value());
  CHECK(nowhere.error().kind == ErrorKind::io);
  CHECK(nowhere.error().message == "cannot create " + std::string(dir / "no/file") + ": No such file or directory");
  dir.make_directory("directory");
  const auto directory = ToolFile::create(dir / "directory");
  REQUIRE_FALSE(directory.has_value());
  CHECK(directory.error().message == "cannot replace " + std::string(dir / "directory") + ": Is a directory");
}

TEST_CASE("a full disk is the tool's failure, and nothing else", "[tools]") {
  const TempDir dir;
  auto file = ToolFile::create(dir / "file");
  REQUIRE(file.has_value());
  const int full = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
  REQUIRE(full >= 0);
  REQUIRE(::dup2(full, file->descriptor()) >= 0);
  ::close(full);
  file->write(kCode);
  REQUIRE(file->failure().has_value());
  CHECK(file->failure()->message == "cannot write " + std::string(dir / "file") + ": No space left on device");
}

TEST_CASE("perf's map has a line per function", "[tools]") {
  const TempDir dir;
  const auto map = PerfMap::create(dir / "perf.map");
  REQUIRE(map.has_value());
  (*map)->code_added({"module:add", kCode});
  (*map)->code_added({"two words\nffff 10 forged", kOther});
  (*map)->code_removed(kCode);
  CHECK_FALSE((*map)->failure().has_value());
  CHECK(dir.read("perf.map") == fmt::format("{:x} b module:add\n{:x} 2 two words\\nffff 10 forged\n",
                                            address_of(kCode.data()), address_of(kOther.data())));
}

TEST_CASE("lines of several threads stay whole", "[tools]") {
  const TempDir dir;
  const auto map = PerfMap::create(dir / "perf.map");
  REQUIRE(map.has_value());
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&map] {
      for (int i = 0; i < 200; ++i) (*map)->code_added({"name", kCode});
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::ifstream file(dir / "perf.map");
  const std::string expected = fmt::format("{:x} b name", address_of(kCode.data()));
  int lines = 0;
  for (std::string line; std::getline(file, line); ++lines) REQUIRE(line == expected);
  CHECK(lines == 800);
}

TEST_CASE("the process has one map, where perf looks for it", "[tools]") {
  const auto map = PerfMap::of_process();
  REQUIRE(map.has_value());
  CHECK(PerfMap::of_process().value() == *map);
  const std::string path = fmt::format("/tmp/perf-{}.map", ::getpid());
  (*map)->code_added({"one", kCode});
  std::ifstream file(path);
  std::string line;
  CHECK(std::getline(file, line));
  CHECK(line == fmt::format("{:x} b one", address_of(kCode.data())));
  ::unlink(path.c_str());
}

TEST_CASE("a jitdump has a header and a record for each thing", "[tools]") {
  const TempDir dir;
  const std::string path = dir / "jit.dump";
  {
    const auto dump = Jitdump::create(path);
    REQUIRE(dump.has_value());
    std::ifstream maps("/proc/self/maps");
    std::string mapping;
    while (std::getline(maps, mapping) && mapping.find(path) == std::string::npos) {
    }
    CHECK(mapping.find(" r-xp 00000000 ") != std::string::npos);
    (*dump)->code_added({"first\n", kCode, kMarks});
    (*dump)->code_added({"second", kOther});
    CHECK_FALSE((*dump)->failure().has_value());
  }
  const std::string bytes = dir.read("jit.dump");
  CHECK(read<std::uint32_t>(bytes, 0) == 0x4A695444);
  CHECK(read<std::uint32_t>(bytes, 4) == 1);
  CHECK(read<std::uint32_t>(bytes, 8) == 40);
  CHECK(read<std::uint32_t>(bytes, 12) == EM_X86_64);
  CHECK(read<std::uint32_t>(bytes, 20) == static_cast<std::uint32_t>(::getpid()));
  std::uint64_t time = read<std::uint64_t>(bytes, 24);
  CHECK(read<std::uint64_t>(bytes, 32) == 0);

  std::vector<std::pair<std::uint32_t, std::string_view>> records;
  for (std::size_t at = 40; at < bytes.size();) {
    const auto size = read<std::uint32_t>(bytes, at + 4);
    REQUIRE(size >= 16);
    REQUIRE(size <= bytes.size() - at);
    CHECK(read<std::uint64_t>(bytes, at + 8) >= time);
    time = read<std::uint64_t>(bytes, at + 8);
    records.emplace_back(read<std::uint32_t>(bytes, at), std::string_view(bytes).substr(at, size));
    at += size;
  }
  REQUIRE(records.size() == 4);
  const std::string_view lines = records[0].second;
  CHECK(records[0].first == 2);
  CHECK(read<std::uint64_t>(lines, 16) == address_of(kCode.data()));
  CHECK(read<std::uint64_t>(lines, 24) == 2);
  CHECK(read<std::uint64_t>(lines, 32) == address_of(kCode.data()));
  CHECK(read<std::uint32_t>(lines, 40) == 100);
  CHECK(lines.substr(48, 5) == std::string_view("wasm\0", 5));
  CHECK(read<std::uint64_t>(lines, 53) == address_of(kCode.data()) + 4);
  CHECK(read<std::uint32_t>(lines, 61) == 0xFFFF'FFFF);  // larger than a line can be
  CHECK(lines.substr(69) == std::string_view("wasm\0", 5));

  const auto check_load = [](std::string_view load, std::span<const std::uint8_t> code, std::uint64_t index,
                             std::string_view name) {
    CHECK(read<std::uint32_t>(load, 16) == static_cast<std::uint32_t>(::getpid()));
    CHECK(read<std::uint32_t>(load, 20) == static_cast<std::uint32_t>(::gettid()));
    CHECK(read<std::uint64_t>(load, 24) == address_of(code.data()));
    CHECK(read<std::uint64_t>(load, 32) == address_of(code.data()));
    CHECK(read<std::uint64_t>(load, 40) == code.size());
    CHECK(read<std::uint64_t>(load, 48) == index);
    const std::string rest = std::string(name) + '\0' + std::string(code.begin(), code.end());
    CHECK(load.substr(56) == rest);
  };
  CHECK(records[1].first == 0);
  check_load(records[1].second, kCode, 0, "first\\n");
  CHECK(records[2].first == 0);
  check_load(records[2].second, kOther, 1, "second");
  CHECK(records[3].first == 3);
  CHECK(records[3].second.size() == 16);
}

// The files on the debuggers' list, the newest first.
std::vector<std::string> files_on_list() {
  std::vector<std::string> files;
  const TestJitCodeEntry* before = nullptr;
  for (const TestJitCodeEntry* one = descriptor_of_debuggers.first_entry; one != nullptr; one = one->next_entry) {
    CHECK(one->prev_entry == before);
    before = one;
    files.emplace_back(one->symfile_addr, one->symfile_size);
  }
  return files;
}

Elf64_Shdr section_of(std::string_view file, std::string_view name) {
  const auto header = read<Elf64_Ehdr>(file, 0);
  const auto strings = read<Elf64_Shdr>(file, header.e_shoff + header.e_shstrndx * sizeof(Elf64_Shdr));
  for (std::size_t i = 0; i < header.e_shnum; ++i) {
    const auto section = read<Elf64_Shdr>(file, header.e_shoff + i * sizeof(Elf64_Shdr));
    if (file.substr(strings.sh_offset + section.sh_name).starts_with(std::string(name) + '\0')) return section;
  }
  FAIL("no section " << name);
  return {};
}

std::string symbol_of(std::string_view file, std::span<const std::uint8_t> code) {
  const auto header = read<Elf64_Ehdr>(file, 0);
  CHECK(std::memcmp(header.e_ident, ELFMAG, SELFMAG) == 0);
  CHECK(header.e_machine == EM_X86_64);
  const Elf64_Shdr text = section_of(file, ".text");
  CHECK(text.sh_type == SHT_NOBITS);
  CHECK(text.sh_addr == address_of(code.data()));
  CHECK(text.sh_size == code.size());
  const Elf64_Shdr symbols = section_of(file, ".symtab");
  REQUIRE(symbols.sh_size == 2 * sizeof(Elf64_Sym));
  const auto symbol = read<Elf64_Sym>(file, symbols.sh_offset + sizeof(Elf64_Sym));
  CHECK(ELF64_ST_TYPE(symbol.st_info) == STT_FUNC);
  CHECK(symbol.st_value == 0);
  CHECK(symbol.st_size == code.size());
  CHECK(read<Elf64_Shdr>(file, header.e_shoff + symbol.st_shndx * sizeof(Elf64_Shdr)).sh_addr == text.sh_addr);
  const Elf64_Shdr strings = section_of(file, ".strtab");
  const std::string_view rest = file.substr(strings.sh_offset, strings.sh_size).substr(symbol.st_name);
  return std::string(rest.substr(0, rest.find('\0')));
}

TEST_CASE("debuggers have a file for each function, while it is there", "[tools]") {
  CHECK(descriptor_of_debuggers.version == 1);
  REQUIRE(files_on_list().empty());
  {
    GdbJit gdb;
    gdb.code_added({"first", kCode});
    gdb.code_added({"second\x1b", kOther});
    CHECK(descriptor_of_debuggers.action_flag == 0);
    const auto both = files_on_list();
    REQUIRE(both.size() == 2);
    CHECK(symbol_of(both[0], kOther) == "second\\x1b");
    CHECK(symbol_of(both[1], kCode) == "first");
    {
      GdbJit of_another_engine;
      of_another_engine.code_added({"third", std::span(kCode).subspan(4)});
      CHECK(files_on_list().size() == 3);
      gdb.code_removed(kOther);
      const auto left = files_on_list();
      REQUIRE(left.size() == 2);
      CHECK(symbol_of(left[0], std::span(kCode).subspan(4)) == "third");
      CHECK(symbol_of(left[1], kCode) == "first");
    }
    CHECK(files_on_list().size() == 1);
    gdb.code_added({"again", kCode});  // another function at the same place
    const auto again = files_on_list();
    REQUIRE(again.size() == 1);
    CHECK(symbol_of(again[0], kCode) == "again");
    gdb.code_removed(kOther);  // long gone
    CHECK_FALSE(gdb.failure().has_value());
  }
  CHECK(files_on_list().empty());
}

// Where the rules of .eh_frame say, from `code_offset` on, that the caller's frame begins: a register and an offset.
struct Cfa {
  int reg = 0;
  int offset = 0;
  bool rbp_is_saved = false;
  friend bool operator==(const Cfa&, const Cfa&) = default;
};

void run_rules(std::string_view rules, std::size_t code_offset, Cfa& cfa) {
  std::size_t at = 0;
  for (std::size_t i = 0; i < rules.size();) {
    const auto rule = static_cast<std::uint8_t>(rules[i++]);
    const auto operand = [&] {
      REQUIRE(i < rules.size());
      return static_cast<std::uint8_t>(rules[i++]);
    };
    if (rule >> 6 == 1) {  // DW_CFA_advance_loc
      at += rule & 0x3F;
      if (at > code_offset) return;
    } else if (rule >> 6 == 2) {  // DW_CFA_offset: the return address below the CFA, rbp below that
      const int words = operand();
      if ((rule & 0x3F) == 16) CHECK(words == 1);
      if ((rule & 0x3F) == 6) {
        CHECK(words == 2);
        cfa.rbp_is_saved = true;
      }
    } else if (rule == 0x0C) {
      cfa.reg = operand();
      cfa.offset = operand();
    } else if (rule == 0x0D) {
      cfa.reg = operand();
    } else if (rule == 0x0E) {
      cfa.offset = operand();
    } else {
      REQUIRE(rule == 0);
    }
  }
}

Cfa cfa_at(std::span<const std::uint8_t> code, std::size_t code_offset) {
  const auto elf = describe_as_elf({"f", code});
  const std::string_view file(reinterpret_cast<const char*>(elf.data()), elf.size());
  const Elf64_Shdr section = section_of(file, ".eh_frame");
  const std::string_view frames = file.substr(section.sh_offset, section.sh_size);
  const auto common_size = read<std::uint32_t>(frames, 0);
  CHECK(read<std::uint32_t>(frames, 4) == 0);
  CHECK(read<std::uint8_t>(frames, 8) == 1);
  CHECK(read<std::uint8_t>(frames, 9) == 0);
  CHECK(read<std::uint8_t>(frames, 10) == 1);     // factor of code offsets
  CHECK(read<std::uint8_t>(frames, 11) == 0x78);  // of data offsets, -8
  CHECK(read<std::uint8_t>(frames, 12) == 16);    // the return address's column
  const std::size_t entry = 4 + common_size;
  const auto size = read<std::uint32_t>(frames, entry);
  CHECK(read<std::uint32_t>(frames, entry + 4) == entry + 4);  // the way back to the common part
  CHECK(read<std::uint64_t>(frames, entry + 8) == address_of(code.data()));
  CHECK(read<std::uint64_t>(frames, entry + 16) == code.size());
  CHECK(read<std::uint32_t>(frames, entry + 4 + size) == 0);
  CHECK(entry + 8 + size == frames.size());
  Cfa cfa;
  run_rules(frames.substr(13, 4 + common_size - 13), 0, cfa);
  run_rules(frames.substr(entry + 24, 4 + size - 24), code_offset, cfa);
  return cfa;
}

TEST_CASE("unwind rules follow the prologue, and say the chain of rbp behind it", "[tools]") {
  constexpr int kRbp = 6;
  constexpr int kRsp = 7;
  CHECK(cfa_at(kCode, 0) == Cfa{kRsp, 8, false});
  CHECK(cfa_at(kCode, 1) == Cfa{kRsp, 16, true});
  CHECK(cfa_at(kCode, 3) == Cfa{kRsp, 16, true});
  CHECK(cfa_at(kCode, 4) == Cfa{kRbp, 16, true});
  CHECK(cfa_at(kCode, 9) == Cfa{kRbp, 16, true});
  CHECK(cfa_at(kOther, 0) == Cfa{kRbp, 16, true});
}

}  // namespace
}  // namespace wasi::jit
