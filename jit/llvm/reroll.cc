#include "jit/llvm/reroll.h"

#include <llvm/ADT/DenseMap.h>
#include <llvm/ADT/DenseSet.h>
#include <llvm/ADT/STLExtras.h>
#include <llvm/ADT/SmallVector.h>
#include <llvm/Analysis/ScalarEvolutionExpressions.h>
#include <llvm/IR/Constants.h>
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/Instructions.h>
#include <llvm/IR/IntrinsicInst.h>
#include <llvm/Transforms/Utils/Local.h>
#include <llvm/Transforms/Utils/ScalarEvolutionExpander.h>

#include <optional>
#include <utility>
#include <vector>

namespace wasi::jit::optimising {

namespace {

constexpr unsigned kMostCopies = 8;
constexpr unsigned kMostTurnsLog2 = 60;

bool is_phi_of(const llvm::Value* value, const llvm::BasicBlock& block) {
  const auto* const phi = llvm::dyn_cast<llvm::PHINode>(value);
  return phi != nullptr && phi->getParent() == &block;
}

bool is_commutative(const llvm::Instruction& instruction) {
  return instruction.isCommutative() && instruction.getNumOperands() >= 2;
}

// The copies that a body consists of. What an instruction of the first one is in the others is found from the stores
// on, and from what goes on from turn to turn, by way of the operands.
class Copies {
 public:
  Copies(llvm::Loop& loop, unsigned count, llvm::ScalarEvolution& evolution)
      : loop_(loop), block_(*loop.getHeader()), count_(count), evolution_(evolution), images_(count) {}

  // Whether there are so many, and rolling them up is right and of use.
  bool are_there() {
    return match_stores() && match_carried() && steps_divide() && is_in_order() && is_worth_it() && find_live_outs();
  }

  // `turns_behind_first`: how often the loop turns after its first turn, as it is.
  void roll_up(llvm::Value* turns_behind_first) {
    llvm::Instruction* const end = block_.getTerminator();
    llvm::BasicBlock* const before = loop_.getLoopPreheader();
    llvm::IRBuilder<> builder(end);
    for (const auto& [phi, step] : steps_) {
      llvm::Value* const next = phi->getType()->isPointerTy()
                                    ? builder.CreatePtrAdd(phi, builder.getInt(step))
                                    : builder.CreateAdd(phi, llvm::ConstantInt::get(phi->getType(), step));
      replace_outside(phi->getIncomingValueForBlock(&block_), next);
      phi->setIncomingValueForBlock(&block_, next);
    }
    for (const auto& [last, first] : live_outs_) replace_outside(last, first);
    for (const auto& [phi, first] : carried_) phi->setIncomingValueForBlock(&block_, first);

    // A counter of its own, so that nothing else has to count.
    builder.SetInsertPoint(before->getTerminator());
    llvm::Value* const start =
        builder.CreateAdd(builder.CreateMul(builder.CreateZExtOrTrunc(turns_behind_first, builder.getInt64Ty()),
                                            builder.getInt64(count_)),
                          builder.getInt64(count_ - 1));
    builder.SetInsertPoint(&block_, block_.begin());
    llvm::PHINode* const left = builder.CreatePHI(builder.getInt64Ty(), 2, "left");
    builder.SetInsertPoint(end);
    left->addIncoming(start, before);
    left->addIncoming(builder.CreateSub(left, builder.getInt64(1)), &block_);
    auto& branch = *llvm::cast<llvm::BranchInst>(end);
    const bool leaves_if_true = !loop_.contains(branch.getSuccessor(0));
    branch.setCondition(builder.CreateICmp(leaves_if_true ? llvm::CmpInst::ICMP_EQ : llvm::CmpInst::ICMP_NE, left,
                                           builder.getInt64(0)));

    // Phis have values now that they had in none of the first copies.
    for (llvm::Instruction& instruction : block_) instruction.dropPoisonGeneratingFlags();
    for (llvm::StoreInst* const store : stores_) {
      if (copy_of_.lookup(store) != 0) store->eraseFromParent();
    }
    for (llvm::Instruction& instruction : llvm::make_early_inc_range(llvm::reverse(block_))) {
      // Of another copy, or what only led to one. No load has gone of which there is not another one in its place.
      if (llvm::isInstructionTriviallyDead(&instruction)) instruction.eraseFromParent();
    }
  }

 private:
  struct Step {
    llvm::PHINode* phi;
    llvm::APInt step;
  };

