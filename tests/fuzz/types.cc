#include "fuzz/types.h"

#include <algorithm>

#include "binary/format.h"
#include "binary/type_reader.h"

namespace wasi::test::fuzz {

using wasm::CompositeKind;
using wasm::FieldType;
using wasm::StorageType;
using wasm::SubType;
namespace format = binary::format;

Features::Features(Entropy& entropy) {
  const auto bits = entropy.number(2) | entropy.number(2);
  unsigned next = 0;
  for (bool* feature : {&has_floats, &has_simd, &has_references, &has_gc, &has_exceptions, &has_legacy_exceptions,
                        &has_atomics, &has_tail_calls, &has_bulk, &has_memory64, &has_many_memories, &has_large_frames,
                        &has_wide_arithmetic, &has_relaxed_simd, &has_custom_pages, &has_dead_code}) {
    *feature = (bits >> next++ & 1) != 0;
  }
  // What costs most of a case's time comes less often.
  has_large_frames = has_large_frames && entropy.chance(100);
  has_gc = has_gc && has_references;
  has_relaxed_simd = has_relaxed_simd && has_simd;
}

TypePlan::TypePlan(Entropy& entropy, const Features& features) {
  if (features.has_gc) add_aggregates(entropy, features);
  add_functions(entropy, features);
}

// A field's type may be any type below `end`, which is where the group ends. What cannot be null is made before.
FieldType TypePlan::field(Entropy& entropy, const Features& features, std::uint32_t end) const {
  FieldType field{.storage = {}, .is_mutable = !entropy.chance(40)};
  switch (entropy.below(8)) {
    case 0:
      field.storage = StorageType(StorageType::Packed::i8);
      break;
    case 1:
      field.storage = StorageType(StorageType::Packed::i16);
      break;
    case 2:
      field.storage = reference(concrete(entropy.below(end)));
      break;
    default:
      field.storage = choose(entropy, features);
  }
  return field;
}

SubType TypePlan::structure(Entropy& entropy, const Features& features, std::uint32_t end) const {
  SubType type{.kind = CompositeKind::struct_, .is_final = entropy.chance(64), .super = {}, .func = {}, .fields = {}};
  if (!structures_.empty() && entropy.chance(150)) {
    const std::uint32_t super = entropy.pick(structures_);
    if (!types_[super].is_final) {
      type.super = concrete(super);
      type.fields = types_[super].fields;
    }
  }
  const std::uint32_t more = features.has_large_frames && entropy.chance(20) ? entropy.below(40) : entropy.below(5);
  for (std::uint32_t i = 0; i < more; ++i) type.fields.push_back(field(entropy, features, end));
  return type;
}

void TypePlan::add_aggregates(Entropy& entropy, const Features& features) {
  const std::uint32_t group_count = entropy.between(1, 4);
  for (std::uint32_t group = 0; group < group_count; ++group) {
    const std::uint32_t size = entropy.between(1, 3);
    const auto end = static_cast<std::uint32_t>(types_.size()) + size;
    while (types_.size() < end) {
      const auto index = static_cast<std::uint32_t>(types_.size());
      SubType type;
      if (entropy.chance(128)) {
        type = structure(entropy, features, end);
      } else {
        type = {.kind = CompositeKind::array,
                .is_final = entropy.chance(128),
                .super = {},
                .func = {},
                .fields = {field(entropy, features, end)}};
      }
      (type.kind == CompositeKind::array ? arrays_ : structures_).push_back(index);
      types_.push_back(std::move(type));
    }
    groups_.push_back(size);
  }
}

void TypePlan::add_functions(Entropy& entropy, const Features& features) {
  const std::uint32_t count = entropy.between(2, 5);
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto index = static_cast<std::uint32_t>(types_.size());
    SubType type{.kind = CompositeKind::func, .is_final = !entropy.chance(70), .super = {}, .func = {}, .fields = {}};
    if (i > 0 && entropy.chance(60)) {
      // Another type of the same signature.
      const std::uint32_t other = entropy.pick(functions_);
      type.func = types_[other].func;
      if (!types_[other].is_final) type.super = concrete(other);
    } else {
      const std::uint32_t most = features.has_large_frames && entropy.chance(100) ? 40 : 5;
      type.func.params = choose_list(entropy, features, most);
      type.func.results = i > 0 && entropy.chance(100) ? types_[functions_.back()].func.results
                                                       : choose_list(entropy, features, most == 40 ? 40 : 2);
    }
    types_.push_back(std::move(type));
    groups_.push_back(1);
    functions_.push_back(index);
  }
}

