// Instances, and the linker.
#include <wasi/linker.h>

#include <vector>

#include "c_api/host_callback.h"
#include "c_api/objects.h"
#include "c_api/types.h"
#include "c_api/wasi_config.h"
#include "engine/convert.h"

using namespace wasi;

struct wasirun_linker_t {
  Linker linker;
};

namespace {

using detail::Internals;

wasm_instance_t* make_instance(const std::shared_ptr<c::StoreBox>& box, const Instance& instance) {
  return new wasm_instance_t(box, Internals::instance(instance));
}

// What the linker refused, if it did.
Result<void> checked(const Linker& linker) {
  if (const Error* error = linker.error()) return std::unexpected(*error);
  return {};
}

Result<wasm_instance_t*> instantiate(const wasm_store_t* store, const wasm_module_t* module,
                                     const wasm_extern_vec_t* imports, std::optional<Trap>& trap) {
  if (store == nullptr || module == nullptr) return c::null_argument("store and the module");
  const std::shared_ptr<c::StoreBox> box = store->box;
  std::vector<Extern> objects;
  for (std::size_t i = 0; imports != nullptr && i < imports->size; ++i) {
    const wasm_extern_t* const object = imports->data[i];
    if (object == nullptr) return fail(ErrorKind::argument, "import {} is NULL", i);
    objects.push_back(object->external());
  }
  auto instance = Instance::create(*WASI_TRY(box->store()), module->module, objects);
  if (instance) return make_instance(box, *instance);
  if (const Error* error = instance.error().error()) return std::unexpected(*error);
  trap = *instance.error().trap();
  return nullptr;
}

}  // namespace

wasm_instance_t* wasm_instance_new(wasm_store_t* store, const wasm_module_t* module, const wasm_extern_vec_t* imports,
                                   wasm_trap_t** trap) {
  if (trap != nullptr) *trap = nullptr;
  const std::shared_ptr<c::StoreBox> box = store == nullptr ? nullptr : store->box;
  wasm_trap_t* why = nullptr;
  Error error;
  try {
    std::optional<Trap> its_trap;
    auto instance = instantiate(store, module, imports, its_trap);
    if (instance && *instance != nullptr) return *instance;
    error = instance ? Error{.kind = ErrorKind::argument, .message = its_trap->message} : std::move(instance).error();
    why = instance ? c::make_trap(*std::move(its_trap), box) : c::make_trap(error, box);
  } catch (...) {
    error = c::error_of_current_exception();
    why = c::make_trap(error, box);
  }
  c::set_last_error(std::move(error));
  if (trap != nullptr) {
    *trap = why;
  } else {
    wasm_trap_delete(why);
  }
  return nullptr;
}

void wasm_instance_exports(const wasm_instance_t* instance, wasm_extern_vec_t* out) {
  *out = {0, nullptr};
  c::attempt([&]() -> Result<void> {
    if (instance->box->is_gone()) return detail::gone("instance");
    const std::size_t count = instance->instance->module().exports.size();
    c::Owned<wasm_extern_vec_t, wasm_extern_vec_delete> made;
    if (!c::allocate(*made, count)) return {};
    for (std::size_t i = 0; i < count; ++i) {
      made->data[i] = c::make_extern(instance->box, instance->instance->export_at(i));
    }
    *out = made.release();
    return {};
  });
}

// ---- wasirun.h ----

wasm_extern_t* wasirun_instance_export(const wasm_instance_t* instance, const char* name) {
  return c::attempt<wasm_extern_t*>(nullptr, [&]() -> Result<wasm_extern_t*> {
    const auto object = instance->handle().get(name);
    if (!object) return fail(ErrorKind::argument, "the instance exports no \"{}\"", name);
    return c::make_extern(instance->box, *object);
  });
}

wasm_trap_t* wasirun_instance_run(const wasm_instance_t* instance, int32_t* status) {
  const std::shared_ptr<c::StoreBox> box = instance->box;
  try {
    auto ended = instance->handle().run();
    if (!ended) return c::make_trap(std::move(ended).error(), box);
    if (status != nullptr) *status = *ended;
    return nullptr;
  } catch (...) {
    return c::make_trap(c::error_of_current_exception(), box);
  }
}

