// Names for what a CallHook is told.
#include <fmt/format.h>
#include <wasi/call_hook.h>

#include "engine/state.h"
#include "runtime/backtrace.h"
#include "runtime/host_function.h"

namespace wasi {

std::string CallEvent::name() const {
  const runtime::FuncRef& called = *detail::Internals::function(function);
  if (called.instance != nullptr) {
    // Not by its record, which is filled when it is first called.
    runtime::ModuleCode& code = *runtime::Instance::from(called.instance)->code;
    const auto defined = static_cast<std::uint32_t>(called.code - code.functions);
    const StackFrame frame = runtime::describe_function(code, code.module->imported_functions + defined);
    return frame.function.empty() ? fmt::format("function {}", frame.function_index) : frame.function;
  }
  const auto& host = *reinterpret_cast<const runtime::HostFunction*>(called.code);
  return host.name.empty() && host.module.empty() ? "a function of the host"
                                                  : fmt::format("{}.{}", host.module, host.name);
}

}  // namespace wasi
