#include "jit/llvm/late.h"

#include <llvm/Analysis/LoopInfo.h>
#include <llvm/Analysis/ScalarEvolution.h>
#include <llvm/IR/Instructions.h>
#include <llvm/IR/IntrinsicInst.h>
#include <llvm/Transforms/Utils/BasicBlockUtils.h>
#include <wasi/trap.h>

#include <initializer_list>
#include <vector>

#include "base/check.h"
#include "runtime/exec_state.h"
#include "runtime/runtime_call_table.h"
#include "runtime/vmcontext.h"

namespace wasi::jit::optimising {

using runtime::ExecState;
using runtime::FunctionCode;
using runtime::RuntimeCallId;
using runtime::VmContext;

namespace {

// Loops that turn no more often than this, and hold no others, are over soon enough.
constexpr unsigned kFewTurns = 4096;

class Checks {
 public:
  Checks(Unit& unit, llvm::Function& function) : unit_(unit), builder_(unit.context), context_(function.getArg(1)) {}

  // In front of the instruction.
  void add_poll(llvm::Instruction* before, const llvm::DebugLoc& location) {
    llvm::Type* const ptr = builder_.getPtrTy();
    builder_.SetInsertPoint(before);
    builder_.SetCurrentDebugLocation(location);
    llvm::Value* const exec = load(ptr, context_, offsetof(VmContext, exec), Region::context, true);
    llvm::Value* const limit =
        load(builder_.getInt64Ty(), exec, offsetof(ExecState, stack_limit), Region::state, false);
    llvm::Value* const pointer = stack_pointer();
    llvm::Instruction* const slowly = llvm::SplitBlockAndInsertIfThen(builder_.CreateICmpULT(pointer, limit),
                                                                      before->getIterator(), false, unit_.seldom);
    builder_.SetInsertPoint(slowly);
    builder_.SetCurrentDebugLocation(location);
    // Hardly ever called, and should cost nothing where it is not. A debugger finds more where it is an ordinary call:
    // what lives across it is in registers that callees save, so that it is known in callers, too.
    if (!unit_.is_for_debugger() && unit_.applies(UnitOptimisation::untouched_registers)) {
      call(exec, RuntimeCallId::check_stack_only, {context_})->setCallingConv(llvm::CallingConv::PreserveAll);
    } else {
      call(exec, RuntimeCallId::check_stack, {context_});
    }
  }

  // The same for the end of the stack alone, and so many bytes below.
  void add_room_check(llvm::Instruction* before, const llvm::DebugLoc& location, std::uint64_t bytes) {
    builder_.SetInsertPoint(before);
    builder_.SetCurrentDebugLocation(location);
    llvm::Value* const exec = load(builder_.getPtrTy(), context_, offsetof(VmContext, exec), Region::context, true);
    llvm::Value* const limit =
        load(builder_.getInt64Ty(), exec, offsetof(ExecState, native_limit), Region::state, false);
    llvm::Value* const lowest = builder_.CreateAdd(limit, builder_.getInt64(bytes));
    llvm::Instruction* const end = llvm::SplitBlockAndInsertIfThen(builder_.CreateICmpULT(stack_pointer(), lowest),
                                                                   before->getIterator(), true, unit_.seldom);
    builder_.SetInsertPoint(end);
    builder_.SetCurrentDebugLocation(location);
    call(exec, RuntimeCallId::trap, {context_, builder_.getInt32(static_cast<std::uint32_t>(TrapCode::stack_overflow))})
        ->addFnAttr(llvm::Attribute::NoReturn);
  }

  // The frame's VmContext, where whoever walks the stack finds it.
  void keep_context(llvm::Instruction* before, const llvm::DebugLoc& location) {
    builder_.SetInsertPoint(before);
    builder_.SetCurrentDebugLocation(location);
    llvm::AllocaInst* const place = builder_.CreateAlloca(builder_.getPtrTy(), nullptr, kContextName);
    builder_.CreateAlignedStore(context_, place, llvm::Align(8), true);
  }

