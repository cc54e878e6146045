// Globals, tables and memories, and what imports and exports have in common.
#include <wasi/instance.h>
#include <wasi/memory.h>

#include <algorithm>
#include <limits>

#include "c_api/objects.h"
#include "c_api/types.h"
#include "c_api/values.h"
#include "engine/convert.h"

using namespace wasi;

namespace {

Global handle_of(const wasm_global_t& global) { return *global.external().global(); }
Table handle_of(const wasm_table_t& table) { return *table.external().table(); }
Memory handle_of(const wasm_memory_t& memory) { return *memory.external().memory(); }

// An object of a store's, as a handle to it.
template <class T>
Result<T*> make(const wasm_store_t& store, const Extern& object) {
  return static_cast<T*>(c::make_extern(store.box, object));
}

std::uint32_t clipped(std::uint64_t size) {
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(size, std::numeric_limits<std::uint32_t>::max()));
}

Result<Value> element_of(const wasm_table_t& table, const wasm_ref_t* ref) {
  if (table.box->is_gone()) return detail::gone("table");
  return c::value_of(ref, table.object.table->type.element, *table.box);
}

// What an object is, as the C type of that kind.
template <class T>
T* type_of(const wasm_extern_t* object) {
  return c::attempt<T*>(nullptr, [&]() -> Result<T*> {
    if (object == nullptr) return c::null_argument("object");
    const Extern external = object->external();
    const wasm::TypeRegistry& registry = object->box->registry();
    std::unique_ptr<wasm_externtype_t> type;
    switch (external.kind()) {
      case ExternKind::function:
        type = c::make_type(external.function()->type(), registry);
        break;
      case ExternKind::table:
        type = c::make_type(external.table()->type(), registry);
        break;
      case ExternKind::memory:
        type = c::make_type(external.memory()->type(), registry);
        break;
      case ExternKind::global:
        type = c::make_type(external.global()->type(), registry);
        break;
      case ExternKind::tag:
        type = c::make_type(external.tag()->type(), registry);
        break;
    }
    return static_cast<T*>(type.release());
  });
}

}  // namespace

wasm_externkind_t wasm_extern_kind(const wasm_extern_t* object) {
  switch (object->kind) {
    case c::RefKind::func:
      return WASM_EXTERN_FUNC;
    case c::RefKind::global:
      return WASM_EXTERN_GLOBAL;
    case c::RefKind::table:
      return WASM_EXTERN_TABLE;
    case c::RefKind::memory:
      return WASM_EXTERN_MEMORY;
    default:
      return WASIRUN_EXTERN_TAG;
  }
}

wasm_externtype_t* wasm_extern_type(const wasm_extern_t* object) { return type_of<wasm_externtype_t>(object); }
wasm_functype_t* wasm_func_type(const wasm_func_t* func) { return type_of<wasm_functype_t>(func); }
wasm_globaltype_t* wasm_global_type(const wasm_global_t* global) { return type_of<wasm_globaltype_t>(global); }
wasm_tabletype_t* wasm_table_type(const wasm_table_t* table) { return type_of<wasm_tabletype_t>(table); }
wasm_memorytype_t* wasm_memory_type(const wasm_memory_t* memory) { return type_of<wasm_memorytype_t>(memory); }
wasirun_tagtype_t* wasirun_tag_type(const wasirun_tag_t* tag) { return type_of<wasirun_tagtype_t>(tag); }

wasm_global_t* wasm_global_new(wasm_store_t* store, const wasm_globaltype_t* type, const wasm_val_t* val) {
  return c::attempt<wasm_global_t*>(nullptr, [&]() -> Result<wasm_global_t*> {
    if (store == nullptr || type == nullptr || val == nullptr) return c::null_argument("store, the type and the value");
    const GlobalType global = c::type_in(*type);
    const Value value = WASI_TRY(c::value_of(*val, detail::to_internal(global.type), *store->box));
    return make<wasm_global_t>(*store, WASI_TRY(Global::create(*WASI_TRY(store->box->store()), global, value)));
  });
}

