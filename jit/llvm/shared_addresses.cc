#include "jit/llvm/shared_addresses.h"

#include <llvm/ADT/DenseMap.h>
#include <llvm/ADT/MapVector.h>
#include <llvm/ADT/SmallVector.h>
#include <llvm/Analysis/ValueTracking.h>
#include <llvm/IR/Dominators.h>
#include <llvm/IR/Operator.h>
#include <llvm/IR/PatternMatch.h>
#include <llvm/Transforms/Utils/Local.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "runtime/guarded_memory.h"

namespace wasi::jit::optimising {

namespace {

using llvm::Instruction;
using llvm::Value;

// The base of a memory, and an i32 that addresses in it are made of, or an i64 whose lower half is.
using Root = std::pair<Value*, Value*>;

// base + zext(value + displacement) + offset
struct Access {
  Instruction* instruction = nullptr;
  Root root;
  std::int32_t displacement = 0;
  std::int64_t offset = 0;
};

// base + zext(value + displacement), as a pointer, of an address that was accessed where it is there.
struct Anchor {
  std::int32_t displacement = 0;
  Value* pointer = nullptr;
};

unsigned pointer_operand(const Instruction& access) {
  return llvm::isa<llvm::LoadInst>(access) ? llvm::LoadInst::getPointerOperandIndex()
                                           : llvm::StoreInst::getPointerOperandIndex();
}

class Sharing {
 public:
  Sharing(Unit& unit, llvm::DominatorTree& dominators) : unit_(unit), dominators_(dominators) {}

  // True where something changed.
  bool run() {
    visit(dominators_.getRootNode());
    const bool has_changed = !replaced_.empty();
    llvm::RecursivelyDeleteTriviallyDeadInstructionsPermissive(replaced_);
    return has_changed;
  }

 private:
  struct Frame {
    llvm::DomTreeNode* node;
    llvm::DomTreeNode::const_iterator next;
    std::size_t known;  // of known_in_order_, when the node was entered
  };

  // Blocks by the tree of dominators, which may be deep: with a stack of its own.
  void visit(llvm::DomTreeNode* root) {
    std::vector<Frame> stack;
    const auto enter = [&](llvm::DomTreeNode* node) {
      stack.push_back({node, node->begin(), known_in_order_.size()});
      look_at(*node->getBlock());
    };
    enter(root);
    while (!stack.empty()) {
      Frame& frame = stack.back();
      if (frame.next != frame.node->end()) {
        enter(*frame.next++);
        continue;
      }
      while (known_in_order_.size() > frame.known) {
        known_[known_in_order_.back()].pop_back();
        known_in_order_.pop_back();
      }
      stack.pop_back();
    }
  }

  void look_at(llvm::BasicBlock& block) {
    std::vector<Access> accesses;
    for (Instruction& instruction : block) {
      if (llvm::isa<llvm::LoadInst, llvm::StoreInst>(instruction)) {
        if (const auto access = access_of(instruction)) accesses.push_back(*access);
      } else if (!accesses.empty() && !llvm::isGuaranteedToTransferExecutionToSuccessor(&instruction)) {
        // Whoever runs there may see what was stored until then.
        share(std::exchange(accesses, {}));
      }
    }
    share(std::move(accesses));
  }

  // Of what is an address extended to 64 bits: the address, or an i64 whose lower half it is.
  static Value* address_in(Value& index) {
    using namespace llvm::PatternMatch;
    Value* address = nullptr;
    if (match(&index, m_ZExt(m_Value(address))) && address->getType()->isIntegerTy(32)) return address;
    return match(&index, m_And(m_Value(address), m_SpecificInt(UINT32_MAX))) ? address : nullptr;
  }

  [[nodiscard]] std::optional<Access> access_of(Instruction& instruction) const {
    if (!unit_.is_of(instruction, Region::memory) || instruction.isVolatile()) return std::nullopt;
    Access access{.instruction = &instruction, .root = {}};
    Value* at = instruction.getOperand(pointer_operand(instruction));
    Value* index = nullptr;
    while (auto* const step = llvm::dyn_cast<llvm::GEPOperator>(at)) {
      if (!step->getSourceElementType()->isIntegerTy(8) || step->getNumIndices() != 1) return std::nullopt;
      Value* const by = step->getOperand(1);
      if (const auto* const constant = llvm::dyn_cast<llvm::ConstantInt>(by)) {
        if (!constant->getValue().isSignedIntN(40)) return std::nullopt;
        access.offset += constant->getSExtValue();
      } else if (index == nullptr) {
        index = by;
      } else {
        return std::nullopt;
      }
      at = step->getPointerOperand();
    }
    const auto* const base = llvm::dyn_cast<llvm::LoadInst>(at);
    // The base of a memory without guard pages may change.
    if (base == nullptr || !unit_.is_of(*base, Region::view) ||
        !base->hasMetadata(llvm::LLVMContext::MD_invariant_load))
      return std::nullopt;
    Value* address = index != nullptr ? address_in(*index) : nullptr;
    if (address == nullptr || access.offset < 0) return std::nullopt;
    std::uint32_t displacement = 0;
    const llvm::APInt* more = nullptr;
    Value* rest = nullptr;
    using namespace llvm::PatternMatch;
    while (match(address, m_AddLike(m_Value(rest), m_APInt(more)))) {
      displacement += static_cast<std::uint32_t>(more->getSExtValue());
      address = rest;
    }
    if (llvm::isa<llvm::Constant>(address)) return std::nullopt;
    access.root = {at, address};
    access.displacement = static_cast<std::int32_t>(displacement);
    return access;
  }

