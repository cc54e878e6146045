// A compiled module as bytes: the module itself, and machine code of its functions that any process with the same build
// of the library can run. What lib/engine gives to files, and to the cache.
//
// Code comes in *units*: what was compiled together, and refers to nothing outside of itself but what it gets to by its
// VmContext. A unit holds one function (baseline) or several that call each other directly, each of any tier; it has a
// place of its own in the file, so that code is mapped, looked at when it is first called, and never moved. Sections:
//
//     header, and the index: where the functions' bodies are, checksums of blocks of the module and of the memory, the
//                            units, which unit each function is in, and where the memory's pages go. Has a checksum
//                            that is looked at when the image is opened
//     details                of units: frames, loops, places that trap. A unit's checksum is of its details and its
//     code,
//                            and is looked at when the unit is bound
//     module                 as the decoder reads it. A block's checksum is looked at when something of it is
//     memory                 what the module's data segments make of its memory, where that pays: pages that instances
//                            map. The checksums are looked at before the first one does
//     code
//
// So opening takes no longer for a large module than for a small one but for the index, some thirty bytes per function.
// Numbers are in the machine's order of bytes: nobody else's code is there. Everything is checked to lie within the
// bytes, whatever they are; what the code does is not: whoever writes an image decides what the process does.
#pragma once

#include <wasi/error.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "jit/common/machine_code.h"
#include "os/file_mapping.h"
#include "os/unique_fd.h"
#include "runtime/bounds_checks.h"
#include "wasm/features.h"
#include "wasm/memory_image.h"
#include "wasm/module.h"

namespace wasi::jit {

// What code was made for.
struct CodeTarget {
  std::uint32_t cpu = 0;  // CpuFeatures::bits()
  runtime::BoundsChecks checks = runtime::BoundsChecks::guard_pages;
  bool charges_fuel = false;
  bool strict = false;  // OptimisingOptions::strict
  friend bool operator==(const CodeTarget&, const CodeTarget&) = default;
};

// A part of a function's code with one frame, and its offset tables. Counted from the function's begin.
struct PartImage {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
  std::uint32_t frame_bytes = 0;
  std::span<const std::uint8_t> marks = {};
  std::span<const std::uint8_t> traps = {};
};

// A function's code, as MachineCode says it. Parts lie one behind the other and are all of it.
struct FunctionImage {
  std::uint32_t function = 0;  // FuncIndex
  std::uint32_t begin = 0;     // in the unit
  std::uint32_t size = 0;
  std::uint32_t entry = 0;  // from here on counted from `begin`
  std::uint32_t frame_bytes = 0;
  std::uint32_t frame_slots = 0;
  std::optional<std::uint32_t> loop_stub = {};
  SavedRegisters saved = {};
  std::uint32_t context_at = 1;
  bool catches = false;
  bool faults_anywhere = false;
  bool is_optimised = false;
  std::vector<LoopHead> loop_heads = {};
  std::vector<InlinedCall> inlined_calls = {};
  std::vector<PartImage> parts = {};
};

struct UnitImage {
  std::span<const std::uint8_t> code;
  bool is_executable = false;  // where it lies
  std::vector<FunctionImage> functions;
};

// All that an image is made from.
struct ImageSource {
  std::string_view build;  // of the library, at most kLongestBuild characters
  CodeTarget target;
  wasm::FeatureSet features;  // that the module uses, bodies included
  const wasm::Module* module = nullptr;
  std::vector<UnitImage> units;
};

// Bytes that depend on the source alone. Throws std::bad_alloc.
std::vector<std::uint8_t> write_code_image(const ImageSource& source);

// Whether an image's memory and code were found undamaged before, all of it, and nobody can have changed them since:
// then no checksum of those is looked at. Those of the index and of the module, of which few blocks are used, are.
enum class Soundness : std::uint8_t { unknown, known };

// Immutable, and thread-safe.
class CodeImage {
 public:
  static constexpr std::size_t kLongestBuild = 63;

  // Whether it looks like one: what begins so is no module.
  static bool is_image(std::span<const std::uint8_t> bytes);

