// Traps and their frames.
#include <wasi/exception.h>

#include <algorithm>
#include <cstring>

#include "base/guard.h"
#include "c_api/objects.h"
#include "c_api/types.h"
#include "c_api/values.h"
#include "engine/convert.h"

struct wasm_frame_t {
  wasi::StackFrame frame;
  std::weak_ptr<wasi::c::StoreBox> box;
  // Made when it is asked for.
  mutable std::unique_ptr<wasm_instance_t> instance = nullptr;
};

namespace wasi::c {

namespace {

// Never deleted: what is told when there is no memory for telling anything.
wasm_trap_t& no_memory_trap() {
  static auto* const trap = new wasm_trap_t({.code = TrapCode::allocation_failure, .message = "out of memory"}, {},
                                            std::make_shared<HostInfo>());
  return *trap;
}
// Made while there is memory.
[[maybe_unused]] const wasm_trap_t& no_memory_trap_made = no_memory_trap();

// Whom a trap was to begin with: goes along with it through guests.
struct TrapIdentity {
  std::shared_ptr<HostInfo> info;
};

wasm_frame_t* make_frame(const wasm_trap_t& trap, const StackFrame& frame) { return new wasm_frame_t{frame, trap.box}; }

}  // namespace

wasm_trap_t* make_trap(Trap trap, const std::shared_ptr<StoreBox>& box) noexcept {
  try {
    const auto* identity = trap.payload_as<TrapIdentity>();
    auto info = identity == nullptr ? std::make_shared<HostInfo>() : identity->info;
    return new wasm_trap_t(std::move(trap), box, std::move(info));
  } catch (const std::bad_alloc&) {
    return &no_memory_trap();
  }
}

wasm_trap_t* make_trap(const Error& error, const std::shared_ptr<StoreBox>& box) noexcept {
  try {
    const TrapCode code = error.kind == ErrorKind::limit ? TrapCode::allocation_failure : TrapCode::host_error;
    return make_trap({.code = code, .message = error.to_string()}, box);
  } catch (const std::bad_alloc&) {
    return &no_memory_trap();
  }
}

Trap release_trap(wasm_trap_t* trap) {
  if (is_permanent(trap)) return trap->trap;
  const std::unique_ptr<wasm_trap_t> taken(trap);
  Trap released = std::move(taken->trap);
  if (!released.payload.has_value()) released.payload = TrapIdentity{taken->info};
  return released;
}

bool is_permanent(const wasm_ref_t* ref) { return ref == &no_memory_trap(); }

}  // namespace wasi::c

using namespace wasi;

wasm_trap_t* wasm_trap_new(wasm_store_t* store, const wasm_message_t* message) {
  std::shared_ptr<c::StoreBox> box;
  if (store != nullptr) box = store->box;
  try {
    std::string text;
    if (message != nullptr && message->data != nullptr) {
      const std::size_t size = message->size;
      text.assign(message->data, size != 0 && message->data[size - 1] == 0 ? size - 1 : size);
    }
    return c::make_trap(Trap{.code = TrapCode::host_error, .message = std::move(text)}, box);
  } catch (...) {
    return c::make_trap(out_of_memory(), box);
  }
}

void wasm_trap_message(const wasm_trap_t* trap, wasm_message_t* out) {
  *out = {0, nullptr};
  c::attempt([&] { *out = c::make_bytes(trap->trap.message, true).release(); });
}

wasm_frame_t* wasm_trap_origin(const wasm_trap_t* trap) {
  if (trap->trap.backtrace.empty()) return nullptr;
  return c::attempt<wasm_frame_t*>(
      nullptr, [&]() -> Result<wasm_frame_t*> { return c::make_frame(*trap, trap->trap.backtrace.front()); });
}

void wasm_trap_trace(const wasm_trap_t* trap, wasm_frame_vec_t* out) {
  const auto& frames = trap->trap.backtrace;
  if (!c::allocate(*out, frames.size())) return;
  c::attempt([&] {
    try {
      for (std::size_t i = 0; i < frames.size(); ++i) out->data[i] = c::make_frame(*trap, frames[i]);
    } catch (...) {
      wasm_frame_vec_delete(out);
      throw;
    }
  });
}

void wasm_frame_delete(wasm_frame_t* frame) { delete frame; }

wasm_frame_t* wasm_frame_copy(const wasm_frame_t* frame) {
  return c::attempt<wasm_frame_t*>(nullptr, [&]() -> Result<wasm_frame_t*> {
    if (frame == nullptr) return c::null_argument("frame");
    return new wasm_frame_t{frame->frame, frame->box};
  });
}

