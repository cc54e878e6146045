#include "text/print_types.h"

#include <algorithm>

#include "binary/format.h"
#include "binary/type_reader.h"
#include "text/print_literal.h"
#include "wasm/limits.h"

namespace wasi::text {

namespace format = binary::format;

wasm::ByteRange find_section(const wasm::Module& module, std::uint8_t id) {
  const auto it = std::ranges::find(module.sections, id, &wasm::Section::id);
  return it == module.sections.end() ? wasm::ByteRange{} : it->payload;
}

TypeText::TypeText(const wasm::Module& module, ModuleIdentifiers& identifiers)
    : module_(module), identifiers_(identifiers) {
  const wasm::ByteRange section = find_section(module, format::kType);
  if (section.size == 0) return;
  end_ = section.offset + section.size;
  base::ByteReader reader = reader_of(module, section);
  offsets_.reserve(module.types.size());
  const std::uint32_t count = reader.u32("number of types");
  for (std::uint32_t i = 0; i < count && reader.ok(); ++i) {
    if (reader.peek() != format::kRecByte) {
      sub_type(reader, "  ");
      continue;
    }
    reader.u8("recursion group");
    const std::uint32_t members = reader.u32("number of types in a recursion group");
    section_ += "  (rec\n";
    for (std::uint32_t member = 0; member < members && reader.ok(); ++member) sub_type(reader, "    ");
    section_ += "  )\n";
  }
}

void TypeText::sub_type(base::ByteReader& reader, std::string_view indentation) {
  const auto index = static_cast<std::uint32_t>(offsets_.size());
  section_.append(indentation);
  section_ += "(type";
  identifiers_.types.append_definition(section_, index);
  section_ += ' ';
  const std::uint8_t byte = reader.peek();
  const bool is_sub = byte == format::kSubByte || byte == format::kSubFinalByte;
  if (is_sub) {
    reader.u8("sub type");
    section_ += byte == format::kSubByte ? "(sub" : "(sub final";
    const std::uint32_t supers = reader.u32("number of super types");
    for (std::uint32_t i = 0; i < supers && reader.ok(); ++i) {
      section_ += ' ';
      identifiers_.types.append(section_, reader.u32("type index"));
    }
    section_ += ' ';
  }
  composite_type(section_, reader, index);
  section_ += is_sub ? "))\n" : ")\n";
}

void TypeText::composite_type(std::string& out, base::ByteReader& reader, std::uint32_t type) {
  const std::uint8_t byte = reader.u8("type definition");
  offsets_.push_back(byte == format::kFuncByte ? static_cast<std::uint32_t>(reader.offset()) : 0);
  if (byte == format::kFuncByte) {
    out += "(func";
    append_signature(out, reader, nullptr);
  } else if (byte == format::kStructByte) {
    out += "(struct";
    const Identifiers& fields = identifiers_.fields(type);
    const std::uint32_t count = reader.u32("number of fields");
    for (std::uint32_t i = 0; i < count && reader.ok(); ++i) {
      out += " (field";
      fields.append_id(out, i);
      out += ' ';
      append_field_type(out, reader);
      out += ')';
    }
  } else {
    out += "(array ";
    append_field_type(out, reader);
  }
  out += ')';
}

void TypeText::append_field_type(std::string& out, base::ByteReader& reader) const {
  std::string type;
  if (reader.peek() == format::kI8Byte || reader.peek() == format::kI16Byte) {
    type = reader.u8("packed type") == format::kI8Byte ? "i8" : "i16";
  } else {
    append_value_type(type, reader);
  }
  const bool is_mutable = reader.u8("mutability") != 0;
  out.append(is_mutable ? "(mut " : "").append(type).append(is_mutable ? ")" : "");
}

void TypeText::append_value_type(std::string& out, base::ByteReader& reader) const {
  const std::uint8_t byte = reader.peek();
  if (byte == binary::kRefByte || byte == binary::kRefNullByte) {
    reader.u8("value type");
    out += byte == binary::kRefByte ? "(ref " : "(ref null ";
    append_heap_type(out, reader);
    out += ')';
  } else if (const wasm::ValType type = binary::detail::kValueTypes[byte]; !type.is_bottom() && !reader.at_end()) {
    reader.u8("value type");
    out += wasm::to_string(type);
  } else {
    binary::detail::fail_value_type(reader);
  }
}

void TypeText::append_heap_type(std::string& out, base::ByteReader& reader) const {
  const std::uint64_t offset = reader.offset();
  const wasm::ValType abstract = binary::detail::kValueTypes[reader.peek()];
  if (abstract.is_ref()) {
    reader.u8("heap type");
    out += wasm::to_string(abstract.heap());
    return;
  }
  const std::int64_t index = reader.s33("heap type");
  if (index < 0) return binary::detail::fail_heap_type(reader, offset);
  if (reader.ok()) identifiers_.types.append(out, static_cast<std::uint32_t>(index));
}

void TypeText::append_block_type(std::string& out, base::ByteReader& reader) const {
  const std::uint8_t byte = reader.peek();
  if (byte == binary::kEmptyBlockByte) {
    reader.u8("block type");
  } else if (!binary::detail::kValueTypes[byte].is_bottom() || byte == binary::kRefByte ||
             byte == binary::kRefNullByte) {
    out += " (result ";
    append_value_type(out, reader);
    out += ')';
  } else {
    const std::uint64_t offset = reader.offset();
    const std::int64_t index = reader.s33("block type");
    if (index < 0) return binary::detail::fail_block_type(reader, offset);
    if (reader.ok()) append_type_use(out, static_cast<std::uint32_t>(index));
  }
}

void TypeText::append_limits(std::string& out, base::ByteReader& reader) const {
  const std::uint8_t flags = reader.u8("limits");
  if ((flags & format::kAddress64) != 0) out += "i64 ";
  append_number(out, reader.u64("minimum size"));
  if ((flags & format::kHasMax) != 0) {
    out += ' ';
    append_number(out, reader.u64("maximum size"));
  }
  if ((flags & format::kShared) != 0) out += " shared";
  if ((flags & format::kPageSizeGiven) != 0) {
    out += " (pagesize ";
    // The decoder has refused what does not fit.
    append_number(out, std::uint64_t{1} << (reader.u32("page size") & 63));
    out += ')';
  }
}

void TypeText::append_table_type(std::string& out, base::ByteReader& reader) const {
  std::string element;
  append_value_type(element, reader);
  append_limits(out, reader);
  out += ' ';
  out += element;
}

void TypeText::append_memory_type(std::string& out, base::ByteReader& reader) const { append_limits(out, reader); }

void TypeText::append_global_type(std::string& out, base::ByteReader& reader) const { append_field_type(out, reader); }

void TypeText::append_signature(std::string& out, base::ByteReader& reader, const Identifiers* locals) const {
  const std::uint32_t params = reader.u32("number of parameters");
  // Unnamed ones share a list; a named one stands alone.
  bool is_open = false;
  for (std::uint32_t i = 0; i < params && reader.ok(); ++i) {
    const bool is_named = locals != nullptr && locals->has_name(i);
    if (is_open && is_named) out += ')';
    if (!is_open || is_named) out += " (param";
    if (is_named) locals->append_id(out, i);
    out += ' ';
    append_value_type(out, reader);
    if (is_named) out += ')';
    is_open = !is_named;
  }
  if (is_open) out += ')';
  const std::uint32_t results = reader.u32("number of results");
  if (results != 0) out += " (result";
  for (std::uint32_t i = 0; i < results && reader.ok(); ++i) {
    out += ' ';
    append_value_type(out, reader);
  }
  if (results != 0) out += ')';
}

void TypeText::append_type_use(std::string& out, std::uint32_t type, const Identifiers* locals) const {
  out += " (type ";
  identifiers_.types.append(out, type);
  out += ')';
  const wasm::SubType* function = find(type, wasm::CompositeKind::func);
  if (function == nullptr || function->func.params.size() + function->func.results.size() > wasm::kMaxRepeatedTypes)
    return;
  base::ByteReader reader = reader_of(module_, {offsets_[type], end_ - offsets_[type]});
  append_signature(out, reader, locals);
}

const wasm::SubType* TypeText::find(std::uint32_t type, wasm::CompositeKind kind) const {
  if (type >= module_.types.size()) return nullptr;
  const wasm::SubType& definition = module_.registry->at(module_.types[type]);
  return definition.kind == kind ? &definition : nullptr;
}

TypeText::Counts TypeText::counts(std::uint32_t type) const {
  const wasm::SubType* function = find(type, wasm::CompositeKind::func);
  if (function == nullptr) return {};
  return {static_cast<std::uint32_t>(function->func.params.size()),
          static_cast<std::uint32_t>(function->func.results.size())};
}

std::uint32_t TypeText::field_count(std::uint32_t type) const {
  const wasm::SubType* structure = find(type, wasm::CompositeKind::struct_);
  return structure == nullptr ? 0 : static_cast<std::uint32_t>(structure->fields.size());
}

}  // namespace wasi::text
