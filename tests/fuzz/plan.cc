#include "fuzz/plan.h"

#include <algorithm>

#include "fuzz/edges.h"

namespace wasi::test::fuzz {

using wasm::AddressType;
using wasm::Op;
using wasm::SegmentMode;

ModulePlan::ModulePlan(Entropy& entropy, const Features& features, TypePlan& types, const ModulePlan* earlier)
    : entropy_(entropy), features_(features), types_(types) {
  if (earlier != nullptr) import_from(*earlier);
  import_from_host();
  imported_functions = static_cast<std::uint32_t>(functions.size());
  add_functions();
  add_memories();
  add_tables();
  add_tags();
  if (earlier == nullptr) {
    fuel = static_cast<std::uint32_t>(globals.size());
    globals.push_back({.type = {wasm::kI32, true}, .is_reserved = true, .init = {0x41, 0x20, 0x0B}});
  }
  accumulator = static_cast<std::uint32_t>(globals.size());
  globals.push_back({.type = {wasm::kI64, true}, .is_reserved = true, .init = {0x42, 0x00, 0x0B}});
  add_globals();
  add_elements();
  add_data();
  if (entropy_.chance(10)) {
    for (std::uint32_t i = 0; i < functions.size(); ++i) {
      const wasm::FuncType& type = types_.at(functions[i].type).func;
      if (type.params.empty() && type.results.empty()) start = i;
    }
  }
}

void ModulePlan::import_from(const ModulePlan& earlier) {
  const auto origin = [](char kind, std::size_t index) { return Origin{"earlier", kind + std::to_string(index)}; };
  // The fuel is one.
  fuel = 0;
  globals.push_back(
      {.type = earlier.globals[earlier.fuel].type, .origin = origin('g', earlier.fuel), .is_reserved = true});
  const std::uint32_t count = entropy_.below(5);
  const auto own = static_cast<std::uint32_t>(earlier.functions.size()) - earlier.imported_functions;
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::uint32_t index = earlier.imported_functions + entropy_.below(own);
    functions.push_back({.type = earlier.functions[index].type, .origin = origin('f', index)});
  }
  const auto import_some = [&](char kind, const auto& theirs, auto& ours) {
    for (std::size_t i = 0; i < theirs.size(); ++i) {
      if (theirs[i].origin || !entropy_.chance(128)) continue;
      if constexpr (requires { theirs[i].is_reserved; }) {
        if (theirs[i].is_reserved) continue;
      }
      ours.push_back(theirs[i]);
      ours.back().origin = origin(kind, i);
    }
  };
  import_some('t', earlier.tables, tables);
  if (features_.has_many_memories || earlier.memories.size() < 2) import_some('m', earlier.memories, memories);
  import_some('g', earlier.globals, globals);
  import_some('e', earlier.tags, tags);
}

void ModulePlan::import_from_host() {
  const std::uint32_t count = entropy_.below(4);
  for (std::uint32_t i = 0; i < count; ++i) {
    if (entropy_.chance(150)) {
      const TypedHostFunction& function = kTypedHostFunctions[entropy_.below(std::size(kTypedHostFunctions))];
      functions.push_back(
          {.type = types_.function_type(types_of_letters(function.params), types_of_letters(function.results)),
           .origin = Origin{std::string(kHostModule), std::string(function.name)}});
      continue;
    }
    const std::uint32_t type = entropy_.pick(types_.functions());
    const wasm::SubType& definition = types_.at(type);
    // The host's functions have final types without a super type.
    if (!definition.is_final || definition.super) continue;
    if (!std::ranges::all_of(definition.func.params, is_host_type) ||
        !std::ranges::all_of(definition.func.results, is_host_type)) {
      continue;
    }
    const std::string name = "type " + std::to_string(type);
    host_functions.push_back({name, definition.func.params, definition.func.results});
    functions.push_back({.type = type, .origin = Origin{std::string(kHostModule), name}});
  }
  if (features_.has_exceptions && entropy_.chance(128)) {
    const ValType params[] = {wasm::kI32};
    tags.push_back(
        {.type = types_.function_type(params, {}), .origin = Origin{std::string(kHostModule), std::string(kHostTag)}});
  }
}

void ModulePlan::add_functions() {
  const std::uint32_t count = entropy_.between(1, 6);
  for (std::uint32_t i = 0; i < count; ++i) functions.push_back({.type = entropy_.pick(types_.functions())});
}

void ModulePlan::add_memories() {
  std::uint32_t count = entropy_.chance(230) ? 1 : 0;
  if (features_.has_many_memories) count = entropy_.below(4);
  for (; count > 0; --count) {
    wasm::MemoryType type;
    if (features_.has_memory64 && entropy_.chance(110)) type.address = AddressType::i64;
    if (features_.has_custom_pages && entropy_.chance(160)) {
      type.page_log2 = 0;
      type.limits.min = entropy_.chance(60) ? entropy_.pick({0U, 1U, 15U, 16U, 4096U, 65536U}) : entropy_.below(300);
      type.limits.max = type.limits.min + entropy_.below(20);
    } else {
      type.limits.min = entropy_.chance(40) ? entropy_.pick({0U, 2U}) : 1;
      type.limits.max = type.limits.min + entropy_.below(3);
    }
    type.is_shared = features_.has_atomics && entropy_.chance(128);
    memories.push_back({.type = type});
  }
}