  bool match_stores() {
    for (llvm::Instruction& instruction : block_) {
      if (auto* const store = llvm::dyn_cast<llvm::StoreInst>(&instruction)) {
        stores_.push_back(store);
      } else if (instruction.mayWriteToMemory() || instruction.mayHaveSideEffects()) {
        return false;
      }
    }
    if (stores_.size() % count_ != 0) return false;
    const std::size_t each = stores_.size() / count_;
    for (unsigned copy = 1; copy < count_; ++copy) {
      for (std::size_t i = 0; i < each; ++i) {
        if (!match(stores_[i], stores_[copy * each + i], copy)) return false;
      }
    }
    return true;
  }

  // Sums and the like: each copy goes on with what the one before it made.
  bool match_carried() {
    for (llvm::PHINode& phi : block_.phis()) {
      if (is_for_exit(phi) || is_counted(phi)) continue;
      // Where nothing in a store leads to it: from the begin of its chain, the same instruction each time.
      if (!carried_.contains(&phi) && !find_chain(phi)) return false;
      llvm::Value* const begin = carried_.lookup(&phi);
      for (unsigned copy = 1; copy < count_; ++copy) {
        llvm::Value* const image = copy == count_ - 1 ? phi.getIncomingValueForBlock(&block_) : nullptr;
        if (image != nullptr && !match(begin, image, copy)) return false;
        if (image == nullptr && !images_[copy].contains(begin)) {
          // The next one of the chain is the only user that is carried on.
          llvm::Value* const next = next_in_chain(copy == 1 ? begin : images_[copy - 1].lookup(begin));
          if (next == nullptr || !match(begin, next, copy)) return false;
        }
      }
    }
    return true;
  }

  // The instruction in the loop, of the same operation, that uses the value, where it is the only user.
  llvm::Instruction* next_in_chain(llvm::Value* value) {
    const auto* const instruction = llvm::dyn_cast_or_null<llvm::Instruction>(value);
    if (instruction == nullptr || !instruction->hasOneUse()) return nullptr;
    auto* const user = llvm::cast<llvm::Instruction>(*value->user_begin());
    return user->getParent() == &block_ && !llvm::isa<llvm::PHINode>(user) ? user : nullptr;
  }

  bool find_chain(llvm::PHINode& phi) {
    if (!phi.hasOneUse()) return false;
    auto* const first = llvm::dyn_cast<llvm::Instruction>(*phi.user_begin());
    if (first == nullptr || first->getParent() != &block_ || llvm::isa<llvm::PHINode>(first)) return false;
    carried_[&phi] = first;
    return true;
  }

  // Whether `other`, of copy number `copy`, is in the place of `first`, of the first one.
  bool match(llvm::Value* first, llvm::Value* other, unsigned copy) {
    if (const auto known = images_[copy].find(first); known != images_[copy].end()) return known->second == other;
    if (first == other && loop_.isLoopInvariant(first)) return true;
    if (is_next_of(first, other, copy)) {
      leaves_.insert(first);
      return true;
    }
    if (is_phi_of(first, block_)) return match_phi(*llvm::cast<llvm::PHINode>(first), other, copy);
    auto* const one = llvm::dyn_cast<llvm::Instruction>(first);
    auto* const another = llvm::dyn_cast<llvm::Instruction>(other);
    if (one == nullptr || another == nullptr || one == another || one->getParent() != &block_ ||
        another->getParent() != &block_ || llvm::isa<llvm::PHINode>(another) || !one->isSameOperationAs(another)) {
      return false;
    }
    // Each is in one copy alone.
    if (!claim(one, 0) || !claim(another, copy)) return false;
    images_[copy][first] = other;
    return match_operands(*one, *another, copy);
  }

  bool match_operands(llvm::Instruction& one, llvm::Instruction& another, unsigned copy) {
    const auto in_order = [&] {
      for (unsigned i = 0; i < one.getNumOperands(); ++i) {
        if (!match(one.getOperand(i), another.getOperand(i), copy)) return false;
      }
      return true;
    };
    if (!is_commutative(one)) return in_order();
    const auto images = images_;
    const auto copy_of = copy_of_;
    const auto carried = carried_;
    const auto leaves = leaves_;
    if (in_order()) return true;
    images_ = images;
    copy_of_ = copy_of;
    carried_ = carried;
    leaves_ = leaves;
    if (!match(one.getOperand(0), another.getOperand(1), copy) ||
        !match(one.getOperand(1), another.getOperand(0), copy)) {
      return false;
    }
    for (unsigned i = 2; i < one.getNumOperands(); ++i) {
      if (!match(one.getOperand(i), another.getOperand(i), copy)) return false;
    }
    return true;
  }

