#include "jit/llvm/pipeline.h"

#include <llvm/ADT/STLExtras.h>
#include <llvm/ADT/SmallPtrSet.h>
#include <llvm/Analysis/CGSCCPassManager.h>
#include <llvm/Analysis/LoopAnalysisManager.h>
#include <llvm/Analysis/TargetLibraryInfo.h>
#include <llvm/IR/InstIterator.h>
#include <llvm/IR/PassManager.h>
#include <llvm/Passes/PassBuilder.h>
#include <llvm/Transforms/InstCombine/InstCombine.h>
#include <llvm/Transforms/Scalar/EarlyCSE.h>
#include <llvm/Transforms/Scalar/SROA.h>
#include <llvm/Transforms/Scalar/SimplifyCFG.h>
#include <llvm/Transforms/Utils/LCSSA.h>
#include <llvm/Transforms/Utils/LoopSimplify.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "jit/llvm/inlining.h"
#include "jit/llvm/kept_references.h"
#include "jit/llvm/late.h"
#include "jit/llvm/loop_counts.h"
#include "jit/llvm/narrow_operations.h"
#include "jit/llvm/shared_addresses.h"
#include "jit/llvm/wide_truncations.h"

namespace wasi::jit::optimising {

namespace {

// Whether anything is done with this field of a structure, the result of a function.
bool is_field_wanted(const llvm::Instruction& structure, unsigned field,
                     llvm::SmallPtrSetImpl<const llvm::Instruction*>& seen) {
  if (!seen.insert(&structure).second) return false;
  return llvm::any_of(structure.users(), [&](const llvm::User* user) {
    if (const auto* const extract = llvm::dyn_cast<llvm::ExtractValueInst>(user)) {
      return extract->getIndices().front() == field && !extract->use_empty();
    }
    if (const auto* const insert = llvm::dyn_cast<llvm::InsertValueInst>(user)) {
      return insert->getIndices().front() != field && is_field_wanted(*insert, field, seen);
    }
    return !llvm::isa<llvm::PHINode, llvm::SelectInst, llvm::FreezeInst>(user) ||
           is_field_wanted(*llvm::cast<llvm::Instruction>(user), field, seen);
  });
}

// Loads of linear memory whose value nobody wants can trap: LLVM would take them away.
void keep_dead_loads(Unit& unit, llvm::Function& function) {
  // What nobody wants is found from the ends: an instruction without effects that only such instructions use.
  llvm::SmallPtrSet<const llvm::Instruction*, 32> unwanted;
  std::vector<llvm::Instruction*> ends;
  const auto look_at = [&](llvm::Instruction& instruction) {
    const auto* const load = llvm::dyn_cast<llvm::LoadInst>(&instruction);
    const bool is_load = load != nullptr && !load->isVolatile();
    if (!is_load && (instruction.mayHaveSideEffects() || instruction.isTerminator())) return;
    const bool is_unwanted = llvm::all_of(instruction.users(), [&](const llvm::User* user) {
      if (unwanted.contains(llvm::cast<llvm::Instruction>(user))) return true;
      const auto* const insert = llvm::dyn_cast<llvm::InsertValueInst>(user);
      llvm::SmallPtrSet<const llvm::Instruction*, 8> seen;
      return insert != nullptr && insert->getAggregateOperand() != &instruction &&
             !is_field_wanted(*insert, insert->getIndices().front(), seen);
    });
    if (is_unwanted && unwanted.insert(&instruction).second) ends.push_back(&instruction);
  };
  for (llvm::Instruction& instruction : llvm::instructions(function)) look_at(instruction);
  while (!ends.empty()) {
    llvm::Instruction* const end = ends.back();
    ends.pop_back();
    for (llvm::Value* const operand : end->operands()) {
      if (auto* const instruction = llvm::dyn_cast<llvm::Instruction>(operand)) look_at(*instruction);
    }
    auto* const load = llvm::dyn_cast<llvm::LoadInst>(end);
    if (load == nullptr || !unit.is_of(*load, Region::memory)) continue;
    load->setVolatile(true);
    if (!unit.is_copy(function)) unit.count(UnitOptimisation::kept_loads);
  }
}

// A callee may do nothing with an argument, and a caller nothing with a result.
class KeepDeadLoads : public llvm::PassInfoMixin<KeepDeadLoads> {
 public:
  explicit KeepDeadLoads(Unit& unit) : unit_(&unit) {}
  llvm::PreservedAnalyses run(llvm::Function& function, llvm::FunctionAnalysisManager&) {
    keep_dead_loads(*unit_, function);
    return llvm::PreservedAnalyses::all();
  }

