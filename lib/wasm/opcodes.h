// The instruction table as C++ data: enumerators, rows, and the look-up by encoding.
#pragma once

#include <cstdint>
#include <string_view>

#include "wasm/features.h"

namespace wasi::wasm {

// What stands behind an opcode in the binary format.
enum class ImmediateKind : std::uint8_t {
  none,
  block,          // block type
  label,          // label index
  label_table,    // vector of labels and a default
  try_table,      // block type and catch clauses
  func,           // function index
  type_table,     // type index, table index
  type,           // type index
  type_field,     // type index, field index
  type_count,     // type index, operand count
  type_data,      // type index, data index
  type_elem,      // type index, element index
  type_type,      // two type indices
  heap_type,      // heap type
  br_on_cast,     // flags, label, two heap types
  value_types,    // vector of value types
  tag,            // tag index
  local,          // local index
  global,         // global index
  table,          // table index
  table_table,    // two table indices: destination, source
  elem_table,     // element index, table index
  elem,           // element index
  memory,         // memory index
  memory_memory,  // two memory indices: destination, source
  data_memory,    // data index, memory index
  data,           // data index
  memarg,         // alignment and flags, memory index, offset
  memarg_lane,    // the same, then a lane
  lane,           // lane
  shuffle,        // 16 lanes
  i32,
  i64,
  f32,
  f64,
  v128,
  zero_byte,  // one byte that must be zero
};

// Every instruction, in the order of opcodes.def.
enum class Op : std::uint16_t {
#define WASM_OP(name, prefix, code, text, immediate, signature, feature, access) name,
#include "wasm/opcodes.def"
#undef WASM_OP
};

inline constexpr std::uint16_t kOpCount = 0
#define WASM_OP(name, prefix, code, text, immediate, signature, feature, access) +1
#include "wasm/opcodes.def"
#undef WASM_OP
    ;

// One row of the table.
struct OpInfo {
  std::string_view text;
  std::string_view signature;  // "ii:i"; "*" where context decides
  std::uint16_t code;
  std::uint8_t prefix;
  ImmediateKind immediate;
  Feature feature;
  std::uint8_t access;  // bytes of memory accessed
};

inline constexpr OpInfo kOps[] = {
#define WASM_OP(name, prefix, code, text, immediate, signature, feature, access) \
  {text, signature, code, prefix, ImmediateKind::immediate, Feature::feature, access},
#include "wasm/opcodes.def"
#undef WASM_OP
};

constexpr const OpInfo& info(Op op) { return kOps[static_cast<std::uint16_t>(op)]; }

// The prefix bytes, and the sentinel that look-ups give for encodings that mean nothing.
inline constexpr std::uint8_t kPrefixGc = 0xFB;
inline constexpr std::uint8_t kPrefixMisc = 0xFC;
inline constexpr std::uint8_t kPrefixSimd = 0xFD;
inline constexpr std::uint8_t kPrefixThreads = 0xFE;
inline constexpr Op kNoOp = static_cast<Op>(0xFFFF);

constexpr bool is_prefix(std::uint8_t byte) { return byte >= kPrefixGc && byte <= kPrefixThreads; }

namespace detail {
struct OpTables {
  Op plain[256];
  Op gc[32];
  Op misc[32];
  Op simd[512];
  Op threads[128];
};
consteval OpTables make_op_tables() {
  OpTables t{};
  for (Op& op : t.plain) op = kNoOp;
  for (Op& op : t.gc) op = kNoOp;
  for (Op& op : t.misc) op = kNoOp;
  for (Op& op : t.simd) op = kNoOp;
  for (Op& op : t.threads) op = kNoOp;
  for (std::uint16_t i = 0; i < kOpCount; ++i) {
    const OpInfo& row = kOps[i];
    Op* table = row.prefix == kPrefixGc        ? t.gc
                : row.prefix == kPrefixMisc    ? t.misc
                : row.prefix == kPrefixSimd    ? t.simd
                : row.prefix == kPrefixThreads ? t.threads
                                               : t.plain;
    table[row.code] = static_cast<Op>(i);
  }
  return t;
}
inline constexpr OpTables kOpTables = make_op_tables();
}  // namespace detail

// The instruction with this encoding, or kNoOp.
constexpr Op op_from_byte(std::uint8_t byte) { return detail::kOpTables.plain[byte]; }
constexpr Op op_from_prefixed(std::uint8_t prefix, std::uint32_t code) {
  const detail::OpTables& t = detail::kOpTables;
  switch (prefix) {
    case kPrefixGc:
      return code < 32 ? t.gc[code] : kNoOp;
    case kPrefixMisc:
      return code < 32 ? t.misc[code] : kNoOp;
    case kPrefixSimd:
      return code < 512 ? t.simd[code] : kNoOp;
    case kPrefixThreads:
      return code < 128 ? t.threads[code] : kNoOp;
    default:
      return kNoOp;
  }
}

}  // namespace wasi::wasm
