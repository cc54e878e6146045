// From a function body to register code: a sink of the function walk (validate/sink.h).
//
// The translator runs a model of the operand stack whose entries are not all in their slots: a local.get
// pushes the local's name, a constant itself. Instructions then take locals and constants as operands
// where they are, a local.set makes the instruction before it write the local, a comparison and the branch
// on it become one instruction. What the model must keep:
//  - At labels, loop heads and calls every live value is in its canonical slot (runtime/frame.h): blocks
//    and calls flush the stack first, branches bring their values to the label's slots. So other tiers can
//    take over a frame there.
//  - An entry that names a local is given its own slot before the local is written.
//    Entries that name the same local are linked, so that finding them takes no search.
//  - The accumulator of a class equals the slot that it is said to equal, and never lives past a label.
//  - `last_` is the instruction before the current position, with no label in between: only it may be
//    changed or taken back.
// The code is linear in the body, and so is the time: what lies on the stack is brought into its slots once, and
// then moved in one instruction however much it is. docs/performance.md has the factor.
#pragma once

#include <wasi/error.h>

#include <atomic>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "interp/catch_table.h"
#include "interp/code_buffer.h"
#include "interp/code_style.h"
#include "interp/lowering.h"
#include "interp/offset_marks.h"
#include "runtime/bounds_checks.h"
#include "runtime/call_sites.h"
#include "runtime/native_tuning.h"
#include "runtime/preparation.h"
#include "validate/sink.h"
#include "wasm/module.h"

namespace wasi::interp {

// Bytes of a translation, with all that is kept beside the code, per byte of the body, at most; a small constant aside.
// tests/interp/cost_test.cc measures it for every construct.
inline constexpr std::uint64_t kMostCodePerByte = 22;

// Bytes of code.
inline constexpr std::uint32_t kMostCodeBetweenPolls = 4096;

struct TranslatorOptions {
  runtime::BoundsChecks checks = runtime::BoundsChecks::guard_pages;
  CodeStyle style = CodeStyle::fused;
  std::atomic<std::uint64_t>* counts = nullptr;  // by wasm::Op, for code that counts
  bool charges_fuel = false;
};

class Translator {
 public:
  static constexpr std::uint32_t kUnbound = UINT32_MAX;

  struct Label {
    std::uint32_t position = kUnbound;  // of loops
    // Places of targets still to be filled in, linked through themselves; 0 ends the list.
    std::uint32_t fixups = 0;
    std::uint32_t else_fixups = 0;
    // The stub that a br_table needs to get there, while that table is translated.
    std::uint32_t table_fixups = 0;
    std::uint32_t table = 0;
    // One more than the catch clause that leads here, while the label is not bound; 0 ends the list.
    std::uint32_t catches = 0;
  };
  using Control = validate::Control<Label>;

  explicit Translator(TranslatorOptions options) : options_(options) {}

  // Code notes there whom calls by reference reach, from the next function on; null: it does not.
  void observe_calls(runtime::CallSites* sites) { call_sites_ = sites; }

  // Before the walk; results are valid until the next one. Throws Stopped where `preparation`, which outlives the walk,
  // allows no more, and so does the walk.
  void start(const wasm::Module& module, wasm::FuncIndex function, runtime::Preparation& preparation);
  // Before another walk of the same function, which is due where rethrow_slots() are needed: these are kept for
  // exceptions that are rethrown.
  void restart(std::uint32_t rethrow_slots);
  // After it: an error where the function uses what this version does not run.
  [[nodiscard]] Result<void> finish();

  [[nodiscard]] std::span<const std::uint8_t> code() const { return out_.bytes(); }
  [[nodiscard]] OffsetTable offsets() const { return marks_.table(); }
  // Where loops begin. What has no code between them is one loop, the innermost.
  [[nodiscard]] OffsetTable loops() const { return loops_.table(); }
  [[nodiscard]] std::uint32_t frame_slots() const { return frame_slots_; }
  [[nodiscard]] std::uint32_t parameter_slots() const { return parameters_; }
  [[nodiscard]] std::uint32_t local_slots() const { return locals_ - parameters_ - reserved_; }
  [[nodiscard]] std::uint32_t call_cost() const {
    return 1 + (out_.size() - looped_bytes_) / runtime::kCodeBytesPerUnit;
  }
  [[nodiscard]] std::uint32_t rethrow_slots() const { return rethrow_slots_; }
  [[nodiscard]] const CatchTableBuilder& catches() const { return catches_; }
  // Entries of the model that were looked at beside those that were pushed: what tests of linear time count.
  [[nodiscard]] std::uint64_t visits() const { return visits_; }
  // Gives memory back when a function needed unusually much.
  void trim();

