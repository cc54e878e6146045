// Why guest code stopped: a code, a message and the Wasm frames that were active.
//
// A leaf header: every folder may include it.
#pragma once

#include <wasi/detail/export.h>
#include <wasi/detail/memory.h>

#include <any>
#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wasi {

namespace runtime {
class ThrownException;
}

enum class TrapCode : std::uint8_t {
#define WASI_TRAP(name, message) name,
#include <wasi/traps.def>
#undef WASI_TRAP
};

// The code's message, as the spec's test suite words it: "integer divide by zero".
WASI_API std::string_view message_of(TrapCode code);

// One active Wasm function, innermost first in Trap::backtrace.
struct StackFrame {
  std::string module;                   // name of the module, empty if it has none
  std::string function;                 // from the name section or an export; empty if unknown
  std::uint32_t function_index = 0;     // in the module's function index space
  std::optional<std::uint64_t> offset;  // byte offset of the instruction in the module
  // The same from the begin of the function's body on, which is the first byte of its declarations of locals.
  std::optional<std::uint64_t> function_offset = {};
  std::uint64_t instance = 0;  // Instance::id() of the function's instance; 0: none, or unknown
};

// A trap, or the guest's wish to end (code == TrapCode::exit, with exit_status).
// A plain value: copy it, keep it, use it from any thread.
struct Trap {
  TrapCode code = TrapCode::unreachable;
  std::string message = {};                // message_of(code), with details where there are any
  std::vector<StackFrame> backtrace = {};  // innermost first, cut in the middle if very deep
  std::uint64_t omitted_frames = 0;        // how many frames the cut left out
  std::int32_t exit_status = 0;            // of proc_exit, only with TrapCode::exit
  // With TrapCode::uncaught_exception: what was thrown. Exception::from_trap (exception.h) looks into it.
  std::shared_ptr<const runtime::ThrownException> exception = {};
  // What a host function that fails gives to whoever called the guest: anything that can be copied. It goes unchanged
  // through all guests and host functions that hand the trap on, and no guest sees it. A C++ exception that left a host
  // function is in here as a std::exception_ptr.
  std::any payload = {};

  // What a host function returns, or throws, to fail with a payload. The message becomes "error in a host function: "
  // and `what`, as that of an exception does.
  WASI_API static Trap host_error(std::string_view what, std::any payload = {});
  // The payload when it is a T, else null.
  template <class T>
  [[nodiscard]] const T* payload_as() const {
    return std::any_cast<T>(&payload);
  }
  // The C++ exception that left a host function, to be thrown again by std::rethrow_exception; null where none did.
  [[nodiscard]] std::exception_ptr host_exception() const {
    const auto* const thrown = payload_as<std::exception_ptr>();
    return thrown == nullptr ? nullptr : *thrown;
  }

  [[nodiscard]] bool is_exit() const { return code == TrapCode::exit; }
  // The message and the backtrace, a line per frame, as the CLI prints it. Names, which a guest chooses, and the
  // message are escaped where they could confuse a terminal; the fields have them as they are.
  [[nodiscard]] WASI_API std::string to_string() const;
};

}  // namespace wasi
