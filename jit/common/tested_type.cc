#include "jit/common/tested_type.h"

#include <cstddef>
#include <span>

#include "wasm/opcodes.h"

namespace wasi::jit {

std::uint32_t tested_type(const wasm::Module& module, std::uint64_t offset) {
  const std::span<const std::uint8_t> bytes = module.bytes.data;
  auto at = static_cast<std::size_t>(offset) + 1;
  const auto leb = [&] {
    std::uint64_t value = 0;
    for (unsigned shift = 0;; shift += 7) {
      const std::uint8_t byte = bytes[at++];
      value |= std::uint64_t{byte & 0x7FU} << shift;
      if (byte < 0x80) return static_cast<std::uint32_t>(value);
    }
  };
  const std::uint32_t code = leb();
  if (code == wasm::info(wasm::Op::br_on_cast).code || code == wasm::info(wasm::Op::br_on_cast_fail).code) {
    ++at;   // flags
    leb();  // label
    leb();  // source
  }
  return leb();
}

bool is_object_type(const wasm::TypeRegistry& registry, wasm::HeapType heap) {
  if (heap.is_abstract())
    return heap.abstract() == wasm::AbstractHeap::struct_ || heap.abstract() == wasm::AbstractHeap::array;
  return registry.at(heap.id()).kind != wasm::CompositeKind::func;
}

runtime::ObjectKind object_kind(wasm::CompositeKind kind) {
  using runtime::ObjectKind;
  return kind == wasm::CompositeKind::array ? ObjectKind::array : ObjectKind::structure;
}

}  // namespace wasi::jit
