#include "runtime/type_test.h"

#include "runtime/code_entry.h"

namespace wasi::runtime {

bool passes(const wasm::TypeRegistry& registry, const GcState& gc, std::uint64_t reference, TypeTest test) {
  if (reference == 0) return test.takes_null;
  switch (test.mode) {
    case TypeTest::Mode::never:
      return false;
    case TypeTest::Mode::always:
      return true;
    case TypeTest::Mode::i31:
      return is_i31(reference);
    case TypeTest::Mode::eq:
      return is_i31(reference) || is_object(reference);
    case TypeTest::Mode::structures:
      return is_object(reference) && object_of(reference)->type.kind() == ObjectKind::structure;
    case TypeTest::Mode::arrays:
      return is_object(reference) && object_of(reference)->type.kind() == ObjectKind::array;
    case TypeTest::Mode::object:
      return passes_object_test(gc, reference, test);
    case TypeTest::Mode::deep:
      return is_object(reference) && registry.is_subtype(object_of(reference)->type.id(), wasm::TypeId(test.type));
    case TypeTest::Mode::function:
      return registry.is_subtype(reinterpret_cast<const FuncRef*>(reference)->type, wasm::TypeId(test.type));
  }
  return false;
}

}  // namespace wasi::runtime
