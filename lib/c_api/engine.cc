// Configurations, engines and stores.
#include <wasi/engine.h>
#include <wasi/store.h>

#include <chrono>

#include "c_api/objects.h"

struct wasirun_store_config_t {
  wasi::StoreConfig config;
};

struct wasirun_interrupter_t {
  wasi::Interrupter interrupter;
};

using namespace wasi;

void wasm_config_delete(wasm_config_t* config) { delete config; }

wasm_config_t* wasm_config_new(void) {
  return c::attempt<wasm_config_t*>(nullptr, []() -> Result<wasm_config_t*> { return new wasm_config_t(); });
}

void wasm_engine_delete(wasm_engine_t* engine) { delete engine; }

namespace {

Result<wasm_engine_t*> new_engine(EngineConfig config) {
  const Engine engine = WASI_TRY(Engine::create(std::move(config)));
  return new wasm_engine_t{engine};
}

wasm_store_t* new_store(const wasm_engine_t* engine, const StoreConfig& config) {
  return c::attempt<wasm_store_t*>(nullptr, [&]() -> Result<wasm_store_t*> {
    if (engine == nullptr) return c::null_argument("engine");
    auto box = WASI_TRY(c::StoreBox::make(engine->engine, config));
    return new wasm_store_t{std::move(box)};
  });
}

}  // namespace

wasm_engine_t* wasm_engine_new(void) {
  return c::attempt<wasm_engine_t*>(nullptr, []() -> Result<wasm_engine_t*> { return new_engine({}); });
}

wasm_engine_t* wasm_engine_new_with_config(wasm_config_t* config) {
  const std::unique_ptr<wasm_config_t> taken(config);
  return c::attempt<wasm_engine_t*>(nullptr, [&]() -> Result<wasm_engine_t*> {
    if (taken == nullptr) return c::null_argument("configuration");
    return new_engine(std::move(taken->config));
  });
}

void wasm_store_delete(wasm_store_t* store) { delete store; }

wasm_store_t* wasm_store_new(wasm_engine_t* engine) {
  // The standard knows no limits, and its programs make many instances.
  return new_store(engine, {.instance_limit = UINT64_MAX});
}

// ---- wasirun.h ----

const char* wasirun_version(void) { return version(); }

void wasirun_config_set_tier(wasm_config_t* config, wasirun_tier_t tier) {
  static_assert(static_cast<int>(TierSelection::interpreter) == WASIRUN_TIER_INTERPRETER &&
                static_cast<int>(TierSelection::optimising) == WASIRUN_TIER_OPTIMISING);
  config->config.tier = static_cast<TierSelection>(tier);
}

void wasirun_config_set_cpu(wasm_config_t* config, wasirun_cpu_t cpu) {
  static_assert(static_cast<int>(CpuTarget::x86_64_v4) == WASIRUN_CPU_X86_64_V4);
  config->config.cpu = static_cast<CpuTarget>(cpu);
}

void wasirun_config_set_validation(wasm_config_t* config, wasirun_validation_t validation) {
  static_assert(static_cast<int>(Validation::lazy) == WASIRUN_VALIDATION_LAZY);
  config->config.validation = static_cast<Validation>(validation);
}

void wasirun_config_set_bounds_checks(wasm_config_t* config, wasirun_bounds_checks_t checks) {
  static_assert(static_cast<int>(BoundsChecks::explicit_checks) == WASIRUN_BOUNDS_CHECKS_EXPLICIT);
  config->config.bounds_checks = static_cast<BoundsChecks>(checks);
}

void wasirun_config_set_fuel(wasm_config_t* config, bool fuel) { config->config.fuel = fuel; }

void wasirun_config_set_strict_memory(wasm_config_t* config, bool strict) { config->config.strict_memory = strict; }

void wasirun_config_set_compile_threads(wasm_config_t* config, uint32_t threads) {
  config->config.tier_threads = threads;
}

void wasirun_config_set_code_memory_limit(wasm_config_t* config, uint64_t bytes) {
  config->config.code_memory_limit = bytes;
}

void wasirun_config_disable_feature(wasm_config_t* config, const char* name) {
  c::attempt([&] { config->config.disabled_features.emplace_back(name); });
}

void wasirun_config_set_cache(wasm_config_t* config, const char* directory, uint64_t limit) {
  c::attempt([&] { config->config.cache = CodeCacheConfig{.directory = directory, .limit = limit}; });
}