std::uint32_t TypePlan::function_type(Types params, Types results) {
  for (std::uint32_t i = 0; i < types_.size(); ++i) {
    const SubType& type = types_[i];
    // A final one without a super type, as the host's functions have.
    if (type.kind == CompositeKind::func && type.is_final && !type.super &&
        std::ranges::equal(type.func.params, params) && std::ranges::equal(type.func.results, results)) {
      return i;
    }
  }
  SubType type;
  type.func = {{params.begin(), params.end()}, {results.begin(), results.end()}};
  types_.push_back(std::move(type));
  groups_.push_back(1);
  return static_cast<std::uint32_t>(types_.size()) - 1;
}

AbstractHeap TypePlan::top_of(HeapType heap) const {
  if (!heap.is_abstract()) {
    return types_[index_of(heap)].kind == CompositeKind::func ? AbstractHeap::func : AbstractHeap::any;
  }
  switch (heap.abstract()) {
    case AbstractHeap::func:
    case AbstractHeap::nofunc:
      return AbstractHeap::func;
    case AbstractHeap::extern_:
    case AbstractHeap::noextern:
      return AbstractHeap::extern_;
    case AbstractHeap::exn:
    case AbstractHeap::noexn:
      return AbstractHeap::exn;
    default:
      return AbstractHeap::any;
  }
}

bool TypePlan::matches(HeapType sub, HeapType super) const {
  if (sub == super) return true;
  if (!super.is_abstract()) {
    if (sub.is_abstract()) {
      return (sub == AbstractHeap::none || sub == AbstractHeap::nofunc) && top_of(sub) == top_of(super);
    }
    const auto& parent = types_[index_of(sub)].super;
    return parent && matches(*parent, super);
  }
  const AbstractHeap top = top_of(sub);
  if (super == top) return true;
  if (top_of(super) != top) return false;
  if (sub == AbstractHeap::none || sub == AbstractHeap::nofunc || sub == AbstractHeap::noextern ||
      sub == AbstractHeap::noexn) {
    return true;
  }
  if (top != AbstractHeap::any) return false;
  if (sub.is_abstract()) return super == AbstractHeap::eq && sub != AbstractHeap::any;
  return super == AbstractHeap::eq ||
         super == (types_[index_of(sub)].kind == CompositeKind::array ? AbstractHeap::array : AbstractHeap::struct_);
}

bool TypePlan::matches(ValType sub, ValType super) const {
  if (sub == super) return true;
  if (!sub.is_ref() || !super.is_ref() || (sub.is_nullable() && !super.is_nullable())) return false;
  return matches(sub.heap(), super.heap());
}

bool TypePlan::match(Types sub, Types super) const {
  return std::ranges::equal(sub, super, [&](ValType a, ValType b) { return matches(a, b); });
}

HeapType TypePlan::choose_heap(Entropy& entropy, AbstractHeap top) const {
  switch (top) {
    case AbstractHeap::func:
      if (entropy.chance(150)) return concrete(entropy.pick(functions_));
      return entropy.pick({AbstractHeap::func, AbstractHeap::func, AbstractHeap::nofunc});
    case AbstractHeap::extern_:
      return entropy.pick({AbstractHeap::extern_, AbstractHeap::extern_, AbstractHeap::noextern});
    case AbstractHeap::exn:
      return entropy.pick({AbstractHeap::exn, AbstractHeap::exn, AbstractHeap::noexn});
    default:
      break;
  }
  const std::uint32_t choice = entropy.below(16);
  if (choice < 6 && !structures_.empty()) return concrete(entropy.pick(structures_));
  if (choice < 10 && !arrays_.empty()) return concrete(entropy.pick(arrays_));
  return entropy.pick({AbstractHeap::any, AbstractHeap::eq, AbstractHeap::i31, AbstractHeap::struct_,
                       AbstractHeap::array, AbstractHeap::none});
}

