#include "jit/common/native_abi.h"

#include <algorithm>

namespace wasi::jit {

namespace {

bool is_integer(wasm::ValType type) { return type == wasm::kI32 || type == wasm::kI64 || type.is_ref(); }

}  // namespace

Place PlaceAssigner::next(wasm::ValType type) {
  Place place{.is_v128 = type.is_vector(), .slot = slot_};
  if (is_integer(type)) {
    if (!integers_.empty()) {
      place.bank = Place::Bank::general;
      place.number = static_cast<std::uint8_t>(integers_.front());
      integers_ = integers_.subspan(1);
    }
  } else if (vector_ < vectors_) {
    place.bank = Place::Bank::vector;
    place.number = vector_++;
  }
  slot_ += type.slots();
  return place;
}

NativeSignature native_signature(const wasm::FuncType& type) {
  NativeSignature signature;
  PlaceAssigner params = PlaceAssigner::of_params();
  for (const wasm::ValType value : type.params) signature.params.push_back(params.next(value));
  PlaceAssigner results = PlaceAssigner::of_results();
  for (const wasm::ValType value : type.results) signature.results.push_back(results.next(value));
  signature.slot_count = std::max(params.slot_count(), results.slot_count());
  return signature;
}

}  // namespace wasi::jit
