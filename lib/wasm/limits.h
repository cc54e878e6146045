// What modules may have, or ask for, at most. Beyond it they are refused with an Error of the kind `limit`, each where
// it is said; the limits of the specification itself, and those of encodings, are here too. What the runtime is given
// to run with is in runtime/tuning.h.
#pragma once

#include <cstddef>
#include <cstdint>

#include "wasm/types.h"

namespace wasi::wasm {

// Bytes of a module. Bodies are kept as 32-bit ranges.
inline constexpr std::uint64_t kMaxModuleBytes = 0xFFFFFFFF;

// Types of a module, as in the JavaScript embedding: a definition is far larger in memory than in the file.
inline constexpr std::uint32_t kMaxTypes = 1'000'000;
// Types that an engine holds at once. HeapType has room for them, and an object's head.
inline constexpr std::uint32_t kMaxTypeIds = 1U << 27;
// Bounds of the JavaScript embedding, which producers keep to. Without them an instruction of two bytes could move a
// million operands.
inline constexpr std::size_t kMaxParams = 1000;
inline constexpr std::size_t kMaxResults = 1000;
inline constexpr std::size_t kMaxFields = 10000;

// Locals that a function declares, its parameters aside; other engines draw the line here too. A few bytes can declare
// four thousand million, and the text format spells out each.
inline constexpr std::uint32_t kMaxLocals = 50000;
// Operands that a call or a block with parameters may pile up. Nothing real comes near, and without a bound a few bytes
// of body could claim gigabytes.
inline constexpr std::size_t kMaxOperands = 1 << 20;
// Bytes of the code that a function becomes. Places in it are 32-bit numbers, and so are distances, which have a sign.
inline constexpr std::uint64_t kMaxCodeBytes = 1 << 30;
// Slots of 8 bytes that a function's values take at once. They are 16-bit numbers in the interpreter's code.
inline constexpr std::uint32_t kMaxFrameSlots = 65535;

// Pages of a memory, which its addresses reach: the specification's. memory.size has to tell their number, so there are
// fewer than 2^32 or 2^64 of single bytes.
constexpr std::uint64_t max_pages(AddressType address, std::uint8_t page_log2) {
  const unsigned bits = (address == AddressType::i64 ? 64U : 32U) - page_log2;
  const std::uint64_t most = address == AddressType::i64 ? UINT64_MAX : UINT32_MAX;
  return page_log2 == 0 ? most : std::uint64_t{1} << bits;
}

// Bytes of a text. Positions are kept as 32 bits in a few places, and a module's bytes are far fewer than its text's.
inline constexpr std::size_t kMaxTextBytes = 0xFFFFFFFF;
// Threads in threads of a script; scripts need two, and each takes native stack.
inline constexpr int kMaxScriptNesting = 100;

// What is printed. Longer names stand where things are defined, and nowhere else; a type use repeats the type that it
// names only while that has no more parameters and results than these: else a few bytes could stand for megabytes each.
inline constexpr std::size_t kMaxReferenceName = 256;
inline constexpr std::uint32_t kMaxRepeatedTypes = 1000;
// Bytes of the text of one function that is folded, which is kept until its end with 32-bit positions.
inline constexpr std::size_t kMaxFoldedBytes = 1 << 30;

}  // namespace wasi::wasm
