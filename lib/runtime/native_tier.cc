#include "runtime/native_tier.h"

#include "base/result.h"

namespace wasi::runtime {

Result<void> NativeTier::optimise(ModuleCode& /*module*/, FunctionCode& /*code*/, std::optional<std::uint64_t> /*loop*/,
                                  Preparation& /*preparation*/, Absence* /*absence*/) {
  return fail(ErrorKind::unsupported, "{} has no better compiler", name());
}

}  // namespace wasi::runtime