void wasm_global_get(const wasm_global_t* global, wasm_val_t* out) {
  *out = c::zero_of(WASM_I32);
  c::attempt([&] { *out = c::val_of(handle_of(*global).get(), global->box); });
}

void wasm_global_set(wasm_global_t* global, const wasm_val_t* val) {
  c::attempt([&]() -> Result<void> {
    if (global == nullptr || val == nullptr) return c::null_argument("global and the value");
    if (global->box->is_gone()) return detail::gone("global");
    return handle_of(*global).set(WASI_TRY(c::value_of(*val, global->object.global->type.type, *global->box)));
  });
}

wasm_table_t* wasm_table_new(wasm_store_t* store, const wasm_tabletype_t* type, wasm_ref_t* init) {
  return c::attempt<wasm_table_t*>(nullptr, [&]() -> Result<wasm_table_t*> {
    if (store == nullptr || type == nullptr) return c::null_argument("store and the type");
    const TableType table = c::type_in(*type);
    if (!table.element.is_reference()) {
      return fail(ErrorKind::argument, "a table holds references, not {}", table.element.to_string());
    }
    const Value value = WASI_TRY(c::value_of(init, detail::to_internal(table.element), *store->box));
    return make<wasm_table_t>(*store, WASI_TRY(Table::create(*WASI_TRY(store->box->store()), table, value)));
  });
}

wasm_ref_t* wasm_table_get(const wasm_table_t* table, wasm_table_size_t index) {
  return wasirun_table_get(table, index);
}
bool wasm_table_set(wasm_table_t* table, wasm_table_size_t index, wasm_ref_t* ref) {
  return wasirun_table_set(table, index, ref);
}
wasm_table_size_t wasm_table_size(const wasm_table_t* table) { return clipped(wasirun_table_size(table)); }
bool wasm_table_grow(wasm_table_t* table, wasm_table_size_t delta, wasm_ref_t* init) {
  return wasirun_table_grow(table, delta, init);
}

wasm_memory_t* wasm_memory_new(wasm_store_t* store, const wasm_memorytype_t* type) {
  return c::attempt<wasm_memory_t*>(nullptr, [&]() -> Result<wasm_memory_t*> {
    if (store == nullptr || type == nullptr) return c::null_argument("store and the type");
    return make<wasm_memory_t>(*store, WASI_TRY(Memory::create(*WASI_TRY(store->box->store()), type->type)));
  });
}

byte_t* wasm_memory_data(wasm_memory_t* memory) { return reinterpret_cast<byte_t*>(handle_of(*memory).bytes().data()); }
size_t wasm_memory_data_size(const wasm_memory_t* memory) { return handle_of(*memory).size(); }
wasm_memory_pages_t wasm_memory_size(const wasm_memory_t* memory) { return clipped(wasirun_memory_size(memory)); }
bool wasm_memory_grow(wasm_memory_t* memory, wasm_memory_pages_t delta) { return wasirun_memory_grow(memory, delta); }

// ---- wasirun.h ----

uint64_t wasirun_memory_size(const wasm_memory_t* memory) { return handle_of(*memory).pages(); }

bool wasirun_memory_grow(wasm_memory_t* memory, uint64_t delta) {
  return c::attempt(false, [&]() -> Result<bool> {
    if (handle_of(*memory).grow(delta)) return true;
    return fail(ErrorKind::limit, "the memory cannot have {} pages more: its type or the store's limit forbids it",
                delta);
  });
}

uint64_t wasirun_table_size(const wasm_table_t* table) { return handle_of(*table).size(); }

