// What stands behind an instruction's name, by the immediate kinds of the opcode table.
// Source: https://webassembly.github.io/spec/core/text/instructions.html
#include <fmt/format.h>

#include <bit>

#include "binary/type_reader.h"
#include "text/module_parser.h"

namespace wasi::text {

namespace format = binary::format;
using wasm::ImmediateKind;
using wasm::Op;

// Behind the name.
void ModuleParser::instruction(Op op, ByteWriter& out) {
  const auto one = [&](Space space) {
    out.op(op);
    out.u32(index(space));
  };
  // The table or memory in front of another index is 0 where only one index stands; the binary format has it last.
  const auto segment = [&](Space first, Space second) {
    out.op(op);
    std::uint32_t object = 0;
    if (!at_index()) return unexpected("an index");
    if (peek().kind == TokenKind::id || peek().kind == TokenKind::number) object = index(first);
    out.u32(index(second));
    out.u32(object);
  };
  switch (wasm::info(op).immediate) {
    case ImmediateKind::none:
      if (op != Op::select || !at_list(Word::result)) return out.op(op);
      out.op(Op::select_t);
      signature(scratch_signature_, false);
      out.u32(scratch_signature_.result_count);
      return out.append(scratch_signature_.results);
    case ImmediateKind::local:
      out.op(op);
      return out.u32(at(TokenKind::id) ? index_in(locals_, "local") : u32("a local index"));
    case ImmediateKind::global:
      return one(Space::global);
    case ImmediateKind::func:
      return one(Space::func);
    case ImmediateKind::type:
      return one(Space::type);
    case ImmediateKind::tag:
      return one(Space::tag);
    case ImmediateKind::elem:
      return one(Space::elem);
    case ImmediateKind::data:
      uses_data_ = true;
      return one(Space::data);
    case ImmediateKind::table:
    case ImmediateKind::memory: {
      const bool is_table = wasm::info(op).immediate == ImmediateKind::table;
      out.op(op);
      return out.u32(optional_index(is_table ? Space::table : Space::memory));
    }
    case ImmediateKind::label:
      out.op(op);
      return out.u32(label());
    case ImmediateKind::label_table:
      out.op(op);
      return label_table(out);
    case ImmediateKind::type_table: {
      const std::uint32_t table = optional_index(Space::table);
      out.op(op);
      out.u32(type_of(scratch_signature_, false));
      return out.u32(table);
    }
    case ImmediateKind::type_field: {
      out.op(op);
      const std::uint32_t type = index(Space::type);
      out.u32(type);
      return out.u32(at(TokenKind::id) ? index_in(field_ids_, "field", type) : u32("a field index"));
    }
    case ImmediateKind::type_count:
      one(Space::type);
      return out.u32(u32("a number of elements"));
    case ImmediateKind::type_data:
      uses_data_ = true;
      one(Space::type);
      return out.u32(index(Space::data));
    case ImmediateKind::type_elem:
      one(Space::type);
      return out.u32(index(Space::elem));
    case ImmediateKind::type_type:
      one(Space::type);
      return out.u32(index(Space::type));
    case ImmediateKind::heap_type: {
      if (op == Op::ref_null) {
        out.op(op);
        return write(out, heap_type());
      }
      const RefCode ref = ref_type();
      out.op(op == Op::ref_test ? (ref.is_nullable ? Op::ref_test_null : Op::ref_test)
                                : (ref.is_nullable ? Op::ref_cast_null : Op::ref_cast));
      return write(out, ref.heap);
    }
    case ImmediateKind::br_on_cast:
      out.op(op);
      return casts(out);
    case ImmediateKind::table_table:
    case ImmediateKind::memory_memory: {
      const Space space = wasm::info(op).immediate == ImmediateKind::table_table ? Space::table : Space::memory;
      out.op(op);
      const bool is_given = at_index();
      out.u32(is_given ? index(space) : 0);
      return out.u32(is_given ? index(space) : 0);
    }
    case ImmediateKind::elem_table:
      return segment(Space::table, Space::elem);
    case ImmediateKind::data_memory:
      uses_data_ = true;
      return segment(Space::memory, Space::data);
    case ImmediateKind::memarg:
      return memory_argument(op, out, false);
    case ImmediateKind::memarg_lane:
      return memory_argument(op, out, true);
    case ImmediateKind::lane:
      out.op(op);
      return lane(out);
    case ImmediateKind::shuffle:
      out.op(op);
      return shuffle(out);
    case ImmediateKind::i32:
      out.op(op);
      return out.s64(static_cast<std::int32_t>(integer(32)));
    case ImmediateKind::i64:
      out.op(op);
      return out.s64(static_cast<std::int64_t>(integer(64)));
    case ImmediateKind::f32:
      out.op(op);
      return out.fixed32(static_cast<std::uint32_t>(float_bits(32)));
    case ImmediateKind::f64:
      out.op(op);
      return out.fixed64(float_bits(64));
    case ImmediateKind::v128:
      out.op(op);
      return vector_constant(out);
    case ImmediateKind::zero_byte:
      out.op(op);
      return out.u8(0);
    case ImmediateKind::value_types:  // select_t, which is spelled select
    case ImmediateKind::block:        // blocks are read with their contents
    case ImmediateKind::try_table:
      return unexpected("an instruction");
  }
}

std::uint32_t ModuleParser::optional_index(Space space) { return at_index() ? index(space) : 0; }

void ModuleParser::block_type(ByteWriter& out) {
  if (!at(TokenKind::lpar)) [[unlikely]]
    return out.u8(binary::kEmptyBlockByte);
  const TypeUse use = type_use(scratch_signature_, false);
  if (!use.type && scratch_signature_.param_count == 0 && scratch_signature_.result_count <= 1) {
    if (scratch_signature_.result_count == 0) return out.u8(binary::kEmptyBlockByte);
    return out.append(scratch_signature_.results);
  }
  out.s64(resolve(use, scratch_signature_));
}

// "(catch $tag $label) (catch_ref $tag $label) (catch_all $label) (catch_all_ref $label)"
void ModuleParser::catches(ByteWriter& out) {
  struct Clause {
    Keyword keyword;
    format::CatchKind kind;
  };
  static constexpr Clause kClauses[] = {{Op::catch_, format::kCatch},
                                        {Word::catch_ref, format::kCatchRef},
                                        {Op::catch_all, format::kCatchAll},
                                        {Word::catch_all_ref, format::kCatchAllRef}};
  ByteWriter clauses;
  std::uint32_t count = 0;
  for (bool found = true; found;) {
    found = false;
    for (const Clause& clause : kClauses) {
      if (!take_list(clause.keyword)) continue;
      found = true;
      ++count;
      clauses.u8(clause.kind);
      if (clause.kind == format::kCatch || clause.kind == format::kCatchRef) clauses.u32(index(Space::tag));
      clauses.u32(label());
      expect_rpar();
    }
  }
  out.u32(count);
  out.append(clauses);
}

void ModuleParser::label_table(ByteWriter& out) {
  label_list_.clear();
  do label_list_.push_back(label());
  while (at_index());
  out.u32(static_cast<std::uint32_t>(label_list_.size() - 1));
  for (const std::uint32_t one : label_list_) out.u32(one);
}

// "$memory? offset=N? align=N?", and a lane.
void ModuleParser::memory_argument(Op op, ByteWriter& out, bool has_lane) {
  std::uint32_t memory = 0;
  const auto option = [&](std::string_view prefix, std::uint64_t& value) {
    if (!at(TokenKind::keyword) || !current().text().starts_with(prefix)) return false;
    const Token token = current();
    const std::string_view digits = token.text().substr(prefix.size());
    check_literal(parse_unsigned(digits, value), token, "i64", "a number behind =");
    advance();
    return true;
  };
  // A number is the lane where nothing that follows says that it is a memory.
  bool is_memory = at_index();
  if (is_memory && has_lane && !at(TokenKind::id)) {
    const Token& next = peek();
    is_memory =
        next.kind == TokenKind::number ||
        (next.kind == TokenKind::keyword && (next.text().starts_with("offset=") || next.text().starts_with("align=")));
  }
  if (is_memory) memory = index(Space::memory);
  std::uint64_t offset = 0;
  std::uint64_t align = 0;
  option("offset=", offset);
  const Span span = current().span();
  if (option("align=", align)) {
    if (!std::has_single_bit(align)) fail(span, "alignment must be a power of two");
  } else {
    align = wasm::info(op).access;
  }
  out.op(op);
  const auto log2 = static_cast<std::uint32_t>(std::countr_zero(align));
  out.u32(log2 | (memory != 0 ? format::kHasMemoryIndex : 0));
  if (memory != 0) out.u32(memory);
  out.u64(offset);
  if (has_lane) lane(out);
}

void ModuleParser::lane(ByteWriter& out) {
  const Token token = current();
  const std::uint64_t value = unsigned_number("a lane");
  if (value > 255) check_literal(Literal::range, token, "i8", "a lane");
  out.u8(static_cast<std::uint8_t>(value));
}

// The numbers that stand here, inf and nan included.
void ModuleParser::numbers() {
  numbers_.clear();
  while (at(TokenKind::number) || (at(TokenKind::keyword) && is_number(current().text()))) {
    numbers_.push_back(current());
    advance();
  }
}

void ModuleParser::shuffle(ByteWriter& out) {
  constexpr std::size_t kLanes = 16;
  numbers();
  if (numbers_.size() != kLanes) {
    return fail(current().span(), fmt::format("invalid lane length: {} lanes, expected {}", numbers_.size(), kLanes));
  }
  for (const Token& token : numbers_) {
    std::uint64_t lane = 0;
    if (parse_unsigned(token.text(), lane) != Literal::ok || lane > 255) {
      check_literal(Literal::range, token, "i8", "a lane");
    }
    out.u8(static_cast<std::uint8_t>(lane));
  }
}

void ModuleParser::vector_constant(ByteWriter& out) {
  struct Shape {
    Word word;
    std::uint8_t lanes;
    bool is_float;
  };
  static constexpr Shape kShapes[] = {{Word::i8x16, 16, false}, {Word::i16x8, 8, false}, {Word::i32x4, 4, false},
                                      {Word::i64x2, 2, false},  {Word::f32x4, 4, true},  {Word::f64x2, 2, true}};
  for (const Shape& shape : kShapes) {
    if (!take(shape.word)) continue;
    numbers();
    if (numbers_.size() != shape.lanes) {
      // A token that means nothing is worse than a lane that is missing.
      if (!has_meaning(current())) return unexpected("a lane");
      return fail(current().span(),
                  fmt::format("wrong number of lane literals: {} lanes, expected {}", numbers_.size(), shape.lanes));
    }
    const unsigned bits = 128U / shape.lanes;
    for (const Token& token : numbers_) {
      const std::uint64_t value = shape.is_float ? float_bits(token, bits) : integer(token, bits);
      for (unsigned shift = 0; shift < bits; shift += 8) out.u8(static_cast<std::uint8_t>(value >> shift));
    }
    return;
  }
  unexpected("i8x16, i16x8, i32x4, i64x2, f32x4 or f64x2");
}

// "$label reftype reftype"
void ModuleParser::casts(ByteWriter& out) {
  const std::uint32_t target = label();
  const RefCode from = ref_type();
  const RefCode to = ref_type();
  out.u8(static_cast<std::uint8_t>((from.is_nullable ? format::kSourceNullable : 0) |
                                   (to.is_nullable ? format::kTargetNullable : 0)));
  out.u32(target);
  write(out, from.heap);
  write(out, to.heap);
}

}  // namespace wasi::text
