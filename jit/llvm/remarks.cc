#include "jit/llvm/remarks.h"

#include <llvm/IR/DiagnosticHandler.h>
#include <llvm/IR/DiagnosticInfo.h>

#include <algorithm>
#include <iterator>
#include <memory>

namespace wasi::jit::optimising {

namespace {

struct Row {
  const char* pass;
  UnitOptimisation counted;
};
constexpr Row kRows[] = {
    {"inline", UnitOptimisation::inlined_calls},
    {"loop-vectorize", UnitOptimisation::vectorised_loops},
    {"slp-vectorizer", UnitOptimisation::vectorised_groups},
    {"loop-unroll", UnitOptimisation::unrolled_loops},
};

const Row* row_of(llvm::StringRef pass) {
  const Row* const row = std::ranges::find(kRows, pass, &Row::pass);
  return row != std::end(kRows) ? row : nullptr;
}

class Counter : public llvm::DiagnosticHandler {
 public:
  explicit Counter(Unit& unit) : unit_(unit) {}

  bool handleDiagnostics(const llvm::DiagnosticInfo& info) override {
    if (info.getKind() != llvm::DK_OptimizationRemark) return false;
    const auto& remark = llvm::cast<llvm::OptimizationRemark>(info);
    const Row* const row = row_of(remark.getPassName());
    if (row != nullptr && !unit_.is_copy(remark.getFunction())) unit_.count(row->counted);
    return true;
  }
  bool isAnyRemarkEnabled() const override { return true; }
  bool isPassedOptRemarkEnabled(llvm::StringRef pass) const override { return row_of(pass) != nullptr; }
  bool isMissedOptRemarkEnabled(llvm::StringRef) const override { return false; }
  bool isAnalysisRemarkEnabled(llvm::StringRef) const override { return false; }

 private:
  Unit& unit_;
};

}  // namespace

void count_remarks(Unit& unit) {
  constexpr bool kRespectFilters = true;  // is asked which remarks are wanted
  unit.context.setDiagnosticHandler(std::make_unique<Counter>(unit), kRespectFilters);
}

}  // namespace wasi::jit::optimising
