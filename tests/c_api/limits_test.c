// Limits, fuel, deadlines, interrupts; vectors, exceptions and shared memories.
#define _POSIX_C_SOURCE 200809L
#include <pthread.h>

#include "check.h"

static const char kEndless[] = "(module (func (export \"spin\") (loop $l br $l)))";

static void fuel(void) {
  wasm_config_t* config = wasm_config_new();
  wasm_engine_t* engine;
  wasm_store_t* store;
  wasm_instance_t* instance;
  wasm_func_t* spin;
  uint64_t left = 1;
  wasirun_config_set_fuel(config, true);
  engine = wasm_engine_new_with_config(config);
  store = wasm_store_new(engine);
  instance = instance_of(store, kEndless, NULL, 0);
  spin = function_of(instance, "spin");
  check_trap(call_i32(spin, NULL, 0, NULL), WASIRUN_TRAP_OUT_OF_FUEL, "out of fuel");
  check_no_error(wasirun_store_set_fuel(store, 1000));
  check_no_error(wasirun_store_fuel(store, &left));
  CHECK(left == 1000);
  check_trap(call_i32(spin, NULL, 0, NULL), WASIRUN_TRAP_OUT_OF_FUEL, "out of fuel");
  check_no_error(wasirun_store_fuel(store, &left));
  CHECK(left == 0);
  wasm_func_delete(spin);
  wasm_instance_delete(instance);
  wasm_store_delete(store);
  wasm_engine_delete(engine);
}

static void* interrupt(void* data) {
  wasirun_interrupter_interrupt((const wasirun_interrupter_t*)data);
  return NULL;
}

static void time_and_interrupts(wasm_engine_t* engine) {
  wasm_store_t* store = wasm_store_new(engine);
  wasm_instance_t* instance = instance_of(store, kEndless, NULL, 0);
  wasm_func_t* spin = function_of(instance, "spin");
  wasirun_interrupter_t* interrupter = wasirun_interrupter_new(store);
  pthread_t thread;
  uint64_t left = 0;
  check_error(wasirun_store_set_fuel(store, 1), WASIRUN_ERROR_ARGUMENT, "fuel");
  check_error(wasirun_store_fuel(store, &left), WASIRUN_ERROR_ARGUMENT, "fuel");
  check_no_error(wasirun_store_set_deadline(store, 1000000));
  check_trap(call_i32(spin, NULL, 0, NULL), WASIRUN_TRAP_DEADLINE_EXCEEDED, "deadline exceeded");
  check_no_error(wasirun_store_set_deadline(store, UINT64_MAX));
  wasirun_store_clear_deadline(store);
  REQUIRE(pthread_create(&thread, NULL, interrupt, interrupter) == 0);
  check_trap(call_i32(spin, NULL, 0, NULL), WASIRUN_TRAP_INTERRUPTED, "interrupted");
  pthread_join(thread, NULL);
  wasirun_interrupter_interrupt(interrupter);
  wasirun_store_clear_interrupt(store);
  check_no_error(wasirun_store_set_deadline(store, 1000000));
  check_trap(call_i32(spin, NULL, 0, NULL), WASIRUN_TRAP_DEADLINE_EXCEEDED, "deadline exceeded");
  wasirun_store_set_native_stack(store, NULL, 0);
  wasm_func_delete(spin);
  wasm_instance_delete(instance);
  wasm_store_delete(store);
  // The store is gone.
  wasirun_interrupter_interrupt(interrupter);
  wasirun_interrupter_delete(interrupter);
}

