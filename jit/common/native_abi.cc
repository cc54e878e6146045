#include "jit/common/native_abi.h"

#include <algorithm>

namespace wasi::jit {

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
