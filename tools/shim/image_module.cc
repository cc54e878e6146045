#include "tools/shim/image_module.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "base/printable.h"
#include "base/result.h"
#include "tools/shim/content_store.h"
#include "tools/shim/host_file.h"
#include "tools/shim/json_node.h"

namespace wasirun::shim {

namespace {

constexpr std::string_view kModuleTypes[] = {"application/wasm", "application/vnd.wasm.content.layer.v1+wasm",
                                             "application/vnd.bytecodealliance.wasm.component.layer.v0+wasm"};
// Names of the systems whose modules run here, the first preferred.
constexpr std::string_view kSystems[] = {"wasip1", "wasi"};

struct Layer {
  ContentDescriptor content;
  std::string title;
};

wasi::Result<ContentDescriptor> parse_descriptor(const JsonNode& node) {
  ContentDescriptor content;
  content.media_type = WASI_TRY(WASI_TRY(node.member("mediaType")).string());
  const JsonNode digest = WASI_TRY(node.member("digest"));
  content.digest = WASI_TRY(digest.string());
  if (content.digest.empty()) return digest.wrong("a digest");
  content.size = WASI_TRY(WASI_TRY(node.member("size")).integer<std::uint64_t>()).value_or(0);
  return content;
}

// The manifest, of an index's, that is for modules.
wasi::Result<ContentDescriptor> choose_manifest(const JsonNode& index) {
  const std::vector<JsonNode> manifests = WASI_TRY(WASI_TRY(index.member("manifests")).elements());
  for (const std::string_view system : kSystems) {
    for (const JsonNode& manifest : manifests) {
      const JsonNode platform = WASI_TRY(manifest.member("platform"));
      if (WASI_TRY(WASI_TRY(platform.member("architecture")).string()) == "wasm" &&
          WASI_TRY(WASI_TRY(platform.member("os")).string()) == system) {
        return parse_descriptor(manifest);
      }
    }
  }
  return wasi::fail(wasi::ErrorKind::argument, "it is for several platforms, and wasip1/wasm is none of them");
}

wasi::Result<std::vector<Layer>> module_layers(const JsonNode& manifest) {
  std::vector<Layer> modules;
  for (const JsonNode& node : WASI_TRY(WASI_TRY(manifest.member("layers")).elements())) {
    Layer layer{.content = WASI_TRY(parse_descriptor(node)), .title = {}};
    if (std::ranges::find(kModuleTypes, layer.content.media_type) == std::end(kModuleTypes)) continue;
    layer.title =
        WASI_TRY(WASI_TRY(WASI_TRY(node.member("annotations")).member("org.opencontainers.image.title")).string());
    modules.push_back(std::move(layer));
  }
  return modules;
}

wasi::Result<Layer> choose_layer(std::vector<Layer> modules, const std::string& path) {
  if (modules.empty()) return wasi::fail(wasi::ErrorKind::argument, "none of its layers is a module");
  if (modules.size() == 1) return std::move(modules.front());
  const std::string title = path.substr(path.rfind('/') + 1);
  const auto found = std::ranges::find(modules, title, &Layer::title);
  if (found != modules.end()) return std::move(*found);
  std::string titles;
  for (const Layer& layer : modules) titles += fmt::format(" \"{}\"", wasi::printable(layer.title));
  return wasi::fail(wasi::ErrorKind::argument, "{} of its layers are modules, and none is \"{}\":{}", modules.size(),
                    wasi::printable(title), titles);
}

// A configuration that does not speak of platforms does not speak against us.
wasi::Result<void> check_platform(const JsonNode& config) {
  const std::string system = WASI_TRY(WASI_TRY(config.member("os")).string());
  const std::string architecture = WASI_TRY(WASI_TRY(config.member("architecture")).string());
  const bool is_ours = (system.empty() || std::ranges::find(kSystems, system) != std::end(kSystems)) &&
                       (architecture.empty() || architecture == "wasm");
  if (is_ours) return {};
  return wasi::fail(wasi::ErrorKind::unsupported, "it is for {}/{}; what runs here is wasip1/wasm",
                    wasi::printable(system), wasi::printable(architecture));
}

wasi::Result<Layer> find_module(ContentStore& store, const std::string& image, const std::string& path) {
  nlohmann::json document =
      WASI_TRY(parse_json(WASI_TRY(store.read(WASI_TRY(store.find_image(image)))), "its manifest"));
  if (document.is_object() && document.contains("manifests")) {
    const ContentDescriptor chosen = WASI_TRY(choose_manifest(JsonNode(document, "its index")));
    document = WASI_TRY(parse_json(WASI_TRY(store.read(chosen)), "its manifest"));
  }
  const JsonNode manifest(document, "its manifest");
  Layer layer = WASI_TRY(choose_layer(WASI_TRY(module_layers(manifest)), path));
  const ContentDescriptor described = WASI_TRY(parse_descriptor(WASI_TRY(manifest.member("config"))));
  const nlohmann::json config = WASI_TRY(parse_json(WASI_TRY(store.read(described)), "its configuration"));
  WASI_TRY(check_platform(JsonNode(config, "its configuration")));
  return layer;
}

wasi::Result<ImageModule> read_module(ContentStore& store, const std::string& image, const std::string& path) {
  const Layer layer = WASI_TRY(find_module(store, image, path));
  ImageModule module;
  module.name = fmt::format("{}, layer {}", image, layer.content.digest);
  module.file.reset(::memfd_create("module", MFD_CLOEXEC));
  if (!module.file) return host_failure("memfd_create");
  WASI_TRY(store.read(layer.content, module.file.get()));
  if (::lseek(module.file.get(), 0, SEEK_SET) != 0) return host_failure("lseek");
  return module;
}

}  // namespace

wasi::Result<ImageModule> read_image_module(const ImageSource& source, const std::string& path) {
  auto store = ContentStore::connect(source.address, source.containerd_namespace);
  const auto image = store ? store->image_of(source.container) : std::unexpected(store.error());
  if (!image) {
    return wasi::fail(image.error().kind, "its image cannot be looked into: {}", image.error().message);
  }
  auto module = read_module(*store, *image, path);
  if (!module) {
    return wasi::fail(module.error().kind, "nor is there a module in the image {}: {}", wasi::printable(*image),
                      module.error().message);
  }
  return module;
}

}  // namespace wasirun::shim
