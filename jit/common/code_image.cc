#include "jit/common/code_image.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/checksum.h"
#include "base/guard.h"
#include "base/printable.h"
#include "base/result.h"
#include "jit/common/code_image_format.h"

namespace wasi::jit {

namespace {

template <class Record>
Record record_at(std::span<const std::uint8_t> bytes, std::size_t index = 0) {
  Record record;
  std::memcpy(&record, bytes.data() + index * sizeof(Record), sizeof(Record));
  return record;
}

// Bytes [offset, offset + size) of `bytes`; empty optional where they have not so many.
std::optional<std::span<const std::uint8_t>> slice(std::span<const std::uint8_t> bytes, std::uint64_t offset,
                                                   std::uint64_t size) {
  if (offset > bytes.size() || size > bytes.size() - offset) return std::nullopt;
  return bytes.subspan(static_cast<std::size_t>(offset), static_cast<std::size_t>(size));
}

template <class Record>
std::optional<std::span<const std::uint8_t>> records(std::span<const std::uint8_t> bytes, std::uint64_t offset,
                                                     std::uint32_t count) {
  return slice(bytes, offset, std::uint64_t{count} * sizeof(Record));
}

std::size_t blocks_of(std::span<const std::uint8_t> bytes) {
  return (bytes.size() + image::kBlock - 1) / image::kBlock;
}

std::unexpected<Error> damaged(std::string_view what) {
  return fail(ErrorKind::malformed, "the compiled module is damaged: {}", what);
}

bool read_parts(FunctionImage& function, const image::Function& record, std::span<const std::uint8_t> details) {
  const auto parts = records<image::Part>(details, record.parts_offset, record.part_count);
  if (!parts) return false;
  function.parts.reserve(record.part_count);
  std::uint32_t covered = 0;
  for (std::uint32_t i = 0; i < record.part_count; ++i) {
    const auto part = record_at<image::Part>(*parts, i);
    const auto marks = slice(details, part.tables_offset, part.marks_bytes);
    const auto traps = slice(details, std::uint64_t{part.tables_offset} + part.marks_bytes, part.traps_bytes);
    if (part.begin != covered || part.end <= part.begin || !marks || !traps) return false;
    covered = part.end;
    function.parts.push_back(
        {.begin = part.begin, .end = part.end, .frame_bytes = part.frame_bytes, .marks = *marks, .traps = *traps});
  }
  return covered == record.size;
}

bool read_loops(FunctionImage& function, const image::Function& record, std::span<const std::uint8_t> details) {
  if (record.loop_stub == image::kNone) return record.loop_count == 0;
  const auto loops = records<image::Loop>(details, record.loops_offset, record.loop_count);
  if (!loops || record.loop_stub >= record.size) return false;
  function.loop_stub = record.loop_stub;
  function.loop_heads.reserve(record.loop_count);
  for (std::uint32_t i = 0; i < record.loop_count; ++i) {
    const auto loop = record_at<image::Loop>(*loops, i);
    if (loop.code_offset >= record.size) return false;
    function.loop_heads.push_back({loop.wasm_offset, loop.code_offset});
  }
  return true;
}

bool read_inlined_calls(FunctionImage& function, const image::Function& record, std::span<const std::uint8_t> details) {
  const auto calls = records<image::InlinedCall>(details, record.inlined_offset, record.inlined_count);
  if (!calls) return false;
  function.inlined_calls.reserve(record.inlined_count);
  for (std::uint32_t i = 0; i < record.inlined_count; ++i) {
    const auto call = record_at<image::InlinedCall>(*calls, i);
    // Whoever goes from one to the next comes to an end.
    const auto within = runtime::inlined_call_of(call.caller);
    if (call.caller != runtime::InlinedCall::kNoCaller && within && *within >= i) return false;
    function.inlined_calls.push_back({call.caller, call.function});
  }
  return true;
}

bool read_functions(UnitImage& unit, std::span<const std::uint8_t> details) {
  if (details.size() < sizeof(std::uint32_t)) return false;
  const auto count = record_at<std::uint32_t>(details);
  const auto functions = records<image::Function>(details, sizeof(std::uint32_t), count);
  if (!functions || count == 0) return false;
  unit.functions.reserve(count);
  std::uint64_t covered = 0;
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto record = record_at<image::Function>(*functions, i);
    if (record.begin < covered || !slice(unit.code, record.begin, record.size) || record.entry >= record.size) {
      return false;
    }
    covered = std::uint64_t{record.begin} + record.size;
    FunctionImage function{.function = record.function,
                           .begin = record.begin,
                           .size = record.size,
                           .entry = record.entry,
                           .frame_bytes = record.frame_bytes,
                           .frame_slots = record.frame_slots,
                           .saved = record.saved,
                           .context_at = record.context_at,
                           .catches = record.catches != 0,
                           .faults_anywhere = record.faults_anywhere != 0,
                           .is_optimised = record.is_optimised != 0};
    if (!read_parts(function, record, details) || !read_loops(function, record, details) ||
        !read_inlined_calls(function, record, details)) {
      return false;
    }
    unit.functions.push_back(std::move(function));
  }
  return true;
}

}  // namespace

