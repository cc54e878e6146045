// From a function body to machine code: a sink of the function walk (validate/sink.h).
//
// One pass. Operands are deferred until something uses them (value_model.h), the hottest locals live in registers for
// the whole function (registers.h), comparisons become part of the branch behind them, and an operation whose result
// goes to such a local is made in its register: for that the compiler looks at the opcode of the next instruction.
//
// What holds at labels, loop heads and calls: every live value is in its home, in the register of its local, or a
// constant; but the one value of a label that takes one comes in rax or xmm0 (loops: in its home). So an interpreter's
// frame can be taken over at a loop head.
//
// Members are grouped by the file that defines them. To add an instruction: emit_* in the file of its family, called
// from lower() in values.cc; inline_ops.h says that it needs no service of the runtime.
//
// How a lowering looks (simd.cc is full of these):
//   Value b = pop(); Value a = pop();
//   const x64::Xmm rhs = in_xmm(b), lhs = in_xmm(a);      // operands in registers, only to be read
//   const x64::Xmm dst = result_xmm(Type::v128, a);       // may be a's own register, or that of the local that the
//                                                         // next instruction sets; never b's unless b is `a`
//   vector_binary(asm_, op, dst, lhs, rhs);
//   release(a, dst); release(b, dst);
//   push_register(Type::v128, dst);
#pragma once

#include <wasi/trap.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "jit/baseline/buffer.h"
#include "jit/baseline/compile.h"
#include "jit/baseline/condition.h"
#include "jit/baseline/listing.h"
#include "jit/baseline/macro_assembler.h"
#include "jit/baseline/register_plan.h"
#include "jit/baseline/registers.h"
#include "jit/baseline/scan.h"
#include "jit/baseline/value_model.h"
#include "jit/common/machine_code.h"
#include "jit/common/native_abi.h"
#include "runtime/gc_heap_layout.h"
#include "runtime/gc_heap_object.h"
#include "runtime/native_locals.h"
#include "runtime/preparation.h"
#include "runtime/runtime_call_table.h"
#include "validate/sink.h"
#include "wasm/module.h"

namespace wasi::jit::baseline {

class Compiler {
 public:
  struct Label {
    asmjit::Label target;       // the end; of a loop its head. Invalid until something needs it
    asmjit::Label otherwise;    // of an `if`
    std::uint32_t catches = 0;  // one more than the newest clause that leads here
    std::uint32_t table = 0;    // the br_table that made this stub for it
    asmjit::Label table_stub;
    std::uint32_t region = 0;        // where the label is
    std::uint32_t outer_region = 0;  // of a loop: around it
  };
  using Control = validate::Control<Label>;

  struct Workspace;

  // Works in `work`, where the scan is.
  Compiler(const wasm::Module& module, wasm::FuncIndex function, Workspace& work, const CompileOptions& options,
           runtime::Preparation& preparation);

  // After the walk.
  Result<MachineCode> finish();

  // The sink.
  static constexpr bool kLooksAhead = true;
  template <class W>
  void poll(W& walk) {
    poll_with(walk.held_bytes());
  }
  template <class W>
  void begin(W& walk) {
    offset_ = walk.offset();
    note("entry");
    begin_function();
  }
  [[nodiscard]] bool charges() const { return options_.charges_fuel; }
  template <class W>
  void charge(W& walk, std::uint32_t cost) {
    offset_ = walk.offset();
    next_ = walk.next();
    flags_live_ = std::exchange(has_flags_, false);
    note("fuel");
    emit_charge(cost);
  }
  // What bodies mostly consist of is told apart here, where the operation is often known.
  template <class W>
  [[gnu::always_inline]] void instruction(W& walk, wasm::Op op, const validate::Immediates& immediates) {
    at(walk);
    if (op == wasm::Op::local_get) return get_local(immediates.index);
    if (op == wasm::Op::i32_const) return push_constant(Type::i32, immediates.bits & UINT32_MAX);
    op_ = op;
    lower(op, immediates);
  }
  template <class W>
  void block(W& walk, Control& control) {
    at(walk);
    control.label.region = region_;
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
    at(walk);
    open_else(control, falls_in);
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
    emit_return(true);
  }
  template <class W>
  void unreachable(W& walk) {
    at(walk);
    asm_.jmp(trap_site(TrapCode::unreachable));
  }
  template <class W>
  void call(W& walk, wasm::Op op, wasm::FuncIndex function) {
    at(walk);
    op_ = op;
    call_direct(op == wasm::Op::return_call, function);
  }
  template <class W>
  void call_indirect(W& walk, wasm::Op op, wasm::TypeIndex type, wasm::TableIndex table) {
    at(walk);
    op_ = op;
    call_through_table(op == wasm::Op::return_call_indirect, type, table);
  }
  template <class W>
  void call_ref(W& walk, wasm::Op op, wasm::TypeIndex type) {
    at(walk);
    op_ = op;
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
    at(walk);
    legacy(op, *control, tag_or_depth);
  }

