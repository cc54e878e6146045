// Functions: calls both ways, traps, nested calls, environments, what a store owns.
#include "check.h"

static int finalized = 0;
static void count_finalizer(void* data) {
  CHECK(data != NULL);
  ++finalized;
}

// (i64, f32, f64, i32) -> (i32, f64, f32, i64)
static wasm_trap_t* reverse(const wasm_val_vec_t* args, wasm_val_vec_t* results) {
  size_t i;
  CHECK(args->size == 4 && results->size == 4);
  for (i = 0; i < 4; ++i) {
    CHECK(results->data[i].kind == args->data[3 - i].kind && results->data[i].of.i64 == 0);
    wasm_val_copy(&results->data[i], &args->data[3 - i]);
  }
  return NULL;
}

static wasm_trap_t* add_env(void* env, const wasm_val_vec_t* args, wasm_val_vec_t* results) {
  results->data[0].of.i32 = args->data[0].of.i32 + *(int32_t*)env;
  return NULL;
}

static wasm_trap_t* fail(void* env, const wasm_val_vec_t* args, wasm_val_vec_t* results) {
  wasm_message_t message;
  wasm_trap_t* trap;
  (void)args, (void)results;
  wasm_name_new_from_string_nt(&message, "the host gave up");
  trap = wasm_trap_new((wasm_store_t*)env, &message);
  wasm_name_delete(&message);
  wasm_trap_set_host_info_with_finalizer(trap, &finalized, count_finalizer);
  return trap;
}

static wasm_trap_t* wrong_result(const wasm_val_vec_t* args, wasm_val_vec_t* results) {
  (void)args;
  results->data[0].kind = WASM_F64;
  results->data[0].of.f64 = 1;
  return NULL;
}

static void values_go_both_ways(wasm_store_t* store) {
  wasm_valtype_t* const params[4] = {wasm_valtype_new_i64(), wasm_valtype_new_f32(), wasm_valtype_new_f64(),
                                     wasm_valtype_new_i32()};
  wasm_valtype_vec_t param_vec, result_vec;
  wasm_functype_t* type;
  wasm_func_t* host;
  wasm_func_t* guest;
  wasm_instance_t* instance;
  wasm_extern_t* import;
  size_t i;
  wasm_valtype_vec_new(&param_vec, 4, params);
  wasm_valtype_vec_new_uninitialized(&result_vec, 4);
  for (i = 0; i < 4; ++i) result_vec.data[i] = wasm_valtype_copy(params[3 - i]);
  type = wasm_functype_new(&param_vec, &result_vec);
  host = wasm_func_new(store, type, reverse);
  wasm_functype_delete(type);
  CHECK(wasm_func_param_arity(host) == 4 && wasm_func_result_arity(host) == 4);
  import = wasm_func_as_extern(host);
  instance = instance_of(store,
                         "(module (func $f (import \"\" \"f\") (param i64 f32 f64 i32) (result i32 f64 f32 i64))"
                         " (func (export \"f\") (param i64 f32 f64 i32) (result i32 f64 f32 i64)"
                         "  local.get 0 local.get 1 local.get 2 local.get 3 call $f))",
                         &import, 1);
  guest = function_of(instance, "f");
  for (i = 0; i < 2; ++i) {
    wasm_val_t args[4] = {WASM_I64_VAL(-5), WASM_F32_VAL(1.5f), WASM_F64_VAL(-2.25), WASM_I32_VAL(-7)};
    wasm_val_t results[5] = {WASM_INIT_VAL, WASM_INIT_VAL, WASM_INIT_VAL, WASM_INIT_VAL, WASM_I32_VAL(99)};
    wasm_val_vec_t arg_vec = WASM_ARRAY_VEC(args);
    wasm_val_vec_t results_vec = WASM_ARRAY_VEC(results);
    check_no_trap(wasm_func_call(i == 0 ? guest : host, &arg_vec, &results_vec));
    CHECK(results[0].kind == WASM_I32 && results[0].of.i32 == -7);
    CHECK(results[1].kind == WASM_F64 && results[1].of.f64 == -2.25);
    CHECK(results[2].kind == WASM_F32 && results[2].of.f32 == 1.5f);
    CHECK(results[3].kind == WASM_I64 && results[3].of.i64 == -5);
    CHECK(results[4].of.i32 == 99);
    // Neither too few arguments nor of another type, nor too little room.
    arg_vec.size = 3;
    check_trap(wasm_func_call(guest, &arg_vec, &results_vec), WASIRUN_TRAP_HOST_ERROR, "expected 4 arguments, got 3");
    arg_vec.size = 4;
    args[1].kind = WASM_F64;
    check_trap(wasm_func_call(guest, &arg_vec, &results_vec), WASIRUN_TRAP_HOST_ERROR,
               "argument 2: the value is an f64, expected f32");
    args[1].kind = WASM_F32;
    results_vec.size = 3;
    check_trap(wasm_func_call(guest, &arg_vec, &results_vec), WASIRUN_TRAP_HOST_ERROR, "there are 4 results, and room for");
    check_trap(wasm_func_call(guest, &arg_vec, NULL), WASIRUN_TRAP_HOST_ERROR, "there are 4 results, and room for 0");
    check_trap(wasm_func_call(guest, NULL, NULL), WASIRUN_TRAP_HOST_ERROR, "expected 4 arguments, got 0");
  }
  wasm_func_delete(host);
  wasm_func_delete(guest);
  wasm_instance_delete(instance);
}

