// What stands behind the public handles, and the one place that may look inside of them.
//
// Ownership runs upwards: stores and modules own their engine, handles own their store. Members are destroyed in
// reverse order, so the engine, which owns tiers and types, is always declared first.
#pragma once

#include <wasi/wasi.h>

#include <any>
#include <array>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include "binary/names.h"
#include "engine/store_life.h"
#include "jit/baseline/optimisations.h"
#include "jit/common/code_image.h"
#include "jit/common/cpu_features.h"
#include "jit/common/unit_optimisations.h"
#include "runtime/instance.h"
#include "runtime/module_code.h"
#include "runtime/sample_counts.h"
#include "runtime/store.h"
#include "runtime/tier.h"
#include "runtime/tier_log.h"
#include "runtime/tier_policy.h"
#include "wasi/context.h"
#include "wasm/module.h"
#include "wasm/type_registry.h"

namespace wasi::jit {
class CodeSpace;
class NativeModule;
}  // namespace wasi::jit

namespace wasi::detail {

class CodeCache;
class StoredCode;

// What compilers do beyond the simplest code.
struct OptimisationCounters {
  jit::baseline::OptimisationCounts baseline = {};
  jit::UnitOptimisationCounts unit = {};
};
struct OptimisationSwitches {  // those that are off
  jit::baseline::OptimisationSet baseline = {};
  jit::UnitOptimisationSet unit = {};
};

struct EngineState {
  EngineConfig config;
  wasm::FeatureSet disabled_features;
  std::shared_ptr<wasm::TypeRegistry> registry;
  std::optional<jit::CpuFeatures> cpu;                  // that code is made for; empty: this machine's
  std::shared_ptr<jit::CodeSpace> code_space;           // null where no tier makes machine code
  std::shared_ptr<const CodeCache> cache;               // null: there is none, or nothing to keep
  std::unique_ptr<runtime::TierLog> tier_log;           // null: nobody wants to know
  std::unique_ptr<OptimisationCounters> optimisations;  // null: nobody wants to know, or nothing compiles
  OptimisationSwitches without;                         // for tests
  std::unique_ptr<runtime::Tier> tier;
  std::unique_ptr<runtime::TierPolicy> policy;  // null: functions stay in the tier that they are prepared for
};

inline runtime::BoundsChecks bounds_checks_of(const EngineConfig& config) {
  return config.bounds_checks == BoundsChecks::explicit_checks ? runtime::BoundsChecks::explicit_checks
                                                               : runtime::BoundsChecks::guard_pages;
}

// How an instance will most likely check bounds: where a memory turns out otherwise, code is of no use to it.
runtime::BoundsChecks likely_checks(const wasm::Module& module, const EngineConfig& config);

// Of an engine with a tier that makes machine code.
jit::NativeModule& native_of(runtime::ModuleCode& code);
// What code of the module has to be made for.
jit::CodeTarget target_of(const EngineState& engine, const wasm::Module& module);

struct ModuleState {
  ModuleState() = default;
  ~ModuleState() { keep_code(); }
  ModuleState(const ModuleState&) = delete;
  ModuleState& operator=(const ModuleState&) = delete;

  std::shared_ptr<EngineState> engine;
  std::shared_ptr<const wasm::Module> module;
  bool bodies_validated = false;
  ModuleMetrics metrics;
  std::function<Error(Error)> locate;  // of a text whose bodies are yet to be validated, see runtime::ModuleCode
  std::shared_ptr<const jit::CodeImage> image;  // that it was loaded from; null: none, or nobody executes its code
  std::shared_ptr<StoredCode> stored;           // null: there is no cache
  runtime::SampleCounts sample_counts;          // of an engine that records profiles

  // The code for each way of bounds checking, made when the module is first instantiated.
  std::span<const std::shared_ptr<runtime::ModuleCode>, runtime::kBoundsCheckModes> code();
  // Keeps in the cache what was compiled, once. Nobody runs the module any more.
  void keep_code();

