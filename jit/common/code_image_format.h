// How a code image lies in its bytes: code_image.h. Records are read by memcpy, so nothing has to be aligned; sections
// are, to pages where they are mapped for themselves.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace wasi::jit::image {

inline constexpr std::array<std::uint8_t, 8> kMagic = {0, 'c', 'w', 'a', 's', 'm', '\r', '\n'};
// Another one where a reader of this version would read something else than was meant. Images of other builds of the
// library are refused in any case.
inline constexpr std::uint32_t kVersion = 4;
inline constexpr std::size_t kPage = 4096;
inline constexpr std::size_t kBlock = 64U << 10;  // of the module or the memory, with a checksum of its own
inline constexpr std::size_t kBuildBytes = 64;
inline constexpr std::uint32_t kNone = UINT32_MAX;

struct Section {
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
};

struct Header {
  std::array<std::uint8_t, 8> magic = kMagic;
  std::uint32_t version = kVersion;
  std::uint32_t cpu = 0;
  std::array<char, kBuildBytes> build{};  // ends with a zero
  std::uint64_t file_bytes = 0;
  std::uint64_t checksum = 0;  // of all bytes before the details, with zero here
  std::uint32_t features = 0;
  std::uint8_t checks = 0;
  std::uint8_t charges_fuel = 0;
  std::uint8_t strict = 0;
  std::uint8_t reserved = 0;
  std::uint32_t memory = 0;  // wasm::MemoryImage; it has no runs where there is none
  std::uint32_t memory_segments = 0;
  std::uint32_t memory_data_end = 0;
  std::uint32_t reserved_too = 0;
  // In this order, the last ones with gaps up to a page. The index are those before the details.
  Section bodies = {};        // Body for each function that is not imported
  Section checksums = {};     // u64 for each block of the module, then of the memory
  Section units = {};         // Unit
  Section unit_numbers = {};  // u32 for each function that is not imported; kNone: it has no code
  Section memory_runs = {};   // Run
  Section details = {};
  Section module = {};
  Section memory_pages = {};
  Section code = {};
};

struct Body {
  std::uint32_t offset = 0;  // in the module
  std::uint32_t size = 0;
};

struct Unit {
  std::uint64_t code_offset = 0;  // in the section
  std::uint64_t details_offset = 0;
  std::uint32_t code_bytes = 0;
  std::uint32_t details_bytes = 0;
  std::uint64_t checksum = 0;  // of the details, then the code
};

// Of the memory's pages, which lie one run behind the other.
struct Run {
  std::uint64_t address = 0;
  std::uint64_t bytes = 0;
};

// A unit's details: a u32 with the number of its functions, so many Functions, and what those point to. Offsets are
// from the begin of the details.
struct Function {
  std::uint32_t function = 0;  // FuncIndex
  std::uint32_t begin = 0;
  std::uint32_t size = 0;
  std::uint32_t entry = 0;
  std::uint32_t frame_bytes = 0;
  std::uint32_t frame_slots = 0;
  std::uint32_t loop_stub = kNone;
  std::array<std::uint8_t, 5> saved = {};
  std::uint8_t catches = 0;
  std::uint8_t faults_anywhere = 0;
  std::uint8_t is_optimised = 0;
  std::uint32_t context_at = 0;
  std::uint32_t loops_offset = 0;
  std::uint32_t loop_count = 0;
  std::uint32_t inlined_offset = 0;
  std::uint32_t inlined_count = 0;
  std::uint32_t parts_offset = 0;
  std::uint32_t part_count = 0;
};

struct Loop {
  std::uint64_t wasm_offset = 0;
  std::uint32_t code_offset = 0;
  std::uint32_t reserved = 0;
};

struct InlinedCall {
  std::uint64_t caller = 0;  // a mark; of one before it, where it is of an inlined call
  std::uint32_t function = 0;
  std::uint32_t reserved = 0;
};

// Its tables stand one behind the other.
struct Part {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
  std::uint32_t frame_bytes = 0;
  std::uint32_t tables_offset = 0;
  std::uint32_t marks_bytes = 0;
  std::uint32_t traps_bytes = 0;
};

// Their bytes are those of their members: what is written depends on nothing else.
template <class... Records>
inline constexpr bool kHaveNoGaps = (std::has_unique_object_representations_v<Records> && ...);
static_assert(kHaveNoGaps<Header, Body, Unit, Run, Function, Loop, InlinedCall, Part>);

}  // namespace wasi::jit::image
