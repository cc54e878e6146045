// The function walk: reads a body once, keeps operand and control stacks, checks types where asked, and
// tells a sink (sink.h) per instruction what it learned.
//
// Everything that is made from bodies is made by a sink on this walk, so one place knows what an
// instruction does to the stack. kChecked = false is for bodies that were validated: the checks are compiled
// out, types and heights are tracked as before. Instructions of fixed signature are typed from a table
// (signatures.h); the others by family in the walk_*.h headers that this one includes at its end.
//
// Shape of a typing rule: read immediates, check the operands where they lie, tell the sink if the code
// can be reached, then change the stack. An error is kept in the reader, as decoding errors are; the loop
// in run() sees it after the instruction. The algorithm is the one of the spec's appendix:
// https://webassembly.github.io/spec/core/appendix/algorithm.html
// Bounded by the body's size: no recursion, no claim of a count is believed before its bytes are there.
//
// A sink may declare `static constexpr bool kConstant = true`: the walk then accepts only the
// instructions of constant expressions. Each sink is instantiated in exactly one .cc.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/byte_reader.h"
#include "base/check.h"
#include "base/result.h"
#include "base/trim.h"
#include "binary/type_reader.h"
#include "validate/control_stack.h"
#include "validate/locals.h"
#include "validate/operand_stack.h"
#include "validate/signatures.h"
#include "validate/sink.h"
#include "validate/walk_errors.h"
#include "wasm/limits.h"
#include "wasm/module.h"
#include "wasm/opcodes.h"

namespace wasi::validate {

template <class Sink>
inline constexpr bool kIsConstantSink = requires { requires Sink::kConstant; };

// A sink may have a method poll(W&): it is called at the beginning and then every kPollBytes of the body, also where
// nothing else is reported, and may end the walk with an exception of its own.
template <class Sink, class Walk>
inline constexpr bool kPolls = requires(Sink sink, Walk& walk) { sink.poll(walk); };
inline constexpr std::ptrdiff_t kPollBytes = 4096;

// A sink may declare `static constexpr bool kSilent = true`: it ignores all that it is told.
template <class Sink>
inline constexpr bool kIsSilentSink = requires { requires Sink::kSilent; };

// A sink may declare `static constexpr bool kLooksAhead = true`: next() is then right whenever it is told something.
template <class Sink>
inline constexpr bool kLooksAhead = requires { requires Sink::kLooksAhead; };

// A sink may have methods charges() and charge(W&, cost). Where the first one is true it is told, in front of every
// instruction that ends a straight run or that control can come to from elsewhere, how many instructions have been run
// since it was told last: each counts as one, but for those that only mark where blocks begin and end. A function's end
// is a return. So any sinks charge the same, at the same places; each call and each round of a loop costs something.
template <class Sink>
inline constexpr bool kCharges = requires(const Sink sink) { sink.charges(); };

// What a walk needs and the next one can use again.
template <class Label, bool kSlots>
struct WalkScratch {
  OperandStack<kSlots> operands;
  ControlStack<Label> controls;
  Locals locals;
  std::vector<Control<Label>*> targets;
  std::vector<CatchClause<Label>> clauses;
  std::vector<wasm::ValType> types;
  std::unordered_set<const wasm::SubType*> defaultable;  // structures whose many fields all have default values

  static constexpr std::size_t kKeptBytes = 1 << 15;
  // One is kept per thread; a walk inside a walk gets a fresh one.
  static std::unique_ptr<WalkScratch> take() {
    auto scratch = std::move(spare());
    return scratch ? std::move(scratch) : std::make_unique<WalkScratch>();
  }
  static void give_back(std::unique_ptr<WalkScratch> scratch) {
    scratch->operands.trim();
    scratch->controls.trim();
    trim(scratch->targets, kKeptBytes);
    trim(scratch->clauses, kKeptBytes);
    spare() = std::move(scratch);
  }

 private:
  static std::unique_ptr<WalkScratch>& spare() {
    thread_local std::unique_ptr<WalkScratch> spare;
    return spare;
  }
};

template <class Sink, bool kChecked>
class FunctionWalk {
 public:
  using Label = typename Sink::Label;
  using Block = Control<Label>;
  static constexpr bool kReports = !kIsSilentSink<Sink>;

