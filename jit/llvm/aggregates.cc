// Structures, arrays and i31. What lies where: runtime/gc_heap_object.h.
//
// A small object's memory comes from the cursor of its size class; the runtime is asked where that has no room, which
// may collect. So what an object is made of stays on the stack until its memory is there. It is written completely
// before anything else can be allocated: LLVM moves no store behind a call of what it does not know.
// Source: https://webassembly.github.io/spec/core/exec/instructions.html#aggregate-instructions
#include <llvm/IR/Constants.h>
#include <llvm/IR/Instructions.h>

#include <bit>

#include "base/check.h"
#include "jit/common/inline_limits.h"
#include "jit/llvm/lowering.h"
#include "runtime/exec_state.h"
#include "runtime/gc_heap_layout.h"
#include "runtime/gc_heap_object.h"
#include "runtime/services.h"

namespace wasi::jit::optimising {

using runtime::Cursor;
using runtime::ExecState;
using runtime::GcState;
using runtime::Object;
using runtime::RuntimeCallId;
using runtime::Slot;
using wasm::Op;
using wasm::StorageType;

namespace {

constexpr std::uint64_t kContents = sizeof(Object);

// The word at which a field begins; of the field behind the last one: how many there are.
std::uint32_t field_word(const wasm::SubType& structure, std::size_t field) {
  std::uint32_t word = 0;
  for (std::size_t i = 0; i < field; ++i) word += structure.fields[i].storage.unpacked().slots();
  return word;
}

}  // namespace

void Lowering::lower_aggregate(Op op, const validate::Immediates& immediates) {
  const std::uint32_t type = immediates.index;
  // A function of the runtime. Any reference: they are all alike here.
  const auto call = [&](std::size_t operands, bool makes_object) {
    service(*runtime::services::service_of(op), operands, makes_object ? std::optional(wasm::kExternRef) : std::nullopt,
            type, immediates.index2);
    if (makes_object) keep_references();
  };
  switch (op) {
    case Op::struct_new:
      if (!new_structure(type)) call(definition(type).fields.size(), true);
      return;
    case Op::struct_new_default:
      if (!new_default_structure(type)) call(0, true);
      return;
    case Op::struct_get:
    case Op::struct_get_s:
    case Op::struct_get_u: {
      const StorageType storage = definition(type).fields[immediates.index2].storage;
      llvm::Value* const from = field_address(type, immediates.index2, pop());
      return push(load_stored(storage, from, op == Op::struct_get_s), type_of(storage.unpacked()));
    }
    case Op::struct_set: {
      llvm::Value* const value = pop();
      store(value, field_address(type, immediates.index2, pop()), 0, Region::object);
      return;
    }
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
    case Op::array_get_u: {
      const StorageType storage = definition(type).fields.front().storage;
      llvm::Value* const index = pop();
      llvm::Value* const array = pop();
      return push(load_stored(storage, element_address(storage, array, index), op == Op::array_get_s),
                  type_of(storage.unpacked()));
    }
    case Op::array_set: {
      const StorageType storage = definition(type).fields.front().storage;
      llvm::Value* const value = pop();
      llvm::Value* const index = pop();
      llvm::Value* const array = pop();
      return store_element(storage, value, element_address(storage, array, index));
    }
    case Op::array_len: {
      llvm::Value* const array = pop();
      trap_if_null(array, TrapCode::null_array_reference);
      return push(load(builder_.getInt32Ty(), pointer_to(array), offsetof(Object, length), Region::object), Type::i32);
    }
    case Op::array_fill:
    case Op::array_init_data:
    case Op::array_init_elem:
      return call(4, false);
    case Op::array_copy:
      return call(5, false);
    case Op::ref_i31: {
      llvm::Value* const shifted = builder_.CreateShl(pop(), 1);
      return push(zero_extended(builder_.CreateOr(shifted, 1)), Type::ref);
    }
    case Op::i31_get_s:
    case Op::i31_get_u: {
      llvm::Value* const reference = pop();
      trap_if_null(reference, TrapCode::null_i31_reference);
      llvm::Value* const low = builder_.CreateTrunc(reference, builder_.getInt32Ty());
      return push(op == Op::i31_get_s ? builder_.CreateAShr(low, 1) : builder_.CreateLShr(low, 1), Type::i32);
    }
    default:
      WASI_CHECK(false);
  }
}

// --- what objects hold

// As wide as an array has it.
llvm::Type* Lowering::stored_type(StorageType storage) {
  if (storage.is_packed()) {
    return storage.packed() == StorageType::Packed::i8 ? builder_.getInt8Ty() : builder_.getInt16Ty();
  }
  return type(type_of(storage.unpacked()));
}

llvm::Value* Lowering::load_stored(StorageType storage, llvm::Value* from, bool is_signed) {
  llvm::Value* const value = load(stored_type(storage), from, 0, Region::object);
  if (!storage.is_packed()) return value;
  return is_signed ? builder_.CreateSExt(value, builder_.getInt32Ty())
                   : builder_.CreateZExt(value, builder_.getInt32Ty());
}

void Lowering::store_element(StorageType storage, llvm::Value* value, llvm::Value* to) {
  if (storage.is_packed()) value = builder_.CreateTrunc(value, stored_type(storage));
  store(value, to, 0, Region::object);
}

// Behind the check.
llvm::Value* Lowering::field_address(std::uint32_t type, std::uint32_t field, llvm::Value* structure) {
  trap_if_null(structure, TrapCode::null_structure_reference);
  return at_offset(pointer_to(structure), kContents + field_word(definition(type), field) * sizeof(Slot));
}

llvm::Value* Lowering::element_address(StorageType storage, llvm::Value* array, llvm::Value* index) {
  trap_if_null(array, TrapCode::null_array_reference);
  llvm::Value* const object = pointer_to(array);
  llvm::Value* const length = load(builder_.getInt32Ty(), object, offsetof(Object, length), Region::object);
  trap_if(builder_.CreateICmpUGE(index, length), TrapCode::array_out_of_bounds);
  return builder_.CreateInBoundsGEP(stored_type(storage), at_offset(object, kContents), zero_extended(index));
}

// --- new objects

// Memory for an object. Its head is to be written first: LLVM knows then that it is not null.
llvm::Value* Lowering::allocate_object(std::uint64_t bytes) {
  llvm::Type* const ptr = builder_.getPtrTy();
  const std::uint32_t size_class = runtime::size_class_of(bytes);
  WASI_CHECK(size_class != runtime::kLargeClass);
  const std::uint32_t cell_bytes = runtime::cell_bytes_of(size_class);
  const std::uint64_t cursor =
      offsetof(ExecState, gc) + offsetof(GcState, cursors) + size_class * std::uint64_t{sizeof(Cursor)};
  llvm::Value* const state = exec();
  llvm::Value* const cell = load(ptr, state, cursor + offsetof(Cursor, next), Region::state);
  llvm::Value* const end = load(ptr, state, cursor + offsetof(Cursor, end), Region::state);
  llvm::Value* const next = at_offset(cell, cell_bytes);
  llvm::BasicBlock* const asking = seldom_if(builder_.CreateICmpUGT(next, end), "allocate");
  store(next, state, cursor + offsetof(Cursor, next), Region::state);
  llvm::BasicBlock* const took = builder_.GetInsertBlock();
  llvm::BasicBlock* const done = new_block("");
  builder_.CreateBr(done);
  enter(asking);
  llvm::Value* const given = call_runtime(RuntimeCallId::allocate_cell, ptr, {context_, i64(cell_bytes)});
  keep_references();
  llvm::BasicBlock* const asked = builder_.GetInsertBlock();
  builder_.CreateBr(done);
  enter(done);
  llvm::PHINode* const object = builder_.CreatePHI(ptr, 2);
  object->addIncoming(cell, took);
  object->addIncoming(given, asked);
  return object;
}

llvm::Value* Lowering::allocate_structure(std::uint32_t type) {
  llvm::Value* const object =
      allocate_object(kContents + field_word(definition(type), definition(type).fields.size()) * sizeof(Slot));
  store(zero_extended(object_type(type)), object, 0, Region::object);
  return object;
}

// In two parts, as they are read.
llvm::Value* Lowering::allocate_array(std::uint32_t type, std::uint32_t length, unsigned shift) {
  llvm::Value* const object = allocate_object(kContents + (std::uint64_t{length} << shift));
  store(object_type(type), object, offsetof(Object, type), Region::object);
  store(i32(length), object, offsetof(Object, length), Region::object);
  return object;
}

void Lowering::clear_contents(llvm::Value* object, std::uint64_t bytes) {
  for (std::uint64_t at = 0; at < bytes; at += sizeof(Slot)) store(i64(0), object, kContents + at, Region::object);
}

void Lowering::push_object(llvm::Value* object) { push(builder_.CreatePtrToInt(object, type(Type::ref)), Type::ref); }

bool Lowering::new_structure(std::uint32_t type) {
  const wasm::SubType& structure = definition(type);
  const std::size_t count = structure.fields.size();
  if (count > kMostOperands || !applies(UnitOptimisation::new_objects)) return false;
  llvm::Value* const object = allocate_structure(type);
  std::uint32_t word = 0;
  for (std::size_t i = 0; i < count; ++i) {
    // A packed field has a word, of which the lower half is as good as its low bits.
    store(value_of(stack_[stack_.size() - count + i]), object, kContents + word * sizeof(Slot), Region::object);
    word += structure.fields[i].storage.unpacked().slots();
  }
  reset_stack(stack_.size() - count, {});
  push_object(object);
  return true;
}

bool Lowering::new_default_structure(std::uint32_t type) {
  const wasm::SubType& structure = definition(type);
  const std::uint64_t bytes = field_word(structure, structure.fields.size()) * sizeof(Slot);
  if (bytes > kMostCleared || !applies(UnitOptimisation::new_objects)) return false;
  llvm::Value* const object = allocate_structure(type);
  clear_contents(object, bytes);
  push_object(object);
  return true;
}

bool Lowering::new_fixed_array(std::uint32_t type, std::uint32_t length) {
  if (length > kMostOperands || !applies(UnitOptimisation::new_objects)) return false;
  const StorageType storage = definition(type).fields.front().storage;
  const unsigned shift = runtime::storage_shift(storage);
  llvm::Value* const object = allocate_array(type, length, shift);
  const std::size_t first = stack_.size() - length;
  for (std::size_t i = 0; i < length; ++i) {
    store_element(storage, value_of(stack_[first + i]), at_offset(object, kContents + (i << shift)));
  }
  reset_stack(first, {});
  push_object(object);
  return true;
}

// Of a constant length. With an element: it lies below.
bool Lowering::new_constant_array(std::uint32_t type, bool has_element) {
  const auto* const constant = llvm::dyn_cast_or_null<llvm::ConstantInt>(stack_.back().value);
  if (constant == nullptr) return false;
  const StorageType storage = definition(type).fields.front().storage;
  const unsigned shift = runtime::storage_shift(storage);
  const auto length = static_cast<std::uint32_t>(constant->getZExtValue());
  const std::uint64_t bytes = std::uint64_t{length} << shift;
  const auto* const element =
      has_element ? llvm::dyn_cast_or_null<llvm::Constant>(stack_[stack_.size() - 2].value) : nullptr;
  const bool is_filled = has_element && (element == nullptr || !element->isNullValue());
  if (is_filled ? length > kMostOperands : bytes > kMostCleared) return false;
  if (!applies(UnitOptimisation::new_objects)) return false;
  drop();
  llvm::Value* const object = allocate_array(type, length, shift);
  if (is_filled) {
    llvm::Value* const value = pop();
    for (std::uint64_t i = 0; i < length; ++i)
      store_element(storage, value, at_offset(object, kContents + (i << shift)));
  } else {
    if (has_element) drop();
    clear_contents(object, bytes);
  }
  push_object(object);
  return true;
}

}  // namespace wasi::jit::optimising
