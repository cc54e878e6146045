// Element and data segments, and the data count.
// Source: https://webassembly.github.io/spec/core/binary/modules.html#element-section
#include "binary/format.h"
#include "binary/immediates.h"
#include "binary/module_decoder.h"

namespace wasi::binary::detail {
namespace {

using namespace format;

}  // namespace

void ModuleDecoder::element_section(Reader& reader) {
  const std::uint32_t count = read_count(reader, "number of element segments");
  reserve(module_.elements, count, reader, 3);
  for (std::uint32_t i = 0; i < count && reader.ok(); ++i) element_segment(reader, module_.elements.emplace_back());
}

void ModuleDecoder::element_segment(Reader& reader, wasm::ElementSegment& segment) {
  std::uint64_t offset = reader.offset();
  const std::uint32_t flags = reader.u32("element segment flags");
  if (flags > (kElemPassive | kElemExplicit | kElemExpressions)) {
    return reader.fail_at(offset, ErrorKind::malformed,
                          fmt::format("malformed element segment kind: found {}, expected 0 to 7", flags));
  }
  const bool expressions = (flags & kElemExpressions) != 0;
  if ((flags & kElemPassive) == 0) {
    segment.mode = wasm::SegmentMode::active;
    if ((flags & kElemExplicit) != 0) segment.table = wasm::TableIndex(reader.u32("table index"));
    segment.offset = skip_const_expr(reader, module_.features);
    if (segment.table.value != 0) module_.features.add(wasm::Feature::reference_types);
  } else {
    segment.mode = (flags & kElemExplicit) != 0 ? wasm::SegmentMode::declarative : wasm::SegmentMode::passive;
    module_.features.add(segment.mode == wasm::SegmentMode::passive ? wasm::Feature::bulk_memory
                                                                    : wasm::Feature::reference_types);
  }

  // Function indices are never null; what the short form of expressions gives may be.
  if (!expressions) segment.type = wasm::ValType::ref(wasm::AbstractHeap::func, false);
  if ((flags & (kElemPassive | kElemExplicit)) != 0) {
    if (expressions) {
      segment.type = read_ref_type(reader, module_);
      note(segment.type);
    } else {
      offset = reader.offset();
      if (const std::uint8_t kind = reader.u8("element kind"); kind != 0) {
        return reader.fail_at(offset, ErrorKind::malformed,
                              fmt::format("malformed element kind: found {:#04x}, expected 0x00 (function)", kind));
      }
    }
  }

  const std::uint32_t count = read_count(reader, "number of elements");
  if (expressions) {
    module_.features.add(wasm::Feature::bulk_memory);
    reserve(segment.expressions, count, reader, 2);
    for (std::uint32_t i = 0; i < count && reader.ok(); ++i) {
      segment.expressions.push_back(skip_const_expr(reader, module_.features));
    }
  } else {
    reserve(segment.functions, count, reader, 1);
    for (std::uint32_t i = 0; i < count && reader.ok(); ++i) {
      segment.functions.emplace_back(reader.u32("function index of an element"));
    }
  }
}

void ModuleDecoder::data_count_section(Reader& reader) {
  module_.data_count = reader.u32("number of data segments");
  module_.features.add(wasm::Feature::bulk_memory);
}

void ModuleDecoder::data_section(Reader& reader) {
  if (!has_arrived(reader, kLongestNumber)) return;
  const std::uint32_t count = read_count(reader, "number of data segments");
  if (known_.memory != nullptr) skip_imaged(reader, count);
  reserve(module_.data, count - module_.imaged_segments(), reader, 2);
  for (std::uint32_t i = module_.imaged_segments(); i < count && reader.ok(); ++i) {
    wasm::DataSegment& segment = module_.data.emplace_back();
    const std::uint64_t offset = reader.offset();
    if (!has_arrived(reader, 2 * kLongestNumber)) return;
    const std::uint32_t flags = reader.u32("data segment flags");
    if (flags > kDataActiveExplicit) {
      return reader.fail_at(offset, ErrorKind::malformed,
                            fmt::format("malformed data segment kind: found {}, expected 0 to 2", flags));
    }
    if (flags == kDataPassive) {
      module_.features.add(wasm::Feature::bulk_memory);
    } else {
      segment.mode = wasm::SegmentMode::active;
      if (flags == kDataActiveExplicit) segment.memory = wasm::MemoryIndex(reader.u32("memory index"));
      segment.offset = data_offset(reader);
    }
    if (!has_arrived(reader, kLongestNumber)) return;
    const std::uint32_t size = reader.u32("size of a data segment");
    const std::uint64_t start = reader.offset();
    reader.skip(size, "data segment");
    segment.bytes = range_from(start, reader);
  }
}

void ModuleDecoder::skip_imaged(Reader& reader, std::uint32_t count) {
  const wasm::MemoryImage& image = *known_.memory;
  if (image.segments > count || image.data_end < reader.offset()) {
    return reader.fail(ErrorKind::malformed, "the data section is not the one that its image was made of");
  }
  reader.skip(image.data_end - reader.offset(), "data segments");
  if (reader.ok()) module_.memory_image = std::move(known_.memory);
}

// How long an expression is shows when it is read: a long one, or what is none, waits for all of the section.
wasm::ConstExpr ModuleDecoder::data_offset(Reader& reader) {
  constexpr std::uint64_t kUsual = 64;
  if (!has_arrived(reader, kUsual)) return {};
  Reader usual({reader.position(), static_cast<std::size_t>(std::min<std::uint64_t>(kUsual, reader.remaining()))},
               reader.offset());
  const wasm::ConstExpr offset = skip_const_expr(usual, module_.features);
  if (usual.ok()) {
    reader.move_to(usual.position());
    return offset;
  }
  if (!has_arrived(reader, reader.remaining())) return {};
  return skip_const_expr(reader, module_.features);
}

}  // namespace wasi::binary::detail
