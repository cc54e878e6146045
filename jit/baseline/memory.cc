// Accesses to linear memories.
//
// A memory of 32-bit addresses with guard pages needs no check: whatever the address is, it lies in the reservation,
// and a fault is a trap. Elsewhere the end of the access is compared with the memory's size. An index of 32 bits is in
// a register with a zero upper half, so that base, index and offset are one address. Source:
// https://webassembly.github.io/spec/core/exec/instructions.html#memory-instructions
#include "jit/baseline/compiler.h"
#include "runtime/vmcontext.h"

namespace wasi::jit::baseline {

using runtime::MemoryView;
using runtime::VmContext;
using wasm::Op;

namespace {

Type type_of_load(Op op) {
  switch (op) {
    case Op::i32_load:
      return Type::i32;
    case Op::i64_load:
      return Type::i64;
    case Op::f32_load:
      return Type::f32;
    default:
      return Type::f64;
  }
}

}  // namespace

bool Compiler::is_guarded(wasm::MemoryIndex memory) const {
  const wasm::MemoryType& type = module_.memories[memory.value];
  return options_.checks == runtime::BoundsChecks::guard_pages && memory.value == 0 &&
         type.address == wasm::AddressType::i32 && type.page_log2 == wasm::kPageLog2;
}

// Pops the index. Nothing but scratch registers is written behind it, up to the access.
Compiler::Address Compiler::address(const validate::MemArg& memarg, std::uint32_t size) {
  Address address;
  address.index = pop();
  if (is_guarded(memarg.memory)) {
    x64::Gp base;
    if (plan_.has_memory_base()) {
      base = Assembler::gpr(plan_.memory_base);
    } else {
      base = allocate_gpr();
      load_context(base);
      asm_.mov(base, x64::qword_ptr(base, offsetof(VmContext, memory0)));
      asm_.mov(base, x64::qword_ptr(base, offsetof(MemoryView, base)));
      address.base = base;
    }
    if (address.index.is_constant()) {
      const std::uint64_t absolute = (address.index.bits & UINT32_MAX) + memarg.offset;
      if (absolute <= INT32_MAX) {
        address.memory = x64::ptr(base, static_cast<std::int32_t>(absolute), size);
      } else {
        asm_.mov(x64::r11, absolute);
        address.memory = x64::ptr(base, x64::r11, 0, 0, size);
      }
      return address;
    }
    const x64::Gp index = in_gpr(address.index);
    if (memarg.offset <= INT32_MAX) {
      address.memory = x64::ptr(base, index, 0, static_cast<std::int32_t>(memarg.offset), size);
    } else {
      asm_.mov(x64::r11, memarg.offset);
      asm_.add(x64::r11, index);
      address.memory = x64::ptr(base, x64::r11, 0, 0, size);
    }
    return address;
  }

  // r11 is the end of the access.
  const bool is_wide = module_.memories[memarg.memory.value].address == wasm::AddressType::i64;
  const x64::Gp index = in_gpr(address.index);
  const x64::Gp base = allocate_gpr();
  address.base = base;
  const asmjit::Label out_of_bounds = trap_site(TrapCode::memory_out_of_bounds);
  std::uint64_t reach = 0;
  if (__builtin_add_overflow(memarg.offset, size, &reach)) {
    asm_.jmp(out_of_bounds);
    reach = size;
  }
  if (is_wide) {
    if (reach <= INT32_MAX) {
      asm_.mov(x64::r11, index);
      asm_.add(x64::r11, static_cast<std::int32_t>(reach));
    } else {
      asm_.mov(x64::r11, reach);
      asm_.add(x64::r11, index);
    }
    asm_.jc(out_of_bounds);
  } else if (reach <= INT32_MAX) {
    asm_.lea(x64::r11, x64::ptr(index, static_cast<std::int32_t>(reach)));
  } else {
    asm_.mov(x64::r11, reach);
    asm_.add(x64::r11, index);
  }
  load_context(base);
  if (memarg.memory.value == 0) {
    asm_.mov(base, x64::qword_ptr(base, offsetof(VmContext, memory0)));
  } else {
    asm_.mov(base, x64::qword_ptr(base, offsetof(VmContext, memories)));
    asm_.mov(base, x64::qword_ptr(base, static_cast<std::int32_t>(memarg.memory.value * 8)));
  }
  asm_.cmp(x64::r11, x64::qword_ptr(base, offsetof(MemoryView, byte_size)));
  asm_.ja(out_of_bounds);
  asm_.mov(base, x64::qword_ptr(base, offsetof(MemoryView, base)));
  address.memory = x64::ptr(base, x64::r11, 0, -static_cast<std::int32_t>(size), size);
  return address;
}

void Compiler::release_address(const Address& address) {
  release(address.index);
  if (address.base) free(Bank::general, static_cast<std::uint8_t>(address.base->id()));
}

// An operation of whole values whose second operand this is. Between the two nothing is emitted, and an instruction
// that faults has written nothing.
bool Compiler::next_takes_load(Op op) {
  const std::uint8_t next = next_opcode();
  const auto is_among = [next](Op first, Op last) { return next >= code_of(first) && next <= code_of(last); };
  const bool takes = (op == Op::i32_load && (is_among(Op::i32_add, Op::i32_sub) || is_among(Op::i32_and, Op::i32_xor) ||
                                             is_among(Op::i32_eq, Op::i32_ge_u))) ||
                     (op == Op::i64_load && (is_among(Op::i64_add, Op::i64_sub) || is_among(Op::i64_and, Op::i64_xor) ||
                                             is_among(Op::i64_eq, Op::i64_ge_u))) ||
                     (op == Op::f32_load && is_among(Op::f32_add, Op::f32_div)) ||
                     (op == Op::f64_load && is_among(Op::f64_add, Op::f64_div));
  return takes && applies(Optimisation::folded_loads);
}

void Compiler::defer_load(Type type, const Address& address) {
  deferred_ = address;
  deferred_offset_ = offset_;
  add(Where::access, type);
}

void Compiler::access_deferred(std::size_t code_offset) {
  const std::uint64_t here = std::exchange(offset_, deferred_offset_);
  fault_site_at(code_offset);
  offset_ = here;
}

void Compiler::lower_access(Op op, const validate::MemArg& memarg) {
  const std::uint32_t size = wasm::info(op).access;
  const bool is_store = wasm::info(op).signature.ends_with(':');
  if (is_store) {
    Value value = pop();
    const bool is_vector = bank_of(value.type) == Bank::vector;
    // Constants are immediates where they fit; floats are bits then.
    const bool is_small = value.is_constant() &&
                          (size <= 4 || static_cast<std::int64_t>(value.bits) ==
                                            static_cast<std::int32_t>(static_cast<std::uint32_t>(value.bits))) &&
                          applies(Optimisation::immediates);
    if (!is_small) {
      if (is_vector) {
        static_cast<void>(in_xmm(value));
      } else {
        static_cast<void>(in_gpr(value));
      }
    }
    const Address to = address(memarg, size);
    if (is_small) {
      fault_site();
      asm_.emit(x64::Inst::kIdMov, to.memory,
                asmjit::imm(static_cast<std::int32_t>(static_cast<std::uint32_t>(size == 1   ? value.bits & 0xFF
                                                                                 : size == 2 ? value.bits & 0xFFFF
                                                                                             : value.bits))));
    } else if (is_vector) {
      const x64::Xmm reg = in_xmm(value);
      fault_site();
      store(to.memory, value.type, reg);
    } else {
      const x64::Gp reg = in_gpr(value);
      fault_site();
      asm_.mov(to.memory, size == 1   ? x64::Gp(reg.r8())
                          : size == 2 ? x64::Gp(reg.r16())
                          : size == 4 ? x64::Gp(reg.r32())
                                      : x64::Gp(reg.r64()));
    }
    release(value);
    return release_address(to);
  }

  const Address from = address(memarg, size);
  if (next_takes_load(op)) return defer_load(type_of_load(op), from);
  if (op == Op::f32_load || op == Op::f64_load) {
    const Type type = op == Op::f32_load ? Type::f32 : Type::f64;
    const x64::Xmm dst = result_xmm(type);
    fault_site();
    load(dst, type, from.memory);
    release_address(from);
    return push_register(type, dst);
  }
  const Type type = wasm::info(op).signature.back() == 'l' ? Type::i64 : Type::i32;
  const x64::Gp dst = result_gpr(type, from.index);
  fault_site();
  switch (op) {
    case Op::i32_load8_s:
      asm_.movsx(dst.r32(), from.memory);
      break;
    case Op::i64_load8_s:
      asm_.movsx(dst.r64(), from.memory);
      break;
    case Op::i32_load16_s:
      asm_.movsx(dst.r32(), from.memory);
      break;
    case Op::i64_load16_s:
      asm_.movsx(dst.r64(), from.memory);
      break;
    case Op::i64_load32_s:
      asm_.movsxd(dst.r64(), from.memory);
      break;
    case Op::i32_load8_u:
    case Op::i64_load8_u:
    case Op::i32_load16_u:
    case Op::i64_load16_u:
      asm_.movzx(dst.r32(), from.memory);
      break;
    case Op::i64_load:
      asm_.mov(dst.r64(), from.memory);
      break;
    default:  // i32.load, i64.load32_u
      asm_.mov(dst.r32(), from.memory);
  }
  release(from.index, dst);
  if (from.base && from.base->id() != dst.id()) free(Bank::general, static_cast<std::uint8_t>(from.base->id()));
  push_register(type, dst);
}

}  // namespace wasi::jit::baseline
