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

  // Gives a function of a module of this tier's machine code, unless it has some, wherever it runs now: calls that
  // begin from now on are in it. `code` is a filled record. Thread-safe. An Error changes nothing; it is one of the
  // body's, of the preparation, or says what is missing for machine code.
  virtual Result<void> compile_function(ModuleCode& module, FunctionCode& code, Preparation& preparation) = 0;
};

}  // namespace wasi::runtime
