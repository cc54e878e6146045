// A little stack machine: constant expressions are a few instructions and have no control.
#include "runtime/const_expr.h"

#include <optional>
#include <vector>

#include "base/byte_reader.h"
#include "base/check.h"
#include "base/result.h"
#include "runtime/aggregates.h"
#include "runtime/instance.h"
#include "wasm/opcodes.h"

namespace wasi::runtime {

namespace {

using wasm::Op;

// In slots. While a heap exists, what stands here stays alive.
class Operands {
 public:
  explicit Operands(GcHeap* heap) {
    if (heap != nullptr) scope_.emplace(*heap, values_);
  }
  void push(Slot value) { values_.push_back(value); }
  Slot pop() {
    WASI_CHECK(!values_.empty());
    const Slot value = values_.back();
    values_.pop_back();
    return value;
  }
  // The uppermost values, which stay until they are dropped.
  [[nodiscard]] const Slot* top(std::size_t count) const {
    WASI_CHECK(count <= values_.size());
    return values_.data() + values_.size() - count;
  }
  void drop(std::size_t count) { values_.resize(values_.size() - count); }

 private:
  std::vector<Slot> values_;
  std::optional<RootScope> scope_;
};

Slot i32(std::uint32_t value) { return {.u64 = value}; }
Slot i64(std::uint64_t value) { return {.u64 = value}; }

Op read_op(base::ByteReader& reader) {
  const std::uint8_t byte = reader.u8("instruction");
  return wasm::is_prefix(byte) ? wasm::op_from_prefixed(byte, reader.u32("instruction")) : wasm::op_from_byte(byte);
}

Slot reference(Object* object) { return {.ref = object}; }

// Instructions on objects, and those that no expression of this version can have. A null object: the heap is full.
Result<void> run_gc(Op op, Instance& instance, base::ByteReader& reader, Operands& operands, std::uint64_t offset) {
  GcHeap& heap = instance.store->heap();
  const auto read_type = [&] { return instance.module().types[reader.u32("type index")]; };
  // Replaces `count` operands by what was made of them.
  const auto finish = [&](Object* object, std::size_t count) -> Result<void> {
    if (object == nullptr) return fail_at(offset, ErrorKind::limit, "the heap for objects is full");
    operands.drop(count);
    operands.push(reference(object));
    return {};
  };
  switch (op) {
    case Op::struct_new: {
      const wasm::TypeId type = read_type();
      const std::size_t count = heap.layouts()[type].words;
      return finish(new_structure(heap, type, operands.top(count)), count);
    }
    case Op::struct_new_default:
      return finish(heap.allocate_structure(read_type()), 0);
    case Op::array_new: {
      const wasm::TypeId type = read_type();
      const std::size_t slots = heap.layouts()[type].element_shift == 4 ? 2 : 1;
      const Slot* values = operands.top(slots + 1);
      return finish(new_array(heap, type, values, values[slots].u32), slots + 1);
    }
    case Op::array_new_default:
      return finish(heap.allocate_array(read_type(), operands.top(1)->u32), 1);
    case Op::array_new_fixed: {
      const wasm::TypeId type = read_type();
      const std::uint32_t length = reader.u32("count of elements");
      const std::size_t count = std::size_t{length} * (heap.layouts()[type].element_shift == 4 ? 2 : 1);
      return finish(new_array_fixed(heap, type, operands.top(count), length), count);
    }
    case Op::ref_i31:
      operands.push(i64(make_i31(operands.pop().u32)));
      return {};
    case Op::any_convert_extern:
    case Op::extern_convert_any:
      return {};
    default:
      return fail_at(offset, ErrorKind::unsupported, "this instruction is not supported in a constant expression");
  }
}

template <class Operation>
void binary(Operands& operands, Operation operation) {
  const Slot right = operands.pop();
  const Slot left = operands.pop();
  operands.push(operation(left, right));
}

}  // namespace

Result<Slot> evaluate_const(Instance& instance, wasm::ConstExpr expression) {
  Slot value;
  WASI_TRY(evaluate_const(instance, expression, {&value, 1}));
  return value;
}

Result<void> evaluate_const(Instance& instance, wasm::ConstExpr expression, std::span<Slot> value) {
  base::ByteReader reader(instance.module().view(expression), expression.offset);
  Operands operands(instance.store->exec().gc.heap);
  for (;;) {
    const std::uint64_t offset = reader.offset();
    const Op op = read_op(reader);
    switch (op) {
      case Op::i32_const:
        operands.push(i32(static_cast<std::uint32_t>(reader.s32("i32"))));
        break;
      case Op::i64_const:
        operands.push(i64(static_cast<std::uint64_t>(reader.s64("i64"))));
        break;
      case Op::f32_const:
        operands.push(i32(reader.fixed32("f32")));
        break;
      case Op::f64_const:
        operands.push(i64(reader.fixed64("f64")));
        break;
      case Op::v128_const:
        for (unsigned i = 0; i < 2; ++i) operands.push(i64(reader.fixed64("v128")));
        break;
      case Op::global_get: {
        const std::uint32_t index = reader.u32("global index");
        WASI_CHECK(index < instance.globals.size());
        const Global& global = *instance.globals[index];
        for (std::uint32_t i = 0; i < global.type.type.slots(); ++i) operands.push(global.cell[i]);
        break;
      }
      case Op::ref_null:
        (void)reader.s33("heap type");
        operands.push(i64(0));
        break;
      case Op::ref_func:
        operands.push({.ref = instance.func_ref(wasm::FuncIndex(reader.u32("function index")))});
        break;
      case Op::i32_add:
        binary(operands, [](Slot a, Slot b) { return i32(a.u32 + b.u32); });
        break;
      case Op::i32_sub:
        binary(operands, [](Slot a, Slot b) { return i32(a.u32 - b.u32); });
        break;
      case Op::i32_mul:
        binary(operands, [](Slot a, Slot b) { return i32(a.u32 * b.u32); });
        break;
      case Op::i64_add:
        binary(operands, [](Slot a, Slot b) { return i64(a.u64 + b.u64); });
        break;
      case Op::i64_sub:
        binary(operands, [](Slot a, Slot b) { return i64(a.u64 - b.u64); });
        break;
      case Op::i64_mul:
        binary(operands, [](Slot a, Slot b) { return i64(a.u64 * b.u64); });
        break;
      case Op::end:
        WASI_CHECK(reader.ok());
        for (std::size_t i = value.size(); i > 0; --i) value[i - 1] = operands.pop();
        return {};
      default:
        WASI_TRY(run_gc(op, instance, reader, operands, offset));
        break;
    }
  }
}

}  // namespace wasi::runtime