static void limits(wasm_engine_t* engine) {
  wasirun_store_config_t* config = wasirun_store_config_new();
  wasm_store_t* store;
  wasm_instance_t* instance;
  wasm_func_t* grow;
  wasm_module_t* module;
  wasm_trap_t* trap = NULL;
  int32_t delta = 8;
  int32_t result = 0;
  wasirun_store_config_set_memory_limit(config, 10 * 65536);
  wasirun_store_config_set_table_limit(config, 100);
  wasirun_store_config_set_instance_limit(config, 1);
  wasirun_store_config_set_stack_size(config, 1 << 16);
  wasirun_store_config_set_gc_heap_limit(config, 1 << 20);
  store = wasirun_store_new(engine, config);
  wasirun_store_config_delete(config);
  instance = instance_of(store,
                         "(module (memory 1) (table 1 funcref)"
                         " (func (export \"memory\") (param i32) (result i32) (memory.grow (local.get 0)))"
                         " (func (export \"table\") (param i32) (result i32)"
                         "  (table.grow (ref.null func) (local.get 0)))"
                         " (func $deep (export \"deep\") (result i32) (i32.add (i32.const 1) (call $deep))))",
                         NULL, 0);
  grow = function_of(instance, "memory");
  check_no_trap(call_i32(grow, &delta, 1, &result));
  CHECK(result == 1);
  check_no_trap(call_i32(grow, &delta, 1, &result));
  CHECK(result == -1);
  wasm_func_delete(grow);
  grow = function_of(instance, "table");
  delta = 100;
  check_no_trap(call_i32(grow, &delta, 1, &result));
  CHECK(result == -1);
  wasm_func_delete(grow);
  grow = function_of(instance, "deep");
  check_trap(call_i32(grow, NULL, 0, &result), WASIRUN_TRAP_STACK_OVERFLOW, "call stack exhausted");
  wasm_func_delete(grow);
  module = module_of(store, "(module)");
  CHECK(wasm_instance_new(store, module, NULL, &trap) == NULL);
  check_trap(trap, WASIRUN_TRAP_ALLOCATION_FAILURE, "limit of 1 instances");
  check_last_error(WASIRUN_ERROR_LIMIT, "limit of 1 instances");
  wasm_module_delete(module);
  wasm_instance_delete(instance);
  wasm_store_delete(store);
}

// The vector with its lanes of 32 bits turned round.
static wasm_trap_t* turn(const wasm_val_vec_t* args, wasm_val_vec_t* results) {
  wasirun_v128_t in, out;
  int i;
  CHECK(wasirun_val_v128(&args->data[0], &in));
  for (i = 0; i < 4; ++i) memcpy(out.bytes + 4 * i, in.bytes + 4 * (3 - i), 4);
  wasm_val_delete(&results->data[0]);
  CHECK(wasirun_val_new_v128(&results->data[0], &out));
  return NULL;
}

static void vectors(wasm_engine_t* engine) {
  wasm_store_t* store = wasm_store_new(engine);
  wasm_functype_t* type = wasm_functype_new_1_1(wasm_valtype_new(WASIRUN_V128), wasm_valtype_new(WASIRUN_V128));
  wasm_func_t* host = wasm_func_new(store, type, turn);
  wasm_extern_t* import = wasm_func_as_extern(host);
  wasm_instance_t* instance =
      instance_of(store,
                  "(module (func $turn (import \"\" \"turn\") (param v128) (result v128))"
                  " (global (export \"g\") (mut v128) (v128.const i32x4 9 9 9 9))"
                  " (func (export \"f\") (param v128) (result v128)"
                  "  (i32x4.add (call $turn (local.get 0)) (v128.const i32x4 1 1 1 1))))",
                  &import, 1);
  wasm_func_t* f = function_of(instance, "f");
  wasm_extern_t* global = wasirun_instance_export(instance, "g");
  const int32_t lanes[4] = {1, 2, 3, 4};
  int32_t read[4];
  wasirun_v128_t vector;
  wasm_val_t arg;
  wasm_val_t results[1] = {WASM_INIT_VAL};
  wasm_val_vec_t arg_vec;
  wasm_val_vec_t result_vec = WASM_ARRAY_VEC(results);
  memcpy(&vector, lanes, 16);
  CHECK(wasirun_val_new_v128(&arg, &vector));
  arg_vec.size = 1;
  arg_vec.data = &arg;
  check_no_trap(wasm_func_call(f, &arg_vec, &result_vec));
  CHECK(wasirun_val_v128(&results[0], &vector));
  memcpy(read, &vector, 16);
  CHECK(read[0] == 5 && read[1] == 4 && read[2] == 3 && read[3] == 2);
  wasm_global_set(wasm_extern_as_global(global), &results[0]);
  wasm_val_delete(&results[0]);
  wasm_global_get(wasm_extern_as_global(global), &results[0]);
  CHECK(wasirun_val_v128(&results[0], &vector));
  memcpy(read, &vector, 16);
  CHECK(read[0] == 5);
  wasm_val_delete(&results[0]);
  wasm_val_delete(&arg);
  wasm_extern_delete(global);
  wasm_func_delete(f);
  wasm_func_delete(host);
  wasm_functype_delete(type);
  wasm_instance_delete(instance);
  wasm_store_delete(store);
}

