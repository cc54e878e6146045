// The standard C interface to WebAssembly (wasm-c-api), as wasirun offers it. wasirun.h adds what it lacks, wasi.h the
// configuration of WASI programs; docs/c-api.md shows how they work together. C99 and later, C++11 and later.
//
// Ownership, which the word `own` marks in declarations (it means nothing to the compiler):
// - what a function returns as `own`, or stores through a parameter `out`, is the caller's, who deletes it;
// - what a function takes as `own` is the function's, also when it fails;
// - a struct or a vector that is owned owns all that its fields and elements point to;
// - every other pointer is borrowed: it stays whose it was, and is valid as long as what it was got from.
// A wasm_T_t* that is owned is given to wasm_T_delete, once. For objects of a store (functions, memories, instances
// ...) that takes back one handle; the object exists as long as its store does, and a handle to any of them, or a call
// in progress, keeps the store. NULL may be deleted.
//
// Threads: an engine, shared modules, configurations and types may be used by any thread, by one at a time where they
// are changed. A store and all that belongs to it, its handles included, is used by one thread at a time.
//
// Errors: functions that return a pointer return NULL, those that return a bool false. wasirun_last_error tells why.
// Nothing is thrown, and a NULL for what must not be NULL is such an error, or nothing happens.
//
// Source: https://github.com/WebAssembly/wasm-c-api/blob/main/include/wasm.h
#ifndef WASM_H
#define WASM_H

// The standard header has these, and programs count on it.
#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifndef WASM_API_EXTERN
#if defined(__GNUC__)
#define WASM_API_EXTERN __attribute__((visibility("default")))
#else
#define WASM_API_EXTERN
#endif
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define own

typedef char byte_t;
typedef float float32_t;
typedef double float64_t;

// A type that is only known by its pointers, and what deletes it.
#define WASM_DECLARE_OWN(name)                    \
  typedef struct wasm_##name##_t wasm_##name##_t; \
  WASM_API_EXTERN void wasm_##name##_delete(own wasm_##name##_t*);

// Vectors: `size` elements from `data` on, which may be NULL when there are none. `new` takes over the elements, not
// the array; `new_uninitialized` leaves them to the caller to fill in, pointers and references as NULL until then;
// `copy` copies each. Without memory the result is empty, and what was taken over is deleted. Only what these functions
// made is given to `delete`, which deletes the elements too and leaves the vector empty.
#define WASM_DECLARE_VEC(name, ptr_or_none)                                                              \
  typedef struct wasm_##name##_vec_t {                                                                   \
    size_t size;                                                                                         \
    wasm_##name##_t ptr_or_none* data;                                                                   \
  } wasm_##name##_vec_t;                                                                                 \
  WASM_API_EXTERN void wasm_##name##_vec_new_empty(own wasm_##name##_vec_t* out);                        \
  WASM_API_EXTERN void wasm_##name##_vec_new_uninitialized(own wasm_##name##_vec_t* out, size_t);        \
  WASM_API_EXTERN void wasm_##name##_vec_new(own wasm_##name##_vec_t* out, size_t,                       \
                                             own wasm_##name##_t ptr_or_none const[]);                   \
  WASM_API_EXTERN void wasm_##name##_vec_copy(own wasm_##name##_vec_t* out, const wasm_##name##_vec_t*); \
  WASM_API_EXTERN void wasm_##name##_vec_delete(own wasm_##name##_vec_t*);

#define WASM_EMPTY_VEC {0, NULL}
// Of an array of the program's own: such a vector is never deleted.
#define WASM_ARRAY_VEC(array) {sizeof(array) / sizeof(*(array)), array}

// Bytes, and names, which are UTF-8 without a NUL behind it.
typedef byte_t wasm_byte_t;
WASM_DECLARE_VEC(byte, )

