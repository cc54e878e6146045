#include "binary/source_lines.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <optional>
#include <string_view>
#include <tuple>
#include <utility>

#include "binary/dwarf_constants.h"
#include "binary/dwarf_cursor.h"

namespace wasi::binary {

namespace {

using Bytes = std::span<const std::uint8_t>;
using Cursor = DwarfCursor;

enum : std::uint8_t {
  kCopy = 1,
  kAdvancePc,
  kAdvanceLine,
  kSetFile,
  kSetColumn,
  kNegate,
  kBasicBlock,
  kAddPc,
  kFixedPc,
  kPrologueEnd
};
enum : std::uint8_t { kExtended = 0, kEndSequence = 1, kSetAddress = 2 };
enum : std::uint8_t { kPath = 1, kDirectoryIndex = 2 };

class Decoder {
 public:
  explicit Decoder(const wasm::Module& module) {
    for (const wasm::Section& section : module.sections) {
      if (section.id == 10) code_ = section.payload;
    }
    lines_ = dwarf_section(module, ".debug_line");
    strings_ = dwarf_section(module, ".debug_str");
    line_strings_ = dwarf_section(module, ".debug_line_str");
  }

  SourceLines decode() && {
    Cursor cursor(lines_);
    while (!cursor.at_end()) {
      const std::uint64_t begin = lines_.size() - cursor.left();
      std::uint64_t length = cursor.fixed<std::uint32_t>();
      is_64_ = length == 0xFFFF'FFFF;
      if (is_64_) length = cursor.fixed<std::uint64_t>();
      const Bytes unit = cursor.take(length);
      if (!cursor.ok()) break;
      decode_unit(Cursor(unit));
      out_.units.emplace(begin, std::exchange(files_, {}));
    }
    // Where one sequence begins at the end of another, it is the begin that counts.
    std::vector<std::uint32_t> order(rows_.size());
    std::iota(order.begin(), order.end(), 0U);
    std::ranges::sort(order, {}, [&](std::uint32_t i) { return std::tuple(rows_[i].offset, rows_[i].line != 0, i); });
    auto& lines = out_.lines;
    for (const std::uint32_t i : order) {
      if (!lines.empty() && lines.back().offset == rows_[i].offset) lines.pop_back();
      lines.push_back(rows_[i]);
    }
    return std::move(out_);
  }

 private:
  struct Format {
    std::uint64_t content = 0;
    std::uint64_t form = 0;
  };

  struct Value {
    std::uint64_t number = 0;
    std::string_view text;
  };
  // Empty for a form that is not known.
  std::optional<Value> value(Cursor& cursor, std::uint64_t form) {
    switch (DwarfForm{static_cast<std::uint16_t>(form)}) {
      case DwarfForm::string:
        return Value{.text = cursor.string()};
      case DwarfForm::line_strp:
        return Value{.text = dwarf_string(line_strings_, cursor.offset(is_64_))};
      case DwarfForm::strp:
        return Value{.text = dwarf_string(strings_, cursor.offset(is_64_))};
      case DwarfForm::udata:
        return Value{.number = cursor.uleb(), .text = {}};
      case DwarfForm::data1:
        return Value{.number = cursor.fixed<std::uint8_t>(), .text = {}};
      case DwarfForm::data2:
        return Value{.number = cursor.fixed<std::uint16_t>(), .text = {}};
      case DwarfForm::data4:
        return Value{.number = cursor.fixed<std::uint32_t>(), .text = {}};
      case DwarfForm::data8:
        return Value{.number = cursor.fixed<std::uint64_t>(), .text = {}};
      case DwarfForm::data16:
        cursor.take(16);
        return Value{};
      case DwarfForm::block:
        cursor.take(cursor.uleb());
        return Value{};
      default:
        return std::nullopt;
    }
  }

  // A table of DWARF 5: (path, directory).
  bool read_table(Cursor& cursor, std::vector<std::pair<std::string, std::uint64_t>>& table) {
    std::vector<Format> formats(cursor.fixed<std::uint8_t>());
    for (Format& format : formats) {
      format.content = cursor.uleb();
      format.form = cursor.uleb();
    }
    const std::uint64_t count = cursor.uleb();
    if (formats.empty()) return cursor.ok() && count == 0;
    for (std::uint64_t i = 0; i < count && cursor.ok(); ++i) {
      auto& entry = table.emplace_back();
      for (const Format& format : formats) {
        const auto read = value(cursor, format.form);
        if (!read) return false;
        if (format.content == kPath) entry.first = read->text;
        if (format.content == kDirectoryIndex) entry.second = read->number;
      }
    }
    return cursor.ok();
  }

  static std::string join(const std::string& directory, std::string_view name) {
    // So that a few bytes do not stand for many.
    constexpr std::size_t kLongest = 4096;
    if (directory.empty() || directory.size() > kLongest || name.starts_with('/')) return std::string(name);
    return directory + "/" + std::string(name);
  }

  std::uint32_t file_number(std::string path) {
    const auto [found, is_new] = numbers_.try_emplace(std::move(path), static_cast<std::uint32_t>(out_.files.size()));
    if (is_new) out_.files.push_back(found->first);
    return found->second;
  }

