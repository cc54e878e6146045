// Runs one script: a list of commands against one store.
#pragma once

#include <wasi/engine.h>
#include <wasi/linker.h>
#include <wasi/module.h>
#include <wasi/store.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "outcome.h"
#include "patterns.h"

namespace wasi::spec {

// Called once per command, nested ones of threads included.
using Observer = std::function<void(std::uint64_t line, const std::string& type, const Outcome&)>;

class Script {
 public:
  // `folder` holds the modules that the commands name.
  Script(const Engine& engine, const StoreConfig& store, std::filesystem::path folder, Observer observer);

  void run(const Json& commands);

 private:
  // An instance, or the knowledge that this version does not run its module yet.
  struct Slot {
    std::optional<Instance> instance;
    std::string reason;  // where there is no instance
  };
  using Load = std::expected<Module, Error>;

  Outcome run_command(const Json& command);
  Outcome define_and_instantiate(const Json& command);
  Outcome instantiate(const Module& module, const std::string& name);
  Outcome register_instance(const Json& command);
  Outcome run_thread(const Json& command);
  Outcome assert_rejected(const Json& command, ErrorKind kind);
  Outcome assert_unlinkable(const Json& command);
  Outcome assert_return(const Json& command);
  Outcome assert_trap(const Json& command, std::optional<TrapCode> code);

  // What an action came to: results, a trap, or an outcome that ends the command.
  struct Performed {
    std::optional<Outcome> ended;
    std::optional<Trap> trap;
    std::vector<Value> results;
  };
  Performed perform(const Json& action);
  Performed perform_instantiate(const Json& action);

  Load load(const Json& members) const;
  // Why a module cannot be linked although nothing is wrong with it: it imports from a slot that has no instance.
  std::optional<std::string> missing_prerequisite(const Module& module) const;
  const Slot* find(const Json& command, const char* key) const;
  void define_spectest();

  Engine engine_;
  StoreConfig config_;
  std::filesystem::path folder_;
  Observer observer_;
  Store store_;
  Linker linker_;
  std::map<std::string, Slot> instances_;
  std::map<std::string, Module> definitions_;
  std::optional<Slot> last_;
  std::optional<Module> last_definition_;
  std::map<std::string, std::string> registered_without_instance_;          // name -> reason
  std::map<std::pair<std::string, std::string>, std::string> unavailable_;  // (module, name) -> reason
  std::set<std::string> threads_;
};

// The text of a JSON file below the converted suite, parsed.
std::expected<Json, std::string> read_script(const std::filesystem::path& path);

}  // namespace wasi::spec
