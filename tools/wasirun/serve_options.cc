// See serve_options.h.
#include "tools/wasirun/serve_options.h"

#include <chrono>
#include <string>

#include "tools/wasirun/options.h"
#include "tools/wasirun/report.h"
#include "tools/wasirun/run_options.h"

namespace wasirun {

namespace {

using serve::ServeOptions;

constexpr std::uint64_t kMostConcurrency = 1024;
constexpr std::uint64_t kMostQueued = 1'000'000;
constexpr std::uint64_t kMostConnections = 1'000'000;
constexpr std::uint64_t kMostHeaderBytes = std::uint64_t{1} << 20;
constexpr std::uint64_t kMostBodyBytes = std::uint64_t{1} << 30;

void add_time(CommandApp& app, const char* name, const char* what, std::chrono::milliseconds& target) {
  add_read(app, name, "TIME", what, [name, &target](Text value) {
    target = std::chrono::ceil<std::chrono::milliseconds>(or_throw(name, parse_duration(value)));
  });
}

template <class T>
void add_bytes(CommandApp& app, const char* name, const char* what, T& target, std::uint64_t most) {
  add_read(app, name, "SIZE", what, [name, most, &target](Text value) {
    const std::uint64_t size = or_throw(name, parse_size(value));
    if (size == 0 || size > most) {
      throw CLI::ValidationError(name, fmt::format("\"{}\" is not between 1 and {} bytes", value, most));
    }
    target = static_cast<T>(size);
  });
}

void add_at_least_one(CommandApp& app, const char* name, const char* what, std::uint32_t& target, std::uint64_t most) {
  add_read(app, name, "COUNT", what, [name, most, &target](Text value) {
    const std::uint64_t count = or_throw(name, parse_count(value, most));
    if (count == 0) throw CLI::ValidationError(name, "0 would answer nobody");
    target = static_cast<std::uint32_t>(count);
  });
}

std::string parse_route(Text value) {
  if (!value.starts_with('/') || value.find_first_of("?# ") != std::string::npos) {
    throw CLI::ValidationError("--route", fmt::format("\"{}\" is not a path, like /app", value));
  }
  return value;
}

void add_http_options(CommandApp& app, ServeOptions& options) {
  add_repeatable(app, "--listen", "ADDRESS",
                 "Where requests come from: HOST:PORT, tcp:HOST:PORT, unix:PATH, or the open socket of wasirun's own, "
                 "fd:N (default: 127.0.0.1:8080). Repeatable",
                 [&options](Text value) { options.listen.push_back(value); });
  add_read(app, "--metrics", "ADDRESS", "Where Prometheus finds /metrics (default: nowhere)",
           [&options](Text value) { options.metrics = value; });
  add_read(app, "--contract", "CONTRACT",
           "How the module is asked: wagi, spin, slight, or server: it is one itself (default: by what it exports and "
           "imports)",
           [&options](Text value) {
             options.contract = serve::contract_named(value);
             if (!options.contract) {
               throw CLI::ValidationError("--contract",
                                          fmt::format("\"{}\" is not one of wagi, spin, slight, server", value));
             }
           });
  add_read(app, "--route", "PATH", "Answer only requests of this path and those below it (default: /)",
           [&options](Text value) { options.guest.route = parse_route(value); });
  add_at_least_one(app, "--concurrency",
                   "Most requests that are answered at a time (default: two for each processor, at least four)",
                   options.concurrency, kMostConcurrency);
  add_count(app, "--queue", "COUNT", "Most requests that wait for that; more are refused with 503 (default: 1024)",
            options.queue, kMostQueued);
  add_at_least_one(app, "--max-connections", "Most connections; more wait until others end (default: 10000)",
                   options.most_connections, kMostConnections);
  add_bytes(app, "--max-header", "Largest header of a request; 431 beyond it (default: 32k)", options.most_header_bytes,
            kMostHeaderBytes);
  add_bytes(app, "--max-body", "Largest body of a request; 413 beyond it (default: 8m)", options.most_body_bytes,
            kMostBodyBytes);
  add_bytes(app, "--max-response", "Largest body of a response; 500 beyond it (default: 64m)",
            options.most_response_bytes, kMostBodyBytes);
  add_bytes(app, "--max-memory",
            "Most bytes that an instance's memories, tables and code may have together (default: 256m)",
            options.memory_limit, std::uint64_t{1} << 40);
  add_time(app, "--timeout", "How long an answer may take, waiting included; then 504 (default: 30s)", options.timeout);
  add_time(app, "--request-timeout", "How long a request may take to come; then 408 (default: 30s)",
           options.request_timeout);
  add_time(app, "--idle-timeout", "How long a connection stays open between requests (default: 75s)",
           options.idle_timeout);
  add_time(app, "--drain", "How long requests under way may still take after SIGTERM or SIGINT (default: 10s)",
           options.drain);
  add_read(app, "--access-log", "FILE", "Where a line for each request goes: a file, - for stderr (default), or none",
           [&options](Text value) {
             if (value.empty()) throw CLI::ValidationError("--access-log", "\"\" is not the name of a file");
             options.access_log = value == "none" ? ServeOptions::AccessLog::none
                                  : value == "-"  ? ServeOptions::AccessLog::standard_error
                                                  : ServeOptions::AccessLog::file;
             options.access_log_file = value;
           });
  static constexpr Choice<serve::LogFormat> kFormats[] = {
      {"common", serve::LogFormat::common}, {"combined", serve::LogFormat::combined}, {"json", serve::LogFormat::json}};
  add_choice(app, "--log-format", "FORMAT", "What the lines look like: common (default), combined or json", kFormats,
             [&options](serve::LogFormat format) { options.log_format = format; });
}

}  // namespace

Command parse_serve(CommandApp& app, std::span<const char* const> args) {
  ServeCommand serve;
  serve.guest = default_run();
  set_up(app, "Answers HTTP requests, each by an instance of its own.",
         "wasirun serve [options] APPLICATION [arguments...]");
  app.has_border = true;
  app.footer(
      "APPLICATION is a module, a spin.toml, a slightfile.toml, or a directory with one of these. Options before it "
      "are\n"
      "wasirun's, everything behind it goes to its programs. /healthz is answered without it.\n"
      "SIGTERM and SIGINT end the server when what is under way has been answered, a second one at once.");
  add_http_options(app, serve.options);
  add_capability_options(app, serve.guest);
  add_engine_options(app, serve.guest);

  const auto border = find_border(app, args);
  if (const Done* done = std::get_if<Done>(&border)) return *done;
  const auto [options, rest] = std::get<Border>(border);
  if (auto done = parse(app, {args.begin(), args.begin() + static_cast<std::ptrdiff_t>(options)})) return *done;
  if (rest >= args.size()) return Done{usage_error("serve what? See 'wasirun serve --help'")};
  finish_engine_options(app, serve.guest);
  if (serve.options.listen.empty()) serve.options.listen.emplace_back("127.0.0.1:8080");
  serve.guest.module = args[rest];
  serve.guest.args.assign(args.begin() + static_cast<std::ptrdiff_t>(rest) + 1, args.end());
  return serve;
}

}  // namespace wasirun
