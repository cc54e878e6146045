// From preview1.def to functions that a guest can be linked with: types, decoding, tracing.
#include <array>
#include <tuple>
#include <type_traits>
#include <utility>

#include "runtime/memory.h"
#include "wasi/context.h"
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

// Appends "name=value" for each kind: as decoded, or the bare numbers from the first one on that was refused.
class ParameterList {
 public:
  ParameterList(std::string& out, const FunctionInfo& info, const runtime::Slot* raw, std::size_t decoded)
      : out_(out), names_(info.parameters), raw_(raw), decoded_(decoded) {}

  template <class Kind>
  void add(const Kind& kind, const Outcome& outcome) {
    if (index_ != 0) out_ += ", ";
    out_ += take_name(names_);
    out_ += '=';
    if (index_ < decoded_) {
      kind.describe(out_, outcome);
    } else {
      for (std::size_t i = 0; i < Kind::kInfo.signature.size(); ++i) {
        if (i != 0) out_ += ", ";
        describe_hex(out_, Kind::kInfo.signature[i] == 'I' ? raw_[i].u64 : raw_[i].u32);
      }
    }
    raw_ += Kind::kInfo.signature.size();
    ++index_;
  }

 private:
  std::string& out_;
  std::string_view names_;
  const runtime::Slot* raw_;
  std::size_t decoded_;
  std::size_t index_ = 0;
};

constexpr std::size_t kMostSlots = 9;  // path_open's

// One function of the table: its host body and its description.
template <const FunctionInfo& kInfo, auto kImplementation, class Result, class... Kinds>
struct Entry {
  static constexpr std::size_t kSlots = (std::size_t{0} + ... + Kinds::kInfo.signature.size());
  static_assert(kSlots <= kMostSlots);

  static std::optional<Trap> body(void* data, runtime::HostCall& host) {
    Context::State& state = static_cast<Context*>(data)->state();
    Call call{state, host, {}, std::nullopt};
    if constexpr ((false || ... || kUsesMemory<Kinds>)) {
      if (runtime::Memory* memory = host.memory(); memory != nullptr) call.memory = memory->bytes();
    }
    if (state.trace) [[unlikely]]
      return traced(call);
    std::tuple<Kinds...> kinds;
    std::size_t decoded = 0;
    return finish(call, run(call, kinds, decoded));
  }

 private:
  // Decodes all parameters, then calls the function. `decoded` counts how many were understood.
  static Result run(Call& call, std::tuple<Kinds...>& kinds, std::size_t& decoded) {
    Errno error = Errno::success;
    const runtime::Slot* slots = call.host.slots;
    const auto decode = [&](auto& kind) {
      error = kind.decode(call, slots);
      slots += std::remove_reference_t<decltype(kind)>::kInfo.signature.size();
      if (error != Errno::success) return false;
      ++decoded;
      return true;
    };
    std::apply([&](auto&... kind) { (void)(true && ... && decode(kind)); }, kinds);
    if constexpr (std::is_same_v<Result, Errno>) {
      if (error != Errno::success) [[unlikely]]
        return error;
    }
    return std::apply([&](auto&... kind) { return kImplementation(call, kind...); }, kinds);
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
    // The result takes the place of the first argument.
    std::array<runtime::Slot, kMostSlots> raw;
    std::copy_n(call.host.slots, kSlots, raw.begin());
    std::tuple<Kinds...> kinds;
    std::size_t decoded = 0;
    const Result result = run(call, kinds, decoded);

    std::string line(kInfo.name);
    line += '(';
    ParameterList list(line, kInfo, raw.data(), decoded);
    bool succeeded = true;
    if constexpr (std::is_same_v<Result, Errno>) succeeded = result == Errno::success && !call.trap;
    const Outcome outcome{call, succeeded};
    std::apply([&](const auto&... kind) { (list.add(kind, outcome), ...); }, kinds);
    line += ") = ";
    if constexpr (std::is_same_v<Result, Errno>) {
      if (call.trap) {
        line += "? (" + call.trap->message + ")";
      } else {
        line += name_of(result);
      }
    } else {
      line += '?';
    }
    {
      const std::lock_guard lock(call.state.trace_mutex);
      call.state.trace(line);
    }
    return finish(call, result);
  }
};

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
#define WASI_FUNCTION(name, result, parameters, what, ...) \
  constexpr FunctionInfo name = {#name, parameters, what, std::is_same_v<result, Errno>, KindList<__VA_ARGS__>::kInfos};
#include "wasi/preview1.def"
#undef WASI_FUNCTION
}  // namespace info

constexpr FunctionInfo kInfos[] = {
#define WASI_FUNCTION(name, result, parameters, what, ...) info::name,
#include "wasi/preview1.def"
#undef WASI_FUNCTION
};

}  // namespace

std::span<const FunctionInfo> function_infos() { return kInfos; }

std::span<const Function> functions() {
  static const Function kFunctions[] = {
#define WASI_FUNCTION(name, result, parameters, what, ...)            \
  {#name, KindList<__VA_ARGS__>::type(std::is_same_v<result, Errno>), \
   &Entry<info::name, &impl::name, result __VA_OPT__(, ) __VA_ARGS__>::body},
#include "wasi/preview1.def"
#undef WASI_FUNCTION
  };
  return kFunctions;
}

}  // namespace wasi::preview1
