// The vectors of the C interface: the functions that all of them have.
#pragma once

#include <algorithm>
#include <cstddef>
#include <new>
#include <type_traits>
#include <utility>

#include "base/guard.h"
#include "c_api/error.h"
#include "wasm.h"

namespace wasi::c {

template <class Vec>
using ElementOf = std::remove_reference_t<decltype(*std::declval<Vec&>().data)>;

// Room for elements; false without memory, and the vector is empty.
template <class Vec>
bool allocate(Vec& out, std::size_t size) noexcept {
  out = {0, nullptr};
  if (size == 0) return true;
  using Element = ElementOf<Vec>;
  if constexpr (std::is_pointer_v<Element>) {
    out.data = new (std::nothrow) Element[size]();
  } else {
    out.data = new (std::nothrow) Element[size];
  }
  if (out.data == nullptr) {
    set_last_error(out_of_memory());
    return false;
  }
  out.size = size;
  return true;
}

// `destroy` is called with each element.
template <class Vec, class Destroy>
void destroy(Vec* vec, Destroy&& destroy) noexcept {
  if (vec == nullptr) return;
  if (vec->data != nullptr) std::for_each_n(vec->data, vec->size, destroy);
  delete[] vec->data;
  *vec = {0, nullptr};
}

// `copy` makes an element of another one, and says whether it could.
template <class Vec, class Copy, class Destroy>
void copy(Vec* out, const Vec* from, Copy&& copy, Destroy&& destroy) noexcept {
  if (from == nullptr || !allocate(*out, from->size)) return;
  for (std::size_t i = 0; i < from->size; ++i) {
    if (copy(out->data[i], from->data[i])) continue;
    out->size = i;
    c::destroy(out, destroy);
    return;
  }
}

// Without memory, `destroy` is called with each element instead.
template <class Vec, class Destroy>
void take_over(Vec* out, std::size_t size, const ElementOf<Vec>* elements, Destroy&& destroy) noexcept {
  if (size != 0 && allocate(*out, size)) {
    std::copy_n(elements, size, out->data);
  } else {
    *out = {0, nullptr};
    std::for_each_n(elements, size, destroy);
  }
}

// A vector that owns what is in it, until it is given away.
template <class Vec, void (*destroy)(Vec*)>
class Owned {
 public:
  Owned() = default;
  explicit Owned(Vec* taken) {
    if (taken != nullptr) vec_ = std::exchange(*taken, Vec{0, nullptr});
  }
  Owned(Owned&& other) noexcept : vec_(other.release()) {}
  Owned& operator=(Owned&& other) noexcept {
    std::swap(vec_, other.vec_);
    return *this;
  }
  ~Owned() { destroy(&vec_); }
  Vec& operator*() { return vec_; }
  const Vec& operator*() const { return vec_; }
  Vec* operator->() { return &vec_; }
  const Vec* operator->() const { return &vec_; }
  Vec release() { return std::exchange(vec_, Vec{0, nullptr}); }

 private:
  Vec vec_ = {0, nullptr};
};

}  // namespace wasi::c

// The functions of wasm_NAME_vec_t, whose elements are wasm_NAME_t*.
#define WASIRUN_DEFINE_VEC(name)                                                                                     \
  void wasm_##name##_vec_new_empty(wasm_##name##_vec_t* out) { *out = {0, nullptr}; }                                \
  void wasm_##name##_vec_new_uninitialized(wasm_##name##_vec_t* out, size_t size) { wasi::c::allocate(*out, size); } \
  void wasm_##name##_vec_new(wasm_##name##_vec_t* out, size_t size, wasm_##name##_t* const data[]) {                 \
    wasi::c::take_over(out, size, data, wasm_##name##_delete);                                                       \
  }                                                                                                                  \
  void wasm_##name##_vec_copy(wasm_##name##_vec_t* out, const wasm_##name##_vec_t* from) {                           \
    wasi::c::copy(                                                                                                   \
        out, from,                                                                                                   \
        [](wasm_##name##_t*& to, const wasm_##name##_t* element) {                                                   \
          to = element == nullptr ? nullptr : wasm_##name##_copy(element);                                           \
          return element == nullptr || to != nullptr;                                                                \
        },                                                                                                           \
        wasm_##name##_delete);                                                                                       \
  }                                                                                                                  \
  void wasm_##name##_vec_delete(wasm_##name##_vec_t* vec) { wasi::c::destroy(vec, wasm_##name##_delete); }
