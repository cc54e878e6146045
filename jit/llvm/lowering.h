// From a function body to LLVM IR: a sink of the function walk (validate/sink.h).
//
// Operands are SSA values on a stack of the translation's own. What meets at a label goes through *homes*, one alloca
// for each slot of the operand stack and type, as locals do; LLVM makes SSA values of them (SROA) before anything else.
// So a label needs no phi, and a loop can be entered from a frame's slots (on-stack replacement): the entry fills the
// homes and jumps to the loop's head. For that, values that live across the beginning of a block are at home where the
// function is compiled for a loop's sake.
//
// Polls, the stack check and the frame's VmContext are put in when the optimiser is done (late.h).
//
// Members are grouped by the file that defines them. To add an instruction: lower() in lowering.cc, and a function in
// the file of its family:
//   llvm::Value* b = pop();
//   llvm::Value* a = pop();
//   push(builder_.CreateAdd(a, b), Type::i32);
#pragma once

#include <wasi/trap.h>

#include <llvm/IR/IRBuilder.h>

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "jit/common/native_abi.h"
#include "jit/common/optimising_compiler.h"
#include "jit/common/types.h"
#include "jit/llvm/simd.h"
#include "jit/llvm/survey.h"
#include "jit/llvm/unit.h"
#include "runtime/gc_heap_layout.h"
#include "runtime/preparation.h"
#include "runtime/runtime_call_table.h"
#include "validate/sink.h"
#include "wasm/module.h"

namespace wasi::jit::optimising {

class Lowering {
 public:
  struct Label {
    llvm::BasicBlock* target = nullptr;     // the end; of a loop its head. Null until something needs it
    llvm::BasicBlock* otherwise = nullptr;  // of an `if`
    std::uint32_t table = 0;                // the br_table that made this edge for it
    llvm::BasicBlock* table_edge = nullptr;
  };
  using Control = validate::Control<Label>;

  // `into` has the prototype and no body. With `loop`, the byte offset of a `loop` instruction, the function goes on
  // in that loop: its first integer argument points to the slots of a frame. `likely` as for the survey.
  Lowering(Unit& unit, wasm::FuncIndex function, llvm::Function& into, const Survey& survey, LikelyCallees* likely,
           const OptimisingOptions& options, bool looks_for_thrown, std::optional<std::uint64_t> loop,
           runtime::Preparation& preparation);

  // After the walk. False where there was no such loop, or none that can be reached.
  [[nodiscard]] bool finish();
  // Of the interpreter's frame: parameters, locals and operands.
  [[nodiscard]] std::uint32_t frame_slots() const { return local_slots_ + survey_.operand_slots; }

  [[nodiscard]] std::vector<wasm::ValType> take_local_types() { return std::move(local_val_types_); }

  // The sink.
  template <class W>
  void poll(W& walk) {
    poll_with(walk.held_bytes());
  }
  template <class W>
  void begin(W& walk) {
    at(walk);
    begin_function(walk.local_types());
  }
  [[nodiscard]] bool charges() const { return options_.charges_fuel; }
  template <class W>
  void charge(W& walk, std::uint32_t cost) {
    at(walk);
    emit_charge(cost);
  }
  template <class W>
  void instruction(W& walk, wasm::Op op, const validate::Immediates& immediates) {
    at(walk);
    if (const auto depth = checked_reference(op)) source_ = walk.operand(*depth).type;
    lower(op, immediates);
  }
  template <class W>
  void block(W& walk, Control& control) {
    at(walk);
    open_block(control);
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
    branch_if(pop_condition(), target);
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
    trap(TrapCode::unreachable);
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
    at(walk);
    legacy(op, *control, tag_or_depth);
  }

 private:
  // A value of the operand stack.
  struct Entry {
    llvm::Value* value = nullptr;  // null: in its home
    Type type = Type::i32;
    std::uint32_t slot = 0;  // canonical, counted from the first one behind the locals
  };

  template <class W>
  void at(W& walk) {
    set_offset(walk.offset());
  }