void wasirun_config_set_on_warning(wasm_config_t* config, void (*callback)(void* env, const char* message), void* env,
                                   void (*finalizer)(void* env)) {
  c::Finalizer finish(env, finalizer);
  c::attempt([&] {
    auto shared = std::make_shared<c::Finalizer>(std::move(finish));
    config->config.on_warning = [callback, shared](const std::string& message) {
      callback(shared->data(), message.c_str());
    };
  });
}

void wasirun_store_config_delete(wasirun_store_config_t* config) { delete config; }

wasirun_store_config_t* wasirun_store_config_new(void) {
  return c::attempt<wasirun_store_config_t*>(
      nullptr, []() -> Result<wasirun_store_config_t*> { return new wasirun_store_config_t(); });
}

void wasirun_store_config_set_memory_limit(wasirun_store_config_t* config, uint64_t bytes) {
  config->config.memory_limit = bytes;
}
void wasirun_store_config_set_table_limit(wasirun_store_config_t* config, uint64_t elements) {
  config->config.table_limit = elements;
}
void wasirun_store_config_set_instance_limit(wasirun_store_config_t* config, uint64_t instances) {
  config->config.instance_limit = instances;
}
void wasirun_store_config_set_stack_size(wasirun_store_config_t* config, uint64_t bytes) {
  config->config.stack_size = bytes;
}
void wasirun_store_config_set_gc_heap_limit(wasirun_store_config_t* config, uint64_t bytes) {
  config->config.gc_heap_limit = bytes;
}

wasm_store_t* wasirun_store_new(wasm_engine_t* engine, const wasirun_store_config_t* config) {
  return new_store(engine, config == nullptr ? StoreConfig() : config->config);
}

wasirun_error_t* wasirun_store_set_fuel(wasm_store_t* store, uint64_t fuel) {
  return c::tell([&]() -> Result<void> { return WASI_TRY(store->box->store())->set_fuel(fuel); });
}

wasirun_error_t* wasirun_store_fuel(const wasm_store_t* store, uint64_t* fuel) {
  return c::tell([&]() -> Result<void> {
    *fuel = WASI_TRY(WASI_TRY(store->box->store())->fuel());
    return {};
  });
}

wasirun_error_t* wasirun_store_set_deadline(wasm_store_t* store, uint64_t nanoseconds) {
  return c::tell([&]() -> Result<void> {
    // Three centuries are for ever, and still a time.
    const auto delay = std::chrono::nanoseconds(std::min<uint64_t>(nanoseconds, INT64_MAX / 2));
    return WASI_TRY(store->box->store())->set_deadline(std::chrono::steady_clock::now() + delay);
  });
}

void wasirun_store_clear_deadline(wasm_store_t* store) {
  c::attempt([&]() -> Result<void> { return WASI_TRY(store->box->store())->set_deadline(std::nullopt); });
}

void wasirun_store_collect_garbage(wasm_store_t* store) {
  c::attempt([&]() -> Result<void> {
    WASI_TRY(store->box->store())->collect_garbage();
    return {};
  });
}

void wasirun_store_set_native_stack(wasm_store_t* store, const void* low, size_t size) {
  c::attempt([&]() -> Result<void> {
    WASI_TRY(store->box->store())->set_native_stack({static_cast<const std::byte*>(low), low == nullptr ? 0 : size});
    return {};
  });
}

void wasirun_interrupter_delete(wasirun_interrupter_t* interrupter) { delete interrupter; }

wasirun_interrupter_t* wasirun_interrupter_new(const wasm_store_t* store) {
  return c::attempt<wasirun_interrupter_t*>(nullptr, [&]() -> Result<wasirun_interrupter_t*> {
    if (store == nullptr) return c::null_argument("store");
    const Store* const of = WASI_TRY(store->box->store());
    return new wasirun_interrupter_t{of->interrupter()};
  });
}

void wasirun_interrupter_interrupt(const wasirun_interrupter_t* interrupter) {
  c::attempt([&] { interrupter->interrupter.interrupt(); });
}

void wasirun_store_clear_interrupt(wasm_store_t* store) {
  c::attempt([&]() -> Result<void> {
    WASI_TRY(store->box->store())->clear_interrupt();
    return {};
  });
}
