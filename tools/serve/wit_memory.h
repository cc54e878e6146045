// Values as wit-bindgen 0.2 passes them between a host and a core module: what Spin up to 1.x and slight are built on.
//
// Everything is 32 bits and little-endian. A string or a list is a pointer and a length (of bytes, or elements); an
// option, an expected or another variant is a byte that says which case, then the case's value at its alignment. What
// the host hands over lies in memory that the guest's own `canonical_abi_realloc` gave, and belongs to the guest.
//
// The guest is not trusted: all reading is inside of its memory, or an error that says what is wrong; and what is
// lifted out of it counts against a budget, since lists may name the same bytes any number of times.
#pragma once

#include <wasi/caller.h>
#include <wasi/instance.h>
#include <wasi/memory.h>
#include <wasi/trap.h>

#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "tools/serve/http_message.h"

namespace wasirun::serve {

// What may be lifted out of a guest for one purpose, in bytes.
class LiftBudget {
 public:
  explicit LiftBudget(std::uint64_t bytes) : left_(bytes), all_(bytes) {}
  [[nodiscard]] bool take(std::uint64_t bytes) {
    if (bytes > left_) return false;
    left_ -= bytes;
    return true;
  }
  [[nodiscard]] std::uint64_t all() const { return all_; }

 private:
  std::uint64_t left_;
  std::uint64_t all_;
};

// A string or a list in a guest's memory.
struct WitList {
  std::uint32_t address = 0;
  std::uint32_t length = 0;
};

// A trap with a message of the host's.
wasi::Trap host_trap(std::string message);

class WitMemory {
 public:
  // Lifted values; the error says what the guest did wrong.
  template <class T>
  using Lifted = std::expected<T, std::string>;
  // Lowered values; the guest's allocator may trap, or give memory that is none.
  template <class T>
  using Lowered = std::expected<T, wasi::Trap>;

  // Fails where the instance exports no memory of 32 bits.
  static Lifted<WitMemory> of(const wasi::Instance& instance);
  // The same for a host function, of the guest that calls it.
  static Lowered<WitMemory> of(const wasi::Caller& caller);

  // A number, wherever it lies. Addresses are sums that may be beyond 32 bits, and are outside of memory then.
  template <class T>
    requires std::is_arithmetic_v<T>
  [[nodiscard]] Lifted<T> read(std::uint64_t address, std::string_view what) const {
    if (const auto value = memory_.read<T>(address)) return *value;
    return std::unexpected(outside(what, address, sizeof(T)));
  }
  // `what` is what messages call the value: "the body".
  [[nodiscard]] Lifted<std::string> lift_bytes(WitList list, LiftBudget& budget, std::string_view what) const;
  [[nodiscard]] Lifted<std::string> lift_string(WitList list, LiftBudget& budget, std::string_view what) const;
  // A list of pairs of strings.
  [[nodiscard]] Lifted<std::vector<HttpField>> lift_fields(WitList list, LiftBudget& budget,
                                                           std::string_view what) const;

  template <class T>
    requires std::is_arithmetic_v<T>
  [[nodiscard]] Lowered<void> write(std::uint64_t address, T value) const {
    if (memory_.write(address, value)) return {};
    return std::unexpected(host_trap(outside("the place for a result", address, sizeof(T))));
  }
  [[nodiscard]] Lowered<void> write_list(std::uint64_t address, WitList list) const;
  [[nodiscard]] Lowered<WitList> lower_bytes(std::string_view bytes) const;
  [[nodiscard]] Lowered<WitList> lower_strings(std::span<const std::string> strings) const;
  [[nodiscard]] Lowered<WitList> lower_fields(std::span<const HttpField> fields) const;

 private:
  using Realloc = wasi::TypedFunction<std::uint32_t(std::uint32_t, std::uint32_t, std::uint32_t, std::uint32_t)>;

  WitMemory(const wasi::Memory& memory, std::optional<Realloc> realloc)
      : memory_(memory), realloc_(std::move(realloc)) {}
  [[nodiscard]] Lowered<std::uint32_t> allocate(std::uint64_t size, std::uint32_t alignment) const;
  static std::string outside(std::string_view what, std::uint64_t address, std::uint64_t size);

  wasi::Memory memory_;
  std::optional<Realloc> realloc_;  // of modules that take nothing which needs it: none
};

}  // namespace wasirun::serve
