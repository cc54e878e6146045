#include "runtime/frame_capture.h"

#include <unwind.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <iterator>
#include <map>
#include <mutex>

#include "base/byte_reader.h"
#include "runtime/code_map.h"
#include "runtime/exec_state.h"
#include "runtime/instance.h"
#include "runtime/native_locals.h"
#include "runtime/program.h"
#include "runtime/stack_walk.h"
#include "runtime/store.h"
#include "validate/locals.h"

namespace wasi::runtime {

namespace {

// The newest ones; of a deep recursion the others say nothing else.
constexpr std::size_t kMostCapturedFrames = 10'000;

struct Captures {
  std::mutex mutex;
  std::vector<FrameCapture*> list;
  std::atomic<std::size_t> count{0};
};
Captures& captures() {
  static auto* const all = new Captures;  // for ever: stores may run while the process ends
  return *all;
}

std::uint32_t slots_of(wasm::ValType type) { return type.is_vector() ? 2 : 1; }

// The body was checked before it ran.
validate::Locals locals_of(const wasm::Module& module, wasm::FuncIndex function) {
  const wasm::FunctionBody& body = module.body(function);
  base::ByteReader reader(module.bytes.data.subspan(body.offset, body.size), body.offset);
  validate::Locals locals;
  locals.read(reader, module, module.func_type(function).params);
  return locals;
}

std::size_t slot_count(const validate::Locals& locals) {
  std::size_t count = 0;
  for (std::uint32_t i = 0; i < locals.size(); ++i) count += slots_of(locals.type(i));
  return count;
}

constexpr unsigned kRegisters = 16;  // by their numbers in instruction encodings
// Those that callees preserve, in the order of SavedRegisters.
constexpr unsigned kPreserved[] = {3, 12, 13, 14, 15};
constexpr unsigned kKeptByTraps[] = {6, 8, 9, 10};  // NativeLocals::Piece::is_trap

// What is known of the registers of the frame at which a walk stands.
class FrameRegisters {
 public:
  // At the newest frame.
  FrameRegisters(const ExecState& exec, const StackWalk& walk) {
    if (walk.at_end() || !walk.is_native()) return;
    if (exec.native_fault_pc != 0) {
      for (unsigned i = 0; i < kRegisters; ++i) values_[i] = exec.native_fault_registers[i];
      is_at_fault_ = true;
    } else {
      for (const unsigned number : kKeptByTraps) values_[number] = exec.native_fault_registers[number];
      find_preserved(*walk.code().function);
    }
  }

  [[nodiscard]] bool is_at_fault() const { return is_at_fault_; }
  [[nodiscard]] std::optional<std::uint64_t> operator[](unsigned number) const { return values_[number]; }

  // Moves the walk on.
  void next(StackWalk& walk) {
    const std::uintptr_t frame = walk.is_native() ? walk.frame() : 0;
    const Frame* const record = &walk.record();
    SavedRegisters saved = {};
    if (frame != 0) saved = walk.code().saved;
    walk.next();
    if (walk.at_end() || (walk.is_native() && walk.frame() == frame)) return;
    is_at_fault_ = false;
    std::array<std::optional<std::uint64_t>, kRegisters> values;
    // In between are frames of others, who keep what they clobber nobody knows where.
    const bool is_caller = frame != 0 && walk.is_native() && &walk.record() == record;
    for (std::size_t i = 0; is_caller && i < std::size(kPreserved); ++i) {
      const auto at = frame - saved[i] * sizeof(std::uintptr_t);
      values[kPreserved[i]] = saved[i] == 0 ? values_[kPreserved[i]] : *reinterpret_cast<const std::uintptr_t*>(at);
    }
    values_ = values;
  }

 private:
  // Where machine code called C++, whose frames the unwinder can leave one by one: machine code itself says nothing to
  // it, and is where it ends.
  void find_preserved(const FunctionCode& newest) {
    struct Search {
      FrameRegisters* registers;
      const FunctionCode* newest;
    } search{this, &newest};
    _Unwind_Backtrace(
        [](_Unwind_Context* context, void* argument) {
          const Search& of = *static_cast<Search*>(argument);
          const auto location = code_map().find(_Unwind_GetIP(context) - 1);
          if (!location) return _URC_NO_REASON;
          if (static_cast<const NativeCode*>(location->owner)->function == of.newest) {
            for (const unsigned number : kPreserved) {
              // DWARF numbers them the same way.
              of.registers->values_[number] = _Unwind_GetGR(context, static_cast<int>(number));
            }
          }
          return _URC_END_OF_STACK;
        },
        &search);
  }

