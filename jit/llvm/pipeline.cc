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
#include <llvm/Transforms/Scalar/SROA.h>

#include <vector>

#include "jit/llvm/kept_references.h"
#include "jit/llvm/late.h"
#include "jit/llvm/wide_truncations.h"

namespace wasi::jit::optimising {

namespace {

// Loads of linear memory whose value nobody wants can trap: LLVM would take them away.
void keep_dead_loads(const Unit& unit, llvm::Function& function) {
  // What nobody wants is found from the ends: an instruction without effects that only such instructions use.
  llvm::SmallPtrSet<const llvm::Instruction*, 32> unwanted;
  std::vector<llvm::Instruction*> ends;
  const auto look_at = [&](llvm::Instruction& instruction) {
    const auto* const load = llvm::dyn_cast<llvm::LoadInst>(&instruction);
    const bool is_load = load != nullptr && !load->isVolatile();
    if (!is_load && (instruction.mayHaveSideEffects() || instruction.isTerminator())) return;
    const bool is_unwanted = llvm::all_of(instruction.users(), [&](const llvm::User* user) {
      return unwanted.contains(llvm::cast<llvm::Instruction>(user));
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
    if (load != nullptr && unit.is_of(*load, Region::memory)) load->setVolatile(true);
  }
}

}  // namespace

void optimise(Unit& unit, llvm::TargetMachine& target, const OptimisingOptions& /*options*/) {
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager graphs;
  llvm::ModuleAnalysisManager modules;
  llvm::PipelineTuningOptions tuning;
  tuning.LoopVectorization = true;
  tuning.SLPVectorization = true;
  llvm::PassBuilder builder(&target, tuning);
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
  builder.buildPerModuleDefaultPipeline(llvm::OptimizationLevel::O2).run(*unit.module, modules);
  for (llvm::Function& function : *unit.module) {
    if (function.isDeclaration()) continue;
    if (expand_wide_truncations(function)) {
      llvm::FunctionPassManager again;
      again.addPass(llvm::InstCombinePass());
      again.run(function, functions);
    }
    settle_kept_references(function);
    store_kept_references(function);
    functions.clear();
    finish_function(unit, function, functions);
  }
}

}  // namespace wasi::jit::optimising