  FunctionWalk(const wasm::Module& module, wasm::FuncIndex function, Sink& sink)
      : FunctionWalk(module, sink, {module.body(function).offset, module.body(function).size}) {
    function_ = function;
    type_ = &module.func_type(function);
    results_ = type_->results;
    visible_globals_ = static_cast<std::uint32_t>(module.globals.size());
  }
  // A constant expression that yields `type` and may read the first `visible_globals` globals.
  FunctionWalk(const wasm::Module& module, wasm::ConstExpr expression, const wasm::ValType& type,
               std::uint32_t visible_globals, Sink& sink)
    requires kIsConstantSink<Sink>
      : FunctionWalk(module, sink, expression) {
    results_ = {&type, 1};
    visible_globals_ = visible_globals;
  }
  ~FunctionWalk() {
    scratch_->operands = std::move(operands_);
    Scratch::give_back(std::move(scratch_));
  }
  FunctionWalk(const FunctionWalk&) = delete;
  FunctionWalk& operator=(const FunctionWalk&) = delete;

  // Walks the body, once. Errors carry the offset of the instruction.
  Result<void> run();

  [[nodiscard]] const wasm::Module& module() const { return module_; }
  [[nodiscard]] wasm::FuncIndex function() const { return function_; }
  [[nodiscard]] const wasm::FuncType& type() const { return *type_; }
  // Parameters first.
  [[nodiscard]] std::span<const wasm::ValType> local_types() const { return locals_.all(); }
  // The whole stack, bottom first.
  [[nodiscard]] std::span<const Operand> operands() const { return operands_.view(); }
  [[nodiscard]] const Operand& operand(std::size_t from_top) const { return operands_.from_top(from_top); }
  // Slots in use now, and at most so far.
  [[nodiscard]] std::uint32_t slot_height() const { return operands_.slot_height(); }
  [[nodiscard]] std::uint32_t max_slot_height() const { return operands_.max_slot_height(); }
  // Of the current instruction, in the module.
  [[nodiscard]] std::uint64_t offset() const { return static_cast<std::uint64_t>(start_ - module_.bytes.data.data()); }
  // Behind the current instruction, where a sink looks ahead.
  [[nodiscard]] const std::uint8_t* next() const { return reader_.position(); }
  // Memory that the walk has now.
  [[nodiscard]] std::uint64_t held_bytes() const {
    return operands_.held_bytes() + controls_.held_bytes() + scratch_->targets.capacity() * sizeof(Block*) +
           scratch_->clauses.capacity() * sizeof(CatchClause<Label>);
  }
  // After run(): what the body uses.
  [[nodiscard]] wasm::FeatureSet features() const { return features_; }

 private:
  using Entry = ControlEntry<Label>;
  using Scratch = WalkScratch<Label, kReports>;
  using ValType = wasm::ValType;
  using Op = wasm::Op;
  using Types = std::span<const wasm::ValType>;

  // The reference that a reference instruction makes of bottom: below every reference type, and no number.
  static constexpr ValType kBottomRef = ValType::ref(wasm::HeapType::in_group(0), false);

  FunctionWalk(const wasm::Module& module, Sink& sink, wasm::ByteRange code)
      : module_(module),
        sink_(sink),
        reader_(module.view(code), code.offset),
        start_(reader_.position()),
        scratch_(Scratch::take()),
        operands_(std::move(scratch_->operands)),
        controls_(scratch_->controls),
        locals_(scratch_->locals) {
    operands_.clear();
    controls_.clear();
    locals_.clear();
    if (!scratch_->defaultable.empty()) scratch_->defaultable.clear();
    has_usual_memory_ = !module.memories.empty() && module.memories[0].address == wasm::AddressType::i32;
  }

