#include "binary/immediates.h"

#include <fmt/format.h>

#include "binary/format.h"
#include "binary/type_reader.h"

namespace wasi::binary {
namespace {

using base::ByteReader;
using wasm::ImmediateKind;
using wasm::Op;

using format::kHasMemoryIndex;

void skip_heap_type(ByteReader& reader) {
  const std::uint64_t offset = reader.offset();
  if (detail::kValueTypes[reader.peek()].is_ref()) {
    reader.u8("heap type");
  } else if (reader.s33("heap type") < 0) {
    detail::fail_heap_type(reader, offset);
  }
}

void skip_value_type(ByteReader& reader) {
  const std::uint8_t byte = reader.peek();
  if (byte == kRefByte || byte == kRefNullByte) {
    reader.u8("value type");
    skip_heap_type(reader);
  } else if (detail::kValueTypes[byte].is_bottom()) {
    detail::fail_value_type(reader);
  } else {
    reader.u8("value type");
  }
}

void skip_block_type(ByteReader& reader) {
  const std::uint8_t byte = reader.peek();
  if (byte == kEmptyBlockByte) {
    reader.u8("block type");
  } else if (!detail::kValueTypes[byte].is_bottom() || byte == kRefByte || byte == kRefNullByte) {
    skip_value_type(reader);
  } else {
    const std::uint64_t offset = reader.offset();
    if (reader.s33("block type") < 0) detail::fail_block_type(reader, offset);
  }
}

void skip_memarg(ByteReader& reader) {
  const std::uint64_t offset = reader.offset();
  const std::uint32_t flags = reader.u32("alignment");
  if (flags >= 2 * kHasMemoryIndex) {
    reader.fail_at(
        offset, ErrorKind::malformed,
        fmt::format("malformed memop flags: found {:#x}, expected less than {:#x}", flags, 2 * kHasMemoryIndex));
  }
  if ((flags & kHasMemoryIndex) != 0) reader.u32("memory index");
  reader.u64("memory offset");
}

void skip_labels(ByteReader& reader) {
  // No allocation, so a false count costs nothing; the reader ends the loop.
  const std::uint32_t count = reader.u32("number of labels");
  for (std::uint32_t i = 0; i < count && reader.ok(); ++i) reader.u32("label index");
  reader.u32("default label index");
}

void skip_catches(ByteReader& reader) {
  const std::uint32_t count = reader.u32("number of catch clauses");
  for (std::uint32_t i = 0; i < count && reader.ok(); ++i) {
    const std::uint64_t offset = reader.offset();
    const std::uint8_t kind = reader.u8("catch clause");
    if (kind > 3) {
      reader.fail_at(offset, ErrorKind::malformed,
                     fmt::format("malformed catch clause: found {:#04x}, expected 0x00 to 0x03", kind));
      return;
    }
    if (kind < 2) reader.u32("tag index");
    reader.u32("label index");
  }
}

}  // namespace

Op read_op(ByteReader& reader) {
  const std::uint64_t offset = reader.offset();
  const std::uint8_t byte = reader.u8("instruction");
  if (!reader.ok()) return wasm::kNoOp;
  if (!wasm::is_prefix(byte)) {
    const Op op = wasm::op_from_byte(byte);
    if (op == wasm::kNoOp) reader.fail_at(offset, ErrorKind::malformed, fmt::format("illegal opcode {:02x}", byte));
    return op;
  }
  const std::uint32_t code = reader.u32("opcode behind a prefix byte");
  if (!reader.ok()) return wasm::kNoOp;
  const Op op = wasm::op_from_prefixed(byte, code);
  if (op == wasm::kNoOp) {
    reader.fail_at(offset, ErrorKind::malformed, fmt::format("illegal opcode {:02x} {:02x}", byte, code));
  }
  return op;
}

void skip_immediates(ByteReader& reader, Op op) {
  switch (wasm::info(op).immediate) {
    case ImmediateKind::none:
      return;
    case ImmediateKind::block:
      return skip_block_type(reader);
    case ImmediateKind::label_table:
      return skip_labels(reader);
    case ImmediateKind::try_table:
      skip_block_type(reader);
      return skip_catches(reader);
    case ImmediateKind::label:
    case ImmediateKind::func:
    case ImmediateKind::type:
    case ImmediateKind::tag:
    case ImmediateKind::local:
    case ImmediateKind::global:
    case ImmediateKind::table:
    case ImmediateKind::elem:
    case ImmediateKind::memory:
    case ImmediateKind::data:
      reader.u32("index");
      return;
    case ImmediateKind::type_table:
    case ImmediateKind::type_field:
    case ImmediateKind::type_count:
    case ImmediateKind::type_data:
    case ImmediateKind::type_elem:
    case ImmediateKind::type_type:
    case ImmediateKind::table_table:
    case ImmediateKind::elem_table:
    case ImmediateKind::memory_memory:
    case ImmediateKind::data_memory:
      reader.u32("first index");
      reader.u32("second index");
      return;
    case ImmediateKind::heap_type:
      return skip_heap_type(reader);
    case ImmediateKind::br_on_cast:
      reader.u8("cast flags");
      reader.u32("label index");
      skip_heap_type(reader);
      return skip_heap_type(reader);
    case ImmediateKind::value_types: {
      const std::uint32_t count = reader.u32("number of types");
      for (std::uint32_t i = 0; i < count && reader.ok(); ++i) skip_value_type(reader);
      return;
    }
    case ImmediateKind::memarg:
      return skip_memarg(reader);
    case ImmediateKind::memarg_lane:
      skip_memarg(reader);
      reader.u8("lane");
      return;
    case ImmediateKind::lane:
      reader.u8("lane");
      return;
    case ImmediateKind::shuffle:
    case ImmediateKind::v128:
      return reader.skip(16, "vector");
    case ImmediateKind::i32:
      reader.s32("i32 constant");
      return;
    case ImmediateKind::i64:
      reader.s64("i64 constant");
      return;
    case ImmediateKind::f32:
      reader.fixed32("f32 constant");
      return;
    case ImmediateKind::f64:
      reader.fixed64("f64 constant");
      return;
    case ImmediateKind::zero_byte: {
      const std::uint64_t offset = reader.offset();
      if (const std::uint8_t byte = reader.u8("zero byte"); byte != 0) {
        reader.fail_at(offset, ErrorKind::malformed, fmt::format("zero byte expected: found {:#04x}", byte));
      }
      return;
    }
  }
}

wasm::ConstExpr skip_const_expr(ByteReader& reader, wasm::FeatureSet& features) {
  const std::uint64_t start = reader.offset();
  const auto range = [&] {
    return wasm::ConstExpr{static_cast<std::uint32_t>(start), static_cast<std::uint32_t>(reader.offset() - start)};
  };
  // Nearly all are one i32.const; modules with 100000 data segments exist.
  if (reader.peek() == wasm::info(Op::i32_const).code) {
    reader.u8("instruction");
    reader.s32("i32 constant");
    if (reader.peek() == wasm::info(Op::end).code) {
      reader.u8("instruction");
      return range();
    }
  }
  // Blocks are never constant, but their `end`s must not end the expression before validation has said so.
  std::uint64_t open = 1;
  while (open != 0) {
    const Op op = read_op(reader);
    if (op == wasm::kNoOp) return {};
    skip_immediates(reader, op);
    if (!reader.ok()) return {};
    features.add(wasm::info(op).feature);
    switch (op) {
      case Op::block:
      case Op::loop:
      case Op::if_:
      case Op::try_:
      case Op::try_table:
        ++open;
        break;
      case Op::end:
      case Op::delegate:  // closes its `try` as `end` does
        --open;
        break;
      case Op::i32_add:
      case Op::i32_sub:
      case Op::i32_mul:
      case Op::i64_add:
      case Op::i64_sub:
      case Op::i64_mul:
        features.add(wasm::Feature::extended_const);
        break;
      default:
        break;
    }
  }
  return range();
}

}  // namespace wasi::binary
