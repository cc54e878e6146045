// Globals, tables, memories, foreign objects: values in and out, ownership, identity, host info.
#include "check.h"

static int finalized = 0;
static void count_finalizer(void* data) {
  CHECK(data == &finalized);
  ++finalized;
}

static wasm_val_t i32(int32_t value) {
  wasm_val_t val = WASM_I32_VAL(value);
  return val;
}

static void globals(wasm_store_t* store) {
  wasm_globaltype_t* variable = wasm_globaltype_new(wasm_valtype_new_i32(), WASM_VAR);
  wasm_globaltype_t* constant = wasm_globaltype_new(wasm_valtype_new_f64(), WASM_CONST);
  wasm_val_t val = i32(7);
  wasm_global_t* global = wasm_global_new(store, variable, &val);
  wasm_global_t* copy;
  wasm_globaltype_t* type;
  wasm_extern_t* object;
  wasm_externtype_t* extern_type;
  REQUIRE(global != NULL);
  copy = wasm_global_copy(global);
  CHECK(wasm_global_same(global, copy));
  val = i32(8);
  wasm_global_set(copy, &val);
  wasm_global_get(global, &val);
  CHECK(val.kind == WASM_I32 && val.of.i32 == 8);
  val = i32(1);
  val.kind = WASM_I64;
  wasm_global_set(global, &val);
  check_last_error(WASIRUN_ERROR_ARGUMENT, "the value is an i64, expected i32");
  type = wasm_global_type(global);
  CHECK(wasm_globaltype_mutability(type) == WASM_VAR && wasm_valtype_kind(wasm_globaltype_content(type)) == WASM_I32);
  wasm_globaltype_delete(type);
  object = wasm_global_as_extern(global);
  CHECK(wasm_extern_kind(object) == WASM_EXTERN_GLOBAL);
  CHECK(wasm_extern_as_global(object) == global && wasm_extern_as_func(object) == NULL &&
        wasm_extern_as_table(object) == NULL && wasm_extern_as_memory(object) == NULL);
  extern_type = wasm_extern_type(object);
  CHECK(wasm_externtype_as_globaltype(extern_type) != NULL);
  wasm_externtype_delete(extern_type);
  wasm_global_delete(copy);
  wasm_global_delete(global);

  CHECK(wasm_global_new(store, constant, &val) == NULL);
  check_last_error(WASIRUN_ERROR_ARGUMENT, "the value is an i64, expected f64");
  val.kind = WASM_F64;
  val.of.f64 = 0.5;
  global = wasm_global_new(store, constant, &val);
  wasm_global_set(global, &val);
  check_last_error(WASIRUN_ERROR_ARGUMENT, "constant");
  wasm_global_delete(global);
  wasm_globaltype_delete(variable);
  wasm_globaltype_delete(constant);
}

static wasm_trap_t* negate(const wasm_val_vec_t* args, wasm_val_vec_t* results) {
  results->data[0].of.i32 = -args->data[0].of.i32;
  return NULL;
}

static wasm_func_t* make_negate(wasm_store_t* store) {
  wasm_functype_t* type = wasm_functype_new_1_1(wasm_valtype_new_i32(), wasm_valtype_new_i32());
  wasm_func_t* func = wasm_func_new(store, type, negate);
  wasm_functype_delete(type);
  REQUIRE(func != NULL);
  return func;
}

