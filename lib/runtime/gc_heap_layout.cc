// Layouts, made when a module that has the types is instantiated.
#include "runtime/gc_heap_layout.h"

#include <algorithm>

namespace wasi::runtime {

using wasm::AbstractHeap;
using wasm::CompositeKind;
using wasm::TypeId;

namespace {

// Tags keep their identity in an exception's first word.
constexpr std::uint32_t kTagWords = 1;

TypeTest::Mode mode_of(AbstractHeap heap) {
  switch (heap) {
    case AbstractHeap::any:
    case AbstractHeap::func:
    case AbstractHeap::extern_:
    case AbstractHeap::exn:
      return TypeTest::Mode::always;
    case AbstractHeap::eq:
      return TypeTest::Mode::eq;
    case AbstractHeap::i31:
      return TypeTest::Mode::i31;
    case AbstractHeap::struct_:
      return TypeTest::Mode::structures;
    case AbstractHeap::array:
      return TypeTest::Mode::arrays;
    default:
      return TypeTest::Mode::never;
  }
}

TypeLayout empty_layout() {
  TypeLayout layout;
  layout.is_known = true;
  std::ranges::fill(layout.display, kNoAncestor);
  return layout;
}

}  // namespace

bool is_traced(const wasm::TypeRegistry& registry, wasm::ValType type) {
  return type.is_ref() && registry.top_of(type.heap()) != AbstractHeap::func;
}

std::uint8_t storage_shift(wasm::StorageType storage) {
  switch (storage.packed()) {
    case wasm::StorageType::Packed::i8:
      return 0;
    case wasm::StorageType::Packed::i16:
      return 1;
    case wasm::StorageType::Packed::no:
      break;
  }
  switch (storage.unpacked().kind()) {
    case wasm::ValType::Kind::i32:
    case wasm::ValType::Kind::f32:
      return 2;
    case wasm::ValType::Kind::v128:
      return 4;
    default:
      return 3;
  }
}

TypeTest make_test(const wasm::TypeRegistry& registry, wasm::ValType type) {
  TypeTest test;
  test.takes_null = type.is_nullable();
  if (type.heap().is_abstract()) {
    test.mode = mode_of(type.heap().abstract());
    return test;
  }
  const TypeId id = type.heap().id();
  test.type = id.value;
  if (registry.at(id).kind == CompositeKind::func) {
    test.mode = TypeTest::Mode::function;
    return test;
  }
  const std::uint32_t depth = registry.depth(id);
  test.mode = depth < kDisplaySize ? TypeTest::Mode::object : TypeTest::Mode::deep;
  test.depth = static_cast<std::uint8_t>(std::min(depth, kDisplaySize));
  return test;
}

void TypeLayouts::enter(TypeId type, const TypeLayout& layout) {
  if (type.value >= layouts_.size()) {
    os::ZeroedArray<TypeLayout> larger(std::max(std::size_t{type.value} + 1, 2 * layouts_.size()));
    for (const TypeId known : known_) larger[known.value] = layouts_[known.value];
    layouts_ = std::move(larger);
  }
  known_.push_back(type);
  layouts_[type.value] = layout;
}

void TypeLayouts::add_reference(TypeLayout& layout, std::uint32_t word) {
  layout.has_references = true;
  if (word < 64) {
    layout.references |= std::uint64_t{1} << word;
    return;
  }
  if (layout.more == nullptr) {
    more_.push_back(std::make_unique<std::vector<std::uint32_t>>());
    layout.more = more_.back().get();
  }
  more_.back()->push_back(word);
}

void TypeLayouts::add(std::span<const TypeId> types) {
  for (const TypeId type : types) {
    const wasm::SubType& definition = registry_->at(type);
    if (definition.kind == CompositeKind::func || knows(type)) continue;
    TypeLayout layout = empty_layout();
    if (definition.super) std::ranges::copy((*this)[definition.super->id()].display, layout.display);
    if (const std::uint32_t depth = registry_->depth(type); depth < kDisplaySize) layout.display[depth] = type.value;
    if (definition.kind == CompositeKind::array) {
      const wasm::StorageType storage = definition.fields.front().storage;
      layout.element_shift = storage_shift(storage);
      layout.has_references = is_traced(*registry_, storage.unpacked());
    } else {
      for (const wasm::FieldType& field : definition.fields) {
        if (is_traced(*registry_, field.storage.unpacked())) add_reference(layout, layout.words);
        layout.words += field.storage.unpacked().slots();
      }
    }
    enter(type, layout);
  }
}

void TypeLayouts::add_exception(TypeId type) {
  if (knows(type)) return;
  TypeLayout layout = empty_layout();
  layout.words = kTagWords;
  for (const wasm::ValType param : registry_->at(type).func.params) {
    if (is_traced(*registry_, param)) add_reference(layout, layout.words);
    layout.words += param.slots();
  }
  enter(type, layout);
}

}  // namespace wasi::runtime
