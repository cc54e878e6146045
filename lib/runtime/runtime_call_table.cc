#include "runtime/runtime_call_table.h"

#include "runtime/host_function.h"
#include "runtime/native_span.h"
#include "runtime/native_unwind.h"
#include "runtime/poll_entry.h"
#include "runtime/services.h"
#include "runtime/trap_raise.h"

namespace wasi::runtime {

using namespace services;

const RuntimeCall kRuntimeCalls[kRuntimeCallCount] = {
#define RUNTIME_CALL(name) reinterpret_cast<RuntimeCall>(&name),
#define RUNTIME_SERVICE(name) reinterpret_cast<RuntimeCall>(&services::name),
#define RUNTIME_ATOMIC(name) reinterpret_cast<RuntimeCall>(&services::atomic_access<wasm::Op::name>),
#include "runtime/runtime_calls.def"
};

}  // namespace wasi::runtime
