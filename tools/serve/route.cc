#include "tools/serve/route.h"

#include <algorithm>

namespace wasirun::serve {

namespace {

std::string_view without_slash(std::string_view route) {
  if (route.ends_with('/')) route.remove_suffix(1);
  return route;
}

}  // namespace

bool is_below(std::string_view route, std::string_view path) {
  route = without_slash(route);
  return path.starts_with(route) && (path.size() == route.size() || path[route.size()] == '/');
}

std::string_view path_below(std::string_view route, std::string_view path) {
  return path.substr(std::min(without_slash(route).size(), path.size()));
}

}  // namespace wasirun::serve
