// What all references of the C interface have: copies, identity, host info, conversions.
#include "c_api/objects.h"
#include "c_api/values.h"

using namespace wasi;

namespace {

using c::RefKind;

wasm_ref_t* copy_reference(const wasm_ref_t* ref) {
  return c::attempt<wasm_ref_t*>(nullptr, [&]() -> Result<wasm_ref_t*> {
    if (ref == nullptr) return c::null_argument("reference");
    return ref->copy();
  });
}

void delete_reference(wasm_ref_t* ref) {
  if (!c::is_permanent(ref)) delete ref;
}

bool same_reference(const wasm_ref_t* a, const wasm_ref_t* b) {
  if (a == nullptr || b == nullptr) return a == b;
  return a->identity() == b->identity();
}

void* get_host_info(const wasm_ref_t* ref) {
  const c::HostInfo* info = ref == nullptr ? nullptr : ref->host_info(false);
  return info == nullptr ? nullptr : info->get();
}

void set_host_info(const wasm_ref_t* ref, void* data, void (*finalizer)(void*)) {
  c::attempt([&]() -> Result<void> {
    if (ref == nullptr) return c::null_argument("reference");
    ref->host_info(true)->set(data, finalizer);
    return {};
  });
}

bool is_extern(RefKind kind) { return kind <= RefKind::tag; }

template <class T, RefKind kind>
const T* reference_as(const wasm_ref_t* ref) {
  return ref != nullptr && ref->kind == kind ? static_cast<const T*>(ref) : nullptr;
}

}  // namespace

#define WASIRUN_DEFINE_REF_BASE(name)                                                                              \
  void wasm_##name##_delete(wasm_##name##_t* object) { delete_reference(object); }                                 \
  wasm_##name##_t* wasm_##name##_copy(const wasm_##name##_t* object) {                                             \
    return static_cast<wasm_##name##_t*>(copy_reference(object));                                                  \
  }                                                                                                                \
  bool wasm_##name##_same(const wasm_##name##_t* a, const wasm_##name##_t* b) { return same_reference(a, b); }     \
  void* wasm_##name##_get_host_info(const wasm_##name##_t* object) { return get_host_info(object); }               \
  void wasm_##name##_set_host_info(wasm_##name##_t* object, void* data) { set_host_info(object, data, nullptr); }  \
  void wasm_##name##_set_host_info_with_finalizer(wasm_##name##_t* object, void* data, void (*finalizer)(void*)) { \
    set_host_info(object, data, finalizer);                                                                        \
  }

#define WASIRUN_DEFINE_REF(name)                                                                 \
  WASIRUN_DEFINE_REF_BASE(name)                                                                  \
  wasm_ref_t* wasm_##name##_as_ref(wasm_##name##_t* object) { return object; }                   \
  const wasm_ref_t* wasm_##name##_as_ref_const(const wasm_##name##_t* object) { return object; } \
  wasm_##name##_t* wasm_ref_as_##name(wasm_ref_t* ref) {                                         \
    return const_cast<wasm_##name##_t*>(wasm_ref_as_##name##_const(ref));                        \
  }

#define WASIRUN_DEFINE_REF_OF_KIND(name)                                     \
  WASIRUN_DEFINE_REF(name)                                                   \
  const wasm_##name##_t* wasm_ref_as_##name##_const(const wasm_ref_t* ref) { \
    return reference_as<wasm_##name##_t, RefKind::name>(ref);                \
  }

#define WASIRUN_DEFINE_EXTERN(name)                                                                    \
  WASIRUN_DEFINE_REF_OF_KIND(name)                                                                     \
  wasm_extern_t* wasm_##name##_as_extern(wasm_##name##_t* object) { return object; }                   \
  const wasm_extern_t* wasm_##name##_as_extern_const(const wasm_##name##_t* object) { return object; } \
  wasm_##name##_t* wasm_extern_as_##name(wasm_extern_t* object) { return wasm_ref_as_##name(object); } \
  const wasm_##name##_t* wasm_extern_as_##name##_const(const wasm_extern_t* object) {                  \
    return wasm_ref_as_##name##_const(object);                                                         \
  }

WASIRUN_DEFINE_REF_BASE(ref)
WASIRUN_DEFINE_REF_OF_KIND(trap)
WASIRUN_DEFINE_REF_OF_KIND(foreign)
WASIRUN_DEFINE_REF_OF_KIND(module)
WASIRUN_DEFINE_REF_OF_KIND(instance)
WASIRUN_DEFINE_EXTERN(func)
WASIRUN_DEFINE_EXTERN(global)
WASIRUN_DEFINE_EXTERN(table)
WASIRUN_DEFINE_EXTERN(memory)
WASIRUN_DEFINE_REF(extern)
const wasm_extern_t* wasm_ref_as_extern_const(const wasm_ref_t* ref) {
  return ref != nullptr && is_extern(ref->kind) ? static_cast<const wasm_extern_t*>(ref) : nullptr;
}
WASIRUN_DEFINE_VEC(extern)

// ---- wasirun.h ----

void wasirun_tag_delete(wasirun_tag_t* tag) { delete_reference(tag); }
wasm_extern_t* wasirun_tag_as_extern(wasirun_tag_t* tag) { return tag; }
wasirun_tag_t* wasirun_extern_as_tag(wasm_extern_t* object) {
  return const_cast<wasirun_tag_t*>(reference_as<wasirun_tag_t, RefKind::tag>(object));
}