WASIRUN_DEFINE_VEC(frame)

wasm_instance_t* wasm_frame_instance(const wasm_frame_t* frame) {
  if (frame->instance != nullptr) return frame->instance.get();
  return c::attempt<wasm_instance_t*>(nullptr, [&]() -> Result<wasm_instance_t*> {
    const auto box = frame->box.lock();
    if (box == nullptr || box->is_gone()) return nullptr;
    runtime::Instance* const instance = box->state().store.find_instance(frame->frame.instance);
    if (instance == nullptr) return nullptr;
    frame->instance = std::make_unique<wasm_instance_t>(box, instance);
    return frame->instance.get();
  });
}

uint32_t wasm_frame_func_index(const wasm_frame_t* frame) { return frame->frame.function_index; }

size_t wasm_frame_func_offset(const wasm_frame_t* frame) { return frame->frame.function_offset.value_or(0); }

size_t wasm_frame_module_offset(const wasm_frame_t* frame) { return frame->frame.offset.value_or(0); }

// ---- wasirun.h ----

wasirun_trap_code_t wasirun_trap_code(const wasm_trap_t* trap) {
  static_assert(static_cast<int>(TrapCode::exit) == WASIRUN_TRAP_EXIT);
  static_assert(static_cast<int>(TrapCode::out_of_fuel) == WASIRUN_TRAP_OUT_OF_FUEL);
  static_assert(static_cast<int>(TrapCode::stack_overflow) == WASIRUN_TRAP_STACK_OVERFLOW);
  static_assert(static_cast<int>(TrapCode::uncaught_exception) == WASIRUN_TRAP_UNCAUGHT_EXCEPTION);
  return static_cast<wasirun_trap_code_t>(trap->trap.code);
}

bool wasirun_trap_exit_status(const wasm_trap_t* trap, int32_t* status) {
  if (!trap->trap.is_exit()) return false;
  *status = trap->trap.exit_status;
  return true;
}

void wasirun_trap_text(const wasm_trap_t* trap, wasm_message_t* out) {
  *out = {0, nullptr};
  c::attempt([&] { *out = c::make_bytes(trap->trap.to_string(), true).release(); });
}

const char* wasirun_frame_func_name(const wasm_frame_t* frame) { return frame->frame.function.c_str(); }
const char* wasirun_frame_module_name(const wasm_frame_t* frame) { return frame->frame.module.c_str(); }

wasm_trap_t* wasirun_trap_new_exception(const wasirun_tag_t* tag, const wasm_val_vec_t* values) {
  return c::attempt<wasm_trap_t*>(nullptr, [&]() -> Result<wasm_trap_t*> {
    if (tag == nullptr) return c::null_argument("tag");
    if (tag->box->is_gone()) return detail::gone("tag");
    const Tag handle = *tag->external().tag();
    const auto& types = tag->box->registry().at(tag->object.tag->type).func.params;
    const std::size_t count = values == nullptr ? 0 : values->size;
    if (count != types.size()) {
      return fail(ErrorKind::argument, "the tag carries {} values, not {}", types.size(), count);
    }
    std::vector<Value> converted;
    for (std::size_t i = 0; i < count; ++i) {
      converted.push_back(WASI_TRY(c::value_of(values->data[i], types[i], *tag->box)));
    }
    return c::make_trap(WASI_TRY(Exception::create(handle, converted)).to_trap(), tag->box);
  });
}

bool wasirun_trap_exception(const wasm_trap_t* trap, wasirun_tag_t** tag, wasm_val_vec_t* values) {
  *tag = nullptr;
  *values = {0, nullptr};
  return c::attempt(false, [&]() -> Result<bool> {
    const auto box = trap->box.lock();
    if (trap->trap.exception == nullptr || box == nullptr || box->is_gone()) return false;
    const auto exception = detail::Internals::exception(box->state(), trap->trap);
    if (!exception) return false;
    const std::vector<Value> carried = exception->values();
    c::Values made(carried.size());
    for (std::size_t i = 0; i < carried.size(); ++i) made.data()[i] = c::val_of(carried[i], box);
    std::unique_ptr<wasm_extern_t> its_tag(c::make_extern(box, Extern(exception->tag())));
    if (!c::allocate(*values, carried.size())) return false;
    std::ranges::copy(made.all(), values->data);
    for (wasm_val_t& value : made.all()) value = c::zero_of(WASM_I32);
    *tag = static_cast<wasirun_tag_t*>(its_tag.release());
    return true;
  });
}
