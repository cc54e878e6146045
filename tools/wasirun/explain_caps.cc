// wasirun explain-caps: what a program can make use of, by what it imports, and which options give it that.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/printable.h"
#include "tools/wasirun/commands.h"
#include "tools/wasirun/load.h"
#include "tools/wasirun/report.h"
#include "wasi/table.h"

namespace wasirun {

namespace {

namespace preview1 = wasi::preview1;
using wasi::wasm::Import;
using Json = nlohmann::ordered_json;

// A module of WASI and what people call it.
struct WasiModule {
  std::string_view name;
  std::string_view title;
};
constexpr std::array<WasiModule, 3> kWasiModules = {{{preview1::kModuleName, "WASI preview 1"},
                                                     {preview1::kOldModuleName, "WASI snapshot 0, before preview 1"},
                                                     {preview1::kThreadsModule, "wasi-threads"}}};

const WasiModule* wasi_module(std::string_view name) {
  const auto* found = std::ranges::find(kWasiModules, name, &WasiModule::name);
  return found == kWasiModules.end() ? nullptr : found;
}

// What an import is for; empty when WASI has nothing of that name and type.
std::optional<preview1::Capability> capability_of(const wasi::wasm::Module& module, const Import& import) {
  const auto* imported = std::get_if<wasi::wasm::FuncImport>(&import.type);
  if (imported == nullptr) return std::nullopt;
  const wasi::wasm::FuncType& type = module.registry->at(module.types[imported->type.value]).func;
  if (import.module == preview1::kThreadsModule) {
    const bool spawns =
        import.name == preview1::kThreadSpawn && type == wasi::wasm::FuncType{{wasi::wasm::kI32}, {wasi::wasm::kI32}};
    return spawns ? std::optional(preview1::Capability::threads) : std::nullopt;
  }
  const preview1::Function* function = preview1::find_function(import.module, import.name);
  if (function == nullptr || function->type != type) return std::nullopt;
  return std::ranges::find(preview1::function_infos(), import.name, &preview1::FunctionInfo::name)->capability;
}

// The imports of a module by what they mean.
struct Explanation {
  std::vector<const WasiModule*> versions;                // that it imports from
  std::vector<std::vector<const Import*>> by_capability;  // one list per row of capabilities.def
  std::vector<const Import*> unknown;                     // of a module of WASI, which has no such function
  std::vector<const Import*> foreign;                     // of other modules
  bool imports_shared_memory = false;                     // which wasi-threads gives
};

Explanation explain(const wasi::wasm::Module& module) {
  Explanation explanation;
  explanation.by_capability.resize(preview1::capability_infos().size());
  const auto is_thread_spawn = [&](const Import& import) {
    return import.module == preview1::kThreadsModule && capability_of(module, import);
  };
  const bool has_threads = std::ranges::any_of(module.imports, is_thread_spawn);
  for (const Import& import : module.imports) {
    const WasiModule* version = wasi_module(import.module);
    if (version == nullptr) {
      const auto* memory = std::get_if<wasi::wasm::MemoryType>(&import.type);
      if (has_threads && memory != nullptr && memory->is_shared) {
        explanation.imports_shared_memory = true;
      } else {
        explanation.foreign.push_back(&import);
      }
      continue;
    }
    if (std::ranges::find(explanation.versions, version) == explanation.versions.end()) {
      explanation.versions.push_back(version);
    }
    if (const auto capability = capability_of(module, import)) {
      explanation.by_capability[static_cast<std::size_t>(*capability)].push_back(&import);
    } else {
      explanation.unknown.push_back(&import);
    }
  }
  return explanation;
}

std::string names_of(const std::vector<const Import*>& imports) {
  std::string names;
  for (const Import* import : imports) names.append(names.empty() ? "" : ", ").append(import->name);
  return names;
}

void print_others(std::string_view title, const std::vector<const Import*>& imports) {
  if (imports.empty()) return;
  print_stdout("\n{}:\n", title);
  for (const Import* import : imports) {
    print_stdout("  {}.{} ({})\n", wasi::printable(import->module), wasi::printable(import->name),
                 name_of(import->kind()));
  }
}

void print_text(const std::string& file, const Explanation& explanation) {
  std::string versions;
  for (const WasiModule* version : explanation.versions) {
    versions += fmt::format("{}{} ({})", versions.empty() ? "" : ", ", version->title, version->name);
  }
  print_stdout("{}: {}\n", file, versions.empty() ? "imports nothing of WASI" : "imports " + versions);
  std::string unused;
  bool is_first = true;
  for (const preview1::CapabilityInfo& info : preview1::capability_infos()) {
    const auto& imports = explanation.by_capability[static_cast<std::size_t>(info.id)];
    if (imports.empty()) {
      unused.append(unused.empty() ? "" : ", ").append(info.name);
      continue;
    }
    if (std::exchange(is_first, false)) print_stdout("\nIt can make use of:\n");
    print_stdout("  {:<12} {}\n{:15}{}{}{}\n{:15}by {}\n", info.name, info.what, "", info.needs,
                 info.options.empty() ? "" : ": ", info.options, "", names_of(imports));
  }
  if (explanation.imports_shared_memory) print_stdout("\nThe shared memory that it imports is made for it.\n");
  if (!unused.empty()) print_stdout("\nIt cannot make use of: {}\n", unused);
  print_others("WASI has no such function, so it runs only with --unknown-imports", explanation.unknown);
  print_others("Not of WASI, and nothing that 'wasirun run' has, so it runs only with --unknown-imports",
               explanation.foreign);
}

Json to_json(const std::vector<const Import*>& imports) {
  Json json = Json::array();
  for (const Import* import : imports) {
    json.push_back({{"module", import->module}, {"name", import->name}, {"kind", name_of(import->kind())}});
  }
  return json;
}

// "--env NAME[=VALUE], --inherit-env" as a list.
Json options_of(std::string_view options) {
  Json json = Json::array();
  while (!options.empty()) {
    const std::size_t comma = std::min(options.find(", "), options.size());
    json.push_back(options.substr(0, comma));
    options.remove_prefix(std::min(comma + 2, options.size()));
  }
  return json;
}

Json to_json(const std::string& file, const Explanation& explanation) {
  Json json;
  json["file"] = file;
  json["wasi"] = Json::array();
  for (const WasiModule* version : explanation.versions) json["wasi"].push_back(version->name);
  json["capabilities"] = Json::array();
  json["unused"] = Json::array();
  for (const preview1::CapabilityInfo& info : preview1::capability_infos()) {
    const auto& imports = explanation.by_capability[static_cast<std::size_t>(info.id)];
    if (imports.empty()) {
      json["unused"].push_back(info.name);
      continue;
    }
    json["capabilities"].push_back({{"name", info.name},
                                    {"what", info.what},
                                    {"needs", info.needs},
                                    {"options", options_of(info.options)},
                                    {"imports", to_json(imports)}});
  }
  json["unknown"] = to_json(explanation.unknown);
  json["foreign"] = to_json(explanation.foreign);
  return json;
}

}  // namespace

int explain_caps(const ExplainCapsCommand& command) {
  const auto module = decode_module(command.file);
  if (!module) return file_failure(command.file, module.error());
  const Explanation explanation = explain(**module);
  if (command.json) {
    print_stdout("{}\n", to_json(command.file, explanation).dump(2, ' ', true, Json::error_handler_t::replace));
  } else {
    print_text(name_of(command.file), explanation);
  }
  return kSuccess;
}

}  // namespace wasirun
