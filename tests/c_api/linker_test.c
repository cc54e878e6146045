// The linker and WASI: programs with what they are given, and what they say.
#define _POSIX_C_SOURCE 200809L
#include <errno.h>

#include "check.h"

struct output {
  char text[256];
  size_t size;
  int finalized;
  int refuses;
};

static ptrdiff_t keep(void* data, const unsigned char* bytes, size_t size) {
  struct output* output = (struct output*)data;
  if (output->refuses) return -ENOSPC;
  if (size > sizeof(output->text) - output->size) size = sizeof(output->text) - output->size;
  memcpy(output->text + output->size, bytes, size);
  output->size += size;
  return (ptrdiff_t)size;
}

static void done(void* data) { ++((struct output*)data)->finalized; }

// Writes its second argument, its first variable and its input to stdout, "!" to stderr, and ends with 7, or with the
// errno of the first write.
static const char kProgram[] =
    "(module"
    " (import \"wasi_snapshot_preview1\" \"args_sizes_get\" (func $args_sizes (param i32 i32) (result i32)))"
    " (import \"wasi_snapshot_preview1\" \"args_get\" (func $args (param i32 i32) (result i32)))"
    " (import \"wasi_snapshot_preview1\" \"environ_get\" (func $env (param i32 i32) (result i32)))"
    " (import \"wasi_snapshot_preview1\" \"fd_read\" (func $read (param i32 i32 i32 i32) (result i32)))"
    " (import \"wasi_snapshot_preview1\" \"fd_write\" (func $write (param i32 i32 i32 i32) (result i32)))"
    " (import \"wasi_snapshot_preview1\" \"proc_exit\" (func $exit (param i32)))"
    " (memory (export \"memory\") 1) (data (i32.const 900) \"!\")"
    " (func $length (param $at i32) (result i32) (local $n i32)"
    "  (loop $next (if (i32.load8_u (i32.add (local.get $at) (local.get $n)))"
    "   (then (local.set $n (i32.add (local.get $n) (i32.const 1))) (br $next))))"
    "  local.get $n)"
    " (func $put (param $fd i32) (param $at i32) (param $size i32) (result i32)"
    "  (i32.store (i32.const 0) (local.get $at)) (i32.store (i32.const 4) (local.get $size))"
    "  (call $write (local.get $fd) (i32.const 0) (i32.const 1) (i32.const 8)))"
    " (func (export \"_start\") (local $errno i32)"
    "  (drop (call $args (i32.const 100) (i32.const 200)))"
    "  (local.set $errno (call $put (i32.const 1) (i32.load (i32.const 104)) (call $length (i32.load (i32.const 104)))))"
    "  (if (local.get $errno) (then (call $exit (local.get $errno))))"
    "  (drop (call $env (i32.const 100) (i32.const 200)))"
    "  (drop (call $put (i32.const 1) (i32.load (i32.const 100)) (call $length (i32.load (i32.const 100)))))"
    "  (i32.store (i32.const 0) (i32.const 1000)) (i32.store (i32.const 4) (i32.const 100))"
    "  (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))"
    "  (drop (call $put (i32.const 1) (i32.const 1000) (i32.load (i32.const 8))))"
    "  (drop (call $put (i32.const 2) (i32.const 900) (i32.const 1)))"
    "  (call $exit (i32.const 7))))";

// Runs the program with a configuration, which is given away; its exit status.
static int32_t run(wasm_engine_t* engine, wasi_config_t* config) {
  wasm_store_t* store = wasm_store_new(engine);
  wasm_module_t* module = module_of(store, kProgram);
  wasirun_linker_t* linker = wasirun_linker_new(engine);
  wasm_instance_t* instance = NULL;
  wasm_trap_t* trap = NULL;
  int32_t status = -1;
  check_no_error(wasirun_linker_define_wasi(linker, config));
  check_no_error(wasirun_linker_instantiate(linker, store, module, &instance, &trap));
  REQUIRE(instance != NULL && trap == NULL);
  check_no_trap(wasirun_instance_run(instance, &status));
  wasm_instance_delete(instance);
  wasirun_linker_delete(linker);
  wasm_module_delete(module);
  wasm_store_delete(store);
  return status;
}

