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
#include <bit>

#include "base/check.h"
#include "base/result.h"
#include "jit/baseline/compiler.h"
#include "jit/baseline/register_plan.h"
#include "jit/common/dwarf_writer.h"
#include "runtime/exec_state.h"
#include "runtime/vmcontext.h"

namespace wasi::jit::baseline {

using runtime::ExecState;
using runtime::MemoryView;
using runtime::RuntimeCallId;
using runtime::VmContext;

namespace {

constexpr std::uint8_t kPreserved[] = {3, 12, 13, 14, 15};  // in the order of SavedRegisters
// More slots than this are cleared, or copied, in a loop.
constexpr std::uint32_t kMostUnrolled = 16;
// With more constants among its operands, a loop is not left for optimised code.
constexpr std::size_t kMostExitConstants = 8;

}  // namespace

// --- registers of locals

void Compiler::choose_registers() {
  const bool may_have_base = scan_.accesses != 0 && !module_.memories.empty() && is_guarded(wasm::MemoryIndex(0)) &&
                             !options_.without.has(Optimisation::memory_base);
  plan_registers(plan_, scan_,
                 {.pins_locals = !options_.without.has(Optimisation::pinned_locals) && !options_.for_debugger,
                  .pins_per_loop = !options_.without.has(Optimisation::loop_pins) && !options_.for_debugger,
                  .knows_leaves = !options_.without.has(Optimisation::leaf_registers),
                  .may_have_memory_base = may_have_base,
                  .params = type_.params});
  for (unsigned i = 0; i < std::size(kPreserved); ++i) {
    if ((plan_.preserved & bit(kPreserved[i])) != 0) saved_ |= static_cast<std::uint8_t>(1U << i);
  }
  if (plan_.has_memory_base()) static_cast<void>(applies(Optimisation::memory_base));
  if (plan_.is_leaf) static_cast<void>(applies(Optimisation::leaf_registers));
  for (std::size_t i = 0; i < plan_.regions[0].pins.size(); ++i) {
    static_cast<void>(applies(Optimisation::pinned_locals));
  }
  enter_region(0);
}

// From here on, code is in the region.
void Compiler::enter_region(std::uint32_t region) {
  for (const Pin& pin : plan_.regions[region_].pins) locals_[pin.local].pin = Local::kNoPin;
  region_ = region;
  std::uint32_t pinned = 0;
  for (const Pin& pin : plan_.regions[region_].pins) {
    locals_[pin.local].pin = pin.reg;
    if (pin.bank == Bank::general) pinned |= bit(pin.reg);
  }
  if (const std::uint8_t exec = plan_.regions[region_].exec; exec != Local::kNoPin) pinned |= bit(exec);
  registers_.pin(pinned);
  note_locals(region, true);
}

void Compiler::note_locals(std::uint32_t region, bool calls_keep_homes, bool is_trap) {
  if (local_notes_ == nullptr) return;
  runtime::NativeLocals& notes = *local_notes_;
  const auto& pins = plan_.regions[region].pins;
  noted_regions_.resize(std::max<std::size_t>(noted_regions_.size(), region + 1), Value::kNone);
  if (noted_regions_[region] == Value::kNone) {
    noted_regions_[region] = static_cast<std::uint32_t>(notes.pins.size());
    for (const Pin& pin : pins) notes.pins.push_back({pin.local, pin.reg, pin.bank == Bank::vector});
  }
  const runtime::NativeLocals::Piece piece = {.begin = static_cast<std::uint32_t>(asm_.offset()),
                                              .first_pin = noted_regions_[region],
                                              .pin_count = static_cast<std::uint32_t>(pins.size()),
                                              .calls_keep_homes = calls_keep_homes,
                                              .is_trap = is_trap};
  if (notes.pieces.empty() || !piece.continues(notes.pieces.back())) notes.pieces.push_back(piece);
}

void Compiler::note_no_locals() {
  if (local_notes_ == nullptr) return;
  local_notes_->pieces.push_back({.begin = static_cast<std::uint32_t>(asm_.offset()), .is_known = false});
}

std::shared_ptr<runtime::NativeLocals> Compiler::notes_of_locals() {
  if (local_notes_ == nullptr) return nullptr;
  runtime::NativeLocals& notes = *local_notes_;
  for (const Local& local : locals_) {
    notes.homes.push_back(local.is_used ? static_cast<std::int32_t>(home(local.slot).offset()) : 0);
  }
  return std::move(local_notes_);
}

bool Compiler::is_same_region(std::uint32_t to) const {
  if (to == region_) return true;
  const PinRegion& a = plan_.regions[region_];
  const PinRegion& b = plan_.regions[to];
  if (a.pins.size() != b.pins.size() || (b.exec != Local::kNoPin && a.exec != b.exec)) return false;
  return std::ranges::all_of(b.pins, [&](const Pin& pin) {
    const Pin* other = a.find(pin.bank, pin.reg);
    return other != nullptr && other->local == pin.local;
  });
}

// Code that goes from the present region to one around it, or to a loop in it. The model stays as it is; flags are
// kept. What both regions have in the same register stays there.
void Compiler::emit_transition(std::uint32_t to) {
  const PinRegion& from = plan_.regions[region_];
  const PinRegion& into = plan_.regions[to];
  const bool is_entry = into.parent == region_ && to != 0 && to > region_;
  const auto stays = [](const PinRegion& region, const Pin& pin) {
    const Pin* other = region.find(pin.bank, pin.reg);
    return other != nullptr && other->local == pin.local;
  };
  for (const Pin& pin : from.pins) {
    const Local& local = locals_[pin.local];
    if (stays(into, pin) || local.type == Type::ref || !(is_entry || pin.is_stale)) continue;
    if (pin.bank == Bank::general) {
      store(home(local.slot), local.type, Assembler::gpr(pin.reg));
    } else {
      store(home(local.slot), local.type, Assembler::xmm(pin.reg));
    }
  }
  for (const Pin& pin : into.pins) {
    if (!stays(from, pin)) load_pin(pin);
  }
  if (into.exec != Local::kNoPin && into.exec != from.exec) load_exec_slowly(Assembler::gpr(into.exec));
}

void Compiler::load_pin(const Pin& pin) {
  const Local& local = locals_[pin.local];
  if (pin.bank == Bank::general) {
    load(Assembler::gpr(pin.reg), local.type, home(local.slot));
  } else {
    load(Assembler::xmm(pin.reg), local.type, home(local.slot));
  }
}

// --- entry and exit

void Compiler::begin_function() {
  if (options_.notes_locals) local_notes_ = std::make_shared<runtime::NativeLocals>();
  locals_.reserve(scan_.locals.size());
  for (std::size_t i = 0; i < scan_.locals.size(); ++i) {
    const Type type = type_of(scan_.locals[i]);
    locals_.push_back({.type = type,
                       .is_used = scan_.weights[i] != 0 || options_.for_debugger,
                       .is_not_null = is_not_null(scan_.locals[i]),
                       .slot = local_slots_});
    local_slots_ += scan_.locals[i].slots();
  }
  next_slot_ = local_slots_;
  frame_slots_ = local_slots_ + scan_.operand_slots;
  choose_registers();
  const auto fixed = static_cast<std::uint32_t>(8 * (1 + std::popcount(saved_)));
  frame_bytes_ = (fixed + (frame_slots_ + scan_.kept_slots) * 8 + 15) / 16 * 16;
  // The interpreter keeps exceptions that may be rethrown elsewhere in its frame.
  can_enter_loops_ = !scan_.has_rethrow;
  return_label_ = asm_.newLabel();

  emit_frame();
  take_parameters();
  params_taken_ = static_cast<std::uint32_t>(asm_.offset());
  load_memory_base(x64::rdi);
  clear_locals();
  locals_cleared_ = static_cast<std::uint32_t>(asm_.offset());
  note_locals(region_, true);
  if (scan_.calls != 0) {
    asm_.mov(x64::r11, x64::qword_ptr(x64::rdi, offsetof(VmContext, exec)));
    emit_poll(x64::r11);
  }
}

void Compiler::emit_frame() {
  const auto fixed = static_cast<std::uint32_t>(8 * (1 + std::popcount(saved_)));
  asm_.push(x64::rbp);
  asm_.mov(x64::rbp, x64::rsp);
  asm_.push(x64::rdi);
  for (unsigned i = 0; i < std::size(kPreserved); ++i) {
    if ((saved_ >> i & 1) != 0) asm_.push(Assembler::gpr(kPreserved[i]));
  }
  if (frame_bytes_ > kMostUncheckedFrame) {
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
  // First of all, since parameters that come in registers lie among these.
  const AreaRange area = area_range(PlaceAssigner::of_params(), type_.params);
  if (area.is_long()) copy_area(area, 0, false, x64::rax);
  moves_.clear();
  PlaceAssigner places = PlaceAssigner::of_params();
  bool has_memory = false;
  for (std::size_t i = 0; i < type_.params.size(); ++i) {
    const Place place = places.next(type_.params[i]);
    const Local& local = locals_[i];
    has_memory |= place.bank == Place::Bank::memory;
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
    moves_.push_back({is_general ? Bank::general : Bank::vector, local.pin,
                      Value{.where = Where::reg, .type = local.type, .reg = place.number}});
  }
  move_in_parallel(moves_);
  if (!has_memory) return;
  bool has_area = false;
  places = PlaceAssigner::of_params();
  for (std::size_t i = 0; i < type_.params.size(); ++i) {
    const Place place = places.next(type_.params[i]);
    const Local& local = locals_[i];
    if (place.bank != Place::Bank::memory || !local.is_used) continue;
    if (area.is_long() && !local.is_pinned()) continue;
    if (!has_area) load_area(x64::r11);
    has_area = true;
    const x64::Mem from = x64::qword_ptr(x64::r11, static_cast<std::int32_t>(place.slot * 8));
    if (local.is_pinned() && bank_of(local.type) == Bank::general) {
      load(Assembler::gpr(local.pin), local.type, from);
      if (local.type == Type::ref) store(home(local.slot), local.type, Assembler::gpr(local.pin));
    } else if (local.is_pinned()) {
      load(Assembler::xmm(local.pin), local.type, from);
    } else {
      const Type words = word_of(local.type);
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
    load_context(x64::rdi);
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
  if (const std::uint8_t reg = plan_.regions[region_].exec; reg != Local::kNoPin) {
    asm_.mov(to, Assembler::gpr(reg));
    return;
  }
  load_exec_slowly(to);
}

x64::Gp Compiler::in_exec(x64::Gp otherwise) {
  if (const std::uint8_t reg = plan_.regions[region_].exec; reg != Local::kNoPin) return Assembler::gpr(reg);
  load_exec_slowly(otherwise);
  return otherwise;
}

void Compiler::load_exec_slowly(x64::Gp to) {
  load_context(to);
  asm_.mov(to, x64::qword_ptr(to, offsetof(VmContext, exec)));
}

// Where values without a register go between functions.
void Compiler::load_area(x64::Gp to) {
  load_exec(to);
  asm_.mov(to, x64::qword_ptr(to, offsetof(ExecState, free_slot)));
}

void Compiler::load_memory_base(x64::Gp context) {
  if (!plan_.has_memory_base()) return;
  const x64::Gp base = Assembler::gpr(plan_.memory_base);
  asm_.mov(base, x64::qword_ptr(context, offsetof(VmContext, memory0)));
  asm_.mov(base, x64::qword_ptr(base, offsetof(MemoryView, base)));
}

// The end of the native stack, and whoever wants the guest to stop: one comparison.
void Compiler::emit_poll(x64::Gp exec) {
  ColdPoll& cold = polls_.emplace_back();
  cold.label = asm_.newLabel();
  cold.back = asm_.newLabel();
  cold.offset = offset_;
  cold.region = region_;
  asm_.cmp(x64::rsp, x64::qword_ptr(exec, offsetof(ExecState, stack_limit)));
  asm_.jb(cold.label);
  asm_.bind(cold.back);
}

// Takes the flags, so a condition in them becomes a value.
void Compiler::emit_charge(std::uint32_t cost) {
  if (!stack_.empty() && stack_.back().where == Where::flags) {
    Value condition = pop();
    push_register(Type::i32, in_own_gpr(condition));
  }
  flags_live_ = false;
  asm_.sub(x64::qword_ptr(in_exec(x64::r11), offsetof(ExecState, fuel)), static_cast<std::int32_t>(cost));
  asm_.js(trap_site(TrapCode::out_of_fuel));
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
  for (const Pin& pin : plan_.regions[region_].pins) {
    const Local& local = locals_[pin.local];
    if (pin.bank == Bank::vector) {
      store(home(local.slot), local.type, Assembler::xmm(pin.reg));
    } else if (!is_preserved(pin.reg)) {
      store(home(local.slot), local.type, Assembler::gpr(pin.reg));
    }
  }
}

void Compiler::restore_pins() {
  for (const Pin& pin : plan_.regions[region_].pins) {
    if (pin.bank == Bank::vector || !is_preserved(pin.reg)) load_pin(pin);
  }
  if (const std::uint8_t exec = plan_.regions[region_].exec; exec != Local::kNoPin && !is_preserved(exec)) {
    load_exec_slowly(Assembler::gpr(exec));
  }
  if (plan_.has_memory_base() && !is_preserved(plan_.memory_base)) {
    const x64::Gp base = Assembler::gpr(plan_.memory_base);
    load_context(base);
    load_memory_base(base);
  }
}

// --- behind the body

// rdi: VmContext, rsi: the interpreter's slots, rdx: the address of the loop's entry, which loads its registers.
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
  if (frame_slots_ > kMostUnrolled) load_context(x64::rdi);
  load_memory_base(x64::rdi);
  asm_.jmp(x64::rdx);
  for (const LoopEntry& loop : loops_) {
    asm_.bind(loop.entry);
    enter_region(loop.region);
    const PinRegion& region = plan_.regions[loop.region];
    for (const Pin& pin : region.pins) load_pin(pin);
    if (region.exec != Local::kNoPin) load_exec_slowly(Assembler::gpr(region.exec));
    // The poll there checks the stack.
    asm_.jmp(loop.head);
  }
}

// One piece of code for the polls of the function, where they are several: it keeps the registers that locals have
// anywhere. To whoever walks the stack it is not there, since the return address to the poll lies where one of the
// runtime's call would.
void Compiler::emit_cold_polls() {
  if (polls_.empty()) return;
  if (polls_.size() == 1) {
    asm_.bind(polls_[0].label);
    offset_ = polls_[0].offset;
    enter_region(polls_[0].region);
    save_pins();
    call_runtime(RuntimeCallId::check_stack);
    if (!polls_[0].is_exit) {
      restore_pins();
      return asm_.jmp(polls_[0].back);
    }
    // Nothing of what restores them writes the flags.
    asm_.test(x64::rax, x64::rax);
    restore_pins();
    asm_.jz(polls_[0].back);
    emit_exit(polls_[0]);
    return emit_leave_at_loop();
  }
  const asmjit::Label shared = asm_.newLabel();
  for (const ColdPoll& cold : polls_) {
    asm_.bind(cold.label);
    offset_ = cold.offset;
    note_locals(cold.region, false);
    mark();
    asm_.call(shared);
    if (!cold.is_exit) {
      asm_.jmp(cold.back);
      continue;
    }
    asm_.jz(cold.back);
    enter_region(cold.region);
    emit_exit(cold);
  }
  std::uint32_t general = 0;
  std::uint32_t vectors = 0;
  const auto keep = [&general](std::uint8_t reg) {
    if (reg != Local::kNoPin && !is_preserved(reg)) general |= bit(reg);
  };
  keep(plan_.memory_base);
  for (const PinRegion& region : plan_.regions) {
    keep(region.exec);
    for (const Pin& pin : region.pins) pin.bank == Bank::general ? keep(pin.reg) : void(vectors |= bit(pin.reg));
  }
  // The return address makes it a multiple of 16.
  const auto bytes = static_cast<std::int32_t>((std::popcount(general) + 1) / 2 * 16 + std::popcount(vectors) * 16 + 8);
  const auto for_registers = [&](auto access_general, auto access_vector) {
    std::int32_t at = 0;
    for (std::uint32_t left = vectors; left != 0; left &= left - 1, at += 16) {
      access_vector(Assembler::xmm(static_cast<std::uint8_t>(std::countr_zero(left))), x64::xmmword_ptr(x64::rsp, at));
    }
    for (std::uint32_t left = general; left != 0; left &= left - 1, at += 8) {
      access_general(Assembler::gpr(static_cast<std::uint8_t>(std::countr_zero(left))), x64::qword_ptr(x64::rsp, at));
    }
  };
  note("polls");
  asm_.bind(shared);
  asm_.sub(x64::rsp, bytes);
  for_registers([this](x64::Gp reg, const x64::Mem& memory) { asm_.mov(memory, reg); },
                [this](x64::Xmm reg, const x64::Mem& memory) { asm_.movups(memory, reg); });
  load_context(x64::rdi);
  asm_.mov(x64::rax, x64::qword_ptr(x64::rdi, offsetof(VmContext, exec)));
  asm_.lea(x64::rcx, x64::qword_ptr(x64::rsp, bytes + 8));
  asm_.mov(x64::qword_ptr(x64::rax, offsetof(ExecState, native_sp)), x64::rcx);
  asm_.mov(x64::rax, x64::qword_ptr(x64::rax, offsetof(ExecState, calls)));
  asm_.call(x64::qword_ptr(x64::rax, static_cast<std::int32_t>(RuntimeCallId::check_stack) * 8));
  // The flags tell the poll whether to leave.
  asm_.test(x64::rax, x64::rax);
  for_registers([this](x64::Gp reg, const x64::Mem& memory) { asm_.mov(reg, memory); },
                [this](x64::Xmm reg, const x64::Mem& memory) { asm_.movups(reg, memory); });
  asm_.lea(x64::rsp, x64::qword_ptr(x64::rsp, bytes));
  asm_.ret();
  emit_leave_at_loop();
}

// Where the operands stand now, the call may go on in optimised code, which finds values in the homes alone.
void Compiler::let_leave(ColdPoll& poll) {
  if (flushed_constants_.size() > kMostExitConstants) return;
  poll.is_exit = true;
  poll.first_constant = static_cast<std::uint32_t>(exit_constants_.size());
  for (const std::size_t index : flushed_constants_) {
    if (stack_[index].is_constant()) exit_constants_.push_back(stack_[index]);
  }
  poll.constant_count = static_cast<std::uint8_t>(exit_constants_.size() - poll.first_constant);
}

void Compiler::emit_exit(const ColdPoll& poll) {
  if (!leave_at_loop_.isValid()) leave_at_loop_ = asm_.newLabel();
  for (const Pin& pin : plan_.regions[region_].pins) {
    const Local& local = locals_[pin.local];
    if (pin.bank == Bank::general) {
      store(home(local.slot), local.type, Assembler::gpr(pin.reg));
    } else {
      store(home(local.slot), local.type, Assembler::xmm(pin.reg));
    }
  }
  for (std::size_t i = 0; i < poll.constant_count; ++i) {
    const Value& constant = exit_constants_[poll.first_constant + i];
    copy_to(home(constant.slot), constant);
  }
  asm_.jmp(leave_at_loop_);
}

// The homes are copied, since the frame goes before what comes next makes its own.
void Compiler::emit_leave_at_loop() {
  if (!leave_at_loop_.isValid()) return;
  note("to the optimised loop");
  asm_.bind(leave_at_loop_);
  offset_ = body_begin_;
  asm_.lea(x64::rsi, home(0));
  asm_.mov(x64::edx, frame_slots_);
  call_runtime(RuntimeCallId::leave_at_loop);
  // A struct of two comes in rax and rdx.
  asm_.mov(x64::rsi, x64::rax);
  load_context(x64::rdi);
  restore_preserved();
  asm_.leave();
  asm_.jmp(x64::rdx);
}

void Compiler::emit_cold_code() {
  note("seldom run");
  emit_cold_polls();
  for (const ColdCall& cold : cold_calls_) emit_cold_call(cold);
  for (const ColdEntry& cold : entries_) {
    asm_.bind(cold.label);
    load_exec_slowly(x64::r11);
    asm_.mov(x64::rax, x64::qword_ptr(x64::r11, offsetof(ExecState, bind_native_entry)));
    asm_.jmp(cold.back);
  }
  note_no_locals();
  for (const ColdHostCall& cold : host_calls_) emit_host_call(cold);
  enter_region(0);
  note_no_locals();
  emit_handlers();
  if (!loops_.empty()) {
    note("from the interpreter to a loop");
    emit_loop_stub();
  }

  // The return address says where; what is shared says why.
  std::array<asmjit::Label, 256> shared;
  const auto shared_label = [&](TrapCode code) {
    asmjit::Label& label = shared[static_cast<std::size_t>(code)];
    if (!label.isValid()) label = asm_.newLabel();
    return label;
  };
  for (const ColdTrap& cold : traps_) {
    note(message_of(cold.code));
    asm_.bind(cold.label);
    offset_ = cold.offset;
    note_locals(cold.region, false, true);
    mark();
    asm_.call(shared_label(cold.code));
  }
  if (overflow_.isValid()) {
    note(message_of(TrapCode::stack_overflow));
    asm_.bind(overflow_);
    note_no_locals();
    const auto begin = static_cast<std::uint32_t>(asm_.offset());
    offset_ = body_begin_;
    mark();
    asm_.call(shared_label(TrapCode::stack_overflow));
    other_frames_.push_back({begin, static_cast<std::uint32_t>(asm_.offset()),
                             static_cast<std::uint32_t>(8 * (1 + std::popcount(saved_)))});
  }
  for (std::size_t code = 0; code < shared.size(); ++code) {
    if (!shared[code].isValid()) continue;
    note("trap");
    asm_.bind(shared[code]);
    load_context(x64::rdi);
    asm_.mov(x64::rax, x64::qword_ptr(x64::rdi, offsetof(VmContext, exec)));
    asm_.lea(x64::r11, x64::qword_ptr(x64::rsp, 8));
    asm_.mov(x64::qword_ptr(x64::rax, offsetof(ExecState, native_sp)), x64::r11);
    if (local_notes_ != nullptr) {
      for (const x64::Gp& reg : {x64::rsi, x64::r8, x64::r9, x64::r10}) {
        asm_.mov(x64::qword_ptr(x64::rax,
                                static_cast<std::int32_t>(offsetof(ExecState, native_fault_registers) + 8 * reg.id())),
                 reg);
      }
    }
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
  std::vector<std::int32_t> distances;
  for (const JumpTable& table : tables_) {
    asm_.align(asmjit::AlignMode::kData, 4);
    asm_.bind(table.label);
    const auto targets = std::span(table_targets_).subspan(table.first_target, table.target_count);
    if (listing_) listing_->targets(targets);
    const std::uint64_t begin = asm_.label_offset(table.label);
    distances.clear();
    for (const asmjit::Label& target : targets) {
      distances.push_back(static_cast<std::int32_t>(asm_.label_offset(target) - begin));
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
  for (const LoopEntry& loop : loops_) {
    code.loop_heads.push_back({loop.offset, static_cast<std::uint32_t>(asm_.label_offset(loop.entry))});
  }
  if (listing_) code.log = listing_->take();
  code.bytes = WASI_TRY(asm_.take());
  code.marks.assign(marks_.begin(), marks_.end());
  code.traps.assign(sites_.begin(), sites_.end());
  code.frame_bytes = frame_bytes_;
  std::uint8_t saved_at = 1;  // below the VmContext
  for (unsigned i = 0; i < std::size(kPreserved); ++i) {
    if ((saved_ >> i & 1) != 0) code.saved[i] = ++saved_at;
  }
  code.catches = scan_.has_handlers;
  code.other_frames = other_frames_;
  code.frame_slots = frame_slots_;
  if (!code.loop_heads.empty()) code.loop_stub = loop_stub_;
  code.local_notes = notes_of_locals();
  if (options_.for_debugger) code.locals = places_of_locals(static_cast<std::uint32_t>(code.bytes.size()));
  return code;
}

// All are at home, but for parameters that have just come.
std::vector<LocalPlace> Compiler::places_of_locals(std::uint32_t code_size) const {
  // As DWARF numbers registers.
  constexpr std::uint8_t kGeneral[] = {0, 2, 1, 3, 7, 6, 4, 5, 8, 9, 10, 11, 12, 13, 14, 15};
  constexpr std::uint8_t kVector = 17;
  constexpr unsigned kRbp = 6;
  std::vector<LocalPlace> places;
  PlaceAssigner params = PlaceAssigner::of_params();
  for (std::size_t i = 0; i < locals_.size(); ++i) {
    const auto index = static_cast<std::uint32_t>(i);
    const bool is_param = i < type_.params.size();
    if (is_param) {
      const Place from = params.next(type_.params[i]);
      if (from.bank != Place::Bank::memory) {
        const bool is_general = from.bank == Place::Bank::general;
        places.push_back(
            {.local = index,
             .type = scan_.locals[i],
             .end = params_taken_,
             .number = is_general ? kGeneral[from.number] : static_cast<std::uint8_t>(kVector + from.number)});
      }
    }
    LocalPlace& place = places.emplace_back(LocalPlace{.local = index,
                                                       .type = scan_.locals[i],
                                                       .begin = is_param ? params_taken_ : locals_cleared_,
                                                       .end = code_size,
                                                       .kind = LocalPlace::Kind::memory});
    place.expression.push_back(static_cast<std::uint8_t>(static_cast<unsigned>(binary::DwarfOp::breg0) + kRbp));
    append_sleb(place.expression, home(locals_[i].slot).offset());
  }
  return places;
}

}  // namespace wasi::jit::baseline
