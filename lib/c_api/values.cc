// Values of the C interface.
#include "c_api/values.h"

#include <fmt/format.h>

#include <bit>

#include "base/result.h"
#include "c_api/types.h"
#include "engine/convert.h"

namespace wasi::c {

namespace {

// For messages.
const char* name_of_kind(wasm_valkind_t kind) {
  switch (kind) {
    case WASM_I32:
      return "an i32";
    case WASM_I64:
      return "an i64";
    case WASM_F32:
      return "an f32";
    case WASM_F64:
      return "an f64";
    case WASIRUN_V128:
      return "a v128";
    case WASM_FUNCREF:
      return "a funcref";
    case WASM_EXTERNREF:
      return "an externref";
    case WASIRUN_ANYREF:
      return "an anyref";
    case WASIRUN_EXNREF:
      return "an exnref";
    default:
      return "of no kind that exists";
  }
}

std::unexpected<Error> wrong_kind(const wasm_val_t& val, wasm::ValType type) {
  return fail(ErrorKind::argument, "the value is {}, expected {}", name_of_kind(val.kind), wasm::to_string(type));
}

}  // namespace

bool write_number(runtime::Slot& slot, const wasm_val_t& value, wasm::ValType type) {
  if (type == wasm::kI32 && value.kind == WASM_I32) {
    slot.u64 = static_cast<std::uint32_t>(value.of.i32);
  } else if (type == wasm::kI64 && value.kind == WASM_I64) {
    slot.u64 = static_cast<std::uint64_t>(value.of.i64);
  } else if (type == wasm::kF32 && value.kind == WASM_F32) {
    slot.u64 = std::bit_cast<std::uint32_t>(value.of.f32);
  } else if (type == wasm::kF64 && value.kind == WASM_F64) {
    slot.u64 = std::bit_cast<std::uint64_t>(value.of.f64);
  } else {
    return false;
  }
  return true;
}

wasm_val_t read_number(const runtime::Slot& slot, wasm::ValType type) {
  if (type == wasm::kI32) {
    wasm_val_t value = zero_of(WASM_I32);
    value.of.i32 = static_cast<std::int32_t>(slot.u32);
    return value;
  }
  if (type == wasm::kF32) {
    wasm_val_t value = zero_of(WASM_F32);
    value.of.f32 = std::bit_cast<float>(slot.u32);
    return value;
  }
  wasm_val_t value = zero_of(type == wasm::kI64 ? WASM_I64 : WASM_F64);
  value.of.i64 = static_cast<std::int64_t>(slot.u64);
  return value;
}

Result<Value> value_of(const wasm_val_t& val, wasm::ValType type, StoreBox& box) {
  if (is_number(type)) {
    runtime::Slot slot{};
    if (!write_number(slot, val, type)) return wrong_kind(val, type);
    return Value::from_bits(detail::to_public(type), {slot.u64, 0});
  }
  if (val.kind != kind_of(type, box.registry())) {
    // Null is null, whatever its kind: WASM_INIT_VAL, say.
    const bool is_null = type.is_ref() && val.kind >= WASM_EXTERNREF && val.of.ref == nullptr;
    if (!is_null) return wrong_kind(val, type);
  }
  if (type.is_vector()) {
    if (val.of.ref == nullptr) return Value(V128());
    return Value(static_cast<const V128Ref*>(val.of.ref)->value);
  }
  return value_of(val.of.ref, type, box);
}

wasm_val_t val_of(const Value& value, const std::shared_ptr<StoreBox>& box) {
  const wasm::ValType type = detail::to_internal(value.type());
  if (is_number(type)) {
    const runtime::Slot slot{.u64 = value.bits()[0]};
    return read_number(slot, type);
  }
  wasm_val_t val = zero_of(kind_of(type, box->registry()));
  val.of.ref = type.is_vector() ? new V128Ref(*value.as<V128>()) : reference_of(value, box);
  return val;
}

std::optional<std::string> write_slots(runtime::Slot* slots, std::span<const wasm_val_t> values,
                                       std::span<const wasm::ValType> types, StoreBox& box, const char* what) {
  if (values.size() != types.size()) {
    return fmt::format("expected {} {}{}, got {}", types.size(), what, types.size() == 1 ? "" : "s", values.size());
  }
  for (std::size_t i = 0; i < values.size(); ++i) {
    const wasm::ValType type = types[i];
    if (write_number(*slots, values[i], type)) {
      ++slots;
      continue;
    }
    const Result<Value> value = value_of(values[i], type, box);
    if (!value) return fmt::format("{} {}: {}", what, i + 1, value.error().message);
    if (!detail::fits(box.state().store, *value, type)) {
      return fmt::format("{} {} is {}, expected {}", what, i + 1,
                         value->is_null() ? "null" : "a reference to something else, or of another store",
                         wasm::to_string(type));
    }
    detail::write_value(slots, *value);
    slots += type.slots();
  }
  return std::nullopt;
}

void read_slots(const runtime::Slot* slots, std::span<const wasm::ValType> types, StoreBox& box, wasm_val_t* values) {
  for (std::size_t i = 0; i < types.size(); ++i) {
    if (is_number(types[i])) {
      values[i] = read_number(*slots++, types[i]);
      continue;
    }
    try {
      values[i] = val_of(detail::read_value(box.state().store, slots, types[i]), box.shared_from_this());
    } catch (...) {
      for (std::size_t made = 0; made < i; ++made) wasm_val_delete(&values[made]);
      for (std::size_t rest = 0; rest < types.size(); ++rest) values[rest] = zero_of(WASM_I32);
      throw;
    }
    slots += types[i].slots();
  }
}

}  // namespace wasi::c

