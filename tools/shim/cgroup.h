// A container's control group, of version 1 (a directory per controller) or 2 (one).
// Source: https://docs.kernel.org/admin-guide/cgroup-v2.html, https://docs.kernel.org/admin-guide/cgroup-v1/
#pragma once

#include <sys/types.h>
#include <wasi/error.h>

#include <string>
#include <vector>

#include "os/unique_fd.h"
#include "rpc.pb.h"
#include "tools/shim/bundle.h"
#include "tools/shim/cgroup_limits.h"

namespace wasirun::shim {

// Where the hierarchies are mounted, unless a test says something else.
inline constexpr const char* kCgroupRoot = "/sys/fs/cgroup";

class Cgroup {
 public:
  // The group `path` (cgroup_path()), whether it exists or not.
  static Cgroup at(const std::string& path, const std::string& root = kCgroupRoot);
  // Of whatever group a process is in.
  static wasi::Result<Cgroup> of_process(pid_t pid, const std::string& root = kCgroupRoot);

  [[nodiscard]] CgroupVersion version() const { return version_; }
  // Makes it, with the controllers that there are.
  [[nodiscard]] wasi::Result<void> create() const;
  [[nodiscard]] wasi::Result<void> apply(const Resources& resources) const;
  // The calling process becomes a member.
  [[nodiscard]] wasi::Result<void> join() const;
  // The same of one hierarchy alone.
  [[nodiscard]] wasi::Result<void> join_first() const;
  // All directories; what is not there is removed already.
  [[nodiscard]] wasi::Result<void> remove() const;
  [[nodiscard]] std::vector<pid_t> processes() const;
  [[nodiscard]] wasi::Result<void> set_frozen(bool is_frozen) const;
  // As containerd reads them.
  [[nodiscard]] rpc::Any metrics() const;
  // How many processes the kernel ended for want of memory.
  [[nodiscard]] std::uint64_t oom_kills() const;
  // Becomes readable when memory runs out; read it then. Invalid where the kernel cannot tell.
  [[nodiscard]] wasi::os::UniqueFd watch_oom() const;

 private:
  struct Directory {
    std::string controller;  // of v1
    std::string path;
    std::string mount;  // what it lies below
  };
  Cgroup(CgroupVersion version, std::vector<Directory> directories)
      : version_(version), directories_(std::move(directories)) {}
  // Of the controller; null where there is none of that name.
  [[nodiscard]] const Directory* find(const std::string& controller) const;
  // DIRECTORY/file of the controller, or "" where there is none.
  [[nodiscard]] std::string file(const std::string& controller, const std::string& name) const;
  [[nodiscard]] wasi::Result<void> apply(const std::vector<CgroupWrite>& writes) const;

  CgroupVersion version_;
  std::vector<Directory> directories_;
};

}  // namespace wasirun::shim