 private:
  Unit* unit_;
};

// Looking for operations to be done together takes much more than linear time in a block.
constexpr std::size_t kMostSlpInstructions = 1000;

std::size_t largest_block(const llvm::Module& module) {
  std::size_t largest = 0;
  for (const llvm::Function& function : module) {
    for (const llvm::BasicBlock& block : function) largest = std::max(largest, block.size());
  }
  return largest;
}

}  // namespace

void optimise(Unit& unit, llvm::TargetMachine& target, const std::function<bool()>& goes_on) {
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager graphs;
  llvm::ModuleAnalysisManager modules;
  llvm::PipelineTuningOptions tuning;
  tuning.LoopVectorization = !unit.is_off(UnitOptimisation::vectorised_loops);
  tuning.LoopUnrolling = !unit.is_off(UnitOptimisation::unrolled_loops);
  tuning.SLPVectorization = !unit.is_off(UnitOptimisation::vectorised_groups);
  llvm::PassInstrumentationCallbacks callbacks;
  callbacks.registerShouldRunOptionalPassCallback([&goes_on](llvm::StringRef, llvm::Any) { return goes_on(); });
  llvm::PassBuilder builder(&target, tuning, std::nullopt, &callbacks);
  // Nothing is linked with the code: there are no functions of a library.
  llvm::TargetLibraryInfoImpl library(target.getTargetTriple());
  library.disableAllFunctions();
  functions.registerPass([&] { return llvm::TargetLibraryAnalysis(library); });
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(graphs);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, graphs, modules);

  llvm::FunctionPassManager first;
  first.addPass(llvm::SROAPass(llvm::SROAOptions::ModifyCFG));
  for (llvm::Function& function : *unit.module) {
    if (function.isDeclaration()) continue;
    first.run(function, functions);
    settle_kept_references(function);
    keep_dead_loads(unit, function);
  }
  functions.clear();
  // As LLVM's own pipeline goes on, but for what draws conclusions from one function for another.
  llvm::FunctionPassManager early;
  early.addPass(llvm::SimplifyCFGPass());
  early.addPass(llvm::EarlyCSEPass());
  early.addPass(llvm::InstCombinePass());
  early.addPass(llvm::SimplifyCFGPass());
  for (llvm::Function& function : *unit.module) {
    if (!function.isDeclaration()) early.run(function, functions);
  }
  functions.clear();
  const auto simplify = [&] {
    llvm::FunctionPassManager passes;
    passes.addPass(KeepDeadLoads(unit));
    passes.addPass(
        builder.buildFunctionSimplificationPipeline(llvm::OptimizationLevel::O2, llvm::ThinOrFullLTOPhase::None));
    return passes;
  };
  inline_calls(unit, simplify, modules);
  tuning.SLPVectorization &= largest_block(*unit.module) <= kMostSlpInstructions;
  llvm::PassBuilder later(&target, tuning, std::nullopt, &callbacks);
  later.registerOptimizerEarlyEPCallback([&unit](llvm::ModulePassManager& passes, llvm::OptimizationLevel) {
    llvm::FunctionPassManager own;
    own.addPass(llvm::LoopSimplifyPass());
    own.addPass(llvm::LCSSAPass());
    own.addPass(CountLoops(unit));
    own.addPass(ShareAddresses(unit));
    own.addPass(llvm::EarlyCSEPass());
    passes.addPass(llvm::createModuleToFunctionPassAdaptor(std::move(own)));
  });
  later.buildModuleOptimizationPipeline(llvm::OptimizationLevel::O2, llvm::ThinOrFullLTOPhase::None)
      .run(*unit.module, modules);
  for (llvm::Function& function : *unit.module) {
    if (function.isDeclaration()) continue;
    if (expand_wide_truncations(unit, function)) {
      llvm::FunctionPassManager again;
      again.addPass(llvm::InstCombinePass());
      again.run(function, functions);
    }
    narrow_operations(unit, function);
    settle_kept_references(function);
    store_kept_references(unit, function);
    functions.clear();
    finish_function(unit, function, functions);
  }
}

}  // namespace wasi::jit::optimising
