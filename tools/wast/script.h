// Runs one script: a list of commands against one store.
#pragma once

#include <wasi/engine.h>
#include <wasi/linker.h>
#include <wasi/module.h>
#include <wasi/store.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "text/script.h"
#include "tools/wast/outcome.h"

namespace wasi::spec {

// Called once per command, nested ones of threads included, on the thread that calls Script::run.
using Observer = std::function<void(const text::ScriptCommand&, const Outcome&)>;

class Script {
 public:
  // `source` is the text that the commands come from; it outlives them.
  Script(const Engine& engine, const StoreConfig& store, std::string_view source, Observer observer);

  void run(std::span<const text::ScriptCommand> commands);

 private:
  using Command = text::ScriptCommand;

  struct Slot {
    std::optional<Instance> instance;  // none where is_shared
    // Of an instance that belongs to the script that started this thread: what of it can be shared.
    std::map<std::string, SharedMemory> shared;
    bool is_shared = false;
  };
  using Load = std::expected<Module, Error>;

  Outcome run_command(const Command& command);
  Outcome define_and_instantiate(const Command& command);
  Outcome instantiate(const Module& module, const std::string& name);
  Outcome register_instance(const Command& command);
  Outcome start_thread(const Command& command);
  Outcome wait_for_thread(const std::string& name);
  Outcome assert_rejected(const Command& command, ErrorKind kind);
  Outcome assert_unlinkable(const Command& command);
  Outcome assert_return(const Command& command);
  Outcome assert_trap(const Command& command, std::optional<TrapCode> code);

  // What an action came to: results, a trap, or an outcome that ends the command.
  struct Performed {
    std::optional<Outcome> ended;
    std::optional<Trap> trap;
    std::vector<Value> results;
  };
  Performed perform(const text::ScriptAction& action);
  Performed perform_instantiate(const text::ScriptAction& action);

  // A module that is parsed, or a definition's for an instance of it.
  Load load(const text::ScriptModule& module) const;
  const Slot* find(const std::string& name) const;
  void define_spectest();

  Engine engine_;
  StoreConfig config_;
  std::string_view source_;
  Observer observer_;
  Store store_;
  Linker linker_;
  std::map<std::string, Slot> instances_;
  std::map<std::string, Module> definitions_;
  std::optional<Slot> last_;
  std::optional<Module> last_definition_;

  // A thread of a script. What it observes is told when it is waited for.
  struct Thread {
    std::vector<std::pair<const Command*, Outcome>> observed;
    std::thread thread;
  };
  std::map<std::string, std::unique_ptr<Thread>> threads_;
};

// Parses and runs a script. A script that is no script is one failure.
void run_script(const Engine& engine, const StoreConfig& store, const std::string& source, const Observer& observer);

}  // namespace wasi::spec
