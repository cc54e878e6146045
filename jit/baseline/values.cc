// What each instruction becomes; locals, globals, references and the parametric instructions.
#include "base/check.h"
#include "jit/baseline/compiler.h"
#include "jit/baseline/numeric_x64.h"
#include "runtime/vmcontext.h"

namespace wasi::jit::baseline {

using runtime::MemoryView;
using runtime::RuntimeCallId;
using runtime::TableView;
using runtime::VmContext;
using validate::Immediates;
using wasm::Op;
using x64::CondCode;

void Compiler::lower(Op op, const Immediates& immediates) {
  const auto is_among = [op](Op first, Op last) { return op >= first && op <= last; };
  if (is_among(Op::i32_eqz, Op::i64_extend32_s)) return static_cast<void>(lower_number(op));
  if (is_among(Op::i32_load, Op::i64_store32)) return lower_access(op, immediates.memarg);
  const wasm::OpInfo& row = wasm::info(op);
  if (row.prefix == 0) return lower_special(op, immediates);
  if (row.prefix == wasm::kPrefixSimd) return lower_vector(op, immediates);
  if (row.prefix == wasm::kPrefixThreads) return lower_atomic(op, immediates);
  if (row.prefix == wasm::kPrefixGc) return lower_aggregate(op, immediates);
  if (!lower_number(op)) lower_special(op, immediates);
}

void Compiler::lower_special(Op op, const Immediates& immediates) {
  switch (op) {
    case Op::nop:
      return;
    case Op::drop:
      return drop();
    case Op::i32_const:
      return push_constant(Type::i32, immediates.bits & UINT32_MAX);
    case Op::i64_const:
      return push_constant(Type::i64, immediates.bits);
    case Op::f32_const:
      return push_constant(Type::f32, immediates.bits & UINT32_MAX);
    case Op::f64_const:
      return push_constant(Type::f64, immediates.bits);
    case Op::ref_null:
      return push_constant(Type::ref, 0);
    case Op::ref_is_null:
      return test_zero(Type::ref);
    case Op::ref_as_non_null:
      return check_not_null(TrapCode::null_reference);
    case Op::select:
    case Op::select_t:
      return select();
    case Op::local_get:
      return get_local(immediates.index);
    case Op::local_set:
      return set_local(immediates.index, false);
    case Op::local_tee:
      return set_local(immediates.index, true);
    case Op::global_get:
      return get_global(immediates.index);
    case Op::global_set:
      return set_global(immediates.index);
    case Op::ref_eq: {
      Value b = pop();
      Value a = pop();
      const x64::Gp lhs = in_gpr(a);
      const x64::Gp rhs = in_gpr(b);
      asm_.cmp(lhs, rhs);
      release(a);
      release(b);
      return push_condition({.code = CondCode::kE});
    }
    case Op::ref_func:
      return reference_function(immediates.index);
    case Op::memory_size: {
      const x64::Gp dst =
          result_gpr(module_.memories[immediates.index].address == wasm::AddressType::i64 ? Type::i64 : Type::i32);
      load_context(x64::r11);
      asm_.mov(x64::r11, x64::qword_ptr(x64::r11, offsetof(VmContext, memories)));
      asm_.mov(x64::r11, x64::qword_ptr(x64::r11, static_cast<std::int32_t>(immediates.index * 8)));
      asm_.mov(dst, x64::qword_ptr(x64::r11, offsetof(MemoryView, byte_size)));
      if (const std::uint32_t shift = module_.memories[immediates.index].page_log2; shift != 0) asm_.shr(dst, shift);
      const bool is_wide = module_.memories[immediates.index].address == wasm::AddressType::i64;
      if (!is_wide) asm_.mov(dst.r32(), dst.r32());
      return push_register(is_wide ? Type::i64 : Type::i32, dst);
    }
    case Op::memory_grow:
      return service(RuntimeCallId::memory_grow, 1, wasm::value_type(module_.memories[immediates.index].address),
                     immediates.index);
    case Op::memory_fill:
      if (fill_few(wasm::MemoryIndex(immediates.index))) return;
      return service(RuntimeCallId::memory_fill, 3, std::nullopt, immediates.index);
    case Op::memory_copy:
      if (copy_few(wasm::MemoryIndex(immediates.index), wasm::MemoryIndex(immediates.index2))) return;
      return service(RuntimeCallId::memory_copy, 3, std::nullopt, immediates.index, immediates.index2);
    case Op::memory_init:
      return service(RuntimeCallId::memory_init, 3, std::nullopt, immediates.index, immediates.index2);
    case Op::data_drop:
      return service(RuntimeCallId::data_drop, 0, std::nullopt, immediates.index);
    case Op::table_get:
      return get_table(immediates.index);
    case Op::table_set:
      return set_table(immediates.index);
    case Op::table_size: {
      const bool is_wide = module_.tables[immediates.index].type.address == wasm::AddressType::i64;
      const x64::Gp dst = result_gpr(is_wide ? Type::i64 : Type::i32);
      load_context(x64::r11);
      asm_.mov(x64::r11, x64::qword_ptr(x64::r11, offsetof(VmContext, tables)));
      asm_.mov(x64::r11, x64::qword_ptr(x64::r11, static_cast<std::int32_t>(immediates.index * 8)));
      load(dst, is_wide ? Type::i64 : Type::i32, x64::qword_ptr(x64::r11, offsetof(TableView, size)));
      return push_register(is_wide ? Type::i64 : Type::i32, dst);
    }
    case Op::table_grow:
      return service(RuntimeCallId::table_grow, 2, wasm::value_type(module_.tables[immediates.index].type.address),
                     immediates.index);
    case Op::table_fill:
      return service(RuntimeCallId::table_fill, 3, std::nullopt, immediates.index);
    case Op::table_copy:
      return service(RuntimeCallId::table_copy, 3, std::nullopt, immediates.index, immediates.index2);
    case Op::table_init:
      return service(RuntimeCallId::table_init, 3, std::nullopt, immediates.index, immediates.index2);
    case Op::elem_drop:
      return service(RuntimeCallId::elem_drop, 0, std::nullopt, immediates.index);
    default:
      WASI_CHECK(false);
  }
}

// --- locals

void Compiler::drop() { release(pop()); }

// An instruction that knew of this one left its result in the local's register.
void Compiler::set_local(std::uint32_t index, bool tee) {
  Local& local = locals_[index];
  Value value = pop();
  const Bank bank = bank_of(local.type);
  const bool is_there = local.is_pinned() && value.where == Where::reg && value.reg == local.pin;
  if (!is_there) {
    const bool is_same = value.where == Where::local && value.local == index;
    if (!is_same) settle_aliases(index);
  }
  if (!local.is_pinned()) {
    const bool has_flags = result_flags_.offset == asm_.offset();
    copy_to(home(local.slot), value);
    if (has_flags) result_flags_.offset = asm_.offset();
    if (!tee) return release(value);
    // The register that it is in serves as well.
    if (value.where == Where::reg) return add_register(value.type, value.reg);
    return push_local(index);
  }
  if (!is_there && !is_in(value, bank, local.pin)) {
    if (bank == Bank::general) {
      copy_to(Assembler::gpr(local.pin), value);
    } else {
      copy_to(Assembler::xmm(local.pin), value);
    }
    release(value);
  }
  // A collection finds references in homes.
  if (local.type == Type::ref) store(home(local.slot), Type::ref, Assembler::gpr(local.pin));
  if (tee) push_local(index);
}

// --- globals

void Compiler::get_global(std::uint32_t index) {
  const Type type = type_of(module_.globals[index].type.type);
  load_context(x64::r11);
  asm_.mov(x64::r11, x64::qword_ptr(x64::r11, offsetof(VmContext, globals)));
  asm_.mov(x64::r11, x64::qword_ptr(x64::r11, static_cast<std::int32_t>(index * 8)));
  if (bank_of(type) == Bank::general) {
    const x64::Gp dst = result_gpr(type);
    load(dst, type, x64::qword_ptr(x64::r11));
    push_register(type, dst);
    stack_.back().is_not_null = is_not_null(module_.globals[index].type.type);
    return;
  }
  const x64::Xmm dst = result_xmm(type);
  load(dst, type, x64::qword_ptr(x64::r11));
  push_register(type, dst);
}

void Compiler::set_global(std::uint32_t index) {
  const Type type = type_of(module_.globals[index].type.type);
  Value value = pop();
  load_context(x64::r11);
  asm_.mov(x64::r11, x64::qword_ptr(x64::r11, offsetof(VmContext, globals)));
  asm_.mov(x64::r11, x64::qword_ptr(x64::r11, static_cast<std::int32_t>(index * 8)));
  static_cast<void>(type);
  copy_to(x64::qword_ptr(x64::r11), value);
  release(value);
}

// --- conditions and choices

void Compiler::push_condition(const Condition& condition) {
  if (next_takes_condition()) {
    flags_ = condition;
    add(Where::flags, Type::i32);
    has_flags_ = true;
    return;
  }
  const x64::Gp dst = result_gpr(Type::i32);
  set(asm_, condition, dst);
  push_register(Type::i32, dst);
}

void Compiler::select() {
  // What the condition is computed from may be released before the values are looked at: only flags are left of it.
  const Condition condition = pop_condition();
  Value if_false = pop();
  Value if_true = pop();
  const Type type = if_true.type;
  if (bank_of(type) == Bank::general) {
    if (if_false.is_constant()) static_cast<void>(in_gpr(if_false));
    const x64::Gp other = in_gpr(if_true);
    // The one that is there unless the condition holds is what the result begins as.
    const x64::Gp dst = result_gpr(type, if_false, &if_true);
    copy_to(dst, if_false);
    move_if(asm_, condition, dst, other);
    release(if_false, dst);
    release(if_true, dst);
    return push_register(type, dst);
  }
  const x64::Xmm other = in_xmm(if_true);
  const x64::Xmm dst = result_xmm(type, if_false, &if_true);
  copy_to(dst, if_false);
  move_if(asm_, condition, dst, other);
  release(if_false, dst);
  release(if_true, dst);
  push_register(type, dst);
}

void Compiler::check_not_null(TrapCode code) {
  Value reference = pop();
  trap_if_null(reference, in_gpr(reference), code);
  push_tested(reference, true);
}

// `reg` has it.
void Compiler::trap_if_null(const Value& reference, x64::Gp reg, TrapCode code) {
  if (reference.is_not_null) return;
  asm_.test(reg, reg);
  asm_.jz(trap_site(code));
}

// --- looking ahead

bool Compiler::next_takes_condition() {
  const std::uint8_t* at = next_;
  if (at != body_end_ && *at == code_of(Op::i32_eqz)) ++at;
  if (at == body_end_) return false;
  const bool takes = *at == code_of(Op::br_if) || *at == code_of(Op::if_) || *at == code_of(Op::select);
  return takes && applies(Optimisation::fused_conditions);
}

}  // namespace wasi::jit::baseline