  std::array<std::optional<std::uint64_t>, kRegisters> values_;
  bool is_at_fault_ = false;
};

std::optional<std::uint64_t> value_at_home(std::uintptr_t frame, std::int32_t home) {
  if (home == 0) return std::nullopt;
  return *reinterpret_cast<const std::uint64_t*>(frame + static_cast<std::uintptr_t>(std::intptr_t{home}));
}

// Of a frame of machine code.
std::vector<std::optional<Slot>> native_locals(const StackWalk& walk, const FrameRegisters& registers,
                                               const validate::Locals& types) {
  const NativeLocals* const notes = walk.code().locals;
  const NativeLocals::Piece* const piece = notes == nullptr ? nullptr : notes->piece_at(walk.pc() - 1);
  if (piece == nullptr || notes->homes.size() != types.size()) return {};
  const auto value_of = [&](std::uint32_t local) -> std::optional<std::uint64_t> {
    const auto pins = notes->pins_of(*piece);
    const auto pin = std::ranges::find(pins, local, &NativeLocals::Pin::local);
    if (pin == pins.end()) return value_at_home(walk.frame(), notes->homes[local]);
    if (registers.is_at_fault()) return pin->is_vector ? std::nullopt : registers[pin->reg];
    if (!pin->is_vector && std::ranges::find(kPreserved, pin->reg) != std::end(kPreserved)) return registers[pin->reg];
    if (piece->is_trap && !pin->is_vector) return registers[pin->reg];
    return piece->calls_keep_homes ? value_at_home(walk.frame(), notes->homes[local]) : std::nullopt;
  };
  std::vector<std::optional<Slot>> locals;
  for (std::uint32_t i = 0; i < types.size(); ++i) {
    const bool is_wide = types.type(i).is_vector();
    const auto value = is_wide ? std::nullopt : value_of(i);
    locals.push_back(value ? std::optional(Slot{.u64 = *value}) : std::nullopt);
    if (is_wide) locals.emplace_back();
  }
  return locals;
}

// Instances of the frames of one thread, each once; objects that they share are the same for all.
class CapturedInstances {
 public:
  std::shared_ptr<const CapturedInstance> of(const Instance& instance) {
    auto& captured = instances_[&instance];
    if (captured == nullptr) captured = make(instance);
    return captured;
  }

 private:
  std::shared_ptr<const CapturedInstance> make(const Instance& instance) {
    auto made = std::make_shared<CapturedInstance>();
    made->code = instance.code;
    for (const Memory* memory : instance.memories) made->memories.push_back(memory->storage());
    for (const Global* global : instance.globals) {
      auto& captured = globals_[global];
      if (captured == nullptr) {
        captured = std::make_shared<const CapturedGlobal>(
            CapturedGlobal{.type = global->type.type, .cell = {global->cell[0], global->cell[1]}});
      }
      made->globals.push_back(captured);
    }
    return made;
  }

  std::map<const Instance*, std::shared_ptr<const CapturedInstance>> instances_;
  std::map<const Global*, std::shared_ptr<const CapturedGlobal>> globals_;
};

std::vector<CapturedFrame> frames_of(const ExecState& exec) {
  std::vector<CapturedFrame> frames;
  CapturedInstances instances;
  StackWalk walk(exec);
  FrameRegisters registers(exec, walk);
  for (; !walk.at_end() && frames.size() < kMostCapturedFrames; registers.next(walk)) {
    // Records of host functions are no frames of a guest.
    if (walk.instance() == nullptr || walk.function()->module == nullptr) continue;
    const Instance& instance = *Instance::from(walk.instance());
    CapturedFrame& frame = frames.emplace_back();
    frame.instance = instances.of(instance);
    frame.function = walk.function()->index;
    frame.offset = walk.offset();
    const validate::Locals types = locals_of(instance.module(), wasm::FuncIndex(frame.function));
    if (walk.is_native()) {
      frame.locals = native_locals(walk, registers, types);
      continue;
    }
    const Slot* slots = walk.record().slots;
    const std::size_t count = slot_count(types);
    // A function that did not find room on the stack has no locals yet.
    if (slots == nullptr || static_cast<std::size_t>(exec.stack_end - slots) < count) continue;
    frame.locals.assign(slots, slots + count);
  }
  return frames;
}

}  // namespace

FrameCapture::FrameCapture(const ExecState& exec) : exec_(exec), program_(exec.program) {
  Captures& all = captures();
  const std::lock_guard lock(all.mutex);
  all.list.push_back(this);
  all.count.store(all.list.size());
}

FrameCapture::~FrameCapture() {
  Captures& all = captures();
  const std::lock_guard lock(all.mutex);
  std::erase(all.list, this);
  all.count.store(all.list.size());
}

bool FrameCapture::has_frames() const {
  const std::lock_guard lock(captures().mutex);
  return std::ranges::any_of(threads_, [](const CapturedThread& thread) { return !thread.frames.empty(); });
}

std::vector<CapturedThread> FrameCapture::threads() const {
  constexpr std::chrono::seconds kMostWaited(1);
  // A thread that is in a call of the host's may take its time.
  if (program_ != nullptr) (void)program_->wait_alone(exec_, kMostWaited);
  const std::lock_guard lock(captures().mutex);
  return threads_;
}

void FrameCapture::take(const ExecState& exec, When when) {
  Captures& all = captures();
  if (all.count.load() == 0) return;
  const std::lock_guard lock(all.mutex);
  for (FrameCapture* capture : all.list) {
    const bool is_own = &capture->exec_ == &exec;
    if (is_own || (exec.program != nullptr && exec.program == capture->program_)) capture->capture(exec, when);
  }
}

void FrameCapture::joined(const ExecState& exec) {
  Captures& all = captures();
  const std::lock_guard lock(all.mutex);
  for (FrameCapture* capture : all.list) {
    if (&capture->exec_ == &exec) capture->program_ = exec.program;
  }
}

void FrameCapture::capture(const ExecState& exec, When when) {
  const auto found = std::ranges::find(threads_, &exec, &CapturedThread::exec);
  if (found == threads_.end()) {
    // What a store that runs alone hands on from another one is no trap of its guest's.
    if (when == When::passes && exec.program == nullptr) return;
    threads_.push_back({.exec = &exec, .is_main = &exec == &exec_, .frames = frames_of(exec)});
  } else if (when == When::begins) {
    found->frames = frames_of(exec);
  }
}

}  // namespace wasi::runtime
