// The objects of the C interface: handles, all of which are references, and what they share of their store.
#pragma once

#include <any>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <unordered_map>
#include <utility>

#include "c_api/error.h"
#include "c_api/vector.h"
#include "engine/state.h"
#include "wasirun.h"

namespace wasi::c {

class StoreBox;

// The host's pointer that an object has.
class HostInfo {
 public:
  HostInfo() = default;
  HostInfo(const HostInfo&) = delete;
  HostInfo& operator=(const HostInfo&) = delete;
  ~HostInfo() { set(nullptr, nullptr); }
  void set(void* info, void (*finalizer)(void*)) {
    void* const old = std::exchange(info_, info);
    if (void (*const finalize)(void*) = std::exchange(finalizer_, finalizer)) finalize(old);
  }
  [[nodiscard]] void* get() const { return info_; }

 private:
  void* info_ = nullptr;
  void (*finalizer_)(void*) = nullptr;
};

// A finalizer that is still to be called with `data`.
class Finalizer {
 public:
  Finalizer(void* data, void (*function)(void*)) : data_(data), function_(function) {}
  Finalizer(Finalizer&& other) noexcept : data_(other.data_), function_(std::exchange(other.function_, nullptr)) {}
  Finalizer& operator=(Finalizer&&) = delete;
  ~Finalizer() {
    if (function_ != nullptr) function_(data_);
  }
  [[nodiscard]] void* data() const { return data_; }

 private:
  void* data_;
  void (*function_)(void*);
};

// An object of this interface's that guests have as externref: a foreign one, or any other, which is made a handle to
// again when it comes back. The store's collector owns it, and it does not own the store.
struct ExternObject {
  using MakeHandle = std::function<wasm_ref_t*(const std::shared_ptr<StoreBox>& box)>;
  MakeHandle handle;  // empty: it is a foreign one
  HostInfo info;      // which has this
};

// What the handles of a store share. Handles own it, what lies in the store does not: guests hold that for ever.
class StoreBox : public std::enable_shared_from_this<StoreBox> {
 public:
  explicit StoreBox(Store store)
      : store_(std::move(store)), ref_(detail::Internals::state(*store_)), registry_(state().engine->registry) {}
  // Of a store that somebody else made: that of a program's thread.
  explicit StoreBox(detail::StoreState& its_state)
      : ref_(detail::StoreRef::borrowed(its_state)), registry_(its_state.engine->registry) {}
  StoreBox(const StoreBox&) = delete;
  StoreBox& operator=(const StoreBox&) = delete;
  ~StoreBox();

  // The box of a store, in calls of its host functions.
  static StoreBox& of(detail::StoreState& state);
  static Result<std::shared_ptr<StoreBox>> make(const Engine& engine, const StoreConfig& config);

  [[nodiscard]] const detail::StoreRef& ref() const { return ref_; }
  [[nodiscard]] detail::StoreState& state() const { return *ref_.get(); }
  // The store itself, in which objects are made; `argument` in a thread's.
  [[nodiscard]] Result<Store*> store();
  // Of a handle that a host function got in the store of a program's thread, which has ended.
  [[nodiscard]] bool is_gone() const { return ref_.get() == nullptr; }
  [[nodiscard]] const wasm::TypeRegistry& registry() const { return *registry_; }

  // A new reference to an object, which lives until neither a guest nor the host has a reference to it any more.
  [[nodiscard]] Result<wasi::HostObject> make_reference(std::shared_ptr<ExternObject> object) const;

  // Of an object of the store; null where it has none and none is to be made. `kept` keeps the object's address its
  // own.
  HostInfo* host_info(const void* object, const Value* kept, bool make);

 private:
  struct Attached {
    HostInfo info;
    Value kept;
  };
  std::optional<Store> store_;
  detail::StoreRef ref_;
  std::shared_ptr<wasm::TypeRegistry> registry_;
  // Finalizers run in the order in which the objects got them.
  std::deque<Attached> infos_;
  std::unordered_map<const void*, HostInfo*> info_of_;
};

enum class RefKind : std::uint8_t { func, global, table, memory, tag, instance, module, trap, foreign, value, v128 };

}  // namespace wasi::c

struct wasm_config_t {
  wasi::EngineConfig config;
};

struct wasm_engine_t {
  wasi::Engine engine;
};

struct wasm_store_t {
  std::shared_ptr<wasi::c::StoreBox> box;
};

struct wasm_ref_t {
  wasm_ref_t(const wasm_ref_t&) = delete;
  wasm_ref_t& operator=(const wasm_ref_t&) = delete;
  virtual ~wasm_ref_t() = default;
  // Another handle to the same object.
  [[nodiscard]] virtual wasm_ref_t* copy() const = 0;
  // Tells objects apart.
  [[nodiscard]] virtual const void* identity() const = 0;
  // Null where it has none and none is to be made.
  [[nodiscard]] virtual wasi::c::HostInfo* host_info(bool make) const = 0;

  const wasi::c::RefKind kind;

 protected:
  explicit wasm_ref_t(wasi::c::RefKind its_kind) : kind(its_kind) {}
};

