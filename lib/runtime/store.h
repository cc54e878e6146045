// The store: owner of all that instances are made of, and of the state of their execution.
//
// Used by one thread at a time. Objects live until the store ends, since guests refer to each other freely.
// Source: https://webassembly.github.io/spec/core/exec/runtime.html#store
#pragma once

#include <wasi/error.h>
#include <wasi/trap.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "os/thread_stack.h"
#include "runtime/exec_state.h"
#include "runtime/host_entry.h"
#include "runtime/host_function.h"
#include "runtime/memory.h"
#include "runtime/module_code.h"
#include "runtime/program.h"
#include "runtime/tuning.h"
#include "wasm/type_registry.h"

namespace wasi::runtime {

class Instance;
class GcHeap;
class HostRoot;
class Marker;

// A table: its type, its elements.
struct Table {
  TableView view;  // first: instances point to it
  wasm::TableType type;
  std::vector<void*> elements;
  Store* store = nullptr;

  // `limit` where the store has no room for the type's minimum.
  static Result<std::unique_ptr<Table>> create(Store& store, const wasm::TableType& type, void* init);
  // Adds `delta` elements that hold `init` within type and limits; the old size, or -1.
  std::int64_t grow(std::uint64_t delta, void* init);
};

struct Global {
  Slot cell[2] = {};
  wasm::GlobalType type;
};

struct Tag {
  wasm::TypeId type;
  std::uint32_t slot_count = 0;  // of the values that it carries
};

struct StoreLimits {
  std::uint64_t memory_bytes = UINT64_MAX;    // of all memories, tables and translated functions together
  std::uint64_t table_elements = 10'000'000;  // per table
  std::uint64_t instances = 10'000;
  std::uint64_t stack_bytes = kDefaultStackBytes;  // of the Wasm stack
  std::uint64_t gc_heap_bytes = UINT64_MAX;
};

// What a store has more of when something is made or grows: bytes of a memory, elements of a table, instances.
enum class Resource : std::uint8_t { memory, table, instance };
// Whether it may. What it throws means no.
using GrowthLimiter = std::function<bool(Resource resource, std::uint64_t current, std::uint64_t desired,
                                         std::optional<std::uint64_t> maximum)>;

// Calls between host and guest, for whoever is told of them: of the guest's function that the host calls, or of the
// host's that a guest calls. What it throws is lost.
enum class Crossing : std::uint8_t { enters_guest, leaves_guest, enters_host, leaves_host };
using CallObserver = std::function<void(Store& store, Crossing crossing, FuncRef& function, bool failed)>;

struct StoreOptions {
  StoreLimits limits;
  BoundsChecks checks = BoundsChecks::guard_pages;
  bool gc_stress = false;             // collect at every allocation of an object
  os::StackBounds native_stack = {};  // that calls are made on, where the embedder switches stacks and says so
  std::shared_ptr<const GrowthLimiter> limiter = nullptr;  // null: the limits alone say what may grow
  std::shared_ptr<const CallObserver> observer = nullptr;  // null: nobody is told of calls
};

// A host function of which everything is known before it belongs to a store. Whoever gives it keeps its type, its data
// and its names for as long as the store lives.
struct KnownHostFunction {
  wasm::TypeId type = {};
  std::uint32_t slot_count = 0;  // see HostFunction
  HostBody body = nullptr;
  void* data = nullptr;
  void (*direct)() = nullptr;
  void* direct_data = nullptr;
  std::string_view module = {};
  std::string_view name = {};
};

// What an import can be given, and what an export is.
struct External {
  wasm::ExternalKind kind = wasm::ExternalKind::func;
  union {
    FuncRef* func;
    Table* table;
    Memory* memory;
    Global* global;
    Tag* tag;
  };
  External() : func(nullptr) {}
  explicit External(FuncRef* f) : kind(wasm::ExternalKind::func), func(f) {}
  explicit External(Table* t) : kind(wasm::ExternalKind::table), table(t) {}
  explicit External(Memory* m) : kind(wasm::ExternalKind::memory), memory(m) {}
  explicit External(Global* g) : kind(wasm::ExternalKind::global), global(g) {}
  explicit External(Tag* t) : kind(wasm::ExternalKind::tag), tag(t) {}
};

class Store {
 public:
  Store(std::shared_ptr<wasm::TypeRegistry> registry, StoreOptions options);
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  [[nodiscard]] ExecState& exec() { return exec_; }
  [[nodiscard]] const ExecState& exec() const { return exec_; }
  [[nodiscard]] wasm::TypeRegistry& registry() const { return *registry_; }
  [[nodiscard]] const StoreOptions& options() const { return options_; }
  // Tells stores apart, also those that are gone.
  [[nodiscard]] const std::shared_ptr<const void>& identity() const;

  // Host-made objects; pointers are valid until the store ends. The types are held by the caller meanwhile, and by the
  // store for as long.
  HostFunction* add_host_function(wasm::TypeId type, HostBody body, std::shared_ptr<void> data);
  // Lets machine code call it without slots (HostFunction::direct), unless somebody is to be told of calls.
  void offer_direct(HostFunction& function, void (*direct)(), void* direct_data);
  // All that an instance imports at once, in one piece of memory.
  std::span<HostFunction> add_host_functions(std::span<const KnownHostFunction> functions);
  Result<Memory*> add_memory(const wasm::MemoryType& type);
  // A shared memory that other stores may have, too; the same one again for the same storage.
  Result<Memory*> add_memory(const std::shared_ptr<MemoryStorage>& storage);
  Result<Table*> add_table(const wasm::TableType& type, void* init);
  // `high` is the upper half of a v128.
  Global* add_global(const wasm::GlobalType& type, Slot value, Slot high = {});
  Tag* add_tag(wasm::TypeId type);
  // An exception with the values in `slots`, which lie in roots (gc_heap.h); null when the heap is full.
  Exception* make_exception(Tag& tag, const Slot* slots);

