#include "jit/common/code_space.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <utility>

#include "base/guard.h"
#include "base/result.h"
#include "jit/common/any_entry.h"
#include "runtime/store.h"

namespace wasi::jit {

CodeSpace::CodeSpace(CodeSpaceOptions options) : options_(std::move(options)), adapters_(*this) {}

CodeSpace::~CodeSpace() = default;

Result<CodeArena*> CodeSpace::arena() {
  const std::lock_guard lock(mutex_);
  if (refusal_) return std::unexpected(*refusal_);
  if (arena_ != nullptr) return arena_.get();
  CodeArenaOptions arena;
  arena.limit = std::min(options_.limit, runtime::kMostReservedCodeBytes);
  // As much of the address space as the limit can need; pieces are rounded up and leave gaps between them.
  arena.reserved =
      std::clamp(std::bit_ceil(arena.limit), runtime::kLeastReservedCodeBytes, runtime::kMostReservedCodeBytes);
  const auto wants_one_view = [](const auto& listener) { return listener->wants_one_view(); };
  if (std::ranges::any_of(options_.listeners, wants_one_view)) arena.views = os::CodeViews::one;
  if (options_.refusal) refusal_ = options_.refusal();
  auto made = refusal_ ? std::unexpected(*refusal_) : CodeArena::create(arena);
  if (!made) {
    refusal_ = made.error();
    if (options_.warn) options_.warn("the host refuses machine code, the interpreter runs all: " + refusal_->message);
    return std::unexpected(*refusal_);
  }
  arena_ = *std::move(made);
  return arena_.get();
}

void CodeSpace::warn_of_limit() {
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(has_warned_of_limit_, true)) return;
  }
  if (options_.warn) {
    options_.warn(fmt::format(
        "the limit of {} bytes for machine code is reached, the interpreter runs what has none yet", options_.limit));
  }
}

void CodeSpace::warn_of_listeners() {
  for (const auto& listener : options_.listeners) {
    const std::optional<Error> failure = listener->failure();
    if (!failure) continue;
    {
      const std::lock_guard lock(mutex_);
      if (std::exchange(has_warned_of_listeners_, true)) return;
    }
    if (options_.warn) options_.warn("a tool was not told of all machine code: " + failure->message);
  }
}

Result<void> CodeSpace::check_room(std::size_t bytes) {
  CodeArena* const arena = WASI_TRY(this->arena());
  const CodeArenaStatistics now = arena->statistics();
  if (now.limit - std::min(now.used, now.limit) >= bytes) return {};
  warn_of_limit();
  return fail(ErrorKind::limit, "the limit of {} bytes for machine code leaves no room for {}", now.limit, bytes);
}

Result<PlacedCode> CodeSpace::place(std::span<const std::uint8_t> bytes, std::string_view name) {
  CodeArena* const arena = WASI_TRY(this->arena());
  auto piece = arena->allocate(bytes.size());
  if (!piece) {
    if (piece.error().kind == ErrorKind::limit) warn_of_limit();
    return std::unexpected(std::move(piece).error());
  }
  std::ranges::copy(bytes, piece->writable().begin());
  WASI_TRY(piece->publish());
  PlacedCode placed(*std::move(piece));
  if (!name.empty()) tell(placed, {name, placed.bytes()});
  return placed;
}

Result<PlacedCode> CodeSpace::place_mapped(std::span<const std::uint8_t> code) {
  const auto wants_one_view = [](const auto& listener) { return listener->wants_one_view(); };
  if (std::ranges::any_of(options_.listeners, wants_one_view)) return place(code, "");
  // Whoever is refused memory for code has no adapters that get into this one.
  WASI_TRY(arena());
  return PlacedCode(code);
}

bool CodeSpace::wants_source() const {
  return std::ranges::any_of(options_.listeners, [](const auto& listener) { return listener->wants_source(); });
}

void CodeSpace::tell(PlacedCode& placed, const NamedCode& part) {
  if (!has_listeners()) return;
  placed.tell(options_.listeners, part);
  warn_of_listeners();
}

void CodeSpace::warn(const std::string& message) const {
  if (options_.warn) options_.warn(message);
}

runtime::NativeEntry CodeSpace::entry_to_host(runtime::HostFunction& function) {
  const auto entry = guarded([&]() -> Result<runtime::NativeEntry> {
    if (function.direct != nullptr) {
      function.by_slots = any_native_entry();
      return adapters_.direct_entry();
    }
    auto adapters = adapters_.of(function.store->registry().at(function.type).func);
    const runtime::NativeEntry made = WASI_TRY(adapters->host_entry());
    function.native = std::move(adapters);
    return made;
  });
  const runtime::NativeEntry stored = entry ? *entry : any_native_entry();
  function.code.native_entry.store(stored, std::memory_order_release);
  return stored;
}

CodeArenaStatistics CodeSpace::statistics() const {
  const std::lock_guard lock(mutex_);
  return arena_ == nullptr ? CodeArenaStatistics{} : arena_->statistics();
}

}  // namespace wasi::jit
