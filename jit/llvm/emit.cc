// Runs the code generator as LLVM's own drivers do, with one thing more: handlers in the printer that note where in
// the code each Wasm instruction is, and what each frame looks like. No debug information is made for that (but for
// debuggers, locals.h), and no unwind tables are.
#include "jit/llvm/emit.h"

#include <llvm/Analysis/TargetLibraryInfo.h>
#include <llvm/BinaryFormat/ELF.h>
#include <llvm/CodeGen/AsmPrinter.h>
#include <llvm/CodeGen/DebugHandlerBase.h>
#include <llvm/CodeGen/MachineFrameInfo.h>
#include <llvm/CodeGen/MachineFunction.h>
#include <llvm/CodeGen/MachineMemOperand.h>
#include <llvm/CodeGen/MachineModuleInfo.h>
#include <llvm/CodeGen/Passes.h>
#include <llvm/CodeGen/TargetPassConfig.h>
#include <llvm/CodeGen/TargetRegisterInfo.h>
#include <llvm/CodeGen/TargetSubtargetInfo.h>
#include <llvm/IR/InstIterator.h>
#include <llvm/IR/LegacyPassManager.h>
#include <llvm/MC/MCAsmBackend.h>
#include <llvm/MC/MCCodeEmitter.h>
#include <llvm/MC/MCInstPrinter.h>
#include <llvm/MC/MCObjectWriter.h>
#include <llvm/MC/MCSectionELF.h>
#include <llvm/MC/MCStreamer.h>
#include <llvm/MC/TargetRegistry.h>
#include <llvm/Support/FormattedStream.h>
#include <llvm/Support/raw_ostream.h>

#include <cstring>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "base/check.h"
#include "base/result.h"
#include "jit/common/native_abi.h"
#include "jit/llvm/extensions.h"
#include "jit/llvm/late.h"
#include "jit/llvm/link.h"
#include "jit/llvm/locals.h"

namespace wasi::jit::optimising {

namespace {

struct Noted {
  std::string name;
  llvm::MCSymbol* begin = nullptr;
  llvm::MCSymbol* end = nullptr;
  std::uint32_t frame_bytes = 0;
  SavedRegisters saved = {};
  std::uint32_t context_at = 0;
  std::vector<std::pair<llvm::MCSymbol*, std::uint64_t>> marks;
  std::vector<InlinedCall> inlined_calls;
  llvm::DenseMap<const llvm::DILocation*, std::size_t> inlined_numbers;
};

// The marks of one function's locations. A body that came in the place of a call has the call's location around its
// own, which stands for that one body alone.
class Marks {
 public:
  explicit Marks(Noted& noted) : noted_(noted) {}

  // Empty where it is not known which instruction it was: LLVM made one of several.
  std::optional<std::uint64_t> of(const llvm::DILocation* location) {
    for (const llvm::DILocation* at = location; at != nullptr; at = at->getInlinedAt()) {
      if (at->getLine() == 0) return std::nullopt;
    }
    return location != nullptr ? std::optional(mark(*location)) : std::nullopt;
  }

 private:
  std::uint64_t mark(const llvm::DILocation& location) {
    const llvm::DILocation* const call = location.getInlinedAt();
    if (call == nullptr) return location.getLine();
    const auto known = noted_.inlined_numbers.find(call);
    if (known != noted_.inlined_numbers.end()) return runtime::inlined_mark(known->second, location.getLine());
    InlinedCall inlined{.caller = caller_of(*call)};
    const bool is_number = !location.getScope()->getSubprogram()->getName().getAsInteger(10, inlined.function);
    WASI_CHECK(is_number);
    const std::size_t number = noted_.inlined_calls.size();
    noted_.inlined_calls.push_back(inlined);
    noted_.inlined_numbers[call] = number;
    return runtime::inlined_mark(number, location.getLine());
  }

  // Whoever made a tail call is not there.
  std::uint64_t caller_of(const llvm::DILocation& call) {
    if (call.getColumn() != kTailCallColumn) return mark(call);
    const llvm::DILocation* const outer = call.getInlinedAt();
    return outer != nullptr ? caller_of(*outer) : InlinedCall().caller;
  }

