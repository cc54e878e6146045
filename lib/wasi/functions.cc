// From preview1.def to functions that a guest can be linked with: types, decoding, tracing.
#include <algorithm>
#include <array>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/guard.h"
#include "runtime/memory.h"
#include "wasi/context.h"
#include "wasi/snapshot0.h"
#include "wasi/table.h"

namespace wasi::preview1 {
namespace {

template <class Kind>
constexpr bool kUsesMemory = Kind::kInfo.shape != Shape::value && Kind::kInfo.shape != Shape::fd;

// The next of several names that are separated by spaces.
std::string_view take_name(std::string_view& names) {
  const std::size_t space = names.find(' ');
  const std::string_view name = names.substr(0, space);
  names.remove_prefix(space == std::string_view::npos ? names.size() : space + 1);
  return name;
}

// A kind whose result goes into guest memory when the call has succeeded.
template <class Kind>
concept IsEncoded = requires(Kind& kind) { kind.encode(); };

template <class Kind>
concept HasArgument = requires(const Kind& kind, std::string& out, Detail detail) { kind.describe(out, detail); };
template <class Kind>
concept HasResult = requires(const Kind& kind, std::string& out, Detail detail) { kind.describe_result(out, detail); };

// Appends "name=value" for each kind, in two goes. Before the call: up to the first one that has a result to show or
// was refused. After it: the others; as bare numbers where there is nothing to show.
class ParameterList {
 public:
  ParameterList(const FunctionInfo& info, const runtime::Slot* raw, std::size_t decoded, std::size_t string_size)
      : names_(info.parameters), raw_(raw), decoded_(decoded), detail_{string_size, std::nullopt} {}

  template <class... Kinds>
  void before(std::string& out, const std::tuple<Kinds...>& kinds) {
    std::apply([&](const auto&... kind) { (void)(true && ... && add_argument(out, kind)); }, kinds);
  }
  template <class... Kinds>
  void after(std::string& out, const std::tuple<Kinds...>& kinds, bool succeeded) {
    succeeded_ = succeeded;
    if (succeeded) std::apply([&](const auto&... kind) { (find_count(kind), ...); }, kinds);
    std::size_t index = 0;
    std::apply([&](const auto&... kind) { (add_rest(out, kind, index++), ...); }, kinds);
  }

 private:
  void add_name(std::string& out) {
    if (shown_ != 0) out += ", ";
    out += take_name(names_);
    out += '=';
    ++shown_;
  }
  template <class Kind>
  void add_raw(std::string& out) {
    add_name(out);
    for (std::size_t i = 0; i < Kind::kInfo.signature.size(); ++i) {
      if (i != 0) out += ", ";
      const std::uint64_t value = Kind::kInfo.signature[i] == 'I' ? raw_[i].u64 : raw_[i].u32;
      Kind::kInfo.shape == Shape::fd ? describe_value(out, value) : describe_hex(out, value);
    }
    raw_ += Kind::kInfo.signature.size();
  }
  // False when this or the next one has to wait for the end of the call.
  template <class Kind>
  bool add_argument(std::string& out, const Kind& kind) {
    if constexpr (HasArgument<Kind>) {
      if (shown_ == decoded_) return false;
      add_name(out);
      kind.describe(out, detail_);
      raw_ += Kind::kInfo.signature.size();
      return !HasResult<Kind>;
    }
    return false;
  }
  template <class Kind>
  void add_rest(std::string& out, const Kind& kind, std::size_t index) {
    if (index < shown_) {
      if constexpr (HasArgument<Kind> && HasResult<Kind>) {
        if (succeeded_) kind.describe_result(out, detail_);
      }
      return;
    }
    if constexpr (HasResult<Kind>) {
      if (!succeeded_) return add_raw<Kind>(out);
      add_name(out);
      kind.describe_result(out, detail_);
      raw_ += Kind::kInfo.signature.size();
    } else {
      if (index >= decoded_) return add_raw<Kind>(out);
      add_name(out);
      kind.describe(out, detail_);
      raw_ += Kind::kInfo.signature.size();
    }
  }
  // Functions that fill buffers say how far in the one number of 32 bits that they give back.
  template <class Kind>
  void find_count(const Kind& kind) {
    if constexpr (std::is_same_v<Kind, Out<OutU32>>) {
      detail_.count = kind.value;
    }
  }

