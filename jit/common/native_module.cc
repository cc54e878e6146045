#include "jit/common/native_module.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <span>
#include <string>
#include <utility>

#include "base/check.h"
#include "base/guard.h"
#include "base/result.h"
#include "binary/dwarf.h"
#include "binary/source_lines.h"
#include "jit/common/any_entry.h"
#include "os/populate.h"
#include "os/virtual_memory.h"
#include "runtime/code_map.h"
#include "runtime/stack_walk.h"

namespace wasi::jit {

using runtime::CodeMap;
using runtime::FunctionCode;
using runtime::NativeCode;
using runtime::OffsetEntry;
using runtime::OffsetTable;

// What a function's code is made of. Members go in reverse: the code map's entries before what they speak of.
struct NativeModule::Function : NativeCode {
  FunctionImage image;  // with views into what its unit keeps
  std::shared_ptr<Adapters> adapters;
  runtime::SlotEntry slot_entry = nullptr;
  const std::uint8_t* native_entry = nullptr;
  std::optional<std::uint64_t> loop;  // goes on in that one, and is no entry of the function
  std::uint64_t bytes = 0;
  std::vector<runtime::LoopHead> heads;
  std::vector<runtime::InlinedCall> inlined;
  std::vector<NativeCode> other_frames;
  std::shared_ptr<const runtime::NativeLocals> local_notes;
  std::vector<CodeMap::Entry> entries;

  // Before anybody executes the code.
  void take_notes(std::shared_ptr<const runtime::NativeLocals> notes) {
    local_notes = std::move(notes);
    locals = local_notes.get();
  }
};

// What was compiled together.
struct NativeModule::Unit {
  std::shared_ptr<const void> tables;  // what the functions' offset tables lie in
  PlacedCode code;
  bool is_of_image = false;
  std::vector<std::unique_ptr<Function>> functions;
};

struct NativeModule::Source {
  explicit Source(const wasm::Module& module) : lines(binary::decode_source_lines(module)), dwarf(module) {}

  // Of code with these marks.
  [[nodiscard]] std::vector<LineMark> of(std::span<const OffsetEntry> marks) const {
    std::vector<LineMark> found;
    if (lines.lines.empty()) return found;
    bool has_body = false;
    for (const OffsetEntry& mark : marks) {
      const binary::SourceLine* const from = lines.find(mark.value);
      LineMark line{.code_offset = mark.code_offset};
      if (from != nullptr) {
        line.line = from->line;
        line.file = lines.files[from->file];
        line.is_body = from->is_body && !std::exchange(has_body, has_body || from->is_body);
      }
      if (!line.is_body && !found.empty() && found.back().line == line.line && found.back().file == line.file) continue;
      found.push_back(line);
    }
    return found;
  }

