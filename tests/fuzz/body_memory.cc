// Linear memories and tables: most accesses stay inside, many of them at the very end, some do not.
#include <algorithm>
#include <bit>

#include "binary/format.h"
#include "fuzz/body.h"
#include "validate/signatures.h"

namespace wasi::test::fuzz {

using wasm::Op;

namespace {

constexpr std::uint64_t kOutside[] = {
    0xFFFF'FFFF,           0xFFFF'FFF0, 0x8000'0000, 0x7FFF'FFFF, 0x1'0000'0000,        0xFFFF'FFFF'FFFF'FFFF,
    0x8000'0000'0000'0000, 0x1'0000,    0xFFFF,      0x2'0000,    0xFFFF'FFFF'FFFF'FFF8};

ValType address_type(bool is_64) { return is_64 ? wasm::kI64 : wasm::kI32; }

}  // namespace

BodyGenerator::Place BodyGenerator::place_of(const MemoryPlan& memory) const {
  return {.is_64 = memory.is_64(), .size = memory.bytes()};
}
BodyGenerator::Place BodyGenerator::place_of(const TablePlan& table) const {
  return {.is_64 = table.type.address == wasm::AddressType::i64, .size = table.type.limits.min};
}

std::uint64_t BodyGenerator::choose_offset(const Place& place, std::uint64_t access) {
  const std::uint32_t choice = e_.below(32);
  if (choice < 18) return 0;
  if (choice < 26) return e_.below(64);
  if (choice < 31 && place.size >= access) return e_.below(place.size - access + 1);
  const std::uint64_t offset = e_.chance(100) ? place.size - access : e_.pick(kOutside);
  return place.is_64 ? offset : offset & 0xFFFF'FFFF;
}

// A number up to `most`, in one of the shapes that compilers of programs like.
void BodyGenerator::push_index(ValType type, std::uint64_t most, std::uint64_t alignment) {
  const bool is_64 = type == wasm::kI64;
  const std::uint64_t mask = (std::bit_floor(most + 1) - 1) & ~(alignment - 1);
  const auto masked = [&](ValType masked_type, std::uint64_t bits) {
    push_value(masked_type);
    number(bits, masked_type);
    combine(masked_type == wasm::kI64 ? Op::i64_and : Op::i32_and, masked_type);
  };
  switch (e_.below(6)) {
    case 0: {
      // An element of an array.
      const std::uint32_t shift = e_.below(4);
      masked(type, mask >> shift);
      number(shift, type);
      return combine(is_64 ? Op::i64_shl : Op::i32_shl, type);
    }
    case 1: {
      // A sum with a constant.
      const std::uint64_t more = most > mask ? e_.below(most - mask + 1) : 0;
      masked(type, mask);
      number(more - more % alignment, type);
      return combine(is_64 ? Op::i64_add : Op::i32_add, type);
    }
    case 2:
      // Of the other width.
      masked(is_64 ? wasm::kI32 : wasm::kI64, mask);
      op(is_64 ? Op::i64_extend_i32_u : Op::i32_wrap_i64);
      consume(1);
      return push(type);
    case 3:
      if (mask >= 2 && alignment == 1) {
        masked(type, mask / 2);
        masked(type, mask / 2);
        return combine(is_64 ? Op::i64_add : Op::i32_add, type);
      }
      [[fallthrough]];
    default:
      masked(type, mask);
  }
}

// An address for something that takes `access` bytes or elements from `offset` on.
void BodyGenerator::push_address(const Place& place, std::uint64_t access, std::uint64_t offset,
                                 std::uint64_t alignment) {
  const ValType type = address_type(place.is_64);
  const bool fits = offset <= place.size && access <= place.size - offset;
  const std::uint64_t last = fits ? place.size - offset - access : 0;
  const std::uint32_t choice = e_.below(64);
  if (choice < 36) return push_index(type, last, alignment);
  if (choice < 58) {
    // The last bytes that can be accessed, or somewhere below.
    const std::uint64_t address = e_.chance(128) ? last : e_.below(std::min<std::uint64_t>(last, 65535) + 1);
    return number(address - (address + offset) % alignment, type);
  }
  if (choice < 61) return number(last + e_.between(1, 20), type);
  if (choice < 62) return number(e_.pick({std::uint64_t{0} - offset, e_.pick(kOutside) - offset}), type);
  if (choice < 63) return number(e_.pick(kOutside), type);
  push_value(type);
}

void BodyGenerator::access(Op chosen) {
  const wasm::OpInfo& row = wasm::info(chosen);
  const validate::Signature& signature = validate::signature_of(chosen);
  const std::uint32_t memory = e_.below(module_.memories.size());
  const Place place = place_of(module_.memories[memory]);
  const bool is_atomic = row.feature == wasm::Feature::threads;
  std::uint64_t offset = choose_offset(place, row.access);
  const std::uint64_t alignment = is_atomic && !e_.chance(6) ? row.access : 1;
  offset -= offset % alignment;
  const Types params(signature.params.data(), signature.count);
  TypeList operands(params.begin(), params.end());
  operands[0] = address_type(place.is_64);
  if (e_.chance(30) && available() >= operands.size() && types_.match(Types(stack_).last(operands.size()), operands)) {
    // Whatever lies there; most likely outside.
  } else {
    push_address(place, row.access, offset, alignment);
    for (const ValType type : Types(operands).subspan(1)) push_value(type);
  }
  if (g_.has_loose_nans && (operands.back() == wasm::kF32 || operands.back() == wasm::kF64)) {
    canonicalize_top(operands.back());
  }
  op(chosen);
  const auto natural = static_cast<std::uint32_t>(std::countr_zero(unsigned{row.access}));
  const std::uint32_t align = is_atomic ? natural : e_.below(natural + 1);
  const bool is_named = memory != 0 || e_.chance(10);
  out_.u32(align | (is_named ? binary::format::kHasMemoryIndex : 0));
  if (is_named) out_.u32(memory);
  out_.u64(offset);
  if (row.immediate == wasm::ImmediateKind::memarg_lane) write_immediate(chosen);
  consume(operands.size());
  for (std::size_t i = 0; i < signature.result_count; ++i) push(signature.results[i]);
}

// Nobody else is there to wake who waits, so it is never for long.
void BodyGenerator::wait_or_notify() {
  const std::uint32_t memory = e_.below(module_.memories.size());
  const Place place = place_of(module_.memories[memory]);
  const Op chosen = e_.pick({Op::memory_atomic_notify, Op::memory_atomic_wait32, Op::memory_atomic_wait64});
  const std::uint32_t access = chosen == Op::memory_atomic_wait64 ? 8 : 4;
  push_address(place, access, 0, access);
  if (chosen == Op::memory_atomic_notify) {
    push_value(wasm::kI32);
  } else {
    push_value(access == 8 ? wasm::kI64 : wasm::kI32);
    number(e_.below(3), wasm::kI64);  // nanoseconds
  }
  op(chosen);
  out_.u32(static_cast<std::uint32_t>(std::countr_zero(access)) | binary::format::kHasMemoryIndex);
  out_.u32(memory);
  out_.u64(0);
  consume(chosen == Op::memory_atomic_notify ? 2 : 3);
  push(wasm::kI32);
}

void BodyGenerator::push_length(const Place& place) {
  const ValType type = address_type(place.is_64);
  const std::uint32_t choice = e_.below(16);
  if (choice < 9) return number(e_.below(std::min<std::uint64_t>(place.size / 2, 40) + 1), type);
  if (choice < 11) return number(0, type);
  if (choice < 12) return number(place.size, type);
  if (choice < 13) return number(e_.chance(60) ? e_.pick(kOutside) : place.size / 2, type);
  push_value(type);
  number(std::bit_floor(std::min<std::uint64_t>(place.size / 4, 64) + 1) - 1, type);
  combine(place.is_64 ? Op::i64_and : Op::i32_and, type);
}

// Where something begins whose length is most likely less than half of what there is.
void BodyGenerator::push_range(const Place& place) { push_address(place, place.size / 2, 0, 1); }

void BodyGenerator::memory_operation() {
  if (module_.memories.empty()) return set_local();
  const std::uint32_t memory = e_.below(module_.memories.size());
  const Place place = place_of(module_.memories[memory]);
  const ValType type = address_type(place.is_64);
  const std::uint32_t choice = e_.below(g_.features.has_bulk ? 10 : 3);
  if (g_.features.has_atomics && e_.chance(50)) return wait_or_notify();
  switch (choice) {
    case 0:
    case 1:
      op(Op::memory_size, memory);
      return push(type);
    case 2: {
      // A page, or more than there may be. Bytes are cheap.
      const bool is_small = module_.memories[memory].type.page_log2 == 0;
      number(e_.chance(40) ? e_.pick(kOutside) : e_.below(is_small ? 20 : 2), type);
      op(Op::memory_grow, memory);
      consume(1);
      return push(type);
    }
    case 3:
    case 4:
      push_range(place);
      push_value(wasm::kI32);
      push_length(place);
      op(Op::memory_fill, memory);
      return consume(3);
    case 5:
    case 6: {
      const std::uint32_t source = e_.below(module_.memories.size());
      const Place from = place_of(module_.memories[source]);
      push_range(place);
      push_range(from);
      push_length({.is_64 = place.is_64 && from.is_64, .size = std::min(place.size, from.size)});
      op(Op::memory_copy, memory);
      out_.u32(source);
      return consume(3);
    }
    default: {
      if (module_.data.empty()) return set_local();
      const std::uint32_t segment = e_.below(module_.data.size());
      if (choice == 9 && e_.chance(100)) return op(Op::data_drop, segment);
      const Place from{.is_64 = false, .size = module_.data[segment].bytes.size()};
      push_range(place);
      push_range(from);
      push_length({.is_64 = false, .size = std::min(place.size, from.size)});
      op(Op::memory_init, segment);
      out_.u32(memory);
      return consume(3);
    }
  }
}

// What tells how large something is, or was: machine code gets it from functions that may leave anything above 32 bits.
bool BodyGenerator::size_giving(ValType type) {
  if (!module_.memories.empty() && e_.chance(170)) {
    const std::uint32_t memory = e_.below(module_.memories.size());
    const MemoryPlan& plan = module_.memories[memory];
    if (address_type(plan.is_64()) != type) return false;
    if (e_.chance(128)) {
      op(Op::memory_size, memory);
      push(type);
      return true;
    }
    number(e_.chance(100) ? 0 : e_.pick(kOutside), type);
    op(Op::memory_grow, memory);
    consume(1);
    push(type);
    return true;
  }
  if (module_.tables.empty()) return false;
  const std::uint32_t table = e_.below(module_.tables.size());
  if (address_type(module_.tables[table].type.address == wasm::AddressType::i64) != type) return false;
  op(Op::table_size, table);
  push(type);
  return true;
}

bool BodyGenerator::table_get(ValType type) {
  std::vector<std::uint32_t> found;
  for (std::uint32_t i = 0; i < module_.tables.size(); ++i) {
    if (types_.matches(module_.tables[i].type.element, type)) found.push_back(i);
  }
  if (found.empty()) return false;
  const std::uint32_t table = e_.pick(found);
  push_address(place_of(module_.tables[table]), 1, 0, 1);
  op(Op::table_get, table);
  consume(1);
  push(module_.tables[table].type.element);
  return true;
}

void BodyGenerator::table_operation() {
  if (module_.tables.empty()) return memory_operation();
  const std::uint32_t table = e_.below(module_.tables.size());
  const Place place = place_of(module_.tables[table]);
  const ValType type = address_type(place.is_64);
  const ValType element = module_.tables[table].type.element;
  switch (e_.below(g_.features.has_bulk ? 10 : 5)) {
    case 0:
      op(Op::table_size, table);
      return push(type);
    case 1:
    case 2:
      push_address(place, 1, 0, 1);
      push_value(element);
      op(Op::table_set, table);
      return consume(2);
    case 3:
      push_address(place, 1, 0, 1);
      op(Op::table_get, table);
      consume(1);
      return push(element);
    case 4:
      need({element});
      number(e_.chance(40) ? e_.pick(kOutside) : e_.below(4), type);
      op(Op::table_grow, table);
      consume(2);
      return push(type);
    case 5:
      push_range(place);
      push_value(element);
      push_length(place);
      op(Op::table_fill, table);
      return consume(3);
    case 6:
    case 7: {
      std::vector<std::uint32_t> sources;
      for (std::uint32_t i = 0; i < module_.tables.size(); ++i) {
        if (types_.matches(module_.tables[i].type.element, element)) sources.push_back(i);
      }
      const std::uint32_t source = e_.pick(sources);
      const Place from = place_of(module_.tables[source]);
      push_range(place);
      push_range(from);
      push_length({.is_64 = place.is_64 && from.is_64, .size = std::min(place.size, from.size)});
      op(Op::table_copy, table);
      out_.u32(source);
      return consume(3);
    }
    default: {
      std::vector<std::uint32_t> segments;
      for (std::uint32_t i = 0; i < module_.elements.size(); ++i) {
        if (types_.matches(module_.elements[i].type, element)) segments.push_back(i);
      }
      if (segments.empty()) return set_local();
      const std::uint32_t segment = e_.pick(segments);
      if (e_.chance(40)) return op(Op::elem_drop, segment);
      const Place from{.is_64 = false, .size = module_.elements[segment].size()};
      push_range(place);
      push_range(from);
      push_length({.is_64 = false, .size = std::min(place.size, from.size)});
      op(Op::table_init, segment);
      out_.u32(table);
      return consume(3);
    }
  }
}

}  // namespace wasi::test::fuzz
