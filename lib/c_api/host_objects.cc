// References as values of guests, and back; foreign objects.
#include <wasi/host_object.h>
#include <wasi/instance.h>

#include <memory>
#include <utility>

#include "base/result.h"
#include "c_api/values.h"
#include "engine/convert.h"

namespace wasi::c {

namespace {

using detail::Internals;
using Box = std::shared_ptr<StoreBox>;

bool is_of(wasm::AbstractHeap top, wasm::ValType type, const StoreBox& box) {
  return type.is_ref() && box.registry().top_of(type.heap()) == top;
}

// How it is made a handle to again, or an error for what no guest can be given. Not of a foreign object.
Result<ExternObject::MakeHandle> maker_of(const wasm_ref_t& ref) {
  switch (ref.kind) {
    case RefKind::instance:
      return [of = static_cast<const wasm_instance_t&>(ref).instance](const Box& store) {
        return new wasm_instance_t(store, of);
      };
    case RefKind::module: {
      const auto& module = static_cast<const wasm_module_t&>(ref);
      return [of = module.module, info = module.info](const Box& /*store*/) { return new wasm_module_t(of, info); };
    }
    case RefKind::trap: {
      const auto& trap = static_cast<const wasm_trap_t&>(ref);
      return [of = trap.trap, of_box = trap.box, info = trap.info](const Box& /*store*/) {
        return new wasm_trap_t(of, of_box, info);
      };
    }
    case RefKind::value:
    case RefKind::v128:
      return fail(ErrorKind::argument, "the reference cannot be an externref");
    default:
      return [of = static_cast<const wasm_extern_t&>(ref).object](const Box& store) { return make_extern(store, of); };
  }
}

// Whose object it is; null: no store's.
const StoreBox* box_of(const wasm_ref_t& ref) {
  switch (ref.kind) {
    case RefKind::foreign:
      return static_cast<const wasm_foreign_t&>(ref).box.get();
    case RefKind::instance:
      return static_cast<const wasm_instance_t&>(ref).box.get();
    case RefKind::module:
    case RefKind::trap:
    case RefKind::value:
    case RefKind::v128:
      return nullptr;
    default:
      return static_cast<const wasm_extern_t&>(ref).box.get();
  }
}

Result<HostObject> as_host_object(const wasm_ref_t& ref, const StoreBox& box) {
  if (const StoreBox* const of = box_of(ref); of != nullptr && of != &box) {
    return fail(ErrorKind::argument, "the reference is to an object of another store");
  }
  if (ref.kind == RefKind::foreign) return static_cast<const wasm_foreign_t&>(ref).reference;
  return box.make_reference(std::make_shared<ExternObject>(WASI_TRY(maker_of(ref))));
}

}  // namespace

Result<Value> value_of(const wasm_ref_t* ref, wasm::ValType type, StoreBox& box) {
  if (ref == nullptr) return Value::zero_of(detail::to_public(type));
  if (ref->kind == RefKind::value) return static_cast<const ValueRef*>(ref)->value;
  if (ref->kind == RefKind::func && is_of(wasm::AbstractHeap::func, type, box)) {
    return static_cast<const wasm_func_t*>(ref)->external().function()->to_value();
  }
  const bool is_any = is_of(wasm::AbstractHeap::any, type, box);
  if (!is_any && !is_of(wasm::AbstractHeap::extern_, type, box)) {
    return fail(ErrorKind::argument, "the reference is none that {} can be", wasm::to_string(type));
  }
  const HostObject object = WASI_TRY(as_host_object(*ref, box));
  return is_any ? Internals::retyped(object.to_value(), ValueType::anyref()) : object.to_value();
}

wasm_ref_t* reference_of(const Value& value, const std::shared_ptr<StoreBox>& box) {
  const auto kind = value.reference_kind();
  if (kind == ReferenceKind::null) return nullptr;
  if (kind == ReferenceKind::function) {
    return make_extern(box, runtime::External(reinterpret_cast<runtime::FuncRef*>(value.bits()[0])));
  }
  if (const auto reference = HostObject::from_value(Internals::context(box->ref()), value)) {
    if (auto object = reference->get<ExternObject>()) {
      if (object->handle) return object->handle(box);
      return new wasm_foreign_t(box, *reference, std::move(object));
    }
  }
  return new ValueRef(box, value);
}

}  // namespace wasi::c

using namespace wasi;

wasm_foreign_t* wasm_foreign_new(wasm_store_t* store) {
  return c::attempt<wasm_foreign_t*>(nullptr, [&]() -> Result<wasm_foreign_t*> {
    if (store == nullptr) return c::null_argument("store");
    auto object = std::make_shared<c::ExternObject>();
    HostObject reference = WASI_TRY(store->box->make_reference(object));
    return new wasm_foreign_t(store->box, std::move(reference), std::move(object));
  });
}

// ---- wasirun.h ----

wasirun_ref_kind_t wasirun_ref_kind(const wasm_ref_t* ref) {
  static_assert(static_cast<int>(ReferenceKind::null) == WASIRUN_REF_NULL &&
                static_cast<int>(ReferenceKind::function) == WASIRUN_REF_FUNCTION &&
                static_cast<int>(ReferenceKind::host) == WASIRUN_REF_HOST &&
                static_cast<int>(ReferenceKind::i31) == WASIRUN_REF_I31 &&
                static_cast<int>(ReferenceKind::structure) == WASIRUN_REF_STRUCTURE &&
                static_cast<int>(ReferenceKind::array) == WASIRUN_REF_ARRAY &&
                static_cast<int>(ReferenceKind::exception) == WASIRUN_REF_EXCEPTION);
  if (ref == nullptr) return WASIRUN_REF_NULL;
  if (ref->kind == c::RefKind::func) return WASIRUN_REF_FUNCTION;
  if (ref->kind != c::RefKind::value) return WASIRUN_REF_HOST;
  const ReferenceKind kind = *static_cast<const c::ValueRef*>(ref)->value.reference_kind();
  if (kind == ReferenceKind::host_object) return WASIRUN_REF_HOST;  // that C++ made
  return static_cast<wasirun_ref_kind_t>(kind);
}

wasm_ref_t* wasirun_ref_new_i31(wasm_store_t* store, int32_t value) {
  return c::attempt<wasm_ref_t*>(nullptr, [&]() -> Result<wasm_ref_t*> {
    if (store == nullptr) return c::null_argument("store");
    return new c::ValueRef(store->box, Value::from_i31(value));
  });
}

bool wasirun_ref_i31(const wasm_ref_t* ref, int32_t* value) {
  if (ref == nullptr || ref->kind != c::RefKind::value) return false;
  const auto number = static_cast<const c::ValueRef*>(ref)->value.as_i31();
  if (number) *value = *number;
  return number.has_value();
}