  // Instantiates: imports in the module's order (matched by the caller or here: mismatches are
  // `unlinkable` errors that name both types), segments, start function. A trap in a segment or in the
  // start function is the second kind of failure; earlier writes stay, as the spec says.
  // One ModuleCode per way of bounds checking: the one that fits the memories is used.
  struct InstantiationFailure {
    std::optional<Error> error;
    std::optional<Trap> trap;
  };
  // `functions_match`: those among the imports are known to be of the types that the module asks for.
  std::expected<Instance*, InstantiationFailure> instantiate(
      std::span<const std::shared_ptr<ModuleCode>, kBoundsCheckModes> code, std::span<const External> imports,
      bool functions_match = false);

  // Calls from the host: arguments and results in slots (v128: two each), whose layout the function's
  // type gives. Nests inside host functions. `slots` has room for the larger of the two.
  std::expected<void, Trap> call(FuncRef& function, std::span<Slot> slots);
  // The same for callers to whom nanoseconds matter: false leaves the trap in exec().pending.
  [[nodiscard]] bool try_call(FuncRef& function, std::span<Slot> slots);
  // Through which functions of instances are called in registers, and the last step of such calls whose outcome is not
  // `done`. A trap is in exec().pending then.
  [[nodiscard]] detail::CallGate& gate();
  detail::CallOutcome finish_call();

  // Stops guest code from any thread at its next poll; the trap is `interrupted`.
  void interrupt();
  // Takes interrupts back that no guest code has answered.
  void clear_interrupt();
  // Guest code that runs past this traps with `deadline_exceeded`. False, and nothing is changed, where nobody can be
  // had to watch it.
  [[nodiscard]] bool set_deadline(std::optional<Deadline> deadline);
  // The same without fail: where nobody can be had to watch it, every poll looks at the clock.
  void keep_deadline(std::optional<Deadline> deadline);
  // For such polls: asks for a watch again.
  void keep_watch();
  // The stack that calls will be made on, where that is none of a thread's own; empty: not known.
  void set_native_stack(os::StackBounds stack) { options_.native_stack = stack; }

  // By Instance::id; null: it is none of this store's.
  [[nodiscard]] Instance* find_instance(std::uint64_t id) const;

  // What references to this store's functions carry when the host has them; no other store's, ever, while one does.
  [[nodiscard]] const std::shared_ptr<const HostRoot>& function_root() const;

  // The heap of structures, arrays and exceptions, made when it is first asked for.
  [[nodiscard]] GcHeap& heap();
  // What the owner does at the end of a call, when it is asked to: ExecState::last_deed.
  void set_settle(void (*settle)(void* owner)) { settle_ = settle; }
  void ask_to_settle() { exec_.last_deed = settle_; }

  // Before the host makes objects of a type, which the caller holds meanwhile.
  void use_object_type(wasm::TypeId type);
  // For the collector: shows it every reference outside of the heap that its own lists do not have.
  void mark_roots(Marker& marker);
  void mark_native_roots(Marker& marker) const;
  // Makes this store one of a program's, for good. A trap that leaves its outermost call then ends the program.
  void join(std::shared_ptr<Program> program);

  // Whether the embedder lets something grow, where it wants to be asked.
  [[nodiscard]] bool may_grow(Resource resource, std::uint64_t current, std::uint64_t desired,
                              std::optional<std::uint64_t> maximum) const noexcept;
  // Tells the observer, of which there is one.
  void tell(Crossing crossing, FuncRef& function, bool failed) noexcept;

  // Memory accounting for limits; false when it would exceed them.
  bool reserve_memory(std::uint64_t bytes);
  void release_memory(std::uint64_t bytes);
  // The same for what objects beside memories and tables take; the first kUncountedObjectBytes of a store are free.
  // They live as long as the store.
  [[nodiscard]] bool reserve_objects(std::uint64_t bytes);
  // The same for the preparation of functions (preparation.h), beyond the first kUncountedCodeBytes.
  [[nodiscard]] bool reserve_code(std::uint64_t bytes);
  void release_code(std::uint64_t bytes);

  // For the fault handler, async-signal-safe: the tier whose code holds `pc`, or null; and what an access to
  // `address` by guest code means, empty where the address is not in one of this store's reservations.
  [[nodiscard]] const Tier* tier_of(std::uintptr_t pc) const;
  [[nodiscard]] std::optional<TrapCode> fault_at(std::uintptr_t address) const;

 private:
  friend class Instantiation;
  struct Impl;
  void begin(HostFunction& function, wasm::TypeId type, std::uint32_t slot_count, HostBody body,
             std::shared_ptr<void> data);
  void hold(wasm::TypeId type);
  void hold(wasm::ValType type);
  void make_stack();
  bool enter(FuncRef& function, std::span<Slot> slots);
  void note_ready_stack();
  bool call_slowly(FuncRef& function, std::span<Slot> slots);
  bool call_observed(FuncRef& function, std::span<Slot> slots);
  bool call_anywhere(FuncRef& function, std::span<Slot> slots);
  bool call_elsewhere(FuncRef& function, std::span<Slot> slots);
  bool end_in_trap(const HostEntry& entry);
  bool settle();
  bool refuse_for_stack();
  ExecState exec_;
  std::size_t outermost_slots_ = 0;  // that an outermost call has less of than that; 0 before the first call
  std::shared_ptr<wasm::TypeRegistry> registry_;
  StoreOptions options_;
  std::unique_ptr<Impl> impl_;
  void (*settle_)(void* owner) = nullptr;
};

}  // namespace wasi::runtime
