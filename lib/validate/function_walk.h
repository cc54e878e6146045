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
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/byte_reader.h"
#include "base/check.h"
#include "base/result.h"
#include "binary/type_reader.h"
#include "validate/control_stack.h"
#include "validate/locals.h"
#include "validate/operand_stack.h"
#include "validate/signatures.h"
#include "validate/sink.h"
#include "validate/walk_errors.h"
#include "wasm/module.h"
#include "wasm/opcodes.h"

namespace wasi::validate {

// Operands that a call or a block with parameters may pile up. Nothing real comes near, and without a bound
// a few bytes of body could claim gigabytes.
inline constexpr std::size_t kMaxOperands = 1 << 20;

template <class Sink>
inline constexpr bool kIsConstantSink = requires { requires Sink::kConstant; };

// What a walk needs and the next one can use again.
template <class Label>
struct WalkScratch {
  OperandStack operands;
  ControlStack<Label> controls;
  Locals locals;
  std::vector<Control<Label>*> targets;
  std::vector<CatchClause<Label>> clauses;
  std::vector<wasm::ValType> types;

  // One is kept per thread; a walk inside a walk gets a fresh one.
  static std::unique_ptr<WalkScratch> take() {
    auto scratch = std::move(spare());
    return scratch ? std::move(scratch) : std::make_unique<WalkScratch>();
  }
  static void give_back(std::unique_ptr<WalkScratch> scratch) {
    scratch->operands.trim();
    scratch->controls.trim();
    if (scratch->targets.capacity() > 4096) scratch->targets = {};
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
    WalkScratch<Label>::give_back(std::move(scratch_));
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
  // After run(): what the body uses.
  [[nodiscard]] wasm::FeatureSet features() const { return features_; }

 private:
  using Entry = ControlEntry<Label>;
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
        scratch_(WalkScratch<Label>::take()),
        operands_(std::move(scratch_->operands)),
        controls_(scratch_->controls),
        locals_(scratch_->locals) {
    operands_.clear();
    controls_.clear();
    locals_.clear();
    if (!module.memories.empty()) address_ = wasm::value_type(module.memories[0].address);
  }

  // --- function_walk.h: the loop, reading, and the instructions of fixed signature
  [[gnu::always_inline]] void instruction();
  [[gnu::always_inline]] void dispatch();
  void prefixed_opcode(std::uint8_t prefix);
  [[gnu::always_inline]] void fixed();
  void fixed_slowly(Signature signature, ValType address);
  template <class Read>
  [[gnu::always_inline]] void constant(ValType type, Read read);
  [[gnu::always_inline]] void memory_access();
  [[gnu::always_inline]] bool read_memarg();
  bool read_immediates();
  bool check_const();
  bool check_memarg(std::uint32_t flags);
  bool check_lane();
  ValType address_of_immediates() const;

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

  // --- changing the stack
  void drop(std::size_t count);
  void push(ValType type) { operands_.push(type); }
  void push(Types types) {
    if (types.size() > 1) return push_many(types);
    if (types.size() == 1) operands_.push(types[0]);
  }
  void push_many(Types types);
  // The top operands get these types.
  void retype(Types types) {
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
  [[gnu::always_inline]] void drop_();
  void select();
  void select_typed();
  [[gnu::always_inline]] bool read_local(std::uint32_t& index);
  [[gnu::always_inline]] void local_get();
  [[gnu::always_inline]] void local_set();
  [[gnu::always_inline]] void local_tee();
  void global_get();
  void global_set();
  void report() {
    if (reachable_) sink_.instruction(*this, op_, immediates_);
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
  const std::uint8_t* start_;  // of the current instruction
  std::unique_ptr<WalkScratch<Label>> scratch_;
  OperandStack operands_;
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
  ValType address_;  // the address type of memory 0; bottom where there is none
};

template <class Sink, bool kChecked>
Result<void> FunctionWalk<Sink, kChecked>::run() {
  if (type_ != nullptr) locals_.read(reader_, module_, type_->params);
  if (reader_.ok()) {
    start_ = reader_.position();
    enter(open(ControlKind::function, {}, results_, 0));
    sink_.begin(*this);
    while (controls_.size() != 0 && reader_.ok()) instruction();
    if (reader_.ok() && !reader_.at_end()) {
      reader_.fail(ErrorKind::malformed, "unexpected content after the final end: END opcode expected last");
    }
  }
  if (reader_.ok()) return {};
  Error error = reader_.take_error();
  if (type_ != nullptr) error.message += in_function_message(function_);
  return std::unexpected(std::move(error));
}

template <class Sink, bool kChecked>
void FunctionWalk<Sink, kChecked>::instruction() {
  start_ = reader_.position();
  if (reader_.at_end()) [[unlikely]] {
    reader_.fail(ErrorKind::malformed, "unexpected end of section or function: END opcode expected");
    return;
  }
  const std::uint8_t byte = reader_.u8("opcode");
  op_ = wasm::op_from_byte(byte);
  if (op_ == wasm::kNoOp) [[unlikely]] {
    prefixed_opcode(byte);
    if (!reader_.ok()) return;
  }
  features_ |= kOpFeatures[static_cast<std::uint16_t>(op_)];
  if constexpr (kIsConstantSink<Sink>) {
    if (!check_const()) return;
  }
  dispatch();
}

template <class Sink, bool kChecked>
void FunctionWalk<Sink, kChecked>::prefixed_opcode(std::uint8_t prefix) {
  if (!wasm::is_prefix(prefix)) {
    fail(ErrorKind::malformed, opcode_message(0, prefix));
    return;
  }
  const std::uint32_t code = reader_.u32("opcode");
  if (!reader_.ok()) return;
  op_ = wasm::op_from_prefixed(prefix, code);
  if (op_ == wasm::kNoOp) fail(ErrorKind::malformed, opcode_message(prefix, code));
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

template <class Sink, bool kChecked>
void FunctionWalk<Sink, kChecked>::dispatch() {
  switch (op_) {
    case Op::unreachable:
      if (reachable_) sink_.unreachable(*this);
      return set_unreachable();
    case Op::block:
      return block(ControlKind::block);
    case Op::loop:
      return block(ControlKind::loop);
    case Op::if_:
      return block(ControlKind::if_);
    case Op::try_:
      return block(ControlKind::try_);
    case Op::else_:
      return else_();
    case Op::end:
      return end();
    case Op::br:
      return br();
    case Op::br_if:
      return br_if();
    case Op::br_table:
      return br_table();
    case Op::return_:
      return return_();
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

    case Op::call:
      return call(false);
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

    case Op::drop:
      return drop_();
    case Op::select:
      return select();
    case Op::select_t:
      return select_typed();
    case Op::local_get:
      return local_get();
    case Op::local_set:
      return local_set();
    case Op::local_tee:
      return local_tee();
    case Op::global_get:
      return global_get();
    case Op::global_set:
      return global_set();

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

    case Op::i32_const:
      return constant(wasm::kI32, [&] { return static_cast<std::uint32_t>(reader_.s32("i32 constant")); });
    case Op::i64_const:
      return constant(wasm::kI64, [&] { return static_cast<std::uint64_t>(reader_.s64("i64 constant")); });
    case Op::f32_const:
      return constant(wasm::kF32, [&] { return reader_.fixed32("f32 constant"); });
    case Op::f64_const:
      return constant(wasm::kF64, [&] { return reader_.fixed64("f64 constant"); });
    // Rows of opcodes.def stand in the order of their codes.
    case Op::i32_load... Op::i64_store32:
      return memory_access();
    case Op::nop:
    case Op::i32_eqz... Op::i64_extend32_s:
      return fixed();
    default:
      return wasm::info(op_).immediate == wasm::ImmediateKind::memarg ? memory_access() : fixed();
  }
}

template <class Sink, bool kChecked>
inline void FunctionWalk<Sink, kChecked>::fixed() {
  const Signature& signature = signature_of(op_);
  if (signature.addresses == 0 && signature.is_short() && wasm::info(op_).immediate == wasm::ImmediateKind::none &&
      (kChecked ? operands_.fits(signature) : available() >= signature.count)) [[likely]] {
    report();
    operands_.replace(signature);
    return;
  }
  if (!read_immediates()) return;
  fixed_slowly(signature, address_of_immediates());
}

// The same with any number of operands, behind an unconditional branch, and with 64-bit addresses.
template <class Sink, bool kChecked>
void FunctionWalk<Sink, kChecked>::fixed_slowly(Signature signature, ValType address) {
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
  const Signature& signature = signature_of(op_);
  const ValType address =
      immediates_.memarg.memory.value == 0 ? address_ : memory_address(immediates_.memarg.memory.value);
  if (address == wasm::kI32 && signature.is_short() &&
      (kChecked ? operands_.fits(signature) : available() >= signature.count)) [[likely]] {
    report();
    operands_.replace(signature);
    return;
  }
  fixed_slowly(signature, address);
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
  return (reader_.ok() && memarg.align <= signature_of(op_).align && memarg.memory.value == 0 &&
          memarg.offset <= UINT32_MAX && address_ == wasm::kI32 && wasm::info(op_).prefix != wasm::kPrefixThreads) ||
         check_memarg(flags);
}

// What the common case above leaves open.
template <class Sink, bool kChecked>
bool FunctionWalk<Sink, kChecked>::check_memarg(std::uint32_t flags) {
  const MemArg& memarg = immediates_.memarg;
  if (!reader_.ok()) return false;
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
    if (found < count && !current_->unreachable) return fail_mismatch({&type, 1}, 0);
    for (std::size_t i = 0; i < found; ++i) {
      if (!matches(operands_.from_top(i).type, type)) {
        return fail(mismatch_message(who(), {&type, 1}, {&operands_.from_top(i), 1}));
      }
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
  if (operands_.size() + types.size() > kMaxOperands) {
    fail(ErrorKind::limit, "too many operands: more than " + std::to_string(kMaxOperands) + " on the stack");
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
  report();
  drop(params.size());
  if (!result.is_bottom()) push(result);
}

}  // namespace wasi::validate

#include "validate/walk_aggregates.h"
#include "validate/walk_calls.h"
#include "validate/walk_control.h"
#include "validate/walk_references.h"
#include "validate/walk_values.h"