  binary::SourceLines lines;
  binary::Dwarf dwarf;
};

namespace {

// The entries of [begin, end), counted from begin. `carries`: what holds before the first one is carried over.
std::vector<OffsetEntry> cut(std::span<const OffsetEntry> entries, std::uint32_t begin, std::uint32_t end,
                             bool carries) {
  const auto at = [](const OffsetEntry& entry) { return entry.code_offset; };
  const auto first = std::ranges::lower_bound(entries, begin, {}, at);
  const auto last = std::ranges::lower_bound(entries, end, {}, at);
  std::vector<OffsetEntry> part;
  if (carries && first != entries.begin() && (first == last || first->code_offset != begin)) {
    part.push_back({0, std::prev(first)->value});
  }
  for (auto entry = first; entry < last; ++entry) part.push_back({entry->code_offset - begin, entry->value});
  return part;
}

// A part of the code with one frame, and where its tables are in one vector with those of the other parts.
struct Part {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
  std::uint32_t frame_bytes = 0;
  std::size_t marks = 0;
  std::size_t traps = 0;
  std::size_t behind = 0;
};

std::vector<Part> parts_of(const MachineCode& machine) {
  std::vector<Part> parts;
  const auto size = static_cast<std::uint32_t>(machine.bytes.size());
  std::uint32_t covered = 0;
  for (const FrameRange& range : machine.other_frames) {
    WASI_CHECK(covered <= range.begin && range.begin < range.end && range.end <= size);
    if (covered < range.begin) {
      parts.push_back({.begin = covered, .end = range.begin, .frame_bytes = machine.frame_bytes});
    }
    parts.push_back({.begin = range.begin, .end = range.end, .frame_bytes = range.frame_bytes});
    covered = range.end;
  }
  if (covered < size) parts.push_back({.begin = covered, .end = size, .frame_bytes = machine.frame_bytes});
  return parts;
}

Result<void> append_tables(Part& part, const MachineCode& machine, std::vector<std::uint8_t>& tables) {
  const auto append = [&tables](const std::vector<std::uint8_t>& table) {
    tables.insert(tables.end(), table.begin(), table.end());
    return tables.size();
  };
  part.marks = tables.size();
  part.traps = append(WASI_TRY(runtime::encode_offset_table(cut(machine.marks, part.begin, part.end, true))));
  part.behind = append(WASI_TRY(runtime::encode_offset_table(cut(machine.traps, part.begin, part.end, false))));
  return {};
}

FunctionImage image_of(std::uint32_t function, const MachineCode& machine) {
  return {.function = function,
          .size = static_cast<std::uint32_t>(machine.bytes.size()),
          .entry = machine.entry,
          .frame_bytes = machine.frame_bytes,
          .frame_slots = machine.frame_slots,
          .loop_stub = machine.loop_stub,
          .saved = machine.saved,
          .context_at = machine.context_at,
          .catches = machine.catches,
          .faults_anywhere = machine.faults_anywhere,
          .loop_heads = machine.loop_stub ? machine.loop_heads : std::vector<LoopHead>()};
}

std::string name_of(runtime::ModuleCode& module, wasm::FuncIndex function) {
  if (const auto name = module.names().function(function)) return std::string(*name);
  return fmt::format("wasm function {}", function.value);
}

// For the listeners, where each part of a whole function comes from.
std::vector<OffsetEntry> marks_of(const FunctionImage& function) {
  std::vector<OffsetEntry> marks;
  for (const PartImage& part : function.parts) {
    for (const OffsetEntry& mark : OffsetTable(part.marks).entries()) {
      marks.push_back({mark.code_offset + part.begin, runtime::offset_of_mark(mark.value)});
    }
  }
  return marks;
}

}  // namespace

NativeModule::NativeModule(CodeSpace& space, runtime::ModuleCode& module) : space_(space), module_(module) {}

NativeModule::~NativeModule() = default;

std::shared_ptr<Adapters> NativeModule::adapters_of(const FunctionCode& function) {
  const wasm::Module& module = *module_.module;
  const std::lock_guard lock(adapters_mutex_);
  if (adapters_.empty()) adapters_.resize(module.types.size());
  std::shared_ptr<Adapters>& known = adapters_[module.functions[function.index].value];
  if (known == nullptr) known = space_.adapters().of(module.func_type(wasm::FuncIndex(function.index)));
  return known;
}

Result<std::unique_ptr<NativeModule::Function>> NativeModule::make_function(FunctionImage image, const Unit& unit) {
  const auto has_body = [this](std::uint32_t function) {
    return function < module_.module->functions.size() && !module_.module->is_imported(wasm::FuncIndex(function));
  };
  if (!has_body(image.function) || !std::ranges::all_of(image.inlined_calls, has_body, &InlinedCall::function)) {
    return fail(ErrorKind::malformed, "the compiled module is damaged: code of a function that there is not");
  }
  const wasm::FuncIndex index(image.function);
  auto made = std::make_unique<Function>();
  made->image = std::move(image);
  const FunctionImage& of = made->image;
  FunctionCode& function = module_.code(index);
  made->adapters = adapters_of(function);
  made->slot_entry = WASI_TRY(made->adapters->slot_entry());
  const std::uint8_t* const begin = unit.code.bytes().data() + of.begin;
  made->native_entry = begin + of.entry;

  NativeCode& code = *made;
  code = {.function = &function,
          .frame_bytes = of.frame_bytes,
          .saved = of.saved,
          .context_at = of.context_at,
          .catches = of.catches,
          .is_optimised = of.is_optimised,
          .frame_slots = std::max(of.frame_slots, made->adapters->signature().slot_count)};
  if (of.loop_stub) {
    code.loop_stub = begin + *of.loop_stub;
    made->heads.reserve(of.loop_heads.size());
    for (const LoopHead& head : of.loop_heads) made->heads.push_back({head.wasm_offset, begin + head.code_offset});
    code.loop_heads = made->heads;
  }
  for (const InlinedCall& call : of.inlined_calls) {
    made->inlined.push_back({&module_.code(wasm::FuncIndex(call.function)), call.caller});
  }
  code.inlined_calls = made->inlined;
  made->bytes = sizeof(Function) + of.size + of.loop_heads.size() * (sizeof(LoopHead) + sizeof(runtime::LoopHead)) +
                of.inlined_calls.size() * (sizeof(InlinedCall) + sizeof(runtime::InlinedCall)) +
                of.parts.size() * sizeof(PartImage);
  const auto has_other_frame = [&](const PartImage& part) { return part.frame_bytes != code.frame_bytes; };
  made->other_frames.reserve(static_cast<std::size_t>(std::ranges::count_if(of.parts, has_other_frame)));
  made->entries.reserve(of.parts.size());
  for (const PartImage& part : of.parts) {
    const NativeCode* owner = &code;
    if (has_other_frame(part)) {
      NativeCode& other = made->other_frames.emplace_back(code);
      other.frame_bytes = part.frame_bytes;
      owner = &other;
    }
    made->bytes += part.marks.size() + part.traps.size();
    made->entries.push_back(
        WASI_TRY(runtime::code_map().add({.begin = reinterpret_cast<std::uintptr_t>(begin) + part.begin,
                                          .end = reinterpret_cast<std::uintptr_t>(begin) + part.end,
                                          .owner = owner,
                                          .function = function.index,
                                          .marks = OffsetTable(part.marks),
                                          .traps = OffsetTable(part.traps),
                                          .faults_anywhere = of.faults_anywhere,
                                          .tables = unit.tables})));
  }
  return made;
}

Result<std::unique_ptr<NativeModule::Unit>> NativeModule::make_unit(
    UnitImage image, PlacedCode code, std::shared_ptr<const void> tables,
    std::span<const std::span<const LocalPlace>> locals) {
  auto unit = std::make_unique<Unit>();
  unit->tables = std::move(tables);
  unit->code = std::move(code);
  for (std::size_t i = 0; i < image.functions.size(); ++i) {
    FunctionImage& function = image.functions[i];
    if (space_.has_listeners())
      tell(unit->code, function, i < locals.size() ? locals[i] : std::span<const LocalPlace>());
    unit->functions.push_back(WASI_TRY(make_function(std::move(function), *unit)));
  }
  return unit;
}

void NativeModule::tell(PlacedCode& code, const FunctionImage& function, std::span<const LocalPlace> locals) {
  const wasm::FuncIndex index(function.function);
  const std::string name = name_of(module_, index);
  const std::vector<OffsetEntry> marks = marks_of(function);
  const std::span<const std::uint8_t> bytes = code.bytes().subspan(function.begin, function.size);
  if (!space_.wants_source()) return space_.tell(code, {name, bytes, marks});
  std::call_once(source_once_, [this] { source_ = std::make_unique<const Source>(*module_.module); });
  const std::vector<LineMark> lines = source_->of(marks);
  const GuestFunction guest{.module = *module_.module,
                            .index = index,
                            .lines = source_->lines,
                            .dwarf = source_->dwarf,
                            .locals = locals,
                            .saved = function.saved,
                            .context_at = function.context_at};
  space_.tell(code, {name, bytes, marks, lines, &guest});
}

// Where nobody has got such code for all of the functions meanwhile.
std::uint64_t NativeModule::publish(std::unique_ptr<Unit> unit) {
  std::uint64_t bytes = 0;
  const std::lock_guard lock(mutex_);
  // Nothing may fail behind the first function that has its code.
  if (units_.size() == units_.capacity()) units_.reserve(2 * units_.size() + 8);
  for (const auto& made : unit->functions) {
    FunctionCode& function = *made->function;
    if (made->loop) {
      if (loops_.try_emplace({function.index, *made->loop}, made.get()).second) bytes += made->bytes;
      continue;
    }
    const NativeCode* const present = function.native_code.load(std::memory_order_relaxed);
    if (present != nullptr && (present->is_optimised || !made->is_optimised)) continue;
    made->replaced = present;
    bytes += made->bytes;
    (unit->is_of_image ? counts_.bound : counts_.compiled) += 1;
    (unit->is_of_image ? counts_.bound_bytes : counts_.compiled_bytes) += made->image.size;
    // Whoever finds one of them finds those before it.
    function.native_code.store(made.get(), std::memory_order_release);
    function.native_entry.store(made->native_entry, std::memory_order_release);
    function.entry.store(made->slot_entry, std::memory_order_release);
  }
  if (bytes != 0) units_.push_back(std::move(unit));
  return bytes;
}

Result<std::uint64_t> NativeModule::install(FunctionCode& function, const MachineCode& machine,
                                            runtime::Preparation& preparation) {
  auto tables = std::make_shared<std::vector<std::uint8_t>>();
  std::vector<Part> parts = parts_of(machine);
  for (Part& part : parts) WASI_TRY(append_tables(part, machine, *tables));
  UnitImage image;
  FunctionImage& own = image.functions.emplace_back(image_of(function.index, machine));
  const std::span<const std::uint8_t> all = *tables;
  for (const Part& part : parts) {
    own.parts.push_back({.begin = part.begin,
                         .end = part.end,
                         .frame_bytes = part.frame_bytes,
                         .marks = all.subspan(part.marks, part.traps - part.marks),
                         .traps = all.subspan(part.traps, part.behind - part.traps)});
  }
  auto placed = WASI_TRY(space_.place(machine.bytes, ""));
  const std::span<const LocalPlace> locals = machine.locals;
  auto unit = WASI_TRY(make_unit(std::move(image), std::move(placed), std::move(tables), {&locals, 1}));
  if (machine.local_notes != nullptr) {
    machine.local_notes->code = reinterpret_cast<std::uintptr_t>(unit->code.bytes().data());
    unit->functions.front()->take_notes(machine.local_notes);
  }
  const std::uint64_t bytes = unit->functions.front()->bytes;
  WASI_TRY(preparation.take(bytes));
  const std::uint64_t published = publish(std::move(unit));
  preparation.keep(published);
  return published;
}

Result<std::uint64_t> NativeModule::install(const MachineUnit& machine, runtime::Preparation& preparation) {
  auto tables = std::make_shared<std::vector<std::vector<std::uint8_t>>>();
  UnitImage image;
  for (const UnitFunction& function : machine.functions) {
    tables->push_back(WASI_TRY(runtime::encode_offset_table(function.marks)));
    const std::uint32_t size = function.end - function.begin;
    FunctionImage& own = image.functions.emplace_back(FunctionImage{.function = function.index.value,
                                                                    .begin = function.begin,
                                                                    .size = size,
                                                                    .frame_bytes = function.frame_bytes,
                                                                    .frame_slots = function.frame_slots,
                                                                    .saved = function.saved,
                                                                    .context_at = function.context_at,
                                                                    .catches = function.catches,
                                                                    .faults_anywhere = true,
                                                                    .is_optimised = true,
                                                                    .inlined_calls = function.inlined_calls});
    own.parts.push_back({.begin = 0, .end = size, .frame_bytes = function.frame_bytes, .marks = tables->back()});
  }
  auto placed = WASI_TRY(space_.place(machine.bytes, ""));
  std::vector<std::span<const LocalPlace>> locals;
  for (const UnitFunction& function : machine.functions) locals.emplace_back(function.locals);
  auto unit = WASI_TRY(make_unit(std::move(image), std::move(placed), std::move(tables), locals));
  std::uint64_t bytes = 0;
  for (std::size_t i = 0; i < unit->functions.size(); ++i) {
    unit->functions[i]->loop = machine.functions[i].loop;
    bytes += unit->functions[i]->bytes;
  }
  WASI_TRY(preparation.take(bytes));
  const std::uint64_t published = publish(std::move(unit));
  preparation.keep(published);
  return published;
}

void NativeModule::attach(std::shared_ptr<const CodeImage> image) {
  const std::lock_guard lock(binding_);
  if (has_image()) return;
  bound_units_.resize(image->unit_count());
  // Where there is something to bind in each page of records.
  const std::size_t record_bytes = module_.module->bodies.size() * sizeof(FunctionCode);
  if (record_bytes <= os::kMostPopulated && image->unit_count() * os::page_size() >= record_bytes) {
    os::populate(module_.functions, record_bytes);
  }
  image_owner_ = std::move(image);
  image_.store(image_owner_.get(), std::memory_order_release);
}

void NativeModule::bind_running() {
  const std::size_t count = module_.module->bodies.size();
  for (std::size_t i = 0; i < count; ++i) {
    FunctionCode& function = module_.functions[i];
    if (function.entry.load(std::memory_order_acquire) == nullptr) continue;
    const NativeCode* const present = function.native_code.load(std::memory_order_acquire);
    if (present != nullptr && present->is_optimised) continue;
    runtime::Preparation unbounded;
    // Whatever is wrong with one, it runs on as it did.
    static_cast<void>(guarded([&] { return bind(function, unbounded); }));
  }
}

Result<bool> NativeModule::bind(FunctionCode& function, runtime::Preparation& preparation) {
  const CodeImage* const image = image_.load(std::memory_order_acquire);
  if (image == nullptr) return false;
  const auto number = image->unit_of(function.index - module_.module->imported_functions);
  if (!number) return false;
  const std::lock_guard lock(binding_);
  if (bound_units_[*number]) return function.native_code.load(std::memory_order_acquire) != nullptr;
  auto unit_image = image->unit(*number);
  if (!unit_image) {
    bound_units_[*number] = true;  // nobody tries again
    if (!std::exchange(has_warned_, true)) {
      space_.warn(unit_image.error().message + "; such functions are compiled anew or interpreted");
    }
    return std::unexpected(std::move(unit_image).error());
  }
  auto placed =
      WASI_TRY(unit_image->is_executable ? space_.place_mapped(unit_image->code) : space_.place(unit_image->code, ""));
  auto unit = WASI_TRY(make_unit(*std::move(unit_image), std::move(placed), image_owner_));
  unit->is_of_image = true;
  std::uint64_t bytes = 0;
  for (const auto& made : unit->functions) bytes += made->bytes;
  WASI_TRY(preparation.take(bytes));
  preparation.keep(publish(std::move(unit)));
  bound_units_[*number] = true;
  return function.native_code.load(std::memory_order_acquire) != nullptr;
}

std::vector<UnitImage> NativeModule::units() {
  std::vector<UnitImage> units;
  std::vector<bool> has_code(module_.module->bodies.size());
  const std::uint32_t imported = module_.module->imported_functions;
  {
    const std::lock_guard lock(mutex_);
    // What goes on in loops is of use to calls in progress alone, and what was replaced to nobody else.
    const auto is_current = [](const std::unique_ptr<Function>& function) {
      return function->function->native_code.load(std::memory_order_relaxed) == function.get();
    };
    for (const auto& unit : units_) {
      if (std::ranges::none_of(unit->functions, is_current)) continue;
      UnitImage& image = units.emplace_back();
      image.code = unit->code.bytes();
      for (const auto& function : unit->functions) {
        image.functions.push_back(function->image);
        has_code[function->image.function - imported] = true;
      }
    }
  }
  if (const CodeImage* const image = image_.load(std::memory_order_acquire)) {
    for (std::size_t defined = 0; defined < has_code.size(); ++defined) {
      const auto number = has_code[defined] ? std::nullopt : image->unit_of(defined);
      if (!number) continue;
      auto unit = image->unit(*number);
      const auto is_own = [&](const FunctionImage& function) {
        return function.function >= imported && function.function - imported < has_code.size();
      };
      if (!unit || !std::ranges::all_of(unit->functions, is_own)) continue;
      for (const FunctionImage& function : unit->functions) has_code[function.function - imported] = true;
      units.push_back(*std::move(unit));
    }
  }
  std::ranges::sort(units, {}, [](const UnitImage& unit) { return unit.functions.front().function; });
  return units;
}

NativeModule::Counts NativeModule::counts() {
  const std::lock_guard lock(mutex_);
  return counts_;
}

runtime::NativeEntry NativeModule::entry_to_slots(const FunctionCode& function) {
  const auto entry =
      guarded([&]() -> Result<runtime::NativeEntry> { return WASI_TRY(adapters_of(function)->native_entry()); });
  return entry ? *entry : any_native_entry();
}

runtime::SlotEntry NativeModule::slot_entry(const FunctionCode& function) {
  return static_cast<const Function*>(function.native_code.load(std::memory_order_acquire))->slot_entry;
}

std::optional<runtime::LoopTarget> NativeModule::loop_target(const FunctionCode& function, std::uint64_t wasm_offset) {
  const auto target = [](const Function& code, const void* stub,
                         const void* head) -> std::optional<runtime::LoopTarget> {
    const auto adapter = code.adapters->loop_entry();
    if (!adapter) return std::nullopt;
    return runtime::LoopTarget{.stub = stub, .head = head, .frame_slots = code.frame_slots, .adapter = *adapter};
  };
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = loops_.find({function.index, wasm_offset}); found != loops_.end()) {
      return target(*found->second, found->second->native_entry, nullptr);
    }
  }
  // Optimised code has no way in, what it took the place of has.
  const NativeCode* code = function.native_code.load(std::memory_order_acquire);
  for (; code != nullptr; code = code->replaced) {
    const auto head = std::ranges::lower_bound(code->loop_heads, wasm_offset, {}, &runtime::LoopHead::wasm_offset);
    if (head == code->loop_heads.end() || head->wasm_offset != wasm_offset) continue;
    return target(*static_cast<const Function*>(code), code->loop_stub, head->address);
  }
  return std::nullopt;
}

const void* NativeModule::optimised_loop(std::uint32_t function, std::uint64_t wasm_offset) {
  const std::lock_guard lock(mutex_);
  const auto found = loops_.find({function, wasm_offset});
  return found != loops_.end() ? found->second->native_entry : nullptr;
}

const void* NativeModule::tail_entry(const FunctionCode& function) {
  const NativeCode* const code = function.native_code.load(std::memory_order_acquire);
  if (code == nullptr) return nullptr;
  return static_cast<const Function*>(code)->adapters->tail_entry().value_or(nullptr);
}

runtime::CallEntry NativeModule::call_entry(const FunctionCode& function) {
  const NativeCode* const code = function.native_code.load(std::memory_order_acquire);
  if (code == nullptr) return nullptr;
  const auto entry = guarded([&] { return static_cast<const Function*>(code)->adapters->call_entry(); });
  return entry.value_or(nullptr);
}

}  // namespace wasi::jit