static void environments(wasm_engine_t* engine) {
  wasm_store_t* store = wasm_store_new(engine);
  wasm_functype_t* type = wasm_functype_new_1_1(wasm_valtype_new_i32(), wasm_valtype_new_i32());
  int32_t env = 100;
  const int32_t arg = 11;
  int32_t result = 0;
  wasm_func_t* func = wasm_func_new_with_env(store, type, add_env, &env, count_finalizer);
  wasm_func_t* copy;
  finalized = 0;
  check_no_trap(call_i32(func, &arg, 1, &result));
  CHECK(result == 111);
  copy = wasm_func_copy(func);
  CHECK(copy != func && wasm_func_same(copy, func));
  wasm_func_delete(func);
  check_no_trap(call_i32(copy, &arg, 1, &result));
  // A handle keeps the store.
  wasm_store_delete(store);
  CHECK(finalized == 0);
  check_no_trap(call_i32(copy, &arg, 1, &result));
  wasm_func_delete(copy);
  CHECK(finalized == 1);

  // Called once, too, where there is no function.
  store = wasm_store_new(engine);
  CHECK(wasm_func_new_with_env(store, NULL, add_env, &env, count_finalizer) == NULL);
  CHECK(finalized == 2);
  check_last_error(WASIRUN_ERROR_ARGUMENT, "must not be NULL");
  CHECK(wasm_func_new_with_env(store, type, NULL, &env, count_finalizer) == NULL);
  CHECK(finalized == 3);
  check_last_error(WASIRUN_ERROR_ARGUMENT, "must not be NULL");
  CHECK(wasm_func_new_with_env(NULL, type, add_env, &env, count_finalizer) == NULL);
  CHECK(finalized == 4);
  check_last_error(WASIRUN_ERROR_ARGUMENT, "must not be NULL");
  wasm_functype_delete(type);
  wasm_store_delete(store);
}

