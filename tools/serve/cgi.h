// The Common Gateway Interface, as WAGI has it: requests as variables and arguments, responses as what a program
// prints. Source: https://www.rfc-editor.org/rfc/rfc3875 Source:
// https://github.com/deislabs/wagi/blob/main/docs/environment_variables.md
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tools/serve/http_message.h"

namespace wasirun::serve {

// "%41" is "A"; what is no such escape stays.
std::string percent_decoded(std::string_view text);

// NAME and value; of fields of the request, those that cannot be mistaken for another's (HTTP_*).
std::vector<std::pair<std::string, std::string>> cgi_variables(const HttpRequest& request, std::string_view route);

// What follows the program's name: the query, cut at every "&", as WAGI does.
std::vector<std::string> cgi_arguments(const HttpRequest& request);

// From what the program printed: fields, an empty line, a body. Why it is none, otherwise.
std::expected<HttpResponse, std::string> parse_cgi_response(std::string&& output);

}  // namespace wasirun::serve
