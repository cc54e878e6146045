#include "jit/llvm/kept_references.h"

#include <llvm/ADT/DenseMap.h>
#include <llvm/ADT/DenseSet.h>
#include <llvm/ADT/SetVector.h>
#include <llvm/ADT/SmallVector.h>
#include <llvm/IR/DebugInfoMetadata.h>
#include <llvm/IR/Dominators.h>
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/InstIterator.h>
#include <llvm/IR/Instructions.h>
#include <llvm/IR/IntrinsicInst.h>
#include <llvm/Transforms/Utils/Local.h>

#include <cstdint>
#include <utility>
#include <vector>

namespace wasi::jit::optimising {

namespace {

// The operands in front of the references.
constexpr unsigned kHeadOperands = 2;
// Beyond that many steps, what is named stays named.
constexpr std::uint64_t kMostSteps = 1U << 26;

bool is_place(const llvm::Instruction& instruction) {
  const auto* const call = llvm::dyn_cast<llvm::IntrinsicInst>(&instruction);
  return call != nullptr && call->getIntrinsicID() == llvm::Intrinsic::experimental_stackmap;
}

// The result may be an address that was computed from an operand.
bool computes(const llvm::Instruction& instruction) {
  return llvm::isa<llvm::BinaryOperator, llvm::CastInst, llvm::GetElementPtrInst, llvm::SelectInst, llvm::PHINode,
                   llvm::FreezeInst>(instruction);
}

// Where an instruction is, also as a part of the functions around the one that it comes from.
using Location = std::pair<std::pair<const llvm::Metadata*, const llvm::Metadata*>, unsigned>;
Location location_of(const llvm::DILocation& at) { return {{at.getScope(), at.getInlinedAt()}, at.getLine()}; }

// Where calls are. What became a part of the function has the location of the call that it replaced around its own.
class Calls {
 public:
  explicit Calls(const llvm::Function& function) {
    for (const llvm::Instruction& instruction : llvm::instructions(function)) {
      const auto* const call = llvm::dyn_cast<llvm::CallBase>(&instruction);
      if (call == nullptr || llvm::isa<llvm::IntrinsicInst>(call) || call->isInlineAsm() || call->doesNotReturn())
        continue;
      const llvm::DILocation* at = call->getDebugLoc();
      is_sure_ &= at != nullptr && at->getLine() != 0;
      for (; at != nullptr && known_.insert(location_of(*at)).second;) at = at->getInlinedAt();
    }
  }
  [[nodiscard]] bool may_be_at(const llvm::Instruction& place) const {
    const llvm::DILocation* const at = place.getDebugLoc();
    return !is_sure_ || at == nullptr || at->getLine() == 0 || known_.contains(location_of(*at));
  }

 private:
  llvm::DenseSet<Location> known_;
  bool is_sure_ = true;
};

class References {
 public:
  explicit References(llvm::Function& function, std::vector<llvm::CallInst*> places)
      : dominators_(function), places_(std::move(places)) {
    for (std::size_t i = 0; i < places_.size(); ++i) {
      in_block_[places_[i]->getParent()].push_back(i);
      for (const llvm::Use& named : llvm::drop_begin(places_[i]->args(), kHeadOperands)) {
        if (!llvm::isa<llvm::Constant>(named)) references_.insert(origin_of(named));
      }
    }
    named_.insert(references_.begin(), references_.end());
    live_.resize(places_.size());
  }

  void settle() {
    // What is computed from one may become one.
    for (std::size_t i = 0; i < references_.size(); ++i) {
      follow(references_[i]);
      if (steps_ > kMostSteps) return;
    }
    llvm::SmallVector<llvm::WeakTrackingVH, 16> unused;
    for (std::size_t i = 0; i < places_.size(); ++i) {
      for (const llvm::Use& named : llvm::drop_begin(places_[i]->args(), kHeadOperands)) {
        if (llvm::isa<llvm::Instruction>(named)) unused.emplace_back(named);
      }
      name(*places_[i], live_[i]);
    }
    llvm::RecursivelyDeleteTriviallyDeadInstructionsPermissive(unused);
  }

 private:
  // A reference is an integer, and what is accessed a pointer: the optimiser takes the way from one to the other and
  // back away, and what is left uses what the name was made of.
  static llvm::Value* origin_of(llvm::Value* named) {
    while (llvm::isa<llvm::PtrToIntInst, llvm::IntToPtrInst>(named)) {
      named = llvm::cast<llvm::CastInst>(named)->getOperand(0);
    }
    return named;
  }

  // Finds the places at which something is still done with the reference afterwards.
  void follow(llvm::Value* reference) {
    llvm::SmallPtrSet<const llvm::Value*, 16> computed = {reference};
    llvm::SmallVector<llvm::Value*, 16> left = {reference};
    llvm::SmallPtrSet<const llvm::BasicBlock*, 32> lives_at_end;
    while (!left.empty()) {
      for (llvm::Use& use : left.pop_back_val()->uses()) {
        auto* const user = llvm::dyn_cast<llvm::Instruction>(use.getUser());
        if (user == nullptr || is_place(*user)) continue;
        if (auto* const phi = llvm::dyn_cast<llvm::PHINode>(user)) {
          live_at_end(reference, phi->getIncomingBlock(use), lives_at_end);
        } else {
          live_before(reference, *user, lives_at_end);
        }
        // What is a reference itself is the same one, and stands for it from there on.
        if (!computes(*user) || named_.contains(user) || !computed.insert(user).second) continue;
        left.push_back(user);
        // Of several, it is not known which one it was computed from.
        const bool is_wide = user->getType()->isPointerTy() || user->getType()->isIntegerTy(64);
        if (is_wide && llvm::isa<llvm::PHINode, llvm::SelectInst>(user)) references_.insert(user);
      }
    }
  }