  // As Unit::applies(), but that nothing is counted in copies of what is elsewhere.
  bool applies(UnitOptimisation optimisation) {
    return unit_.is_copy(into_) ? !unit_.is_off(optimisation) : unit_.applies(optimisation);
  }

  // lowering.cc: the function, the operand stack, locals, globals
  void poll_with(std::uint64_t walk_bytes);
  void set_offset(std::uint64_t offset);
  void begin_function(std::span<const wasm::ValType> locals);
  void declare_locals();
  void emit_charge(std::uint32_t cost);
  void lower(wasm::Op op, const validate::Immediates& immediates);
  void push(llvm::Value* value, Type type);
  void push_home(Type type);
  llvm::Value* pop();
  llvm::Value* value_of(const Entry& entry);  // a load where it is at home
  [[nodiscard]] Type top_type() const { return stack_.back().type; }
  void reset_stack(std::size_t height, std::span<const wasm::ValType> values);  // the values are at home
  void flush();                                                                 // all go home
  llvm::AllocaInst* home(std::uint32_t slot, Type type);
  void store_home(std::uint32_t slot, Type type, llvm::Value* value);
  void drop();
  void select();
  void get_global(std::uint32_t global);
  void set_global(std::uint32_t global);

  // Shorthands.
  llvm::Type* type(Type type) const { return unit_.type(type); }
  llvm::ConstantInt* i32(std::uint32_t bits) { return builder_.getInt32(bits); }
  llvm::ConstantInt* i64(std::uint64_t bits) { return builder_.getInt64(bits); }
  llvm::Value* zero_extended(llvm::Value* i32) { return builder_.CreateZExt(i32, builder_.getInt64Ty()); }
  llvm::Value* as_i32(llvm::Value* condition) { return builder_.CreateZExt(condition, builder_.getInt32Ty()); }
  llvm::Value* at_offset(llvm::Value* base, std::uint64_t bytes);
  llvm::BasicBlock* new_block(const char* name);
  // Into it, and on in it.
  void enter(llvm::BasicBlock* block) { builder_.SetInsertPoint(block); }

  // memory_access.cc: loads and stores of what the runtime keeps, and of linear memories
  llvm::Value* load(llvm::Type* type, llvm::Value* base, std::uint64_t offset, Region region, bool invariant = false);
  llvm::StoreInst* store(llvm::Value* value, llvm::Value* base, std::uint64_t offset, Region region);
  llvm::Value* exec();  // ExecState*
  llvm::Value* context() { return context_; }
  llvm::Value* memory_view(std::uint32_t memory);
  llvm::Value* guarded_base();
  [[nodiscard]] bool is_guarded(wasm::MemoryIndex memory) const;
  // Where `size` bytes at the popped index and the offset lie; traps where they are not all inside, or will fault.
  llvm::Value* address(const validate::MemArg& memarg, std::uint32_t size);
  void lower_access(wasm::Op op, const validate::MemArg& memarg);
  // A load or store of linear memory: may trap, happens as written where OptimisingOptions::strict says so.
  llvm::LoadInst* memory_load(llvm::Type* type, llvm::Value* address);
  void memory_store(llvm::Value* value, llvm::Value* address);
  void memory_size(std::uint32_t memory);

  // control.cc
  void open_block(Control& control);
  void open_loop(Control& control);
  void open_if(Control& control);
  void open_else(Control& control, bool falls_in);
  void close(Control& control, bool falls_in);
  llvm::Value* pop_condition();  // an i1
  void branch(Control& target);
  void branch_if(llvm::Value* condition, Control& target);
  void branch_table(std::span<Control* const> targets);
  llvm::BasicBlock* target_of(Control& control);
  void move_to_label(const Control& target);
  void emit_return();

