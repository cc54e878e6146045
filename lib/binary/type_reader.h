// Value, reference, heap and block types as the binary format spells them.
//
// Shared by the decoder and the function walk, so the one-byte spellings are read inline. Concrete heap
// types come out canonical: a module's type index becomes the TypeId in module.types. Failures stay in the
// reader (byte_reader.h); what is returned then is a zero type.
// Source: https://webassembly.github.io/spec/core/binary/types.html
#pragma once

#include <array>
#include <cstdint>

#include "base/byte_reader.h"
#include "wasm/module.h"
#include "wasm/types.h"

namespace wasi::binary {

// How type indices become heap types: from the module's index space...
struct ModuleTypes {
  const wasm::Module& module;
  [[nodiscard]] std::uint32_t count() const { return static_cast<std::uint32_t>(module.types.size()); }
  [[nodiscard]] wasm::HeapType resolve(std::uint32_t index) const { return wasm::HeapType(module.types[index]); }
};
// ... or, while a recursion group is read, also to the group's own members.
struct GroupTypes {
  const wasm::Module& module;
  std::uint32_t members;
  [[nodiscard]] std::uint32_t first() const { return static_cast<std::uint32_t>(module.types.size()); }
  [[nodiscard]] std::uint32_t count() const { return first() + members; }
  [[nodiscard]] wasm::HeapType resolve(std::uint32_t index) const {
    return index < first() ? wasm::HeapType(module.types[index]) : wasm::HeapType::in_group(index - first());
  }
};

inline constexpr std::uint8_t kRefByte = 0x64;
inline constexpr std::uint8_t kRefNullByte = 0x63;
inline constexpr std::uint8_t kEmptyBlockByte = 0x40;

namespace detail {

struct HeapByte {
  std::uint8_t byte;
  wasm::AbstractHeap heap;
};
inline constexpr HeapByte kHeapBytes[] = {
    {0x74, wasm::AbstractHeap::noexn},   {0x73, wasm::AbstractHeap::nofunc}, {0x72, wasm::AbstractHeap::noextern},
    {0x71, wasm::AbstractHeap::none},    {0x70, wasm::AbstractHeap::func},   {0x6F, wasm::AbstractHeap::extern_},
    {0x6E, wasm::AbstractHeap::any},     {0x6D, wasm::AbstractHeap::eq},     {0x6C, wasm::AbstractHeap::i31},
    {0x6B, wasm::AbstractHeap::struct_}, {0x6A, wasm::AbstractHeap::array},  {0x69, wasm::AbstractHeap::exn},
};

// Types spelled by one byte; bottom where the byte spells none.
inline constexpr std::array<wasm::ValType, 256> kValueTypes = [] {
  std::array<wasm::ValType, 256> types{};
  types[0x7F] = wasm::kI32;
  types[0x7E] = wasm::kI64;
  types[0x7D] = wasm::kF32;
  types[0x7C] = wasm::kF64;
  types[0x7B] = wasm::kV128;
  for (const HeapByte& row : kHeapBytes) types[row.byte] = wasm::ValType::ref(row.heap, true);
  return types;
}();

// Fails with "malformed ...": the byte at the cursor spells none.
void fail_value_type(base::ByteReader& reader);
void fail_ref_type(base::ByteReader& reader);
void fail_heap_type(base::ByteReader& reader, std::uint64_t offset);
void fail_block_type(base::ByteReader& reader, std::uint64_t offset);
void fail_unknown_type(base::ByteReader& reader, std::uint64_t offset, std::uint32_t index, std::uint32_t count);

}  // namespace detail

// A type index behind which there is a type; `types` is ModuleTypes or GroupTypes.
template <class Types>
std::uint32_t read_type_index(base::ByteReader& reader, const Types& types) {
  const std::uint64_t offset = reader.offset();
  const std::uint32_t index = reader.u32("type index");
  if (index >= types.count()) [[unlikely]] {
    detail::fail_unknown_type(reader, offset, index, types.count());
    return 0;
  }
  return index;
}

template <class Types>
wasm::HeapType read_heap_type_in(base::ByteReader& reader, const Types& types) {
  const std::uint64_t offset = reader.offset();
  const wasm::ValType abstract = detail::kValueTypes[reader.peek()];
  if (abstract.is_ref()) [[likely]] {
    reader.u8("heap type");
    return abstract.heap();
  }
  const std::int64_t index = reader.s33("heap type");
  if (index < 0) [[unlikely]] {
    detail::fail_heap_type(reader, offset);
    return {};
  }
  if (index >= types.count()) [[unlikely]] {
    detail::fail_unknown_type(reader, offset, static_cast<std::uint32_t>(index), types.count());
    return {};
  }
  return reader.ok() ? types.resolve(static_cast<std::uint32_t>(index)) : wasm::HeapType{};
}

template <class Types>
wasm::ValType read_value_type_in(base::ByteReader& reader, const Types& types) {
  const std::uint8_t byte = reader.peek();
  const wasm::ValType type = detail::kValueTypes[byte];
  if (!type.is_bottom()) [[likely]] {
    reader.u8("value type");
    return type;
  }
  if (byte == kRefByte || byte == kRefNullByte) {
    reader.u8("value type");
    return wasm::ValType::ref(read_heap_type_in(reader, types), byte == kRefNullByte);
  }
  detail::fail_value_type(reader);
  return {};
}

template <class Types>
wasm::ValType read_ref_type_in(base::ByteReader& reader, const Types& types) {
  const std::uint8_t byte = reader.peek();
  if (detail::kValueTypes[byte].is_ref() || byte == kRefByte || byte == kRefNullByte) [[likely]] {
    return read_value_type_in(reader, types);
  }
  detail::fail_ref_type(reader);
  return {};
}

inline wasm::HeapType read_heap_type(base::ByteReader& reader, const wasm::Module& module) {
  return read_heap_type_in(reader, ModuleTypes{module});
}
inline wasm::ValType read_value_type(base::ByteReader& reader, const wasm::Module& module) {
  return read_value_type_in(reader, ModuleTypes{module});
}
inline wasm::ValType read_ref_type(base::ByteReader& reader, const wasm::Module& module) {
  return read_ref_type_in(reader, ModuleTypes{module});
}

// What a block takes and gives: nothing, one result, or a function type.
struct BlockType {
  enum class Kind : std::uint8_t { empty, value, type };
  Kind kind = Kind::empty;
  wasm::ValType value;   // kind == value
  wasm::TypeIndex type;  // kind == type: exists in module.types, but may be no function type
};

inline BlockType read_block_type(base::ByteReader& reader, const wasm::Module& module) {
  const std::uint8_t byte = reader.peek();
  BlockType block;
  if (byte == kEmptyBlockByte) {
    reader.u8("block type");
    return block;
  }
  if (!detail::kValueTypes[byte].is_bottom() || byte == kRefByte || byte == kRefNullByte) {
    block.kind = BlockType::Kind::value;
    block.value = read_value_type(reader, module);
    return block;
  }
  const std::uint64_t offset = reader.offset();
  const std::int64_t index = reader.s33("block type");
  if (index < 0) [[unlikely]] {
    detail::fail_block_type(reader, offset);
    return block;
  }
  if (index >= ModuleTypes{module}.count()) [[unlikely]] {
    detail::fail_unknown_type(reader, offset, static_cast<std::uint32_t>(index), ModuleTypes{module}.count());
    return block;
  }
  block.kind = BlockType::Kind::type;
  block.type = wasm::TypeIndex(static_cast<std::uint32_t>(index));
  return block;
}

// The proposals that a type needs; what it refers to has been counted where that is defined.
wasm::FeatureSet features_of(wasm::ValType type);

}  // namespace wasi::binary
