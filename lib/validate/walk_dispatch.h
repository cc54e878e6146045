// The function walk: from opcodes to typing rules, and the rules of all instructions of fixed signature.
// Part of function_walk.h, which includes it.
#pragma once

#include "validate/function_walk.h"

namespace wasi::validate {

namespace detail {

constexpr std::uint8_t byte_of(wasm::Op op) { return static_cast<std::uint8_t>(wasm::info(op).code); }

// The rows from `first` to `last` have consecutive codes, so op and byte differ by a constant.
consteval bool is_run(wasm::Op first, wasm::Op last) {
  const auto row = [](wasm::Op op) { return static_cast<int>(op); };
  for (int i = row(first); i <= row(last); ++i) {
    if (wasm::kOps[i].prefix != 0 || wasm::kOps[i].code - wasm::info(first).code != i - row(first)) return false;
  }
  return true;
}
template <wasm::Op kFirst, wasm::Op kLast>
constexpr wasm::Op op_in_run(std::uint8_t byte) {
  static_assert(is_run(kFirst, kLast));
  return static_cast<wasm::Op>(byte - byte_of(kFirst) + static_cast<int>(kFirst));
}

// The LEB128 number of at most four bytes at `position`, where eight can be read: its length (more than 4 where it is
// longer) and its bits, without a branch on the length.
struct ShortLeb {
  std::uint32_t length;
  std::uint32_t bits;
};
inline ShortLeb read_short_leb(const std::uint8_t* position) {
  std::uint64_t bytes = 0;
  std::memcpy(&bytes, position, sizeof(bytes));
  const std::uint64_t last = ~bytes & 0x8080808080808080U;
  const auto length = static_cast<std::uint32_t>(std::countr_zero(last | std::uint64_t{1} << 63)) / 8 + 1;
  bytes &= ~std::uint64_t{0} >> (64 - 8 * length);
  const auto word = static_cast<std::uint32_t>(bytes);
  return {length, (word & 0x7F) | (word >> 1 & 0x3F80) | (word >> 2 & 0x1FC000) | (word >> 3 & 0xFE00000)};
}

}  // namespace detail

// Walks the instructions to the body's end. The position lives in a register: what comes next depends on
// nothing but the bytes, so a processor can run ahead of the typing. The instructions that bodies mostly consist
// of stay in this loop and are told apart by their byte; the others read through reader_.
template <class Sink, bool kChecked>
void FunctionWalk<Sink, kChecked>::instructions() {
  using detail::byte_of;
  Position pos = reader_.position();
  // A failure moves the position to the end, so this is the only question per instruction.
  while (pos != reader_.end()) {
    if constexpr (kPolls<Sink, FunctionWalk>) {
      if (pos >= poll_at_) [[unlikely]]
        poll(pos);
    }
    start_ = pos;
    const std::uint8_t byte = *pos++;
    if constexpr (kIsConstantSink<Sink>) {
      op_ = wasm::op_from_byte(byte);
      if (op_ != wasm::kNoOp && !check_const()) return;
    }
    switch (byte) {
      case byte_of(Op::drop):
        drop_(pos);
        break;
      case byte_of(Op::local_get):
        local_get(pos);
        if (pos != reader_.end() && *pos == byte_of(Op::i32_const)) {
          start_ = pos++;
          constant(pos, Op::i32_const, wasm::kI32,
                   [&] { return static_cast<std::uint32_t>(reader_.s32("i32 constant")); });
        } else if (pos != reader_.end() && *pos == byte_of(Op::local_get)) {
          start_ = pos++;
          local_get(pos);
        }
        break;
      case byte_of(Op::local_set):
        local_set(pos, Op::local_set);
        break;
      case byte_of(Op::local_tee):
        local_set(pos, Op::local_tee);
        break;
      case byte_of(Op::i32_load)... byte_of(Op::i64_store32):
        memory_access(pos, detail::op_in_run<Op::i32_load, Op::i64_store32>(byte));
        break;
      case byte_of(Op::i32_const):
        constant(pos, Op::i32_const, wasm::kI32,
                 [&] { return static_cast<std::uint32_t>(reader_.s32("i32 constant")); });
        break;
      case byte_of(Op::i64_const):
        constant(pos, Op::i64_const, wasm::kI64,
                 [&] { return static_cast<std::uint64_t>(reader_.s64("i64 constant")); });
        break;
      case byte_of(Op::i32_eqz)... byte_of(Op::f64_reinterpret_i64):
        simple(pos, detail::op_in_run<Op::i32_eqz, Op::f64_reinterpret_i64>(byte));
        break;
      case byte_of(Op::end):
        slowly(pos, Op::end, [&] { end(); });
        break;
      case byte_of(Op::block):
        slowly(pos, Op::block, [&] { block(ControlKind::block); });
        break;
      case byte_of(Op::loop):
        slowly(pos, Op::loop, [&] { block(ControlKind::loop); });
        break;
      case byte_of(Op::if_):
        slowly(pos, Op::if_, [&] { block(ControlKind::if_); });
        break;
      case byte_of(Op::select):
        slowly(pos, Op::select, [&] { select(); });
        break;
      case byte_of(Op::br):
        slowly(pos, Op::br, [&] { br(); });
        break;
      case byte_of(Op::br_if):
        slowly(pos, Op::br_if, [&] { br_if(); });
        break;
      case byte_of(Op::call):
        slowly(pos, Op::call, [&] { call(false); });
        break;
      case byte_of(Op::global_get):
        global_get(pos);
        break;
      case byte_of(Op::global_set):
        slowly(pos, Op::global_set, [&] { global_set(); });
        break;
      default:
        slowly(pos, wasm::op_from_byte(byte), [&] { other(byte); });
    }
  }
  reader_.move_to(pos);
}

template <class Sink, bool kChecked>
void FunctionWalk<Sink, kChecked>::poll(Position pos) {
  poll_at_ = pos + std::min(kPollBytes, reader_.end() - pos);
  sink_.poll(*this);
}

// A number at `pos`. False when the walk has failed.
template <class Sink, bool kChecked>
inline bool FunctionWalk<Sink, kChecked>::read_u32(Position& pos, const char* what, std::uint32_t& value) {
  if (pos != reader_.end() && *pos < 0x80) [[likely]] {
    value = *pos++;
    return true;
  }
  if (reader_.end() - pos >= 2 && pos[1] < 0x80) [[likely]] {
    value = (pos[0] & 0x7FU) | std::uint32_t{pos[1]} << 7;
    pos += 2;
    return true;
  }
  reader_.move_to(pos);
  value = reader_.u32(what);
  pos = reader_.position();
  return reader_.ok();
}

// The loop's rules leave what is unusual to these, which read and fail through reader_.
template <class Sink, bool kChecked>
inline void FunctionWalk<Sink, kChecked>::slowly(Position& pos, Op op, auto&& rule) {
  op_ = op;
  reader_.move_to(pos);
  rule();
  pos = reader_.position();
}

template <class Sink, bool kChecked>
inline void FunctionWalk<Sink, kChecked>::drop_(Position& pos) {
  if (available() == 0) [[unlikely]] {
    return slowly(pos, Op::drop, [&] {
      ValType type;
      if (peek(0, "an operand", type)) drop(1);
    });
  }
  report_at(pos, Op::drop);
  operands_.drop(1);
}

template <class Sink, bool kChecked>
inline void FunctionWalk<Sink, kChecked>::local_get(Position& pos) {
  std::uint32_t index = 0;
  if (!read_u32(pos, "local index", index)) return;
  if (index >= plain_locals_.size()) [[unlikely]] {
    bool ok = false;
    slowly(pos, Op::local_get, [&] { ok = check_local(index, true); });
    if (!ok) return;
  }
  if constexpr (kReports) immediates_.index = index;
  report_at(pos, Op::local_get);
  push(index < plain_locals_.size() ? plain_locals_[index] : locals_.type(index));
}

template <class Sink, bool kChecked>
inline void FunctionWalk<Sink, kChecked>::global_get(Position& pos) {
  std::uint32_t index = 0;
  if (!read_u32(pos, "global index", index)) return;
  if (index >= visible_globals_ || (kIsConstantSink<Sink> && module_.globals[index].type.is_mutable)) [[unlikely]] {
    return slowly(pos, Op::global_get, [&] { fail_global(index); });
  }
  if constexpr (kReports) immediates_.index = index;
  report_at(pos, Op::global_get);
  push(module_.globals[index].type.type);
}

// local.set and local.tee
template <class Sink, bool kChecked>
inline void FunctionWalk<Sink, kChecked>::local_set(Position& pos, Op op) {
  std::uint32_t index = 0;
  if (!read_u32(pos, "local index", index)) return;
  ValType type;
  if (index < plain_locals_.size()) [[likely]] {
    type = plain_locals_[index];
  } else {
    bool ok = false;
    slowly(pos, op, [&] { ok = check_local(index, false); });
    if (!ok) return;
    type = locals_.type(index);
  }
  if (available() == 0 || (kChecked && operands_.from_top(0).type != type)) [[unlikely]] {
    bool ok = false;
    slowly(pos, op, [&] { ok = check_top(type); });
    if (!ok) return;
  }
  if constexpr (kReports) immediates_.index = index;
  report_at(pos, op);
  if (available() != 0) [[likely]]
    operands_.drop(1);
  if (op == Op::local_tee) push(type);
  if (kChecked && index >= plain_locals_.size()) [[unlikely]]
    locals_.set(index);
}

// A local that is not plain: there may be no such local, or it may have to be set before it is read.
template <class Sink, bool kChecked>
bool FunctionWalk<Sink, kChecked>::check_local(std::uint32_t index, bool is_read) {
  if (index >= locals_.size()) return fail(unknown_message("local", index, locals_.size(), "function"));
  if (!kChecked || !is_read || locals_.is_set(index)) return true;
  return fail("uninitialized local: local " + std::to_string(index) + " of type " +
              wasm::to_string(locals_.type(index)) + " has no default and is not set on every path to here");
}

// All that is not in the loop.
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
      if (reachable_) {
        charge(1);
        sink_.unreachable(*this);
      }
      return set_unreachable();
    case Op::nop:
      return report(op_);
    case Op::else_:
      return else_();
    case Op::br_table:
      return br_table();
    case Op::return_:
      return return_();
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
    case Op::call_indirect:
      return call_indirect(false);
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
inline void FunctionWalk<Sink, kChecked>::simple(Position& pos, Op op) {
  const ShortSignature& signature = short_signature_of(op);
  if (!operands_.template fits<kChecked>(signature)) [[unlikely]]
    return slowly(pos, op, [&] { apply_signature(wasm::kI32); });
  report_at(pos, op);
  operands_.replace(signature);
}

// Any instruction whose row of opcodes.def says all about its types.
template <class Sink, bool kChecked>
void FunctionWalk<Sink, kChecked>::fixed() {
  if (read_immediates()) apply_signature(address_of_immediates());
}

// With any number of operands, behind an unconditional branch, and with 64-bit addresses.
template <class Sink, bool kChecked>
void FunctionWalk<Sink, kChecked>::apply_signature(ValType address) {
  Signature signature = signature_of(op_);
  for (std::size_t i = 0; i < signature.count; ++i) {
    if ((signature.addresses >> i & 1) != 0) signature.params[i] = address;
  }
  if ((signature.addresses & Signature::kResultAddress) != 0) signature.results[0] = address;
  if (!check_top(Types(signature.params.data(), signature.count))) return;
  report(op_);
  drop(signature.count);
  for (std::size_t i = 0; i < signature.result_count; ++i) push(signature.results[i]);
}

template <class Sink, bool kChecked>
template <class Read>
inline void FunctionWalk<Sink, kChecked>::constant(Position& pos, Op op, ValType type, Read read) {
  const auto put = [&](std::int64_t value) {
    immediates_.bits = type == wasm::kI32 ? static_cast<std::uint32_t>(value) : static_cast<std::uint64_t>(value);
  };
  const auto leb = reader_.end() - pos >= 8 ? detail::read_short_leb(pos) : detail::ShortLeb{8, 0};
  if (pos != reader_.end() && *pos < 0x80) [[likely]] {
    put(base::sign_extend7(*pos++));
  } else if (leb.length <= 4) [[likely]] {
    const std::uint32_t unused = 32 - 7 * leb.length;
    put(static_cast<std::int32_t>(leb.bits << unused) >> unused);
    pos += leb.length;
  } else {
    slowly(pos, op, [&] { immediates_.bits = read(); });
    if (!reader_.ok()) [[unlikely]]
      return;
  }
  report_at(pos, op);
  push(type);
}

// The loads and stores of the loop, whose only immediate is a memarg.
template <class Sink, bool kChecked>
inline void FunctionWalk<Sink, kChecked>::memory_access(Position& pos, Op op) {
  const ShortSignature& signature = short_signature_of(op);
  MemArg& memarg = immediates_.memarg;
  // The usual case: memory 0 with 32-bit addresses, at most the natural alignment, an offset of one or two bytes.
  const auto left = reader_.end() - pos;
  if (left >= 3 && pos[0] <= signature.align && (pos[1] & pos[2]) < 0x80 && has_usual_memory_) [[likely]] {
    const bool is_long = pos[1] >= 0x80;
    if constexpr (kReports) {
      memarg.align = pos[0];
      memarg.memory = wasm::MemoryIndex(0);
      memarg.offset = is_long ? (pos[1] & 0x7FU) | std::uint32_t{pos[2]} << 7 : pos[1];
    }
    pos += is_long ? 3 : 2;
    if (operands_.template fits<kChecked>(signature)) [[likely]] {
      report_at(pos, op);
      operands_.replace(signature);
      return;
    }
    return slowly(pos, op, [&] { apply_signature(wasm::kI32); });
  }
  slowly(pos, op, [&] { fixed(); });
}

// Reads a memarg and checks all of it.
template <class Sink, bool kChecked>
bool FunctionWalk<Sink, kChecked>::read_memarg() {
  constexpr std::uint32_t kMemoryBit = 64;
  MemArg& memarg = immediates_.memarg;
  const std::uint32_t flags = reader_.u32("memory access flags");
  memarg.align = flags & ~kMemoryBit;
  memarg.memory = wasm::MemoryIndex(0);
  if ((flags & kMemoryBit) != 0) {
    features_.add(wasm::Feature::multi_memory);
    memarg.memory = wasm::MemoryIndex(reader_.u32("memory index"));
  }
  memarg.offset = reader_.u64("memory offset");
  if (!reader_.ok()) return false;
  if (flags >= 2 * kMemoryBit) return fail(ErrorKind::malformed, "malformed memop flags: bit 7 or above is set");
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
    case wasm::ImmediateKind::memarg:
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
    case memarg:
      return read_memarg();
    case memarg_lane:
      if (!read_memarg()) return false;
      [[fallthrough]];
    case lane:
      immediates_.lane = reader_.u8("lane");
      return reader_.ok() && check_lane();
    case f32:
      immediates_.bits = reader_.fixed32("f32 constant");
      return reader_.ok();
    case f64:
      immediates_.bits = reader_.fixed64("f64 constant");
      return reader_.ok();
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