static void tables(wasm_store_t* store, wasm_engine_t* engine) {
  const wasm_limits_t limits = {2, 4};
  wasm_tabletype_t* type = wasm_tabletype_new(wasm_valtype_new_funcref(), &limits);
  wasm_func_t* func = make_negate(store);
  wasm_table_t* table = wasm_table_new(store, type, wasm_func_as_ref(func));
  wasm_store_t* other_store = wasm_store_new(engine);
  wasm_func_t* other = make_negate(other_store);
  wasm_foreign_t* foreign = wasm_foreign_new(store);
  wasm_ref_t* ref;
  wasm_tabletype_t* read;
  int32_t arg = 5;
  int32_t result = 0;
  REQUIRE(table != NULL);
  CHECK(wasm_table_size(table) == 2);
  ref = wasm_table_get(table, 1);
  REQUIRE(ref != NULL);
  CHECK(wasm_ref_same(ref, wasm_func_as_ref(func)));
  CHECK(wasm_ref_as_func(ref) != NULL && wasm_ref_as_table(ref) == NULL && wasm_ref_as_foreign(ref) == NULL &&
        wasm_ref_as_trap(ref) == NULL && wasm_ref_as_instance(ref) == NULL && wasm_ref_as_module(ref) == NULL &&
        wasm_ref_as_extern(ref) != NULL);
  CHECK(wasirun_ref_kind(ref) == WASIRUN_REF_FUNCTION && wasirun_ref_kind(NULL) == WASIRUN_REF_NULL);
  check_no_trap(call_i32(wasm_ref_as_func(ref), &arg, 1, &result));
  CHECK(result == -5);
  wasm_ref_delete(ref);
  CHECK(wasm_table_set(table, 0, NULL));
  CHECK(wasm_table_get(table, 0) == NULL);
  CHECK(wasm_table_get(table, 2) == NULL);
  check_last_error(WASIRUN_ERROR_ARGUMENT, "index 2 is outside");
  CHECK(!wasm_table_set(table, 2, NULL));
  check_last_error(WASIRUN_ERROR_ARGUMENT, "index 2 is outside");
  CHECK(!wasm_table_set(table, 0, wasm_foreign_as_ref(foreign)));
  check_last_error(WASIRUN_ERROR_ARGUMENT, "funcref");
  CHECK(!wasm_table_set(table, 0, wasm_func_as_ref(other)));
  check_last_error(WASIRUN_ERROR_ARGUMENT, "");
  CHECK(wasm_table_grow(table, 2, wasm_func_as_ref(func)) && wasm_table_size(table) == 4);
  CHECK(!wasm_table_grow(table, 1, NULL));
  check_last_error(WASIRUN_ERROR_LIMIT, "the table cannot have 1");
  ref = wasirun_table_get(table, 3);
  CHECK(wasm_ref_same(ref, wasm_func_as_ref(func)));
  wasm_ref_delete(ref);
  read = wasm_table_type(table);
  CHECK(wasm_tabletype_limits(read)->max == 4);
  wasm_tabletype_delete(read);
  wasm_table_delete(table);
  wasm_tabletype_delete(type);

  type = wasm_tabletype_new(wasm_valtype_new_i32(), &limits);
  CHECK(wasm_table_new(store, type, NULL) == NULL);
  check_last_error(WASIRUN_ERROR_ARGUMENT, "a table holds references, not i32");
  wasm_tabletype_delete(type);
  wasm_foreign_delete(foreign);
  wasm_func_delete(other);
  wasm_store_delete(other_store);
  wasm_func_delete(func);
}

static void memories(wasm_store_t* store) {
  const wasm_limits_t limits = {1, 2};
  const wasm_limits_t wrong = {3, 2};
  wasm_memorytype_t* type = wasm_memorytype_new(&limits);
  wasm_memory_t* memory = wasm_memory_new(store, type);
  wasm_extern_t* import;
  wasm_instance_t* instance;
  wasm_func_t* load;
  int32_t arg = 9;
  int32_t result = 0;
  REQUIRE(memory != NULL);
  CHECK(wasm_memory_size(memory) == 1 && wasm_memory_data_size(memory) == MEMORY_PAGE_SIZE);
  wasm_memory_data(memory)[9] = 77;
  import = wasm_memory_as_extern(memory);
  instance = instance_of(store,
                         "(module (memory (import \"\" \"m\") 1)"
                         " (func (export \"load\") (param i32) (result i32) (i32.load8_u (local.get 0))))",
                         &import, 1);
  load = function_of(instance, "load");
  check_no_trap(call_i32(load, &arg, 1, &result));
  CHECK(result == 77);
  arg = 65536;
  check_trap(call_i32(load, &arg, 1, &result), WASIRUN_TRAP_MEMORY_OUT_OF_BOUNDS, "out of bounds");
  CHECK(wasm_memory_grow(memory, 1) && wasirun_memory_size(memory) == 2);
  check_no_trap(call_i32(load, &arg, 1, &result));
  CHECK(result == 0);
  CHECK(!wasm_memory_grow(memory, 1));
  check_last_error(WASIRUN_ERROR_LIMIT, "the memory cannot have 1 pages more");
  CHECK(wasirun_memory_share(memory) == NULL);
  check_last_error(WASIRUN_ERROR_ARGUMENT, "not shared");
  wasm_memory_delete(memory);
  wasm_memorytype_delete(type);
  type = wasm_memorytype_new(&wrong);
  CHECK(wasm_memory_new(store, type) == NULL);
  check_last_error(WASIRUN_ERROR_ARGUMENT, "minimum of 3");
  wasm_memorytype_delete(type);
  wasm_func_delete(load);
  wasm_instance_delete(instance);
}

