#include "jit/llvm/extensions.h"

#include <llvm/ADT/DenseMap.h>
#include <llvm/ADT/MapVector.h>
#include <llvm/ADT/SetVector.h>
#include <llvm/ADT/SmallPtrSet.h>
#include <llvm/ADT/SmallVector.h>
#include <llvm/Analysis/LoopInfo.h>
#include <llvm/IR/ConstantFold.h>
#include <llvm/IR/Constants.h>
#include <llvm/IR/InstIterator.h>
#include <llvm/IR/Instructions.h>
#include <llvm/IR/IntrinsicInst.h>

#include <algorithm>
#include <cstdint>
#include <vector>

namespace wasi::jit::optimising {

namespace {

using llvm::BasicBlock;
using llvm::Instruction;
using llvm::PHINode;
using llvm::Value;

// Whether the instruction that makes this i32 clears the upper half of its register as well.
bool is_extended_where_made(const Instruction& instruction) {
  if (llvm::isa<llvm::TruncInst, llvm::FreezeInst, PHINode>(instruction)) return false;
  return !llvm::isa<llvm::CallBase>(instruction) || llvm::isa<llvm::IntrinsicInst>(instruction);
}

class Extending {
 public:
  Extending(Unit& unit, llvm::Function& function, const llvm::LoopInfo& loops)
      : unit_(unit), function_(function), loops_(loops) {}

  // True where something changed.
  bool run() {
    for (Instruction& instruction : llvm::instructions(function_)) {
      auto* const extension = llvm::dyn_cast<llvm::ZExtInst>(&instruction);
      if (extension == nullptr || !extension->getType()->isIntegerTy(64)) continue;
      auto* const source = llvm::dyn_cast<Instruction>(extension->getOperand(0));
      if (source != nullptr && source->getType()->isIntegerTy(32) && !source->isTerminator()) {
        extensions_[source].push_back(extension);
      }
    }
    // Of each: what it is made of may be decided with it.
    for (auto& [source, uses] : extensions_) {
      if (!wide_.contains(source)) decide(*source);
    }
    if (wide_.empty()) return false;
    make();
    return true;
  }

 private:
  // How much an instruction in this block counts.
  [[nodiscard]] std::uint64_t weight(const BasicBlock& block) const {
    constexpr unsigned kMostDeep = 8;
    if (llvm::isa<llvm::UnreachableInst>(block.getTerminator())) return 0;
    return std::uint64_t{1} << (3 * std::min(loops_.getLoopDepth(&block), kMostDeep));
  }

  // What extensions of this value take as things are: one instruction in each block that has some. None where the value
  // is made in that block, and extended there.
  [[nodiscard]] std::uint64_t cost_of_uses(Instruction& source) const {
    const auto found = extensions_.find(&source);
    if (found == extensions_.end()) return 0;
    const bool is_free = is_extended_where_made(source);
    llvm::SmallPtrSet<const BasicBlock*, 8> blocks;
    std::uint64_t cost = 0;
    for (const llvm::ZExtInst* const extension : found->second) {
      const BasicBlock* const block = extension->getParent();
      if (is_free && block == source.getParent()) continue;
      if (blocks.insert(block).second) cost += weight(*block);
    }
    return cost;
  }

  // The value and, where ways meet in it, all that it may be.
  void decide(Instruction& wanted) {
    llvm::SmallSetVector<Instruction*, 8> together;
    together.insert(&wanted);
    std::uint64_t now = 0;
    std::uint64_t then = 0;
    for (std::size_t i = 0; i < together.size(); ++i) {
      Instruction* const value = together[i];
      now += cost_of_uses(*value);
      const auto* const phi = llvm::dyn_cast<PHINode>(value);
      if (phi == nullptr) {
        if (!is_extended_where_made(*value)) then += weight(*value->getParent());
        continue;
      }
      for (Value* const incoming : phi->incoming_values()) {
        auto* const instruction = llvm::dyn_cast<Instruction>(incoming);
        if (instruction == nullptr) {
          if (!llvm::isa<llvm::ConstantData>(incoming)) return;
          continue;
        }
        if (instruction->isTerminator()) return;
        if (!wide_.contains(instruction)) together.insert(instruction);
      }
    }
    if (now <= then) return;
    for (Instruction* const value : together) wide_.insert({value, nullptr});
  }

