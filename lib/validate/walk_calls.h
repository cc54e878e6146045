// The function walk: calls. Part of function_walk.h, which includes it.
// Source: https://webassembly.github.io/spec/core/valid/instructions.html#control-instructions
#pragma once

#include "validate/function_walk.h"

namespace wasi::validate {

// The function type that `index`, which exists, stands for; null when the walk has failed.
template <class Sink, bool kChecked>
const wasm::FuncType* FunctionWalk<Sink, kChecked>::function_type(wasm::TypeIndex index) {
  const wasm::SubType& type = module_.registry->at(module_.types[index.value]);
  if (type.kind != wasm::CompositeKind::func) [[unlikely]] {
    fail("type mismatch: " + std::string(who()) + " expected a function type and type " + std::to_string(index.value) +
         " is none");
    return nullptr;
  }
  return &type.func;
}

// The callee of a tail call returns for the caller.
template <class Sink, bool kChecked>
bool FunctionWalk<Sink, kChecked>::check_tail(const wasm::FuncType& callee) {
  if constexpr (kChecked) {
    bool same = callee.results.size() == results_.size();
    for (std::size_t i = 0; same && i < results_.size(); ++i) same = matches(callee.results[i], results_[i]);
    if (!same) {
      return fail("type mismatch: " + std::string(who()) + " gives " + type_list(callee.results) +
                  " but the function returns " + type_list(results_));
    }
  }
  return true;
}

template <class Sink, bool kChecked>
inline void FunctionWalk<Sink, kChecked>::finish_call(const wasm::FuncType& callee, bool is_tail) {
  if (is_tail) return set_unreachable();
  drop(callee.params.size());
  push(callee.results);
}

template <class Sink, bool kChecked>
void FunctionWalk<Sink, kChecked>::call(bool is_tail) {
  const std::uint32_t index = reader_.u32("function index");
  if (!reader_.ok()) return;
  if (index >= module_.functions.size()) [[unlikely]] {
    fail_unknown("function", index, module_.functions.size());
    return;
  }
  const wasm::FuncIndex function(index);
  const wasm::FuncType& callee = module_.func_type(function);
  if ((is_tail && !check_tail(callee)) || !check_top(callee.params)) return;
  if (reachable_) {
    charge(1);
    sink_.call(*this, op_, function);
  }
  finish_call(callee, is_tail);
}

template <class Sink, bool kChecked>
void FunctionWalk<Sink, kChecked>::call_indirect(bool is_tail) {
  const wasm::TypeIndex type(binary::read_type_index(reader_, binary::ModuleTypes{module_}));
  const std::uint32_t table = reader_.u32("table index");
  if (!reader_.ok() || !check_table(table)) return;
  if (table != 0) features_.add(wasm::Feature::reference_types);
  const wasm::FuncType* callee = function_type(type);
  if (callee == nullptr) return;
  const wasm::TableType& table_type = module_.tables[table].type;
  if (kChecked && !matches(table_type.element, wasm::kFuncRef)) {
    fail("type mismatch: " + std::string(who()) + " expected a table of functions and table " + std::to_string(table) +
         " holds " + wasm::to_string(table_type.element));
    return;
  }
  if ((is_tail && !check_tail(*callee)) || !check_top(table_address(table)) || !check_top(callee->params, 1)) return;
  if (reachable_) {
    charge(1);
    sink_.call_indirect(*this, op_, type, wasm::TableIndex(table));
  }
  drop(1);
  finish_call(*callee, is_tail);
}

template <class Sink, bool kChecked>
void FunctionWalk<Sink, kChecked>::call_ref(bool is_tail) {
  const wasm::TypeIndex type(binary::read_type_index(reader_, binary::ModuleTypes{module_}));
  if (!reader_.ok()) return;
  const wasm::FuncType* callee = function_type(type);
  if (callee == nullptr) return;
  if (is_tail) features_.add(wasm::Feature::tail_calls);
  if ((is_tail && !check_tail(*callee)) || !check_top(ref_to(type.value, true)) || !check_top(callee->params, 1)) {
    return;
  }
  if (reachable_) {
    charge(1);
    sink_.call_ref(*this, op_, type);
  }
  drop(1);
  finish_call(*callee, is_tail);
}

}  // namespace wasi::validate
