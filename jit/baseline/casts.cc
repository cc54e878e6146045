// Casts, and i31. How references are told apart: gc_heap_object.h, type_test.h.
//
// A test leaves its outcome in the flags. Most types are found in the display of the object's type; of types without
// subtypes, objects have exactly the type that is asked for. Functions and types below the display's reach are looked
// at by the runtime where they are of another type than exactly this one.
#include <bit>

#include "jit/baseline/compiler.h"
#include "jit/common/tested_type.h"
#include "runtime/exec_state.h"
#include "runtime/gc_heap_layout.h"
#include "runtime/gc_heap_object.h"
#include "runtime/vmcontext.h"

namespace wasi::jit::baseline {

using runtime::ExecState;
using runtime::FuncRef;
using runtime::GcState;
using runtime::ObjectKind;
using runtime::ObjectType;
using runtime::RuntimeCallId;
using runtime::TypeLayout;
using runtime::TypeTest;
using runtime::VmContext;
using wasm::Op;
using x64::CondCode;
using Mode = TypeTest::Mode;

// Whether the reference, which is held, is of the type. `source` is what is known of it.
Condition Compiler::test_type(Value& reference, wasm::ValType type, wasm::ValType source) {
  const TypeTest test = runtime::make_test(*module_.registry, type);
  const x64::Gp scratch = MacroAssembler::kScratch;
  const x64::Gp reg = in_gpr(reference);
  const asmjit::Label done = asm_.newLabel();
  const auto null_is = [&](bool passes) {
    if (!source.is_nullable() || reference.is_not_null) return;
    if (passes) {
      asm_.test(reg, reg);
      asm_.short_().j(CondCode::kZ, done);
    } else {
      asm_.cmp(reg, 1);
      asm_.short_().j(CondCode::kB, done);  // and not equal
    }
  };
  const auto only_objects = [&] {
    null_is(test.takes_null);
    if (is_object_type(*module_.registry, source.heap())) return;
    asm_.test(reg.r8(), static_cast<std::uint32_t>(runtime::kReferenceTagMask));
    asm_.short_().j(CondCode::kNZ, done);
  };
  const auto end = [&](CondCode code) {
    asm_.bind(done);
    return Condition{.code = code};
  };
  switch (test.mode) {
    case Mode::never:
      if (test.takes_null) {
        asm_.test(reg, reg);
      } else {
        asm_.test(x64::rsp, x64::rsp);
      }
      return end(CondCode::kZ);
    case Mode::always:
      if (test.takes_null) {
        asm_.test(x64::rsp, x64::rsp);
      } else {
        asm_.test(reg, reg);
      }
      return end(CondCode::kNZ);
    case Mode::i31:
      if (test.takes_null) null_is(true);
      asm_.mov(scratch.r32(), reg.r32());
      asm_.not_(scratch.r32());
      asm_.test(scratch.r8(), 1);
      return end(CondCode::kZ);
    case Mode::eq:
      // All but what is the host's.
      if (!test.takes_null) {
        asm_.test(reg, reg);
        asm_.short_().j(CondCode::kZ, done);
      }
      asm_.mov(scratch.r32(), kEqTags);
      asm_.bt(scratch.r32(), reg.r32());
      return end(CondCode::kC);  // not after the test for null
    case Mode::structures:
    case Mode::arrays: {
      const ObjectKind kind = test.mode == Mode::arrays ? ObjectKind::array : ObjectKind::structure;
      only_objects();
      asm_.mov(scratch.r32(), x64::dword_ptr(reg));
      asm_.shr(scratch.r32(), ObjectType::kKindShift);
      asm_.cmp(scratch.r32(), static_cast<std::uint32_t>(kind));
      return end(CondCode::kE);
    }
    case Mode::object:
    case Mode::deep: {
      const std::uint32_t index = tested_type(module_, offset_);
      const wasm::SubType& target = definition(index);
      if (target.is_final || test.mode == Mode::deep) {
        only_objects();
        load_object_type(scratch, object_kind(target.kind), index);
        asm_.cmp(x64::dword_ptr(reg), scratch.r32());
        if (!target.is_final) ask_runtime(reference, reg, test, index);
        return end(CondCode::kE);
      }
      const x64::Gp id = allocate_gpr();
      const x64::Gp layout = allocate_gpr();
      only_objects();
      load_type_id(id, index);
      const auto layouts = static_cast<std::int32_t>(offsetof(ExecState, gc) + offsetof(GcState, layouts));
      asm_.mov(scratch, x64::qword_ptr(in_exec(scratch), layouts));
      asm_.mov(layout.r32(), x64::dword_ptr(reg));
      asm_.and_(layout.r32(), (1U << ObjectType::kKindShift) - 1);
      asm_.imul(layout, layout, static_cast<std::int32_t>(sizeof(TypeLayout)));
      const auto ancestor =
          static_cast<std::int32_t>(offsetof(TypeLayout, display) + test.depth * sizeof(std::uint32_t));
      asm_.cmp(id.r32(), x64::dword_ptr(scratch, layout, 0, ancestor));
      free(Bank::general, static_cast<std::uint8_t>(id.id()));
      free(Bank::general, static_cast<std::uint8_t>(layout.id()));
      return end(CondCode::kE);
    }
    case Mode::function: {
      const std::uint32_t index = tested_type(module_, offset_);
      null_is(test.takes_null);
      load_type_id(scratch, index);
      asm_.cmp(x64::dword_ptr(reg, offsetof(FuncRef, type)), scratch.r32());
      if (!definition(index).is_final) ask_runtime(reference, reg, test, index);
      return end(CondCode::kE);
    }
  }
  __builtin_unreachable();
}

// Unless the flags say "equal". They do behind it if the runtime says so.
void Compiler::ask_runtime(const Value& reference, x64::Gp reg, TypeTest test, std::uint32_t type) {
  ColdCall& cold = call_seldom([this, reg, test, type]() mutable {
    asm_.mov(x64::rsi, reg);
    load_type_id(x64::rdx, type);
    test.type = 0;
    asm_.mov(x64::r11, std::bit_cast<std::uint64_t>(test));
    asm_.or_(x64::rdx, x64::r11);
    call_runtime(RuntimeCallId::passes_test);
    asm_.cmp(x64::al, 1);
  });
  // The reference is not on the stack, and still needed.
  if (reference.where == Where::reg) {
    saved_registers_.push_back({reference.reg, Type::ref, next_slot_});
    ++cold.saved_count;
  }
  asm_.jne(cold.label);
  asm_.bind(cold.back);
}

// --- instructions

void Compiler::test_reference(wasm::ValType type) {
  Value reference = pop();
  const Condition condition = test_type(reference, type, wasm::kExternRef);
  release(reference);
  push_condition(condition);
}

void Compiler::cast_reference(wasm::ValType type) {
  Value reference = pop();
  const Condition condition = test_type(reference, type, wasm::kExternRef);
  jump_if(condition.negated(), trap_site(TrapCode::cast_failure));
  push_tested(reference, is_not_null(type));
}

// Pushes whether the reference on top, which stays, is of the type: in the flags.
void Compiler::test_for_branch(wasm::ValType type, wasm::ValType source) {
  Value reference = pop();
  flags_ = test_type(reference, type, source);
  push_tested(reference, reference.is_not_null);
  add(Where::flags, Type::i32);
}

// The same reference again, of which more may be known now.
void Compiler::push_tested(const Value& reference, bool is_not_null) {
  if (reference.where == Where::local) {
    push_local(reference.local);
  } else {
    push_register(Type::ref, Assembler::gpr(reference.reg));
  }
  stack_.back().is_not_null = reference.is_not_null || is_not_null;
}

void Compiler::make_i31() {
  Value value = pop();
  const x64::Gp reg = in_gpr(value);
  const x64::Gp dst = result_gpr(Type::ref, value);
  asm_.lea(dst.r32(), x64::ptr(reg, reg, 0, 1));
  release(value, dst);
  push_not_null(dst);
}

void Compiler::get_i31(bool is_signed) {
  Value value = pop();
  const x64::Gp reg = in_gpr(value);
  trap_if_null(value, reg, TrapCode::null_i31_reference);
  const x64::Gp dst = result_gpr(Type::i32, value);
  asm_.mov(dst.r32(), reg.r32());
  if (is_signed) {
    asm_.sar(dst.r32(), 1);
  } else {
    asm_.shr(dst.r32(), 1);
  }
  release(value, dst);
  push_register(Type::i32, dst);
}

}  // namespace wasi::jit::baseline