 private:
  using Where = Value::Where;

  // Registers that hold values across something that clobbers them, and where their homes are.
  struct Saved {
    std::uint8_t reg = 0;
    Type type = Type::i32;
    std::uint32_t slot = 0;
  };
  // Cold code: a call of the runtime with all registers kept, and back.
  struct ColdTrap {
    asmjit::Label label;
    TrapCode code;
    std::uint64_t offset;
    std::uint32_t region;
  };
  struct ColdPoll {
    asmjit::Label label;
    asmjit::Label back;
    std::uint64_t offset;
    std::uint32_t region;
    // At a loop that the call may leave for optimised code: constants among the operands, which have no home yet.
    bool is_exit = false;
    std::uint8_t constant_count = 0;
    std::uint32_t first_constant = 0;
  };
  struct ColdEntry {  // a callee without a native entry
    asmjit::Label label;
    asmjit::Label back;
  };
  struct ColdHostCall {  // a tail call of a host function
    asmjit::Label label;
    std::uint64_t offset;
  };
  struct ColdCall {  // whatever `call` emits
    asmjit::Label label;
    asmjit::Label back;
    std::uint64_t offset;
    std::uint32_t region;
    std::uint32_t first_saved;  // of live registers
    std::uint32_t saved_count;
    std::function<void()> call;
    bool returns = true;
  };
  // Where an interpreter's frame is taken over.
  struct LoopEntry {
    std::uint64_t offset;
    asmjit::Label entry;
    asmjit::Label head;
    std::uint32_t region;
  };
  struct JumpTable {
    asmjit::Label label;
    std::uint32_t first_target;  // of those of all tables
    std::uint32_t target_count;
  };

  template <class W>
  void at(W& walk) {
    offset_ = walk.offset();
    if (options_.for_debugger) mark_instruction();
    next_ = walk.next();
    if (listing_) [[unlikely]]
      listing_->begin(module_, offset_);
    flags_live_ = std::exchange(has_flags_, false);
  }

  // In the listing, what follows is this.
  void note(std::string_view text) {
    if (listing_) listing_->begin(text);
  }

  // compiler.cc: the model
  void poll_with(std::uint64_t walk_bytes);
  // Those up to release() are inline, at the end.
  Value& add(Where where, Type type);
  void add_register(Type type, std::uint8_t reg);
  void push_register(Type type, x64::Gp reg);
  void push_register(Type type, x64::Xmm reg);
  void push_not_null(x64::Gp reg);
  void push_home(Type type);
  void push_constant(Type type, std::uint64_t bits);
  void push_local(std::uint32_t local);
  Value pop();
  void unlink(const Value& value, std::uint32_t index);
  void reset_stack(std::size_t height, std::span<const wasm::ValType> values, bool carried);
  void flush();
  void flush_below(std::size_t count);  // all but the uppermost `count`
  void force_home(std::size_t index);   // constants, too
  void to_home(Value& value);
  void settle_aliases(std::uint32_t local);

