// Vectors of bytes.
#include <algorithm>

#include "c_api/vector.h"

using namespace wasi;

void wasm_byte_vec_new_empty(wasm_byte_vec_t* out) { *out = {0, nullptr}; }

void wasm_byte_vec_new_uninitialized(wasm_byte_vec_t* out, size_t size) { c::allocate(*out, size); }

void wasm_byte_vec_new(wasm_byte_vec_t* out, size_t size, const wasm_byte_t data[]) {
  c::take_over(out, size, data, [](wasm_byte_t) {});
}

void wasm_byte_vec_copy(wasm_byte_vec_t* out, const wasm_byte_vec_t* from) {
  *out = {0, nullptr};
  if (from != nullptr) c::take_over(out, from->size, from->data, [](wasm_byte_t) {});
}

void wasm_byte_vec_delete(wasm_byte_vec_t* vec) {
  c::destroy(vec, [](wasm_byte_t) {});
}
