// Tags and exceptions as embedders see them.
#include "runtime/exception.h"

#include "base/guard.h"
#include "base/result.h"
#include "engine/convert.h"
#include "engine/state.h"

namespace wasi {

using detail::Internals;

namespace {

const wasm::FuncType& type_of(const detail::StoreState& store, const runtime::Tag& tag) {
  return store.store.registry().at(tag.type).func;
}

// Of a store that exists.
runtime::Exception& exception_of(const Value& value) { return *reinterpret_cast<runtime::Exception*>(value.bits()[0]); }

}  // namespace

Result<Tag> Tag::create(Store& store, std::span<const ValueType> params) {
  return guarded([&]() -> Result<Tag> {
    const auto& state = Internals::state(store);
    const wasm::TypeRef type = WASI_TRY(detail::add_function_type(*state->engine->registry, params, {}));
    return Tag(detail::StoreRef(state), state->store.add_tag(type.id()));
  });
}

TagType Tag::type() const {
  const detail::StoreState* const state = store_.get();
  return state == nullptr ? TagType{} : TagType{detail::to_public(type_of(*state, *tag_))};
}

Result<Exception> Exception::create(const Tag& tag, std::span<const Value> values) {
  return guarded([&]() -> Result<Exception> {
    detail::StoreState* const state = tag.store_.get();
    if (state == nullptr) return detail::gone("tag");
    runtime::Store& store = state->store;
    std::vector<runtime::Slot> slots(tag.tag_->slot_count);
    const auto& types = type_of(*state, *tag.tag_).params;
    if (auto wrong = detail::write_values(slots.data(), values, types, store, "value")) {
      return fail(ErrorKind::argument, "an exception's values: {}", *wrong);
    }
    runtime::Exception* exception = store.make_exception(*tag.tag_, slots.data());
    if (exception == nullptr) return fail(ErrorKind::limit, "the store has no room for another exception");
    const auto reference = reinterpret_cast<std::uint64_t>(exception);
    return Exception(tag.store_, tag.tag_, detail::make_reference(store, ValueType::exnref(), reference));
  });
}

std::optional<Exception> Internals::exception(StoreState& store, const Trap& trap) {
  if (trap.exception == nullptr) return std::nullopt;
  runtime::Exception* const exception = trap.exception->in(store.store);
  if (exception == nullptr) return std::nullopt;
  Value value = Value::from_bits(ValueType::exnref(), {reinterpret_cast<std::uint64_t>(exception), 0});
  set_root(value, trap.exception->root());
  return Exception(StoreRef::borrowed(store), exception->tag, std::move(value), trap.exception);
}

std::optional<Exception> Exception::from_trap(const Store& store, const Trap& trap) {
  return Internals::exception(*Internals::state(store), trap);
}

std::optional<Exception> Exception::from_trap(const Caller& caller, const Trap& trap) {
  return Internals::exception(Internals::store(caller), trap);
}

Tag Exception::tag() const { return {store_, tag_}; }

std::vector<Value> Exception::values() const {
  detail::StoreState* const state = store_.get();
  if (state == nullptr) return {};
  runtime::Exception& exception = exception_of(value_);
  const auto& types = type_of(*state, *tag_).params;
  std::vector<Value> values(types.size());
  detail::read_values(state->store, exception.values(), types, values);
  return values;
}

Trap Exception::to_trap() const {
  if (thrown_ != nullptr) return {.code = TrapCode::uncaught_exception, .exception = thrown_};
  detail::StoreState* const state = store_.get();
  if (state == nullptr) return {.code = TrapCode::uncaught_exception};
  return guarded(
      [&]() -> Trap {
        return {.code = TrapCode::uncaught_exception,
                .exception = std::make_shared<runtime::ThrownException>(state->store, exception_of(value_),
                                                                        Internals::shared_root(value_))};
      },
      [](const Error&) -> Trap { return {.code = TrapCode::allocation_failure}; });
}

std::optional<Exception> Exception::from_value(const StoreContext& store, const Value& value) {
  const detail::StoreRef& ref = Internals::store(store);
  detail::StoreState* const state = ref.get();
  if (state == nullptr || value.reference_kind() != ReferenceKind::exception) return std::nullopt;
  if (!detail::belongs_to(state->store, value)) return std::nullopt;
  return Exception(ref, exception_of(value).tag, Internals::retyped(value, ValueType::exnref()));
}

}  // namespace wasi
