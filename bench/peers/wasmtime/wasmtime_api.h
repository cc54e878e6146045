// The part of wasmtime's C API that is used here, declared from its documentation: the package that brings the library
// brings no headers. Layouts are those of the version that `install` pins.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct wasm_config_t wasm_config_t;
typedef struct wasm_engine_t wasm_engine_t;
typedef struct wasm_trap_t wasm_trap_t;
typedef struct wasm_functype_t wasm_functype_t;
typedef struct wasm_valtype_t wasm_valtype_t;
typedef struct wasi_config_t wasi_config_t;
typedef struct wasmtime_error wasmtime_error_t;
typedef struct wasmtime_module wasmtime_module_t;
typedef struct wasmtime_store wasmtime_store_t;
typedef struct wasmtime_context wasmtime_context_t;
typedef struct wasmtime_linker wasmtime_linker_t;
typedef struct wasmtime_caller wasmtime_caller_t;
typedef struct wasmtime_instance_pre wasmtime_instance_pre_t;
typedef struct wasmtime_pooling_allocation_config_t wasmtime_pooling_allocation_config_t;

typedef struct {
  size_t size;
  char* data;
} wasm_byte_vec_t;
typedef struct {
  size_t size;
  wasm_valtype_t** data;
} wasm_valtype_vec_t;
enum { WASM_I32, WASM_I64, WASM_F32, WASM_F64 };

typedef struct {
  uint64_t store_id;
  void* private_;
} wasmtime_func_t;
typedef struct {
  uint64_t store_id;
  size_t private_;
} wasmtime_instance_t;
typedef struct {
  struct {
    uint64_t store_id;
    uint32_t private1;
  } part;
  uint32_t private2;
} wasmtime_memory_t;
typedef struct {
  uint8_t kind;  // 0: a function, 3: a memory
  union {
    wasmtime_func_t func;
    wasmtime_memory_t memory;
    uint64_t words[4];
  } of;
} wasmtime_extern_t;

typedef struct {
  uint8_t kind;  // as WASM_I32 and so on
  union {
    int32_t i32;
    int64_t i64;
    float f32;
    double f64;
    uint64_t words[3];
  } of;
} wasmtime_val_t;
typedef union {
  int32_t i32;
  int64_t i64;
  float f32;
  double f64;
  uint8_t v128[16];
} wasmtime_val_raw_t;

typedef wasm_trap_t* (*wasmtime_func_callback_t)(void* env, wasmtime_caller_t* caller, const wasmtime_val_t* args,
                                                 size_t nargs, wasmtime_val_t* results, size_t nresults);
typedef wasm_trap_t* (*wasmtime_func_unchecked_callback_t)(void* env, wasmtime_caller_t* caller,
                                                           wasmtime_val_raw_t* args_and_results, size_t count);

enum { WASMTIME_STRATEGY_AUTO, WASMTIME_STRATEGY_CRANELIFT, WASMTIME_STRATEGY_WINCH };