  // The sink.
  template <class W>
  void poll(W& walk) {
    poll_with(walk.held_bytes());
  }
  template <class W>
  void begin(W& walk) {
    offset_ = walk.offset();
    begin_function(walk.local_types());
  }
  [[nodiscard]] bool charges() const { return options_.charges_fuel; }
  template <class W>
  void charge(W& walk, std::uint32_t cost) {
    offset_ = walk.offset();
    charge_run(cost);
  }
  template <class W>
  void instruction(W& walk, wasm::Op op, const validate::Immediates& immediates) {
    at(walk);
    lower(op, immediates);
  }
  template <class W>
  void block(W& walk, Control& /*control*/) {
    at(walk);
    flush();
  }
  template <class W>
  void loop(W& walk, Control& control) {
    at(walk);
    open_loop(control);
  }
  template <class W>
  void if_(W& walk, Control& control) {
    at(walk);
    open_if(control);
  }
  template <class W>
  void else_(W& walk, Control& control, bool falls_in) {
    offset_ = walk.offset();
    open_else(control, falls_in);
    count();
  }
  template <class W>
  void end(W& walk, Control& control, bool falls_in) {
    at(walk);
    close(control, falls_in);
  }
  template <class W>
  void br(W& walk, Control& target) {
    at(walk);
    branch(target);
  }
  template <class W>
  void br_if(W& walk, Control& target) {
    at(walk);
    branch_if(target);
  }
  template <class W>
  void br_table(W& walk, std::span<Control* const> targets) {
    at(walk);
    branch_table(targets);
  }
  template <class W>
  void br_on(W& walk, wasm::Op op, const validate::Immediates& immediates, Control& target) {
    at(walk);
    branch_on(op, immediates, target);
  }
  template <class W>
  void return_(W& walk) {
    at(walk);
    emit_return();
  }
  template <class W>
  void unreachable(W& walk) {
    at(walk);
    emit_unreachable();
  }
  template <class W>
  void call(W& walk, wasm::Op op, wasm::FuncIndex function) {
    at(walk);
    call_direct(op == wasm::Op::return_call, function);
  }
  template <class W>
  void call_indirect(W& walk, wasm::Op op, wasm::TypeIndex type, wasm::TableIndex table) {
    at(walk);
    call_through_table(op == wasm::Op::return_call_indirect, type, table);
  }
  template <class W>
  void call_ref(W& walk, wasm::Op op, wasm::TypeIndex type) {
    at(walk);
    call_reference(op == wasm::Op::return_call_ref, type);
  }
  template <class W>
  void try_table(W& walk, Control& control, std::span<const validate::CatchClause<Label>> clauses) {
    at(walk);
    open_try_table(control, clauses);
  }
  template <class W>
  void throw_(W& walk, wasm::TagIndex tag) {
    at(walk);
    emit_throw(tag);
  }
  template <class W>
  void throw_ref(W& walk) {
    at(walk);
    emit_throw_ref();
  }
  template <class W>
  void legacy_try(W& walk, wasm::Op op, Control* control, std::uint32_t tag_or_depth) {
    const bool begins_arm = op == wasm::Op::catch_ || op == wasm::Op::catch_all;
    offset_ = walk.offset();
    if (!begins_arm) count();
    legacy(op, *control, tag_or_depth);
    if (begins_arm) count();
  }

 private:
  static constexpr std::uint32_t kNoSlot = UINT32_MAX;

