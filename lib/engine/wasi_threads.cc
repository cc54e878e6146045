#include "engine/wasi_threads.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <system_error>

#include "base/result.h"
#include "wasi/abi.h"
#include "wasi/state.h"
#include "wasi/trace.h"

namespace wasi::detail {

namespace {

constexpr std::string_view kThreadStart = "wasi_thread_start";
constexpr std::int32_t kMostThreadId = 0x1FFF'FFFF;  // the specification's

std::int32_t failure(preview1::Errno error) { return -static_cast<std::int32_t>(error); }

// What the host function of one store needs to know.
struct Spawner {
  WasiThreads* threads;
  StoreState* store;
};

runtime::FuncRef* find_start(runtime::Instance& instance) {
  const auto start = instance.find_export(kThreadStart);
  if (!start || start->kind != wasm::ExternalKind::func) return nullptr;
  const wasm::FuncType& type = instance.store->registry().at(start->func->type).func;
  return type == wasm::FuncType{{wasm::kI32, wasm::kI32}, {}} ? start->func : nullptr;
}

preview1::Tracer* tracer_of(StoreState& store) {
  for (auto& state : store.wasi) {
    if (state.context != nullptr && state.context->state().trace) return &*state.context->state().trace;
  }
  return nullptr;
}

}  // namespace

bool is_of_threads(const wasm::Import& import) {
  if (const auto* memory = std::get_if<wasm::MemoryType>(&import.type)) return memory->is_shared;
  return import.module == kThreadsModule && import.name == kThreadSpawn && import.kind() == wasm::ExternalKind::func;
}

bool needs_threads(const LinkerState& linker, const wasm::Module& module) {
  return std::ranges::any_of(module.imports, [&](const wasm::Import& import) {
    return !linker.definitions.contains(LinkerState::Less::View(import.module, import.name)) && is_of_threads(import);
  });
}

WasiThreads::WasiThreads(const LinkerState& linker, StoreState& first, std::shared_ptr<ModuleState> module)
    : linker_(linker),
      module_(std::move(module)),
      program_(first.store.exec().program),
      max_threads_(Internals::max_threads(linker.wasi->config)) {
  // Objects of stores cannot be given to the threads', and would keep this store from ever going away.
  for (auto& [name, definition] : linker_.definitions) {
    if (!definition.object) continue;
    definition.object =
        Internals::external(Internals::store(*definition.object).unowned(), Internals::external(*definition.object));
  }
  if (program_ != nullptr) return;
  program_ = std::make_shared<runtime::Program>();
  first.store.join(program_);
}

WasiThreads::~WasiThreads() {
  Trap trap;
  trap.code = TrapCode::interrupted;
  trap.message = message_of(trap.code);
  program_->end(trap);
  // A thread may be starting another one meanwhile, which then ends at its first step.
  for (;;) {
    std::list<Thread> threads;
    {
      const std::lock_guard lock(mutex_);
      threads.splice(threads.end(), threads_);
    }
    if (threads.empty()) return;
    for (Thread& thread : threads) thread.thread.join();
  }
}

Result<std::optional<runtime::External>> WasiThreads::resolve(StoreState& store, const wasm::Import& import) {
  if (import.module == kThreadsModule && import.name == kThreadSpawn && import.kind() == wasm::ExternalKind::func) {
    const auto type = store.engine->registry->add_func({{wasm::kI32}, {wasm::kI32}});
    if (!type) return fail(ErrorKind::limit, "the engine holds too many types");
    auto spawner = std::make_shared<Spawner>(Spawner{this, &store});
    return runtime::External(&store.store.add_host_function(type->id(), &thread_spawn, std::move(spawner))->ref);
  }
  const auto* type = std::get_if<wasm::MemoryType>(&import.type);
  if (type == nullptr || !type->is_shared) return std::nullopt;
  const std::lock_guard lock(mutex_);
  auto& storage = memories_[{std::string(import.module), std::string(import.name)}];
  if (storage == nullptr) {
    storage = WASI_TRY(runtime::MemoryStorage::create(*type, bounds_checks_of(store.engine->config)));
  }
  return runtime::External(WASI_TRY(store.store.add_memory(storage)));
}

std::optional<Trap> WasiThreads::thread_spawn(void* data, runtime::HostCall& call) {
  const auto* spawner = static_cast<const Spawner*>(data);
  const std::int32_t argument = call.slots[0].s32;
  preview1::Tracer* const tracer = tracer_of(*spawner->store);
  if (tracer == nullptr || !tracer->shows(kThreadSpawn)) {
    call.slots[0].s64 = spawner->threads->spawn(*spawner->store, argument);
    return std::nullopt;
  }
  preview1::CallTrace trace(*tracer, kThreadSpawn);
  const std::int32_t result = spawner->threads->spawn(*spawner->store, argument);
  trace.ended();
  trace.text() += fmt::format("start_arg={:#x}) = ", static_cast<std::uint32_t>(argument));
  if (result > 0) {
    trace.text() += std::to_string(result);
  } else {
    preview1::describe_error(trace.text(), static_cast<preview1::Errno>(-result));
  }
  trace.write();
  call.slots[0].s64 = result;
  return std::nullopt;
}

// The instance is made on the thread that asks, so that what is wrong with it is an answer.
std::int32_t WasiThreads::spawn(StoreState& spawner, std::int32_t argument) {
  using preview1::Errno;
  {
    const std::lock_guard lock(mutex_);
    reap();
    if (running_ >= max_threads_) return failure(Errno::again);
    ++running_;
  }
  // Gives the place back where no thread comes of it, also when memory runs out on the way.
  struct Place {
    WasiThreads* threads;
    ~Place() {
      if (threads == nullptr) return;
      const std::lock_guard lock(threads->mutex_);
      --threads->running_;
    }
  } place{this};
  const auto store = StoreState::make(spawner.engine, spawner.store.options());
  store->data = spawner.data;
  // One state of WASI for all: arguments, descriptors.
  for (const auto& state : spawner.wasi) store->wasi_of(state.definition).context = state.context;
  store->store.keep_deadline(spawner.store.exec().deadline);
  store->store.join(program_);
  // Goes back where no thread comes of it.
  struct Fuel {
    runtime::ExecState* spawner;
    runtime::ExecState& thread;
    ~Fuel() {
      if (spawner != nullptr) spawner->fuel += thread.fuel;
    }
  } fuel{&spawner.store.exec(), store->store.exec()};
  fuel.thread.fuel = fuel.spawner->fuel / 2;
  fuel.spawner->fuel -= fuel.thread.fuel;
  const auto instance = instantiate(linker_, *store, module_, this);
  if (!instance) return failure(Errno::again);
  runtime::FuncRef* const start = find_start(**instance);
  if (start == nullptr) return failure(Errno::nosys);

  const std::lock_guard lock(mutex_);
  const std::int32_t id = last_id_ == kMostThreadId ? 1 : last_id_ + 1;
  Thread& thread = threads_.emplace_back();
  try {
    // It cannot get at its entry before this function is done: the lock is held.
    thread.thread = std::thread([this, store = store, start, id, argument, &thread]() mutable {
      run(store, *start, id, argument);
      store.reset();
      const std::lock_guard done(mutex_);
      --running_;
      thread.is_done = true;
    });
  } catch (const std::exception&) {  // no thread or no memory for one
    threads_.pop_back();
    return failure(Errno::again);
  }
  place.threads = nullptr;
  fuel.spawner = nullptr;
  last_id_ = id;
  return id;
}

void WasiThreads::run(const std::shared_ptr<StoreState>& store, runtime::FuncRef& start, std::int32_t id,
                      std::int32_t argument) {
  preview1::set_trace_thread(id);
  std::array<runtime::Slot, 2> slots = {runtime::Slot{.s64 = id}, runtime::Slot{.s64 = argument}};
  // A trap has ended the program, which is all that there is to do about it.
  (void)store->store.try_call(start, slots);
}

// Lets go of threads that are done. Joining takes no time: they hold no lock any more, nor will they take one.
void WasiThreads::reap() {
  for (auto thread = threads_.begin(); thread != threads_.end();) {
    if (!thread->is_done) {
      ++thread;
      continue;
    }
    thread->thread.join();
    thread = threads_.erase(thread);
  }
}

}  // namespace wasi::detail
