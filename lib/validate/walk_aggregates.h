// The function walk: structures and arrays. Part of function_walk.h, which includes it.
// Source: https://webassembly.github.io/spec/core/valid/instructions.html#aggregate-reference-instructions
#pragma once

#include "validate/function_walk.h"

namespace wasi::validate {

// A type index that must stand for this kind of type; null when the walk has failed.
template <class Sink, bool kChecked>
const wasm::SubType* FunctionWalk<Sink, kChecked>::read_aggregate(wasm::CompositeKind kind, std::uint32_t& index) {
  index = binary::read_type_index(reader_, binary::ModuleTypes{module_});
  if (!reader_.ok()) return nullptr;
  const wasm::SubType& type = module_.registry->at(module_.types[index]);
  if (type.kind != kind) {
    fail("type mismatch: " + std::string(who()) + " expected " +
         (kind == wasm::CompositeKind::struct_ ? "a structure" : "an array") + " type and type " +
         std::to_string(index) + " is none");
    return nullptr;
  }
  return &type;
}

template <class Sink, bool kChecked>
const wasm::FieldType* FunctionWalk<Sink, kChecked>::read_field(const wasm::SubType& type) {
  const std::uint32_t index = immediates_.index2 = reader_.u32("field index");
  if (!reader_.ok()) return nullptr;
  if (index >= type.fields.size()) {
    fail(unknown_message("field", index, type.fields.size(), "structure"));
    return nullptr;
  }
  return &type.fields[index];
}

// The plain get is for value types, get_s and get_u are for packed ones.
template <class Sink, bool kChecked>
bool FunctionWalk<Sink, kChecked>::check_packing(const wasm::FieldType& field, bool is_plain) {
  if (field.storage.is_packed() != is_plain) return true;
  return fail("type mismatch: " + std::string(who()) + (is_plain ? " of a packed field" : " of a field not packed"));
}

template <class Sink, bool kChecked>
bool FunctionWalk<Sink, kChecked>::check_mutable(const wasm::FieldType& field, std::string_view what) {
  return field.is_mutable || fail("immutable " + std::string(what) + ": " + std::string(who()) + " would change it");
}

template <class Sink, bool kChecked>
void FunctionWalk<Sink, kChecked>::struct_new() {
  const wasm::SubType* type = read_aggregate(wasm::CompositeKind::struct_, immediates_.index);
  if (type == nullptr) return;
  const auto& fields = type->fields;
  if constexpr (kChecked) {
    const std::size_t found = std::min(available(), fields.size());
    for (std::size_t i = 0; i < found; ++i) {
      const ValType field = fields[fields.size() - 1 - i].storage.unpacked();
      if (!matches(operands_.from_top(i).type, field)) {
        fail(mismatch_message(who(), {&field, 1}, {&operands_.from_top(i), 1}));
        return;
      }
    }
    if (found < fields.size() && !current_->unreachable) {
      fail(mismatch_message(who(), std::array{fields[fields.size() - 1 - found].storage.unpacked()}, {}));
      return;
    }
  }
  report(op_);
  drop(fields.size());
  push(ref_to(immediates_.index, false));
}

template <class Sink, bool kChecked>
void FunctionWalk<Sink, kChecked>::struct_new_default() {
  const wasm::SubType* type = read_aggregate(wasm::CompositeKind::struct_, immediates_.index);
  if (type == nullptr) return;
  // Thousands of fields are looked at once, not at each instruction.
  const bool is_large = type->fields.size() > 16;
  if (kChecked && !(is_large && scratch_->defaultable.contains(type))) {
    for (const wasm::FieldType& field : type->fields) {
      if (field.storage.unpacked().is_defaultable()) continue;
      fail("type mismatch: struct.new_default of a field without a default value, " +
           wasm::to_string(field.storage.unpacked()));
      return;
    }
    if (is_large) scratch_->defaultable.insert(type);
  }
  apply({}, ref_to(immediates_.index, false));
}

template <class Sink, bool kChecked>
void FunctionWalk<Sink, kChecked>::struct_get() {
  const wasm::SubType* type = read_aggregate(wasm::CompositeKind::struct_, immediates_.index);
  if (type == nullptr) return;
  const wasm::FieldType* field = read_field(*type);
  if (field == nullptr || !check_packing(*field, op_ == Op::struct_get)) return;
  apply({ref_to(immediates_.index, true)}, field->storage.unpacked());
}

template <class Sink, bool kChecked>
void FunctionWalk<Sink, kChecked>::struct_set() {
  const wasm::SubType* type = read_aggregate(wasm::CompositeKind::struct_, immediates_.index);
  if (type == nullptr) return;
  const wasm::FieldType* field = read_field(*type);
  if (field == nullptr || !check_mutable(*field, "field")) return;
  apply({ref_to(immediates_.index, true), field->storage.unpacked()}, wasm::kBottom);
}

template <class Sink, bool kChecked>
void FunctionWalk<Sink, kChecked>::array_new() {
  const wasm::SubType* type = read_aggregate(wasm::CompositeKind::array, immediates_.index);
  if (type == nullptr) return;
  apply({type->fields[0].storage.unpacked(), wasm::kI32}, ref_to(immediates_.index, false));
}

template <class Sink, bool kChecked>
void FunctionWalk<Sink, kChecked>::array_new_default() {
  const wasm::SubType* type = read_aggregate(wasm::CompositeKind::array, immediates_.index);
  if (type == nullptr) return;
  if (kChecked && !type->fields[0].storage.unpacked().is_defaultable()) {
    fail("type mismatch: array.new_default of elements without a default value, " +
         wasm::to_string(type->fields[0].storage.unpacked()));
    return;
  }
  apply({wasm::kI32}, ref_to(immediates_.index, false));
}

template <class Sink, bool kChecked>
void FunctionWalk<Sink, kChecked>::array_new_fixed() {
  const wasm::SubType* type = read_aggregate(wasm::CompositeKind::array, immediates_.index);
  const std::uint32_t count = immediates_.index2 = reader_.u32("count of elements");
  if (type == nullptr || !reader_.ok() || !check_repeated(type->fields[0].storage.unpacked(), count)) return;
  report(op_);
  drop(count);
  push(ref_to(immediates_.index, false));
}

template <class Sink, bool kChecked>
void FunctionWalk<Sink, kChecked>::array_new_data() {
  const wasm::SubType* type = read_aggregate(wasm::CompositeKind::array, immediates_.index);
  const std::uint32_t data = immediates_.index2 = reader_.u32("data index");
  if (type == nullptr || !reader_.ok() || !check_data(data)) return;
  if (kChecked && type->fields[0].storage.unpacked().is_ref()) {
    fail("array type is not numeric or vector: array.new_data cannot make " +
         wasm::to_string(type->fields[0].storage.unpacked()));
    return;
  }
  apply({wasm::kI32, wasm::kI32}, ref_to(immediates_.index, false));
}

template <class Sink, bool kChecked>
void FunctionWalk<Sink, kChecked>::array_new_elem() {
  const wasm::SubType* type = read_aggregate(wasm::CompositeKind::array, immediates_.index);
  const std::uint32_t element = immediates_.index2 = reader_.u32("element segment index");
  if (type == nullptr || !reader_.ok() || !check_element(element)) return;
  if (kChecked && !matches(module_.elements[element].type, type->fields[0].storage.unpacked())) {
    fail("type mismatch: array.new_elem of " + wasm::to_string(type->fields[0].storage.unpacked()) +
         " from a segment of " + wasm::to_string(module_.elements[element].type));
    return;
  }
  apply({wasm::kI32, wasm::kI32}, ref_to(immediates_.index, false));
}

template <class Sink, bool kChecked>
void FunctionWalk<Sink, kChecked>::array_get() {
  const wasm::SubType* type = read_aggregate(wasm::CompositeKind::array, immediates_.index);
  if (type == nullptr || !check_packing(type->fields[0], op_ == Op::array_get)) return;
  apply({ref_to(immediates_.index, true), wasm::kI32}, type->fields[0].storage.unpacked());
}

template <class Sink, bool kChecked>
void FunctionWalk<Sink, kChecked>::array_set() {
  const wasm::SubType* type = read_aggregate(wasm::CompositeKind::array, immediates_.index);
  if (type == nullptr || !check_mutable(type->fields[0], "array")) return;
  apply({ref_to(immediates_.index, true), wasm::kI32, type->fields[0].storage.unpacked()}, wasm::kBottom);
}

template <class Sink, bool kChecked>
void FunctionWalk<Sink, kChecked>::array_fill() {
  const wasm::SubType* type = read_aggregate(wasm::CompositeKind::array, immediates_.index);
  if (type == nullptr || !check_mutable(type->fields[0], "array")) return;
  apply({ref_to(immediates_.index, true), wasm::kI32, type->fields[0].storage.unpacked(), wasm::kI32}, wasm::kBottom);
}

template <class Sink, bool kChecked>
void FunctionWalk<Sink, kChecked>::array_copy() {
  const wasm::SubType* to = read_aggregate(wasm::CompositeKind::array, immediates_.index);
  if (to == nullptr) return;
  const wasm::SubType* from = read_aggregate(wasm::CompositeKind::array, immediates_.index2);
  if (from == nullptr || !check_mutable(to->fields[0], "array")) return;
  if constexpr (kChecked) {
    const wasm::StorageType source = from->fields[0].storage;
    const wasm::StorageType destination = to->fields[0].storage;
    if (source.packed() != destination.packed() || !matches(source.unpacked(), destination.unpacked())) {
      fail("array types do not match: array.copy from type " + std::to_string(immediates_.index2) + " to type " +
           std::to_string(immediates_.index));
      return;
    }
  }
  apply({ref_to(immediates_.index, true), wasm::kI32, ref_to(immediates_.index2, true), wasm::kI32, wasm::kI32},
        wasm::kBottom);
}

template <class Sink, bool kChecked>
void FunctionWalk<Sink, kChecked>::array_init_data() {
  const wasm::SubType* type = read_aggregate(wasm::CompositeKind::array, immediates_.index);
  const std::uint32_t data = immediates_.index2 = reader_.u32("data index");
  if (type == nullptr || !reader_.ok() || !check_data(data) || !check_mutable(type->fields[0], "array")) return;
  if (kChecked && type->fields[0].storage.unpacked().is_ref()) {
    fail("array type is not numeric or vector: array.init_data cannot make " +
         wasm::to_string(type->fields[0].storage.unpacked()));
    return;
  }
  apply({ref_to(immediates_.index, true), wasm::kI32, wasm::kI32, wasm::kI32}, wasm::kBottom);
}

template <class Sink, bool kChecked>
void FunctionWalk<Sink, kChecked>::array_init_elem() {
  const wasm::SubType* type = read_aggregate(wasm::CompositeKind::array, immediates_.index);
  const std::uint32_t element = immediates_.index2 = reader_.u32("element segment index");
  if (type == nullptr || !reader_.ok() || !check_element(element) || !check_mutable(type->fields[0], "array")) return;
  if (kChecked && !matches(module_.elements[element].type, type->fields[0].storage.unpacked())) {
    fail("type mismatch: array.init_elem of " + wasm::to_string(type->fields[0].storage.unpacked()) +
         " from a segment of " + wasm::to_string(module_.elements[element].type));
    return;
  }
  apply({ref_to(immediates_.index, true), wasm::kI32, wasm::kI32, wasm::kI32}, wasm::kBottom);
}

}  // namespace wasi::validate
