#include "jit/llvm/unit.h"

#include <llvm/ADT/APFloat.h>
#include <llvm/IR/Constants.h>

#include "runtime/vmcontext.h"

namespace wasi::jit::optimising {

namespace {

constexpr const char* kRegionNames[] = {"context", "state", "memory", "view", "table",
                                        "global",  "code",  "object", "area"};
static_assert(std::size(kRegionNames) == kRegionCount);

// In the order of what hidden() knows.
constexpr double kHidden[] = {1.0, -1.0, 0.0, -0.0};

}  // namespace

Unit::Unit(const wasm::Module& wasm_module, UnitOptimisationSet without, bool for_debugger)
    : wasm(wasm_module),
      module(std::make_unique<llvm::Module>("wasm", context)),
      without_(without),
      for_debugger_(for_debugger),
      debug_(*module) {
  llvm::Type* const i64 = llvm::Type::getInt64Ty(context);
  llvm::Type* const ptr = llvm::PointerType::getUnqual(context);
  types_ = {llvm::Type::getInt32Ty(context),    i64, llvm::Type::getFloatTy(context), llvm::Type::getDoubleTy(context),
            llvm::FixedVectorType::get(i64, 2), i64};
  llvm::Type* const vector = llvm::FixedVectorType::get(llvm::Type::getDoubleTy(context), 2);
  std::vector<llvm::Type*> params = {ptr, ptr};
  params.insert(params.end(), 5, i64);
  params.insert(params.end(), 8, vector);
  prototype_ = llvm::FunctionType::get(llvm::StructType::get(i64, i64, vector, vector), params, false);
  call_attributes_ = llvm::AttributeList()
                         .addParamAttribute(context, 0, llvm::Attribute::Nest)
                         .addFnAttribute(context, llvm::Attribute::NoUnwind)
                         .addFnAttribute(context, llvm::Attribute::NoMerge);

  llvm::MDBuilder metadata(context);
  llvm::MDNode* const root = metadata.createTBAARoot("wasm");
  for (std::size_t i = 0; i < kRegionCount; ++i) {
    llvm::MDNode* const node = metadata.createTBAAScalarTypeNode(kRegionNames[i], root);
    regions_[i] = metadata.createTBAAStructTagNode(node, node, 0);
  }
  seldom = metadata.createBranchWeights(1, 1U << 20);
  likely = metadata.createBranchWeights(8, 1);

  // Locations without anything else of a debugger's: no section is made of them, but where locals are to be found.
  file_ = debug_.createFile("wasm", "");
  debug_.createCompileUnit(llvm::dwarf::DW_LANG_C, file_, "wasirun", true, "", 0, "",
                           for_debugger ? llvm::DICompileUnit::FullDebug : llvm::DICompileUnit::NoDebug);
  debug_type_ = debug_.createSubroutineType(debug_.getOrCreateTypeArray({}));
  module->addModuleFlag(llvm::Module::Warning, "Debug Info Version", llvm::DEBUG_METADATA_VERSION);
}

Unit::~Unit() = default;

llvm::Function* Unit::function(wasm::FuncIndex index) {
  llvm::Function*& function = functions_[index.value];
  if (function == nullptr) {
    function = create_function("f" + std::to_string(index.value));
  }
  return function;
}

std::optional<wasm::FuncIndex> Unit::index_of(const llvm::Function& function) const {
  // By its name: LLVM takes away declarations that nobody needs, and gives their place to others.
  llvm::StringRef name = function.getName();
  std::uint32_t index = 0;
  if (!name.consume_front("f") || name.getAsInteger(10, index)) return std::nullopt;
  return wasm::FuncIndex(index);
}

llvm::Function* Unit::marker(Marker marker) {
  llvm::Function*& function = markers_[static_cast<std::size_t>(marker)];
  if (function != nullptr) return function;
  llvm::Type* const i1 = llvm::Type::getInt1Ty(context);
  constexpr const char* kNames[] = {"wasi.leaves", "wasi.looks", "wasi.handles"};
  llvm::FunctionType* const types[] = {llvm::FunctionType::get(i1, {llvm::Type::getInt32Ty(context)}, false),
                                       llvm::FunctionType::get(i1, false),
                                       llvm::FunctionType::get(llvm::Type::getVoidTy(context), false)};
  const auto index = static_cast<std::size_t>(marker);
  function = llvm::Function::Create(types[index], llvm::GlobalValue::ExternalLinkage, kNames[index], module.get());
  function->addFnAttr(llvm::Attribute::NoUnwind);
  if (marker == Marker::looks) {
    // The same everywhere in a function.
    function->setDoesNotAccessMemory();
    function->addFnAttr(llvm::Attribute::WillReturn);
  }
  return function;
}

std::uint32_t Unit::number_of(const llvm::Function& function) {
  return numbers_.try_emplace(&function, static_cast<std::uint32_t>(numbers_.size())).first->second;
}

llvm::Function* Unit::create_function(const std::string& name) {
  // As if another could be in its place: nothing may be concluded from bodies, such as that a call is of no use.
  llvm::Function* const function =
      llvm::Function::Create(prototype_, llvm::GlobalValue::WeakAnyLinkage, name, module.get());
  function->setVisibility(llvm::GlobalValue::HiddenVisibility);
  function->setDSOLocal(true);
  function->addParamAttr(0, llvm::Attribute::Nest);
  function->addParamAttr(1, llvm::Attribute::NoUndef);
  function->addParamAttr(1, llvm::Attribute::NonNull);
  function->addParamAttr(1, llvm::Attribute::getWithDereferenceableBytes(context, sizeof(runtime::VmContext)));
  function->addParamAttr(1, llvm::Attribute::getWithAlignment(context, llvm::Align(8)));
  function->addFnAttr(llvm::Attribute::NoUnwind);
  function->addFnAttr("frame-pointer", "all");
  // A call is one in the backtrace, and recursion ends; but for Wasm's own tail calls.
  function->addFnAttr("disable-tail-calls", "true");
  // Spilled vectors of 32 bytes would align the stack pointer, and nobody could say where the frame ends.
  function->addFnAttr("no-realign-stack");
  return function;
}

void Unit::note(llvm::Instruction* access, Region region, bool is_invariant) const {
  access->setMetadata(llvm::LLVMContext::MD_tbaa, regions_[static_cast<std::size_t>(region)]);
  if (is_invariant)
    access->setMetadata(llvm::LLVMContext::MD_invariant_load, llvm::MDNode::get(access->getContext(), {}));
}

llvm::Value* Unit::hidden(Builder& builder, const llvm::ConstantFP& constant) {
  const bool is_double = constant.getType()->isDoubleTy();
  for (std::size_t i = 0; i < std::size(kHidden); ++i) {
    llvm::Constant* const value = llvm::ConstantFP::get(constant.getType(), kHidden[i]);
    if (value != &constant) continue;
    llvm::GlobalVariable*& global = hidden_[is_double ? 1 : 0][i];
    if (global == nullptr) {
      global = new llvm::GlobalVariable(*module, constant.getType(), false, llvm::GlobalValue::ExternalLinkage, value,
                                        "hidden");
      global->setVisibility(llvm::GlobalValue::HiddenVisibility);
      global->setDSOLocal(true);
      global->setSection(".rodata.hidden");
    }
    llvm::LoadInst* const load = builder.CreateLoad(constant.getType(), global);
    load->setMetadata(llvm::LLVMContext::MD_invariant_load, llvm::MDNode::get(context, {}));
    return load;
  }
  return nullptr;
}

llvm::DISubprogram* Unit::create_scope(llvm::Function& function, std::uint32_t index, std::uint64_t offset) {
  const auto line = static_cast<unsigned>(offset);
  llvm::DISubprogram* const scope =
      debug_.createFunction(file_, std::to_string(index), llvm::StringRef(), file_, line, debug_type_, line,
                            llvm::DINode::FlagZero, llvm::DISubprogram::SPFlagDefinition);
  function.setSubprogram(scope);
  return scope;
}

void Unit::declare_local(llvm::AllocaInst& storage, std::uint32_t local, llvm::DISubprogram& scope,
                         llvm::BasicBlock& in) {
  if (!for_debugger_) return;
  const std::uint64_t bits = module->getDataLayout().getTypeSizeInBits(storage.getAllocatedType());
  llvm::DIType* const type = debug_.createBasicType("bits" + std::to_string(bits), bits, llvm::dwarf::DW_ATE_unsigned);
  llvm::DILocalVariable* const variable =
      debug_.createAutoVariable(&scope, std::to_string(local), file_, scope.getLine(), type);
  debug_.insertDeclare(&storage, variable, debug_.createExpression(),
                       llvm::DILocation::get(context, scope.getLine(), 0, &scope), &in);
}

}  // namespace wasi::jit::optimising