static void programs(wasm_engine_t* engine) {
  struct output out, err;
  const char* args[] = {"program", "argument;"};
  const char* names[] = {"NAME"};
  const char* values[] = {"value;"};
  const char* wrong[] = {"NA=ME"};
  wasi_config_t* config = wasi_config_new();
  wasm_byte_vec_t input;
  memset(&out, 0, sizeof(out));
  memset(&err, 0, sizeof(err));
  CHECK(wasi_config_set_argv(config, 2, args));
  CHECK(!wasi_config_set_env(config, 1, wrong, values));
  check_last_error(WASIRUN_ERROR_ARGUMENT, "NA=ME");
  CHECK(wasi_config_set_env(config, 1, names, values));
  wasm_byte_vec_new(&input, 5, "input");
  wasi_config_set_stdin_bytes(config, &input);
  CHECK(input.data == NULL);
  wasi_config_set_stdout_custom(config, keep, &out, done);
  wasi_config_set_stderr_custom(config, keep, &err, done);
  CHECK(run(engine, config) == 7);
  CHECK(out.size == 25 && memcmp(out.text, "argument;NAME=value;input", 25) == 0);
  CHECK(err.size == 1 && err.text[0] == '!');
  CHECK(out.finalized == 1 && err.finalized == 1);

  config = wasi_config_new();
  CHECK(wasi_config_set_argv(config, 2, args));
  out.refuses = 1;
  wasi_config_set_stdout_custom(config, keep, &out, NULL);
  CHECK(run(engine, config) == 51);  // ENOSPC of WASI

  // Taken back before anything ran.
  config = wasi_config_new();
  wasi_config_set_stdout_custom(config, keep, &out, done);
  wasi_config_set_stdout_custom(config, keep, &out, done);
  CHECK(out.finalized == 2);
  wasi_config_delete(config);
  CHECK(out.finalized == 3);
}

static void files(wasm_engine_t* engine) {
#ifdef __cplusplus  // the program of the other language runs at the same time
  const char out_path[] = "stdout-in-cxx";
  const char in_path[] = "stdin-in-cxx";
#else
  const char out_path[] = "stdout-in-c99";
  const char in_path[] = "stdin-in-c99";
#endif
  const char* args[] = {"program", "argument;"};
  wasi_config_t* config = wasi_config_new();
  char text[64] = "";
  FILE* file = fopen(in_path, "w");
  REQUIRE(file != NULL);
  fputs("from a file", file);
  fclose(file);
  CHECK(!wasi_config_set_stdin_file(config, "no/such/file"));
  check_last_error(WASIRUN_ERROR_IO, "no/such/file");
  CHECK(!wasi_config_set_stdout_file(config, "no/such/file"));
  check_last_error(WASIRUN_ERROR_IO, "no/such/file");
  CHECK(!wasi_config_set_stderr_file(config, "no/such/file"));
  check_last_error(WASIRUN_ERROR_IO, "no/such/file");
  CHECK(wasi_config_set_stdin_file(config, in_path));
  CHECK(wasi_config_set_stdout_file(config, out_path));
  wasi_config_set_argv(config, 2, args);
  setenv("WASIRUN_C_API_TEST", "1", 1);
  wasi_config_inherit_env(config);
  wasi_config_inherit_stderr(config);
  wasi_config_inherit_stdin(config);
  CHECK(wasi_config_set_stdin_file(config, in_path));
  wasi_config_delete(config);

  config = wasi_config_new();
  wasi_config_set_argv(config, 2, args);
  CHECK(wasi_config_set_stdin_file(config, in_path) && wasi_config_set_stdout_file(config, out_path));
  CHECK(run(engine, config) == 7);
  file = fopen(out_path, "r");
  REQUIRE(file != NULL);
  CHECK(fread(text, 1, sizeof(text), file) > 0);
  fclose(file);
  CHECK(strncmp(text, "argument;", 9) == 0 && strstr(text, "from a file") != NULL);
  remove(in_path);
  remove(out_path);

  config = wasi_config_new();
  CHECK(wasi_config_preopen_dir(config, ".", "/", WASI_DIR_PERMS_READ, WASI_FILE_PERMS_READ));
  CHECK(wasi_config_preopen_dir(config, ".", "/rw", WASI_DIR_PERMS_READ | WASI_DIR_PERMS_WRITE,
                                WASI_FILE_PERMS_READ | WASI_FILE_PERMS_WRITE));
  CHECK(!wasi_config_preopen_dir(config, ".", "/", WASI_DIR_PERMS_READ, WASI_FILE_PERMS_WRITE));
  check_last_error(WASIRUN_ERROR_ARGUMENT, "writable together");
  CHECK(!wasi_config_preopen_dir(config, NULL, "/", WASI_DIR_PERMS_READ, WASI_FILE_PERMS_READ));
  check_last_error(WASIRUN_ERROR_ARGUMENT, "path must not be NULL");
  wasi_config_inherit_argv(config);
  wasi_config_set_argv(config, 2, args);
  wasi_config_inherit_stdout(config);
  wasi_config_delete(config);
}

