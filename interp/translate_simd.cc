// Translation of the instructions on vectors, and of accesses to memory by them.
//
// Operands are in slots or in an accumulator; shift counts may be constants.
#include "interp/translator.h"

namespace wasi::interp {

using validate::Immediates;
using validate::MemArg;
using wasm::ImmediateKind;
using wasm::Op;

namespace {

// Behind a family's first form.
constexpr unsigned kUnaryAccumulator = 1;
constexpr unsigned kLeftAccumulator = 1;
constexpr unsigned kRightAccumulator = 2;
constexpr unsigned kCountConstant = 1;
constexpr unsigned kShiftAccumulator = 2;
constexpr unsigned kAddressAccumulator = 1;
constexpr unsigned kVectorChecked = 2;
constexpr unsigned kVectorAny = 4;
static_assert(form_of(Code::i8x16_abs_s, kUnaryAccumulator) == Code::i8x16_abs_a);
static_assert(form_of(Code::i8x16_add_ss, kLeftAccumulator) == Code::i8x16_add_as);
static_assert(form_of(Code::i8x16_add_ss, kRightAccumulator) == Code::i8x16_add_sa);
static_assert(form_of(Code::i8x16_shl_ss, kCountConstant) == Code::i8x16_shl_sk);
static_assert(form_of(Code::i8x16_shl_ss, kShiftAccumulator + kCountConstant) == Code::i8x16_shl_ak);
static_assert(form_of(Code::v128_load_s, kAddressAccumulator) == Code::v128_load_a);
static_assert(form_of(Code::v128_load_s, kVectorChecked) == Code::v128_load_s_checked);
static_assert(form_of(Code::v128_load_s, kVectorAny) == Code::v128_load_any);
static_assert(form_of(Code::v128_load8_lane_ss, kVectorAny) == Code::v128_load8_lane_any);
static_assert(form_of(Code::v128_store_ss, kVectorAny) == Code::v128_store_any);
static_assert(form_of(Code::v128_store8_lane_ss, kVectorAny) == Code::v128_store8_lane_any);

}  // namespace

void Translator::push_vector(std::uint32_t slot, bool moved) {
  wrote_vector(slot);
  if (!moved) accumulators_.slot[static_cast<unsigned>(ValueClass::v128)] = slot;
  push_slot(true);
}

Translator::Operand Translator::vector_operand(const Entry& entry) { return operand(entry, ValueClass::v128, true); }

void Translator::put_vector(const Operand& operand) { put_operand(operand, ValueClass::v128, true); }

void Translator::vector_unary(const Lowering& lowering) {
  const Entry a = pop();
  const Operand value = vector_operand(a);
  emit(form_of(lowering.first, value.form == 'a' ? kUnaryAccumulator : 0));
  put_slot(a.slot);
  put_vector(value);
  push_vector(a.slot);
}

void Translator::vector_binary(const Lowering& lowering) {
  const Entry b = pop();
  const Entry a = pop();
  Operand rhs = vector_operand(b);
  const Operand lhs = vector_operand(a);
  if (lhs.form == 'a') rhs.form = 's';
  emit(form_of(lowering.first, lhs.form == 'a' ? kLeftAccumulator : rhs.form == 'a' ? kRightAccumulator : 0));
  put_slot(a.slot);
  put_vector(lhs);
  put_vector(rhs);
  push_vector(a.slot);
}

// Operands and result are in slots; a lane or 16 bytes may follow.
void Translator::vector(Op op, const Lowering& lowering, const Immediates& immediates) {
  const wasm::OpInfo& row = wasm::info(op);
  const std::size_t operands = row.signature.find(':');
  std::uint32_t slots[3] = {};
  for (std::size_t i = operands; i > 0; --i) slots[i - 1] = in_slot(pop());
  const std::uint32_t result = next_slot();
  emit(lowering.first);
  put_slot(result);
  for (std::size_t i = 0; i < operands; ++i) put_slot(slots[i]);
  if (row.immediate == ImmediateKind::lane) put_lane(immediates);
  if (row.immediate == ImmediateKind::v128 || row.immediate == ImmediateKind::shuffle) out_.append(immediates.bytes);
  if (row.signature.back() == 'v') return push_vector(result);
  wrote(result, lowering.result);
  push_slot();
}

void Translator::vector_shift(const Lowering& lowering) {
  const Entry amount = pop();
  const Entry value = pop();
  const Operand count = operand(amount, ValueClass::integer, false);
  const Operand shifted = vector_operand(value);
  emit(form_of(lowering.first,
               (shifted.form == 'a' ? kShiftAccumulator : 0) + (count.form == 'k' ? kCountConstant : 0)));
  put_slot(value.slot);
  put_vector(shifted);
  if (count.form == 'k') {
    out_.put(static_cast<std::uint32_t>(count.bits));
  } else {
    put_slot(count.slot);
  }
  push_vector(value.slot);
}

// Writes the head of an access; the address as its operand, which only _any forms always have in a slot.
Translator::Operand Translator::emit_vector_access(const Lowering& lowering, const MemArg& memarg,
                                                   const Entry& address) {
  Operand base = operand(address, ValueClass::integer, false);
  const bool direct = reach_of(memarg) == Reach::direct;
  if (base.form == 'k' || (!direct && base.form == 'a')) base = {'s', in_slot(address), 0};
  unsigned form = base.form == 'a' ? kAddressAccumulator : 0;
  if (!direct) {
    form = kVectorAny;
  } else if (options_.checks == runtime::BoundsChecks::explicit_checks) {
    form += kVectorChecked;
  }
  emit(form_of(lowering.first, form));
  mark();
  return base;
}

void Translator::put_memarg(const MemArg& memarg) {
  if (reach_of(memarg) == Reach::direct) return put_index(static_cast<std::uint32_t>(memarg.offset));
  out_.put(memarg.offset);
  put_index(memarg.memory.value);
  forget_accumulators();
}

void Translator::vector_load(const Lowering& lowering, const MemArg& memarg) {
  const Entry address = pop();
  const Operand base = emit_vector_access(lowering, memarg, address);
  put_slot(address.slot);
  put_address(base);
  put_memarg(memarg);
  push_vector(address.slot, reach_of(memarg) != Reach::direct);
}

void Translator::vector_load_lane(const Lowering& lowering, const Immediates& immediates) {
  const Entry value = pop();
  const Entry address = pop();
  const Operand base = emit_vector_access(lowering, immediates.memarg, address);
  put_slot(address.slot);
  put_slot(place(value));
  put_address(base);
  put_memarg(immediates.memarg);
  put_lane(immediates);
  push_vector(address.slot, reach_of(immediates.memarg) != Reach::direct);
}

void Translator::vector_store(const Lowering& lowering, const Immediates& immediates) {
  const Entry value = pop();
  const Entry address = pop();
  const Operand base = emit_vector_access(lowering, immediates.memarg, address);
  put_address(base);
  put_slot(place(value));
  put_memarg(immediates.memarg);
  if (lowering.shape == Shape::vector_store_lane) put_lane(immediates);
}

}  // namespace wasi::interp
