// The failures of type_reader.h, out of line, and the features of types.
#include "binary/type_reader.h"

#include <fmt/format.h>

namespace wasi::binary {
namespace detail {
namespace {

void fail_byte(base::ByteReader& reader, const char* message, const char* what) {
  if (reader.at_end()) {
    reader.u8(what);  // says that the end came too early
    return;
  }
  reader.fail(ErrorKind::malformed, fmt::format("{}: found byte {:#04x}", message, reader.peek()));
}

void fail_number(base::ByteReader& reader, std::uint64_t offset, const char* message) {
  if (reader.ok()) reader.fail_at(offset, ErrorKind::malformed, message);
}

}  // namespace

void fail_value_type(base::ByteReader& reader) { fail_byte(reader, "malformed value type", "value type"); }
void fail_ref_type(base::ByteReader& reader) { fail_byte(reader, "malformed reference type", "reference type"); }

void fail_heap_type(base::ByteReader& reader, std::uint64_t offset) {
  fail_number(reader, offset, "malformed heap type: found a negative number that names no abstract heap type");
}

void fail_block_type(base::ByteReader& reader, std::uint64_t offset) {
  fail_number(reader, offset, "malformed block type: found a negative number that names no value type");
}

void fail_unknown_type(base::ByteReader& reader, std::uint64_t offset, std::uint32_t index, std::uint32_t count) {
  if (!reader.ok()) return;
  reader.fail_at(offset, ErrorKind::invalid, fmt::format("unknown type {}: {} types are known here", index, count));
}

}  // namespace detail

wasm::FeatureSet features_of(wasm::ValType type) {
  using wasm::AbstractHeap;
  using wasm::Feature;
  if (type.is_vector()) return {Feature::simd};
  if (!type.is_ref()) return {};
  wasm::FeatureSet features{Feature::reference_types};
  if (!type.is_nullable() || !type.heap().is_abstract()) features.add(Feature::function_references);
  if (!type.heap().is_abstract()) return features;
  switch (type.heap().abstract()) {
    case AbstractHeap::func:
    case AbstractHeap::extern_:
      break;
    case AbstractHeap::exn:
    case AbstractHeap::noexn:
      features.add(Feature::exceptions);
      break;
    default:
      features.add(Feature::gc);
  }
  return features;
}

}  // namespace wasi::binary