static void traps_of_hosts(wasm_store_t* store) {
  wasm_functype_t* type = wasm_functype_new_0_1(wasm_valtype_new_i32());
  wasm_func_t* failing = wasm_func_new_with_env(store, type, fail, store, NULL);
  wasm_func_t* wrong = wasm_func_new(store, type, wrong_result);
  wasm_extern_t* imports[2];
  wasm_instance_t* instance;
  wasm_func_t* guest;
  wasm_trap_t* trap;
  wasm_trap_t* copy;
  wasm_frame_vec_t frames, copies;
  wasm_message_t text;
  imports[0] = wasm_func_as_extern(failing);
  imports[1] = wasm_func_as_extern(wrong);
  instance = instance_of(store,
                         "(module $m (func $fail (import \"\" \"fail\") (result i32))"
                         " (func $wrong (import \"\" \"wrong\") (result i32))"
                         " (func $inner (result i32) (i32.add (i32.const 1) (call $fail)))"
                         " (func (export \"fail\") (result i32) call $inner)"
                         " (func (export \"wrong\") (result i32) call $wrong)"
                         " (func (export \"divide\") (result i32) (i32.div_s (i32.const 1) (i32.const 0))))",
                         imports, 2);
  guest = function_of(instance, "fail");
  finalized = 0;
  trap = call_i32(guest, NULL, 0, NULL);
  REQUIRE(trap != NULL);
  // It is still the object that the host made.
  CHECK(wasm_trap_get_host_info(trap) == &finalized && finalized == 0);
  copy = wasm_trap_copy(trap);
  CHECK(wasm_trap_same(trap, copy) && wasm_trap_get_host_info(copy) == &finalized);
  wasm_trap_delete(trap);
  wasm_trap_trace(copy, &frames);
  REQUIRE(frames.size == 2);
  CHECK(wasm_frame_func_index(frames.data[0]) == 2 && wasm_frame_func_index(frames.data[1]) == 3);
  CHECK(strcmp(wasirun_frame_func_name(frames.data[0]), "inner") == 0);
  CHECK(strcmp(wasirun_frame_func_name(frames.data[1]), "fail") == 0);
  CHECK(strcmp(wasirun_frame_module_name(frames.data[0]), "m") == 0);
  CHECK(wasm_instance_same(wasm_frame_instance(frames.data[0]), instance));
  // In the body, behind the locals: i32.const 1 takes two bytes.
  CHECK(wasm_frame_func_offset(frames.data[0]) == 3);
  CHECK(wasm_frame_module_offset(frames.data[0]) > wasm_frame_func_offset(frames.data[0]));
  wasm_frame_vec_copy(&copies, &frames);
  wasm_frame_vec_delete(&frames);
  CHECK(copies.size == 2 && wasm_instance_same(wasm_frame_instance(copies.data[1]), instance));
  wasm_frame_vec_delete(&copies);
  wasirun_trap_text(copy, &text);
  CHECK(strstr(text.data, "the host gave up") != NULL && strstr(text.data, "inner") != NULL);
  wasm_byte_vec_delete(&text);
  check_trap(copy, WASIRUN_TRAP_HOST_ERROR, "the host gave up");
  CHECK(finalized == 1);
  wasm_func_delete(guest);

  guest = function_of(instance, "wrong");
  check_trap(call_i32(guest, NULL, 0, NULL), WASIRUN_TRAP_HOST_ERROR,
             "host function: result 1: the value is an f64, expected i32");
  wasm_func_delete(guest);
  guest = function_of(instance, "divide");
  trap = call_i32(guest, NULL, 0, NULL);
  CHECK(!wasirun_trap_exit_status(trap, NULL));
  check_trap(trap, WASIRUN_TRAP_INTEGER_DIVIDE_BY_ZERO, "integer divide by zero");
  wasm_func_delete(guest);

  // A trap that no guest was part of.
  trap = call_i32(failing, NULL, 0, NULL);
  CHECK(wasm_trap_origin(trap) == NULL);
  wasm_trap_trace(trap, &frames);
  CHECK(frames.size == 0);
  wasm_trap_delete(trap);
  CHECK(finalized == 2);
  trap = wasm_trap_new(NULL, NULL);
  check_trap(trap, WASIRUN_TRAP_HOST_ERROR, "");
  wasm_func_delete(failing);
  wasm_func_delete(wrong);
  wasm_functype_delete(type);
  wasm_instance_delete(instance);
}

