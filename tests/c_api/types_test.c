// Types and vectors: what they own, copy and say.
#include "check.h"

static void vectors_of_bytes(void) {
  wasm_byte_vec_t a, b;
  wasm_byte_vec_new(&a, 3, "xyz");
  CHECK(a.size == 3 && memcmp(a.data, "xyz", 3) == 0);
  wasm_byte_vec_copy(&b, &a);
  CHECK(b.size == 3 && b.data != a.data && memcmp(b.data, "xyz", 3) == 0);
  wasm_byte_vec_delete(&a);
  CHECK(a.size == 0 && a.data == NULL);
  wasm_byte_vec_delete(&a);
  wasm_byte_vec_delete(&b);
  wasm_byte_vec_new_empty(&a);
  CHECK(a.size == 0 && a.data == NULL);
  wasm_byte_vec_copy(&b, &a);
  CHECK(b.size == 0 && b.data == NULL);
  wasm_byte_vec_new_uninitialized(&a, 5);
  REQUIRE(a.size == 5 && a.data != NULL);
  memset(a.data, 1, 5);
  wasm_byte_vec_delete(&a);

  // More than there can be.
  wasm_byte_vec_new_uninitialized(&a, SIZE_MAX / 2);
  CHECK(a.size == 0 && a.data == NULL);
  check_last_error(WASIRUN_ERROR_LIMIT, "out of memory");

  wasm_name_new_from_string(&a, "name");
  CHECK(a.size == 4);
  wasm_name_delete(&a);
  wasm_name_new_from_string_nt(&a, "name");
  CHECK(a.size == 5 && a.data[4] == 0);
  wasm_name_delete(&a);
}

static void kinds_of_values(void) {
  const wasm_valkind_t kinds[] = {WASM_I32,     WASM_I64,     WASM_F32,       WASM_F64,      WASM_EXTERNREF,
                                  WASM_FUNCREF, WASIRUN_V128, WASIRUN_ANYREF, WASIRUN_EXNREF};
  const char* const texts[] = {"i32", "i64", "f32", "f64", "externref", "funcref", "v128", "anyref", "exnref"};
  size_t i;
  for (i = 0; i < sizeof(kinds); ++i) {
    wasm_valtype_t* type = wasm_valtype_new(kinds[i]);
    wasm_valtype_t* copy;
    wasm_message_t text;
    REQUIRE(type != NULL);
    CHECK(wasm_valtype_kind(type) == kinds[i]);
    CHECK(wasm_valtype_is_ref(type) == (kinds[i] >= 128));
    CHECK(wasm_valtype_is_num(type) != wasm_valtype_is_ref(type));
    CHECK(wasirun_valtype_is_nullable(type) == wasm_valtype_is_ref(type));
    copy = wasm_valtype_copy(type);
    wasm_valtype_delete(type);
    CHECK(wasm_valtype_kind(copy) == kinds[i]);
    wasirun_valtype_text(copy, &text);
    CHECK(strcmp(text.data, texts[i]) == 0);
    wasm_byte_vec_delete(&text);
    wasm_valtype_delete(copy);
  }
  CHECK(wasm_valtype_new(77) == NULL);
  check_last_error(WASIRUN_ERROR_ARGUMENT, "no kind 77");
  CHECK(wasirun_last_error() == NULL);
  wasm_valtype_delete(NULL);
}

static void function_types(void) {
  wasm_functype_t* type =
      wasm_functype_new_3_2(wasm_valtype_new_i32(), wasm_valtype_new_i64(), wasm_valtype_new_externref(),
                            wasm_valtype_new_f32(), wasm_valtype_new_funcref());
  wasm_functype_t* copy = wasm_functype_copy(type);
  wasm_externtype_t* as_extern = wasm_functype_as_externtype(copy);
  wasm_message_t text;
  wasm_valtype_vec_t params, results;
  wasm_functype_delete(type);
  CHECK(wasm_functype_params(copy)->size == 3 && wasm_functype_results(copy)->size == 2);
  CHECK(wasm_valtype_kind(wasm_functype_params(copy)->data[2]) == WASM_EXTERNREF);
  CHECK(wasm_valtype_kind(wasm_functype_results(copy)->data[0]) == WASM_F32);
  CHECK(wasm_externtype_kind(as_extern) == WASM_EXTERN_FUNC);
  CHECK(wasm_externtype_as_functype(as_extern) == copy);
  CHECK(wasm_externtype_as_functype_const(as_extern) == copy);
  CHECK(wasm_externtype_as_globaltype(as_extern) == NULL && wasm_externtype_as_tabletype(as_extern) == NULL &&
        wasm_externtype_as_memorytype(as_extern) == NULL && wasirun_externtype_as_tagtype_const(as_extern) == NULL);
  wasirun_externtype_text(as_extern, &text);
  CHECK(strcmp(text.data, "function (i32, i64, externref) -> (f32, funcref)") == 0);
  wasm_byte_vec_delete(&text);
  wasm_externtype_delete(as_extern);

  type = wasm_functype_new_0_0();
  CHECK(wasm_functype_params(type)->size == 0 && wasm_functype_results(type)->size == 0);
  wasm_functype_delete(type);

  // The vectors are taken over, also by what fails.
  wasm_valtype_vec_new_uninitialized(&params, 2);
  params.data[0] = wasm_valtype_new_i32();
  wasm_valtype_vec_new_empty(&results);
  CHECK(wasm_functype_new(&params, &results) == NULL);
  check_last_error(WASIRUN_ERROR_ARGUMENT, "must not be NULL");
  CHECK(params.size == 0 && params.data == NULL);
}

