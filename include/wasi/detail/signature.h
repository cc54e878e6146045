// How C++ signatures become Wasm types and slots: the compile-time half of typed calls. Not for direct use.
//
// A slot is 8 bytes; arguments and results lie in consecutive slots, a v128 in two (the frame's layout).
#pragma once

#include <wasi/trap.h>
#include <wasi/values.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <expected>
#include <span>
#include <tuple>
#include <type_traits>
#include <utility>

namespace wasi {

class Caller;

namespace detail {

using Slot = std::uint64_t;

template <WasmValue T>
inline constexpr std::size_t kSlotsOf = std::is_same_v<T, V128> ? 2 : 1;

template <WasmValue T>
void to_slot(Slot* slot, T value) {
  if constexpr (std::is_same_v<T, float>) {
    *slot = std::bit_cast<std::uint32_t>(value);
  } else if constexpr (std::is_same_v<T, double>) {
    *slot = std::bit_cast<std::uint64_t>(value);
  } else if constexpr (std::is_same_v<T, V128>) {
    std::memcpy(slot, value.bytes.data(), sizeof(value));
  } else if constexpr (std::is_same_v<T, ExternRef>) {
    *slot = to_reference(value);
  } else {
    *slot = static_cast<std::make_unsigned_t<T>>(value);
  }
}

template <WasmValue T>
T from_slot(const Slot* slot) {
  if constexpr (std::is_same_v<T, float>) {
    return std::bit_cast<float>(static_cast<std::uint32_t>(*slot));
  } else if constexpr (std::is_same_v<T, double>) {
    return std::bit_cast<double>(*slot);
  } else if constexpr (std::is_same_v<T, V128>) {
    V128 value;
    std::memcpy(value.bytes.data(), slot, sizeof(value));
    return value;
  } else if constexpr (std::is_same_v<T, ExternRef>) {
    return to_extern(*slot);
  } else {
    return static_cast<T>(*slot);
  }
}

// A list of value types: their Wasm types, and where each begins.
template <WasmValue... Ts>
struct ValueList {
  static constexpr std::size_t kCount = sizeof...(Ts);
  static constexpr std::size_t kSlots = (0 + ... + kSlotsOf<Ts>);
  static constexpr std::array<ValueType, kCount> kTypes = {value_type_of<Ts>()...};
  static constexpr std::array<std::size_t, kCount + 1> kOffsets = [] {
    std::array<std::size_t, kCount + 1> offsets{};
    const std::array<std::size_t, kCount + 1> sizes = {kSlotsOf<Ts>..., 0};
    for (std::size_t i = 0; i < kCount; ++i) offsets[i + 1] = offsets[i] + sizes[i];
    return offsets;
  }();

  static void store(Slot* slots, const Ts&... values) { store_all(slots, std::index_sequence_for<Ts...>(), values...); }
  static std::tuple<Ts...> load(const Slot* slots) { return load_all(slots, std::index_sequence_for<Ts...>()); }

 private:
  template <std::size_t... I>
  static void store_all([[maybe_unused]] Slot* slots, std::index_sequence<I...> /*unused*/, const Ts&... values) {
    (to_slot<Ts>(slots + kOffsets[I], values), ...);
  }
  template <std::size_t... I>
  static std::tuple<Ts...> load_all([[maybe_unused]] const Slot* slots, std::index_sequence<I...> /*unused*/) {
    return {from_slot<Ts>(slots + kOffsets[I])...};
  }
};

// What a function returns, as a list: void, a value or a tuple of values.
template <class R>
struct ResultOf {
  using List = ValueList<R>;
  static R load(const Slot* slots) { return from_slot<R>(slots); }
  static void store(Slot* slots, const R& value) { to_slot<R>(slots, value); }
};
template <>
struct ResultOf<void> {
  using List = ValueList<>;
};
template <class... Ts>
struct ResultOf<std::tuple<Ts...>> {
  using List = ValueList<Ts...>;
  static std::tuple<Ts...> load(const Slot* slots) { return List::load(slots); }
  static void store(Slot* slots, const std::tuple<Ts...>& values) {
    std::apply([slots](const Ts&... each) { List::store(slots, each...); }, values);
  }
};

// R(Args...) as the guest sees it.
template <class Signature>
struct SignatureOf;
template <class R, class... Args>
struct SignatureOf<R(Args...)> {
  using Params = ValueList<Args...>;
  using Results = typename ResultOf<R>::List;
  // Room for whichever of the two is larger; never an empty array.
  static constexpr std::size_t kSlots = std::max<std::size_t>({std::size_t{1}, Params::kSlots, Results::kSlots});
};

// The parts of a host function's C++ signature: std::expected around its result, Caller& in front.
template <class R>
struct HostResult {
  using Value = R;
  static constexpr bool kCanFail = false;
};
template <class R>
struct HostResult<std::expected<R, Trap>> {
  using Value = R;
  static constexpr bool kCanFail = true;
};

template <class R, bool TakesCaller, class... Args>
struct HostSignature {
  using Result = HostResult<R>;
  using Params = ValueList<std::remove_cvref_t<Args>...>;
  using Results = typename ResultOf<typename Result::Value>::List;
  static constexpr bool kTakesCaller = TakesCaller;
};
template <class F>
struct HostSignatureOf;
template <class R, class... Args>
struct HostSignatureOf<R (*)(Args...)> : HostSignature<R, false, Args...> {};
template <class R, class... Args>
struct HostSignatureOf<R (*)(Caller&, Args...)> : HostSignature<R, true, Args...> {};
template <class R, class... Args>
struct HostSignatureOf<R (*)(Args...) noexcept> : HostSignatureOf<R (*)(Args...)> {};
template <class C, class R, class... Args>
struct HostSignatureOf<R (C::*)(Args...)> : HostSignatureOf<R (*)(Args...)> {};
template <class C, class R, class... Args>
struct HostSignatureOf<R (C::*)(Args...) const> : HostSignatureOf<R (*)(Args...)> {};
template <class C, class R, class... Args>
struct HostSignatureOf<R (C::*)(Args...) noexcept> : HostSignatureOf<R (*)(Args...)> {};
template <class C, class R, class... Args>
struct HostSignatureOf<R (C::*)(Args...) const noexcept> : HostSignatureOf<R (*)(Args...)> {};

template <class F>
struct CallableSignature {};
template <class F>
  requires requires { &F::operator(); }
struct CallableSignature<F> : HostSignatureOf<decltype(&F::operator())> {};
template <class R, class... Args>
struct CallableSignature<R (*)(Args...)> : HostSignatureOf<R (*)(Args...)> {};
template <class R, class... Args>
struct CallableSignature<R (*)(Args...) noexcept> : HostSignatureOf<R (*)(Args...)> {};

// A type with one operator() that is not a template, or a function pointer.
template <class F>
concept HostCallable = requires { typename CallableSignature<std::decay_t<F>>::Params; };

}  // namespace detail
}  // namespace wasi
