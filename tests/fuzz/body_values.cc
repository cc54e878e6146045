// Numbers, vectors and variables.
#include <algorithm>
#include <bit>
#include <string_view>

#include "fuzz/body.h"
#include "fuzz/edges.h"
#include "validate/signatures.h"

namespace wasi::test::fuzz {

using wasm::ImmediateKind;
using wasm::Op;

namespace {

constexpr int kMaxDepth = 7;

// Of two operands that are NaNs its result may be either.
constexpr bool may_choose_nan(Op op) {
  const std::string_view text = wasm::info(op).text;
  if (!text.starts_with('f')) return false;
  const std::string_view name = text.substr(text.find('.') + 1);
  for (const std::string_view choosing :
       {"add", "sub", "mul", "div", "min", "max", "relaxed_madd", "relaxed_nmadd", "relaxed_min", "relaxed_max"}) {
    if (name == choosing) return true;
  }
  return false;
}

constexpr bool takes_root(Op op) { return wasm::info(op).text.ends_with(".sqrt"); }

// Its uppermost operand, a float, becomes bits of something else.
constexpr bool shows_bits(Op op) {
  switch (op) {
    case Op::i32_reinterpret_f32:
    case Op::i64_reinterpret_f64:
    case Op::f32_copysign:
    case Op::f64_copysign:
    case Op::f32x4_splat:
    case Op::f64x2_splat:
    case Op::f32x4_replace_lane:
    case Op::f64x2_replace_lane:
      return true;
    default:
      return false;
  }
}

constexpr bool divides(Op op) {
  return (op >= Op::i32_div_s && op <= Op::i32_rem_u) || (op >= Op::i64_div_s && op <= Op::i64_rem_u);
}

// Trapping conversions to integers.
constexpr bool truncates(Op op) {
  const std::string_view text = wasm::info(op).text;
  return wasm::info(op).prefix == 0 && text.find(".trunc_f") != text.npos;
}

constexpr std::uint32_t lanes_of(std::string_view text) {
  return text.starts_with("i8x16") ? 16 : text.starts_with("i16x8") ? 8 : text.substr(1).starts_with("32x4") ? 4 : 2;
}

template <auto kTest>
bool is(Op op) {
  static const auto kTable = [] {
    std::array<bool, wasm::kOpCount> table{};
    for (std::uint16_t i = 0; i < wasm::kOpCount; ++i) table[i] = kTest(static_cast<Op>(i));
    return table;
  }();
  return kTable[static_cast<std::size_t>(op)];
}

}  // namespace

void BodyGenerator::push_value(ValType type) {
  if (is_at_end() || depth_ >= kMaxDepth) {
    write_simple(type);
    return push(type);
  }
  ++depth_;
  // What waits on the stack is for somebody else.
  const std::size_t floor = floor_;
  floor_ = stack_.size();
  node([&] {
    constexpr std::uint8_t kWeights[] = {100, 80, 22, 12, 12, 10};
    switch (e_.weighted(kWeights)) {
      case 0:
        return leaf(type);
      case 1:
        return operation_giving(type) ? void() : leaf(type);
      case 2:
        return compound(type);
      case 3:
        return select(type);
      case 4: {
        leaf(type);
        const std::uint32_t local = settable_local(stack_.back());
        op(Op::local_tee, local);
        stack_.back() = locals_[local].type;
        if (types_.matches(stack_.back(), type)) return;
        sink_top();
        return leaf(type);
      }
      default:
        // Something else happens while the value waits.
        leaf(type);
        return statement();
    }
  });
  floor_ = std::min(floor, floor_);
  --depth_;
}

void BodyGenerator::leaf(ValType type) {
  const auto choose = [&](const auto& list, auto type_of, auto may_read) -> std::optional<std::uint32_t> {
    std::vector<std::uint32_t> found;
    for (std::uint32_t i = 0; i < list.size(); ++i) {
      if (may_read(list[i]) && types_.matches(type_of(list[i]), type)) found.push_back(i);
    }
    if (found.empty()) return std::nullopt;
    return e_.pick(found);
  };
  if (e_.chance(150)) {
    const auto local = choose(
        locals_, [](const Local& item) { return item.type; },
        [](const Local& item) { return item.is_set && !item.is_reserved; });
    if (local) {
      op(Op::local_get, *local);
      return push(locals_[*local].type);
    }
  }
  if (e_.chance(60)) {
    const auto global = choose(
        module_.globals, [](const GlobalPlan& item) { return item.type.type; }, [](const GlobalPlan&) { return true; });
    if (global) {
      op(Op::global_get, *global);
      return push(module_.globals[*global].type.type);
    }
  }
  if (type.is_ref()) return push_reference(type);
  constant(type);
}

void BodyGenerator::constant(ValType type) {
  constexpr Op kConstants[] = {Op::nop, Op::i32_const, Op::i64_const, Op::f32_const, Op::f64_const, Op::v128_const};
  const Op chosen = kConstants[static_cast<std::size_t>(type.kind())];
  op(chosen);
  write_immediate(chosen);
  push(type);
}

void BodyGenerator::number(std::uint64_t value, ValType type) {
  op(type == wasm::kI64 ? Op::i64_const : Op::i32_const);
  out_.s64(type == wasm::kI64 ? static_cast<std::int64_t>(value) : static_cast<std::int32_t>(value));
  push(type);
}

void BodyGenerator::write_immediate(Op op) {
  switch (wasm::info(op).immediate) {
    case ImmediateKind::i32:
      return out_.s64(static_cast<std::int32_t>(edge_i32(e_)));
    case ImmediateKind::i64:
      return out_.s64(static_cast<std::int64_t>(edge_i64(e_)));
    case ImmediateKind::f32:
      return out_.fixed32(edge_f32(e_));
    case ImmediateKind::f64:
      return out_.fixed64(edge_f64(e_));
    case ImmediateKind::v128:
      for (const std::uint64_t half : edge_v128(e_)) out_.fixed64(half);
      return;
    case ImmediateKind::lane:
      return out_.u8(static_cast<std::uint8_t>(e_.below(lanes_of(wasm::info(op).text))));
    case ImmediateKind::memarg_lane:
      return out_.u8(static_cast<std::uint8_t>(e_.below(16 / wasm::info(op).access)));
    case ImmediateKind::shuffle: {
      // Regular ones have instructions of their own on many machines.
      const std::uint32_t step = e_.pick({0U, 1U, 2U, 4U, 99U});
      const std::uint32_t first = e_.below(32);
      for (std::uint32_t i = 0; i < 16; ++i) {
        const std::uint32_t lane = step == 99  ? e_.byte()
                                   : step == 0 ? first
                                               : first + (i / step) * step * 2 + i % step;
        out_.u8(static_cast<std::uint8_t>((step == 1 ? first + i : lane) % 32));
      }
      return;
    }
    case ImmediateKind::zero_byte:
      return out_.u8(0);
    default:
      return;
  }
}

bool BodyGenerator::operation_giving(ValType type) {
  if (type.is_ref()) {
    switch (e_.below(3)) {
      case 0:
        return table_get(type);
      case 1:
        return field_giving(type);
      default:
        return !is_leaf_ && call_giving(type);
    }
  }
  const auto kind = static_cast<std::size_t>(type.kind());
  const auto& loads = g_.operations.loading[kind];
  if (!module_.memories.empty() && !loads.empty() && e_.chance(70)) {
    access(e_.pick(loads));
    return true;
  }
  if (e_.chance(10) && field_giving(type)) return true;
  if (e_.chance(6) && size_giving(type)) return true;
  const auto& operations = g_.operations.giving[kind];
  if (operations.empty()) return false;
  operation(e_.pick(operations));
  return true;
}

void BodyGenerator::operation(Op chosen) {
  const validate::Signature& signature = validate::signature_of(chosen);
  const Types params(signature.params.data(), signature.count);
  bool has_number = false;  // as an operand, which is no NaN then
  if (is<divides>(chosen)) {
    need(params.first(1));
    push_divisor(params[1]);
  } else if (is<truncates>(chosen) && !e_.chance(40)) {
    push_value(wasm::kI32);
    number(0xFFFF, wasm::kI32);
    combine(Op::i32_and, wasm::kI32);
    op(params[0] == wasm::kF32 ? Op::f32_convert_i32_u : Op::f64_convert_i32_u);
    consume(1);
    push(params[0]);
  } else if (is<may_choose_nan>(chosen) && params.size() == 2 && e_.chance(90)) {
    need(params.first(1));
    has_number = g_.has_exact_nans;
    if (params[1] == wasm::kF32) {
      op(Op::f32_const);
      out_.fixed32(edge_f32(e_, true));
    } else if (params[1] == wasm::kF64) {
      op(Op::f64_const);
      out_.fixed64(edge_f64(e_, true));
    } else {
      op(Op::v128_const);
      const bool is_single = wasm::info(chosen).text.starts_with("f32");
      for (int half = 0; half < 2; ++half) {
        std::uint64_t bits = is_single ? edge_f32(e_, true) : edge_f64(e_, true);
        if (is_single) bits |= std::uint64_t{edge_f32(e_, true)} << 32;
        out_.fixed64(bits);
      }
    }
    push(params[1]);
  } else {
    need(params);
  }
  if (g_.has_loose_nans && is<shows_bits>(chosen)) canonicalize_top(params.back());
  op(chosen);
  write_immediate(chosen);
  consume(params.size());
  for (std::size_t i = 0; i < signature.result_count; ++i) push(signature.results[i]);
  const bool may_vary = is<may_choose_nan>(chosen) || (!g_.has_exact_nans && is<takes_root>(chosen));
  if (may_vary && !has_number && (!g_.has_loose_nans || stack_.back() == wasm::kV128)) {
    const bool is_single = wasm::info(chosen).text.starts_with("f32");
    if (stack_.back() != wasm::kV128) return canonicalize_top(stack_.back());
    const std::uint32_t local = scratch(wasm::kV128);
    op(Op::local_tee, local);
    op(Op::v128_const);
    for (int half = 0; half < 2; ++half) out_.fixed64(is_single ? 0x7FC0'0000'7FC0'0000 : 0x7FF8'0000'0000'0000);
    op(Op::local_get, local);
    op(Op::local_get, local);
    op(is_single ? Op::f32x4_eq : Op::f64x2_eq);
    op(Op::v128_bitselect);
  }
}

// A scalar float on the stack becomes the canonical NaN when it is one.
void BodyGenerator::canonicalize_top(ValType type) {
  const std::uint32_t local = scratch(type);
  op(Op::local_tee, local);
  if (type == wasm::kF32) {
    op(Op::f32_const);
    out_.fixed32(0x7FC0'0000);
  } else {
    op(Op::f64_const);
    out_.fixed64(0x7FF8'0000'0000'0000);
  }
  op(Op::local_get, local);
  op(Op::local_get, local);
  op(type == wasm::kF32 ? Op::f32_eq : Op::f64_eq);
  op(Op::select);
}

// Seldom zero, since a trap ends the call and all that would come.
void BodyGenerator::push_divisor(ValType type) {
  const std::uint32_t choice = e_.below(16);
  if (choice < 6) {
    const std::uint64_t divisors[] = {1, 2, 3, 5, 7, 10, 16, 255, 641, 1000, 1U << 9, 0x10001, UINT64_MAX};
    return number(e_.pick(divisors), type);
  }
  if (choice < 11) {
    const std::uint64_t divisor = type == wasm::kI64 ? edge_i64(e_) : edge_i32(e_);
    return number(divisor == 0 ? UINT64_MAX - 4 : divisor, type);
  }
  push_value(type);
  if (choice == 15) return;
  number(1, type);
  combine(type == wasm::kI32 ? Op::i32_or : Op::i64_or, type);
}

void BodyGenerator::select(ValType type) {
  need({type, type, wasm::kI32});
  if (type.is_ref() || e_.chance(40)) {
    op(Op::select_t, 1);
    write_type(out_, type);
  } else {
    op(Op::select);
  }
  consume(3);
  push(type);
}

void BodyGenerator::set_local() {
  if (e_.chance(60)) return update_local();
  std::uint32_t local = 0;
  if (available() > 0 && e_.chance(150)) {
    local = settable_local(stack_.back());
  } else {
    local = settable_local(choose_type());
    push_value(locals_[local].type);
  }
  write_local(local);
}

void BodyGenerator::write_local(std::uint32_t local) {
  if (e_.chance(60)) {
    op(Op::local_tee, local);
    consume(1);
    return push(locals_[local].type);
  }
  op(Op::local_set, local);
  consume(1);
}

// x = x op y or x = y op x, as most programs are full of.
void BodyGenerator::update_local() {
  std::vector<std::uint32_t> numbers;
  for (std::uint32_t i = 0; i < locals_.size(); ++i) {
    if (!locals_[i].is_reserved && !locals_[i].type.is_ref()) numbers.push_back(i);
  }
  if (numbers.empty()) return;
  const std::uint32_t local = e_.pick(numbers);
  const ValType type = locals_[local].type;
  const auto& operations = g_.operations.giving[static_cast<std::size_t>(type.kind())];
  if (operations.empty()) return;
  const Op chosen = e_.pick(operations);
  const validate::Signature& signature = validate::signature_of(chosen);
  // An operand of its type is the local itself.
  for (std::size_t i = 0; i < signature.count; ++i) {
    if (signature.params[i] != type || (i + 1 < signature.count && e_.chance(50))) continue;
    const std::size_t floor = floor_;
    floor_ = stack_.size();
    need(Types(signature.params.data(), i));
    op(Op::local_get, local);
    push(type);
    operation(chosen);
    floor_ = std::min(floor, floor_);
    return write_local(local);
  }
  push_value(type);
  write_local(local);
}

void BodyGenerator::access_global() {
  const std::uint32_t global = e_.below(module_.globals.size());
  const GlobalPlan& plan = module_.globals[global];
  if (plan.is_reserved || !plan.type.is_mutable || e_.chance(100)) {
    op(Op::global_get, global);
    return push(plan.type.type);
  }
  need({plan.type.type});
  op(Op::global_set, global);
  consume(1);
}

void BodyGenerator::compound(ValType type) {
  switch (e_.below(10)) {
    case 0:
    case 1:
      return block_of(Op::block, {}, {type});
    case 2:
    case 3:
      return block_of(Op::if_, {}, {type});
    case 4:
      return block_of(Op::loop, {}, {type});
    case 5:
      if (g_.features.has_exceptions) return try_table_of({type});
      if (g_.features.has_legacy_exceptions) return legacy_try_of({type});
      break;
    case 6:
      statement();
      break;
    default:
      if (!is_leaf_ && call_giving(type)) return;
  }
  leaf(type);
}

}  // namespace wasi::test::fuzz