 private:
  llvm::CallInst* call(llvm::Value* exec, RuntimeCallId id, std::initializer_list<llvm::Value*> args) {
    llvm::Type* const ptr = builder_.getPtrTy();
    builder_.CreateAlignedStore(stack_pointer(), at(exec, offsetof(ExecState, native_sp)), llvm::Align(8));
    llvm::Value* const calls = load(ptr, exec, offsetof(ExecState, calls), Region::context, true);
    llvm::Value* const function =
        load(ptr, calls, static_cast<std::uint64_t>(id) * sizeof(void*), Region::context, true);
    std::vector<llvm::Type*> types;
    for (llvm::Value* const arg : args) types.push_back(arg->getType());
    llvm::CallInst* const made =
        builder_.CreateCall(llvm::FunctionType::get(builder_.getVoidTy(), types, false), function, args);
    made->addFnAttr(llvm::Attribute::NoUnwind);
    made->addFnAttr(llvm::Attribute::NoMerge);
    made->addFnAttr(llvm::Attribute::Cold);
    return made;
  }
  llvm::Value* at(llvm::Value* base, std::uint64_t bytes) {
    return builder_.CreatePtrAdd(base, builder_.getInt64(bytes));
  }
  llvm::Value* load(llvm::Type* type, llvm::Value* base, std::uint64_t offset, Region region, bool invariant) {
    llvm::LoadInst* const load = builder_.CreateAlignedLoad(type, at(base, offset), llvm::Align(8));
    unit_.note(load, region, invariant);
    return load;
  }
  llvm::Value* stack_pointer() {
    llvm::Value* const name = llvm::MetadataAsValue::get(
        unit_.context, llvm::MDNode::get(unit_.context, llvm::MDString::get(unit_.context, "rsp")));
    return builder_.CreateIntrinsic(llvm::Intrinsic::read_register, {builder_.getInt64Ty()}, {name});
  }