  // compiler.cc: registers
  [[nodiscard]] std::uint32_t index_of_top() const { return static_cast<std::uint32_t>(stack_.size() - 1); }
  x64::Gp allocate_gpr();
  x64::Xmm allocate_xmm();
  std::uint8_t allocate(Bank bank, std::uint32_t but = 0);
  void spill_one(Bank bank, std::uint32_t but);
  // No value of the stack is in it afterwards, and it is held.
  void claim(x64::Gp reg);
  void claim(x64::Xmm reg);
  void evict(Bank bank, std::uint8_t reg);
  // Takes an operand out of registers that are wanted for something else.
  void move_out_of(Value& value, std::uint32_t registers);
  void free(Bank bank, std::uint8_t reg) { registers_.free(bank, reg); }
  void release(const Value& value);
  // The same, unless its register is the destination.
  void release(const Value& value, const x64::Gp& destination);
  void release(const Value& value, const x64::Xmm& destination);
  x64::Gp in_gpr(Value& value);
  x64::Xmm in_xmm(Value& value);
  // In a register of its own, that may be written.
  x64::Gp in_own_gpr(Value& value, std::uint32_t but = 0);
  // In any register but these.
  x64::Gp in_gpr_but(Value& value, std::uint32_t but);
  // Where a result goes: the register of the local that the next instruction sets (unless `keep` is read from it), the
  // register of `reused`, or another one.
  x64::Gp result_gpr(Type type, const Value& reused, const Value* keep = nullptr, const Value* keep2 = nullptr);
  x64::Xmm result_xmm(Type type, const Value& reused, const Value* keep = nullptr, const Value* keep2 = nullptr);
  x64::Gp result_gpr(Type type);
  x64::Xmm result_xmm(Type type);
  [[nodiscard]] bool is_in(const Value& value, Bank bank, std::uint8_t reg) const;
  std::optional<std::uint8_t> register_of_next_set(Type type) {
    const std::uint8_t opcode = next_opcode();
    if (opcode != code_of(wasm::Op::local_set) && opcode != code_of(wasm::Op::local_tee)) return std::nullopt;
    return register_of_set(type);
  }
  // The uppermost values do not count.
  [[nodiscard]] std::optional<std::uint8_t> register_of_set(Type type, std::size_t operands = 0) const;
  // Adds what a call clobbers of the stack to saved_registers_; how many they are.
  std::uint32_t save_live_registers();

  // compiler.cc: moves
  [[nodiscard]] x64::Mem home(std::uint32_t slot, std::uint32_t size = 8) const {
    return {x64::rbp, static_cast<std::int32_t>(slot * 8) - static_cast<std::int32_t>(frame_bytes_), size};
  }
  void load(x64::Gp to, Type type, const x64::Mem& from);
  void load(x64::Xmm to, Type type, const x64::Mem& from);
  void store(const x64::Mem& to, Type type, x64::Gp from);
  void store(const x64::Mem& to, Type type, x64::Xmm from);
  template <class To, class From>
  void move_vector(const To& to, Type type, const From& from);
  void load_constant(x64::Gp to, Type type, std::uint64_t bits);
  void load_constant(x64::Xmm to, Type type, std::uint64_t bits);
  void store_constant(const x64::Mem& to, Type type, std::uint64_t bits);
  // Whatever it is, without changing the value. Flags are kept.
  void copy_to(x64::Gp to, const Value& value);
  void copy_to(x64::Xmm to, const Value& value);
  void copy_to(const x64::Mem& to, const Value& value);
  void move(x64::Gp to, x64::Gp from, Type type);
  [[nodiscard]] asmjit::Operand gpr_or_memory(Value& value);  // as an instruction's source

  // function_frame.cc
  void begin_function();
  void choose_registers();
  void enter_region(std::uint32_t region);
  // For who looks at frames: from here on locals are as in the region.
  void note_locals(std::uint32_t region, bool calls_keep_homes, bool is_trap = false);
  // From here on nobody knows.
  void note_no_locals();
  [[nodiscard]] std::shared_ptr<runtime::NativeLocals> notes_of_locals();
  [[nodiscard]] bool is_same_region(std::uint32_t to) const;
  void emit_transition(std::uint32_t to);
  void load_pin(const Pin& pin);
  void emit_frame();
  void take_parameters();
  void clear_locals();
  void load_context(x64::Gp to) { asm_.mov(to, x64::qword_ptr(x64::rbp, -8)); }
  void load_exec(x64::Gp to);
  void load_exec_slowly(x64::Gp to);
  x64::Gp in_exec(x64::Gp otherwise);  // the register that has it, or else this one
  void load_area(x64::Gp to);
  void load_memory_base(x64::Gp context);
  void emit_poll(x64::Gp exec);
  void let_leave(ColdPoll& poll);
  void emit_exit(const ColdPoll& poll);
  void emit_leave_at_loop();
  void emit_charge(std::uint32_t cost);
  void emit_epilogue();
  void emit_host_call(const ColdHostCall& cold);
  void restore_preserved();
  [[nodiscard]] std::vector<LocalPlace> places_of_locals(std::uint32_t code_size) const;
  void emit_loop_stub();
  void emit_cold_polls();
  void emit_cold_code();
  void emit_jump_tables();
  void save_pins();  // of registers that calls clobber
  void restore_pins();