  Noted& noted_;
};

// Accesses to linear memory take their locations along, to where the code generator notes what an instruction accesses:
// there may be many at one address, and an instruction that is made of several has the location of one. They stand
// among the scopes of `alias.scope`, where those that `noalias` names are looked for and others do not matter.
void attach_locations(Unit& unit) {
  for (llvm::Function& function : *unit.module) {
    for (llvm::Instruction& instruction : llvm::instructions(function)) {
      llvm::DILocation* const location = instruction.getDebugLoc();
      if (location == nullptr || !unit.is_of(instruction, Region::memory)) continue;
      llvm::MDNode* const scopes = instruction.getMetadata(llvm::LLVMContext::MD_alias_scope);
      instruction.setMetadata(llvm::LLVMContext::MD_alias_scope,
                              llvm::MDNode::concatenate(scopes, llvm::MDNode::get(unit.context, {location})));
    }
  }
}

// What was attached; null for others.
const llvm::DILocation* access_location(const llvm::AAMDNodes& access) {
  if (access.Scope == nullptr) return nullptr;
  for (const llvm::MDOperand& scope : access.Scope->operands()) {
    if (const auto* const location = llvm::dyn_cast_or_null<llvm::DILocation>(scope)) return location;
  }
  return nullptr;
}

llvm::MCSymbol* label(llvm::AsmPrinter& printer) {
  llvm::MCSymbol* const symbol = printer.OutContext.createTempSymbol();
  printer.OutStreamer->emitLabel(symbol);
  return symbol;
}

// Where functions begin and end, and their frames.
class FrameNotes : public llvm::AsmPrinterHandler {
 public:
  FrameNotes(llvm::AsmPrinter& printer, std::vector<Noted>& notes) : printer_(printer), notes_(notes) {}

  // Where all of the labels are is known when the file is written, so that is where it is read from.
  void endModule() override {
    llvm::MCStreamer& out = *printer_.OutStreamer;
    out.switchSection(printer_.OutContext.getELFSection(kPlacesSection, llvm::ELF::SHT_PROGBITS, 0));
    for (const Noted& noted : notes_) {
      out.emitAbsoluteSymbolDiff(noted.begin, notes_.front().begin, 4);
      out.emitAbsoluteSymbolDiff(noted.end, notes_.front().begin, 4);
      for (const auto& [symbol, offset] : noted.marks) out.emitAbsoluteSymbolDiff(symbol, noted.begin, 4);
    }
  }
  void beginFunction(const llvm::MachineFunction* function) override {
    Noted& noted = notes_.emplace_back();
    noted.name = function->getName().str();
    noted.begin = label(printer_);
    const llvm::MachineFrameInfo& frame = function->getFrameInfo();
    // Of which the saved rbp is a part.
    noted.frame_bytes = static_cast<std::uint32_t>(frame.getStackSize()) - 8;
    for (int i = 0; i < frame.getObjectIndexEnd(); ++i) {
      const llvm::AllocaInst* const allocation = frame.getObjectAllocation(i);
      if (allocation != nullptr && allocation->getName() == kContextName) {
        noted.context_at = words_below(frame.getObjectOffset(i));
      }
    }
    const llvm::TargetRegisterInfo& registers = *function->getSubtarget().getRegisterInfo();
    for (const llvm::CalleeSavedInfo& info : frame.getCalleeSavedInfo()) {
      const unsigned number = registers.getEncodingValue(info.getReg());
      if (number == static_cast<unsigned>(Gpr::rbp)) continue;
      const auto* const at = std::ranges::find(kPreservedRegisters, static_cast<Gpr>(number));
      WASI_CHECK(at != std::end(kPreservedRegisters));
      const std::uint32_t words = words_below(frame.getObjectOffset(info.getFrameIdx()));
      WASI_CHECK(words <= UINT8_MAX);
      noted.saved[static_cast<std::size_t>(at - std::begin(kPreservedRegisters))] = static_cast<std::uint8_t>(words);
    }
  }
  void markFunctionEnd() override { notes_.back().end = label(printer_); }
  void endFunction(const llvm::MachineFunction*) override {}

 private:
  // From an offset to what was there before the call to how many words that is below rbp.
  static std::uint32_t words_below(std::int64_t offset) {
    const std::int64_t bytes = -(offset + 16);
    WASI_CHECK(bytes > 0 && bytes % 8 == 0);
    return static_cast<std::uint32_t>(bytes / 8);
  }

