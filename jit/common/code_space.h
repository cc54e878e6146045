// An engine's machine code: the arena that it lies in, the tools that are told of it, and the adapters that all modules
// share.
//
// The arena is made when the first code is placed, so an engine that compiles nothing pays for nothing. Where the host
// refuses it, every placement gives the same Error, and whoever asked goes on without machine code.
// Thread-safe.
#pragma once

#include <wasi/error.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "jit/common/adapter_cache.h"
#include "jit/common/code_arena.h"
#include "jit/common/code_listener.h"
#include "jit/common/placed_code.h"
#include "runtime/host_function.h"
#include "runtime/offset_table.h"

namespace wasi::jit {

struct CodeSpaceOptions {
  std::size_t limit = runtime::kReservedCodeBytes;  // of the code's bytes
  std::vector<std::shared_ptr<CodeListener>> listeners = {};
  bool notes_locals = false;  // compilers are to say where locals are in frames (runtime/native_locals.h)
  // Asked before the first code: why there can be none, whatever memory the host has.
  std::function<std::optional<Error>()> refusal = {};
  // Told in words, from any thread, that the host refuses machine code or that the limit is reached: once each.
  std::function<void(const std::string& message)> warn = {};
};

class CodeSpace {
 public:
  explicit CodeSpace(CodeSpaceOptions options = {});
  // All code of modules is gone by then.
  ~CodeSpace();
  CodeSpace(const CodeSpace&) = delete;
  CodeSpace& operator=(const CodeSpace&) = delete;

  // Whether `bytes` of code can be had as far as one knows before: asked before something is compiled for nothing.
  Result<void> check_room(std::size_t bytes);
  // A copy of it, in the arena. The listeners are told its name, if it has one.
  Result<PlacedCode> place(std::span<const std::uint8_t> bytes, std::string_view name);
  // Code that can be executed where it lies, which outlives what is returned; a copy, where a listener wants that.
  Result<PlacedCode> place_mapped(std::span<const std::uint8_t> code);
  [[nodiscard]] bool has_listeners() const { return !options_.listeners.empty(); }
  // Whether one of them wants NamedCode::lines and ::guest.
  [[nodiscard]] bool wants_source() const;
  [[nodiscard]] bool notes_locals() const { return options_.notes_locals; }
  // Tells the listeners of a part of placed code.
  void tell(PlacedCode& placed, const NamedCode& part);
  // Something that makes the engine do less than it was asked for.
  void warn(const std::string& message) const;

  [[nodiscard]] AdapterCache& adapters() { return adapters_; }
  // Stores and returns the native entry of a function of the host.
  runtime::NativeEntry entry_to_host(runtime::HostFunction& function);
  // All zero before the first code.
  [[nodiscard]] CodeArenaStatistics statistics() const;

 private:
  Result<CodeArena*> arena();
  void warn_of_limit();
  void warn_of_listeners();

  const CodeSpaceOptions options_;
  mutable std::mutex mutex_;  // guards all below; the arena, once there, stays
  std::optional<Error> refusal_;
  std::unique_ptr<CodeArena> arena_;
  bool has_warned_of_limit_ = false;
  bool has_warned_of_listeners_ = false;
  AdapterCache adapters_;  // goes before the arena
};

}  // namespace wasi::jit
