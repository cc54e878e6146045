// How types read in messages, and what the 32-bit handles keep.
#include "wasm/types.h"
#include "wasm/limits.h"

#include <catch2/catch.hpp>

namespace wasi::wasm {
namespace {

TEST_CASE("value types as text") {
  CHECK(to_string(kI32) == "i32");
  CHECK(to_string(kV128) == "v128");
  CHECK(to_string(kFuncRef) == "funcref");
  CHECK(to_string(kExternRef) == "externref");
  CHECK(to_string(kExnRef) == "exnref");
  CHECK(to_string(ValType::ref(AbstractHeap::none, true)) == "nullref");
  CHECK(to_string(ValType::ref(AbstractHeap::nofunc, true)) == "nullfuncref");
  CHECK(to_string(ValType::ref(AbstractHeap::noextern, true)) == "nullexternref");
  CHECK(to_string(ValType::ref(AbstractHeap::noexn, true)) == "nullexnref");
  CHECK(to_string(ValType::ref(AbstractHeap::struct_, true)) == "structref");
  CHECK(to_string(ValType::ref(AbstractHeap::i31, false)) == "(ref i31)");
  CHECK(to_string(ValType::ref(HeapType(TypeId(17)), true)) == "(ref null $type17)");
  CHECK(to_string(ValType::ref(HeapType::in_group(2), false)) == "(ref $rec.2)");
}

TEST_CASE("external types as text") {
  CHECK(to_string(FuncType{{kI32, kI64}, {kF32}}) == "(i32, i64) -> (f32)");
  CHECK(to_string(FuncType{}) == "() -> ()");
  CHECK(to_string(Limits{1, std::nullopt}) == "1");
  CHECK(to_string(Limits{1, 2}) == "1 2");
  CHECK(to_string(TableType{kFuncRef, {1, 2}, AddressType::i32}) == "1 2 funcref");
  CHECK(to_string(MemoryType{{1, 2}, AddressType::i64, true}) == "i64 1 2 shared");
  CHECK(to_string(GlobalType{kF64, true}) == "(mut f64)");
  CHECK(to_string(GlobalType{kF64, false}) == "f64");
  CHECK(name_of(ExternalKind::func) == "function");
  CHECK(name_of(ExternalKind::tag) == "tag");
}

TEST_CASE("a reference type keeps the largest ids") {
  const HeapType last(TypeId(kMaxTypeIds - 1));
  const ValType type = ValType::ref(last, true);
  CHECK(type.heap() == last);
  CHECK(type.heap().is_concrete());
  CHECK(type.heap().id() == TypeId(kMaxTypeIds - 1));
  CHECK(type.is_nullable());
  const ValType relative = ValType::ref(HeapType::in_group(999'999), false);
  CHECK(relative.heap().is_in_group());
  CHECK(relative.heap().group_member() == 999'999);
  CHECK_FALSE(relative.is_nullable());
}

}  // namespace
}  // namespace wasi::wasm
