// The function walk: select, globals, tables and the bulk instructions that name two things. Part of function_walk.h,
// which includes it. Source: https://webassembly.github.io/spec/core/valid/instructions.html
#pragma once

#include "validate/function_walk.h"

namespace wasi::validate {

template <class Sink, bool kChecked>
void FunctionWalk<Sink, kChecked>::select() {
  ValType second;
  ValType first;
  if (!check_top(wasm::kI32) || !peek(1, "two operands", second) || !peek(2, "two operands", first)) return;
  if constexpr (kChecked) {
    if (first.is_ref() || second.is_ref()) {
      fail(sort_message("select without a type", "numbers or vectors", first.is_ref() ? first : second));
      return;
    }
    if (first != second && !first.is_bottom() && !second.is_bottom()) {
      fail("type mismatch: select expected two operands of one type but the stack holds " +
           type_list(std::array{first, second}));
      return;
    }
  }
  report(op_);
  drop(3);
  push(first.is_bottom() ? second : first);
}

template <class Sink, bool kChecked>
void FunctionWalk<Sink, kChecked>::select_typed() {
  const std::uint32_t count = reader_.u32("count of result types");
  if (!reader_.ok()) return;
  if (count != 1) {
    fail("invalid result arity: select gives 1 value, not " + std::to_string(count));
    return;
  }
  immediates_.type = binary::read_value_type(reader_, module_);
  if (!reader_.ok()) return;
  const ValType type = immediates_.type;
  apply({type, type, wasm::kI32}, type);
}

// A global that is not there, or that a constant expression may not read.
template <class Sink, bool kChecked>
void FunctionWalk<Sink, kChecked>::fail_global(std::uint32_t index) {
  if (index >= visible_globals_) {
    fail_unknown("global", index, visible_globals_);
  } else {
    fail("constant expression required: global " + std::to_string(index) + " is mutable");
  }
}

template <class Sink, bool kChecked>
void FunctionWalk<Sink, kChecked>::global_set() {
  const std::uint32_t index = immediates_.index = reader_.u32("global index");
  if (!reader_.ok()) return;
  if (index >= visible_globals_) [[unlikely]]
    return fail_global(index);
  const wasm::GlobalType& type = module_.globals[index].type;
  if (kChecked && !type.is_mutable) {
    fail("immutable global: global.set of global " + std::to_string(index));
    return;
  }
  apply({type.type}, wasm::kBottom);
}

template <class Sink, bool kChecked>
bool FunctionWalk<Sink, kChecked>::check_table(std::uint32_t index) {
  return index < module_.tables.size() || fail_unknown("table", index, module_.tables.size());
}

template <class Sink, bool kChecked>
bool FunctionWalk<Sink, kChecked>::check_memory(std::uint32_t index) {
  return index < module_.memories.size() || fail_unknown("memory", index, module_.memories.size());
}

template <class Sink, bool kChecked>
bool FunctionWalk<Sink, kChecked>::check_element(std::uint32_t index) {
  return index < module_.elements.size() || fail_unknown("elem segment", index, module_.elements.size());
}

// The data section follows the bodies, so bodies may count on the data count section only.
template <class Sink, bool kChecked>
bool FunctionWalk<Sink, kChecked>::check_data(std::uint32_t index) {
  if (!module_.data_count) {
    return fail(ErrorKind::malformed, "data count section required: " + std::string(who()) + " names a data segment");
  }
  return index < *module_.data_count || fail_unknown("data segment", index, *module_.data_count);
}

template <class Sink, bool kChecked>
void FunctionWalk<Sink, kChecked>::table_get() {
  const std::uint32_t table = immediates_.index = reader_.u32("table index");
  if (!reader_.ok() || !check_table(table)) return;
  apply({table_address(table)}, module_.tables[table].type.element);
}

template <class Sink, bool kChecked>
void FunctionWalk<Sink, kChecked>::table_set() {
  const std::uint32_t table = immediates_.index = reader_.u32("table index");
  if (!reader_.ok() || !check_table(table)) return;
  apply({table_address(table), module_.tables[table].type.element}, wasm::kBottom);
}

template <class Sink, bool kChecked>
void FunctionWalk<Sink, kChecked>::table_grow() {
  const std::uint32_t table = immediates_.index = reader_.u32("table index");
  if (!reader_.ok() || !check_table(table)) return;
  const ValType address = table_address(table);
  apply({module_.tables[table].type.element, address}, address);
}

template <class Sink, bool kChecked>
void FunctionWalk<Sink, kChecked>::table_size() {
  const std::uint32_t table = immediates_.index = reader_.u32("table index");
  if (!reader_.ok() || !check_table(table)) return;
  apply({}, table_address(table));
}

template <class Sink, bool kChecked>
void FunctionWalk<Sink, kChecked>::table_fill() {
  const std::uint32_t table = immediates_.index = reader_.u32("table index");
  if (!reader_.ok() || !check_table(table)) return;
  const ValType address = table_address(table);
  apply({address, module_.tables[table].type.element, address}, wasm::kBottom);
}

template <class Sink, bool kChecked>
void FunctionWalk<Sink, kChecked>::table_init() {
  const std::uint32_t element = immediates_.index = reader_.u32("element segment index");
  const std::uint32_t table = immediates_.index2 = reader_.u32("table index");
  if (!reader_.ok() || !check_table(table) || !check_element(element)) return;
  const ValType from = module_.elements[element].type;
  const ValType to = module_.tables[table].type.element;
  if (kChecked && !matches(from, to)) {
    fail("type mismatch: table.init from a segment of " + wasm::to_string(from) + " to a table of " +
         wasm::to_string(to));
    return;
  }
  apply({table_address(table), wasm::kI32, wasm::kI32}, wasm::kBottom);
}

template <class Sink, bool kChecked>
void FunctionWalk<Sink, kChecked>::table_copy() {
  const std::uint32_t to = immediates_.index = reader_.u32("table index");
  const std::uint32_t from = immediates_.index2 = reader_.u32("table index");
  if (!reader_.ok() || !check_table(to) || !check_table(from)) return;
  const ValType source = module_.tables[from].type.element;
  const ValType destination = module_.tables[to].type.element;
  if (kChecked && !matches(source, destination)) {
    fail("type mismatch: table.copy from a table of " + wasm::to_string(source) + " to a table of " +
         wasm::to_string(destination));
    return;
  }
  const ValType length = table_address(to) == wasm::kI64 && table_address(from) == wasm::kI64 ? wasm::kI64 : wasm::kI32;
  apply({table_address(to), table_address(from), length}, wasm::kBottom);
}

template <class Sink, bool kChecked>
void FunctionWalk<Sink, kChecked>::memory_copy() {
  const std::uint32_t to = immediates_.index = reader_.u32("memory index");
  const std::uint32_t from = immediates_.index2 = reader_.u32("memory index");
  if (!reader_.ok() || !check_memory(to) || !check_memory(from)) return;
  if (to != 0 || from != 0) features_.add(wasm::Feature::multi_memory);
  const ValType length =
      memory_address(to) == wasm::kI64 && memory_address(from) == wasm::kI64 ? wasm::kI64 : wasm::kI32;
  apply({memory_address(to), memory_address(from), length}, wasm::kBottom);
}

}  // namespace wasi::validate
