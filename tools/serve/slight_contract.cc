// slight's HTTP capability: an application says at its start which of its exports answer which routes; each request is
// answered by an instance of its own, without that start. See contracts.h.
//
// A handler returns expected<response, error>: a byte @0 that says which, the response @4 as wit_http.h has it, or an
// error @4: a byte, and @8 a string, or for status errors (0.3 and later) a number.
#include <fmt/format.h>
#include <unistd.h>
#include <wasi/linker.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <utility>

#include "base/printable.h"
#include "tools/serve/contract.h"
#include "tools/serve/contracts.h"
#include "tools/serve/guest_store.h"
#include "tools/serve/manifest_file.h"
#include "tools/serve/prepared_pool.h"
#include "tools/serve/slight_imports.h"
#include "tools/serve/slight_manifest.h"
#include "tools/serve/slight_routes.h"
#include "tools/serve/wit_guest.h"
#include "tools/serve/wit_http.h"

namespace wasirun::serve {

namespace {

// What begins an application: of libraries since 0.4, and of programs.
constexpr std::string_view kServerInit = "on-server-init";
constexpr std::string_view kStart = "_start";
constexpr std::chrono::seconds kStartTime(30);
constexpr std::uint64_t kStartMemory = std::uint64_t{256} << 20;

constexpr std::uint64_t kPayload = 4;
constexpr std::uint64_t kErrorValue = 8;
// Kinds of errors since 0.3; before, all are the first.
constexpr std::string_view kErrorKinds[] = {"invalid URL", "timeout", "protocol", "status", "unexpected"};
constexpr std::uint8_t kStatusError = 3;
// Of an error's text.
constexpr std::uint64_t kErrorLimit = std::uint64_t{64} << 10;

// What slight lets any page of any site read.
constexpr std::string_view kCrossOriginFields[] = {"Access-Control-Allow-Origin", "Access-Control-Allow-Methods",
                                                   "Access-Control-Allow-Headers", "Access-Control-Expose-Headers"};

HttpResponse with_cross_origin_fields(HttpResponse response) {
  for (const std::string_view name : kCrossOriginFields) {
    if (find_field(response.fields, name) == nullptr) response.fields.push_back({std::string(name), "*"});
  }
  return response;
}

HttpResponse plain_response(std::uint16_t status, std::string text) {
  return with_cross_origin_fields(
      {.status = status, .fields = {{"Content-Type", "text/plain; charset=utf-8"}}, .body = std::move(text)});
}

class SlightContract : public Contract {
 public:
  SlightContract(GuestSetup setup, wasi::Module module, SlightManifest manifest)
      : setup_(std::move(setup)),
        module_(std::move(module)),
        manifest_(std::move(manifest)),
        is_late_(is_late_slight(module_)),
        prepared_(setup_.engine, module_, setup_.wasi,
                  [this](wasi::Linker& linker) { define_slight_imports(linker, module_); }) {}

  // Runs the application's start, which says what is to be served.
  wasi::Result<void> begin();

  std::expected<HttpResponse, Failure> answer(const HttpRequest& request, const RequestContext& context) override;

 private:
  [[nodiscard]] SlightCall new_call() { return {.manifest = manifest_, .wasi = setup_.wasi, .stores = stores_}; }
  wasi::Result<void> take_routes(const std::optional<SlightServer>& served);
  std::expected<HttpResponse, Failure> run(const SlightRoute& route, const WitRequest& passed,
                                           const RequestContext& context);