  // parallel_move.cc
  struct Move {
    Bank bank;
    std::uint8_t to;
    Value from;
  };
  void move_in_parallel(std::vector<Move>& moves);

  // control.cc
  void open_loop(Control& control);
  void open_if(Control& control);
  void open_else(Control& control, bool falls_in);
  void close(Control& control, bool falls_in);
  void branch(Control& target);
  void branch_if(Control& target);
  void branch_when(const Condition& condition, Control& target);
  void branch_table(std::span<Control* const> targets);
  void branch_on(wasm::Op op, const validate::Immediates& immediates, Control& target);
  Condition pop_condition();
  void jump_if(const Condition& condition, const asmjit::Label& target);
  void jump_if(const Condition& condition, Control& target);
  void jump(Control& target);
  asmjit::Label target_of(Control& control);
  [[nodiscard]] std::uint32_t label_slot(const Control& control) const { return local_slots_ + control.slot_height; }
  [[nodiscard]] static bool carries(const Control& target);
  [[nodiscard]] bool is_placed(const Control& target) const;
  [[nodiscard]] bool is_placed_for_table(const Control& target) const;
  void force_home_uppermost(std::size_t count);
  // Into the register in which labels take their one value. The value stays on the stack as it is.
  void carry(const Value& value);
  void move_to_label(const Control& target);
  void move_to_slots(std::uint32_t to, std::size_t count);
  void emit_return(bool jumps);

  // calls.cc
  void call_direct(bool is_tail, wasm::FuncIndex function);
  void call_through_table(bool is_tail, wasm::TypeIndex type, wasm::TableIndex table);
  void call_reference(bool is_tail, wasm::TypeIndex type);
  enum class Callee : std::uint8_t { own, import, reference };
  void emit_call(bool is_tail, const wasm::FuncType& type, Callee kind, std::uint32_t index, Value* reference);
  void finish_call(const wasm::FuncType& type);
  void push_results(const wasm::FuncType& type);
  // What values without a register are, from their first slot to behind the last one; many of them are moved at once.
  // Where they cannot be many, nobody counts.
  struct AreaRange {
    static constexpr std::size_t kShort = 8;
    std::uint32_t first = 0;
    std::uint32_t end = 0;
    std::size_t count = 0;
    [[nodiscard]] bool is_long() const { return count > kShort; }
  };
  void pass_values(PlaceAssigner places, std::span<const wasm::ValType> types, const AreaRange& area);
  static AreaRange area_range(PlaceAssigner places, std::span<const wasm::ValType> types);
  // Between the area and homes, of which the one for the area's first slot is `slot`. r11 and `counter` are lost.
  void copy_area(const AreaRange& range, std::uint32_t slot, bool to_area, x64::Gp counter);
  // Code behind the body, to be jumped to, in which what the stack and locals have in registers is at home: so it may
  // call the runtime. It keeps the flags that `call` leaves.
  ColdCall& call_seldom(std::function<void()> call);
  void emit_cold_call(const ColdCall& cold);
  void mark() { marks_.push_back({static_cast<std::uint32_t>(asm_.offset()), offset_}); }
  // For a debugger, where each instruction begins; of several without code, the last.
  void mark_instruction() {
    if (!marks_.empty() && marks_.back().code_offset == asm_.offset()) marks_.pop_back();
    mark();
  }
  // The place that the next instruction may fault at.
  void fault_site(TrapCode code = TrapCode::memory_out_of_bounds) { fault_site_at(asm_.offset(), code); }
  // The same behind that instruction; nothing is marked in between.
  void fault_site_at(std::size_t code_offset, TrapCode code = TrapCode::memory_out_of_bounds);
  asmjit::Label trap_site(TrapCode code);
  // Calls a function of the table: rdi and rax are written, the other arguments are in their registers.
  void call_runtime(runtime::RuntimeCallId id);
  // An instruction that is a function of the runtime: takes `operands` values in their homes, leaves `results` there.
  void service(runtime::RuntimeCallId id, std::size_t operands, std::span<const wasm::ValType> results,
               std::uint64_t a = 0, std::uint64_t b = 0);
  void service(runtime::RuntimeCallId id, std::size_t operands, std::optional<wasm::ValType> result,
               std::uint64_t a = 0, std::uint64_t b = 0);