static int finalized = 0;
static void count_finalizer(void* data) {
  (void)data;
  ++finalized;
}

static wasm_trap_t* twice(void* env, wasirun_caller_t* caller, const wasm_val_vec_t* args, wasm_val_vec_t* results) {
  CHECK(env == &finalized && wasirun_caller_store(caller) != NULL);
  results->data[0].of.i32 = 2 * args->data[0].of.i32;
  return NULL;
}

static void definitions(wasm_engine_t* engine) {
  wasirun_linker_t* linker = wasirun_linker_new(engine);
  wasm_functype_t* type = wasm_functype_new_1_1(wasm_valtype_new_i32(), wasm_valtype_new_i32());
  int i;
  check_no_error(wasirun_linker_define_func(linker, "env", "twice", type, twice, &finalized, count_finalizer));
  check_error(wasirun_linker_define_func(linker, "env", "null", type, NULL, &finalized, count_finalizer),
              WASIRUN_ERROR_ARGUMENT, "must not be NULL");
  CHECK(finalized == 1);
  // The same definitions in two stores.
  for (i = 0; i < 2; ++i) {
    wasm_store_t* store = wasm_store_new(engine);
    wasm_module_t* module = module_of(store,
                                      "(module (func $twice (import \"env\" \"twice\") (param i32) (result i32))"
                                      " (func (export \"f\") (param i32) (result i32) local.get 0 call $twice))");
    wasm_module_t* missing = module_of(store, "(module (import \"env\" \"thrice\" (func)))");
    wasm_module_t* user = module_of(store,
                                    "(module (func $f (import \"first\" \"f\") (param i32) (result i32))"
                                    " (func (export \"g\") (param i32) (result i32) local.get 0 call $f call $f))");
    wasm_module_t* trapping = module_of(store, "(module (func $f unreachable) (start $f))");
    wasirun_linker_t* own = wasirun_linker_new(engine);
    wasm_instance_t* instance = NULL;
    wasm_instance_t* user_instance = NULL;
    wasm_trap_t* trap = NULL;
    wasm_extern_t* object = NULL;
    wasm_func_t* func;
    int32_t arg = 21;
    int32_t result = 0;
    check_no_error(wasirun_linker_instantiate(linker, store, module, &instance, NULL));
    REQUIRE(instance != NULL);
    func = function_of(instance, "f");
    check_no_trap(call_i32(func, &arg, 1, &result));
    CHECK(result == 42);
    wasm_func_delete(func);
    check_no_trap(wasirun_instance_initialize(instance));
    check_trap(wasirun_instance_run(instance, NULL), WASIRUN_TRAP_HOST_ERROR, "_start");
    CHECK(wasirun_instance_export(instance, "nothing") == NULL);
    check_last_error(WASIRUN_ERROR_ARGUMENT, "\"nothing\"");

    check_error(wasirun_linker_instantiate(linker, store, missing, &user_instance, &trap), WASIRUN_ERROR_UNLINKABLE,
                "thrice");
    CHECK(user_instance == NULL && trap == NULL);
    check_no_error(wasirun_linker_instantiate(linker, store, trapping, &user_instance, &trap));
    CHECK(user_instance == NULL);
    check_trap(trap, WASIRUN_TRAP_UNREACHABLE, "unreachable");

    check_no_error(wasirun_linker_define_instance(own, "first", instance));
    check_no_error(wasirun_linker_instantiate(own, store, user, &user_instance, &trap));
    REQUIRE(user_instance != NULL);
    func = function_of(user_instance, "g");
    check_no_trap(call_i32(func, &arg, 1, &result));
    CHECK(result == 84);
    check_no_error(wasirun_linker_get(own, store, "first", "f", &object));
    REQUIRE(object != NULL && wasm_extern_as_func(object) != NULL);
    wasm_extern_delete(object);
    check_error(wasirun_linker_get(own, store, "first", "h", &object), WASIRUN_ERROR_ARGUMENT, "\"h\"");
    CHECK(object == NULL);
    check_no_error(wasirun_linker_define(own, "mine", "g", wasm_func_as_extern(func)));
    wasm_func_delete(func);
    check_error(wasirun_linker_define(own, "mine", "h", NULL), WASIRUN_ERROR_ARGUMENT, "must not be NULL");
    wasirun_linker_allow_redefinition(own, true);
    check_no_error(wasirun_linker_define_instance(own, "first", instance));
    wasirun_linker_allow_redefinition(own, false);
    check_error(wasirun_linker_define_instance(own, "first", instance), WASIRUN_ERROR_ARGUMENT, "\"first\"");
    check_error(wasirun_linker_get(own, store, "mine", "g", &object), WASIRUN_ERROR_ARGUMENT, "\"first\"");
    wasirun_linker_delete(own);

    own = wasirun_linker_new(engine);
    wasirun_linker_set_unknown_imports(own, WASIRUN_UNKNOWN_IMPORTS_TRAP);
    wasm_instance_delete(user_instance);
    check_no_error(wasirun_linker_instantiate(own, store, missing, &user_instance, &trap));
    REQUIRE(user_instance != NULL);
    wasm_instance_delete(user_instance);
    wasirun_linker_delete(own);
    wasm_instance_delete(instance);
    wasm_module_delete(module);
    wasm_module_delete(missing);
    wasm_module_delete(user);
    wasm_module_delete(trapping);
    wasm_store_delete(store);
  }
  CHECK(finalized == 1);
  wasirun_linker_delete(linker);
  CHECK(finalized == 2);
  wasm_functype_delete(type);
}

