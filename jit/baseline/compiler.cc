// The value model: the operand stack, registers, and moves between all places that a value can be in.
#include "jit/baseline/compiler.h"
#include "jit/baseline/numeric_x64.h"

#include <algorithm>

#include "base/check.h"
#include "jit/common/stopped.h"

namespace wasi::jit::baseline {

namespace {

bool fits_in_32_bits(std::uint64_t bits) {
  return static_cast<std::int64_t>(bits) == static_cast<std::int32_t>(static_cast<std::uint32_t>(bits));
}

}  // namespace

void Compiler::Workspace::clear() {
  stack.clear();
  locals.clear();
  plan.regions.clear();
  traps.clear();
  polls.clear();
  exit_constants.clear();
  flushed_constants.clear();
  entries.clear();
  host_calls.clear();
  cold_calls.clear();
  saved_registers.clear();
  tables.clear();
  table_targets.clear();
  marks.clear();
  sites.clear();
  loops.clear();
  other_frames.clear();
  moves.clear();
  regions.clear();
  tries.clear();
}

std::uint64_t Compiler::Workspace::held_bytes() const {
  return assembler.bufferCapacity() + stack.held_bytes() + marks.held_bytes() + sites.held_bytes() +
         locals.capacity() * (sizeof(Local) + sizeof(wasm::ValType) + sizeof(std::uint32_t)) +
         traps.capacity() * sizeof(ColdTrap) + table_targets.capacity() * sizeof(asmjit::Label);
}

Compiler::Compiler(const wasm::Module& module, wasm::FuncIndex function, Workspace& work, const CompileOptions& options,
                   runtime::Preparation& preparation)
    : module_(module),
      function_(function),
      type_(module.func_type(function)),
      scan_(work.scan),
      options_(options),
      preparation_(preparation),
      asm_(work.assembler),
      stack_(work.stack),
      flushed_constants_(work.flushed_constants),
      locals_(work.locals),
      plan_(work.plan),
      traps_(work.traps),
      polls_(work.polls),
      exit_constants_(work.exit_constants),
      entries_(work.entries),
      host_calls_(work.host_calls),
      cold_calls_(work.cold_calls),
      saved_registers_(work.saved_registers),
      tables_(work.tables),
      table_targets_(work.table_targets),
      marks_(work.marks),
      sites_(work.sites),
      loops_(work.loops),
      other_frames_(work.other_frames),
      moves_(work.moves),
      regions_(work.regions),
      tries_(work.tries) {
  work.clear();
  asm_.reset(options.cpu);
  if (options.log) listing_.emplace(asm_);
  const wasm::FunctionBody& body = module.body(function);
  body_begin_ = body.offset;
  body_end_ = module.bytes.data.data() + body.offset + body.size;
}

// What the walk and the compiler hold now is taken from the preparation.
void Compiler::poll_with(std::uint64_t walk_bytes) {
  stop_unless(preparation_.poll());
  const std::uint64_t held = walk_bytes + asm_.offset() + stack_.size() * sizeof(Value) +
                             (marks_.size() + sites_.size()) * sizeof(runtime::OffsetEntry) +
                             traps_.size() * sizeof(ColdTrap) + cold_calls_.size() * sizeof(ColdCall);
  if (held > taken_) {
    stop_unless(preparation_.take(held - taken_));
    taken_ = held;
  }
}

// --- the stack

// The values above `height` are gone, and these are there instead.
void Compiler::reset_stack(std::size_t height, std::span<const wasm::ValType> values, bool carried) {
  while (stack_.size() > height) release(pop());
  if (carried) {
    const Type type = type_of(values[0]);
    add_register(type, kRax);
    stack_.back().is_not_null = is_not_null(values[0]);
    return;
  }
  for (const wasm::ValType value : values) {
    push_home(type_of(value));
    stack_.back().is_not_null = is_not_null(value);
  }
}

void Compiler::flush() { flush_below(0); }

void Compiler::flush_below(std::size_t count) {
  const std::size_t end = stack_.size() - count;
  while (!flushed_constants_.empty() && flushed_constants_.back() >= flushed_) flushed_constants_.pop_back();
  for (; flushed_ < end; ++flushed_) {
    Value& value = stack_[flushed_];
    if (value.where == Where::constant) {
      flushed_constants_.push_back(flushed_);
    } else if (value.where != Where::home) {
      to_home(value);
    }
  }
}

void Compiler::force_home(std::size_t index) {
  if (stack_[index].where != Where::home) to_home(stack_[index]);
}

void Compiler::to_home(Value& value) {
  if (value.where == Where::flags) {
    set(asm_, flags_, MacroAssembler::kScratch);
    store(home(value.slot), Type::i32, MacroAssembler::kScratch);
  } else {
    copy_to(home(value.slot), value);
    if (value.where == Where::local) unlink(value, static_cast<std::uint32_t>(&value - stack_.data()));
    release(value);
  }
  value.where = Where::home;
}

// The local is about to change: entries that name it get its present value for themselves.
void Compiler::settle_aliases(std::uint32_t local) {
  while (locals_[local].newest != Value::kNone) {
    const std::uint32_t index = locals_[local].newest;
    Value& value = stack_[index];
    const Bank bank = bank_of(value.type);
    if (!registers_.any_free(bank)) {
      to_home(value);
      continue;
    }
    const std::uint8_t reg = registers_.first_free(bank);
    if (bank == Bank::general) {
      copy_to(Assembler::gpr(reg), value);
    } else {
      copy_to(Assembler::xmm(reg), value);
    }
    unlink(value, index);
    value.where = Where::reg;
    value.reg = reg;
    registers_.own(bank, reg, index);
    flushed_ = std::min<std::size_t>(flushed_, index);
  }
}

// --- registers

std::uint8_t Compiler::allocate(Bank bank, std::uint32_t but) {
  if (!registers_.any_free(bank, but)) spill_one(bank, but);
  const std::uint8_t reg = registers_.first_free(bank, but);
  registers_.own(bank, reg, RegisterFile::kHeld);
  return reg;
}
x64::Gp Compiler::allocate_gpr() { return Assembler::gpr(allocate(Bank::general)); }
x64::Xmm Compiler::allocate_xmm() { return Assembler::xmm(allocate(Bank::vector)); }

// The value that lies deepest is needed last.
void Compiler::spill_one(Bank bank, std::uint32_t but) {
  std::uint32_t deepest = RegisterFile::kHeld;
  for (std::uint32_t left = registers_.taken(bank) & ~but; left != 0; left &= left - 1) {
    deepest = std::min(deepest, registers_.owner(bank, static_cast<std::uint8_t>(std::countr_zero(left))));
  }
  WASI_CHECK(deepest != RegisterFile::kHeld);
  to_home(stack_[deepest]);
}

void Compiler::evict(Bank bank, std::uint8_t reg) {
  if (!registers_.is_usable(bank, reg) || registers_.is_free(bank, reg)) return;
  const std::uint32_t index = registers_.owner(bank, reg);
  WASI_CHECK(index != RegisterFile::kHeld);
  Value& value = stack_[index];
  if (!registers_.any_free(bank)) return to_home(value);
  const std::uint8_t other = registers_.first_free(bank);
  if (bank == Bank::general) {
    asm_.mov(Assembler::gpr(other), Assembler::gpr(reg));
  } else {
    asm_.move(Assembler::xmm(other), Assembler::xmm(reg));
  }
  registers_.own(bank, other, index);
  registers_.free(bank, reg);
  value.reg = other;
}

void Compiler::claim(x64::Gp reg) {
  const auto number = static_cast<std::uint8_t>(reg.id());
  evict(Bank::general, number);
  registers_.own(Bank::general, number, RegisterFile::kHeld);
}
void Compiler::claim(x64::Xmm reg) {
  const auto number = static_cast<std::uint8_t>(reg.id());
  evict(Bank::vector, number);
  registers_.own(Bank::vector, number, RegisterFile::kHeld);
}

void Compiler::move_out_of(Value& value, std::uint32_t registers) {
  if (value.where != Where::reg || bank_of(value.type) != Bank::general || (registers & bit(value.reg)) == 0) return;
  const x64::Gp other = Assembler::gpr(allocate(Bank::general, registers));
  asm_.mov(other, Assembler::gpr(value.reg));
  release(value);
  value.where = Where::reg;
  value.reg = static_cast<std::uint8_t>(other.id());
}

x64::Gp Compiler::in_gpr(Value& value) {
  if (value.where == Where::reg) return Assembler::gpr(value.reg);
  if (value.where == Where::local && locals_[value.local].is_pinned()) return Assembler::gpr(locals_[value.local].pin);
  return in_own_gpr(value);
}

x64::Gp Compiler::in_gpr_but(Value& value, std::uint32_t but) {
  move_out_of(value, but);
  if (value.where == Where::reg || (value.where == Where::local && locals_[value.local].is_pinned())) {
    return in_gpr(value);
  }
  return in_own_gpr(value, but);
}

x64::Gp Compiler::in_own_gpr(Value& value, std::uint32_t but) {
  if (value.where == Where::reg && registers_.is_usable(Bank::general, value.reg)) return Assembler::gpr(value.reg);
  const x64::Gp reg = Assembler::gpr(allocate(Bank::general, but));
  if (value.where == Where::flags) {
    set(asm_, flags_, reg);
  } else {
    copy_to(reg, value);
  }
  value.where = Where::reg;
  value.reg = static_cast<std::uint8_t>(reg.id());
  return reg;
}

x64::Xmm Compiler::in_xmm(Value& value) {
  if (value.where == Where::reg) return Assembler::xmm(value.reg);
  if (value.where == Where::local && locals_[value.local].is_pinned()) return Assembler::xmm(locals_[value.local].pin);
  const x64::Xmm reg = allocate_xmm();
  copy_to(reg, value);
  value.where = Where::reg;
  value.reg = static_cast<std::uint8_t>(reg.id());
  return reg;
}

// The next instruction sets a local. Empty unless that lives in a register and nothing on the stack names it.
std::optional<std::uint8_t> Compiler::register_of_set(Type type, std::size_t operands) const {
  std::uint64_t index = 0;
  const std::uint8_t* position = next_ + 1;
  for (unsigned shift = 0; position != body_end_ && shift < 32; shift += 7) {
    const std::uint8_t byte = *position++;
    index |= std::uint64_t{byte & 0x7FU} << shift;
    if (byte < 0x80) break;
  }
  if (index >= locals_.size()) return std::nullopt;
  const Local& local = locals_[index];
  if (!local.is_pinned() || local.type != type || type == Type::ref) return std::nullopt;
  std::uint32_t newest = local.newest;
  while (newest != Value::kNone && newest >= stack_.size() - operands) newest = stack_[newest].below;
  if (newest != Value::kNone) return std::nullopt;
  return local.pin;
}

x64::Gp Compiler::result_gpr(Type type, const Value& reused, const Value* keep, const Value* keep2) {
  const auto is_free = [&](std::uint8_t reg) {
    return (keep == nullptr || !is_in(*keep, Bank::general, reg)) &&
           (keep2 == nullptr || !is_in(*keep2, Bank::general, reg));
  };
  if (const auto reg = register_of_next_set(type); reg && is_free(*reg) && applies(Optimisation::in_place)) {
    return Assembler::gpr(*reg);
  }
  if (reused.where == Where::reg && bank_of(reused.type) == Bank::general &&
      registers_.is_usable(Bank::general, reused.reg) && is_free(reused.reg)) {
    return Assembler::gpr(reused.reg);
  }
  return allocate_gpr();
}

x64::Xmm Compiler::result_xmm(Type type, const Value& reused, const Value* keep, const Value* keep2) {
  const auto is_free = [&](std::uint8_t reg) {
    return (keep == nullptr || !is_in(*keep, Bank::vector, reg)) &&
           (keep2 == nullptr || !is_in(*keep2, Bank::vector, reg));
  };
  if (const auto reg = register_of_next_set(type); reg && is_free(*reg) && applies(Optimisation::in_place)) {
    return Assembler::xmm(*reg);
  }
  if (reused.where == Where::reg && bank_of(reused.type) == Bank::vector &&
      registers_.is_usable(Bank::vector, reused.reg) && is_free(reused.reg)) {
    return Assembler::xmm(reused.reg);
  }
  return allocate_xmm();
}

x64::Gp Compiler::result_gpr(Type type) {
  const auto reg = register_of_next_set(type);
  return reg && applies(Optimisation::in_place) ? Assembler::gpr(*reg) : allocate_gpr();
}
x64::Xmm Compiler::result_xmm(Type type) {
  const auto reg = register_of_next_set(type);
  return reg && applies(Optimisation::in_place) ? Assembler::xmm(*reg) : allocate_xmm();
}

std::uint32_t Compiler::save_live_registers() {
  std::uint32_t count = 0;
  for (const Bank bank : {Bank::general, Bank::vector}) {
    for (std::uint32_t left = registers_.taken(bank); left != 0; left &= left - 1) {
      const auto reg = static_cast<std::uint8_t>(std::countr_zero(left));
      const std::uint32_t index = registers_.owner(bank, reg);
      if (index == RegisterFile::kHeld) continue;
      saved_registers_.push_back({reg, stack_[index].type, stack_[index].slot});
      ++count;
    }
  }
  return count;
}

// --- moves

namespace {

x64::Mem sized(x64::Mem memory, std::uint32_t size) {
  memory.setSize(size);
  return memory;
}

}  // namespace

void Compiler::load_constant(x64::Gp to, Type type, std::uint64_t bits) {
  if (!is_64(type)) bits &= UINT32_MAX;
  if (bits == 0 && !flags_live_) {
    asm_.xor_(to.r32(), to.r32());
  } else if (bits <= UINT32_MAX) {
    asm_.mov(to.r32(), static_cast<std::uint32_t>(bits));
  } else {
    asm_.mov(to.r64(), bits);
  }
}
void Compiler::load_constant(x64::Xmm to, Type type, std::uint64_t bits) {
  if (type == Type::f32) bits &= UINT32_MAX;
  if (bits == 0) {
    asm_.xorps(to, to);
  } else if (type == Type::f32) {
    asm_.movss(to, asm_.constant32(static_cast<std::uint32_t>(bits)));
  } else {
    asm_.movsd(to, asm_.constant64(bits));
  }
}
// Clobbers no register.
void Compiler::store_constant(const x64::Mem& to, Type type, std::uint64_t bits) {
  if (type == Type::i32 || type == Type::f32) {
    asm_.mov(sized(to, 4), static_cast<std::uint32_t>(bits));
  } else if (fits_in_32_bits(bits)) {
    asm_.mov(sized(to, 8), static_cast<std::int32_t>(static_cast<std::uint32_t>(bits)));
  } else {
    x64::Mem half = sized(to, 4);
    asm_.mov(half, static_cast<std::uint32_t>(bits));
    half.addOffset(4);
    asm_.mov(half, static_cast<std::uint32_t>(bits >> 32));
  }
}

void Compiler::move(x64::Gp to, x64::Gp from, Type type) {
  if (to.id() == from.id()) return;
  if (is_64(type)) {
    asm_.mov(to.r64(), from.r64());
  } else {
    asm_.mov(to.r32(), from.r32());
  }
}

void Compiler::copy_to(x64::Gp to, const Value& value) {
  switch (value.where) {
    case Where::home:
      return load(to, value.type, home(value.slot));
    case Where::local: {
      const Local& local = locals_[value.local];
      if (local.is_pinned()) return move(to, Assembler::gpr(local.pin), value.type);
      return load(to, value.type, home(local.slot));
    }
    case Where::constant:
      return load_constant(to, value.type, value.bits);
    case Where::reg:
      return move(to, Assembler::gpr(value.reg), value.type);
    case Where::flags:
      return set(asm_, flags_, to);
    case Where::access:
    case Where::scaled:
      WASI_CHECK(false);
  }
}

void Compiler::copy_to(x64::Xmm to, const Value& value) {
  switch (value.where) {
    case Where::home:
      return load(to, value.type, home(value.slot));
    case Where::local: {
      const Local& local = locals_[value.local];
      if (local.is_pinned()) return asm_.move(to, Assembler::xmm(local.pin));
      return load(to, value.type, home(local.slot));
    }
    case Where::constant:
      return load_constant(to, value.type, value.bits);
    case Where::reg:
      return asm_.move(to, Assembler::xmm(value.reg));
    case Where::flags:
    case Where::access:
    case Where::scaled:
      WASI_CHECK(false);
  }
}

// Memory to memory goes through the vector scratch, so that `to` may be relative to the other one.
void Compiler::copy_to(const x64::Mem& to, const Value& value) {
  if (value.where == Where::constant) return store_constant(to, value.type, value.bits);
  const bool is_register =
      value.where == Where::reg || (value.where == Where::local && locals_[value.local].is_pinned());
  const std::uint8_t reg = value.where == Where::reg ? value.reg : is_register ? locals_[value.local].pin : 0;
  if (!is_register) {
    const Type words = word_of(value.type);
    const std::uint32_t slot = value.where == Where::local ? locals_[value.local].slot : value.slot;
    load(MacroAssembler::kVectorScratch1, words, home(slot));
    return store(to, words, MacroAssembler::kVectorScratch1);
  }
  if (bank_of(value.type) == Bank::general) {
    store(to, value.type, Assembler::gpr(reg));
  } else {
    store(to, value.type, Assembler::xmm(reg));
  }
}

// As a source: memory where the value lies in a home, of exactly its size.
asmjit::Operand Compiler::gpr_or_memory(Value& value) {
  const std::uint32_t size = is_64(value.type) ? 8 : 4;
  const bool is_unpinned = value.where == Where::local && !locals_[value.local].is_pinned();
  if ((value.where == Where::home || is_unpinned) && applies(Optimisation::folded_homes)) {
    return home(is_unpinned ? locals_[value.local].slot : value.slot, size);
  }
  const x64::Gp reg = in_gpr(value);
  return size == 8 ? x64::Gp(reg.r64()) : x64::Gp(reg.r32());
}

}  // namespace wasi::jit::baseline
