// Structures and arrays as the host sees them.
#include <wasi/objects.h>

#include <cstring>
#include <vector>

#include "base/guard.h"
#include "base/result.h"
#include "engine/convert.h"
#include "engine/state.h"
#include "runtime/aggregates.h"
#include "runtime/gc_heap.h"

namespace wasi {

using detail::Internals;

namespace {

using detail::StoreState;
using runtime::Object;
using runtime::ObjectKind;
using runtime::Slot;

// A field's or element's bits, from and to the first bytes of a slot.
constexpr std::uint32_t packed_mask(wasm::StorageType storage) {
  return storage.packed() == wasm::StorageType::Packed::i8 ? 0xff : 0xffff;
}

Value read_stored(StoreState& store, const Slot* slots, wasm::StorageType storage) {
  if (!storage.is_packed()) return detail::read_value(store.store, slots, storage.unpacked());
  return static_cast<std::int32_t>(slots->u32 & packed_mask(storage));
}

Result<void> check_fits(StoreState& store, const Value& value, wasm::StorageType storage, const char* what,
                        std::uint64_t number) {
  if (detail::fits(store.store, value, storage.unpacked())) return {};
  if (!detail::belongs_to(store.store, value)) {
    return fail(ErrorKind::argument, "{} {} cannot hold a reference of another store", what, number);
  }
  return fail(ErrorKind::argument, "{} {} of type {} cannot hold a {}value of type {}", what, number,
              wasm::to_string(storage.unpacked()), value.is_null() ? "null " : "", value.type().to_string());
}

Result<void> check_default(const wasm::FieldType& field, const char* what, std::uint64_t number) {
  if (field.storage.unpacked().is_defaultable()) return {};
  return fail(ErrorKind::argument, "{} {} of type {} has no default: it needs a value", what, number,
              wasm::to_string(field.storage.unpacked()));
}

std::unexpected<Error> full() { return fail(ErrorKind::limit, "the store's heap is full"); }

// The store of `context`, where objects of `type` can be made; what the type defines.
struct Making {
  StoreState& store;
  runtime::GcHeap& heap;
  const wasm::SubType& definition;
  wasm::TypeId id;
};
Result<Making> prepare(const detail::StoreRef& ref, const DefinedType& type, wasm::CompositeKind kind) {
  StoreState* const store = ref.get();
  if (store == nullptr) return detail::gone("context");
  const detail::TypeDefinition& definition = Internals::definition(type);
  if (definition.engine != store->engine) return fail(ErrorKind::argument, "the type is one of another engine");
  const wasm::TypeId id = definition.type.id();
  const wasm::SubType& contents = store->engine->registry->at(id);
  if (contents.kind != kind) {
    return fail(ErrorKind::argument, "the type is no {}", kind == wasm::CompositeKind::array ? "array" : "structure");
  }
  store->store.use_object_type(id);
  return Making{*store, store->store.heap(), contents, id};
}

template <class Handle>
Handle handle_of(const detail::StoreRef& ref, ValueType type, Object* object) {
  return Internals::object<Handle>(
      ref, detail::make_reference(ref.get()->store, type, reinterpret_cast<std::uint64_t>(object)));
}

// The object of a handle whose store exists, and its type.
struct Place {
  StoreState& store;
  Object& object;
  const wasm::SubType& definition;
};
Result<Place> place_of(const detail::StoreRef& ref, const Value& value, const char* what) {
  StoreState* const store = ref.get();
  if (store == nullptr) return detail::gone(what);
  Object& object = *runtime::object_of(value.bits()[0]);
  return Place{*store, object, store->engine->registry->at(object.type.id())};
}

Result<DefinedType> type_of(const detail::StoreRef& ref, const Value& value, const char* what) {
  return guarded([&]() -> Result<DefinedType> {
    const Place place = WASI_TRY(place_of(ref, value, what));
    return Internals::defined_type(place.store.engine, place.object.type.id());
  });
}

template <class Handle>
std::optional<Handle> cast(const StoreContext& context, const Value& value, ReferenceKind kind, ValueType type) {
  const detail::StoreRef& ref = Internals::store(context);
  StoreState* const store = ref.get();
  if (store == nullptr || value.reference_kind() != kind || !detail::belongs_to(store->store, value))
    return std::nullopt;
  return Internals::object<Handle>(ref, Internals::retyped(value, type));
}

// A field of a structure, and where it lies.
struct Field {
  wasm::FieldType type;
  Slot* slots;
};
Result<Field> field_of(const Place& place, std::size_t number) {
  const auto& fields = place.definition.fields;
  if (number >= fields.size()) {
    return fail(ErrorKind::argument, "there is no field {}: the structure has {}", number, fields.size());
  }
  std::size_t word = 0;
  for (std::size_t i = 0; i < number; ++i) word += fields[i].storage.unpacked().slots();
  return Field{fields[number], place.object.words() + word};
}

Result<std::uint8_t*> element_of(const Place& place, std::uint32_t index, std::uint8_t shift) {
  if (index >= place.object.length) {
    return fail(ErrorKind::argument, "there is no element {}: the array has {}", index, place.object.length);
  }
  return place.object.elements() + (std::size_t{index} << shift);
}

Result<std::span<std::uint8_t>> bytes_of(const Place& place) {
  const wasm::StorageType storage = place.definition.fields.front().storage;
  if (storage.unpacked().is_ref()) return fail(ErrorKind::argument, "an array of references has no bytes");
  const std::size_t size = std::size_t{place.object.length} << runtime::storage_shift(storage);
  return std::span(place.object.elements(), size);
}

}  // namespace

Result<Struct> Struct::create(const StoreContext& store, const DefinedType& type, std::span<const Value> fields) {
  return guarded([&]() -> Result<Struct> {
    const detail::StoreRef& ref = Internals::store(store);
    const Making making = WASI_TRY(prepare(ref, type, wasm::CompositeKind::struct_));
    const auto& types = making.definition.fields;
    if (fields.size() != types.size()) {
      return fail(ErrorKind::argument, "the structure has {} fields, got {} values", types.size(), fields.size());
    }
    // The values themselves keep what they refer to.
    std::vector<Slot> slots(making.heap.layouts()[making.id].words);
    Slot* slot = slots.data();
    for (std::size_t i = 0; i < types.size(); ++i) {
      WASI_TRY(check_fits(making.store, fields[i], types[i].storage, "field", i));
      detail::write_value(slot, fields[i]);
      slot += types[i].storage.unpacked().slots();
    }
    Object* const object = runtime::new_structure(making.heap, making.id, slots.data());
    if (object == nullptr) return full();
    return handle_of<Struct>(ref, ValueType::structref(), object);
  });
}

Result<Struct> Struct::create(const StoreContext& store, const DefinedType& type) {
  return guarded([&]() -> Result<Struct> {
    const detail::StoreRef& ref = Internals::store(store);
    const Making making = WASI_TRY(prepare(ref, type, wasm::CompositeKind::struct_));
    for (std::size_t i = 0; i < making.definition.fields.size(); ++i) {
      WASI_TRY(check_default(making.definition.fields[i], "field", i));
    }
    Object* const object = making.heap.allocate_structure(making.id);
    if (object == nullptr) return full();
    return handle_of<Struct>(ref, ValueType::structref(), object);
  });
}

Result<DefinedType> Struct::type() const { return type_of(store_, value_, "structure"); }

Result<Value> Struct::get(std::size_t field) const {
  return guarded([&]() -> Result<Value> {
    const Place place = WASI_TRY(place_of(store_, value_, "structure"));
    const Field found = WASI_TRY(field_of(place, field));
    return read_stored(place.store, found.slots, found.type.storage);
  });
}

Result<void> Struct::set(std::size_t field, const Value& value) const {
  return guarded([&]() -> Result<void> {
    const Place place = WASI_TRY(place_of(store_, value_, "structure"));
    const Field found = WASI_TRY(field_of(place, field));
    if (!found.type.is_mutable) return fail(ErrorKind::argument, "field {} is immutable", field);
    WASI_TRY(check_fits(place.store, value, found.type.storage, "field", field));
    detail::write_value(found.slots, value);
    return {};
  });
}

std::optional<Struct> Struct::from_value(const StoreContext& store, const Value& value) {
  return cast<Struct>(store, value, ReferenceKind::structure, ValueType::structref());
}

Result<Array> Array::create(const StoreContext& store, const DefinedType& type, std::uint32_t length,
                            const Value& init) {
  return guarded([&]() -> Result<Array> {
    const detail::StoreRef& ref = Internals::store(store);
    const Making making = WASI_TRY(prepare(ref, type, wasm::CompositeKind::array));
    WASI_TRY(check_fits(making.store, init, making.definition.fields.front().storage, "element", 0));
    Slot element[2] = {};
    detail::write_value(element, init);
    Object* const object = runtime::new_array(making.heap, making.id, element, length);
    if (object == nullptr) return full();
    return handle_of<Array>(ref, ValueType::arrayref(), object);
  });
}

Result<Array> Array::create(const StoreContext& store, const DefinedType& type, std::uint32_t length) {
  return guarded([&]() -> Result<Array> {
    const detail::StoreRef& ref = Internals::store(store);
    const Making making = WASI_TRY(prepare(ref, type, wasm::CompositeKind::array));
    if (length != 0) WASI_TRY(check_default(making.definition.fields.front(), "element", 0));
    Object* const object = making.heap.allocate_array(making.id, length);
    if (object == nullptr) return full();
    return handle_of<Array>(ref, ValueType::arrayref(), object);
  });
}

Result<Array> Array::create(const StoreContext& store, const DefinedType& type, std::span<const Value> elements) {
  return guarded([&]() -> Result<Array> {
    const detail::StoreRef& ref = Internals::store(store);
    const Making making = WASI_TRY(prepare(ref, type, wasm::CompositeKind::array));
    if (elements.size() > UINT32_MAX) return full();
    const wasm::StorageType storage = making.definition.fields.front().storage;
    const std::uint32_t slots_each = storage.unpacked().slots();
    std::vector<Slot> slots(elements.size() * slots_each);
    for (std::size_t i = 0; i < elements.size(); ++i) {
      WASI_TRY(check_fits(making.store, elements[i], storage, "element", i));
      detail::write_value(slots.data() + i * slots_each, elements[i]);
    }
    Object* const object =
        runtime::new_array_fixed(making.heap, making.id, slots.data(), static_cast<std::uint32_t>(elements.size()));
    if (object == nullptr) return full();
    return handle_of<Array>(ref, ValueType::arrayref(), object);
  });
}

Result<Array> Array::from_bytes(const StoreContext& store, const DefinedType& type,
                                std::span<const std::uint8_t> bytes) {
  return guarded([&]() -> Result<Array> {
    const detail::StoreRef& ref = Internals::store(store);
    const Making making = WASI_TRY(prepare(ref, type, wasm::CompositeKind::array));
    const wasm::StorageType storage = making.definition.fields.front().storage;
    if (storage.unpacked().is_ref()) {
      return fail(ErrorKind::argument, "an array of references cannot be made of bytes");
    }
    const std::uint8_t shift = runtime::storage_shift(storage);
    if (bytes.size() % (std::size_t{1} << shift) != 0) {
      return fail(ErrorKind::argument, "{} bytes are no whole number of elements, which have {} each", bytes.size(),
                  std::size_t{1} << shift);
    }
    if (bytes.size() >> shift > UINT32_MAX) return full();
    Object* const object = making.heap.allocate_array(making.id, static_cast<std::uint32_t>(bytes.size() >> shift));
    if (object == nullptr) return full();
    if (!bytes.empty()) std::memcpy(object->elements(), bytes.data(), bytes.size());
    return handle_of<Array>(ref, ValueType::arrayref(), object);
  });
}

Result<DefinedType> Array::type() const { return type_of(store_, value_, "array"); }

std::uint32_t Array::size() const { return store_.get() == nullptr ? 0 : runtime::object_of(value_.bits()[0])->length; }

Result<Value> Array::get(std::uint32_t index) const {
  return guarded([&]() -> Result<Value> {
    const Place place = WASI_TRY(place_of(store_, value_, "array"));
    const wasm::StorageType storage = place.definition.fields.front().storage;
    const std::uint8_t shift = runtime::storage_shift(storage);
    Slot slots[2] = {};
    std::memcpy(slots, WASI_TRY(element_of(place, index, shift)), std::size_t{1} << shift);
    return read_stored(place.store, slots, storage);
  });
}

Result<void> Array::set(std::uint32_t index, const Value& value) const {
  return guarded([&]() -> Result<void> {
    const Place place = WASI_TRY(place_of(store_, value_, "array"));
    const wasm::FieldType& field = place.definition.fields.front();
    const std::uint8_t shift = runtime::storage_shift(field.storage);
    std::uint8_t* const element = WASI_TRY(element_of(place, index, shift));
    if (!field.is_mutable) return fail(ErrorKind::argument, "the array's elements are immutable");
    WASI_TRY(check_fits(place.store, value, field.storage, "element", index));
    Slot slots[2] = {};
    detail::write_value(slots, value);
    std::memcpy(element, slots, std::size_t{1} << shift);
    return {};
  });
}

Result<std::span<const std::uint8_t>> Array::bytes() const {
  return guarded([&]() -> Result<std::span<const std::uint8_t>> {
    return WASI_TRY(bytes_of(WASI_TRY(place_of(store_, value_, "array"))));
  });
}

Result<std::span<std::uint8_t>> Array::mutable_bytes() const {
  return guarded([&]() -> Result<std::span<std::uint8_t>> {
    const Place place = WASI_TRY(place_of(store_, value_, "array"));
    if (!place.definition.fields.front().is_mutable) {
      return fail(ErrorKind::argument, "the array's elements are immutable");
    }
    return bytes_of(place);
  });
}

std::optional<Array> Array::from_value(const StoreContext& store, const Value& value) {
  return cast<Array>(store, value, ReferenceKind::array, ValueType::arrayref());
}

AnyRef::AnyRef(const Struct& object)
    : store_(object.store_), value_(Internals::retyped(object.value_, ValueType::anyref())) {}
AnyRef::AnyRef(const Array& object)
    : store_(object.store_), value_(Internals::retyped(object.value_, ValueType::anyref())) {}
AnyRef::AnyRef(I31 number) : value_(Internals::retyped(number.to_value(), ValueType::anyref())) {}

ReferenceKind AnyRef::kind() const { return value_.reference_kind().value_or(ReferenceKind::null); }

std::optional<I31> AnyRef::i31() const { return I31::from_value(Internals::context(store_), value_); }
std::optional<Struct> AnyRef::structure() const { return Struct::from_value(Internals::context(store_), value_); }
std::optional<Array> AnyRef::array() const { return Array::from_value(Internals::context(store_), value_); }
std::optional<HostObject> AnyRef::host_object() const {
  return HostObject::from_value(Internals::context(store_), value_);
}

std::optional<AnyRef> AnyRef::from_value(const StoreContext& store, const Value& value) {
  const std::optional<ReferenceKind> kind = value.reference_kind();
  if (!kind || kind == ReferenceKind::function || kind == ReferenceKind::exception) return std::nullopt;
  const detail::StoreRef& ref = Internals::store(store);
  StoreState* const state = ref.get();
  if (state == nullptr || !detail::belongs_to(state->store, value)) return std::nullopt;
  AnyRef reference;
  reference.store_ = ref;
  reference.value_ = Internals::retyped(value, ValueType::anyref());
  return reference;
}

}  // namespace wasi
