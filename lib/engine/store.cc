// Stores, and the objects that hosts make in them.
#include "runtime/store.h"

#include "base/result.h"
#include "engine/convert.h"
#include "engine/state.h"
#include "engine/wasi_threads.h"
#include "runtime/gc_heap.h"

namespace wasi {

using detail::Internals;

detail::StoreState::StoreState(std::shared_ptr<EngineState> owner, runtime::StoreOptions options)
    : engine(std::move(owner)), store(engine->registry, options) {}

detail::StoreState::~StoreState() = default;

Store::Store(const Engine& engine, StoreConfig config) {
  const auto& engine_state = Internals::state(engine);
  const runtime::StoreOptions options = {.limits = {.memory_bytes = config.memory_limit,
                                                    .table_elements = config.table_limit,
                                                    .instances = config.instance_limit,
                                                    .stack_bytes = config.stack_size,
                                                    .gc_heap_bytes = config.gc_heap_limit},
                                         .checks = detail::bounds_checks_of(engine_state->config),
                                         .gc_stress = config.gc_stress};
  state_ = std::make_shared<detail::StoreState>(engine_state, options);
  if (config.deadline) set_deadline(std::chrono::steady_clock::now() + *config.deadline);
}

std::any& Store::data() { return state_->data; }

void Store::set_deadline(std::optional<std::chrono::steady_clock::time_point> deadline) {
  state_->store.set_deadline(deadline);
}

void Store::collect_garbage() {
  if (runtime::GcHeap* heap = state_->store.exec().gc.heap) heap->collect();
}

HeapMetrics Store::heap_metrics() const {
  const runtime::GcHeap* heap = state_->store.exec().gc.heap;
  if (heap == nullptr) return {};
  const runtime::GcStatistics statistics = heap->statistics();
  return {.collections = statistics.collections,
          .live_bytes = statistics.live_bytes,
          .used_bytes = statistics.used_bytes,
          .reserved_bytes = statistics.reserved_bytes};
}

void Interrupter::interrupt() const {
  if (const auto state = state_.lock()) state->store.interrupt();
}

Result<Memory> Memory::create(Store& store, const MemoryType& type) {
  const auto& state = Internals::state(store);
  const wasm::MemoryType internal = detail::to_internal(type);
  WASI_TRY(detail::check_type(internal));
  return Internals::memory(state, WASI_TRY(state->store.add_memory(internal)));
}

MemoryType Memory::type() const { return memory_ == nullptr ? MemoryType{} : detail::to_public(memory_->type()); }

std::optional<std::uint64_t> Memory::grow(std::uint64_t delta_pages) {
  const std::int64_t old_pages = memory_ == nullptr ? -1 : memory_->grow(delta_pages);
  if (old_pages < 0) return std::nullopt;
  return static_cast<std::uint64_t>(old_pages);
}

std::span<std::uint8_t> Memory::bytes() const {
  return memory_ == nullptr ? std::span<std::uint8_t>() : memory_->bytes();
}

std::optional<SharedMemory> Memory::shared() const {
  if (memory_ == nullptr || !memory_->type().is_shared) return std::nullopt;
  return Internals::shared_memory(memory_->storage());
}

Result<SharedMemory> SharedMemory::create(const Engine& engine, const MemoryType& type) {
  const wasm::MemoryType internal = detail::to_internal(type);
  if (!internal.is_shared || !internal.limits.max) {
    return fail(ErrorKind::argument, "a memory of type {} cannot be shared: it needs a maximum and to be shared",
                wasm::to_string(internal));
  }
  WASI_TRY(detail::check_type(internal));
  return SharedMemory(WASI_TRY(runtime::MemoryStorage::create(internal, detail::bounds_checks_of(engine.config()))));
}

MemoryType SharedMemory::type() const { return detail::to_public(storage_->type()); }

std::optional<std::uint64_t> SharedMemory::grow(std::uint64_t delta_pages) const {
  const std::lock_guard lock(storage_->growth());
  const std::uint64_t old_pages = storage_->byte_size() / kPageSize;
  const auto bytes = storage_->size_after(delta_pages);
  if (!bytes || !storage_->set_size(*bytes)) return std::nullopt;
  return old_pages;
}

std::span<std::uint8_t> SharedMemory::bytes() const { return storage_->bytes(); }

Result<Memory> SharedMemory::in(Store& store) const {
  const auto& state = Internals::state(store);
  return Internals::memory(state, WASI_TRY(state->store.add_memory(storage_)));
}

Result<Global> Global::create(Store& store, const GlobalType& type, const Value& value) {
  const auto& state = Internals::state(store);
  const wasm::GlobalType internal = detail::to_internal(type);
  if (!detail::fits(state->store, value, internal.type)) {
    return fail(ErrorKind::argument, "a global of type {} cannot hold a value of type {}", type.type.to_string(),
                value.type().to_string());
  }
  runtime::Global* global = state->store.add_global(internal, {});
  detail::write_value(global->cell, value);
  return Global(state, global);
}

GlobalType Global::type() const { return detail::to_public(global_->type); }

Value Global::get() const { return detail::read_value(store_->store, global_->cell, global_->type.type); }

Result<void> Global::set(const Value& value) const {
  if (!global_->type.is_mutable) return fail(ErrorKind::argument, "the global is constant");
  if (!detail::fits(store_->store, value, global_->type.type)) {
    return fail(ErrorKind::argument, "a global of type {} cannot hold a value of type {}",
                wasm::to_string(global_->type.type), value.type().to_string());
  }
  detail::write_value(global_->cell, value);
  return {};
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
  const auto& state = Internals::state(store);
  const wasm::TableType internal = detail::to_internal(type);
  if (!internal.element.is_ref()) {
    return fail(ErrorKind::argument, "a table holds references, not {}", type.element.to_string());
  }
  WASI_TRY(detail::check_type(internal));
  WASI_TRY(check_element(state->store, init, internal.element));
  return Table(state, WASI_TRY(state->store.add_table(internal, reference_of(init))));
}

TableType Table::type() const { return detail::to_public(table_->type); }

std::uint64_t Table::size() const { return table_->view.size; }

std::optional<Value> Table::get(std::uint64_t index) const {
  if (index >= table_->view.size) return std::nullopt;
  const runtime::Slot slot{.ref = table_->view.elements[index]};
  return detail::read_value(store_->store, &slot, table_->type.element);
}

Result<void> Table::set(std::uint64_t index, const Value& value) const {
  if (index >= table_->view.size) {
    return fail(ErrorKind::argument, "index {} is outside of the table, which has {} elements", index,
                table_->view.size);
  }
  WASI_TRY(check_element(store_->store, value, table_->type.element));
  table_->view.elements[index] = reference_of(value);
  return {};
}

std::optional<std::uint64_t> Table::grow(std::uint64_t delta, const Value& init) const {
  if (!check_element(store_->store, init, table_->type.element)) return std::nullopt;
  const std::int64_t old_size = table_->grow(delta, reference_of(init));
  if (old_size < 0) return std::nullopt;
  return static_cast<std::uint64_t>(old_size);
}

}  // namespace wasi
