// Functions of the host that guests call.
#pragma once

#include <wasi/error.h>
#include <wasi/trap.h>

#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include "runtime/code_entry.h"
#include "runtime/exec_state.h"
#include "runtime/memory.h"
#include "wasm/types.h"

namespace wasi::runtime {

class Instance;
class Store;

// What a host function sees of its call: arguments in slots[0..], results go to slots[0..] (a v128 takes two).
struct HostCall {
  Store& store;
  Instance* caller;  // the instance that called; null when the host itself called
  Slot* slots;

  // The caller's exported memory "memory", or its first one; null where it has none.
  [[nodiscard]] Memory* memory() const;
};

// The body: returns a trap to stop the guest; one that carries an exception of this store throws that. `data` is the
// function's own. C++ exceptions become host_error traps.
using HostBody = std::optional<Trap> (*)(void* data, HostCall& call);

// A host function, owned by the store that it was made in. Its FuncRef is what imports and tables hold.
struct HostFunction {
  FunctionCode code;  // first member: the entry finds the function from its record
  FuncRef ref;
  wasm::TypeId type;
  std::uint32_t slot_count = 0;  // of parameters or results, whichever take more
  HostBody body = nullptr;
  std::shared_ptr<void> data;
  Store* store = nullptr;
  ExecState* exec = nullptr;  // the store's, for machine code
  // How machine code calls it: a C function that takes `direct_data` in front of the Wasm function's own parameters,
  // where the native convention has all of them, and all results, in registers (jit/common/native_abi.h). Null: by
  // slots.
  void (*direct)() = nullptr;
  void* direct_data = nullptr;
  NativeEntry by_slots = nullptr;      // what does not need `direct`, where code.native_entry does
  std::shared_ptr<const void> native;  // what code.native_entry lies in
  // What it was defined as, for people; whoever defined it keeps the texts.
  std::string_view module;
  std::string_view name;
};

// Whose function called the function of the host that runs. With no guest frame above the innermost entry, the host
// itself is the caller: null.
Instance* caller_of(const ExecState& exec);

// The same at the beginning of a `direct` function.
Instance* direct_caller(const ExecState& exec);

// Of the exception that is being handled, which is the trap's payload. A Trap that was thrown is that trap.
Trap trap_of_current_exception();

// The last deed of a `direct` function that failed, for the reason in ExecState::pending, or in which somebody wanted
// something of the store: raises what is due. With an exception, the function returns to where exceptions are seen to,
// in place of its caller. `host_entry`: the store's before the call.
void end_direct_call(ExecState& exec, const HostEntry* host_entry, bool failed);

// The entry of every host function: finds the HostFunction, runs its body, raises its trap.
void host_function_entry(VmContext* instance, Slot* slots, FunctionCode* self);

}  // namespace wasi::runtime
