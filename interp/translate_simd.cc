// Translation of the instructions on vectors, and of accesses to memory by them.
//
// Operands are in slots; shift counts may be constants and addresses may be in the accumulator.
#include "interp/translator.h"

namespace wasi::interp {

using validate::Immediates;
using validate::MemArg;
using wasm::ImmediateKind;
using wasm::Op;

namespace {

// Behind a family's first form.
constexpr unsigned kCountConstant = 1;
constexpr unsigned kAddressAccumulator = 1;
constexpr unsigned kVectorChecked = 2;
constexpr unsigned kVectorAny = 4;
static_assert(form_of(Code::i8x16_shl_ss, kCountConstant) == Code::i8x16_shl_sk);
static_assert(form_of(Code::v128_load_s, kAddressAccumulator) == Code::v128_load_a);
static_assert(form_of(Code::v128_load_s, kVectorChecked) == Code::v128_load_s_checked);
static_assert(form_of(Code::v128_load_s, kVectorAny) == Code::v128_load_any);
static_assert(form_of(Code::v128_load8_lane_ss, kVectorAny) == Code::v128_load8_lane_any);
static_assert(form_of(Code::v128_store_ss, kVectorAny) == Code::v128_store_any);
static_assert(form_of(Code::v128_store8_lane_ss, kVectorAny) == Code::v128_store8_lane_any);

}  // namespace

// The instruction that was just written puts a vector into `slot`.
void Translator::push_vector(std::uint32_t slot) {
  wrote_vector(slot);
  push_slot(true);
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
  emit(form_of(lowering.first, count.form == 'k' ? kCountConstant : 0));
  put_slot(value.slot);
  put_slot(place(value));
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
  push_vector(address.slot);
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
  push_vector(address.slot);
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