  // exceptions.cc
  struct Clause {
    std::optional<std::uint32_t> tag = {};  // none: all
    bool has_reference = false;             // the label takes the exception, too
    bool returns = false;                   // the label is the function's
    bool carries = false;                   // the label takes its one value in a register
    std::uint32_t slot = 0;                 // where the label has its values
    std::vector<Type> values = {};
    asmjit::Label target = {};
    std::optional<std::uint32_t> kept_slot = {};  // of the exception, for a rethrow
  };
  struct Region {
    std::uint32_t parent = 0;
    asmjit::Label handler = {};
    std::vector<Clause> clauses = {};
  };
  // An open try or try_table.
  struct Try {
    std::uint64_t offset = 0;
    std::uint32_t body = 0;    // the region of its body
    std::uint32_t region = 0;  // of its present arm
    std::uint32_t outer = 0;
    std::uint32_t depth = 0;  // of legacy catches around
  };
  [[nodiscard]] std::uint32_t current_region() const;
  asmjit::Label handler_of(std::uint32_t region);
  void open_region(Control& control);
  void open_try_table(Control& control, std::span<const validate::CatchClause<Label>> clauses);
  void close_try(Control& control);
  void throw_on();
  void emit_throw(wasm::TagIndex tag);
  void emit_throw_ref();
  void legacy(wasm::Op op, Control& control, std::uint32_t tag_or_depth);
  void open_catch(Control& control, std::optional<std::uint32_t> tag, std::span<const wasm::ValType> values);
  void delegate(const Control& label);
  void rethrow(const Control& label);
  void test_thrown();
  void emit_handlers();
  void emit_landing(const Clause& clause);

  // values.cc: locals, globals, references, and what each instruction becomes
  void lower(wasm::Op op, const validate::Immediates& immediates);
  void lower_special(wasm::Op op, const validate::Immediates& immediates);
  void get_local(std::uint32_t local) { push_local(local); }
  void set_local(std::uint32_t local, bool tee);
  void get_global(std::uint32_t global);
  void set_global(std::uint32_t global);
  void select();
  void drop();
  // A condition that the next instruction takes from the flags, or 0 or 1.
  void push_condition(const Condition& condition);
  void check_not_null(TrapCode code);
  void trap_if_null(const Value& reference, x64::Gp reg, TrapCode code);

  // numbers.cc
  bool lower_number(wasm::Op op);
  void integer_binary(wasm::Op op, asmjit::InstId inst, bool commutative);
  void integer_and(wasm::Op op);
  // The flags tell what the register has.
  void note_result_flags(x64::Gp reg, Type type);
  [[nodiscard]] bool has_result_flags(x64::Gp reg, Type type);
  void test_register(x64::Gp reg, Type type);
  std::optional<std::uint8_t> register_of_sum(Type type) const;
  void integer_add(wasm::Op op);
  void integer_subtract(wasm::Op op);
  bool is_scale(wasm::Op op, std::uint64_t count);
  void add_scaled(Type type);
  void integer_multiply(wasm::Op op);
  void integer_shift(wasm::Op op);
  void integer_divide(wasm::Op op);
  void integer_convert(wasm::Op op);
  void integer_compare(wasm::Op op, x64::CondCode code);
  void test_zero(Type type);
  void float_to_float(wasm::Op op);
  std::optional<x64::Mem> float_in_memory(const Value& value);
  void float_operation(wasm::Op op);
  void float_comparison(wasm::Op op);
  void from_float(wasm::Op op);
  void to_float(wasm::Op op);
  void wide_sum(wasm::Op op);
  void wide_product(wasm::Op op);

  // simd.cc
  void lower_vector(wasm::Op op, const validate::Immediates& immediates);
  void vector_operation(wasm::Op op, std::size_t operands);
  void vector_shifted(wasm::Op op);
  void vector_tested(wasm::Op op);
  void vector_from_number(wasm::Op op);
  void vector_lane(wasm::Op op, std::uint8_t lane);
  void vector_shuffled(std::span<const std::uint8_t, 16> order);
  void vector_constant(std::span<const std::uint8_t, 16> bytes);
  void vector_access(wasm::Op op, const validate::Immediates& immediates);