wasm_ref_t* wasirun_table_get(const wasm_table_t* table, uint64_t index) {
  return c::attempt<wasm_ref_t*>(nullptr, [&]() -> Result<wasm_ref_t*> {
    const auto value = handle_of(*table).get(index);
    if (!value) return fail(ErrorKind::argument, "index {} is outside of the table", index);
    return c::reference_of(*value, table->box);
  });
}

bool wasirun_table_set(wasm_table_t* table, uint64_t index, wasm_ref_t* ref) {
  return c::attempt(false, [&]() -> Result<bool> {
    WASI_TRY(handle_of(*table).set(index, WASI_TRY(element_of(*table, ref))));
    return true;
  });
}

bool wasirun_table_grow(wasm_table_t* table, uint64_t delta, wasm_ref_t* init) {
  return c::attempt(false, [&]() -> Result<bool> {
    if (handle_of(*table).grow(delta, WASI_TRY(element_of(*table, init)))) return true;
    return fail(ErrorKind::limit, "the table cannot have {} elements more of this value", delta);
  });
}

wasirun_tag_t* wasirun_tag_new(wasm_store_t* store, const wasirun_tagtype_t* type) {
  return c::attempt<wasirun_tag_t*>(nullptr, [&]() -> Result<wasirun_tag_t*> {
    if (store == nullptr || type == nullptr) return c::null_argument("store and the type");
    return make<wasirun_tag_t>(*store,
                               WASI_TRY(Tag::create(*WASI_TRY(store->box->store()), c::types_in(*type->params))));
  });
}

struct wasirun_shared_memory_t {
  SharedMemory memory;
};

void wasirun_shared_memory_delete(wasirun_shared_memory_t* memory) { delete memory; }

wasirun_shared_memory_t* wasirun_shared_memory_new(wasm_engine_t* engine, const wasm_memorytype_t* type) {
  return c::attempt<wasirun_shared_memory_t*>(nullptr, [&]() -> Result<wasirun_shared_memory_t*> {
    if (engine == nullptr || type == nullptr) return c::null_argument("engine and the type");
    const SharedMemory memory = WASI_TRY(SharedMemory::create(engine->engine, type->type));
    return new wasirun_shared_memory_t{memory};
  });
}

wasirun_shared_memory_t* wasirun_shared_memory_copy(const wasirun_shared_memory_t* memory) {
  return c::attempt<wasirun_shared_memory_t*>(
      nullptr, [&]() -> Result<wasirun_shared_memory_t*> { return new wasirun_shared_memory_t(*memory); });
}

byte_t* wasirun_shared_memory_data(const wasirun_shared_memory_t* memory) {
  return reinterpret_cast<byte_t*>(memory->memory.bytes().data());
}
size_t wasirun_shared_memory_data_size(const wasirun_shared_memory_t* memory) { return memory->memory.size(); }
bool wasirun_shared_memory_grow(const wasirun_shared_memory_t* memory, uint64_t delta_pages) {
  return c::attempt(false, [&]() -> Result<bool> {
    if (memory->memory.grow(delta_pages)) return true;
    return fail(ErrorKind::limit, "the memory cannot have {} pages more", delta_pages);
  });
}

wasirun_shared_memory_t* wasirun_memory_share(const wasm_memory_t* memory) {
  return c::attempt<wasirun_shared_memory_t*>(nullptr, [&]() -> Result<wasirun_shared_memory_t*> {
    auto shared = handle_of(*memory).shared();
    if (!shared) return fail(ErrorKind::argument, "the memory is not shared");
    return new wasirun_shared_memory_t{*std::move(shared)};
  });
}

wasm_memory_t* wasirun_memory_obtain(wasm_store_t* store, const wasirun_shared_memory_t* memory) {
  return c::attempt<wasm_memory_t*>(nullptr, [&]() -> Result<wasm_memory_t*> {
    if (store == nullptr || memory == nullptr) return c::null_argument("store and the memory");
    return make<wasm_memory_t>(*store, WASI_TRY(memory->memory.in(*WASI_TRY(store->box->store()))));
  });
}
