// What the tier policy asks of a tier that makes machine code, one function at a time.
#pragma once

#include <wasi/error.h>

namespace wasi::runtime {

struct FunctionCode;
struct ModuleCode;
class Preparation;

class NativeTier {
 public:
  virtual ~NativeTier() = default;
  [[nodiscard]] virtual const char* name() const = 0;

  // Compiles a function whose record is filled and whose body has been validated, and lets callers have the code: sets
  // native_code and the entries. Thread-safe, and called for one function by one thread at a time; `function` may be
  // running meanwhile. Polls `preparation` and takes its memory from it; where that refuses, its error is the result,
  // and nothing is changed.
  virtual Result<void> compile(ModuleCode& module, FunctionCode& function, Preparation& preparation) = 0;
};

}  // namespace wasi::runtime
