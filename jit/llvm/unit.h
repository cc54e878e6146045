// What is compiled at once: one LLVM module, with the types, metadata and constants that all of its functions share.
#pragma once

#include <llvm/ADT/DenseMap.h>
#include <llvm/ADT/DenseSet.h>
#include <llvm/IR/DIBuilder.h>
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/LLVMContext.h>
#include <llvm/IR/MDBuilder.h>
#include <llvm/IR/Module.h>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "jit/common/types.h"
#include "jit/common/unit_optimisations.h"
#include "wasm/module.h"

namespace wasi::jit::optimising {

using Builder = llvm::IRBuilder<>;

// The column of a tail call's location: its frame is not there while its callee runs, also where the callee's body
// takes its place.
inline constexpr unsigned kTailCallColumn = 1;

// What memory an access is of: two of different kinds never overlap.
enum class Region : std::uint8_t {
  context,  // VmContext and what never changes behind it
  state,    // ExecState
  memory,   // linear memories
  view,     // MemoryView
  table,    // TableView and elements
  global,
  code,    // FunctionCode, FuncRef
  object,  // of the collector's heap
  area,    // values between functions that have no register
};
inline constexpr std::size_t kRegionCount = 9;

class Unit {
 public:
  // How often each optimisation applied, and what safety took.
  using Counts = std::array<std::uint64_t, kUnitOptimisationCount>;

  // `for_debugger`: the code generator is told of locals, as variables of debug information.
  Unit(const wasm::Module& wasm, UnitOptimisationSet without, bool for_debugger = false);
  ~Unit();
  Unit(const Unit&) = delete;
  Unit& operator=(const Unit&) = delete;

  // Whether an optimisation that could be made is to be made, in which case it is counted.
  bool applies(UnitOptimisation optimisation) {
    if (is_off(optimisation)) return false;
    count(optimisation);
    return true;
  }
  [[nodiscard]] bool is_off(UnitOptimisation optimisation) const { return without_.has(optimisation); }
  void count(UnitOptimisation optimisation, std::uint64_t times = 1) {
    counts_[static_cast<std::size_t>(optimisation)] += times;
  }
  [[nodiscard]] const Counts& counts() const { return counts_; }

  [[nodiscard]] llvm::Type* type(Type type) const { return types_[static_cast<std::size_t>(type)]; }
  // Of every function: `{i64, i64, <2 x double>, <2 x double>} (ptr nest callee, ptr context, 5 x i64, 8 x <2 x
  // double>)`, which is the native convention (jit/common/native_abi.h) in LLVM's words.
  [[nodiscard]] llvm::FunctionType* prototype() const { return prototype_; }
  // What a call or a function of the prototype needs beside its type.
  [[nodiscard]] const llvm::AttributeList& call_attributes() const { return call_attributes_; }
  // One of the module's own, perhaps without a body.
  llvm::Function* function(wasm::FuncIndex index);
  llvm::Function* create_function(const std::string& name);
  // Of what function() gave.
  [[nodiscard]] std::optional<wasm::FuncIndex> index_of(const llvm::Function& function) const;
  // Questions of exceptions that have an answer when it is known which bodies are in a function (inlining.h). Calls of
  // what is no function in the end:
  //  - `i1 leaves(i32 number)`: whether an exception that this body does not catch leaves the function, too;
  //  - `i1 looks()`: whether anything in the function catches, so that exceptions come back to it;
  //  - `void handles()`: here something is caught.
  enum class Marker : std::uint8_t { leaves, looks, handles };
  llvm::Function* marker(Marker marker);
  std::uint32_t number_of(const llvm::Function& function);
  // A copy of another unit's function is there for callers to take in (inlining.h).
  void set_copy(const llvm::Function& function) { copies_.insert(&function); }
  [[nodiscard]] bool is_copy(const llvm::Function& function) const { return copies_.contains(&function); }
  // Said of functions by inline_calls().
  void set_catches(const llvm::Function& function) { catching_.insert(&function); }
  [[nodiscard]] bool catches(const llvm::Function& function) const { return catching_.contains(&function); }

  // The access is of this kind of memory. `is_invariant`: a load of what never changes.
  void note(llvm::Instruction* access, Region region, bool is_invariant = false) const;

  [[nodiscard]] bool is_of(const llvm::Instruction& access, Region region) const {
    return access.getMetadata(llvm::LLVMContext::MD_tbaa) == regions_[static_cast<std::size_t>(region)];
  }

  // 1, -1, 0 or -0 as a value that LLVM does not know: it would take away operations that quiet a signalling NaN.
  // Null for other constants.
  llvm::Value* hidden(Builder& builder, const llvm::ConstantFP& constant);

  // Where instructions come from: the byte offset in the module is the line.
  llvm::DISubprogram* create_scope(llvm::Function& function, std::uint32_t index, std::uint64_t offset);
  [[nodiscard]] bool is_for_debugger() const { return for_debugger_; }
  // From here on the Wasm local is what this holds, where a debugger wants to know.
  void declare_local(llvm::AllocaInst& storage, std::uint32_t local, llvm::DISubprogram& scope, llvm::BasicBlock& in);

  const wasm::Module& wasm;
  llvm::LLVMContext context;
  const std::unique_ptr<llvm::Module> module;
  // In branch_weights of a conditional branch whose first target is seldom taken.
  llvm::MDNode* seldom = nullptr;
  llvm::MDNode* likely = nullptr;  // whose first target is taken mostly, as far as one knows

 private:
  const UnitOptimisationSet without_;
  const bool for_debugger_;
  Counts counts_ = {};
  std::array<llvm::Type*, kTypeCount> types_;
  llvm::FunctionType* prototype_ = nullptr;
  llvm::AttributeList call_attributes_;
  std::array<llvm::MDNode*, kRegionCount> regions_ = {};
  llvm::DenseMap<std::uint32_t, llvm::Function*> functions_;
  std::array<llvm::Function*, 3> markers_ = {};
  llvm::DenseSet<const llvm::Function*> copies_;
  llvm::DenseSet<const llvm::Function*> catching_;
  llvm::DenseMap<const llvm::Function*, std::uint32_t> numbers_;
  llvm::GlobalVariable* hidden_[2][4] = {};
  llvm::DIBuilder debug_;
  llvm::DIFile* file_ = nullptr;
  llvm::DISubroutineType* debug_type_ = nullptr;
};

}  // namespace wasi::jit::optimising
