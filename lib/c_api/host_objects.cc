// References as values of guests, and back; foreign objects.
#include <wasi/instance.h>

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

// What is made a handle to again, or an error for what no guest can be given.
Result<HostObject*> as_host_object(const wasm_ref_t& ref, StoreBox& box) {
  const auto check_store = [&](const StoreBox* of) -> Result<void> {
    if (of == &box) return {};
    return fail(ErrorKind::argument, "the reference is to an object of another store");
  };
  switch (ref.kind) {
    case RefKind::foreign: {
      const auto& foreign = static_cast<const wasm_foreign_t&>(ref);
      WASI_TRY(check_store(foreign.box.get()));
      return foreign.object;
    }
    case RefKind::instance: {
      const auto& instance = static_cast<const wasm_instance_t&>(ref);
      WASI_TRY(check_store(instance.box.get()));
      return &box.add_host_object(
          [of = instance.instance](const Box& store) { return new wasm_instance_t(store, of); });
    }
    case RefKind::module: {
      const auto& module = static_cast<const wasm_module_t&>(ref);
      return &box.add_host_object(
          [of = module.module, info = module.info](const Box& /*store*/) { return new wasm_module_t(of, info); });
    }
    case RefKind::trap: {
      const auto& trap = static_cast<const wasm_trap_t&>(ref);
      return &box.add_host_object([of = trap.trap, of_box = trap.box, info = trap.info](const Box& /*store*/) {
        return new wasm_trap_t(of, of_box, info);
      });
    }
    case RefKind::value:
    case RefKind::v128:
      return fail(ErrorKind::argument, "the reference cannot be an externref");
    default: {
      const auto& object = static_cast<const wasm_extern_t&>(ref);
      WASI_TRY(check_store(object.box.get()));
      return &box.add_host_object([of = object.object](const Box& store) { return make_extern(store, of); });
    }
  }
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
  const ExternRef pointer{WASI_TRY(as_host_object(*ref, box))};
  return is_any ? Value::any_from_extern(pointer) : Value(pointer);
}

wasm_ref_t* reference_of(const Value& value, const std::shared_ptr<StoreBox>& box) {
  const auto kind = value.reference_kind();
  if (kind == ReferenceKind::null) return nullptr;
  if (kind == ReferenceKind::function) {
    return make_extern(box, runtime::External(reinterpret_cast<runtime::FuncRef*>(value.bits()[0])));
  }
  if (kind == ReferenceKind::host) {
    if (const HostObject* object = box->host_object(value.as_host()->pointer)) return object->handle(box);
  }
  return new ValueRef(box, value);
}

}  // namespace wasi::c

using namespace wasi;

wasm_foreign_t* wasm_foreign_new(wasm_store_t* store) {
  return c::attempt<wasm_foreign_t*>(nullptr, [&]() -> Result<wasm_foreign_t*> {
    if (store == nullptr) return c::null_argument("store");
    c::HostObject& object = store->box->add_host_object({});
    object.handle = [&object](const std::shared_ptr<c::StoreBox>& box) { return new wasm_foreign_t(box, object); };
    return new wasm_foreign_t(store->box, object);
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
  return static_cast<wasirun_ref_kind_t>(*static_cast<const c::ValueRef*>(ref)->value.reference_kind());
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
