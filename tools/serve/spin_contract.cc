// Spin's HTTP trigger: a component for each route, an instance of it for each request. See contracts.h.
//
// Neither `_start` nor anything else is called before the handler, as in Spin, but for `_initialize`, which reactors of
// WASI export to be called first, and components of Spin's own tools do not have.
#include <fmt/format.h>
#include <wasi/linker.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "tools/serve/contract.h"
#include "tools/serve/contracts.h"
#include "tools/serve/curl_library.h"
#include "tools/serve/guest_store.h"
#include "tools/serve/manifest_file.h"
#include "tools/serve/prepared_pool.h"
#include "tools/serve/spin_files.h"
#include "tools/serve/spin_imports.h"
#include "tools/serve/spin_manifest.h"
#include "tools/serve/spin_routes.h"
#include "tools/serve/wit_guest.h"
#include "tools/serve/wit_http.h"

namespace wasirun::serve {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kHandler = "handle-http-request";
// Whether the application is served: for probes, and before all routes.
constexpr std::string_view kHealth = "/.well-known/spin/health";
// What the server tells guests about a request, in headers that clients cannot set.
constexpr std::string_view kOwnHeaders[] = {"spin-path-info",           "spin-full-url",
                                            "spin-matched-route",       "spin-base-path",
                                            "spin-raw-component-route", "spin-component-route"};

struct Served {
  SpinComponent component;
  wasi::Module module;
  GuestSetup setup;                        // with the component's files and environment
  std::unique_ptr<PreparedPool> prepared;  // for components
  std::unique_ptr<Contract> wagi;          // for those that are programs instead
};

HttpResponse plain_response(std::uint16_t status, std::string text) {
  return {.status = status, .fields = {{"Content-Type", "text/plain; charset=utf-8"}}, .body = std::move(text)};
}

class SpinContract : public Contract {
 public:
  // `wasi` has the variables that guests are given, which go before the server's own.
  SpinContract(SpinManifest manifest, std::vector<Served> served, const wasi::WasiConfig& wasi)
      : manifest_(std::move(manifest)), served_(std::move(served)) {
    environment_ = [wasi, own = process_environment()](const std::string& name) {
      auto given = wasi.env(name);
      return given ? given : own(name);
    };
    for (const Served& each : served_) routes_.emplace_back(manifest_.base, each.component.route);
  }

  std::expected<HttpResponse, Failure> answer(const HttpRequest& request, const RequestContext& context) override;

 private:
  std::expected<HttpResponse, Failure> run(const Served& served, const HttpRequest& request, const WitRequest& passed,
                                           const RequestContext& context);
  void add_own_headers(std::vector<HttpField>& headers, const HttpRequest& request, std::size_t route) const;