using namespace wasi;

void wasm_val_delete(wasm_val_t* v) {
  if (v == nullptr || !c::owns_reference(v->kind)) return;
  wasm_ref_delete(v->of.ref);
  v->of.ref = nullptr;
}

void wasm_val_copy(wasm_val_t* out, const wasm_val_t* from) {
  wasm_val_t copied = *from;
  if (c::owns_reference(from->kind) && from->of.ref != nullptr) copied.of.ref = wasm_ref_copy(from->of.ref);
  *out = copied;
}

void wasm_val_vec_new_empty(wasm_val_vec_t* out) { *out = {0, nullptr}; }

void wasm_val_vec_new_uninitialized(wasm_val_vec_t* out, size_t size) {
  c::allocate(*out, size);
  for (size_t i = 0; i < out->size; ++i) out->data[i] = WASM_INIT_VAL;
}

void wasm_val_vec_new(wasm_val_vec_t* out, size_t size, const wasm_val_t values[]) {
  c::take_over(out, size, values, [](wasm_val_t value) { wasm_val_delete(&value); });
}

void wasm_val_vec_copy(wasm_val_vec_t* out, const wasm_val_vec_t* from) {
  c::copy(
      out, from,
      [](wasm_val_t& to, const wasm_val_t& value) {
        wasm_val_copy(&to, &value);
        return !c::owns_reference(value.kind) || value.of.ref == nullptr || to.of.ref != nullptr;
      },
      [](wasm_val_t& value) { wasm_val_delete(&value); });
}

void wasm_val_vec_delete(wasm_val_vec_t* vec) {
  c::destroy(vec, [](wasm_val_t& value) { wasm_val_delete(&value); });
}

// ---- wasirun.h ----

bool wasirun_val_new_v128(wasm_val_t* out, const wasirun_v128_t* value) {
  *out = c::zero_of(WASM_I32);
  return c::attempt(false, [&]() -> Result<bool> {
    if (value == nullptr) return c::null_argument("vector");
    out->of.ref = new c::V128Ref(std::bit_cast<V128>(*value));
    out->kind = WASIRUN_V128;
    return true;
  });
}

bool wasirun_val_v128(const wasm_val_t* val, wasirun_v128_t* out) {
  if (val == nullptr || val->kind != WASIRUN_V128) return false;
  *out = val->of.ref == nullptr ? wasirun_v128_t{}
                                : std::bit_cast<wasirun_v128_t>(static_cast<const c::V128Ref*>(val->of.ref)->value);
  return true;
}