bool CodeImage::is_image(std::span<const std::uint8_t> bytes) {
  return bytes.size() >= image::kMagic.size() && std::ranges::equal(bytes.first(image::kMagic.size()), image::kMagic);
}

Result<std::shared_ptr<const CodeImage>> CodeImage::open(const std::string& path, std::string_view build,
                                                         std::uint64_t offset, std::optional<std::uint64_t> size) {
  return open(WASI_TRY(os::open_regular(path)), path, build, offset, size);
}

Result<std::shared_ptr<const CodeImage>> CodeImage::open(const os::RegularFile& file, const std::string& path,
                                                         std::string_view build, std::uint64_t offset,
                                                         std::optional<std::uint64_t> size, Soundness soundness) {
  return guarded([&]() -> Result<std::shared_ptr<const CodeImage>> {
    const std::uint64_t left = file.size - std::min(offset, file.size);
    const std::uint64_t bytes = size.value_or(left);
    if (bytes == 0 || bytes > left) {
      return fail(ErrorKind::malformed, "cannot use {} as a compiled module: it was cut off", path);
    }
    const std::shared_ptr<CodeImage> image(new CodeImage);
    image->soundness_ = soundness;
    image->mapping_ = WASI_TRY(os::FileMapping::map(file.fd.get(), offset, bytes, os::MappedFor::reading));
    image->bytes_ = image->mapping_.bytes();
    if (auto parsed = image->parse(build); !parsed) {
      parsed.error().message = "cannot use " + path + ": " + parsed.error().message;
      return std::unexpected(std::move(parsed).error());
    }
    if (!image->memory_.runs.empty()) {
      // Where there is no descriptor to be had, pages are copied.
      image->file_ = os::UniqueFd(::fcntl(file.fd.get(), F_DUPFD_CLOEXEC, 0));
      image->memory_.file = image->file_.get();
      for (wasm::MemoryImage::Run& run : image->memory_.runs) run.file_offset += offset;
    }
    if (!image->code_.empty()) {
      // Where it is refused, units are copied.
      auto executable = os::FileMapping::map(file.fd.get(), offset + image->code_offset_, image->code_.size(),
                                             os::MappedFor::executing);
      if (executable) image->executable_ = *std::move(executable);
    }
    return image;
  });
}

Result<std::shared_ptr<const CodeImage>> CodeImage::read(std::span<const std::uint8_t> bytes,
                                                         std::shared_ptr<const void> owner, std::string_view build) {
  return guarded([&]() -> Result<std::shared_ptr<const CodeImage>> {
    const std::shared_ptr<CodeImage> image(new CodeImage);
    image->bytes_ = bytes;
    image->owner_ = std::move(owner);
    WASI_TRY(image->parse(build));
    return image;
  });
}

