// The adapters of an engine, each made when it is first needed.
//
// An adapter knows of a signature only which values are integers, floats or vectors, so all types of one such *shape*
// share it: numbers of types are given out again, shapes stay what they are. A shape's adapters live as long as anyone
// holds them, those of the first small shapes as long as the engine: so neither stores that come and go make them anew,
// nor does an engine grow with the signatures that its modules had.
// Thread-safe.
#pragma once

#include <wasi/error.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "jit/common/native_abi.h"
#include "jit/common/placed_code.h"
#include "runtime/code_entry.h"
#include "runtime/tier.h"
#include "wasm/types.h"

namespace wasi::jit {

class AdapterCache;
class CodeSpace;

// The adapters of one shape. Errors are those of CodeSpace::place; the next request tries again.
class Adapters {
 public:
  Adapters(AdapterCache& cache, const wasm::FuncType& type, std::string shape);
  ~Adapters();
  Adapters(const Adapters&) = delete;
  Adapters& operator=(const Adapters&) = delete;

  // See adapters.h.
  Result<runtime::SlotEntry> slot_entry();
  Result<runtime::NativeEntry> native_entry();
  Result<runtime::NativeEntry> host_entry();
  Result<runtime::LoopTarget::Entry> loop_entry();
  Result<const void*> tail_entry();
  Result<runtime::CallEntry> call_entry();

  [[nodiscard]] const NativeSignature& signature() const { return signature_; }

 private:
  enum class Kind : std::uint8_t { slot_entry, native_entry, host_entry, loop_entry, tail_entry, call_entry };
  static constexpr std::size_t kKinds = 6;
  Result<const void*> get(Kind kind);

  AdapterCache& cache_;
  const NativeSignature signature_;
  const std::string shape_;
  std::array<std::atomic<const void*>, kKinds> entries_{};
  std::mutex mutex_;  // held to make one
  std::vector<PlacedCode> code_;
};

class AdapterCache {
 public:
  static constexpr std::size_t kKeptShapes = 256;
  static constexpr std::size_t kKeptShapeValues = 16;

  explicit AdapterCache(CodeSpace& space) : space_(space) {}
  // Nobody holds any by then.
  ~AdapterCache();
  AdapterCache(const AdapterCache&) = delete;
  AdapterCache& operator=(const AdapterCache&) = delete;

  std::shared_ptr<Adapters> of(const wasm::FuncType& type);
  // Of functions of the host that have a HostFunction::direct. As long as the engine.
  Result<runtime::NativeEntry> direct_entry();
  // How many shapes have adapters now.
  [[nodiscard]] std::size_t size() const;

 private:
  friend class Adapters;
  void forget(const std::string& shape);

  CodeSpace& space_;
  mutable std::mutex mutex_;
  std::unordered_map<std::string, std::weak_ptr<Adapters>> shapes_;
  std::vector<std::shared_ptr<Adapters>> kept_;
  PlacedCode direct_;  // empty: not made yet
};

}  // namespace wasi::jit
