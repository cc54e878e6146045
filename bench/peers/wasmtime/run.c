// Runs WASI preview1 modules in wasmtime, through the library of its Python package: that Python's own start would
// count otherwise. Modes: cranelift, winch, pulley (Cranelift's code for wasmtime's portable interpreter),
// and pooling (Cranelift, with instances from a pool).
#include "../common/runner.h"
#include "wasmtime_api.h"

static void fail_with(wasmtime_error_t* error, wasm_trap_t* trap) {
  if (error == NULL && trap == NULL) return;
  wasm_byte_vec_t text;
  if (error != NULL) {
    wasmtime_error_message(error, &text);
  } else {
    wasm_trap_message(trap, &text);
  }
  fflush(stdout);
  fprintf(stderr, "wasmtime: %.*s\n", (int)text.size, text.data);
  exit(1);
}

static void check(wasmtime_error_t* error) { fail_with(error, NULL); }

static wasm_trap_t* bench_start(void* env, wasmtime_caller_t* caller, wasmtime_val_raw_t* values, size_t count) {
  (void)env, (void)caller, (void)values, (void)count;
  watch_start();
  return NULL;
}

static wasm_trap_t* bench_end(void* env, wasmtime_caller_t* caller, wasmtime_val_raw_t* values, size_t count) {
  (void)env, (void)caller, (void)values, (void)count;
  watch_end();
  return NULL;
}

// wasmtime's way for many instances: room for all of them is set aside before. One page of memory each, without the
// gigabytes of reserved addresses that otherwise make checks of bounds needless: 10^5 times those do not fit.
static void use_pool(wasm_config_t* config, long instances) {
  enum { kSpare = 16, kMemoryBytes = 1 << 16, kTableElements = 64 };
  uint32_t count = (uint32_t)instances + kSpare;
  wasmtime_pooling_allocation_config_t* pool = wasmtime_pooling_allocation_config_new();
  wasmtime_pooling_allocation_config_total_core_instances_set(pool, count);
  wasmtime_pooling_allocation_config_total_memories_set(pool, count);
  wasmtime_pooling_allocation_config_total_tables_set(pool, count);
  wasmtime_pooling_allocation_config_max_memory_size_set(pool, kMemoryBytes);
  wasmtime_pooling_allocation_config_table_elements_set(pool, kTableElements);
  wasmtime_config_memory_reservation_set(config, kMemoryBytes);
  wasmtime_config_memory_guard_size_set(config, 0);
  wasmtime_config_memory_init_cow_set(config, false);
  wasmtime_pooling_allocation_strategy_set(config, pool);
}

static wasm_engine_t* make_engine(const char* mode, long instances) {
  wasm_config_t* config = wasm_config_new();
  if (strcmp(mode, "winch") == 0) {
    wasmtime_config_strategy_set(config, WASMTIME_STRATEGY_WINCH);
  } else {
    wasmtime_config_strategy_set(config, WASMTIME_STRATEGY_CRANELIFT);
    wasmtime_config_wasm_function_references_set(config, true);
    wasmtime_config_wasm_gc_set(config, true);
    wasmtime_config_wasm_exceptions_set(config, true);
    if (strcmp(mode, "pulley") == 0) {
      check(wasmtime_config_target_set(config, "pulley64"));
    } else if (strcmp(mode, "pooling") == 0) {
      use_pool(config, instances);
    } else if (strcmp(mode, "cranelift") != 0 && mode[0] != '\0') {
      fail(mode, "unknown mode: cranelift, winch, pulley or pooling");
    }
  }
  return wasm_engine_new_with_config(config);
}

static void define_bench(wasmtime_linker_t* linker, const char* name, wasmtime_func_unchecked_callback_t function) {
  wasm_valtype_vec_t params;
  wasm_valtype_vec_t results;
  wasm_valtype_vec_new_empty(&params);
  wasm_valtype_vec_new_empty(&results);
  wasm_functype_t* type = wasm_functype_new(&params, &results);
  check(wasmtime_linker_define_func_unchecked(linker, "bench", 5, name, strlen(name), type, function, NULL, NULL));
  wasm_functype_delete(type);
}

