#include "jit/llvm/compile.h"

#include <llvm/IR/InstIterator.h>
#include <llvm/MC/TargetRegistry.h>
#include <llvm/Support/CommandLine.h>
#include <llvm/Support/TargetSelect.h>
#include <llvm/Target/TargetMachine.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/result.h"
#include "jit/common/native_abi.h"
#include "jit/common/stopped.h"
#include "jit/llvm/emit.h"
#include "jit/llvm/late.h"
#include "jit/llvm/lowering.h"
#include "jit/llvm/pipeline.h"
#include "jit/llvm/remarks.h"
#include "jit/llvm/survey.h"
#include "jit/llvm/unit.h"
#include "runtime/preparation_host.h"
#include "validate/function_walk.h"

namespace wasi::jit::optimising {

namespace {

bool divides_at_once(const OptimisingOptions& options) {
  return options.cpu.vaes && !options.without.has(UnitOptimisation::whole_divisions);
}

// What LLVM calls the rows of cpu_features.def.
std::string feature_names(const OptimisingOptions& options) {
  const CpuFeatures& cpu = options.cpu;
  std::string names = "+ssse3,+sse4.1";
  const auto add = [&names](bool has, const char* name) {
    if (has) names += std::string(",+") + name;
  };
  add(cpu.sse42, "sse4.2");
  add(cpu.popcnt, "popcnt");
  add(cpu.lzcnt, "lzcnt");
  add(cpu.bmi1, "bmi");
  add(cpu.bmi2, "bmi2");
  add(cpu.avx, "avx");
  add(cpu.avx2, "avx2");
  add(cpu.avx512f, "avx512f");
  add(cpu.avx512bw, "avx512bw");
  add(cpu.avx512cd, "avx512cd");
  add(cpu.avx512dq, "avx512dq");
  add(cpu.avx512vl, "avx512vl");
  // Vectors of 64 bytes make many processors run slower for a while, so LLVM uses them for none of these by itself.
  add(cpu.avx512f, "prefer-256-bit");
  if (divides_at_once(options)) names += ",-idivq-to-divl";
  return names;
}

void set_option(const char* name, bool value) {
  auto& options = llvm::cl::getRegisteredOptions();
  const auto found = options.find(name);
  if (found != options.end()) static_cast<llvm::cl::opt<bool>*>(found->second)->setValue(value);
}

// What LLVM has no other way to ask for.
void set_options() {
  // With AVX-512, LLVM looks for chains of integers that could be in mask registers, in quadratic time: of a body of 20
  // KB that took as long as all the rest.
  set_option("disable-x86-domain-reassignment", true);
  // Counters of 32 bits that become ones of 64 are masked where they are addresses, and the vectoriser does not see
  // through that.
  set_option("indvars-widen-indvars", false);
}

std::unique_ptr<llvm::TargetMachine> make_target(const OptimisingOptions& options) {
  static std::once_flag once;
  std::call_once(once, [] {
    LLVMInitializeX86TargetInfo();
    LLVMInitializeX86Target();
    LLVMInitializeX86TargetMC();
    LLVMInitializeX86AsmPrinter();
    set_options();
  });
  std::string error;
  const std::string triple = "x86_64-unknown-linux-gnu";
  const llvm::Target* const target = llvm::TargetRegistry::lookupTarget(triple, error);
  if (target == nullptr) return nullptr;
  // Small: without a model, LLVM takes addresses for far away.
  return std::unique_ptr<llvm::TargetMachine>(
      target->createTargetMachine(triple, "x86-64", feature_names(options), llvm::TargetOptions(), llvm::Reloc::PIC_,
                                  llvm::CodeModel::Small, llvm::CodeGenOptLevel::Aggressive, false));
}

void count_divisions(Unit& unit) {
  for (const llvm::Function& function : *unit.module) {
    const auto count = llvm::count_if(llvm::instructions(function), [](const llvm::Instruction& instruction) {
      return instruction.isIntDivRem() && instruction.getType()->isIntegerTy(64) &&
             !llvm::isa<llvm::Constant>(instruction.getOperand(1));
    });
    unit.count(UnitOptimisation::whole_divisions, static_cast<std::uint64_t>(count));
  }
}

struct Surveyed {
  UnitRequest request;
  Survey survey;
  llvm::Function* into = nullptr;
  std::string name = {};  // of the LLVM function
  bool catches = false;
  std::uint32_t frame_slots = 0;
  std::vector<wasm::ValType> local_types = {};
  bool is_copy = false;  // of another unit's function, for its callers to take in
};

// Callees of these functions that are small enough to become a part of them, and callees of those, and so on.
Result<std::vector<Surveyed>> small_callees(const wasm::Module& module, std::span<const Surveyed> functions,
                                            LikelyCallees* likely, runtime::Preparation& preparation) {
  constexpr std::uint32_t kMostBytesTogether = 8192;
  constexpr unsigned kMostDeep = 4;
  std::unordered_set<std::uint32_t> seen;
  for (const Surveyed& function : functions) {
    if (!function.request.loop) seen.insert(function.request.index.value);
  }
  std::vector<Surveyed> copies;
  std::vector<wasm::FuncIndex> callees;
  for (const Surveyed& function : functions) {
    callees.insert(callees.end(), function.survey.callees.begin(), function.survey.callees.end());
  }
  std::uint32_t bytes = 0;
  for (unsigned depth = 0; depth < kMostDeep && !callees.empty(); ++depth) {
    std::vector<wasm::FuncIndex> next;
    for (const wasm::FuncIndex callee : callees) {
      const std::uint32_t size = module.body(callee).size;
      if (size > kMostSmallBytes || bytes + size > kMostBytesTogether || !seen.insert(callee.value).second) continue;
      if (!module.check_body(callee)) continue;
      auto result = survey(module, callee, false, std::nullopt, likely, preparation);
      if (!result && preparation.is_interrupted()) return std::unexpected(std::move(result).error());
      // Handlers would have all others look at what calls threw.
      if (!result || result->has_handlers) continue;
      bytes += size;
      next.insert(next.end(), result->callees.begin(), result->callees.end());
      copies.push_back({.request = {.index = callee}, .survey = *std::move(result), .is_copy = true});
    }
    callees = std::move(next);
  }
  return copies;
}

// What takes LLVM much more than linear time, or memory, is the baseline's.
Result<void> check_size(const wasm::Module& module, wasm::FuncIndex function, const Survey& survey,
                        std::uint32_t most_bytes) {
  // At each join of ways, each local may need a value of its own.
  constexpr std::uint64_t kMostJoinedLocals = 1U << 20;
  const wasm::FunctionBody& body = module.body(function);
  // What a loop's function never comes to is lowered and thrown away at once: that takes little.
  const std::uint64_t before = survey.outermost_loop.value_or(body.offset) - body.offset;
  const std::uint64_t rest = body.size - before;
  if (rest + before / 8 > most_bytes) {
    return fail(ErrorKind::unsupported,
                "the body has {} bytes, {} of them to be compiled: the optimising compiler takes {} at most", body.size,
                rest, most_bytes);
  }
  if (std::uint64_t{survey.locals} * survey.joins > kMostJoinedLocals) {
    return fail(ErrorKind::unsupported, "{} locals and {} blocks are too many for the optimising compiler",
                survey.locals, survey.joins);
  }
  return {};
}

// Frames that are too large to be touched before the stack was checked, by the functions' names.
using LargeFrames = std::map<std::string, std::uint32_t>;

// What is generated, and how.
struct Generation {
  const wasm::Module& module;
  const OptimisingOptions& options;
  std::vector<Surveyed> functions;
  bool looks_for_thrown = false;
  LikelyCallees* likely = nullptr;  // null: nobody wants to know
  LargeFrames large;
  Unit::Counts counts = {};  // of the last time
};

// Who debugs wants to meet functions where they are called.
UnitOptimisationSet without_of(const OptimisingOptions& options) {
  UnitOptimisationSet without = options.without;
  if (options.for_debugger) without.add(UnitOptimisation::inlined_calls);
  return without;
}

// With `listing`, the text of it is all that there is of it.
Result<Emitted> generate(Generation& generation, runtime::Preparation& preparation, std::string* listing = nullptr) {
  const auto& [module, options, functions, looks_for_thrown, likely, large, counts] = generation;
  const std::unique_ptr<llvm::TargetMachine> target = make_target(options);
  if (target == nullptr) return fail(ErrorKind::unsupported, "LLVM does not know this processor");
  Unit unit(module, without_of(options), options.for_debugger);
  if (options.counts != nullptr) count_remarks(unit);
  unit.module->setTargetTriple(target->getTargetTriple().str());
  unit.module->setDataLayout(target->createDataLayout());
  unit.module->setPICLevel(llvm::PICLevel::BigPIC);
  for (Surveyed& function : generation.functions) {
    const auto& [index, validated, loop] = function.request;
    function.into = loop ? unit.create_function("f" + std::to_string(index.value) + "_" + std::to_string(*loop))
                         : unit.function(index);
    if (function.is_copy) unit.set_copy(*function.into);
    Lowering lowering(unit, index, *function.into, function.survey, likely, options, looks_for_thrown, loop,
                      preparation);
    validate::FunctionWalk<Lowering, false> walk(module, index, lowering);
    WASI_TRY(walk.run());
    if (!lowering.finish()) return fail(ErrorKind::argument, "there is no loop at {:#x}", *loop);
    function.name = function.into->getName().str();
    function.frame_slots = lowering.frame_slots();
    function.local_types = lowering.take_local_types();
    if (function.is_copy) unit.count(UnitOptimisation::callee_copies);
  }
  optimise(unit, *target, [&preparation] { return preparation.poll().has_value(); });
  for (Surveyed& function : generation.functions) function.catches = unit.catches(*function.into);
  for (const auto& [name, frame_bytes] : large) check_frame_first(unit, *unit.module->getFunction(name), frame_bytes);
  WASI_TRY(preparation.poll());
  if (divides_at_once(options)) count_divisions(unit);
  Emitted emitted;
  if (listing == nullptr) {
    emitted = WASI_TRY(emit(unit, *target));
  } else {
    *listing = WASI_TRY(list(unit, *target));
  }
  generation.counts = unit.counts();
  return emitted;
}

Result<MachineUnit> compile_unit(const wasm::Module& module, std::span<const UnitRequest> requests,
                                 const OptimisingOptions& options, runtime::Preparation& preparation) {
  Generation generation{.module = module, .options = options, .functions = {}, .large = {}};
  LikelyCallees likely(module, options.held, options.seen);
  if (!options.without.has(UnitOptimisation::guarded_calls)) generation.likely = &likely;
  std::vector<Surveyed>& functions = generation.functions;
  for (const UnitRequest& request : requests) {
    auto result = survey(module, request.index, request.validated, request.loop, generation.likely, preparation);
    if (result) {
      if (auto fits = check_size(module, request.index, *result, generation.options.most_body_bytes); !fits)
        result = std::unexpected(fits.error());
    }
    if (!result) {
      if (functions.empty() || preparation.is_interrupted()) return std::unexpected(std::move(result).error());
      continue;
    }
    if (request.loop && result->has_rethrow) {
      // The interpreter keeps exceptions that may be thrown again elsewhere in its frame.
      return fail(ErrorKind::unsupported, "a call that may throw a caught exception again cannot move");
    }
    generation.looks_for_thrown |= result->has_handlers;
    functions.push_back({.request = request, .survey = *std::move(result)});
  }
  if (!options.for_debugger && !options.without.has(UnitOptimisation::callee_copies)) {
    auto copies = WASI_TRY(small_callees(module, functions, generation.likely, preparation));
    std::ranges::move(copies, std::back_inserter(functions));
  }

  MachineUnit code;
  Emitted emitted = WASI_TRY(generate(generation, preparation));
  LargeFrames& large = generation.large;
  for (const EmittedFunction& function : emitted.functions) {
    if (function.frame_bytes > kMostUncheckedFrame) large[function.name] = function.frame_bytes;
  }
  // How large frames are is known only now. They come out the same again.
  if (!large.empty()) emitted = WASI_TRY(generate(generation, preparation));
  if (options.log) WASI_TRY(generate(generation, preparation, &code.log));
  if (options.counts != nullptr) {
    for (std::size_t i = 0; i < kUnitOptimisationCount; ++i) (*options.counts)[i] += generation.counts[i];
  }
  code.bytes = std::move(emitted.bytes);
  for (EmittedFunction& function : emitted.functions) {
    std::string_view name = function.name;
    const bool is_body = name.ends_with(kBodySuffix);
    if (is_body) name.remove_suffix(std::string_view(kBodySuffix).size());
    const auto source = std::ranges::find(functions, name, &Surveyed::name);
    if (source != functions.end()) {
      for (LocalPlace& place : function.locals) place.type = source->local_types[place.local];
    }
    WASI_CHECK(source != functions.end() && (!is_body || large.contains(std::string(name))));
    code.functions.push_back({.index = source->request.index,
                              .begin = function.begin,
                              .end = function.end,
                              .marks = std::move(function.marks),
                              .inlined_calls = std::move(function.inlined_calls),
                              .frame_bytes = function.frame_bytes,
                              .saved = function.saved,
                              .context_at = function.context_at,
                              // What only goes on in a body is not there when that throws.
                              .catches = source->catches && (is_body || !large.contains(function.name)),
                              .loop = source->request.loop,
                              .frame_slots = source->frame_slots,
                              .locals = std::move(function.locals)});
  }
  return code;
}

}  // namespace

Result<MachineUnit> Compiler::compile(const wasm::Module& module, std::span<const UnitRequest> functions,
                                      const OptimisingOptions& options, runtime::Preparation& preparation) {
  try {
    return compile_unit(module, functions, options, preparation);
  } catch (Stopped& stopped) {
    return std::unexpected(std::move(stopped.error));
  }
}

}  // namespace wasi::jit::optimising

extern "C" [[gnu::visibility("default")]] void wasirun_optimising_compiler_host(wasi::runtime::MustStop must_stop) {
  wasi::runtime::ask_host_to_stop(must_stop);
}

extern "C" [[gnu::visibility("default")]] wasi::jit::OptimisingCompiler* wasirun_optimising_compiler(unsigned version) {
  if (version != wasi::jit::kOptimisingCompilerVersion) return nullptr;
  return new wasi::jit::optimising::Compiler;
}
