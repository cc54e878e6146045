// The memory of a store's heap: regions of address space, cut into blocks, cut into cells.
//
// A region is 4 MiB at a multiple of 4 MiB; its first block holds what is known about the other 63: their state
// and one mark bit per 16 bytes. A block of 64 KiB has cells of one size class, or belongs to a run of blocks
// that one large object takes; objects that no region has room for get a longer region of their own.
// So the region and block of an object follow from its address, and nothing about it stands elsewhere.
//
// Invariant between collections: a cell whose head is not zero holds an object, or did until the last collection
// found it dead and its block has not been swept yet.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "os/virtual_memory.h"
#include "runtime/gc_heap_cells.h"
#include "runtime/gc_heap_object.h"

namespace wasi::runtime {

inline constexpr std::size_t kBlockBytes = 64U << 10;
inline constexpr std::size_t kRegionBytes = 4U << 20;
inline constexpr std::uint32_t kBlocksPerRegion = kRegionBytes / kBlockBytes;
inline constexpr std::size_t kMarkGranule = 16;  // cells are at least as large, so each has a bit of its own

class Blocks {
 public:
  explicit Blocks(std::uint64_t limit_bytes) : limit_(limit_bytes) {}
  Blocks(const Blocks&) = delete;
  Blocks& operator=(const Blocks&) = delete;

  // Memory for the next cells of a class, one at least; empty where the limit or the host forbids it. Cells that
  // the last collection freed come first, then blocks that are free, then new ones.
  Cursor take_cells(std::uint32_t size_class);
  // Memory of an object that is larger than any cell; null where there is none.
  std::uint8_t* take_large(std::uint64_t bytes);

  // Before marking: no cursor is in use any more.
  void begin_marking();
  // Marks an object; false when it was marked already.
  bool mark(const Object* object) {
    const BlockPlace place = place_of(object);
    const std::size_t granule = (reinterpret_cast<std::uintptr_t>(object) & (kBlockBytes - 1)) / kMarkGranule;
    std::uint64_t& word = place.region->marks[place.index][granule / 64];
    const std::uint64_t bit = std::uint64_t{1} << granule % 64;
    if ((word & bit) != 0) return false;
    word |= bit;
    ++place.block().marked;
    return true;
  }
  [[nodiscard]] bool is_marked(const Object* object) const {
    const BlockPlace place = place_of(object);
    const std::size_t granule = (reinterpret_cast<std::uintptr_t>(object) & (kBlockBytes - 1)) / kMarkGranule;
    return (place.region->marks[place.index][granule / 64] >> granule % 64 & 1) != 0;
  }
  // All that are marked; `visit` may mark others, which are shown or not.
  template <class Visit>
  void for_each_marked(Visit&& visit) const {
    for (Region* region : regions_) {
      for (std::uint32_t i = 1; i < kBlocksPerRegion; ++i) {
        const BlockPlace place{region, i};
        if (place.block().state != State::cells && place.block().state != State::large) continue;
        for (std::size_t granule = 0; granule < kBlockBytes / kMarkGranule; ++granule) {
          if ((region->marks[i][granule / 64] >> granule % 64 & 1) == 0) continue;
          visit(*reinterpret_cast<Object*>(place.memory() + granule * kMarkGranule));
        }
      }
    }
  }
  // The object that begins at `address`, if there is one. For any number at all.
  [[nodiscard]] Object* find_object(std::uint64_t address) const;
  // The object whose memory `address` lies in, if there is one. For any number at all.
  [[nodiscard]] Object* find_object_around(std::uint64_t address) const;
  // After marking: frees what has no mark, at once or when cells are taken.
  void end_marking();
  // Gives regions without objects back to the host, of which it keeps as many as `keep` bytes have room in.
  void trim(std::uint64_t keep);

  [[nodiscard]] std::uint64_t used_bytes() const { return used_; }      // of the blocks that are not free
  [[nodiscard]] std::uint64_t marked_bytes() const { return marked_; }  // of objects, in the last collection
  [[nodiscard]] std::uint64_t reserved_bytes() const { return reserved_; }

 private:
  enum class State : std::uint8_t { free, cells, large, large_rest };
  struct Block {
    State state;
    std::uint8_t size_class;
    bool was_used;              // its memory need not be zero
    std::uint32_t marked;       // how many of its objects
    std::uint64_t large_bytes;  // of the blocks that the large object here takes
  };
  struct Region {
    std::uint64_t free_blocks;  // one bit each
    std::uint64_t bytes;
    Block blocks[kBlocksPerRegion];
    std::uint64_t marks[kBlocksPerRegion][kBlockBytes / kMarkGranule / 64];
  };
  static_assert(sizeof(Region) <= kBlockBytes);
  struct BlockPlace {
    Region* region;
    std::uint32_t index;
    [[nodiscard]] Block& block() const { return region->blocks[index]; }
    [[nodiscard]] std::uint8_t* memory() const { return reinterpret_cast<std::uint8_t*>(region) + index * kBlockBytes; }
  };

  static BlockPlace place_of(const void* address) {
    const auto number = reinterpret_cast<std::uintptr_t>(address);
    return {reinterpret_cast<Region*>(number & ~(kRegionBytes - 1)),
            static_cast<std::uint32_t>((number & (kRegionBytes - 1)) / kBlockBytes)};
  }

  [[nodiscard]] bool is_allowed(std::uint64_t bytes) const { return bytes <= limit_ && used_ <= limit_ - bytes; }
  [[nodiscard]] std::size_t table_start(std::uintptr_t base) const;
  [[nodiscard]] bool has_region(std::uintptr_t base) const;
  [[nodiscard]] Region* long_region_around(std::uintptr_t address) const;
  void rebuild_table();
  Region* add_region(std::uint64_t bytes);
  void remove_region(std::size_t index);
  Cursor take_block(std::uint32_t size_class);
  Cursor open_block(BlockPlace place, std::uint32_t size_class);
  std::uint8_t* open_large(BlockPlace place, std::uint64_t blocks);
  void free_blocks(BlockPlace place, std::uint64_t count);
  // Clears the heads of unmarked cells, and (gaps) says where they are.
  void sweep(BlockPlace place, std::vector<Cursor>* gaps);

  std::uint64_t limit_;
  std::uint64_t used_ = 0;
  std::uint64_t marked_ = 0;
  std::uint64_t reserved_ = 0;
  std::vector<Region*> regions_;
  std::vector<os::Reservation> reservations_;  // the regions' memory, in the same order
  std::vector<std::uintptr_t> table_;          // the regions' addresses by hash; 0: nothing
  std::size_t hint_ = 0;                       // no region before it has a free block
  std::vector<BlockPlace> unswept_[kSizeClasses];
  std::vector<Cursor> gaps_[kSizeClasses];  // in swept blocks
  // How many blocks each class has: the list above has room for all, since a collection must not need memory.
  std::size_t cell_blocks_[kSizeClasses] = {};
};

}  // namespace wasi::runtime