  // A value of the model stack. A v128, which takes two slots, is never a constant.
  struct Entry {
    enum class Kind : std::uint8_t { slot, local, constant };
    Kind kind = Kind::slot;
    bool is_vector = false;
    std::uint32_t slot = 0;  // canonical
    std::uint64_t bits = 0;  // the local's slot, or the constant
  };
  static constexpr std::uint32_t kNoEntry = UINT32_MAX;
  // The neighbours of an entry among those that name the same local.
  struct AliasLinks {
    std::uint32_t below = kNoEntry;
    std::uint32_t above = kNoEntry;
  };
  struct LocalPlace {
    std::uint32_t slot = 0;
    bool is_vector = false;
  };
  // An operand of an instruction, decided: its form's letter and what the encoding holds.
  struct Operand {
    char form = 's';
    std::uint32_t slot = 0;
    std::uint64_t bits = 0;
    bool is_popped = false;  // the slot is a temporary that nobody else reads
  };
  // Which slot each accumulator equals.
  struct Accumulators {
    std::uint32_t slot[kValueClasses] = {kNoSlot, kNoSlot, kNoSlot, kNoSlot};
  };
  struct Instruction {
    std::uint32_t position = kUnbound;
    Code code = Code::unreachable;
    std::uint32_t written = kNoSlot;       // the slot that it writes
    std::uint32_t consumed = kNoSlot;      // the slot that it takes off the stack from an accumulator
    const Lowering* comparison = nullptr;  // what it compares, and with what
    Operand lhs;
    Operand rhs;
    Accumulators before;
  };
  // An open try or try_table.
  struct Try {
    std::uint64_t offset = 0;  // its control's
    std::uint32_t body = 0;    // the region of its body
    std::uint32_t region = 0;  // the region of its present arm: catches belong to what is around
    std::uint32_t outer = 0;
    std::uint32_t depth = 0;  // of legacy catches around
    std::uint32_t last_clause = CatchClause::kNone;
  };

  template <class W>
  void at(W& walk) {
    offset_ = walk.offset();
    count();
    if (out_.size() >= poll_due_) [[unlikely]]
      emit_poll();
  }
  // Code that counts does so before each instruction, and at the beginning of an arm.
  void count() {
    if (options_.counts != nullptr) [[unlikely]]
      emit_count();
  }

  // translator.cc: the model
  void poll_with(std::uint64_t walk_bytes);
  void begin_function(std::span<const wasm::ValType> locals);
  void unsupported(wasm::Op op);
  [[nodiscard]] LocalPlace place_of_local(std::uint32_t local) const {
    return wide_locals_.empty() ? LocalPlace{local, false} : wide_locals_[local];
  }
  // The slot that the next value pushed will have.
  [[nodiscard]] std::uint32_t next_slot() const { return next_slot_; }
  void push(Entry::Kind kind, std::uint64_t bits, bool is_vector = false);
  void link_alias(std::uint64_t slot);
  void unlink_alias(std::uint64_t slot, std::size_t index);
  void push_slot(bool is_vector = false) { push(Entry::Kind::slot, 0, is_vector); }
  void push_slots(std::span<const wasm::ValType> types) {
    for (const wasm::ValType type : types) push_slot(type.is_vector());
  }
  Entry pop();
  void reset_stack(std::size_t height, std::span<const wasm::ValType> values);
  // The entries from `index` on are known to be in their slots.
  [[nodiscard]] bool are_placed(std::size_t index) const {
    return flushed_ == stack_.size() || (placed_.begin <= index && placed_.end == stack_.size());
  }
  static std::uint32_t place(const Entry& entry) {
    return entry.kind == Entry::Kind::local ? static_cast<std::uint32_t>(entry.bits) : entry.slot;
  }
  void flush();
  void flush_arguments(std::size_t count);
  void flush_entry(std::size_t index);
  // A constant on top that instructions only look at is brought into its slot once, not by each of them.
  void settle_constant() {
    if (stack_.back().kind == Entry::Kind::constant) flush_entry(stack_.size() - 1);
  }
  std::uint32_t in_slot(const Entry& entry);
  Operand operand(const Entry& entry, const Lowering& lowering);
  Operand operand(const Entry& entry, ValueClass value_class, bool is_wide);
  void wrote(std::uint32_t slot);
  void wrote(std::uint32_t slot, ValueClass value_class);
  void wrote_vector(std::uint32_t slot);
  void forget_accumulators() { accumulators_ = {}; }
  void forget_code();
  [[nodiscard]] bool is_last_comparison(const Entry& popped) const;
  Instruction take_back_last();

  // translator.cc: emission
  void seal();
  void emit(Code code);
  void emit_count();
  void emit_poll();
  void emit_charge(std::uint32_t cost);
  void charge_run(std::uint32_t cost);
  void put_slot(std::uint32_t slot) { out_.put(static_cast<std::uint16_t>(slot)); }
  void put_index(std::uint32_t index) { out_.put(index); }
  void put_operand(const Operand& operand, ValueClass value_class, bool is_wide);
  void put_target(std::uint32_t& fixups, std::uint32_t position);
  void put_fixup(std::uint32_t& list);
  void bind(std::uint32_t& list);
  void mark() { marks_.add(last_.position, offset_); }
  void copy(std::uint32_t to, const Entry& from);
  void copy_range(std::uint32_t to, std::uint32_t from, std::uint32_t count);

