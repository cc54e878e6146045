#include "fuzz/body.h"

#include <algorithm>

#include "validate/signatures.h"

namespace wasi::test::fuzz {

using wasm::Feature;
using wasm::ImmediateKind;
using wasm::Op;

OperationLists::OperationLists(const Features& features) {
  for (std::uint16_t i = 0; i < wasm::kOpCount; ++i) {
    const auto op = static_cast<Op>(i);
    const wasm::OpInfo& row = wasm::info(op);
    if (row.signature == "*") continue;
    const bool is_vector = row.feature == Feature::simd || row.feature == Feature::relaxed_simd;
    const bool has_floats = row.signature.find_first_of("fd") != std::string_view::npos;
    if ((is_vector && !features.has_simd) || (has_floats && !features.has_floats) ||
        (row.feature == Feature::relaxed_simd && !features.has_relaxed_simd) ||
        (row.feature == Feature::threads && !features.has_atomics) ||
        (row.feature == Feature::wide_arithmetic && !features.has_wide_arithmetic)) {
      continue;
    }
    const validate::Signature& signature = validate::signature_of(op);
    const auto kind = static_cast<std::size_t>(signature.results[0].kind());
    switch (row.immediate) {
      case ImmediateKind::memarg:
      case ImmediateKind::memarg_lane:
        if (row.feature == Feature::threads && row.code < 0x10) break;  // waiting is special
        // Vectors have so many that the others would not be seen.
        for (int times = is_vector ? 1 : 2; times > 0; --times) accesses.push_back(op);
        if (signature.result_count == 1 && row.immediate == ImmediateKind::memarg) loading[kind].push_back(op);
        break;
      case ImmediateKind::memory:
      case ImmediateKind::memory_memory:
      case ImmediateKind::data_memory:
      case ImmediateKind::data:
      case ImmediateKind::elem:
        break;
      default:
        (is_vector ? vector : scalar).push_back(op);
        if (signature.result_count == 1) giving[kind].push_back(op);
    }
  }
}

Generation::Generation(std::span<const std::uint8_t> bytes, const std::vector<bool>& left_out)
    : entropy(bytes),
      features(entropy),
      has_loose_nans(entropy.chance(100)),
      has_exact_nans(entropy.chance(60)),
      types(entropy, features),
      operations(features),
      omitted(left_out) {}

BodyGenerator::BodyGenerator(Generation& generation, const ModulePlan& module, std::uint32_t function)
    : g_(generation),
      e_(generation.entropy),
      types_(generation.types),
      module_(module),
      type_(generation.types.at(module.functions[function].type).func) {}

std::vector<std::uint8_t> BodyGenerator::generate() {
  const bool is_large = g_.features.has_large_frames && e_.chance(80);
  budget_ = static_cast<std::int32_t>(e_.chance(30) ? e_.between(100, 355) : e_.between(5, 100));
  most_operands_ = is_large ? 200 : e_.between(3, 34);
  is_leaf_ = e_.chance(50);
  for (const ValType type : type_.params) locals_.push_back({type});
  const std::uint32_t more = is_large ? e_.between(10, 100) : e_.below(9);
  for (std::uint32_t i = 0; i < more; ++i) new_local(choose_type(), false);

  frames_.push_back(
      {.kind = Op::block, .labels = type_.results, .results = type_.results, .base = 0, .floor_outside = 0});
  if (!is_leaf_) check_fuel();
  // Locals without a default get a value before all that may want one.
  for (std::size_t i = type_.params.size(); i < locals_.size(); ++i) {
    if (locals_[i].is_set) continue;
    push_value(locals_[i].type);
    op(Op::local_set, i);
    consume(1);
    locals_[i].is_set = true;
  }
  sequence(255);
  finish();
  op(Op::end);

  ByteWriter body;
  const std::size_t declared = locals_.size() - type_.params.size();
  std::vector<std::pair<std::uint32_t, ValType>> runs;
  for (std::size_t i = 0; i < declared; ++i) {
    const ValType type = locals_[type_.params.size() + i].type;
    if (runs.empty() || runs.back().second != type) runs.emplace_back(0, type);
    ++runs.back().first;
  }
  body.u64(runs.size());
  for (const auto& [count, type] : runs) {
    body.u32(count);
    write_type(body, type);
  }
  body.append(out_);
  return body.take();
}

void BodyGenerator::op(Op op) {
  ++g_.counts[static_cast<std::size_t>(op)];
  out_.op(op);
}

void BodyGenerator::op(Op op, std::uint64_t immediate) {
  this->op(op);
  out_.u64(immediate);
}

bool BodyGenerator::top_is(ValType type) const { return available() > 0 && types_.matches(stack_.back(), type); }

void BodyGenerator::consume(std::size_t count) { stack_.resize(stack_.size() - std::min(count, available())); }

void BodyGenerator::combine(Op op, ValType type) {
  this->op(op);
  consume(2);
  push(type);
}

void BodyGenerator::mark_unreachable() {
  stack_.resize(frame().base);
  floor_ = std::min(floor_, frame().base);
  frame().is_unreachable = true;
}

void BodyGenerator::write_block_type(Types params, Types results) {
  if (params.empty() && results.empty()) return out_.u8(0x40);
  if (params.empty() && results.size() == 1 && !e_.chance(30)) return write_type(out_, results[0]);
  out_.s64(types_.function_type(params, results));
}

// The parameters are on the stack, and above them the condition of an `if`.
void BodyGenerator::open(Op kind, Types params, Types results) {
  if (kind == Op::if_) consume(1);
  op(kind);
  write_block_type(params, results);
  enter(kind, params, results);
}

void BodyGenerator::enter(Op kind, Types params, Types results) {
  consume(params.size());
  const Types labels = kind == Op::loop ? params : results;
  frames_.push_back({.kind = kind,
                     .labels = {labels.begin(), labels.end()},
                     .results = {results.begin(), results.end()},
                     .base = stack_.size(),
                     .floor_outside = floor_});
  floor_ = stack_.size();
  push(params);
}

// Another arm of an `if` or `try` begins.
void BodyGenerator::start_arm(Types params) {
  stack_.resize(frame().base);
  floor_ = frame().base;
  frame().is_unreachable = false;
  push(params);
}

// Its end has been written.
void BodyGenerator::close() {
  stack_.resize(frame().base);
  floor_ = frame().floor_outside;
  const TypeList results = std::move(frame().results);
  frames_.pop_back();
  push(results);
}

void BodyGenerator::finish() {
  const TypeList results = frame().results;
  if (frame().is_unreachable && available() == 0 && e_.chance(200)) return;  // they are there, whatever they are
  const auto fits = [&] {
    const std::size_t count = available();
    return count <= results.size() && types_.match(Types(stack_).last(count), Types(results).first(count));
  };
  while (!fits()) sink_top();
  for (std::size_t i = available(); i < results.size(); ++i) push_value(results[i]);
}

void BodyGenerator::replace_node(std::size_t size, const TypeList& before, bool was_reachable) {
  out_.truncate(size);
  if (was_reachable && frame().is_unreachable) return op(Op::unreachable);
  const auto [old, now] = std::ranges::mismatch(before, stack_);
  for (auto dropped = old; dropped != before.end(); ++dropped) op(Op::drop);
  for (auto made = now; made != stack_.end(); ++made) write_simple(*made);
}

void BodyGenerator::write_simple(ValType type) {
  if (module_.write_simple_value(out_, type)) return;
  op(Op::ref_null);
  write_heap_type(out_, type.heap());
  op(Op::ref_as_non_null);
}

void BodyGenerator::sequence(std::uint32_t count) {
  for (; count > 0 && !is_at_end(); --count) {
    if (frame().is_unreachable && !(g_.features.has_dead_code && e_.chance(128))) return;
    node([&] { step(); });
  }
}

void BodyGenerator::statement() {
  const std::size_t floor = floor_;
  floor_ = stack_.size();
  sequence(e_.between(1, 3));
  while (available() > 0) sink_top();
  floor_ = std::min(floor, floor_);
}

void BodyGenerator::step() {
  if (available() > most_operands_) return sink_top();
  constexpr std::uint8_t kWeights[] = {16, 14, 12, 12, 12, 7, 6, 8, 9, 8, 6, 8, 6, 5};
  switch (e_.weighted(kWeights)) {
    case 0:
      return push_value(choose_type());
    case 1:
      return operation(e_.pick(g_.operations.scalar));
    case 2:
      return operation(e_.pick(g_.features.has_simd ? g_.operations.vector : g_.operations.scalar));
    case 3:
      if (module_.memories.empty()) return set_local();
      return access(e_.pick(g_.operations.accesses));
    case 4:
      return set_local();
    case 5:
      return available() > 0 ? sink_top() : set_local();
    case 6:
      return access_global();
    case 7:
      return control();
    case 8:
      return branch();
    case 9:
      return is_leaf_ ? control() : call();
    case 10:
      return e_.chance(128) ? memory_operation() : table_operation();
    case 11:
      return g_.features.has_references ? reference_operation() : set_local();
    case 12:
      return exception();
    default:
      return select(choose_type());
  }
}

void BodyGenerator::need(Types types) {
  if (frame().is_unreachable && stack_.size() == frame().base && !types.empty() && e_.chance(100)) {
    // The lower ones are there, whatever they are.
    for (const ValType type : types.subspan(e_.between(1, static_cast<std::uint32_t>(types.size())))) push_value(type);
    return;
  }
  std::size_t count = e_.chance(16) ? 0 : std::min(available(), types.size());
  while (count > 0 && !types_.match(Types(stack_).last(count), types.first(count))) --count;
  for (const ValType type : types.subspan(count)) push_value(type);
}

// Takes a value away: where it can be seen afterwards, or not.
void BodyGenerator::sink_top() {
  const ValType type = stack_.back();
  if (e_.chance(60)) {
    op(Op::drop);
    return consume(1);
  }
  if (e_.chance(80)) {
    op(Op::local_set, settable_local(type));
    return consume(1);
  }
  switch (type.kind()) {
    case ValType::Kind::i32:
      op(e_.chance(128) ? Op::i64_extend_i32_s : Op::i64_extend_i32_u);
      break;
    case ValType::Kind::i64:
      break;
    case ValType::Kind::f32:
      if (g_.has_loose_nans) canonicalize_top(type);
      op(Op::i32_reinterpret_f32);
      op(Op::i64_extend_i32_u);
      break;
    case ValType::Kind::f64:
      if (g_.has_loose_nans) canonicalize_top(type);
      op(Op::i64_reinterpret_f64);
      break;
    case ValType::Kind::v128: {
      const std::uint32_t local = scratch(type);
      op(Op::local_tee, local);
      op(Op::i64x2_extract_lane, 0);
      op(Op::local_get, local);
      op(Op::i64x2_extract_lane, 1);
      op(Op::i64_sub);
      break;
    }
    default:
      op(Op::ref_is_null);
      op(Op::i64_extend_i32_u);
  }
  op(Op::global_get, module_.accumulator);
  op(Op::i64_const, 7);
  op(Op::i64_rotl);
  op(Op::i64_xor);
  op(Op::global_set, module_.accumulator);
  consume(1);
}

std::uint32_t BodyGenerator::new_local(ValType type, bool is_reserved) {
  locals_.push_back({type, is_reserved, type.is_defaultable()});
  return static_cast<std::uint32_t>(locals_.size()) - 1;
}

std::uint32_t BodyGenerator::scratch(ValType type) {
  for (std::uint32_t i = 0; i < locals_.size(); ++i) {
    if (locals_[i].type == type && locals_[i].is_reserved) return i;
  }
  return new_local(type, true);
}

std::uint32_t BodyGenerator::settable_local(ValType type) {
  std::vector<std::uint32_t> found;
  for (std::uint32_t i = 0; i < locals_.size(); ++i) {
    if (!locals_[i].is_reserved && types_.matches(type, locals_[i].type)) found.push_back(i);
  }
  if (!found.empty() && !e_.chance(10)) return e_.pick(found);
  // Later reads need a default.
  return new_local(type.is_ref() ? type.as_nullable(true) : type, false);
}

ValType BodyGenerator::choose_type() {
  // Often one that a local has.
  if (!locals_.empty() && e_.chance(100)) return e_.pick(locals_).type;
  return types_.choose(e_, g_.features);
}

}  // namespace wasi::test::fuzz