// Several instances of one module, each of which calls the one before it: every frame knows whose it is.
static void frames_know_their_instances(wasm_store_t* store) {
  enum { kInstances = 3 };
  wasm_module_t* module = module_of(store,
                                    "(module $m (func $next (import \"\" \"next\") (param i32))"
                                    " (func (export \"f\") (param i32)"
                                    "  (if (i32.eqz (local.get 0)) (then unreachable))"
                                    "  (call $next (i32.sub (local.get 0) (i32.const 1)))))");
  wasm_instance_t* instances[kInstances];
  wasm_func_t* functions[kInstances];
  wasm_instance_t* first = instance_of(store, "(module (func (export \"f\") (param i32)))", NULL, 0);
  wasm_func_t* last = function_of(first, "f");
  wasm_frame_vec_t frames;
  wasm_trap_t* trap = NULL;
  int32_t arg = kInstances - 1;
  int i;
  for (i = 0; i < kInstances; ++i) {
    wasm_extern_t* import = wasm_func_as_extern(i == 0 ? last : functions[i - 1]);
    wasm_extern_vec_t imports;
    imports.size = 1;
    imports.data = &import;
    instances[i] = wasm_instance_new(store, module, &imports, NULL);
    REQUIRE(instances[i] != NULL);
    functions[i] = function_of(instances[i], "f");
  }
  trap = call_i32(functions[kInstances - 1], &arg, 1, NULL);
  REQUIRE(trap != NULL);
  wasm_trap_trace(trap, &frames);
  REQUIRE(frames.size == kInstances);
  for (i = 0; i < kInstances; ++i) {
    CHECK(wasm_instance_same(wasm_frame_instance(frames.data[i]), instances[i]));
    CHECK(wasm_frame_func_index(frames.data[i]) == 1);
  }
  // Behind the declarations of locals: the unreachable of the innermost one, the call of the others.
  CHECK(wasm_frame_func_offset(frames.data[0]) == 6);
  CHECK(wasm_frame_func_offset(frames.data[1]) == 13 && wasm_frame_func_offset(frames.data[2]) == 13);
  wasm_frame_vec_delete(&frames);
  wasm_trap_delete(trap);

  // One that trapped in its start function is no object of this interface's until a frame tells of it.
  {
    wasm_module_t* starting = module_of(store, "(module (func $f unreachable) (start $f))");
    wasm_extern_vec_t none = WASM_EMPTY_VEC;
    wasm_frame_t* frame;
    CHECK(wasm_instance_new(store, starting, &none, &trap) == NULL);
    REQUIRE(trap != NULL);
    frame = wasm_trap_origin(trap);
    REQUIRE(frame != NULL);
    CHECK(wasm_frame_instance(frame) != NULL && wasm_frame_func_offset(frame) == 1);
    wasm_frame_delete(frame);
    wasm_trap_delete(trap);
    wasm_module_delete(starting);
  }
  for (i = 0; i < kInstances; ++i) {
    wasm_func_delete(functions[i]);
    wasm_instance_delete(instances[i]);
  }
  wasm_func_delete(last);
  wasm_instance_delete(first);
  wasm_module_delete(module);
}

// Calls what it finds as "back" in the instance that calls it.
static wasm_trap_t* call_back(void* env, wasirun_caller_t* caller, const wasm_val_vec_t* args, wasm_val_vec_t* results) {
  wasm_extern_t* object = wasirun_caller_export(caller, "back");
  wasm_trap_t* trap;
  size_t size = 0;
  byte_t* memory = wasirun_caller_memory(caller, &size);
  (void)env;
  REQUIRE(object != NULL);
  CHECK(size == 65536 && memory[7] == 'x');
  CHECK(wasirun_caller_store(caller) != NULL);
  CHECK(wasirun_caller_export(caller, "nothing") == NULL);
  check_last_error(WASIRUN_ERROR_ARGUMENT, "no \"nothing\"");
  trap = wasm_func_call(wasm_extern_as_func(object), args, results);
  wasm_extern_delete(object);
  return trap;
}

static void nested_calls(wasm_store_t* store) {
  wasm_functype_t* type = wasm_functype_new_1_1(wasm_valtype_new_i32(), wasm_valtype_new_i32());
  wasm_func_t* host = wasirun_func_new(store, type, call_back, NULL, NULL);
  wasm_extern_t* import = wasm_func_as_extern(host);
  wasm_instance_t* instance = instance_of(
      store,
      "(module (func $host (import \"\" \"host\") (param i32) (result i32)) (memory 1) (data (i32.const 7) \"x\")"
      " (func (export \"run\") (param i32) (result i32) local.get 0 call $host)"
      // 0 ends, 99 traps, all else goes round once more.
      " (func (export \"back\") (param i32) (result i32)"
      "  (if (i32.eqz (local.get 0)) (then (return (i32.const 0))))"
      "  (if (i32.eq (local.get 0) (i32.const 90)) (then unreachable))"
      "  (i32.add (i32.const 1) (call $host (i32.sub (local.get 0) (i32.const 1))))))",
      &import, 1);
  wasm_func_t* run = function_of(instance, "run");
  int32_t arg = 20;
  int32_t result = 0;
  wasm_trap_t* trap;
  wasm_frame_vec_t frames;
  check_no_trap(call_i32(run, &arg, 1, &result));
  CHECK(result == 20);
  arg = 95;
  trap = call_i32(run, &arg, 1, &result);
  REQUIRE(trap != NULL);
  // The innermost call's, not more than one message, and all frames of the chain.
  wasm_trap_trace(trap, &frames);
  CHECK(frames.size == 7);
  wasm_frame_vec_delete(&frames);
  check_trap(trap, WASIRUN_TRAP_UNREACHABLE, "unreachable");

  // The host as its own caller has no instance.
  CHECK(wasm_func_param_arity(host) == 1);
  wasm_func_delete(run);
  wasm_func_delete(host);
  wasm_functype_delete(type);
  wasm_instance_delete(instance);
}

