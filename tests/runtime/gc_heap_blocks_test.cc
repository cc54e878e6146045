// The heap's blocks: which object an address belongs to.
#include "runtime/gc_heap_blocks.h"

#include <catch2/catch.hpp>

namespace wasi::runtime {
namespace {

constexpr std::uint64_t kHead = Object::head(ObjectType(ObjectKind::array, wasm::TypeId(1)));

std::uint64_t address_of(const void* place) { return reinterpret_cast<std::uint64_t>(place); }

TEST_CASE("an address inside of an object finds it, all others find nothing", "[gc]") {
  Blocks blocks(UINT64_MAX);
  for (const std::uint32_t size_class : {0U, 3U, 10U, kSizeClasses - 1}) {
    const Cursor cells = blocks.take_cells(size_class);
    const std::uint32_t bytes = cell_bytes_of(size_class);
    REQUIRE(static_cast<std::size_t>(cells.end - cells.next) >= bytes);
    const bool has_second = static_cast<std::size_t>(cells.end - cells.next) >= 2 * bytes;
    Object* const object = Object::at(cells.next, kHead);
    for (std::uint32_t i = 0; i < bytes; ++i) {
      REQUIRE(blocks.find_object_around(address_of(object) + i) == object);
      REQUIRE(blocks.find_object(address_of(object) + i) == (i == 0 ? object : nullptr));
    }
    // The next cell is free, or belongs to the next block.
    if (has_second) CHECK(blocks.find_object_around(address_of(object) + bytes) == nullptr);
    // What is left behind the block's last cell.
    if (kBlockBytes % bytes != 0) CHECK(blocks.find_object_around(address_of(cells.end)) == nullptr);
    CHECK(blocks.find_object_around(address_of(object) & ~(kRegionBytes - 1)) == nullptr);
  }
  for (const std::uint64_t number :
       {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{4096}, UINT64_MAX, std::uint64_t{1} << 46}) {
    CHECK(blocks.find_object_around(number) == nullptr);
  }
}

TEST_CASE("objects of many blocks, and of more than a region, are found by any of their addresses", "[gc]") {
  Blocks blocks(UINT64_MAX);
  for (const std::uint64_t bytes : {kBlockBytes + 8, 5 * kBlockBytes, 3 * kRegionBytes + 5 * kBlockBytes}) {
    std::uint8_t* const memory = blocks.take_large(bytes);
    REQUIRE(memory != nullptr);
    Object* const object = Object::at(memory, kHead);
    for (std::uint64_t at = 0; at < bytes; at += 4095) {
      REQUIRE(blocks.find_object_around(address_of(object) + at) == object);
    }
    CHECK(blocks.find_object_around(address_of(object) + bytes - 1) == object);
    const std::uint64_t end = (bytes + kBlockBytes - 1) / kBlockBytes * kBlockBytes;
    CHECK(blocks.find_object_around(address_of(object) + end) == nullptr);
  }
}

}  // namespace
}  // namespace wasi::runtime
