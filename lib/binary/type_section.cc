// The type section: recursion groups, their members, and what these are made of.
// Source: https://webassembly.github.io/spec/core/binary/types.html#recursive-types
#include "binary/format.h"
#include "binary/module_decoder.h"
#include "wasm/limits.h"

namespace wasi::binary::detail {

using namespace format;

void ModuleDecoder::type_section(Reader& reader) {
  const std::uint32_t count = read_count(reader, "number of types");
  reserve(module_.types, count, reader, 2);
  for (std::uint32_t i = 0; i < count && reader.ok(); ++i) {
    if (reader.peek() == kRecByte) {
      reader.u8("recursion group");
      module_.features.add(wasm::Feature::gc);
      recursion_group(reader, read_count(reader, "number of types in a recursion group"));
    } else {
      recursion_group(reader, 1);
    }
  }
  group_ = {};
}

void ModuleDecoder::recursion_group(Reader& reader, std::uint32_t members) {
  const GroupTypes types{module_, members};
  if (types.count() > wasm::kMaxTypes) {
    return reader.fail(ErrorKind::limit, fmt::format("the module defines more than {} types", wasm::kMaxTypes));
  }
  group_.reserve(std::min<std::size_t>(members, reader.remaining() / 2));
  for (std::uint32_t i = 0; i < members && reader.ok(); ++i) {
    if (i == group_.size()) group_.emplace_back();
    sub_type(reader, types, group_[i], types.first() + i);
  }
  if (!reader.ok()) return;
  std::optional<wasm::TypeRef> group = module_.registry->add_group(std::span(group_).first(members));
  if (!group) {
    return reader.fail(ErrorKind::limit,
                       fmt::format("the engine's modules together define more than {} types", wasm::kMaxTypeIds));
  }
  module_.types.add(std::move(*group));
}

void ModuleDecoder::sub_type(Reader& reader, const GroupTypes& types, wasm::SubType& type, std::uint32_t index) {
  type.is_final = true;
  type.super.reset();
  type.func.params.clear();
  type.func.results.clear();
  type.fields.clear();
  const std::uint8_t byte = reader.peek();
  if (byte == kSubByte || byte == kSubFinalByte) {
    reader.u8("sub type");
    module_.features.add(wasm::Feature::gc);
    type.is_final = byte == kSubFinalByte;
    std::uint64_t offset = reader.offset();
    const std::uint32_t supers = reader.u32("number of super types");
    if (supers > 1) {
      return reader.fail_at(offset, ErrorKind::invalid,
                            fmt::format("sub type {} has {} super types, at most one is allowed", index, supers));
    }
    if (supers == 1) {
      offset = reader.offset();
      const std::uint32_t super = read_type_index(reader, types);
      if (!reader.ok()) return;
      if (super >= index) {
        return reader.fail_at(
            offset, ErrorKind::invalid,
            fmt::format("unknown type {}: the super type of type {} must stand before it", super, index));
      }
      type.super = types.resolve(super);
    }
  }
  composite_type(reader, types, type);
}

void ModuleDecoder::composite_type(Reader& reader, const GroupTypes& types, wasm::SubType& type) {
  const std::uint64_t offset = reader.offset();
  switch (const std::uint8_t byte = reader.u8("type definition")) {
    case kFuncByte:
      type.kind = wasm::CompositeKind::func;
      value_types(reader, types, "number of parameters", type.func.params);
      value_types(reader, types, "number of results", type.func.results);
      if (type.func.results.size() > 1) module_.features.add(wasm::Feature::multi_value);
      return;
    case kStructByte: {
      type.kind = wasm::CompositeKind::struct_;
      functions_only_ = false;
      module_.features.add(wasm::Feature::gc);
      const std::uint32_t count = read_count(reader, "number of fields");
      reserve(type.fields, count, reader, 2);
      for (std::uint32_t i = 0; i < count && reader.ok(); ++i) type.fields.push_back(field_type(reader, types));
      return;
    }
    case kArrayByte:
      type.kind = wasm::CompositeKind::array;
      functions_only_ = false;
      module_.features.add(wasm::Feature::gc);
      type.fields.push_back(field_type(reader, types));
      return;
    default:
      return reader.fail_at(
          offset, ErrorKind::malformed,
          fmt::format("malformed type definition: found {:#04x}, expected 0x60 (func), 0x5f (struct) or 0x5e (array)",
                      byte));
  }
}

void ModuleDecoder::value_types(Reader& reader, const GroupTypes& types, const char* what,
                                std::vector<wasm::ValType>& out) {
  const std::uint32_t count = read_count(reader, what);
  reserve(out, count, reader, 1);
  for (std::uint32_t i = 0; i < count && reader.ok(); ++i) {
    out.push_back(read_value_type_in(reader, types));
    note(out.back());
  }
}

wasm::FieldType ModuleDecoder::field_type(Reader& reader, const GroupTypes& types) {
  wasm::FieldType field;
  const std::uint8_t byte = reader.peek();
  if (byte == kI8Byte || byte == kI16Byte) {
    reader.u8("packed type");
    field.storage = wasm::StorageType(byte == kI8Byte ? wasm::StorageType::Packed::i8 : wasm::StorageType::Packed::i16);
  } else {
    const wasm::ValType type = read_value_type_in(reader, types);
    note(type);
    field.storage = type;
  }
  field.is_mutable = read_flag(reader, "mutability", "malformed mutability");
  return field;
}

}  // namespace wasi::binary::detail