  // Maps the image that lies in a file from `offset` on, in whole pages, to the end or for `size` bytes; the file must
  // stay as it is. `io` error where it cannot be read, `malformed` where it is damaged or cut off, `unsupported` where
  // another build made it.
  static Result<std::shared_ptr<const CodeImage>> open(const std::string& path, std::string_view build,
                                                       std::uint64_t offset = 0,
                                                       std::optional<std::uint64_t> size = {});
  // The same of a file that is open, and need not stay so; `path` is for messages.
  static Result<std::shared_ptr<const CodeImage>> open(const os::RegularFile& file, const std::string& path,
                                                       std::string_view build, std::uint64_t offset = 0,
                                                       std::optional<std::uint64_t> size = {},
                                                       Soundness soundness = Soundness::unknown);
  // The same of memory, which is no place to execute.
  static Result<std::shared_ptr<const CodeImage>> read(std::span<const std::uint8_t> bytes,
                                                       std::shared_ptr<const void> owner, std::string_view build);

  [[nodiscard]] const CodeTarget& target() const { return target_; }
  [[nodiscard]] wasm::FeatureSet features() const { return features_; }
  [[nodiscard]] std::span<const std::uint8_t> module() const { return module_; }
  [[nodiscard]] std::vector<wasm::FunctionBody> bodies() const;
  // Of the module's bytes: `malformed` errors where they are damaged. Lives as long as the image.
  [[nodiscard]] const wasm::LateBytes& checks() const { return module_blocks_; }
  // What the image has of the module's memory; null: nothing. Keeps the image, which is `self`.
  static std::shared_ptr<const wasm::MemoryImage> memory_of(const std::shared_ptr<const CodeImage>& self);

  [[nodiscard]] std::size_t unit_count() const { return unit_count_; }
  [[nodiscard]] std::uint64_t code_bytes() const { return code_.size(); }
  // The unit of a function that is not imported, by its number among those.
  [[nodiscard]] std::optional<std::uint32_t> unit_of(std::size_t defined) const;
  // `malformed` error where it is damaged. Views live as long as the image.
  [[nodiscard]] Result<UnitImage> unit(std::uint32_t number) const;
  // Looks at all checksums of memory and code: `malformed` error where something is damaged.
  [[nodiscard]] Result<void> check() const;

 private:
  CodeImage() = default;
  Result<void> parse(std::string_view build);
  Result<void> parse_memory(std::span<const std::uint8_t> runs, std::uint64_t file_offset);
  struct UnitBytes {
    std::span<const std::uint8_t> details;
    std::span<const std::uint8_t> code;
  };
  [[nodiscard]] Result<UnitBytes> unit_bytes(std::uint32_t number) const;

  // Blocks of bytes with a checksum each, which is looked at once.
  class Blocks : public wasm::LateBytes {
   public:
    void set(std::string_view name, std::span<const std::uint8_t> bytes, std::span<const std::uint8_t> checksums,
             Soundness soundness);
    [[nodiscard]] Result<void> check(std::size_t begin, std::size_t end) const override;

   private:
    std::string_view name_;
    std::span<const std::uint8_t> bytes_;
    std::span<const std::uint8_t> checksums_;
    Soundness soundness_ = Soundness::unknown;
    mutable std::vector<std::atomic<bool>> checked_;
  };

  os::UniqueFd file_;  // of the memory's pages, while they can be mapped from it
  os::FileMapping mapping_;
  os::FileMapping executable_;         // the code once more; empty where the host refuses it
  std::shared_ptr<const void> owner_;  // of bytes that are not mapped
  std::span<const std::uint8_t> bytes_;
  Soundness soundness_ = Soundness::unknown;
  CodeTarget target_;
  wasm::FeatureSet features_;
  std::span<const std::uint8_t> bodies_;
  std::span<const std::uint8_t> units_;
  std::span<const std::uint8_t> unit_numbers_;
  std::span<const std::uint8_t> details_;
  std::span<const std::uint8_t> module_;
  std::span<const std::uint8_t> memory_pages_;
  std::span<const std::uint8_t> code_;
  Blocks module_blocks_;
  Blocks memory_blocks_;
  wasm::MemoryImage memory_;  // without its owner
  std::uint64_t code_offset_ = 0;
  std::size_t unit_count_ = 0;
  std::size_t body_count_ = 0;
};

}  // namespace wasi::jit