void ModulePlan::add_tables() {
  const std::uint32_t count = entropy_.below(4);
  for (std::uint32_t i = 0; i < count; ++i) {
    wasm::TableType type;
    if (i > 0 && features_.has_references) {
      type.element = types_.choose(entropy_, features_);
      if (!type.element.is_ref() || !type.element.is_nullable()) type.element = wasm::kFuncRef;
      if (entropy_.chance(60)) type.element = reference(concrete(types_.functions().front()));
    }
    if (features_.has_memory64 && entropy_.chance(110)) type.address = AddressType::i64;
    type.limits.min = entropy_.below(12);
    type.limits.max = type.limits.min + entropy_.below(8);
    tables.push_back({.type = type, .contents = std::vector<std::optional<std::uint32_t>>(type.limits.min)});
  }
}

void ModulePlan::add_tags() {
  if (!features_.has_exceptions && !features_.has_legacy_exceptions) return;
  const std::uint32_t count = entropy_.between(1, 3);
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto params = types_.choose_list(entropy_, features_, features_.has_large_frames ? 12 : 3);
    tags.push_back({.type = types_.function_type(params, {})});
  }
}

void ModulePlan::write_initial_number(ByteWriter& out, ValType type) {
  switch (type.kind()) {
    case ValType::Kind::i32:
      out.op(Op::i32_const);
      out.s64(static_cast<std::int32_t>(edge_i32(entropy_)));
      return;
    case ValType::Kind::i64:
      out.op(Op::i64_const);
      out.s64(static_cast<std::int64_t>(edge_i64(entropy_)));
      return;
    case ValType::Kind::f32:
      out.op(Op::f32_const);
      out.fixed32(edge_f32(entropy_));
      return;
    case ValType::Kind::f64:
      out.op(Op::f64_const);
      out.fixed64(edge_f64(entropy_));
      return;
    case ValType::Kind::v128:
      out.op(Op::v128_const);
      for (const std::uint64_t half : edge_v128(entropy_)) out.fixed64(half);
      return;
    default:
      write_simple_value(out, type);
  }
}

std::vector<std::uint8_t> ModulePlan::initial_value(ValType type) {
  ByteWriter out;
  std::vector<std::uint32_t> readable;
  for (std::uint32_t i = 0; i < globals.size(); ++i) {
    if (!globals[i].type.is_mutable && types_.matches(globals[i].type.type, type)) readable.push_back(i);
  }
  if (!readable.empty() && entropy_.chance(80)) {
    out.op(Op::global_get);
    out.u32(entropy_.pick(readable));
  } else {
    write_initial_number(out, type);
  }
  if ((type == wasm::kI32 || type == wasm::kI64) && entropy_.chance(30)) {
    write_initial_number(out, type);
    out.op(type == wasm::kI32 ? entropy_.pick({Op::i32_add, Op::i32_sub, Op::i32_mul})
                              : entropy_.pick({Op::i64_add, Op::i64_sub, Op::i64_mul}));
  }
  out.op(Op::end);
  return out.take();
}

void ModulePlan::add_globals() {
  const std::uint32_t count = entropy_.below(6);
  for (std::uint32_t i = 0; i < count; ++i) {
    const ValType type = types_.choose(entropy_, features_);
    globals.push_back({.type = {type, entropy_.chance(180)}, .init = initial_value(type)});
  }
}

ElementPlan ModulePlan::element_list(ValType type, std::uint32_t most) {
  ElementPlan segment{.type = type};
  const std::uint32_t count = entropy_.below(most + 1);
  // Functions alone stand for (ref func).
  const bool are_functions = type == wasm::kFuncRef && entropy_.chance(170);
  for (std::uint32_t i = 0; i < count; ++i) {
    if (are_functions) {
      segment.functions.push_back(entropy_.below(functions.size()));
      continue;
    }
    ByteWriter out;
    if (types_.top_of(type.heap()) == AbstractHeap::func && entropy_.chance(200)) {
      const auto candidates = functions_of(type.heap());
      if (!candidates.empty()) {
        out.op(Op::ref_func);
        out.u32(entropy_.pick(candidates));
      }
    } else if (entropy_.chance(200)) {
      write_simple_value(out, type.as_nullable(false));
    }
    if (out.empty()) write_simple_value(out, type);
    out.op(Op::end);
    segment.expressions.push_back(out.take());
  }
  return segment;
}

