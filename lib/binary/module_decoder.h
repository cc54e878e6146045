// The decoder's state while it goes through the sections. Internal to this folder: one method per section,
// spread over decoder.cc (frame, code, custom), type_section.cc, sections.cc and segments.cc.
//
// Each method reads its section from a reader that ends where the section does; the caller looks at the
// reader's error and at what is left over. What counts claim is believed only as far as the remaining bytes
// could hold it (read_count, reserve), so memory stays a small multiple of the input.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "base/byte_reader.h"
#include "base/result.h"
#include "binary/decoder.h"
#include "binary/type_reader.h"
#include "wasm/module.h"

namespace wasi::binary::detail {

// What reading a number may look at.
inline constexpr std::uint64_t kLongestNumber = 10;

class ModuleDecoder {
 public:
  ModuleDecoder(wasm::Module& module, const Arrival& arrival, Known known)
      : module_(module),
        arrival_(arrival),
        arrived_{0, arrival ? 0 : module.bytes.data.size()},
        known_(std::move(known)) {}
  Result<void> run();

 private:
  using Reader = base::ByteReader;

  // Whether the next `count` bytes, of those that there are, may be looked at. False when that will never be, which
  // lost_ tells of.
  bool has_arrived(const Reader& reader, std::uint64_t count) {
    const std::uint64_t begin = reader.offset();
    const std::uint64_t end = begin + std::min<std::uint64_t>(count, reader.remaining());
    return begin == end || (begin >= arrived_.begin && end <= arrived_.end) || await(begin, end);
  }
  bool await(std::uint64_t begin, std::uint64_t end);

  Result<void> header(Reader& reader);
  Result<void> section(Reader& reader);
  Result<void> check_order(std::uint8_t id, std::uint64_t offset);
  Result<void> check_counts() const;
  void contents(std::uint8_t id, Reader& reader);

  void custom_section(Reader& reader);
  void type_section(Reader& reader);
  void import_section(Reader& reader);
  void function_section(Reader& reader);
  void table_section(Reader& reader);
  void memory_section(Reader& reader);
  void tag_section(Reader& reader);
  void global_section(Reader& reader);
  void export_section(Reader& reader);
  void start_section(Reader& reader);
  void element_section(Reader& reader);
  void data_count_section(Reader& reader);
  void code_section(Reader& reader);
  void data_section(Reader& reader);

  // Types (type_section.cc). The definitions of the group being read stay in group_, to be reused.
  void recursion_group(Reader& reader, std::uint32_t members);
  void sub_type(Reader& reader, const GroupTypes& types, wasm::SubType& type, std::uint32_t index);
  void composite_type(Reader& reader, const GroupTypes& types, wasm::SubType& type);
  void value_types(Reader& reader, const GroupTypes& types, const char* what, std::vector<wasm::ValType>& out);
  wasm::FieldType field_type(Reader& reader, const GroupTypes& types);

  // Parts of sections (sections.cc).
  wasm::TypeIndex function_type_index(Reader& reader, const char* what);
  wasm::TableType table_type(Reader& reader);
  wasm::MemoryType memory_type(Reader& reader);
  wasm::GlobalType global_type(Reader& reader);
  wasm::TagType tag_type(Reader& reader);
  void add_memory(wasm::MemoryType type);
  void note(wasm::ValType type) { module_.features |= features_of(type); }

  // Parts of segments (segments.cc).
  void element_segment(Reader& reader, wasm::ElementSegment& segment);
  wasm::ConstExpr data_offset(Reader& reader);
  // Passes over the data segments that an image stands for, which are not more than `count`.
  void skip_imaged(Reader& reader, std::uint32_t count);

  wasm::Module& module_;
  const Arrival& arrival_;
  Arrived arrived_;            // all that is known to have
  std::optional<Error> lost_;  // why no more will
  Known known_;
  int last_rank_ = 0;                 // of the last section that was not custom
  std::uint8_t last_id_ = 0;          // its id
  std::vector<wasm::SubType> group_;  // scratch
  bool functions_only_ = true;        // every type so far is a function type
};

// A number of entries; more than there are bytes left is an error.
std::uint32_t read_count(base::ByteReader& reader, const char* what);

// Room for `count` entries that take at least `smallest` bytes each.
template <class List>
void reserve(List& entries, std::uint32_t count, const base::ByteReader& reader, std::size_t smallest) {
  entries.reserve(entries.size() + std::min<std::size_t>(count, reader.remaining() / smallest));
}

// The bytes from `start` to the cursor; offsets fit since run() refuses larger modules.
inline wasm::ByteRange range_from(std::uint64_t start, const base::ByteReader& reader) {
  return {static_cast<std::uint32_t>(start), static_cast<std::uint32_t>(reader.offset() - start)};
}

// 0 or 1; anything else fails with `message`.
bool read_flag(base::ByteReader& reader, const char* what, const char* message);

}  // namespace wasi::binary::detail