ValType TypePlan::choose(Entropy& entropy, const Features& features) const {
  const std::uint32_t choice = entropy.below(20);
  if (choice < 6) return wasm::kI32;
  if (choice < 10) return wasm::kI64;
  if (choice < 12) return features.has_floats ? wasm::kF32 : wasm::kI32;
  if (choice < 14) return features.has_floats ? wasm::kF64 : wasm::kI64;
  if (choice < 16) return features.has_simd ? wasm::kV128 : wasm::kI32;
  if (!features.has_references) return wasm::kI64;
  if (features.has_gc && choice < 19) {
    const HeapType heap = choose_heap(entropy, AbstractHeap::any);
    // A value that is not null can always be made of these.
    const bool is_inhabited =
        !heap.is_abstract() || heap == AbstractHeap::any || heap == AbstractHeap::eq || heap == AbstractHeap::i31;
    return reference(heap, !is_inhabited || !entropy.chance(50));
  }
  if (features.has_exceptions && entropy.chance(30)) return wasm::kExnRef;
  return entropy.chance(128) ? wasm::kFuncRef : wasm::kExternRef;
}

std::vector<ValType> TypePlan::choose_list(Entropy& entropy, const Features& features, std::uint32_t most) const {
  std::vector<ValType> list(entropy.below(most + 1));
  if (most > 5 && entropy.chance(100)) {
    std::ranges::fill(list, choose(entropy, features));  // all of one type
  } else {
    for (ValType& type : list) type = choose(entropy, features);
  }
  return list;
}

void write_heap_type(ByteWriter& out, HeapType heap) {
  if (!heap.is_abstract()) return out.s64(index_of(heap));
  out.u8(std::ranges::find(binary::detail::kHeapBytes, heap.abstract(), &binary::detail::HeapByte::heap)->byte);
}

void write_type(ByteWriter& out, ValType type) {
  if (!type.is_ref()) {
    // i32 is 0x7F, and so on downwards.
    out.u8(static_cast<std::uint8_t>(0x80 - static_cast<int>(type.kind())));
    return;
  }
  if (!type.is_nullable() || !type.heap().is_abstract()) {
    out.u8(type.is_nullable() ? binary::kRefNullByte : binary::kRefByte);
  }
  write_heap_type(out, type.heap());
}

namespace {

void write_types(ByteWriter& out, Types types) {
  out.u64(types.size());
  for (const ValType type : types) write_type(out, type);
}

void write_field(ByteWriter& out, const FieldType& field) {
  if (field.storage.is_packed()) {
    out.u8(field.storage.packed() == StorageType::Packed::i8 ? format::kI8Byte : format::kI16Byte);
  } else {
    write_type(out, field.storage.unpacked());
  }
  out.u8(field.is_mutable ? 1 : 0);
}

void write_sub_type(ByteWriter& out, const SubType& type) {
  if (!type.is_final || type.super) {
    out.u8(type.is_final ? format::kSubFinalByte : format::kSubByte);
    out.u32(type.super ? 1 : 0);
    if (type.super) out.u32(index_of(*type.super));
  }
  switch (type.kind) {
    case CompositeKind::func:
      out.u8(format::kFuncByte);
      write_types(out, type.func.params);
      write_types(out, type.func.results);
      return;
    case CompositeKind::struct_:
      out.u8(format::kStructByte);
      out.u64(type.fields.size());
      for (const FieldType& field : type.fields) write_field(out, field);
      return;
    case CompositeKind::array:
      out.u8(format::kArrayByte);
      write_field(out, type.fields[0]);
  }
}

}  // namespace

void TypePlan::write(ByteWriter& out) const {
  out.u64(groups_.size());
  std::uint32_t next = 0;
  for (const std::uint32_t size : groups_) {
    if (size != 1) {
      out.u8(format::kRecByte);
      out.u32(size);
    }
    for (std::uint32_t i = 0; i < size; ++i) write_sub_type(out, types_[next++]);
  }
}

}  // namespace wasi::test::fuzz
