// How long types live: as long as somebody holds them, and no longer.
#include <atomic>
#include <catch2/catch.hpp>
#include <optional>
#include <thread>
#include <vector>

#include "wasm/type_registry.h"

namespace wasi::wasm {
namespace {

SubType structure(std::vector<FieldType> fields, std::optional<HeapType> super = std::nullopt) {
  SubType type;
  type.kind = CompositeKind::struct_;
  type.is_final = false;
  type.super = super;
  type.fields = std::move(fields);
  return type;
}

TypeRef add(TypeRegistry& registry, const std::vector<SubType>& group) {
  auto added = registry.add_group(group);
  REQUIRE(added.has_value());
  return std::move(*added);
}

ValType nullable(TypeId id) { return ValType::ref(HeapType(id), true); }

// A group of `count` members, whose number of fields says which one it is.
std::vector<SubType> group_of(std::size_t count, std::size_t fields) {
  return std::vector<SubType>(count, structure(std::vector<FieldType>(fields, {kI32})));
}

TEST_CASE("a type goes with the last reference to it") {
  TypeRegistry registry;
  TypeRef first = *registry.add_func({{kI32}, {}});
  TypeRef second = *registry.add_func({{kI32}, {}});
  const TypeId id = first.id();
  CHECK(registry.size() == 1);
  first = {};
  CHECK(registry.contains(id));
  CHECK(registry.at(id).func.params == std::vector{kI32});
  TypeRef third = registry.hold(id).value();
  second = {};
  CHECK(registry.contains(id));
  TypeRef moved = std::move(third);
  CHECK_FALSE(third);
  CHECK(moved);
  moved = {};
  CHECK_FALSE(registry.contains(id));
  CHECK_FALSE(registry.hold(id));
  CHECK(registry.size() == 0);
}

TEST_CASE("there is nothing to hold behind made-up numbers") {
  TypeRegistry registry;
  const TypeRef type = add(registry, group_of(3, 1));
  for (const std::uint32_t id : {3U, 63U, 64U, 1U << 27, (1U << 28) - 13, UINT32_MAX})
    CHECK_FALSE(registry.hold(TypeId(id)));
}

TEST_CASE("a member holds its group") {
  TypeRegistry registry;
  TypeRef group = add(registry, group_of(5, 1));
  TypeRef middle = registry.hold(TypeId(group.id().value + 2)).value();
  group = {};
  CHECK(registry.size() == 5);
  CHECK(registry.contains(TypeId(middle.id().value + 2)));
  middle = {};
  CHECK(registry.size() == 0);
}

TEST_CASE("a group holds those that it refers to, from every place") {
  TypeRegistry registry;
  TypeRef leaf = add(registry, {structure({})});
  const TypeId id = leaf.id();
  SubType type;
  SECTION("a field") { type = structure({{kI64}, {nullable(id)}}); }
  SECTION("a supertype") { type = structure({}, HeapType(id)); }
  SECTION("a parameter") { type.func.params = {nullable(id), kI32, nullable(id)}; }
  SECTION("a result") { type.func.results = {ValType::ref(HeapType(id), false)}; }
  SECTION("an element") {
    type.kind = CompositeKind::array;
    type.fields = {{nullable(id)}};
  }
  TypeRef user = add(registry, {type, structure({{ValType::ref(HeapType::in_group(0), true)}})});
  leaf = {};
  CHECK(registry.size() == 3);
  CHECK(registry.at(id).kind == CompositeKind::struct_);
  // The same type again is the one that lives.
  CHECK(add(registry, {structure({})}).id() == id);
  user = {};
  CHECK(registry.size() == 0);
}

TEST_CASE("a group that refers to itself goes like any other") {
  TypeRegistry registry;
  const auto member = [](std::uint32_t index) { return ValType::ref(HeapType::in_group(index), true); };
  const std::vector<SubType> group = {structure({{member(1)}}), structure({{member(0)}, {member(1)}})};
  {
    const TypeRef type = add(registry, group);
  }
  CHECK(registry.size() == 0);
}

TEST_CASE("a chain of any length goes at once") {
  TypeRegistry registry;
  constexpr int kLength = 200'000;
  TypeRef last = add(registry, {structure({})});
  for (int i = 1; i < kLength; ++i) last = add(registry, {structure({}, HeapType(last.id()))});
  CHECK(registry.size() == kLength);
  last = {};
  CHECK(registry.size() == 0);
}

TEST_CASE("numbers are used again") {
  TypeRegistry registry;
  const TypeRef kept = *registry.add_func({{}, {}});
  std::uint32_t highest = 0;
  for (std::size_t round = 0; round < 50; ++round) {
    std::vector<TypeRef> types;
    for (std::size_t i = 0; i < 100; ++i) {
      types.push_back(add(registry, group_of(1 + round % 4, 1 + 100 * round + i)));
      highest = std::max(highest, types.back().id().value);
      REQUIRE(registry.at(types.back().id()).fields.size() == 1 + 100 * round + i);
    }
  }
  CHECK(highest < 512);
  CHECK(registry.size() == 1);
}

TEST_CASE("groups of every size find room where others were") {
  TypeRegistry registry;
  std::uint32_t highest = 0;
  for (std::size_t size = 1; size < 400; ++size) {
    const TypeRef group = add(registry, group_of(size, 1));
    highest = std::max(highest, group.id().value + static_cast<std::uint32_t>(size));
  }
  CHECK(highest < 512);
}

TEST_CASE("a number that is used again has nothing of the type before it") {
  TypeRegistry registry;
  TypeRef base = add(registry, {structure({})});
  TypeRef below = add(registry, {structure({{kI32}}, HeapType(base.id()))});
  const TypeId id = below.id();
  CHECK(registry.is_subtype(id, base.id()));
  below = {};
  below = add(registry, {structure({{kI64}})});
  REQUIRE(below.id() == id);
  CHECK_FALSE(registry.is_subtype(id, base.id()));
  CHECK(registry.depth(id) == 0);
  CHECK(registry.at(id).fields[0].storage.unpacked() == kI64);
  // Nor is the old definition found under it.
  CHECK(add(registry, {structure({{kI32}}, HeapType(base.id()))}).id() != id);
}

TEST_CASE("a list holds a group as often as it stands in it") {
  TypeRegistry registry;
  {
    TypeList list;
    CHECK(list.empty());
    list.add(TypeRef());
    list.add(add(registry, group_of(2, 1)));
    list.add(*registry.add_func({{}, {}}));
    list.add(add(registry, group_of(2, 1)));
    REQUIRE(list.size() == 5);
    CHECK(list[0] == list[3]);
    CHECK(list[1] == list[4]);
    CHECK(list[1].value == list[0].value + 1);
    CHECK(registry.size() == 3);
  }
  CHECK(registry.size() == 0);
}

TEST_CASE("threads add, hold and drop the same types and others") {
  TypeRegistry registry;
  constexpr std::uint32_t kThreads = 4;
  constexpr std::uint32_t kRounds = 300;
  const TypeRef shared = add(registry, group_of(3, 7));
  std::atomic<std::uint32_t> wrong = 0;
  std::vector<std::thread> threads;
  for (std::uint32_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (std::uint32_t round = 0; round < kRounds; ++round) {
        TypeList list;
        for (std::uint32_t i = 0; i < 40; ++i) {
          // Half of them are the same for all threads, at about the same time.
          const std::uint32_t owner = i % 2 == 0 ? kThreads : t;
          const std::vector<ValType> params(1 + round % 7 + i, i % 4 < 2 ? kI32 : kF64);
          const std::vector<ValType> results(owner, nullable(shared.id()));
          auto type = registry.add_func({params, results});
          if (!type || registry.at(type->id()).func.params != params) ++wrong;
          const TypeId id = type->id();
          list.add(std::move(*type));
          auto below = registry.add_group(std::vector{structure({{nullable(id)}})});
          if (!below || registry.at(below->id()).fields[0].storage.unpacked() != nullable(id)) ++wrong;
          if (i % 3 == 0) list.add(std::move(*below));
          // Numbers of unknown age: there is such a type or not, and it stays while it is held.
          if (const auto any = registry.hold(TypeId((round * 31 + i * 7) % 200))) {
            if (registry.depth(any->id()) != 0 || !registry.contains(any->id())) ++wrong;
          }
        }
        if (!registry.is_subtype(shared.id(), shared.id()) || registry.at(shared.id()).fields.size() != 7) ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == 0);
  CHECK(registry.size() == 3);
}

}  // namespace
}  // namespace wasi::wasm
