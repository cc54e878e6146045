// Stores, and the objects that hosts make in them.
#include "runtime/store.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <mutex>

#include "base/guard.h"
#include "base/result.h"
#include "engine/convert.h"
#include "engine/prepared_instance.h"
#include "engine/state.h"
#include "engine/wasi_threads.h"
#include "runtime/gc_heap.h"

namespace wasi {

using detail::Internals;

detail::StoreState::StoreState(std::shared_ptr<EngineState> owner, const runtime::StoreOptions& options)
    : engine(std::move(owner)), store(engine->registry, options), record(begin_life(*this)) {
  store.exec().owner = this;
  store.set_settle([](void* state) { static_cast<StoreState*>(state)->settle(); });
}

detail::StoreState::~StoreState() { end_life(record); }

detail::WasiState& detail::StoreState::wasi_of(const std::shared_ptr<const WasiDefinition>& definition) {
  const auto found = std::ranges::find(wasi, definition, &WasiState::definition);
  if (found != wasi.end()) return *found;
  return wasi.emplace_back(WasiState{.definition = definition, .context = nullptr, .functions = {}});
}

std::shared_ptr<detail::StoreState> detail::StoreState::make(std::shared_ptr<EngineState> engine,
                                                             const runtime::StoreOptions& options) {
  return {new StoreState(std::move(engine), options), [](StoreState* state) {
            state->is_abandoned = true;
            state->store.ask_to_settle();
            state->settle();
          }};
}

bool detail::StoreState::is_in_use() const { return holds != 0 || store.exec().host_entry != nullptr; }

void detail::StoreState::settle() {
  runtime::ExecState& exec = store.exec();
  if (exec.last_deed == nullptr || is_in_use()) return;
  exec.last_deed = nullptr;
  if (!is_abandoned) {
    // What they do may be to let go of the store.
    ++holds;
    destroy_dead_host_objects();
    --holds;
  }
  if (is_abandoned) delete this;
}

void detail::StoreState::destroy_dead_host_objects() {
  if (runtime::GcHeap* const heap = store.exec().gc.heap) heap->destroy_dead_host_objects();
}

namespace {

os::StackBounds to_bounds(std::span<const std::byte> stack) {
  const auto low = reinterpret_cast<std::uintptr_t>(stack.data());
  return {.low = low, .high = low + stack.size()};
}

std::shared_ptr<const runtime::GrowthLimiter> to_internal(GrowthLimiter limiter) {
  if (!limiter) return nullptr;
  return std::make_shared<const runtime::GrowthLimiter>(
      [limiter = std::move(limiter)](runtime::Resource resource, std::uint64_t current, std::uint64_t desired,
                                     std::optional<std::uint64_t> maximum) {
        return limiter(
            {.kind = static_cast<Growth::Kind>(resource), .current = current, .desired = desired, .maximum = maximum});
      });
}

std::shared_ptr<const runtime::CallObserver> to_internal(CallHook hook) {
  if (!hook) return nullptr;
  return std::make_shared<const runtime::CallObserver>(
      [hook = std::move(hook)](runtime::Store& store, runtime::Crossing crossing, runtime::FuncRef& function,
                               bool failed) {
        auto& state = *static_cast<detail::StoreState*>(store.exec().owner);
        hook({.kind = static_cast<CallEvent::Kind>(crossing),
              .function = Internals::function(detail::StoreRef::borrowed(state), &function),
              .failed = failed});
      });
}

}  // namespace

Store::Store(const Engine& engine, StoreConfig config) {
  const auto& engine_state = Internals::state(engine);
  const runtime::StoreOptions options = {.limits = {.memory_bytes = config.memory_limit,
                                                    .table_elements = config.table_limit,
                                                    .instances = config.instance_limit,
                                                    .stack_bytes = config.stack_size,
                                                    .gc_heap_bytes = config.gc_heap_limit},
                                         .checks = detail::bounds_checks_of(engine_state->config),
                                         .gc_stress = config.gc_stress,
                                         .native_stack = to_bounds(config.native_stack),
                                         .limiter = to_internal(std::move(config.limiter)),
                                         .observer = to_internal(std::move(config.call_hook))};
  state_ = detail::StoreState::make(engine_state, options);
  if (config.deadline) state_->store.keep_deadline(std::chrono::steady_clock::now() + *config.deadline);
}

Result<Store> Store::create(const Engine& engine, const StoreConfig& config) {
  return guarded([&]() -> Result<Store> { return Store(engine, config); });
}

std::any& Store::data() { return state_->data; }

Result<void> Store::set_deadline(std::optional<std::chrono::steady_clock::time_point> deadline) {
  if (state_->store.set_deadline(deadline)) return {};
  return guarded([]() -> Result<void> { return fail(ErrorKind::limit, "no thread can be had to watch the deadline"); });
}

Result<DeadlineScope> Store::limit_calls(std::chrono::steady_clock::time_point deadline) {
  const auto previous = state_->store.exec().own_deadline;
  WASI_TRY(set_deadline(runtime::earlier(previous, deadline)));
  return DeadlineScope(detail::StoreRef::borrowed(*state_), previous);
}

DeadlineScope::~DeadlineScope() {
  if (detail::StoreState* const state = store_.get()) state->store.keep_deadline(previous_);
}

namespace {

Result<void> check_charges(const detail::StoreState& store) {
  if (store.engine->config.fuel) return {};
  return fail(ErrorKind::argument, "the engine's code charges no fuel: EngineConfig::fuel is not set");
}

}  // namespace

Result<void> Store::set_fuel(std::uint64_t fuel) {
  return guarded([&]() -> Result<void> {
    WASI_TRY(check_charges(*state_));
    state_->store.exec().fuel = detail::to_fuel(fuel);
    return {};
  });
}

Result<std::uint64_t> Store::fuel() const {
  return guarded([&]() -> Result<std::uint64_t> {
    WASI_TRY(check_charges(*state_));
    return static_cast<std::uint64_t>(state_->store.exec().fuel);
  });
}

void Store::clear_interrupt() { state_->store.clear_interrupt(); }

void Store::set_native_stack(std::span<const std::byte> stack) { state_->store.set_native_stack(to_bounds(stack)); }

Interrupter Store::interrupter() const { return Interrupter(state_->record); }

void Store::collect_garbage() {
  runtime::GcHeap* const heap = state_->store.exec().gc.heap;
  if (heap == nullptr) return;
  const detail::Hold hold(*state_);
  heap->collect();
  heap->destroy_dead_host_objects();
}

HeapMetrics Store::heap_metrics() const {
  const runtime::GcHeap* heap = state_->store.exec().gc.heap;
  if (heap == nullptr) return {};
  const runtime::GcStatistics statistics = heap->statistics();
  return {.collections = statistics.collections,
          .live_bytes = statistics.live_bytes,
          .used_bytes = statistics.used_bytes,
          .reserved_bytes = statistics.reserved_bytes,
          .host_objects = statistics.host_objects};
}

Interrupter::Interrupter(detail::StoreRecord& record) : record_(&record), number_(record.number.load()) {}

void Interrupter::interrupt() const {
  const std::lock_guard lock(record_->mutex);
  if (record_->number.load() == number_) record_->store->store.interrupt();
}

Result<Memory> Memory::create(Store& store, const MemoryType& type) {
  return guarded([&]() -> Result<Memory> {
    const auto& state = Internals::state(store);
    const wasm::MemoryType internal = detail::to_internal(type);
    WASI_TRY(detail::check_type(internal));
    return Internals::memory(detail::StoreRef(state), WASI_TRY(state->store.add_memory(internal)));
  });
}

std::uint64_t Memory::pages() const { return !*this ? 0 : memory_->pages(); }

MemoryType Memory::type() const { return !*this ? MemoryType{} : detail::to_public(memory_->type()); }

std::optional<std::uint64_t> Memory::grow(std::uint64_t delta_pages) {
  const std::int64_t old_pages = !*this ? -1 : memory_->grow(delta_pages);
  if (old_pages < 0) return std::nullopt;
  return static_cast<std::uint64_t>(old_pages);
}

std::span<std::uint8_t> Memory::bytes() const { return !*this ? std::span<std::uint8_t>() : memory_->bytes(); }

std::optional<std::span<std::uint8_t>> Memory::range(std::uint64_t address, std::uint64_t size) const {
  const auto all = bytes();
  if (address > all.size() || size > all.size() - address) return std::nullopt;
  return all.subspan(address, size);
}

std::optional<std::string_view> Memory::text(std::uint64_t address, std::uint64_t size) const {
  const auto part = range(address, size);
  if (!part) return std::nullopt;
  return std::string_view(reinterpret_cast<const char*>(part->data()), part->size());
}

std::optional<SharedMemory> Memory::shared() const {
  if (!*this || !memory_->type().is_shared) return std::nullopt;
  return Internals::shared_memory(memory_->storage());
}

Result<SharedMemory> SharedMemory::create(const Engine& engine, const MemoryType& type) {
  return guarded([&]() -> Result<SharedMemory> {
    const wasm::MemoryType internal = detail::to_internal(type);
    if (!internal.is_shared || !internal.limits.max) {
      return fail(ErrorKind::argument, "a memory of type {} cannot be shared: it needs a maximum and to be shared",
                  wasm::to_string(internal));
    }
    WASI_TRY(detail::check_type(internal));
    return SharedMemory(WASI_TRY(runtime::MemoryStorage::create(internal, detail::bounds_checks_of(engine.config()))));
  });
}

MemoryType SharedMemory::type() const { return detail::to_public(storage_->type()); }

std::optional<std::uint64_t> SharedMemory::grow(std::uint64_t delta_pages) const {
  const std::lock_guard lock(storage_->growth());
  const std::uint64_t old_pages = storage_->pages();
  const auto bytes = storage_->size_after(delta_pages);
  if (!bytes || !storage_->set_size(*bytes)) return std::nullopt;
  return old_pages;
}

std::span<std::uint8_t> SharedMemory::bytes() const { return storage_->bytes(); }

Result<Memory> SharedMemory::in(Store& store) const {
  return guarded([&]() -> Result<Memory> {
    const auto& state = Internals::state(store);
    return Internals::memory(detail::StoreRef(state), WASI_TRY(state->store.add_memory(storage_)));
  });
}

Result<Global> Global::create(Store& store, const GlobalType& type, const Value& value) {
  return guarded([&]() -> Result<Global> {
    const auto& state = Internals::state(store);
    const wasm::GlobalType internal = detail::to_internal(type);
    const wasm::TypeRef held = WASI_TRY(detail::hold_type(type.type, *state->engine->registry));
    if (!detail::fits(state->store, value, internal.type)) {
      return fail(ErrorKind::argument, "a global of type {} cannot hold a value of type {}", type.type.to_string(),
                  value.type().to_string());
    }
    runtime::Global* global = state->store.add_global(internal, {});
    detail::write_value(global->cell, value);
    return Global(detail::StoreRef(state), global);
  });
}

GlobalType Global::type() const { return store_.get() == nullptr ? GlobalType{} : detail::to_public(global_->type); }

Value Global::get() const {
  detail::StoreState* const state = store_.get();
  return state == nullptr ? Value() : detail::read_value(state->store, global_->cell, global_->type.type);
}

Result<void> Global::set(const Value& value) const {
  return guarded([&]() -> Result<void> {
    detail::StoreState* const state = store_.get();
    if (state == nullptr) return detail::gone("global");
    if (!global_->type.is_mutable) return fail(ErrorKind::argument, "the global is constant");
    if (!detail::fits(state->store, value, global_->type.type)) {
      return fail(ErrorKind::argument, "a global of type {} cannot hold a value of type {}",
                  wasm::to_string(global_->type.type), value.type().to_string());
    }
    detail::write_value(global_->cell, value);
    return {};
  });
}

namespace {

void* reference_of(const Value& value) { return reinterpret_cast<void*>(value.bits()[0]); }

Result<void> check_element(runtime::Store& store, const Value& value, wasm::ValType type) {
  if (detail::fits(store, value, type)) return {};
  return fail(ErrorKind::argument, "a table of {} cannot hold a value of type {}", wasm::to_string(type),
              value.type().to_string());
}

}  // namespace

Result<Table> Table::create(Store& store, const TableType& type, const Value& init) {
  return guarded([&]() -> Result<Table> {
    const auto& state = Internals::state(store);
    const wasm::TableType internal = detail::to_internal(type);
    const wasm::TypeRef held = WASI_TRY(detail::hold_type(type.element, *state->engine->registry));
    if (!internal.element.is_ref()) {
      return fail(ErrorKind::argument, "a table holds references, not {}", type.element.to_string());
    }
    WASI_TRY(detail::check_type(internal));
    WASI_TRY(check_element(state->store, init, internal.element));
    return Table(detail::StoreRef(state), WASI_TRY(state->store.add_table(internal, reference_of(init))));
  });
}

TableType Table::type() const { return store_.get() == nullptr ? TableType{} : detail::to_public(table_->type); }

std::uint64_t Table::size() const { return store_.get() == nullptr ? 0 : table_->view.size; }

std::optional<Value> Table::get(std::uint64_t index) const {
  if (index >= size()) return std::nullopt;
  const runtime::Slot slot{.ref = table_->view.elements[index]};
  return detail::read_value(store_.get()->store, &slot, table_->type.element);
}

Result<void> Table::set(std::uint64_t index, const Value& value) const {
  return guarded([&]() -> Result<void> {
    detail::StoreState* const state = store_.get();
    if (state == nullptr) return detail::gone("table");
    if (index >= table_->view.size) {
      return fail(ErrorKind::argument, "index {} is outside of the table, which has {} elements", index,
                  table_->view.size);
    }
    WASI_TRY(check_element(state->store, value, table_->type.element));
    table_->view.elements[index] = reference_of(value);
    return {};
  });
}

std::optional<std::uint64_t> Table::grow(std::uint64_t delta, const Value& init) const {
  detail::StoreState* const state = store_.get();
  if (state == nullptr || !detail::fits(state->store, init, table_->type.element)) return std::nullopt;
  const std::int64_t old_size = table_->grow(delta, reference_of(init));
  if (old_size < 0) return std::nullopt;
  return static_cast<std::uint64_t>(old_size);
}

}  // namespace wasi
