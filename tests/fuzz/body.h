// Bodies of functions: a walk that knows the types on the stack and chooses, again and again, something that may stand
// there. What it needs is taken from the top of the stack or made; so operands lie long on the stack while other
// things happen, and what is written is valid at every point.
//
// Everything that is written is a node, with a number. A node can be left out, which is how cases are made smaller: it
// is generated all the same, so that the others stay what they are, and then replaced by drops and simple values.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "binary/byte_writer.h"
#include "fuzz/entropy.h"
#include "fuzz/plan.h"
#include "fuzz/types.h"
#include "wasm/opcodes.h"

namespace wasi::test::fuzz {

// The instructions whose types the table tells and that have no immediates, or plain ones; filtered by features.
struct OperationLists {
  explicit OperationLists(const Features& features);
  std::vector<wasm::Op> scalar;
  std::vector<wasm::Op> vector;
  std::vector<wasm::Op> accesses;  // to memory, by address
  // By kind of value type: those that give one value of it.
  std::array<std::vector<wasm::Op>, 6> giving;
  std::array<std::vector<wasm::Op>, 6> loading;
};

// What all bodies of a case share.
struct Generation {
  Generation(std::span<const std::uint8_t> bytes, const std::vector<bool>& omitted);
  Entropy entropy;
  Features features;
  // NaNs of scalar floats are any that the specification allows, until they become bits. Otherwise each operation whose
  // result may be one of two NaNs is followed by instructions that make it the canonical one.
  bool has_loose_nans;
  // Also what operations make of numbers and of one NaN is seen as it is, which holds for no code that computes with
  // constants before it runs.
  bool has_exact_nans;
  TypePlan types;
  OperationLists operations;
  const std::vector<bool>& omitted;                    // by node
  std::vector<std::uint32_t> node_ends;                // by node: the first one that is not inside of it
  std::array<std::uint32_t, wasm::kOpCount> counts{};  // of instructions written
};

class BodyGenerator {
 public:
  BodyGenerator(Generation& generation, const ModulePlan& module, std::uint32_t function);
  // Locals and instructions.
  std::vector<std::uint8_t> generate();

 private:
  using Op = wasm::Op;
  using TypeList = std::vector<ValType>;
  struct Frame {
    Op kind;
    TypeList labels;  // what branches to it bring
    TypeList results;
    std::size_t base;  // of its operands on the stack
    std::size_t floor_outside;
    bool is_unreachable = false;
    bool is_target = true;  // of branches by choice
    bool is_catch = false;  // of legacy exceptions: rethrow may name it
  };
  struct Local {
    ValType type;
    bool is_reserved = false;
    bool is_set = true;  // it may be read
  };

  // body.cc: stack, frames, and what to do next.
  void op(Op op);
  void op(Op op, std::uint64_t immediate);
  [[nodiscard]] std::size_t available() const { return stack_.size() - std::min(floor_, stack_.size()); }
  [[nodiscard]] bool top_is(ValType type) const;
  void push(ValType type) { stack_.push_back(type); }
  void push(Types types) { stack_.insert(stack_.end(), types.begin(), types.end()); }
  void consume(std::size_t count);
  void combine(Op op, ValType type);  // two values of the type to one
  void mark_unreachable();
  [[nodiscard]] Frame& frame() { return frames_.back(); }
  [[nodiscard]] std::uint32_t depth_of(std::size_t frame) const {
    return static_cast<std::uint32_t>(frames_.size() - 1 - frame);
  }
  void write_block_type(Types params, Types results);
  void open(Op kind, Types params, Types results);
  void enter(Op kind, Types params, Types results);
  void start_arm(Types params);
  void close();
  // Makes the block's results of what is on the stack.
  void finish();
  // Generates what `generate` does as a node.
  void node(auto&& generate);
  void replace_node(std::size_t size, const TypeList& before, bool was_reachable);
  void write_simple(ValType type);
  [[nodiscard]] bool is_at_end() const { return budget_ <= 0 || g_.entropy.is_empty(); }
  void sequence(std::uint32_t count);
  void step();
  // Something whose operands stay away from what is on the stack, and that leaves nothing there.
  void statement();
  // Values of these types on top of the stack: those that are there, or new ones.
  void need(Types types);
  void need(std::initializer_list<ValType> types) { need(Types(types.begin(), types.size())); }
  void sink_top();
  std::uint32_t new_local(ValType type, bool is_reserved);
  std::uint32_t scratch(ValType type);
  // The local of a type that may be set; new ones are rare.
  std::uint32_t settable_local(ValType type);
  ValType choose_type();