static void host_info(wasm_engine_t* engine) {
  wasm_store_t* store = wasm_store_new(engine);
  wasm_func_t* func = make_negate(store);
  wasm_func_t* copy = wasm_func_copy(func);
  wasm_module_t* module = module_of(store, "(module)");
  wasm_module_t* module_copy = wasm_module_copy(module);
  int other = 0;
  CHECK(wasm_func_get_host_info(func) == NULL);
  wasm_func_set_host_info(func, &other);
  CHECK(wasm_func_get_host_info(copy) == &other);
  CHECK(wasm_ref_get_host_info(wasm_func_as_ref_const(copy)) == &other);
  CHECK(wasm_extern_get_host_info(wasm_func_as_extern_const(copy)) == &other);
  finalized = 0;
  wasm_func_set_host_info_with_finalizer(copy, &finalized, count_finalizer);
  wasm_func_set_host_info_with_finalizer(func, &finalized, count_finalizer);
  CHECK(finalized == 1);
  wasm_func_delete(func);
  wasm_func_delete(copy);
  CHECK(finalized == 1);

  wasm_module_set_host_info_with_finalizer(module, &finalized, count_finalizer);
  CHECK(wasm_module_get_host_info(module_copy) == &finalized && wasm_module_same(module, module_copy));
  wasm_module_delete(module);
  CHECK(finalized == 1);
  wasm_module_delete(module_copy);
  CHECK(finalized == 2);
  wasm_store_delete(store);
  CHECK(finalized == 3);
}

static wasm_val_t ref_val(wasm_ref_t* ref) {
  wasm_val_t val = WASM_REF_VAL(ref);
  return val;
}

// What a guest's function of one externref gives back; owned.
static wasm_ref_t* through(const wasm_func_t* identity, wasm_ref_t* ref) {
  wasm_val_t args[1];
  wasm_val_t results[1] = {WASM_INIT_VAL};
  wasm_val_vec_t arg_vec, result_vec;
  args[0] = ref_val(ref);
  arg_vec.size = result_vec.size = 1;
  arg_vec.data = args;
  result_vec.data = results;
  check_no_trap(wasm_func_call(identity, &arg_vec, &result_vec));
  CHECK(results[0].kind == WASM_EXTERNREF);
  return results[0].of.ref;
}

static void references_go_through_guests(wasm_engine_t* engine) {
  wasm_store_t* store = wasm_store_new(engine);
  wasm_store_t* other_store = wasm_store_new(engine);
  wasm_instance_t* instance = instance_of(store,
                                          "(module (func (export \"same\") (param externref) (result externref)"
                                          "  local.get 0)"
                                          " (table (export \"t\") 4 externref))",
                                          NULL, 0);
  wasm_func_t* same = function_of(instance, "same");
  wasm_foreign_t* foreign = wasm_foreign_new(store);
  wasm_foreign_t* other = wasm_foreign_new(other_store);
  wasm_module_t* module = module_of(store, "(module)");
  wasm_trap_t* trap = wasm_trap_new(store, NULL);
  wasm_extern_t* table = wasirun_instance_export(instance, "t");
  wasm_ref_t* objects[5];
  wasm_ref_t* back;
  wasm_val_t args[1];
  wasm_val_t results[1];
  wasm_val_vec_t arg_vec, result_vec;
  size_t i;
  objects[0] = wasm_foreign_as_ref(foreign);
  objects[1] = wasm_instance_as_ref(instance);
  objects[2] = wasm_module_as_ref(module);
  objects[3] = wasm_trap_as_ref(trap);
  objects[4] = wasm_func_as_ref(same);
  finalized = 0;
  wasm_foreign_set_host_info_with_finalizer(foreign, &finalized, count_finalizer);
  for (i = 0; i < 5; ++i) {
    back = through(same, objects[i]);
    REQUIRE(back != NULL);
    CHECK(back != objects[i] && wasm_ref_same(back, objects[i]));
    CHECK(!wasm_ref_same(back, objects[(i + 1) % 5]));
    CHECK((wasm_ref_as_foreign(back) != NULL) == (i == 0));
    CHECK((wasm_ref_as_instance(back) != NULL) == (i == 1));
    CHECK((wasm_ref_as_module(back) != NULL) == (i == 2));
    CHECK((wasm_ref_as_trap(back) != NULL) == (i == 3));
    CHECK((wasm_ref_as_func(back) != NULL) == (i == 4));
    if (i == 0) CHECK(wasm_ref_get_host_info(back) == &finalized && wasirun_ref_kind(back) == WASIRUN_REF_HOST);
    wasm_ref_delete(back);
  }
  CHECK(through(same, NULL) == NULL);
  CHECK(wasm_table_set(wasm_extern_as_table(table), 3, objects[0]));
  back = wasm_table_get(wasm_extern_as_table(table), 3);
  CHECK(wasm_ref_same(back, objects[0]));
  wasm_ref_delete(back);

  // One of another store is refused.
  args[0] = ref_val(wasm_foreign_as_ref(other));
  results[0] = ref_val(NULL);
  arg_vec.size = result_vec.size = 1;
  arg_vec.data = args;
  result_vec.data = results;
  check_trap(wasm_func_call(same, &arg_vec, &result_vec), WASIRUN_TRAP_HOST_ERROR, "another store");

  wasm_extern_delete(table);
  wasm_trap_delete(trap);
  wasm_module_delete(module);
  wasm_foreign_delete(other);
  wasm_foreign_delete(foreign);
  wasm_func_delete(same);
  wasm_instance_delete(instance);
  wasm_store_delete(other_store);
  CHECK(finalized == 0);
  wasm_store_delete(store);
  CHECK(finalized == 1);
}