static void other_types(void) {
  const wasm_limits_t bounded = {1, 5};
  const wasm_limits_t open = {2, 0xffffffff};
  wasm_globaltype_t* global = wasm_globaltype_new(wasm_valtype_new_f64(), WASM_VAR);
  wasm_tabletype_t* table = wasm_tabletype_new(wasm_valtype_new_funcref(), &bounded);
  wasm_memorytype_t* memory = wasm_memorytype_new(&open);
  wasm_externtype_vec_t all, copies;
  wasirun_memory_traits_t memory_traits;
  wasirun_table_traits_t table_traits;
  CHECK(wasm_valtype_kind(wasm_globaltype_content(global)) == WASM_F64);
  CHECK(wasm_globaltype_mutability(global) == WASM_VAR);
  CHECK(wasm_valtype_kind(wasm_tabletype_element(table)) == WASM_FUNCREF);
  CHECK(wasm_tabletype_limits(table)->min == 1 && wasm_tabletype_limits(table)->max == 5);
  CHECK(wasm_memorytype_limits(memory)->min == 2 &&
        wasm_memorytype_limits(memory)->max == wasm_limits_max_default);
  wasirun_memorytype_traits(memory, &memory_traits);
  CHECK(memory_traits.min == 2 && memory_traits.max == WASIRUN_NO_MAXIMUM && memory_traits.page_size == 65536 &&
        !memory_traits.is_64 && !memory_traits.is_shared);
  wasirun_tabletype_traits(table, &table_traits);
  CHECK(table_traits.min == 1 && table_traits.max == 5 && !table_traits.is_64);

  wasm_externtype_vec_new_uninitialized(&all, 3);
  all.data[0] = wasm_globaltype_as_externtype(global);
  all.data[1] = wasm_tabletype_as_externtype(table);
  all.data[2] = wasm_memorytype_as_externtype(memory);
  wasm_externtype_vec_copy(&copies, &all);
  wasm_externtype_vec_delete(&all);
  REQUIRE(copies.size == 3);
  CHECK(wasm_externtype_as_globaltype(copies.data[0]) != NULL);
  CHECK(wasm_externtype_as_tabletype(copies.data[1]) != NULL);
  CHECK(wasm_memorytype_limits(wasm_externtype_as_memorytype(copies.data[2]))->min == 2);
  wasm_externtype_vec_delete(&copies);

  CHECK(wasm_globaltype_new(NULL, WASM_CONST) == NULL);
  check_last_error(WASIRUN_ERROR_ARGUMENT, "must not be NULL");
  CHECK(wasm_globaltype_new(wasm_valtype_new_i32(), 9) == NULL);
  check_last_error(WASIRUN_ERROR_ARGUMENT, "no mutability 9");
}

static void wider_types(void) {
  const wasirun_memory_traits_t memory_traits = {1, UINT64_C(1) << 33, 65536, true, true};
  const wasirun_table_traits_t table_traits = {5, WASIRUN_NO_MAXIMUM, true};
  wasm_memorytype_t* memory = wasirun_memorytype_new(&memory_traits);
  wasm_tabletype_t* table = wasirun_tabletype_new(wasm_valtype_new(WASIRUN_ANYREF), &table_traits);
  wasirun_memory_traits_t read;
  wasirun_table_traits_t table_read;
  wasm_valtype_vec_t params;
  wasirun_tagtype_t* tag;
  wasm_message_t text;
  wasirun_memorytype_traits(memory, &read);
  CHECK(memcmp(&read.min, &memory_traits.min, sizeof(read.min)) == 0 && read.max == memory_traits.max && read.is_64 &&
        read.is_shared);
  CHECK(wasm_memorytype_limits(memory)->max == 0xffffffff);
  wasirun_tabletype_traits(table, &table_read);
  CHECK(table_read.min == 5 && table_read.max == WASIRUN_NO_MAXIMUM && table_read.is_64);
  wasm_memorytype_delete(memory);
  wasm_tabletype_delete(table);

  wasm_valtype_vec_new_uninitialized(&params, 1);
  params.data[0] = wasm_valtype_new_i64();
  tag = wasirun_tagtype_new(&params);
  CHECK(wasirun_tagtype_params(tag)->size == 1);
  CHECK(wasm_externtype_kind(wasirun_tagtype_as_externtype_const(tag)) == WASIRUN_EXTERN_TAG);
  CHECK(wasirun_externtype_as_tagtype_const(wasirun_tagtype_as_externtype_const(tag)) == tag);
  wasirun_externtype_text(wasirun_tagtype_as_externtype_const(tag), &text);
  CHECK(strcmp(text.data, "tag (i64) -> ()") == 0);
  wasm_byte_vec_delete(&text);
  wasirun_tagtype_delete(tag);
}