  GuestSetup setup_;
  wasi::Module module_;
  SlightManifest manifest_;
  bool is_late_;
  PreparedPool prepared_;
  KeyValueStores stores_;
  std::vector<SlightRoute> routes_;  // as they were added
};

wasi::Error start_error(std::string message) {
  return {.kind = wasi::ErrorKind::argument, .message = "at its start: " + std::move(message)};
}

// expected<unit, string> at an address: empty, or what the error is.
std::optional<std::string> error_of_init(const wasi::Instance& instance, std::uint32_t address) {
  const auto memory = WitMemory::of(instance);
  if (!memory) return memory.error();
  const auto tag = memory->read<std::uint8_t>(address, "the result");
  if (!tag) return tag.error();
  if (*tag == 0) return std::nullopt;
  const auto text = memory->read<std::uint32_t>(address + kPayload, "the error");
  const auto length = memory->read<std::uint32_t>(address + kErrorValue, "the error");
  if (!text || !length) return text ? length.error() : text.error();
  LiftBudget budget(kErrorLimit);
  const auto lifted = memory->lift_string({*text, *length}, budget, "the error");
  return lifted ? *lifted : lifted.error();
}

wasi::Result<void> run_start(const wasi::Instance& instance) {
  if (const auto done = instance.initialize(); !done) return std::unexpected(start_error(done.error().to_string()));
  if (instance.get(kServerInit)) {
    const auto init = instance.function<std::uint32_t()>(kServerInit);
    if (!init) return std::unexpected(init.error());
    const auto result = (*init)();
    if (!result) return std::unexpected(start_error(result.error().to_string()));
    if (const auto error = error_of_init(instance, *result)) return std::unexpected(start_error(*error));
    return {};
  }
  const auto start = instance.function<void()>(kStart);
  if (!start) return std::unexpected(start.error());
  const auto done = (*start)();
  if (done || (done.error().is_exit() && done.error().exit_status == 0)) return {};
  if (done.error().is_exit()) {
    return std::unexpected(start_error(fmt::format("it ended with exit status {}", done.error().exit_status)));
  }
  return std::unexpected(start_error(done.error().to_string()));
}

wasi::Result<void> SlightContract::begin() {
  SlightCall call = new_call();
  call.begins = true;
  wasi::StoreConfig config = setup_.store;
  config.memory_limit = std::min(config.memory_limit, kStartMemory);
  auto store = wasi::Store::create(setup_.engine, config);
  if (!store) return std::unexpected(std::move(store).error());
  if (auto set = store->set_deadline(std::chrono::steady_clock::now() + kStartTime); !set) return set;
  store->data() = &call;

  wasi::Linker linker(setup_.engine);
  wasi::WasiConfig wasi = setup_.wasi;
  // What it says goes to the log's own place: its output is nothing that anybody asked for.
  const wasi::Stdio log = wasi::Stdio::fd(STDERR_FILENO);
  linker.define_wasi(wasi.stdout_to(log).stderr_to(log).max_threads(0));
  define_slight_imports(linker, module_);
  const auto instance = linker.instantiate(*store, module_);
  if (!instance) return std::unexpected(start_error(instance.error().to_string()));
  if (auto done = run_start(*instance); !done) return done;
  return take_routes(call.served);
}

wasi::Result<void> SlightContract::take_routes(const std::optional<SlightServer>& served) {
  if (!served) return std::unexpected(start_error("it began no server: server::serve is to be called"));
  for (const SlightRouter* router = served->router.get(); router != nullptr; router = router->rest.get()) {
    SlightRoute route = router->route;
    // Names of Rust, as the interface has them; of other languages they may be exported as they are.
    std::string exported = route.handler;
    std::ranges::replace(exported, '_', '-');
    if (const auto why = lacks_handler(module_, exported)) {
      if (lacks_handler(module_, route.handler)) {
        return std::unexpected(
            start_error(fmt::format("the handler \"{}\" of a route: {}", wasi::printable(route.handler), *why)));
      }
      exported = route.handler;
    }
    route.handler = std::move(exported);
    routes_.push_back(std::move(route));
  }
  std::ranges::reverse(routes_);
  return {};
}

std::expected<HttpResponse, Failure> SlightContract::answer(const HttpRequest& request, const RequestContext& context) {
  if (request.method == "OPTIONS") return with_cross_origin_fields({.status = 204, .fields = {}, .body = {}});
  const auto path = decode_path(request.path());
  if (!path) return plain_response(400, path.error() + "\n");
  bool has_path = false;
  for (const SlightRoute& route : routes_) {
    auto params = route.pattern.match(*path);
    if (!params) continue;
    has_path = true;
    const auto method = wit_method(request.method);
    if (route.method != request.method || !method) continue;
    auto passed = to_wit(request, *method);
    if (!passed) return plain_response(400, passed.error() + "\n");
    passed->params = *std::move(params);
    auto response = run(route, *passed, context);
    if (!response) return response;
    return with_cross_origin_fields(*std::move(response));
  }
  if (!has_path) return plain_response(404, "there is no such route\n");
  HttpResponse response = plain_response(405, "the route is for other methods\n");
  std::string methods;
  for (const SlightRoute& route : routes_) {
    if (!route.pattern.match(*path) || methods.contains(route.method)) continue;
    methods += (methods.empty() ? "" : ", ") + route.method;
  }
  response.fields.push_back({"Allow", std::move(methods)});
  return response;
}

// The error that a handler returned, for the log. `has_kinds`: since 0.3 there are several.
Failure failure_of_error(const WitAnswer& answer, bool has_kinds) {
  const std::uint64_t place = answer.address + kPayload;
  const auto kind = answer.memory.read<std::uint8_t>(place, "the error");
  if (!kind) return bad_answer(kind.error());
  if (*kind >= (has_kinds ? std::size(kErrorKinds) : 1)) return bad_answer(fmt::format("there is no error {}", *kind));
  std::string text;
  if (*kind == kStatusError) {
    const auto status = answer.memory.read<std::uint16_t>(answer.address + kErrorValue, "the error");
    if (!status) return bad_answer(status.error());
    text = fmt::format("{}", *status);
  } else {
    const auto address = answer.memory.read<std::uint32_t>(answer.address + kErrorValue, "the error");
    const auto length = answer.memory.read<std::uint32_t>(answer.address + kErrorValue + 4, "the error");
    if (!address || !length) return bad_answer(address ? length.error() : address.error());
    LiftBudget budget(kErrorLimit);
    const auto lifted = answer.memory.lift_string({*address, *length}, budget, "the error");
    if (!lifted) return bad_answer(lifted.error());
    text = *lifted;
  }
  return {.status = 500,
          .message = fmt::format("the handler returned an error{}: {}",
                                 has_kinds ? fmt::format(" ({})", kErrorKinds[*kind]) : "", wasi::printable(text)),
          .kind = FailureKind::answer};
}

std::expected<HttpResponse, Failure> SlightContract::run(const SlightRoute& route, const WitRequest& passed,
                                                         const RequestContext& context) {
  SlightCall call = new_call();
  const PreparedPool::Loan loan = prepared_.lend(context);
  GuestStore store(setup_, context);
  if (store.failure()) return std::unexpected(*store.failure());
  store.get().data() = &call;
  const auto instance = loan.instantiate(store.get());
  if (!instance) return std::unexpected(failure_of(instance.error()));
  const auto answer = ask(*instance, route.handler, passed);
  if (!answer) return std::unexpected(answer.error());
  const auto tag = answer->memory.read<std::uint8_t>(answer->address, "the result");
  if (!tag) return std::unexpected(bad_answer(tag.error()));
  if (*tag == 0) return response_of(*answer, answer->address + kPayload, context);
  if (*tag == 1) return std::unexpected(failure_of_error(*answer, is_late_));
  return std::unexpected(bad_answer(fmt::format("{} is no tag of a result, which are 0 and 1", *tag)));
}

// A module without a slightfile.toml is given what there is.
SlightManifest manifest_of_module() {
  SlightManifest manifest;
  for (const char* resource : {"http", "kv.filesystem", "keyvalue.filesystem", "configs.envvars"}) {
    manifest.capabilities.push_back({.resource = resource, .name = resource});
  }
  return manifest;
}

wasi::Result<SlightManifest> load_slightfile(const std::filesystem::path& path) {
  const auto text = read_manifest(path);
  if (!text) return std::unexpected(text.error());
  return parse_slightfile(*text, path.string());
}

}  // namespace

wasi::Result<std::unique_ptr<Contract>> make_slight(const GuestSetup& setup) {
  auto manifest =
      setup.manifest.empty() ? wasi::Result<SlightManifest>(manifest_of_module()) : load_slightfile(setup.manifest);
  if (!manifest) return std::unexpected(std::move(manifest).error());
  const std::filesystem::path path =
      setup.module ? setup.module_path : setup.manifest.parent_path() / std::string_view("app.wasm");
  auto module = setup.module ? wasi::Result<wasi::Module>(*setup.module) : load_module(setup.engine, path);
  const auto in_file = [&](wasi::Error error) {
    error.message = fmt::format("{}: {}", path.string(), error.message);
    return std::unexpected(std::move(error));
  };
  if (!module) return in_file(std::move(module).error());
  if (const auto why = lacks_allocator(*module)) {
    return in_file({.kind = wasi::ErrorKind::unlinkable, .message = *why});
  }
  if (auto checked = check_slight_imports(*module, *manifest); !checked) return in_file(std::move(checked).error());
  auto contract = std::make_unique<SlightContract>(setup, *module, *std::move(manifest));
  if (auto begun = contract->begin(); !begun) return in_file(std::move(begun).error());
  return contract;
}

}  // namespace wasirun::serve
