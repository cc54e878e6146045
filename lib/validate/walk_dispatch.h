// The function walk: from opcodes to typing rules, and the rules of all instructions of fixed signature.
// Part of function_walk.h, which includes it.
#pragma once

#include "validate/function_walk.h"

namespace wasi::validate {

namespace detail {
constexpr std::uint8_t byte_of(wasm::Op op) { return static_cast<std::uint8_t>(wasm::info(op).code); }
}  // namespace detail

// The instructions that bodies mostly consist of are told apart by their byte: the look-up of op_ is not
// waited for. Ranges rely on the order of codes within opcodes.def.
template <class Sink, bool kChecked>
inline void FunctionWalk<Sink, kChecked>::instruction() {
  using detail::byte_of;
  start_ = reader_.position();
  const std::uint8_t byte = reader_.u8("opcode");
  op_ = wasm::op_from_byte(byte);
  if (kIsConstantSink<Sink> && op_ != wasm::kNoOp && !check_const()) return;
  switch (byte) {
    case byte_of(Op::block):
      return block(ControlKind::block);
    case byte_of(Op::loop):
      return block(ControlKind::loop);
    case byte_of(Op::if_):
      return block(ControlKind::if_);
    case byte_of(Op::else_):
      return else_();
    case byte_of(Op::end):
      return end();
    case byte_of(Op::br):
      return br();
    case byte_of(Op::br_if):
      return br_if();
    case byte_of(Op::br_table):
      return br_table();
    case byte_of(Op::return_):
      return return_();
    case byte_of(Op::call):
      return call(false);
    case byte_of(Op::call_indirect):
      return call_indirect(false);
    case byte_of(Op::drop):
      return drop_();
    case byte_of(Op::select):
      return select();
    case byte_of(Op::local_get):
      return local_get();
    case byte_of(Op::local_set):
      return local_set();
    case byte_of(Op::local_tee):
      return local_tee();
    case byte_of(Op::global_get):
      return global_get();
    case byte_of(Op::global_set):
      return global_set();
    case byte_of(Op::i32_load)... byte_of(Op::i64_store32):
      return memory_access();
    case byte_of(Op::i32_const):
      return constant(wasm::kI32, [&] { return static_cast<std::uint32_t>(reader_.s32("i32 constant")); });
    case byte_of(Op::i64_const):
      return constant(wasm::kI64, [&] { return static_cast<std::uint64_t>(reader_.s64("i64 constant")); });
    case byte_of(Op::f32_const):
      return constant(wasm::kF32, [&] { return reader_.fixed32("f32 constant"); });
    case byte_of(Op::f64_const):
      return constant(wasm::kF64, [&] { return reader_.fixed64("f64 constant"); });
    case byte_of(Op::i32_eqz)... byte_of(Op::i64_extend32_s):
      return simple();
    default:
      return other(byte);
  }
}

// Prefixed instructions, and the rarer ones.
template <class Sink, bool kChecked>
void FunctionWalk<Sink, kChecked>::other(std::uint8_t byte) {
  if (op_ == wasm::kNoOp) {
    if (!wasm::is_prefix(byte)) {
      fail(ErrorKind::malformed, opcode_message(0, byte));
      return;
    }
    const std::uint32_t code = reader_.u32("opcode");
    if (!reader_.ok()) return;
    op_ = wasm::op_from_prefixed(byte, code);
    if (op_ == wasm::kNoOp) {
      fail(ErrorKind::malformed, opcode_message(byte, code));
      return;
    }
    if (kIsConstantSink<Sink> && !check_const()) return;
  }
  features_ |= short_signature_of(op_).features;
  switch (op_) {
    case Op::unreachable:
      if (reachable_) sink_.unreachable(*this);
      return set_unreachable();
    case Op::try_:
      return block(ControlKind::try_);
    case Op::try_table:
      return try_table();
    case Op::throw_:
      return throw_();
    case Op::throw_ref:
      return throw_ref();
    case Op::catch_:
      return catch_();
    case Op::catch_all:
      return catch_all();
    case Op::delegate:
      return delegate();
    case Op::rethrow:
      return rethrow();

    case Op::return_call:
      return call(true);
    case Op::return_call_indirect:
      return call_indirect(true);
    case Op::call_ref:
      return call_ref(false);
    case Op::return_call_ref:
      return call_ref(true);

    case Op::select_t:
      return select_typed();
    case Op::table_get:
      return table_get();
    case Op::table_set:
      return table_set();
    case Op::table_init:
      return table_init();
    case Op::table_copy:
      return table_copy();
    case Op::table_grow:
      return table_grow();
    case Op::table_size:
      return table_size();
    case Op::table_fill:
      return table_fill();
    case Op::memory_copy:
      return memory_copy();

    case Op::ref_null:
      return ref_null();
    case Op::ref_is_null:
      return ref_is_null();
    case Op::ref_func:
      return ref_func();
    case Op::ref_eq:
      return ref_eq();
    case Op::ref_as_non_null:
      return ref_as_non_null();
    case Op::br_on_null:
      return br_on_null();
    case Op::br_on_non_null:
      return br_on_non_null();
    case Op::ref_test:
      return ref_test(false);
    case Op::ref_test_null:
      return ref_test(true);
    case Op::ref_cast:
      return ref_cast(false);
    case Op::ref_cast_null:
      return ref_cast(true);
    case Op::br_on_cast:
    case Op::br_on_cast_fail:
      return br_on_cast();
    case Op::any_convert_extern:
      return convert(wasm::AbstractHeap::extern_, wasm::AbstractHeap::any);
    case Op::extern_convert_any:
      return convert(wasm::AbstractHeap::any, wasm::AbstractHeap::extern_);
    case Op::ref_i31:
      return apply({wasm::kI32}, ValType::ref(wasm::AbstractHeap::i31, false));
    case Op::i31_get_s:
    case Op::i31_get_u:
      return apply({ValType::ref(wasm::AbstractHeap::i31, true)}, wasm::kI32);

    case Op::struct_new:
      return struct_new();
    case Op::struct_new_default:
      return struct_new_default();
    case Op::struct_get:
    case Op::struct_get_s:
    case Op::struct_get_u:
      return struct_get();
    case Op::struct_set:
      return struct_set();
    case Op::array_new:
      return array_new();
    case Op::array_new_default:
      return array_new_default();
    case Op::array_new_fixed:
      return array_new_fixed();
    case Op::array_new_data:
      return array_new_data();
    case Op::array_new_elem:
      return array_new_elem();
    case Op::array_get:
    case Op::array_get_s:
    case Op::array_get_u:
      return array_get();
    case Op::array_set:
      return array_set();
    case Op::array_len:
      return apply({ValType::ref(wasm::AbstractHeap::array, true)}, wasm::kI32);
    case Op::array_fill:
      return array_fill();
    case Op::array_copy:
      return array_copy();
    case Op::array_init_data:
      return array_init_data();
    case Op::array_init_elem:
      return array_init_elem();
    default:
      return fixed();
  }
}

// The instructions that may stand in constant expressions; their typing is that of bodies.
template <class Sink, bool kChecked>
bool FunctionWalk<Sink, kChecked>::check_const() {
  switch (op_) {
    case Op::i32_const:
    case Op::i64_const:
    case Op::f32_const:
    case Op::f64_const:
    case Op::v128_const:
    case Op::ref_null:
    case Op::ref_func:
    case Op::ref_i31:
    case Op::global_get:
    case Op::struct_new:
    case Op::struct_new_default:
    case Op::array_new:
    case Op::array_new_default:
    case Op::array_new_fixed:
    case Op::any_convert_extern:
    case Op::extern_convert_any:
    case Op::end:
      return true;
    case Op::i32_add:
    case Op::i32_sub:
    case Op::i32_mul:
    case Op::i64_add:
    case Op::i64_sub:
    case Op::i64_mul:
      features_.add(wasm::Feature::extended_const);
      return true;
    default:
      return fail("constant expression required: " + std::string(who()) + " is not constant");
  }
}

// No immediates, at most two operands and no address among them: they are compared at one go.
template <class Sink, bool kChecked>
inline void FunctionWalk<Sink, kChecked>::simple() {
  const ShortSignature& signature = short_signature_of(op_);
  features_ |= signature.features;
  if (operands_.template fits<kChecked>(signature)) [[likely]] {
    report();
    operands_.replace(signature);
    return;
  }
  apply_signature(wasm::kI32);
}

// Any instruction whose row of opcodes.def says all about its types.
template <class Sink, bool kChecked>
void FunctionWalk<Sink, kChecked>::fixed() {
  if (wasm::info(op_).immediate == wasm::ImmediateKind::memarg) return memory_access();
  if (read_immediates()) apply_signature(address_of_immediates());
}

// With any number of operands, behind an unconditional branch, and with 64-bit addresses.
template <class Sink, bool kChecked>
void FunctionWalk<Sink, kChecked>::apply_signature(ValType address) {
  Signature signature = signature_of(op_);
  for (std::size_t i = 0; i < signature.count; ++i) {
    if ((signature.addresses >> i & 1) != 0) signature.params[i] = address;
  }
  if ((signature.addresses & Signature::kResultAddress) != 0) signature.result = address;
  if (!check_top(Types(signature.params.data(), signature.count))) return;
  report();
  drop(signature.count);
  if (signature.has_result()) push(signature.result);
}

template <class Sink, bool kChecked>
template <class Read>
inline void FunctionWalk<Sink, kChecked>::constant(ValType type, Read read) {
  immediates_.bits = read();
  if (!reader_.ok()) [[unlikely]]
    return;
  report();
  push(type);
}

// Loads, stores and atomic accesses, whose only immediate is a memarg.
template <class Sink, bool kChecked>
inline void FunctionWalk<Sink, kChecked>::memory_access() {
  if (!read_memarg()) [[unlikely]]
    return;
  const ShortSignature& signature = short_signature_of(op_);
  const std::uint32_t memory = immediates_.memarg.memory.value;
  const ValType address = memory == 0 ? address_ : memory_address(memory);
  if (address == wasm::kI32 && operands_.template fits<kChecked>(signature)) [[likely]] {
    report();
    operands_.replace(signature);
    return;
  }
  apply_signature(address);
}

template <class Sink, bool kChecked>
inline bool FunctionWalk<Sink, kChecked>::read_memarg() {
  constexpr std::uint32_t kMemoryBit = 64;
  MemArg& memarg = immediates_.memarg;
  const std::uint32_t flags = reader_.u32("memory access flags");
  memarg.align = flags & ~kMemoryBit;
  memarg.memory = wasm::MemoryIndex(0);
  if ((flags & kMemoryBit) != 0) [[unlikely]] {
    features_.add(wasm::Feature::multi_memory);
    memarg.memory = wasm::MemoryIndex(reader_.u32("memory index"));
  }
  memarg.offset = reader_.u64("memory offset");
  if (!reader_.ok()) [[unlikely]]
    return false;
  const ShortSignature& signature = short_signature_of(op_);
  const bool is_usual = flags <= signature.align && !signature.features.has(wasm::Feature::threads) &&
                        memarg.offset <= UINT32_MAX && address_ == wasm::kI32;
  return is_usual || check_memarg(flags);
}

// What the usual case leaves open.
template <class Sink, bool kChecked>
bool FunctionWalk<Sink, kChecked>::check_memarg(std::uint32_t flags) {
  const MemArg& memarg = immediates_.memarg;
  if (flags >= 128) return fail(ErrorKind::malformed, "malformed memop flags: bit 7 or above is set");
  if (!check_memory(memarg.memory.value)) return false;
  const wasm::OpInfo& row = wasm::info(op_);
  const bool exact = row.prefix == wasm::kPrefixThreads;
  const std::uint32_t natural = signature_of(op_).align;
  if (memarg.align > natural || (exact && memarg.align != natural)) {
    return fail(alignment_message(who(), exact, memarg.align, row.access));
  }
  if (memarg.offset > UINT32_MAX && memory_address(memarg.memory.value) == wasm::kI32) {
    return fail("offset out of range: " + std::to_string(memarg.offset) + " in a 32-bit memory");
  }
  return true;
}

// The address type of the memory that the immediates just read name.
template <class Sink, bool kChecked>
auto FunctionWalk<Sink, kChecked>::address_of_immediates() const -> ValType {
  switch (wasm::info(op_).immediate) {
    case wasm::ImmediateKind::memory:
      return memory_address(immediates_.index);
    case wasm::ImmediateKind::data_memory:
      return memory_address(immediates_.index2);
    case wasm::ImmediateKind::memarg_lane:
      return memory_address(immediates_.memarg.memory.value);
    default:
      return wasm::kI32;
  }
}

// The rarer immediates of instructions of fixed signature, checked against the module's index spaces.
template <class Sink, bool kChecked>
bool FunctionWalk<Sink, kChecked>::read_immediates() {
  using enum wasm::ImmediateKind;
  switch (wasm::info(op_).immediate) {
    case none:
      return true;
    case memarg_lane:
      if (!read_memarg()) return false;
      [[fallthrough]];
    case lane:
      immediates_.lane = reader_.u8("lane");
      return reader_.ok() && check_lane();
    case v128:
    case shuffle: {
      const auto bytes = reader_.bytes(16, "vector constant");
      if (!reader_.ok()) return false;
      std::memcpy(immediates_.bytes, bytes.data(), 16);
      return op_ != Op::i8x16_shuffle || check_lane();
    }
    case memory:
      immediates_.index = reader_.u32("memory index");
      return reader_.ok() && check_memory(immediates_.index);
    case data:
      immediates_.index = reader_.u32("data index");
      return reader_.ok() && check_data(immediates_.index);
    case data_memory:
      immediates_.index = reader_.u32("data index");
      immediates_.index2 = reader_.u32("memory index");
      return reader_.ok() && check_memory(immediates_.index2) && check_data(immediates_.index);
    case elem:
      immediates_.index = reader_.u32("element segment index");
      return reader_.ok() && check_element(immediates_.index);
    case zero_byte:
      if (reader_.u8("zero byte") != 0) fail(ErrorKind::malformed, "zero byte expected: " + std::string(who()));
      return reader_.ok();
    default:
      WASI_CHECK(false);  // a row of opcodes.def with a fixed signature and an immediate that needs context
  }
}

// A lane must exist in the shape that the instruction's name begins with.
template <class Sink, bool kChecked>
bool FunctionWalk<Sink, kChecked>::check_lane() {
  const auto check = [&](std::uint8_t lane, std::uint32_t count) {
    return lane < count || fail("invalid lane index: " + std::to_string(lane) + " of " + std::to_string(count) +
                                " in " + std::string(who()));
  };
  if (op_ == Op::i8x16_shuffle) {
    return std::ranges::all_of(immediates_.bytes, [&](std::uint8_t lane) { return check(lane, 32); });
  }
  const wasm::OpInfo& row = wasm::info(op_);
  // "i16x8.extract_lane_s" has 8 lanes; v128.load16_lane has as many as accesses fit into 16 bytes.
  const std::string_view lanes = row.text.substr(row.text.find('x') + 1, 2);
  return check(immediates_.lane, row.access != 0   ? 16U / row.access
                                 : lanes[1] == '.' ? static_cast<std::uint32_t>(lanes[0] - '0')
                                                   : 16);
}

}  // namespace wasi::validate
