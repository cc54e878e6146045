#include "tools/shim/cgroup_path.h"

#include <algorithm>

#include "base/printable.h"
#include "base/result.h"

namespace wasirun::shim {

namespace {

// "a-b.slice" lies in "a.slice", and "-.slice" is the root.
wasi::Result<std::string> expand_slice(std::string_view slice) {
  constexpr std::string_view kSuffix = ".slice";
  if (slice == "-.slice") return std::string();
  std::string_view name = slice;
  if (!slice.ends_with(kSuffix)) {
    return wasi::fail(wasi::ErrorKind::argument, "cgroupsPath: \"{}\" is no slice", wasi::printable(slice));
  }
  name.remove_suffix(kSuffix.size());
  if (name.empty() || name.starts_with('-') || name.ends_with('-') || name.find("--") != std::string_view::npos) {
    return wasi::fail(wasi::ErrorKind::argument, "cgroupsPath: \"{}\" is no name of a slice", wasi::printable(slice));
  }
  std::string path;
  for (std::size_t dash = name.find('-');; dash = name.find('-', dash + 1)) {
    path.append("/").append(name.substr(0, dash)).append(kSuffix);
    if (dash == std::string_view::npos) return path;
  }
}

wasi::Result<SystemdUnit> parse_unit(std::string_view text) {
  const std::size_t first = text.find(':');
  const std::size_t second = text.find(':', first + 1);
  if (second == std::string_view::npos || text.find(':', second + 1) != std::string_view::npos) {
    return wasi::fail(wasi::ErrorKind::argument, "cgroupsPath: \"{}\": expected SLICE:PREFIX:NAME",
                      wasi::printable(text));
  }
  const std::string_view slice = text.substr(0, first);
  const std::string_view prefix = text.substr(first + 1, second - first - 1);
  const std::string_view name = text.substr(second + 1);
  SystemdUnit unit{.name = std::string(name), .slice = std::string(slice.empty() ? "system.slice" : slice)};
  if (name.ends_with(".slice")) return unit;
  unit.name = fmt::format("{}{}{}.scope", prefix, prefix.empty() ? "" : "-", name);
  return unit;
}

wasi::Result<std::string> systemd_path(std::string_view text) {
  const SystemdUnit unit = WASI_TRY(parse_unit(text));
  return WASI_TRY(expand_slice(unit.slice)) + "/" + unit.name;
}

bool has_systemd_form(std::string_view cgroups_path) {
  return cgroups_path.contains(':') && !cgroups_path.starts_with('/');
}

}  // namespace

std::optional<SystemdUnit> systemd_unit(std::string_view cgroups_path) {
  if (!has_systemd_form(cgroups_path)) return std::nullopt;
  auto unit = parse_unit(cgroups_path);
  if (!unit) return std::nullopt;
  return *std::move(unit);
}

wasi::Result<std::string> cgroup_path(std::string_view cgroups_path, std::string_view id) {
  std::string path;
  if (cgroups_path.empty()) {
    path = "/wasirun/" + std::string(id);
  } else if (has_systemd_form(cgroups_path)) {
    path = WASI_TRY(systemd_path(cgroups_path));
  } else {
    path = (cgroups_path.starts_with('/') ? "" : "/") + std::string(cgroups_path);
  }
  // Its own group, never one of the host's.
  std::string clean;
  for (std::size_t begin = 0; begin < path.size();) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    const std::string part = path.substr(begin, end - begin);
    if (part == "." || part == "..") {
      return wasi::fail(wasi::ErrorKind::argument, "cgroupsPath: \"{}\" leads elsewhere", wasi::printable(path));
    }
    if (!part.empty()) clean += "/" + part;
    begin = end + 1;
  }
  if (clean.empty()) {
    return wasi::fail(wasi::ErrorKind::argument, "cgroupsPath: \"{}\" names no group", wasi::printable(path));
  }
  return clean;
}

}  // namespace wasirun::shim
