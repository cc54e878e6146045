// --listen and --listen-fds: the sockets that a program is given.
#pragma once

#include <wasi/wasi_config.h>

#include <expected>
#include <string>
#include <vector>

#include "tools/wasirun/command_line.h"
#include "tools/wasirun/removed_files.h"

namespace wasirun {

struct Sockets {
  std::vector<wasi::Socket> all;
  std::vector<RemovedFile> files;  // of unix sockets; to be kept as long as the sockets are
  std::string names;               // LISTEN_FDNAMES, where it was set
};

// Why there are none.
struct SocketFailure {
  std::string message;  // the option, and what is wrong with its value
  int exit_code;        // kUsage where the value can never be right, else kFailure
};

// Opens what the command line names. Must come before anything else is opened, as numbers that were passed could become
// those of other files, and before anybody looks at the environment, from which the variables that speak to this
// process are taken. An address with a port that the kernel chose is printed to stderr.
std::expected<Sockets, SocketFailure> open_sockets(const RunCommand& command);

// Hands them to the program, with LISTEN_FDS in its environment unless the command line sets that.
void give_sockets(Sockets sockets, const RunCommand& command, wasi::WasiConfig& config);

}  // namespace wasirun
