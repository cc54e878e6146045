// wasirun objdump: sections, disassembly with byte offsets, bytes, and names.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/byte_reader.h"
#include "base/result.h"
#include "binary/decoder.h"
#include "binary/names.h"
#include "text/print_instruction.h"
#include "text/print_literal.h"
#include "text/print_names.h"
#include "text/print_types.h"
#include "tools/wasirun/commands.h"
#include "tools/wasirun/load.h"
#include "tools/wasirun/report.h"

namespace wasirun {

namespace {

namespace wasm = wasi::wasm;
namespace text = wasi::text;
using wasi::base::ByteReader;

constexpr std::uint8_t kCustomSection = 0;
constexpr std::uint8_t kStartSection = 8;
constexpr std::size_t kRow = 9;  // bytes of an instruction in a line
constexpr std::size_t kHexRow = 16;

// Names may hold anything: as in the text format, what confuses a terminal is escaped.
std::string quoted(std::string_view name) {
  std::string out;
  text::append_name_string(out, name);
  return out;
}

class Dump {
 public:
  Dump(const ObjdumpCommand& command, const wasm::Module& module) : command_(command), module_(module) {}

  wasi::Result<void> run() {
    print_stdout("{}: WebAssembly module, {} bytes\n", wasirun::name_of(command_.file), module_.bytes.data.size());
    if (command_.headers) headers();
    if (command_.disassemble && is_chosen("code")) WASI_TRY(disassemble());
    if (command_.contents) contents();
    if (command_.names) names();
    return {};
  }

 private:
  [[nodiscard]] bool is_chosen(std::string_view section) const {
    return command_.section.empty() || command_.section == section;
  }
  [[nodiscard]] static std::string_view name_of(const wasm::Section& section) {
    return section.id == kCustomSection ? section.name : wasi::binary::section_name(section.id);
  }

  void headers() const {
    print_stdout("\nSections:\n  {:>3}  {:<12} {:>10} {:>10} {:>10} {:>8}\n", "#", "name", "start", "end", "size",
                 "entries");
    std::size_t number = 0;
    for (const wasm::Section& section : module_.sections) {
      const std::size_t index = number++;
      if (!is_chosen(name_of(section))) continue;
      const std::uint32_t end = section.payload.offset + section.payload.size;
      print_stdout("  {:>3}  {:<12} {:#010x} {:#010x} {:>10}", index, wasi::binary::section_name(section.id),
                   section.payload.offset, end, section.payload.size);
      if (section.id == kCustomSection) {
        print_stdout(" {}\n", quoted(section.name));
      } else {
        print_stdout(" {:>8}\n", section.id == kStartSection ? 1 : count_of(section));
      }
    }
  }

  [[nodiscard]] std::uint32_t count_of(const wasm::Section& section) const {
    return text::reader_of(module_, section.payload).u32("number of entries");
  }

  wasi::Result<void> disassemble() {
    text::ModuleIdentifiers identifiers(module_);
    const text::TypeText types(module_, identifiers);
    text::InstructionText instructions(module_, identifiers, types);
    print_stdout("\nDisassembly:\n");
    for (std::uint32_t i = 0; i < module_.bodies.size(); ++i) {
      const std::uint32_t function = module_.imported_functions + i;
      const wasm::FunctionBody& body = module_.bodies[i];
      const text::Identifiers locals = identifiers.locals(function);
      line_ = fmt::format("\n{:06x} func", body.offset);
      identifiers.functions.append_definition(line_, function);
      types.append_type_use(line_, module_.functions[function].value, &locals);
      print_stdout("{}:\n", line_);
      ByteReader reader = text::reader_of(module_, {body.offset, body.size});
      local_groups(reader, types, types.counts(module_.functions[function].value).params);
      instructions.begin_function(function, locals);
      bool has_ended = false;
      while (reader.ok() && !reader.at_end() && write_stdout({})) {
        if (has_ended) {
          reader.fail(wasi::ErrorKind::malformed, "END opcode expected: more bytes follow the body's last end");
          break;
        }
        const std::uint64_t start = reader.offset();
        const std::size_t depth = instructions.depth();
        line_.clear();
        const text::Instruction instruction = instructions.append(line_, reader);
        if (!reader.ok()) break;
        has_ended = instruction.ends_all;
        const bool is_out = instruction.role == text::BlockRole::arm || instruction.role == text::BlockRole::close;
        print_row(start, reader.offset(), is_out ? depth - 1 : depth);
      }
      if (!reader.ok()) return std::unexpected(reader.take_error());
    }
    return {};
  }

