// The function walk: blocks, branches and exceptions. Part of function_walk.h, which includes it.
// Source: https://webassembly.github.io/spec/core/valid/instructions.html#control-instructions
#pragma once

#include "validate/function_walk.h"

namespace wasi::validate {

// Builds the control of a block that takes `taken` operands off the stack. It becomes current_ only when
// the sink has been told, so that its operands are still seen as the outer block's.
template <class Sink, bool kChecked>
auto FunctionWalk<Sink, kChecked>::open(ControlKind kind, Types params, Types results, std::size_t taken) -> Entry& {
  const std::size_t taken_here = std::min(taken, available());
  Entry& entry = controls_.push();
  entry.kind = kind;
  entry.reachable_at_start = reachable_;
  entry.height = static_cast<std::uint32_t>(operands_.size() - taken_here);
  entry.slot_height = taken_here == 0 ? operands_.slot_height() : operands_.from_top(taken_here - 1).slot;
  entry.offset = offset();
  entry.params = params;
  entry.results = results;
  entry.init_height = locals_.set_height();
  return entry;
}

template <class Sink, bool kChecked>
inline void FunctionWalk<Sink, kChecked>::enter(Entry& entry) {
  current_ = &entry;
  operands_.truncate(entry.height);
  operands_.set_base(entry.height);
}

// A one-value type comes back in `single`, which the caller moves into the entry.
template <class Sink, bool kChecked>
bool FunctionWalk<Sink, kChecked>::read_block_type(ValType& single, Types& params, Types& results) {
  if (reader_.peek() == binary::kEmptyBlockByte) [[likely]] {
    reader_.u8("block type");
    return true;
  }
  const binary::BlockType type = binary::read_block_type(reader_, module_);
  if (!reader_.ok()) return false;
  single = type.value;
  if (type.kind != binary::BlockType::Kind::type) return true;
  const wasm::FuncType* function = function_type(type.type);
  if (function == nullptr) return false;
  params = function->params;
  results = function->results;
  if (!params.empty() || results.size() > 1) features_.add(wasm::Feature::multi_value);
  return true;
}

template <class Sink, bool kChecked>
void FunctionWalk<Sink, kChecked>::block(ControlKind kind) {
  ValType single;
  Types params;
  Types results;
  if (!read_block_type(single, params, results)) return;
  const std::size_t condition = kind == ControlKind::if_ ? 1 : 0;
  if (condition != 0 && !check_top(wasm::kI32)) return;
  if (!check_top(params, condition)) return;

  Entry& entry = open(kind, params, results, params.size() + condition);
  if (!single.is_bottom()) {
    entry.single = single;
    entry.results = {&entry.single, 1};
  }
  if (reachable_) {
    switch (kind) {
      case ControlKind::loop:
        charge(0);
        sink_.loop(*this, entry);
        break;
      case ControlKind::if_:
        charge(1);
        sink_.if_(*this, entry);
        break;
      case ControlKind::try_:
        sink_.legacy_try(*this, op_, &entry, 0U);
        break;
      default:
        sink_.block(*this, entry);
    }
  }
  enter(entry);
  push(params);
}

// At the end of a block's arm exactly its results are on the stack.
template <class Sink, bool kChecked>
inline bool FunctionWalk<Sink, kChecked>::check_arm_end() {
  if constexpr (kChecked) {
    if (!check_top(current_->results)) return false;
    if (available() > current_->results.size()) [[unlikely]]
      return fail(leftover_message(who(), current_->results, operands_.view().last(available())));
  }
  if (current_->unreachable) operands_.truncate(current_->height);
  return true;
}

// Another arm of the current block begins: `else` or a legacy catch.
template <class Sink, bool kChecked>
void FunctionWalk<Sink, kChecked>::start_arm(Entry& entry, ControlKind kind, Types types) {
  operands_.truncate(entry.height);
  locals_.restore(entry.init_height);
  entry.kind = kind;
  entry.unreachable = false;
  reachable_ = entry.reachable_at_start;
  push(types);
}

template <class Sink, bool kChecked>
void FunctionWalk<Sink, kChecked>::else_() {
  Entry& entry = *current_;
  if (entry.kind != ControlKind::if_) {
    fail(ErrorKind::malformed, "unexpected else: the innermost open block is no if, or has its else already");
    return;
  }
  if (!check_arm_end()) return;
  if (reachable_) charge(0);
  if (entry.reachable_at_start) sink_.else_(*this, entry, reachable_);
  start_arm(entry, ControlKind::else_, entry.params);
}

template <class Sink, bool kChecked>
void FunctionWalk<Sink, kChecked>::end() {
  Entry& entry = *current_;
  if (!check_arm_end()) return;
  if (kChecked && entry.kind == ControlKind::if_) {
    // The missing else gives what it takes.
    bool same = entry.params.size() == entry.results.size();
    for (std::size_t i = 0; same && i < entry.params.size(); ++i) same = matches(entry.params[i], entry.results[i]);
    if (!same) {
      fail("type mismatch: an if without else takes " + type_list(entry.params) + " but should give " +
           type_list(entry.results));
      return;
    }
  }
  if (reachable_) charge(entry.kind == ControlKind::function ? 1 : 0);
  if (entry.reachable_at_start) sink_.end(*this, entry, reachable_);
  close();
}

// Leaves the current block with its results on the stack. The entry stays readable until the next block.
template <class Sink, bool kChecked>
inline void FunctionWalk<Sink, kChecked>::close() {
  const Entry& entry = *current_;
  operands_.truncate(entry.height);
  locals_.restore(entry.init_height);
  controls_.pop();
  if (controls_.size() == 0) {
    if (!reader_.at_end()) {
      reader_.fail(ErrorKind::malformed, "unexpected content behind the end of the function: END opcode expected last");
    }
    return;
  }
  current_ = &controls_.from_top(0);
  operands_.set_base(current_->height);
  reachable_ = current_->reachable_at_start && !current_->unreachable;
  push(entry.results);
}

template <class Sink, bool kChecked>
inline auto FunctionWalk<Sink, kChecked>::read_label(std::uint32_t& depth) -> Block* {
  depth = reader_.u32("label index");
  if (!reader_.ok()) return nullptr;
  if (depth >= controls_.size()) [[unlikely]] {
    fail(label_message(depth, controls_.size()));
    return nullptr;
  }
  return &controls_.from_top(depth);
}

template <class Sink, bool kChecked>
void FunctionWalk<Sink, kChecked>::br() {
  std::uint32_t depth = 0;
  Block* target = read_label(depth);
  if (target == nullptr || !check_top(target->branch_types())) return;
  if (reachable_) {
    charge(1);
    sink_.br(*this, *target);
  }
  set_unreachable();
}

template <class Sink, bool kChecked>
void FunctionWalk<Sink, kChecked>::br_if() {
  std::uint32_t depth = 0;
  Block* target = read_label(depth);
  if (target == nullptr || !check_top(wasm::kI32) || !check_top(target->branch_types(), 1)) return;
  if (reachable_) {
    charge(1);
    sink_.br_if(*this, *target);
  }
  drop(1);
  retype(target->branch_types());
}

template <class Sink, bool kChecked>
void FunctionWalk<Sink, kChecked>::br_table() {
  const std::uint32_t count = reader_.u32("count of labels");
  if (!reader_.ok() || !check_top(wasm::kI32)) return;
  auto& targets = scratch_->targets;
  targets.clear();
  for (std::uint64_t i = 0; i <= count; ++i) {
    std::uint32_t depth = 0;
    Block* target = read_label(depth);
    if (target == nullptr) return;
    targets.push_back(target);
  }
  if constexpr (kChecked) {
    const std::size_t arity = targets.back()->branch_types().size();
    for (Block* target : targets) {
      // A table of millions of entries has few targets: each is checked once.
      Entry& entry = static_cast<Entry&>(*target);
      if (entry.table_mark == start_) continue;
      entry.table_mark = start_;
      const Types types = target->branch_types();
      if (types.size() != arity) {
        fail("type mismatch: br_table's targets take " + type_list(targets.back()->branch_types()) + " and " +
             type_list(types));
        return;
      }
      if (!check_top(types, 1)) return;
    }
  }
  if (reachable_) {
    charge(1);
    sink_.br_table(*this, std::span<Block* const>(targets));
  }
  set_unreachable();
}

template <class Sink, bool kChecked>
void FunctionWalk<Sink, kChecked>::return_() {
  if (!check_top(results_)) return;
  if (reachable_) {
    charge(1);
    sink_.return_(*this);
  }
  set_unreachable();
}

template <class Sink, bool kChecked>
const wasm::FuncType* FunctionWalk<Sink, kChecked>::tag_type(std::uint32_t index) {
  if (!reader_.ok()) return nullptr;
  if (index >= module_.tags.size()) [[unlikely]] {
    fail_unknown("tag", index, module_.tags.size());
    return nullptr;
  }
  return &module_.registry->at(module_.types[module_.tags[index].value]).func;
}

template <class Sink, bool kChecked>
void FunctionWalk<Sink, kChecked>::throw_() {
  const std::uint32_t index = reader_.u32("tag index");
  const wasm::FuncType* tag = tag_type(index);
  if (tag == nullptr || !check_top(tag->params)) return;
  if (reachable_) {
    charge(1);
    sink_.throw_(*this, wasm::TagIndex(index));
  }
  set_unreachable();
}

template <class Sink, bool kChecked>
void FunctionWalk<Sink, kChecked>::throw_ref() {
  if (!check_top(wasm::kExnRef)) return;
  if (reachable_) {
    charge(1);
    sink_.throw_ref(*this);
  }
  set_unreachable();
}

template <class Sink, bool kChecked>
void FunctionWalk<Sink, kChecked>::try_table() {
  ValType single;
  Types params;
  Types results;
  // The clauses' labels are counted from outside the try_table.
  if (!read_block_type(single, params, results) || !read_catch_clauses() || !check_top(params)) return;
  Entry& entry = open(ControlKind::try_table, params, results, params.size());
  if (!single.is_bottom()) {
    entry.single = single;
    entry.results = {&entry.single, 1};
  }
  if (reachable_) sink_.try_table(*this, entry, std::span<const CatchClause<Label>>(scratch_->clauses));
  enter(entry);
  push(params);
}

template <class Sink, bool kChecked>
bool FunctionWalk<Sink, kChecked>::read_catch_clauses() {
  using Clause = CatchClause<Label>;
  auto& clauses = scratch_->clauses;
  clauses.clear();
  const std::uint32_t count = reader_.u32("count of catch clauses");
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::uint8_t kind = reader_.u8("catch clause");
    if (kind > 3) return fail(ErrorKind::malformed, "malformed catch clause: its kind is " + std::to_string(kind));
    Clause clause;
    clause.kind = static_cast<typename Clause::Kind>(kind);
    if (clause.kind == Clause::Kind::catch_ || clause.kind == Clause::Kind::catch_ref) {
      clause.tag = wasm::TagIndex(reader_.u32("tag index"));
    }
    std::uint32_t depth = 0;
    clause.target = read_label(depth);
    if (clause.target == nullptr || (kChecked && !check_catch(clause))) return false;
    clauses.push_back(clause);
  }
  return reader_.ok();
}

