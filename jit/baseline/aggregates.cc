// Structures and arrays. What lies where: gc_heap_object.h.
//
// A small object's memory comes from the cursor of its size class; the runtime is asked where that has no room. Then
// everything in registers goes home, which is where a collection finds references. So what an object is made of stays
// on the stack until its memory is there.
#include "base/check.h"
#include "jit/baseline/compiler.h"
#include "jit/common/inline_limits.h"
#include "runtime/exec_state.h"
#include "runtime/gc_heap_layout.h"
#include "runtime/gc_heap_object.h"
#include "runtime/services.h"
#include "runtime/vmcontext.h"

namespace wasi::jit::baseline {

using runtime::Cursor;
using runtime::ExecState;
using runtime::GcState;
using runtime::Object;
using runtime::ObjectKind;
using runtime::ObjectType;
using runtime::RuntimeCallId;
using runtime::VmContext;
using wasm::Op;
using wasm::StorageType;

namespace {

constexpr std::int32_t kContents = sizeof(Object);

// A packed field has a word, of which the lower half is as good as its low bits.
unsigned field_shift(StorageType storage) { return storage.is_packed() ? 2 : runtime::storage_shift(storage); }

x64::Mem contents_at(x64::Gp object, std::uint64_t offset) {
  return x64::ptr(object, kContents + static_cast<std::int32_t>(offset));
}

}  // namespace

void Compiler::lower_aggregate(Op op, const validate::Immediates& immediates) {
  const std::uint32_t type = immediates.index;
  // Any reference: the model does not tell them apart.
  const auto call = [&](std::size_t operands, bool has_result) {
    service(*runtime::services::service_of(op), operands, has_result ? std::optional(wasm::kExternRef) : std::nullopt,
            type, immediates.index2);
  };
  switch (op) {
    case Op::struct_new:
      return new_structure(type);
    case Op::struct_new_default:
      return new_default_structure(type);
    case Op::struct_get:
    case Op::struct_get_s:
    case Op::struct_get_u:
      return get_field(type, immediates.index2, op == Op::struct_get_s);
    case Op::struct_set:
      return set_field(type, immediates.index2);
    case Op::array_new:
    case Op::array_new_default:
      if (!new_constant_array(type, op == Op::array_new)) call(op == Op::array_new ? 2 : 1, true);
      return;
    case Op::array_new_fixed:
      if (!new_fixed_array(type, immediates.index2)) call(immediates.index2, true);
      return;
    case Op::array_new_data:
    case Op::array_new_elem:
      return call(2, true);
    case Op::array_get:
    case Op::array_get_s:
    case Op::array_get_u:
      return get_element(type, op == Op::array_get_s);
    case Op::array_set:
      return set_element(type);
    case Op::array_len:
      return array_length();
    case Op::array_fill:
    case Op::array_init_data:
    case Op::array_init_elem:
      return call(4, false);
    case Op::array_copy:
      return call(5, false);
    case Op::any_convert_extern:
    case Op::extern_convert_any:
      return;  // the same bits
    case Op::ref_test:
    case Op::ref_test_null:
      return test_reference(immediates.type);
    case Op::ref_cast:
    case Op::ref_cast_null:
      return cast_reference(immediates.type);
    case Op::ref_i31:
      return make_i31();
    case Op::i31_get_s:
    case Op::i31_get_u:
      return get_i31(op == Op::i31_get_s);
    default:
      WASI_CHECK(false);
  }
}

const wasm::SubType& Compiler::definition(std::uint32_t type) const {
  return module_.registry->at(module_.types[type]);
}

// The word at which each field begins; behind them, how many there are.
const std::vector<std::uint32_t>& Compiler::field_words(std::uint32_t type) {
  std::vector<std::uint32_t>& words = field_words_[type];
  if (!words.empty()) return words;
  std::uint32_t word = 0;
  for (const wasm::FieldType& field : definition(type).fields) {
    words.push_back(word);
    word += field.storage.unpacked().slots();
  }
  words.push_back(word);
  return words;
}

// --- what objects hold

// Pushes what lies there. The address may be made of the operands' registers.
void Compiler::push_stored(StorageType storage, bool is_signed, x64::Mem from, const Value& operand,
                           const Value* operand2) {
  const Type type = type_of(storage.unpacked());
  if (bank_of(type) == Bank::vector) {
    const x64::Xmm dst = result_xmm(type);
    load(dst, type, from);
    release(operand);
    if (operand2 != nullptr) release(*operand2);
    return push_register(type, dst);
  }
  const x64::Gp dst = result_gpr(type, operand);
  if (!storage.is_packed()) {
    load(dst, type, from);
  } else {
    from.setSize(storage.packed() == StorageType::Packed::i8 ? 1 : 2);
    if (is_signed) {
      asm_.movsx(dst.r32(), from);
    } else {
      asm_.movzx(dst.r32(), from);
    }
  }
  release(operand, dst);
  if (operand2 != nullptr) release(*operand2, dst);
  push_register(type, dst);
  stack_.back().is_not_null = is_not_null(storage.unpacked());
}

// The low bytes of a value, as many as 2 to the power of `shift`, and no more. r11 is lost, or where the bytes are 16
// the vector scratch.
void Compiler::store_low(x64::Mem to, unsigned shift, const Value& value) {
  to.setSize(1U << shift);
  if (value.is_constant()) {
    if (shift >= 2) return store_constant(to, shift == 3 ? Type::i64 : Type::i32, value.bits);
    asm_.mov(to, static_cast<std::uint32_t>(value.bits) & (shift == 0 ? 0xFFU : 0xFFFFU));
    return;
  }
  const bool is_pinned = value.where == Where::local && locals_[value.local].is_pinned();
  const bool is_register = value.where == Where::reg || is_pinned;
  if (bank_of(value.type) == Bank::vector && (is_register || shift == 4)) return copy_to(to, value);
  x64::Gp from = MacroAssembler::kScratch;
  if (is_register) {
    from = Assembler::gpr(is_pinned ? locals_[value.local].pin : value.reg);
  } else {
    load(from, shift == 3 ? Type::i64 : Type::i32,
         home(value.where == Where::local ? locals_[value.local].slot : value.slot));
  }
  asm_.mov(to, shift == 0   ? x64::Gp(from.r8())
               : shift == 1 ? x64::Gp(from.r16())
               : shift == 2 ? x64::Gp(from.r32())
                            : x64::Gp(from.r64()));
}

// --- structures

void Compiler::get_field(std::uint32_t type, std::uint32_t field, bool is_signed) {
  Value structure = pop();
  const x64::Gp reg = in_gpr(structure);
  trap_if_null(structure, reg, TrapCode::null_structure_reference);
  const std::uint32_t word = field_words(type)[field];
  push_stored(definition(type).fields[field].storage, is_signed, contents_at(reg, word * sizeof(runtime::Slot)),
              structure, nullptr);
}

void Compiler::set_field(std::uint32_t type, std::uint32_t field) {
  Value value = pop();
  Value structure = pop();
  const x64::Gp reg = in_gpr(structure);
  trap_if_null(structure, reg, TrapCode::null_structure_reference);
  const std::uint32_t word = field_words(type)[field];
  store_low(contents_at(reg, word * sizeof(runtime::Slot)), field_shift(definition(type).fields[field].storage), value);
  release(value);
  release(structure);
}

// --- arrays

// Where an element lies, behind the checks; both operands are held. r11 is part of it where elements have 16 bytes.
x64::Mem Compiler::element_at(Value& array, Value& index, unsigned shift) {
  constexpr std::uint64_t kMostDisplacement = 1U << 30;
  const x64::Gp base = in_gpr(array);
  trap_if_null(array, base, TrapCode::null_array_reference);
  const x64::Mem length = x64::dword_ptr(base, offsetof(Object, length));
  if (index.is_constant()) {
    const auto constant = static_cast<std::uint32_t>(index.bits);
    if (const std::uint64_t distance = std::uint64_t{constant} << shift; distance <= kMostDisplacement) {
      asm_.cmp(length, constant);
      asm_.jbe(trap_site(TrapCode::array_out_of_bounds));
      return contents_at(base, distance);
    }
  }
  const x64::Gp reg = in_gpr(index);
  asm_.cmp(reg.r32(), length);
  asm_.jae(trap_site(TrapCode::array_out_of_bounds));
  if (shift <= 3) return x64::ptr(base, reg, shift, kContents);
  asm_.mov(x64::r11d, reg.r32());
  asm_.shl(x64::r11, shift);
  return x64::ptr(base, x64::r11, 0, kContents);
}

void Compiler::get_element(std::uint32_t type, bool is_signed) {
  const StorageType storage = definition(type).fields.front().storage;
  Value index = pop();
  Value array = pop();
  const x64::Mem from = element_at(array, index, runtime::storage_shift(storage));
  push_stored(storage, is_signed, from, array, &index);
}

void Compiler::set_element(std::uint32_t type) {
  const unsigned shift = runtime::storage_shift(definition(type).fields.front().storage);
  Value value = pop();
  Value index = pop();
  Value array = pop();
  store_low(element_at(array, index, shift), shift, value);
  release(value);
  release(index);
  release(array);
}

void Compiler::array_length() {
  Value array = pop();
  const x64::Gp reg = in_gpr(array);
  trap_if_null(array, reg, TrapCode::null_array_reference);
  const x64::Gp dst = result_gpr(Type::i32, array);
  asm_.mov(dst.r32(), x64::dword_ptr(reg, offsetof(Object, length)));
  release(array, dst);
  push_register(Type::i32, dst);
}

// --- new objects

// The TypeId, which code does not hold: it may be another one in another process.
void Compiler::load_type_id(x64::Gp to, std::uint32_t type) {
  load_context(to);
  asm_.mov(to, x64::qword_ptr(to, offsetof(VmContext, type_ids)));
  asm_.mov(to.r32(), x64::dword_ptr(to, static_cast<std::int32_t>(type * sizeof(std::uint32_t))));
}

// ObjectType::bits() of objects of exactly this type.
void Compiler::load_object_type(x64::Gp to, ObjectKind kind, std::uint32_t type) {
  load_type_id(to, type);
  asm_.or_(to.r32(), ObjectType(kind, wasm::TypeId(0)).bits());
}

// Memory for an object, with its head written. Operands stay on the stack, maybe elsewhere than before.
x64::Gp Compiler::allocate_object(ObjectKind kind, std::uint32_t type, std::uint64_t bytes, std::uint32_t length) {
  const x64::Gp object = allocate_gpr();
  const x64::Gp next = allocate_gpr();
  const std::uint32_t size_class = runtime::size_class_of(bytes);
  WASI_CHECK(size_class != runtime::kLargeClass);
  const std::uint32_t cell_bytes = runtime::cell_bytes_of(size_class);
  const auto cursor =
      static_cast<std::int32_t>(offsetof(ExecState, gc) + offsetof(GcState, cursors) + size_class * sizeof(Cursor));
  const ColdCall& cold = call_seldom([this, object, cell_bytes] {
    asm_.mov(x64::esi, cell_bytes);
    call_runtime(RuntimeCallId::allocate_cell);
    move(object, x64::rax, Type::ref);
  });
  const x64::Gp exec = in_exec(x64::r11);
  asm_.mov(object, x64::qword_ptr(exec, cursor + static_cast<std::int32_t>(offsetof(Cursor, next))));
  asm_.lea(next, x64::ptr(object, static_cast<std::int32_t>(cell_bytes)));
  asm_.cmp(next, x64::qword_ptr(exec, cursor + static_cast<std::int32_t>(offsetof(Cursor, end))));
  asm_.ja(cold.label);
  asm_.mov(x64::qword_ptr(exec, cursor + static_cast<std::int32_t>(offsetof(Cursor, next))), next);
  asm_.bind(cold.back);
  load_object_type(next, kind, type);
  if (length == 0) {
    asm_.mov(x64::qword_ptr(object), next);
  } else {
    asm_.mov(x64::dword_ptr(object), next.r32());
    asm_.mov(x64::dword_ptr(object, offsetof(Object, length)), length);
  }
  free(Bank::general, static_cast<std::uint8_t>(next.id()));
  return object;
}

void Compiler::clear_words(x64::Gp object, std::uint32_t words) {
  if (words > 1) asm_.xorps(MacroAssembler::kVectorScratch1, MacroAssembler::kVectorScratch1);
  std::uint32_t word = 0;
  for (; word + 2 <= words; word += 2)
    store(contents_at(object, word * 8), Type::v128, MacroAssembler::kVectorScratch1);
  if (word < words) store_constant(contents_at(object, word * 8), Type::i64, 0);
}

void Compiler::new_structure(std::uint32_t type) {
  const std::vector<wasm::FieldType>& fields = definition(type).fields;
  if (fields.size() > kMostOperands) {
    return service(RuntimeCallId::struct_new, fields.size(), wasm::kExternRef, type);
  }
  const std::vector<std::uint32_t>& words = field_words(type);
  const x64::Gp object =
      allocate_object(ObjectKind::structure, type, sizeof(Object) + words.back() * sizeof(runtime::Slot), 0);
  const std::size_t first = stack_.size() - fields.size();
  for (std::size_t i = 0; i < fields.size(); ++i) {
    store_low(contents_at(object, words[i] * sizeof(runtime::Slot)), field_shift(fields[i].storage), stack_[first + i]);
  }
  for (std::size_t i = 0; i < fields.size(); ++i) release(pop());
  push_not_null(object);
}

void Compiler::new_default_structure(std::uint32_t type) {
  const std::uint32_t words = field_words(type).back();
  const std::uint64_t bytes = words * sizeof(runtime::Slot);
  if (bytes > kMostCleared) return service(RuntimeCallId::struct_new_default, 0, wasm::kExternRef, type);
  const x64::Gp object = allocate_object(ObjectKind::structure, type, sizeof(Object) + bytes, 0);
  clear_words(object, words);
  push_not_null(object);
}

bool Compiler::new_fixed_array(std::uint32_t type, std::uint32_t length) {
  if (length > kMostOperands) return false;
  const unsigned shift = runtime::storage_shift(definition(type).fields.front().storage);
  const x64::Gp object =
      allocate_object(ObjectKind::array, type, sizeof(Object) + (std::uint64_t{length} << shift), length);
  const std::size_t first = stack_.size() - length;
  for (std::size_t i = 0; i < length; ++i) {
    store_low(contents_at(object, i << shift), shift, stack_[first + i]);
  }
  for (std::size_t i = 0; i < length; ++i) release(pop());
  push_not_null(object);
  return true;
}

// Of a constant length. With an element: it lies below.
bool Compiler::new_constant_array(std::uint32_t type, bool has_element) {
  if (!stack_.back().is_constant()) return false;
  const unsigned shift = runtime::storage_shift(definition(type).fields.front().storage);
  const auto length = static_cast<std::uint32_t>(stack_.back().bits);
  const std::uint64_t bytes = std::uint64_t{length} << shift;
  const bool is_filled =
      has_element && !(stack_[stack_.size() - 2].is_constant() && stack_[stack_.size() - 2].bits == 0);
  if (is_filled ? length > kMostOperands : bytes > kMostCleared) return false;
  pop();
  const x64::Gp object = allocate_object(ObjectKind::array, type, sizeof(Object) + bytes, length);
  if (is_filled) {
    Value element = pop();
    if (!element.is_constant()) {
      if (bank_of(element.type) == Bank::general) {
        static_cast<void>(in_gpr(element));
      } else {
        static_cast<void>(in_xmm(element));
      }
    }
    for (std::uint64_t i = 0; i < length; ++i) store_low(contents_at(object, i << shift), shift, element);
    release(element);
  } else {
    if (has_element) release(pop());
    clear_words(object, static_cast<std::uint32_t>((bytes + 7) / 8));
  }
  push_not_null(object);
  return true;
}

}  // namespace wasi::jit::baseline