  Unit& unit_;
  Builder builder_;
  llvm::Value* context_;
};

struct Contents {
  bool calls = false;      // anything but what traps
  bool can_stand = false;  // somebody may find the frame on the stack
};

Contents contents_of(const llvm::Function& function) {
  Contents contents;
  for (const llvm::BasicBlock& block : function) {
    for (const llvm::Instruction& instruction : block) {
      contents.can_stand |= instruction.mayReadOrWriteMemory();
      const auto* const call = llvm::dyn_cast<llvm::CallInst>(&instruction);
      if (call != nullptr && !llvm::isa<llvm::IntrinsicInst>(call) && !call->doesNotReturn() &&
          !call->isMustTailCall()) {
        contents.calls = true;
      }
    }
  }
  return contents;
}

// Calls of functions of the module whose code is elsewhere go through their records, and those of the unit's own to
// their address.
void route_calls(Unit& unit, llvm::Function& function) {
  std::vector<llvm::CallInst*> calls;
  for (llvm::BasicBlock& block : function) {
    for (llvm::Instruction& instruction : block) {
      auto* const call = llvm::dyn_cast<llvm::CallInst>(&instruction);
      const llvm::Function* const callee = call != nullptr ? call->getCalledFunction() : nullptr;
      if (callee == nullptr || !unit.index_of(*callee)) continue;
      if (callee->isDeclaration() || !unit.applies(UnitOptimisation::direct_calls)) calls.push_back(call);
    }
  }
  for (llvm::CallInst* const call : calls) {
    const wasm::FuncIndex index = *unit.index_of(*call->getCalledFunction());
    Builder builder(call);
    llvm::Type* const ptr = builder.getPtrTy();
    const auto load = [&](llvm::Value* base, std::uint64_t offset, Region region, bool is_invariant) {
      llvm::LoadInst* const load =
          builder.CreateAlignedLoad(ptr, builder.CreatePtrAdd(base, builder.getInt64(offset)), llvm::Align(8));
      unit.note(load, region, is_invariant);
      return load;
    };
    llvm::Value* const context = call->getArgOperand(1);
    llvm::Value* const functions = load(context, offsetof(VmContext, functions), Region::context, true);
    llvm::Value* const code = builder.CreatePtrAdd(
        functions, builder.getInt64((index.value - unit.wasm.imported_functions) * sizeof(FunctionCode)));
    llvm::LoadInst* const entry = load(code, offsetof(FunctionCode, native_entry), Region::code, false);
    entry->setAtomic(llvm::AtomicOrdering::Unordered);
    llvm::BasicBlock* const from = builder.GetInsertBlock();
    llvm::Instruction* const bind =
        llvm::SplitBlockAndInsertIfThen(builder.CreateIsNull(entry), call->getIterator(), false, unit.seldom);
    builder.SetInsertPoint(bind);
    llvm::Value* const exec = load(context, offsetof(VmContext, exec), Region::context, true);
    llvm::Value* const binder = load(exec, offsetof(ExecState, bind_native_entry), Region::state, true);
    builder.SetInsertPoint(call);
    llvm::PHINode* const target = builder.CreatePHI(ptr, 2);
    target->addIncoming(entry, from);
    target->addIncoming(binder, bind->getParent());
    call->setArgOperand(0, code);
    call->setCalledOperand(target);
  }
}

llvm::DebugLoc begin_of(const llvm::Function& function) {
  llvm::DISubprogram* const scope = function.getSubprogram();
  return llvm::DILocation::get(function.getContext(), scope->getLine(), 0, scope);
}

}  // namespace

std::uint32_t finish_function(Unit& unit, llvm::Function& function, llvm::FunctionAnalysisManager& analyses) {
  const Contents contents = contents_of(function);
  std::uint32_t polls = 0;

  struct Place {
    llvm::Instruction* before;
    llvm::DebugLoc location;
  };
  std::vector<Place> places;
  const llvm::LoopInfo& loops = analyses.getResult<llvm::LoopAnalysis>(function);
  if (!loops.empty()) {
    llvm::ScalarEvolution& evolution = analyses.getResult<llvm::ScalarEvolutionAnalysis>(function);
    for (llvm::Loop* const loop : loops.getLoopsInPreorder()) {
      const unsigned turns = evolution.getSmallConstantMaxTripCount(loop);
      const bool is_short = loop->isInnermost() && turns != 0 && turns <= kFewTurns;
      if (is_short && unit.applies(UnitOptimisation::short_loops)) continue;
      llvm::Instruction* const first = &*loop->getHeader()->getFirstInsertionPt();
      llvm::DebugLoc location = loop->getStartLoc();
      if (!location) location = first->getDebugLoc();
      places.push_back({first, location});
    }
  }
  const llvm::DebugLoc begin = begin_of(function);
  Checks checks(unit, function);
  for (const Place& place : places) checks.add_poll(place.before, place.location ? place.location : begin);
  polls += places.size();

  // Only what stands at the top has its place in the frame from the start.
  std::vector<llvm::AllocaInst*> allocas;
  for (llvm::Instruction& instruction : function.getEntryBlock()) {
    if (auto* const alloca = llvm::dyn_cast<llvm::AllocaInst>(&instruction)) allocas.push_back(alloca);
  }
  for (llvm::AllocaInst* const alloca : allocas) {
    alloca->moveBefore(function.getEntryBlock(), function.getEntryBlock().begin());
  }
  llvm::Instruction* first = &*function.getEntryBlock().getFirstNonPHIOrDbgOrAlloca();
  if (contents.calls || !unit.applies(UnitOptimisation::leaf_functions)) {
    checks.add_poll(first, begin);
    ++polls;
  }
  unit.count(UnitOptimisation::polls, polls);
  const bool is_bare = !contents.can_stand && polls == 0 && !unit.is_for_debugger();
  if (!is_bare || !unit.applies(UnitOptimisation::bare_frames))
    checks.keep_context(&function.getEntryBlock().front(), begin);
  route_calls(unit, function);
  // A fault may come anywhere, and the walk relies on the frame: no shrinking of the part that has one. Code generation
  // asks nothing else of this.
  function.addFnAttr(llvm::Attribute::SanitizeAddress);
  return polls;
}

void check_frame_first(Unit& unit, llvm::Function& function, std::uint32_t frame_bytes) {
  unit.count(UnitOptimisation::large_frames);
  llvm::Function* const entry = unit.create_function("");
  entry->takeName(&function);
  function.setName(entry->getName() + kBodySuffix);
  function.replaceAllUsesWith(entry);
  // In front of it, as whoever finds the function takes the first of its code for its entry.
  entry->removeFromParent();
  unit.module->getFunctionList().insert(function.getIterator(), entry);
  std::uint32_t index = 0;
  const bool is_number = !function.getSubprogram()->getName().getAsInteger(10, index);
  WASI_CHECK(is_number);
  unit.create_scope(*entry, index, function.getSubprogram()->getLine());
  entry->addFnAttr(llvm::Attribute::SanitizeAddress);

  const llvm::DebugLoc begin = begin_of(*entry);
  Builder builder(llvm::BasicBlock::Create(unit.context, "entry", entry));
  builder.SetCurrentDebugLocation(begin);
  std::vector<llvm::Value*> args;
  for (llvm::Argument& arg : entry->args()) args.push_back(&arg);
  llvm::CallInst* const call = builder.CreateCall(&function, args);
  call->setAttributes(unit.call_attributes());
  call->setTailCallKind(llvm::CallInst::TCK_MustTail);
  builder.CreateRet(call);
  Checks checks(unit, *entry);
  // Some more for what the prologue pushes.
  constexpr std::uint64_t kPushed = 64;
  checks.add_room_check(call, begin, frame_bytes + kPushed);
  checks.keep_context(&entry->getEntryBlock().front(), begin);
}

}  // namespace wasi::jit::optimising
