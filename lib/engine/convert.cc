// Conversion between public and internal types and values.
#include "engine/convert.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <iterator>

#include "base/result.h"
#include "engine/state.h"
#include "runtime/gc_heap.h"
#include "runtime/type_test.h"
#include "runtime/vmcontext.h"
#include "wasm/limits.h"

namespace wasi::detail {

static_assert(ValueType::i32().bits() == wasm::kI32.bits());
static_assert(ValueType::i64().bits() == wasm::kI64.bits());
static_assert(ValueType::f32().bits() == wasm::kF32.bits());
static_assert(ValueType::f64().bits() == wasm::kF64.bits());
static_assert(ValueType::v128().bits() == wasm::kV128.bits());
static_assert(ValueType::funcref().bits() == wasm::kFuncRef.bits());
static_assert(ValueType::externref().bits() == wasm::kExternRef.bits());
static_assert(ValueType::anyref().bits() == wasm::ValType::ref(wasm::AbstractHeap::any, true).bits());
static_assert(ValueType::eqref().bits() == wasm::ValType::ref(wasm::AbstractHeap::eq, true).bits());
static_assert(ValueType::i31ref().bits() == wasm::ValType::ref(wasm::AbstractHeap::i31, true).bits());
static_assert(ValueType::structref().bits() == wasm::ValType::ref(wasm::AbstractHeap::struct_, true).bits());
static_assert(ValueType::arrayref().bits() == wasm::ValType::ref(wasm::AbstractHeap::array, true).bits());
static_assert(sizeof(ValueType) == sizeof(wasm::ValType));
static_assert(kPageSize == wasm::MemoryType().page_size());

namespace {

std::vector<ValueType> to_public(const std::vector<wasm::ValType>& types) {
  std::vector<ValueType> converted;
  converted.reserve(types.size());
  for (wasm::ValType type : types) converted.push_back(detail::to_public(type));
  return converted;
}

FunctionType function_type(const wasm::Module& module, wasm::TypeIndex type) {
  return detail::to_public(module.registry->at(module.types[type.value]).func);
}

}  // namespace

std::unexpected<Error> gone(std::string_view what) {
  return fail(ErrorKind::argument, "the store of this {} does not exist any more", what);
}

namespace {

// Keeps what `type` refers to, which is nothing for most; empty where it is no type.
std::optional<wasm::TypeRef> hold(wasm::ValType type, wasm::TypeRegistry& registry) {
  const bool refers = type.is_ref() && !type.heap().is_abstract();
  if (refers) return type.heap().is_concrete() ? registry.hold(type.heap().id()) : std::nullopt;
  if (type.is_bottom() || (!type.is_ref() && type != wasm::ValType(type.kind()))) return std::nullopt;
  return wasm::TypeRef();
}

}  // namespace

Result<wasm::TypeRef> hold_type(ValueType type, wasm::TypeRegistry& registry) {
  if (auto held = hold(to_internal(type), registry)) return std::move(*held);
  return fail(ErrorKind::argument, "the bits {:#x} are no value type of this engine", type.bits());
}

Result<wasm::TypeRef> add_function_type(wasm::TypeRegistry& registry, std::span<const ValueType> params,
                                        std::span<const ValueType> results) {
  std::vector<wasm::TypeRef> held;  // until the function type holds them
  for (const auto types : {params, results}) {
    for (const ValueType type : types) {
      if (wasm::TypeRef reference = WASI_TRY(hold_type(type, registry))) held.push_back(std::move(reference));
    }
  }
  if (params.size() > wasm::kMaxParams || results.size() > wasm::kMaxResults) {
    return fail(ErrorKind::limit, "a type has {} parameters and {} results; at most {} and {} are supported",
                params.size(), results.size(), wasm::kMaxParams, wasm::kMaxResults);
  }
  auto added = registry.add_func(to_internal(params, results));
  if (!added) return fail(ErrorKind::limit, "the engine holds too many types");
  return std::move(*added);
}

wasm::FuncType to_internal(std::span<const ValueType> params, std::span<const ValueType> results) {
  wasm::FuncType type;
  for (ValueType param : params) type.params.push_back(to_internal(param));
  for (ValueType result : results) type.results.push_back(to_internal(result));
  return type;
}

wasm::MemoryType to_internal(const MemoryType& type) {
  return {.limits = {type.limits.min, type.limits.max},
          .address = type.is_64 ? wasm::AddressType::i64 : wasm::AddressType::i32,
          .is_shared = type.is_shared,
          // What is no power of two is neither 1 nor 65536, which check_type sees by any other one.
          .page_log2 =
              static_cast<std::uint8_t>(std::has_single_bit(type.page_size) ? std::countr_zero(type.page_size) : 63)};
}

wasm::TableType to_internal(const TableType& type) {
  return {.element = to_internal(type.element),
          .limits = {type.limits.min, type.limits.max},
          .address = type.is_64 ? wasm::AddressType::i64 : wasm::AddressType::i32};
}

wasm::GlobalType to_internal(const GlobalType& type) {
  return {.type = to_internal(type.type), .is_mutable = type.is_mutable};
}

namespace {

// `most` is what addresses of the type reach, in `unit`s.
Result<void> check_limits(const wasm::Limits& limits, std::uint64_t most, const char* what, const char* unit) {
  if (limits.max && *limits.max < limits.min) {
    return fail(ErrorKind::argument, "a {} cannot have a minimum of {} and a maximum of {} {}", what, limits.min,
                *limits.max, unit);
  }
  if (const std::uint64_t largest = limits.max.value_or(limits.min); largest > most) {
    return fail(ErrorKind::argument, "a {} cannot have {} {}: its addresses reach {}", what, largest, unit, most);
  }
  return {};
}

}  // namespace

Result<void> check_type(const wasm::MemoryType& type) {
  if (type.page_log2 != 0 && type.page_log2 != wasm::kPageLog2) {
    return fail(ErrorKind::argument, "the pages of a memory have 1 or {} bytes, not another number", kPageSize);
  }
  WASI_TRY(check_limits(type.limits, wasm::max_pages(type.address, type.page_log2), "memory", "pages"));
  if (type.is_shared && !type.limits.max) {
    return fail(ErrorKind::argument, "a memory of type {} needs a maximum to be shared", wasm::to_string(type));
  }
  return {};
}

Result<void> check_type(const wasm::TableType& type) {
  return check_limits(type.limits, runtime::index_mask(type.address), "table", "elements");
}

FunctionType to_public(const wasm::FuncType& type) { return {to_public(type.params), to_public(type.results)}; }

MemoryType to_public(const wasm::MemoryType& type) {
  return {.limits = {type.limits.min, type.limits.max},
          .is_64 = type.address == wasm::AddressType::i64,
          .is_shared = type.is_shared,
          .page_size = type.page_size()};
}

TableType to_public(const wasm::TableType& type) {
  return {.element = to_public(type.element),
          .limits = {type.limits.min, type.limits.max},
          .is_64 = type.address == wasm::AddressType::i64};
}

GlobalType to_public(const wasm::GlobalType& type) {
  return {.type = to_public(type.type), .is_mutable = type.is_mutable};
}

ExternType type_of(const wasm::Module& module, const wasm::Import& import) {
  return std::visit(
      [&](const auto& type) -> ExternType {
        using Type = std::decay_t<decltype(type)>;
        if constexpr (std::is_same_v<Type, wasm::FuncImport>) {
          return {function_type(module, type.type)};
        } else if constexpr (std::is_same_v<Type, wasm::TagType>) {
          return {TagType{function_type(module, type.type)}};
        } else {
          return {to_public(type)};
        }
      },
      import.type);
}

ExternType type_of(const wasm::Module& module, const wasm::Export& exported) {
  switch (exported.kind) {
    case wasm::ExternalKind::func:
      return {to_public(module.func_type(wasm::FuncIndex(exported.index)))};
    case wasm::ExternalKind::table:
      return {to_public(module.tables[exported.index].type)};
    case wasm::ExternalKind::memory:
      return {to_public(module.memories[exported.index])};
    case wasm::ExternalKind::global:
      return {to_public(module.globals[exported.index].type)};
    case wasm::ExternalKind::tag:
      break;
  }
  return {TagType{function_type(module, module.tags[exported.index])}};
}

// Bits that look like the address of a function or an object are none where nothing says whose they are.
bool belongs_to(runtime::Store& store, const Value& value) {
  if (!value.type().is_reference() || !runtime::is_of_store(value.bits()[0])) return true;
  const runtime::HostRoot* root = Internals::root(value);
  if (root == nullptr) return false;
  return root->kind() == runtime::ObjectKind::none ? root == store.function_root().get() : store.heap().is_own(*root);
}

bool fits(runtime::Store& store, const Value& value, wasm::ValType type) {
  wasm::TypeRegistry& registry = store.registry();
  const wasm::ValType own = to_internal(value.type());
  if (!type.is_ref() || !own.is_ref()) return own == type;
  const std::optional<wasm::TypeRef> held = hold(own, registry);
  if (!held) return false;
  // Types of references that come from elsewhere mean nothing here.
  if (!belongs_to(store, value)) return false;
  const wasm::AbstractHeap top = registry.top_of(own.heap());
  if (top != registry.top_of(type.heap())) return false;
  return reference_fits(store, value.bits()[0], type);
}

bool reference_fits(runtime::Store& store, std::uint64_t reference, wasm::ValType type) {
  if (reference == 0) return type.is_nullable();
  const wasm::TypeRegistry& registry = store.registry();
  // Functions are nothing but functions, whatever the bits that claim to be one.
  if (registry.top_of(type.heap()) == wasm::AbstractHeap::func && !runtime::is_object(reference)) return false;
  return runtime::passes(registry, store.exec().gc, reference, runtime::make_test(registry, type));
}

void write_value(runtime::Slot* slots, const Value& value) {
  slots[0].u64 = value.bits()[0];
  if (value.type() == ValueType::v128()) slots[1].u64 = value.bits()[1];
}

Value read_value(runtime::Store& store, const runtime::Slot* slots, wasm::ValType type) {
  std::array<std::uint64_t, 2> bits = {slots[0].u64, 0};
  if (type.is_vector()) bits[1] = slots[1].u64;
  // The high half of a slot that holds 32 bits is anything.
  if (type == wasm::kI32 || type == wasm::kF32) bits[0] = slots[0].u32;
  if (type.is_ref() && runtime::is_of_store(bits[0])) return make_reference(store, to_public(type), bits[0]);
  return Value::from_bits(to_public(type), bits);
}

Value make_reference(runtime::Store& store, ValueType type, std::uint64_t reference) {
  Value value = Value::from_bits(type, {reference, 0});
  const bool is_traced = runtime::is_traced(store.registry(), to_internal(type));
  Internals::set_root(value, is_traced ? store.heap().keep(reference) : store.function_root());
  return value;
}

std::optional<std::string> write_values(runtime::Slot* slots, std::span<const Value> values,
                                        std::span<const wasm::ValType> types, runtime::Store& store, const char* what) {
  if (values.size() != types.size()) {
    return fmt::format("expected {} {}{}, got {}", types.size(), what, types.size() == 1 ? "" : "s", values.size());
  }
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!fits(store, values[i], types[i])) {
      if (!belongs_to(store, values[i])) return fmt::format("{} {} is a reference of another store", what, i + 1);
      return fmt::format("{} {} is {}{}, expected {}", what, i + 1, values[i].is_null() ? "a null " : "",
                         values[i].type().to_string(), wasm::to_string(types[i]));
    }
    write_value(slots, values[i]);
    slots += types[i].slots();
  }
  return std::nullopt;
}

