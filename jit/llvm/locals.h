// Where Wasm locals are in optimised code, as LLVM says it in the debug information of the object file that it made.
#pragma once

#include <llvm/ADT/StringRef.h>

#include <cstdint>
#include <map>
#include <vector>

#include "jit/common/machine_code.h"

namespace wasi::jit::optimising {

// By functions' begins in the code. Without the locals' types. What LLVM says in words that debuggers would need more
// for than the frame is left out.
using LocalsByFunction = std::map<std::uint64_t, std::vector<LocalPlace>>;
LocalsByFunction read_locals(llvm::StringRef object);

}  // namespace wasi::jit::optimising