  llvm::AsmPrinter& printer_;
  std::vector<Noted>& notes_;
};

// Which Wasm instruction code belongs to. Of a debugger's handler since those alone are told of each instruction.
class LocationHandler : public llvm::DebugHandlerBase {
 public:
  LocationHandler(llvm::AsmPrinter& printer, const Unit& unit)
      : DebugHandlerBase(&printer), printer_(printer), unit_(unit) {}

  // The printer learns of it behind the constructor.
  void beginModule(llvm::Module*) override { MMI = printer_.MMI; }
  void endModule() override {}
  void beginInstruction(const llvm::MachineInstr* instruction) override {
    // Debuggers stop where the first location is, and want the frame by then.
    const bool is_prologue = unit_.is_for_debugger() && instruction->getFlag(llvm::MachineInstr::FrameSetup);
    if (!instruction->isMetaInstruction() && !is_prologue) note(location_of(*instruction));
  }
  void endInstruction() override {}

 protected:
  void beginFunctionImpl(const llvm::MachineFunction*) override {}
  void endFunctionImpl(const llvm::MachineFunction*) override {}
  [[nodiscard]] llvm::AsmPrinter& printer() const { return printer_; }
  // In front of each instruction.
  virtual void note(const llvm::DILocation* location) = 0;

 private:
  // A load that became an operand of another instruction is what may fault in it, also where that stores its result at
  // the same address.
  static const llvm::DILocation* location_of(const llvm::MachineInstr& instruction) {
    const llvm::DILocation* const own = instruction.getDebugLoc();
    for (const bool wants_load : {true, false}) {
      const llvm::DILocation* first = nullptr;
      for (const llvm::MachineMemOperand* const operand : instruction.memoperands()) {
        if (operand->isLoad() != wants_load) continue;
        const llvm::DILocation* const access = access_location(operand->getAAInfo());
        if (access != nullptr && access == own) return own;
        if (first == nullptr) first = access;
      }
      if (first != nullptr) return first;
    }
    return own;
  }

  llvm::AsmPrinter& printer_;
  const Unit& unit_;
};

class OffsetNotes : public LocationHandler {
 public:
  OffsetNotes(llvm::AsmPrinter& printer, const Unit& unit, std::vector<Noted>& notes)
      : LocationHandler(printer, unit), notes_(notes) {}

 private:
  void note(const llvm::DILocation* location) override {
    Noted& noted = notes_.back();
    const auto mark = Marks(noted).of(location);
    if (!mark || (!noted.marks.empty() && noted.marks.back().second == *mark)) return;
    noted.marks.emplace_back(label(printer()), *mark);
  }

  std::vector<Noted>& notes_;
};

// Writes it into the assembler's text.
class OffsetLines : public LocationHandler {
 public:
  using LocationHandler::LocationHandler;

 private:
  void note(const llvm::DILocation* location) override {
    if (location == last_ || location == nullptr || location->getLine() == 0) return;
    last_ = location;
    printer().OutStreamer->emitRawText("; " + location->getScope()->getSubprogram()->getName() + " 0x" +
                                       llvm::Twine::utohexstr(location->getLine()));
  }

