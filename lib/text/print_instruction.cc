#include "text/print_instruction.h"

#include <algorithm>
#include <array>
#include <span>

#include "binary/immediates.h"
#include "binary/type_reader.h"
#include "text/print_literal.h"
#include "wasm/limits.h"

namespace wasi::text {
namespace {

using base::ByteReader;
using wasm::ImmediateKind;
using wasm::Op;

constexpr std::uint32_t kHasMemoryIndex = 0x40;

struct Arity {
  std::uint8_t takes = 0;
  std::uint8_t gives = 0;
};

// By row, from the signatures; "*" counts for nothing here (count_operands).
constexpr std::array<Arity, wasm::kOpCount> kArities = [] {
  std::array<Arity, wasm::kOpCount> arities{};
  for (std::size_t i = 0; i < wasm::kOpCount; ++i) {
    const std::string_view signature = wasm::kOps[i].signature;
    const std::size_t colon = signature.find(':');
    if (colon == std::string_view::npos) continue;
    arities[i] = {static_cast<std::uint8_t>(colon), static_cast<std::uint8_t>(signature.size() - colon - 1)};
  }
  return arities;
}();

BlockRole role_of(Op op) {
  switch (op) {
    case Op::block:
    case Op::loop:
    case Op::if_:
    case Op::try_:
    case Op::try_table:
      return BlockRole::open;
    case Op::else_:
    case Op::catch_:
    case Op::catch_all:
      return BlockRole::arm;
    case Op::end:
    case Op::delegate:
      return BlockRole::close;
    default:
      return BlockRole::plain;
  }
}

// An unnamed label, by how many blocks are around its own: " (;@2;)".
void append_position(std::string& out, std::size_t position) {
  out += " (;@";
  append_number(out, position);
  out += ";)";
}

}  // namespace

void InstructionText::begin(std::uint32_t results) {
  labels_.clear();
  innermost_.clear();
  blocks_ = 0;
  labels_.push_back({Op::block, results, results, {}, 0});
}

void InstructionText::begin_function(std::uint32_t function, const Identifiers& locals) {
  locals_ = &locals;
  label_names_ = identifiers_.labels(function);
  begin(types_.counts(module_.functions[function].value).results);
}

void InstructionText::begin_expression() {
  locals_ = nullptr;
  label_names_.clear();
  begin(1);
}

Instruction InstructionText::append(std::string& out, ByteReader& reader) {
  Instruction instruction;
  instruction.op = binary::read_op(reader);
  if (instruction.op == wasm::kNoOp) return instruction;
  out += wasm::info(instruction.op).text;
  instruction.role = role_of(instruction.op);
  switch (instruction.role) {
    case BlockRole::open:
      open(out, reader, instruction);
      break;
    case BlockRole::arm:
      arm(out, reader, instruction);
      break;
    case BlockRole::close:
      close(out, reader, instruction);
      break;
    case BlockRole::plain: {
      const Arity arity = kArities[static_cast<std::uint16_t>(instruction.op)];
      instruction.takes = arity.takes;
      instruction.gives = arity.gives;
      immediates(out, reader, instruction);
      break;
    }
  }
  return instruction;
}

void InstructionText::fail_place(ByteReader& reader, Op op) {
  reader.fail(ErrorKind::malformed, "unexpected " + std::string(wasm::info(op).text) + ": it stands in no such block");
}

// --- blocks

void InstructionText::push_label(std::string& out, Op opener) {
  Label label;
  label.opener = opener;
  if (!label_names_.empty()) {
    label.name = binary::find_name(label_names_, blocks_).value_or(std::string_view());
    if (!label.name.empty()) {
      std::uint32_t& position = innermost_[label.name];
      label.shadows = position;
      position = static_cast<std::uint32_t>(labels_.size());
      out += ' ';
      append_identifier(out, label.name);
    }
  }
  if (label.name.empty()) append_position(out, labels_.size());
  ++blocks_;
  labels_.push_back(label);
}

void InstructionText::pop_label() {
  const Label& label = labels_.back();
  if (!label.name.empty()) {
    if (label.shadows != 0) {
      innermost_[label.name] = label.shadows;
    } else {
      innermost_.erase(label.name);
    }
  }
  labels_.pop_back();
}

void InstructionText::open(std::string& out, ByteReader& reader, Instruction& instruction) {
  // Of a function type, parameters lie on the stack before the block and stay there; `if` has its condition above.
  TypeText::Counts counts;
  const std::uint8_t byte = reader.peek();
  const bool is_value =
      !binary::detail::kValueTypes[byte].is_bottom() || byte == binary::kRefByte || byte == binary::kRefNullByte;
  if (is_value) {
    counts.results = 1;
  } else if (byte != binary::kEmptyBlockByte) {
    ByteReader ahead(std::span(reader.position(), reader.end()), reader.offset());
    const std::int64_t type = ahead.s33("block type");
    if (ahead.ok() && type >= 0) counts = types_.counts(static_cast<std::uint32_t>(type));
  }
  push_label(out, instruction.op);
  labels_.back().results = counts.results;
  labels_.back().carries = instruction.op == Op::loop ? counts.params : counts.results;
  types_.append_block_type(out, reader);
  if (instruction.op == Op::try_table) {
    // Clauses speak of the labels around the block.
    const Label label = labels_.back();
    pop_label();
    append_catches(out, reader);
    if (!label.name.empty()) innermost_[label.name] = static_cast<std::uint32_t>(labels_.size());
    labels_.push_back(label);
  }
  instruction.takes = counts.params + (instruction.op == Op::if_ ? 1 : 0);
}

void InstructionText::append_catches(std::string& out, ByteReader& reader) {
  static constexpr std::string_view kNames[] = {"catch", "catch_ref", "catch_all", "catch_all_ref"};
  const std::uint32_t count = reader.u32("number of catch clauses");
  for (std::uint32_t i = 0; i < count && reader.ok(); ++i) {
    const std::uint64_t offset = reader.offset();
    const std::uint8_t kind = reader.u8("catch clause");
    if (kind > 3) {
      return reader.fail_at(offset, ErrorKind::malformed, "malformed catch clause: expected 0x00 to 0x03");
    }
    out.append(" (").append(kNames[kind]);
    if (kind < 2) append_index(out, reader, identifiers_.tags);
    append_label(out, reader);
    out += ')';
  }
}

void InstructionText::arm(std::string& out, ByteReader& reader, Instruction& instruction) {
  Label& label = labels_.back();
  const bool fits =
      instruction.op == Op::else_ ? label.opener == Op::if_ : (label.opener == Op::try_ || label.opener == Op::catch_);
  if (!fits) {
    fail_place(reader, instruction.op);
    return;
  }
  label.opener = instruction.op;
  if (instruction.op == Op::catch_) append_index(out, reader, identifiers_.tags);
}

void InstructionText::close(std::string& out, ByteReader& reader, Instruction& instruction) {
  if (instruction.op == Op::delegate && labels_.back().opener != Op::try_) {
    fail_place(reader, instruction.op);
    return;
  }
  instruction.gives = labels_.back().results;
  pop_label();
  if (labels_.empty()) {
    instruction.ends_all = true;
  } else if (instruction.op == Op::delegate) {
    append_label(out, reader);
  }
}

// --- immediates

void InstructionText::append_index(std::string& out, ByteReader& reader, const Identifiers& identifiers) {
  out += ' ';
  identifiers.append(out, reader.u32("index"));
}

// Returns how many values a branch to it carries.
std::uint32_t InstructionText::append_label(std::string& out, ByteReader& reader) {
  const std::uint32_t depth = reader.u32("label index");
  out += ' ';
  if (depth >= labels_.size()) {
    append_number(out, depth);
    return 0;
  }
  const std::size_t position = labels_.size() - 1 - depth;
  const Label& label = labels_[position];
  if (!label.name.empty() && label.name.size() <= wasm::kMaxReferenceName && innermost_.at(label.name) == position) {
    append_identifier(out, label.name);
  } else {
    append_number(out, depth);
    append_position(out, position);
  }
  return label.carries;
}

void InstructionText::append_memarg(std::string& out, ByteReader& reader, const wasm::OpInfo& row) {
  const std::uint64_t at = reader.offset();
  const std::uint32_t flags = reader.u32("alignment");
  if (flags >= 2 * kHasMemoryIndex) {
    return reader.fail_at(at, ErrorKind::malformed, "malformed memop flags: expected less than 0x80");
  }
  if ((flags & kHasMemoryIndex) != 0) append_index(out, reader, identifiers_.memories);
  const std::uint64_t offset = reader.u64("memory offset");
  if (offset != 0) {
    out += " offset=";
    append_number(out, offset);
  }
  const std::uint64_t alignment = std::uint64_t{1} << (flags & (kHasMemoryIndex - 1));
  if (alignment != row.access) {
    out += " align=";
    append_number(out, alignment);
  }
}

void InstructionText::append_ref_type(std::string& out, ByteReader& reader, bool is_nullable) {
  out += is_nullable ? " (ref null " : " (ref ";
  types_.append_heap_type(out, reader);
  out += ')';
}

void InstructionText::immediates(std::string& out, ByteReader& reader, Instruction& instruction) {
  const Op op = instruction.op;
  const wasm::OpInfo& row = wasm::info(op);
  std::uint32_t index = 0;
  std::uint32_t index2 = 0;
  const auto number = [&](std::uint32_t value) {
    out += ' ';
    append_number(out, value);
  };
  const auto reference = [&](const Identifiers& identifiers, std::uint32_t value) {
    out += ' ';
    identifiers.append(out, value);
  };
  const auto one = [&](const Identifiers& identifiers) {
    index = reader.u32("index");
    reference(identifiers, index);
  };
  const auto both = [&] {
    index = reader.u32("first index");
    index2 = reader.u32("second index");
  };
  switch (row.immediate) {
    case ImmediateKind::none:
      break;
    case ImmediateKind::block:
    case ImmediateKind::try_table:
      return;  // open() has them
    case ImmediateKind::label:
      index = append_label(out, reader);
      break;
    case ImmediateKind::label_table: {
      const std::uint32_t count = reader.u32("number of labels");
      for (std::uint32_t i = 0; i < count && reader.ok(); ++i) append_label(out, reader);
      if (reader.ok()) index = append_label(out, reader);
      break;
    }
    case ImmediateKind::func:
      one(identifiers_.functions);
      break;
    case ImmediateKind::tag:
      one(identifiers_.tags);
      break;
    case ImmediateKind::local:
      if (locals_ != nullptr) {
        one(*locals_);
      } else {
        number(reader.u32("local index"));
      }
      break;
    case ImmediateKind::global:
      one(identifiers_.globals);
      break;
    case ImmediateKind::type:
      one(identifiers_.types);
      break;
    case ImmediateKind::type_table:
      both();
      if (index2 != 0) reference(identifiers_.tables, index2);
      out += " (type ";
      identifiers_.types.append(out, index);
      out += ')';
      break;
    case ImmediateKind::type_field:
      both();
      reference(identifiers_.types, index);
      out += ' ';
      if (index < module_.types.size()) {
        identifiers_.fields(index).append(out, index2);
      } else {
        append_number(out, index2);
      }
      break;
    case ImmediateKind::type_count:
      both();
      reference(identifiers_.types, index);
      number(index2);
      break;
    case ImmediateKind::type_data:
      both();
      reference(identifiers_.types, index);
      reference(identifiers_.data, index2);
      break;
    case ImmediateKind::type_elem:
      both();
      reference(identifiers_.types, index);
      reference(identifiers_.elements, index2);
      break;
    case ImmediateKind::type_type:
      both();
      reference(identifiers_.types, index);
      reference(identifiers_.types, index2);
      break;
    case ImmediateKind::heap_type:
      if (op == Op::ref_null) {
        out += ' ';
        types_.append_heap_type(out, reader);
      } else {
        append_ref_type(out, reader, op == Op::ref_test_null || op == Op::ref_cast_null);
      }
      break;
    case ImmediateKind::br_on_cast: {
      const std::uint8_t flags = reader.u8("cast flags");
      index = append_label(out, reader);
      append_ref_type(out, reader, (flags & 1) != 0);
      append_ref_type(out, reader, (flags & 2) != 0);
      break;
    }
    case ImmediateKind::value_types: {
      const std::uint32_t count = reader.u32("number of types");
      out += " (result";
      for (std::uint32_t i = 0; i < count && reader.ok(); ++i) {
        out += ' ';
        types_.append_value_type(out, reader);
      }
      out += ')';
      break;
    }
    case ImmediateKind::table:
      one(identifiers_.tables);
      break;
    case ImmediateKind::memory:
      index = reader.u32("memory index");
      if (index != 0) reference(identifiers_.memories, index);
      break;
    case ImmediateKind::elem:
      one(identifiers_.elements);
      break;
    case ImmediateKind::data:
      one(identifiers_.data);
      break;
    case ImmediateKind::table_table:
      both();
      if ((index | index2) == 0) break;
      reference(identifiers_.tables, index);
      reference(identifiers_.tables, index2);
      break;
    case ImmediateKind::memory_memory:
      both();
      if ((index | index2) == 0) break;
      reference(identifiers_.memories, index);
      reference(identifiers_.memories, index2);
      break;
    case ImmediateKind::elem_table:
      both();
      if (index2 != 0) reference(identifiers_.tables, index2);
      reference(identifiers_.elements, index);
      break;
    case ImmediateKind::data_memory:
      both();
      if (index2 != 0) reference(identifiers_.memories, index2);
      reference(identifiers_.data, index);
      break;
    case ImmediateKind::memarg:
      append_memarg(out, reader, row);
      break;
    case ImmediateKind::memarg_lane:
      append_memarg(out, reader, row);
      number(reader.u8("lane"));
      break;
    case ImmediateKind::lane:
      number(reader.u8("lane"));
      break;
    case ImmediateKind::shuffle:
      for (const std::uint8_t lane : reader.bytes(16, "vector")) number(lane);
      break;
    case ImmediateKind::v128:
      out += " i32x4";
      for (int i = 0; i < 4; ++i) {
        out += " 0x";
        append_hex(out, reader.fixed32("vector"), 8);
      }
      break;
    case ImmediateKind::i32:
      out += ' ';
      append_number(out, reader.s32("i32 constant"));
      break;
    case ImmediateKind::i64:
      out += ' ';
      append_number(out, reader.s64("i64 constant"));
      break;
    case ImmediateKind::f32:
      out += ' ';
      append_f32(out, reader.fixed32("f32 constant"));
      break;
    case ImmediateKind::f64:
      out += ' ';
      append_f64(out, reader.fixed64("f64 constant"));
      break;
    case ImmediateKind::zero_byte:
      reader.u8("zero byte");
      break;
  }
  if (row.signature == "*") count_operands(instruction, index, index2);
}

// Of instructions whose signature depends on context. Of those that branch, `index` is what the label carries.
void InstructionText::count_operands(Instruction& instruction, std::uint32_t index, std::uint32_t index2) {
  const auto set = [&instruction](std::uint32_t takes, std::uint32_t gives) {
    instruction.takes = takes;
    instruction.gives = gives;
  };
  const auto call = [&](std::uint32_t type, std::uint32_t extra) {
    const TypeText::Counts counts = types_.counts(type);
    const bool is_tail = wasm::info(instruction.op).text.starts_with("return_");
    set(counts.params + extra, is_tail ? 0 : counts.results);
  };
  switch (instruction.op) {
    case Op::br:
      return set(index, 0);
    case Op::br_if:
      return set(index + 1, index);
    case Op::br_table:
      return set(index + 1, 0);
    case Op::return_:
      return set(labels_.front().results, 0);
    case Op::br_on_null:
      return set(index + 1, index + 1);
    case Op::br_on_non_null:
      return set(std::max(index, 1U), std::max(index, 1U) - 1);
    case Op::br_on_cast:
    case Op::br_on_cast_fail:
      return set(std::max(index, 1U), std::max(index, 1U));
    case Op::call:
    case Op::return_call:
      return index < module_.functions.size() ? call(module_.functions[index].value, 0) : set(0, 0);
    case Op::call_indirect:
    case Op::return_call_indirect:
    case Op::call_ref:
    case Op::return_call_ref:
      return call(index, 1);
    case Op::throw_:
      return set(index < module_.tags.size() ? types_.counts(module_.tags[index].value).params : 0, 0);
    case Op::throw_ref:
    case Op::drop:
    case Op::local_set:
    case Op::global_set:
      return set(1, 0);
    case Op::local_get:
    case Op::global_get:
    case Op::ref_null:
    case Op::ref_func:
    case Op::table_size:
    case Op::struct_new_default:
      return set(0, 1);
    case Op::select:
    case Op::select_t:
      return set(3, 1);
    case Op::local_tee:
    case Op::table_get:
    case Op::ref_is_null:
    case Op::ref_as_non_null:
    case Op::struct_get:
    case Op::struct_get_s:
    case Op::struct_get_u:
    case Op::array_new_default:
    case Op::array_len:
    case Op::ref_test:
    case Op::ref_test_null:
    case Op::ref_cast:
    case Op::ref_cast_null:
    case Op::any_convert_extern:
    case Op::extern_convert_any:
    case Op::ref_i31:
    case Op::i31_get_s:
    case Op::i31_get_u:
      return set(1, 1);
    case Op::table_set:
    case Op::struct_set:
      return set(2, 0);
    case Op::memory_copy:
    case Op::table_init:
    case Op::table_copy:
    case Op::table_fill:
    case Op::array_set:
      return set(3, 0);
    case Op::table_grow:
    case Op::ref_eq:
    case Op::array_new:
    case Op::array_new_data:
    case Op::array_new_elem:
    case Op::array_get:
    case Op::array_get_s:
    case Op::array_get_u:
      return set(2, 1);
    case Op::struct_new:
      return set(types_.field_count(index), 1);
    case Op::array_new_fixed:
      return set(index2, 1);
    case Op::array_fill:
    case Op::array_init_data:
    case Op::array_init_elem:
      return set(4, 0);
    case Op::array_copy:
      return set(5, 0);
    default:
      return set(0, 0);
  }
}

}  // namespace wasi::text
