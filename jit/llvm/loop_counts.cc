#include "jit/llvm/loop_counts.h"

#include <llvm/Analysis/LoopInfo.h>
#include <llvm/Analysis/ScalarEvolution.h>
#include <llvm/Analysis/ScalarEvolutionExpressions.h>
#include <llvm/IR/Dominators.h>
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/MDBuilder.h>
#include <llvm/Transforms/Utils/BasicBlockUtils.h>
#include <llvm/Transforms/Utils/Cloning.h>
#include <llvm/Transforms/Utils/LoopUtils.h>
#include <llvm/Transforms/Utils/ScalarEvolutionExpander.h>

#include <optional>
#include <vector>

#include "jit/llvm/reroll.h"

namespace wasi::jit::optimising {

namespace {

// Larger loops gain little, and are there twice afterwards.
constexpr unsigned kMostInstructions = 400;

// What the loop's only exit compares, at its end.
struct Exit {
  llvm::ICmpInst* comparison = nullptr;
  llvm::BranchInst* branch = nullptr;
  const llvm::SCEV* distance = nullptr;  // in the direction of the steps, when the loop is about to turn first
  unsigned step_log2 = 0;
};

std::optional<Exit> exit_of(const llvm::Loop& loop, llvm::ScalarEvolution& evolution) {
  llvm::BasicBlock* const latch = loop.getLoopLatch();
  if (latch == nullptr || loop.getExitingBlock() != latch || loop.getExitBlock() == nullptr) return std::nullopt;
  Exit exit{.branch = llvm::dyn_cast<llvm::BranchInst>(latch->getTerminator())};
  if (exit.branch == nullptr || !exit.branch->isConditional()) return std::nullopt;
  exit.comparison = llvm::dyn_cast<llvm::ICmpInst>(exit.branch->getCondition());
  if (exit.comparison == nullptr || !exit.comparison->isEquality() || !exit.comparison->hasOneUse() ||
      !exit.comparison->getOperand(0)->getType()->isIntegerTy()) {
    return std::nullopt;
  }
  // It goes on while they differ.
  const bool leaves_if_equal = exit.comparison->getPredicate() == llvm::CmpInst::ICMP_EQ;
  if (loop.contains(exit.branch->getSuccessor(leaves_if_equal ? 0 : 1))) return std::nullopt;
  for (const unsigned counting : {0U, 1U}) {
    const llvm::SCEV* const end = evolution.getSCEV(exit.comparison->getOperand(1 - counting));
    const auto* const counter =
        llvm::dyn_cast<llvm::SCEVAddRecExpr>(evolution.getSCEV(exit.comparison->getOperand(counting)));
    if (counter == nullptr || counter->getLoop() != &loop || !counter->isAffine() ||
        !evolution.isLoopInvariant(end, &loop)) {
      continue;
    }
    const auto* const step = llvm::dyn_cast<llvm::SCEVConstant>(counter->getStepRecurrence(evolution));
    if (step == nullptr) continue;
    const llvm::APInt& by = step->getAPInt();
    const llvm::APInt size = by.abs();
    if (!size.isPowerOf2() || size.isOne()) continue;
    exit.step_log2 = size.logBase2();
    exit.distance = by.isNegative() ? evolution.getMinusSCEV(counter->getStart(), end)
                                    : evolution.getMinusSCEV(end, counter->getStart());
    return exit;
  }
  return std::nullopt;
}

unsigned instructions_of(const llvm::Loop& loop) {
  unsigned count = 0;
  for (const llvm::BasicBlock* const block : loop.blocks()) count += static_cast<unsigned>(block->size());
  return count;
}

void count(llvm::Loop& loop, const Exit& exit, llvm::LoopInfo& loops, llvm::DominatorTree& dominators,
           llvm::ScalarEvolution& evolution) {
  llvm::BasicBlock* const before = loop.getLoopPreheader();
  llvm::BasicBlock* const latch = loop.getLoopLatch();
  llvm::BasicBlock* const behind = loop.getExitBlock();
  llvm::Type* const type = exit.distance->getType();
  llvm::SCEVExpander expander(evolution, latch->getDataLayout(), "distance");
  llvm::Instruction* const end = before->getTerminator();
  llvm::Value* const distance = expander.expandCodeFor(exit.distance, type, end->getIterator());

  // The other loop, with a way to it.
  llvm::BasicBlock* const into = llvm::SplitBlock(before, end, &dominators, &loops);
  llvm::ValueToValueMapTy copies;
  llvm::SmallVector<llvm::BasicBlock*, 8> blocks;
  llvm::Loop* const other =
      llvm::cloneLoopWithPreheader(into, before, &loop, copies, ".unmeasured", &loops, &dominators, blocks);
  llvm::remapInstructionsInBlocks(blocks, copies);
  for (llvm::PHINode& phi : behind->phis()) {
    llvm::Value* const value = phi.getIncomingValueForBlock(latch);
    const auto copy = copies.find(value);
    phi.addIncoming(copy != copies.end() ? static_cast<llvm::Value*>(copy->second) : value,
                    llvm::cast<llvm::BasicBlock>(copies[latch]));
  }
  llvm::IRBuilder<> builder(before->getTerminator());
  llvm::Value* const rest =
      builder.CreateAnd(distance, llvm::ConstantInt::get(type, (std::uint64_t{1} << exit.step_log2) - 1));
  llvm::Value* const is_multiple = builder.CreateICmpEQ(rest, llvm::ConstantInt::get(type, 0));
  llvm::Value* const turns = builder.CreateLShr(distance, exit.step_log2);
  builder.CreateCondBr(is_multiple, into, other->getLoopPreheader(),
                       llvm::MDBuilder(before->getContext()).createBranchWeights(1U << 20, 1));
  before->getTerminator()->eraseFromParent();
  dominators.changeImmediateDominator(behind, before);
  llvm::addStringMetadataToLoop(other, "llvm.loop.vectorize.enable", 0);
  llvm::addStringMetadataToLoop(other, "llvm.loop.unroll.disable");

  // The counter.
  builder.SetInsertPoint(loop.getHeader(), loop.getHeader()->begin());
  llvm::PHINode* const left = builder.CreatePHI(type, 2, "left");
  builder.SetInsertPoint(exit.comparison);
  left->addIncoming(turns, into);
  left->addIncoming(builder.CreateSub(left, llvm::ConstantInt::get(type, 1)), latch);
  exit.branch->setCondition(builder.CreateICmp(exit.comparison->getPredicate(), left, llvm::ConstantInt::get(type, 0)));
  exit.comparison->eraseFromParent();
  evolution.forgetLoop(&loop);
}

}  // namespace

llvm::PreservedAnalyses CountLoops::run(llvm::Function& function, llvm::FunctionAnalysisManager& analyses) {
  llvm::LoopInfo& loops = analyses.getResult<llvm::LoopAnalysis>(function);
  if (loops.empty()) return llvm::PreservedAnalyses::all();
  llvm::DominatorTree& dominators = analyses.getResult<llvm::DominatorTreeAnalysis>(function);
  llvm::ScalarEvolution& evolution = analyses.getResult<llvm::ScalarEvolutionAnalysis>(function);
  bool has_changed = false;
  for (llvm::Loop* const loop : loops.getLoopsInPreorder()) {
    if (!loop->isInnermost() || !loop->isLoopSimplifyForm() || instructions_of(*loop) > kMostInstructions ||
        !loop->isLCSSAForm(dominators)) {
      continue;
    }
    if (!evolution.hasLoopInvariantBackedgeTakenCount(loop)) {
      const auto exit = exit_of(*loop, evolution);
      llvm::SCEVExpander expander(evolution, function.getDataLayout(), "");
      if (!exit || !expander.isSafeToExpandAt(exit->distance, loop->getLoopPreheader()->getTerminator())) continue;
      if (!unit_->applies(UnitOptimisation::counted_loops)) continue;
      count(*loop, *exit, loops, dominators, evolution);
      has_changed = true;
    }
    has_changed |= reroll(*unit_, *loop, evolution);
  }
  return has_changed ? llvm::PreservedAnalyses::none() : llvm::PreservedAnalyses::all();
}

}  // namespace wasi::jit::optimising
