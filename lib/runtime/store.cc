// The store: what it owns, calls from the host, interruption, limits.
#include "runtime/store.h"

#include <algorithm>
#include <deque>
#include <utility>

#include "base/check.h"
#include "base/result.h"
#include "os/fault_handler.h"
#include "os/reservation_pool.h"
#include "os/virtual_memory.h"
#include "runtime/frame_capture.h"
#include "runtime/free_slots.h"
#include "runtime/guest_sampler.h"
#include "runtime/host_entry.h"
#include "runtime/instance.h"
#include "runtime/machine_call.h"
#include "runtime/native_bind.h"
#include "runtime/native_stack.h"
#include "runtime/store_impl.h"
#include "runtime/thread_state.h"
#include "runtime/tier_policy.h"
#include "runtime/trap_raise.h"
#include "runtime/watchdog.h"

namespace wasi::runtime {

Store::Store(std::shared_ptr<wasm::TypeRegistry> registry, StoreOptions options)
    : registry_(std::move(registry)), options_(options), impl_(std::make_unique<Impl>()) {
  exec_.store = this;
  exec_.bind_native_entry = reinterpret_cast<const void*>(&bind_native_entry);
  exec_.running_offset = running_offset();
  exec_.outermost = &impl_->outermost;
}

Store::~Store() {
  keep_deadline(std::nullopt);
  if (exec_.policy != nullptr) exec_.policy->end(exec_);
  if (exec_.program != nullptr) {
    GuestSampler::left(exec_);
    exec_.program->remove(exec_);
  }
  const std::size_t accessible = impl_->stack.size() - std::min(impl_->stack.size(), kStackGuardBytes);
  os::give_back_reservation(std::move(impl_->stack), accessible, {kKeptStackBytes, kKeptStackBytes});
}

// At the first call: an instance that idles needs none. Without a stack there is no room for any call: each one traps
// with "call stack exhausted".
void Store::make_stack() {
  const std::uint64_t bytes = os::round_up_to_pages(
      std::clamp<std::uint64_t>(options_.limits.stack_bytes, os::page_size(), std::uint64_t{1} << 40));
  auto stack = os::take_reservation(bytes + kStackGuardBytes, bytes);
  if (!stack) return;
  impl_->stack = std::move(*stack);
  exec_.stack_begin = reinterpret_cast<Slot*>(impl_->stack.base());
  exec_.stack_end = exec_.stack_begin + bytes / sizeof(Slot);
  exec_.free_slot = exec_.stack_begin;
  impl_->outermost.span.slots = exec_.stack_begin;
  impl_->outermost.entry.free_slot = exec_.stack_begin;
  const std::size_t slots = bytes / sizeof(Slot);
  // Whoever is told of calls is so by those that are made slowly, as all are then.
  if (options_.observer != nullptr) return;
  outermost_slots_ = slots - std::min(slots, kSpanSlots);
}

void Store::join(std::shared_ptr<Program> program) {
  WASI_CHECK(exec_.program == nullptr);
  exec_.program = std::move(program);
  exec_.program->add(exec_);
  GuestSampler::joined(exec_);
  FrameCapture::joined(exec_);
}

void Store::hold(wasm::TypeId type) {
  std::optional<wasm::TypeRef> held = registry_->hold(type);
  WASI_CHECK(held.has_value());
  impl_->types.push_back(std::move(*held));
}

void Store::hold(wasm::ValType type) {
  if (type.is_ref() && type.heap().is_concrete()) hold(type.heap().id());
}

HostFunction* Store::add_host_function(wasm::TypeId type, HostBody body, std::shared_ptr<void> data) {
  hold(type);
  const wasm::FuncType& signature = registry_->at(type).func;
  HostFunction& function = impl_->host_functions.emplace_back();
  begin(function, type, std::max(wasm::slot_count(signature.params), wasm::slot_count(signature.results)), body,
        std::move(data));
  return &function;
}

void Store::offer_direct(HostFunction& function, void (*direct)(), void* direct_data) {
  if (options_.observer != nullptr) return;
  function.direct = direct;
  function.direct_data = direct_data;
}

std::span<HostFunction> Store::add_host_functions(std::span<const KnownHostFunction> functions) {
  if (functions.empty()) return {};
  HostFunction* const made =
      impl_->known_host_functions.emplace_back(std::make_unique<HostFunction[]>(functions.size())).get();
  for (std::size_t i = 0; i < functions.size(); ++i) {
    const KnownHostFunction& known = functions[i];
    begin(made[i], known.type, known.slot_count, known.body, {std::shared_ptr<void>(), known.data});
    offer_direct(made[i], known.direct, known.direct_data);
    made[i].module = known.module;
    made[i].name = known.name;
  }
  return {made, functions.size()};
}

namespace {

// A host function in a store with an observer: the data of its HostFunction.
struct Observed {
  FuncRef* function;
  HostBody body;
  std::shared_ptr<void> data;
};

std::optional<Trap> call_observed_body(void* data, HostCall& call) {
  const auto& observed = *static_cast<const Observed*>(data);
  struct Leaving {
    Store& store;
    FuncRef& function;
    bool failed = true;  // by an exception, unless somebody says otherwise
    ~Leaving() { store.tell(Crossing::leaves_host, function, failed); }
  } leaving{call.store, *observed.function};
  call.store.tell(Crossing::enters_host, *observed.function, false);
  std::optional<Trap> trap = observed.body(observed.data.get(), call);
  leaving.failed = trap.has_value();
  return trap;
}

}  // namespace

void Store::begin(HostFunction& function, wasm::TypeId type, std::uint32_t slot_count, HostBody body,
                  std::shared_ptr<void> data) {
  function.code.entry.store(host_function_entry, std::memory_order_relaxed);
  function.ref = {.code = &function.code, .instance = nullptr, .type = type};
  function.type = type;
  function.slot_count = slot_count;
  function.store = this;
  function.exec = &exec_;
  if (options_.observer != nullptr) {
    data = std::make_shared<Observed>(Observed{&function.ref, body, std::move(data)});
    body = &call_observed_body;
  }
  function.body = body;
  function.data = std::move(data);
}

Result<Memory*> Store::add_memory(const wasm::MemoryType& type) {
  std::unique_ptr<Memory> memory = WASI_TRY(Memory::create(*this, type, options_.checks));
  // Its thread may not be ready for faults.
  exec_.ready_stack = kNoReadyStack;
  return impl_->add(std::move(memory));
}

Result<Memory*> Store::add_memory(const std::shared_ptr<MemoryStorage>& storage) {
  for (const auto& memory : impl_->memories) {
    if (memory->storage() == storage) return memory.get();
  }
  std::unique_ptr<Memory> memory = WASI_TRY(Memory::adopt(*this, storage));
  exec_.ready_stack = kNoReadyStack;
  return impl_->add(std::move(memory));
}

Result<Table*> Store::add_table(const wasm::TableType& type, void* init) {
  hold(type.element);
  return impl_->tables.emplace_back(WASI_TRY(Table::create(*this, type, init))).get();
}

Global* Store::add_global(const wasm::GlobalType& type, Slot value, Slot high) {
  hold(type.type);
  Global& global = impl_->globals.emplace_back();
  global.type = type;
  global.cell[0] = value;
  global.cell[1] = high;
  return &global;
}

Tag* Store::add_tag(wasm::TypeId type) {
  hold(type);
  return &impl_->tags.emplace_back(Tag{type, wasm::slot_count(registry_->at(type).func.params)});
}

namespace {

// One slot at a time: they were just written one by one, and a wider load waits until such stores have
// left for the cache (a third of a call's time).
void copy_slots(const Slot* from, std::size_t count, Slot* to) {
  for (std::size_t i = 0; i < count; ++i) {
    to[i] = from[i];
    asm volatile("" : : : "memory");  // keeps the loop from becoming memmove
  }
}

}  // namespace

namespace {

// Nearly all calls are made on the stack of the call before, and need not write what other threads write, too.
inline void use_native_limit(ExecState& exec, std::uintptr_t limit) {
  exec.native_limit = limit;
  const std::uintptr_t now = exec.stack_limit.load(std::memory_order_relaxed);
  if (now != limit && now != kRaisedStackLimit) [[unlikely]]
    set_stack_limit(exec, limit);
}

}  // namespace

// Puts back what a trap, or an exception that nobody caught, left as it was.
[[gnu::noinline]] bool Store::end_in_trap(const HostEntry& entry) {
  exec_.thrown = nullptr;
  exec_.top = entry.top;
  exec_.free_slot = entry.free_slot;
  exec_.native_span = entry.native_span;
  exec_.native_sp = entry.native_sp;
  exec_.native_fault_pc = 0;
  impl_->outermost.entry.gate.outcome = detail::CallOutcome::done;
  if (exec_.program != nullptr && exec_.host_entry == nullptr) exec_.program->end(exec_.pending);
  return false;
}

// Behind an outermost call: the next one on this stack needs to look at nothing.
void Store::note_ready_stack() {
  const ThreadState& thread = thread_state;
  if (outermost_slots_ != 0 && exec_.native_limit == thread.native_limit && thread.stack_number != 0 &&
      (thread.is_ready_for_faults || !impl_->uses_guard_pages)) {
    exec_.ready_stack = thread.stack_number;
  }
}

[[gnu::always_inline]] WASI_CALLS_MACHINE_CODE inline bool Store::enter(FuncRef& function, std::span<Slot> slots) {
  ThreadState& thread = thread_state;
  if (exec_.stack_begin == nullptr) [[unlikely]]
    make_stack();
  Slot* const base = exec_.free_slot;
  if (slots.size() > free_slots(exec_, base)) [[unlikely]] {
    exec_.pending = make_trap(exec_, TrapCode::stack_overflow);
    return false;
  }
  if (impl_->uses_guard_pages && !thread.is_ready_for_faults) [[unlikely]] {
    os::prepare_thread_for_faults();
    thread.is_ready_for_faults = true;
  }
  copy_slots(slots.data(), slots.size(), base);

  HostEntry entry;
  entry.previous = exec_.host_entry;
  entry.top = exec_.top;
  entry.free_slot = base;
  entry.native_limit = exec_.native_limit;
  entry.native_span = exec_.native_span;
  entry.native_sp = exec_.native_sp;
  // Of another stack than this, what ran there may have ended when this call does.
  entry.running =
      thread.running != nullptr && thread.running->native_limit == thread.native_limit ? thread.running : nullptr;
  exec_.host_entry = &entry;
  const std::uint64_t ready_stack = std::exchange(exec_.ready_stack, kNoReadyStack);
  use_native_limit(exec_, thread.native_limit);
  thread.running = &exec_;

  SlotEntry code = function.code->entry.load(std::memory_order_acquire);
  if (code == nullptr) [[unlikely]]
    code = prepare_and_run;
  const bool trapped = enter_guest(entry, code, function.instance, base, function.code);

  thread.running = entry.running;
  // The outermost call's limit stays, for the next one.
  if (entry.previous != nullptr) {
    use_native_limit(exec_, entry.native_limit);
    exec_.ready_stack = ready_stack;
  } else {
    note_ready_stack();
  }
  exec_.host_entry = entry.previous;
  if (trapped || exec_.thrown != nullptr) [[unlikely]]
    return end_in_trap(entry);
  copy_slots(base, slots.size(), slots.data());
  return true;
}

// The last step of a call that succeeds.
inline bool Store::settle() {
  if (exec_.last_deed != nullptr) [[unlikely]]
    exec_.last_deed(exec_.owner);
  return true;
}

// Nearly all calls from a host are of machine code, in a store where nothing runs, on the thread and the stack of the
// call before: what others do one after the other is known to be done then.
WASI_CALLS_MACHINE_CODE bool Store::try_call(FuncRef& function, std::span<Slot> slots) {
  const ThreadState& thread = thread_state;
  HostEntry& outermost = impl_->outermost.entry;
  if (function.call_entry == nullptr || slots.size() >= outermost_slots_ || exec_.host_entry != nullptr ||
      thread.running != nullptr || !is_on_native_stack(os::stack_pointer()) ||
      exec_.native_limit != thread.native_limit || (!thread.is_ready_for_faults && impl_->uses_guard_pages))
      [[unlikely]] {
    return call_slowly(function, slots);
  }
  exec_.host_entry = &outermost;
  thread_state.running = &exec_;
  const bool trapped = function.call_entry(&outermost, function.instance, slots.data(), function.code);
  thread_state.running = nullptr;
  exec_.host_entry = nullptr;
  if (trapped || exec_.thrown != nullptr) [[unlikely]]
    return end_in_trap(outermost);
  return settle();
}

detail::CallGate& Store::gate() { return gate_of(impl_->outermost); }

detail::CallOutcome Store::finish_call() {
  HostEntry& outermost = impl_->outermost.entry;
  const detail::CallOutcome outcome = std::exchange(outermost.gate.outcome, detail::CallOutcome::done);
  if (outcome == detail::CallOutcome::finished) {
    settle();
    return detail::CallOutcome::done;
  }
  if (outcome == detail::CallOutcome::stopped) {
    thread_state.running = nullptr;
    exec_.host_entry = nullptr;
    end_in_trap(outermost);
  }
  return outcome;
}

[[gnu::noinline]] bool Store::call_slowly(FuncRef& function, std::span<Slot> slots) {
  if (options_.observer != nullptr) [[unlikely]]
    return call_observed(function, slots);
  return call_anywhere(function, slots) && settle();
}

[[gnu::noinline]] bool Store::call_observed(FuncRef& function, std::span<Slot> slots) {
  // A function of the host's tells of itself.
  if (function.instance == nullptr) return call_anywhere(function, slots) && settle();
  tell(Crossing::enters_guest, function, false);
  const bool succeeded = call_anywhere(function, slots);
  tell(Crossing::leaves_guest, function, !succeeded);
  return succeeded && settle();
}

inline bool Store::call_anywhere(FuncRef& function, std::span<Slot> slots) {
  // Whoever published that code had filled the record.
  if (function.call_entry == nullptr && function.code->native_code.load(std::memory_order_acquire) != nullptr) {
    function.call_entry = function.code->module->tier->call_entry(*function.code);
  }
  const ExecState* const running = thread_state.running;
  if (!is_on_native_stack(os::stack_pointer()) || (running != nullptr && running != &exec_)) [[unlikely]] {
    return call_elsewhere(function, slots);
  }
  return enter(function, slots);
}

// From a stack that is not the one of the last call, or from a host function of another store's guest.
[[gnu::noinline]] bool Store::call_elsewhere(FuncRef& function, std::span<Slot> slots) {
  const std::uintptr_t here = os::stack_pointer();
  if (!is_on_native_stack(here)) {
    if (!find_native_stack(here)) {
      const SwitchedStack stack(here, options_.native_stack);
      return call_elsewhere(function, slots);
    }
    if (here < thread_state.native_limit) return refuse_for_stack();
  }
  ExecState* const running = thread_state.running;
  // A store that runs on another stack does not wait for this call: its host function may have left it for a while.
  if (running == nullptr || running == &exec_ || running->native_limit != thread_state.native_limit) {
    return enter(function, slots);
  }
  const NestedCall nested(*running, exec_);
  return enter(function, slots);
}

[[gnu::noinline]] bool Store::refuse_for_stack() {
  exec_.pending = make_trap(exec_, TrapCode::stack_overflow);
  if (const auto shortage = native_stack_shortage()) exec_.pending.message += ": " + *shortage;
  return false;
}

std::expected<void, Trap> Store::call(FuncRef& function, std::span<Slot> slots) {
  if (try_call(function, slots)) return {};
  return std::unexpected(std::move(exec_.pending));
}

GcHeap& Store::heap() {
  if (impl_->heap == nullptr) {
    impl_->heap = std::make_unique<GcHeap>(
        *this, GcOptions{.limit_bytes = options_.limits.gc_heap_bytes, .is_stressed = options_.gc_stress});
  }
  return *impl_->heap;
}

void Store::use_object_type(wasm::TypeId type) {
  GcHeap& objects = heap();
  std::vector<wasm::TypeId> types;  // up to the root
  for (std::optional<wasm::TypeId> next = type; next && !objects.layouts().knows(*next);) {
    types.push_back(*next);
    const auto& super = registry_->at(*next).super;
    next = super ? std::optional(super->id()) : std::nullopt;
  }
  for (const wasm::TypeId used : types) hold(used);
  std::ranges::reverse(types);
  objects.add_types(types);
}

const std::shared_ptr<const HostRoot>& Store::function_root() const { return impl_->function_root; }

void Store::interrupt() { runtime::interrupt(exec_, kInterruptRequest); }

void Store::clear_interrupt() { exec_.interrupt.fetch_and(~kInterruptRequest); }

bool Store::set_deadline(std::optional<Deadline> deadline) {
  // The same one twice would be one entry of the watchdog's.
  if (deadline == exec_.own_deadline && exec_.is_watched) return true;
  if (deadline && !watch_deadline(exec_, *deadline)) return false;
  if (exec_.is_watched) unwatch_deadline(exec_, *exec_.own_deadline);
  exec_.is_watched = deadline.has_value();
  exec_.own_deadline = deadline;
  exec_.deadline = earlier(deadline, exec_.outer_deadline);
  return true;
}

void Store::keep_deadline(std::optional<Deadline> deadline) {
  if (set_deadline(deadline)) return;
  if (exec_.is_watched) unwatch_deadline(exec_, *exec_.own_deadline);
  exec_.is_watched = false;
  exec_.own_deadline = deadline;
  exec_.deadline = earlier(deadline, exec_.outer_deadline);
  set_interrupt(exec_, kInterruptDeadline);
}

void Store::keep_watch() {
  if (exec_.own_deadline && !exec_.is_watched) keep_deadline(exec_.own_deadline);
  if (!exec_.is_outer_watched) set_interrupt(exec_, kInterruptDeadline);
}

bool Store::may_grow(Resource resource, std::uint64_t current, std::uint64_t desired,
                     std::optional<std::uint64_t> maximum) const noexcept {
  if (options_.limiter == nullptr) return true;
  try {
    return (*options_.limiter)(resource, current, desired, maximum);
  } catch (...) {
    return false;
  }
}

void Store::tell(Crossing crossing, FuncRef& function, bool failed) noexcept {
  try {
    (*options_.observer)(*this, crossing, function, failed);
  } catch (...) {  // the observer's own matter
  }
}

bool Store::reserve_memory(std::uint64_t bytes) {
  if (bytes > options_.limits.memory_bytes - impl_->memory_bytes) return false;
  impl_->memory_bytes += bytes;
  return true;
}

void Store::release_memory(std::uint64_t bytes) { impl_->memory_bytes -= bytes; }

namespace {

// What of `bytes` counts where the first `free` of them do not.
std::uint64_t counted(std::uint64_t bytes, std::uint64_t free) { return bytes - std::min(bytes, free); }

}  // namespace

bool Store::reserve_objects(std::uint64_t bytes) {
  const std::uint64_t total = impl_->object_bytes + bytes;
  const std::uint64_t before = counted(impl_->object_bytes, kUncountedObjectBytes);
  if (!reserve_memory(counted(total, kUncountedObjectBytes) - before)) return false;
  impl_->object_bytes = total;
  return true;
}

bool Store::reserve_code(std::uint64_t bytes) {
  const std::uint64_t total = impl_->code_bytes + bytes;
  const std::uint64_t before = counted(impl_->code_bytes, kUncountedCodeBytes);
  if (!reserve_memory(counted(total, kUncountedCodeBytes) - before)) return false;
  impl_->code_bytes = total;
  return true;
}

void Store::release_code(std::uint64_t bytes) {
  const std::uint64_t total = impl_->code_bytes - bytes;
  const std::uint64_t after = counted(total, kUncountedCodeBytes);
  release_memory(counted(impl_->code_bytes, kUncountedCodeBytes) - after);
  impl_->code_bytes = total;
}

Instance* Store::find_instance(std::uint64_t id) const {
  const auto& all = impl_->instances;
  const auto found = std::ranges::lower_bound(all, id, {}, [](const auto& instance) { return instance->id; });
  return found != all.end() && (*found)->id == id ? found->get() : nullptr;
}

const Tier* Store::tier_of(std::uintptr_t pc) const {
  for (const Tier* tier : impl_->tiers) {
    if (tier->owns_pc(pc)) return tier;
  }
  return nullptr;
}

std::optional<TrapCode> Store::fault_at(std::uintptr_t address) const {
  // The usable part of the stack does not fault; what does is its guard.
  if (impl_->stack.contains(address)) return TrapCode::stack_overflow;
  for (const auto& memory : impl_->memories) {
    if (memory->checks() == BoundsChecks::guard_pages && memory->owns(address)) return TrapCode::memory_out_of_bounds;
  }
  return std::nullopt;
}

}  // namespace wasi::runtime
