// Paths and the route under which an application is served: "/" is all of them.
#pragma once

#include <string_view>

namespace wasirun::serve {

// Whether requests of this path are those of the route: "/app" has "/app" and all below "/app/".
bool is_below(std::string_view route, std::string_view path);

// The rest of such a path behind the route, empty or from a slash on.
std::string_view path_below(std::string_view route, std::string_view path);

}  // namespace wasirun::serve