Result<void> CodeImage::parse(std::string_view build) {
  if (!is_image(bytes_)) return fail(ErrorKind::malformed, "this is no compiled module");
  if (bytes_.size() < sizeof(image::Header)) return damaged("it was cut off in its header");
  auto header = record_at<image::Header>(bytes_);
  header.build.back() = '\0';
  if (header.version != image::kVersion || build != header.build.data()) {
    return fail(ErrorKind::unsupported,
                "the module was compiled by another build of wasirun ({}, format {}), this is {}, format {}; compile "
                "it anew",
                printable(header.build.data()), header.version, build, image::kVersion);
  }
  if (header.file_bytes != bytes_.size()) {
    return fail(ErrorKind::malformed, "the compiled module was cut off or is damaged: it has {} bytes, expected {}",
                bytes_.size(), header.file_bytes);
  }
  // What the checksum is of must be there.
  if (header.details.offset < sizeof(image::Header) || header.details.offset > bytes_.size()) return damaged("header");
  const std::uint64_t expected = std::exchange(header.checksum, 0);
  std::array<std::uint8_t, sizeof(image::Header)> own{};
  header.build = record_at<image::Header>(bytes_).build;
  std::memcpy(own.data(), &header, sizeof(header));
  const auto index = bytes_.first(static_cast<std::size_t>(header.details.offset)).subspan(sizeof(header));
  if (base::checksum({own, index}) != expected) return damaged("its index has another checksum");

  std::span<const std::uint8_t> checksums;
  std::span<const std::uint8_t> runs;
  const std::pair<const image::Section*, std::span<const std::uint8_t>*> sections[] = {
      {&header.bodies, &bodies_},   {&header.checksums, &checksums},
      {&header.units, &units_},     {&header.unit_numbers, &unit_numbers_},
      {&header.memory_runs, &runs}, {&header.details, &details_},
      {&header.module, &module_},   {&header.memory_pages, &memory_pages_},
      {&header.code, &code_}};
  for (const auto& [section, place] : sections) {
    const auto found = slice(bytes_, section->offset, section->size);
    if (!found) return damaged("a section lies outside of it");
    *place = *found;
  }
  body_count_ = bodies_.size() / sizeof(image::Body);
  unit_count_ = units_.size() / sizeof(image::Unit);
  const std::size_t of_module = blocks_of(module_) * sizeof(std::uint64_t);
  if (checksums.size() != of_module + blocks_of(memory_pages_) * sizeof(std::uint64_t) ||
      header.memory_pages.offset % image::kPage != 0 || unit_numbers_.size() != body_count_ * sizeof(std::uint32_t) ||
      header.code.offset % image::kPage != 0 || header.checks >= runtime::kBoundsCheckModes) {
    return damaged("its sections do not fit together");
  }
  for (std::size_t i = 0; i < body_count_; ++i) {
    const auto body = record_at<image::Body>(bodies_, i);
    if (!slice(module_, body.offset, body.size)) return damaged("a function's body lies outside of its module");
  }
  std::uint64_t covered = 0;
  for (std::size_t i = 0; i < unit_count_; ++i) {
    const auto unit = record_at<image::Unit>(units_, i);
    if (unit.code_offset < covered || !slice(code_, unit.code_offset, unit.code_bytes)) {
      return damaged("the code of functions overlaps, or lies outside of it");
    }
    covered = unit.code_offset + unit.code_bytes;
  }
  module_blocks_.set("its module", module_, checksums.first(of_module), Soundness::unknown);
  memory_blocks_.set("its memory", memory_pages_, checksums.subspan(of_module), soundness_);
  memory_.memory = wasm::MemoryIndex(header.memory);
  memory_.segments = header.memory_segments;
  memory_.data_end = header.memory_data_end;
  WASI_TRY(parse_memory(runs, header.memory_pages.offset));
  code_offset_ = header.code.offset;
  target_ = {.cpu = header.cpu,
             .checks = static_cast<runtime::BoundsChecks>(header.checks),
             .charges_fuel = header.charges_fuel != 0,
             .strict = header.strict != 0};
  features_ = wasm::FeatureSet::of_bits(header.features);
  return {};
}

// One behind the other, in the file and in the memory. How far the memory reaches, the module says.
Result<void> CodeImage::parse_memory(std::span<const std::uint8_t> runs, std::uint64_t file_offset) {
  std::uint64_t at = 0;
  std::uint64_t covered = 0;
  for (std::size_t i = 0; i < runs.size() / sizeof(image::Run); ++i) {
    const auto run = record_at<image::Run>(runs, i);
    const auto bytes = slice(memory_pages_, at, run.bytes);
    if (!bytes || run.bytes == 0 || run.bytes % image::kPage != 0 || run.address % image::kPage != 0 ||
        run.address < covered || run.address > UINT64_MAX - run.bytes) {
      return damaged("the pages of its memory do not fit together");
    }
    memory_.runs.push_back({.address = run.address, .bytes = *bytes, .file_offset = file_offset + at});
    at += run.bytes;
    covered = run.address + run.bytes;
  }
  if (at != memory_pages_.size()) return damaged("the pages of its memory do not fit together");
  return {};
}