  void local_groups(ByteReader& reader, const text::TypeText& types, std::uint64_t first) {
    std::uint64_t start = reader.offset();
    const std::uint32_t groups = reader.u32("count of local declarations");
    for (std::uint32_t i = 0; i < groups && reader.ok(); ++i) {
      const std::uint32_t count = reader.u32("count of locals");
      line_ = fmt::format("local[{}..{}] ", first, first + count - 1);
      if (count <= 1) line_ = fmt::format("local[{}] ", first);
      types.append_value_type(line_, reader);
      if (!reader.ok()) return;
      if (count != 0) print_row(start, reader.offset(), 1);
      first += count;
      start = reader.offset();
    }
  }

  // line_ beside the bytes that it stands for.
  void print_row(std::uint64_t start, std::uint64_t end, std::size_t depth) {
    std::string bytes;
    for (std::uint64_t row = start; row < end; row += kRow) {
      bytes.clear();
      for (std::uint64_t at = row; at < std::min(end, row + kRow); ++at) {
        fmt::format_to(std::back_inserter(bytes), "{:02x} ", module_.bytes.data[at]);
      }
      print_stdout(" {:06x}: {:<{}}|", row, bytes, kRow * 3);
      if (row == start) print_stdout(" {:{}}{}", "", 2 * std::min<std::size_t>(depth > 0 ? depth - 1 : 0, 40), line_);
      write_stdout("\n");
    }
  }

  void contents() const {
    for (const wasm::Section& section : module_.sections) {
      if (!is_chosen(name_of(section))) continue;
      print_stdout("\nContents of section {}{}:\n", wasi::binary::section_name(section.id),
                   section.id == kCustomSection ? " " + quoted(section.name) : "");
      hex_dump(section.payload);
    }
  }

  void hex_dump(wasm::ByteRange range) const {
    for (std::uint32_t row = 0; row < range.size && write_stdout({}); row += kHexRow) {
      std::string hex;
      std::string plain;
      const auto size = static_cast<std::uint32_t>(std::min<std::size_t>(kHexRow, range.size - row));
      for (const std::uint8_t byte : module_.view({range.offset + row, size})) {
        fmt::format_to(std::back_inserter(hex), "{}{:02x}", hex.size() % 5 == 4 ? " " : "", byte);
        plain += byte >= ' ' && byte < 0x7F ? static_cast<char>(byte) : '.';
      }
      print_stdout(" {:06x}: {:<39}  {}\n", range.offset + row, hex, plain);
    }
  }

  void names() const {
    using wasi::binary::NameKind;
    const wasi::binary::NameSection section(module_);
    print_stdout("\nNames:\n");
    if (!section.module_name().empty()) print_stdout("  module {}\n", quoted(section.module_name()));
    for (std::uint8_t i = 1; i < wasi::binary::kNameKinds && write_stdout({}); ++i) {
      const auto kind = static_cast<NameKind>(i);
      const std::string_view what = wasi::binary::name_of(kind);
      if (!is_indirect(kind)) {
        for (const auto& [index, name] : section.names(kind)) print_stdout("  {}[{}] {}\n", what, index, quoted(name));
        continue;
      }
      const wasi::binary::IndirectNames all = section.indirect(kind);
      const std::string_view of = kind == NameKind::field ? "type" : "function";
      for (const std::uint32_t outer : all.outer_indices()) {
        for (const auto& [index, name] : all.of(outer)) {
          print_stdout("  {}[{}] {}[{}] {}\n", of, outer, what, index, quoted(name));
        }
      }
    }
  }

  const ObjdumpCommand& command_;
  const wasm::Module& module_;
  std::string line_;
};

}  // namespace

int objdump(const ObjdumpCommand& command) {
  const auto module = decode_module(command.file);
  if (!module) return file_failure(command.file, module.error());
  if (!command.section.empty() && std::ranges::none_of((*module)->sections, [&](const wasm::Section& section) {
        return (section.id == kCustomSection ? section.name : wasi::binary::section_name(section.id)) ==
               command.section;
      })) {
    return failure("{}: there is no section {}", name_of(command.file), command.section);
  }
  if (const auto dumped = Dump(command, **module).run(); !dumped) {
    return file_failure(command.file, dumped.error());
  }
  return kSuccess;
}

}  // namespace wasirun
