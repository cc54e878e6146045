#include "jit/baseline/compile.h"

#include <memory>
#include <utility>

#include "base/guard.h"
#include "base/result.h"
#include "jit/baseline/compiler.h"
#include "jit/baseline/scan.h"
#include "jit/common/stopped.h"
#include "validate/function_walk.h"

namespace wasi::jit::baseline {

namespace {

// One is kept per thread, unless it has become unusually large.
class Lease {
 public:
  Lease() : work_(std::move(spare())) {
    if (!work_) work_ = std::make_unique<Compiler::Workspace>();
  }
  ~Lease() {
    constexpr std::uint64_t kKept = 1U << 20;
    if (work_->held_bytes() <= kKept) spare() = std::move(work_);
  }
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;

  Compiler::Workspace& operator*() { return *work_; }
  Compiler::Workspace* operator->() { return work_.get(); }

 private:
  static std::unique_ptr<Compiler::Workspace>& spare() {
    thread_local std::unique_ptr<Compiler::Workspace> spare;
    return spare;
  }

  std::unique_ptr<Compiler::Workspace> work_;
};

}  // namespace

Result<MachineCode> compile(const wasm::Module& module, wasm::FuncIndex function, bool validated,
                            const CompileOptions& options, runtime::Preparation& preparation) {
  try {
    Lease work;
    WASI_TRY(scan(work->scan, module, function, validated, preparation));
    Compiler compiler(module, function, *work, options, preparation);
    validate::FunctionWalk<Compiler, false> walk(module, function, compiler);
    WASI_TRY(walk.run());
    return compiler.finish();
  } catch (Stopped& stopped) {
    return std::unexpected(std::move(stopped.error));
  }
}

}  // namespace wasi::jit::baseline
