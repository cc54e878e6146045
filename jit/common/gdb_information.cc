#include "jit/common/gdb_information.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/printable.h"
#include "binary/names.h"
#include "jit/common/gdb_expressions.h"
#include "jit/common/gdb_types.h"

namespace wasi::jit {

namespace {

using binary::Dwarf;
using binary::DwarfAttribute;
using binary::DwarfEncoding;
using binary::DwarfEntry;
using binary::DwarfLocation;
using binary::DwarfOp;
using binary::DwarfRange;
using binary::DwarfTag;
using binary::DwarfValue;

constexpr std::uint16_t kDwarfVersion = 4;
constexpr std::uint16_t kC99 = 0x0C;
// Each function's object file has those of its unit.
constexpr std::size_t kMostGlobals = 256;
constexpr unsigned kMostNested = 64;
constexpr const char* kMemoryName = "__memory";

// Numbers of source files, in the order in which they were asked for.
class Files {
 public:
  std::uint64_t number_of(std::string_view path) {
    const auto [found, is_new] = numbers_.try_emplace(path, paths_.size() + 1);
    if (is_new) paths_.push_back(path);
    return found->second;
  }
  [[nodiscard]] const std::vector<std::string_view>& paths() const { return paths_; }

 private:
  std::vector<std::string_view> paths_;
  std::unordered_map<std::string_view, std::uint64_t> numbers_;
};

const LineMark* first_line(const NamedCode& code) {
  const auto found = std::ranges::find_if(code.lines, [](const LineMark& mark) { return mark.line != 0; });
  return found != code.lines.end() ? &*found : nullptr;
}

Bytes line_table(const NamedCode& code, Files& files) {
  enum : std::uint8_t {
    kCopy = 1,
    kAdvancePc = 2,
    kAdvanceLine = 3,
    kSetFile = 4,
    kPrologueEnd = 10,
    kEndSequence = 1,
    kSetAddress = 2
  };
  for (const LineMark& mark : code.lines) files.number_of(mark.file);
  Bytes out;
  append_sized(out, [&] {
    append(out, kDwarfVersion);
    append_sized(out, [&] {
      append(out, {1, 1, 1});                                // bytes are counted; each row is a statement
      append(out, {0, 1, 13});                               // no instructions with operands in their numbers
      append(out, {0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1, 0});  // how many operands the others have; no folders
      for (const std::string_view file : files.paths()) {
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
      if (const std::uint64_t number = files.number_of(mark.file); number != file && mark.line != 0) {
        out.push_back(kSetFile);
        append_uleb(out, number);
        file = number;
      }
      out.push_back(kAdvanceLine);
      append_sleb(out, std::int64_t{mark.line} - line);
      line = mark.line;
      out.push_back(kCopy);
    };
    // The way in belongs to the first line that there is, up to the body: debuggers put breakpoints at functions where
    // their second row begins.
    const LineMark* const first = first_line(code);
    const auto body = std::ranges::find(code.lines, true, &LineMark::is_body);
    const bool has_body = body != code.lines.end() && body->code_offset != 0;
    if (first != nullptr && (has_body || code.lines.front().code_offset != 0)) row(0, *first);
    for (auto mark = has_body ? body : code.lines.begin(); mark != code.lines.end(); ++mark) {
      if (mark->is_body) out.push_back(kPrologueEnd);
      row(mark->code_offset, *mark);
    }
    out.push_back(kAdvancePc);
    append_uleb(out, code.code.size() - at);
    append(out, {0, 1, kEndSequence});
  });
  return out;
}

class InformationWriter {
 public:
  explicit InformationWriter(const NamedCode& code) : code_(code) {
    if (code.guest == nullptr) return;
    const GuestFunction& guest = *code.guest;
    function_ = guest.dwarf.function_at(guest.module.body(guest.index).offset);
    if (function_ == nullptr) return;
    entry_ = guest.dwarf.entry(*function_->unit, function_->entry);
    unit_entry_ = guest.dwarf.entry(*function_->unit, function_->unit->first);
    if (!entry_ || !unit_entry_) function_ = nullptr;
  }

  DebugInformation write() && {
    append_sized(debug_.information, [this] {
      append(debug_.information, kDwarfVersion);
      append(debug_.information, std::uint32_t{0});  // where the abbreviations are
      append(debug_.information, {sizeof(std::uint64_t), 1});
      EntryWriter out(debug_.information);
      out_ = &out;
      write_unit();
      debug_.abbreviations = out.finish();
    });
    debug_.lines = line_table(code_, files_);
    return std::move(debug_);
  }

 private:
  // References are counted from the unit's begin, which is where .debug_info begins.
  void write_unit() {
    const LineMark* const first = first_line(code_);
    out_->begin(DwarfTag::compile_unit, true);
    out_->text(DwarfAttribute::name, first != nullptr ? first->file : "?");
    std::uint64_t language = kC99;
    if (function_ != nullptr) {
      language = unit_entry_->constant(DwarfAttribute::language).value_or(kC99);
      const std::string_view folder = unit_entry_->text(DwarfAttribute::comp_dir);
      if (!folder.empty()) out_->text(DwarfAttribute::comp_dir, folder);
    }
    out_->number(DwarfAttribute::language, language);
    out_->list(DwarfAttribute::stmt_list, 0);
    write_range();
    if (function_ != nullptr) {
      write_guest_function();
    } else {
      write_wasm_function();
    }
    out_->end();
  }

  void write_range() {
    out_->address(DwarfAttribute::low_pc, reinterpret_cast<std::uint64_t>(code_.code.data()));
    out_->size(DwarfAttribute::high_pc, code_.code.size());
  }

  // The function itself, without what is in it.
  void begin_function(bool has_children, EntryWriter::Label result) {
    out_->begin(DwarfTag::subprogram, has_children);
    out_->text(DwarfAttribute::name, printable(code_.name));
    out_->flag(DwarfAttribute::external);
    out_->reference(DwarfAttribute::type, result);
    write_range();
  }

  // --- as the guest's compiler described it

  void write_guest_function() {
    const Dwarf& dwarf = code_.guest->dwarf;
    TypeWriter types(dwarf, *out_);
    types_ = &types;
    const DwarfValue* const base = through(*entry_, DwarfAttribute::frame_base);
    const ExpressionTranslator translator(code_, function_->unit,
                                          base != nullptr ? base->block : std::span<const std::uint8_t>());
    translator_ = &translator;
    write_memory();
    const DwarfValue* const result = through(*entry_, DwarfAttribute::type);
    begin_function(true, result != nullptr ? types.of_result(result->number) : EntryWriter::kNone);
    write_children(*entry_, 0);
    out_->end();
    std::size_t count = 0;
    for (const std::uint64_t variable : function_->unit->variables) {
      if (count++ == kMostGlobals) break;
      if (const auto found = dwarf.entry(*function_->unit, variable)) write_global(*found);
    }
    for (const auto& [origin, label] : origins_) {
      const Dwarf::Unit* const unit = dwarf.unit_of(origin);
      const auto found = unit != nullptr ? dwarf.entry(*unit, origin) : std::nullopt;
      const DwarfValue* const name = found ? through(*found, DwarfAttribute::name) : nullptr;
      constexpr std::uint64_t kInlined = 1;
      out_->begin(DwarfTag::subprogram, false, label);
      out_->text(DwarfAttribute::name, name != nullptr ? printable(name->text) : "?");
      out_->number(DwarfAttribute::inline_, kInlined);
    }
    types.write_pending();
  }

  // Linear memory, as what the pointers in it count from.
  void write_memory() {
    Bytes base = translator_->memory_base();
    if (base.empty()) return;
    base.push_back(static_cast<std::uint8_t>(DwarfOp::stack_value));
    const auto byte = types_->base("__byte", DwarfEncoding::unsigned_, 1);
    const auto type = types_->pointer_to(byte);
    out_->begin(DwarfTag::variable, false);
    out_->text(DwarfAttribute::name, kMemoryName);
    out_->reference(DwarfAttribute::type, type);
    out_->flag(DwarfAttribute::external);
    out_->expression(DwarfAttribute::location, base);
  }

  // The entry's own attribute, or that of what it is an instance of; null: neither has one.
  const DwarfValue* through(const DwarfEntry& entry, DwarfAttribute attribute) {
    const DwarfEntry* at = &entry;
    for (unsigned depth = 0; depth < kMostNested; ++depth) {
      if (const DwarfValue* const value = at->find(attribute)) return value;
      auto origin = at->reference(DwarfAttribute::abstract_origin);
      if (!origin) origin = at->reference(DwarfAttribute::specification);
      if (!origin) return nullptr;
      auto known = kept_.find(*origin);
      if (known == kept_.end()) {
        const Dwarf::Unit* const unit = code_.guest->dwarf.unit_of(*origin);
        auto found = unit != nullptr ? code_.guest->dwarf.entry(*unit, *origin) : std::nullopt;
        if (!found) return nullptr;
        known = kept_.emplace(*origin, *std::move(found)).first;
      }
      at = &known->second;
    }
    return nullptr;
  }

  void write_children(const DwarfEntry& entry, unsigned depth) {
    if (depth == kMostNested) return;
    for (const DwarfEntry& child : code_.guest->dwarf.children(*function_->unit, entry)) {
      switch (child.tag) {
        case DwarfTag::formal_parameter:
        case DwarfTag::variable:
          write_variable(child);
          break;
        case DwarfTag::lexical_block:
        case DwarfTag::inlined_subroutine:
          write_block(child, depth);
          break;
        default:
          break;
      }
    }
  }

  // A block without code of its own, or of a function that was taken in.
  void write_block(const DwarfEntry& entry, unsigned depth) {
    const std::vector<DwarfRange> guest = code_.guest->dwarf.ranges(*function_->unit, entry);
    const std::vector<CodeRange> ranges = translator_->ranges(guest);
    if (ranges.empty()) return;
    out_->begin(entry.tag, true);
    if (const auto origin = entry.reference(DwarfAttribute::abstract_origin);
        origin && entry.tag == DwarfTag::inlined_subroutine) {
      EntryWriter::Label& label = origins_[*origin];
      if (label == EntryWriter::kNone) label = out_->new_label();
      out_->reference(DwarfAttribute::abstract_origin, label);
      if (const auto line = entry.constant(DwarfAttribute::call_line)) {
        if (const auto file = file_of(entry.constant(DwarfAttribute::call_file))) {
          out_->number(DwarfAttribute::call_file, *file);
          out_->number(DwarfAttribute::call_line, *line);
        }
      }
    }
    out_->list(DwarfAttribute::ranges, debug_.ranges.size());
    for (const CodeRange& range : ranges) {
      append(debug_.ranges, std::uint64_t{range.begin});
      append(debug_.ranges, std::uint64_t{range.end});
    }
    append(debug_.ranges, std::uint64_t{0});
    append(debug_.ranges, std::uint64_t{0});
    write_children(entry, depth + 1);
    out_->end();
  }

  // In our table, from the number in the unit's.
  std::optional<std::uint64_t> file_of(std::optional<std::uint64_t> number) {
    const DwarfValue* const table = unit_entry_->find(DwarfAttribute::stmt_list);
    if (!number || table == nullptr) return std::nullopt;
    const binary::SourceLines& lines = code_.guest->lines;
    const auto found = lines.units.find(table->number);
    if (found == lines.units.end() || *number >= found->second.size()) return std::nullopt;
    return files_.number_of(lines.files[found->second[static_cast<std::size_t>(*number)]]);
  }

  void write_variable(const DwarfEntry& entry) {
    const DwarfValue* const name = through(entry, DwarfAttribute::name);
    const DwarfValue* const type = through(entry, DwarfAttribute::type);
    if (name == nullptr || name->text.empty() || type == nullptr) return;
    const auto label = types_->of_variable(type->number);
    out_->begin(entry.tag, false);
    out_->text(DwarfAttribute::name, printable(name->text));
    out_->reference(DwarfAttribute::type, label);
    const bool is_pointer = types_->is_pointer(type->number);
    if (const DwarfValue* const location = entry.find(DwarfAttribute::location)) {
      const auto where = code_.guest->dwarf.locations(*function_->unit, *location);
      return write_location(translator_->translate(where, is_pointer));
    }
    const DwarfValue* const constant = through(entry, DwarfAttribute::const_value);
    if (constant != nullptr && constant->kind == DwarfValue::Kind::constant && !is_pointer) {
      out_->signed_number(DwarfAttribute::const_value, static_cast<std::int64_t>(constant->number));
    }
  }

  // Of the entry that was begun last. Where it is nowhere, debuggers say that it was optimised out.
  void write_location(const std::vector<NativeLocation>& locations) {
    if (locations.empty()) return;
    const CodeRange& first = locations.front().range;
    if (locations.size() == 1 && first.begin == 0 && first.end == code_.code.size()) {
      return out_->expression(DwarfAttribute::location, locations.front().expression);
    }
    out_->list(DwarfAttribute::location, debug_.locations.size());
    Bytes& out = debug_.locations;
    for (const NativeLocation& location : locations) {
      if (location.expression.size() > UINT16_MAX) continue;
      append(out, std::uint64_t{location.range.begin});
      append(out, std::uint64_t{location.range.end});
      append(out, static_cast<std::uint16_t>(location.expression.size()));
      append(out, std::span<const std::uint8_t>(location.expression));
    }
    append(out, std::uint64_t{0});
    append(out, std::uint64_t{0});
  }

  void write_global(const DwarfEntry& entry) {
    const DwarfValue* const name = through(entry, DwarfAttribute::name);
    const DwarfValue* const type = through(entry, DwarfAttribute::type);
    const DwarfValue* const location = entry.find(DwarfAttribute::location);
    if (name == nullptr || name->text.empty() || type == nullptr || location == nullptr) return;
    const bool is_pointer = types_->is_pointer(type->number);
    const auto where = code_.guest->dwarf.locations(*function_->unit, *location);
    const auto native = translator_->translate(where, is_pointer);
    if (native.size() != 1) return;
    const auto label = types_->of_variable(type->number);
    out_->begin(DwarfTag::variable, false);
    out_->text(DwarfAttribute::name, printable(name->text));
    out_->reference(DwarfAttribute::type, label);
    if (const DwarfValue* const external = through(entry, DwarfAttribute::external);
        external != nullptr && external->number != 0) {
      out_->flag(DwarfAttribute::external);
    }
    write_location(native);
  }

  // --- with nothing but what the module says

  EntryWriter::Label type_of(TypeWriter& types, wasm::ValType type) {
    const auto make = [&](const char* name, DwarfEncoding encoding, std::uint8_t size) {
      EntryWriter::Label& label = wasm_types_[name];
      if (label == EntryWriter::kNone) label = types.base(name, encoding, size);
      return label;
    };
    if (type == wasm::kI64) return make("i64", DwarfEncoding::signed_, 8);
    if (type == wasm::kF32) return make("f32", DwarfEncoding::float_, 4);
    if (type == wasm::kF64) return make("f64", DwarfEncoding::float_, 8);
    if (type.is_ref()) return make("reference", DwarfEncoding::address, 8);
    const EntryWriter::Label i32 = make("i32", DwarfEncoding::signed_, 4);
    if (!type.is_vector()) return i32;
    EntryWriter::Label& label = wasm_types_["v128"];
    if (label == EntryWriter::kNone) label = types.vector_of(i32, 4);
    return label;
  }

  void write_wasm_function() {
    if (code_.guest == nullptr) return begin_function(false, EntryWriter::kNone);
    const GuestFunction& guest = *code_.guest;
    TypeWriter types(guest.dwarf, *out_);
    types_ = &types;
    const ExpressionTranslator translator(code_, nullptr, {});
    translator_ = &translator;
    write_memory();
    const wasm::FuncType& type = guest.module.func_type(guest.index);
    std::map<std::uint32_t, EntryWriter::Label> labels;  // by local
    for (std::uint32_t i = 0; i < type.params.size(); ++i) labels.emplace(i, type_of(types, type.params[i]));
    for (const LocalPlace& place : guest.locals) labels.emplace(place.local, type_of(types, place.type));
    const EntryWriter::Label result =
        type.results.size() == 1 ? type_of(types, type.results.front()) : EntryWriter::kNone;
    const binary::NameMap names =
        binary::NameSection(guest.module).indirect(binary::NameKind::local).of(guest.index.value);
    begin_function(true, result);
    for (const auto& [local, label] : labels) {
      const auto name = binary::find_name(names, local);
      out_->begin(local < type.params.size() ? DwarfTag::formal_parameter : DwarfTag::variable, false);
      out_->text(DwarfAttribute::name, name ? printable(*name) : "local" + std::to_string(local));
      out_->reference(DwarfAttribute::type, label);
      write_location(translator.local(local));
    }
    out_->end();
  }

  const NamedCode& code_;
  const Dwarf::Function* function_ = nullptr;
  std::optional<DwarfEntry> entry_;
  std::optional<DwarfEntry> unit_entry_;
  DebugInformation debug_;
  Files files_;
  EntryWriter* out_ = nullptr;
  TypeWriter* types_ = nullptr;
  const ExpressionTranslator* translator_ = nullptr;
  std::map<std::uint64_t, EntryWriter::Label> origins_;  // functions that were taken in
  std::map<std::uint64_t, DwarfEntry> kept_;
  std::map<std::string_view, EntryWriter::Label> wasm_types_;
};

}  // namespace

DebugInformation debug_information(const NamedCode& code) { return InformationWriter(code).write(); }

}  // namespace wasi::jit
