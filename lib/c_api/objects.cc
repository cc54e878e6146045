// Handles, and what they share of their store.
#include "c_api/objects.h"

#include <functional>

#include <fmt/format.h>

#include "base/result.h"

namespace wasi::c {

namespace {

// A store's data: where host functions find the box. The copy that a thread's store gets begins anew.
struct BoxOfStore {
  BoxOfStore() = default;
  explicit BoxOfStore(const std::shared_ptr<StoreBox>& of_handles) : box(of_handles) {}
  BoxOfStore(const BoxOfStore& /*of_another_store*/) {}
  BoxOfStore& operator=(const BoxOfStore&) = delete;
  ~BoxOfStore() = default;

  std::weak_ptr<StoreBox> box;
  std::shared_ptr<StoreBox> own;  // of a store that has no other owner
};

RefKind kind_of_extern(wasm::ExternalKind kind) {
  switch (kind) {
    case wasm::ExternalKind::func:
      return RefKind::func;
    case wasm::ExternalKind::table:
      return RefKind::table;
    case wasm::ExternalKind::memory:
      return RefKind::memory;
    case wasm::ExternalKind::global:
      return RefKind::global;
    case wasm::ExternalKind::tag:
      break;
  }
  return RefKind::tag;
}

}  // namespace

StoreBox::~StoreBox() {
  while (!infos_.empty()) infos_.pop_front();
}

StoreBox& StoreBox::of(detail::StoreState& state) {
  auto* held = std::any_cast<BoxOfStore>(&state.data);
  if (held == nullptr) held = &state.data.emplace<BoxOfStore>();
  // Whoever calls a guest keeps the box of the store's handles.
  if (const auto box = held->box.lock()) return *box;
  if (held->own == nullptr) held->own = std::make_shared<StoreBox>(state);
  return *held->own;
}

Result<std::shared_ptr<StoreBox>> StoreBox::make(const Engine& engine, const StoreConfig& config) {
  auto box = std::make_shared<StoreBox>(WASI_TRY(Store::create(engine, config)));
  box->store_->data().emplace<BoxOfStore>(box);
  return box;
}

Result<Store*> StoreBox::store() {
  if (store_) return &*store_;
  return fail(ErrorKind::argument, "a host function can make no objects in the store of a program's thread");
}

Result<wasi::HostObject> StoreBox::make_reference(std::shared_ptr<ExternObject> object) const {
  return wasi::HostObject::create(detail::Internals::context(ref_), std::move(object));
}

HostInfo* StoreBox::host_info(const void* object, const Value* kept, bool make) {
  const auto found = info_of_.find(object);
  if (found != info_of_.end()) return found->second;
  if (!make) return nullptr;
  Attached& attached = infos_.emplace_back();
  if (kept != nullptr) attached.kept = *kept;
  try {
    info_of_.emplace(object, &attached.info);
  } catch (const std::bad_alloc&) {
    infos_.pop_back();
    throw;
  }
  return &attached.info;
}

wasm_extern_t* make_extern(const std::shared_ptr<StoreBox>& box, const runtime::External& object) {
  switch (object.kind) {
    case wasm::ExternalKind::func:
      return new wasm_func_t(box, object);
    case wasm::ExternalKind::table:
      return new wasm_table_t(box, object);
    case wasm::ExternalKind::memory:
      return new wasm_memory_t(box, object);
    case wasm::ExternalKind::global:
      return new wasm_global_t(box, object);
    case wasm::ExternalKind::tag:
      break;
  }
  return new wasirun_tag_t(box, object);
}

wasm_extern_t* make_extern(const std::shared_ptr<StoreBox>& box, const Extern& object) {
  return make_extern(box, detail::Internals::external(object));
}

}  // namespace wasi::c

wasm_extern_t::wasm_extern_t(std::shared_ptr<wasi::c::StoreBox> store, wasi::runtime::External its_object)
    : wasm_ref_t(wasi::c::kind_of_extern(its_object.kind)), box(std::move(store)), object(its_object) {}

wasm_ref_t* wasm_extern_t::copy() const { return wasi::c::make_extern(box, object); }

wasi::c::HostInfo* wasm_extern_t::host_info(bool make) const { return box->host_info(identity(), nullptr, make); }

wasi::c::HostInfo* wasm_instance_t::host_info(bool make) const { return box->host_info(instance, nullptr, make); }