wasm_trap_t* wasirun_instance_initialize(const wasm_instance_t* instance) {
  const std::shared_ptr<c::StoreBox> box = instance->box;
  try {
    auto done = instance->handle().initialize();
    return done ? nullptr : c::make_trap(std::move(done).error(), box);
  } catch (...) {
    return c::make_trap(c::error_of_current_exception(), box);
  }
}

void wasirun_linker_delete(wasirun_linker_t* linker) { delete linker; }

wasirun_linker_t* wasirun_linker_new(wasm_engine_t* engine) {
  return c::attempt<wasirun_linker_t*>(nullptr, [&]() -> Result<wasirun_linker_t*> {
    if (engine == nullptr) return c::null_argument("engine");
    return new wasirun_linker_t{Linker(engine->engine)};
  });
}

void wasirun_linker_allow_redefinition(wasirun_linker_t* linker, bool allowed) {
  linker->linker.allow_redefinition(allowed);
}

wasirun_error_t* wasirun_linker_define(wasirun_linker_t* linker, const char* module, const char* name,
                                       const wasm_extern_t* object) {
  return c::tell([&]() -> Result<void> {
    if (object == nullptr) return c::null_argument("object");
    return checked(linker->linker.define(module, name, object->external()));
  });
}

wasirun_error_t* wasirun_linker_define_func(wasirun_linker_t* linker, const char* module, const char* name,
                                            const wasm_functype_t* type, wasirun_func_callback_t function, void* env,
                                            void (*finalizer)(void* env)) {
  c::HostCallback callback(function, c::Finalizer(env, finalizer));
  return c::tell([&]() -> Result<void> {
    if (type == nullptr || !callback.is_there()) return c::null_argument("type and the callback");
    auto shared = std::make_shared<c::HostCallback>(std::move(callback));
    return checked(
        linker->linker.define_untyped(module, name, c::type_in(*type),
                                      [shared](Caller& caller, std::span<const Value> args, std::span<Value> results) {
                                        return shared->run(Internals::store(caller), caller, args, results);
                                      }));
  });
}

wasirun_error_t* wasirun_linker_define_instance(wasirun_linker_t* linker, const char* module,
                                                const wasm_instance_t* instance) {
  return c::tell([&]() -> Result<void> {
    if (instance == nullptr) return c::null_argument("instance");
    return checked(linker->linker.define_instance(module, instance->handle()));
  });
}

wasirun_error_t* wasirun_linker_define_wasi(wasirun_linker_t* linker, wasi_config_t* config) {
  const std::unique_ptr<wasi_config_t> taken(config);
  return c::tell([&]() -> Result<void> {
    if (taken == nullptr) return c::null_argument("configuration");
    return checked(linker->linker.define_wasi(std::move(taken->config)));
  });
}

void wasirun_linker_set_unknown_imports(wasirun_linker_t* linker, wasirun_unknown_imports_t choice) {
  static_assert(static_cast<int>(UnknownImports::trap) == WASIRUN_UNKNOWN_IMPORTS_TRAP &&
                static_cast<int>(UnknownImports::zero) == WASIRUN_UNKNOWN_IMPORTS_ZERO);
  linker->linker.unknown_imports(static_cast<UnknownImports>(choice));
}

wasirun_error_t* wasirun_linker_get(const wasirun_linker_t* linker, wasm_store_t* store, const char* module,
                                    const char* name, wasm_extern_t** out) {
  *out = nullptr;
  return c::tell([&]() -> Result<void> {
    if (store == nullptr) return c::null_argument("store");
    *out = c::make_extern(store->box, WASI_TRY(linker->linker.get(*WASI_TRY(store->box->store()), module, name)));
    return {};
  });
}

wasirun_error_t* wasirun_linker_instantiate(const wasirun_linker_t* linker, wasm_store_t* store,
                                            const wasm_module_t* module, wasm_instance_t** out, wasm_trap_t** trap) {
  *out = nullptr;
  if (trap != nullptr) *trap = nullptr;
  return c::tell([&]() -> Result<void> {
    if (store == nullptr || module == nullptr) return c::null_argument("store and the module");
    const std::shared_ptr<c::StoreBox> box = store->box;
    auto instance = linker->linker.instantiate(*WASI_TRY(box->store()), module->module);
    if (instance) {
      *out = make_instance(box, *instance);
    } else if (const Error* error = instance.error().error()) {
      return std::unexpected(*error);
    } else if (trap != nullptr) {
      *trap = c::make_trap(*instance.error().trap(), box);
    }
    return {};
  });
}
