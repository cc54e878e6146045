// Modules: bad bytes and imports, serialisation, sharing, text, custom sections.
#include <stdint.h>

#include "check.h"

static const char kAnswer[] =
    "(module $answer (@custom \"notes\" \"one\") (@custom \"notes\" \"two\")"
    " (func (export \"answer\") (result i32) i32.const 42))";

static wasm_module_t* module_from(wasm_store_t* store, const char* bytes, size_t size) {
  wasm_byte_vec_t vec;
  wasm_module_t* module;
  wasm_byte_vec_new(&vec, size, bytes);
  CHECK(!wasm_module_validate(store, &vec));
  wasirun_error_delete(wasirun_last_error());
  module = wasm_module_new(store, &vec);
  wasm_byte_vec_delete(&vec);
  return module;
}

static void bad_bytes(wasm_store_t* store) {
  wasirun_error_t* error;
  uint64_t offset = 0;
  uint64_t line = 0;
  uint64_t column = 0;
  wasm_byte_vec_t binary;
  CHECK(module_from(store, "\0asm\1\0\0\0\1", 9) == NULL);
  error = wasirun_last_error();
  REQUIRE(error != NULL);
  CHECK(wasirun_error_offset(error, &offset) && offset == 9);
  CHECK(!wasirun_error_position(error, &line, &column));
  check_error(error, WASIRUN_ERROR_MALFORMED, "offset 0x9");
  CHECK(module_from(store, "", 0) == NULL);
  check_last_error(WASIRUN_ERROR_MALFORMED, "empty");
  CHECK(module_from(store, "(module)", 8) == NULL);
  check_last_error(WASIRUN_ERROR_MALFORMED, "wasirun_wat_to_wasm");
  // A body that returns nothing where an i32 is promised.
  CHECK(module_from(store, "\0asm\1\0\0\0\1\5\1\140\0\1\177\3\2\1\0\12\4\1\2\0\13", 25) == NULL);
  check_last_error(WASIRUN_ERROR_INVALID, "");
  CHECK(wasm_module_new(store, NULL) == NULL && wasm_module_new(NULL, NULL) == NULL);
  check_last_error(WASIRUN_ERROR_ARGUMENT, "must not be NULL");

  error = wasirun_wat_to_wasm("(module\n  (func (nonsense)))", 28, &binary);
  REQUIRE(error != NULL);
  CHECK(binary.size == 0 && binary.data == NULL);
  CHECK(wasirun_error_position(error, &line, &column) && line == 2 && column > 8);
  check_error(error, WASIRUN_ERROR_MALFORMED, "line 2");
}

static void bad_imports(wasm_store_t* store) {
  wasm_module_t* module = module_of(store, "(module (import \"a\" \"b\" (func)) (import \"a\" \"b\" (global i32)))");
  const wasm_limits_t limits = {1, 1};
  wasm_memorytype_t* type = wasm_memorytype_new(&limits);
  wasm_memory_t* memory = wasm_memory_new(store, type);
  wasm_extern_t* objects[2];
  wasm_extern_vec_t imports = WASM_EMPTY_VEC;
  wasm_trap_t* trap = NULL;
  CHECK(wasm_instance_new(store, module, &imports, &trap) == NULL);
  check_trap(trap, WASIRUN_TRAP_HOST_ERROR, "import");
  check_last_error(WASIRUN_ERROR_ARGUMENT, "import");
  objects[0] = objects[1] = wasm_memory_as_extern(memory);
  imports.size = 2;
  imports.data = objects;
  CHECK(wasm_instance_new(store, module, &imports, &trap) == NULL);
  check_trap(trap, WASIRUN_TRAP_HOST_ERROR, "");
  check_last_error(WASIRUN_ERROR_UNLINKABLE, "function");
  CHECK(wasm_instance_new(store, module, &imports, NULL) == NULL);
  check_last_error(WASIRUN_ERROR_UNLINKABLE, "");
  objects[1] = NULL;
  CHECK(wasm_instance_new(store, module, &imports, &trap) == NULL);
  check_trap(trap, WASIRUN_TRAP_HOST_ERROR, "import 1 is NULL");
  CHECK(wasm_instance_new(NULL, NULL, NULL, &trap) == NULL);
  check_trap(trap, WASIRUN_TRAP_HOST_ERROR, "must not be NULL");
  wasm_memory_delete(memory);
  wasm_memorytype_delete(type);
  wasm_module_delete(module);
}

