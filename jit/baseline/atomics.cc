// Atomic accesses, all of them sequentially consistent.
//
// An address that is not a multiple of the access's size is looked at before the access, but one that is out of bounds
// as well traps for that: the runtime decides. Memories begin at a page. What is read from less than a register is
// extended with zeros; of an expected value, only the bits that are compared count.
// Source: https://webassembly.github.io/threads/core/exec/instructions.html
#include "jit/baseline/compiler.h"
#include "runtime/services.h"

namespace wasi::jit::baseline {

using runtime::RuntimeCallId;
using wasm::Op;

namespace {

bool says(Op op, std::string_view part) { return wasm::info(op).text.find(part) != std::string_view::npos; }

x64::Gp of_bytes(x64::Gp reg, std::uint32_t bytes) {
  return bytes == 1   ? x64::Gp(reg.r8())
         : bytes == 2 ? x64::Gp(reg.r16())
         : bytes == 4 ? x64::Gp(reg.r32())
                      : x64::Gp(reg.r64());
}

std::uint8_t number(x64::Gp reg) { return static_cast<std::uint8_t>(reg.id()); }

// What changes memory by one locked instruction where nobody asks for what was there.
std::optional<asmjit::InstId> instruction_of(Op op) {
  if (says(op, ".add")) return x64::Inst::kIdAdd;
  if (says(op, ".sub")) return x64::Inst::kIdSub;
  if (says(op, ".and")) return x64::Inst::kIdAnd;
  if (says(op, ".or")) return x64::Inst::kIdOr;
  if (says(op, ".xor")) return x64::Inst::kIdXor;
  return std::nullopt;
}

}  // namespace

void Compiler::lower_atomic(Op op, const validate::Immediates& immediates) {
  if (op == Op::atomic_fence) {
    asm_.lock().or_(x64::dword_ptr(x64::rsp), 0);
    return;
  }
  const std::string_view signature = wasm::info(op).signature;
  const Type type = signature[signature.find(':') - 1] == 'l' || signature.back() == 'l' ? Type::i64 : Type::i32;
  if (says(op, ".load")) return atomic_load(op, type, immediates.memarg);
  if (says(op, ".store")) return atomic_store(op, immediates.memarg);
  if (says(op, ".cmpxchg")) return atomic_compare_exchange(op, type, immediates.memarg);
  if (says(op, ".rmw")) return atomic_update(op, type, immediates.memarg);
  const bool is_wait = says(op, ".wait");
  service(*runtime::services::service_of(op), is_wait ? 3 : 2, wasm::kI32, immediates.memarg.offset,
          immediates.memarg.memory.value);
}

// Pops the index, as address() does, and looks at the lowest bits of the sum.
Compiler::Address Compiler::aligned_address(const validate::MemArg& memarg, std::uint32_t size) {
  if (size == 1) return address(memarg, size);
  const std::uint32_t mask = size - 1;
  Value index = pop();
  const bool is_constant = index.is_constant();
  const bool is_unaligned = is_constant && ((index.bits + memarg.offset) & mask) != 0;
  if (!is_constant || is_unaligned) {
    const x64::Gp reg = in_gpr(index);
    ColdCall& cold = call_seldom([this, reg, memarg, size] {
      asm_.mov(x64::rsi, reg);
      load_constant(x64::rdx, Type::i64, memarg.offset);
      asm_.mov(x64::ecx, size);
      asm_.mov(x64::r8d, memarg.memory.value);
      call_runtime(RuntimeCallId::address_in_memory);
      asm_.jmp(trap_site(TrapCode::unaligned_atomic));
    });
    cold.returns = false;
    if (is_unaligned) {
      asm_.jmp(cold.label);
    } else if (const auto low = static_cast<std::int32_t>(memarg.offset & mask); low == 0) {
      asm_.test(reg.r8(), mask);
      asm_.jnz(cold.label);
    } else {
      asm_.lea(x64::r11d, x64::ptr(reg, low));
      asm_.test(x64::r11b, mask);
      asm_.jnz(cold.label);
    }
  }
  if (index.where == Where::local) {
    push_local(index.local);
  } else if (is_constant && !is_unaligned) {
    push_constant(index.type, index.bits);
  } else {
    push_register(index.type, Assembler::gpr(index.reg));
  }
  return address(memarg, size);
}

void Compiler::push_extended(Type type, x64::Gp reg, std::uint32_t bytes) {
  if (bytes <= 2) {
    asm_.movzx(reg.r32(), of_bytes(reg, bytes));
  } else if (bytes == 4) {
    asm_.mov(reg.r32(), reg.r32());
  }
  push_register(type, reg);
}

void Compiler::atomic_load(Op op, Type type, const validate::MemArg& memarg) {
  const std::uint32_t bytes = wasm::info(op).access;
  const Address from = aligned_address(memarg, bytes);
  const x64::Gp dst = result_gpr(type, from.index);
  fault_site();
  if (bytes <= 2) {
    asm_.movzx(dst.r32(), from.memory);
  } else {
    asm_.mov(of_bytes(dst, bytes), from.memory);
  }
  release(from.index, dst);
  if (from.base && from.base->id() != dst.id()) free(Bank::general, number(*from.base));
  push_register(type, dst);
}

void Compiler::atomic_store(Op op, const validate::MemArg& memarg) {
  const std::uint32_t bytes = wasm::info(op).access;
  Value value = pop();
  const x64::Gp reg = in_own_gpr(value);
  const Address to = aligned_address(memarg, bytes);
  fault_site();
  asm_.xchg(to.memory, of_bytes(reg, bytes));
  release(value);
  release_address(to);
}

void Compiler::atomic_update(Op op, Type type, const validate::MemArg& memarg) {
  const std::uint32_t bytes = wasm::info(op).access;
  const auto inst = instruction_of(op);
  Value value = pop();

  // Nobody asks for what was there.
  if (inst && next_opcode() == wasm::info(Op::drop).code) {
    const x64::Gp reg = in_gpr(value);
    const Address to = aligned_address(memarg, bytes);
    fault_site();
    asm_.lock().emit(*inst, to.memory, of_bytes(reg, bytes));
    release(value);
    release_address(to);
    return push_constant(type, 0);
  }
  if (!inst || *inst == x64::Inst::kIdAdd || *inst == x64::Inst::kIdSub) {
    const x64::Gp reg = in_own_gpr(value);
    if (inst == x64::Inst::kIdSub) asm_.neg(reg);
    const Address to = aligned_address(memarg, bytes);
    fault_site();
    if (inst) {
      asm_.lock().xadd(to.memory, of_bytes(reg, bytes));
    } else {
      asm_.xchg(to.memory, of_bytes(reg, bytes));
    }
    release_address(to);
    return push_extended(type, reg, bytes);
  }
  const x64::Gp operand = in_gpr_but(value, bit(kRax));
  claim(x64::rax);
  const Address to = aligned_address(memarg, bytes);
  const x64::Gp changed = allocate_gpr();
  const asmjit::Label again = asm_.newLabel();
  fault_site();
  if (bytes <= 2) {
    asm_.movzx(x64::eax, to.memory);
  } else {
    asm_.mov(of_bytes(x64::rax, bytes), to.memory);
  }
  asm_.bind(again);
  asm_.mov(changed, x64::rax);
  asm_.emit(*inst, changed, operand);
  fault_site();
  asm_.lock().cmpxchg(to.memory, of_bytes(changed, bytes));
  asm_.jne(again);
  release(value);
  release_address(to);
  free(Bank::general, number(changed));
  push_extended(type, x64::rax, bytes);
}

// Where the comparison fails, eax is written and the upper half of rax cleared; else neither.
void Compiler::atomic_compare_exchange(Op op, Type type, const validate::MemArg& memarg) {
  const std::uint32_t bytes = wasm::info(op).access;
  Value replacement = pop();
  Value expected = pop();
  const x64::Gp reg = in_gpr_but(replacement, bit(kRax));
  if (expected.where != Where::reg || expected.reg != kRax) {
    claim(x64::rax);
    copy_to(x64::rax, expected);
    release(expected);
  }
  const Address to = aligned_address(memarg, bytes);
  fault_site();
  asm_.lock().cmpxchg(to.memory, of_bytes(reg, bytes));
  release(replacement);
  release_address(to);
  push_extended(type, x64::rax, bytes);
}

}  // namespace wasi::jit::baseline