  // The unit's files, as its rows number them.
  bool read_files(Cursor& header, unsigned version) {
    files_.clear();
    std::vector<std::pair<std::string, std::uint64_t>> directories;
    if (version >= 5) {
      std::vector<std::pair<std::string, std::uint64_t>> files;
      if (!read_table(header, directories) || !read_table(header, files)) return false;
      // All but the first are within the first, where they do not begin at the root.
      for (std::size_t i = 1; i < directories.size(); ++i) {
        directories[i].first = join(directories[0].first, directories[i].first);
      }
      for (const auto& [name, directory] : files) {
        const std::string in = directory < directories.size() ? directories[directory].first : std::string();
        files_.push_back(file_number(join(in, name)));
      }
      return true;
    }
    directories.emplace_back();  // where the compiler ran, which stands elsewhere
    for (;;) {
      const std::string_view directory = header.string();
      if (directory.empty()) break;
      directories.emplace_back(directory, 0);
    }
    files_.push_back(file_number(""));  // there is no number 0
    for (;;) {
      const std::string_view name = header.string();
      if (name.empty()) break;
      const std::uint64_t directory = header.uleb();
      header.uleb();  // when it was changed
      header.uleb();  // how long it is
      files_.push_back(
          file_number(join(directory < directories.size() ? directories[directory].first : std::string(), name)));
    }
    return header.ok();
  }

  void decode_unit(Cursor unit) {
    const auto version = unit.fixed<std::uint16_t>();
    if (version < 2 || version > 5) return;
    if (version >= 5) unit.take(2);  // sizes of addresses and segment selectors
    Cursor header(unit.take(unit.offset(is_64_)));
    least_instruction_ = header.fixed<std::uint8_t>();
    if (version >= 4) header.take(1);  // operations per instruction
    header.take(1);                    // is_stmt
    line_base_ = header.fixed<std::int8_t>();
    line_range_ = header.fixed<std::uint8_t>();
    opcode_base_ = header.fixed<std::uint8_t>();
    operand_counts_.assign(opcode_base_, 0);
    for (std::size_t i = 1; i < opcode_base_; ++i) operand_counts_[i] = header.fixed<std::uint8_t>();
    if (!header.ok() || line_range_ == 0 || opcode_base_ == 0 || !read_files(header, version)) return;
    run(unit);
  }

  struct Row {
    std::uint64_t address = 0;
    std::uint64_t file = 1;
    std::uint64_t line = 1;
    bool is_body = false;
  };

  void run(Cursor& program) {
    Row row;
    std::vector<SourceLine> sequence;
    bool is_whole = true;
    const auto add = [&](bool is_end) {
      if (row.address >= code_.size && !(is_end && row.address == code_.size)) {
        is_whole = false;  // of a function that was left out of the module
        return;
      }
      // Of several rows for one byte of a sequence the last is meant: the others have no instruction.
      const std::uint32_t offset = code_.offset + static_cast<std::uint32_t>(row.address);
      if (!sequence.empty() && sequence.back().offset == offset) {
        row.is_body |= sequence.back().is_body;
        sequence.pop_back();
      }
      const std::uint32_t file = row.file < files_.size() ? files_[static_cast<std::size_t>(row.file)] : 0;
      const bool is_known = !is_end && row.file < files_.size() && row.line <= UINT32_MAX;
      sequence.push_back({offset, file, is_known ? static_cast<std::uint32_t>(row.line) : 0, row.is_body});
      row.is_body = false;
    };
    while (!program.at_end()) {
      const auto opcode = program.fixed<std::uint8_t>();
      if (opcode >= opcode_base_) {
        const unsigned adjusted = opcode - opcode_base_;
        row.address += std::uint64_t{adjusted / line_range_} * least_instruction_;
        row.line += static_cast<std::uint64_t>(static_cast<std::int64_t>(line_base_) + adjusted % line_range_);
        add(false);
        continue;
      }
      switch (opcode) {
        case kExtended: {
          Cursor operands(program.take(program.uleb()));
          const auto which = operands.fixed<std::uint8_t>();
          if (which == kSetAddress) {
            row.address = operands.fixed<std::uint32_t>();
            // What the linker took out begins at no address. (No instruction is at 0: the number of bodies is there.)
            is_whole = is_whole && row.address != 0;
          } else if (which == kEndSequence) {
            add(true);
            if (is_whole) rows_.insert(rows_.end(), sequence.begin(), sequence.end());
            sequence.clear();
            row = {};
            is_whole = true;
          }
          break;
        }
        case kCopy:
          add(false);
          break;
        case kAdvancePc:
          row.address += program.uleb() * least_instruction_;
          break;
        case kAdvanceLine:
          row.line += static_cast<std::uint64_t>(program.sleb());
          break;
        case kSetFile:
          row.file = program.uleb();
          break;
        case kAddPc:
          row.address += std::uint64_t{(255U - opcode_base_) / line_range_} * least_instruction_;
          break;
        case kPrologueEnd:
          row.is_body = true;
          break;
        case kFixedPc:
          row.address += program.fixed<std::uint16_t>();
          break;
        default:
          for (unsigned i = 0; i < operand_counts_[opcode]; ++i) program.uleb();
      }
    }
  }

  wasm::ByteRange code_;
  Bytes lines_;
  Bytes strings_;
  Bytes line_strings_;
  std::vector<SourceLine> rows_;
  SourceLines out_;
  std::map<std::string, std::uint32_t> numbers_;

  // Of the unit that is read.
  bool is_64_ = false;
  std::vector<std::uint32_t> files_;
  std::uint8_t least_instruction_ = 1;
  std::int8_t line_base_ = 0;
  std::uint8_t line_range_ = 1;
  std::uint8_t opcode_base_ = 1;
  std::vector<std::uint8_t> operand_counts_;
};

}  // namespace

const SourceLine* SourceLines::find(std::uint64_t offset) const {
  const auto behind = std::ranges::upper_bound(lines, offset, {}, &SourceLine::offset);
  if (behind == lines.begin()) return nullptr;
  const SourceLine& line = *(behind - 1);
  return line.line == 0 ? nullptr : &line;
}

SourceLines decode_source_lines(const wasm::Module& module) { return Decoder(module).decode(); }

}  // namespace wasi::binary
