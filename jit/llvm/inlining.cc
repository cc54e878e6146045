#include "jit/llvm/inlining.h"

#include <llvm/ADT/DenseSet.h>
#include <llvm/Analysis/InlineCost.h>
#include <llvm/Analysis/ProfileSummaryInfo.h>
#include <llvm/IR/Constants.h>
#include <llvm/IR/InstIterator.h>
#include <llvm/IR/Instructions.h>
#include <llvm/IR/IntrinsicInst.h>
#include <llvm/Transforms/IPO/Inliner.h>
#include <llvm/Transforms/Utils/Local.h>

#include <utility>
#include <vector>

#include "jit/llvm/early_returns.h"
#include "jit/llvm/recursion.h"

namespace wasi::jit::optimising {

namespace {

// In LLVM's units, of which an instruction has five. It takes a call of the prototype for some sixty more than it is.
constexpr int kThreshold = 225;

bool ends_in_tail_call(const llvm::Function& function) {
  for (const llvm::BasicBlock& block : function) {
    if (block.getTerminatingMustTailCall() != nullptr) return true;
  }
  return false;
}

// Else LLVM would make calls of the tail calls.
void keep_tail_calls(llvm::Module& module) {
  llvm::DenseSet<const llvm::Function*> kept;
  for (const llvm::Function& function : module) {
    if (ends_in_tail_call(function)) kept.insert(&function);
  }
  if (kept.empty()) return;
  for (llvm::Function& function : module) {
    for (llvm::Instruction& instruction : llvm::instructions(function)) {
      auto* const call = llvm::dyn_cast<llvm::CallInst>(&instruction);
      if (call != nullptr && !call->isMustTailCall() && kept.contains(call->getCalledFunction())) call->setIsNoInline();
    }
  }
}

// The passes run all the same.
void keep_all_calls(llvm::Module& module) {
  for (llvm::Function& function : module) {
    for (llvm::Instruction& instruction : llvm::instructions(function)) {
      auto* const call = llvm::dyn_cast<llvm::CallInst>(&instruction);
      if (call != nullptr && !llvm::isa<llvm::IntrinsicInst>(call)) call->setIsNoInline();
    }
  }
}

std::vector<llvm::CallInst*> calls_of(const llvm::Function& marker) {
  std::vector<llvm::CallInst*> calls;
  for (const llvm::User* const user : marker.users()) {
    calls.push_back(const_cast<llvm::CallInst*>(llvm::cast<llvm::CallInst>(user)));
  }
  return calls;
}

void answer(llvm::CallInst& question, bool is_so) {
  const std::vector<llvm::User*> users(question.user_begin(), question.user_end());
  question.replaceAllUsesWith(llvm::ConstantInt::getBool(question.getContext(), is_so));
  question.eraseFromParent();
  for (llvm::User* const user : users) {
    if (auto* const branch = llvm::dyn_cast<llvm::BranchInst>(user)) llvm::ConstantFoldTerminator(branch->getParent());
  }
}

// Where an exception leaves a body that is a part of a function in which others catch, it goes on behind the call, as
// behind any. Where nobody does, it leaves the function.
void settle_markers(Unit& unit) {
  for (llvm::CallInst* const place : calls_of(*unit.marker(Unit::Marker::handles))) {
    unit.set_catches(*place->getFunction());
    place->eraseFromParent();
  }
  for (llvm::CallInst* const place : calls_of(*unit.marker(Unit::Marker::looks))) {
    answer(*place, unit.catches(*place->getFunction()));
  }
  for (llvm::CallInst* const place : calls_of(*unit.marker(Unit::Marker::leaves))) {
    const llvm::Function& function = *place->getFunction();
    const std::uint64_t number = llvm::cast<llvm::ConstantInt>(place->getArgOperand(0))->getZExtValue();
    answer(*place, !unit.catches(function) || number == unit.number_of(function));
  }
}

}  // namespace

void inline_calls(Unit& unit, const std::function<llvm::FunctionPassManager()>& simplify,
                  llvm::ModuleAnalysisManager& analyses) {
  llvm::Module& module = *unit.module;
  keep_tail_calls(module);
  if (unit.is_off(UnitOptimisation::inlined_calls)) keep_all_calls(module);
  std::vector<llvm::Function*> functions;
  for (llvm::Function& function : module) {
    if (function.isDeclaration()) continue;
    functions.push_back(&function);
    function.setLinkage(llvm::GlobalValue::ExternalLinkage);
  }
  // The inliner of LLVM's own pipeline, without what draws conclusions.
  llvm::ModuleInlinerWrapperPass inliner(llvm::getInlineParams(kThreshold), false);
  inliner.addModulePass(llvm::RequireAnalysisPass<llvm::ProfileSummaryAnalysis, llvm::Module>());
  inliner.getPM().addPass(llvm::createCGSCCToFunctionPassAdaptor(simplify(), false, true));
  inliner.getPM().addPass(llvm::createCGSCCToFunctionPassAdaptor(
      llvm::RequireAnalysisPass<llvm::ShouldNotRunFunctionPassesAnalysis, llvm::Function>()));
  inliner.addLateModulePass(llvm::createModuleToFunctionPassAdaptor(
      llvm::InvalidateAnalysisPass<llvm::ShouldNotRunFunctionPassesAnalysis>()));
  llvm::ModulePassManager passes;
  passes.addPass(std::move(inliner));
  passes.run(module, analyses);
  llvm::FunctionPassManager again = simplify();
  inline_recursion(unit, again, analyses.getResult<llvm::FunctionAnalysisManagerModuleProxy>(module).getManager());
  return_early(unit);
  for (llvm::Function* const function : functions) {
    if (unit.is_copy(*function)) {
      function->deleteBody();
    } else {
      function->setLinkage(llvm::GlobalValue::WeakAnyLinkage);
    }
  }
  settle_markers(unit);
  // None of the above was a pass: what is known of functions is of what they were.
  analyses.invalidate(module, llvm::PreservedAnalyses::none());
}

}  // namespace wasi::jit::optimising
