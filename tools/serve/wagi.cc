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
  explicit Wagi(const GuestSetup& setup) : setup_(setup) {}

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
    wasi::Linker linker(setup_.engine);
    linker.define_wasi(std::move(config)).unknown_imports(setup_.unknown_imports);
    std::optional<Failure> failure = run(linker, store.get(), context);
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

  std::optional<Failure> run(const wasi::Linker& linker, wasi::Store& store, const RequestContext& context) {
    const auto instance = linker.instantiate(store, *setup_.module);
    if (!instance) return failure_of(instance.error());
    const auto start = instance->function<void()>("_start");
    if (!start) return bad_answer(start.error().to_string());
    const auto done = (*start)();
    if (done) return std::nullopt;
    if (!done.error().is_exit()) return failure_of(done.error());
    // What a program printed counts, as in any CGI, however it ended; the log has the rest.
    if (done.error().exit_status != 0 && context.log) {
      context.log(fmt::format("(the program exited with code {})\n", done.error().exit_status));
    }
    return std::nullopt;
  }

  const GuestSetup setup_;
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
