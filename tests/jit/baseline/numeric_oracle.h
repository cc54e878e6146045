// What numeric instructions compute, on values as registers hold them, and values that are worth a try. The functions
// are those of runtime/numeric.h, in the interpreter's table.
#pragma once

#include <wasi/trap.h>

#include <bit>
#include <cstdint>
#include <expected>
#include <map>
#include <random>
#include <type_traits>
#include <vector>

#include "interp/alu.h"
#include "runtime/numeric.h"
#include "wasm/opcodes.h"

namespace wasi::jit::baseline::test {

namespace numeric = runtime::numeric;
namespace alu = interp::alu;

using Outcome = std::expected<std::uint64_t, TrapCode>;
using Oracle = Outcome (*)(std::uint64_t a, std::uint64_t b);

namespace detail {

template <class T>
T read(std::uint64_t bits) {
  if constexpr (std::is_floating_point_v<T>) {
    return std::bit_cast<T>(static_cast<numeric::BitsOf<T>>(bits));
  } else {
    return static_cast<T>(bits);
  }
}
template <class T>
std::uint64_t bits_of(T value) {
  if constexpr (std::is_floating_point_v<T>) {
    return std::bit_cast<numeric::BitsOf<T>>(value);
  } else {
    return value;
  }
}
template <class T>
Outcome outcome(T value) {
  if constexpr (requires { value.has_value(); }) {
    if (!value) return std::unexpected(value.error());
    return bits_of(*value);
  } else {
    return bits_of(value);
  }
}

template <class T, auto kFunction>
Outcome unary(std::uint64_t a, std::uint64_t /*b*/) {
  return outcome(kFunction(read<T>(a)));
}
template <class T, auto kFunction>
Outcome binary(std::uint64_t a, std::uint64_t b) {
  return outcome(kFunction(read<T>(a), read<T>(b)));
}

}  // namespace detail

inline const std::map<wasm::Op, Oracle>& oracles() {
  using detail::binary;
  using detail::unary;
  using wasm::Op;
  static const std::map<Op, Oracle> table = {
#define ISA_COMMUTATIVE(name, type, function) {Op::name, binary<type, function<type>>},
#define ISA_BINARY(name, type, function) {Op::name, binary<type, function<type>>},
#define ISA_COMPARE(name, type, function) {Op::name, binary<type, function<type>>},
#define ISA_FLOAT(name, type, k, function) {Op::name, binary<type, function<type>>},
#define ISA_FLOAT_COMPARE(name, type, k, function) {Op::name, binary<type, function<type>>},
#define ISA_UNARY(name, type, ...) {Op::name, unary<type, __VA_ARGS__>},
#define ISA_LOAD(name, ...)
#define ISA_STORE(name, ...)
#define ISA_ATOMIC(name, ...)
#define ISA_PLAIN(name, ...)
#include "interp/isa.def"
#undef ISA_COMMUTATIVE
#undef ISA_BINARY
#undef ISA_COMPARE
#undef ISA_FLOAT
#undef ISA_FLOAT_COMPARE
#undef ISA_UNARY
#undef ISA_LOAD
#undef ISA_STORE
#undef ISA_ATOMIC
#undef ISA_PLAIN
  };
  return table;
}

// Letters as in opcodes.def: i, l, f, d.
template <class F>
std::vector<std::uint64_t> float_edges() {
  using Bits = numeric::BitsOf<F>;
  const double whole = 1 / static_cast<double>(std::numeric_limits<F>::epsilon());
  const double list[] = {0,
                         0.5,
                         0.49999997,
                         0.99,
                         1,
                         1.5,
                         2.5,
                         1e10,
                         2147483520.0,
                         2147483647.0,
                         2147483647.5,
                         2147483648.0,
                         2147483648.5,
                         2147483649.0,
                         4294967040.0,
                         4294967295.0,
                         4294967295.5,
                         4294967296.0,  // 2^63, 2^64 and their neighbours follow
                         0x1p63 - 0x1p40,
                         0x1p63 - 0x1p10,
                         0x1p63,
                         0x1p63 + 0x1p11,
                         0x1p64 - 0x1p41,
                         0x1p64 - 0x1p11,
                         0x1p64,
                         whole,
                         whole - 0.5,
                         whole / 2 + 0.5,
                         std::numeric_limits<F>::min(),
                         std::numeric_limits<F>::denorm_min(),
                         std::numeric_limits<F>::max(),
                         std::numeric_limits<F>::infinity()};
  std::vector<std::uint64_t> bits;
  for (const double value : list) {
    bits.push_back(std::bit_cast<Bits>(static_cast<F>(value)));
    bits.push_back(bits.back() | numeric::kSignBit<F>);
  }
  const Bits infinity = std::bit_cast<Bits>(std::numeric_limits<F>::infinity());
  for (const Bits nan : {numeric::kCanonicalNan<F>, numeric::kCanonicalNan<F> | 5, infinity | 9}) {
    bits.push_back(nan);
    bits.push_back(nan | numeric::kSignBit<F>);
  }
  return bits;
}

inline std::vector<std::uint64_t> edges(char type) {
  switch (type) {
    case 'i':
      return {0,           1,           2,           7,           31,          32,          33,          0x7F,
              0x80,        0xFF,        0x7FFF,      0x8000,      0xFFFF,      0x12345678,  0x7FFF'FFFE, 0x7FFF'FFFF,
              0x8000'0000, 0x8000'0001, 0xFFFF'FFF9, 0xFFFF'FFFE, 0xFFFF'FFFF, 0x0F0F'0F0F, 0xAAAA'AAAA};
    case 'l':
      return {0,
              1,
              2,
              7,
              63,
              64,
              65,
              0x80,
              0x8000,
              0x7FFF'FFFF,
              0x8000'0000,
              0xFFFF'FFFF,
              0x1'0000'0000,
              0x1'0000'0001,
              0x20'0000'0000'0001,  // ties of 53 bits, and next to them
              0x20'0000'0000'0003,
              0x8000'0080'0000'0000,  // and of 24
              0x8000'0080'0000'0001,
              0x8000'0180'0000'0000,
              0x8000'0000'0000'0400,
              0x8000'0000'0000'0401,
              0xFFFF'FFFF'FFFF'FBFF,
              0xFFFF'FFFF'FFFF'FC00,
              0x0123'4567'89AB'CDEF,
              0x7FFF'FFFF'FFFF'FFFF,
              0x8000'0000'0000'0000,
              0x8000'0000'0000'0001,
              0xFFFF'FFFF'0000'0000,
              0xFFFF'FFFF'8000'0000,
              UINT64_MAX - 1,
              UINT64_MAX};
    case 'f':
      return float_edges<float>();
    default:
      return float_edges<double>();
  }
}

// Any bits, or a number of few bits, or near to zero.
inline std::uint64_t random_value(char type, std::mt19937_64& numbers) {
  std::uint64_t bits = numbers();
  switch (numbers() % 4) {
    case 0:
      bits >>= numbers() % 64;
      break;
    case 1:
      bits = 0 - (bits >> numbers() % 64);
      break;
    default:
      break;
  }
  if (type == 'f' && numbers() % 2 == 0)
    return std::bit_cast<std::uint32_t>(static_cast<float>(static_cast<std::int64_t>(bits)));
  if (type == 'd' && numbers() % 2 == 0)
    return std::bit_cast<std::uint64_t>(static_cast<double>(static_cast<std::int64_t>(bits)));
  return type == 'i' || type == 'f' ? bits & 0xFFFF'FFFF : bits;
}

inline std::vector<std::uint64_t> values(char type, std::mt19937_64& numbers, int random_count) {
  std::vector<std::uint64_t> list = edges(type);
  for (int i = 0; i < random_count; ++i) list.push_back(random_value(type, numbers));
  return list;
}

}  // namespace wasi::jit::baseline::test