  // Whether `access` can be made from an address with this displacement.
  static bool reaches(std::int32_t displacement, const Access& access) {
    const std::int64_t distance = std::int64_t{access.displacement} - displacement;
    // The reservation holds what an index and an offset of 32 bits reach together.
    return distance >= 0 && distance < static_cast<std::int64_t>(runtime::kNeverInMemory) &&
           distance + access.offset <= std::int64_t{UINT32_MAX};
  }

  // All of them are made, or one of them traps.
  void share(std::vector<Access> accesses) {
    llvm::MapVector<Root, std::vector<Access>> by_root;
    for (const Access& access : accesses) by_root[access.root].push_back(access);
    for (auto& [root, group] : by_root) {
      Instruction* const first = group.front().instruction;
      std::ranges::sort(group, {}, &Access::displacement);
      for (auto next = group.begin(); next != group.end();) {
        std::optional<Anchor> anchor = known_anchor(root, *next);
        const std::int32_t least = anchor ? anchor->displacement : next->displacement;
        const auto begin = next;
        while (next != group.end() && reaches(least, *next)) ++next;
        if (next == begin) ++next;  // an offset that is too large
        if (!anchor) {
          // From one that is alone, others that come later may be made.
          anchor = Anchor{least, make_pointer(root, least, *first)};
          known_[root].push_back(*anchor);
          known_in_order_.push_back(root);
        }
        for (auto access = begin; access != next; ++access) move(*access, *anchor);
      }
    }
  }

  [[nodiscard]] std::optional<Anchor> known_anchor(const Root& root, const Access& access) const {
    const auto known = known_.find(root);
    if (known == known_.end()) return std::nullopt;
    for (const Anchor& anchor : known->second) {
      if (reaches(anchor.displacement, access)) return anchor;
    }
    return std::nullopt;
  }

  static Value* make_pointer(const Root& root, std::int32_t displacement, Instruction& before) {
    llvm::IRBuilder<> builder(&before);
    Value* sum = root.second;
    llvm::Type* const type = sum->getType();
    if (displacement != 0) sum = builder.CreateAdd(sum, llvm::ConstantInt::getSigned(type, displacement));
    return builder.CreatePtrAdd(root.first, type->isIntegerTy(32) ? builder.CreateZExt(sum, builder.getInt64Ty())
                                                                  : builder.CreateAnd(sum, UINT32_MAX));
  }

  void move(const Access& access, const Anchor& anchor) {
    if (access.displacement != anchor.displacement) unit_.count(UnitOptimisation::shared_addresses);
    const std::int64_t distance = std::int64_t{access.displacement} - anchor.displacement + access.offset;
    llvm::IRBuilder<> builder(access.instruction);
    Value* const pointer =
        distance == 0 ? anchor.pointer
                      : builder.CreatePtrAdd(anchor.pointer, builder.getInt64(static_cast<std::uint64_t>(distance)));
    llvm::Use& use = access.instruction->getOperandUse(pointer_operand(*access.instruction));
    replaced_.emplace_back(use.get());
    use.set(pointer);
  }

  Unit& unit_;
  llvm::DominatorTree& dominators_;
  llvm::DenseMap<Root, std::vector<Anchor>> known_;  // in the block that is looked at
  std::vector<Root> known_in_order_;
  llvm::SmallVector<llvm::WeakTrackingVH, 32> replaced_;
};

}  // namespace

llvm::PreservedAnalyses ShareAddresses::run(llvm::Function& function, llvm::FunctionAnalysisManager& analyses) {
  // Addresses of a guest that was not optimised are made of its frame's, which a debugger wants to find in its local.
  if (unit_->is_off(UnitOptimisation::shared_addresses) || unit_->is_for_debugger()) {
    return llvm::PreservedAnalyses::all();
  }
  Sharing sharing(*unit_, analyses.getResult<llvm::DominatorTreeAnalysis>(function));
  if (!sharing.run()) return llvm::PreservedAnalyses::all();
  llvm::PreservedAnalyses preserved;
  preserved.preserveSet<llvm::CFGAnalyses>();
  return preserved;
}

}  // namespace wasi::jit::optimising
