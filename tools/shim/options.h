// What the administrator of a node says about containers of this runtime, in containerd's configuration.
//
// containerd passes on its section [...runtimes.wasirun.options]: ConfigPath names a file, which all versions do; from
// 1.7 on the section itself may have the options. Both are TOML. docs/kubernetes.md lists them.
#pragma once

#include <wasi/error.h>

#include <optional>
#include <string>
#include <string_view>

#include "rpc.pb.h"
#include "tools/shim/compiled_module.h"
#include "tools/shim/log.h"

namespace wasirun::shim {

struct Options {
  CodeOptions code;
  Log::Level log_level = Log::Level::info;
  std::string runc = "runc";           // looked for in PATH where it has no slash
  std::optional<bool> systemd_cgroup;  // empty: as the path of the container's group and the host say
};

// Without any of containerd's: the variable WASIRUN_CACHE names the cache.
Options default_options();

// Over `defaults`, the message that containerd passes, of the type runtimeoptions.v1.Options, or
// containerd.runc.v1.Options where somebody gives those. Others are not for this runtime, and change nothing. Errors
// name the file, the line and the option.
wasi::Result<Options> parse_options(const rpc::Any& message, const Options& defaults);
// TOML, which messages call `name`.
wasi::Result<Options> parse_options(std::string_view toml, const std::string& name, const Options& defaults);

}  // namespace wasirun::shim