  SpinManifest manifest_;
  std::vector<Served> served_;
  std::vector<SpinRoute> routes_;  // of `served_`
  Environment environment_;
  KeyValueStores stores_;
};

void SpinContract::add_own_headers(std::vector<HttpField>& headers, const HttpRequest& request,
                                   std::size_t route) const {
  std::erase_if(headers, [](const HttpField& field) {
    return std::ranges::find(kOwnHeaders, field.name) != std::end(kOwnHeaders);
  });
  const SpinRoute& matched = routes_[route];
  const std::string& raw = served_[route].component.route;
  const HttpField* const host = find_field(request.fields, "host");
  std::string_view component_route = raw;
  if (component_route.ends_with("/...")) component_route.remove_suffix(std::string_view("/...").size());
  const std::string values[] = {std::string(matched.rest(request.path())),
                                fmt::format("http://{}{}", host == nullptr ? "localhost" : host->value, request.target),
                                matched.pattern(),
                                manifest_.base,
                                raw,
                                std::string(component_route)};
  for (std::size_t i = 0; i < std::size(kOwnHeaders); ++i) headers.push_back({std::string(kOwnHeaders[i]), values[i]});
}

std::expected<HttpResponse, Failure> SpinContract::answer(const HttpRequest& request, const RequestContext& context) {
  if (request.path() == kHealth) return plain_response(200, "OK");
  const auto route = find_route(routes_, request.path());
  if (!route) return plain_response(404, "no component has this route\n");
  const Served& served = served_[*route];
  if (served.wagi) return served.wagi->answer(request, context);
  const auto method = wit_method(request.method);
  if (!method) {
    HttpResponse response = plain_response(405, "components do not know this method\n");
    response.fields.push_back({"Allow", std::string(wit_methods())});
    return response;
  }
  auto passed = to_wit(request, *method);
  if (!passed) return plain_response(400, passed.error() + "\n");
  add_own_headers(passed->headers, request, *route);
  return run(served, request, *passed, context);
}

std::expected<HttpResponse, Failure> SpinContract::run(const Served& served, const HttpRequest& request,
                                                       const WitRequest& passed, const RequestContext& context) {
  SpinCall call{.component = served.component,
                .variables = manifest_.variables,
                .environment = environment_,
                .stores = stores_,
                .request = request,
                .context = context};
  const PreparedPool::Loan loan = served.prepared->lend(context);
  GuestStore store(served.setup, context);
  if (store.failure()) return std::unexpected(*store.failure());
  store.get().data() = &call;
  const auto instance = loan.instantiate(store.get());
  if (!instance) return std::unexpected(failure_of(instance.error()));
  const auto answer = ask(*instance, kHandler, passed);
  if (!answer) return std::unexpected(answer.error());
  return response_of(*answer, answer->address, context);
}

// The error of one component: where it stands in messages.
wasi::Error error_in(const SpinComponent& component, wasi::Error error) {
  error.message = fmt::format("component {}: {}", component.id, error.message);
  return error;
}

wasi::Result<SpinManifest> load_manifest(const GuestSetup& setup) {
  const auto text = read_manifest(setup.manifest);
  if (!text) return std::unexpected(text.error());
  return parse_spin_manifest(*text, setup.manifest.string());
}

// A module without a manifest is a component for everything, with nothing of its own.
SpinManifest manifest_of_module(const GuestSetup& setup) {
  SpinManifest manifest;
  SpinComponent component;
  component.id = setup.module_path.stem().string();
  component.route = setup.route.ends_with('/') ? setup.route + "..." : setup.route + "/...";
  manifest.components.push_back(std::move(component));
  return manifest;
}

wasi::Result<void> check_component(const SpinComponent& component, const wasi::Module& module) {
  if (component.executor == SpinExecutor::wagi) return {};
  if (const auto why = lacks_handler(module, kHandler)) {
    return std::unexpected(
        wasi::Error{.kind = wasi::ErrorKind::unlinkable,
                    .message = *why + "; programs, which have _start, are run with executor = { type = \"wagi\" }"});
  }
  if (const auto why = lacks_allocator(module)) {
    return std::unexpected(wasi::Error{.kind = wasi::ErrorKind::unlinkable, .message = *why});
  }
  return check_spin_imports(module);
}

// Whoever chooses a compiler wants its code from the first request on.
wasi::Result<void> prepare(const GuestSetup& setup, const wasi::Module& module) {
  const wasi::TierSelection tier = setup.engine.config().tier;
  if (tier != wasi::TierSelection::baseline && tier != wasi::TierSelection::optimising) return {};
  return module.prepare();
}

fs::path folder_of(const fs::path& manifest) {
  return manifest.has_parent_path() ? manifest.parent_path() : fs::path(".");
}

bool may_send_requests(const SpinComponent& component) { return !component.allowed_hosts.empty(); }

// Of the component at this path.
wasi::Result<wasi::Module> module_of(const GuestSetup& setup, const fs::path& path) {
  if (setup.manifest.empty()) return *setup.module;
  if (const auto found = setup.loaded.find(path); found != setup.loaded.end()) return found->second;
  return load_module(setup.engine, path);
}

wasi::Result<Served> load_component(const GuestSetup& setup, const SpinManifest& manifest,
                                    const SpinComponent& component) {
  const fs::path folder = folder_of(setup.manifest);
  const fs::path path = setup.manifest.empty() ? setup.module_path : folder / component.source;
  auto module = module_of(setup, path);
  if (!module) {
    module.error().message = fmt::format("{}: {}", path.string(), module.error().message);
    return std::unexpected(std::move(module).error());
  }
  if (auto checked = check_component(component, *module); !checked) {
    checked.error().message = fmt::format("{}: {}", path.string(), checked.error().message);
    return std::unexpected(std::move(checked).error());
  }
  if (auto prepared = prepare(setup, *module); !prepared) return std::unexpected(std::move(prepared).error());
  Served served{.component = component, .module = *module, .setup = setup, .prepared = nullptr, .wagi = nullptr};
  served.setup.module = *module;
  served.setup.module_path = path;
  served.setup.manifest.clear();
  for (const auto& [name, value] : component.environment) served.setup.wasi.env(name, value);
  if (auto mounted = mount_files(component.files, folder, served.setup.wasi); !mounted) {
    return std::unexpected(std::move(mounted).error());
  }
  if (component.executor == SpinExecutor::wagi) {
    const SpinRoute route(manifest.base, component.route);
    served.setup.route = route.path().empty() ? "/" : route.path();
    auto wagi = make_wagi(served.setup);
    if (!wagi) return std::unexpected(std::move(wagi).error());
    served.wagi = *std::move(wagi);
  } else {
    served.prepared = std::make_unique<PreparedPool>(
        setup.engine, *module, served.setup.wasi,
        [module = *module](wasi::Linker& linker) { define_spin_imports(linker, module); });
  }
  return served;
}

}  // namespace

wasi::Result<SpinNeeds> spin_needs(const fs::path& manifest, std::string_view text) {
  const auto parsed = parse_spin_manifest(text, manifest.string());
  if (!parsed) return std::unexpected(parsed.error());
  SpinNeeds needs;
  for (const SpinComponent& component : parsed->components) {
    fs::path path = folder_of(manifest) / component.source;
    if (std::ranges::find(needs.modules, path) == needs.modules.end()) needs.modules.push_back(std::move(path));
    needs.sends_requests |= may_send_requests(component);
  }
  return needs;
}

wasi::Result<std::unique_ptr<Contract>> make_spin(const GuestSetup& setup) {
  auto manifest = setup.manifest.empty() ? wasi::Result<SpinManifest>(manifest_of_module(setup)) : load_manifest(setup);
  if (!manifest) return std::unexpected(std::move(manifest).error());
  std::vector<Served> all;
  for (const SpinComponent& component : manifest->components) {
    auto served = load_component(setup, *manifest, component);
    if (!served) return std::unexpected(error_in(component, std::move(served).error()));
    all.push_back(*std::move(served));
  }
  // Now, since a process may lock itself in a folder before it serves.
  if (std::ranges::any_of(all, [](const Served& each) { return may_send_requests(each.component); })) {
    static_cast<void>(curl_library());
  }
  return std::make_unique<SpinContract>(*std::move(manifest), std::move(all), setup.wasi);
}

}  // namespace wasirun::serve