  bool match_phi(llvm::PHINode& phi, llvm::Value* other, unsigned copy) {
    if (is_counted(phi)) return false;
    if (copy == 1) {
      const auto [place, is_new] = carried_.try_emplace(&phi, other);
      return place->second == other;
    }
    const auto begin = carried_.find(&phi);
    return begin != carried_.end() && images_[copy - 1].lookup(begin->second) == other;
  }

  bool claim(llvm::Instruction* instruction, unsigned copy) {
    return copy_of_.try_emplace(instruction, copy).first->second == copy;
  }

  // By how much a value grows with each turn; null where nobody knows.
  const llvm::SCEVConstant* growth_of(llvm::Value* value) {
    if (!evolution_.isSCEVable(value->getType())) return nullptr;
    const auto* const chain = llvm::dyn_cast<llvm::SCEVAddRecExpr>(evolution_.getSCEV(value));
    if (chain == nullptr || chain->getLoop() != &loop_ || !chain->isAffine()) return nullptr;
    return llvm::dyn_cast<llvm::SCEVConstant>(chain->getStepRecurrence(evolution_));
  }

  // Whether nothing but the decision to go on needs it: it goes with that.
  bool is_for_exit(llvm::PHINode& phi) {
    auto* const next = llvm::dyn_cast<llvm::Instruction>(phi.getIncomingValueForBlock(&block_));
    const llvm::Value* const condition = llvm::cast<llvm::BranchInst>(block_.getTerminator())->getCondition();
    const auto leads_nowhere = [&](const llvm::Value& value) {
      return llvm::all_of(value.users(), [&](const llvm::User* user) {
        return user == &phi || user == next || (user == condition && user->hasOneUse());
      });
    };
    return next != nullptr && leads_nowhere(phi) && leads_nowhere(*next);
  }

  bool is_counted(llvm::PHINode& phi) { return growth_of(&phi) != nullptr; }

  // Whether `other` is where `first` will be so many turns of the new loop later.
  bool is_next_of(llvm::Value* first, llvm::Value* other, unsigned copy) {
    if (first->getType() != other->getType() || first->getType()->isPointerTy()) return false;
    const llvm::SCEVConstant* const growth = growth_of(first);
    if (growth == nullptr || growth_of(other) == nullptr) return false;
    const auto* const distance = llvm::dyn_cast<llvm::SCEVConstant>(
        evolution_.getMinusSCEV(evolution_.getSCEV(other), evolution_.getSCEV(first)));
    const auto step = step_of(*growth);
    return distance != nullptr && step && distance->getAPInt() == *step * copy;
  }

  // Of the new loop. The type's numbers go around; what a phi grows by is a small number all the same.
  std::optional<llvm::APInt> step_of(const llvm::SCEVConstant& growth) const {
    const llvm::APInt& by = growth.getAPInt();
    if (by.isZero() || by.srem(count_) != 0) return std::nullopt;
    return by.sdiv(llvm::APInt(by.getBitWidth(), count_));
  }

  bool steps_divide() {
    for (llvm::PHINode& phi : block_.phis()) {
      if (is_for_exit(phi)) continue;
      const llvm::SCEVConstant* const growth = growth_of(&phi);
      if (growth == nullptr) continue;
      const auto step = step_of(*growth);
      if (!step || carried_.contains(&phi)) return false;
      steps_.push_back({&phi, *step});
    }
    return true;
  }

  // All accesses belong to a copy, and those of one come before those of the next.
  bool is_in_order() {
    unsigned current = 0;
    for (llvm::Instruction& instruction : block_) {
      if (!instruction.mayReadOrWriteMemory()) continue;
      const auto found = copy_of_.find(&instruction);
      if (found == copy_of_.end() || found->second < current) return false;
      current = found->second;
      const auto* const load = llvm::dyn_cast<llvm::LoadInst>(&instruction);
      const auto* const store = llvm::dyn_cast<llvm::StoreInst>(&instruction);
      if ((load == nullptr || !load->isSimple()) && (store == nullptr || !store->isSimple())) return false;
      if (current == 0 && !is_one_after_the_other(instruction)) return false;
    }
    return current == count_ - 1;
  }

