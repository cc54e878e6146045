// What the tier policy asks of a tier that makes machine code, one function at a time: quickly, and better where that
// pays.
#pragma once

#include <wasi/error.h>

#include <cstdint>
#include <optional>

namespace wasi::runtime {

struct FunctionCode;
struct ModuleCode;
class Absence;
class Preparation;

class NativeTier {
 public:
  virtual ~NativeTier() = default;
  [[nodiscard]] virtual const char* name() const = 0;

  // Gives a function of a module of this tier's machine code, unless it has some, wherever it runs now: calls that
  // begin from now on are in it. `code` is a filled record. Thread-safe. An Error changes nothing; it is one of the
  // body's, of the preparation, or says what is missing for machine code.
  virtual Result<void> compile_function(ModuleCode& module, FunctionCode& code, Preparation& preparation) = 0;

  // Whether there may be a better compiler. Where it turns out that there is none, optimise() says so, and this.
  [[nodiscard]] virtual bool optimises() const { return false; }
  [[nodiscard]] virtual const char* optimised_name() const { return name(); }
  // As compile_function(), by the better compiler; what the function has of it already stays. With `loop`, the byte
  // offset of a `loop` instruction in the module: makes what a call in progress goes on in at that loop. Where there is
  // an `absence`, it is absent while it compiles, and the module and the tier may be gone afterwards:
  // absence->is_back().
  virtual Result<void> optimise(ModuleCode& module, FunctionCode& code, std::optional<std::uint64_t> loop,
                                Preparation& preparation, Absence* absence);
  // What optimise() made for the loop: takes a pointer to the slots of the frame that is left as its first integer
  // argument, under the native convention, and its results are the function's. Null: nothing yet.
  [[nodiscard]] virtual const void* optimised_loop(const FunctionCode& /*code*/, std::uint64_t /*loop*/) const {
    return nullptr;
  }
};

}  // namespace wasi::runtime