typedef wasm_byte_vec_t wasm_name_t;
#define wasm_name wasm_byte_vec
#define wasm_name_new wasm_byte_vec_new
#define wasm_name_new_empty wasm_byte_vec_new_empty
#define wasm_name_new_new_uninitialized wasm_byte_vec_new_uninitialized
#define wasm_name_new_uninitialized wasm_byte_vec_new_uninitialized
#define wasm_name_copy wasm_byte_vec_copy
#define wasm_name_delete wasm_byte_vec_delete

static inline void wasm_name_new_from_string(own wasm_name_t* out, const char* s) { wasm_name_new(out, strlen(s), s); }
// The same with the NUL, as messages have it.
static inline void wasm_name_new_from_string_nt(own wasm_name_t* out, const char* s) {
  wasm_name_new(out, strlen(s) + 1, s);
}

// ---- Configurations, engines and stores ----

// wasirun.h has what can be set in one.
WASM_DECLARE_OWN(config)
WASM_API_EXTERN own wasm_config_t* wasm_config_new(void);

// What all modules and stores of a process share. One is usual.
WASM_DECLARE_OWN(engine)
WASM_API_EXTERN own wasm_engine_t* wasm_engine_new(void);
WASM_API_EXTERN own wasm_engine_t* wasm_engine_new_with_config(own wasm_config_t*);

// The owner of instances and of everything in them. Without limits, unless wasirun_store_new sets some.
WASM_DECLARE_OWN(store)
WASM_API_EXTERN own wasm_store_t* wasm_store_new(wasm_engine_t*);

// ---- Types ----

// Types are values: copies are equal, and they belong to no store.
#define WASM_DECLARE_TYPE(name) \
  WASM_DECLARE_OWN(name)        \
  WASM_DECLARE_VEC(name, *)     \
  WASM_API_EXTERN own wasm_##name##_t* wasm_##name##_copy(const wasm_##name##_t*);

typedef uint8_t wasm_mutability_t;
enum wasm_mutability_enum {
  WASM_CONST,
  WASM_VAR,
};

// In pages of memories, elements of tables. Without a maximum, `max` is wasm_limits_max_default.
typedef struct wasm_limits_t {
  uint32_t min;
  uint32_t max;
} wasm_limits_t;
static const uint32_t wasm_limits_max_default = 0xffffffff;

// Types of values. wasirun.h has kinds for those that are not in here.
WASM_DECLARE_TYPE(valtype)
typedef uint8_t wasm_valkind_t;
enum wasm_valkind_enum {
  WASM_I32,
  WASM_I64,
  WASM_F32,
  WASM_F64,
  WASM_EXTERNREF = 128,
  WASM_FUNCREF,
};

WASM_API_EXTERN own wasm_valtype_t* wasm_valtype_new(wasm_valkind_t);
WASM_API_EXTERN wasm_valkind_t wasm_valtype_kind(const wasm_valtype_t*);

static inline bool wasm_valkind_is_num(wasm_valkind_t k) { return k < WASM_EXTERNREF; }
static inline bool wasm_valkind_is_ref(wasm_valkind_t k) { return k >= WASM_EXTERNREF; }
static inline bool wasm_valtype_is_num(const wasm_valtype_t* t) { return wasm_valkind_is_num(wasm_valtype_kind(t)); }
static inline bool wasm_valtype_is_ref(const wasm_valtype_t* t) { return wasm_valkind_is_ref(wasm_valtype_kind(t)); }

WASM_DECLARE_TYPE(functype)
WASM_API_EXTERN own wasm_functype_t* wasm_functype_new(own wasm_valtype_vec_t* params, own wasm_valtype_vec_t* results);
WASM_API_EXTERN const wasm_valtype_vec_t* wasm_functype_params(const wasm_functype_t*);
WASM_API_EXTERN const wasm_valtype_vec_t* wasm_functype_results(const wasm_functype_t*);

WASM_DECLARE_TYPE(globaltype)
WASM_API_EXTERN own wasm_globaltype_t* wasm_globaltype_new(own wasm_valtype_t*, wasm_mutability_t);
WASM_API_EXTERN const wasm_valtype_t* wasm_globaltype_content(const wasm_globaltype_t*);
WASM_API_EXTERN wasm_mutability_t wasm_globaltype_mutability(const wasm_globaltype_t*);

