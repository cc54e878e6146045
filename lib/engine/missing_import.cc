// Messages for missing imports.
#include "engine/missing_import.h"

#include <fmt/format.h>

#include <iterator>
#include <set>
#include <string>

#include "engine/convert.h"
#include "engine/state.h"
#include "engine/wasi_threads.h"

namespace wasi::detail {

namespace {

// Import modules by which one sees what a program was built for.
struct KnownOrigin {
  std::string_view module;
  bool is_prefix;
  std::string_view hint;
};
constexpr std::string_view kForJavaScript =
    "the module was built for a JavaScript host; build it for wasm32-wasi to run it here";
constexpr KnownOrigin kOrigins[] = {
    {"wasi:", true, "this is WASI 0.2, which needs components; build the program for WASI preview1 (wasm32-wasip1)"},
    {"wasix_", true, "WASIX is not supported; build the program for WASI preview1 (wasm32-wasi)"},
    {"wasi_nn", true, "wasi-nn is not supported"},
    {"__wbindgen", true, kForJavaScript},
    {"wbg", false, kForJavaScript},
    {"gojs", false, "the module was built with GOOS=js; build it with GOOS=wasip1"},
    {"go", false, "the module was built with GOOS=js; build it with GOOS=wasip1"},
    {"GOT.", true, "the module is a shared library; dynamic linking is not supported, link the program statically"},
};

std::string hint_for(const LinkerState& linker, const wasm::Import& import) {
  if (import.module == preview1::kModuleName || import.module == preview1::kOldModuleName ||
      import.module == kThreadsModule) {
    return linker.wasi == nullptr ? "WASI has not been given to the program (Linker::define_wasi)"
                                  : "WASI has no function of that name";
  }
  for (const KnownOrigin& origin : kOrigins) {
    if (origin.is_prefix ? import.module.starts_with(origin.module) : import.module == origin.module) {
      return std::string(origin.hint);
    }
  }
  if (import.module == "env" && (import.name.starts_with("emscripten_") || import.name.starts_with("invoke_"))) {
    return "the module was built by Emscripten for a JavaScript host; build it with -sSTANDALONE_WASM or for "
           "wasm32-wasi";
  }
  std::set<std::string_view> offered;
  for (const auto& [key, definition] : linker.definitions) offered.insert(key.first);
  if (linker.wasi != nullptr) offered.insert(preview1::kModuleName);
  if (offered.empty()) return "the host defines no imports at all";
  std::string list;
  for (std::string_view module : offered) {
    fmt::format_to(std::back_inserter(list), "{}\"{}\"", list.empty() ? "" : ", ", module);
  }
  return fmt::format("{} {}",
                     offered.contains(import.module) ? "the host defines other names of" : "the host defines only",
                     offered.contains(import.module) ? fmt::format("\"{}\"", import.module) : list);
}

}  // namespace

Error missing_import(const LinkerState& linker, const wasm::Module& module,
                     std::span<const wasm::Import* const> missing) {
  const wasm::Import& first = *missing.front();
  std::string message = fmt::format("missing import \"{}\".\"{}\", a {}: {}", first.module, first.name,
                                    type_of(module, first).to_string(), hint_for(linker, first));
  constexpr std::size_t kListed = 5;
  if (missing.size() > 1) {
    fmt::format_to(std::back_inserter(message), "; {} more missing:", missing.size() - 1);
    for (std::size_t i = 1; i < missing.size() && i <= kListed; ++i) {
      fmt::format_to(std::back_inserter(message), "{} \"{}\".\"{}\"", i == 1 ? "" : ",", missing[i]->module,
                     missing[i]->name);
    }
    if (missing.size() > kListed + 1) message += ", ...";
  }
  return Error{ErrorKind::unlinkable, std::move(message), std::nullopt};
}

}  // namespace wasi::detail