// Called on a thread of the program's, whose store is another: keeps a handle of that.
static wasm_trap_t* keep_export(void* env, wasirun_caller_t* caller, const wasm_val_vec_t* args,
                                wasm_val_vec_t* results) {
  wasm_val_t arg = args->data[0];
  wasm_val_t result[1] = {WASM_INIT_VAL};
  wasm_val_vec_t arg_vec;
  wasm_val_vec_t result_vec = WASM_ARRAY_VEC(result);
  wasm_extern_t* object = wasirun_caller_export(caller, "back");
  wasm_foreign_t* foreign = wasm_foreign_new(wasirun_caller_store(caller));
  (void)results;
  REQUIRE(object != NULL && foreign != NULL);
  wasm_foreign_delete(foreign);
  arg_vec.size = 1;
  arg_vec.data = &arg;
  check_no_trap(wasm_func_call(wasm_extern_as_func(object), &arg_vec, &result_vec));
  CHECK(result[0].of.i32 == 8);
  *(wasm_extern_t**)env = object;
  return NULL;
}

static void threads_have_stores_of_their_own(wasm_engine_t* engine) {
  wasm_store_t* store = wasm_store_new(engine);
  wasm_module_t* module = module_of(
      store,
      "(module (import \"wasi\" \"thread-spawn\" (func $spawn (param i32) (result i32)))"
      " (import \"env\" \"memory\" (memory 1 1 shared)) (import \"env\" \"keep\" (func $keep (param i32)))"
      " (func (export \"back\") (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))"
      " (func (export \"wasi_thread_start\") (param i32 i32) (call $keep (local.get 1))"
      "  (i32.atomic.store (i32.const 0) (i32.const 1)) (drop (memory.atomic.notify (i32.const 0) (i32.const 1))))"
      " (func (export \"_start\") (drop (call $spawn (i32.const 7)))"
      "  (drop (memory.atomic.wait32 (i32.const 0) (i32.const 0) (i64.const -1)))))");
  wasirun_linker_t* linker = wasirun_linker_new(engine);
  wasm_functype_t* type = wasm_functype_new_1_0(wasm_valtype_new_i32());
  wasm_instance_t* instance = NULL;
  wasm_extern_t* kept = NULL;
  wasm_externtype_t* extern_type;
  int32_t arg = 1;
  check_no_error(wasirun_linker_define_wasi(linker, wasi_config_new()));
  check_no_error(wasirun_linker_define_func(linker, "env", "keep", type, keep_export, &kept, NULL));
  check_no_error(wasirun_linker_instantiate(linker, store, module, &instance, NULL));
  REQUIRE(instance != NULL);
  check_no_trap(wasirun_instance_run(instance, NULL));
  wasm_instance_delete(instance);
  wasm_store_delete(store);
  REQUIRE(kept != NULL);
  // The thread's store is gone, which its handles notice.
  check_trap(call_i32(wasm_extern_as_func(kept), &arg, 1, NULL), WASIRUN_TRAP_HOST_ERROR, "does not exist any more");
  CHECK(wasm_func_param_arity(wasm_extern_as_func(kept)) == 0);
  extern_type = wasm_extern_type(kept);
  wasm_externtype_delete(extern_type);
  wasm_extern_delete(kept);
  wasm_functype_delete(type);
  wasirun_linker_delete(linker);
  wasm_module_delete(module);
}

int main(void) {
  wasm_engine_t* engine = wasm_engine_new();
  REQUIRE(engine != NULL);
  programs(engine);
  files(engine);
  definitions(engine);
  threads_have_stores_of_their_own(engine);
  wasm_engine_delete(engine);
  return report();
}
