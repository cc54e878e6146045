// Functions of the host's that are C functions.
#pragma once

#include <wasi/caller.h>

#include <optional>
#include <variant>

#include "c_api/objects.h"
#include "runtime/frame.h"
#include "wasm/types.h"

struct wasirun_caller_t {
  const wasi::Caller& caller;
  wasm_store_t store;
};

namespace wasi::c {

// The function, what it is called with, and its type.
struct HostCallback {
  explicit HostCallback(wasm_func_callback_t its_function) : function(its_function), finalizer(nullptr, nullptr) {}
  HostCallback(wasm_func_callback_with_env_t its_function, Finalizer its_finalizer)
      : function(its_function), finalizer(std::move(its_finalizer)) {}
  HostCallback(wasirun_func_callback_t its_function, Finalizer its_finalizer)
      : function(its_function), finalizer(std::move(its_finalizer)) {}

  [[nodiscard]] bool is_there() const;
  // Before it is run.
  void set_type(wasm::FuncType its_type);
  // Arguments in slots, which take the results. In the store that calls.
  std::optional<Trap> run(detail::StoreState& state, const Caller& caller, runtime::Slot* slots) const;
  // The same with values.
  std::expected<void, Trap> run(detail::StoreState& state, const Caller& caller, std::span<const Value> args,
                                std::span<Value> results) const;

  std::variant<wasm_func_callback_t, wasm_func_callback_with_env_t, wasirun_func_callback_t> function;
  Finalizer finalizer;
  wasm::FuncType type = {};             // set by set_type()
  detail::StoreState* store = nullptr;  // of a function that belongs to one

 private:
  wasm_trap_t* call(detail::StoreState& state, const Caller& caller, const wasm_val_vec_t& args,
                    wasm_val_vec_t& results) const;
  std::optional<Trap> run_with_numbers(detail::StoreState& state, const Caller& caller, runtime::Slot* slots) const;
  bool has_few_numbers_ = false;  // and nothing else
};

}  // namespace wasi::c
