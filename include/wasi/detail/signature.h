// How C++ signatures become Wasm types and slots: the compile-time half of typed calls. Not for direct use.
//
// A slot is 8 bytes; arguments and results lie in consecutive slots, a v128 in two (the frame's layout).
#pragma once

#include <wasi/detail/references.h>
#include <wasi/error.h>
#include <wasi/trap.h>
#include <wasi/values.h>

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

template <SignatureValue T>
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
    *slot = to_bits(value);
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
    return from_bits<T>(*slot);
  }
}

// A list of value types: their Wasm types, and where each begins. It may be named for other types, too, of which the
// checks below tell.
template <class... Ts>
struct ValueList {
  static constexpr bool kIsFine = (true && ... && SignatureValue<Ts>);  // else nothing else is of any use
  static constexpr bool kHasReferences = (false || ... || ReferenceType<Ts>);
  static constexpr std::size_t kCount = sizeof...(Ts);
  static constexpr std::size_t kSlots = (0 + ... + kSlotsOf<Ts>);
  static constexpr std::array<ValueType, kCount> kTypes = {signature_type_of<Ts>()...};
  static constexpr std::array<bool, kCount> kAreReferences = {ReferenceType<Ts>...};
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

// What a function returns, as a list: void, a value or a tuple of values. In slots, or as Values where references are
// among them.
template <class R>
struct ResultOf {
  using List = ValueList<R>;
  static R load(const Slot* slots) { return from_slot<R>(slots); }
  static void store(Slot* slots, const R& value) { to_slot<R>(slots, value); }
  static std::array<Result<Value>, 1> to_values(const StoreContext& store, const R& value) {
    return {to_value<R>(store, value)};
  }
  static std::expected<R, Trap> from_values(const StoreContext& store, std::span<const Value> values) {
    std::optional<R> result = from_value<R>(store, values[0]);
    if (!result) return std::unexpected(wrong_reference("result", 0, values[0]));
    return *std::move(result);
  }
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
  static std::array<Result<Value>, sizeof...(Ts)> to_values(const StoreContext& store,
                                                            const std::tuple<Ts...>& values) {
    return std::apply(
        [&](const Ts&... each) { return std::array<Result<Value>, sizeof...(Ts)>{to_value<Ts>(store, each)...}; },
        values);
  }
  static std::expected<std::tuple<Ts...>, Trap> from_values(const StoreContext& store, std::span<const Value> values) {
    return from_values(store, values, std::index_sequence_for<Ts...>());
  }

 private:
  template <std::size_t... I>
  static std::expected<std::tuple<Ts...>, Trap> from_values(const StoreContext& store, std::span<const Value> values,
                                                            std::index_sequence<I...> /*unused*/) {
    std::tuple<std::optional<Ts>...> results{from_value<Ts>(store, values[I])...};
    std::optional<Trap> wrong;
    ((wrong || std::get<I>(results) ? void() : void(wrong = wrong_reference("result", I, values[I]))), ...);
    if (wrong) return std::unexpected(*std::move(wrong));
    return std::tuple<Ts...>(*std::get<I>(std::move(results))...);
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
  static constexpr std::size_t kSlots = Params::kSlots + Results::kSlots == 0 ? 1
                                        : Params::kSlots > Results::kSlots    ? Params::kSlots
                                                                              : Results::kSlots;
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
concept HostCallable = requires { typename CallableSignature<F>::Params; };

// What compilers say of a signature that cannot be: one sentence, with the type in the note below it. The callers then
// leave out what would fail for the same reason.
template <class T>
constexpr bool check_parameter() {
  constexpr bool is_value = SignatureValue<T>;
  static_assert(is_value,
                "wasi: a parameter has a type that stands for no Wasm value; "
                "those that do are integers and enumerations "
                "of 32 or 64 bits, bool, float, double, wasi::V128, "
                "wasi::ExternRef (in host functions behind an "
                "optional first wasi::Caller&)");
  return is_value;
}
template <class T>
constexpr bool check_result() {
  constexpr bool is_value = SignatureValue<T>;
  static_assert(is_value,
                "wasi: a result has a type that stands for no Wasm value; a "
                "function returns void, an integer or "
                "enumeration of 32 or 64 bits, bool, float, double, "
                "wasi::V128, wasi::ExternRef, a reference "
                "(wasi::Function, Struct, Array, AnyRef, I31, HostObject, "
                "std::shared_ptr, std::optional of these), a "
                "std::tuple of these (and a host function also "
                "std::expected<one of them, wasi::Trap>)");
  return is_value;
}
template <class List>
struct Checks;
template <class... Ts>
struct Checks<ValueList<Ts...>> {
  // All of them, so that each is told of.
  static constexpr bool parameters() {
    bool all = true;
    ((all = check_parameter<Ts>() && all), ...);
    return all;
  }
  static constexpr bool results() {
    bool all = true;
    ((all = check_result<Ts>() && all), ...);
    return all;
  }
};

template <class F>
constexpr bool check_host_function() {
  constexpr bool is_callable = HostCallable<F>;
  static_assert(is_callable,
                "wasi: a host function is a function pointer or an object with "
                "a single operator() that is no template: "
                "a generic lambda (auto) has to say the types of its "
                "parameters, of overloads one has to be chosen");
  if constexpr (is_callable) {
    using Signature = CallableSignature<F>;
    const bool has_parameters = Checks<typename Signature::Params>::parameters();
    return Checks<typename Signature::Results>::results() && has_parameters;
  } else {
    return false;
  }
}

template <class Signature>
struct SignatureCheck {
  static constexpr bool run() {
    static_assert(sizeof(Signature*) == 0,
                  "wasi: the type of a function is written as in "
                  "function<std::int32_t(std::int64_t, float)>(...)");
    return false;
  }
};
template <class R, class... Args>
struct SignatureCheck<R(Args...)> {
  static constexpr bool run() {
    const bool has_parameters = Checks<ValueList<Args...>>::parameters();
    return Checks<typename ResultOf<R>::List>::results() && has_parameters;
  }
};
template <class Signature>
inline constexpr bool kIsSignature = false;
template <class R, class... Args>
inline constexpr bool kIsSignature<R(Args...)> = (true && ... && SignatureValue<Args>) && ResultOf<R>::List::kIsFine;

template <class R, class... Args>
constexpr bool has_references() {
  return ValueList<Args...>::kHasReferences || ResultOf<R>::List::kHasReferences;
}
template <class Signature>
constexpr bool check_signature() {
  return SignatureCheck<Signature>::run();
}

}  // namespace detail
}  // namespace wasi
