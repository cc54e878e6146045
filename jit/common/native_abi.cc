#include "jit/common/native_abi.h"

#include <algorithm>
#include <iterator>
#include <span>

namespace wasi::jit {

namespace {

bool is_integer(wasm::ValType type) { return type == wasm::kI32 || type == wasm::kI64 || type.is_ref(); }

// The values' places in order, and how many slots they take.
std::uint32_t assign(std::span<const wasm::ValType> types, std::span<const Gpr> integers, std::size_t vectors,
                     std::vector<Place>& places) {
  std::size_t integer = 0;
  std::uint8_t vector = 0;
  std::uint32_t slot = 0;
  for (const wasm::ValType type : types) {
    Place place{.is_v128 = type.is_vector(), .slot = slot};
    if (is_integer(type)) {
      if (integer < integers.size()) {
        place.bank = Place::Bank::general;
        place.number = static_cast<std::uint8_t>(integers[integer++]);
      }
    } else if (vector < vectors) {
      place.bank = Place::Bank::vector;
      place.number = vector++;
    }
    places.push_back(place);
    slot += type.slots();
  }
  return slot;
}

}  // namespace

NativeSignature native_signature(const wasm::FuncType& type) {
  NativeSignature signature;
  const std::uint32_t params = assign(type.params, kIntegerArguments, kVectorArguments, signature.params);
  const std::uint32_t results = assign(type.results, kIntegerResults, kVectorResults, signature.results);
  signature.slot_count = std::max(params, results);
  return signature;
}

}  // namespace wasi::jit