#ifdef __cplusplus
extern "C" {
#endif

wasm_config_t* wasm_config_new(void);
void wasmtime_config_strategy_set(wasm_config_t*, uint8_t strategy);
wasmtime_error_t* wasmtime_config_target_set(wasm_config_t*, const char* target);
void wasmtime_config_wasm_gc_set(wasm_config_t*, bool);
void wasmtime_config_wasm_function_references_set(wasm_config_t*, bool);
void wasmtime_config_wasm_exceptions_set(wasm_config_t*, bool);
void wasmtime_config_wasm_tail_call_set(wasm_config_t*, bool);
void wasmtime_config_max_wasm_stack_set(wasm_config_t*, size_t);
void wasmtime_config_memory_reservation_set(wasm_config_t*, uint64_t);
void wasmtime_config_memory_guard_size_set(wasm_config_t*, uint64_t);
void wasmtime_config_memory_init_cow_set(wasm_config_t*, bool);
wasmtime_pooling_allocation_config_t* wasmtime_pooling_allocation_config_new(void);
void wasmtime_pooling_allocation_config_total_core_instances_set(wasmtime_pooling_allocation_config_t*, uint32_t);
void wasmtime_pooling_allocation_config_total_memories_set(wasmtime_pooling_allocation_config_t*, uint32_t);
void wasmtime_pooling_allocation_config_total_tables_set(wasmtime_pooling_allocation_config_t*, uint32_t);
void wasmtime_pooling_allocation_config_max_memory_size_set(wasmtime_pooling_allocation_config_t*, size_t);
void wasmtime_pooling_allocation_config_table_elements_set(wasmtime_pooling_allocation_config_t*, size_t);
void wasmtime_pooling_allocation_strategy_set(wasm_config_t*, const wasmtime_pooling_allocation_config_t*);
wasm_engine_t* wasm_engine_new_with_config(wasm_config_t*);
void wasm_engine_delete(wasm_engine_t*);

wasmtime_error_t* wasmtime_module_new(wasm_engine_t*, const uint8_t*, size_t, wasmtime_module_t**);
wasmtime_error_t* wasmtime_module_serialize(wasmtime_module_t*, wasm_byte_vec_t*);
wasmtime_error_t* wasmtime_module_deserialize_file(wasm_engine_t*, const char* path, wasmtime_module_t**);
void wasmtime_module_delete(wasmtime_module_t*);

wasmtime_store_t* wasmtime_store_new(wasm_engine_t*, void* data, void (*finalizer)(void*));
wasmtime_context_t* wasmtime_store_context(wasmtime_store_t*);
void wasmtime_store_delete(wasmtime_store_t*);
wasmtime_error_t* wasmtime_context_set_wasi(wasmtime_context_t*, wasi_config_t*);

wasi_config_t* wasi_config_new(void);
bool wasi_config_set_argv(wasi_config_t*, size_t argc, const char* argv[]);
void wasi_config_inherit_stdin(wasi_config_t*);
void wasi_config_inherit_stdout(wasi_config_t*);
void wasi_config_inherit_stderr(wasi_config_t*);
bool wasi_config_preopen_dir(wasi_config_t*, const char* host, const char* guest, bool is_read_only);

void wasm_valtype_vec_new_empty(wasm_valtype_vec_t*);
void wasm_valtype_vec_new(wasm_valtype_vec_t*, size_t, wasm_valtype_t* const[]);
wasm_valtype_t* wasm_valtype_new(uint8_t kind);
wasm_functype_t* wasm_functype_new(wasm_valtype_vec_t* params, wasm_valtype_vec_t* results);
void wasm_functype_delete(wasm_functype_t*);

wasmtime_linker_t* wasmtime_linker_new(wasm_engine_t*);
void wasmtime_linker_delete(wasmtime_linker_t*);
wasmtime_error_t* wasmtime_linker_define_wasi(wasmtime_linker_t*);
wasmtime_error_t* wasmtime_linker_define_func(wasmtime_linker_t*, const char* module, size_t, const char* name, size_t,
                                              const wasm_functype_t*, wasmtime_func_callback_t, void* data,
                                              void (*finalizer)(void*));
wasmtime_error_t* wasmtime_linker_define_func_unchecked(wasmtime_linker_t*, const char* module, size_t,
                                                        const char* name, size_t, const wasm_functype_t*,
                                                        wasmtime_func_unchecked_callback_t, void* data,
                                                        void (*finalizer)(void*));
wasmtime_error_t* wasmtime_linker_instantiate(const wasmtime_linker_t*, wasmtime_context_t*, const wasmtime_module_t*,
                                              wasmtime_instance_t*, wasm_trap_t**);
wasmtime_error_t* wasmtime_linker_instantiate_pre(const wasmtime_linker_t*, const wasmtime_module_t*,
                                                  wasmtime_instance_pre_t**);
wasmtime_error_t* wasmtime_instance_pre_instantiate(const wasmtime_instance_pre_t*, wasmtime_context_t*,
                                                    wasmtime_instance_t*, wasm_trap_t**);
void wasmtime_instance_pre_delete(wasmtime_instance_pre_t*);
wasmtime_error_t* wasmtime_linker_define_instance(wasmtime_linker_t*, wasmtime_context_t*, const char* name, size_t,
                                                  const wasmtime_instance_t*);

bool wasmtime_instance_export_get(wasmtime_context_t*, const wasmtime_instance_t*, const char* name, size_t,
                                  wasmtime_extern_t*);
wasmtime_error_t* wasmtime_func_call(wasmtime_context_t*, const wasmtime_func_t*, const wasmtime_val_t* args, size_t,
                                     wasmtime_val_t* results, size_t, wasm_trap_t**);
wasmtime_error_t* wasmtime_func_call_unchecked(wasmtime_context_t*, const wasmtime_func_t*,
                                               wasmtime_val_raw_t* args_and_results, size_t, wasm_trap_t**);

wasmtime_context_t* wasmtime_caller_context(wasmtime_caller_t*);
uint8_t* wasmtime_memory_data(const wasmtime_context_t*, const wasmtime_memory_t*);
size_t wasmtime_memory_data_size(const wasmtime_context_t*, const wasmtime_memory_t*);
wasmtime_error_t* wasmtime_wat2wasm(const char* text, size_t, wasm_byte_vec_t*);

void wasmtime_error_message(const wasmtime_error_t*, wasm_byte_vec_t*);
bool wasmtime_error_exit_status(const wasmtime_error_t*, int*);
void wasm_trap_message(const wasm_trap_t*, wasm_byte_vec_t*);
void wasm_trap_delete(wasm_trap_t*);

#ifdef __cplusplus
}
#endif