std::vector<wasm::FunctionBody> CodeImage::bodies() const {
  std::vector<wasm::FunctionBody> bodies(body_count_);
  for (std::size_t i = 0; i < body_count_; ++i) {
    const auto body = record_at<image::Body>(bodies_, i);
    bodies[i] = {body.offset, body.size};
  }
  return bodies;
}

std::shared_ptr<const wasm::MemoryImage> CodeImage::memory_of(const std::shared_ptr<const CodeImage>& self) {
  if (self->memory_.runs.empty()) return nullptr;
  auto memory = std::make_shared<wasm::MemoryImage>(self->memory_);
  memory->late = std::shared_ptr<const wasm::LateBytes>(self, &self->memory_blocks_);
  memory->owner = self;
  return memory;
}

void CodeImage::Blocks::set(std::string_view name, std::span<const std::uint8_t> bytes,
                            std::span<const std::uint8_t> checksums, Soundness soundness) {
  name_ = name;
  soundness_ = soundness;
  bytes_ = bytes;
  checksums_ = checksums;
  if (soundness == Soundness::unknown) checked_ = std::vector<std::atomic<bool>>(blocks_of(bytes));
}

Result<void> CodeImage::Blocks::check(std::size_t begin, std::size_t end) const {
  if (soundness_ == Soundness::known) return {};
  end = std::min(end, bytes_.size());
  for (std::size_t block = begin / image::kBlock; begin < end && block <= (end - 1) / image::kBlock; ++block) {
    if (checked_[block].load(std::memory_order_acquire)) continue;
    const std::size_t at = block * image::kBlock;
    const auto bytes = bytes_.subspan(at, std::min(image::kBlock, bytes_.size() - at));
    if (base::checksum(bytes) != record_at<std::uint64_t>(checksums_, block)) {
      return damaged(fmt::format("{} has another checksum", name_));
    }
    checked_[block].store(true, std::memory_order_release);
  }
  return {};
}

std::optional<std::uint32_t> CodeImage::unit_of(std::size_t defined) const {
  if (defined >= body_count_) return std::nullopt;
  const auto number = record_at<std::uint32_t>(unit_numbers_, defined);
  return number < unit_count_ ? std::optional(number) : std::nullopt;
}

namespace {

// Into the processor's caches, all at once, instead of line by line when it runs: what a look at the checksum does,
// too. Of a long function only so much, since seldom all of it runs.
void bring_near(std::span<const std::uint8_t> code) {
  constexpr std::size_t kMost = 8U << 10;
  constexpr std::size_t kLine = 64;
  code = code.first(std::min(code.size(), kMost));
  // A page that is not mapped yet is not brought.
  for (std::size_t at = 0; at < code.size(); at += image::kPage) {
    static_cast<void>(*static_cast<const volatile std::uint8_t*>(code.data() + at));
  }
  for (std::size_t at = 0; at < code.size(); at += kLine) __builtin_prefetch(code.data() + at, 0, 2);
}

}  // namespace

Result<CodeImage::UnitBytes> CodeImage::unit_bytes(std::uint32_t number) const {
  const auto record = record_at<image::Unit>(units_, number);
  const auto details = slice(details_, record.details_offset, record.details_bytes);
  // Where it can be executed, so that its pages are mapped once, for the checksum and for running.
  const auto code =
      slice(executable_.bytes().empty() ? code_ : executable_.bytes(), record.code_offset, record.code_bytes);
  const auto is_sound = [&] {
    return soundness_ == Soundness::known || base::checksum({*details, *code}) == record.checksum;
  };
  if (!details || !code || !is_sound()) return damaged("the code of a function has another checksum");
  return UnitBytes{*details, *code};
}

Result<UnitImage> CodeImage::unit(std::uint32_t number) const {
  return guarded([&]() -> Result<UnitImage> {
    const UnitBytes bytes = WASI_TRY(unit_bytes(number));
    UnitImage unit;
    unit.is_executable = !executable_.bytes().empty();
    unit.code = bytes.code;
    if (soundness_ == Soundness::known) bring_near(unit.code);
    if (!read_functions(unit, bytes.details)) return damaged("what it says of the code of a function");
    return unit;
  });
}

Result<void> CodeImage::check() const {
  WASI_TRY(memory_blocks_.check(0, memory_pages_.size()));
  for (std::uint32_t number = 0; number < unit_count_; ++number) WASI_TRY(unit_bytes(number));
  return {};
}

}  // namespace wasi::jit