  const llvm::DILocation* last_ = nullptr;
};

using StreamerPtr = std::unique_ptr<llvm::MCStreamer>;

// Runs the code generator into a streamer. `make_streamer` is given the context of what it streams, and
// `add_handlers` the printer.
Result<void> generate_code(Unit& unit, llvm::LLVMTargetMachine& target,
                           const std::function<StreamerPtr(llvm::MCContext&)>& make_streamer,
                           const std::function<void(llvm::AsmPrinter&)>& add_handlers) {
  attach_locations(unit);
  llvm::legacy::PassManager passes;
  llvm::TargetLibraryInfoImpl library(target.getTargetTriple());
  library.disableAllFunctions();
  passes.add(new llvm::TargetLibraryInfoWrapperPass(library));
  auto* const modules = new llvm::MachineModuleInfoWrapperPass(&target);
  llvm::TargetPassConfig* const config = target.createPassConfig(passes);
  config->setDisableVerify(true);
  if (!unit.is_off(UnitOptimisation::early_extensions) && !unit.is_for_debugger()) {
    const std::unique_ptr<llvm::Pass> last(llvm::createCodeGenPrepareLegacyPass());
    config->insertPass(last->getPassID(), create_early_extensions(unit));
  }
  passes.add(config);
  passes.add(modules);
  if (config->addISelPasses()) return fail(ErrorKind::unsupported, "LLVM has no code generator for this processor");
  config->addMachinePasses();
  config->setInitialized();

  llvm::AsmPrinter* const printer =
      target.getTarget().createAsmPrinter(target, make_streamer(modules->getMMI().getContext()));
  add_handlers(*printer);
  passes.add(printer);
  passes.add(llvm::createFreeMachineFunctionPass());
  passes.run(*unit.module);
  return {};
}

}  // namespace

Result<Emitted> emit(Unit& unit, llvm::TargetMachine& target_machine) {
  auto& target = static_cast<llvm::LLVMTargetMachine&>(target_machine);
  llvm::SmallVector<char, 0> object;
  llvm::raw_svector_ostream out(object);
  std::vector<Noted> notes;
  WASI_TRY(generate_code(
      unit, target,
      [&](llvm::MCContext& context) {
        std::unique_ptr<llvm::MCAsmBackend> backend(target.getTarget().createMCAsmBackend(
            *target.getMCSubtargetInfo(), *target.getMCRegisterInfo(), target.Options.MCOptions));
        std::unique_ptr<llvm::MCCodeEmitter> emitter(
            target.getTarget().createMCCodeEmitter(*target.getMCInstrInfo(), context));
        std::unique_ptr<llvm::MCObjectWriter> writer = backend->createObjectWriter(out);
        return StreamerPtr(target.getTarget().createMCObjectStreamer(target.getTargetTriple(), context,
                                                                     std::move(backend), std::move(writer),
                                                                     std::move(emitter), *target.getMCSubtargetInfo()));
      },
      [&](llvm::AsmPrinter& printer) {
        printer.addAsmPrinterHandler(std::make_unique<FrameNotes>(printer, notes));
        printer.addDebugHandler(std::make_unique<OffsetNotes>(printer, unit, notes));
      }));

  Linked linked = WASI_TRY(link({object.data(), object.size()}));
  Emitted emitted{.bytes = std::move(linked.bytes), .functions = {}};
  const char* place = linked.places.data();
  const auto next_place = [&place] {
    std::uint32_t value = 0;
    std::memcpy(&value, place, sizeof(value));
    place += sizeof(value);
    return value;
  };
  LocalsByFunction locals;
  if (unit.is_for_debugger()) locals = read_locals({object.data(), object.size()});
  for (Noted& noted : notes) {
    EmittedFunction& function = emitted.functions.emplace_back();
    function.name = std::move(noted.name);
    function.begin = next_place();
    function.end = next_place();
    function.frame_bytes = noted.frame_bytes;
    function.saved = noted.saved;
    function.context_at = noted.context_at;
    function.inlined_calls = std::move(noted.inlined_calls);
    if (const auto found = locals.find(function.begin); found != locals.end())
      function.locals = std::move(found->second);
    for (const auto& [symbol, offset] : noted.marks) {
      const std::uint32_t at = next_place();
      // Of two at one place, nothing lies between.
      if (!function.marks.empty() && function.marks.back().code_offset == at) function.marks.pop_back();
      function.marks.push_back({at, offset});
    }
  }
  return emitted;
}

Result<std::string> list(Unit& unit, llvm::TargetMachine& target_machine) {
  constexpr unsigned kIntel = 1;
  auto& target = static_cast<llvm::LLVMTargetMachine&>(target_machine);
  std::string text;
  llvm::raw_string_ostream out(text);
  WASI_TRY(generate_code(
      unit, target,
      [&](llvm::MCContext& context) {
        llvm::MCInstPrinter* const printer =
            target.getTarget().createMCInstPrinter(target.getTargetTriple(), kIntel, *target.getMCAsmInfo(),
                                                   *target.getMCInstrInfo(), *target.getMCRegisterInfo());
        return StreamerPtr(target.getTarget().createAsmStreamer(
            context, std::make_unique<llvm::formatted_raw_ostream>(out), printer, nullptr, nullptr));
      },
      [&](llvm::AsmPrinter& printer) { printer.addDebugHandler(std::make_unique<OffsetLines>(printer, unit)); }));
  return text;
}

}  // namespace wasi::jit::optimising
