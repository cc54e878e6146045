// Imports, the module's own functions, tables, memories, tags and globals, exports, and start.
// Source: https://webassembly.github.io/spec/core/binary/modules.html
#include "binary/format.h"
#include "binary/immediates.h"
#include "binary/module_decoder.h"

namespace wasi::binary::detail {
namespace {

using namespace format;

struct FlaggedLimits {
  wasm::Limits limits;
  wasm::AddressType address = wasm::AddressType::i32;
  bool is_shared = false;
  std::uint8_t page_log2 = wasm::kPageLog2;
};

FlaggedLimits read_limits(base::ByteReader& reader, std::uint8_t allowed) {
  const std::uint64_t offset = reader.offset();
  const std::uint8_t flags = reader.u8("limits");
  if ((flags & ~allowed) != 0) {
    const char* hint =
        flags < 2 * kPageSizeGiven && (flags & kShared & ~allowed) != 0 ? " (tables cannot be shared)" : "";
    reader.fail_at(
        offset, ErrorKind::malformed,
        fmt::format("malformed limits flags: found {:#04x}{}, expected bits of {:#04x}", flags, hint, allowed));
    return {};
  }
  FlaggedLimits result;
  if ((flags & kAddress64) != 0) result.address = wasm::AddressType::i64;
  result.is_shared = (flags & kShared) != 0;
  result.limits.min = reader.u64("minimum size");
  if ((flags & kHasMax) != 0) result.limits.max = reader.u64("maximum size");
  if ((flags & kPageSizeGiven) != 0) {
    const std::uint64_t at = reader.offset();
    const std::uint32_t page_log2 = reader.u32("page size");
    if (page_log2 >= 64) {
      reader.fail_at(at, ErrorKind::malformed,
                     fmt::format("invalid custom page size: 2^{}, expected 2^0 or 2^16", page_log2));
      return {};
    }
    result.page_log2 = static_cast<std::uint8_t>(page_log2);
  }
  return result;
}

wasm::ExternalKind read_kind(base::ByteReader& reader, const char* what, const char* message) {
  const std::uint64_t offset = reader.offset();
  const std::uint8_t byte = reader.u8(what);
  if (byte > static_cast<std::uint8_t>(wasm::ExternalKind::tag)) {
    reader.fail_at(offset, ErrorKind::malformed,
                   fmt::format("{}: found {:#04x}, expected 0x00 (function), 0x01 (table), 0x02 (memory), 0x03 "
                               "(global) or 0x04 (tag)",
                               message, byte));
    return {};
  }
  return static_cast<wasm::ExternalKind>(byte);
}

}  // namespace

wasm::TypeIndex ModuleDecoder::function_type_index(Reader& reader, const char* what) {
  const std::uint64_t offset = reader.offset();
  const std::uint32_t index = read_type_index(reader, ModuleTypes{module_});
  if (!functions_only_ && reader.ok() && module_.registry->at(module_.types[index]).kind != wasm::CompositeKind::func) {
    reader.fail_at(offset, ErrorKind::invalid,
                   fmt::format("type mismatch: type {} of a {} is no function type", index, what));
  }
  return wasm::TypeIndex(index);
}

wasm::TableType ModuleDecoder::table_type(Reader& reader) {
  wasm::TableType type;
  type.element = read_ref_type(reader, module_);
  const FlaggedLimits flagged = read_limits(reader, kHasMax | kAddress64);
  type.limits = flagged.limits;
  type.address = flagged.address;
  if (type.element != wasm::kFuncRef) note(type.element);
  if (type.address == wasm::AddressType::i64) module_.features.add(wasm::Feature::memory64);
  return type;
}

wasm::MemoryType ModuleDecoder::memory_type(Reader& reader) {
  const FlaggedLimits flagged = read_limits(reader, kHasMax | kShared | kAddress64 | kPageSizeGiven);
  return {flagged.limits, flagged.address, flagged.is_shared, flagged.page_log2};
}

void ModuleDecoder::add_memory(wasm::MemoryType type) {
  if (type.is_shared) module_.features.add(wasm::Feature::threads);
  if (type.address == wasm::AddressType::i64) module_.features.add(wasm::Feature::memory64);
  if (type.page_log2 != wasm::kPageLog2) module_.features.add(wasm::Feature::custom_page_sizes);
  if (!module_.memories.empty()) module_.features.add(wasm::Feature::multi_memory);
  module_.memories.push_back(type);
}

wasm::GlobalType ModuleDecoder::global_type(Reader& reader) {
  wasm::GlobalType type;
  type.type = read_value_type(reader, module_);
  type.is_mutable = read_flag(reader, "mutability", "malformed mutability");
  note(type.type);
  return type;
}

wasm::TagType ModuleDecoder::tag_type(Reader& reader) {
  const std::uint64_t offset = reader.offset();
  if (const std::uint8_t attribute = reader.u8("tag attribute"); attribute != 0) {
    reader.fail_at(offset, ErrorKind::malformed,
                   fmt::format("malformed tag attribute: found {:#04x}, zero byte expected", attribute));
  }
  module_.features.add(wasm::Feature::exceptions);
  return {function_type_index(reader, "tag")};
}

void ModuleDecoder::import_section(Reader& reader) {
  const std::uint32_t count = read_count(reader, "number of imports");
  reserve(module_.imports, count, reader, 4);
  for (std::uint32_t i = 0; i < count && reader.ok(); ++i) {
    wasm::Import& import = module_.imports.emplace_back();
    import.module = reader.name("module name of an import");
    import.name = reader.name("name of an import");
    const wasm::ExternalKind kind = read_kind(reader, "import kind", "malformed import kind");
    if (!reader.ok()) return;
    switch (kind) {
      case wasm::ExternalKind::func: {
        const wasm::TypeIndex type = function_type_index(reader, "function import");
        import.type = wasm::FuncImport{type};
        module_.functions.push_back(type);
        ++module_.imported_functions;
        break;
      }
      case wasm::ExternalKind::table: {
        const wasm::TableType type = table_type(reader);
        import.type = type;
        module_.tables.push_back({type, std::nullopt});
        ++module_.imported_tables;
        break;
      }
      case wasm::ExternalKind::memory: {
        const wasm::MemoryType type = memory_type(reader);
        import.type = type;
        add_memory(type);
        ++module_.imported_memories;
        break;
      }
      case wasm::ExternalKind::global: {
        const wasm::GlobalType type = global_type(reader);
        if (type.is_mutable) module_.features.add(wasm::Feature::mutable_globals);
        import.type = type;
        module_.globals.push_back({type, {}});
        ++module_.imported_globals;
        break;
      }
      case wasm::ExternalKind::tag: {
        const wasm::TagType type = tag_type(reader);
        import.type = type;
        module_.tags.push_back(type.type);
        ++module_.imported_tags;
        break;
      }
    }
  }
}

void ModuleDecoder::function_section(Reader& reader) {
  const std::uint32_t count = read_count(reader, "number of functions");
  reserve(module_.functions, count, reader, 1);
  for (std::uint32_t i = 0; i < count && reader.ok(); ++i) {
    module_.functions.push_back(function_type_index(reader, "function"));
  }
}

void ModuleDecoder::table_section(Reader& reader) {
  const std::uint32_t count = read_count(reader, "number of tables");
  reserve(module_.tables, count, reader, 3);
  for (std::uint32_t i = 0; i < count && reader.ok(); ++i) {
    wasm::Table table;
    const bool has_init = reader.peek() == kTableInitByte;
    if (has_init) {
      reader.u8("table");
      const std::uint64_t offset = reader.offset();
      if (const std::uint8_t byte = reader.u8("zero byte"); byte != 0) {
        reader.fail_at(offset, ErrorKind::malformed,
                       fmt::format("zero byte expected: found {:#04x} in a table with initialiser", byte));
      }
    }
    table.type = table_type(reader);
    if (has_init) {
      module_.features.add(wasm::Feature::function_references);
      table.init = skip_const_expr(reader, module_.features);
    }
    if (!module_.tables.empty()) module_.features.add(wasm::Feature::reference_types);
    module_.tables.push_back(table);
  }
}

void ModuleDecoder::memory_section(Reader& reader) {
  const std::uint32_t count = read_count(reader, "number of memories");
  reserve(module_.memories, count, reader, 2);
  for (std::uint32_t i = 0; i < count && reader.ok(); ++i) add_memory(memory_type(reader));
}

void ModuleDecoder::tag_section(Reader& reader) {
  const std::uint32_t count = read_count(reader, "number of tags");
  reserve(module_.tags, count, reader, 2);
  for (std::uint32_t i = 0; i < count && reader.ok(); ++i) module_.tags.push_back(tag_type(reader).type);
}

void ModuleDecoder::global_section(Reader& reader) {
  const std::uint32_t count = read_count(reader, "number of globals");
  reserve(module_.globals, count, reader, 3);
  for (std::uint32_t i = 0; i < count && reader.ok(); ++i) {
    const wasm::GlobalType type = global_type(reader);
    module_.globals.push_back({type, skip_const_expr(reader, module_.features)});
  }
}

void ModuleDecoder::export_section(Reader& reader) {
  const std::uint32_t count = read_count(reader, "number of exports");
  reserve(module_.exports, count, reader, 3);
  for (std::uint32_t i = 0; i < count && reader.ok(); ++i) {
    wasm::Export& entry = module_.exports.emplace_back();
    entry.name = reader.name("name of an export");
    entry.kind = read_kind(reader, "export kind", "malformed export kind");
    entry.index = reader.u32("index of an export");
    if (entry.kind == wasm::ExternalKind::global && entry.index < module_.globals.size() &&
        module_.globals[entry.index].type.is_mutable) {
      module_.features.add(wasm::Feature::mutable_globals);
    }
  }
}

void ModuleDecoder::start_section(Reader& reader) {
  module_.start = wasm::FuncIndex(reader.u32("index of the start function"));
}

}  // namespace wasi::binary::detail
