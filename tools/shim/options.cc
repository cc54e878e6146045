#include "tools/shim/options.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <utility>

#include "base/printable.h"
#include "base/result.h"
#include "task.pb.h"
#include "tools/serve/toml_fields.h"
#include "tools/shim/host_file.h"

namespace wasirun::shim {

namespace {

using serve::TomlFields;
using serve::TomlProblem;

constexpr std::string_view kGeneric = "runtimeoptions.v1.Options";
constexpr std::string_view kOfRunc = "containerd.runc.v1.Options";

constexpr const char* kUsualCache = "/var/lib/wasirun/cache";

// What may be said; and what containerd itself has in the section, or tools for nodes write there for runc.
constexpr std::array<std::string_view, 9> kKnown{"cache_directory", "cache_limit",   "tier",    "log_level", "runc",
                                                 "systemd_cgroup",  "SystemdCgroup", "TypeUrl", "ConfigPath"};

constexpr std::array<std::pair<std::string_view, wasi::TierSelection>, 2> kTiers{
    {{"baseline", wasi::TierSelection::baseline}, {"interp", wasi::TierSelection::interpreter}}};
constexpr std::array<std::pair<std::string_view, Log::Level>, 4> kLevels{{{"debug", Log::Level::debug},
                                                                          {"info", Log::Level::info},
                                                                          {"warning", Log::Level::warning},
                                                                          {"error", Log::Level::error}}};

template <class T, std::size_t N>
void choose(const TomlFields& fields, std::string_view key, const std::array<std::pair<std::string_view, T>, N>& table,
            T& value) {
  const auto text = fields.text(key);
  if (!text) return;
  const auto found = std::ranges::find(table, *text, &std::pair<std::string_view, T>::first);
  if (found != table.end()) {
    value = found->second;
    return;
  }
  std::string names;
  for (const auto& [name, meaning] : table) names += fmt::format("{}{}", names.empty() ? "" : ", ", name);
  fields.fail(key, fmt::format("{} is \"{}\", expected one of {}", key, wasi::printable(*text), names));
}

void check_names(const toml::table& table, const TomlFields& fields) {
  for (const auto& [key, node] : table) {
    if (std::ranges::find(kKnown, key.str()) != kKnown.end()) continue;
    fields.fail(node, fmt::format("there is no option \"{}\": expected cache_directory, cache_limit, tier, log_level, "
                                  "runc or systemd_cgroup",
                                  wasi::printable(key.str())));
  }
}

}  // namespace

Options default_options() {
  Options options;
  const char* const cache = std::getenv("WASIRUN_CACHE");
  options.code.cache_directory = cache == nullptr ? kUsualCache : cache;
  return options;
}

wasi::Result<Options> parse_options(std::string_view toml, const std::string& name, const Options& defaults) {
  Options options = defaults;
  TomlProblem problem(name);
  if (const auto table = serve::parse_toml(toml, problem)) {
    const TomlFields fields(*table, "", problem);
    check_names(*table, fields);
    if (auto directory = fields.text("cache_directory")) {
      if (!directory->empty() && !directory->starts_with('/')) {
        fields.fail("cache_directory",
                    "cache_directory is no absolute path; an empty one means that there is no cache");
      }
      options.code.cache_directory = *std::move(directory);
    }
    if (const auto limit = fields.integer("cache_limit")) {
      if (*limit <= 0) fields.fail("cache_limit", fmt::format("cache_limit is {}, expected a number of bytes", *limit));
      options.code.cache_limit = static_cast<std::uint64_t>(*limit);
    }
    choose(fields, "tier", kTiers, options.code.tier);
    choose(fields, "log_level", kLevels, options.log_level);
    if (auto runc = fields.text("runc")) {
      if (runc->empty()) fields.fail("runc", "runc is empty, expected the name or the path of a program");
      options.runc = *std::move(runc);
    }
    for (const std::string_view key : {"SystemdCgroup", "systemd_cgroup"}) {
      if (fields.node(key) != nullptr) options.systemd_cgroup = fields.flag(key);
    }
  }
  if (problem.first()) return std::unexpected(*problem.first());
  return options;
}

wasi::Result<Options> parse_options(const rpc::Any& message, const Options& defaults) {
  const auto is_of = [&](std::string_view type) {
    const std::string_view url = message.type_url();
    return url == type || (url.ends_with(type) && url[url.size() - type.size() - 1] == '/');
  };
  const auto malformed = [&] {
    return wasi::fail(wasi::ErrorKind::argument, "the runtime's options are no message of the type {}",
                      wasi::printable(message.type_url()));
  };
  if (is_of(kOfRunc)) {
    task::RuncOptions given;
    if (!given.ParseFromString(message.value())) return malformed();
    Options made = defaults;
    if (!given.binary_name().empty()) made.runc = given.binary_name();
    if (given.systemd_cgroup()) made.systemd_cgroup = true;
    return made;
  }
  if (!is_of(kGeneric)) return defaults;
  task::RuntimeOptions given;
  if (!given.ParseFromString(message.value())) return malformed();
  if (!given.config_path().empty()) {
    constexpr std::size_t kLargest = std::size_t{1} << 20;
    return parse_options(WASI_TRY(read_file(given.config_path(), kLargest)), given.config_path(), defaults);
  }
  return parse_options(given.config_body(), "the runtime's options", defaults);
}

}  // namespace wasirun::shim
