// What makes the contracts: one function for each, from what its guests are given.
#pragma once

#include <wasi/engine.h>
#include <wasi/error.h>
#include <wasi/linker.h>
#include <wasi/module.h>
#include <wasi/store.h>
#include <wasi/wasi_config.h>

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tools/serve/contract.h"

namespace wasirun::serve {

// The application, and what every instance of its modules is given, whichever the contract.
struct GuestSetup {
  wasi::Engine engine;
  // The module that was named, loaded; empty where a manifest (spin.toml) names the modules.
  std::optional<wasi::Module> module = {};
  std::filesystem::path module_path = {};  // of that one; what messages call it
  std::filesystem::path manifest = {};     // spin.toml, slightfile.toml; empty: there is none
  // Modules that the manifest names and that are loaded already, by their paths (spin_needs()); others are loaded.
  std::map<std::filesystem::path, wasi::Module> loaded = {};
  std::vector<std::string> args = {};  // behind the module on the command line
  wasi::WasiConfig wasi = {};          // directories, environment, limits; contracts add arguments and streams
  wasi::StoreConfig store = {};        // of every instance; memory and deadline are the request's (guest_store.h)
  wasi::UnknownImports unknown_imports = wasi::UnknownImports::error;
  std::string route = "/";  // requests of other paths than this and those below it do not get here
};

// A module from a file: binary, text, or compiled, where its name ends in ".cwasm".
wasi::Result<wasi::Module> load_module(const wasi::Engine& engine, const std::filesystem::path& path);

// What an application of Spin has to be given before it is locked in where its files are, which are not to be trusted.
struct SpinNeeds {
  std::vector<std::filesystem::path> modules;  // each once
  bool sends_requests = false;                 // some component may: libcurl has to be ready
};
// `text`: the manifest's, which is called `manifest`.
wasi::Result<SpinNeeds> spin_needs(const std::filesystem::path& manifest, std::string_view text);

// CGI as WAGI has it: a program for each request.
wasi::Result<std::unique_ptr<Contract>> make_wagi(const GuestSetup& setup);
// Spin's HTTP trigger, 0.6 to 1.x, of core modules.
wasi::Result<std::unique_ptr<Contract>> make_spin(const GuestSetup& setup);
// slight's HTTP capability of late 2022.
wasi::Result<std::unique_ptr<Contract>> make_slight(const GuestSetup& setup);

}  // namespace wasirun::serve