  // calls.cc: functions, the runtime, traps
  void call_direct(bool is_tail, wasm::FuncIndex function);
  void call_through_table(bool is_tail, wasm::TypeIndex type, wasm::TableIndex table);
  void call_reference(bool is_tail, wasm::TypeIndex type);
  struct Callee {
    llvm::Function* own = nullptr;  // of this module, and nothing else is to be known of it
    llvm::Value* code = nullptr;    // else its FunctionCode
    llvm::Value* instance = nullptr;
  };
  // An arm in which a reference turned out to be a likely callee's: where it ends, and what has a register of its
  // results.
  struct LikelyArm {
    llvm::BasicBlock* end = nullptr;
    std::vector<llvm::Value*> results;
  };
  [[nodiscard]] Callee own_function(wasm::FuncIndex function) { return {unit_.function(function), nullptr, context_}; }
  // Calls each likely function in an arm of its own where the pointer to a FuncRef is its own, and goes on where it is
  // none of them. Arms that end in tail calls are not among the result.
  std::vector<LikelyArm> call_likely(bool is_tail, wasm::TypeIndex type, llvm::Value* reference);
  // Pops the arguments and pushes the results; those of the likely arms where it comes from there.
  void emit_call(bool is_tail, const wasm::FuncType& type, const Callee& callee, std::span<const LikelyArm> likely);
  void emit_tail_call(const Callee& callee, std::vector<llvm::Value*> args);
  // Of the uppermost values, which stay on the stack.
  std::vector<llvm::Value*> arguments(const wasm::FuncType& type);
  llvm::Value* set_callee(const Callee& callee, std::vector<llvm::Value*>& args);  // the target is the result
  llvm::CallInst* call_prototype(llvm::Value* target, std::span<llvm::Value* const> args);
  std::vector<llvm::Value*> register_results(const wasm::FuncType& type, llvm::CallInst* call);
  llvm::Value* entry_of(llvm::Value* callee);
  llvm::Value* area();  // where values without a register go
  llvm::Value* to_register(llvm::Value* value, Type type);
  llvm::Value* from_register(llvm::Value* value, Type type);
  // A function of the table; its result is of `result`, null: none.
  llvm::CallInst* call_runtime(runtime::RuntimeCallId id, llvm::Type* result, std::initializer_list<llvm::Value*> args);
  // An instruction that is a function of the runtime: takes `operands` values of the stack, pushes `results`.
  void service(runtime::RuntimeCallId id, std::size_t operands, std::span<const wasm::ValType> results,
               std::uint64_t a = 0, std::uint64_t b = 0);
  void service(runtime::RuntimeCallId id, std::size_t operands, std::optional<wasm::ValType> result,
               std::uint64_t a = 0, std::uint64_t b = 0);
  // Slots of this frame's own, for operands and results of the runtime's functions; at least `slots`.
  llvm::Value* scratch(std::uint32_t slots);
  void trap(TrapCode code);  // ends the block
  void trap_if(llvm::Value* condition, TrapCode code);
  // Seldom true: code for it goes to the block that is returned, the rest goes on.
  llvm::BasicBlock* seldom_if(llvm::Value* condition, const char* name);

