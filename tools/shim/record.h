// What the shim writes down about a container in its bundle, for `delete`, which has to clean up when the shim is gone.
#pragma once

#include <sys/types.h>
#include <wasi/error.h>

#include <cstdint>
#include <string>
#include <vector>

namespace wasirun::shim {

// Which runc, and where it keeps what it knows of its containers.
struct Runc {
  std::string program;
  std::string root;  // empty: none
};

struct Record {
  pid_t pid = 0;
  std::uint64_t start_time = 0;  // tells the process from a later one of its number
  std::string cgroup = {};       // cgroup_path(); empty: runc's
  Runc runc = {};                // without a root: not runc's
};

// When a process began, in ticks since the host did; 0: there is none.
std::uint64_t start_time_of(pid_t pid);

wasi::Result<void> write_record(const std::string& bundle, const Record& record);
// Fails where there is none: the shim has removed it together with all that it speaks of.
wasi::Result<Record> read_record(const std::string& bundle);
void remove_record(const std::string& bundle);

// The command line of runc with a root directory of its own for each namespace of containerd's.
std::string runc_root_of(const std::string& containerd_namespace);
std::vector<std::string> runc_command(const Runc& runc, std::vector<std::string> words);

}  // namespace wasirun::shim
