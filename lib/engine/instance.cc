// Instances as embedders see them, and what they export.
#include "runtime/instance.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/guard.h"
#include "base/result.h"
#include "engine/convert.h"
#include "engine/link.h"
#include "engine/state.h"

namespace wasi {

using detail::Internals;

namespace {

// "memory, _start, f and 3 more", for messages.
std::string list_exports(const wasm::Module& module) {
  constexpr std::size_t kListed = 12;
  if (module.exports.empty()) return "nothing";
  std::string list;
  for (std::size_t i = 0; i < std::min(kListed, module.exports.size()); ++i) {
    fmt::format_to(std::back_inserter(list), "{}\"{}\"", i == 0 ? "" : ", ", module.exports[i].name);
  }
  if (module.exports.size() > kListed) {
    fmt::format_to(std::back_inserter(list), " and {} more", module.exports.size() - kListed);
  }
  return list;
}

Result<runtime::External> find(runtime::Instance& instance, std::string_view name, wasm::ExternalKind kind) {
  const auto found = instance.find_export(name);
  if (!found) {
    return fail(ErrorKind::argument, "there is no export \"{}\"; the module exports {}", name,
                list_exports(instance.module()));
  }
  if (found->kind != kind) {
    return fail(ErrorKind::argument, "export \"{}\" is a {}, not a {}", name, wasm::name_of(found->kind),
                wasm::name_of(kind));
  }
  return *found;
}

}  // namespace

InstantiationError::InstantiationError(Error error) : error_(std::move(error)) {}
InstantiationError::InstantiationError(Trap trap) : trap_(std::move(trap)) {}
std::string InstantiationError::to_string() const { return trap_ ? trap_->to_string() : error_.to_string(); }

Extern::Extern(const Function& function)
    : store_(function.store_), kind_(ExternKind::function), object_(function.function_) {}
Extern::Extern(const Memory& memory) : store_(memory.store_), kind_(ExternKind::memory), object_(memory.memory_) {}
Extern::Extern(const Global& global) : store_(global.store_), kind_(ExternKind::global), object_(global.global_) {}
Extern::Extern(const Table& table) : store_(table.store_), kind_(ExternKind::table), object_(table.table_) {}
Extern::Extern(const Tag& tag) : store_(tag.store_), kind_(ExternKind::tag), object_(tag.tag_) {}

std::optional<Function> Extern::function() const {
  if (kind_ != ExternKind::function) return std::nullopt;
  return Function(store_, static_cast<runtime::FuncRef*>(object_));
}

std::optional<Memory> Extern::memory() const {
  if (kind_ != ExternKind::memory) return std::nullopt;
  return Internals::memory(store_, static_cast<runtime::Memory*>(object_));
}

std::optional<Global> Extern::global() const {
  if (kind_ != ExternKind::global) return std::nullopt;
  return Global(store_, static_cast<runtime::Global*>(object_));
}

std::optional<Table> Extern::table() const {
  if (kind_ != ExternKind::table) return std::nullopt;
  return Table(store_, static_cast<runtime::Table*>(object_));
}

std::optional<Tag> Extern::tag() const {
  if (kind_ != ExternKind::tag) return std::nullopt;
  return Tag(store_, static_cast<runtime::Tag*>(object_));
}

Extern Internals::external(const StoreRef& store, const runtime::External& object) {
  void* pointer = nullptr;
  switch (object.kind) {
    case wasm::ExternalKind::func:
      pointer = object.func;
      break;
    case wasm::ExternalKind::table:
      pointer = object.table;
      break;
    case wasm::ExternalKind::memory:
      pointer = object.memory;
      break;
    case wasm::ExternalKind::global:
      pointer = object.global;
      break;
    case wasm::ExternalKind::tag:
      pointer = object.tag;
      break;
  }
  return {store, static_cast<ExternKind>(object.kind), pointer};
}

runtime::External Internals::external(const Extern& object) {
  switch (object.kind_) {
    case ExternKind::function:
      return runtime::External(static_cast<runtime::FuncRef*>(object.object_));
    case ExternKind::table:
      return runtime::External(static_cast<runtime::Table*>(object.object_));
    case ExternKind::memory:
      return runtime::External(static_cast<runtime::Memory*>(object.object_));
    case ExternKind::global:
      return runtime::External(static_cast<runtime::Global*>(object.object_));
    case ExternKind::tag:
      break;
  }
  return runtime::External(static_cast<runtime::Tag*>(object.object_));
}

Module Instance::module() const {
  if (const detail::StoreState* const state = store_.get())
    return Internals::module(state->modules.at(&instance_->module()));
  // Of an engine of its own, so that nothing takes it for a module to be instantiated.
  static const auto nothing = [] {
    auto state = std::make_shared<detail::ModuleState>();
    state->engine = std::make_shared<detail::EngineState>();
    state->module = std::make_shared<wasm::Module>();
    return state;
  }();
  return Internals::module(nothing);
}

namespace {

Result<runtime::External> find(const detail::StoreRef& store, runtime::Instance* instance, std::string_view name,
                               wasm::ExternalKind kind) {
  return guarded([&]() -> Result<runtime::External> {
    if (store.get() == nullptr) return detail::gone("instance");
    return find(*instance, name, kind);
  });
}

}  // namespace

Result<Function> Instance::func(std::string_view name) const {
  return Function(store_, WASI_TRY(find(store_, instance_, name, wasm::ExternalKind::func)).func);
}

Result<Memory> Instance::memory(std::string_view name) const {
  return Internals::memory(store_, WASI_TRY(find(store_, instance_, name, wasm::ExternalKind::memory)).memory);
}

Result<Global> Instance::global(std::string_view name) const {
  return Global(store_, WASI_TRY(find(store_, instance_, name, wasm::ExternalKind::global)).global);
}

Result<Table> Instance::table(std::string_view name) const {
  return Table(store_, WASI_TRY(find(store_, instance_, name, wasm::ExternalKind::table)).table);
}

Result<Tag> Instance::tag(std::string_view name) const {
  return Tag(store_, WASI_TRY(find(store_, instance_, name, wasm::ExternalKind::tag)).tag);
}

std::optional<Extern> Instance::get(std::string_view name) const {
  if (store_.get() == nullptr) return std::nullopt;
  const auto found = instance_->find_export(name);
  if (!found) return std::nullopt;
  return Internals::external(store_, *found);
}

namespace {

using Nothing = TypedFunction<void()>;

// A function of WASI's conventions, whose name and type are known.
std::expected<Nothing, Trap> convention(const Instance& instance, std::string_view name) {
  auto function = instance.function<void()>(name);
  if (function) return *std::move(function);
  return std::unexpected(Trap{.code = TrapCode::host_error, .message = std::move(function).error().message});
}

}  // namespace

std::expected<void, Trap> Instance::initialize() const {
  constexpr std::string_view kInitialize = "_initialize";
  if (store_.get() == nullptr) return std::unexpected(detail::gone_trap());
  if (!get(kInitialize)) return {};
  const auto function = convention(*this, kInitialize);
  if (!function) return std::unexpected(function.error());
  return (*function)();
}

std::expected<std::int32_t, Trap> Instance::run() const {
  const auto function = convention(*this, "_start");
  if (!function) return std::unexpected(function.error());
  const auto done = (*function)();
  if (done) return 0;
  if (done.error().is_exit()) return done.error().exit_status;
  return std::unexpected(done.error());
}

std::expected<Instance, InstantiationError> Instance::create(Store& store, const Module& module,
                                                             std::span<const Extern> imports) {
  // Copies: the start function may let go of the handles.
  const auto store_state = Internals::state(store);
  const auto module_state = Internals::state(module);
  const auto refuse = [](Error error) { return std::unexpected(InstantiationError(std::move(error))); };
  return guarded(
      [&]() -> std::expected<Instance, InstantiationError> {
        if (store_state->engine != module_state->engine) {
          return refuse(fail(ErrorKind::argument, "the store and the module belong to different engines").error());
        }
        const std::size_t expected = module_state->module->imports.size();
        if (imports.size() != expected) {
          return refuse(
              fail(ErrorKind::argument, "the module has {} imports, {} were given", expected, imports.size()).error());
        }
        std::vector<runtime::External> found;
        found.reserve(expected);
        for (const Extern& import : imports) {
          if (Internals::store(import).get() != store_state.get()) {
            return refuse(fail(ErrorKind::argument, "import {} is an object of another store", found.size()).error());
          }
          found.push_back(Internals::external(import));
        }
        auto instance = detail::instantiate_with(*store_state, module_state, found, false);
        if (!instance) return std::unexpected(std::move(instance).error());
        return Internals::instance(detail::StoreRef(store_state), *instance);
      },
      [&](Error error) -> std::expected<Instance, InstantiationError> { return refuse(std::move(error)); });
}

}  // namespace wasi
