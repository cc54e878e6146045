// References: null, tests and casts, functions as values, tables; and how references stay known to the collector.
//
// How references are told apart: runtime/gc_heap_object.h, type_test.h. Most types are found in the display of the
// object's type; of types without subtypes, objects have exactly the type that is asked for. Functions and types below
// the display's reach are looked at by the runtime where they are of another type than exactly this one.
// Source: https://webassembly.github.io/spec/core/exec/instructions.html#reference-instructions
#include <llvm/ADT/SmallPtrSet.h>
#include <llvm/ADT/SmallVector.h>
#include <llvm/IR/Constants.h>
#include <llvm/IR/Instructions.h>
#include <llvm/IR/Intrinsics.h>
#include <llvm/Support/ModRef.h>

#include <bit>
#include <utility>

#include "base/check.h"
#include "jit/common/tested_type.h"
#include "jit/llvm/lowering.h"
#include "runtime/code_entry.h"
#include "runtime/exec_state.h"
#include "runtime/gc_heap_layout.h"
#include "runtime/gc_heap_object.h"
#include "runtime/vmcontext.h"

namespace wasi::jit::optimising {

using runtime::ExecState;
using runtime::FuncRef;
using runtime::GcState;
using runtime::Object;
using runtime::ObjectKind;
using runtime::ObjectType;
using runtime::RuntimeCallId;
using runtime::TableView;
using runtime::TypeLayout;
using runtime::TypeTest;
using runtime::VmContext;
using wasm::Op;
using Mode = TypeTest::Mode;

namespace {

// Objects of its own, or exceptions, which are objects as well. References in other modules are only passed on, so
// that they are found as they are.
bool defines_objects(const wasm::Module& module) {
  if (!module.tags.empty()) return true;
  for (std::size_t i = 0; i < module.types.size(); ++i) {
    if (module.registry->at(module.types[i]).kind != wasm::CompositeKind::func) return true;
  }
  return false;
}

}  // namespace

void Lowering::lower_reference(Op op, const validate::Immediates& immediates) {
  const std::uint32_t index = immediates.index;
  switch (op) {
    case Op::ref_null:
      return push(i64(0), Type::ref);
    case Op::ref_is_null:
      return push(as_i32(is_null(pop())), Type::i32);
    case Op::ref_as_non_null: {
      llvm::Value* const reference = pop();
      trap_if_null(reference, TrapCode::null_reference);
      return push(reference, Type::ref);
    }
    case Op::ref_eq: {
      llvm::Value* const b = pop();
      llvm::Value* const a = pop();
      return push(as_i32(builder_.CreateICmpEQ(a, b)), Type::i32);
    }
    case Op::ref_func:
      return reference_function(index);
    case Op::ref_test:
    case Op::ref_test_null: {
      llvm::Value* const reference = pop();
      return push(as_i32(test_type(reference, immediates.type, source_)), Type::i32);
    }
    case Op::ref_cast:
    case Op::ref_cast_null: {
      llvm::Value* const reference = pop();
      llvm::Value* const passes = test_type(reference, immediates.type, source_);
      trap_if(builder_.CreateNot(passes), TrapCode::cast_failure);
      return push(reference, Type::ref);
    }
    case Op::any_convert_extern:
    case Op::extern_convert_any:
      return;  // the same bits
    case Op::table_get: {
      llvm::LoadInst* const element = builder_.CreateLoad(type(Type::ref), table_element(index, pop()));
      unit_.note(element, Region::table);
      return push(element, Type::ref);
    }
    case Op::table_set: {
      llvm::Value* const value = pop();
      unit_.note(builder_.CreateStore(value, table_element(index, pop()), options_.strict), Region::table);
      return;
    }
    case Op::table_size: {
      llvm::Value* const size = table_parts(index).size;
      if (module_.tables[index].type.address == wasm::AddressType::i64) return push(size, Type::i64);
      return push(builder_.CreateTrunc(size, builder_.getInt32Ty()), Type::i32);
    }
    case Op::table_grow:
      return service(RuntimeCallId::table_grow, 2, wasm::value_type(module_.tables[index].type.address), index);
    case Op::table_fill:
      return service(RuntimeCallId::table_fill, 3, std::nullopt, index);
    case Op::table_copy:
      return service(RuntimeCallId::table_copy, 3, std::nullopt, index, immediates.index2);
    case Op::table_init:
      return service(RuntimeCallId::table_init, 3, std::nullopt, index, immediates.index2);
    case Op::elem_drop:
      return service(RuntimeCallId::elem_drop, 0, std::nullopt, index);
    default:
      WASI_CHECK(false);
  }
}

std::optional<std::uint32_t> Lowering::checked_reference(Op op) {
  switch (op) {
    case Op::ref_as_non_null:
    case Op::ref_test:
    case Op::ref_test_null:
    case Op::ref_cast:
    case Op::ref_cast_null:
    case Op::struct_get:
    case Op::struct_get_s:
    case Op::struct_get_u:
    case Op::array_len:
    case Op::i31_get_s:
    case Op::i31_get_u:
      return 0;
    case Op::struct_set:
    case Op::array_get:
    case Op::array_get_s:
    case Op::array_get_u:
      return 1;
    case Op::array_set:
      return 2;
    default:
      return std::nullopt;
  }
}

llvm::Value* Lowering::is_null(llvm::Value* reference) { return builder_.CreateICmpEQ(reference, i64(0)); }

void Lowering::trap_if_null(llvm::Value* reference, TrapCode code) {
  if (source_.is_nullable()) trap_if(is_null(reference), code);
}

llvm::Value* Lowering::pointer_to(llvm::Value* reference) {
  return builder_.CreateIntToPtr(reference, builder_.getPtrTy());
}

const wasm::SubType& Lowering::definition(std::uint32_t type) const {
  return module_.registry->at(module_.types[type]);
}

// --- functions and tables

// The instance's own FuncRefs are made when they are first asked for, in the place that is theirs.
void Lowering::reference_function(std::uint32_t function) {
  if (module_.is_imported(wasm::FuncIndex(function))) {
    llvm::Value* const imports =
        load(builder_.getPtrTy(), context_, offsetof(VmContext, imported_functions), Region::context, true);
    return push(load(type(Type::ref), imports, function * sizeof(FuncRef*), Region::context, true), Type::ref);
  }
  llvm::Value* const references =
      load(builder_.getPtrTy(), context_, offsetof(VmContext, func_refs), Region::context, true);
  llvm::Value* const reference =
      at_offset(references, (function - module_.imported_functions) * std::uint64_t{sizeof(FuncRef)});
  llvm::Value* const code = load(builder_.getPtrTy(), reference, offsetof(FuncRef, code), Region::code);
  llvm::BasicBlock* const making = seldom_if(builder_.CreateIsNull(code), "make_reference");
  llvm::BasicBlock* const made = builder_.GetInsertBlock();
  enter(making);
  call_runtime(RuntimeCallId::ref_func, nullptr, {context_, scratch(1), i64(function), i64(0)});
  builder_.CreateBr(made);
  enter(made);
  push(builder_.CreatePtrToInt(reference, type(Type::ref)), Type::ref);
}

// A table that may have no more elements than it has is neither larger nor elsewhere later: where its elements lie is
// loaded where the function begins.
Lowering::TableParts Lowering::table_parts(std::uint32_t table) {
  llvm::Type* const ptr = builder_.getPtrTy();
  const wasm::Limits& limits = module_.tables[table].type.limits;
  const auto view = [&] {
    llvm::Value* const tables = load(ptr, context_, offsetof(VmContext, tables), Region::context, true);
    return load(ptr, tables, table * sizeof(TableView*), Region::context, true);
  };
  if (limits.max != limits.min || !applies(UnitOptimisation::fixed_tables)) {
    llvm::Value* const place = view();
    return {.size = load(builder_.getInt64Ty(), place, offsetof(TableView, size), Region::table),
            .elements = load(ptr, place, offsetof(TableView, elements), Region::table)};
  }
  llvm::Value*& elements = fixed_tables_[table];
  if (elements == nullptr) {
    const Builder::InsertPointGuard guard(builder_);
    builder_.SetInsertPoint(entry_end_);
    elements = load(ptr, view(), offsetof(TableView, elements), Region::context, true);
  }
  return {.size = i64(limits.min), .elements = elements};
}

// Where an element lies, behind the check.
llvm::Value* Lowering::table_element(std::uint32_t table, llvm::Value* index) {
  if (module_.tables[table].type.address != wasm::AddressType::i64) index = zero_extended(index);
  const TableParts parts = table_parts(table);
  trap_if(builder_.CreateICmpUGE(index, parts.size), TrapCode::table_out_of_bounds);
  return builder_.CreateInBoundsGEP(type(Type::ref), parts.elements, index);
}

// --- tests

// The TypeId, which code does not hold: it may be another one in another process.
llvm::Value* Lowering::type_id(std::uint32_t type) {
  llvm::Value* const ids = load(builder_.getPtrTy(), context_, offsetof(VmContext, type_ids), Region::context, true);
  return load(builder_.getInt32Ty(), ids, type * sizeof(std::uint32_t), Region::context, true);
}

// ObjectType::bits() of objects of exactly this type.
llvm::Value* Lowering::object_type(std::uint32_t type) {
  return builder_.CreateOr(type_id(type), ObjectType(object_kind(definition(type).kind), wasm::TypeId(0)).bits());
}

// Whether the reference is of the type; an i1. `source` is what is known of it.
llvm::Value* Lowering::test_type(llvm::Value* reference, wasm::ValType tested, wasm::ValType source) {
  const TypeTest test = runtime::make_test(*module_.registry, tested);
  llvm::Type* const i32_type = builder_.getInt32Ty();
  llvm::BasicBlock* done = nullptr;
  llvm::SmallVector<std::pair<bool, llvm::BasicBlock*>, 2> known_early;
  const auto leave_if = [&](llvm::Value* condition, bool outcome) {
    if (done == nullptr) done = new_block("");
    llvm::BasicBlock* const on = new_block("");
    known_early.emplace_back(outcome, builder_.GetInsertBlock());
    builder_.CreateCondBr(condition, done, on);
    enter(on);
  };
  const auto only_objects = [&] {
    if (source.is_nullable()) leave_if(is_null(reference), test.takes_null);
    if (is_object_type(*module_.registry, source.heap())) return;
    llvm::Value* const tag = builder_.CreateAnd(reference, runtime::kReferenceTagMask);
    leave_if(builder_.CreateICmpNE(tag, i64(0)), false);
  };
  const auto end = [&](llvm::Value* outcome) -> llvm::Value* {
    if (done == nullptr) return outcome;
    llvm::BasicBlock* const last = builder_.GetInsertBlock();
    builder_.CreateBr(done);
    enter(done);
    llvm::PHINode* const phi = builder_.CreatePHI(builder_.getInt1Ty(), 3);
    for (const auto& [early, block] : known_early) phi->addIncoming(builder_.getInt1(early), block);
    phi->addIncoming(outcome, last);
    return phi;
  };
  const auto head = [&] { return load(i32_type, pointer_to(reference), offsetof(Object, type), Region::object); };

  switch (test.mode) {
    case Mode::never:
      return test.takes_null ? is_null(reference) : builder_.getFalse();
    case Mode::always:
      return test.takes_null ? builder_.getTrue() : builder_.CreateNot(is_null(reference));
    case Mode::i31: {
      llvm::Value* const passes = builder_.CreateTrunc(reference, builder_.getInt1Ty());
      return test.takes_null ? builder_.CreateOr(passes, is_null(reference)) : passes;
    }
    case Mode::eq: {
      // All but what is the host's.
      llvm::Value* const bit = builder_.CreateLShr(i64(kEqTags), builder_.CreateAnd(reference, 31));
      llvm::Value* const passes = builder_.CreateICmpNE(builder_.CreateAnd(bit, 1), i64(0));
      return test.takes_null ? passes : builder_.CreateAnd(passes, builder_.CreateNot(is_null(reference)));
    }
    case Mode::structures:
    case Mode::arrays: {
      const ObjectKind kind = test.mode == Mode::arrays ? ObjectKind::array : ObjectKind::structure;
      only_objects();
      return end(builder_.CreateICmpEQ(builder_.CreateLShr(head(), ObjectType::kKindShift),
                                       i32(static_cast<std::uint32_t>(kind))));
    }
    case Mode::object:
    case Mode::deep: {
      const std::uint32_t index = tested_type(module_, offset_);
      const bool is_final = definition(index).is_final;
      only_objects();
      if (is_final || test.mode == Mode::deep) {
        llvm::Value* const is_same = builder_.CreateICmpEQ(head(), object_type(index));
        return end(is_final ? is_same : ask_runtime(is_same, reference, test, index));
      }
      llvm::Value* const layouts =
          load(builder_.getPtrTy(), exec(), offsetof(ExecState, gc) + offsetof(GcState, layouts), Region::state);
      llvm::Value* const id = builder_.CreateAnd(head(), (1U << ObjectType::kKindShift) - 1);
      llvm::Value* const layout = builder_.CreatePtrAdd(
          layouts, builder_.CreateMul(zero_extended(id), i64(sizeof(TypeLayout)), "", true, true));
      llvm::Value* const ancestor =
          load(i32_type, layout, offsetof(TypeLayout, display) + test.depth * sizeof(std::uint32_t), Region::context);
      return end(builder_.CreateICmpEQ(ancestor, type_id(index)));
    }
    case Mode::function: {
      const std::uint32_t index = tested_type(module_, offset_);
      if (source.is_nullable()) leave_if(is_null(reference), test.takes_null);
      llvm::Value* const found = load(i32_type, pointer_to(reference), offsetof(FuncRef, type), Region::code);
      llvm::Value* const is_same = builder_.CreateICmpEQ(found, type_id(index));
      return end(definition(index).is_final ? is_same : ask_runtime(is_same, reference, test, index));
    }
  }
  return nullptr;
}

// The same where that is true, else what the runtime says.
llvm::Value* Lowering::ask_runtime(llvm::Value* is_same, llvm::Value* reference, runtime::TypeTest test,
                                   std::uint32_t type) {
  llvm::BasicBlock* const asking = seldom_if(builder_.CreateNot(is_same), "ask");
  llvm::BasicBlock* const same = builder_.GetInsertBlock();
  llvm::BasicBlock* const done = new_block("");
  builder_.CreateBr(done);
  enter(asking);
  test.type = 0;
  llvm::Value* const bits = builder_.CreateOr(zero_extended(type_id(type)), std::bit_cast<std::uint64_t>(test));
  llvm::Value* const answer =
      call_runtime(RuntimeCallId::passes_test, builder_.getInt8Ty(), {context_, reference, bits});
  llvm::Value* const passes = builder_.CreateIsNotNull(answer);
  llvm::BasicBlock* const asked = builder_.GetInsertBlock();
  builder_.CreateBr(done);
  enter(done);
  llvm::PHINode* const outcome = builder_.CreatePHI(builder_.getInt1Ty(), 2);
  outcome->addIncoming(builder_.getTrue(), same);
  outcome->addIncoming(passes, asked);
  return outcome;
}

// The reference is on the stack of whoever goes on with it.
void Lowering::branch_on(Op op, const validate::Immediates& immediates, Control& target) {
  llvm::Value* const reference = pop();
  switch (op) {
    case Op::br_on_null:
      branch_if(is_null(reference), target);
      return push(reference, Type::ref);
    case Op::br_on_non_null:
      push(reference, Type::ref);
      branch_if(builder_.CreateNot(is_null(reference)), target);
      return drop();
    default: {
      llvm::Value* const passes = test_type(reference, immediates.type2, immediates.type);
      push(reference, Type::ref);
      return branch_if(op == Op::br_on_cast ? passes : builder_.CreateNot(passes), target);
    }
  }
}

// --- the collector

// Behind what may have collected: the references that the function still has were there until now, as they are. Without
// that, LLVM may keep an address that it computed from one, which need not lie in the object. The collector finds them
// wherever they are spilled to (runtime/gc_heap_roots.cc), so nobody reads what a stack map says. It costs no
// instruction and reads no memory that LLVM knows of.
void Lowering::keep_references() {
  if (!has_objects_) has_objects_ = defines_objects(module_);
  if (!*has_objects_) return;
  llvm::SmallVector<llvm::Value*, 16> operands = {i64(0), i32(0)};
  llvm::SmallPtrSet<llvm::Value*, 16> known;
  const auto keep = [&](llvm::Value* value) {
    if (!llvm::isa<llvm::Constant>(value) && known.insert(value).second) operands.push_back(value);
  };
  for (const Entry& entry : stack_) {
    if (entry.type == Type::ref) keep(value_of(entry));
  }
  for (std::size_t i = 0; i < locals_.size(); ++i) {
    if (local_types_[i] == Type::ref) keep(builder_.CreateLoad(type(Type::ref), locals_[i]));
  }
  if (operands.size() == 2) return;
  llvm::CallInst* const call = builder_.CreateCall(
      llvm::Intrinsic::getDeclaration(unit_.module.get(), llvm::Intrinsic::experimental_stackmap), operands);
  call->setMemoryEffects(llvm::MemoryEffects::inaccessibleMemOnly());
  call->addFnAttr(llvm::Attribute::NoUnwind);
  call->addFnAttr(llvm::Attribute::WillReturn);
  call->addFnAttr(llvm::Attribute::NoMerge);
}

}  // namespace wasi::jit::optimising