void ModulePlan::add_elements() {
  for (std::uint32_t i = 0; i < tables.size(); ++i) {
    TablePlan& table = tables[i];
    const auto size = static_cast<std::uint32_t>(table.type.limits.min);
    if (size == 0) continue;
    ElementPlan segment = element_list(table.type.element, size);
    segment.mode = SegmentMode::active;
    segment.table = i;
    segment.offset = entropy_.below(size - segment.size() + 1);
    if (entropy_.chance(3)) segment.offset = size;  // instantiation traps, unless there are no elements
    for (std::size_t j = 0; j < segment.size(); ++j) {
      std::optional<std::uint32_t> type;
      if (!segment.functions.empty()) {
        type = functions[segment.functions[j]].type;
      } else if (segment.expressions[j][0] == 0xD2) {
        type = functions[segment.expressions[j][1]].type;
      }
      if (segment.offset + j < table.contents.size()) table.contents[segment.offset + j] = type;
    }
    elements.push_back(std::move(segment));
  }
  const std::uint32_t count = entropy_.below(4);
  for (std::uint32_t i = 0; i < count; ++i) {
    ValType type = i == 0 || !features_.has_references ? wasm::kFuncRef : types_.choose(entropy_, features_);
    if (!type.is_ref() || types_.top_of(type.heap()) == AbstractHeap::exn) type = wasm::kFuncRef;
    elements.push_back(element_list(type, 10));
    if (entropy_.chance(20)) elements.back().mode = SegmentMode::declarative;
  }
}

void ModulePlan::add_data() {
  const std::uint32_t count = entropy_.below(4);
  for (std::uint32_t i = 0; i < count; ++i) {
    DataPlan segment;
    segment.bytes.resize(entropy_.below(entropy_.chance(20) ? 300 : 24));
    for (std::uint8_t& byte : segment.bytes) byte = entropy_.byte();
    if (!memories.empty() && entropy_.chance(110)) {
      segment.mode = SegmentMode::active;
      segment.memory = entropy_.below(memories.size());
      const std::uint64_t size = memories[segment.memory].bytes();
      if (segment.bytes.size() > size) segment.bytes.resize(size);
      // To the memory's last bytes, to the first ones, or rarely one too far, which makes instantiation trap.
      segment.offset = entropy_.chance(80)
                           ? size - segment.bytes.size()
                           : entropy_.below(std::min<std::uint64_t>(size - segment.bytes.size(), 64) + 1);
      if (entropy_.chance(3)) segment.offset = size - segment.bytes.size() + 1;
    }
    data.push_back(std::move(segment));
  }
}

std::vector<std::uint32_t> ModulePlan::functions_of(HeapType heap) const {
  std::vector<std::uint32_t> found;
  for (std::uint32_t i = 0; i < functions.size(); ++i) {
    if (types_.matches(concrete(functions[i].type), heap)) found.push_back(i);
  }
  return found;
}

bool ModulePlan::write_simple_value(ByteWriter& out, ValType type) const {
  switch (type.kind()) {
    case ValType::Kind::i32:
      out.op(Op::i32_const);
      out.s64(0);
      return true;
    case ValType::Kind::i64:
      out.op(Op::i64_const);
      out.s64(0);
      return true;
    case ValType::Kind::f32:
      out.op(Op::f32_const);
      out.fixed32(0);
      return true;
    case ValType::Kind::f64:
      out.op(Op::f64_const);
      out.fixed64(0);
      return true;
    case ValType::Kind::v128:
      out.op(Op::v128_const);
      out.fixed64(0);
      out.fixed64(0);
      return true;
    case ValType::Kind::ref_null:
      out.op(Op::ref_null);
      write_heap_type(out, type.heap());
      return true;
    default:
      break;
  }
  const HeapType heap = type.heap();
  switch (types_.top_of(heap)) {
    case AbstractHeap::func: {
      const auto candidates = functions_of(heap);
      if (candidates.empty()) return false;
      out.op(Op::ref_func);
      out.u32(candidates.front());
      return true;
    }
    case AbstractHeap::extern_:
      if (heap != AbstractHeap::extern_) return false;
      out.op(Op::i32_const);
      out.s64(5);
      out.op(Op::ref_i31);
      out.op(Op::extern_convert_any);
      return true;
    case AbstractHeap::any:
      break;
    default:
      return false;
  }
  if (heap == AbstractHeap::any || heap == AbstractHeap::eq || heap == AbstractHeap::i31) {
    out.op(Op::i32_const);
    out.s64(7);
    out.op(Op::ref_i31);
    return true;
  }
  for (const std::uint32_t index : heap.is_abstract() ? types_.structures() : std::vector{index_of(heap)}) {
    const wasm::SubType& definition = types_.at(index);
    if (!types_.matches(concrete(index), heap) || definition.kind != wasm::CompositeKind::struct_) continue;
    for (const wasm::FieldType& field : definition.fields) write_simple_value(out, field.storage.unpacked());
    out.op(Op::struct_new);
    out.u32(index);
    return true;
  }
  for (const std::uint32_t index : heap.is_abstract() ? types_.arrays() : std::vector{index_of(heap)}) {
    if (!types_.matches(concrete(index), heap)) continue;
    write_simple_value(out, types_.at(index).fields[0].storage.unpacked());
    out.op(Op::array_new_fixed);
    out.u32(index);
    out.u32(1);
    return true;
  }
  return false;
}

}  // namespace wasi::test::fuzz