  // Whether the access is to the next element in the next turn of the new loop.
  bool is_one_after_the_other(llvm::Instruction& access) {
    const auto* const address = llvm::dyn_cast<llvm::GetElementPtrInst>(llvm::getLoadStorePointerOperand(&access));
    if (address == nullptr || address->getNumIndices() != 1 || !loop_.isLoopInvariant(address->getPointerOperand())) {
      return false;
    }
    const auto* const index = llvm::dyn_cast<llvm::ZExtInst>(address->getOperand(1));
    const llvm::SCEVConstant* const growth =
        growth_of(index != nullptr ? index->getOperand(0) : address->getOperand(1));
    const auto step = growth != nullptr ? step_of(*growth) : std::nullopt;
    const llvm::TypeSize size = block_.getDataLayout().getTypeStoreSize(llvm::getLoadStoreType(&access));
    return step && step->abs() == size.getFixedValue();
  }

  // What goes on from turn to turn must be what LLVM can do in lanes, and add up at the end.
  bool is_worth_it() {
    if (stores_.empty() && carried_.empty()) return false;
    return llvm::all_of(carried_, [](const auto& entry) {
      const auto* const first = llvm::dyn_cast<llvm::Instruction>(entry.second);
      return first != nullptr && first->getType()->isIntegerTy() && entry.first->hasOneUse() &&
             llvm::is_contained(first->operand_values(), entry.first) && first->isAssociative();
    });
  }

  // What is used behind the loop is the last copy's, or what a phi will be in the next turn.
  bool find_live_outs() {
    llvm::DenseMap<llvm::Value*, llvm::Value*> firsts;
    for (const auto& [first, last] : images_[count_ - 1]) firsts[last] = first;
    llvm::DenseSet<llvm::Value*> nexts;
    for (const Step& step : steps_) nexts.insert(step.phi->getIncomingValueForBlock(&block_));
    for (llvm::Instruction& instruction : block_) {
      const bool is_used = llvm::any_of(instruction.users(), [this](const llvm::User* user) {
        return llvm::cast<llvm::Instruction>(user)->getParent() != &block_;
      });
      if (!is_used || nexts.contains(&instruction)) continue;
      llvm::Value* const first = firsts.lookup(&instruction);
      if (first == nullptr) return false;
      live_outs_.emplace_back(&instruction, first);
    }
    return true;
  }

  void replace_outside(llvm::Value* value, llvm::Value* with) {
    value->replaceUsesWithIf(with, [this](const llvm::Use& use) {
      return llvm::cast<llvm::Instruction>(use.getUser())->getParent() != &block_;
    });
  }

  llvm::Loop& loop_;
  llvm::BasicBlock& block_;
  const unsigned count_;
  llvm::ScalarEvolution& evolution_;
  std::vector<llvm::StoreInst*> stores_;
  std::vector<llvm::DenseMap<llvm::Value*, llvm::Value*>> images_;  // by copy, of what is in the first one
  llvm::DenseMap<llvm::Instruction*, unsigned> copy_of_;
  llvm::DenseMap<llvm::PHINode*, llvm::Value*> carried_;  // to what the first copy makes of it
  llvm::DenseSet<llvm::Value*> leaves_;                   // that are counted
  std::vector<Step> steps_;
  std::vector<std::pair<llvm::Value*, llvm::Value*>> live_outs_;  // the last copy's, the first one's
};

}  // namespace

bool reroll(Unit& unit, llvm::Loop& loop, llvm::ScalarEvolution& evolution) {
  llvm::BasicBlock* const before = loop.getLoopPreheader();
  if (loop.getNumBlocks() != 1 || before == nullptr || loop.getExitBlock() == nullptr ||
      !evolution.hasLoopInvariantBackedgeTakenCount(&loop)) {
    return false;
  }
  const llvm::SCEV* const turns = evolution.getBackedgeTakenCount(&loop);
  if (evolution.getUnsignedRangeMax(turns).getActiveBits() > kMostTurnsLog2) return false;
  llvm::SCEVExpander expander(evolution, before->getDataLayout(), "turns");
  if (!expander.isSafeToExpandAt(turns, before->getTerminator())) return false;
  for (unsigned count = kMostCopies; count >= 2; count /= 2) {
    Copies copies(loop, count, evolution);
    if (!copies.are_there()) continue;
    if (!unit.applies(UnitOptimisation::rolled_loops)) return false;
    copies.roll_up(expander.expandCodeFor(turns, turns->getType(), before->getTerminator()->getIterator()));
    evolution.forgetLoop(&loop);
    return true;
  }
  return false;
}

}  // namespace wasi::jit::optimising
