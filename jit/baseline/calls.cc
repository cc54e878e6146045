// Calls of functions, of the runtime, and what traps.
#include <algorithm>

#include "jit/baseline/compiler.h"
#include "runtime/exec_state.h"
#include "runtime/vmcontext.h"

namespace wasi::jit::baseline {

using runtime::ExecState;
using runtime::FuncRef;
using runtime::FunctionCode;
using runtime::RuntimeCallId;
using runtime::TableView;
using runtime::VmContext;

// --- places that trap

void Compiler::fault_site_at(std::size_t code_offset, TrapCode code) {
  const auto at = static_cast<std::uint32_t>(code_offset);
  marks_.push_back({at, offset_});
  sites_.push_back({at, static_cast<std::uint64_t>(code)});
}

asmjit::Label Compiler::trap_site(TrapCode code) {
  return traps_.emplace_back(ColdTrap{asm_.newLabel(), code, offset_, region_}).label;
}

// --- the runtime

void Compiler::call_runtime(RuntimeCallId id) {
  load_context(x64::rdi);
  asm_.mov(x64::rax, x64::qword_ptr(x64::rdi, offsetof(VmContext, exec)));
  asm_.mov(x64::qword_ptr(x64::rax, offsetof(ExecState, native_sp)), x64::rsp);
  asm_.mov(x64::rax, x64::qword_ptr(x64::rax, offsetof(ExecState, calls)));
  mark();
  asm_.call(x64::qword_ptr(x64::rax, static_cast<std::int32_t>(id) * 8));
}

void Compiler::service(RuntimeCallId id, std::size_t operands, std::span<const wasm::ValType> results, std::uint64_t a,
                       std::uint64_t b) {
  flush();
  force_home_uppermost(operands);
  const std::uint32_t first = operands == 0 ? next_slot_ : stack_[stack_.size() - operands].slot;
  save_pins();
  asm_.lea(x64::rsi, home(first));
  load_constant(x64::rdx, Type::i64, a);
  load_constant(x64::rcx, Type::i64, b);
  call_runtime(id);
  restore_pins();
  for (std::size_t i = 0; i < operands; ++i) release(pop());
  for (const wasm::ValType type : results) push_home(type_of(type));
}

void Compiler::service(RuntimeCallId id, std::size_t operands, std::optional<wasm::ValType> result, std::uint64_t a,
                       std::uint64_t b) {
  service(id, operands, result ? std::span<const wasm::ValType>(&*result, 1) : std::span<const wasm::ValType>(), a, b);
}

Compiler::ColdCall& Compiler::call_seldom(std::function<void()> call) {
  const auto first_saved = static_cast<std::uint32_t>(saved_registers_.size());
  const std::uint32_t saved_count = save_live_registers();
  return cold_calls_.emplace_back(ColdCall{.label = asm_.newLabel(),
                                           .back = asm_.newLabel(),
                                           .offset = offset_,
                                           .region = region_,
                                           .first_saved = first_saved,
                                           .saved_count = saved_count,
                                           .call = std::move(call)});
}

void Compiler::emit_cold_call(const ColdCall& cold) {
  asm_.bind(cold.label);
  offset_ = cold.offset;
  enter_region(cold.region);
  if (!cold.returns) {
    note_locals(cold.region, false);
    return cold.call();
  }
  const std::span<const Saved> live = std::span(saved_registers_).subspan(cold.first_saved, cold.saved_count);
  for (const Saved& saved : live) {
    if (bank_of(saved.type) == Bank::general) {
      store(home(saved.slot), saved.type, Assembler::gpr(saved.reg));
    } else {
      store(home(saved.slot), saved.type, Assembler::xmm(saved.reg));
    }
  }
  save_pins();
  cold.call();
  for (const Saved& saved : live) {
    if (bank_of(saved.type) == Bank::general) {
      load(Assembler::gpr(saved.reg), saved.type, home(saved.slot));
    } else {
      load(Assembler::xmm(saved.reg), saved.type, home(saved.slot));
    }
  }
  restore_pins();
  asm_.jmp(cold.back);
}

// --- functions

void Compiler::call_direct(bool is_tail, wasm::FuncIndex function) {
  const bool is_import = module_.is_imported(function);
  emit_call(is_tail, module_.func_type(function), is_import ? Callee::import : Callee::own,
            is_import ? function.value : function.value - module_.imported_functions, nullptr);
}

// The FuncRef of the element, whose type is checked. Another type than exactly this one is looked at by the runtime.
void Compiler::call_through_table(bool is_tail, wasm::TypeIndex type_index, wasm::TableIndex table) {
  const wasm::FuncType& type = module_.registry->at(module_.types[type_index.value]).func;
  Value index = pop();
  const x64::Gp reg = in_gpr(index);
  const x64::Gp result = allocate_gpr();
  const ColdCall& cold = call_seldom([this, reg, result, table, type_index] {
    asm_.mov(x64::rcx, reg);
    asm_.mov(x64::esi, table.value);
    asm_.mov(x64::edx, type_index.value);
    call_runtime(RuntimeCallId::resolve_indirect);
    move(result, x64::rax, Type::ref);
  });
  load_context(result);
  asm_.mov(x64::r11, x64::qword_ptr(result, offsetof(VmContext, tables)));
  asm_.mov(x64::r11, x64::qword_ptr(x64::r11, static_cast<std::int32_t>(table.value * 8)));
  // An i32 has a zero upper half: one comparison serves both address types.
  asm_.cmp(reg, x64::qword_ptr(x64::r11, offsetof(TableView, size)));
  asm_.jae(cold.label);
  asm_.mov(x64::r11, x64::qword_ptr(x64::r11, offsetof(TableView, elements)));
  asm_.mov(x64::r11, x64::qword_ptr(x64::r11, reg, 3));
  asm_.test(x64::r11, x64::r11);
  asm_.jz(cold.label);
  asm_.mov(result, x64::qword_ptr(result, offsetof(VmContext, type_ids)));
  asm_.mov(result.r32(), x64::dword_ptr(result, static_cast<std::int32_t>(type_index.value * 4)));
  asm_.cmp(x64::dword_ptr(x64::r11, offsetof(FuncRef, type)), result.r32());
  asm_.jne(cold.label);
  asm_.mov(result, x64::r11);
  asm_.bind(cold.back);
  release(index);
  Value reference{.where = Where::reg, .type = Type::ref, .reg = static_cast<std::uint8_t>(result.id())};
  emit_call(is_tail, type, Callee::reference, 0, &reference);
}

void Compiler::call_reference(bool is_tail, wasm::TypeIndex type_index) {
  const wasm::FuncType& type = module_.registry->at(module_.types[type_index.value]).func;
  Value reference = pop();
  const x64::Gp reg = in_gpr(reference);
  trap_if_null(reference, reg, TrapCode::null_function_reference);
  emit_call(is_tail, type, Callee::reference, 0, &reference);
}

// Where the uppermost values go between functions: those with a register are moves to be made, the others go to the
// area, unless they are there already.
void Compiler::pass_values(PlaceAssigner places, std::span<const wasm::ValType> types, const AreaRange& area) {
  const std::size_t first = stack_.size() - types.size();
  bool has_area = false;
  moves_.clear();
  for (std::size_t i = 0; i < types.size(); ++i) {
    const Place place = places.next(types[i]);
    if (place.bank != Place::Bank::memory) {
      moves_.push_back(
          {place.bank == Place::Bank::general ? Bank::general : Bank::vector, place.number, stack_[first + i]});
      continue;
    }
    if (area.is_long()) continue;
    if (!has_area) load_area(x64::r11);
    has_area = true;
    copy_to(x64::qword_ptr(x64::r11, static_cast<std::int32_t>(place.slot * 8)), stack_[first + i]);
  }
}

// The arguments are the uppermost values. What lies below goes home; so do locals in registers that calls clobber.
void Compiler::emit_call(bool is_tail, const wasm::FuncType& type, Callee kind, std::uint32_t index, Value* reference) {
  const std::size_t count = type.params.size();
  const std::size_t first = stack_.size() - count;
  if (!is_tail) {
    flush_below(count);
    save_pins();
  }
  const AreaRange area = area_range(PlaceAssigner::of_params(), type.params);
  if (area.is_long()) {
    flush();
    force_home_uppermost(count);
    if (reference != nullptr) static_cast<void>(in_gpr_but(*reference, bit(kRcx)));
    copy_area(area, stack_[first].slot, true, x64::rcx);
  }
  pass_values(PlaceAssigner::of_params(), type.params, area);
  const x64::Gp callee = Assembler::gpr(kCallee);
  const x64::Gp context = Assembler::gpr(kContext);
  if (reference != nullptr) moves_.push_back({Bank::general, static_cast<std::uint8_t>(kCallee), *reference});
  move_in_parallel(moves_);
  for (std::size_t i = 0; i < count; ++i) release(pop());
  if (reference != nullptr) release(*reference);

  switch (kind) {
    case Callee::own:
      load_context(context);
      asm_.mov(callee, x64::qword_ptr(context, offsetof(VmContext, functions)));
      if (index != 0) asm_.add(callee, static_cast<std::int32_t>(index * sizeof(FunctionCode)));
      break;
    case Callee::import:
      load_context(context);
      asm_.mov(callee, x64::qword_ptr(context, offsetof(VmContext, imported_functions)));
      asm_.mov(callee, x64::qword_ptr(callee, static_cast<std::int32_t>(index * 8)));
      [[fallthrough]];
    case Callee::reference:
      asm_.mov(context, x64::qword_ptr(callee, offsetof(FuncRef, instance)));
      asm_.mov(callee, x64::qword_ptr(callee, offsetof(FuncRef, code)));
      break;
  }
  const x64::Mem entry = x64::qword_ptr(callee, offsetof(FunctionCode, native_entry));
  // This very function has an entry.
  if (kind == Callee::own && index == function_.value - module_.imported_functions && !is_tail &&
      applies(Optimisation::self_calls)) {
    mark();
    asm_.call(entry);
    return finish_call(type);
  }
  asm_.mov(x64::rax, entry);
  asm_.test(x64::rax, x64::rax);
  ColdEntry& cold = entries_.emplace_back(ColdEntry{asm_.newLabel(), asm_.newLabel()});
  asm_.jz(cold.label);
  asm_.bind(cold.back);
  if (is_tail) {
    if (kind != Callee::own) {
      // Functions of the host, which have no context, look at who calls them.
      ColdHostCall& host = host_calls_.emplace_back(ColdHostCall{asm_.newLabel(), offset_});
      if (scan_.has_handlers) handler_of(0);
      asm_.test(context, context);
      asm_.jz(host.label);
    }
    restore_preserved();
    asm_.leave();
    asm_.jmp(x64::rax);
    return;
  }
  mark();
  asm_.call(x64::rax);
  finish_call(type);
}

void Compiler::finish_call(const wasm::FuncType& type) {
  push_results(type);
  if (scan_.has_handlers) test_thrown();
  restore_pins();
}

Compiler::AreaRange Compiler::area_range(PlaceAssigner places, std::span<const wasm::ValType> types) {
  AreaRange range;
  if (types.size() <= AreaRange::kShort) return range;
  for (const wasm::ValType type : types) {
    const Place place = places.next(type);
    if (place.bank != Place::Bank::memory) continue;
    if (range.count++ == 0) range.first = place.slot;
    range.end = place.slot + (place.is_v128 ? 2 : 1);
  }
  return range;
}

void Compiler::copy_area(const AreaRange& range, std::uint32_t slot, bool to_area, x64::Gp counter) {
  const auto bytes = static_cast<std::int32_t>((range.end - range.first) * 8);
  load_area(x64::r11);
  asm_.mov(counter, -std::int64_t{bytes});
  const x64::Mem area = x64::ptr(x64::r11, counter, 0, static_cast<std::int32_t>(range.first * 8) + bytes, 8);
  x64::Mem homes = home(slot + range.first);
  homes.setIndex(counter);
  homes.addOffset(bytes);
  const asmjit::Label again = asm_.newLabel();
  asm_.bind(again);
  asm_.movsd(MacroAssembler::kVectorScratch1, to_area ? homes : area);
  asm_.movsd(to_area ? area : homes, MacroAssembler::kVectorScratch1);
  asm_.add(counter, 8);
  asm_.jnz(again);
}

// A tail call with this frame still there. The results are where the caller looks for them.
void Compiler::emit_host_call(const ColdHostCall& cold) {
  asm_.bind(cold.label);
  offset_ = cold.offset;
  mark();
  asm_.call(x64::rax);
  if (scan_.has_handlers) {
    // No handler is around a tail call.
    load_exec_slowly(x64::r11);
    asm_.cmp(x64::qword_ptr(x64::r11, offsetof(ExecState, thrown)), 0);
    asm_.jne(handler_of(0));
  }
  restore_preserved();
  asm_.leave();
  asm_.ret();
}

// Where the callee left them. An i32 or f32 comes with an undefined upper half.
void Compiler::push_results(const wasm::FuncType& type) {
  const AreaRange area = area_range(PlaceAssigner::of_results(), type.results);
  if (area.is_long()) copy_area(area, next_slot_, false, x64::rcx);
  bool has_area = false;
  PlaceAssigner places = PlaceAssigner::of_results();
  for (std::size_t i = 0; i < type.results.size(); ++i) {
    const Place place = places.next(type.results[i]);
    const Type result = type_of(type.results[i]);
    if (place.bank == Place::Bank::memory) {
      push_home(result);
      if (area.is_long()) continue;
      if (!has_area) load_area(x64::r11);
      has_area = true;
      const Type words = word_of(result);
      load(MacroAssembler::kVectorScratch1, words, x64::qword_ptr(x64::r11, static_cast<std::int32_t>(place.slot * 8)));
      store(home(stack_.back().slot), words, MacroAssembler::kVectorScratch1);
      continue;
    }
    std::uint8_t reg = place.number;
    const bool is_dropped = i + 1 == type.results.size() && next_opcode() == code_of(wasm::Op::drop);
    if (result == Type::i32 && !is_dropped) {
      // A local that calls keep, and that no handler of a failed call reads.
      const auto hint = type.results.size() == 1 && !scan_.has_handlers ? register_of_next_set(result) : std::nullopt;
      if (hint && is_preserved(*hint) && applies(Optimisation::in_place)) reg = *hint;
      asm_.mov(Assembler::gpr(reg).r32(), Assembler::gpr(place.number).r32());
    }
    add_register(result, reg);
    stack_.back().is_not_null = is_not_null(type.results[i]);
  }
}

}  // namespace wasi::jit::baseline
