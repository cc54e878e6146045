// What a CallHook is told: calls between host and guest, both ways.
//
// A store that has a hook (StoreConfig::call_hook) makes all such calls the slow way, some tens of nanoseconds more
// each; one that has none makes none of them slower. Calls between guests, and of a guest's own functions, are not
// told.
#pragma once

#include <wasi/detail/export.h>
#include <wasi/function.h>

#include <cstdint>
#include <string>

namespace wasi {

// For each `enters` there is a `leaves` of the same function, in nested order, also where a trap or an exception ends
// the call. The hook runs on the thread of the store; what it throws is lost. It may look at the store and interrupt it
// (Interrupter), but not call into it.
struct CallEvent {
  enum class Kind : std::uint8_t { enters_guest, leaves_guest, enters_host, leaves_host };
  Kind kind = Kind::enters_guest;
  Function function;    // the guest's that the host calls, or the host's that a guest calls
  bool failed = false;  // of one that leaves: by a trap, or an exception that is on its way to who catches it

  // What the function is called: for a guest's by the name section or an export, for a host's "module.name" as it was
  // defined. "function 7" where nobody gave it a name.
  [[nodiscard]] WASI_API std::string name() const;
};

}  // namespace wasi
