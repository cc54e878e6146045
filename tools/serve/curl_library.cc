#include "tools/serve/curl_library.h"

#include <dlfcn.h>

#include <optional>
#include <utility>

namespace wasirun::serve {

namespace {

// By the version of the interface that the headers are of.
constexpr const char* kFile = "libcurl.so.4";

// Set before threads begin.
std::optional<CurlLibrary>& linked_library() {
  static std::optional<CurlLibrary> library;
  return library;
}
std::string& own_certificates() {
  static std::string certificates;
  return certificates;
}

std::expected<CurlLibrary, std::string> find() {
  if (linked_library()) return *linked_library();
  void* const handle = dlopen(kFile, RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) return std::unexpected(std::string("libcurl cannot be loaded: ") + dlerror());
  CurlLibrary library;
  // Never closed: other threads may use it until the process ends.
#define WASIRUN_CURL_FUNCTION(name)                                                      \
  library.name = reinterpret_cast<decltype(&curl_##name)>(dlsym(handle, "curl_" #name)); \
  if (library.name == nullptr) return std::unexpected(std::string("libcurl has no curl_" #name));
#include "tools/serve/curl_functions.def"
#undef WASIRUN_CURL_FUNCTION
  return library;
}

std::expected<CurlLibrary, std::string> load() {
  auto library = find();
  if (library && library->global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
    return std::unexpected("libcurl cannot be set up");
  }
  return library;
}

}  // namespace

void use_curl(const CurlLibrary& linked) { linked_library() = linked; }

void use_certificates(std::string certificates) { own_certificates() = std::move(certificates); }

const std::string& curl_certificates() { return own_certificates(); }

std::expected<const CurlLibrary*, std::string> curl_library() {
  static const std::expected<CurlLibrary, std::string> library = load();
  if (!library) return std::unexpected(library.error());
  return &*library;
}

}  // namespace wasirun::serve
