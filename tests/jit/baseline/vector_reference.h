// What each Wasm instruction on vectors gives: the functions of runtime/simd.h, as the interpreter's table names them.
#pragma once

#include <bit>
#include <catch2/catch.hpp>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "runtime/simd.h"
#include "wasm/opcodes.h"

namespace wasi::jit::baseline::test {

namespace simd = runtime::simd;
using simd::V128;

enum class Shape : std::uint8_t {
  unary,
  binary,
  ternary,
  shift,
  test,
  splat,
  extract,
  replace,
  constant,
  shuffle,
  load,
  load_lane,
  store,
  store_lane
};

// Numbers and what lies in memory stand in the low bytes of a vector; `number` is a lane or a count.
using Compute = V128 (*)(const V128* operands, std::uint32_t number);

struct Reference {
  wasm::Op op;
  Shape shape;
  Compute compute;  // null for constants, shuffles and stores, which move bytes
};

template <class T>
T low_of(V128 vector) {
  T value;
  std::memcpy(&value, &vector, sizeof value);
  return value;
}

// The bodies that the table names.
template <auto fn>
struct VectorTernary {
  static constexpr Shape kShape = Shape::ternary;
  static V128 compute(const V128* v, std::uint32_t /*number*/) { return fn(v[0], v[1], v[2]); }
};
template <auto fn>
struct VectorTest {
  static constexpr Shape kShape = Shape::test;
  static V128 compute(const V128* v, std::uint32_t /*number*/) {
    return simd::zero_extend(static_cast<std::uint32_t>(fn(v[0])));
  }
};
template <class Lane, class T>
struct VectorSplat {
  static constexpr Shape kShape = Shape::splat;
  static V128 compute(const V128* v, std::uint32_t /*number*/) {
    return simd::splat<Lane>(static_cast<Lane>(low_of<T>(v[0])));
  }
};
template <class Lane, class T>
struct VectorExtract {
  static constexpr Shape kShape = Shape::extract;
  static V128 compute(const V128* v, std::uint32_t lane) {
    const auto value = simd::lane_at<Lane>(v, lane);
    if constexpr (std::is_floating_point_v<Lane>) {
      return simd::zero_extend(std::bit_cast<simd::Bits<T>>(value));
    } else {
      return simd::zero_extend(static_cast<T>(value));
    }
  }
};
template <class Lane, class T>
struct VectorReplace {
  static constexpr Shape kShape = Shape::replace;
  static V128 compute(const V128* v, std::uint32_t lane) {
    return simd::replace_lane<Lane>(v[0], lane, static_cast<Lane>(low_of<T>(v[1])));
  }
};
struct VectorConst {
  static constexpr Shape kShape = Shape::constant;
  static constexpr Compute compute = nullptr;
};
struct VectorShuffle {
  static constexpr Shape kShape = Shape::shuffle;
  static constexpr Compute compute = nullptr;
};
template <class T>
V128 extend_loaded(std::uint64_t bytes) {
  return simd::extend_low<T>(simd::zero_extend(bytes));
}

inline const std::vector<Reference>& references() {
  static const std::vector<Reference> list = [] {
    using wasm::Op;
    std::vector<Reference> rows;
    const auto add = [&rows](Op op, Shape shape, Compute compute) { rows.push_back({op, shape, compute}); };
#define ISA_VECTOR(name, layout, ...) add(Op::name, __VA_ARGS__::kShape, __VA_ARGS__::compute);
#define ISA_VECTOR_UNARY(name, ...) \
  add(Op::name, Shape::unary, [](const V128* v, std::uint32_t) { return __VA_ARGS__(v[0]); });
#define ISA_VECTOR_BINARY(name, ...) \
  add(Op::name, Shape::binary, [](const V128* v, std::uint32_t) { return __VA_ARGS__(v[0], v[1]); });
#define ISA_VECTOR_SHIFT(name, ...) \
  add(Op::name, Shape::shift, [](const V128* v, std::uint32_t count) { return __VA_ARGS__(v[0], count); });
#define ISA_VECTOR_LOAD(name, memory, ...) \
  add(Op::name, Shape::load, [](const V128* v, std::uint32_t) { return __VA_ARGS__(low_of<memory>(v[0])); });
#define ISA_VECTOR_LOAD_LANE(name, type) \
  add(Op::name, Shape::load_lane,        \
      [](const V128* v, std::uint32_t lane) { return simd::replace_lane<type>(v[1], lane, low_of<type>(v[0])); });
#define ISA_VECTOR_STORE(name) add(Op::name, Shape::store, nullptr);
#define ISA_VECTOR_STORE_LANE(name, type) \
  add(Op::name, Shape::store_lane,        \
      [](const V128* v, std::uint32_t lane) { return simd::zero_extend(simd::lane_at<type>(v, lane)); });
#include "interp/isa_simd.def"
#undef ISA_VECTOR
#undef ISA_VECTOR_UNARY
#undef ISA_VECTOR_BINARY
#undef ISA_VECTOR_SHIFT
#undef ISA_VECTOR_LOAD
#undef ISA_VECTOR_LOAD_LANE
#undef ISA_VECTOR_STORE
#undef ISA_VECTOR_STORE_LANE
    return rows;
  }();
  return list;
}

inline std::vector<Reference> of_shape(Shape shape) {
  std::vector<Reference> rows = references();
  std::erase_if(rows, [shape](const Reference& row) { return row.shape != shape; });
  REQUIRE_FALSE(rows.empty());
  return rows;
}

inline std::size_t lanes_of(wasm::Op op) {
  const std::string_view text = wasm::info(op).text;  // f32x4.splat, v128.load8_lane
  if (text.starts_with("v128")) return 16 / wasm::info(op).access;
  return std::stoul(std::string(text.substr(text.find('x') + 1, text.find('.') - text.find('x') - 1)));
}
inline bool is_float(wasm::Op op) { return wasm::info(op).text.starts_with('f'); }

}  // namespace wasi::jit::baseline::test