// What the clause catches, and the exception itself where it asks for that, go to its label.
template <class Sink, bool kChecked>
bool FunctionWalk<Sink, kChecked>::check_catch(const CatchClause<Label>& clause) {
  using Kind = typename CatchClause<Label>::Kind;
  auto& types = scratch_->types;
  types.clear();
  if (clause.kind == Kind::catch_ || clause.kind == Kind::catch_ref) {
    const wasm::FuncType* tag = tag_type(clause.tag.value);
    if (tag == nullptr) return false;
    types = tag->params;
  }
  if (clause.kind == Kind::catch_ref || clause.kind == Kind::catch_all_ref) {
    types.push_back(ValType::ref(wasm::AbstractHeap::exn, false));
  }
  const Types expected = clause.target->branch_types();
  bool same = types.size() == expected.size();
  for (std::size_t i = 0; same && i < types.size(); ++i) same = matches(types[i], expected[i]);
  return same || fail("type mismatch: a catch clause gives " + type_list(types) + " but its label expects " +
                      type_list(expected));
}

template <class Sink, bool kChecked>
void FunctionWalk<Sink, kChecked>::catch_() {
  const std::uint32_t index = reader_.u32("tag index");
  const wasm::FuncType* tag = tag_type(index);
  if (tag == nullptr) return;
  Entry& entry = *current_;
  if (entry.kind != ControlKind::try_ && entry.kind != ControlKind::catch_) {
    fail(ErrorKind::malformed, "unexpected catch: the innermost open block is no try, or has its catch_all already");
    return;
  }
  if (!check_arm_end()) return;
  if (reachable_) charge(0);
  if (entry.reachable_at_start) sink_.legacy_try(*this, op_, &entry, index);
  start_arm(entry, ControlKind::catch_, tag->params);
}