  // numbers.cc
  void lower_number(wasm::Op op);
  llvm::Value* integer_binary(wasm::Op op, llvm::Value* a, llvm::Value* b);
  llvm::Value* integer_divide(wasm::Op op, llvm::Value* a, llvm::Value* b);
  llvm::Value* float_binary(wasm::Op op, llvm::Value* a, llvm::Value* b);
  // FAdd, FSub, FMul or FDiv of numbers; LLVM does not see what it would take away.
  llvm::Value* float_arithmetic(llvm::Instruction::BinaryOps operation, llvm::Value* a, llvm::Value* b);
  llvm::Value* number_unary(wasm::Op op, llvm::Value* a);
  // Traps where it does not fit.
  llvm::Value* truncate(llvm::Value* a, llvm::Type* to, bool is_signed);
  void wide_sum(wasm::Op op);
  void wide_product(wasm::Op op);
  void push_wide(llvm::Value* i128);
  // simd.cc
  void lower_vector(wasm::Op op, const validate::Immediates& immediates);
  void push_vector(llvm::Value* vector);  // of any lanes
  llvm::Value* pop_vector(simd::Shape shape);
  llvm::Value* pop_lane(simd::Shape shape);
  llvm::Constant* vector_constant(std::span<const std::uint8_t, 16> bytes);
  void vector_lane(wasm::Op op, std::uint8_t lane);
  void vector_shuffle(std::span<const std::uint8_t, 16> order);
  void vector_shift(wasm::Op op);
  void vector_test(wasm::Op op);
  // simd_memory.cc
  void vector_access(wasm::Op op, const validate::Immediates& immediates);
  llvm::Value* vector_load(wasm::Op op, const validate::MemArg& memarg);
  // atomics.cc
  void lower_atomic(wasm::Op op, const validate::Immediates& immediates);
  llvm::Value* aligned_address(const validate::MemArg& memarg, std::uint32_t size);
  // references.cc: null, tests and casts, tables, functions as values
  void lower_reference(wasm::Op op, const validate::Immediates& immediates);
  void branch_on(wasm::Op op, const validate::Immediates& immediates, Control& target);
  // How deep the reference lies that an instruction tests, or does not take as null.
  static std::optional<std::uint32_t> checked_reference(wasm::Op op);
  llvm::Value* is_null(llvm::Value* reference);
  void trap_if_null(llvm::Value* reference, TrapCode code);  // the one whose type is source_
  llvm::Value* pointer_to(llvm::Value* reference);
  [[nodiscard]] const wasm::SubType& definition(std::uint32_t type) const;
  void reference_function(std::uint32_t function);
  struct TableParts {
    llvm::Value* size;      // i64
    llvm::Value* elements;  // their place
  };
  TableParts table_parts(std::uint32_t table);
  llvm::Value* table_element(std::uint32_t table, llvm::Value* index);
  llvm::Value* type_id(std::uint32_t type);
  llvm::Value* object_type(std::uint32_t type);
  llvm::Value* test_type(llvm::Value* reference, wasm::ValType tested, wasm::ValType source);
  llvm::Value* ask_runtime(llvm::Value* is_same, llvm::Value* reference, runtime::TypeTest test, std::uint32_t type);
  // Behind whatever may collect, a call of a function among them: references that live on are findable until here.
  void keep_references();
  // aggregates.cc: structures, arrays, i31
  void lower_aggregate(wasm::Op op, const validate::Immediates& immediates);
  llvm::Type* stored_type(wasm::StorageType storage);
  llvm::Value* load_stored(wasm::StorageType storage, llvm::Value* from, bool is_signed);
  void store_element(wasm::StorageType storage, llvm::Value* value, llvm::Value* to);
  llvm::Value* field_address(std::uint32_t type, std::uint32_t field, llvm::Value* structure);
  llvm::Value* element_address(wasm::StorageType storage, llvm::Value* array, llvm::Value* index);
  llvm::Value* allocate_object(std::uint64_t bytes);
  llvm::Value* allocate_structure(std::uint32_t type);
  llvm::Value* allocate_array(std::uint32_t type, std::uint32_t length, unsigned shift);
  void clear_contents(llvm::Value* object, std::uint64_t bytes);
  void push_object(llvm::Value* object);
  // False where the runtime makes it.
  bool new_structure(std::uint32_t type);
  bool new_default_structure(std::uint32_t type);
  bool new_fixed_array(std::uint32_t type, std::uint32_t length);
  bool new_constant_array(std::uint32_t type, bool has_element);
  // bulk.cc: memory.fill and the like
  void lower_bulk(wasm::Op op, const validate::Immediates& immediates);
  [[nodiscard]] std::optional<std::uint32_t> few_bytes() const;
  llvm::Value* checked_range(std::uint32_t memory, std::uint32_t bytes);
  llvm::Value* checked_range(std::uint32_t memory, llvm::Value* begin, llvm::Value* bytes);
  // False where there are too many bytes, or nobody knows how many.
  bool copy_few(std::uint32_t to, std::uint32_t from);
  bool fill_few(std::uint32_t memory);
  // False where the runtime does all of it.
  bool copy_many(std::uint32_t to, std::uint32_t from);
  bool fill_many(std::uint32_t memory);
  llvm::Value* pop_extended();
  llvm::Type* piece_type(std::uint32_t bytes);

