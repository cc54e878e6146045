// Modules: from bytes, files and text; what they import and export; serialisation.
#include <wasi/module.h>
#include <wasi/text.h>

#include <cerrno>
#include <cstring>

#include "binary/decoder.h"
#include "c_api/objects.h"
#include "c_api/replace_file.h"
#include "c_api/types.h"

using namespace wasi;

namespace {

std::span<const std::uint8_t> bytes_of(const wasm_byte_vec_t* bytes) {
  if (bytes == nullptr) return {};
  return {reinterpret_cast<const std::uint8_t*>(bytes->data), bytes->size};
}

Engine engine_of(const wasm_store_t& store) { return detail::Internals::engine(store.box->state().engine); }

// The standard's functions take the binary format alone.
Result<void> check_binary(std::span<const std::uint8_t> bytes) {
  if (binary::kind_of(bytes) != binary::FileKind::text) return {};
  return fail(ErrorKind::malformed,
              "this is a text; a binary module is expected, which wasirun_wat_to_wasm makes of the text format");
}

Result<wasm_module_t*> make(Module module) { return new wasm_module_t(std::move(module)); }

wasm_name_t set_bytes(std::span<const std::uint8_t> bytes) {
  return c::make_bytes({reinterpret_cast<const char*>(bytes.data()), bytes.size()}).release();
}

}  // namespace

wasm_module_t* wasm_module_new(wasm_store_t* store, const wasm_byte_vec_t* binary) {
  return c::attempt<wasm_module_t*>(nullptr, [&]() -> Result<wasm_module_t*> {
    if (store == nullptr || binary == nullptr) return c::null_argument("store and the bytes");
    WASI_TRY(check_binary(bytes_of(binary)));
    return make(WASI_TRY(Module::from_bytes(engine_of(*store), bytes_of(binary))));
  });
}

bool wasm_module_validate(wasm_store_t* store, const wasm_byte_vec_t* binary) {
  return c::attempt(false, [&]() -> Result<bool> {
    if (store == nullptr || binary == nullptr) return c::null_argument("store and the bytes");
    WASI_TRY(check_binary(bytes_of(binary)));
    WASI_TRY(Module::validate(engine_of(*store), bytes_of(binary)));
    return true;
  });
}

void wasm_module_imports(const wasm_module_t* module, wasm_importtype_vec_t* out) {
  *out = {0, nullptr};
  c::attempt([&] {
    const auto& registry = *detail::Internals::state(module->module)->engine->registry;
    const std::vector<ImportType> imports = module->module.imports();
    c::Owned<wasm_importtype_vec_t, wasm_importtype_vec_delete> made;
    if (!c::allocate(*made, imports.size())) return;
    for (std::size_t i = 0; i < imports.size(); ++i) {
      made->data[i] = new wasm_importtype_t{c::make_bytes(imports[i].module), c::make_bytes(imports[i].name),
                                            c::make_type(imports[i].type, registry)};
    }
    *out = made.release();
  });
}

void wasm_module_exports(const wasm_module_t* module, wasm_exporttype_vec_t* out) {
  *out = {0, nullptr};
  c::attempt([&] {
    const auto& registry = *detail::Internals::state(module->module)->engine->registry;
    const std::vector<ExportType> exports = module->module.exports();
    c::Owned<wasm_exporttype_vec_t, wasm_exporttype_vec_delete> made;
    if (!c::allocate(*made, exports.size())) return;
    for (std::size_t i = 0; i < exports.size(); ++i) {
      made->data[i] = new wasm_exporttype_t{c::make_bytes(exports[i].name), c::make_type(exports[i].type, registry)};
    }
    *out = made.release();
  });
}

void wasm_module_serialize(const wasm_module_t* module, wasm_byte_vec_t* out) {
  *out = {0, nullptr};
  c::attempt([&]() -> Result<void> {
    *out = set_bytes(WASI_TRY(module->module.serialize()));
    return {};
  });
}

