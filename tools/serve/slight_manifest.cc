#include "tools/serve/slight_manifest.h"

#include <fmt/format.h>

#include "tools/serve/toml_fields.h"

namespace wasirun::serve {

const SlightCapability* SlightManifest::find(std::string_view kind, std::string_view name) const {
  const SlightCapability* first = nullptr;
  for (const SlightCapability& capability : capabilities) {
    const std::string_view resource = capability.resource;
    if (resource.substr(0, resource.find('.')) != kind) continue;
    if (capability.name == name) return &capability;
    if (first == nullptr) first = &capability;
  }
  return first;
}

wasi::Result<SlightManifest> parse_slightfile(std::string_view text, const std::string& file) {
  TomlProblem problem(file);
  SlightManifest manifest;
  if (const auto table = parse_toml(text, problem)) {
    const TomlFields top(*table, "", problem);
    const std::string version = top.required_text("specversion");
    if (version != "0.1" && version != "0.2") {
      top.fail("specversion", fmt::format("specversion is \"{}\", expected \"0.1\" or \"0.2\"", version));
    }
    for (const TomlFields& fields : top.tables("capability")) {
      SlightCapability capability{.resource = {}, .name = fields.required_text("name")};
      capability.resource = version == "0.1" ? capability.name : fields.required_text("resource");
      manifest.capabilities.push_back(std::move(capability));
    }
    if (manifest.find("http") == nullptr) top.fail("there is no [[capability]] \"http\": nothing is to be served");
  }
  if (problem.first()) return std::unexpected(*problem.first());
  return manifest;
}

}  // namespace wasirun::serve