struct everything {
  wasm_engine_t* engine;
  wasm_store_t* store;
  wasm_instance_t* instance;
  wasm_func_t* run;
};

// Deletes all that there is, the store included, while its guest runs.
static wasm_trap_t* delete_all(void* env, const wasm_val_vec_t* args, wasm_val_vec_t* results) {
  struct everything* all = (struct everything*)env;
  (void)args;
  if (all->store != NULL) {
    wasm_func_delete(all->run);
    wasm_instance_delete(all->instance);
    wasm_store_delete(all->store);
    wasm_engine_delete(all->engine);
    all->store = NULL;
  }
  results->data[0].of.i32 = 5;
  return NULL;
}

static void a_store_lasts_as_long_as_its_calls(void) {
  struct everything all;
  wasm_functype_t* type = wasm_functype_new_0_1(wasm_valtype_new_i32());
  wasm_func_t* host;
  wasm_extern_t* import;
  int32_t result = 0;
  finalized = 0;
  all.engine = wasm_engine_new();
  all.store = wasm_store_new(all.engine);
  host = wasm_func_new_with_env(all.store, type, delete_all, &all, count_finalizer);
  wasm_functype_delete(type);
  import = wasm_func_as_extern(host);
  all.instance = instance_of(all.store,
                             "(module (func $f (import \"\" \"f\") (result i32))"
                             " (func (export \"run\") (result i32) (i32.add (call $f) (call $f))))",
                             &import, 1);
  wasm_func_delete(host);
  all.run = function_of(all.instance, "run");
  check_no_trap(call_i32(all.run, NULL, 0, &result));
  CHECK(result == 10);
  CHECK(finalized == 1);
}

static void arguments_of_null(wasm_engine_t* engine) {
  CHECK(wasm_store_new(NULL) == NULL);
  check_last_error(WASIRUN_ERROR_ARGUMENT, "engine must not be NULL");
  CHECK(wasm_engine_new_with_config(NULL) == NULL);
  check_last_error(WASIRUN_ERROR_ARGUMENT, "configuration must not be NULL");
  CHECK(wasm_func_copy(NULL) == NULL);
  check_last_error(WASIRUN_ERROR_ARGUMENT, "reference must not be NULL");
  CHECK(wasm_func_as_ref(NULL) == NULL && wasm_ref_as_func(NULL) == NULL && wasm_func_as_extern(NULL) == NULL);
  CHECK(wasm_ref_get_host_info(NULL) == NULL);
  wasm_ref_delete(NULL);
  wasm_func_delete(NULL);
  wasm_store_delete(NULL);
  wasm_engine_delete(NULL);
  wasm_config_delete(NULL);
  wasm_trap_delete(NULL);
  wasirun_error_delete(NULL);
  (void)engine;
}

int main(void) {
  wasm_engine_t* engine = wasm_engine_new();
  wasm_store_t* store = wasm_store_new(engine);
  REQUIRE(store != NULL);
  values_go_both_ways(store);
  environments(engine);
  traps_of_hosts(store);
  frames_know_their_instances(store);
  nested_calls(store);
  a_store_lasts_as_long_as_its_calls();
  arguments_of_null(engine);
  wasm_store_delete(store);
  wasm_engine_delete(engine);
  return report();
}
