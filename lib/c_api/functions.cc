// Functions: calls into guests, and functions of the host's.
#include <wasi/caller.h>

#include <algorithm>
#include <array>

#include "base/guard.h"
#include "c_api/host_callback.h"
#include "c_api/types.h"
#include "c_api/values.h"
#include "engine/convert.h"
#include "wasm/types.h"

using namespace wasi;

namespace {

// Of a function whose store is there.
const wasm::FuncType& type_of(const wasm_func_t& func) { return func.box->registry().at(func.object.func->type).func; }

// Slots for the values of a call, without an allocation where there are few.
class Slots {
 public:
  explicit Slots(std::size_t count) {
    if (count > few_.size()) many_.resize(count);
    all_ = count > few_.size() ? std::span(many_) : std::span(few_);
  }
  Slots(const Slots&) = delete;
  Slots& operator=(const Slots&) = delete;
  ~Slots() = default;
  [[nodiscard]] runtime::Slot* data() { return all_.data(); }
  [[nodiscard]] std::span<detail::Slot> raw() { return {reinterpret_cast<detail::Slot*>(all_.data()), all_.size()}; }

 private:
  std::array<runtime::Slot, 16> few_;
  std::vector<runtime::Slot> many_;
  std::span<runtime::Slot> all_;
};

std::optional<Trap> call(const wasm_func_t& func, const wasm_val_vec_t* args, wasm_val_vec_t* results,
                         c::StoreBox& box) {
  if (box.is_gone()) return detail::gone_trap();
  const wasm::FuncType& type = type_of(func);
  Slots slots(std::max(wasm::slot_count(type.params), wasm::slot_count(type.results)));
  std::span<const wasm_val_t> given;
  if (args != nullptr) given = {args->data, args->size};
  if (auto wrong = c::write_slots(slots.data(), given, type.params, box, "argument")) {
    return Trap{.code = TrapCode::host_error, .message = *std::move(wrong)};
  }
  detail::StoreState& state = box.state();
  const detail::Hold hold(state);
  if (!detail::call(state, *func.object.func, slots.raw())) return detail::take_trap(state);
  // Not before: programs give no room to functions of which they know that they trap.
  const std::size_t room = results == nullptr ? 0 : results->size;
  if (room < type.results.size()) {
    return Trap{.code = TrapCode::host_error,
                .message = fmt::format("there are {} results, and room for {}", type.results.size(), room)};
  }
  if (room != 0) c::read_slots(slots.data(), type.results, box, results->data);
  return std::nullopt;
}

// What a host function gets from machine code and the interpreter.
std::optional<Trap> enter_callback(void* data, runtime::HostCall& call) {
  auto& callback = *static_cast<c::HostCallback*>(data);
  Caller caller = detail::Internals::caller(*callback.store, call.caller);
  return callback.run(*callback.store, caller, call.slots);
}

wasm_func_t* make_function(wasm_store_t* store, const wasm_functype_t* type, c::HostCallback callback) {
  return c::attempt<wasm_func_t*>(nullptr, [&]() -> Result<wasm_func_t*> {
    if (store == nullptr || type == nullptr) return c::null_argument("store and the type");
    if (!callback.is_there()) return c::null_argument("callback");
    detail::StoreState& state = store->box->state();
    const wasm::TypeRef held = WASI_TRY(
        detail::add_function_type(*state.engine->registry, c::types_in(*type->params), c::types_in(*type->results)));
    callback.set_type(state.engine->registry->at(held.id()).func);
    callback.store = &state;
    runtime::HostFunction* const made = state.store.add_host_function(
        held.id(), &enter_callback, std::make_shared<c::HostCallback>(std::move(callback)));
    return static_cast<wasm_func_t*>(c::make_extern(store->box, runtime::External(&made->ref)));
  });
}

}  // namespace

size_t wasm_func_param_arity(const wasm_func_t* func) {
  return func->box->is_gone() ? 0 : type_of(*func).params.size();
}
size_t wasm_func_result_arity(const wasm_func_t* func) {
  return func->box->is_gone() ? 0 : type_of(*func).results.size();
}

wasm_trap_t* wasm_func_call(const wasm_func_t* func, const wasm_val_vec_t* args, wasm_val_vec_t* results) {
  // Host functions may delete the handle, and all others.
  const std::shared_ptr<c::StoreBox> box = func->box;
  try {
    auto trap = call(*func, args, results, *box);
    return trap ? c::make_trap(*std::move(trap), box) : nullptr;
  } catch (...) {
    return c::make_trap(c::error_of_current_exception(), box);
  }
}

wasm_func_t* wasm_func_new(wasm_store_t* store, const wasm_functype_t* type, wasm_func_callback_t callback) {
  return make_function(store, type, c::HostCallback(callback));
}

wasm_func_t* wasm_func_new_with_env(wasm_store_t* store, const wasm_functype_t* type,
                                    wasm_func_callback_with_env_t callback, void* env, void (*finalizer)(void*)) {
  return make_function(store, type, c::HostCallback(callback, c::Finalizer(env, finalizer)));
}

// ---- wasirun.h ----

wasm_func_t* wasirun_func_new(wasm_store_t* store, const wasm_functype_t* type, wasirun_func_callback_t callback,
                              void* env, void (*finalizer)(void* env)) {
  return make_function(store, type, c::HostCallback(callback, c::Finalizer(env, finalizer)));
}

wasm_store_t* wasirun_caller_store(wasirun_caller_t* caller) { return &caller->store; }

byte_t* wasirun_caller_memory(const wasirun_caller_t* caller, size_t* size) {
  const auto bytes = caller->caller.memory().bytes();
  if (size != nullptr) *size = bytes.size();
  return caller->caller.memory() ? reinterpret_cast<byte_t*>(bytes.data()) : nullptr;
}

wasm_extern_t* wasirun_caller_export(const wasirun_caller_t* caller, const char* name) {
  return c::attempt<wasm_extern_t*>(nullptr, [&]() -> Result<wasm_extern_t*> {
    const auto instance = caller->caller.instance();
    if (!instance) return fail(ErrorKind::argument, "no guest called the function, so there are no exports");
    const auto object = instance->get(name);
    if (!object) return fail(ErrorKind::argument, "the calling instance exports no \"{}\"", name);
    return c::make_extern(caller->store.box, *object);
  });
}
