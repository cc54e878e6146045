#include "tools/serve/wit_http.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/byte_reader.h"
#include "base/printable.h"

namespace wasirun::serve {

namespace {

// In the order of the interface's enum.
constexpr std::string_view kMethods[] = {"GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"};

constexpr std::uint32_t kStatus = 0;
constexpr std::uint32_t kHeaders = 4;
constexpr std::uint32_t kBody = 16;
constexpr std::uint32_t kInOption = 4;  // where an option's value lies behind its tag

// Fields about the connection, and those that the server writes itself.
constexpr std::string_view kConnectionFields[] = {
    "connection", "content-length", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"};

// Why the module has no function of that name which takes so many i32 and returns one; empty when it has.
std::optional<std::string> lacks_function(const wasi::Module& module, std::string_view name, std::size_t params) {
  const wasi::FunctionType expected = {.params = std::vector<wasi::ValueType>(params, wasi::ValueType::i32()),
                                       .results = {wasi::ValueType::i32()}};
  for (const wasi::ExportType& exported : module.exports()) {
    if (exported.name != name) continue;
    const auto* function = std::get_if<wasi::FunctionType>(&exported.type.type);
    if (function != nullptr && *function == expected) return std::nullopt;
    return fmt::format("its export \"{}\" is a {}, a function {} was expected", wasi::printable(name),
                       exported.type.to_string(), expected.to_string());
  }
  return fmt::format("it exports no function \"{}\"", wasi::printable(name));
}

// An option of a list: empty for none.
WitMemory::Lifted<std::optional<WitList>> read_option(const WitMemory& memory, std::uint64_t address,
                                                      std::string_view what) {
  const auto tag = memory.read<std::uint8_t>(address, what);
  if (!tag) return std::unexpected(tag.error());
  if (*tag == 0) return std::nullopt;
  if (*tag != 1) return std::unexpected(fmt::format("{}: {} is no tag of an option, which are 0 and 1", what, *tag));
  const auto pointer = memory.read<std::uint32_t>(address + kInOption, what);
  if (!pointer) return std::unexpected(pointer.error());
  const auto length = memory.read<std::uint32_t>(address + kInOption + 4, what);
  if (!length) return std::unexpected(length.error());
  return WitList{*pointer, *length};
}

WitMemory::Lowered<void> write_option(const WitMemory& memory, std::uint64_t address,
                                      const WitMemory::Lowered<WitList>& list) {
  if (!list) return std::unexpected(list.error());
  if (auto written = memory.write<std::uint8_t>(address, 1); !written) return written;
  return memory.write_list(address + kInOption, *list);
}

}  // namespace

std::optional<std::uint32_t> wit_method(std::string_view method) {
  const auto found = std::ranges::find(kMethods, method);
  if (found == std::end(kMethods)) return std::nullopt;
  return static_cast<std::uint32_t>(found - std::begin(kMethods));
}

std::optional<std::string_view> method_of(std::uint32_t number) {
  if (number >= std::size(kMethods)) return std::nullopt;
  return kMethods[number];
}

std::string_view wit_methods() { return "GET, POST, PUT, DELETE, PATCH, HEAD, OPTIONS"; }

std::optional<std::string> lacks_handler(const wasi::Module& module, std::string_view name) {
  return lacks_function(module, name, 10);
}

std::optional<std::string> lacks_allocator(const wasi::Module& module) {
  for (const wasi::ExportType& exported : module.exports()) {
    if (exported.name != "memory") continue;
    const auto* const memory = std::get_if<wasi::MemoryType>(&exported.type.type);
    if (memory != nullptr && !memory->is_64) return lacks_function(module, "canonical_abi_realloc", 4);
  }
  return "it exports no memory \"memory\" with 32-bit addresses";
}

std::expected<WitRequest, std::string> to_wit(const HttpRequest& request, std::uint32_t method) {
  if (!wasi::base::is_utf8(request.target)) return std::unexpected("the request's target is not UTF-8");
  WitRequest out{.method = method, .uri = request.target, .headers = {}, .params = {}, .body = request.body};
  out.headers.reserve(request.fields.size());
  for (const HttpField& field : request.fields) {
    if (!wasi::base::is_utf8(field.value)) {
      return std::unexpected(fmt::format("the request's field {} is not UTF-8", wasi::printable(field.name)));
    }
    out.headers.push_back({lower_case(field.name), field.value});
  }
  return out;
}

std::expected<std::uint32_t, wasi::Trap> call_handler(const wasi::TypedFunction<WitHandler>& handler,
                                                      const WitMemory& memory, const WitRequest& request) {
  const auto uri = memory.lower_bytes(request.uri);
  if (!uri) return std::unexpected(uri.error());
  const auto headers = memory.lower_fields(request.headers);
  if (!headers) return std::unexpected(headers.error());
  const auto params = memory.lower_fields(request.params);
  if (!params) return std::unexpected(params.error());
  const auto body = memory.lower_bytes(request.body);
  if (!body) return std::unexpected(body.error());
  return handler(request.method, uri->address, uri->length, headers->address, headers->length, params->address,
                 params->length, 1, body->address, body->length);
}

WitMemory::Lifted<WitRequest> lift_request(const WitMemory& memory, const std::array<std::uint32_t, 10>& flat,
                                           LiftBudget& budget) {
  WitRequest request{.method = flat[0], .uri = {}, .headers = {}, .params = {}, .body = {}};
  if (!method_of(request.method)) return std::unexpected(fmt::format("there is no method {}", request.method));
  if (flat[7] > 1)
    return std::unexpected(fmt::format("the body: {} is no tag of an option, which are 0 and 1", flat[7]));
  auto uri = memory.lift_string({flat[1], flat[2]}, budget, "the URI");
  if (!uri) return std::unexpected(std::move(uri).error());
  auto headers = memory.lift_fields({flat[3], flat[4]}, budget, "the headers");
  if (!headers) return std::unexpected(std::move(headers).error());
  auto params = memory.lift_fields({flat[5], flat[6]}, budget, "the parameters");
  if (!params) return std::unexpected(std::move(params).error());
  if (flat[7] == 1) {
    auto body = memory.lift_bytes({flat[8], flat[9]}, budget, "the body");
    if (!body) return std::unexpected(std::move(body).error());
    request.body = *std::move(body);
  }
  request.uri = *std::move(uri);
  request.headers = *std::move(headers);
  request.params = *std::move(params);
  return request;
}

WitMemory::Lifted<HttpResponse> lift_response(const WitMemory& memory, std::uint64_t address,
                                              std::uint64_t body_limit) {
  const auto status = memory.read<std::uint16_t>(address + kStatus, "the response");
  if (!status) return std::unexpected(status.error());
  const auto headers = read_option(memory, address + kHeaders, "the headers");
  if (!headers) return std::unexpected(headers.error());
  const auto body = read_option(memory, address + kBody, "the body");
  if (!body) return std::unexpected(body.error());

  HttpResponse response{.status = *status, .fields = {}, .body = {}};
  if (*headers) {
    LiftBudget budget(kHeaderLimit);
    auto fields = memory.lift_fields(**headers, budget, "the headers");
    if (!fields) return std::unexpected(std::move(fields).error());
    response.fields = *std::move(fields);
  }
  if (*body) {
    LiftBudget budget(body_limit);
    auto bytes = memory.lift_bytes(**body, budget, "the body");
    if (!bytes) return std::unexpected(std::move(bytes).error());
    response.body = *std::move(bytes);
  }
  return response;
}

WitMemory::Lowered<void> lower_response(const WitMemory& memory, std::uint64_t address, const HttpResponse& response) {
  if (auto written = memory.write(address + kStatus, response.status); !written) return written;
  if (auto written = write_option(memory, address + kHeaders, memory.lower_fields(response.fields)); !written) {
    return written;
  }
  return write_option(memory, address + kBody, memory.lower_bytes(response.body));
}

std::expected<HttpResponse, std::string> to_sendable(HttpResponse response) {
  // 1xx is for the server, which has one answer to send.
  if (response.status < 200 || response.status > 599) {
    return std::unexpected(fmt::format("{} is no status of a response, which are 200 to 599", response.status));
  }
  for (const HttpField& field : response.fields) {
    if (!is_token(field.name)) {
      return std::unexpected(fmt::format("\"{}\" is no name of a header", wasi::printable(field.name)));
    }
    if (!is_field_value(field.value)) {
      return std::unexpected(fmt::format("the header {} has a value with control characters: \"{}\"", field.name,
                                         wasi::printable(field.value)));
    }
  }
  std::erase_if(response.fields, [](const HttpField& field) {
    return std::ranges::any_of(kConnectionFields, [&](std::string_view name) { return same_name(field.name, name); });
  });
  return response;
}

}  // namespace wasirun::serve