static void values_own_their_references(wasm_engine_t* engine) {
  wasm_store_t* store = wasm_store_new(engine);
  wasm_val_vec_t values, copies;
  wasirun_v128_t vector;
  wasirun_v128_t read;
  wasm_val_t val;
  int32_t number = 0;
  wasm_ref_t* i31 = wasirun_ref_new_i31(store, -3);
  memset(&vector, 7, sizeof(vector));
  vector.bytes[15] = 9;
  wasm_val_vec_new_uninitialized(&values, 4);
  REQUIRE(values.size == 4);
  values.data[0] = i32(4);
  values.data[1] = ref_val(wasm_foreign_as_ref(wasm_foreign_new(store)));
  CHECK(wasirun_val_new_v128(&values.data[2], &vector));
  values.data[3].kind = WASIRUN_ANYREF;
  values.data[3].of.ref = i31;
  wasm_val_vec_copy(&copies, &values);
  CHECK(wasm_ref_same(values.data[1].of.ref, copies.data[1].of.ref));
  wasm_val_vec_delete(&values);
  REQUIRE(copies.size == 4);
  CHECK(copies.data[0].of.i32 == 4);
  CHECK(wasirun_val_v128(&copies.data[2], &read) && memcmp(&read, &vector, 16) == 0);
  CHECK(!wasirun_val_v128(&copies.data[0], &read));
  CHECK(wasirun_ref_i31(copies.data[3].of.ref, &number) && number == -3);
  CHECK(wasirun_ref_kind(copies.data[3].of.ref) == WASIRUN_REF_I31);
  CHECK(!wasirun_ref_i31(copies.data[1].of.ref, &number));
  wasm_val_copy(&val, &copies.data[2]);
  wasm_val_vec_delete(&copies);
  CHECK(wasirun_val_v128(&val, &read) && read.bytes[15] == 9);
  wasm_val_delete(&val);
  CHECK(val.of.ref == NULL);
  wasm_val_vec_new_empty(&values);
  wasm_val_vec_delete(&values);
  wasm_store_delete(store);
}

static wasm_trap_t* ignore(const wasm_val_vec_t* args, wasm_val_vec_t* results) {
  (void)args;
  (void)results;
  return NULL;
}