// Each instance has a store of its own, as each guest of an embedder would.
static void make_instances(wasm_engine_t* engine, const wasmtime_module_t* module, long count) {
  wasmtime_linker_t* linker = wasmtime_linker_new(engine);
  wasmtime_instance_pre_t* prepared = NULL;
  check(wasmtime_linker_instantiate_pre(linker, module, &prepared));
  double before = resident_bytes();
  uint64_t start = now_ns();
  for (long i = 0; i < count; i++) {
    wasmtime_store_t* store = wasmtime_store_new(engine, NULL, NULL);
    wasmtime_instance_t instance;
    wasm_trap_t* trap = NULL;
    wasmtime_error_t* error =
        wasmtime_instance_pre_instantiate(prepared, wasmtime_store_context(store), &instance, &trap);
    fail_with(error, trap);
  }
  report_add("instantiate_ns", (double)(now_ns() - start) / (double)count);
  report_add("instance_bytes", (resident_bytes() - before) / (double)count);
}

static int run(const Options* options, wasm_engine_t* engine, const wasmtime_module_t* module) {
  wasi_config_t* wasi = wasi_config_new();
  wasi_config_inherit_stdin(wasi);
  wasi_config_inherit_stdout(wasi);
  wasi_config_inherit_stderr(wasi);
  if (!wasi_config_set_argv(wasi, (size_t)options->argc, (const char**)options->argv)) fail("arguments", "not UTF-8");
  for (int i = 0; i < options->dirs; i++) {
    if (!wasi_config_preopen_dir(wasi, options->hosts[i], options->guests[i], false)) {
      fail(options->hosts[i], "cannot be opened");
    }
  }
  wasmtime_context_t* context = wasmtime_store_context(wasmtime_store_new(engine, NULL, NULL));
  check(wasmtime_context_set_wasi(context, wasi));
  wasmtime_linker_t* linker = wasmtime_linker_new(engine);
  check(wasmtime_linker_define_wasi(linker));
  define_bench(linker, "start", bench_start);
  define_bench(linker, "end", bench_end);

  wasmtime_instance_t instance;
  wasm_trap_t* trap = NULL;
  report_begin();
  wasmtime_error_t* error = wasmtime_linker_instantiate(linker, context, module, &instance, &trap);
  fail_with(error, trap);
  report_lap("instantiate_ns");
  if (options->loads) return 0;

  wasmtime_extern_t start;
  if (!wasmtime_instance_export_get(context, &instance, "_start", 6, &start) || start.kind != 0) {
    fail(options->argv[0], "no function _start");
  }
  report_begin();
  error = wasmtime_func_call(context, &start.of.func, NULL, 0, NULL, 0, &trap);
  report_lap("run_ns");
  report_add("timed_ns", (double)watch_total);
  int code = 0;
  if (error != NULL && wasmtime_error_exit_status(error, &code)) return code;
  fail_with(error, trap);
  return 0;
}

int main(int argc, char** argv) {
  Options options = parse_options(argc, argv);
  if (options.argc == 0) fail("wasmtime-run", "a module is missing");
  wasm_engine_t* engine = make_engine(options.mode, options.instances);
  wasmtime_module_t* module = NULL;
  report_begin();
  if (options.is_precompiled) {
    check(wasmtime_module_deserialize_file(engine, options.argv[0], &module));
    report_lap("read_ns");
  } else {
    size_t size = 0;
    uint8_t* bytes = read_file(options.argv[0], &size);
    report_lap("read_ns");
    check(wasmtime_module_new(engine, bytes, size, &module));
    report_lap("compile_ns");
    free(bytes);
  }
  int code = 0;
  if (options.compiled != NULL) {
    wasm_byte_vec_t bytes;
    check(wasmtime_module_serialize(module, &bytes));
    FILE* file = fopen(options.compiled, "wb");
    if (file == NULL || fwrite(bytes.data, 1, bytes.size, file) != bytes.size || fclose(file) != 0) {
      fail(options.compiled, "cannot be written");
    }
  } else if (options.instances > 0) {
    make_instances(engine, module, options.instances);
  } else {
    code = run(&options, engine, module);
  }
  report_write(options.report);
  exit(code);
}