WASM_DECLARE_TYPE(tabletype)
WASM_API_EXTERN own wasm_tabletype_t* wasm_tabletype_new(own wasm_valtype_t*, const wasm_limits_t*);
WASM_API_EXTERN const wasm_valtype_t* wasm_tabletype_element(const wasm_tabletype_t*);
WASM_API_EXTERN const wasm_limits_t* wasm_tabletype_limits(const wasm_tabletype_t*);

WASM_DECLARE_TYPE(memorytype)
WASM_API_EXTERN own wasm_memorytype_t* wasm_memorytype_new(const wasm_limits_t*);
WASM_API_EXTERN const wasm_limits_t* wasm_memorytype_limits(const wasm_memorytype_t*);

// Any of the four. The conversions give the same object, or NULL when it is another kind.
WASM_DECLARE_TYPE(externtype)
typedef uint8_t wasm_externkind_t;
enum wasm_externkind_enum {
  WASM_EXTERN_FUNC,
  WASM_EXTERN_GLOBAL,
  WASM_EXTERN_TABLE,
  WASM_EXTERN_MEMORY,
};
WASM_API_EXTERN wasm_externkind_t wasm_externtype_kind(const wasm_externtype_t*);

#define WASM_DECLARE_EXTERNTYPE_CONVERSIONS(name)                                                     \
  WASM_API_EXTERN wasm_externtype_t* wasm_##name##_as_externtype(wasm_##name##_t*);                   \
  WASM_API_EXTERN wasm_##name##_t* wasm_externtype_as_##name(wasm_externtype_t*);                     \
  WASM_API_EXTERN const wasm_externtype_t* wasm_##name##_as_externtype_const(const wasm_##name##_t*); \
  WASM_API_EXTERN const wasm_##name##_t* wasm_externtype_as_##name##_const(const wasm_externtype_t*);
WASM_DECLARE_EXTERNTYPE_CONVERSIONS(functype)
WASM_DECLARE_EXTERNTYPE_CONVERSIONS(globaltype)
WASM_DECLARE_EXTERNTYPE_CONVERSIONS(tabletype)
WASM_DECLARE_EXTERNTYPE_CONVERSIONS(memorytype)

WASM_DECLARE_TYPE(importtype)
WASM_API_EXTERN own wasm_importtype_t* wasm_importtype_new(own wasm_name_t* module, own wasm_name_t* name,
                                                           own wasm_externtype_t*);
WASM_API_EXTERN const wasm_name_t* wasm_importtype_module(const wasm_importtype_t*);
WASM_API_EXTERN const wasm_name_t* wasm_importtype_name(const wasm_importtype_t*);
WASM_API_EXTERN const wasm_externtype_t* wasm_importtype_type(const wasm_importtype_t*);

WASM_DECLARE_TYPE(exporttype)
WASM_API_EXTERN own wasm_exporttype_t* wasm_exporttype_new(own wasm_name_t*, own wasm_externtype_t*);
WASM_API_EXTERN const wasm_name_t* wasm_exporttype_name(const wasm_exporttype_t*);
WASM_API_EXTERN const wasm_externtype_t* wasm_exporttype_type(const wasm_exporttype_t*);

// ---- Values ----

struct wasm_ref_t;

// An owned value owns its reference.
typedef struct wasm_val_t {
  wasm_valkind_t kind;
  union {
    int32_t i32;
    int64_t i64;
    float32_t f32;
    float64_t f64;
    struct wasm_ref_t* ref;  // NULL is the null reference
  } of;
} wasm_val_t;

// Deletes what the value owns, not the struct.
WASM_API_EXTERN void wasm_val_delete(own wasm_val_t* v);
WASM_API_EXTERN void wasm_val_copy(own wasm_val_t* out, const wasm_val_t*);
WASM_DECLARE_VEC(val, )

// ---- References ----

