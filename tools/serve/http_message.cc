#include "tools/serve/http_message.h"

#include <algorithm>

namespace wasirun::serve {

namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

}  // namespace

bool same_name(std::string_view a, std::string_view b) { return std::ranges::equal(a, b, {}, lower, lower); }

const HttpField* find_field(const std::vector<HttpField>& fields, std::string_view name) {
  const auto found = std::ranges::find_if(fields, [&](const HttpField& field) { return same_name(field.name, name); });
  return found == fields.end() ? nullptr : &*found;
}

std::string_view HttpRequest::path() const { return std::string_view(target).substr(0, target.find('?')); }

std::string_view HttpRequest::query() const {
  const std::size_t mark = target.find('?');
  return mark == std::string::npos ? std::string_view() : std::string_view(target).substr(mark + 1);
}

}  // namespace wasirun::serve
