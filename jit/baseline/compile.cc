#include "jit/baseline/compile.h"

#include "base/guard.h"
#include "base/result.h"
#include "jit/baseline/compiler.h"
#include "jit/baseline/scan.h"
#include "jit/baseline/stopped.h"
#include "validate/function_walk.h"

namespace wasi::jit::baseline {

Result<MachineCode> compile(const wasm::Module& module, wasm::FuncIndex function, bool validated,
                            const CompileOptions& options, runtime::Preparation& preparation) {
  try {
    BodyScan body;
    WASI_TRY(scan(body, module, function, validated, preparation));
    Compiler compiler(module, function, body, options, preparation);
    validate::FunctionWalk<Compiler, false> walk(module, function, compiler);
    WASI_TRY(walk.run());
    return compiler.finish();
  } catch (Stopped& stopped) {
    return std::unexpected(std::move(stopped.error));
  }
}

}  // namespace wasi::jit::baseline
