// Blocks, branches and exceptions.
#include <algorithm>

#include "binary/format.h"
#include "fuzz/body.h"

namespace wasi::test::fuzz {

using wasm::Op;

// Every entry of a function that calls and every turn of a loop costs one, so that all comes to an end.
void BodyGenerator::check_fuel() {
  op(Op::global_get, module_.fuel);
  op(Op::i32_eqz);
  op(Op::if_);
  out_.u8(0x40);
  leave_without_fuel();
  op(Op::end);
  op(Op::global_get, module_.fuel);
  op(Op::i32_const, 1);
  op(Op::i32_sub);
  op(Op::global_set, module_.fuel);
}

void BodyGenerator::leave_without_fuel() {
  if (e_.chance(100)) return op(Op::unreachable);
  for (const ValType type : type_.results) write_simple(type);
  op(Op::return_);
}

BodyGenerator::TypeList BodyGenerator::choose_params() {
  const std::size_t most = std::min<std::size_t>(available(), g_.features.has_large_frames ? 30 : 3);
  const std::size_t count = e_.chance(100) ? e_.below(most + 1) : 0;
  return {stack_.end() - static_cast<std::ptrdiff_t>(count), stack_.end()};
}

BodyGenerator::TypeList BodyGenerator::choose_results() {
  if (e_.chance(100)) return {};
  if (!e_.chance(100)) return {choose_type()};
  TypeList results(e_.below(g_.features.has_large_frames ? 40 : 4));
  for (ValType& type : results) type = choose_type();
  return results;
}

// The parameters are on the stack.
void BodyGenerator::block_of(Op kind, const TypeList& params, const TypeList& results) {
  if (kind == Op::if_) push_value(wasm::kI32);
  open(kind, params, results);
  if (kind == Op::loop) {
    ++loops_;
    check_fuel();
  }
  sequence(e_.below(12));
  if (kind == Op::loop && e_.chance(170)) {
    need(params);
    push_value(wasm::kI32);
    op(Op::br_if, 0);
    consume(1 + params.size());
    push(params);
  }
  finish();
  if (kind == Op::if_ && (params != results || e_.chance(128))) {
    op(Op::else_);
    start_arm(params);
    sequence(e_.below(12));
    finish();
  }
  if (kind == Op::loop) --loops_;
  op(Op::end);
  close();
}

// As most programs have them: up or down to a constant.
void BodyGenerator::loop_that_counts() {
  const ValType type = e_.chance(80) ? wasm::kI64 : wasm::kI32;
  const bool is_long = type == wasm::kI64;
  const bool is_down = e_.chance(100);
  const bool is_free = (loops_ == 0 || (is_leaf_ && loops_ < 2)) && e_.chance(150);
  const std::uint64_t turns = e_.pick({1U, 2U, 3U, 8U, is_free && loops_ == 0 ? 30U : 12U});
  const std::uint32_t counter = new_local(type, true);
  number(is_down ? turns : 0, type);
  op(Op::local_set, counter);
  consume(1);
  open(Op::loop, {}, {});
  ++loops_;
  // A branch back from the middle would not count.
  if (is_free) {
    frame().is_target = false;
  } else {
    check_fuel();
  }
  sequence(e_.between(1, 12));
  finish();
  --loops_;
  op(Op::local_get, counter);
  op(is_long ? Op::i64_const : Op::i32_const, 1);
  op(is_down ? (is_long ? Op::i64_sub : Op::i32_sub) : (is_long ? Op::i64_add : Op::i32_add));
  op(Op::local_tee, counter);
  op(is_long ? Op::i64_const : Op::i32_const, is_down ? 0 : turns);
  if (is_down) {
    op(e_.chance(128) ? (is_long ? Op::i64_ne : Op::i32_ne) : (is_long ? Op::i64_gt_s : Op::i32_gt_s));
  } else {
    op(e_.chance(128) ? (is_long ? Op::i64_lt_u : Op::i32_lt_u) : (is_long ? Op::i64_ne : Op::i32_ne));
  }
  op(Op::br_if, 0);
  op(Op::end);
  close();
}

void BodyGenerator::control() {
  constexpr std::uint8_t kWeights[] = {3, 4, 3, 5, 3, 2};
  switch (e_.weighted(kWeights)) {
    case 0:
      return block_of(Op::block, choose_params(), choose_results());
    case 1:
      return block_of(Op::if_, choose_params(), choose_results());
    case 2:
      return block_of(Op::loop, choose_params(), choose_results());
    case 3:
      return loop_that_counts();
    case 4:
      return loop_over_memory();
    default:
      if (g_.features.has_exceptions) return try_table_of(choose_results());
      return block_of(Op::block, choose_params(), choose_results());
  }
}

std::size_t BodyGenerator::choose_target() {
  for (int tries = 0; tries < 4; ++tries) {
    const std::size_t frame = frames_.size() - 1 - e_.below(std::min<std::size_t>(frames_.size(), 5));
    if (frames_[frame].is_target) return frame;
  }
  return 0;
}

void BodyGenerator::branch() {
  constexpr std::uint8_t kWeights[] = {9, 3, 5, 2, 1};
  switch (e_.weighted(kWeights)) {
    case 0:
      return branch_if();
    case 1:
      return branch_table();
    case 2:
      return maybe_leave();
    case 3:
      return g_.features.has_references ? branch_on_null() : branch_if();
    default:
      return frames_.size() > 1 ? leave() : branch_if();
  }
}

void BodyGenerator::branch_if() {
  const std::size_t target = choose_target();
  const TypeList labels = frames_[target].labels;
  need(labels);
  push_value(wasm::kI32);
  op(Op::br_if, depth_of(target));
  consume(1 + labels.size());
  push(labels);
}

void BodyGenerator::branch_table() {
  const bool is_wrapped = e_.chance(220);
  if (is_wrapped) open(Op::block, {}, {});
  const TypeList labels = frames_[choose_target()].labels;
  std::vector<std::size_t> targets;
  for (std::size_t i = 0; i < frames_.size(); ++i) {
    if (frames_[i].is_target && frames_[i].labels == labels) targets.push_back(i);
  }
  need(labels);
  push_value(wasm::kI32);
  const std::uint32_t count = e_.chance(8) ? e_.below(300) : e_.below(8);
  if (e_.chance(180)) {
    number(7, wasm::kI32);
    combine(Op::i32_and, wasm::kI32);
  }
  op(Op::br_table, count);
  for (std::uint32_t i = 0; i <= count; ++i) out_.u32(depth_of(e_.pick(targets)));
  consume(1);
  mark_unreachable();
  if (is_wrapped) {
    op(Op::end);
    close();
  }
}

void BodyGenerator::branch_on_null() {
  const ValType type = choose_reference().as_nullable(true);
  if (e_.chance(128)) {
    const std::size_t target = choose_target();
    TypeList operands = frames_[target].labels;
    operands.push_back(type);
    need(operands);
    op(Op::br_on_null, depth_of(target));
    consume(operands.size());
    operands.back() = type.as_nullable(false);
    return push(operands);
  }
  open(Op::block, {}, std::array{type.as_nullable(false)});
  push_value(type);
  op(Op::br_on_non_null, 0);
  consume(1);
  sequence(e_.below(3));
  finish();
  op(Op::end);
  close();
}

// What is behind it is not reached.
void BodyGenerator::leave() {
  constexpr std::uint8_t kWeights[] = {10, 6, 1, 6, 8};
  switch (e_.weighted(kWeights)) {
    case 2:
      op(Op::unreachable);
      return mark_unreachable();
    case 3:
      if (module_.tags.empty()) break;
      return throw_something();
    case 4:
      if (!g_.features.has_tail_calls || is_leaf_ || !tail_call()) break;
      return;
    case 1: {
      need(type_.results);
      op(Op::return_);
      return mark_unreachable();
    }
    default:
      break;
  }
  const std::size_t target = choose_target();
  const TypeList labels = frames_[target].labels;
  need(labels);
  op(Op::br, depth_of(target));
  mark_unreachable();
}

void BodyGenerator::maybe_leave() {
  need({wasm::kI32});
  open(Op::if_, {}, {});
  leave();
  sequence(e_.below(3));
  finish();
  op(Op::end);
  close();
}

void BodyGenerator::throw_something() {
  for (std::size_t i = 0; i < frames_.size(); ++i) {
    if (frames_[i].is_catch && e_.chance(80)) {
      op(Op::rethrow, depth_of(i));
      return mark_unreachable();
    }
  }
  if (g_.features.has_exceptions && e_.chance(top_is(wasm::kExnRef) ? 200 : 20)) {
    need({wasm::kExnRef});
    op(Op::throw_ref);
    return mark_unreachable();
  }
  const std::uint32_t tag = e_.below(module_.tags.size());
  const TypeList params = types_.at(module_.tags[tag].type).func.params;
  need(params);
  op(Op::throw_, tag);
  mark_unreachable();
}

void BodyGenerator::exception() {
  if (module_.tags.empty()) return control();
  if (g_.features.has_legacy_exceptions && e_.chance(g_.features.has_exceptions ? 100 : 255)) {
    return legacy_try_of(choose_results());
  }
  if (!g_.features.has_exceptions) return control();
  try_table_of(choose_results());
}

// The frame on top takes what the first clause catches.
void BodyGenerator::write_clauses(std::uint32_t tag, bool with_reference) {
  const ValType exception = reference(AbstractHeap::exn, false);
  ByteWriter clauses;
  std::uint32_t count = 1;
  const auto write = [&](std::uint8_t kind, std::uint32_t caught, std::uint32_t depth) {
    clauses.u8(kind);
    if (kind <= binary::format::kCatchRef) clauses.u32(caught);
    clauses.u32(depth);
  };
  const auto write_other = [&] {
    const auto kind = static_cast<std::uint8_t>(e_.below(4));
    const std::uint32_t caught = e_.below(module_.tags.size());
    TypeList values;
    if (kind <= binary::format::kCatchRef) values = types_.at(module_.tags[caught].type).func.params;
    if (kind == binary::format::kCatchRef || kind == binary::format::kCatchAllRef) values.push_back(exception);
    for (std::size_t i = frames_.size(); i-- > 0;) {
      if (!frames_[i].is_target || !types_.match(values, frames_[i].labels)) continue;
      ++count;
      return write(kind, caught, depth_of(i));
    }
  };
  if (e_.chance(40)) write_other();
  write(with_reference ? binary::format::kCatchRef : binary::format::kCatch, tag, 0);
  for (std::uint32_t more = e_.below(4); more > 0; --more) write_other();
  out_.u32(count);
  out_.append(clauses);
}

void BodyGenerator::try_table_of(const TypeList& results) {
  const std::uint32_t tag = e_.below(module_.tags.size());
  const bool with_reference = e_.chance(90);
  TypeList caught = types_.at(module_.tags[tag].type).func.params;
  if (with_reference) caught.push_back(reference(AbstractHeap::exn, false));
  open(Op::block, {}, results);
  open(Op::block, {}, caught);

  op(Op::try_table);
  write_block_type({}, results);
  write_clauses(tag, with_reference);
  enter(Op::try_table, {}, results);
  sequence(e_.below(8));
  if (e_.chance(100)) maybe_leave();
  if (e_.chance(60)) {
    need(types_.at(module_.tags[tag].type).func.params);
    op(Op::throw_, tag);
    mark_unreachable();
  }
  finish();
  op(Op::end);
  close();

  op(Op::br, 1);
  mark_unreachable();
  op(Op::end);
  close();
  sequence(e_.below(6));
  finish();
  op(Op::end);
  close();
}

void BodyGenerator::legacy_arm(Types params) {
  start_arm(params);
  frame().is_catch = true;
  sequence(e_.below(6));
  if (e_.chance(60)) maybe_leave();
  finish();
}

void BodyGenerator::legacy_try_of(const TypeList& results) {
  op(Op::try_);
  write_block_type({}, results);
  enter(Op::try_, {}, results);
  sequence(e_.below(8));
  if (e_.chance(100)) maybe_leave();
  if (e_.chance(50)) throw_something();
  finish();
  if (frames_.size() > 1 && e_.chance(50)) {
    // Counted from outside of the try.
    op(Op::delegate, e_.below(frames_.size() - 1));
    return close();
  }
  for (std::uint32_t catches = e_.below(4); catches > 0; --catches) {
    const std::uint32_t tag = e_.below(module_.tags.size());
    op(Op::catch_, tag);
    legacy_arm(TypeList(types_.at(module_.tags[tag].type).func.params));
  }
  if (e_.chance(128)) {
    op(Op::catch_all);
    legacy_arm({});
  }
  op(Op::end);
  close();
}

}  // namespace wasi::test::fuzz