  using Blocks = llvm::SmallPtrSet<const llvm::BasicBlock*, 32>;

  void live_before(llvm::Value* reference, const llvm::Instruction& user, Blocks& lives_at_end) {
    const llvm::BasicBlock* const block = user.getParent();
    mark(reference, block, &user);
    if (is_begin_of(reference, &user)) return;
    for (const llvm::BasicBlock* const before : llvm::predecessors(block)) live_at_end(reference, before, lives_at_end);
  }

  void live_at_end(llvm::Value* reference, const llvm::BasicBlock* last, Blocks& lives_at_end) {
    llvm::SmallVector<const llvm::BasicBlock*, 16> left = {last};
    while (!left.empty()) {
      const llvm::BasicBlock* const block = left.pop_back_val();
      if (!lives_at_end.insert(block).second) continue;
      ++steps_;
      mark(reference, block, nullptr);
      if (is_begin_of(reference, block->getTerminator())) continue;
      llvm::append_range(left, llvm::predecessors(block));
    }
  }

  // The reference is made in the block of that instruction, before it.
  static bool is_begin_of(const llvm::Value* reference, const llvm::Instruction* instruction) {
    const auto* const maker = llvm::dyn_cast<llvm::Instruction>(reference);
    return maker != nullptr && maker->getParent() == instruction->getParent() && maker->comesBefore(instruction);
  }

  // It lives at the places of a block that are in front of `end`, or at all of them.
  void mark(llvm::Value* reference, const llvm::BasicBlock* block, const llvm::Instruction* end) {
    const auto found = in_block_.find(block);
    if (found == in_block_.end()) return;
    for (const std::size_t i : found->second) {
      ++steps_;
      if (end != nullptr && !places_[i]->comesBefore(end)) break;
      if (live_[i].contains(reference)) continue;
      // What was computed from it may live on where another turn of a loop begins.
      const auto* const maker = llvm::dyn_cast<llvm::Instruction>(reference);
      if (maker == nullptr || dominators_.dominates(maker, places_[i])) live_[i].insert(reference);
    }
  }

  static void name(llvm::CallInst& place, const llvm::SmallSetVector<llvm::Value*, 8>& references) {
    if (!references.empty()) {
      llvm::SmallVector<llvm::Value*, 16> operands = {place.getArgOperand(0), place.getArgOperand(1)};
      llvm::append_range(operands, references);
      llvm::CallInst* const again =
          llvm::CallInst::Create(place.getFunctionType(), place.getCalledOperand(), operands, "", place.getIterator());
      again->setAttributes(llvm::AttributeList::get(place.getContext(), place.getAttributes().getFnAttrs(), {}, {}));
      again->setDebugLoc(place.getDebugLoc());
    }
    place.eraseFromParent();
  }

  llvm::DominatorTree dominators_;
  std::vector<llvm::CallInst*> places_;
  llvm::DenseMap<const llvm::BasicBlock*, llvm::SmallVector<std::size_t, 2>> in_block_;  // in their order
  llvm::SmallPtrSet<const llvm::Value*, 32> named_;                                      // anywhere
  llvm::SmallSetVector<llvm::Value*, 32> references_;  // these, and what may have been computed from one of several
  std::vector<llvm::SmallSetVector<llvm::Value*, 8>> live_;  // by place
  std::uint64_t steps_ = 0;
};

}  // namespace

void settle_kept_references(llvm::Function& function) {
  std::vector<llvm::CallInst*> places;
  for (llvm::Instruction& instruction : llvm::instructions(function)) {
    if (is_place(instruction)) places.push_back(llvm::cast<llvm::CallInst>(&instruction));
  }
  if (places.empty()) return;
  const Calls calls(function);
  std::erase_if(places, [&](llvm::CallInst* place) {
    if (calls.may_be_at(*place)) return false;
    place->eraseFromParent();
    return true;
  });
  References(function, std::move(places)).settle();
}

void store_kept_references(Unit& unit, llvm::Function& function) {
  std::vector<llvm::CallInst*> places;
  llvm::SmallSetVector<llvm::Value*, 32> references;
  for (llvm::Instruction& instruction : llvm::instructions(function)) {
    if (!is_place(instruction)) continue;
    places.push_back(llvm::cast<llvm::CallInst>(&instruction));
    for (const llvm::Use& named : llvm::drop_begin(places.back()->args(), kHeadOperands)) {
      if (!llvm::isa<llvm::Constant>(named)) references.insert(named);
    }
  }
  for (llvm::CallInst* const place : places) place->eraseFromParent();
  unit.count(UnitOptimisation::kept_references, references.size());
  llvm::IRBuilder<> builder(function.getContext());
  for (llvm::Value* const reference : references) {
    builder.SetInsertPoint(&function.getEntryBlock().front());
    builder.SetCurrentDebugLocation({});
    llvm::AllocaInst* const place = builder.CreateAlloca(reference->getType());
    auto* const maker = llvm::dyn_cast<llvm::Instruction>(reference);
    const auto behind = maker != nullptr ? maker->getInsertionPointAfterDef()
                                         : std::optional(function.getEntryBlock().getFirstNonPHIOrDbgOrAlloca());
    builder.SetInsertPoint(*behind);
    if (maker != nullptr) builder.SetCurrentDebugLocation(maker->getDebugLoc());
    builder.CreateStore(reference, place, true);
  }
}

}  // namespace wasi::jit::optimising
