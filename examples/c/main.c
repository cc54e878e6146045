// A program in C that embeds wasirun: loads guest.wat, gives it a function of ours, calls two of its own.
//
// usage: embed_in_c guest.wat [text]
#include <stdio.h>
#include <string.h>
#include <wasirun.h>

// Prints the error, which is deleted.
static int fail(wasirun_error_t* error) {
  fprintf(stderr, "embed_in_c: %s\n", wasirun_error_message(error));
  wasirun_error_delete(error);
  return 1;
}

static void print_trap(wasm_trap_t* trap) {
  wasm_message_t message;
  wasm_trap_message(trap, &message);
  printf("trap: %s\n", message.data);
  wasm_byte_vec_delete(&message);
  wasm_trap_delete(trap);
}

// (i32 to, i32 size) -> i32: copies the text in `env` to where the guest wants it.
static wasm_trap_t* read_text(void* env, wasirun_caller_t* caller, const wasm_val_vec_t* args, wasm_val_vec_t* results) {
  const char* text = (const char*)env;
  const uint32_t to = (uint32_t)args->data[0].of.i32;
  uint32_t size = (uint32_t)args->data[1].of.i32;
  size_t memory_size;
  byte_t* memory = wasirun_caller_memory(caller, &memory_size);
  if (size > strlen(text)) size = (uint32_t)strlen(text);
  // What a guest asks for is checked, always.
  if (to > memory_size || size > memory_size - to) {
    wasm_message_t message;
    wasm_trap_t* trap;
    wasm_name_new_from_string_nt(&message, "read: the text does not fit there");
    trap = wasm_trap_new(wasirun_caller_store(caller), &message);
    wasm_byte_vec_delete(&message);
    return trap;
  }
  memcpy(memory + to, text, size);
  results->data[0].of.i32 = (int32_t)size;
  return NULL;
}

static int run(wasm_store_t* store, wasirun_linker_t* linker, const char* path, const char* text) {
  wasirun_error_t* error;
  wasm_module_t* module = NULL;
  wasm_instance_t* instance = NULL;
  wasm_trap_t* trap = NULL;
  wasm_functype_t* type = wasm_functype_new_2_1(wasm_valtype_new_i32(), wasm_valtype_new_i32(), wasm_valtype_new_i32());
  wasm_extern_t* words;
  wasm_extern_t* spin;
  wasm_val_t result[1] = {WASM_INIT_VAL};
  wasm_val_vec_t no_args = WASM_EMPTY_VEC;
  wasm_val_vec_t results = WASM_ARRAY_VEC(result);

  error = wasirun_linker_define_func(linker, "host", "read", type, read_text, (void*)text, NULL);
  wasm_functype_delete(type);
  if (error == NULL) error = wasirun_module_from_file(store, path, &module);
  if (error == NULL) error = wasirun_linker_instantiate(linker, store, module, &instance, &trap);
  wasm_module_delete(module);  // the instance keeps what it needs
  if (error != NULL) return fail(error);
  if (trap != NULL) return print_trap(trap), 1;

  words = wasirun_instance_export(instance, "words");
  spin = wasirun_instance_export(instance, "spin");
  wasm_instance_delete(instance);
  if (words == NULL || spin == NULL) return fail(wasirun_last_error());

  trap = wasm_func_call(wasm_extern_as_func(words), &no_args, &results);
  if (trap != NULL) {
    print_trap(trap);
  } else {
    printf("%d words\n", (int)result[0].of.i32);
  }

  // Guests are stopped when they take too long.
  error = wasirun_store_set_deadline(store, 10 * 1000 * 1000);
  if (error != NULL) return fail(error);
  trap = wasm_func_call(wasm_extern_as_func(spin), &no_args, &results);
  if (trap != NULL) print_trap(trap);
  wasm_extern_delete(words);
  wasm_extern_delete(spin);
  return 0;
}

int main(int argc, char** argv) {
  wasm_engine_t* engine = wasm_engine_new();
  wasirun_store_config_t* config = wasirun_store_config_new();
  wasm_store_t* store;
  wasirun_linker_t* linker;
  int status = 1;
  if (argc < 2) {
    fprintf(stderr, "usage: embed_in_c guest.wat [text]\n");
    return 1;
  }
  wasirun_store_config_set_memory_limit(config, 1 << 20);
  store = wasirun_store_new(engine, config);
  linker = wasirun_linker_new(engine);
  wasirun_store_config_delete(config);
  if (store != NULL && linker != NULL) {
    status = run(store, linker, argv[1], argc > 2 ? argv[2] : "to be or\nnot to be");
  } else {
    fail(wasirun_last_error());
  }
  wasirun_linker_delete(linker);
  wasm_store_delete(store);
  wasm_engine_delete(engine);
  return status;
}
