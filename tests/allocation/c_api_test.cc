// The C interface without memory: nothing is thrown, nothing crashes, and finalizers are called all the same.
#include <catch2/catch.hpp>
#include <cstdint>
#include <string_view>

#include "allocation/failing_allocator.h"
#include "wasirun.h"

namespace {

using wasi::test::FailingAllocator;

int made = 0;
int finalized = 0;

wasm_trap_t* refuse(void* /*env*/, const wasm_val_vec_t* args, wasm_val_vec_t* results) {
  if (args->data[0].of.i32 == 0) return wasm_trap_new(nullptr, nullptr);
  wasm_val_copy(&results->data[0], &args->data[1]);
  return nullptr;
}

wasm_byte_vec_t assemble(std::string_view text) {
  wasm_byte_vec_t binary;
  REQUIRE(wasirun_wat_to_wasm(text.data(), text.size(), &binary) == nullptr);
  return binary;
}

void call(const wasm_func_t* func, std::int32_t number, wasm_ref_t* ref) {
  wasm_val_t args[] = {WASM_I32_VAL(number), WASM_REF_VAL(ref)};
  wasm_val_t results[] = {WASM_INIT_VAL};
  const wasm_val_vec_t arg_vec = WASM_ARRAY_VEC(args);
  wasm_val_vec_t result_vec = WASM_ARRAY_VEC(results);
  wasm_trap_t* const trap = wasm_func_call(func, &arg_vec, &result_vec);
  if (trap == nullptr) return wasm_val_delete(&results[0]);
  wasm_message_t message;
  wasm_frame_vec_t frames;
  wasm_trap_message(trap, &message);
  wasm_trap_trace(trap, &frames);
  wasm_frame_vec_delete(&frames);
  wasm_byte_vec_delete(&message);
  wasm_trap_delete(trap);
}

// All of it once, as far as it gets. True: to its end.
bool run(wasm_engine_t* engine, const wasm_byte_vec_t& binary) {
  wasm_store_t* const store = wasm_store_new(engine);
  if (store == nullptr) return false;
  wasm_module_t* const module = wasm_module_new(store, &binary);
  wasm_functype_t* const type =
      wasm_functype_new_2_1(wasm_valtype_new_i32(), wasm_valtype_new_externref(), wasm_valtype_new_externref());
  ++made;
  wasm_func_t* const host = wasm_func_new_with_env(store, type, refuse, &made, [](void*) { ++finalized; });
  wasm_foreign_t* const foreign = wasm_foreign_new(store);
  wasm_instance_t* instance = nullptr;
  if (module != nullptr && host != nullptr) {
    wasm_importtype_vec_t imports;
    wasm_module_imports(module, &imports);
    wasm_importtype_vec_delete(&imports);
    wasm_extern_t* objects[] = {wasm_func_as_extern(host)};
    const wasm_extern_vec_t given = WASM_ARRAY_VEC(objects);
    wasm_trap_t* trap = nullptr;
    instance = wasm_instance_new(store, module, &given, &trap);
    if ((instance == nullptr) != (trap != nullptr)) std::abort();
    wasm_trap_delete(trap);
  }
  bool done = false;
  if (instance != nullptr && foreign != nullptr) {
    wasm_instance_set_host_info(instance, &made);
    wasm_extern_vec_t exports, copies;
    wasm_instance_exports(instance, &exports);
    wasm_extern_vec_copy(&copies, &exports);
    done = copies.size == 1;
    if (exports.size == 1) {
      call(wasm_extern_as_func(exports.data[0]), 1, wasm_foreign_as_ref(foreign));
      call(wasm_extern_as_func(exports.data[0]), 0, wasm_instance_as_ref(instance));
      wasm_externtype_delete(wasm_extern_type(exports.data[0]));
    }
    wasm_extern_vec_delete(&copies);
    wasm_extern_vec_delete(&exports);
  }
  wasirun_linker_t* const linker = wasirun_linker_new(engine);
  wasi_config_t* const config = wasi_config_new();
  if (linker != nullptr) {
    ++made;
    wasirun_error_delete(wasirun_linker_define_func(
        linker, "m", "f", type,
        [](void*, wasirun_caller_t*, const wasm_val_vec_t*, wasm_val_vec_t*) {
          return static_cast<wasm_trap_t*>(nullptr);
        },
        &made, [](void*) { ++finalized; }));
    wasirun_error_delete(wasirun_linker_define_wasi(linker, config));
  } else {
    wasi_config_delete(config);
  }
  wasirun_linker_delete(linker);
  wasirun_error_delete(wasirun_last_error());
  wasm_instance_delete(instance);
  wasm_foreign_delete(foreign);
  wasm_func_delete(host);
  wasm_functype_delete(type);
  wasm_module_delete(module);
  wasm_store_delete(store);
  return done;
}

}  // namespace

TEST_CASE("Programs in C get an error wherever memory runs out") {
  wasm_engine_t* const engine = wasm_engine_new();
  REQUIRE(engine != nullptr);
  wasm_byte_vec_t binary = assemble(
      "(module (func $f (import \"\" \"f\") (param i32 externref) (result externref))"
      " (func (export \"g\") (param i32 externref) (result externref) (call $f (local.get 0) (local.get 1))))");
  // One allocation, or all from one on.
  const std::uint64_t count = GENERATE(std::uint64_t{1}, std::uint64_t{1} << 40);
  REQUIRE(run(engine, binary));
  bool has_failed = true;
  std::uint64_t first = 0;
  for (; has_failed && first < 20'000; ++first) {
    const FailingAllocator allocator(first, count);
    run(engine, binary);
    has_failed = allocator.has_failed();
  }
  CHECK(first > 100);
  CHECK(!has_failed);
  CHECK(run(engine, binary));
  CHECK(finalized == made);
  wasm_byte_vec_delete(&binary);
  wasm_engine_delete(engine);
}
