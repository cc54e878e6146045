// The types of a case, which all of its modules define: groups of structures, arrays and functions.
//
// wasm::ValType and its kin are used with one difference: the TypeId in a concrete heap type is the type's index here,
// which is its index in each module. Matching is by declared super types only, so two equal groups count as different;
// what it allows is valid.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "binary/byte_writer.h"
#include "fuzz/entropy.h"
#include "wasm/types.h"

namespace wasi::test::fuzz {

using binary::ByteWriter;
using wasm::AbstractHeap;
using wasm::HeapType;
using wasm::ValType;
using Types = std::span<const ValType>;

inline HeapType concrete(std::uint32_t index) { return HeapType(wasm::TypeId(index)); }
inline ValType reference(HeapType heap, bool is_nullable = true) { return ValType::ref(heap, is_nullable); }
inline std::uint32_t index_of(HeapType heap) { return heap.id().value; }

// What a case makes use of. Each lacks some, which leaves more room for the others.
struct Features {
  explicit Features(Entropy& entropy);
  bool has_floats, has_simd, has_references, has_gc, has_exceptions, has_legacy_exceptions, has_atomics, has_tail_calls,
      has_bulk, has_memory64, has_many_memories, has_large_frames, has_wide_arithmetic, has_relaxed_simd,
      has_custom_pages, has_dead_code;
};

class TypePlan {
 public:
  // Structures, arrays and function types by choice.
  TypePlan(Entropy& entropy, const Features& features);

  [[nodiscard]] const wasm::SubType& at(std::uint32_t index) const { return types_[index]; }
  // The indices of all that there were when the plan was made.
  [[nodiscard]] const std::vector<std::uint32_t>& structures() const { return structures_; }
  [[nodiscard]] const std::vector<std::uint32_t>& arrays() const { return arrays_; }
  [[nodiscard]] const std::vector<std::uint32_t>& functions() const { return functions_; }

  // A type of these parameters and results, which is added where there is none.
  std::uint32_t function_type(Types params, Types results);

  [[nodiscard]] bool matches(HeapType sub, HeapType super) const;
  [[nodiscard]] bool matches(ValType sub, ValType super) const;
  [[nodiscard]] bool match(Types sub, Types super) const;
  [[nodiscard]] AbstractHeap top_of(HeapType heap) const;

  // A number, a vector or a reference. References to functions are abstract ones, since others need a function.
  ValType choose(Entropy& entropy, const Features& features) const;
  // The same among references in one hierarchy.
  HeapType choose_heap(Entropy& entropy, AbstractHeap top) const;
  std::vector<ValType> choose_list(Entropy& entropy, const Features& features, std::uint32_t most) const;

  // The type section's payload.
  void write(ByteWriter& out) const;

 private:
  void add_aggregates(Entropy& entropy, const Features& features);
  void add_functions(Entropy& entropy, const Features& features);
  wasm::SubType structure(Entropy& entropy, const Features& features, std::uint32_t end) const;
  wasm::FieldType field(Entropy& entropy, const Features& features, std::uint32_t end) const;

  std::vector<wasm::SubType> types_;
  std::vector<std::uint32_t> groups_;  // the number of types in each
  std::vector<std::uint32_t> structures_;
  std::vector<std::uint32_t> arrays_;
  std::vector<std::uint32_t> functions_;
};

void write_heap_type(ByteWriter& out, HeapType heap);
void write_type(ByteWriter& out, ValType type);

}  // namespace wasi::test::fuzz
