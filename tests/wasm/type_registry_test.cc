// Canonical types: iso-recursive equality, subtyping and matching.
#include "wasm/type_registry.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <thread>
#include <vector>

namespace wasi::wasm {
namespace {

SubType func(std::vector<ValType> params, std::vector<ValType> results) {
  SubType type;
  type.func = {std::move(params), std::move(results)};
  return type;
}

SubType structure(std::vector<FieldType> fields, std::optional<HeapType> super = std::nullopt) {
  SubType type;
  type.kind = CompositeKind::struct_;
  type.is_final = false;
  type.super = super;
  type.fields = std::move(fields);
  return type;
}

SubType array(FieldType field) {
  SubType type;
  type.kind = CompositeKind::array;
  type.fields = {field};
  return type;
}

ValType nullable(HeapType heap) { return ValType::ref(heap, true); }
ValType member(std::uint32_t index) { return nullable(HeapType::in_group(index)); }

// A registry that keeps what it is asked to.
struct KeepingRegistry : TypeRegistry {
  TypeId keep(std::optional<TypeRef> type) {
    REQUIRE(type.has_value());
    kept.push_back(std::move(*type));
    return kept.back().id();
  }
  TypeId keep_func(FuncType type) { return keep(add_func(std::move(type))); }
  std::vector<TypeRef> kept;
};

TypeId add(KeepingRegistry& registry, const std::vector<SubType>& group) {
  return registry.keep(registry.add_group(group));
}

TEST_CASE("equal function types are one type") {
  KeepingRegistry registry;
  const TypeId a = registry.keep_func({{kI32, kI64}, {kF32}});
  const TypeId b = registry.keep_func({{kI32, kI64}, {kF32}});
  CHECK(a == b);
  CHECK(a == add(registry, {func({kI32, kI64}, {kF32})}));
  CHECK(a != registry.keep_func({{kI32}, {kI64, kF32}}));
  CHECK(a != registry.keep_func({{kI32, kI64, kF32}, {}}));
  CHECK(registry.at(a).func.params == std::vector{kI32, kI64});
  CHECK(registry.at(a).func.results == std::vector{kF32});
}

TEST_CASE("what makes types different") {
  KeepingRegistry registry;
  const TypeId plain = add(registry, {structure({{kI32, false}})});
  SECTION("mutability") { CHECK(plain != add(registry, {structure({{kI32, true}})})); }
  SECTION("packing") {
    const TypeId i8 = add(registry, {structure({{StorageType(StorageType::Packed::i8), false}})});
    CHECK(plain != i8);
    CHECK(i8 != add(registry, {structure({{StorageType(StorageType::Packed::i16), false}})}));
  }
  SECTION("nullability") {
    CHECK(add(registry, {func({ValType::ref(AbstractHeap::any, false)}, {})}) !=
          add(registry, {func({ValType::ref(AbstractHeap::any, true)}, {})}));
  }
  SECTION("finality") {
    SubType final_type = structure({{kI32, false}});
    final_type.is_final = true;
    CHECK(plain != add(registry, {final_type}));
  }
  SECTION("a super type") { CHECK(plain != add(registry, {structure({{kI32, false}}, HeapType(plain))})); }
  SECTION("struct and array") { CHECK(add(registry, {structure({{kI32, false}})}) != add(registry, {array({kI32})})); }
}

// (rec (type $list (struct (field i32 (ref null $list)))))
TEST_CASE("recursive types are equal when they are written alike") {
  KeepingRegistry registry;
  const TypeId list = add(registry, {structure({{kI32}, {member(0)}})});
  CHECK(list == add(registry, {structure({{kI32}, {member(0)}})}));
  // References inside became absolute.
  CHECK(registry.at(list).fields[1].storage.unpacked() == nullable(HeapType(list)));
}

// The same infinite tree, unrolled once, is another type: equality is iso-recursive, not equi-recursive.
TEST_CASE("an unrolled recursion is another type") {
  KeepingRegistry registry;
  const TypeId list = add(registry, {structure({{kI32}, {member(0)}})});
  const TypeId unrolled = add(registry, {structure({{kI32}, {nullable(HeapType(list))}})});
  CHECK(unrolled != list);
  CHECK(unrolled == add(registry, {structure({{kI32}, {nullable(HeapType(list))}})}));
}

TEST_CASE("a member of a group differs from the same definition in another group") {
  KeepingRegistry registry;
  const TypeId alone = add(registry, {func({}, {})});
  const TypeId pair = add(registry, {func({}, {}), structure({})});
  const TypeId reversed = add(registry, {structure({}), func({}, {})});
  CHECK(alone != pair);
  CHECK(pair.value + 1 != reversed.value);
  CHECK(registry.at(TypeId(reversed.value + 1)).kind == CompositeKind::func);
  CHECK(TypeId(reversed.value + 1) != alone);
  CHECK(pair == add(registry, {func({}, {}), structure({})}));
}

TEST_CASE("members of one group may be alike and stay apart") {
  KeepingRegistry registry;
  const TypeId first = add(registry, {func({}, {}), func({}, {})});
  CHECK(first == add(registry, {func({}, {}), func({}, {})}));
  CHECK_FALSE(registry.is_subtype(first, TypeId(first.value + 1)));
}

TEST_CASE("an empty group is no obstacle") {
  KeepingRegistry registry;
  REQUIRE(registry.add_group({}).has_value());
  REQUIRE(registry.add_group({}).has_value());
  CHECK(add(registry, {func({}, {})}) == add(registry, {func({}, {})}));
}

TEST_CASE("subtyping follows declarations, at any depth") {
  KeepingRegistry registry;
  std::vector<TypeId> chain{add(registry, {structure({})})};
  for (int i = 1; i < 300; ++i) chain.push_back(add(registry, {structure({}, HeapType(chain.back()))}));
  const TypeId branch = add(registry, {structure({{kI32}}, HeapType(chain[150]))});
  int wrong = 0;
  for (std::size_t sub = 0; sub < chain.size(); ++sub) {
    for (std::size_t super = 0; super < chain.size(); ++super) {
      if (registry.is_subtype(chain[sub], chain[super]) != (super <= sub)) ++wrong;
    }
    if (registry.is_subtype(branch, chain[sub]) != (sub <= 150)) ++wrong;
    if (registry.is_subtype(chain[sub], branch)) ++wrong;
  }
  CHECK(wrong == 0);
}

TEST_CASE("equal definitions without a common super are unrelated") {
  KeepingRegistry registry;
  const TypeId a = add(registry, {structure({}), structure({{kI32}}, HeapType::in_group(0))});
  const TypeId b = add(registry, {structure({}), structure({{kI64}}, HeapType::in_group(0))});
  CHECK(registry.is_subtype(TypeId(a.value + 1), a));
  CHECK(registry.is_subtype(TypeId(b.value + 1), b));
  CHECK_FALSE(registry.is_subtype(TypeId(a.value + 1), b));
}

TEST_CASE("the abstract hierarchy") {
  const TypeRegistry registry;
  using enum AbstractHeap;
  const AbstractHeap all[] = {func, nofunc, extern_, noextern, any, eq, i31, struct_, array, none, exn, noexn};
  const auto expected = [](AbstractHeap sub, AbstractHeap super) {
    if (sub == super) return true;
    switch (super) {
      case any:
        return sub == eq || sub == i31 || sub == struct_ || sub == AbstractHeap::array || sub == none;
      case eq:
        return sub == i31 || sub == struct_ || sub == AbstractHeap::array || sub == none;
      case i31:
      case struct_:
      case AbstractHeap::array:
        return sub == none;
      case AbstractHeap::func:
        return sub == nofunc;
      case extern_:
        return sub == noextern;
      case exn:
        return sub == noexn;
      default:
        return false;
    }
  };
  for (const AbstractHeap sub : all) {
    for (const AbstractHeap super : all) {
      INFO(to_string(HeapType(sub)) << " <: " << to_string(HeapType(super)));
      CHECK(registry.matches(HeapType(sub), HeapType(super)) == expected(sub, super));
    }
  }
  CHECK(registry.top_of(none) == any);
  CHECK(registry.top_of(nofunc) == AbstractHeap::func);
  CHECK(registry.top_of(noextern) == extern_);
  CHECK(registry.top_of(noexn) == exn);
}

TEST_CASE("concrete types among the abstract ones") {
  KeepingRegistry registry;
  const HeapType f(add(registry, {func({}, {})}));
  const HeapType s(add(registry, {structure({})}));
  const HeapType a(add(registry, {array({kI32})}));
  using enum AbstractHeap;
  CHECK(registry.matches(f, HeapType(AbstractHeap::func)));
  CHECK_FALSE(registry.matches(f, HeapType(any)));
  CHECK_FALSE(registry.matches(f, HeapType(nofunc)));
  CHECK(registry.matches(HeapType(nofunc), f));
  CHECK_FALSE(registry.matches(HeapType(none), f));
  CHECK_FALSE(registry.matches(HeapType(AbstractHeap::func), f));

  CHECK(registry.matches(s, HeapType(struct_)));
  CHECK(registry.matches(s, HeapType(eq)));
  CHECK(registry.matches(s, HeapType(any)));
  CHECK_FALSE(registry.matches(s, HeapType(AbstractHeap::array)));
  CHECK_FALSE(registry.matches(s, HeapType(i31)));
  CHECK_FALSE(registry.matches(s, HeapType(none)));
  CHECK(registry.matches(HeapType(none), s));
  CHECK_FALSE(registry.matches(HeapType(struct_), s));
  CHECK_FALSE(registry.matches(HeapType(i31), s));

  CHECK(registry.matches(a, HeapType(AbstractHeap::array)));
  CHECK_FALSE(registry.matches(a, HeapType(struct_)));
  CHECK_FALSE(registry.matches(a, s));
  CHECK(registry.top_of(f) == AbstractHeap::func);
  CHECK(registry.top_of(a) == any);
}

TEST_CASE("value types match by kind, nullability and heap type") {
  KeepingRegistry registry;
  const HeapType f(add(registry, {func({}, {})}));
  CHECK(registry.matches(kI32, kI32));
  CHECK_FALSE(registry.matches(kI32, kI64));
  CHECK_FALSE(registry.matches(kV128, kFuncRef));
  CHECK(registry.matches(kBottom, kV128));
  CHECK_FALSE(registry.matches(kV128, kBottom));
  CHECK(registry.matches(ValType::ref(f, false), kFuncRef));
  CHECK(registry.matches(ValType::ref(f, false), ValType::ref(f, true)));
  CHECK_FALSE(registry.matches(ValType::ref(f, true), ValType::ref(f, false)));
  CHECK_FALSE(registry.matches(kExternRef, kFuncRef));
}

TEST_CASE("ids stay valid while other threads add types") {
  TypeRegistry registry;
  constexpr std::uint32_t kThreads = 4;
  constexpr std::uint32_t kTypes = 2000;
  std::vector<std::vector<TypeId>> ids(kThreads);
  std::vector<std::vector<TypeRef>> kept(kThreads);
  std::atomic<std::uint32_t> wrong = 0;
  std::vector<std::thread> threads;
  for (std::uint32_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (std::uint32_t i = 0; i < kTypes; ++i) {
        const std::vector<ValType> params(1 + i % 40, i % 2 == 0 ? kI32 : kI64);
        const std::vector<ValType> results(i / 40, kF64);
        kept[t].push_back(registry.add_func({params, results}).value());
        const TypeId id = kept[t].back().id();
        if (registry.at(id).func.params != params || registry.at(id).func.results != results) ++wrong;
        ids[t].push_back(id);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == 0);
  for (std::uint32_t t = 1; t < kThreads; ++t) CHECK(ids[t] == ids[0]);
}

}  // namespace
}  // namespace wasi::wasm