  // atomics.cc
  void lower_atomic(wasm::Op op, const validate::Immediates& immediates);
  void atomic_load(wasm::Op op, Type type, const validate::MemArg& memarg);
  void atomic_store(wasm::Op op, const validate::MemArg& memarg);
  void atomic_update(wasm::Op op, Type type, const validate::MemArg& memarg);
  void atomic_compare_exchange(wasm::Op op, Type type, const validate::MemArg& memarg);
  void push_extended(Type type, x64::Gp reg, std::uint32_t bytes);

  // aggregates.cc
  void lower_aggregate(wasm::Op op, const validate::Immediates& immediates);
  [[nodiscard]] const wasm::SubType& definition(std::uint32_t type) const;
  const std::vector<std::uint32_t>& field_words(std::uint32_t type);
  void push_stored(wasm::StorageType storage, bool is_signed, x64::Mem from, const Value& operand,
                   const Value* operand2);
  void store_low(x64::Mem to, unsigned shift, const Value& value);
  void get_field(std::uint32_t type, std::uint32_t field, bool is_signed);
  void set_field(std::uint32_t type, std::uint32_t field);
  x64::Mem element_at(Value& array, Value& index, unsigned shift);
  void get_element(std::uint32_t type, bool is_signed);
  void set_element(std::uint32_t type);
  void array_length();
  void load_type_id(x64::Gp to, std::uint32_t type);
  void load_object_type(x64::Gp to, runtime::ObjectKind kind, std::uint32_t type);
  x64::Gp allocate_object(runtime::ObjectKind kind, std::uint32_t type, std::uint64_t bytes, std::uint32_t length);
  void clear_words(x64::Gp object, std::uint32_t words);
  void new_structure(std::uint32_t type);
  void new_default_structure(std::uint32_t type);
  // False where the runtime is to make them.
  bool new_fixed_array(std::uint32_t type, std::uint32_t length);
  bool new_constant_array(std::uint32_t type, bool has_element);

  // casts.cc
  Condition test_type(Value& reference, wasm::ValType type, wasm::ValType source);
  void ask_runtime(const Value& reference, x64::Gp reg, runtime::TypeTest test, std::uint32_t type);
  void test_reference(wasm::ValType type);
  void cast_reference(wasm::ValType type);
  void test_for_branch(wasm::ValType type, wasm::ValType source);
  void push_tested(const Value& reference, bool is_not_null);
  void make_i31();
  void get_i31(bool is_signed);

  // tables.cc
  x64::Mem table_element(std::uint32_t table, Value& index);
  void get_table(std::uint32_t table);
  void set_table(std::uint32_t table);
  void reference_function(std::uint32_t function);

  // memory.cc
  void lower_access(wasm::Op op, const validate::MemArg& memarg);
  // The address of an access; checked where the memory has no guard pages. Holds registers until release_address().
  struct Address {
    x64::Mem memory;
    Value index;
    std::optional<x64::Gp> base;
  };
  Address address(const validate::MemArg& memarg, std::uint32_t size);
  void release_address(const Address& address);
  // A load whose value the next instruction takes from memory.
  [[nodiscard]] bool next_takes_load(wasm::Op op);
  void defer_load(Type type, const Address& address);
  // In front of the instruction that reads it.
  void access_deferred(std::size_t code_offset);
  Address aligned_address(const validate::MemArg& memarg, std::uint32_t size);  // atomics.cc
  [[nodiscard]] bool is_guarded(wasm::MemoryIndex memory) const;

  // bulk_memory.cc
  std::optional<std::uint32_t> few_bytes();
  Address range(wasm::MemoryIndex memory, std::uint32_t bytes);
  // False where the size is not a small constant.
  bool copy_few(wasm::MemoryIndex to, wasm::MemoryIndex from);
  bool fill_few(wasm::MemoryIndex memory);

  // Whether an optimisation that could be made is to be made, in which case it is counted.
  bool applies(Optimisation optimisation) {
    if (options_.without.has(optimisation)) return false;
    ++counts_[static_cast<std::size_t>(optimisation)];
    return true;
  }

  // The next instruction's; that of `unreachable` where there is none.
  [[nodiscard]] std::uint8_t next_opcode() const { return next_ != body_end_ ? *next_ : 0; }
  static constexpr std::uint8_t code_of(wasm::Op op) { return static_cast<std::uint8_t>(wasm::info(op).code); }
  bool next_takes_condition();