static wasm_trap_t* throw_it(void* env, const wasm_val_vec_t* args, wasm_val_vec_t* results) {
  (void)results;
  return wasirun_trap_new_exception((const wasirun_tag_t*)env, args);
}

static void exceptions(wasm_engine_t* engine) {
  wasm_store_t* store = wasm_store_new(engine);
  wasm_valtype_vec_t params;
  wasirun_tagtype_t* tag_type;
  wasirun_tagtype_t* read_type;
  wasirun_tag_t* tag;
  wasirun_tag_t* thrown = NULL;
  wasm_functype_t* type = wasm_functype_new_1_0(wasm_valtype_new_i32());
  wasm_func_t* host;
  wasm_func_t* func;
  wasm_extern_t* imports[2];
  wasm_instance_t* instance;
  wasm_val_vec_t values;
  wasm_trap_t* trap;
  int32_t arg = 77;
  int32_t result = 0;
  wasm_valtype_vec_new_uninitialized(&params, 1);
  params.data[0] = wasm_valtype_new_i32();
  tag_type = wasirun_tagtype_new(&params);
  tag = wasirun_tag_new(store, tag_type);
  REQUIRE(tag != NULL);
  read_type = wasirun_tag_type(tag);
  CHECK(wasirun_tagtype_params(read_type)->size == 1);
  wasirun_tagtype_delete(read_type);
  CHECK(wasm_extern_kind(wasirun_tag_as_extern(tag)) == WASIRUN_EXTERN_TAG);
  CHECK(wasirun_extern_as_tag(wasirun_tag_as_extern(tag)) == tag &&
        wasm_extern_as_func(wasirun_tag_as_extern(tag)) == NULL);
  host = wasm_func_new_with_env(store, type, throw_it, tag, NULL);
  imports[0] = wasirun_tag_as_extern(tag);
  imports[1] = wasm_func_as_extern(host);
  instance = instance_of(store,
                         "(module (tag $t (import \"\" \"t\") (param i32))"
                         " (func $throw (import \"\" \"throw\") (param i32))"
                         " (func (export \"catch\") (param i32) (result i32)"
                         "  (block $caught (result i32)"
                         "   (try_table (catch $t $caught) (call $throw (local.get 0))) (i32.const -1)))"
                         " (func (export \"throw\") (param i32) (throw $t (local.get 0))))",
                         imports, 2);
  func = function_of(instance, "catch");
  check_no_trap(call_i32(func, &arg, 1, &result));
  CHECK(result == 77);
  wasm_func_delete(func);
  func = function_of(instance, "throw");
  trap = call_i32(func, &arg, 1, NULL);
  REQUIRE(trap != NULL);
  CHECK(wasirun_trap_exception(trap, &thrown, &values));
  REQUIRE(thrown != NULL && values.size == 1);
  CHECK(values.data[0].of.i32 == 77);
  CHECK(wasm_extern_same(wasirun_tag_as_extern(thrown), wasirun_tag_as_extern(tag)));
  wasm_val_vec_delete(&values);
  wasirun_tag_delete(thrown);
  check_trap(trap, WASIRUN_TRAP_UNCAUGHT_EXCEPTION, "unhandled exception");
  trap = wasm_trap_new(store, NULL);
  CHECK(!wasirun_trap_exception(trap, &thrown, &values) && thrown == NULL && values.size == 0);
  wasm_trap_delete(trap);
  CHECK(wasirun_trap_new_exception(tag, NULL) == NULL);
  check_last_error(WASIRUN_ERROR_ARGUMENT, "the tag carries 1 values, not 0");
  wasm_func_delete(func);
  wasm_func_delete(host);
  wasm_instance_delete(instance);
  wasirun_tag_delete(tag);
  wasirun_tagtype_delete(tag_type);
  wasm_functype_delete(type);
  wasm_store_delete(store);
}

