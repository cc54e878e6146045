// Values of the C interface, as a guest's slots and as C++ values have them.
#pragma once

#include <wasi/values.h>

#include <array>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "c_api/objects.h"
#include "runtime/frame.h"
#include "wasm/types.h"

namespace wasi::c {

// Any other reference.
struct ValueRef final : wasm_ref_t {
  ValueRef(std::shared_ptr<StoreBox> store, Value its_value)
      : wasm_ref_t(RefKind::value), box(std::move(store)), value(std::move(its_value)) {}
  [[nodiscard]] wasm_ref_t* copy() const override { return new ValueRef(box, value); }
  [[nodiscard]] const void* identity() const override { return reinterpret_cast<const void*>(value.bits()[0]); }
  [[nodiscard]] HostInfo* host_info(bool make) const override { return box->host_info(identity(), &value, make); }

  std::shared_ptr<StoreBox> box;
  Value value;
};

// A vector, which wasm_val_t has no room for.
struct V128Ref final : wasm_ref_t {
  explicit V128Ref(const V128& its_value) : wasm_ref_t(RefKind::v128), value(its_value) {}
  [[nodiscard]] wasm_ref_t* copy() const override { return new V128Ref(value); }
  [[nodiscard]] const void* identity() const override { return this; }
  [[nodiscard]] HostInfo* host_info(bool /*make*/) const override { return &info; }

  V128 value;
  mutable HostInfo info;
};

// Whether `of.ref` of such values is owned.
inline bool owns_reference(wasm_valkind_t kind) { return kind >= WASM_EXTERNREF || kind == WASIRUN_V128; }

// A zero or null of a kind.
inline wasm_val_t zero_of(wasm_valkind_t kind) {
  wasm_val_t value;
  value.kind = kind;
  value.of.i64 = 0;
  return value;
}

// Numbers need nothing of the store.
inline bool is_number(wasm::ValType type) { return !type.is_ref() && !type.is_vector(); }
// False: the value is of another kind, and nothing was written.
[[nodiscard]] bool write_number(runtime::Slot& slot, const wasm_val_t& value, wasm::ValType type);
// What the number does not use of `of` is zero.
wasm_val_t read_number(const runtime::Slot& slot, wasm::ValType type);

// A reference as a value of a type, and back: null for the null reference. They throw std::bad_alloc.
Result<Value> value_of(const wasm_ref_t* ref, wasm::ValType type, StoreBox& box);
wasm_ref_t* reference_of(const Value& value, const std::shared_ptr<StoreBox>& box);
// Any value.
Result<Value> value_of(const wasm_val_t& val, wasm::ValType type, StoreBox& box);
wasm_val_t val_of(const Value& value, const std::shared_ptr<StoreBox>& box);

// Values into slots: why they do not fit, or nothing.
std::optional<std::string> write_slots(runtime::Slot* slots, std::span<const wasm_val_t> values,
                                       std::span<const wasm::ValType> types, StoreBox& box, const char* what);
// And out of them, to places that own nothing yet. When it throws, nothing does.
void read_slots(const runtime::Slot* slots, std::span<const wasm::ValType> types, StoreBox& box, wasm_val_t* values);

// Some values that are owned, without an allocation where there are few.
class Values {
 public:
  explicit Values(std::size_t count) {
    if (count > few_.size()) many_.resize(count);
    all_ = {count > few_.size() ? many_.data() : few_.data(), count};
    for (wasm_val_t& value : all_) value = zero_of(WASM_I32);
  }
  Values(const Values&) = delete;
  Values& operator=(const Values&) = delete;
  ~Values() {
    for (wasm_val_t& value : all_) wasm_val_delete(&value);
  }
  [[nodiscard]] wasm_val_t* data() { return all_.data(); }
  [[nodiscard]] std::span<wasm_val_t> all() const { return all_; }
  [[nodiscard]] wasm_val_vec_t vec() { return {all_.size(), all_.data()}; }

 private:
  std::array<wasm_val_t, 8> few_;
  std::vector<wasm_val_t> many_;
  std::span<wasm_val_t> all_;
};

}  // namespace wasi::c
