// Instances and functions as embedders see them, and the way in and out of guest code.
#include "runtime/instance.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>

#include "base/result.h"
#include "engine/convert.h"
#include "engine/state.h"

namespace wasi {

using detail::Internals;

static_assert(sizeof(detail::Slot) == sizeof(runtime::Slot) && alignof(detail::Slot) == alignof(runtime::Slot));

bool detail::call(StoreState& store, runtime::FuncRef& function, std::span<Slot> slots) {
  return store.store.try_call(function, {reinterpret_cast<runtime::Slot*>(slots.data()), slots.size()});
}

Trap detail::take_trap(StoreState& store) { return std::exchange(store.store.exec().pending, {}); }

namespace {

const wasm::FuncType& type_of(const detail::StoreState& store, const runtime::FuncRef& function) {
  return store.store.registry().at(function.type).func;
}

// "memory, _start, f and 3 more", for messages.
std::string list_exports(const wasm::Module& module) {
  constexpr std::size_t kListed = 12;
  if (module.exports.empty()) return "nothing";
  std::string list;
  for (std::size_t i = 0; i < std::min(kListed, module.exports.size()); ++i) {
    fmt::format_to(std::back_inserter(list), "{}\"{}\"", i == 0 ? "" : ", ", module.exports[i].name);
  }
  if (module.exports.size() > kListed) {
    fmt::format_to(std::back_inserter(list), " and {} more", module.exports.size() - kListed);
  }
  return list;
}

Result<runtime::External> find(runtime::Instance& instance, std::string_view name, wasm::ExternalKind kind) {
  const auto found = instance.find_export(name);
  if (!found) {
    return fail(ErrorKind::argument, "there is no export \"{}\"; the module exports {}", name,
                list_exports(instance.module()));
  }
  if (found->kind != kind) {
    return fail(ErrorKind::argument, "export \"{}\" is a {}, not a {}", name, wasm::name_of(found->kind),
                wasm::name_of(kind));
  }
  return *found;
}

}  // namespace

FunctionType Function::type() const { return detail::to_public(type_of(*store_, *function_)); }

std::expected<std::vector<Value>, Trap> Function::call(std::span<const Value> args) const {
  const wasm::FuncType& type = type_of(*store_, *function_);
  // Most calls fit; others take one allocation.
  std::array<runtime::Slot, 16> few;
  std::vector<runtime::Slot> many;
  std::span<runtime::Slot> slots = few;
  const std::size_t needed = std::max(wasm::slot_count(type.params), wasm::slot_count(type.results));
  if (needed > few.size()) {
    many.resize(needed);
    slots = many;
  }
  if (auto wrong = detail::write_values(slots.data(), args, type.params, store_->store, "argument")) {
    return std::unexpected(Trap{.code = TrapCode::host_error, .message = std::move(*wrong)});
  }
  if (auto done = store_->store.call(*function_, slots); !done) return std::unexpected(std::move(done).error());
  std::vector<Value> results(type.results.size());
  detail::read_values(store_->store, slots.data(), type.results, results);
  return results;
}

Result<void> Function::check_type(std::span<const ValueType> params, std::span<const ValueType> results) const {
  const wasm::FuncType& type = type_of(*store_, *function_);
  const auto same = [](std::span<const ValueType> asked, const std::vector<wasm::ValType>& actual) {
    return std::ranges::equal(asked, actual, {}, &ValueType::bits, &wasm::ValType::bits);
  };
  if (same(params, type.params) && same(results, type.results)) return {};
  return fail(ErrorKind::argument, "the function has type {}, asked for {}", wasm::to_string(type),
              wasm::to_string(detail::to_internal(params, results)));
}

Value Function::to_value() const {
  return Value::from_bits(ValueType::funcref(), {reinterpret_cast<std::uint64_t>(function_), 0});
}

std::optional<Function> Function::from_value(const Store& store, const Value& value) {
  const auto& state = Internals::state(store);
  const wasm::ValType type = detail::to_internal(value.type());
  if (!type.is_ref() || value.is_null() || state->store.registry().top_of(type.heap()) != wasm::AbstractHeap::func) {
    return std::nullopt;
  }
  return Function(state, reinterpret_cast<runtime::FuncRef*>(value.bits()[0]));
}

Extern::Extern(const Function& function)
    : store_(function.store_), kind_(ExternKind::function), object_(function.function_) {}
Extern::Extern(const Memory& memory) : store_(memory.store_), kind_(ExternKind::memory), object_(memory.memory_) {}
Extern::Extern(const Global& global) : store_(global.store_), kind_(ExternKind::global), object_(global.global_) {}
Extern::Extern(const Table& table) : store_(table.store_), kind_(ExternKind::table), object_(table.table_) {}
Extern::Extern(const Tag& tag) : store_(detail::borrowed(*tag.store_)), kind_(ExternKind::tag), object_(tag.tag_) {}

std::optional<Function> Extern::function() const {
  if (kind_ != ExternKind::function) return std::nullopt;
  return Function(store_, static_cast<runtime::FuncRef*>(object_));
}

std::optional<Memory> Extern::memory() const {
  if (kind_ != ExternKind::memory) return std::nullopt;
  return Internals::memory(store_, static_cast<runtime::Memory*>(object_));
}

std::optional<Global> Extern::global() const {
  if (kind_ != ExternKind::global) return std::nullopt;
  return Global(store_, static_cast<runtime::Global*>(object_));
}

std::optional<Table> Extern::table() const {
  if (kind_ != ExternKind::table) return std::nullopt;
  return Table(store_, static_cast<runtime::Table*>(object_));
}

std::optional<Tag> Extern::tag() const {
  if (kind_ != ExternKind::tag) return std::nullopt;
  return Tag(*store_, static_cast<runtime::Tag*>(object_));
}

Extern Internals::external(std::shared_ptr<StoreState> store, const runtime::External& object) {
  void* pointer = nullptr;
  switch (object.kind) {
    case wasm::ExternalKind::func:
      pointer = object.func;
      break;
    case wasm::ExternalKind::table:
      pointer = object.table;
      break;
    case wasm::ExternalKind::memory:
      pointer = object.memory;
      break;
    case wasm::ExternalKind::global:
      pointer = object.global;
      break;
    case wasm::ExternalKind::tag:
      pointer = object.tag;
      break;
  }
  return {std::move(store), static_cast<ExternKind>(object.kind), pointer};
}

runtime::External Internals::external(const Extern& object) {
  switch (object.kind_) {
    case ExternKind::function:
      return runtime::External(static_cast<runtime::FuncRef*>(object.object_));
    case ExternKind::table:
      return runtime::External(static_cast<runtime::Table*>(object.object_));
    case ExternKind::memory:
      return runtime::External(static_cast<runtime::Memory*>(object.object_));
    case ExternKind::global:
      return runtime::External(static_cast<runtime::Global*>(object.object_));
    case ExternKind::tag:
      break;
  }
  return runtime::External(static_cast<runtime::Tag*>(object.object_));
}

Module Instance::module() const { return Internals::module(store_->modules.at(instance_)); }

Result<Function> Instance::func(std::string_view name) const {
  return Internals::function(store_, WASI_TRY(find(*instance_, name, wasm::ExternalKind::func)).func);
}

Result<Memory> Instance::memory(std::string_view name) const {
  return Internals::memory(store_, WASI_TRY(find(*instance_, name, wasm::ExternalKind::memory)).memory);
}

Result<Global> Instance::global(std::string_view name) const {
  return Global(store_, WASI_TRY(find(*instance_, name, wasm::ExternalKind::global)).global);
}

Result<Table> Instance::table(std::string_view name) const {
  return Table(store_, WASI_TRY(find(*instance_, name, wasm::ExternalKind::table)).table);
}

Result<Tag> Instance::tag(std::string_view name) const {
  return Tag(*store_, WASI_TRY(find(*instance_, name, wasm::ExternalKind::tag)).tag);
}

std::optional<Extern> Instance::get(std::string_view name) const {
  const auto found = instance_->find_export(name);
  if (!found) return std::nullopt;
  return Internals::external(store_, *found);
}

Memory Caller::memory() const { return Internals::memory(detail::borrowed(*store_), call_->memory()); }

std::optional<Instance> Caller::instance() const {
  if (call_->caller == nullptr) return std::nullopt;
  return Internals::instance(detail::borrowed(*store_), call_->caller);
}

std::any& Caller::store_data() const { return store_->data; }

}  // namespace wasi