  std::string_view names_;
  const runtime::Slot* raw_;
  std::size_t decoded_;
  Detail detail_;
  std::size_t shown_ = 0;
  bool succeeded_ = false;
};

constexpr std::size_t kMostSlots = 9;  // path_open's

// One function of the table: its host body and its description.
template <const FunctionInfo& kInfo, auto kImplementation, class Result, class... Kinds>
struct Entry {
  static constexpr std::size_t kSlots = (std::size_t{0} + ... + Kinds::kInfo.signature.size());
  static_assert(kSlots <= kMostSlots);

  static std::optional<Trap> body(void* data, runtime::HostCall& host) {
    Context::State& state = static_cast<Context*>(data)->state();
    Call call{state, host, nullptr, std::nullopt, nullptr};
    if constexpr ((false || ... || kUsesMemory<Kinds>)) {
      call.memory = host.memory();
    }
    if constexpr (std::is_same_v<Result, Errno>) {
      return guarded([&] { return answer(call); }, [&](const Error&) { return finish(call, Errno::nomem); });
    } else {
      return answer(call);
    }
  }

 private:
  static std::optional<Trap> answer(Call& call) {
    if (call.state.trace) [[unlikely]]
      return traced(call);
    std::tuple<Kinds...> kinds;
    const Decoded decoded = decode(call, kinds);
    return finish(call, run(call, kinds, decoded.error));
  }

  struct Decoded {
    Errno error = Errno::success;
    std::size_t count = 0;  // of the parameters that were understood
  };
  static Decoded decode(Call& call, std::tuple<Kinds...>& kinds) {
    Decoded decoded;
    const runtime::Slot* slots = call.host.slots;
    const auto next = [&](auto& kind) {
      decoded.error = kind.decode(call, slots);
      slots += std::remove_reference_t<decltype(kind)>::kInfo.signature.size();
      if (decoded.error != Errno::success) return false;
      ++decoded.count;
      return true;
    };
    std::apply([&](auto&... kind) { (void)(true && ... && next(kind)); }, kinds);
    return decoded;
  }

  // Calls the function, when all parameters have been understood.
  static Result run(Call& call, std::tuple<Kinds...>& kinds, Errno error) {
    if constexpr (std::is_same_v<Result, Errno>) {
      if (error != Errno::success) [[unlikely]]
        return error;
    }
    const Result result = std::apply([&](auto&... kind) { return kImplementation(call, kind...); }, kinds);
    if constexpr ((false || ... || IsEncoded<Kinds>)) {
      if (result == Errno::success) std::apply([](auto&... kind) { (encode(kind), ...); }, kinds);
    }
    return result;
  }
  template <class Kind>
  static void encode(Kind& kind) {
    if constexpr (IsEncoded<Kind>) kind.encode();
  }

  static std::optional<Trap> finish(Call& call, Errno error) {
    if (call.trap) [[unlikely]]
      return std::move(call.trap);
    call.host.slots[0].u64 = static_cast<std::uint16_t>(error);
    return std::nullopt;
  }
  static std::optional<Trap> finish(Call&, Exit exit) {
    Trap trap;
    trap.code = TrapCode::exit;
    trap.message = message_of(TrapCode::exit);
    trap.exit_status = static_cast<std::int32_t>(exit.status);
    return trap;
  }

