#include "tools/serve/spin_routes.h"

namespace wasirun::serve {

namespace {

constexpr std::string_view kWildcard = "/...";

std::string_view without_slash(std::string_view path) {
  if (path.ends_with('/')) path.remove_suffix(1);
  return path;
}

}  // namespace

SpinRoute::SpinRoute(std::string_view base, std::string_view route) : path_(without_slash(base)) {
  path_ += without_slash(route);
  if (path_.ends_with(kWildcard)) {
    path_.resize(path_.size() - kWildcard.size());
    is_prefix_ = true;
  }
}

bool SpinRoute::matches(std::string_view path) const {
  path = without_slash(path);
  if (path == path_) return true;
  return is_prefix_ && path.starts_with(path_) && path.substr(path_.size()).starts_with('/');
}

std::string_view SpinRoute::rest(std::string_view path) const {
  return path.starts_with(path_) ? path.substr(path_.size()) : std::string_view();
}

std::optional<std::size_t> find_route(const std::vector<SpinRoute>& routes, std::string_view path) {
  std::optional<std::size_t> best;
  for (std::size_t i = 0; i < routes.size(); ++i) {
    if (!routes[i].matches(path)) continue;
    const auto better = [&](const SpinRoute& than) {
      if (routes[i].is_prefix() != than.is_prefix()) return than.is_prefix();
      return routes[i].path().size() >= than.path().size();
    };
    if (!best || better(routes[*best])) best = i;
  }
  return best;
}

}  // namespace wasirun::serve
