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
    return Exception(tag.store_, tag.tag_, std::make_shared<runtime::ThrownException>(store, *exception));
  });
}

std::optional<Exception> Internals::exception(StoreState& store, const Trap& trap) {
  if (trap.exception == nullptr) return std::nullopt;
  const runtime::Exception* const exception = trap.exception->in(store.store);
  if (exception == nullptr) return std::nullopt;
  return Exception(StoreRef::borrowed(store), exception->tag, trap.exception);
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
  runtime::Exception& exception = *thrown_->in(state->store);
  const auto& types = type_of(*state, *tag_).params;
  std::vector<Value> values(types.size());
  detail::read_values(state->store, exception.values(), types, values);
  return values;
}

Trap Exception::to_trap() const { return {.code = TrapCode::uncaught_exception, .exception = thrown_}; }

}  // namespace wasi
