// The binary format's fixed numbers, for those who read them (the decoder) and those who write them.
// Value and heap types stand in type_reader.h, opcodes in wasm/opcodes.def.
// Source: https://webassembly.github.io/spec/core/binary/modules.html
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace wasi::binary::format {

inline constexpr std::array<std::uint8_t, 4> kMagic = {0x00, 'a', 's', 'm'};
inline constexpr std::uint32_t kModuleVersion = 1;
inline constexpr std::uint32_t kComponentVersion = 0x0001000D;
// What it is and what to do, for messages.
inline constexpr std::string_view kComponentAdvice =
    "a WebAssembly component: components are not supported yet, core modules are; build it for wasm32-wasip1, or "
    "unpack "
    "its core module by `wasm-tools component unbundle`";

enum SectionId : std::uint8_t {
  kCustom,
  kType,
  kImport,
  kFunction,
  kTable,
  kMemory,
  kGlobal,
  kExport,
  kStart,
  kElement,
  kCode,
  kData,
  kDataCount,
  kTag,
  kSectionIds
};

// Type definitions.
inline constexpr std::uint8_t kRecByte = 0x4E;
inline constexpr std::uint8_t kSubFinalByte = 0x4F;
inline constexpr std::uint8_t kSubByte = 0x50;
inline constexpr std::uint8_t kArrayByte = 0x5E;
inline constexpr std::uint8_t kStructByte = 0x5F;
inline constexpr std::uint8_t kFuncByte = 0x60;
inline constexpr std::uint8_t kI8Byte = 0x78;
inline constexpr std::uint8_t kI16Byte = 0x77;

enum LimitsFlag : std::uint8_t { kHasMax = 1, kShared = 2, kAddress64 = 4, kPageSizeGiven = 8 };

// In front of a table that has an initialiser; a zero byte follows.
inline constexpr std::uint8_t kTableInitByte = 0x40;

// The flags of an element segment. Without kElemExplicit an active segment means table 0 and functions;
// with it a passive one is declarative.
enum ElementFlag : std::uint8_t { kElemPassive = 1, kElemExplicit = 2, kElemExpressions = 4 };

enum DataFlag : std::uint8_t { kDataActive, kDataPassive, kDataActiveExplicit };

// In the flags of a memory instruction: a memory index follows.
inline constexpr std::uint32_t kHasMemoryIndex = 0x40;

enum CatchKind : std::uint8_t { kCatch, kCatchRef, kCatchAll, kCatchAllRef };

// In the flags of br_on_cast: the source or the target type is nullable.
enum CastFlag : std::uint8_t { kSourceNullable = 1, kTargetNullable = 2 };

}  // namespace wasi::binary::format