// What nobody has any more is gone before its store is.
static void foreign_objects_are_collected(wasm_engine_t* engine) {
  wasm_store_t* store = wasm_store_new(engine);
  wasm_functype_t* type = wasm_functype_new_1_0(wasm_valtype_new_externref());
  wasm_func_t* host = wasm_func_new(store, type, ignore);
  wasm_extern_t* import = wasm_func_as_extern(host);
  wasm_instance_t* instance = instance_of(store,
                                          "(module (func $host (import \"\" \"host\") (param externref))"
                                          " (table $t 1 externref)"
                                          " (func (export \"keep\") (param externref)"
                                          "  (table.set $t (i32.const 0) (local.get 0)))"
                                          " (func (export \"kept\") (result externref)"
                                          "  (table.get $t (i32.const 0)))"
                                          " (func (export \"use\") (param externref) (call $host (local.get 0))))",
                                          &import, 1);
  wasm_func_t* keep = function_of(instance, "keep");
  wasm_func_t* kept = function_of(instance, "kept");
  wasm_func_t* use = function_of(instance, "use");
  wasm_foreign_t* foreign = wasm_foreign_new(store);
  wasm_foreign_t* copy;
  wasm_val_t args[1];
  wasm_val_t results[1] = {WASM_INIT_VAL};
  wasm_val_vec_t arg_vec, result_vec;
  wasm_val_vec_t none = WASM_EMPTY_VEC;
  int i;
  REQUIRE(foreign != NULL);
  arg_vec.size = result_vec.size = 1;
  arg_vec.data = args;
  result_vec.data = results;
  finalized = 0;
  wasm_foreign_set_host_info_with_finalizer(foreign, &finalized, count_finalizer);
  args[0] = ref_val(wasm_foreign_as_ref(foreign));
  check_no_trap(wasm_func_call(keep, &arg_vec, &none));
  check_no_trap(wasm_func_call(use, &arg_vec, &none));
  copy = wasm_foreign_copy(foreign);
  wasm_foreign_delete(foreign);
  wasirun_store_collect_garbage(store);
  CHECK(finalized == 0 && wasm_foreign_get_host_info(copy) == &finalized);
  wasm_foreign_delete(copy);

  // The guest alone has it.
  wasirun_store_collect_garbage(store);
  CHECK(finalized == 0);
  check_no_trap(wasm_func_call(kept, &none, &result_vec));
  REQUIRE(results[0].of.ref != NULL);
  CHECK(wasm_ref_as_foreign(results[0].of.ref) != NULL);
  CHECK(wasm_ref_get_host_info(results[0].of.ref) == &finalized);
  wasm_val_delete(&results[0]);

  // Other objects, each passed as a reference of its own, are not kept either.
  args[0] = ref_val(wasm_instance_as_ref(instance));
  for (i = 0; i < 1000; ++i) check_no_trap(wasm_func_call(use, &arg_vec, &none));

  args[0] = ref_val(NULL);
  check_no_trap(wasm_func_call(keep, &arg_vec, &none));
  wasirun_store_collect_garbage(store);
  CHECK(finalized == 1);

  wasm_func_delete(use);
  wasm_func_delete(kept);
  wasm_func_delete(keep);
  wasm_instance_delete(instance);
  wasm_func_delete(host);
  wasm_functype_delete(type);
  wasm_store_delete(store);
  CHECK(finalized == 1);
}

// Structures of a guest, which the host keeps, compares and gives back.
static void guests_own_objects(wasm_store_t* store) {
  wasm_instance_t* instance =
      instance_of(store,
                  "(module (type $s (struct (field i32)))"
                  " (func (export \"make\") (param i32) (result (ref $s)) (struct.new $s (local.get 0)))"
                  " (func (export \"get\") (param (ref $s)) (result i32) (struct.get $s 0 (local.get 0))))",
                  NULL, 0);
  wasm_func_t* make = function_of(instance, "make");
  wasm_func_t* get = function_of(instance, "get");
  wasm_val_t arg = i32(42);
  wasm_val_t objects[1] = {WASM_INIT_VAL};
  wasm_val_t numbers[1] = {WASM_INIT_VAL};
  wasm_val_vec_t arg_vec, object_vec, number_vec;
  wasm_ref_t* copy;
  arg_vec.size = object_vec.size = number_vec.size = 1;
  arg_vec.data = &arg;
  object_vec.data = objects;
  number_vec.data = numbers;
  check_no_trap(wasm_func_call(make, &arg_vec, &object_vec));
  CHECK(objects[0].kind == WASIRUN_ANYREF && wasirun_ref_kind(objects[0].of.ref) == WASIRUN_REF_STRUCTURE);
  wasirun_store_collect_garbage(store);
  check_no_trap(wasm_func_call(get, &object_vec, &number_vec));
  CHECK(numbers[0].of.i32 == 42);
  copy = wasm_ref_copy(objects[0].of.ref);
  CHECK(wasm_ref_same(copy, objects[0].of.ref) && wasm_ref_as_foreign(copy) == NULL && wasm_ref_as_func(copy) == NULL);
  wasm_ref_set_host_info(copy, &finalized);
  CHECK(wasm_ref_get_host_info(objects[0].of.ref) == &finalized);
  wasm_ref_delete(copy);
  wasm_val_delete(&objects[0]);
  // No null where none can be.
  objects[0].of.ref = NULL;
  check_trap(wasm_func_call(get, &object_vec, &number_vec), WASIRUN_TRAP_HOST_ERROR, "argument 1 is null");
  wasm_func_delete(make);
  wasm_func_delete(get);
  wasm_instance_delete(instance);
}

int main(void) {
  wasm_engine_t* engine = wasm_engine_new();
  wasm_store_t* store = wasm_store_new(engine);
  REQUIRE(store != NULL);
  globals(store);
  tables(store, engine);
  memories(store);
  host_info(engine);
  references_go_through_guests(engine);
  foreign_objects_are_collected(engine);
  values_own_their_references(engine);
  guests_own_objects(store);
  wasm_store_delete(store);
  wasm_engine_delete(engine);
  return report();
}