  // --- walk_dispatch.h: from opcodes to rules, and the instructions of fixed signature
  // Those of the loop take the position, which the others find in reader_.
  using Position = const std::uint8_t*;
  void instructions();
  [[gnu::noinline]] void poll(Position pos);
  void other(std::uint8_t byte);
  bool check_const();
  [[gnu::always_inline]] bool read_u32(Position& pos, const char* what, std::uint32_t& value);
  [[gnu::always_inline]] void slowly(Position& pos, Op op, auto&& rule);
  [[gnu::always_inline]] void drop_(Position& pos);
  [[gnu::always_inline]] void local_get(Position& pos);
  [[gnu::always_inline]] void local_set(Position& pos, Op op);
  [[gnu::always_inline]] void global_get(Position& pos);
  [[gnu::noinline]] bool check_local(std::uint32_t index, bool is_read);
  [[gnu::always_inline]] void simple(Position& pos, Op op);
  template <class Read>
  [[gnu::always_inline]] void constant(Position& pos, Op op, ValType type, Read read);
  [[gnu::always_inline]] void memory_access(Position& pos, Op op);
  [[gnu::noinline]] bool read_memarg();
  void fixed();
  [[gnu::noinline]] void apply_signature(ValType address);
  ValType address_of_immediates() const;
  bool read_immediates();
  bool check_lane();

  // --- checking operands where they lie; false when the walk has failed
  [[nodiscard]] std::size_t available() const { return operands_.available(); }
  // The uppermost operands, or those below the `skip` uppermost ones.
  bool check_top(Types types, std::size_t skip = 0) { return !kChecked || types.empty() || check_types(types, skip); }
  bool check_top(ValType type) {
    return !kChecked || (available() != 0 && operands_.from_top(0).type == type) || check_types(Types(&type, 1), 0);
  }
  [[gnu::noinline]] bool check_types(Types types, std::size_t skip);
  bool check_repeated(ValType type, std::size_t count);
  bool matches(ValType sub, ValType super) const {
    return sub == super || sub.is_bottom() || matches_slowly(sub, super);
  }
  bool matches_slowly(ValType sub, ValType super) const;
  // The type of the operand `depth` below the top; bottom behind a branch. Fails where there is none.
  bool peek(std::size_t depth, std::string_view expected, ValType& type);
  // The same, and it must be a reference.
  bool peek_ref(std::size_t depth, ValType& type);

  // --- telling what has been run
  // Up to the current instruction, of which control is about to go elsewhere or may come from there.
  [[gnu::always_inline]] void charge([[maybe_unused]] std::uint32_t own) {
    if constexpr (kCharges<Sink>) {
      if (sink_.charges()) [[unlikely]]
        charge_run(own);
    }
  }
  [[gnu::noinline]] void charge_run(std::uint32_t own) {
    if (const std::uint32_t cost = std::exchange(run_, 0) + own; cost != 0) sink_.charge(*this, cost);
  }

  // --- changing the stack
  void drop(std::size_t count);
  void push(ValType type) { operands_.push(type); }
  [[gnu::always_inline]] void push(Types types) {
    if (types.size() == 1) return operands_.push(types[0]);
    if (!types.empty()) push_many(types);
  }
  [[gnu::noinline]] void push_many(Types types);
  // The top operands get these types.
  void retype(Types types) {
    if (available() >= types.size() && !current_->unreachable) [[likely]]
      return operands_.retype(types);
    drop(types.size());
    push(types);
  }
  void set_unreachable();

  // --- failing
  std::string_view who() const { return wasm::info(op_).text; }
  bool fail(std::string message) { return fail(ErrorKind::invalid, std::move(message)); }
  bool fail(ErrorKind kind, std::string message) {
    reader_.fail_at(offset(), kind, std::move(message));
    return false;
  }
  bool fail_unknown(std::string_view what, std::uint64_t index, std::uint64_t count) {
    return fail(unknown_message(what, index, count, "module"));
  }
  bool fail_mismatch(Types expected, std::size_t skip) {
    const std::size_t below = available() > skip ? available() - skip : 0;
    const auto operands = operands_.view().first(operands_.size() - std::min(skip, available()));
    return fail(mismatch_message(who(), expected, operands.last(std::min(below, expected.size()))));
  }

  // --- walk_control.h
  Entry& open(ControlKind kind, Types params, Types results, std::size_t taken);
  [[gnu::always_inline]] void enter(Entry& entry);
  bool read_block_type(ValType& single, Types& params, Types& results);
  void block(ControlKind kind);
  void else_();
  void end();
  [[gnu::always_inline]] bool check_arm_end();
  void start_arm(Entry& entry, ControlKind kind, Types types);
  [[gnu::always_inline]] void close();
  [[gnu::always_inline]] Block* read_label(std::uint32_t& depth);
  void br();
  void br_if();
  void br_table();
  void return_();
  void try_table();
  bool read_catch_clauses();
  bool check_catch(const CatchClause<Label>& clause);
  void throw_();
  void throw_ref();
  void catch_();
  void catch_all();
  void delegate();
  void rethrow();
  const wasm::FuncType* tag_type(std::uint32_t index);

