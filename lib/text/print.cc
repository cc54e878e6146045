// The frame of a printed module: its sections in the order of the file. Bodies are in print_function.cc.
#include "text/print.h"

#include <algorithm>

#include "base/result.h"
#include "binary/format.h"
#include "text/module_printer.h"
#include "text/print_literal.h"

namespace wasi::text {
namespace detail {
namespace {

using namespace binary::format;

// As (@custom ...) names the sections.
constexpr std::string_view kPlaces[kSectionIds] = {"",       "type",  "import", "func", "table", "memory",    "global",
                                                   "export", "start", "elem",   "code", "data",  "datacount", "tag"};

// Where the next custom section stands.
std::string place_behind(std::uint8_t section) {
  if (section == kCustom) return "before first";
  if (section == kDataCount) return "before code";  // which not every reader of text knows by name
  return "after " + std::string(kPlaces[section]);
}

constexpr std::string_view kKinds[] = {"func", "table", "memory", "global", "tag"};

enum ElementFlag : std::uint8_t { kElemPassive = 1, kElemExplicit = 2, kElemExpressions = 4 };
constexpr std::uint8_t kTableInitByte = 0x40;
constexpr std::size_t kDataLine = 96;  // bytes of a data segment in a line

}  // namespace

const Identifiers& ModulePrinter::identifiers_of(wasm::ExternalKind kind) const {
  switch (kind) {
    case wasm::ExternalKind::func:
      return identifiers_.functions;
    case wasm::ExternalKind::table:
      return identifiers_.tables;
    case wasm::ExternalKind::memory:
      return identifiers_.memories;
    case wasm::ExternalKind::global:
      return identifiers_.globals;
    case wasm::ExternalKind::tag:
      break;
  }
  return identifiers_.tags;
}

// Text has identifiers or a name section: what reads it makes one of the identifiers, behind everything else. So where
// that is not the place, or where there are several, the text keeps the section as it is.
bool ModulePrinter::has_usual_names(const wasm::Module& module) {
  const auto is_names = [](const wasm::Section& section) { return section.id == kCustom && section.name == "name"; };
  const auto names = std::ranges::find_if(module.sections, is_names);
  return std::all_of(names == module.sections.end() ? names : names + 1, module.sections.end(),
                     [&](const wasm::Section& section) { return section.id == kCustom && !is_names(section); });
}

Result<void> ModulePrinter::run() {
  std::string& out = out_.text();
  out += "(module";
  if (!identifiers_.module.empty()) {
    out += ' ';
    append_identifier(out, identifiers_.module);
  }
  out += '\n';
  std::uint8_t last = kCustom;
  bool is_behind_names = false;
  for (const wasm::Section& section : module_.sections) {
    if (out_.stopped()) return {};
    if (section.id == kCustom) {
      if (section.name == "name" && has_identifiers_) {
        is_behind_names = true;
      } else if (section.name != BranchHints::kSection || !hints_.is_usable()) {
        custom_section(section, is_behind_names ? "after last" : place_behind(last));
      }
      continue;
    }
    last = section.id;
    base::ByteReader reader = reader_of(module_, section.payload);
    WASI_TRY(contents(section.id, reader));
    if (!reader.ok()) return std::unexpected(reader.take_error());
  }
  out += ")\n";
  out_.flush();
  return {};
}

void ModulePrinter::custom_section(const wasm::Section& section, std::string_view place) {
  std::string& out = out_.text();
  out += "  (@custom ";
  append_name_string(out, section.name);
  out.append(" (").append(place) += ')';
  // The payload of wasm::Section begins with the name.
  const auto size = static_cast<std::uint32_t>(section.name.size());
  const auto* end = module_.bytes.data.data() + section.payload.offset + section.payload.size;
  const auto* begin = reinterpret_cast<const std::uint8_t*>(section.name.data()) + size;
  bytes({begin, end});
  out += ")\n";
}

Result<void> ModulePrinter::contents(std::uint8_t id, base::ByteReader& reader) {
  switch (id) {
    case kType:
      out_.text() += types_.section();
      return {};
    case kImport:
      return import_section(reader);
    case kTable:
      return table_section(reader);
    case kMemory:
      return memory_section(reader);
    case kTag:
      return tag_section();
    case kGlobal:
      return global_section(reader);
    case kExport:
      return export_section();
    case kStart:
      out_.text() += "  (start ";
      identifiers_.functions.append(out_.text(), module_.start->value);
      out_.text() += ")\n";
      return {};
    case kElement:
      return element_section(reader);
    case kCode:
      return code_section();
    case kData:
      return data_section();
    default:
      return {};  // the function section's types stand beside the bodies, the data count is counted
  }
}

Result<void> ModulePrinter::import_section(base::ByteReader& reader) {
  std::string& out = out_.text();
  std::uint32_t counts[std::size(kKinds)] = {};
  const std::uint32_t count = reader.u32("number of imports");
  for (std::uint32_t i = 0; i < count && reader.ok(); ++i) {
    const std::string_view from = reader.name("module name of an import");
    const std::string_view name = reader.name("name of an import");
    const auto kind = static_cast<wasm::ExternalKind>(reader.u8("import kind"));
    if (!reader.ok()) break;
    const auto number = static_cast<std::size_t>(kind);
    out += "  (import ";
    append_name_string(out, from);
    out += ' ';
    append_name_string(out, name);
    out.append(" (").append(kKinds[number]);
    const std::uint32_t index = counts[number]++;
    identifiers_of(kind).append_definition(out, index);
    switch (kind) {
      case wasm::ExternalKind::func: {
        const Identifiers locals = identifiers_.locals(index);
        types_.append_type_use(out, reader.u32("type index"), &locals);
        break;
      }
      case wasm::ExternalKind::table:
        out += ' ';
        types_.append_table_type(out, reader);
        break;
      case wasm::ExternalKind::memory:
        out += ' ';
        types_.append_memory_type(out, reader);
        break;
      case wasm::ExternalKind::global:
        out += ' ';
        types_.append_global_type(out, reader);
        break;
      case wasm::ExternalKind::tag:
        reader.u8("tag attribute");
        types_.append_type_use(out, reader.u32("type index"));
        break;
    }
    out += "))\n";
    out_.checkpoint();
  }
  return {};
}

Result<void> ModulePrinter::table_section(base::ByteReader& reader) {
  std::string& out = out_.text();
  const std::uint32_t count = reader.u32("number of tables");
  for (std::uint32_t i = 0; i < count && reader.ok(); ++i) {
    const bool has_init = reader.peek() == kTableInitByte;
    if (has_init) reader.skip(2, "table");
    out += "  (table";
    identifiers_.tables.append_definition(out, module_.imported_tables + i);
    out += ' ';
    types_.append_table_type(out, reader);
    if (has_init) WASI_TRY(expression(reader));
    out += ")\n";
    out_.checkpoint();
  }
  return {};
}

Result<void> ModulePrinter::memory_section(base::ByteReader& reader) {
  std::string& out = out_.text();
  const std::uint32_t count = reader.u32("number of memories");
  for (std::uint32_t i = 0; i < count && reader.ok(); ++i) {
    out += "  (memory";
    identifiers_.memories.append_definition(out, module_.imported_memories + i);
    out += ' ';
    types_.append_memory_type(out, reader);
    out += ")\n";
    out_.checkpoint();
  }
  return {};
}

Result<void> ModulePrinter::tag_section() {
  std::string& out = out_.text();
  for (std::uint32_t i = module_.imported_tags; i < module_.tags.size(); ++i) {
    out += "  (tag";
    identifiers_.tags.append_definition(out, i);
    types_.append_type_use(out, module_.tags[i].value);
    out += ")\n";
    out_.checkpoint();
  }
  return {};
}

Result<void> ModulePrinter::global_section(base::ByteReader& reader) {
  std::string& out = out_.text();
  const std::uint32_t count = reader.u32("number of globals");
  for (std::uint32_t i = 0; i < count && reader.ok(); ++i) {
    out += "  (global";
    identifiers_.globals.append_definition(out, module_.imported_globals + i);
    out += ' ';
    types_.append_global_type(out, reader);
    WASI_TRY(expression(reader));
    out += ")\n";
    out_.checkpoint();
  }
  return {};
}

Result<void> ModulePrinter::export_section() {
  std::string& out = out_.text();
  for (const wasm::Export& item : module_.exports) {
    out += "  (export ";
    append_name_string(out, item.name);
    out.append(" (").append(kKinds[static_cast<std::size_t>(item.kind)]) += ' ';
    identifiers_of(item.kind).append(out, item.index);
    out += "))\n";
    out_.checkpoint();
  }
  return {};
}

Result<void> ModulePrinter::element_section(base::ByteReader& reader) {
  const std::uint32_t count = reader.u32("number of element segments");
  for (std::uint32_t i = 0; i < count && reader.ok(); ++i) {
    out_.text() += "  (elem";
    identifiers_.elements.append_definition(out_.text(), i);
    WASI_TRY(element_segment(reader));
    out_.text() += ")\n";
    out_.checkpoint();
  }
  return {};
}

Result<void> ModulePrinter::element_segment(base::ByteReader& reader) {
  std::string& out = out_.text();
  const std::uint32_t flags = reader.u32("element segment flags");
  const bool has_expressions = (flags & kElemExpressions) != 0;
  if ((flags & kElemPassive) == 0) {
    if ((flags & kElemExplicit) != 0) {
      out += " (table ";
      identifiers_.tables.append(out, reader.u32("table index"));
      out += ')';
    }
    WASI_TRY(offset_expression(reader));
  } else if ((flags & kElemExplicit) != 0) {
    out += " declare";
  }
  out += ' ';
  if ((flags & (kElemPassive | kElemExplicit)) == 0) {
    out += has_expressions ? "funcref" : "func";
  } else if (has_expressions) {
    types_.append_value_type(out, reader);
  } else {
    reader.u8("element kind");
    out += "func";
  }
  const std::uint32_t count = reader.u32("number of elements");
  for (std::uint32_t i = 0; i < count && reader.ok(); ++i) {
    if (has_expressions) {
      WASI_TRY(item_expression(reader, "item"));
    } else {
      out += ' ';
      identifiers_.functions.append(out, reader.u32("function index of an element"));
    }
    out_.checkpoint();
  }
  return {};
}

Result<void> ModulePrinter::data_section() {
  std::string& out = out_.text();
  for (std::uint32_t i = 0; i < module_.data.size(); ++i) {
    const wasm::DataSegment& segment = module_.data[i];
    out += "  (data";
    identifiers_.data.append_definition(out, i);
    if (segment.mode == wasm::SegmentMode::active) {
      if (segment.memory.value != 0) {
        out += " (memory ";
        identifiers_.memories.append(out, segment.memory.value);
        out += ')';
      }
      base::ByteReader reader = reader_of(module_, segment.offset);
      WASI_TRY(offset_expression(reader));
    }
    bytes(module_.view(segment.bytes));
    out += ")\n";
    out_.checkpoint();
  }
  return {};
}

// Short ones behind what they belong to, long ones in lines of their own.
void ModulePrinter::bytes(std::span<const std::uint8_t> bytes) {
  std::string& out = out_.text();
  const bool is_short = bytes.size() <= kDataLine;
  do {
    const auto line = bytes.first(std::min(bytes.size(), kDataLine));
    out += is_short ? " " : "\n    ";
    append_data_string(out, line);
    out_.checkpoint();
    bytes = bytes.subspan(line.size());
  } while (!bytes.empty());
}

// --- constant expressions

// The expression at the cursor becomes trees of line_.
Result<void> ModulePrinter::read_expression(base::ByteReader& reader) {
  instructions_.begin_expression();
  while (reader.ok()) {
    const Instruction instruction = instructions_.append(line_.text(), reader);
    if (!reader.ok() || instruction.ends_all) break;
    if (!line_.add(instruction)) return too_large();
  }
  if (!reader.ok()) return std::unexpected(reader.take_error());
  line_.drop_text();
  return {};
}

Result<void> ModulePrinter::expression(base::ByteReader& reader) {
  WASI_TRY(read_expression(reader));
  line_.finish_line();
  return {};
}

// One instruction stands alone, several need a word around them.
Result<void> ModulePrinter::item_expression(base::ByteReader& reader, std::string_view word) {
  WASI_TRY(read_expression(reader));
  if (line_.is_one_tree()) {
    line_.finish_line();
    return {};
  }
  out_.text().append(" (").append(word);
  line_.finish_line();
  out_.text() += ')';
  return {};
}

Result<void> ModulePrinter::offset_expression(base::ByteReader& reader) { return item_expression(reader, "offset"); }

std::unexpected<Error> ModulePrinter::too_large() {
  return fail(ErrorKind::limit, "the text of a function takes more than 1 GiB when all of it is folded");
}

}  // namespace detail

Result<void> print_module(const wasm::Module& module, const PrintOptions& options, const PrintSink& sink) {
  return detail::ModulePrinter(module, options, sink).run();
}

Result<std::string> print_module(const wasm::Module& module, const PrintOptions& options) {
  std::string text;
  const PrintSink sink = [&text](std::string_view piece) {
    text += piece;
    return true;
  };
  WASI_TRY(print_module(module, options, sink));
  return text;
}

}  // namespace wasi::text