wasm_module_t* wasm_module_deserialize(wasm_store_t* store, const wasm_byte_vec_t* bytes) {
  return c::attempt<wasm_module_t*>(nullptr, [&]() -> Result<wasm_module_t*> {
    if (store == nullptr || bytes == nullptr) return c::null_argument("store and the bytes");
    return make(WASI_TRY(Module::deserialize(engine_of(*store), bytes_of(bytes))));
  });
}

void wasm_shared_module_delete(wasm_shared_module_t* module) { delete module; }

wasm_shared_module_t* wasm_module_share(const wasm_module_t* module) {
  return c::attempt<wasm_shared_module_t*>(nullptr, [&]() -> Result<wasm_shared_module_t*> {
    if (module == nullptr) return c::null_argument("module");
    return new wasm_shared_module_t{module->module};
  });
}

wasm_module_t* wasm_module_obtain(wasm_store_t* store, const wasm_shared_module_t* shared) {
  return c::attempt<wasm_module_t*>(nullptr, [&]() -> Result<wasm_module_t*> {
    if (store == nullptr || shared == nullptr) return c::null_argument("store and the module");
    if (detail::Internals::state(shared->module)->engine != store->box->state().engine) {
      return fail(ErrorKind::argument, "the module belongs to another engine than the store");
    }
    return make(shared->module);
  });
}

// ---- wasirun.h ----

wasirun_error_t* wasirun_wat_to_wasm(const char* text, size_t size, wasm_byte_vec_t* out) {
  *out = {0, nullptr};
  return c::tell([&]() -> Result<void> {
    *out = set_bytes(WASI_TRY(wat_to_wasm({text, size})));
    return {};
  });
}

wasirun_error_t* wasirun_wasm_to_wat(const wasm_byte_vec_t* binary, wasm_byte_vec_t* out) {
  *out = {0, nullptr};
  return c::tell([&]() -> Result<void> {
    *out = c::make_bytes(WASI_TRY(wasm_to_wat(bytes_of(binary)))).release();
    return {};
  });
}

wasirun_error_t* wasirun_module_from_file(wasm_store_t* store, const char* path, wasm_module_t** out) {
  *out = nullptr;
  return c::tell([&]() -> Result<void> {
    if (store == nullptr || path == nullptr) return c::null_argument("store and the path");
    *out = WASI_TRY(make(WASI_TRY(Module::from_file(engine_of(*store), path))));
    return {};
  });
}

void wasirun_module_name(const wasm_module_t* module, wasm_message_t* out) {
  *out = {0, nullptr};
  c::attempt([&] { *out = c::make_bytes(module->module.name(), true).release(); });
}

bool wasirun_module_custom_section(const wasm_module_t* module, const char* name, size_t index, const byte_t** data,
                                   size_t* size) {
  return c::attempt(false, [&]() -> Result<bool> {
    const auto sections = WASI_TRY(module->module.custom_sections(name));
    if (index >= sections.size()) return false;
    *data = reinterpret_cast<const byte_t*>(sections[index].data());
    *size = sections[index].size();
    return true;
  });
}

wasirun_error_t* wasirun_module_compile(const wasm_module_t* module, uint32_t threads) {
  return c::tell([&]() -> Result<void> {
    const TierSelection tier = detail::Internals::state(module->module)->engine->config.tier;
    if (tier == TierSelection::automatic || tier == TierSelection::interpreter) return module->module.prepare();
    const auto optimise = tier == TierSelection::optimising ? Module::Optimise::everything : Module::Optimise::nothing;
    WASI_TRY(module->module.compile({.optimise = optimise, .threads = threads}));
    return {};
  });
}

wasirun_error_t* wasirun_module_serialize_file(const wasm_module_t* module, const char* path) {
  return c::tell([&]() -> Result<void> {
    if (path == nullptr) return c::null_argument("path");
    return c::replace_file(path, WASI_TRY(module->module.serialize()));
  });
}

wasirun_error_t* wasirun_module_deserialize_file(wasm_store_t* store, const char* path, wasm_module_t** out) {
  *out = nullptr;
  return c::tell([&]() -> Result<void> {
    if (store == nullptr || path == nullptr) return c::null_argument("store and the path");
    *out = WASI_TRY(make(WASI_TRY(Module::deserialize_file(engine_of(*store), path))));
    return {};
  });
}