  // --- walk_calls.h
  const wasm::FuncType* function_type(wasm::TypeIndex index);
  bool check_tail(const wasm::FuncType& callee);
  [[gnu::always_inline]] void finish_call(const wasm::FuncType& callee, bool is_tail);
  void call(bool is_tail);
  void call_indirect(bool is_tail);
  void call_ref(bool is_tail);

  // --- walk_values.h: parametric instructions, variables, tables, bulk memory
  void select();
  void select_typed();
  [[gnu::noinline]] void fail_global(std::uint32_t index);
  void global_set();
  [[gnu::always_inline]] void report(Op op) {
    if (!kReports || !reachable_) return;
    if constexpr (kCharges<Sink>) ++run_;
    sink_.instruction(*this, op, immediates_);
  }
  // Of an instruction of the loop.
  [[gnu::always_inline]] void report_at(Position pos, Op op) {
    if constexpr (kLooksAhead<Sink>) reader_.move_to(pos);
    report(op);
  }
  bool check_table(std::uint32_t index);
  bool check_memory(std::uint32_t index);
  bool check_element(std::uint32_t index);
  bool check_data(std::uint32_t index);
  ValType table_address(std::uint32_t index) const { return wasm::value_type(module_.tables[index].type.address); }
  ValType memory_address(std::uint32_t index) const { return wasm::value_type(module_.memories[index].address); }
  void table_get();
  void table_set();
  void table_init();
  void table_copy();
  void table_grow();
  void table_size();
  void table_fill();
  void memory_copy();
  // Takes these operands, and puts `result` in their place (bottom: nothing).
  void apply(std::initializer_list<ValType> params, ValType result);

  // --- walk_references.h
  void ref_null();
  void ref_is_null();
  void ref_func();
  void ref_eq();
  void ref_as_non_null();
  void br_on_null();
  void br_on_non_null();
  void ref_test(bool nullable);
  void ref_cast(bool nullable);
  void br_on_cast();
  void convert(wasm::AbstractHeap from, wasm::AbstractHeap to);

  // --- walk_aggregates.h
  ValType ref_to(std::uint32_t type_index, bool nullable) const {
    return ValType::ref(wasm::HeapType(module_.types[type_index]), nullable);
  }
  const wasm::SubType* read_aggregate(wasm::CompositeKind kind, std::uint32_t& index);
  const wasm::FieldType* read_field(const wasm::SubType& type);
  bool check_packing(const wasm::FieldType& field, bool is_plain);
  bool check_mutable(const wasm::FieldType& field, std::string_view what);
  void struct_new();
  void struct_new_default();
  void struct_get();
  void struct_set();
  void array_new();
  void array_new_default();
  void array_new_fixed();
  void array_new_data();
  void array_new_elem();
  void array_get();
  void array_set();
  void array_fill();
  void array_copy();
  void array_init_data();
  void array_init_elem();

