#include "runtime/frame_capture.h"

#include <algorithm>
#include <atomic>
#include <mutex>

#include "base/byte_reader.h"
#include "runtime/exec_state.h"
#include "runtime/instance.h"
#include "runtime/stack_walk.h"
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
std::size_t local_slots(const wasm::Module& module, wasm::FuncIndex function) {
  const wasm::FunctionBody& body = module.body(function);
  base::ByteReader reader(module.bytes.data.subspan(body.offset, body.size), body.offset);
  validate::Locals locals;
  locals.read(reader, module, module.func_type(function).params);
  std::size_t count = 0;
  for (std::uint32_t i = 0; i < locals.size(); ++i) count += slots_of(locals.type(i));
  return count;
}

}  // namespace

FrameCapture::FrameCapture(const ExecState& exec) : exec_(exec) {
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

void FrameCapture::take(const ExecState& exec) {
  Captures& all = captures();
  if (all.count.load() == 0) return;
  const std::lock_guard lock(all.mutex);
  for (FrameCapture* capture : all.list) {
    if (&capture->exec_ == &exec) capture->capture();
  }
}

void FrameCapture::capture() {
  frames_.clear();
  for (StackWalk walk(exec_); !walk.at_end() && frames_.size() < kMostCapturedFrames; walk.next()) {
    // Records of host functions are no frames of a guest.
    if (walk.instance() == nullptr || walk.function()->module == nullptr) continue;
    CapturedFrame& frame = frames_.emplace_back();
    frame.instance = Instance::from(walk.instance());
    frame.function = walk.function()->index;
    frame.offset = walk.offset();
    if (walk.is_native()) continue;
    const Slot* slots = walk.record().slots;
    const std::size_t count = local_slots(frame.instance->module(), wasm::FuncIndex(frame.function));
    // A function that did not find room on the stack has no locals yet.
    if (slots == nullptr || static_cast<std::size_t>(exec_.stack_end - slots) < count) continue;
    frame.locals.assign(slots, slots + count);
  }
}

}  // namespace wasi::runtime
