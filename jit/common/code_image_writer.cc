// Writes what code_image.cc reads.
#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "base/checksum.h"
#include "binary/memory_image.h"
#include "jit/common/code_arena.h"
#include "jit/common/code_image.h"
#include "jit/common/code_image_format.h"
#include "os/code_memory.h"

namespace wasi::jit {

namespace {

using Bytes = std::vector<std::uint8_t>;

template <class Record>
void append_record(Bytes& bytes, const Record& record) {
  const auto* const begin = reinterpret_cast<const std::uint8_t*>(&record);
  bytes.insert(bytes.end(), begin, begin + sizeof(Record));
}

template <class Record>
void append_all(Bytes& bytes, const std::vector<Record>& list) {
  for (const Record& record : list) append_record(bytes, record);
}

std::size_t rounded(std::size_t size, std::size_t unit) { return (size + unit - 1) / unit * unit; }
std::uint64_t blocks_of(std::uint64_t size) { return rounded(size, image::kBlock) / image::kBlock; }

template <class T>
std::uint32_t size32(const T& range) {
  WASI_CHECK(range.size() <= UINT32_MAX);
  return static_cast<std::uint32_t>(range.size());
}

// The functions' records stand in front, so what they point to is laid out first.
Bytes details_of(const UnitImage& unit) {
  const std::size_t in_front = sizeof(std::uint32_t) + unit.functions.size() * sizeof(image::Function);
  Bytes behind;
  const auto place = [&] { return static_cast<std::uint32_t>(in_front + behind.size()); };
  Bytes details;
  append_record(details, size32(unit.functions));
  for (const FunctionImage& function : unit.functions) {
    image::Function record{.function = function.function,
                           .begin = function.begin,
                           .size = function.size,
                           .entry = function.entry,
                           .frame_bytes = function.frame_bytes,
                           .frame_slots = function.frame_slots,
                           .loop_stub = function.loop_stub.value_or(image::kNone),
                           .saved = function.saved,
                           .catches = function.catches,
                           .faults_anywhere = function.faults_anywhere,
                           .is_optimised = function.is_optimised,
                           .context_at = function.context_at,
                           .loops_offset = place(),
                           .loop_count = size32(function.loop_heads)};
    for (const LoopHead& head : function.loop_heads) {
      append_record(behind, image::Loop{.wasm_offset = head.wasm_offset, .code_offset = head.code_offset});
    }
    record.inlined_offset = place();
    record.inlined_count = size32(function.inlined_calls);
    for (const InlinedCall& call : function.inlined_calls) {
      append_record(behind, image::InlinedCall{.caller = call.caller, .function = call.function});
    }
    record.part_count = size32(function.parts);
    std::vector<image::Part> parts;
    for (const PartImage& part : function.parts) {
      parts.push_back({.begin = part.begin,
                       .end = part.end,
                       .frame_bytes = part.frame_bytes,
                       .tables_offset = place(),
                       .marks_bytes = size32(part.marks),
                       .traps_bytes = size32(part.traps)});
      behind.insert(behind.end(), part.marks.begin(), part.marks.end());
      behind.insert(behind.end(), part.traps.begin(), part.traps.end());
    }
    record.parts_offset = place();
    append_all(behind, parts);
    append_record(details, record);
  }
  details.insert(details.end(), behind.begin(), behind.end());
  return details;
}

}  // namespace

std::vector<std::uint8_t> write_code_image(const ImageSource& source) {
  const wasm::Module& module = *source.module;
  const std::span<const std::uint8_t> wasm = module.bytes.data;
  Bytes details;
  std::vector<image::Unit> units;
  std::vector<std::uint32_t> unit_numbers(module.bodies.size(), image::kNone);
  std::uint64_t code_bytes = 0;
  for (const UnitImage& unit : source.units) {
    const auto number = static_cast<std::uint32_t>(units.size());
    const Bytes own = details_of(unit);
    units.push_back({.code_offset = code_bytes,
                     .details_offset = details.size(),
                     .code_bytes = size32(unit.code),
                     .details_bytes = size32(own),
                     .checksum = base::checksum({own, unit.code})});
    details.insert(details.end(), own.begin(), own.end());
    code_bytes = rounded(code_bytes + unit.code.size(), kCodeAlignment);
    for (const FunctionImage& function : unit.functions) {
      unit_numbers[function.function - module.imported_functions] = number;
    }
  }

  image::Header header{.cpu = source.target.cpu,
                       .features = source.features.bits(),
                       .checks = static_cast<std::uint8_t>(source.target.checks),
                       .charges_fuel = source.target.charges_fuel,
                       .strict = source.target.strict};
  WASI_CHECK(source.build.size() <= CodeImage::kLongestBuild);
  std::ranges::copy(source.build, header.build.begin());
  const std::shared_ptr<const wasm::MemoryImage> memory = binary::make_memory_image(module);
  std::vector<image::Run> runs;
  std::uint64_t memory_bytes = 0;
  if (memory != nullptr) {
    header.memory = memory->memory.value;
    header.memory_segments = memory->segments;
    header.memory_data_end = memory->data_end;
    for (const wasm::MemoryImage::Run& run : memory->runs) {
      runs.push_back({.address = run.address, .bytes = run.bytes.size()});
      memory_bytes += run.bytes.size();
    }
  }
  const std::uint64_t blocks = blocks_of(wasm.size()) + blocks_of(memory_bytes);
  std::uint64_t end = sizeof(header);
  const auto place = [&end](image::Section& section, std::uint64_t size, std::size_t alignment) {
    section = {rounded(end, alignment), size};
    end = section.offset + size;
  };
  place(header.bodies, module.bodies.size() * sizeof(image::Body), 8);
  place(header.checksums, blocks * sizeof(std::uint64_t), 8);
  place(header.units, units.size() * sizeof(image::Unit), 8);
  place(header.unit_numbers, unit_numbers.size() * sizeof(std::uint32_t), 8);
  place(header.memory_runs, runs.size() * sizeof(image::Run), 8);
  place(header.details, details.size(), 8);
  place(header.module, wasm.size(), image::kPage);
  place(header.memory_pages, memory_bytes, image::kPage);
  place(header.code, code_bytes, image::kPage);
  header.file_bytes = end;

  Bytes bytes(static_cast<std::size_t>(end));
  const auto write = [&bytes](std::uint64_t offset, const void* data, std::size_t size) {
    if (size != 0) std::memcpy(bytes.data() + offset, data, size);
  };
  for (std::size_t i = 0; i < module.bodies.size(); ++i) {
    const image::Body body{module.bodies[i].offset, module.bodies[i].size};
    write(header.bodies.offset + i * sizeof(body), &body, sizeof(body));
  }
  write(header.units.offset, units.data(), units.size() * sizeof(image::Unit));
  write(header.unit_numbers.offset, unit_numbers.data(), unit_numbers.size() * sizeof(std::uint32_t));
  write(header.memory_runs.offset, runs.data(), runs.size() * sizeof(image::Run));
  write(header.details.offset, details.data(), details.size());
  write(header.module.offset, wasm.data(), wasm.size());
  std::uint64_t pages_end = header.memory_pages.offset;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    write(pages_end, memory->runs[i].bytes.data(), memory->runs[i].bytes.size());
    pages_end += runs[i].bytes;
  }
  std::uint64_t sum_at = header.checksums.offset;
  for (const image::Section& section : {header.module, header.memory_pages}) {
    const auto section_bytes =
        std::span(bytes).subspan(static_cast<std::size_t>(section.offset), static_cast<std::size_t>(section.size));
    for (std::size_t at = 0; at < section_bytes.size(); at += image::kBlock) {
      const std::uint64_t sum =
          base::checksum(section_bytes.subspan(at, std::min(image::kBlock, section_bytes.size() - at)));
      write(sum_at, &sum, sizeof(sum));
      sum_at += sizeof(sum);
    }
  }
  std::memset(bytes.data() + header.code.offset, os::kTrapByte, static_cast<std::size_t>(code_bytes));
  for (std::size_t i = 0; i < units.size(); ++i) {
    write(header.code.offset + units[i].code_offset, source.units[i].code.data(), source.units[i].code.size());
  }
  write(0, &header, sizeof(header));
  header.checksum = base::checksum(std::span(bytes).first(static_cast<std::size_t>(header.details.offset)));
  write(0, &header, sizeof(header));
  return bytes;
}

}  // namespace wasi::jit