  void make() {
    llvm::Type* const i64 = llvm::Type::getInt64Ty(function_.getContext());
    for (auto& [value, wide] : wide_) {
      if (auto* const phi = llvm::dyn_cast<PHINode>(value)) {
        auto* const wide_phi = PHINode::Create(i64, phi->getNumIncomingValues(), "", phi->getIterator());
        wide_phi->setDebugLoc(phi->getDebugLoc());
        wide = wide_phi;
      } else {
        auto* const extension = new llvm::ZExtInst(value, i64, "", *value->getInsertionPointAfterDef());
        extension->setDebugLoc(value->getDebugLoc());
        wide = extension;
      }
    }
    for (auto& [value, wide] : wide_) {
      const auto* const phi = llvm::dyn_cast<PHINode>(value);
      if (phi == nullptr) continue;
      for (unsigned i = 0; i < phi->getNumIncomingValues(); ++i) {
        Value* const incoming = phi->getIncomingValue(i);
        auto* const constant = llvm::dyn_cast<llvm::Constant>(incoming);
        Value* extended = nullptr;
        if (constant != nullptr) {
          extended = llvm::ConstantFoldCastInstruction(Instruction::ZExt, constant, i64);
        } else {
          extended = wide_.lookup(llvm::cast<Instruction>(incoming));
        }
        llvm::cast<PHINode>(wide)->addIncoming(extended, phi->getIncomingBlock(i));
      }
    }
    for (auto& [value, wide] : wide_) {
      for (llvm::ZExtInst* const extension : extensions_.lookup(value)) {
        extension->replaceAllUsesWith(wide);
        extension->eraseFromParent();
        unit_.count(UnitOptimisation::early_extensions);
      }
      use_lower_half(*value, *wide);
    }
    for (auto& [value, wide] : wide_) {
      if (!llvm::isa<PHINode>(value)) continue;
      value->replaceAllUsesWith(llvm::PoisonValue::get(value->getType()));
      value->eraseFromParent();
    }
  }

  // Whoever wants the i32 elsewhere takes it from there, so that there is one register for both.
  void use_lower_half(Instruction& value, Instruction& wide) {
    const bool is_phi = llvm::isa<PHINode>(value);
    llvm::DenseMap<BasicBlock*, Instruction*> halves;
    const auto half_in = [&](BasicBlock* block) {
      Instruction*& half = halves[block];
      if (half == nullptr) {
        half = new llvm::TruncInst(&wide, value.getType(), "", block->getFirstInsertionPt());
        half->setDebugLoc(value.getDebugLoc());
      }
      return half;
    };
    std::vector<llvm::Use*> uses;
    for (llvm::Use& use : value.uses()) uses.push_back(&use);
    for (llvm::Use* const use : uses) {
      auto* const user = llvm::cast<Instruction>(use->getUser());
      auto* const phi = llvm::dyn_cast<PHINode>(user);
      // Those go.
      if (phi != nullptr && wide_.contains(phi)) continue;
      BasicBlock* const block = phi != nullptr ? phi->getIncomingBlock(*use) : user->getParent();
      if (user == &wide || (!is_phi && block == value.getParent())) continue;
      use->set(half_in(block));
    }
  }

  Unit& unit_;
  llvm::Function& function_;
  const llvm::LoopInfo& loops_;
  llvm::MapVector<Instruction*, llvm::SmallVector<llvm::ZExtInst*, 4>> extensions_;  // by what they extend
  llvm::MapVector<Instruction*, Instruction*> wide_;  // what is extended where it is made
};

class EarlyExtensions : public llvm::FunctionPass {
 public:
  static char ID;  // LLVM's name for it

  explicit EarlyExtensions(Unit& unit) : FunctionPass(ID), unit_(unit) {}
  [[nodiscard]] llvm::StringRef getPassName() const override { return "early extensions"; }
  void getAnalysisUsage(llvm::AnalysisUsage& usage) const override {
    usage.addRequired<llvm::LoopInfoWrapperPass>();
    usage.setPreservesCFG();
  }
  bool runOnFunction(llvm::Function& function) override {
    return Extending(unit_, function, getAnalysis<llvm::LoopInfoWrapperPass>().getLoopInfo()).run();
  }

 private:
  Unit& unit_;
};

char EarlyExtensions::ID = 0;

}  // namespace

llvm::FunctionPass* create_early_extensions(Unit& unit) { return new EarlyExtensions(unit); }

}  // namespace wasi::jit::optimising