static int32_t answer_of(wasm_store_t* store, const wasm_module_t* module) {
  wasm_instance_t* instance = wasm_instance_new(store, module, NULL, NULL);
  wasm_func_t* func;
  int32_t result = 0;
  REQUIRE(instance != NULL);
  func = function_of(instance, "answer");
  check_no_trap(call_i32(func, NULL, 0, &result));
  wasm_func_delete(func);
  wasm_instance_delete(instance);
  return result;
}

static void serialisation(void) {
  wasm_config_t* config = wasm_config_new();
  wasm_engine_t* engine;
  wasm_store_t* store;
  wasm_module_t* module;
  wasm_module_t* loaded;
  wasm_byte_vec_t bytes;
#ifdef __cplusplus  // the program of the other language runs at the same time
  const char path[] = "serialised-in-cxx";
#else
  const char path[] = "serialised-in-c99";
#endif
  FILE* file;
  wasirun_config_set_tier(config, WASIRUN_TIER_BASELINE);
  engine = wasm_engine_new_with_config(config);
  REQUIRE(engine != NULL);
  store = wasm_store_new(engine);
  module = module_of(store, kAnswer);
  check_no_error(wasirun_module_compile(module, 1));
  wasm_module_serialize(module, &bytes);
  CHECK(bytes.size > 0);
  loaded = wasm_module_deserialize(store, &bytes);
  REQUIRE(loaded != NULL);
  CHECK(answer_of(store, loaded) == 42);
  wasm_module_delete(loaded);

  // Such bytes are no module for those who do not trust them, and the other way round.
  CHECK(wasm_module_new(store, &bytes) == NULL);
  check_last_error(WASIRUN_ERROR_UNSUPPORTED, "compiled");
  bytes.size /= 2;
  CHECK(wasm_module_deserialize(store, &bytes) == NULL);
  check_last_error(WASIRUN_ERROR_MALFORMED, "");
  wasm_byte_vec_delete(&bytes);
  wasm_byte_vec_new(&bytes, 8, "\0asm\1\0\0\0");
  CHECK(wasm_module_deserialize(store, &bytes) == NULL);
  check_last_error(WASIRUN_ERROR_MALFORMED, "");
  wasm_byte_vec_delete(&bytes);

  check_no_error(wasirun_module_serialize_file(module, path));
  check_no_error(wasirun_module_serialize_file(module, path));
  check_no_error(wasirun_module_deserialize_file(store, path, &loaded));
  REQUIRE(loaded != NULL);
  CHECK(answer_of(store, loaded) == 42);
  wasm_module_delete(loaded);
  remove(path);
  check_error(wasirun_module_deserialize_file(store, path, &loaded), WASIRUN_ERROR_IO, path);
  CHECK(loaded == NULL);
  check_error(wasirun_module_serialize_file(module, "no/such/folder/x"), WASIRUN_ERROR_IO, "no/such/folder/x");

  file = fopen(path, "w");
  REQUIRE(file != NULL);
  fputs(kAnswer, file);
  fclose(file);
  check_no_error(wasirun_module_from_file(store, path, &loaded));
  CHECK(answer_of(store, loaded) == 42);
  wasm_module_delete(loaded);
  remove(path);
  check_error(wasirun_module_from_file(store, path, &loaded), WASIRUN_ERROR_IO, path);
  wasm_module_delete(module);
  wasm_store_delete(store);
  wasm_engine_delete(engine);
}

