// Checks for tests that are C99 and C++11 alike: main() ends with `return report();`.
#ifndef CHECK_H
#define CHECK_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wasirun.h"

static int failures = 0;

#define CHECK(condition)                                              \
  do {                                                                \
    if (!(condition)) {                                               \
      fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
      ++failures;                                                     \
    }                                                                 \
  } while (0)

// What cannot fail for the test to go on.
#define REQUIRE(condition)                                                      \
  do {                                                                          \
    if (!(condition)) {                                                         \
      fprintf(stderr, "%s:%d: required: %s\n", __FILE__, __LINE__, #condition); \
      exit(1);                                                                  \
    }                                                                           \
  } while (0)

static inline int report(void) {
  if (failures != 0) fprintf(stderr, "%d checks failed\n", failures);
  return failures != 0;
}

// Deletes the error, which has to be one of the kind, with the text in its message.
static inline void check_error_at(int line, wasirun_error_t* error, wasirun_error_kind_t kind, const char* text) {
  if (error == NULL) {
    fprintf(stderr, "line %d: there is no error, expected \"%s\"\n", line, text);
    ++failures;
    return;
  }
  if (wasirun_error_kind(error) != kind || strstr(wasirun_error_message(error), text) == NULL) {
    fprintf(stderr, "line %d: expected \"%s\" of the kind %d, got \"%s\" of the kind %d\n", line, text, kind,
            wasirun_error_message(error), wasirun_error_kind(error));
    ++failures;
  }
  wasirun_error_delete(error);
}
#define check_error(error, kind, text) check_error_at(__LINE__, error, kind, text)

// The same of the last error.
#define check_last_error(kind, text) check_error_at(__LINE__, wasirun_last_error(), kind, text)

// Deletes the error, of which there is to be none.
static inline void check_no_error_at(int line, wasirun_error_t* error) {
  if (error == NULL) return;
  fprintf(stderr, "line %d: unexpected error: %s\n", line, wasirun_error_message(error));
  ++failures;
  wasirun_error_delete(error);
}
#define check_no_error(error) check_no_error_at(__LINE__, error)

// Deletes the trap, which has to be one, with the text in its message.
static inline void check_trap_at(int line, wasm_trap_t* trap, wasirun_trap_code_t code, const char* text) {
  wasm_message_t message;
  if (trap == NULL) {
    fprintf(stderr, "line %d: there is no trap, expected \"%s\"\n", line, text);
    ++failures;
    return;
  }
  wasm_trap_message(trap, &message);
  REQUIRE(message.size != 0 && message.data[message.size - 1] == 0);
  if (wasirun_trap_code(trap) != code || strstr(message.data, text) == NULL) {
    fprintf(stderr, "line %d: expected \"%s\" with the code %d, got \"%s\" with the code %d\n", line, text, code,
            message.data, wasirun_trap_code(trap));
    ++failures;
  }
  wasm_byte_vec_delete(&message);
  wasm_trap_delete(trap);
}
#define check_trap(trap, code, text) check_trap_at(__LINE__, trap, code, text)

static inline void check_no_trap_at(int line, wasm_trap_t* trap) {
  wasm_message_t text;
  if (trap == NULL) return;
  wasirun_trap_text(trap, &text);
  fprintf(stderr, "line %d: unexpected trap: %s\n", line, text.data);
  ++failures;
  wasm_byte_vec_delete(&text);
  wasm_trap_delete(trap);
}
#define check_no_trap(trap) check_no_trap_at(__LINE__, trap)

// A module of a text.
static inline wasm_module_t* module_of(wasm_store_t* store, const char* text) {
  wasm_byte_vec_t binary;
  wasm_module_t* module;
  check_no_error(wasirun_wat_to_wasm(text, strlen(text), &binary));
  module = wasm_module_new(store, &binary);
  wasm_byte_vec_delete(&binary);
  REQUIRE(module != NULL);
  return module;
}

// An instance of a text with these imports, which are borrowed.
static inline wasm_instance_t* instance_of(wasm_store_t* store, const char* text, wasm_extern_t** imports,
                                           size_t count) {
  wasm_module_t* module = module_of(store, text);
  wasm_extern_vec_t vec;
  wasm_trap_t* trap = NULL;
  wasm_instance_t* instance;
  vec.size = count;
  vec.data = imports;
  instance = wasm_instance_new(store, module, &vec, &trap);
  check_no_trap(trap);
  REQUIRE(instance != NULL);
  wasm_module_delete(module);
  return instance;
}

// An export that is a function; owned.
static inline wasm_func_t* function_of(const wasm_instance_t* instance, const char* name) {
  wasm_extern_t* object = wasirun_instance_export(instance, name);
  REQUIRE(object != NULL && wasm_extern_as_func(object) != NULL);
  return wasm_extern_as_func(object);
}

// Calls a function of some i32, which returns at most one.
static inline wasm_trap_t* call_i32(const wasm_func_t* func, const int32_t* args, size_t count, int32_t* result) {
  wasm_val_t arg_vals[8];
  wasm_val_t result_vals[1] = {WASM_INIT_VAL};
  wasm_val_vec_t arg_vec;
  wasm_val_vec_t result_vec = WASM_ARRAY_VEC(result_vals);
  wasm_trap_t* trap;
  size_t i;
  for (i = 0; i < count; ++i) {
    arg_vals[i].kind = WASM_I32;
    arg_vals[i].of.i32 = args[i];
  }
  arg_vec.size = count;
  arg_vec.data = arg_vals;
  trap = wasm_func_call(func, &arg_vec, &result_vec);
  if (trap == NULL && result != NULL) *result = result_vals[0].of.i32;
  return trap;
}

#endif  // CHECK_H
