// The linker: names for what modules import, and instantiation.
// Source: https://webassembly.github.io/spec/core/exec/modules.html#instantiation
#pragma once

#include <wasi/caller.h>
#include <wasi/detail/export.h>
#include <wasi/detail/host_thunk.h>
#include <wasi/detail/memory.h>
#include <wasi/detail/signature.h>
#include <wasi/engine.h>
#include <wasi/error.h>
#include <wasi/instance.h>
#include <wasi/module.h>
#include <wasi/store.h>
#include <wasi/trap.h>
#include <wasi/wasi_config.h>

#include <concepts>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace wasi {

namespace detail {
struct LinkerState;
struct PreparedInstance;
}  // namespace detail

// What instantiation does about imports that nobody defined: neither the linker nor WASI.
enum class UnknownImports : std::uint8_t {
  // It fails.
  error,
  // Functions trap when they are called (TrapCode::unknown_import, with the import's name), so that modules run which
  // import what they never call. Other kinds are an error as before: a module imports a memory, a table, a global or a
  // tag to have it together with somebody else, and nobody would notice that it has it alone.
  trap,
  // Functions do nothing and return zeros and null references; one that has to return a reference which cannot be null
  // traps. Memories and tables are new ones of their least size, globals zero or null, tags new; what cannot be null
  // is an error. For looking at what a module does, not for running it in earnest.
  zero,
};

// What a linker has for a name.
struct Definition {
  std::string module;
  std::string name;
  std::optional<ExternType> type;  // empty: of an object whose store is gone, or of a function that cannot be had
};

// An instantiation of which everything was found out before: imports are looked up and functions' types compared once,
// when Linker::prepare makes it, and never again. A handle to something immutable: copies share it, any number of
// threads may instantiate it at once, each with a store of its own. What the linker defines later changes nothing in
// it.
class InstancePre {
 public:
  InstancePre(const InstancePre&) = default;  // no moves: a moved-from handle stays valid
  InstancePre& operator=(const InstancePre&) = default;

  [[nodiscard]] WASI_API Module module() const;
  // As Linker::instantiate.
  [[nodiscard]] WASI_API std::expected<Instance, InstantiationError> instantiate(Store& store) const;
  // The same, but the program gets this configuration of WASI instead of the one that the linker was given, for
  // arguments and streams that are another program's each time.
  [[nodiscard]] WASI_API std::expected<Instance, InstantiationError> instantiate(Store& store, WasiConfig config) const;

 private:
  friend struct detail::Internals;
  explicit InstancePre(std::shared_ptr<const detail::PreparedInstance> state) : state_(std::move(state)) {}
  std::shared_ptr<const detail::PreparedInstance> state_;
};

// Definitions by (module, name), one each. Functions of the host and WASI can be instantiated in any number of stores;
// definitions that belong to a store (externs, instances) in theirs only. Several threads may call `instantiate` at
// once, each with a store of its own; define from one thread. Host functions then run on all of those threads and must
// bear it. A linker that was moved from may be destroyed or assigned to, nothing else.
//
// A name that is defined twice is an error, which instantiate(), prepare() and get() tell from then on, whatever they
// are asked for (error()), unless allow_redefinition() says otherwise. A name of WASI's own is none of these: what is
// defined goes before what define_wasi() offers.
class Linker {
 public:
  WASI_API explicit Linker(const Engine& engine);
  WASI_API Linker(Linker&&) noexcept;
  WASI_API Linker& operator=(Linker&&) noexcept;
  Linker(const Linker&) = delete;
  Linker& operator=(const Linker&) = delete;
  WASI_API ~Linker();

  // A function of the host: a lambda, function object or function pointer, of the types that Function::create has.
  template <class F>
    requires(!std::convertible_to<F, Extern> && !std::convertible_to<F, const SharedMemory&>)
  Linker& define(std::string_view module, std::string_view name, F&& function) {
    using Callable = std::decay_t<F>;
    if constexpr (detail::check_host_function<Callable>()) {
      using Signature = detail::CallableSignature<Callable>;
      return define_host(module, name, Signature::Params::kTypes, Signature::Results::kTypes,
                         detail::host_thunks<Callable>(), std::make_shared<Callable>(std::forward<F>(function)));
    } else {
      return *this;
    }
  }

  // A function whose type is known at run time only.
  using UntypedFunction = wasi::UntypedFunction;
  WASI_API Linker& define_untyped(std::string_view module, std::string_view name, FunctionType type,
                                  UntypedFunction function);

  // An object of a store.
  WASI_API Linker& define(std::string_view module, std::string_view name, const Extern& object);
  // A shared memory, for any number of stores.
  WASI_API Linker& define(std::string_view module, std::string_view name, const SharedMemory& memory);
  // All exports of an instance, under its new module name.
  WASI_API Linker& define_instance(std::string_view module, const Instance& instance);
  // The functions of "wasi_snapshot_preview1", and of the older "wasi_unstable". Each store gets a program state
  // (descriptors, arguments) of its own, made when the first module that imports one of them is instantiated there. And
  // wasi-threads: to a module that imports "wasi" "thread-spawn" the linker gives that function, and makes the shared
  // memories that the module imports and nobody defines. A thread is an instance of the module in a store of its own,
  // made with the definitions that the linker had when the first one was instantiated; its Caller::data() is a copy. A
  // trap or an exit on one of the threads ends all: calls into the module's store then trap with what ended it. Threads
  // that still run when the store goes are ended and waited for.
  WASI_API Linker& define_wasi(WasiConfig config);

  // Whether a later definition may take the place of an earlier one of its name, for instances made after it; so may a
  // later define_wasi(). From now on; false by default.
  WASI_API Linker& allow_redefinition(bool allowed);
  // From now on; `error` is the default. A definition of another type than the module asks for stays an error.
  WASI_API Linker& unknown_imports(UnknownImports choice);

  // Null, or the first definition that was refused: `argument`, with its name.
  [[nodiscard]] WASI_API const Error* error() const;
  // What an import of that name would get in `store`; `argument` when nothing is defined by it, or when it is an object
  // of another store.
  [[nodiscard]] WASI_API Result<Extern> get(Store& store, std::string_view module, std::string_view name) const;
  // All that is defined, by module and name in the order of their bytes: then what WASI offers besides.
  [[nodiscard]] WASI_API std::vector<Definition> definitions() const;

  // Instantiates in `store`, which must be of the same engine, and runs the start function.
  [[nodiscard]] WASI_API std::expected<Instance, InstantiationError> instantiate(Store& store,
                                                                                 const Module& module) const;
  // Does now what does not depend on a store, for a module that is instantiated often. Fails as instantiate() would for
  // a missing import, or a function of another type.
  [[nodiscard]] WASI_API Result<InstancePre> prepare(const Module& module) const;

 private:
  WASI_API Linker& define_host(std::string_view module, std::string_view name, std::span<const ValueType> params,
                               std::span<const ValueType> results, detail::HostThunks thunks,
                               std::shared_ptr<void> callable);
  std::unique_ptr<detail::LinkerState> state_;
};

}  // namespace wasi
