// libFuzzer target: any bytes as a bundle's config.json, and as the resources of an Update; what is accepted goes
// through all that the shim makes of it before anything is done.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "tools/shim/bundle.h"
#include "tools/shim/cgroup_limits.h"
#include "tools/shim/cgroup_path.h"
#include "tools/shim/http_program.h"
#include "tools/shim/mount_options.h"
#include "tools/shim/wasm_program.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace wasirun::shim;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto writes_of = [](const Resources& resources) {
    for (const CgroupVersion version : {CgroupVersion::v1, CgroupVersion::v2}) (void)cgroup_writes(resources, version);
  };
  if (const auto resources = parse_resources(text)) writes_of(*resources);
  (void)cgroup_path(text, "id");
  const auto bundle = parse_bundle(text, "/bundle");
  if (!bundle) return 0;
  writes_of(bundle->resources);
  (void)cgroup_path(bundle->cgroups_path, "id");
  (void)parse_http_config(*bundle);
  (void)parse_program_name(bundle->process.args.front());
  for (const MountConfig& mount : bundle->mounts) (void)parse_mount_options(mount.options);
  return 0;
}