template <class Sink, bool kChecked>
void FunctionWalk<Sink, kChecked>::catch_all() {
  Entry& entry = *current_;
  if (entry.kind != ControlKind::try_ && entry.kind != ControlKind::catch_) {
    fail(ErrorKind::malformed,
         "unexpected catch_all: the innermost open block is no try, or has its catch_all already");
    return;
  }
  if (!check_arm_end()) return;
  if (reachable_) charge(0);
  if (entry.reachable_at_start) sink_.legacy_try(*this, op_, &entry, 0U);
  start_arm(entry, ControlKind::catch_all, {});
}

// Ends a try; its label is counted from outside the try.
template <class Sink, bool kChecked>
void FunctionWalk<Sink, kChecked>::delegate() {
  const std::uint32_t depth = reader_.u32("label index");
  if (!reader_.ok()) return;
  Entry& entry = *current_;
  if (entry.kind != ControlKind::try_) {
    fail(ErrorKind::malformed, "unexpected delegate: the innermost open block is no try without catches");
    return;
  }
  if (depth >= controls_.size() - 1) {
    fail(label_message(depth, controls_.size() - 1));
    return;
  }
  if (!check_arm_end()) return;
  if (reachable_) charge(0);
  if (entry.reachable_at_start) {
    sink_.legacy_try(*this, op_, &controls_.from_top(depth + 1), depth);
    sink_.end(*this, entry, reachable_);
  }
  close();
}

template <class Sink, bool kChecked>
void FunctionWalk<Sink, kChecked>::rethrow() {
  std::uint32_t depth = 0;
  Block* target = read_label(depth);
  if (target == nullptr) return;
  if (target->kind != ControlKind::catch_ && target->kind != ControlKind::catch_all) {
    fail("invalid rethrow label: " + std::to_string(depth) + " is no catch");
    return;
  }
  if (reachable_) {
    charge(1);
    sink_.legacy_try(*this, op_, target, depth);
  }
  set_unreachable();
}

}  // namespace wasi::validate