static void imports_and_exports(void) {
  wasm_name_t module, name, other;
  wasm_importtype_t* import;
  wasm_importtype_t* copy;
  wasm_exporttype_t* exported;
  wasm_exporttype_t* export_copy;
  wasm_name_new_from_string(&module, "env");
  wasm_name_new_from_string(&name, "f");
  wasm_name_new_from_string(&other, "g");
  import = wasm_importtype_new(&module, &name, wasm_functype_as_externtype(wasm_functype_new_0_0()));
  copy = wasm_importtype_copy(import);
  wasm_importtype_delete(import);
  CHECK(wasm_importtype_module(copy)->size == 3 && memcmp(wasm_importtype_module(copy)->data, "env", 3) == 0);
  CHECK(wasm_importtype_name(copy)->size == 1);
  CHECK(wasm_externtype_kind(wasm_importtype_type(copy)) == WASM_EXTERN_FUNC);
  wasm_importtype_delete(copy);

  exported = wasm_exporttype_new(&other, wasm_globaltype_as_externtype(wasm_globaltype_new(wasm_valtype_new_i32(), 0)));
  export_copy = wasm_exporttype_copy(exported);
  wasm_exporttype_delete(exported);
  CHECK(wasm_exporttype_name(export_copy)->data[0] == 'g');
  CHECK(wasm_externtype_kind(wasm_exporttype_type(export_copy)) == WASM_EXTERN_GLOBAL);
  wasm_exporttype_delete(export_copy);

  wasm_name_new_from_string(&other, "g");
  CHECK(wasm_exporttype_new(&other, NULL) == NULL);
  check_last_error(WASIRUN_ERROR_ARGUMENT, "must not be NULL");
}

static void types_of_modules(void) {
  wasm_engine_t* engine = wasm_engine_new();
  wasm_store_t* store = wasm_store_new(engine);
  wasm_module_t* module = module_of(store,
                                    "(module (type $s (struct (field i32))) (type $f (func))"
                                    " (import \"m\" \"f\" (func (param (ref null $s) (ref $f) v128) (result i31ref)))"
                                    " (import \"\" \"t\" (table i64 1 2 externref))"
                                    " (memory (export \"a name\") 1) (tag (export \"t\") (param f32)))");
  wasm_importtype_vec_t imports;
  wasm_exporttype_vec_t exports;
  const wasm_valtype_vec_t* params;
  const wasm_functype_t* function;
  wasirun_table_traits_t table;
  wasm_module_imports(module, &imports);
  wasm_module_exports(module, &exports);
  wasm_module_delete(module);
  REQUIRE(imports.size == 2 && exports.size == 2);
  function = wasm_externtype_as_functype_const(wasm_importtype_type(imports.data[0]));
  REQUIRE(function != NULL);
  params = wasm_functype_params(function);
  REQUIRE(params->size == 3);
  CHECK(wasm_valtype_kind(params->data[0]) == WASIRUN_ANYREF && wasirun_valtype_is_nullable(params->data[0]));
  CHECK(wasm_valtype_kind(params->data[1]) == WASM_FUNCREF && !wasirun_valtype_is_nullable(params->data[1]));
  CHECK(wasm_valtype_kind(params->data[2]) == WASIRUN_V128);
  CHECK(wasm_valtype_kind(wasm_functype_results(function)->data[0]) == WASIRUN_ANYREF);
  wasirun_tabletype_traits(wasm_externtype_as_tabletype_const(wasm_importtype_type(imports.data[1])), &table);
  CHECK(table.is_64 && table.min == 1 && table.max == 2);
  CHECK(wasm_importtype_module(imports.data[1])->size == 0);
  CHECK(wasm_exporttype_name(exports.data[0])->size == 6);
  CHECK(wasm_externtype_kind(wasm_exporttype_type(exports.data[1])) == WASIRUN_EXTERN_TAG);
  wasm_importtype_vec_delete(&imports);
  wasm_exporttype_vec_delete(&exports);
  wasm_store_delete(store);
  wasm_engine_delete(engine);
}

int main(void) {
  vectors_of_bytes();
  kinds_of_values();
  function_types();
  other_types();
  wider_types();
  imports_and_exports();
  types_of_modules();
  return report();
}
