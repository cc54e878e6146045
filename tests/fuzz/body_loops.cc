// Loops over the elements of a memory, as compilers of programs make them, and as vectorisers look for them.
#include <bit>
#include <span>

#include "binary/format.h"
#include "fuzz/body.h"

namespace wasi::test::fuzz {

using wasm::Op;

namespace {

struct Element {
  ValType type;
  Op load;
  Op store;
  std::uint32_t bytes;
};
constexpr Element kElements[] = {
    {wasm::kI32, Op::i32_load, Op::i32_store, 4},       {wasm::kI32, Op::i32_load8_u, Op::i32_store8, 1},
    {wasm::kI32, Op::i32_load8_s, Op::i32_store8, 1},   {wasm::kI32, Op::i32_load16_u, Op::i32_store16, 2},
    {wasm::kI32, Op::i32_load16_s, Op::i32_store16, 2}, {wasm::kI64, Op::i64_load, Op::i64_store, 8},
    {wasm::kI64, Op::i64_load32_s, Op::i64_store32, 4}, {wasm::kI64, Op::i64_load8_u, Op::i64_store8, 1},
    {wasm::kF32, Op::f32_load, Op::f32_store, 4},       {wasm::kF64, Op::f64_load, Op::f64_store, 8},
    {wasm::kV128, Op::v128_load, Op::v128_store, 16},
};
constexpr Op kI32Operations[] = {Op::i32_add, Op::i32_sub,  Op::i32_mul,   Op::i32_and,   Op::i32_or,
                                 Op::i32_xor, Op::i32_rotl, Op::i32_shr_u, Op::i32_shr_s, Op::i32_shl};
constexpr Op kI64Operations[] = {Op::i64_add, Op::i64_sub,  Op::i64_mul,   Op::i64_and,   Op::i64_or,
                                 Op::i64_xor, Op::i64_rotl, Op::i64_shr_u, Op::i64_shr_s, Op::i64_shl};
constexpr Op kF32Operations[] = {Op::f32_add, Op::f32_sub, Op::f32_mul, Op::f32_div, Op::f32_min, Op::f32_max};
constexpr Op kF64Operations[] = {Op::f64_add, Op::f64_sub, Op::f64_mul, Op::f64_div, Op::f64_min, Op::f64_max};
constexpr Op kV128Operations[] = {Op::i8x16_add, Op::i16x8_mul, Op::i32x4_sub, Op::i64x2_add, Op::v128_xor};
constexpr std::uint64_t kMostTurns = 64;

std::span<const Op> operations_on(ValType type) {
  switch (type.kind()) {
    case ValType::Kind::i32:
      return kI32Operations;
    case ValType::Kind::i64:
      return kI64Operations;
    case ValType::Kind::f32:
      return kF32Operations;
    case ValType::Kind::f64:
      return kF64Operations;
    default:
      return kV128Operations;
  }
}

}  // namespace

// One or two arrays, which may overlap, forwards or backwards. Some end behind the memory's end; some begin at an
// address from which the first index wraps around.
void BodyGenerator::loop_over_memory() {
  std::vector<std::uint32_t> found;
  for (std::uint32_t i = 0; i < module_.memories.size(); ++i) {
    if (module_.memories[i].bytes() >= 4096) found.push_back(i);
  }
  if (found.empty() || loops_ > 1) return loop_that_counts();
  const std::uint32_t memory = e_.pick(found);
  const Place place = place_of(module_.memories[memory]);
  const bool is_64 = place.is_64;
  const ValType type = is_64 ? wasm::kI64 : wasm::kI32;
  std::vector<Element> elements;
  for (const Element& element : kElements) {
    const bool is_float = element.type == wasm::kF32 || element.type == wasm::kF64;
    if ((is_float && !g_.features.has_floats) || (element.type == wasm::kV128 && !g_.features.has_simd)) continue;
    elements.push_back(element);
  }
  const Element element = e_.pick(elements);
  const std::uint64_t first = e_.chance(170) ? 0 : e_.below(200);
  const std::uint64_t turns = e_.pick({1U, 2U, 4U, 7U, 16U, 33U, 64U, 64U});
  const std::uint64_t stride = e_.pick({1U, 1U, 1U, 1U, 2U, 3U});
  const bool is_backwards = e_.chance(60);
  const std::uint64_t offset = e_.chance(128) ? 0 : e_.below(64);
  const auto integer = [&](Op narrow, Op wide) { op(is_64 ? wide : narrow); };
  const auto constant_of = [&](std::uint64_t value) {
    number(value, type);
    consume(1);
  };

  // From where, to where, up to which index, and what the elements are combined with.
  const std::uint64_t span = element.bytes * kMostTurns + offset;
  const auto make_base = [&] {
    const std::uint32_t base = new_local(type, true);
    if (e_.chance(20)) {
      number(place.size - element.bytes * e_.below(turns + 2), type);
    } else {
      push_index(type, place.size - span, 1);
    }
    constant_of(first * element.bytes);
    integer(Op::i32_sub, Op::i64_sub);
    op(Op::local_set, base);
    consume(1);
    return base;
  };
  const std::uint32_t from = make_base();
  const std::uint32_t to = e_.chance(150) ? make_base() : from;
  const std::uint32_t end = new_local(type, true);
  if (e_.chance(128)) {
    number(first + turns, type);
  } else {
    push_value(type);
    constant_of(kMostTurns - 1);
    integer(Op::i32_and, Op::i64_and);
    constant_of(first);
    integer(Op::i32_add, Op::i64_add);
  }
  op(Op::local_set, end);
  consume(1);
  const std::uint32_t other = new_local(element.type, true);
  push_value(element.type);
  if (element.type == wasm::kF32 || element.type == wasm::kF64) canonicalize_top(element.type);
  op(Op::local_set, other);
  consume(1);
  const std::uint32_t sum = new_local(element.type, true);
  const std::uint32_t index = new_local(type, true);
  constant_of(first);
  op(Op::local_set, index);

  const bool multiplies = e_.chance(60);
  const auto write_address = [&](std::uint32_t base) {
    op(Op::local_get, base);
    if (is_backwards) {
      constant_of(2 * first + kMostTurns - 1);
      op(Op::local_get, index);
      integer(Op::i32_sub, Op::i64_sub);
    } else {
      op(Op::local_get, index);
    }
    if (element.bytes > 1) {
      constant_of(multiplies ? element.bytes : static_cast<std::uint64_t>(std::countr_zero(element.bytes)));
      multiplies ? integer(Op::i32_mul, Op::i64_mul) : integer(Op::i32_shl, Op::i64_shl);
    }
    integer(Op::i32_add, Op::i64_add);
  };
  const auto write_access = [&](Op chosen) {
    op(chosen);
    const auto natural = static_cast<std::uint32_t>(std::countr_zero(element.bytes));
    out_.u32(e_.below(natural + 1) | (memory == 0 ? 0 : binary::format::kHasMemoryIndex));
    if (memory != 0) out_.u32(memory);
    out_.u64(offset);
  };
  // Of what is on the stack and another value of the type.
  const auto write_operation = [&] {
    std::span<const Op> operations = operations_on(element.type);
    op(e_.pick(operations));
    if (element.type == wasm::kF32 || element.type == wasm::kF64) canonicalize_top(element.type);
  };
  const auto write_load = [&](std::uint32_t base) {
    write_address(base);
    write_access(element.load);
  };

  open(Op::loop, {}, {});
  // A branch back from the middle would not count.
  frame().is_target = false;
  for (std::uint32_t i = e_.between(1, 3); i > 0; --i) {
    switch (e_.below(4)) {
      case 0:
        op(Op::local_get, sum);
        write_load(from);
        write_operation();
        op(Op::local_set, sum);
        break;
      case 1:
        write_address(to);
        write_load(from);
        op(Op::local_get, other);
        op(Op::local_get, index);
        integer(Op::i32_eqz, Op::i64_eqz);
        op(Op::select);
        write_access(element.store);
        break;
      case 2:
        write_address(to);
        write_load(from);
        op(Op::local_get, other);
        write_operation();
        write_access(element.store);
        break;
      default:
        write_address(to);
        write_load(from);
        write_load(to);
        write_operation();
        write_access(element.store);
    }
  }
  op(Op::local_get, index);
  constant_of(stride);
  integer(Op::i32_add, Op::i64_add);
  op(Op::local_tee, index);
  op(Op::local_get, end);
  integer(Op::i32_lt_u, Op::i64_lt_u);
  op(Op::br_if, 0);
  op(Op::end);
  close();
  op(Op::local_get, sum);
  push(element.type);
}

}  // namespace wasi::test::fuzz