 private:
  std::once_flag code_made_;
  std::array<std::shared_ptr<runtime::ModuleCode>, runtime::kBoundsCheckModes> code_;
  bool is_code_kept_ = false;
};

// A host function as it was given to a linker, before it belongs to a store.
struct HostDefinition {
  std::string module;
  std::string name;
  Result<wasm::TypeRef> type;  // an error, which instantiation tells, where it cannot be had
  HostThunks thunks = {};
  std::shared_ptr<void> callable;
};

// The same in a store: the data of its runtime::HostFunction.
struct BoundFunction : HostBinding {
  HostThunk thunk;
  std::shared_ptr<void> owner;  // of `callable`
  // Of a function that stands for an import of another type than its own: what it has to return. The registry's.
  const std::vector<wasm::ValType>* results = nullptr;
};

struct WasiDefinition {
  WasiConfig config;
};

// WASI in one store: the program's state, and the functions that were imported so far.
struct WasiState {
  std::shared_ptr<const WasiDefinition> definition;
  std::shared_ptr<preview1::Context> context;
  std::unordered_map<const preview1::Function*, runtime::FuncRef*> functions;
};

class WasiThreads;
struct BoundImports;  // prepared_instance.h

struct StoreState {
  std::shared_ptr<EngineState> engine;
  std::any data;
  runtime::Store store;
  // What linkers made here, found by the definition that it was made from (which the shared pointer keeps from being
  // replaced by another at the same address).
  std::unordered_map<std::shared_ptr<const HostDefinition>, runtime::FuncRef*> host_functions;
  // Those that stand for imports of other types than their own, by these.
  std::map<std::pair<std::shared_ptr<const HostDefinition>, std::uint32_t>, runtime::FuncRef*> adapted_functions;
  std::vector<WasiState> wasi;  // nearly always one
  // The same of prepared instances.
  std::vector<std::unique_ptr<BoundImports>> bound_imports;
  // What stands for functions that nobody defined: by module, name, number of the type.
  std::map<std::tuple<std::string, std::string, std::uint32_t, UnknownImports>, runtime::FuncRef*> unknown_functions;
  // Those that were instantiated here, or that it was tried with.
  std::unordered_map<const wasm::Module*, std::shared_ptr<ModuleState>> modules;
  // The threads of the programs that were instantiated here. First to go: they are ended and waited for.
  std::vector<std::unique_ptr<WasiThreads>> threads;

  StoreRecord& record;
  // Nobody has it any more but calls in progress.
  bool is_abandoned = false;
  // What uses the store beside calls in progress. When everybody else has let go of it, the last use destroys it.
  std::uint32_t holds = 0;

  // All stores are made by this.
  static std::shared_ptr<StoreState> make(std::shared_ptr<EngineState> engine, const runtime::StoreOptions& options);
  // That of a definition; without a context where nothing of it was imported yet.
  WasiState& wasi_of(const std::shared_ptr<const WasiDefinition>& definition);
  // To be called where a use of the store ends: destroys objects of the host that were found dead, and the store itself
  // where that use was the last.
  void settle();
  void destroy_dead_host_objects();
  ~StoreState();
  StoreState(const StoreState&) = delete;
  StoreState& operator=(const StoreState&) = delete;

 private:
  StoreState(std::shared_ptr<EngineState> owner, const runtime::StoreOptions& options);
  [[nodiscard]] bool is_in_use() const;
};

// Keeps a store for as long as this lives, although host functions that run meanwhile may drop its last handle.
class Hold {
 public:
  explicit Hold(StoreState& store) : store_(store) { ++store_.holds; }
  ~Hold() {
    --store_.holds;
    store_.settle();
  }
  Hold(const Hold&) = delete;
  Hold& operator=(const Hold&) = delete;