void read_values(runtime::Store& store, const runtime::Slot* slots, std::span<const wasm::ValType> types,
                 std::span<Value> values) {
  for (std::size_t i = 0; i < types.size(); ++i) {
    values[i] = read_value(store, slots, types[i]);
    slots += types[i].slots();
  }
}

}  // namespace wasi::detail

namespace wasi {

std::string ValueType::to_string() const { return wasm::to_string(detail::to_internal(*this)); }

std::string FunctionType::to_string() const { return wasm::to_string(detail::to_internal(params, results)); }

std::string MemoryType::to_string() const { return wasm::to_string(detail::to_internal(*this)); }

std::string TableType::to_string() const { return wasm::to_string(detail::to_internal(*this)); }

std::string GlobalType::to_string() const { return wasm::to_string(detail::to_internal(*this)); }

std::string TagType::to_string() const { return function.to_string(); }

std::string_view name_of(ExternKind kind) { return wasm::name_of(static_cast<wasm::ExternalKind>(kind)); }

std::string ExternType::to_string() const {
  return std::string(name_of(kind())) + " " + std::visit([](const auto& each) { return each.to_string(); }, type);
}

namespace {

// The text format's notation of a NaN: its sign and, where it is not the canonical one, its payload.
template <class Bits>
std::string nan_text(Bits bits, int fraction_bits) {
  const Bits payload = bits & ((Bits{1} << fraction_bits) - 1);
  const char* sign = (bits >> (sizeof(Bits) * 8 - 1)) != 0 ? "-" : "";
  if (payload == Bits{1} << (fraction_bits - 1)) return fmt::format("{}nan", sign);
  return fmt::format("{}nan:{:#x}", sign, payload);
}

}  // namespace

std::string Value::to_string() const {
  switch (type_.kind()) {
    case ValueType::Kind::i32:
      return fmt::format("{}", *as<std::int32_t>());
    case ValueType::Kind::i64:
      return fmt::format("{}", *as<std::int64_t>());
    case ValueType::Kind::f32: {
      const float value = *as<float>();
      return value == value ? fmt::format("{}", value) : nan_text(static_cast<std::uint32_t>(bits_[0]), 23);
    }
    case ValueType::Kind::f64: {
      const double value = *as<double>();
      return value == value ? fmt::format("{}", value) : nan_text(bits_[0], 52);
    }
    case ValueType::Kind::v128:
      return fmt::format("0x{:016x}{:016x}", bits_[1], bits_[0]);
    case ValueType::Kind::ref:
    case ValueType::Kind::ref_null:
      break;
  }
  if (const auto number = as_i31()) return fmt::format("{}", *number);
  return is_null() ? "null" : type_.to_string();
}

std::optional<std::int32_t> Value::as_i31() const {
  if (reference_kind() != ReferenceKind::i31) return std::nullopt;
  return static_cast<std::int32_t>(bits_[0]) >> 1;
}

std::optional<ExternRef> Value::as_host() const {
  if (reference_kind() != ReferenceKind::host) return std::nullopt;
  return detail::to_extern(bits_[0]);
}

std::optional<ReferenceKind> Value::reference_kind() const {
  if (!type_.is_reference()) return std::nullopt;
  const std::uint64_t reference = bits_[0];
  if (reference == 0) return ReferenceKind::null;
  if (runtime::is_i31(reference)) return ReferenceKind::i31;
  if (runtime::is_host_pointer(reference)) return ReferenceKind::host;
  if (root_ == nullptr) return std::nullopt;
  switch (root_->kind()) {
    case runtime::ObjectKind::none:
      return ReferenceKind::function;
    case runtime::ObjectKind::structure:
      return ReferenceKind::structure;
    case runtime::ObjectKind::array:
      return ReferenceKind::array;
    case runtime::ObjectKind::host:
      return ReferenceKind::host_object;
    case runtime::ObjectKind::exception:
      break;
  }
  return ReferenceKind::exception;
}

}  // namespace wasi