  // exceptions.cc
  struct Clause {
    std::optional<std::uint32_t> tag = {};  // none: all
    bool has_reference = false;             // the label takes the exception, too
    std::vector<Type> values = {};
    std::uint32_t slot = 0;  // where the label has its values
    llvm::BasicBlock* target = nullptr;
    llvm::AllocaInst* kept = nullptr;  // where the exception is kept for a rethrow
  };
  struct TryRegion {
    std::uint32_t parent = 0;
    llvm::BasicBlock* handler = nullptr;
    std::vector<Clause> clauses = {};
  };
  struct Try {
    std::uint64_t offset = 0;
    std::uint32_t body = 0;    // the region of its body
    std::uint32_t region = 0;  // of its present arm
    std::uint32_t outer = 0;
    llvm::AllocaInst* kept = nullptr;
  };
  [[nodiscard]] std::uint32_t current_region() const;
  llvm::BasicBlock* handler_of(std::uint32_t region);
  void open_region(Control& control);
  void open_try_table(Control& control, std::span<const validate::CatchClause<Label>> clauses);
  void close_try();
  void emit_throw(wasm::TagIndex tag);
  void emit_throw_ref();
  void throw_on();
  void leave_thrown();
  void legacy(wasm::Op op, Control& control, std::uint32_t tag_or_depth);
  void open_catch(Control& control, std::optional<std::uint32_t> tag, std::span<const wasm::ValType> values);
  void delegate(const Control& label);
  void rethrow(const Control& label);
  // Behind a call, where handlers may be waiting for what it threw.
  void test_thrown();
  void test_thrown_in(std::uint32_t region);
  void emit_handlers();
  void land(const Clause& clause);

  Unit& unit_;
  const wasm::Module& module_;
  const wasm::FuncIndex function_;
  const wasm::FuncType& type_;
  llvm::Function& into_;
  const Survey& survey_;
  LikelyCallees* const likely_;  // null: calls are not guarded
  const OptimisingOptions& options_;
  const bool looks_for_thrown_;  // calls may return with ExecState::thrown set
  const std::optional<std::uint64_t> loop_;
  runtime::Preparation& preparation_;
  std::uint64_t taken_ = 0;

  Builder builder_;
  llvm::DISubprogram* scope_ = nullptr;
  std::uint64_t offset_ = 0;
  llvm::BasicBlock* entry_ = nullptr;       // allocas, what never changes, and arguments
  llvm::BasicBlock* loop_head_ = nullptr;   // where loop_ is
  llvm::Instruction* entry_end_ = nullptr;  // allocas go before it
  llvm::Value* context_ = nullptr;
  llvm::Value* base_ = nullptr;                                   // of the guarded memory
  std::unordered_map<std::uint32_t, llvm::Value*> fixed_tables_;  // where their elements lie
  std::vector<llvm::AllocaInst*> locals_;
  std::vector<Type> local_types_;
  std::vector<wasm::ValType> local_val_types_;
  std::uint32_t local_slots_ = 0;
  std::vector<Entry> stack_;
  std::uint32_t next_slot_ = 0;
  std::unordered_map<std::uint64_t, llvm::AllocaInst*> homes_;  // by slot and type
  llvm::AllocaInst* scratch_ = nullptr;
  std::uint32_t scratch_slots_ = 0;
  std::uint32_t table_count_ = 0;
  wasm::ValType source_;             // of the checked reference
  std::optional<bool> has_objects_;  // the module knows objects of the collector
  std::vector<TryRegion> regions_;
  std::vector<Try> tries_;
};

}  // namespace wasi::jit::optimising
