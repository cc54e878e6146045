#include "binary/memory_image.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

#include "base/byte_reader.h"
#include "wasm/opcodes.h"

namespace wasi::binary {

namespace {

using wasm::MemoryImage;

// What pays. A segment costs about as much as so many bytes of it, and an image as many system calls as it has runs.
constexpr std::uint64_t kSegmentWorth = 256;
constexpr std::uint64_t kLeastWorth = 256U << 10;
constexpr std::uint64_t kBridgedGap = 64U << 10;  // pages without content that lie in a run nonetheless
constexpr std::uint64_t kMostEmpty = 1U << 20;    // bytes of the image beyond twice those of the segments
constexpr std::size_t kMostRuns = 64;

// Only in pages of the usual size is every host's page within one of the guest's.
bool can_be_imaged(const wasm::Module& module, wasm::MemoryIndex memory) {
  if (memory.value < module.imported_memories || memory.value >= module.memories.size()) return false;
  const wasm::MemoryType& type = module.memories[memory.value];
  return !type.is_shared && type.page_log2 == wasm::kPageLog2;
}

// What all of the memory has; more than any image reaches to where it is more than can be counted.
std::uint64_t least_bytes(const wasm::MemoryType& type) {
  constexpr std::uint64_t kMost = UINT64_MAX >> wasm::kPageLog2;
  return std::min(type.limits.min, kMost) << wasm::kPageLog2;
}

// "i32.const N end" or "i64.const N end", as an address.
std::optional<std::uint64_t> constant(const wasm::Module& module, wasm::ConstExpr expression) {
  base::ByteReader reader(module.view(expression), expression.offset, "expression");
  const std::uint8_t op = reader.u8("instruction");
  std::uint64_t value = 0;
  if (op == wasm::info(wasm::Op::i32_const).code) {
    value = static_cast<std::uint32_t>(reader.s32("constant"));
  } else if (op == wasm::info(wasm::Op::i64_const).code) {
    value = static_cast<std::uint64_t>(reader.s64("constant"));
  } else {
    return std::nullopt;
  }
  if (reader.u8("instruction") != wasm::info(wasm::Op::end).code || !reader.ok() || !reader.at_end()) {
    return std::nullopt;
  }
  return value;
}

// They are written before data is: where they trap, no data is.
bool elements_may_trap(const wasm::Module& module) {
  return std::ranges::any_of(module.elements, [&](const wasm::ElementSegment& segment) {
    if (segment.mode != wasm::SegmentMode::active) return false;
    if (segment.table.value < module.imported_tables) return true;
    const std::uint64_t size = module.tables[segment.table.value].type.limits.min;
    const auto offset = constant(module, segment.offset);
    return !offset || *offset > size || segment.size() > size - *offset;
  });
}

struct Placed {
  std::uint64_t address = 0;
  std::span<const std::uint8_t> bytes;
};

// The first segments, as far as it is certain what they do, one each. Empty passive ones, which tools leave where they
// have made others of one, do as much as dropped ones.
std::vector<Placed> certain_segments(const wasm::Module& module, wasm::MemoryIndex memory) {
  const std::uint64_t size = least_bytes(module.memories[memory.value]);
  std::vector<Placed> placed;
  for (const wasm::DataSegment& segment : module.data) {
    if (segment.mode == wasm::SegmentMode::passive && segment.bytes.size == 0) {
      placed.push_back({});
      continue;
    }
    if (segment.mode != wasm::SegmentMode::active || segment.memory != memory) break;
    const auto address = constant(module, segment.offset);
    if (!address || *address > size || segment.bytes.size > size - *address) break;
    placed.push_back({*address, module.view(segment.bytes)});
  }
  return placed;
}

struct Pages {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

std::vector<Pages> pages_of(std::span<const Placed> segments) {
  std::vector<Pages> each;
  for (const Placed& segment : segments) {
    if (segment.bytes.empty()) continue;
    const std::uint64_t end = segment.address + segment.bytes.size();
    each.push_back({segment.address / MemoryImage::kPage * MemoryImage::kPage,
                    (end + MemoryImage::kPage - 1) / MemoryImage::kPage * MemoryImage::kPage});
  }
  std::ranges::sort(each, {}, &Pages::begin);
  std::vector<Pages> runs;
  for (const Pages& pages : each) {
    if (runs.empty() || pages.begin > runs.back().end + kBridgedGap) {
      runs.push_back(pages);
    } else {
      runs.back().end = std::max(runs.back().end, pages.end);
    }
  }
  return runs;
}

bool pays(std::span<const Placed> segments, std::span<const Pages> runs) {
  std::uint64_t written = 0;
  for (const Placed& segment : segments) written += segment.bytes.size();
  std::uint64_t imaged = 0;
  for (const Pages& run : runs) imaged += run.end - run.begin;
  return !runs.empty() && runs.size() <= kMostRuns && written + segments.size() * kSegmentWorth >= kLeastWorth &&
         imaged <= 2 * written + kMostEmpty;
}

}  // namespace

std::shared_ptr<const MemoryImage> make_memory_image(const wasm::Module& module) {
  if (module.memory_image != nullptr) return module.memory_image;
  const auto active = std::ranges::find(module.data, wasm::SegmentMode::active, &wasm::DataSegment::mode);
  if (active == module.data.end()) return nullptr;
  const wasm::MemoryIndex memory = active->memory;
  if (!can_be_imaged(module, memory) || elements_may_trap(module)) return nullptr;
  const std::vector<Placed> segments = certain_segments(module, memory);
  const std::vector<Pages> runs = pages_of(segments);
  if (!pays(segments, runs)) return nullptr;

  auto image = std::make_shared<MemoryImage>();
  image->memory = memory;
  image->segments = static_cast<std::uint32_t>(segments.size());
  const wasm::ByteRange last = module.data[segments.size() - 1].bytes;
  image->data_end = last.offset + last.size;
  std::uint64_t size = 0;
  for (const Pages& run : runs) size += run.end - run.begin;
  auto content = std::make_shared<std::vector<std::uint8_t>>(static_cast<std::size_t>(size));
  std::size_t at = 0;
  for (const Pages& run : runs) {
    const auto bytes = static_cast<std::size_t>(run.end - run.begin);
    image->runs.push_back({.address = run.begin, .bytes = std::span(*content).subspan(at, bytes)});
    at += bytes;
  }
  // In their order: of those that overlap, the later one stays.
  for (const Placed& segment : segments) {
    if (segment.bytes.empty()) continue;
    const auto run = std::prev(std::ranges::upper_bound(runs, segment.address, {}, &Pages::begin));
    const auto& target = image->runs[static_cast<std::size_t>(run - runs.begin())].bytes;
    const std::size_t begin = static_cast<std::size_t>(target.data() - content->data());
    std::memcpy(content->data() + begin + (segment.address - run->begin), segment.bytes.data(), segment.bytes.size());
  }
  image->owner = std::move(content);
  return image;
}

bool fits(const MemoryImage& image, const wasm::Module& module) {
  if (!can_be_imaged(module, image.memory)) return false;
  const std::uint64_t size = least_bytes(module.memories[image.memory.value]);
  return std::ranges::all_of(image.runs, [&](const MemoryImage::Run& run) {
    return run.address <= size && run.bytes.size() <= size - run.address;
  });
}

}  // namespace wasi::binary
