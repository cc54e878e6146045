// WAGI: for each request the module runs as a program, which speaks CGI.
#include <fmt/format.h>

#include <utility>

#include "base/printable.h"
#include "base/result.h"
#include "tools/serve/cgi.h"
#include "tools/serve/contracts.h"
#include "tools/serve/guest_store.h"

namespace wasirun::serve {

namespace {

// Fields stand in front of the body, in what a program may print.
constexpr std::uint64_t kMostFields = std::uint64_t{64} << 10;

Failure bad_answer(std::string message) {
  return {.status = 500, .message = std::move(message), .kind = FailureKind::answer};
}

bool has_zero(std::string_view text) { return text.contains('\0'); }

class Wagi : public Contract {
 public:
  explicit Wagi(const GuestSetup& setup) : setup_(setup), prepared_(prepare(setup)) {}

  std::expected<HttpResponse, Failure> answer(const HttpRequest& request, const RequestContext& context) override {
    wasi::WasiConfig config = setup_.wasi;
    std::vector<std::string> args;
    for (auto& [name, value] : cgi_variables(request, setup_.route)) {
      // Neither a variable nor an argument can have one.
      if (has_zero(value)) return HttpResponse{.status = 400, .fields = {{"Content-Type", "text/plain"}}, .body = ""};
      if (name == "SCRIPT_NAME") args.push_back(value.empty() ? "/" : value);
      config.env(name, value);
    }
    args.insert(args.end(), setup_.args.begin(), setup_.args.end());
    for (std::string& argument : cgi_arguments(request)) args.push_back(std::move(argument));

    // Before the store, whose threads write until it goes.
    std::string output;
    bool is_too_large = false;
    GuestStore store(setup_, context);
    if (store.failure()) return std::unexpected(*store.failure());
    const std::uint64_t most = context.response_limit + kMostFields;
    const auto write = [&](std::span<const std::uint8_t> bytes) -> std::expected<std::size_t, std::errc> {
      if (output.size() + bytes.size() > most) {
        // Nothing that it prints from here on is of use to anybody.
        is_too_large = true;
        store.interrupt();
        return std::unexpected(std::errc::no_space_on_device);
      }
      output.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
      return bytes.size();
    };
    config.args(std::move(args)).stdout_to(wasi::Stdio::writer(write)).stderr_to(log_stream(context));
    if (!request.body.empty()) config.stdin_from(wasi::Stdio::bytes(request.body));
    std::optional<Failure> failure = run(std::move(config), store.get(), context);
    if (is_too_large) return std::unexpected(too_large(context));
    if (failure) return std::unexpected(*std::move(failure));
    auto response = parse_cgi_response(std::move(output));
    if (!response) return std::unexpected(bad_answer(std::move(response).error()));
    if (response->body.size() > context.response_limit) return std::unexpected(too_large(context));
    return *std::move(response);
  }

 private:
  static Failure too_large(const RequestContext& context) {
    return bad_answer(fmt::format("the response is larger than the limit of {} bytes", context.response_limit));
  }

  static wasi::Result<wasi::InstancePre> prepare(const GuestSetup& setup) {
    wasi::Linker linker(setup.engine);
    return linker.define_wasi({}).unknown_imports(setup.unknown_imports).prepare(*setup.module);
  }

  std::optional<Failure> run(wasi::WasiConfig config, wasi::Store& store, const RequestContext& context) {
    if (!prepared_) return failure_of(wasi::InstantiationError(prepared_.error()));
    const auto instance = prepared_->instantiate(store, std::move(config));
    if (!instance) return failure_of(instance.error());
    const auto status = instance->run();
    if (!status) return failure_of(status.error());
    // What a program printed counts, as in any CGI, however it ended; the log has the rest.
    if (*status != 0 && context.log) context.log(fmt::format("(the program exited with code {})\n", *status));
    return std::nullopt;
  }

  const GuestSetup setup_;
  const wasi::Result<wasi::InstancePre> prepared_;
};

}  // namespace

wasi::Result<std::unique_ptr<Contract>> make_wagi(const GuestSetup& setup) {
  if (!setup.module) {
    return wasi::fail(wasi::ErrorKind::argument, "{}: WAGI serves a module, not a manifest",
                      wasi::printable(setup.manifest.string()));
  }
  return std::make_unique<Wagi>(setup);
}

}  // namespace wasirun::serve
