// 128-bit vectors for kernels that are vectorised by hand: clang's vector types do for Wasm and for machines what both
// have; what they lack is below.
#pragma once

#include <stdint.h>
#include <string.h>

// In front of functions that use look_up: the oldest x86 has no instruction for it.
#if defined(__x86_64__)
#define WITH_LOOK_UP __attribute__((target("ssse3")))
#else
#define WITH_LOOK_UP
#endif

#if defined(__wasm_simd128__)
#include <wasm_simd128.h>
#elif defined(__x86_64__)
#include <tmmintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

typedef uint8_t U8x16 __attribute__((vector_size(16)));
typedef int8_t I8x16 __attribute__((vector_size(16)));
typedef uint16_t U16x8 __attribute__((vector_size(16)));
typedef uint32_t U32x4 __attribute__((vector_size(16)));
typedef int32_t I32x4 __attribute__((vector_size(16)));
typedef uint64_t U64x2 __attribute__((vector_size(16)));
typedef int64_t I64x2 __attribute__((vector_size(16)));
typedef float F32x4 __attribute__((vector_size(16)));
typedef double F64x2 __attribute__((vector_size(16)));

static inline U8x16 load_u8x16(const void* from) {
  U8x16 vector;
  memcpy(&vector, from, sizeof vector);
  return vector;
}

static inline void store_u8x16(void* to, U8x16 vector) { memcpy(to, &vector, sizeof vector); }

static inline F32x4 load_f32x4(const void* from) {
  F32x4 vector;
  memcpy(&vector, from, sizeof vector);
  return vector;
}

static inline void store_f32x4(void* to, F32x4 vector) { memcpy(to, &vector, sizeof vector); }

static inline U8x16 splat_u8x16(uint8_t x) { return (U8x16){x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x}; }

// Lane i of the result is lane indices[i] of the table; indices are below 16.
WITH_LOOK_UP static inline U8x16 __attribute__((always_inline)) look_up(U8x16 table, U8x16 indices) {
#if defined(__wasm_simd128__)
  return (U8x16)wasm_i8x16_swizzle((v128_t)table, (v128_t)indices);
#elif defined(__x86_64__)
  return (U8x16)_mm_shuffle_epi8((__m128i)table, (__m128i)indices);
#elif defined(__aarch64__)
  return (U8x16)vqtbl1q_u8((uint8x16_t)table, (uint8x16_t)indices);
#else
#error "no look-up of bytes on this machine yet"
#endif
}

// The highest bit of each lane.
static inline uint32_t signs_of(U8x16 vector) {
#if defined(__wasm_simd128__)
  return (uint32_t)wasm_i8x16_bitmask((v128_t)vector);
#elif defined(__x86_64__)
  return (uint32_t)_mm_movemask_epi8((__m128i)vector);
#else
  uint32_t bits = 0;
  for (int i = 0; i < 16; i++) bits |= (uint32_t)(vector[i] >> 7) << i;
  return bits;
#endif
}

static inline int has_any(U8x16 vector) {
#if defined(__wasm_simd128__)
  return wasm_v128_any_true((v128_t)vector);
#else
  const U64x2 halves = (U64x2)vector;
  return (halves[0] | halves[1]) != 0;
#endif
}