  const wasm::Module& module_;
  const wasm::FuncIndex function_;
  const wasm::FuncType& type_;
  const BodyScan& scan_;
  const CompileOptions& options_;
  runtime::Preparation& preparation_;
  std::uint64_t taken_ = 0;
  std::array<std::uint32_t, kOptimisationCount> counts_ = {};

  MacroAssembler& asm_;
  std::optional<Listing> listing_;
  wasm::Op op_ = wasm::Op::nop;
  std::uint64_t offset_ = 0;            // of the present instruction
  std::uint32_t params_taken_ = 0;      // code offsets: from here on parameters are at home,
  std::uint32_t locals_cleared_ = 0;    // and from here on all locals
  const std::uint8_t* next_ = nullptr;  // behind it
  std::uint64_t body_begin_ = 0;
  const std::uint8_t* body_end_ = nullptr;

  Buffer<Value>& stack_;
  std::size_t flushed_ = 0;
  std::vector<std::size_t>& flushed_constants_;  // which entries below that are constants
  std::uint32_t next_slot_ = 0;                  // of what is pushed next
  std::vector<Local>& locals_;
  std::uint32_t local_slots_ = 0;
  std::uint32_t frame_slots_ = 0;
  std::uint32_t frame_bytes_ = 0;
  std::uint8_t saved_ = 0;  // bits in the order of SavedRegisters
  RegisterFile registers_;
  RegisterPlan& plan_;
  std::uint32_t region_ = 0;                            // of the plan, where code is being emitted
  std::shared_ptr<runtime::NativeLocals> local_notes_;  // null: nobody wants them
  std::vector<std::uint32_t> noted_regions_;            // where their pins are in there; kNone: not yet
  std::uint32_t loop_count_ = 0;                        // that have begun
  Condition flags_;
  Address deferred_;  // of the value that is Where::access
  std::uint64_t deferred_offset_ = 0;
  bool flags_live_ = false;  // moves must keep the flags
  bool has_flags_ = false;   // the present instruction leaves a condition in them
  // What the flags are of, while nothing is emitted behind this offset.
  struct ResultFlags {
    std::size_t offset = SIZE_MAX;
    std::uint8_t reg = 0;
    Type type = Type::i32;
  };
  ResultFlags result_flags_;

  asmjit::Label return_label_;
  asmjit::Label overflow_;  // of the stack, found before the frame is whole
  std::uint32_t loop_stub_ = 0;
  bool can_enter_loops_ = true;
  std::vector<ColdTrap>& traps_;
  std::vector<ColdPoll>& polls_;
  std::vector<Value>& exit_constants_;
  asmjit::Label leave_at_loop_;
  std::vector<ColdEntry>& entries_;
  std::vector<ColdHostCall>& host_calls_;
  std::vector<ColdCall>& cold_calls_;
  std::vector<Saved>& saved_registers_;
  std::vector<JumpTable>& tables_;
  std::vector<asmjit::Label>& table_targets_;
  std::uint32_t table_count_ = 0;
  Buffer<runtime::OffsetEntry>& marks_;
  Buffer<runtime::OffsetEntry>& sites_;
  std::vector<LoopEntry>& loops_;
  std::vector<FrameRange>& other_frames_;
  std::vector<Move>& moves_;
  std::vector<Region>& regions_;
  std::vector<Try>& tries_;
  std::unordered_map<std::uint32_t, std::vector<std::uint32_t>> field_words_;  // by TypeIndex
  std::uint32_t catch_depth_ = 0;
};

// What a compilation works in. It is kept for the next one of its thread.
struct Compiler::Workspace {
  BodyScan scan;
  MacroAssembler assembler;
  Buffer<Value> stack;
  std::vector<Local> locals;
  RegisterPlan plan;
  std::vector<ColdTrap> traps;
  std::vector<ColdPoll> polls;
  std::vector<Value> exit_constants;
  std::vector<std::size_t> flushed_constants;
  std::vector<ColdEntry> entries;
  std::vector<ColdHostCall> host_calls;
  std::vector<ColdCall> cold_calls;
  std::vector<Saved> saved_registers;
  std::vector<JumpTable> tables;
  std::vector<asmjit::Label> table_targets;
  Buffer<runtime::OffsetEntry> marks;
  Buffer<runtime::OffsetEntry> sites;
  std::vector<LoopEntry> loops;
  std::vector<FrameRange> other_frames;
  std::vector<Move> moves;
  std::vector<Region> regions;
  std::vector<Try> tries;

