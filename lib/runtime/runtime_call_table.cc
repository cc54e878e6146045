#include "runtime/runtime_call_table.h"

#include "runtime/native_span.h"
#include "runtime/runtime_calls.h"
#include "runtime/trap_raise.h"

namespace wasi::runtime {

using namespace calls;

const RuntimeCall kRuntimeCalls[kRuntimeCallCount] = {
#define RUNTIME_CALL(name) reinterpret_cast<RuntimeCall>(&name),
#include "runtime/runtime_calls.def"
#undef RUNTIME_CALL
};

}  // namespace wasi::runtime
