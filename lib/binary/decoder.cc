// The frame of a module: header, sections in their order, and what must agree between them.
#include "binary/decoder.h"

#include "binary/format.h"
#include "binary/module_decoder.h"
#include "wasm/limits.h"

namespace wasi::binary {
namespace detail {
namespace {

using namespace format;

struct SectionRow {
  std::string_view name;
  int rank;  // sections stand in ascending order of rank, each at most once
};
constexpr SectionRow kSections[kSectionIds] = {
    {"custom", 0}, {"type", 1},  {"import", 2},   {"function", 3}, {"table", 4}, {"memory", 5},      {"global", 7},
    {"export", 8}, {"start", 9}, {"element", 10}, {"code", 12},    {"data", 13}, {"data count", 11}, {"tag", 6},
};

}  // namespace

std::uint32_t read_count(base::ByteReader& reader, const char* what) {
  const std::uint64_t offset = reader.offset();
  const std::uint32_t count = reader.u32(what);
  if (count > reader.remaining()) {
    reader.fail_at(offset, ErrorKind::malformed,
                   fmt::format("unexpected end of section or function: {} is {}, but only {} bytes are left", what,
                               count, reader.remaining()));
    return 0;
  }
  return count;
}

bool read_flag(base::ByteReader& reader, const char* what, const char* message) {
  const std::uint64_t offset = reader.offset();
  const std::uint8_t byte = reader.u8(what);
  if (byte > 1) {
    reader.fail_at(offset, ErrorKind::malformed,
                   fmt::format("{}: found {:#04x}, expected 0x00 or 0x01", message, byte));
  }
  return byte == 1;
}

Result<void> ModuleDecoder::run() {
  const std::span<const std::uint8_t> data = module_.bytes.data;
  if (data.size() > wasm::kMaxModuleBytes) {
    return fail(ErrorKind::limit, "the module has {} bytes; at most {} are supported", data.size(),
                wasm::kMaxModuleBytes);
  }
  Reader reader(data, 0, "module");
  if (!has_arrived(reader, kHeaderBytes)) return std::unexpected(*std::move(lost_));
  WASI_TRY(header(reader));
  while (!reader.at_end()) WASI_TRY(section(reader));
  return check_counts();
}

bool ModuleDecoder::await(std::uint64_t begin, std::uint64_t end) {
  auto arrived = arrival_(static_cast<std::size_t>(begin), static_cast<std::size_t>(end));
  if (arrived) {
    arrived_ = *arrived;
  } else {
    lost_ = std::move(arrived).error();
  }
  return arrived.has_value();
}

Result<void> ModuleDecoder::header(Reader& reader) {
  if (module_.bytes.data.empty()) {
    return fail_at(0, ErrorKind::malformed, "unexpected end: the file is empty, expected a WebAssembly module");
  }
  const std::string_view foreign = foreign_format(module_.bytes.data);
  if (!foreign.empty()) return fail_at(0, ErrorKind::malformed, "magic header not detected: this is {}", foreign);
  const std::span<const std::uint8_t> magic = reader.bytes(kMagic.size(), "magic header");
  if (!reader.ok()) return std::unexpected(reader.take_error());
  if (!std::ranges::equal(magic, kMagic)) {
    return fail_at(0, ErrorKind::malformed, "magic header not detected: expected the bytes 00 61 73 6d (\"\\0asm\")");
  }
  const std::uint64_t offset = reader.offset();
  const std::uint32_t version = reader.fixed32("version");
  if (!reader.ok()) return std::unexpected(reader.take_error());
  if (version == kComponentVersion) {
    return fail_at(offset, ErrorKind::malformed, "unknown binary version: this is {}", kComponentAdvice);
  }
  if (version != kModuleVersion) {
    return fail_at(offset, ErrorKind::malformed, "unknown binary version: found {:#x}, expected {:#x}", version,
                   kModuleVersion);
  }
  return {};
}

Result<void> ModuleDecoder::section(Reader& reader) {
  const std::uint64_t offset = reader.offset();
  if (!has_arrived(reader, 1 + kLongestNumber)) return std::unexpected(*std::move(lost_));
  const std::uint8_t id = reader.u8("section id");
  if (id >= kSectionIds) {
    return fail_at(offset, ErrorKind::malformed, "malformed section id: found {}, expected at most {}", id,
                   kSectionIds - 1);
  }
  const std::uint64_t size_offset = reader.offset();
  const std::uint32_t size = reader.u32("section size");
  if (!reader.ok()) return std::unexpected(reader.take_error());
  if (size > reader.remaining()) {
    return fail_at(size_offset, ErrorKind::malformed,
                   "length out of bounds: the {} section claims {} bytes, but only {} are left", section_name(id), size,
                   reader.remaining());
  }
  WASI_TRY(check_order(id, offset));

  const std::uint64_t start = reader.offset();
  // Where much is passed over, the section asks itself.
  const bool asks = id == kCode || id == kData || id == kCustom;
  if (!asks && !has_arrived(reader, size)) return std::unexpected(*std::move(lost_));
  Reader inner(reader.bytes(size, "section"), start);
  module_.sections.push_back({id, {}, {static_cast<std::uint32_t>(start), size}});
  contents(id, inner);
  if (lost_) return std::unexpected(*std::move(lost_));
  if (!inner.ok()) return std::unexpected(inner.take_error());
  if (!inner.at_end()) {
    return fail_at(inner.offset(), ErrorKind::malformed,
                   "section size mismatch: the {} section claims {} bytes, its contents end after {}", section_name(id),
                   size, inner.offset() - start);
  }
  return {};
}

Result<void> ModuleDecoder::check_order(std::uint8_t id, std::uint64_t offset) {
  if (id == kCustom) return {};
  const int rank = kSections[id].rank;
  if (rank <= last_rank_) {
    return fail_at(offset, ErrorKind::malformed,
                   "unexpected content after last section: a {} section may not stand behind the {} section",
                   section_name(id), section_name(last_id_));
  }
  last_rank_ = rank;
  last_id_ = id;
  return {};
}

// The module has ended: what its sections counted must agree. A section that never came counts nothing.
Result<void> ModuleDecoder::check_counts() const {
  const auto offset_of = [&](SectionId id) -> std::uint64_t {
    const auto it = std::ranges::find(module_.sections, id, &wasm::Section::id);
    return it == module_.sections.end() ? module_.bytes.data.size() : it->payload.offset;
  };
  const std::size_t declared = module_.functions.size() - module_.imported_functions;
  if (declared != module_.bodies.size()) {
    return fail_at(offset_of(kCode), ErrorKind::malformed,
                   "function and code section have inconsistent lengths: {} functions are declared, {} have a body",
                   declared, module_.bodies.size());
  }
  if (module_.data_count && *module_.data_count != module_.data_segments()) {
    return fail_at(offset_of(kData), ErrorKind::malformed,
                   "data count and data section have inconsistent lengths: {} segments are counted, {} are given",
                   *module_.data_count, module_.data_segments());
  }
  return {};
}

void ModuleDecoder::contents(std::uint8_t id, Reader& reader) {
  switch (id) {
    case kCustom:
      return custom_section(reader);
    case kType:
      return type_section(reader);
    case kImport:
      return import_section(reader);
    case kFunction:
      return function_section(reader);
    case kTable:
      return table_section(reader);
    case kMemory:
      return memory_section(reader);
    case kGlobal:
      return global_section(reader);
    case kExport:
      return export_section(reader);
    case kStart:
      return start_section(reader);
    case kElement:
      return element_section(reader);
    case kCode:
      return code_section(reader);
    case kData:
      return data_section(reader);
    case kDataCount:
      return data_count_section(reader);
    case kTag:
      return tag_section(reader);
  }
}

void ModuleDecoder::custom_section(Reader& reader) {
  if (!has_arrived(reader, kLongestNumber)) return;
  const std::uint32_t length = Reader({reader.position(), reader.end()}, reader.offset()).u32("length");
  if (!has_arrived(reader, kLongestNumber + length)) return;
  const std::string_view name = reader.name("name of a custom section");
  const std::uint64_t start = reader.offset();
  reader.skip(reader.remaining(), "custom section");
  const wasm::ByteRange payload = range_from(start, reader);
  module_.sections.back().name = name;
  module_.custom_sections.push_back({name, payload});
}

void ModuleDecoder::code_section(Reader& reader) {
  if (!has_arrived(reader, kLongestNumber)) return;
  const std::uint32_t count = read_count(reader, "number of function bodies");
  if (known_.bodies && known_.bodies->size() == count) {
    module_.bodies = *std::move(known_.bodies);
    return reader.skip(reader.remaining(), "function bodies");
  }
  reserve(module_.bodies, count, reader, 1);
  for (std::uint32_t i = 0; i < count && reader.ok(); ++i) {
    if (!has_arrived(reader, kLongestNumber)) return;
    const std::uint32_t size = reader.u32("size of a function body");
    const auto start = static_cast<std::uint32_t>(reader.offset());
    reader.skip(size, "function body");
    module_.bodies.push_back({start, size});
  }
}

}  // namespace detail

Result<std::shared_ptr<wasm::Module>> decode_module(wasm::ModuleBytes bytes,
                                                    std::shared_ptr<wasm::TypeRegistry> registry,
                                                    const Arrival& arrival, Known known) {
  auto module = std::make_shared<wasm::Module>();
  module->bytes = std::move(bytes);
  module->registry = std::move(registry);
  module->features.add(wasm::Feature::mvp);
  WASI_TRY(detail::ModuleDecoder(*module, arrival, std::move(known)).run());
  return module;
}

std::string_view section_name(std::uint8_t id) {
  return id < std::size(detail::kSections) ? detail::kSections[id].name : "unknown";
}

namespace {

struct ForeignFormat {
  std::size_t offset;
  std::string_view magic;
  std::string_view what;
};
using namespace std::string_view_literals;
constexpr std::string_view kUnpack = "a compressed file: unpack it first";
constexpr std::string_view kNative =
    "a native executable or library: run it as it is, or build it for wasm32-wasip1 to run it here";
constexpr std::string_view kObject = "an archive of object files: link it to a module first";
constexpr std::string_view kPage =
    "a web page, as servers send instead of what is not there: look at it, and download anew";
constexpr ForeignFormat kForeign[] = {
    {0, "\x1f\x8b"sv, "a gzip file: unpack it first, by gunzip"},
    {0, "PK\x03\x04"sv, "a zip archive: unpack it first, by unzip"},
    {0, "PK\x05\x06"sv, "an empty zip archive"},
    {0, "\x28\xb5\x2f\xfd"sv, "a zstd file: unpack it first, by unzstd"},
    {0,
     "\xfd"
     "7zXZ"sv,
     "an xz file: unpack it first, by unxz"},
    {0, "BZh"sv, "a bzip2 file: unpack it first, by bunzip2"},
    {0, "7z\xbc\xaf\x27\x1c"sv, kUnpack},
    {257, "ustar"sv, "a tar archive: unpack it first, by tar -x"},
    {0,
     "\x7f"
     "ELF"sv,
     kNative},
    {0, "MZ"sv, kNative},
    {0, "\xcf\xfa\xed\xfe"sv, kNative},
    {0, "\xca\xfe\xba\xbe"sv, kNative},
    {0, "!<arch>\n"sv, kObject},
    {0, "BC\xc0\xde"sv, "LLVM bitcode: compile it to a module first, with clang --target=wasm32-wasip1"},
    {0, "#!"sv, "a script: run it by its interpreter"},
    {0, "%PDF-"sv, "a PDF document"},
    {0, "\x89PNG"sv, "a PNG image"},
    {0, "\xef\xbb\xbf"sv, "a text with a byte order mark: save it as UTF-8 without one"},
    {0, "\xff\xfe"sv, "a text in UTF-16: save it as UTF-8"},
    {0, "\xfe\xff"sv, "a text in UTF-16: save it as UTF-8"},
};
// Of texts, behind white space, in any case.
constexpr ForeignFormat kForeignText[] = {
    {0, "<!doctype"sv, kPage},
    {0, "<html"sv, kPage},
    {0, "<?xml"sv, "an XML document"},
    {0, "{"sv, "JSON, or something like it: give the module that it is about"},
    {0, "["sv, "JSON, TOML or something like it: give the module that it is about"},
    {0, "version https://git-lfs"sv, "a pointer of Git LFS: fetch the file itself, by git lfs pull"},
};

bool is_space(std::uint8_t byte) { return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r'; }

bool begins_like(std::span<const std::uint8_t> bytes, std::string_view magic, bool ignores_case) {
  return bytes.size() >= magic.size() && std::ranges::equal(bytes.first(magic.size()), magic, [&](auto byte, char c) {
           const bool is_upper = ignores_case && byte >= 'A' && byte <= 'Z';
           return static_cast<std::uint8_t>(is_upper ? byte - 'A' + 'a' : byte) == static_cast<std::uint8_t>(c);
         });
}

}  // namespace

std::string_view foreign_format(std::span<const std::uint8_t> bytes) {
  // Nearly all are modules.
  if (begins_like(bytes, {"\0asm", 4}, false)) return {};
  for (const ForeignFormat& format : kForeign) {
    if (bytes.size() > format.offset && begins_like(bytes.subspan(format.offset), format.magic, false)) {
      return format.what;
    }
  }
  const auto text = std::ranges::find_if_not(bytes, is_space);
  for (const ForeignFormat& format : kForeignText) {
    if (begins_like({text, bytes.end()}, format.magic, true)) return format.what;
  }
  return {};
}

FileKind kind_of(std::span<const std::uint8_t> bytes) {
  if (bytes.empty()) return FileKind::empty;
  base::ByteReader reader(bytes, 0, "file");
  if (bytes.size() >= kHeaderBytes && std::ranges::equal(bytes.first(4), format::kMagic)) {
    reader.skip(4, "magic header");
    const std::uint32_t version = reader.fixed32("version");
    if (version == format::kModuleVersion) return FileKind::module;
    return version == format::kComponentVersion ? FileKind::component : FileKind::unknown;
  }
  // One of them begins with a parenthesis.
  if (!foreign_format(bytes).empty()) return FileKind::unknown;
  // Text: white space and comments, then a parenthesis; a comment alone is enough to tell. White space alone is one
  // too.
  std::size_t i = 0;
  while (i < bytes.size() && is_space(bytes[i])) ++i;
  if (i == bytes.size() || bytes[i] == '(') return FileKind::text;
  if (i + 1 < bytes.size() && bytes[i] == ';' && bytes[i + 1] == ';') return FileKind::text;
  return FileKind::unknown;
}

}  // namespace wasi::binary
