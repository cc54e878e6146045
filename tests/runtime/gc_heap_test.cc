// The heap by itself: what lives, what dies, and how much memory that takes.
#include "runtime/gc_heap.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <fstream>
#include <memory>
#include <random>

#include "runtime/store.h"
#include "runtime/type_test.h"

namespace wasi::runtime {
namespace {

using wasm::AbstractHeap;
using wasm::CompositeKind;
using wasm::SubType;
using wasm::TypeId;
using wasm::ValType;

constexpr ValType kAnyRef = ValType::ref(AbstractHeap::any, true);

// A store whose heap knows a few types.
struct Fixture {
  explicit Fixture(StoreOptions options = {}) : store(registry, options) {
    heap().add_types({{node, list, bytes, wide}});
    heap().add_exception_type(tag);
  }

  TypeId add(CompositeKind kind, std::vector<wasm::FieldType> fields) {
    SubType type;
    type.kind = kind;
    type.fields = std::move(fields);
    return keep(registry->add_group({&type, 1}).value());
  }
  TypeId keep(wasm::TypeRef type) {
    types.push_back(std::move(type));
    return types.back().id();
  }
  GcHeap& heap() { return store.heap(); }
  std::uint64_t live() {
    heap().collect();
    return heap().statistics().live_bytes;
  }
  // A node with a number and two references.
  Object* make(std::uint64_t number, Object* left = nullptr, Object* right = nullptr) {
    std::vector<Slot> values = {{.u64 = number}, {.ref = left}, {.ref = right}};
    const RootScope scope(heap(), values);
    Object* object = heap().allocate_structure(node);
    if (object != nullptr) std::ranges::copy(values, object->words());
    return object;
  }
  static std::uint64_t bits(const Object* object) { return reinterpret_cast<std::uint64_t>(object); }

  static std::vector<wasm::FieldType> many_fields() {
    std::vector<wasm::FieldType> fields(200, {wasm::kI64, true});
    fields[3].storage = kAnyRef;
    fields[150].storage = kAnyRef;
    fields[199].storage = kAnyRef;
    return fields;
  }