static void shared_memories(wasm_engine_t* engine) {
  const wasirun_memory_traits_t traits = {1, 4, 65536, false, true};
  const wasm_limits_t unshared = {1, 1};
  wasm_memorytype_t* type = wasirun_memorytype_new(&traits);
  wasm_memorytype_t* wrong = wasm_memorytype_new(&unshared);
  wasirun_shared_memory_t* memory = wasirun_shared_memory_new(engine, type);
  wasirun_shared_memory_t* copy;
  wasirun_shared_memory_t* again;
  int i;
  REQUIRE(memory != NULL);
  CHECK(wasirun_shared_memory_new(engine, wrong) == NULL);
  check_last_error(WASIRUN_ERROR_ARGUMENT, "shared");
  CHECK(wasirun_shared_memory_data_size(memory) == 65536);
  copy = wasirun_shared_memory_copy(memory);
  wasirun_shared_memory_delete(memory);
  for (i = 0; i < 2; ++i) {
    wasm_store_t* store = wasm_store_new(engine);
    wasm_memory_t* in_store = wasirun_memory_obtain(store, copy);
    wasm_extern_t* import = wasm_memory_as_extern(in_store);
    wasm_instance_t* instance = instance_of(store,
                                            "(module (memory (import \"\" \"m\") 1 4 shared)"
                                            " (func (export \"add\") (result i32)"
                                            "  (i32.atomic.rmw.add (i32.const 0) (i32.const 5))))",
                                            &import, 1);
    wasm_func_t* add = function_of(instance, "add");
    int32_t result = -1;
    check_no_trap(call_i32(add, NULL, 0, &result));
    CHECK(result == 5 * i);
    CHECK(wasm_memory_data(in_store) == wasirun_shared_memory_data(copy));
    again = wasirun_memory_share(in_store);
    CHECK(wasirun_shared_memory_data(again) == wasirun_shared_memory_data(copy));
    wasirun_shared_memory_delete(again);
    wasm_func_delete(add);
    wasm_instance_delete(instance);
    wasm_memory_delete(in_store);
    wasm_store_delete(store);
  }
  CHECK(wasirun_shared_memory_data(copy)[0] == 10);
  CHECK(wasirun_shared_memory_grow(copy, 3) && !wasirun_shared_memory_grow(copy, 1));
  check_last_error(WASIRUN_ERROR_LIMIT, "1 pages more");
  wasirun_shared_memory_delete(copy);
  wasm_memorytype_delete(type);
  wasm_memorytype_delete(wrong);
}

int main(void) {
  wasm_engine_t* engine = wasm_engine_new();
  REQUIRE(engine != NULL);
  fuel();
  time_and_interrupts(engine);
  limits(engine);
  vectors(engine);
  exceptions(engine);
  shared_memories(engine);
  wasm_engine_delete(engine);
  return report();
}