// Handles to objects. `copy` makes another handle to the same one, `same` compares the objects. An object can have one
// pointer of the host's; a finalizer is called with it when another takes its place, or when the object goes: a store's
// objects with the store, foreign ones when the store's collector finds that nobody has them, modules and traps with
// their last handle. Finalizers call nothing for that store.
#define WASM_DECLARE_REF_BASE(name)                                                        \
  WASM_DECLARE_OWN(name)                                                                   \
  WASM_API_EXTERN own wasm_##name##_t* wasm_##name##_copy(const wasm_##name##_t*);         \
  WASM_API_EXTERN bool wasm_##name##_same(const wasm_##name##_t*, const wasm_##name##_t*); \
  WASM_API_EXTERN void* wasm_##name##_get_host_info(const wasm_##name##_t*);               \
  WASM_API_EXTERN void wasm_##name##_set_host_info(wasm_##name##_t*, void*);               \
  WASM_API_EXTERN void wasm_##name##_set_host_info_with_finalizer(wasm_##name##_t*, void*, void (*)(void*));

// The same handle as a reference, and back: NULL when it refers to something else.
#define WASM_DECLARE_REF(name)                                                          \
  WASM_DECLARE_REF_BASE(name)                                                           \
  WASM_API_EXTERN wasm_ref_t* wasm_##name##_as_ref(wasm_##name##_t*);                   \
  WASM_API_EXTERN wasm_##name##_t* wasm_ref_as_##name(wasm_ref_t*);                     \
  WASM_API_EXTERN const wasm_ref_t* wasm_##name##_as_ref_const(const wasm_##name##_t*); \
  WASM_API_EXTERN const wasm_##name##_t* wasm_ref_as_##name##_const(const wasm_ref_t*);

