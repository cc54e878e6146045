// The function walk: references, casts, and branches on them. Part of function_walk.h, which includes it.
// Source: https://webassembly.github.io/spec/core/valid/instructions.html#reference-instructions
#pragma once

#include "validate/function_walk.h"

namespace wasi::validate {

template <class Sink, bool kChecked>
void FunctionWalk<Sink, kChecked>::ref_null() {
  const wasm::HeapType heap = binary::read_heap_type(reader_, module_);
  if (!reader_.ok()) return;
  immediates_.type = ValType::ref(heap, true);
  features_ |= binary::features_of(immediates_.type);
  apply({}, immediates_.type);
}

template <class Sink, bool kChecked>
void FunctionWalk<Sink, kChecked>::ref_is_null() {
  ValType type;
  if (!peek_ref(0, type)) return;
  report(op_);
  drop(1);
  push(wasm::kI32);
}

template <class Sink, bool kChecked>
void FunctionWalk<Sink, kChecked>::ref_func() {
  const std::uint32_t index = immediates_.index = reader_.u32("function index");
  if (!reader_.ok()) return;
  if (index >= module_.functions.size()) {
    fail_unknown("function", index, module_.functions.size());
    return;
  }
  if constexpr (kChecked && !kIsConstantSink<Sink>) {
    // Constant expressions declare what they name.
    if (index >= module_.declared_functions.size() || !module_.declared_functions[index]) {
      fail("undeclared function reference: function " + std::to_string(index) +
           " is named in no export, element segment or constant expression");
      return;
    }
  }
  apply({}, ref_to(module_.functions[index].value, false));
}

template <class Sink, bool kChecked>
void FunctionWalk<Sink, kChecked>::ref_eq() {
  const ValType eq = ValType::ref(wasm::AbstractHeap::eq, true);
  apply({eq, eq}, wasm::kI32);
}

template <class Sink, bool kChecked>
void FunctionWalk<Sink, kChecked>::ref_as_non_null() {
  ValType type;
  if (!peek_ref(0, type)) return;
  report(op_);
  drop(1);
  push(type.as_nullable(false));
}

template <class Sink, bool kChecked>
void FunctionWalk<Sink, kChecked>::br_on_null() {
  std::uint32_t depth = 0;
  Block* target = read_label(depth);
  ValType type;
  if (target == nullptr || !peek_ref(0, type) || !check_top(target->branch_types(), 1)) return;
  if (reachable_) {
    charge(1);
    sink_.br_on(*this, op_, immediates_, *target);
  }
  drop(1);
  retype(target->branch_types());
  push(type.as_nullable(false));
}

template <class Sink, bool kChecked>
void FunctionWalk<Sink, kChecked>::br_on_non_null() {
  std::uint32_t depth = 0;
  Block* target = read_label(depth);
  ValType type;
  if (target == nullptr || !peek_ref(0, type)) return;
  const Types types = target->branch_types();
  if constexpr (kChecked) {
    if (types.empty() || !matches(type.as_nullable(false), types.back())) {
      fail("type mismatch: br_on_non_null brings " + type_list(std::array{type.as_nullable(false)}) +
           " but its label expects " + type_list(types));
      return;
    }
    if (!check_top(types.first(types.size() - 1), 1)) return;
  }
  if (reachable_) {
    charge(1);
    sink_.br_on(*this, op_, immediates_, *target);
  }
  drop(1);
  retype(types.first(types.size() - 1));
}

template <class Sink, bool kChecked>
void FunctionWalk<Sink, kChecked>::ref_test(bool nullable) {
  const wasm::HeapType heap = binary::read_heap_type(reader_, module_);
  if (!reader_.ok()) return;
  immediates_.type = ValType::ref(heap, nullable);
  apply({ValType::ref(module_.registry->top_of(heap), true)}, wasm::kI32);
}

template <class Sink, bool kChecked>
void FunctionWalk<Sink, kChecked>::ref_cast(bool nullable) {
  const wasm::HeapType heap = binary::read_heap_type(reader_, module_);
  if (!reader_.ok()) return;
  immediates_.type = ValType::ref(heap, nullable);
  apply({ValType::ref(module_.registry->top_of(heap), true)}, immediates_.type);
}

template <class Sink, bool kChecked>
void FunctionWalk<Sink, kChecked>::br_on_cast() {
  const std::uint8_t flags = reader_.u8("cast flags");
  std::uint32_t depth = 0;
  Block* target = read_label(depth);
  if (target == nullptr) return;
  const wasm::HeapType from = binary::read_heap_type(reader_, module_);
  const wasm::HeapType to = binary::read_heap_type(reader_, module_);
  if (!reader_.ok()) return;
  if (flags > 3) {
    fail(ErrorKind::malformed, "malformed " + std::string(who()) + " flags: " + std::to_string(flags));
    return;
  }
  const ValType source = immediates_.type = ValType::ref(from, (flags & 1) != 0);
  const ValType cast = immediates_.type2 = ValType::ref(to, (flags & 2) != 0);
  // What is left of the source when the cast fails: a null that the cast takes is not.
  const ValType rest = cast.is_nullable() ? source.as_nullable(false) : source;
  const ValType taken = op_ == Op::br_on_cast ? cast : rest;
  const ValType passed = op_ == Op::br_on_cast ? rest : cast;
  const Types types = target->branch_types();
  if constexpr (kChecked) {
    if (!matches(cast, source)) {
      fail("type mismatch: " + std::string(who()) + " from " + wasm::to_string(source) + " to " +
           wasm::to_string(cast) + ", which does not match it");
      return;
    }
    if (types.empty() || !matches(taken, types.back())) {
      fail("type mismatch: " + std::string(who()) + " brings " + wasm::to_string(taken) + " but its label expects " +
           type_list(types));
      return;
    }
    if (!check_top(source) || !check_top(types.first(types.size() - 1), 1)) return;
  }
  if (reachable_) {
    charge(1);
    sink_.br_on(*this, op_, immediates_, *target);
  }
  drop(1);
  retype(types.first(types.size() - 1));
  push(passed);
}

template <class Sink, bool kChecked>
void FunctionWalk<Sink, kChecked>::convert(wasm::AbstractHeap from, wasm::AbstractHeap to) {
  ValType type;
  if (!check_top(ValType::ref(from, true)) || !peek_ref(0, type)) return;
  report(op_);
  drop(1);
  push(ValType::ref(to, type.is_nullable()));
}

}  // namespace wasi::validate