struct wasm_extern_t : wasm_ref_t {
  wasm_extern_t(std::shared_ptr<wasi::c::StoreBox> store, wasi::runtime::External its_object);
  [[nodiscard]] wasm_ref_t* copy() const override;
  [[nodiscard]] const void* identity() const override { return object.func; }
  [[nodiscard]] wasi::c::HostInfo* host_info(bool make) const override;
  // The same in C++. It does not own the store.
  [[nodiscard]] wasi::Extern external() const { return wasi::detail::Internals::external(box->ref(), object); }

  std::shared_ptr<wasi::c::StoreBox> box;
  wasi::runtime::External object;
};
// One type for each kind, so that C tells them apart.
struct wasm_func_t final : wasm_extern_t {
  using wasm_extern_t::wasm_extern_t;
};
struct wasm_global_t final : wasm_extern_t {
  using wasm_extern_t::wasm_extern_t;
};
struct wasm_table_t final : wasm_extern_t {
  using wasm_extern_t::wasm_extern_t;
};
struct wasm_memory_t final : wasm_extern_t {
  using wasm_extern_t::wasm_extern_t;
};
struct wasirun_tag_t final : wasm_extern_t {
  using wasm_extern_t::wasm_extern_t;
};

struct wasm_instance_t final : wasm_ref_t {
  wasm_instance_t(std::shared_ptr<wasi::c::StoreBox> store, wasi::runtime::Instance* its_instance)
      : wasm_ref_t(wasi::c::RefKind::instance), box(std::move(store)), instance(its_instance) {}
  [[nodiscard]] wasm_ref_t* copy() const override { return new wasm_instance_t(box, instance); }
  [[nodiscard]] const void* identity() const override { return instance; }
  [[nodiscard]] wasi::c::HostInfo* host_info(bool make) const override;
  [[nodiscard]] wasi::Instance handle() const { return wasi::detail::Internals::instance(box->ref(), instance); }

  std::shared_ptr<wasi::c::StoreBox> box;
  wasi::runtime::Instance* instance;
};

struct wasm_module_t final : wasm_ref_t {
  explicit wasm_module_t(wasi::Module its_module)
      : wasm_module_t(std::move(its_module), std::make_shared<wasi::c::HostInfo>()) {}
  wasm_module_t(wasi::Module its_module, std::shared_ptr<wasi::c::HostInfo> its_info)
      : wasm_ref_t(wasi::c::RefKind::module), module(std::move(its_module)), info(std::move(its_info)) {}
  [[nodiscard]] wasm_ref_t* copy() const override { return new wasm_module_t(module, info); }
  [[nodiscard]] const void* identity() const override { return info.get(); }
  [[nodiscard]] wasi::c::HostInfo* host_info(bool /*make*/) const override { return info.get(); }

  wasi::Module module;
  std::shared_ptr<wasi::c::HostInfo> info;
};

struct wasm_shared_module_t {
  wasi::Module module;
};

struct wasm_trap_t final : wasm_ref_t {
  wasm_trap_t(wasi::Trap its_trap, std::weak_ptr<wasi::c::StoreBox> store, std::shared_ptr<wasi::c::HostInfo> its_info)
      : wasm_ref_t(wasi::c::RefKind::trap),
        trap(std::move(its_trap)),
        box(std::move(store)),
        info(std::move(its_info)) {}
  [[nodiscard]] wasm_ref_t* copy() const override { return new wasm_trap_t(trap, box, info); }
  [[nodiscard]] const void* identity() const override { return info.get(); }
  [[nodiscard]] wasi::c::HostInfo* host_info(bool /*make*/) const override { return info.get(); }

  wasi::Trap trap;
  std::weak_ptr<wasi::c::StoreBox> box;  // that its frames and its exception are of
  std::shared_ptr<wasi::c::HostInfo> info;
};

struct wasm_foreign_t final : wasm_ref_t {
  wasm_foreign_t(std::shared_ptr<wasi::c::StoreBox> store, wasi::HostObject its_reference,
                 std::shared_ptr<wasi::c::ExternObject> its_object)
      : wasm_ref_t(wasi::c::RefKind::foreign),
        box(std::move(store)),
        reference(std::move(its_reference)),
        object(std::move(its_object)) {}
  [[nodiscard]] wasm_ref_t* copy() const override { return new wasm_foreign_t(box, reference, object); }
  [[nodiscard]] const void* identity() const override { return object.get(); }
  [[nodiscard]] wasi::c::HostInfo* host_info(bool /*make*/) const override { return &object->info; }

  std::shared_ptr<wasi::c::StoreBox> box;
  wasi::HostObject reference;
  std::shared_ptr<wasi::c::ExternObject> object;
};

namespace wasi::c {

wasm_extern_t* make_extern(const std::shared_ptr<StoreBox>& box, const runtime::External& object);
// Of an object that belongs to the box's store.
wasm_extern_t* make_extern(const std::shared_ptr<StoreBox>& box, const Extern& object);

// A trap as an object. Where there is no memory for it, the one that stands for having none.
wasm_trap_t* make_trap(Trap trap, const std::shared_ptr<StoreBox>& box) noexcept;
wasm_trap_t* make_trap(const Error& error, const std::shared_ptr<StoreBox>& box) noexcept;
// What a host function returned, to be handed to the guests' callers. Takes over the object.
Trap release_trap(wasm_trap_t* trap);
bool is_permanent(const wasm_ref_t* ref);

}  // namespace wasi::c
