// The frame: which locals get registers, entry and exit, the way in at a loop's head, and the cold code behind the
// body.
//
//     rbp + 8    return address
//     rbp        the caller's rbp
//     rbp - 8    VmContext
//     rbp - 16   the preserved registers that are used, downwards in the order rbx, r12 to r15
//     ...        homes: slots, ascending, laid out as the interpreter's frame
//     rsp        a multiple of 16
#include <algorithm>

#include "base/check.h"
#include "base/result.h"
#include "jit/baseline/compiler.h"
#include "runtime/exec_state.h"
#include "runtime/vmcontext.h"

namespace wasi::jit::baseline {

using runtime::ExecState;
using runtime::MemoryView;
using runtime::RuntimeCallId;
using runtime::VmContext;

namespace {

constexpr std::uint8_t kPreserved[] = {3, 12, 13, 14, 15};  // in the order of NativeCode::saved
// A use saves a load or a store; a preserved register costs one of each.
constexpr std::uint32_t kLeastWeight = 3;
// Fewer accesses load the memory's base each time.
constexpr std::uint32_t kLeastAccesses = 3;
// Frames up to this size are touched before the stack is checked: the reserve below the limit has room for them.
constexpr std::uint32_t kUncheckedFrame = 8U << 10;
// More slots than this are cleared, or copied, in a loop.
constexpr std::uint32_t kMostUnrolled = 16;

std::uint8_t saved_bit(std::uint8_t gpr) {
  for (unsigned i = 0; i < std::size(kPreserved); ++i) {
    if (kPreserved[i] == gpr) return static_cast<std::uint8_t>(1U << i);
  }
  return 0;
}

}  // namespace

// --- registers of locals

void Compiler::choose_registers() {
  struct Candidate {
    std::uint32_t weight;
    std::uint32_t local;
  };
  std::vector<Candidate> candidates[2];
  for (std::uint32_t i = 0; i < locals_.size(); ++i) {
    if (scan_.weights[i] < kLeastWeight) continue;
    candidates[static_cast<unsigned>(bank_of(locals_[i].type))].push_back({scan_.weights[i], i});
  }
  has_memory_base_ = scan_.accesses >= kLeastAccesses && !module_.memories.empty() &&
                     is_guarded(wasm::MemoryIndex(0)) && applies(Optimisation::memory_base);
  // Registers that do not survive calls are for locals that are used more often than there are calls, a store and a
  // load each.
  const std::uint64_t dear = 2 * std::uint64_t{scan_.calls};
  std::vector<std::uint8_t> pins[2];
  if (dear == 0) pins[0].assign(std::begin(kOtherPins), std::end(kOtherPins));
  for (const std::uint8_t reg : kPreservedPins) {
    if (reg != kMemoryBase || !has_memory_base_) pins[0].push_back(reg);
  }
  if (dear != 0) pins[0].insert(pins[0].end(), std::begin(kOtherPins), std::end(kOtherPins));
  pins[1].assign(std::begin(kVectorPins), std::end(kVectorPins));
  for (const Bank bank : {Bank::general, Bank::vector}) {
    auto& of_bank = candidates[static_cast<unsigned>(bank)];
    const auto& registers = pins[static_cast<unsigned>(bank)];
    const std::size_t count = std::min(of_bank.size(), registers.size());
    std::partial_sort(of_bank.begin(), of_bank.begin() + static_cast<std::ptrdiff_t>(count), of_bank.end(),
                      [](const Candidate& a, const Candidate& b) {
                        return a.weight != b.weight ? a.weight > b.weight : a.local < b.local;
                      });
    for (std::size_t i = 0; i < count; ++i) {
      const std::uint8_t reg = registers[i];
      const bool survives = bank == Bank::general && is_preserved(reg);
      if (!survives && of_bank[i].weight <= dear) continue;
      if (!applies(Optimisation::pinned_locals)) continue;
      locals_[of_bank[i].local].pin = reg;
      pinned_locals_.push_back(of_bank[i].local);
      registers_.pin(bank, reg);
      if (survives) saved_ |= saved_bit(reg);
    }
  }
  if (has_memory_base_) saved_ |= saved_bit(kMemoryBase);
}

// --- entry and exit

void Compiler::begin_function() {
  locals_.reserve(scan_.locals.size());
  for (std::size_t i = 0; i < scan_.locals.size(); ++i) {
    const Type type = type_of(scan_.locals[i]);
    locals_.push_back({.type = type, .is_used = scan_.weights[i] != 0, .slot = local_slots_});
    local_slots_ += scan_.locals[i].slots();
  }
  frame_slots_ = local_slots_ + scan_.operand_slots;
  choose_registers();
  const auto fixed = static_cast<std::uint32_t>(8 * (1 + std::popcount(saved_)));
  frame_bytes_ = (fixed + (frame_slots_ + scan_.kept_slots) * 8 + 15) / 16 * 16;
  // The interpreter keeps exceptions that may be rethrown elsewhere in its frame.
  can_enter_loops_ = !scan_.has_rethrow;
  return_label_ = asm_.newLabel();

  emit_frame();
  take_parameters();
  clear_locals();
  load_memory_base();
  if (scan_.calls != 0) emit_poll();
}

void Compiler::emit_frame() {
  const auto fixed = static_cast<std::uint32_t>(8 * (1 + std::popcount(saved_)));
  asm_.push(x64::rbp);
  asm_.mov(x64::rbp, x64::rsp);
  asm_.push(x64::rdi);
  for (unsigned i = 0; i < std::size(kPreserved); ++i) {
    if ((saved_ >> i & 1) != 0) asm_.push(Assembler::gpr(kPreserved[i]));
  }
  if (frame_bytes_ > kUncheckedFrame) {
    // Against the stack's real end: whoever wants to interrupt is heard by the poll.
    if (!overflow_.isValid()) overflow_ = asm_.newLabel();
    asm_.lea(x64::r11, x64::qword_ptr(x64::rbp, -static_cast<std::int32_t>(frame_bytes_)));
    asm_.mov(x64::rax, x64::qword_ptr(x64::rdi, offsetof(VmContext, exec)));
    asm_.cmp(x64::r11, x64::qword_ptr(x64::rax, offsetof(ExecState, native_limit)));
    asm_.jb(overflow_);
  }
  if (frame_bytes_ != fixed) asm_.sub(x64::rsp, frame_bytes_ - fixed);
}

void Compiler::take_parameters() {
  const NativeSignature signature = native_signature(type_);
  std::vector<Move> moves;
  for (std::size_t i = 0; i < signature.params.size(); ++i) {
    const Place& place = signature.params[i];
    const Local& local = locals_[i];
    if (place.bank == Place::Bank::memory || !local.is_used) continue;
    const bool is_general = place.bank == Place::Bank::general;
    if (!local.is_pinned() || local.type == Type::ref) {
      if (is_general) {
        store(home(local.slot), local.type, Assembler::gpr(place.number));
      } else {
        store(home(local.slot), local.type, Assembler::xmm(place.number));
      }
    }
    if (!local.is_pinned()) continue;
    if (is_general && local.pin == place.number) {
      // The upper half is undefined.
      if (local.type == Type::i32) asm_.mov(Assembler::gpr(local.pin).r32(), Assembler::gpr(local.pin).r32());
    }
    moves.push_back({is_general ? Bank::general : Bank::vector, local.pin,
                     Value{.where = Where::reg, .type = local.type, .reg = place.number}});
  }
  move_in_parallel(moves);
  bool has_area = false;
  for (std::size_t i = 0; i < signature.params.size(); ++i) {
    const Place& place = signature.params[i];
    const Local& local = locals_[i];
    if (place.bank != Place::Bank::memory || !local.is_used) continue;
    if (!has_area) load_area(x64::r11);
    has_area = true;
    const x64::Mem from = x64::qword_ptr(x64::r11, static_cast<std::int32_t>(place.slot * 8));
    if (local.is_pinned() && bank_of(local.type) == Bank::general) {
      load(Assembler::gpr(local.pin), local.type, from);
      if (local.type == Type::ref) store(home(local.slot), local.type, Assembler::gpr(local.pin));
    } else if (local.is_pinned()) {
      load(Assembler::xmm(local.pin), local.type, from);
    } else {
      const Type words = local.type == Type::v128 ? Type::v128 : Type::f64;
      load(MacroAssembler::kVectorScratch1, words, from);
      store(home(local.slot), words, MacroAssembler::kVectorScratch1);
    }
  }
}

void Compiler::clear_locals() {
  std::uint32_t first = UINT32_MAX;
  std::uint32_t end = 0;
  std::uint32_t slots = 0;
  for (std::size_t i = type_.params.size(); i < locals_.size(); ++i) {
    const Local& local = locals_[i];
    if (!local.is_used) continue;
    if (local.is_pinned()) {
      if (bank_of(local.type) == Bank::general) {
        asm_.xor_(Assembler::gpr(local.pin).r32(), Assembler::gpr(local.pin).r32());
      } else {
        asm_.xorps(Assembler::xmm(local.pin), Assembler::xmm(local.pin));
      }
      if (local.type != Type::ref) continue;
    }
    const std::uint32_t width = local.type == Type::v128 ? 2 : 1;
    first = std::min(first, local.slot);
    end = local.slot + width;
    slots += width;
  }
  if (slots == 0) return;
  if (end - first > kMostUnrolled) {
    asm_.lea(x64::rdi, home(first));
    asm_.mov(x64::ecx, end - first);
    asm_.xor_(x64::eax, x64::eax);
    asm_.rep().stosq();
    return;
  }
  asm_.xorps(MacroAssembler::kVectorScratch1, MacroAssembler::kVectorScratch1);
  for (std::uint32_t slot = first; slot < end;) {
    const bool two = slot + 2 <= end;
    if (two) {
      asm_.movups(home(slot, 16), MacroAssembler::kVectorScratch1);
    } else {
      asm_.movsd(home(slot), MacroAssembler::kVectorScratch1);
    }
    slot += two ? 2 : 1;
  }
}

void Compiler::load_exec(x64::Gp to) {
  load_context(to);
  asm_.mov(to, x64::qword_ptr(to, offsetof(VmContext, exec)));
}

// Where values without a register go between functions.
void Compiler::load_area(x64::Gp to) {
  load_exec(to);
  asm_.mov(to, x64::qword_ptr(to, offsetof(ExecState, free_slot)));
}

void Compiler::load_memory_base() {
  if (!has_memory_base_) return;
  const x64::Gp base = Assembler::gpr(kMemoryBase);
  load_context(base);
  asm_.mov(base, x64::qword_ptr(base, offsetof(VmContext, memory0)));
  asm_.mov(base, x64::qword_ptr(base, offsetof(MemoryView, base)));
}

// The end of the native stack, and whoever wants the guest to stop: one comparison.
void Compiler::emit_poll() {
  ColdPoll& cold = polls_.emplace_back();
  cold.label = asm_.newLabel();
  cold.back = asm_.newLabel();
  cold.offset = offset_;
  load_exec(x64::r11);
  asm_.cmp(x64::rsp, x64::qword_ptr(x64::r11, offsetof(ExecState, stack_limit)));
  asm_.jb(cold.label);
  asm_.bind(cold.back);
}

void Compiler::emit_epilogue() {
  asm_.bind(return_label_);
  restore_preserved();
  asm_.leave();
  asm_.ret();
}

void Compiler::restore_preserved() {
  std::int32_t at = -16;
  for (unsigned i = 0; i < std::size(kPreserved); ++i) {
    if ((saved_ >> i & 1) == 0) continue;
    asm_.mov(Assembler::gpr(kPreserved[i]), x64::qword_ptr(x64::rbp, at));
    at -= 8;
  }
}

void Compiler::save_pins() {
  for (const std::uint32_t index : pinned_locals_) {
    const Local& local = locals_[index];
    if (bank_of(local.type) == Bank::vector) {
      store(home(local.slot), local.type, Assembler::xmm(local.pin));
    } else if (!is_preserved(local.pin)) {
      store(home(local.slot), local.type, Assembler::gpr(local.pin));
    }
  }
}

void Compiler::restore_pins() {
  for (const std::uint32_t index : pinned_locals_) {
    const Local& local = locals_[index];
    if (bank_of(local.type) == Bank::vector) {
      load(Assembler::xmm(local.pin), local.type, home(local.slot));
    } else if (!is_preserved(local.pin)) {
      load(Assembler::gpr(local.pin), local.type, home(local.slot));
    }
  }
}

// --- behind the body

// rdi: VmContext, rsi: the interpreter's slots, rdx: the address of the loop's head.
void Compiler::emit_loop_stub() {
  loop_stub_ = static_cast<std::uint32_t>(asm_.offset());
  emit_frame();
  if (frame_slots_ > kMostUnrolled) {
    asm_.lea(x64::rdi, home(0));
    asm_.mov(x64::ecx, frame_slots_);
    asm_.rep().movsq();
  } else {
    for (std::uint32_t slot = 0; slot < frame_slots_;) {
      const bool two = slot + 2 <= frame_slots_;
      const Type words = two ? Type::v128 : Type::f64;
      load(MacroAssembler::kVectorScratch1, words, x64::qword_ptr(x64::rsi, static_cast<std::int32_t>(slot * 8)));
      store(home(slot), words, MacroAssembler::kVectorScratch1);
      slot += two ? 2 : 1;
    }
  }
  for (const std::uint32_t index : pinned_locals_) {
    const Local& local = locals_[index];
    if (bank_of(local.type) == Bank::vector) {
      load(Assembler::xmm(local.pin), local.type, home(local.slot));
    } else {
      load(Assembler::gpr(local.pin), local.type, home(local.slot));
    }
  }
  load_memory_base();
  // The poll at the loop's head checks the stack.
  asm_.jmp(x64::rdx);
}

void Compiler::emit_cold_code() {
  note("seldom run");
  for (const ColdPoll& cold : polls_) {
    asm_.bind(cold.label);
    offset_ = cold.offset;
    save_pins();
    call_runtime(RuntimeCallId::check_stack);
    restore_pins();
    asm_.jmp(cold.back);
  }
  for (const ColdResolve& cold : resolves_) emit_resolve(cold);
  for (const ColdEntry& cold : entries_) {
    asm_.bind(cold.label);
    load_exec(x64::r11);
    asm_.mov(x64::rax, x64::qword_ptr(x64::r11, offsetof(ExecState, bind_native_entry)));
    asm_.jmp(cold.back);
  }
  emit_handlers();
  if (!loops_.empty()) {
    note("from the interpreter to a loop");
    emit_loop_stub();
  }

  // The return address says where; what is shared says why.
  note("traps");
  std::array<asmjit::Label, 256> shared;
  const auto shared_label = [&](TrapCode code) {
    asmjit::Label& label = shared[static_cast<std::size_t>(code)];
    if (!label.isValid()) label = asm_.newLabel();
    return label;
  };
  for (const ColdTrap& cold : traps_) {
    asm_.bind(cold.label);
    offset_ = cold.offset;
    mark();
    asm_.call(shared_label(cold.code));
  }
  if (overflow_.isValid()) {
    asm_.bind(overflow_);
    const auto begin = static_cast<std::uint32_t>(asm_.offset());
    offset_ = body_begin_;
    mark();
    asm_.call(shared_label(TrapCode::stack_overflow));
    other_frames_.push_back({begin, static_cast<std::uint32_t>(asm_.offset()),
                             static_cast<std::uint32_t>(8 * (1 + std::popcount(saved_)))});
  }
  for (std::size_t code = 0; code < shared.size(); ++code) {
    if (!shared[code].isValid()) continue;
    asm_.bind(shared[code]);
    load_context(x64::rdi);
    asm_.mov(x64::rax, x64::qword_ptr(x64::rdi, offsetof(VmContext, exec)));
    asm_.lea(x64::r11, x64::qword_ptr(x64::rsp, 8));
    asm_.mov(x64::qword_ptr(x64::rax, offsetof(ExecState, native_sp)), x64::r11);
    asm_.mov(x64::esi, static_cast<std::uint32_t>(code));
    asm_.and_(x64::rsp, -16);
    asm_.mov(x64::rax, x64::qword_ptr(x64::rax, offsetof(ExecState, calls)));
    asm_.call(x64::qword_ptr(x64::rax, static_cast<std::int32_t>(RuntimeCallId::trap) * 8));
    asm_.ud2();
  }
}

// Distances from the table; all targets are bound by now.
void Compiler::emit_jump_tables() {
  if (!tables_.empty()) note("jump tables");
  for (const JumpTable& table : tables_) {
    asm_.align(asmjit::AlignMode::kData, 4);
    asm_.bind(table.label);
    const std::uint64_t begin = asm_.code()->labelOffset(table.label);
    std::vector<std::int32_t> distances;
    distances.reserve(table.targets.size());
    for (const asmjit::Label& target : table.targets) {
      distances.push_back(static_cast<std::int32_t>(asm_.code()->labelOffset(target) - begin));
    }
    asm_.embed(distances.data(), distances.size() * sizeof(std::int32_t));
  }
}

Result<MachineCode> Compiler::finish() {
  note("return");
  emit_epilogue();
  emit_cold_code();
  emit_jump_tables();
  asm_.flush_constants();
  if (options_.counts != nullptr) {
    for (std::size_t i = 0; i < kOptimisationCount; ++i) {
      (*options_.counts)[i].fetch_add(counts_[i], std::memory_order_relaxed);
    }
  }
  MachineCode code;
  for (const auto& [offset, label] : loops_) {
    code.loop_heads.push_back({offset, static_cast<std::uint32_t>(asm_.code()->labelOffset(label))});
  }
  if (listing_) code.log = listing_->take();
  code.bytes = WASI_TRY(asm_.take());
  code.marks = std::move(marks_);
  code.traps = std::move(sites_);
  code.frame_bytes = frame_bytes_;
  code.saved = saved_;
  code.catches = scan_.has_handlers;
  code.other_frames = std::move(other_frames_);
  code.frame_slots = frame_slots_;
  if (!code.loop_heads.empty()) code.loop_stub = loop_stub_;
  return code;
}

}  // namespace wasi::jit::baseline