  const wasm::Module& module_;
  Sink& sink_;
  base::ByteReader reader_;
  const std::uint8_t* start_;             // of the current instruction
  const std::uint8_t* poll_at_ = start_;  // of sinks that want it
  std::unique_ptr<Scratch> scratch_;
  OperandStack<kReports> operands_;
  ControlStack<Label>& controls_;
  Locals& locals_;
  Entry* current_ = nullptr;  // the innermost open block
  bool reachable_ = true;     // the current instruction can be reached
  Op op_ = Op::nop;
  Immediates immediates_;
  wasm::FeatureSet features_;
  wasm::FuncIndex function_;
  const wasm::FuncType* type_ = nullptr;  // null in constant expressions
  Types results_;
  std::uint32_t visible_globals_ = 0;
  std::uint32_t run_ = 0;          // instructions that have not been charged for, where the sink charges
  bool has_usual_memory_ = false;  // memory 0 exists and has 32-bit addresses
  Types plain_locals_;             // the first locals: expanded, and always set
};

template <class Sink, bool kChecked>
Result<void> FunctionWalk<Sink, kChecked>::run() {
  if (type_ != nullptr) {
    locals_.read(reader_, module_, type_->params);
    plain_locals_ = locals_.plain();
  }
  if (reader_.ok()) {
    start_ = reader_.position();
    enter(open(ControlKind::function, {}, results_, 0));
    sink_.begin(*this);
    instructions();
    if (reader_.ok() && controls_.size() != 0) {
      reader_.fail(ErrorKind::malformed, "unexpected end of section or function: END opcode expected");
    }
  }
  if (reader_.ok()) return {};
  Error error = reader_.take_error();
  if (type_ != nullptr) error.message += in_function_message(function_);
  return std::unexpected(std::move(error));
}

template <class Sink, bool kChecked>
bool FunctionWalk<Sink, kChecked>::matches_slowly(ValType sub, ValType super) const {
  if (!sub.is_ref() || !super.is_ref()) return false;
  if (sub == kBottomRef) return true;
  return module_.registry->matches(sub, super);
}

template <class Sink, bool kChecked>
bool FunctionWalk<Sink, kChecked>::check_types(Types types, std::size_t skip) {
  const std::size_t count = types.size();
  const std::size_t below = available() > skip ? available() - skip : 0;
  const std::size_t found = std::min(below, count);
  if (found < count && !current_->unreachable) return fail_mismatch(types, skip);
  for (std::size_t i = 0; i < found; ++i) {
    if (!matches(operands_.from_top(skip + i).type, types[count - 1 - i])) return fail_mismatch(types, skip);
  }
  return true;
}

template <class Sink, bool kChecked>
bool FunctionWalk<Sink, kChecked>::check_repeated(ValType type, std::size_t count) {
  if constexpr (kChecked) {
    const std::size_t found = std::min(available(), count);
    for (std::size_t i = 0; i < found; ++i) {
      if (!matches(operands_.from_top(i).type, type)) {
        return fail(mismatch_message(who(), {&type, 1}, {&operands_.from_top(i), 1}));
      }
    }
    if (found < count && !current_->unreachable) {
      return fail("type mismatch: instruction requires " + std::to_string(count) + " of " + wasm::to_string(type) +
                  " but stack has " + std::to_string(found) + ", in " + std::string(who()));
    }
  }
  return true;
}

template <class Sink, bool kChecked>
bool FunctionWalk<Sink, kChecked>::peek(std::size_t depth, std::string_view expected, ValType& type) {
  if (available() > depth) [[likely]] {
    type = operands_.from_top(depth).type;
    return true;
  }
  type = wasm::kBottom;
  if (current_->unreachable) return true;
  return fail(sort_message(who(), expected, type));
}

template <class Sink, bool kChecked>
bool FunctionWalk<Sink, kChecked>::peek_ref(std::size_t depth, ValType& type) {
  if (!peek(depth, "a reference", type)) return false;
  if (type.is_bottom()) type = kBottomRef;
  return type.is_ref() || fail(sort_message(who(), "a reference", type));
}

template <class Sink, bool kChecked>
void FunctionWalk<Sink, kChecked>::drop(std::size_t count) {
  if (current_->unreachable) [[unlikely]]
    count = std::min(count, available());
  operands_.drop(count);
}

template <class Sink, bool kChecked>
void FunctionWalk<Sink, kChecked>::push_many(Types types) {
  if (operands_.size() + types.size() > wasm::kMaxOperands) {
    fail(ErrorKind::limit, "too many operands: more than " + std::to_string(wasm::kMaxOperands) + " on the stack");
    return;
  }
  for (const ValType type : types) operands_.push(type);
}

template <class Sink, bool kChecked>
void FunctionWalk<Sink, kChecked>::set_unreachable() {
  operands_.truncate(current_->height);
  current_->unreachable = true;
  reachable_ = false;
}

template <class Sink, bool kChecked>
void FunctionWalk<Sink, kChecked>::apply(std::initializer_list<ValType> params, ValType result) {
  if (!check_top(Types(params.begin(), params.size()))) return;
  report(op_);
  drop(params.size());
  if (!result.is_bottom()) push(result);
}

}  // namespace wasi::validate

#include "validate/walk_aggregates.h"
#include "validate/walk_calls.h"
#include "validate/walk_control.h"
#include "validate/walk_dispatch.h"
#include "validate/walk_references.h"
#include "validate/walk_values.h"