// What can be handed to another store, also on another thread, of the same engine.
#define WASM_DECLARE_SHARABLE_REF(name)                                                    \
  WASM_DECLARE_REF(name)                                                                   \
  WASM_DECLARE_OWN(shared_##name)                                                          \
  WASM_API_EXTERN own wasm_shared_##name##_t* wasm_##name##_share(const wasm_##name##_t*); \
  WASM_API_EXTERN own wasm_##name##_t* wasm_##name##_obtain(wasm_store_t*, const wasm_shared_##name##_t*);

// Any reference. As a value of the type externref, a guest can be given each of them but those to the guests' own
// objects; it gets the same object back.
WASM_DECLARE_REF_BASE(ref)

// A function that was active when a trap happened.
WASM_DECLARE_OWN(frame)
WASM_DECLARE_VEC(frame, *)
WASM_API_EXTERN own wasm_frame_t* wasm_frame_copy(const wasm_frame_t*);

// Borrowed from the frame; NULL when the store is gone, or the function was one of another store's.
WASM_API_EXTERN struct wasm_instance_t* wasm_frame_instance(const wasm_frame_t*);
WASM_API_EXTERN uint32_t wasm_frame_func_index(const wasm_frame_t*);
// Of the instruction, in bytes from the beginning of the function's body in the module, and from that of the module. 0
// where it is not known.
WASM_API_EXTERN size_t wasm_frame_func_offset(const wasm_frame_t*);
WASM_API_EXTERN size_t wasm_frame_module_offset(const wasm_frame_t*);

// Traps: why a call ended. What a host function returns ends the call of the guest that called it.
typedef wasm_name_t wasm_message_t;  // with a NUL at its end

WASM_DECLARE_REF(trap)
// `store` may be NULL. A message without a NUL is taken as it is.
WASM_API_EXTERN own wasm_trap_t* wasm_trap_new(wasm_store_t* store, const wasm_message_t*);
WASM_API_EXTERN void wasm_trap_message(const wasm_trap_t*, own wasm_message_t* out);
// The innermost frame; NULL when no guest's function was active.
WASM_API_EXTERN own wasm_frame_t* wasm_trap_origin(const wasm_trap_t*);
// All of them, the innermost first.
WASM_API_EXTERN void wasm_trap_trace(const wasm_trap_t*, own wasm_frame_vec_t* out);

// Objects of the host's that guests hold as externref, and cannot look into: their host info says what they are. One
// lives until neither the host has a handle to it nor a guest a reference, and the store's collector has seen that.
WASM_DECLARE_REF(foreign)
WASM_API_EXTERN own wasm_foreign_t* wasm_foreign_new(wasm_store_t*);

// ---- Modules ----

WASM_DECLARE_SHARABLE_REF(module)

// From the binary format, which is copied. For the text format see wasirun_wat_to_wasm.
WASM_API_EXTERN own wasm_module_t* wasm_module_new(wasm_store_t*, const wasm_byte_vec_t* binary);
WASM_API_EXTERN bool wasm_module_validate(wasm_store_t*, const wasm_byte_vec_t* binary);
// In the module's order.
WASM_API_EXTERN void wasm_module_imports(const wasm_module_t*, own wasm_importtype_vec_t* out);
WASM_API_EXTERN void wasm_module_exports(const wasm_module_t*, own wasm_exporttype_vec_t* out);
// The module with the machine code that it has by now, for wasm_module_deserialize of the same build of the library;
// wasirun_module_compile makes all of it first. Empty where that fails.
// WHOM TO TRUST: such bytes are machine code that runs outside of every sandbox. Load none from where guests come from.
WASM_API_EXTERN void wasm_module_serialize(const wasm_module_t*, own wasm_byte_vec_t* out);
WASM_API_EXTERN own wasm_module_t* wasm_module_deserialize(wasm_store_t*, const wasm_byte_vec_t*);

// ---- Functions ----

WASM_DECLARE_REF(func)

// A function of the host's. `args` are borrowed. `results` are of the function's types, zero or null, and are set to
// values that are owned; another type is a trap. Returns NULL, or the trap that ends the guest's call.
typedef own wasm_trap_t* (*wasm_func_callback_t)(const wasm_val_vec_t* args, own wasm_val_vec_t* results);
typedef own wasm_trap_t* (*wasm_func_callback_with_env_t)(void* env, const wasm_val_vec_t* args,
                                                          wasm_val_vec_t* results);

WASM_API_EXTERN own wasm_func_t* wasm_func_new(wasm_store_t*, const wasm_functype_t*, wasm_func_callback_t);
// `finalizer`, which may be NULL, is called with `env` when the store goes, and when this fails.
WASM_API_EXTERN own wasm_func_t* wasm_func_new_with_env(wasm_store_t*, const wasm_functype_t* type,
                                                        wasm_func_callback_with_env_t, void* env,
                                                        void (*finalizer)(void*));
WASM_API_EXTERN own wasm_functype_t* wasm_func_type(const wasm_func_t*);
WASM_API_EXTERN size_t wasm_func_param_arity(const wasm_func_t*);
WASM_API_EXTERN size_t wasm_func_result_arity(const wasm_func_t*);

// `results` has room for all of the function's; what was in there is overwritten, unless it traps. Arguments that do
// not fit the type are a trap, and nothing has run; so is too little room, when the function returns.
WASM_API_EXTERN own wasm_trap_t* wasm_func_call(const wasm_func_t*, const wasm_val_vec_t* args,
                                                wasm_val_vec_t* results);

// ---- Globals, tables, memories ----

WASM_DECLARE_REF(global)
WASM_API_EXTERN own wasm_global_t* wasm_global_new(wasm_store_t*, const wasm_globaltype_t*, const wasm_val_t*);
WASM_API_EXTERN own wasm_globaltype_t* wasm_global_type(const wasm_global_t*);
WASM_API_EXTERN void wasm_global_get(const wasm_global_t*, own wasm_val_t* out);
// Nothing happens to a constant global, or for a value of another type.
WASM_API_EXTERN void wasm_global_set(wasm_global_t*, const wasm_val_t*);

WASM_DECLARE_REF(table)
typedef uint32_t wasm_table_size_t;
// References are borrowed, NULL is null. `get` returns NULL for an index outside too.
WASM_API_EXTERN own wasm_table_t* wasm_table_new(wasm_store_t*, const wasm_tabletype_t*, wasm_ref_t* init);
WASM_API_EXTERN own wasm_tabletype_t* wasm_table_type(const wasm_table_t*);
WASM_API_EXTERN own wasm_ref_t* wasm_table_get(const wasm_table_t*, wasm_table_size_t index);
WASM_API_EXTERN bool wasm_table_set(wasm_table_t*, wasm_table_size_t index, wasm_ref_t*);
WASM_API_EXTERN wasm_table_size_t wasm_table_size(const wasm_table_t*);
WASM_API_EXTERN bool wasm_table_grow(wasm_table_t*, wasm_table_size_t delta, wasm_ref_t* init);

WASM_DECLARE_REF(memory)
typedef uint32_t wasm_memory_pages_t;
static const size_t MEMORY_PAGE_SIZE = 0x10000;
WASM_API_EXTERN own wasm_memory_t* wasm_memory_new(wasm_store_t*, const wasm_memorytype_t*);
WASM_API_EXTERN own wasm_memorytype_t* wasm_memory_type(const wasm_memory_t*);
// All bytes. Growing, by a guest as well, may move them: ask again after every call.
WASM_API_EXTERN byte_t* wasm_memory_data(wasm_memory_t*);
WASM_API_EXTERN size_t wasm_memory_data_size(const wasm_memory_t*);
WASM_API_EXTERN wasm_memory_pages_t wasm_memory_size(const wasm_memory_t*);
WASM_API_EXTERN bool wasm_memory_grow(wasm_memory_t*, wasm_memory_pages_t delta);

// ---- What is imported and exported ----

WASM_DECLARE_REF(extern)
WASM_DECLARE_VEC(extern, *)
WASM_API_EXTERN wasm_externkind_t wasm_extern_kind(const wasm_extern_t*);
WASM_API_EXTERN own wasm_externtype_t* wasm_extern_type(const wasm_extern_t*);

// The same handle, or NULL when it is another kind.
#define WASM_DECLARE_EXTERN_CONVERSIONS(name)                                                 \
  WASM_API_EXTERN wasm_extern_t* wasm_##name##_as_extern(wasm_##name##_t*);                   \
  WASM_API_EXTERN wasm_##name##_t* wasm_extern_as_##name(wasm_extern_t*);                     \
  WASM_API_EXTERN const wasm_extern_t* wasm_##name##_as_extern_const(const wasm_##name##_t*); \
  WASM_API_EXTERN const wasm_##name##_t* wasm_extern_as_##name##_const(const wasm_extern_t*);
WASM_DECLARE_EXTERN_CONVERSIONS(func)
WASM_DECLARE_EXTERN_CONVERSIONS(global)
WASM_DECLARE_EXTERN_CONVERSIONS(table)
WASM_DECLARE_EXTERN_CONVERSIONS(memory)

WASM_DECLARE_REF(instance)
// `imports` are borrowed: one object of the store for each import, in the module's order. Runs the start function. On
// failure NULL, with the reason in `*trap` unless `trap` is NULL: also where it is no trap, but an import of another
// type, say.
WASM_API_EXTERN own wasm_instance_t* wasm_instance_new(wasm_store_t*, const wasm_module_t*,
                                                       const wasm_extern_vec_t* imports, own wasm_trap_t** trap);
// In the module's order.
WASM_API_EXTERN void wasm_instance_exports(const wasm_instance_t*, own wasm_extern_vec_t* out);

// ---- Short forms ----

static inline own wasm_valtype_t* wasm_valtype_new_i32(void) { return wasm_valtype_new(WASM_I32); }
static inline own wasm_valtype_t* wasm_valtype_new_i64(void) { return wasm_valtype_new(WASM_I64); }
static inline own wasm_valtype_t* wasm_valtype_new_f32(void) { return wasm_valtype_new(WASM_F32); }
static inline own wasm_valtype_t* wasm_valtype_new_f64(void) { return wasm_valtype_new(WASM_F64); }
static inline own wasm_valtype_t* wasm_valtype_new_externref(void) { return wasm_valtype_new(WASM_EXTERNREF); }
static inline own wasm_valtype_t* wasm_valtype_new_funcref(void) { return wasm_valtype_new(WASM_FUNCREF); }

// wasm_functype_new_P_R: of P parameters and R results, each of them owned by the type from then on.
static inline own wasm_functype_t* wasm_functype_new_of_arrays(size_t param_count, own wasm_valtype_t* const params[],
                                                               size_t result_count,
                                                               own wasm_valtype_t* const results[]) {
  wasm_valtype_vec_t param_vec, result_vec;
  wasm_valtype_vec_new(&param_vec, param_count, params);
  wasm_valtype_vec_new(&result_vec, result_count, results);
  if (param_vec.size != param_count || result_vec.size != result_count) {  // without memory
    wasm_valtype_vec_delete(&param_vec);
    wasm_valtype_vec_delete(&result_vec);
    return NULL;
  }
  return wasm_functype_new(&param_vec, &result_vec);
}
static inline own wasm_functype_t* wasm_functype_new_0_0(void) { return wasm_functype_new_of_arrays(0, NULL, 0, NULL); }
static inline own wasm_functype_t* wasm_functype_new_1_0(own wasm_valtype_t* p) {
  return wasm_functype_new_of_arrays(1, &p, 0, NULL);
}
static inline own wasm_functype_t* wasm_functype_new_2_0(own wasm_valtype_t* p1, own wasm_valtype_t* p2) {
  wasm_valtype_t* const ps[2] = {p1, p2};
  return wasm_functype_new_of_arrays(2, ps, 0, NULL);
}
static inline own wasm_functype_t* wasm_functype_new_3_0(own wasm_valtype_t* p1, own wasm_valtype_t* p2,
                                                         own wasm_valtype_t* p3) {
  wasm_valtype_t* const ps[3] = {p1, p2, p3};
  return wasm_functype_new_of_arrays(3, ps, 0, NULL);
}
static inline own wasm_functype_t* wasm_functype_new_0_1(own wasm_valtype_t* r) {
  return wasm_functype_new_of_arrays(0, NULL, 1, &r);
}
static inline own wasm_functype_t* wasm_functype_new_1_1(own wasm_valtype_t* p, own wasm_valtype_t* r) {
  return wasm_functype_new_of_arrays(1, &p, 1, &r);
}
static inline own wasm_functype_t* wasm_functype_new_2_1(own wasm_valtype_t* p1, own wasm_valtype_t* p2,
                                                         own wasm_valtype_t* r) {
  wasm_valtype_t* const ps[2] = {p1, p2};
  return wasm_functype_new_of_arrays(2, ps, 1, &r);
}
static inline own wasm_functype_t* wasm_functype_new_3_1(own wasm_valtype_t* p1, own wasm_valtype_t* p2,
                                                         own wasm_valtype_t* p3, own wasm_valtype_t* r) {
  wasm_valtype_t* const ps[3] = {p1, p2, p3};
  return wasm_functype_new_of_arrays(3, ps, 1, &r);
}
static inline own wasm_functype_t* wasm_functype_new_0_2(own wasm_valtype_t* r1, own wasm_valtype_t* r2) {
  wasm_valtype_t* const rs[2] = {r1, r2};
  return wasm_functype_new_of_arrays(0, NULL, 2, rs);
}
static inline own wasm_functype_t* wasm_functype_new_1_2(own wasm_valtype_t* p, own wasm_valtype_t* r1,
                                                         own wasm_valtype_t* r2) {
  wasm_valtype_t* const rs[2] = {r1, r2};
  return wasm_functype_new_of_arrays(1, &p, 2, rs);
}
static inline own wasm_functype_t* wasm_functype_new_2_2(own wasm_valtype_t* p1, own wasm_valtype_t* p2,
                                                         own wasm_valtype_t* r1, own wasm_valtype_t* r2) {
  wasm_valtype_t* const ps[2] = {p1, p2};
  wasm_valtype_t* const rs[2] = {r1, r2};
  return wasm_functype_new_of_arrays(2, ps, 2, rs);
}
static inline own wasm_functype_t* wasm_functype_new_3_2(own wasm_valtype_t* p1, own wasm_valtype_t* p2,
                                                         own wasm_valtype_t* p3, own wasm_valtype_t* r1,
                                                         own wasm_valtype_t* r2) {
  wasm_valtype_t* const ps[3] = {p1, p2, p3};
  wasm_valtype_t* const rs[2] = {r1, r2};
  return wasm_functype_new_of_arrays(3, ps, 2, rs);
}

// A pointer of the host's as an integer value of its size, and back.
static inline void wasm_val_init_ptr(own wasm_val_t* out, void* p) {
#if UINTPTR_MAX == UINT32_MAX
  out->kind = WASM_I32;
  out->of.i32 = (int32_t)(intptr_t)p;
#else
  out->kind = WASM_I64;
  out->of.i64 = (int64_t)(intptr_t)p;
#endif
}
static inline void* wasm_val_ptr(const wasm_val_t* val) {
#if UINTPTR_MAX == UINT32_MAX
  return (void*)(intptr_t)val->of.i32;
#else
  return (void*)(intptr_t)val->of.i64;
#endif
}

// Values to initialise a wasm_val_t with: `wasm_val_t v = WASM_I32_VAL(7);`.
#ifdef __cplusplus
// Designated initialisers are no part of older C++.
static inline wasm_val_t wasm_val_of_i32(int32_t value) {
  wasm_val_t v;
  v.kind = WASM_I32;
  v.of.i64 = 0;
  v.of.i32 = value;
  return v;
}
static inline wasm_val_t wasm_val_of_i64(int64_t value) {
  wasm_val_t v;
  v.kind = WASM_I64;
  v.of.i64 = value;
  return v;
}
static inline wasm_val_t wasm_val_of_f32(float32_t value) {
  wasm_val_t v;
  v.kind = WASM_F32;
  v.of.i64 = 0;
  v.of.f32 = value;
  return v;
}
static inline wasm_val_t wasm_val_of_f64(float64_t value) {
  wasm_val_t v;
  v.kind = WASM_F64;
  v.of.f64 = value;
  return v;
}
static inline wasm_val_t wasm_val_of_ref(wasm_ref_t* value) {
  wasm_val_t v;
  v.kind = WASM_EXTERNREF;
  v.of.ref = value;
  return v;
}
#define WASM_I32_VAL(i) wasm_val_of_i32(i)
#define WASM_I64_VAL(i) wasm_val_of_i64(i)
#define WASM_F32_VAL(z) wasm_val_of_f32(z)
#define WASM_F64_VAL(z) wasm_val_of_f64(z)
#define WASM_REF_VAL(r) wasm_val_of_ref(r)
#define WASM_INIT_VAL wasm_val_of_ref(NULL)
#else
#define WASM_I32_VAL(i)                 \
  {                                     \
    .kind = WASM_I32, .of = {.i32 = i } \
  }
#define WASM_I64_VAL(i)                 \
  {                                     \
    .kind = WASM_I64, .of = {.i64 = i } \
  }
#define WASM_F32_VAL(z)                 \
  {                                     \
    .kind = WASM_F32, .of = {.f32 = z } \
  }
#define WASM_F64_VAL(z)                 \
  {                                     \
    .kind = WASM_F64, .of = {.f64 = z } \
  }
#define WASM_REF_VAL(r)                       \
  {                                           \
    .kind = WASM_EXTERNREF, .of = {.ref = r } \
  }
#define WASM_INIT_VAL                            \
  {                                              \
    .kind = WASM_EXTERNREF, .of = {.ref = NULL } \
  }
#endif

#undef own

#ifdef __cplusplus
}  // extern "C"
#endif

#endif  // WASM_H