static void sharing(wasm_engine_t* engine) {
  wasm_store_t* store = wasm_store_new(engine);
  wasm_module_t* module = module_of(store, kAnswer);
  wasm_shared_module_t* shared = wasm_module_share(module);
  wasm_engine_t* other_engine = wasm_engine_new();
  wasm_store_t* other_store = wasm_store_new(other_engine);
  wasm_module_delete(module);
  wasm_store_delete(store);
  store = wasm_store_new(engine);
  module = wasm_module_obtain(store, shared);
  REQUIRE(module != NULL);
  CHECK(answer_of(store, module) == 42);
  CHECK(wasm_module_obtain(other_store, shared) == NULL);
  check_last_error(WASIRUN_ERROR_ARGUMENT, "another engine");
  wasm_shared_module_delete(shared);
  wasm_module_delete(module);
  wasm_store_delete(store);
  wasm_store_delete(other_store);
  wasm_engine_delete(other_engine);
}

static void what_modules_say(wasm_store_t* store) {
  wasm_module_t* module = module_of(store, kAnswer);
  wasm_byte_vec_t name, text, binary;
  const byte_t* data = NULL;
  size_t size = 0;
  wasirun_module_name(module, &name);
  CHECK(strcmp(name.data, "answer") == 0);
  wasm_byte_vec_delete(&name);
  CHECK(wasirun_module_custom_section(module, "notes", 0, &data, &size) && size == 3 && memcmp(data, "one", 3) == 0);
  CHECK(wasirun_module_custom_section(module, "notes", 1, &data, &size) && memcmp(data, "two", 3) == 0);
  CHECK(!wasirun_module_custom_section(module, "notes", 2, &data, &size));
  CHECK(!wasirun_module_custom_section(module, "other", 0, &data, &size));
  wasm_module_delete(module);

  check_no_error(wasirun_wat_to_wasm(kAnswer, sizeof(kAnswer) - 1, &binary));
  CHECK(wasm_module_validate(store, &binary));
  check_no_error(wasirun_wasm_to_wat(&binary, &text));
  CHECK(text.size > 0 && text.data[0] == '(');
  wasm_byte_vec_delete(&text);
  binary.size = 9;
  check_error(wasirun_wasm_to_wat(&binary, &text), WASIRUN_ERROR_MALFORMED, "");
  CHECK(text.size == 0);
  wasm_byte_vec_delete(&binary);
}

static void configurations(void) {
  wasm_config_t* config = wasm_config_new();
  wasm_engine_t* engine;
  wasm_store_t* store;
  wasm_byte_vec_t binary;
  CHECK(strlen(wasirun_version()) >= 5);
  wasirun_config_disable_feature(config, "no-such-feature");
  CHECK(wasm_engine_new_with_config(config) == NULL);
  check_last_error(WASIRUN_ERROR_ARGUMENT, "no-such-feature");

  config = wasm_config_new();
  wasirun_config_set_tier(config, WASIRUN_TIER_INTERPRETER);
  wasirun_config_set_validation(config, WASIRUN_VALIDATION_LAZY);
  wasirun_config_set_bounds_checks(config, WASIRUN_BOUNDS_CHECKS_EXPLICIT);
  wasirun_config_set_compile_threads(config, 0);
  wasirun_config_set_strict_memory(config, true);
  wasirun_config_set_cpu(config, WASIRUN_CPU_NATIVE);
  wasirun_config_set_code_memory_limit(config, 1 << 20);
  wasirun_config_disable_feature(config, "simd");
  engine = wasm_engine_new_with_config(config);
  REQUIRE(engine != NULL);
  store = wasm_store_new(engine);
  check_no_error(wasirun_wat_to_wasm("(module (func (param v128)))", 28, &binary));
  CHECK(wasm_module_new(store, &binary) == NULL);
  check_last_error(WASIRUN_ERROR_UNSUPPORTED, "simd");
  wasm_byte_vec_delete(&binary);
  wasm_store_delete(store);
  wasm_engine_delete(engine);
  wasm_config_delete(wasm_config_new());
}

int main(void) {
  wasm_engine_t* engine = wasm_engine_new();
  wasm_store_t* store = wasm_store_new(engine);
  REQUIRE(store != NULL);
  bad_bytes(store);
  bad_imports(store);
  serialisation();
  sharing(engine);
  what_modules_say(store);
  configurations();
  wasm_store_delete(store);
  wasm_engine_delete(engine);
  return report();
}