  void clear();
  // The larger ones.
  [[nodiscard]] std::uint64_t held_bytes() const;
};

// --- the stack

// What the other fields are does not matter.
inline Value& Compiler::add(Where where, Type type) {
  Value& entry = stack_.add();
  entry.where = where;
  entry.type = type;
  entry.is_not_null = false;
  entry.slot = next_slot_;
  next_slot_ += slots_of(type);
  return entry;
}

inline void Compiler::add_register(Type type, std::uint8_t reg) {
  add(Where::reg, type).reg = reg;
  registers_.own(bank_of(type), reg, index_of_top());
}
inline void Compiler::push_register(Type type, x64::Gp reg) { add_register(type, static_cast<std::uint8_t>(reg.id())); }
inline void Compiler::push_register(Type type, x64::Xmm reg) {
  add_register(type, static_cast<std::uint8_t>(reg.id()));
}
inline void Compiler::push_not_null(x64::Gp reg) {
  push_register(Type::ref, reg);
  stack_.back().is_not_null = true;
}
inline void Compiler::push_home(Type type) { add(Where::home, type); }
inline void Compiler::push_constant(Type type, std::uint64_t bits) { add(Where::constant, type).bits = bits; }
inline void Compiler::push_local(std::uint32_t index) {
  Local& local = locals_[index];
  const auto own = static_cast<std::uint32_t>(stack_.size());
  Value& entry = add(Where::local, local.type);
  entry.local = index;
  entry.is_not_null = local.is_not_null;
  entry.below = local.newest;
  entry.above = Value::kNone;
  if (local.newest != Value::kNone) stack_[local.newest].above = own;
  local.newest = own;
}

// Its register, if it has one of its own, is held until release().
inline Value Compiler::pop() {
  const Value value = stack_.back();
  stack_.pop_back();
  next_slot_ = value.slot;
  flushed_ = std::min(flushed_, stack_.size());
  if (value.is_register()) {
    registers_.hold(bank_of(value.type), value.reg);
  } else if (value.where == Where::local) {
    unlink(value, static_cast<std::uint32_t>(stack_.size()));
  }
  return value;
}

inline void Compiler::unlink(const Value& value, std::uint32_t index) {
  Local& local = locals_[value.local];
  if (value.above != Value::kNone) stack_[value.above].below = value.below;
  if (value.below != Value::kNone) stack_[value.below].above = value.above;
  if (local.newest == index) local.newest = value.below;
}

inline void Compiler::release(const Value& value) {
  if (value.is_register()) registers_.free(bank_of(value.type), value.reg);
}
inline void Compiler::release(const Value& value, const x64::Gp& destination) {
  if (bank_of(value.type) != Bank::general || value.reg != destination.id()) release(value);
}
inline void Compiler::release(const Value& value, const x64::Xmm& destination) {
  if (bank_of(value.type) != Bank::vector || value.reg != destination.id()) release(value);
}

inline bool Compiler::is_in(const Value& value, Bank bank, std::uint8_t reg) const {
  if (bank_of(value.type) != bank) return false;
  if (value.where == Where::reg) return value.reg == reg;
  return value.where == Where::local && locals_[value.local].pin == reg;
}

// --- moves

[[gnu::always_inline]] inline void Compiler::load(x64::Gp to, Type type, const x64::Mem& from) {
  is_64(type) ? asm_.mov(to.r64(), from) : asm_.mov(to.r32(), from);
}
[[gnu::always_inline]] inline void Compiler::store(const x64::Mem& to, Type type, x64::Gp from) {
  is_64(type) ? asm_.mov(to, from.r64()) : asm_.mov(to, from.r32());
}
inline void Compiler::load(x64::Xmm to, Type type, const x64::Mem& from) { move_vector(to, type, from); }
inline void Compiler::store(const x64::Mem& to, Type type, x64::Xmm from) { move_vector(to, type, from); }
template <class To, class From>
void Compiler::move_vector(const To& to, Type type, const From& from) {
  if (type == Type::f32) {
    asm_.movss(to, from);
  } else if (type == Type::f64) {
    asm_.movsd(to, from);
  } else {
    asm_.movups(to, from);
  }
}

}  // namespace wasi::jit::baseline