  // body_values.cc: numbers, vectors, and how they are made.
  void push_value(ValType type);
  void leaf(ValType type);
  void constant(ValType type);
  void number(std::uint64_t value, ValType type);  // an i32 or i64
  bool operation_giving(ValType type);
  void compound(ValType type);
  void operation(Op op);
  void push_divisor(ValType type);
  void write_immediate(Op op);
  void canonicalize_top(ValType type);
  void select(ValType type);
  void set_local();
  void write_local(std::uint32_t local);
  void update_local();
  void access_global();

  // body_memory.cc: linear memories, tables, and what is done to many elements at once.
  struct Place {
    bool is_64 = false;
    std::uint64_t size = 0;  // at least
  };
  void access(Op op);
  void wait_or_notify();
  void push_index(ValType type, std::uint64_t most, std::uint64_t alignment);
  void push_address(const Place& place, std::uint64_t access, std::uint64_t offset, std::uint64_t alignment);
  void push_length(const Place& place);
  void push_range(const Place& place);
  std::uint64_t choose_offset(const Place& place, std::uint64_t access);
  void memory_operation();
  void table_operation();
  bool table_get(ValType type);
  bool size_giving(ValType type);
  [[nodiscard]] Place place_of(const MemoryPlan& memory) const;
  [[nodiscard]] Place place_of(const TablePlan& table) const;

  // body_control.cc: blocks, branches and exceptions.
  void check_fuel();
  void leave_without_fuel();
  void block_of(Op kind, const TypeList& params, const TypeList& results);
  void loop_that_counts();
  void control();
  std::size_t choose_target();
  void branch();
  void branch_if();
  void branch_table();
  void branch_on_null();
  void leave();
  void maybe_leave();  // under a condition
  void try_table_of(const TypeList& results);
  void write_clauses(std::uint32_t tag, bool with_reference);
  void legacy_try_of(const TypeList& results);
  void legacy_arm(Types params);
  void exception();
  void throw_something();
  TypeList choose_params();
  TypeList choose_results();

  // body_loops.cc
  void loop_over_memory();  // leaves a value

  // body_calls.cc
  void call();
  bool call_giving(ValType type);
  void call_any(std::uint32_t function, bool is_tail);
  bool call_indirect(std::uint32_t type, bool is_tail);
  void call_ref(std::uint32_t function, bool is_tail);
  void finish_call(std::uint32_t type, std::size_t more, bool is_tail);
  bool tail_call();

  // body_references.cc: references and what they refer to.
  void push_reference(ValType type);
  void construct(std::uint32_t type);
  void reference_operation();
  void construct_array(std::uint32_t type);
  bool field_giving(ValType type);
  void get_field(std::uint32_t type, std::uint32_t field);
  void get_element(std::uint32_t type);
  void structure_operation();
  void array_operation();
  void push_array_index();
  void push_array_length();
  void push_segment_range(std::size_t size);
  ValType choose_reference();
  void cast();
  void branch_on_cast();

  Generation& g_;
  Entropy& e_;
  TypePlan& types_;
  const ModulePlan& module_;
  wasm::FuncType type_;
  ByteWriter out_;
  TypeList stack_;
  // What lies below belongs to somebody else. A value that is being made raises it to the stack's top and lowers it
  // afterwards; code that is not reached has nothing on its stack, and so lowers it to the frame's base.
  std::size_t floor_ = 0;
  std::vector<Frame> frames_;
  std::vector<Local> locals_;
  std::int32_t budget_ = 0;  // of nodes
  int depth_ = 0;            // of values in values
  int loops_ = 0;            // around
  bool is_leaf_ = false;     // calls nothing
  std::size_t most_operands_ = 0;
};

void BodyGenerator::node(auto&& generate) {
  const std::size_t id = g_.node_ends.size();
  g_.node_ends.push_back(0);
  --budget_;
  if (id >= g_.omitted.size() || !g_.omitted[id]) {
    generate();
  } else {
    const std::size_t size = out_.size();
    const TypeList before = stack_;
    const bool was_reachable = !frame().is_unreachable;
    generate();
    replace_node(size, before, was_reachable);
  }
  g_.node_ends[id] = static_cast<std::uint32_t>(g_.node_ends.size());
}

}  // namespace wasi::test::fuzz
