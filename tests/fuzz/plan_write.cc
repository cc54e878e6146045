// The binary form of a plan. Source: https://webassembly.github.io/spec/core/binary/modules.html
#include "binary/format.h"
#include "fuzz/plan.h"

namespace wasi::test::fuzz {

using wasm::AddressType;
using wasm::SegmentMode;
namespace format = binary::format;

namespace {

void write_limits(ByteWriter& out, const wasm::Limits& limits, std::uint8_t flags) {
  out.u8(flags | (limits.max ? format::kHasMax : 0));
  out.u64(limits.min);
  if (limits.max) out.u64(*limits.max);
}

void write_table_type(ByteWriter& out, const wasm::TableType& type) {
  write_type(out, type.element);
  write_limits(out, type.limits, type.address == AddressType::i64 ? format::kAddress64 : 0);
}

void write_memory_type(ByteWriter& out, const wasm::MemoryType& type) {
  const bool is_usual = type.page_log2 == wasm::kPageLog2;
  write_limits(out, type.limits,
               static_cast<std::uint8_t>((type.is_shared ? format::kShared : 0) |
                                         (type.address == AddressType::i64 ? format::kAddress64 : 0) |
                                         (is_usual ? 0 : format::kPageSizeGiven)));
  if (!is_usual) out.u32(type.page_log2);
}

void write_global_type(ByteWriter& out, const wasm::GlobalType& type) {
  write_type(out, type.type);
  out.u8(type.is_mutable ? 1 : 0);
}

void write_tag_type(ByteWriter& out, std::uint32_t type) {
  out.u8(0);
  out.u32(type);
}

void write_offset(ByteWriter& out, AddressType address, std::uint64_t offset) {
  out.op(address == AddressType::i64 ? wasm::Op::i64_const : wasm::Op::i32_const);
  out.s64(static_cast<std::int64_t>(offset));
  out.op(wasm::Op::end);
}

// A section of the entries that `write_entry` writes, which says whether it did.
template <class List>
void write_section(ByteWriter& out, format::SectionId id, const List& list, const auto& write_entry) {
  ByteWriter entries;
  std::uint32_t count = 0;
  for (std::size_t i = 0; i < list.size(); ++i) count += write_entry(entries, list[i], i) ? 1 : 0;
  if (count == 0) return;
  ByteWriter payload;
  payload.u32(count);
  payload.append(entries);
  out.u8(id);
  out.sized(payload);
}

void write_element(ByteWriter& out, const ElementPlan& segment, AddressType address) {
  const bool has_expressions = segment.functions.empty();
  std::uint8_t flags = has_expressions ? format::kElemExpressions : 0;
  const bool is_active = segment.mode == SegmentMode::active;
  // An active segment is short when its table is the first and its elements are functions.
  const bool is_explicit = is_active ? segment.table != 0 || (has_expressions && segment.type != wasm::kFuncRef)
                                     : segment.mode == SegmentMode::declarative;
  if (!is_active) flags |= format::kElemPassive;
  if (is_explicit) flags |= format::kElemExplicit;
  out.u8(flags);
  if (is_active && is_explicit) out.u32(segment.table);
  if (is_active) write_offset(out, address, segment.offset);
  if (!is_active || is_explicit) {
    if (has_expressions) {
      write_type(out, segment.type);
    } else {
      out.u8(0);
    }
  }
  out.u64(segment.size());
  for (const std::uint32_t function : segment.functions) out.u32(function);
  for (const auto& expression : segment.expressions) out.append(expression);
}

}  // namespace

std::vector<std::uint8_t> ModulePlan::write(const std::vector<std::vector<std::uint8_t>>& bodies) const {
  ByteWriter out;
  out.append(format::kMagic);
  out.fixed32(format::kModuleVersion);
  {
    ByteWriter payload;
    types_.write(payload);
    out.u8(format::kType);
    out.sized(payload);
  }

  ByteWriter imports;
  std::uint32_t import_count = 0;
  const auto write_imports = [&](wasm::ExternalKind kind, const auto& list, const auto& write_its_type) {
    for (const auto& item : list) {
      if (!item.origin) continue;
      ++import_count;
      imports.name(item.origin->module);
      imports.name(item.origin->name);
      imports.u8(static_cast<std::uint8_t>(kind));
      write_its_type(item);
    }
  };
  using wasm::ExternalKind;
  write_imports(ExternalKind::func, functions, [&](const auto& item) { imports.u32(item.type); });
  write_imports(ExternalKind::table, tables, [&](const auto& item) { write_table_type(imports, item.type); });
  write_imports(ExternalKind::memory, memories, [&](const auto& item) { write_memory_type(imports, item.type); });
  write_imports(ExternalKind::global, globals, [&](const auto& item) { write_global_type(imports, item.type); });
  write_imports(ExternalKind::tag, tags, [&](const auto& item) { write_tag_type(imports, item.type); });
  if (import_count > 0) {
    ByteWriter payload;
    payload.u32(import_count);
    payload.append(imports);
    out.u8(format::kImport);
    out.sized(payload);
  }

  write_section(out, format::kFunction, functions, [](ByteWriter& entry, const FunctionPlan& item, std::size_t) {
    if (!item.origin) entry.u32(item.type);
    return !item.origin;
  });
  write_section(out, format::kTable, tables, [](ByteWriter& entry, const TablePlan& item, std::size_t) {
    if (!item.origin) write_table_type(entry, item.type);
    return !item.origin;
  });
  write_section(out, format::kMemory, memories, [](ByteWriter& entry, const MemoryPlan& item, std::size_t) {
    if (!item.origin) write_memory_type(entry, item.type);
    return !item.origin;
  });
  write_section(out, format::kTag, tags, [](ByteWriter& entry, const TagPlan& item, std::size_t) {
    if (!item.origin) write_tag_type(entry, item.type);
    return !item.origin;
  });
  write_section(out, format::kGlobal, globals, [](ByteWriter& entry, const GlobalPlan& item, std::size_t) {
    if (!item.origin) {
      write_global_type(entry, item.type);
      entry.append(item.init);
    }
    return !item.origin;
  });

  ByteWriter exports;
  std::uint32_t export_count = 0;
  const auto write_exports = [&](ExternalKind kind, char letter, const auto& list) {
    for (std::size_t i = 0; i < list.size(); ++i) {
      if (list[i].origin) continue;
      ++export_count;
      exports.name(letter + std::to_string(i));
      exports.u8(static_cast<std::uint8_t>(kind));
      exports.u64(i);
    }
  };
  write_exports(ExternalKind::func, 'f', functions);
  write_exports(ExternalKind::table, 't', tables);
  write_exports(ExternalKind::memory, 'm', memories);
  write_exports(ExternalKind::global, 'g', globals);
  write_exports(ExternalKind::tag, 'e', tags);
  {
    ByteWriter payload;
    payload.u32(export_count);
    payload.append(exports);
    out.u8(format::kExport);
    out.sized(payload);
  }
  if (start) {
    ByteWriter payload;
    payload.u32(*start);
    out.u8(format::kStart);
    out.sized(payload);
  }
  // What bodies refer to must be named outside of them, and imported functions are not exported.
  std::vector<ElementPlan> all = elements;
  if (imported_functions > 0) {
    all.push_back({.mode = SegmentMode::declarative});
    for (std::uint32_t i = 0; i < imported_functions; ++i) all.back().functions.push_back(i);
  }
  write_section(out, format::kElement, all, [&](ByteWriter& entry, const ElementPlan& item, std::size_t) {
    write_element(entry, item, item.mode == SegmentMode::active ? tables[item.table].type.address : AddressType::i32);
    return true;
  });
  if (!data.empty()) {
    ByteWriter payload;
    payload.u64(data.size());
    out.u8(format::kDataCount);
    out.sized(payload);
  }
  write_section(out, format::kCode, bodies, [](ByteWriter& entry, const auto& body, std::size_t) {
    entry.u64(body.size());
    entry.append(body);
    return true;
  });
  write_section(out, format::kData, data, [&](ByteWriter& entry, const DataPlan& item, std::size_t) {
    if (item.mode == SegmentMode::passive) {
      entry.u8(format::kDataPassive);
    } else {
      entry.u8(format::kDataActiveExplicit);
      entry.u32(item.memory);
      write_offset(entry, memories[item.memory].type.address, item.offset);
    }
    entry.u64(item.bytes.size());
    entry.append(item.bytes);
    return true;
  });
  return out.take();
}

}  // namespace wasi::test::fuzz
