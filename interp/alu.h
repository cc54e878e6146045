// Integer operations and comparisons that lib/runtime/numeric.h leaves to the language, as functions.
#pragma once

#include "runtime/numeric.h"

namespace wasi::interp::alu {

using runtime::numeric::as_signed;
using runtime::numeric::Unsigned;

template <Unsigned T>
constexpr T add(T a, T b) {
  return a + b;
}
template <Unsigned T>
constexpr T sub(T a, T b) {
  return a - b;
}
template <Unsigned T>
constexpr T mul(T a, T b) {
  return a * b;
}
template <Unsigned T>
constexpr T bit_and(T a, T b) {
  return a & b;
}
template <Unsigned T>
constexpr T bit_or(T a, T b) {
  return a | b;
}
template <Unsigned T>
constexpr T bit_xor(T a, T b) {
  return a ^ b;
}

// On integers and floats.
template <class T>
constexpr bool eq(T a, T b) {
  return a == b;
}
template <class T>
constexpr bool ne(T a, T b) {
  return a != b;
}
template <class T>
constexpr bool less(T a, T b) {
  return a < b;
}
template <class T>
constexpr bool greater(T a, T b) {
  return a > b;
}
template <class T>
constexpr bool less_equal(T a, T b) {
  return a <= b;
}
template <class T>
constexpr bool greater_equal(T a, T b) {
  return a >= b;
}

template <Unsigned T>
constexpr bool lt_s(T a, T b) {
  return as_signed(a) < as_signed(b);
}
template <Unsigned T>
constexpr bool lt_u(T a, T b) {
  return a < b;
}
template <Unsigned T>
constexpr bool gt_s(T a, T b) {
  return as_signed(a) > as_signed(b);
}
template <Unsigned T>
constexpr bool gt_u(T a, T b) {
  return a > b;
}
template <Unsigned T>
constexpr bool le_s(T a, T b) {
  return as_signed(a) <= as_signed(b);
}
template <Unsigned T>
constexpr bool le_u(T a, T b) {
  return a <= b;
}
template <Unsigned T>
constexpr bool ge_s(T a, T b) {
  return as_signed(a) >= as_signed(b);
}
template <Unsigned T>
constexpr bool ge_u(T a, T b) {
  return a >= b;
}

}  // namespace wasi::interp::alu
