// Translation of structures, arrays, i31 and casts.
#include <bit>

#include "interp/translator.h"
#include "runtime/gc_heap_cells.h"
#include "runtime/gc_heap_layout.h"
#include "runtime/gc_heap_object.h"

namespace wasi::interp {

using validate::Immediates;
using wasm::Op;

namespace {

// More operands than this are brought side by side first.
constexpr std::uint32_t kMostDirectFields = 4;
static_assert(form_of(Code::struct_new_1, kMostDirectFields - 1) == Code::struct_new_4);

// The form of an instruction that reads: i32, i64, f32, f64, then packed storage, signed and unsigned.
unsigned read_form(wasm::StorageType storage, bool is_signed) {
  switch (storage.packed()) {
    case wasm::StorageType::Packed::i8:
      return is_signed ? 4 : 5;
    case wasm::StorageType::Packed::i16:
      return is_signed ? 6 : 7;
    case wasm::StorageType::Packed::no:
      break;
  }
  switch (storage.unpacked().kind()) {
    case wasm::ValType::Kind::i32:
      return 0;
    case wasm::ValType::Kind::f32:
      return 2;
    case wasm::ValType::Kind::f64:
      return 3;
    default:
      return 1;
  }
}
static_assert(form_of(Code::array_get_i32, 5) == Code::array_get_8_u);
static_assert(form_of(Code::struct_get_i32_s, 2 * 5) == Code::struct_get_8_u_s);
static_assert(form_of(Code::array_set_8, 3) == Code::array_set_64);
static_assert(form_of(Code::array_set_8, 4) == Code::array_set_v128);

}  // namespace

const wasm::SubType& Translator::definition(std::uint32_t type) const {
  return module_->registry->at(module_->types[type]);
}

const std::vector<std::uint16_t>& Translator::field_words(std::uint32_t type) {
  std::vector<std::uint16_t>& words = field_words_[module_->types[type].value];
  if (!words.empty()) return words;
  std::uint32_t at = 0;
  for (const wasm::FieldType& field : definition(type).fields) {
    words.push_back(static_cast<std::uint16_t>(at));
    at += field.storage.unpacked().slots();
  }
  words.push_back(static_cast<std::uint16_t>(at));
  return words;
}

// The instruction just written gives a value of this type.
void Translator::push_result(std::uint32_t slot, wasm::ValType type) {
  switch (type.kind()) {
    case wasm::ValType::Kind::v128:
      return push_vector(slot);
    case wasm::ValType::Kind::f32:
      wrote(slot, ValueClass::f32);
      break;
    case wasm::ValType::Kind::f64:
      wrote(slot, ValueClass::f64);
      break;
    default:
      wrote(slot, ValueClass::integer);
      break;
  }
  push_slot();
}

void Translator::lower_gc(Op op, const Immediates& immediates) {
  const std::uint32_t index = immediates.index;
  const std::uint32_t index2 = immediates.index2;
  const auto type_id = [&] { return module_->types[index].value; };
  const auto shift = [&]() -> std::uint32_t {
    return runtime::storage_shift(definition(index).fields.front().storage);
  };
  switch (op) {
    case Op::ref_eq: {
      const Entry b = pop();
      const Entry a = pop();
      return compare(lowering_of(Op::i64_eq), a, b);
    }
    case Op::struct_new:
      return new_structure(index);
    case Op::struct_new_default:
      return new_default_structure(index);
    case Op::struct_get:
    case Op::struct_get_s:
    case Op::struct_get_u:
      return get_field(op, index, index2);
    case Op::struct_set:
      return set_field(index, index2);
    case Op::array_new:
      return service(Code::array_new, 2, true, {type_id()});
    case Op::array_new_default:
      return service(Code::array_new_default, 1, true, {type_id()});
    case Op::array_new_fixed:
      return new_array_fixed(index, index2);
    case Op::array_new_data:
      return service(Code::array_new_data, 2, true, {type_id(), index2});
    case Op::array_new_elem:
      return service(Code::array_new_elem, 2, true, {type_id(), index2});
    case Op::array_get:
    case Op::array_get_s:
    case Op::array_get_u:
      return get_element(op, index);
    case Op::array_set:
      return set_element(index);
    case Op::array_len: {
      const Entry array = pop();
      const std::uint32_t slot = in_slot(array);
      emit(Code::array_len);
      mark();
      put_slot(array.slot);
      put_slot(slot);
      return push_result(array.slot, wasm::kI32);
    }
    case Op::array_fill:
      return service(Code::array_fill, 4, false, {shift()});
    case Op::array_copy:
      return service(Code::array_copy, 5, false, {shift()});
    case Op::array_init_data:
      return service(Code::array_init_data, 4, false, {shift(), index2});
    case Op::array_init_elem:
      return service(Code::array_init_elem, 4, false, {index2});
    case Op::ref_i31:
    case Op::i31_get_s:
    case Op::i31_get_u: {
      const Entry value = pop();
      const std::uint32_t slot = in_slot(value);
      emit(op == Op::ref_i31 ? Code::ref_i31 : op == Op::i31_get_s ? Code::i31_get_s : Code::i31_get_u);
      if (op != Op::ref_i31) mark();
      put_slot(value.slot);
      put_slot(slot);
      return push_result(value.slot, wasm::kI32);
    }
    case Op::ref_test:
    case Op::ref_test_null: {
      const Entry reference = pop();
      return test_reference(reference, reference.slot, immediates.type);
    }
    case Op::ref_cast:
    case Op::ref_cast_null:
      return cast_reference(immediates.type);
    case Op::any_convert_extern:
    case Op::extern_convert_any:
      return;  // the same bits mean the same in both hierarchies
    default:
      return unsupported(op);
  }
}

// --- structures

// What instructions that make structures have in common: the destination, the head, the size.
void Translator::emit_new(Code code, std::uint32_t destination, std::uint32_t type) {
  const std::uint32_t words = field_words(type).back();
  const std::uint32_t size_class = runtime::size_class_of(sizeof(runtime::Object) + words * sizeof(runtime::Slot));
  const bool is_large = size_class == runtime::kLargeClass;
  emit(code);
  mark();
  put_slot(destination);
  out_.put(runtime::Object::head({runtime::ObjectKind::structure, module_->types[type]}));
  put_slot(size_class);
  put_slot(is_large ? words + 1 : runtime::cell_bytes_of(size_class) / sizeof(runtime::Slot));
}

void Translator::new_default_structure(std::uint32_t type) {
  const std::uint32_t result = next_slot();
  emit_new(Code::struct_new_default, result, type);
  put_slot(field_words(type).back());
  forget_accumulators();
  push_result(result, wasm::kI64);
}

void Translator::new_structure(std::uint32_t type) {
  const auto count = static_cast<std::uint32_t>(definition(type).fields.size());
  if (count == 0) return new_default_structure(type);
  std::uint32_t slots[kMostDirectFields] = {};
  // All in a row where there are many, or some take two slots.
  const bool is_direct = count <= kMostDirectFields && field_words(type).back() == count;
  if (!is_direct) flush_arguments(count);
  std::uint32_t first = 0;
  for (std::uint32_t i = count; i > 0; --i) {
    const Entry field = pop();
    if (is_direct) slots[i - 1] = in_slot(field);
    first = field.slot;
  }
  emit_new(is_direct ? form_of(Code::struct_new_1, count - 1) : Code::struct_new, first, type);
  if (is_direct) {
    for (std::uint32_t i = 0; i < count; ++i) put_slot(slots[i]);
  } else {
    put_slot(first);
    put_slot(field_words(type).back());
  }
  forget_accumulators();
  push_result(first, wasm::kI64);
}

void Translator::get_field(Op op, std::uint32_t type, std::uint32_t field) {
  const wasm::StorageType storage = definition(type).fields[field].storage;
  const Entry structure = pop();
  if (storage.unpacked().is_vector()) {
    const std::uint32_t slot = in_slot(structure);
    emit(Code::struct_get_v128);
    mark();
    put_slot(structure.slot);
    put_slot(slot);
    put_slot(field_words(type)[field]);
    return push_vector(structure.slot);
  }
  Operand reference = operand(structure, ValueClass::integer, true);
  if (reference.form == 'k') reference = {'s', in_slot(structure), 0};
  const unsigned form = 2 * read_form(storage, op == Op::struct_get_s) + (reference.form == 'a' ? 1 : 0);
  emit(form_of(Code::struct_get_i32_s, form));
  mark();
  put_slot(structure.slot);
  put_operand(reference, ValueClass::integer, true);
  put_slot(field_words(type)[field]);
  push_result(structure.slot, storage.unpacked());
}

void Translator::set_field(std::uint32_t type, std::uint32_t field) {
  const Entry entry = pop();
  const Entry structure = pop();
  const Operand value = entry.is_vector ? Operand{'s', place(entry), 0} : operand(entry, ValueClass::integer, true);
  const std::uint32_t reference = in_slot(structure);
  emit(entry.is_vector ? Code::struct_set_v128 : value.form == 'k' ? Code::struct_set_k : Code::struct_set_s);
  mark();
  put_slot(reference);
  if (value.form == 'k') {
    out_.put(static_cast<std::uint32_t>(value.bits));
  } else {
    put_slot(value.slot);
  }
  put_slot(field_words(type)[field]);
}

// --- arrays

void Translator::new_array_fixed(std::uint32_t type, std::uint32_t count) {
  flush_arguments(count);
  for (std::uint32_t i = 0; i < count; ++i) pop();
  const std::uint32_t first = next_slot();
  emit(Code::array_new_fixed);
  mark();
  put_slot(first);
  put_slot(first);
  put_index(count);
  put_index(module_->types[type].value);
  forget_accumulators();
  wrote(first);
  push_slot();
}

void Translator::get_element(Op op, std::uint32_t type) {
  const wasm::StorageType storage = definition(type).fields.front().storage;
  const Entry index = pop();
  const Entry array = pop();
  const std::uint32_t index_slot = in_slot(index);
  const std::uint32_t array_slot = in_slot(array);
  const bool is_vector = storage.unpacked().is_vector();
  emit(is_vector ? Code::array_get_v128 : form_of(Code::array_get_i32, read_form(storage, op == Op::array_get_s)));
  mark();
  put_slot(array.slot);
  put_slot(array_slot);
  put_slot(index_slot);
  push_result(array.slot, storage.unpacked());
}

void Translator::set_element(std::uint32_t type) {
  const wasm::StorageType storage = definition(type).fields.front().storage;
  const Entry value = pop();
  const Entry index = pop();
  const Entry array = pop();
  const std::uint32_t value_slot = in_slot(value);
  const std::uint32_t index_slot = in_slot(index);
  const std::uint32_t array_slot = in_slot(array);
  emit(form_of(Code::array_set_8, runtime::storage_shift(storage)));
  mark();
  put_slot(array_slot);
  put_slot(index_slot);
  put_slot(value_slot);
}

// --- casts

namespace {

bool is_object_test(const runtime::TypeTest& test) { return test.mode == runtime::TypeTest::Mode::object; }

}  // namespace

// Pushes whether the reference, wherever it stands, is of the type.
void Translator::test_reference(const Entry& reference, std::uint32_t result, wasm::ValType type) {
  const runtime::TypeTest test = runtime::make_test(*module_->registry, type);
  const std::uint32_t slot = in_slot(reference);
  emit(is_object_test(test) ? Code::ref_test_object : Code::ref_test);
  put_slot(result);
  put_slot(slot);
  out_.put(std::bit_cast<std::uint64_t>(test));
  if (!is_object_test(test)) forget_accumulators();
  push_result(result, wasm::kI32);
}

void Translator::cast_reference(wasm::ValType type) {
  const runtime::TypeTest test = runtime::make_test(*module_->registry, type);
  settle_constant();
  const std::uint32_t slot = place(stack_.back());
  emit(is_object_test(test) ? Code::ref_cast_object : Code::ref_cast);
  mark();
  put_slot(slot);
  out_.put(std::bit_cast<std::uint64_t>(test));
  if (!is_object_test(test)) forget_accumulators();
}

}  // namespace wasi::interp
