// Translation of numbers, variables, memories and tables.
#include <cstring>
#include <initializer_list>
#include <utility>

#include "interp/translator.h"

namespace wasi::interp {

using validate::Immediates;
using wasm::Op;

namespace {

constexpr unsigned kFirstCheckedLoad = 3;
constexpr unsigned kAnyLoad = 6;
constexpr unsigned kFirstCheckedStore = 7;
constexpr unsigned kAnyStore = 14;
constexpr unsigned kFirstWideLoad = 7;    // s a
constexpr unsigned kFirstWideStore = 15;  // ss sk sa as ak
static_assert(form_of(Code::i32_load_s, kFirstCheckedLoad) == Code::i32_load_s_checked);
static_assert(form_of(Code::i32_load_s, kAnyLoad) == Code::i32_load_any);
static_assert(form_of(Code::i32_store_ss, kFirstCheckedStore) == Code::i32_store_ss_checked);
static_assert(form_of(Code::i32_store_ss, kAnyStore) == Code::i32_store_any);
static_assert(form_of(Code::i32_load_s, kFirstWideLoad) == Code::i32_load_s_wide);
static_assert(form_of(Code::i32_store_ss, kFirstWideStore) == Code::i32_store_ss_wide);

}  // namespace

void Translator::lower(Op op, const Immediates& immediates) {
  const Lowering& lowering = lowering_of(op);
  switch (lowering.shape) {
    case Shape::commutative:
    case Shape::binary:
      return binary(lowering);
    case Shape::compare: {
      const Entry b = pop();
      const Entry a = pop();
      return compare(lowering, a, b);
    }
    case Shape::unary:
      return unary(lowering);
    case Shape::load:
      return load(lowering, immediates.memarg);
    case Shape::store:
      return store(lowering, immediates.memarg);
    case Shape::atomic:
      return atomic(lowering, wasm::info(op), immediates.memarg);
    case Shape::special:
      return lower_special(op, immediates);
    case Shape::vector:
      return vector(op, lowering, immediates);
    case Shape::vector_unary:
      return vector_unary(lowering);
    case Shape::vector_binary:
      return vector_binary(lowering);
    case Shape::vector_shift:
      return vector_shift(lowering);
    case Shape::vector_load:
      return vector_load(lowering, immediates.memarg);
    case Shape::vector_load_lane:
      return vector_load_lane(lowering, immediates);
    case Shape::vector_store:
    case Shape::vector_store_lane:
      return vector_store(lowering, immediates);
  }
}

void Translator::lower_special(Op op, const Immediates& immediates) {
  switch (op) {
    case Op::nop:
      return;
    case Op::drop:
      pop();
      return;
    case Op::i32_const:
    case Op::f32_const:
      // Sign-extended: copies and stores of constants take 32 bits then, whatever the type.
      return push(Entry::Kind::constant,
                  static_cast<std::uint64_t>(static_cast<std::int64_t>(static_cast<std::int32_t>(immediates.bits))));
    case Op::i64_const:
    case Op::f64_const:
      return push(Entry::Kind::constant, immediates.bits);
    case Op::ref_null:
      return push(Entry::Kind::constant, 0);
    case Op::ref_is_null:
      return test_zero(true);
    case Op::i32_eqz:
      return test_zero(false);
    case Op::i64_eqz:
      return test_zero(true);
    case Op::i64_add128:
      return wide(Code::i64_add128, 4);
    case Op::i64_sub128:
      return wide(Code::i64_sub128, 4);
    case Op::i64_mul_wide_s:
      return wide(Code::i64_mul_wide_s, 2);
    case Op::i64_mul_wide_u:
      return wide(Code::i64_mul_wide_u, 2);
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
    case Op::ref_func:
      return service(Code::ref_func, 0, true, {immediates.index});
    case Op::ref_as_non_null:
      return check_reference(Code::ref_as_non_null);
    case Op::table_get:
      return service(Code::table_get, 1, true, {immediates.index});
    case Op::table_set:
      return service(Code::table_set, 2, false, {immediates.index});
    case Op::table_size:
      return service(Code::table_size, 0, true, {immediates.index});
    case Op::table_grow:
      return service(Code::table_grow, 2, true, {immediates.index});
    case Op::table_fill:
      return service(Code::table_fill, 3, false, {immediates.index});
    case Op::table_copy:
      return service(Code::table_copy, 3, false, {immediates.index, immediates.index2});
    case Op::table_init:
      return service(Code::table_init, 3, false, {immediates.index, immediates.index2});
    case Op::elem_drop:
      return service(Code::elem_drop, 0, false, {immediates.index});
    case Op::memory_size:
      return service(Code::memory_size, 0, true, {immediates.index});
    case Op::memory_grow:
      return service(Code::memory_grow, 1, true, {immediates.index});
    case Op::memory_fill:
      return service(Code::memory_fill, 3, false, {immediates.index});
    case Op::memory_copy:
      return service(Code::memory_copy, 3, false, {immediates.index, immediates.index2});
    case Op::memory_init:
      return service(Code::memory_init, 3, false, {immediates.index, immediates.index2});
    case Op::atomic_fence:
      emit(Code::atomic_fence);
      return;
    case Op::data_drop:
      return service(Code::data_drop, 0, false, {immediates.index});
    default:
      return lower_gc(op, immediates);
  }
}

// --- numbers

void Translator::binary(const Lowering& lowering) {
  const Entry b = pop();
  const Entry a = pop();
  Operand rhs = operand(b, lowering);
  Operand lhs = operand(a, lowering);
  if (lhs.form == 'k' && rhs.form == 'k') lhs = {'s', in_slot(a), 0};
  if (lowering.shape == Shape::commutative && (lhs.form == 'k' || (lhs.form == 's' && rhs.form == 'a'))) {
    std::swap(lhs, rhs);
  }
  unsigned form = 0;
  if (lhs.form == 'k') {
    form = kFormKS;
    rhs.form = 's';
  } else if (rhs.form == 'k') {
    form = lhs.form == 'a' ? kFormAK : kFormSK;
  } else if (lhs.form == 'a') {
    form = kFormAS;
    rhs.form = 's';
  } else {
    form = rhs.form == 'a' ? kFormSA : kFormSS;
  }
  emit(form_of(lowering.first, form));
  if (lowering.traps) mark();
  put_slot(a.slot);
  put_operand(lhs, lowering.operand, lowering.is_wide);
  put_operand(rhs, lowering.operand, lowering.is_wide);
  wrote(a.slot, lowering.result);
  push_slot();
}

void Translator::compare(const Lowering& lowering, const Entry& a, const Entry& b) {
  Operand rhs = operand(b, lowering);
  Operand lhs = operand(a, lowering);
  if (lhs.form == 'k' && rhs.form == 'k') lhs = {'s', in_slot(a), 0};
  const bool swap = lhs.form == 'k' || (lhs.form == 's' && rhs.form == 'a');
  if (swap) std::swap(lhs, rhs);
  if (rhs.form == 'a') rhs.form = 's';
  emit_compare(swap ? lowering_of(lowering.swapped) : lowering, lhs, rhs);
}

void Translator::emit_compare(const Lowering& lowering, const Operand& lhs, const Operand& rhs) {
  const unsigned form = (lhs.form == 'a' ? kFormAS : kFormSS) + (rhs.form == 'k' ? 1 : 0);
  const std::uint32_t result = next_slot();
  emit(form_of(lowering.first, form));
  last_.comparison = &lowering;
  last_.lhs = lhs;
  last_.rhs = rhs;
  put_slot(result);
  put_operand(lhs, lowering.operand, lowering.is_wide);
  put_operand(rhs, lowering.operand, lowering.is_wide);
  wrote(result, ValueClass::integer);
  push_slot();
}

// eqz: of a comparison, the opposite comparison.
void Translator::test_zero(bool is_wide) {
  const Entry a = pop();
  if (!is_wide && is_last_comparison(a) && last_.comparison->operand == ValueClass::integer) {
    const Instruction comparison = take_back_last();
    return emit_compare(lowering_of(comparison.comparison->inverse), comparison.lhs, comparison.rhs);
  }
  Entry zero;
  zero.kind = Entry::Kind::constant;
  compare(lowering_of(is_wide ? Op::i64_eq : Op::i32_eq), a, zero);
}

void Translator::unary(const Lowering& lowering) {
  const Entry a = pop();
  Operand value = operand(a, lowering);
  if (value.form == 'k') value = {'s', in_slot(a), 0};
  emit(form_of(lowering.first, value.form == 'a' ? 1 : 0));
  if (lowering.traps) mark();
  put_slot(a.slot);
  put_operand(value, lowering.operand, lowering.is_wide);
  wrote(a.slot, lowering.result);
  push_slot();
}

void Translator::wide(Code code, unsigned operands) {
  std::uint32_t slots[4] = {};
  for (unsigned i = operands; i > 0; --i) slots[i - 1] = in_slot(pop());
  const std::uint32_t result = next_slot();
  emit(code);
  put_slot(result);
  for (unsigned i = 0; i < operands; ++i) put_slot(slots[i]);
  wrote(result);
  wrote(result + 1);
  // It cannot be made to write a local instead of either result.
  last_.written = kNoSlot;
  push_slot();
  push_slot();
}

// --- memory

Translator::Reach Translator::reach_of(const validate::MemArg& memarg) const {
  if (memarg.memory.value != 0) return Reach::any;
  const wasm::MemoryType& memory = module_->memories[0];
  // The handlers' copy of the size does not see what other threads have grown.
  if (memory.is_shared && options_.checks == runtime::BoundsChecks::explicit_checks) return Reach::any;
  if (memory.address == wasm::AddressType::i32) return Reach::direct;
  return memarg.offset <= UINT32_MAX ? Reach::wide : Reach::any;
}

void Translator::load(const Lowering& lowering, const validate::MemArg& memarg) {
  const Entry address = pop();
  const Reach reach = reach_of(memarg);
  if (reach == Reach::any) {
    const std::uint32_t slot = in_slot(address);
    emit(form_of(lowering.first, kAnyLoad));
    mark();
    put_slot(address.slot);
    put_slot(slot);
    out_.put(memarg.offset);
    put_index(memarg.memory.value);
    forget_accumulators();
    wrote(address.slot, lowering.result);
    return push_slot();
  }
  const auto offset = static_cast<std::uint32_t>(memarg.offset);
  Operand base = operand(address, ValueClass::integer, reach == Reach::wide);
  if (reach == Reach::wide) {
    if (base.form == 'k') base = {'s', in_slot(address), 0};
    emit(form_of(lowering.first, kFirstWideLoad + (base.form == 'a' ? 1 : 0)));
    mark();
    put_slot(address.slot);
    put_operand(base, ValueClass::integer, true);
    put_index(offset);
    wrote(address.slot, lowering.result);
    return push_slot();
  }
  const std::uint64_t absolute = std::uint64_t{static_cast<std::uint32_t>(base.bits)} + offset;
  if (base.form == 'k' && (absolute > UINT32_MAX || options_.style == CodeStyle::plain))
    base = {'s', in_slot(address), 0};
  const unsigned form = base.form == 's' ? 0 : base.form == 'a' ? 1 : 2;
  const bool checked = options_.checks == runtime::BoundsChecks::explicit_checks;
  emit(form_of(lowering.first, form + (checked ? kFirstCheckedLoad : 0)));
  mark();
  put_slot(address.slot);
  if (base.form != 'k') put_operand(base, ValueClass::integer, false);
  put_index(base.form == 'k' ? static_cast<std::uint32_t>(absolute) : offset);
  wrote(address.slot, lowering.result);
  push_slot();
}

void Translator::store(const Lowering& lowering, const validate::MemArg& memarg) {
  const Entry value = pop();
  const Entry address = pop();
  const Reach reach = reach_of(memarg);
  if (reach == Reach::any) {
    const std::uint32_t value_slot = in_slot(value);
    const std::uint32_t address_slot = in_slot(address);
    emit(form_of(lowering.first, kAnyStore));
    mark();
    put_slot(address_slot);
    put_slot(value_slot);
    out_.put(memarg.offset);
    put_index(memarg.memory.value);
    return forget_accumulators();
  }
  // Whatever its type, the value is bits; a 64-bit store takes constants that extend to it.
  const bool is_wide = lowering.first == Code::i64_store_ss;
  Operand bits = operand(value, ValueClass::integer, is_wide);
  Operand base = operand(address, ValueClass::integer, reach == Reach::wide);
  const auto offset = static_cast<std::uint32_t>(memarg.offset);
  const std::uint64_t absolute = std::uint64_t{static_cast<std::uint32_t>(base.bits)} + offset;
  if (base.form == 'k' &&
      (reach == Reach::wide || absolute > UINT32_MAX || bits.form == 'k' || options_.style == CodeStyle::plain)) {
    base = {'s', in_slot(address), 0};
  }
  if (base.form == 'a' && bits.form == 'a') bits.form = 's';
  // ss sk sa as ak ks ka
  const unsigned value_form = bits.form == 's' ? 0 : bits.form == 'k' ? 1 : 2;
  const unsigned form = base.form == 's' ? value_form : base.form == 'a' ? 3 + value_form : 5 + value_form / 2;
  const bool checked = options_.checks == runtime::BoundsChecks::explicit_checks;
  emit(form_of(lowering.first, form + (reach == Reach::wide ? kFirstWideStore : checked ? kFirstCheckedStore : 0)));
  mark();
  if (base.form != 'k') put_operand(base, ValueClass::integer, false);
  put_operand(bits, ValueClass::integer, is_wide);
  put_index(base.form == 'k' ? static_cast<std::uint32_t>(absolute) : offset);
}

// Operands in slots, in any memory: what an atomic access costs is not the dispatch.
void Translator::atomic(const Lowering& lowering, const wasm::OpInfo& row, const validate::MemArg& memarg) {
  const std::size_t operands = row.signature.find(':');
  const bool has_result = operands + 1 < row.signature.size();
  std::uint32_t slots[3] = {};
  for (std::size_t i = operands; i > 0; --i) slots[i - 1] = in_slot(pop());
  const std::uint32_t result = next_slot();
  emit(lowering.first);
  mark();
  if (has_result) put_slot(result);
  for (std::size_t i = 0; i < operands; ++i) put_slot(slots[i]);
  out_.put(memarg.offset);
  put_index(memarg.memory.value);
  forget_accumulators();
  if (!has_result) return;
  wrote(result);
  push_slot();
}

// --- values that move

void Translator::select() {
  const Entry condition = pop();
  const Entry if_false = pop();
  const Entry if_true = pop();
  Operand test = operand(condition, ValueClass::integer, false);
  if (test.form == 'k') test = {'s', in_slot(condition), 0};
  if (if_true.is_vector) {
    emit(Code::select_v128);
    put_slot(if_true.slot);
    put_slot(test.slot);
    put_slot(place(if_true));
    put_slot(place(if_false));
    wrote_vector(if_true.slot);
    return push_slot(true);
  }
  Operand yes = operand(if_true, ValueClass::integer, true);
  Operand no = operand(if_false, ValueClass::integer, true);
  if (yes.form == 'a') yes.form = 's';
  if (no.form == 'a') no.form = 's';
  const unsigned form = (test.form == 'a' ? 4 : 0) + (yes.form == 'k' ? 2 : 0) + (no.form == 'k' ? 1 : 0);
  emit(form_of(Code::select_sss, form));
  put_slot(if_true.slot);
  put_operand(test, ValueClass::integer, true);
  put_operand(yes, ValueClass::integer, true);
  put_operand(no, ValueClass::integer, true);
  wrote(if_true.slot, ValueClass::integer);
  push_slot();
}

void Translator::get_local(std::uint32_t local) {
  const LocalPlace place = place_of_local(local);
  push(Entry::Kind::local, place.slot, place.is_vector);
}

void Translator::set_local(std::uint32_t local, bool tee) {
  const std::uint32_t slot = place_of_local(local).slot;
  const Entry value = pop();
  if (value.kind == Entry::Kind::local && value.bits == slot) {
    if (tee) get_local(local);
    return;
  }
  // The instruction that made the value writes the local itself, if it is the last one.
  const bool retarget =
      options_.style != CodeStyle::plain && value.kind == Entry::Kind::slot && last_.written == value.slot;
  if (aliases_[slot] != kNoEntry) keep_aliases(slot, retarget);
  if (retarget) {
    out_.write(last_.position + kDestinationAt, static_cast<std::uint16_t>(slot));
    const Accumulators equal = accumulators_;
    if (value.is_vector) wrote(slot + 1);
    wrote(slot);
    for (unsigned i = 0; i < kValueClasses; ++i) {
      if (equal.slot[i] == value.slot) accumulators_.slot[i] = slot;
    }
    if (tee) get_local(local);
    return;
  }
  copy(slot, value);
  if (tee) push(value.kind, value.bits, value.is_vector);
}

// Gives entries that name the local a copy of its value; before the last instruction, which is to write it.
void Translator::keep_aliases(std::uint32_t slot, bool before_last) {
  const Accumulators after = accumulators_;
  Instruction last;
  std::uint8_t code[kMaxInstructionSize];
  std::uint32_t length = 0;
  if (before_last) {
    length = out_.size() - last_.position;
    std::memcpy(code, out_.bytes().data() + last_.position, length);
    last = take_back_last();
  }
  std::uint32_t lowest = aliases_[slot];
  for (; links_[lowest].below != kNoEntry; ++visits_) lowest = links_[lowest].below;
  for (std::uint32_t next = kNoEntry; aliases_[slot] != kNoEntry; lowest = next) {
    next = links_[lowest].above;
    flush_entry(lowest);
  }
  if (!before_last) return;
  seal();
  last_ = last;
  last_.position = out_.size();
  last_.before = accumulators_;
  out_.append({code, length});
  marks_.move(last.position, last_.position);
  // What accumulators equalled before the copies they equal no more, should a copy have written it.
  for (unsigned i = 0; i < kValueClasses; ++i) {
    if (after.slot[i] == kNoSlot || after.slot[i] == last.written) accumulators_.slot[i] = after.slot[i];
  }
}

void Translator::get_global(std::uint32_t global) {
  const std::uint32_t slot = next_slot();
  if (module_->globals[global].type.type.is_vector()) {
    emit(Code::global_get_v128);
    put_slot(slot);
    put_index(global);
    wrote_vector(slot);
    return push_slot(true);
  }
  emit(Code::global_get);
  put_slot(slot);
  put_index(global);
  wrote(slot, ValueClass::integer);
  push_slot();
}

void Translator::set_global(std::uint32_t global) {
  const Entry entry = pop();
  if (entry.is_vector) {
    emit(Code::global_set_v128);
    put_slot(place(entry));
    return put_index(global);
  }
  const Operand value = operand(entry, ValueClass::integer, true);
  emit(value.form == 'k' ? Code::global_set_k : Code::global_set_s);
  if (value.form == 'k') {
    out_.put(static_cast<std::uint32_t>(value.bits));
  } else {
    put_slot(value.slot);
  }
  put_index(global);
}

// An instruction that looks at the reference on top, which stays.
void Translator::check_reference(Code code) {
  settle_constant();
  const std::uint32_t slot = place(stack_.back());
  emit(code);
  mark();
  put_slot(slot);
}

void Translator::service(Code code, unsigned operands, bool has_result, std::initializer_list<std::uint32_t> indices) {
  std::uint32_t slots[5] = {};
  for (unsigned i = operands; i > 0; --i) slots[i - 1] = in_slot(pop());
  const std::uint32_t result = next_slot();
  emit(code);
  mark();
  if (has_result) put_slot(result);
  for (unsigned i = 0; i < operands; ++i) put_slot(slots[i]);
  for (std::uint32_t index : indices) put_index(index);
  forget_accumulators();
  if (!has_result) return;
  wrote(result);
  push_slot();
}

}  // namespace wasi::interp