 private:
  StoreState& store_;
};

// What stands behind a DefinedType.
struct TypeDefinition {
  std::shared_ptr<EngineState> engine;
  wasm::TypeRef type;
};

struct LinkerState {
  using Key = std::pair<std::string, std::string>;  // module, name
  struct Less {
    using is_transparent = void;
    using View = std::pair<std::string_view, std::string_view>;
    bool operator()(const View& a, const View& b) const { return a < b; }
  };
  struct Definition {
    // One of the three.
    std::shared_ptr<const HostDefinition> host;
    std::optional<Extern> object;
    std::optional<SharedMemory> memory;
  };
  std::shared_ptr<EngineState> engine;
  std::map<Key, Definition, Less> definitions;
  std::shared_ptr<const WasiDefinition> wasi;
  UnknownImports unknown_imports = UnknownImports::error;
  bool allows_redefinition = false;
  std::optional<Error> refused;  // of the first definition whose name was taken
};

// Opens the handles: the only friend that all of them have.
struct Internals {
  static const std::shared_ptr<EngineState>& state(const Engine& engine) { return engine.state_; }
  static Engine engine(std::shared_ptr<EngineState> state) { return Engine(std::move(state)); }
  static const std::shared_ptr<ModuleState>& state(const Module& module) { return module.state_; }
  static const std::shared_ptr<StoreState>& state(const Store& store) { return store.state_; }
  static Module module(std::shared_ptr<ModuleState> state) { return Module(std::move(state)); }
  static Function function(const StoreRef& store, runtime::FuncRef* function) { return {store, function}; }
  static runtime::FuncRef* function(const Function& function) { return function.function_; }
  static InstancePre prepared(std::shared_ptr<const PreparedInstance> state) { return InstancePre(std::move(state)); }
  static Instance instance(const StoreRef& store, runtime::Instance* instance) {
    return {store, instance, instance->id};
  }
  static runtime::Instance* instance(const Instance& instance) { return instance.instance_; }
  static const StoreRef& store(const Instance& instance) { return instance.store_; }
  static Memory memory(const StoreRef& store, runtime::Memory* memory) {
    Memory handle;
    handle.store_ = store;
    handle.memory_ = memory;
    return handle;
  }
  static SharedMemory shared_memory(std::shared_ptr<runtime::MemoryStorage> storage) {
    return SharedMemory(std::move(storage));
  }
  static const std::shared_ptr<runtime::MemoryStorage>& storage(const SharedMemory& memory) { return memory.storage_; }
  static Extern external(const StoreRef& store, const runtime::External& object);
  static const StoreRef& store(const Extern& object) { return object.store_; }
  static runtime::External external(const Extern& object);
  static StoreState& store(const Caller& caller) { return *caller.store_; }
  static std::optional<Exception> exception(StoreState& store, const Trap& trap);
  static StoreContext context(const StoreRef& store) { return StoreContext(store); }
  static const StoreRef& store(const StoreContext& context) { return context.store_; }
  static DefinedType defined_type(std::shared_ptr<EngineState> engine, wasm::TypeRef type);
  // `held` is held by somebody.
  static DefinedType defined_type(const std::shared_ptr<EngineState>& engine, wasm::TypeId held);
  static const TypeDefinition& definition(const DefinedType& type) { return *type.definition_; }
  // A Struct or an Array.
  template <class Handle>
  static Handle object(const StoreRef& store, Value value) {
    return Handle(store, std::move(value));
  }
  // The same reference as one of another type, which is known to fit.
  static Value retyped(Value value, ValueType type) {
    value.type_ = type;
    return value;
  }
  static const runtime::HostRoot* root(const Value& value) { return value.root_.get(); }
  static const std::shared_ptr<const runtime::HostRoot>& shared_root(const Value& value) { return value.root_; }
  static void set_root(Value& value, std::shared_ptr<const runtime::HostRoot> root) { value.root_ = std::move(root); }
  static Caller caller(StoreState& store, runtime::Instance* instance) { return Caller(store, instance); }
  static Result<preview1::Config> wasi(const WasiConfig& config);
  static std::uint32_t max_threads(const WasiConfig& config) { return config.max_threads_; }
};

}  // namespace wasi::detail
