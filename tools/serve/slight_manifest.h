// slightfile.toml: which capabilities an application of slight is given.
#pragma once

#include <wasi/error.h>

#include <string>
#include <string_view>
#include <vector>

namespace wasirun::serve {

struct SlightCapability {
  std::string resource;  // "http", "kv.filesystem"
  std::string name;      // by which guests open it; in version 0.1 the resource itself
};

struct SlightManifest {
  std::vector<SlightCapability> capabilities;

  // The first of a kind ("kv" is that of "kv.filesystem"), and of that name, where there is one; null: there is none.
  [[nodiscard]] const SlightCapability* find(std::string_view kind, std::string_view name = {}) const;
};

// Errors name the file, the line and the column. Keys that nothing here knows are left alone.
wasi::Result<SlightManifest> parse_slightfile(std::string_view text, const std::string& file);

}  // namespace wasirun::serve