  // translate_values.cc: numbers, variables, memories, tables
  void lower(wasm::Op op, const validate::Immediates& immediates);
  void lower_special(wasm::Op op, const validate::Immediates& immediates);
  void binary(const Lowering& lowering);
  void compare(const Lowering& lowering, const Entry& a, const Entry& b);
  void emit_compare(const Lowering& lowering, const Operand& lhs, const Operand& rhs);
  void test_zero(bool is_wide);
  void unary(const Lowering& lowering);
  void load(const Lowering& lowering, const validate::MemArg& memarg);
  void store(const Lowering& lowering, const validate::MemArg& memarg);
  // How an access reaches its memory: the handler's own memory 0, with 32-bit or with 64-bit addresses, or any.
  enum class Reach : std::uint8_t { direct, wide, any };
  [[nodiscard]] Reach reach_of(const validate::MemArg& memarg) const;
  void atomic(const Lowering& lowering, const wasm::OpInfo& row, const validate::MemArg& memarg);
  // An instruction of wide arithmetic: operands in slots, results in two of their own.
  void wide(Code code, unsigned operands);
  void select();
  void get_local(std::uint32_t local);
  void set_local(std::uint32_t local, bool tee);
  void keep_aliases(std::uint32_t slot, bool before_last);
  void get_global(std::uint32_t global);
  void set_global(std::uint32_t global);
  void check_reference(Code code);
  // An instruction that leaves State: pops `operands`, has them in slots, then the indices.
  void service(Code code, unsigned operands, bool has_result, std::initializer_list<std::uint32_t> indices);

  // translate_simd.cc
  void vector(wasm::Op op, const Lowering& lowering, const validate::Immediates& immediates);
  void vector_shift(const Lowering& lowering);
  void vector_load(const Lowering& lowering, const validate::MemArg& memarg);
  void vector_load_lane(const Lowering& lowering, const validate::Immediates& immediates);
  void vector_store(const Lowering& lowering, const validate::Immediates& immediates);
  Operand emit_vector_access(const Lowering& lowering, const validate::MemArg& memarg, const Entry& address);
  void put_memarg(const validate::MemArg& memarg);
  void put_lane(const validate::Immediates& immediates) { out_.put(std::uint16_t{immediates.lane}); }
  void put_address(const Operand& address) { put_operand(address, ValueClass::integer, false); }
  void vector_unary(const Lowering& lowering);
  void vector_binary(const Lowering& lowering);
  Operand vector_operand(const Entry& entry);
  void put_vector(const Operand& operand);
  // What was just written to `slot` is a vector, which the accumulator equals, or, if it was only `moved`, does not.
  void push_vector(std::uint32_t slot, bool moved = false);

  // translate_gc.cc: structures, arrays, casts
  void lower_gc(wasm::Op op, const validate::Immediates& immediates);
  [[nodiscard]] const wasm::SubType& definition(std::uint32_t type) const;
  // Where a structure's fields lie: words in front of each, and of all.
  const std::vector<std::uint16_t>& field_words(std::uint32_t type);
  void emit_new(Code code, std::uint32_t destination, std::uint32_t type);
  void new_default_structure(std::uint32_t type);
  void new_structure(std::uint32_t type);
  void get_field(wasm::Op op, std::uint32_t type, std::uint32_t field);
  void set_field(std::uint32_t type, std::uint32_t field);
  void new_array_fixed(std::uint32_t type, std::uint32_t count);
  void get_element(wasm::Op op, std::uint32_t type);
  void set_element(std::uint32_t type);
  void test_reference(const Entry& reference, std::uint32_t result, wasm::ValType type);
  void cast_reference(wasm::ValType type);
  void push_result(std::uint32_t slot, wasm::ValType type);

