#include "jit/llvm/early_returns.h"

#include <llvm/ADT/DenseMap.h>
#include <llvm/Analysis/ValueTracking.h>
#include <llvm/IR/Constants.h>
#include <llvm/IR/InstIterator.h>
#include <llvm/IR/Instructions.h>
#include <llvm/IR/IntrinsicInst.h>
#include <llvm/Transforms/Utils/BasicBlockUtils.h>
#include <llvm/Transforms/Utils/Local.h>
#include <llvm/Transforms/Utils/ValueMapper.h>

#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace wasi::jit::optimising {

namespace {

// Of the way to the return: more of them cost calls that do not return at once too much.
constexpr std::size_t kMostInstructions = 16;

// The way from a function's entry to a return, as copies that are in no function.
struct EarlyReturn {
  std::vector<std::unique_ptr<llvm::Instruction, void (*)(llvm::Instruction*)>> instructions;
  llvm::Value* condition = nullptr;
  bool is_taken_when = false;  // the condition is this
  llvm::Value* result = nullptr;
};

void drop(llvm::Instruction* instruction) {
  instruction->replaceAllUsesWith(llvm::PoisonValue::get(instruction->getType()));
  instruction->deleteValue();
}

bool calls_itself(const llvm::Function& function) {
  return llvm::any_of(function.users(), [&](const llvm::User* user) {
    const auto* const call = llvm::dyn_cast<llvm::CallInst>(user);
    return call != nullptr && call->getFunction() == &function && call->getCalledFunction() == &function;
  });
}

// Does nothing but compute, or load what is there.
bool is_harmless(const llvm::Instruction& instruction) {
  if (const auto* const load = llvm::dyn_cast<llvm::LoadInst>(&instruction)) return load->isSimple();
  return !instruction.mayReadOrWriteMemory() && !llvm::isa<llvm::CallInst, llvm::AllocaInst>(instruction);
}

std::optional<EarlyReturn> way_out(const llvm::BasicBlock& entry, const llvm::BranchInst& branch, unsigned successor) {
  const llvm::BasicBlock& end = *branch.getSuccessor(successor);
  const auto* const ret = llvm::dyn_cast<llvm::ReturnInst>(end.getTerminator());
  if (ret == nullptr || branch.getSuccessor(0) == branch.getSuccessor(1)) return std::nullopt;

  std::vector<const llvm::Instruction*> way;
  for (const llvm::BasicBlock* const block : {&entry, &end}) {
    for (const llvm::Instruction& instruction : *block) {
      if (instruction.isTerminator() || llvm::isa<llvm::PHINode, llvm::DbgInfoIntrinsic>(instruction)) continue;
      if (!is_harmless(instruction)) return std::nullopt;
      way.push_back(&instruction);
    }
  }
  if (way.size() > kMostInstructions) return std::nullopt;

  EarlyReturn early;
  early.is_taken_when = successor == 0;
  llvm::ValueToValueMapTy copies;
  for (const llvm::PHINode& phi : end.phis()) copies[&phi] = phi.getIncomingValueForBlock(&entry);
  const auto copy_of = [&](llvm::Value* value) {
    // A phi may be of something that was copied itself.
    while (const auto found = copies.lookup(value)) value = found;
    return value;
  };
  for (const llvm::Instruction* const instruction : way) {
    llvm::Instruction* const copy = instruction->clone();
    for (llvm::Use& operand : copy->operands()) operand.set(copy_of(operand.get()));
    early.instructions.emplace_back(copy, drop);
    copies[instruction] = copy;
  }
  early.condition = copy_of(branch.getCondition());
  early.result = copy_of(ret->getReturnValue());
  return early;
}

std::optional<EarlyReturn> early_return_of(const llvm::Function& function) {
  const llvm::BasicBlock& entry = function.getEntryBlock();
  const auto* const branch = llvm::dyn_cast<llvm::BranchInst>(entry.getTerminator());
  if (branch == nullptr || !branch->isConditional()) return std::nullopt;
  for (const unsigned successor : {0U, 1U}) {
    if (auto early = way_out(entry, *branch, successor)) return early;
  }
  return std::nullopt;
}

// Each field of the result by itself: what is in the others is poison mostly.
void join_results(llvm::CallInst& call, llvm::Value* early, llvm::BasicBlock* from, llvm::BasicBlock& join) {
  Builder builder(&join, join.begin());
  builder.SetCurrentDebugLocation(call.getDebugLoc());
  llvm::DenseMap<unsigned, llvm::PHINode*> fields;
  llvm::PHINode* whole = nullptr;
  const std::vector<llvm::User*> users(call.user_begin(), call.user_end());
  for (llvm::User* const user : users) {
    auto* const extract = llvm::dyn_cast<llvm::ExtractValueInst>(user);
    if (extract == nullptr || extract->getNumIndices() != 1) {
      if (whole == nullptr) {
        builder.SetInsertPoint(&join, join.begin());
        whole = builder.CreatePHI(call.getType(), 2);
        whole->addIncoming(early, from);
        whole->addIncoming(&call, call.getParent());
      }
      user->replaceUsesOfWith(&call, whole);
      continue;
    }
    const unsigned index = extract->getIndices().front();
    llvm::PHINode*& field = fields[index];
    if (field == nullptr) {
      builder.SetInsertPoint(&join, join.begin());
      field = builder.CreatePHI(extract->getType(), 2);
      builder.SetInsertPoint(from->getTerminator());
      field->addIncoming(builder.CreateExtractValue(early, index), from);
      builder.SetInsertPoint(call.getParent()->getTerminator());
      field->addIncoming(builder.CreateExtractValue(&call, index), call.getParent());
    }
    extract->replaceAllUsesWith(field);
    extract->eraseFromParent();
  }
}

void return_before(llvm::CallInst& call, const EarlyReturn& early, const llvm::Function& callee) {
  llvm::LLVMContext& context = call.getContext();
  const llvm::DebugLoc location = call.getDebugLoc();
  llvm::BasicBlock* const head = call.getParent();
  llvm::BasicBlock* const called = llvm::SplitBlock(head, call.getIterator());
  llvm::BasicBlock* const join = llvm::SplitBlock(called, std::next(call.getIterator()));

  llvm::DILocation* const at = llvm::DILocation::getDistinct(context, location.getLine(), location.getCol(),
                                                             location.getScope(), location.getInlinedAt());
  llvm::DenseMap<const llvm::MDNode*, llvm::MDNode*> known;
  llvm::ValueToValueMapTy copies;
  for (unsigned i = 0; i < callee.arg_size(); ++i) copies[callee.getArg(i)] = call.getArgOperand(i);
  const auto copy_of = [&](llvm::Value* value) {
    const auto found = copies.lookup(value);
    return found ? static_cast<llvm::Value*>(found) : value;
  };
  for (const auto& instruction : early.instructions) {
    llvm::Instruction* const copy = instruction->clone();
    for (llvm::Use& operand : copy->operands()) operand.set(copy_of(operand.get()));
    copy->insertBefore(head->getTerminator());
    if (copy->getDebugLoc())
      copy->setDebugLoc(llvm::DebugLoc::appendInlinedAt(copy->getDebugLoc(), at, context, known));
    copies[instruction.get()] = copy;
  }
  llvm::Value* const condition = copy_of(early.condition);
  llvm::BranchInst* const branch = early.is_taken_when ? llvm::BranchInst::Create(join, called, condition)
                                                       : llvm::BranchInst::Create(called, join, condition);
  branch->setDebugLoc(location);
  llvm::ReplaceInstWithInst(head->getTerminator(), branch);
  join_results(call, copy_of(early.result), head, *join);
}

}  // namespace

void return_early(Unit& unit) {
  std::vector<std::pair<llvm::Function*, EarlyReturn>> ways;
  for (llvm::Function& function : *unit.module) {
    if (function.isDeclaration() || !calls_itself(function)) continue;
    if (auto early = early_return_of(function)) ways.emplace_back(&function, *std::move(early));
  }
  for (const auto& [function, early] : ways) {
    std::vector<llvm::CallInst*> calls;
    for (llvm::Instruction& instruction : llvm::instructions(*function)) {
      auto* const call = llvm::dyn_cast<llvm::CallInst>(&instruction);
      if (call != nullptr && call->getCalledFunction() == function && !call->isMustTailCall() && call->getDebugLoc())
        calls.push_back(call);
    }
    for (llvm::CallInst* const call : calls) {
      if (unit.applies(UnitOptimisation::early_returns)) return_before(*call, early, *function);
    }
  }
}

}  // namespace wasi::jit::optimising
