// spin.toml of version 1: what an application of Spin is made of.
// Source: https://developer.fermyon.com/spin/v1/manifest-reference
#pragma once

#include <wasi/error.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tools/serve/allowed_hosts.h"
#include "tools/serve/spin_variables.h"

namespace wasirun::serve {

// A directory, by its path from the manifest's, and where the guest sees it.
struct SpinPlacement {
  std::string source;
  std::string destination;  // absolute
};

struct SpinFiles {
  std::vector<SpinPlacement> placements;
  std::vector<std::string> patterns;  // of files, which the guest sees by the same paths
  std::vector<std::string> excluded;  // patterns of files that it does not see
};

enum class SpinExecutor : std::uint8_t {
  spin,  // handle-http-request
  wagi,  // a program, by CGI
};

struct SpinComponent {
  std::string id;
  std::string source;  // of the module, from the manifest's directory
  std::string route;
  SpinExecutor executor = SpinExecutor::spin;
  SpinFiles files;
  std::vector<std::pair<std::string, std::string>> environment;
  AllowedHosts allowed_hosts;
  std::vector<std::pair<std::string, SpinTemplate>> config;
  std::vector<std::string> key_value_stores;
};

struct SpinManifest {
  std::string name;
  std::string base = "/";  // in front of all routes
  SpinVariables variables;
  std::vector<SpinComponent> components;
};

// Errors name the file, the line and the column. Keys that nothing here knows are left alone.
wasi::Result<SpinManifest> parse_spin_manifest(std::string_view text, const std::string& file);

}  // namespace wasirun::serve
