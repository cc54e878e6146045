#include "runtime/gc_heap_blocks.h"

#include <algorithm>
#include <utility>

namespace wasi::runtime {

namespace {

constexpr std::uint64_t kAllFree = ~std::uint64_t{1};  // block 0 is the region's own

// The lowest run of `count` set bits, or 64.
std::uint32_t find_run(std::uint64_t bits, std::uint64_t count) {
  const std::uint64_t run = (std::uint64_t{1} << count) - 1;
  for (std::uint32_t at = 1; at + count <= kBlocksPerRegion; ++at) {
    if ((bits >> at & run) == run) return at;
  }
  return kBlocksPerRegion;
}

void clear_head(std::uint8_t* cell) { std::memset(cell, 0, sizeof(Object)); }

}  // namespace

// --- regions

std::size_t Blocks::table_start(std::uintptr_t base) const {
  return static_cast<std::size_t>((base / kRegionBytes) * 0x9E3779B97F4A7C15ULL >> 32) & (table_.size() - 1);
}

bool Blocks::has_region(std::uintptr_t base) const {
  if (table_.empty()) return false;
  for (std::size_t at = table_start(base); table_[at] != 0; at = (at + 1) & (table_.size() - 1)) {
    if (table_[at] == base) return true;
  }
  return false;
}

namespace {
std::size_t table_size(std::size_t regions) { return std::bit_ceil(regions * 2 + 1); }
}  // namespace

void Blocks::rebuild_table() {
  table_.assign(table_size(regions_.size()), 0);
  for (const Region* region : regions_) {
    const auto base = reinterpret_cast<std::uintptr_t>(region);
    std::size_t at = table_start(base);
    while (table_[at] != 0) at = (at + 1) & (table_.size() - 1);
    table_[at] = base;
  }
}

// Null where the host has no memory to give.
Blocks::Region* Blocks::add_region(std::uint64_t bytes) {
  // Whatever throws comes first: a region that is in one list and not in the other would be lost, or worse.
  regions_.reserve(regions_.size() + 1);
  reservations_.reserve(regions_.size() + 1);
  table_.reserve(table_size(regions_.size() + 1));
  auto reservation = os::Reservation::reserve(bytes + kRegionBytes);
  if (!reservation) return nullptr;
  const auto start = reinterpret_cast<std::uintptr_t>(reservation->base());
  const std::uintptr_t base = (start + kRegionBytes - 1) & ~(kRegionBytes - 1);
  if (!reservation->commit(base - start, bytes)) return nullptr;
  // A heap that has outgrown its first region is worth large pages: a first touch costs as much for any size.
  if (!regions_.empty()) reservation->prefer_large_pages(base - start, bytes);
  auto* region = reinterpret_cast<Region*>(base);
  region->bytes = bytes;
  region->free_blocks = kAllFree;
  regions_.push_back(region);
  reservations_.push_back(std::move(*reservation));
  reserved_ += bytes;
  rebuild_table();
  return region;
}

void Blocks::remove_region(std::size_t index) {
  reserved_ -= regions_[index]->bytes;
  std::swap(regions_[index], regions_.back());
  std::swap(reservations_[index], reservations_.back());
  regions_.pop_back();
  reservations_.pop_back();
}

// --- taking memory

Cursor Blocks::take_cells(std::uint32_t size_class) {
  std::vector<Cursor>& gaps = gaps_[size_class];
  std::vector<BlockPlace>& unswept = unswept_[size_class];
  while (gaps.empty() && !unswept.empty()) {
    // Every other cell, at most: a block that was swept in part would be handed out twice.
    gaps.reserve(kBlockBytes / cell_bytes_of(size_class) / 2 + 1);
    const BlockPlace place = unswept.back();
    unswept.pop_back();
    sweep(place, &gaps);
  }
  if (gaps.empty()) return take_block(size_class);
  const Cursor gap = gaps.back();
  gaps.pop_back();
  return gap;
}

Cursor Blocks::take_block(std::uint32_t size_class) {
  if (!is_allowed(kBlockBytes)) return {};
  while (hint_ < regions_.size() && regions_[hint_]->free_blocks == 0) ++hint_;
  if (hint_ == regions_.size() && add_region(kRegionBytes) == nullptr) return {};
  Region* region = regions_[hint_];
  std::vector<BlockPlace>& unswept = unswept_[size_class];
  if (const std::size_t needed = cell_blocks_[size_class] + 1; unswept.capacity() < needed) unswept.reserve(2 * needed);
  return open_block({region, static_cast<std::uint32_t>(std::countr_zero(region->free_blocks))}, size_class);
}

Cursor Blocks::open_block(BlockPlace place, std::uint32_t size_class) {
  place.region->free_blocks &= ~(std::uint64_t{1} << place.index);
  used_ += kBlockBytes;
  ++cell_blocks_[size_class];
  Block& block = place.block();
  const std::uint32_t cell = cell_bytes_of(size_class);
  const std::size_t end = kBlockBytes / cell * cell;
  if (block.was_used) {
    for (std::size_t at = 0; at < end; at += cell) clear_head(place.memory() + at);
  }
  block = {.state = State::cells,
           .size_class = static_cast<std::uint8_t>(size_class),
           .was_used = true,
           .marked = 0,
           .large_bytes = 0};
  return {place.memory(), place.memory() + end};
}

std::uint8_t* Blocks::take_large(std::uint64_t bytes) {
  if (bytes > limit_) return nullptr;
  const std::uint64_t blocks = (bytes + kBlockBytes - 1) / kBlockBytes;
  if (!is_allowed(blocks * kBlockBytes)) return nullptr;
  if (blocks >= kBlocksPerRegion) {
    Region* region = add_region(((blocks + 1) * kBlockBytes + kRegionBytes - 1) & ~(kRegionBytes - 1));
    if (region == nullptr) return nullptr;
    region->free_blocks = 0;
    return open_large({region, 1}, blocks);
  }
  for (std::size_t i = hint_; i < regions_.size(); ++i) {
    const std::uint32_t at = find_run(regions_[i]->free_blocks, blocks);
    if (at < kBlocksPerRegion) return open_large({regions_[i], at}, blocks);
  }
  Region* region = add_region(kRegionBytes);
  return region == nullptr ? nullptr : open_large({region, 1}, blocks);
}

std::uint8_t* Blocks::open_large(BlockPlace place, std::uint64_t blocks) {
  used_ += blocks * kBlockBytes;
  const auto here = static_cast<std::uint32_t>(std::min<std::uint64_t>(blocks, kBlocksPerRegion - place.index));
  for (std::uint32_t i = place.index; i < place.index + here; ++i) {
    place.region->free_blocks &= ~(std::uint64_t{1} << i);
    place.region->blocks[i] = {
        .state = State::large_rest, .size_class = 0, .was_used = true, .marked = 0, .large_bytes = 0};
  }
  place.block().state = State::large;
  place.block().large_bytes = blocks * kBlockBytes;
  clear_head(place.memory());
  return place.memory();
}

void Blocks::free_blocks(BlockPlace place, std::uint64_t count) {
  used_ -= count * kBlockBytes;
  // The longer regions are removed as a whole.
  if (place.region->bytes > kRegionBytes) {
    place.region->free_blocks = kAllFree;
    place.block().state = State::free;
    return;
  }
  for (std::uint32_t i = place.index; i < place.index + count; ++i) {
    place.region->free_blocks |= std::uint64_t{1} << i;
    place.region->blocks[i].state = State::free;
  }
}

// --- collection

Object* Blocks::find_object(std::uint64_t address) const {
  if (!is_object(address) || !has_region(address & ~(kRegionBytes - 1))) return nullptr;
  auto* object = reinterpret_cast<Object*>(address);
  const BlockPlace place = place_of(object);
  if (place.index == 0) return nullptr;
  const Block& block = place.block();
  const std::size_t offset = address & (kBlockBytes - 1);
  bool is_start = false;
  if (block.state == State::cells) {
    const std::uint32_t cell = cell_bytes_of(block.size_class);
    is_start = offset % cell == 0 && offset + cell <= kBlockBytes;
  } else if (block.state == State::large) {
    is_start = offset == 0;
  }
  return is_start && object->type.kind() != ObjectKind::none ? object : nullptr;
}

Blocks::Region* Blocks::long_region_around(std::uintptr_t address) const {
  for (Region* region : regions_) {
    if (region->bytes > kRegionBytes && address - reinterpret_cast<std::uintptr_t>(region) < region->bytes)
      return region;
  }
  return nullptr;
}

Object* Blocks::find_object_around(std::uint64_t address) const {
  BlockPlace place = place_of(reinterpret_cast<const void*>(address));
  if (!has_region(reinterpret_cast<std::uintptr_t>(place.region))) {
    // Behind the beginning of a region that one object has for itself, or nowhere.
    place = {long_region_around(address), 1};
    if (place.region == nullptr) return nullptr;
  } else if (place.index == 0) {
    return nullptr;
  }
  if (place.region->bytes > kRegionBytes) place.index = 1;
  while (place.block().state == State::large_rest) --place.index;
  const Block& block = place.block();
  auto start = reinterpret_cast<std::uintptr_t>(place.memory());
  if (block.state == State::cells) {
    const std::uint32_t cell = cell_bytes_of(block.size_class);
    start += (address - start) / cell * cell;
    if (start + cell > reinterpret_cast<std::uintptr_t>(place.memory()) + kBlockBytes) return nullptr;
  } else if (block.state != State::large || address - start >= block.large_bytes) {
    return nullptr;
  }
  auto* object = reinterpret_cast<Object*>(start);
  return object->type.kind() != ObjectKind::none ? object : nullptr;
}

void Blocks::sweep(BlockPlace place, std::vector<Cursor>* gaps) {
  const std::uint32_t cell = cell_bytes_of(place.block().size_class);
  const std::uint64_t* marks = place.region->marks[place.index];
  std::uint8_t* memory = place.memory();
  std::uint8_t* gap = nullptr;
  const auto close = [&](std::uint8_t* end) {
    if (gap != nullptr && gaps != nullptr) gaps->push_back({gap, end});
    gap = nullptr;
  };
  std::size_t at = 0;
  for (; at + cell <= kBlockBytes; at += cell) {
    const std::size_t granule = at / kMarkGranule;
    if ((marks[granule / 64] >> granule % 64 & 1) != 0) {
      close(memory + at);
      continue;
    }
    clear_head(memory + at);
    if (gap == nullptr) gap = memory + at;
  }
  close(memory + at);
}

void Blocks::begin_marking() {
  // What is dead must not look like an object any more: it may refer to what is gone.
  for (std::uint32_t i = 0; i < kSizeClasses; ++i) {
    for (const BlockPlace place : unswept_[i]) sweep(place, nullptr);
    unswept_[i].clear();
    gaps_[i].clear();
  }
  for (Region* region : regions_) {
    for (std::uint32_t i = 1; i < kBlocksPerRegion; ++i) {
      Block& block = region->blocks[i];
      if (block.state != State::cells && block.state != State::large) continue;
      block.marked = 0;
      std::ranges::fill(region->marks[i], 0);
    }
  }
}

void Blocks::end_marking() {
  marked_ = 0;
  for (Region* region : regions_) {
    for (std::uint32_t i = 1; i < kBlocksPerRegion; ++i) {
      Block& block = region->blocks[i];
      if (block.state == State::cells) {
        const std::uint32_t cell = cell_bytes_of(block.size_class);
        marked_ += std::uint64_t{block.marked} * cell;
        if (block.marked == 0) {
          --cell_blocks_[block.size_class];
          free_blocks({region, i}, 1);
        } else if (block.marked < kBlockBytes / cell) {
          unswept_[block.size_class].push_back({region, i});
        }
      } else if (block.state == State::large) {
        if (block.marked == 0) {
          free_blocks({region, i}, block.large_bytes / kBlockBytes);
        } else {
          marked_ += block.large_bytes;
        }
      }
    }
  }
  hint_ = 0;
}

void Blocks::trim(std::uint64_t keep) {
  for (std::size_t at = regions_.size(); at-- > 0;) {
    const Region& region = *regions_[at];
    if (region.free_blocks != kAllFree) continue;
    if (region.bytes > kRegionBytes || reserved_ > keep) remove_region(at);
  }
  rebuild_table();
}

}  // namespace wasi::runtime