  // translate_control.cc
  void open_loop(Control& control);
  void open_if(Control& control);
  void open_else(Control& control, bool falls_in);
  void close(Control& control, bool falls_in);
  void branch(Control& target);
  void branch_if(Control& target);
  void branch_on(wasm::Op op, const validate::Immediates& immediates, Control& target);
  void branch_table(std::span<Control* const> targets);
  struct Condition;
  Condition take_condition();
  Condition null_test(const Entry& reference, bool is_null);
  // Branches with the values that are on the stack now.
  void branch_when(const Condition& condition, bool sense, Control& target);
  // To `label` if the condition is (or is not) met.
  void emit_branch_if(const Condition& condition, bool sense, std::uint32_t& fixups, std::uint32_t position);
  void emit_branch(Control& target);
  bool is_placed(const Control& target);
  // Few copies are faster than the instruction for many.
  static constexpr std::size_t kLeastRange = 3;
  void move_entries(std::uint32_t to, std::size_t count, std::size_t least_range = kLeastRange);
  void move_results(const Control& target);
  [[nodiscard]] std::uint32_t label_slot(const Control& target) const { return locals_ + target.slot_height; }
  void emit_return();
  void emit_unreachable();
  void call_direct(bool is_tail, wasm::FuncIndex function);
  void call_through_table(bool is_tail, wasm::TypeIndex type, wasm::TableIndex table);
  void call_reference(bool is_tail, wasm::TypeIndex type);
  // In front of such a call, whose reference or index is in `slot`.
  void observe_call(std::uint32_t slot, Code code, std::optional<wasm::TableIndex> table);
  void finish_call(const wasm::FuncType& type);

  // translate_exceptions.cc
  [[nodiscard]] const wasm::FuncType& tag_type(wasm::TagIndex tag) const;
  void open_region(const Control& control);
  void close_region();
  void close_try(validate::ControlKind kind);
  std::uint32_t add_clause(const CatchClause& clause);
  void bind_catches(Label& label);
  void open_try_table(Control& control, std::span<const validate::CatchClause<Label>> clauses);
  void emit_throw(wasm::TagIndex tag);
  void emit_throw_ref();
  void legacy(wasm::Op op, Control& control, std::uint32_t tag);
  void open_catch(Control& control, std::uint32_t tag, std::span<const wasm::ValType> values);
  void delegate(const Control& label);
  void rethrow(const Control& label);

  TranslatorOptions options_;
  runtime::CallSites* call_sites_ = nullptr;
  const wasm::Module* module_ = nullptr;
  const wasm::FuncType* type_ = nullptr;
  std::optional<Error> error_;
  std::uint64_t offset_ = 0;

  // In slots.
  std::uint32_t parameters_ = 0;
  std::uint32_t locals_ = 0;    // parameters included, and slots for rethrown exceptions, which are the last
  std::uint32_t reserved_ = 0;  // of these, the latter
  std::uint32_t next_slot_ = 0;
  std::uint32_t frame_slots_ = 0;
  std::vector<LocalPlace> wide_locals_;  // empty where no local is a v128: local N is in slot N then
  std::vector<Entry> stack_;
  std::size_t flushed_ = 0;  // entries below are in their slots
  // And so are these, which branches and calls brought there.
  struct {
    std::size_t begin = 0;
    std::size_t end = 0;
  } placed_;
  std::vector<std::uint32_t> aliases_;  // by a local's slot: the uppermost entry that names it
  std::vector<AliasLinks> links_;       // by entry, of those that name locals

  CodeBuffer out_;
  std::uint32_t poll_due_ = 0;  // the position at which one is: so much code runs without a look at interrupts
  OffsetMarks marks_;
  OffsetMarks loops_;
  std::uint32_t loop_depth_ = 0;
  std::uint32_t outer_loop_ = 0;    // where the outermost one begins
  std::uint32_t looped_bytes_ = 0;  // of code in loops that are closed
  Accumulators accumulators_;
  Instruction last_;
  // The instruction that those before `last_` were fused into, where `last_` may be added.
  struct {
    std::uint32_t position = kUnbound;
    Code code = Code::unreachable;
    std::uint32_t written = kNoSlot;  // by its last part
  } head_;
  std::uint32_t tables_ = 0;                                                   // br_tables so far
  std::unordered_map<std::uint32_t, std::vector<std::uint16_t>> field_words_;  // by TypeId

  CatchTableBuilder catches_;
  std::vector<Try> tries_;
  std::uint32_t catch_depth_ = 0;    // legacy catches around the current position
  std::uint32_t rethrow_slots_ = 0;  // that the function needs

  runtime::Preparation* preparation_ = nullptr;
  std::uint64_t counted_bytes_ = 0;  // of memory beside the buffers, taken from it
  std::uint64_t visits_ = 0;
};

}  // namespace wasi::interp