  [[gnu::cold, gnu::noinline]] static std::optional<Trap> traced(Call& call) {
    Tracer& tracer = *call.state.trace;
    // The result takes the place of the first argument.
    std::array<runtime::Slot, kMostSlots> raw;
    std::copy_n(call.host.slots, kSlots, raw.begin());
    std::tuple<Kinds...> kinds;
    const Decoded decoded = decode(call, kinds);
    if (!tracer.shows(kInfo.name)) return finish(call, run(call, kinds, decoded.error));

    CallTrace trace(tracer, kInfo.name);
    ParameterList list(kInfo, raw.data(), decoded.count, tracer.config().string_size);
    list.before(trace.text(), kinds);
    call.trace = &trace;
    trace.starts();
    const Result result = run(call, kinds, decoded.error);
    trace.ended();
    bool succeeded = !call.trap;
    if constexpr (std::is_same_v<Result, Errno>) succeeded = succeeded && result == Errno::success;
    list.after(trace.text(), kinds, succeeded);
    trace.text() += ") = ";
    if constexpr (std::is_same_v<Result, Errno>) {
      if (call.trap) {
        trace.text() += "? (" + call.trap->message + ")";
      } else {
        describe_error(trace.text(), result);
      }
    } else {
      trace.text() += '?';
    }
    trace.write();
    return finish(call, result);
  }
};

// The same of snapshot 0, which has the same number of parameters for each kind.
template <const FunctionInfo& kInfo, auto kImplementation, class Result, class... Kinds>
using OldEntry = Entry<kInfo, kImplementation, Result, typename snapshot0::Old<Kinds>::Type...>;

template <class... Kinds>
struct KindList {
  static constexpr std::array<ParamInfo, sizeof...(Kinds)> kInfos = {Kinds::kInfo...};

  static wasm::FuncType type(bool returns) {
    wasm::FuncType type;
    for (const ParamInfo& info : kInfos) {
      for (const char letter : info.signature) type.params.push_back(letter == 'I' ? wasm::kI64 : wasm::kI32);
    }
    if (returns) type.results.push_back(wasm::kI32);
    return type;
  }
};

namespace info {
#define WASI_FUNCTION(name, since, result, capability, parameters, what, hosts, ...)             \
  constexpr FunctionInfo name = {#name, Since::since, Capability::capability,        parameters, \
                                 what,  hosts,        std::is_same_v<result, Errno>, KindList<__VA_ARGS__>::kInfos};
#include "wasi/preview1.def"
#undef WASI_FUNCTION
}  // namespace info

constexpr FunctionInfo kInfos[] = {
#define WASI_FUNCTION(name, since, result, capability, parameters, what, hosts, ...) info::name,
#include "wasi/preview1.def"
#undef WASI_FUNCTION
};

constexpr CapabilityInfo kCapabilities[] = {
#define WASI_CAPABILITY(name, what, needs, options) {Capability::name, #name, what, needs, options},
#include "wasi/capabilities.def"
#undef WASI_CAPABILITY
};

}  // namespace

std::span<const FunctionInfo> function_infos() { return kInfos; }
std::span<const CapabilityInfo> capability_infos() { return kCapabilities; }

std::span<const Function> functions(std::string_view module) {
  if (module == kModuleName) {
    static const Function kFunctions[] = {
#define WASI_FUNCTION(name, since, result, capability, parameters, what, hosts, ...) \
  {#name, KindList<__VA_ARGS__>::type(std::is_same_v<result, Errno>),                \
   &Entry<info::name, &impl::name, result __VA_OPT__(, ) __VA_ARGS__>::body},
#include "wasi/preview1.def"
#undef WASI_FUNCTION
    };
    return kFunctions;
  }
  if (module == kOldModuleName) {
    static const std::vector<Function> kFunctions = [] {
      std::vector<Function> all;
#define WASI_FUNCTION(name, since, result, capability, parameters, what, hosts, ...)              \
  if constexpr (Since::since == Since::snapshot0) {                                               \
    all.push_back({#name, KindList<__VA_ARGS__>::type(std::is_same_v<result, Errno>),             \
                   &OldEntry<info::name, &impl::name, result __VA_OPT__(, ) __VA_ARGS__>::body}); \
  }
#include "wasi/preview1.def"
#undef WASI_FUNCTION
      return all;
    }();
    return kFunctions;
  }
  return {};
}

const Function* find_function(std::string_view module, std::string_view name) {
  const auto all = functions(module);
  const auto found = std::ranges::find(all, name, &Function::name);
  return found == all.end() ? nullptr : &*found;
}

}  // namespace wasi::preview1
