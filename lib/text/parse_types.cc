// Type definitions, value types, type uses, and the types of tables, memories and globals.
// Source: https://webassembly.github.io/spec/core/text/types.html
#include <fmt/format.h>

#include <bit>

#include "binary/type_reader.h"
#include "text/module_parser.h"

namespace wasi::text {
namespace {

namespace format = binary::format;

std::uint8_t byte_of(wasm::ValType type) {
  for (std::size_t byte = 0; byte < 256; ++byte) {
    if (binary::detail::kValueTypes[byte] == type) return static_cast<std::uint8_t>(byte);
  }
  return 0;
}

// The one-byte codes of types, by their names: of value types, and of heap types.
struct TypeWord {
  std::uint8_t number = 0;     // i32, v128, ...
  std::uint8_t reference = 0;  // funcref, ...: the nullable reference to a heap type
  std::uint8_t heap = 0;       // func, ...
};

TypeWord type_word(Keyword keyword) {
  using wasm::AbstractHeap;
  struct HeapWords {
    AbstractHeap heap;
    Word name;
    Word reference;
  };
  static constexpr HeapWords kHeaps[] = {
      {AbstractHeap::func, Word::func, Word::funcref},
      {AbstractHeap::nofunc, Word::nofunc, Word::nullfuncref},
      {AbstractHeap::extern_, Word::extern_, Word::externref},
      {AbstractHeap::noextern, Word::noextern, Word::nullexternref},
      {AbstractHeap::any, Word::any, Word::anyref},
      {AbstractHeap::eq, Word::eq, Word::eqref},
      {AbstractHeap::i31, Word::i31, Word::i31ref},
      {AbstractHeap::struct_, Word::struct_, Word::structref},
      {AbstractHeap::array, Word::array, Word::arrayref},
      {AbstractHeap::none, Word::none, Word::nullref},
      {AbstractHeap::exn, Word::exn, Word::exnref},
      {AbstractHeap::noexn, Word::noexn, Word::nullexnref},
  };
  static const auto kWords = [] {
    std::array<TypeWord, static_cast<std::size_t>(Word::count) + 1> words{};
    const auto at = [&](Word word) -> TypeWord& { return words[static_cast<std::size_t>(word)]; };
    for (const HeapWords& row : kHeaps) {
      const std::uint8_t byte = byte_of(wasm::ValType::ref(row.heap, true));
      at(row.name).heap = byte;
      at(row.reference).reference = byte;
    }
    at(Word::i32).number = byte_of(wasm::kI32);
    at(Word::i64).number = byte_of(wasm::kI64);
    at(Word::f32).number = byte_of(wasm::kF32);
    at(Word::f64).number = byte_of(wasm::kF64);
    at(Word::v128).number = byte_of(wasm::kV128);
    return words;
  }();
  return kWords[static_cast<std::size_t>(keyword.word())];
}

std::string_view view(std::span<const std::uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

// The type section, from the places that the scan found.
void ModuleParser::type_fields() {
  for (const char* pos : type_fields_) {
    if (failed()) return;
    seek(pos);
    ByteWriter& out = entry(format::kType);
    bool is_plain = true;
    std::uint32_t count = 1;
    if (take_list(Word::rec)) {
      ByteWriter members;
      for (count = 0; at_list(Word::type); ++count) is_plain = type_definition(members);
      expect_rpar("a type definition or )");
      // A group of one is what a definition without a group is.
      if (count != 1) {
        out.u8(format::kRecByte);
        out.u32(count);
      }
      out.append(members);
    } else {
      is_plain = type_definition(out);
    }
    if (count == 1 && is_plain && !failed()) {
      remember_signature(types_.back().signature, static_cast<std::uint32_t>(types_.size() - 1));
    }
  }
}

// "(type $t ...)"; whether it is final and without a super type.
bool ModuleParser::type_definition(ByteWriter& out) {
  take_list(Word::type);
  const auto number = static_cast<std::uint32_t>(types_.size());
  name_entry(Space::type, number, optional_identifier());
  types_.emplace_back();
  bool is_final = true;
  bool is_sub = false;
  std::vector<std::uint32_t> supers;
  if (take_list(Word::sub)) {
    is_sub = true;
    is_final = take(Word::final_);
    while (at_index()) supers.push_back(index(Space::type));
  }
  TypeInfo info;
  const bool is_plain = is_final && supers.empty();
  if (!is_plain) {
    out.u8(is_final ? format::kSubFinalByte : format::kSubByte);
    out.u32(static_cast<std::uint32_t>(supers.size()));
    for (const std::uint32_t super : supers) out.u32(super);
  }
  composite_type(out, info);
  types_[number] = info;
  if (is_sub) expect_rpar();
  expect_rpar();
  return is_plain;
}

void ModuleParser::composite_type(ByteWriter& out, TypeInfo& info) {
  if (take_list(Word::func)) {
    Signature& parts = scratch_signature_;
    signature(parts, true);
    scratch_.clear();
    write(scratch_, parts);
    out.append(scratch_);
    info = {intern(std::string(view(scratch_.bytes()))), parts.param_count};
  } else if (take_list(Word::struct_)) {
    out.u8(format::kStructByte);
    field_types(out, static_cast<std::uint32_t>(types_.size() - 1));
  } else if (take_list(Word::array)) {
    out.u8(format::kArrayByte);
    storage_type(out);
  } else {
    if (at(TokenKind::lpar)) advance();
    return unexpected("(func, (struct or (array");
  }
  expect_rpar();
}

// "(field $x i32) (field i8 (mut i64))"
void ModuleParser::field_types(ByteWriter& out, std::uint32_t type) {
  ByteWriter fields;
  NameMap names;
  std::uint32_t count = 0;
  while (take_list(Word::field)) {
    if (member_name("field", field_ids_, type, names, count)) {
      storage_type(fields);
      ++count;
    } else {
      while (!at(TokenKind::rpar) && !at(TokenKind::end)) {
        storage_type(fields);
        ++count;
      }
    }
    expect_rpar("a field's type or )");
  }
  out.u32(count);
  out.append(fields);
  if (names.count == 0) return;
  ++field_names_.count;
  field_names_.bytes.u32(type);
  field_names_.bytes.u32(names.count);
  field_names_.bytes.append(names.bytes);
}

void ModuleParser::storage_type(ByteWriter& out) {
  const bool is_mutable = take_list(Word::mut);
  if (take(Word::i8)) {
    out.u8(format::kI8Byte);
  } else if (take(Word::i16)) {
    out.u8(format::kI16Byte);
  } else {
    value_type(out);
  }
  out.u8(is_mutable ? 1 : 0);
  if (is_mutable) expect_rpar();
}

void ModuleParser::value_type(ByteWriter& out) {
  if (at(TokenKind::keyword)) {
    const TypeWord word = type_word(current().keyword);
    if (word.number != 0 || word.reference != 0) {
      out.u8(word.number != 0 ? word.number : word.reference);
      return advance();
    }
  }
  if (!at_ref_type()) return unexpected("a value type");
  write(out, ref_type());
}

bool ModuleParser::at_value_type() {
  return at_ref_type() || (at(TokenKind::keyword) && type_word(current().keyword).number != 0);
}

bool ModuleParser::at_ref_type() {
  return (at(TokenKind::keyword) && type_word(current().keyword).reference != 0) || at_list(Word::ref);
}

ModuleParser::RefCode ModuleParser::ref_type() {
  if (take_list(Word::ref)) {
    RefCode ref;
    ref.is_nullable = take(Word::null);
    ref.heap = heap_type();
    expect_rpar();
    return ref;
  }
  const std::uint8_t byte = at(TokenKind::keyword) ? type_word(current().keyword).reference : 0;
  if (byte == 0) {
    unexpected("a reference type");
  } else {
    advance();
  }
  return {true, {false, byte, 0}};
}

ModuleParser::HeapCode ModuleParser::heap_type() {
  if (at_index()) return {true, 0, index(Space::type)};
  const std::uint8_t byte = at(TokenKind::keyword) ? type_word(current().keyword).heap : 0;
  if (byte == 0) {
    unexpected("a heap type");
  } else {
    advance();
  }
  return {false, byte, 0};
}

void ModuleParser::write(ByteWriter& out, HeapCode heap) {
  if (heap.is_index) {
    out.s64(heap.index);
  } else {
    out.u8(heap.byte);
  }
}

// The shortest form, so that equal types are equal bytes.
void ModuleParser::write(ByteWriter& out, RefCode ref) {
  if (!ref.is_nullable || ref.heap.is_index) out.u8(ref.is_nullable ? binary::kRefNullByte : binary::kRefByte);
  write(out, ref.heap);
}

// Whether the parameter has a name. Where there is no function, nobody needs to know it.
bool ModuleParser::parameter_name(std::uint32_t number) {
  if (in_function_) return member_name("local", locals_, 0, function_local_names_, number);
  const bool has_id = take(TokenKind::id);
  return name_annotation().has_value() || has_id;
}

// "(param $x i32) (param i64 f32) (result i32)". With names, parameters become locals of the function being read.
void ModuleParser::signature(Signature& parts, bool has_names) {
  parts.params.clear();
  parts.results.clear();
  parts.param_count = 0;
  parts.result_count = 0;
  while (take_list(Word::param)) {
    if (at(TokenKind::id) && !has_names) return unexpected("a value type or )");
    if (has_names && parameter_name(parts.param_count)) {
      value_type(parts.params);
      ++parts.param_count;
    } else {
      while (!at(TokenKind::rpar) && !at(TokenKind::end)) {
        value_type(parts.params);
        ++parts.param_count;
      }
    }
    expect_rpar("a value type or )");
  }
  while (take_list(Word::result)) {
    while (!at(TokenKind::rpar) && !at(TokenKind::end)) {
      value_type(parts.results);
      ++parts.result_count;
    }
    expect_rpar("a value type or )");
  }
  if (at_list(Word::param)) unexpected(peek(), "parameters in front of the results");
}

void ModuleParser::write(ByteWriter& out, const Signature& parts) {
  out.u8(format::kFuncByte);
  out.u32(parts.param_count);
  out.append(parts.params);
  out.u32(parts.result_count);
  out.append(parts.results);
}

ModuleParser::TypeUse ModuleParser::type_use(Signature& parts, bool has_names) {
  TypeUse use;
  use.span = current().span();
  if (take_list(Word::type)) {
    use.span = current().span();
    use.type = index(Space::type);
    expect_rpar();
  }
  signature(parts, has_names);
  use.is_inline = parts.param_count != 0 || parts.result_count != 0;
  return use;
}

std::uint32_t ModuleParser::resolve(const TypeUse& use, const Signature& parts) {
  if (use.type && !use.is_inline) return *use.type;
  scratch_.clear();
  write(scratch_, parts);
  const std::string_view bytes = view(scratch_.bytes());
  if (use.type) {
    if (*use.type >= types_.size()) {
      fail(use.span, fmt::format("unknown type {}: {} types are known here", *use.type, types_.size()));
    } else if (types_[*use.type].signature != bytes) {
      fail(use.span, "inline function type: the parameters and results are not those of the type");
    }
    return *use.type;
  }
  const std::uint32_t known = signatures_.find(bytes);
  if (known != IdMap::kAbsent) return known;
  const auto added = static_cast<std::uint32_t>(types_.size());
  entry(format::kType).append(scratch_);
  types_.push_back({intern(std::string(bytes)), parts.param_count});
  remember_signature(types_.back().signature, added);
  return added;
}

std::uint32_t ModuleParser::type_of(Signature& parts, bool has_names) {
  const TypeUse use = type_use(parts, has_names);
  return resolve(use, parts);
}

// Of equal types the first is meant. Only a type that is alone in its group, final and without a super type can be.
void ModuleParser::remember_signature(std::string_view bytes, std::uint32_t type) {
  if (!bytes.empty()) (void)signatures_.add(bytes, type);
}

bool ModuleParser::address_type() {
  if (take(Word::i64)) return true;
  (void)take(Word::i32);
  return false;
}

// "(pagesize n)": log2 of n, which the binary format has; empty when it is not there.
std::optional<std::uint8_t> ModuleParser::page_size() {
  if (!take_list(Word::pagesize)) return std::nullopt;
  const Span span = current().span();
  const std::uint64_t bytes = unsigned_number("a page size");
  if (!std::has_single_bit(bytes)) fail(span, "invalid custom page size: expected a power of two");
  expect_rpar();
  return static_cast<std::uint8_t>(std::countr_zero(bytes | std::uint64_t{1} << 63));
}

// "min max? shared? (pagesize n)?", behind the address type.
void ModuleParser::limits(ByteWriter& out, bool is_64, bool is_memory) {
  const std::uint64_t min = unsigned_number("a size");
  const bool has_max = at_unsigned();
  const std::uint64_t max = has_max ? unsigned_number("a size") : 0;
  const bool is_shared = is_memory && take(Word::shared);
  const std::optional<std::uint8_t> page_log2 = is_memory ? page_size() : std::nullopt;
  out.u8(static_cast<std::uint8_t>((has_max ? format::kHasMax : 0) | (is_shared ? format::kShared : 0) |
                                   (is_64 ? format::kAddress64 : 0) | (page_log2 ? format::kPageSizeGiven : 0)));
  out.u64(min);
  if (has_max) out.u64(max);
  if (page_log2) out.u32(*page_log2);
}

void ModuleParser::table_type(ByteWriter& out, bool is_64) {
  ByteWriter size;
  limits(size, is_64, false);
  write(out, ref_type());
  out.append(size);
}

void ModuleParser::global_type(ByteWriter& out) {
  const bool is_mutable = take_list(Word::mut);
  value_type(out);
  if (is_mutable) expect_rpar();
  out.u8(is_mutable ? 1 : 0);
}

}  // namespace wasi::text
