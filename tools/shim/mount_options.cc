#include "tools/shim/mount_options.h"

#include <sys/mount.h>

#include <algorithm>
#include <string_view>

namespace wasirun::shim {

namespace {

struct Option {
  std::string_view name;
  unsigned long flags;
  bool clears = false;
};
constexpr Option kOptions[] = {{"async", MS_SYNCHRONOUS, true},
                               {"atime", MS_NOATIME, true},
                               {"bind", MS_BIND},
                               {"defaults", 0},
                               {"dev", MS_NODEV, true},
                               {"diratime", MS_NODIRATIME, true},
                               {"dirsync", MS_DIRSYNC},
                               {"exec", MS_NOEXEC, true},
                               {"mand", MS_MANDLOCK},
                               {"noatime", MS_NOATIME},
                               {"nodev", MS_NODEV},
                               {"nodiratime", MS_NODIRATIME},
                               {"noexec", MS_NOEXEC},
                               {"nomand", MS_MANDLOCK, true},
                               {"norelatime", MS_RELATIME, true},
                               {"nostrictatime", MS_STRICTATIME, true},
                               {"nosuid", MS_NOSUID},
                               {"rbind", MS_BIND | MS_REC},
                               {"relatime", MS_RELATIME},
                               {"remount", MS_REMOUNT},
                               {"ro", MS_RDONLY},
                               {"rw", MS_RDONLY, true},
                               {"strictatime", MS_STRICTATIME},
                               {"suid", MS_NOSUID, true},
                               {"sync", MS_SYNCHRONOUS}};

constexpr Option kPropagations[] = {{"private", MS_PRIVATE},       {"rprivate", MS_PRIVATE | MS_REC},
                                    {"shared", MS_SHARED},         {"rshared", MS_SHARED | MS_REC},
                                    {"slave", MS_SLAVE},           {"rslave", MS_SLAVE | MS_REC},
                                    {"unbindable", MS_UNBINDABLE}, {"runbindable", MS_UNBINDABLE | MS_REC}};

}  // namespace

MountOptions parse_mount_options(const std::vector<std::string>& options) {
  MountOptions parsed;
  for (const std::string& word : options) {
    if (const auto option = std::ranges::find(kOptions, word, &Option::name); option != std::end(kOptions)) {
      parsed.flags = option->clears ? parsed.flags & ~option->flags : parsed.flags | option->flags;
    } else if (const auto propagation = std::ranges::find(kPropagations, word, &Option::name);
               propagation != std::end(kPropagations)) {
      parsed.propagation = propagation->flags;
    } else {
      parsed.data += (parsed.data.empty() ? "" : ",") + word;
    }
  }
  return parsed;
}

}  // namespace wasirun::shim
