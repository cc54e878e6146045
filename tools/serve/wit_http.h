// Requests and responses of HTTP as the interfaces of Spin and slight have them (wit_memory.h has their parts).
//
//   request   method: enum, uri: string, headers, params: list of pairs, body: option<list<u8>>; ten i32 when passed
//   flat response  u16 status @0, headers: option<list> @4 (tag, pointer @8, length @12), body: option<list<u8>> @16
#pragma once

#include <wasi/instance.h>
#include <wasi/module.h>

#include <array>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tools/serve/http_message.h"
#include "tools/serve/wit_memory.h"

namespace wasirun::serve {

// The method's number, empty for those that the interfaces do not have; and back.
std::optional<std::uint32_t> wit_method(std::string_view method);
std::optional<std::string_view> method_of(std::uint32_t number);
// The methods that there are: "GET, POST, ...", for an Allow field.
std::string_view wit_methods();

// What guests are asked by: the address of their response.
using WitHandler = std::uint32_t(std::uint32_t, std::uint32_t, std::uint32_t, std::uint32_t, std::uint32_t,
                                 std::uint32_t, std::uint32_t, std::uint32_t, std::uint32_t, std::uint32_t);
// Why the module has no such function of that name; empty when it has.
std::optional<std::string> lacks_handler(const wasi::Module& module, std::string_view name);

// Why values cannot be passed to the module: a memory, and an allocator for it, are to be exported; empty when they
// are.
std::optional<std::string> lacks_allocator(const wasi::Module& module);

struct WitRequest {
  std::uint32_t method = 0;
  std::string uri;
  std::vector<HttpField> headers;
  std::vector<HttpField> params;
  std::string body;
};

// A request as it came, with header names in lower case, for a guest; its text has to be UTF-8 (else: why not).
std::expected<WitRequest, std::string> to_wit(const HttpRequest& request, std::uint32_t method);

// Calls a handler.
std::expected<std::uint32_t, wasi::Trap> call_handler(const wasi::TypedFunction<WitHandler>& handler,
                                                      const WitMemory& memory, const WitRequest& request);
// A request that a guest passes flat.
WitMemory::Lifted<WitRequest> lift_request(const WitMemory& memory, const std::array<std::uint32_t, 10>& flat,
                                           LiftBudget& budget);

// The body may have `body_limit` bytes, the headers together kHeaderLimit.
inline constexpr std::uint64_t kHeaderLimit = std::uint64_t{1} << 20;
WitMemory::Lifted<HttpResponse> lift_response(const WitMemory& memory, std::uint64_t address, std::uint64_t body_limit);
WitMemory::Lowered<void> lower_response(const WitMemory& memory, std::uint64_t address, const HttpResponse& response);

// The response as it may be sent: fields about the connection are left out. The error says what HTTP does not allow.
std::expected<HttpResponse, std::string> to_sendable(HttpResponse response);

}  // namespace wasirun::serve