  std::shared_ptr<wasm::TypeRegistry> registry = std::make_shared<wasm::TypeRegistry>();
  std::vector<wasm::TypeRef> types;
  TypeId node = add(CompositeKind::struct_, {{wasm::kI64, true}, {kAnyRef, true}, {kAnyRef, true}});
  TypeId list = add(CompositeKind::array, {{kAnyRef, true}});
  TypeId bytes = add(CompositeKind::array, {{wasm::StorageType(wasm::StorageType::Packed::i8), true}});
  TypeId wide = add(CompositeKind::struct_, many_fields());
  TypeId tag = keep(registry->add_func({{wasm::kI32, wasm::kExternRef}, {}}).value());
  Store store;
};

constexpr std::uint64_t kNodeBytes = 32;

TEST_CASE("a size class is the smallest cell that an object fits into") {
  for (std::uint64_t bytes = 8; bytes <= kLargestCell; bytes += 8) {
    const std::uint32_t size_class = size_class_of(bytes);
    REQUIRE(size_class < kSizeClasses);
    REQUIRE(cell_bytes_of(size_class) >= bytes);
    REQUIRE((size_class == 0 || cell_bytes_of(size_class - 1) < bytes));
  }
  CHECK(size_class_of(kLargestCell + 1) == kLargeClass);
}

TEST_CASE("a collection frees what nothing refers to") {
  Fixture f;
  auto root = f.heap().keep(f.bits(f.make(1, f.make(2), f.make(3, f.make(4)))));
  f.make(5, f.make(6));
  CHECK(f.live() == 4 * kNodeBytes);
  root.reset();
  CHECK(f.live() == 0);
  CHECK(f.heap().statistics().used_bytes == 0);
}

TEST_CASE("cycles die together") {
  Fixture f;
  Object* first = f.make(1);
  Object* second = f.make(2, first);
  first->words()[1].ref = second;
  auto root = f.heap().keep(f.bits(first));
  CHECK(f.live() == 2 * kNodeBytes);
  root.reset();
  CHECK(f.live() == 0);
}

TEST_CASE("a list may be of any length") {
  Fixture f;
  constexpr std::uint64_t kLength = 1'000'000;
  std::vector<Slot> head(1, Slot{.ref = nullptr});
  const RootScope scope(f.heap(), head);
  for (std::uint64_t i = 0; i < kLength; ++i) head[0].ref = f.make(i, static_cast<Object*>(head[0].ref));
  CHECK(f.live() == kLength * kNodeBytes);
  std::uint64_t count = 0;
  for (auto* node = static_cast<Object*>(head[0].ref); node != nullptr;
       node = static_cast<Object*>(node->words()[1].ref)) {
    REQUIRE(node->words()[0].u64 == kLength - 1 - count);
    ++count;
  }
  CHECK(count == kLength);
}

TEST_CASE("arrays of references keep all of their elements, arrays of bytes none") {
  Fixture f;
  constexpr std::uint32_t kLength = 10'000;
  Object* array = f.heap().allocate_array(f.list, kLength);
  auto root = f.heap().keep(f.bits(array));
  for (std::uint32_t i = 0; i < kLength; ++i) array->words()[i].ref = f.make(i);
  const std::uint64_t before = f.live();
  CHECK(before >= kLength * kNodeBytes + kLength * 8);
  CHECK(array->words()[kLength - 1].ref != nullptr);

  Object* opaque = f.heap().allocate_array(f.bytes, 64);
  Object* hidden = f.make(7);
  std::memcpy(opaque->elements(), &hidden, sizeof hidden);
  auto keeps_nothing = f.heap().keep(f.bits(opaque));
  CHECK(f.live() == before + 80);
}

TEST_CASE("references beyond the first words of a structure are followed too") {
  Fixture f;
  Object* wide = f.heap().allocate_structure(f.wide);
  auto root = f.heap().keep(f.bits(wide));
  const std::uint64_t alone = f.live();
  for (const int field : {3, 150, 199}) wide->words()[field].ref = f.make(1);
  CHECK(f.live() == alone + 3 * kNodeBytes);
  wide->words()[151].ref = f.make(1);  // an i64 that looks like a reference
  CHECK(f.live() == alone + 3 * kNodeBytes);
}

TEST_CASE("an exception keeps its values alive") {
  Fixture f;
  Object* exception = f.heap().allocate_exception(f.tag);
  auto root = f.heap().keep(f.bits(exception));
  CHECK(exception->type.kind() == ObjectKind::exception);
  const std::uint64_t alone = f.live();
  exception->words()[1].ref = f.make(1);  // the i32
  CHECK(f.live() == alone);
  exception->words()[2].ref = f.make(1);  // the externref
  CHECK(f.live() == alone + kNodeBytes);
}

TEST_CASE("large objects come from blocks of their own, the largest from memory of their own") {
  Fixture f;
  const std::uint64_t reserved = f.heap().statistics().reserved_bytes;
  for (const std::uint32_t length : {40'000U, 100'000U, 3'000'000U, 9'000'000U, 50'000'000U}) {
    Object* array = f.heap().allocate_array(f.bytes, length);
    REQUIRE(array != nullptr);
    CHECK(array->length == length);
    CHECK(std::all_of(array->elements(), array->elements() + length, [](std::uint8_t byte) { return byte == 0; }));
    std::fill_n(array->elements(), length, std::uint8_t{0xFF});
    auto root = f.heap().keep(f.bits(array));
    CHECK(f.live() >= length);
    CHECK(array->elements()[length - 1] == 0xFF);
    root.reset();
    CHECK(f.live() == 0);
  }
  CHECK(f.heap().statistics().reserved_bytes <= reserved + 2 * kRegionBytes);
}

TEST_CASE("a number is a reference only if an object begins there") {
  Fixture f;
  Object* object = f.make(1);
  const std::uint64_t address = f.bits(object);
  std::vector<Slot> values(1);
  const RootScope scope(f.heap(), values);
  for (const std::uint64_t other :
       {address + 8, address + 16, address - 8, address + 1, address + kNodeBytes, address & ~(kRegionBytes - 1),
        address + kRegionBytes, std::uint64_t{8}, std::uint64_t{UINT64_MAX}, std::uint64_t{1} << 63}) {
    object = f.make(1);
    values[0].u64 = f.bits(object) - address + other;
    CHECK(f.live() == 0);
  }
  values[0].ref = f.make(1);
  CHECK(f.live() == kNodeBytes);
}

TEST_CASE("a heap of limited size is full at some time, and has room again when objects have died") {
  Fixture f({.limits = {.gc_heap_bytes = 1 << 20}});
  std::vector<std::shared_ptr<const HostRoot>> roots;
  const auto fill = [&] {
    for (;;) {
      Object* object = f.make(roots.size());
      if (object == nullptr) return;
      roots.push_back(f.heap().keep(f.bits(object)));
    }
  };
  fill();
  const std::size_t most = roots.size();
  CHECK(most > (1U << 20) / kNodeBytes * 9 / 10);
  CHECK(most <= (1U << 20) / kNodeBytes);
  roots.clear();
  fill();
  CHECK(roots.size() >= most * 9 / 10);
  CHECK(f.heap().allocate_array(f.bytes, UINT32_MAX) == nullptr);
  CHECK(f.heap().statistics().used_bytes <= 1 << 20);
}

TEST_CASE("memory stays flat however much is allocated") {
  Fixture f;
  std::uint64_t most = 0;
  for (int i = 0; i < 5'000'000; ++i) {
    f.make(1);
    most = std::max(most, f.heap().statistics().reserved_bytes);
  }
  CHECK(f.heap().statistics().collections >= 2);
  CHECK(most <= 32U << 20);
}

TEST_CASE("under stress every allocation collects") {
  StoreOptions options;
  options.gc_stress = true;
  Fixture f(options);
  auto root = f.heap().keep(f.bits(f.make(1, f.make(2))));
  const std::uint64_t before = f.heap().statistics().collections;
  for (int i = 0; i < 100; ++i) f.make(3);
  CHECK(f.heap().statistics().collections == before + 100);
  CHECK(f.heap().statistics().live_bytes == 2 * kNodeBytes);
}

// A graph that changes at random, beside a model of it: exactly what the model reaches stays alive.
TEST_CASE("a graph that changes at random loses nothing and keeps nothing") {
  Fixture f;
  struct Model {
    Object* object;
    int left;
    int right;
  };
  std::mt19937 random(4711);
  std::vector<Model> nodes;
  Object* table = f.heap().allocate_array(f.list, 64);
  auto root = f.heap().keep(f.bits(table));
  std::vector<int> roots(64, -1);
  const auto pick = [&] { return nodes.empty() ? -1 : static_cast<int>(random() % nodes.size()); };
  const auto object_at = [&](int index) { return index < 0 ? nullptr : nodes[static_cast<std::size_t>(index)].object; };

  for (int round = 0; round < 60; ++round) {
    for (int step = 0; step < 500; ++step) {
      const int left = pick();
      const int right = pick();
      Object* object = f.make(nodes.size(), object_at(left), object_at(right));
      nodes.push_back({object, left, right});
      const std::size_t at = random() % roots.size();
      roots[at] = pick();
      table->words()[at].ref = object_at(roots[at]);
      // Nodes that stay get other neighbours, too.
      const int changed = pick();
      const int to = pick();
      nodes[static_cast<std::size_t>(changed)].left = to;
      object_at(changed)->words()[1].ref = object_at(to);
    }
    for (int& each : roots) {
      if (random() % 4 == 0) each = -1;
    }
    for (std::size_t i = 0; i < roots.size(); ++i) table->words()[i].ref = object_at(roots[i]);
    f.heap().collect();

    std::vector<int> renamed(nodes.size(), -1);
    std::vector<int> reached;
    const auto reach = [&](int index) {
      if (index < 0 || renamed[static_cast<std::size_t>(index)] >= 0) return;
      renamed[static_cast<std::size_t>(index)] = static_cast<int>(reached.size());
      reached.push_back(index);
    };
    for (const int each : roots) reach(each);
    for (std::size_t i = 0; i < reached.size(); ++i) {
      reach(nodes[static_cast<std::size_t>(reached[i])].left);
      reach(nodes[static_cast<std::size_t>(reached[i])].right);
    }
    const std::uint64_t table_bytes = cell_bytes_of(size_class_of(sizeof(Object) + 64 * 8));
    REQUIRE(f.heap().statistics().live_bytes == reached.size() * kNodeBytes + table_bytes);

    std::vector<Model> left;
    for (std::size_t i = 0; i < reached.size(); ++i) {
      const Model& node = nodes[static_cast<std::size_t>(reached[i])];
      REQUIRE(node.object->words()[0].u64 == static_cast<std::uint64_t>(reached[i]));
      REQUIRE(node.object->words()[1].ref == object_at(node.left));
      REQUIRE(node.object->words()[2].ref == object_at(node.right));
      const auto name = [&](int index) { return index < 0 ? -1 : renamed[static_cast<std::size_t>(index)]; };
      left.push_back({node.object, name(node.left), name(node.right)});
    }
    for (std::size_t i = 0; i < left.size(); ++i) left[i].object->words()[0].u64 = i;
    for (int& each : roots) each = each < 0 ? -1 : renamed[static_cast<std::size_t>(each)];
    nodes = std::move(left);
  }
}

std::size_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::size_t total = 0;
  std::size_t resident = 0;
  file >> total >> resident;
  return resident * os::page_size();
}

TEST_CASE("layouts take memory for the types of the store, whatever the numbers of these") {
  const auto registry = std::make_shared<wasm::TypeRegistry>();
  std::vector<wasm::TypeRef> types;
  for (std::uint32_t i = 0; i < 100'000; ++i) {
    types.push_back(registry->add_func({std::vector(i / 400, wasm::kF64), std::vector(i % 400, wasm::kI32)}).value());
  }
  SubType array;
  array.kind = CompositeKind::array;
  array.fields = {{wasm::kF64, false}};
  const wasm::TypeRef last = registry->add_group({&array, 1}).value();
  REQUIRE(last.id().value >= 100'000);
  const std::size_t before = resident_bytes();
  std::vector<std::unique_ptr<Store>> stores;
  for (int i = 0; i < 50; ++i) {
    stores.push_back(std::make_unique<Store>(registry, StoreOptions{}));
    stores.back()->heap().add_types({{last.id()}});
    stores.back()->heap().add_exception_type(types[1000].id());
    CHECK(stores.back()->heap().allocate_array(last.id(), 3)->type.id() == last.id());
  }
  // A layout for each type of the engine would take more than 200 MB.
  CHECK(resident_bytes() - before < 50 << 20);
}

TEST_CASE("layouts of many types are told apart") {
  Fixture f;
  std::vector<TypeId> added;
  // Every third type of the engine, in an order of their own.
  for (std::uint32_t i = 0; i < 3000; ++i) {
    std::vector<wasm::FieldType> fields(1 + i / 50, {wasm::kI64, true});
    for (std::uint32_t bit = 0; bit < 6; ++bit) fields.push_back({wasm::kI32, (i % 50 >> bit & 1) != 0});
    const TypeId id = f.add(CompositeKind::struct_, fields);
    if (i % 3 == 0) added.push_back(id);
  }
  std::shuffle(added.begin(), added.end(), std::mt19937(1));
  for (const TypeId id : added) f.heap().add_types({{id}});
  std::size_t wrong = 0;
  for (const TypeId id : added) wrong += f.heap().layouts()[id].words != f.registry->at(id).fields.size() ? 1 : 0;
  CHECK(wrong == 0);
}

TEST_CASE("type tests know kinds, ancestors and depths that the display does not reach") {
  Fixture f;
  std::vector<TypeId> chain;
  for (int i = 0; i < 12; ++i) {
    SubType type;
    type.kind = CompositeKind::struct_;
    type.is_final = false;
    if (i > 0) type.super = wasm::HeapType(chain.back());
    chain.push_back(f.keep(f.registry->add_group({&type, 1}).value()));
  }
  f.heap().add_types(chain);
  std::vector<Slot> objects(chain.size());
  const RootScope scope(f.heap(), objects);
  for (std::size_t i = 0; i < chain.size(); ++i) objects[i].ref = f.heap().allocate_structure(chain[i]);
  const auto is = [&](std::uint64_t reference, wasm::HeapType heap, bool nullable = false) {
    return passes(*f.registry, f.store.exec().gc, reference, make_test(*f.registry, ValType::ref(heap, nullable)));
  };
  for (std::size_t i = 0; i < chain.size(); ++i) {
    for (std::size_t j = 0; j < chain.size(); ++j) {
      CAPTURE(i, j);
      CHECK(is(objects[i].u64, wasm::HeapType(chain[j])) == (j <= i));
    }
    CHECK(is(objects[i].u64, AbstractHeap::struct_));
    CHECK(is(objects[i].u64, AbstractHeap::eq));
    CHECK_FALSE(is(objects[i].u64, AbstractHeap::array));
    CHECK_FALSE(is(objects[i].u64, AbstractHeap::i31));
    CHECK_FALSE(is(objects[i].u64, AbstractHeap::none));
    CHECK_FALSE(is(objects[i].u64, wasm::HeapType(f.node)));
  }
  const std::uint64_t number = make_i31(0x7FFF'FFFF);
  CHECK(i31_signed(number) == -1);
  CHECK(i31_unsigned(number) == 0x7FFF'FFFF);
  CHECK(is(number, AbstractHeap::i31));
  CHECK(is(number, AbstractHeap::eq));
  CHECK_FALSE(is(number, AbstractHeap::struct_));
  CHECK_FALSE(is(number, wasm::HeapType(f.node)));
  constexpr std::uint64_t kHost = 0x1234 << 2 | 2;
  CHECK(is(kHost, AbstractHeap::any));
  CHECK_FALSE(is(kHost, AbstractHeap::eq));
  CHECK_FALSE(is(kHost, wasm::HeapType(f.node)));
  CHECK(is(0, wasm::HeapType(f.node), true));
  CHECK_FALSE(is(0, AbstractHeap::any));
}

}  // namespace
}  // namespace wasi::runtime
