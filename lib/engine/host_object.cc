// Objects of the host in the hands of guests.
#include <wasi/host_object.h>

#include "base/guard.h"
#include "base/result.h"
#include "engine/convert.h"
#include "engine/state.h"
#include "runtime/gc_heap.h"

namespace wasi {

using detail::Internals;

Result<HostObject> HostObject::create_host(const StoreContext& store, std::shared_ptr<void> object, const void* type,
                                           std::size_t size) {
  return guarded([&]() -> Result<HostObject> {
    const detail::StoreRef& ref = Internals::store(store);
    detail::StoreState* const state = ref.get();
    if (state == nullptr) return detail::gone("context");
    if (object == nullptr) return fail(ErrorKind::argument, "a null pointer is no object of the host");
    // What the collector finds dead in here may be all that keeps the store.
    const detail::Hold hold(*state);
    runtime::GcHeap& heap = state->store.heap();
    const std::uint64_t reference = heap.allocate_host_object(std::move(object), type, size);
    if (reference == 0) return fail(ErrorKind::limit, "the store's heap has no room for another object of the host");
    HostObject handle(ref, detail::make_reference(state->store, ValueType::externref(), reference));
    heap.destroy_dead_host_objects();
    return handle;
  });
}

std::shared_ptr<void> HostObject::object_of(const void* type) const {
  if (store_.get() == nullptr) return nullptr;
  const runtime::HostObject& object = runtime::host_object_of(value_.bits()[0]);
  return object.type == type ? object.object : nullptr;
}

std::optional<HostObject> HostObject::from_value(const StoreContext& store, const Value& value) {
  const detail::StoreRef& ref = Internals::store(store);
  detail::StoreState* const state = ref.get();
  if (state == nullptr || value.reference_kind() != ReferenceKind::host_object) return std::nullopt;
  if (!detail::belongs_to(state->store, value)) return std::nullopt;
  return HostObject(ref, Internals::retyped(value, ValueType::externref()));
}

}  // namespace wasi
