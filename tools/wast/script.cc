// The commands of https://github.com/WebAssembly/spec/tree/main/interpreter#scripts, on the public API.
#include "tools/wast/script.h"

#include <fmt/format.h>

#include <chrono>

#include "tools/wast/messages.h"
#include "tools/wast/patterns.h"

namespace wasi::spec {

namespace {

// Longer than any command of the suite takes in any build; a guest that hangs becomes a failure.
constexpr std::chrono::minutes kCommandDeadline{2};

std::string describe(const Trap& trap) { return fmt::format("the trap \"{}\"", trap.message); }

}  // namespace

Script::Script(const Engine& engine, const StoreConfig& store, std::string_view source, Observer observer)
    : engine_(engine),
      config_(store),
      source_(source),
      observer_(std::move(observer)),
      store_(engine, store),
      linker_(engine) {
  // Scripts register one name after the other anew.
  linker_.allow_redefinition(true);
  define_spectest();
}

// What scripts import from "spectest". The functions only have to be callable: nobody reads what they print.
void Script::define_spectest() {
  linker_.define("spectest", "print", [] {});
  linker_.define("spectest", "print_i32", [](std::int32_t) {});
  linker_.define("spectest", "print_i64", [](std::int64_t) {});
  linker_.define("spectest", "print_f32", [](float) {});
  linker_.define("spectest", "print_f64", [](double) {});
  linker_.define("spectest", "print_i32_f32", [](std::int32_t, float) {});
  linker_.define("spectest", "print_f64_f64", [](double, double) {});

  const auto global = [&](const char* name, const Value& value) {
    linker_.define("spectest", name, Global::create(store_, GlobalType{value.type(), false}, value).value());
  };
  global("global_i32", std::int32_t{666});
  global("global_i64", std::int64_t{666});
  global("global_f32", 666.6F);
  global("global_f64", 666.6);

  const Value null = Value::zero_of(ValueType::funcref());
  const Limits table_limits{10, 20};
  const Limits memory_limits{1, 2};
  linker_.define("spectest", "table", Table::create(store_, {.limits = table_limits}, null).value());
  linker_.define("spectest", "memory", Memory::create(store_, {.limits = memory_limits}).value());
  linker_.define("spectest", "table64", Table::create(store_, {.limits = table_limits, .is_64 = true}, null).value());
  linker_.define("spectest", "shared_memory",
                 Memory::create(store_, {.limits = memory_limits, .is_shared = true}).value());
}

void Script::run(std::span<const Command> commands) {
  for (const Command& command : commands) {
    store_.set_deadline(std::chrono::steady_clock::now() + kCommandDeadline);
    observer_(command, run_command(command));
  }
  while (!threads_.empty()) wait_for_thread(threads_.begin()->first);
}

Outcome Script::run_command(const Command& command) {
  using text::CommandKind;
  switch (command.kind) {
    case CommandKind::module:
      return define_and_instantiate(command);
    case CommandKind::module_definition: {
      auto module = load(command.module);
      if (!module) return Outcome::fail(module.error().to_string());
      last_definition_ = *module;
      definitions_.insert_or_assign(command.module.name, *module);
      return Outcome::pass();
    }
    case CommandKind::module_instance: {
      const auto module = load(command.module);
      return module ? instantiate(*module, command.module.name) : Outcome::fail(module.error().to_string());
    }
    case CommandKind::register_:
      return register_instance(command);
    case CommandKind::action: {
      const Performed performed = perform(command.action);
      if (performed.ended) return *performed.ended;
      return performed.trap ? Outcome::fail(describe(*performed.trap)) : Outcome::pass();
    }
    case CommandKind::assert_return:
      return assert_return(command);
    case CommandKind::assert_trap:
      return assert_trap(command, std::nullopt);
    case CommandKind::assert_exhaustion:
      return assert_trap(command, TrapCode::stack_overflow);
    case CommandKind::assert_exception:
      return assert_trap(command, TrapCode::uncaught_exception);
    case CommandKind::assert_invalid:
    case CommandKind::assert_invalid_custom:
      return assert_rejected(command, ErrorKind::invalid);
    case CommandKind::assert_malformed:
    case CommandKind::assert_malformed_custom:
      return assert_rejected(command, ErrorKind::malformed);
    case CommandKind::assert_unlinkable:
      return assert_unlinkable(command);
    case CommandKind::thread:
      return start_thread(command);
    case CommandKind::wait:
      return wait_for_thread(command.name);
  }
  return Outcome::fail("no such command");
}

Script::Load Script::load(const text::ScriptModule& module) const {
  if (module.form == text::ModuleForm::instance) {
    if (module.of.empty() && last_definition_) return *last_definition_;
    if (const auto found = definitions_.find(module.of); !module.of.empty() && found != definitions_.end()) {
      return found->second;
    }
    const std::string what = module.of.empty() ? "no module has been defined" : "no module named " + module.of;
    return std::unexpected(Error{.kind = ErrorKind::argument, .message = what});
  }
  auto bytes = text::encode(source_, module);
  if (!bytes) return std::unexpected(std::move(bytes).error());
  return Module::from_bytes(engine_, *std::move(bytes));
}

Outcome Script::define_and_instantiate(const Command& command) {
  auto module = load(command.module);
  if (!module) {
    last_.reset();
    return Outcome::fail(module.error().to_string());
  }
  const std::string& name = command.module.name;
  last_definition_ = *module;
  if (!name.empty()) definitions_.insert_or_assign(name, *module);
  return instantiate(*module, name);
}

Outcome Script::instantiate(const Module& module, const std::string& name) {
  last_.reset();
  auto instance = linker_.instantiate(store_, module);
  if (!instance) return Outcome::fail(instance.error().to_string());
  last_ = Slot{.instance = *std::move(instance), .shared = {}, .is_shared = false};
  if (!name.empty()) instances_.insert_or_assign(name, *last_);
  return Outcome::pass();
}

const Script::Slot* Script::find(const std::string& name) const {
  if (name.empty()) return last_ ? &*last_ : nullptr;
  const auto found = instances_.find(name);
  return found == instances_.end() ? nullptr : &found->second;
}

Outcome Script::register_instance(const Command& command) {
  const Slot* slot = find(command.of);
  if (slot == nullptr) return Outcome::fail("there is no such instance");
  if (slot->is_shared) {
    for (const auto& [field, memory] : slot->shared) linker_.define(command.name, field, memory);
    return Outcome::pass();
  }
  linker_.define_instance(command.name, *slot->instance);
  return Outcome::pass();
}

// A thread has a store and an empty registry of its own; of the one module that it is given, it gets the shared
// memories.
Outcome Script::start_thread(const Command& command) {
  if (threads_.contains(command.name)) return Outcome::fail(fmt::format("thread {} is running", command.name));
  auto thread = std::make_unique<Thread>();
  auto script = std::make_unique<Script>(engine_, config_, source_,
                                         [observed = &thread->observed](const Command& nested, const Outcome& outcome) {
                                           observed->emplace_back(&nested, outcome);
                                         });
  if (!command.of.empty()) {
    const Slot* slot = find(command.of);
    if (slot == nullptr) return Outcome::fail(fmt::format("there is no instance named {}", command.of));
    Slot copy{.instance = {}, .shared = slot->shared, .is_shared = slot->is_shared};
    if (slot->instance) {
      copy.is_shared = true;
      for (const ExportType& exported : slot->instance->module().exports()) {
        const auto memory = slot->instance->memory(exported.name);
        if (!memory) continue;
        if (const auto memory_to_share = memory->shared()) copy.shared.emplace(exported.name, *memory_to_share);
      }
    }
    script->instances_.insert_or_assign(command.of, std::move(copy));
  }
  // It is waited for before this script's run ends, so the commands outlive it.
  thread->thread = std::thread([script = std::move(script), &command] { script->run(command.commands); });
  threads_.emplace(command.name, std::move(thread));
  return Outcome::pass();
}

Outcome Script::wait_for_thread(const std::string& name) {
  const auto found = threads_.find(name);
  if (found == threads_.end()) return Outcome::fail("no such thread");
  found->second->thread.join();
  for (const auto& [command, outcome] : found->second->observed) observer_(*command, outcome);
  threads_.erase(found);
  return Outcome::pass();
}

Script::Performed Script::perform(const text::ScriptAction& action) {
  if (action.kind == text::ActionKind::instantiate) return perform_instantiate(action);
  const auto ended = [](Outcome outcome) { return Performed{std::move(outcome), {}, {}}; };
  const Slot* slot = find(action.instance);
  if (slot == nullptr) return ended(Outcome::fail("there is no such instance"));
  if (slot->is_shared) return ended(Outcome::fail("a shared instance runs in the script that made it"));
  if (action.kind == text::ActionKind::get) {
    auto global = slot->instance->global(action.field);
    if (!global) return ended(Outcome::fail(global.error().to_string()));
    return {std::nullopt, std::nullopt, {global->get()}};
  }
  std::vector<Value> arguments;
  for (const text::ScriptValue& value : action.arguments) {
    auto argument = argument_of(value);
    if (!argument) return ended(Outcome::fail(argument.error()));
    arguments.push_back(*argument);
  }
  auto function = slot->instance->func(action.field);
  if (!function) return ended(Outcome::fail(function.error().to_string()));
  auto results = function->call(arguments);
  if (!results) return {std::nullopt, results.error(), {}};
  return {std::nullopt, std::nullopt, *std::move(results)};
}

// assert_trap on a module: an instance is not expected, so none is kept.
Script::Performed Script::perform_instantiate(const text::ScriptAction& action) {
  const auto ended = [](Outcome outcome) { return Performed{std::move(outcome), {}, {}}; };
  const auto module = load(action.module);
  if (!module) return ended(Outcome::fail(module.error().to_string()));
  const auto instance = linker_.instantiate(store_, *module);
  if (instance) return {};
  const InstantiationError& failure = instance.error();
  if (failure.trap() != nullptr) return {std::nullopt, *failure.trap(), {}};
  return ended(Outcome::fail(failure.to_string()));
}

Outcome Script::assert_return(const Command& command) {
  const Performed performed = perform(command.action);
  if (performed.ended) return *performed.ended;
  if (performed.trap) return Outcome::fail(fmt::format("expected results, got {}", describe(*performed.trap)));
  const auto matched = match_results(command.expected, performed.results);
  return matched ? Outcome::pass() : Outcome::fail(matched.error());
}

Outcome Script::assert_trap(const Command& command, std::optional<TrapCode> code) {
  const Performed performed = perform(command.action);
  if (performed.ended) return *performed.ended;
  const std::string& expected = command.message;
  if (!performed.trap) return Outcome::fail(fmt::format("expected the trap \"{}\", got results", expected));
  if (code && performed.trap->code != *code) {
    return Outcome::fail(
        fmt::format("expected a trap of the kind \"{}\", got {}", message_of(*code), describe(*performed.trap)));
  }
  if (!matches_message(expected, performed.trap->message)) {
    return Outcome::fail(fmt::format("expected the trap \"{}\", got {}", expected, describe(*performed.trap)));
  }
  return Outcome::pass();
}

Outcome Script::assert_rejected(const Command& command, ErrorKind kind) {
  const std::string& expected = command.message;
  const auto module = load(command.module);
  if (module) return Outcome::fail(fmt::format("the module was accepted, expected \"{}\"", expected));
  const Error& error = module.error();
  if (error.kind != kind || !matches_message(expected, error.message)) {
    return Outcome::fail(fmt::format("expected {}: \"{}\", got \"{}\"", name_of(kind), expected, error.to_string()));
  }
  return Outcome::pass();
}

Outcome Script::assert_unlinkable(const Command& command) {
  const std::string& expected = command.message;
  const auto module = load(command.module);
  if (!module) return Outcome::fail(module.error().to_string());
  const auto instance = linker_.instantiate(store_, *module);
  if (instance) return Outcome::fail(fmt::format("the module was linked, expected \"{}\"", expected));
  const Error* error = instance.error().error();
  if (error == nullptr || error->kind != ErrorKind::unlinkable || !matches_message(expected, error->message)) {
    return Outcome::fail(fmt::format("expected \"{}\", got \"{}\"", expected, instance.error().to_string()));
  }
  return Outcome::pass();
}

void run_script(const Engine& engine, const StoreConfig& store, const std::string& source, const Observer& observer) {
  const auto commands = text::parse_script(source);
  if (commands) return Script(engine, store, source, observer).run(*commands);
  text::ScriptCommand whole;
  whole.line = commands.error().text ? commands.error().text->line : 0;
  observer(whole, Outcome::fail("the script cannot be read: " + commands.error().to_string()));
}

}  // namespace wasi::spec
