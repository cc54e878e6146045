// Requests that guests send to other servers, to hosts that they are allowed.
//
// Of HTTP and HTTPS alone, whatever a redirect says; a redirect is followed to hosts that are allowed alone, too.
// Nothing of the server's own is sent along: no proxy, no cookies, no credentials from files or the environment.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <memory>
#include <stop_token>
#include <string>

#include "tools/serve/allowed_hosts.h"
#include "tools/serve/http_message.h"
#include "tools/serve/wit_http.h"

namespace wasirun::serve {

// By their numbers in Spin's interface.
enum class OutboundError : std::uint8_t {
  success = 0,  // stands for no error
  destination_not_allowed = 1,
  invalid_url = 2,
  request_error = 3,
  runtime_error = 4,
  too_many_requests = 5,
};

struct OutboundFailure {
  OutboundError error = OutboundError::runtime_error;
  std::string message;  // for the log
};

struct OutboundLimits {
  std::chrono::steady_clock::time_point deadline;
  std::uint64_t body_limit = 0;  // bytes of a response's body
  std::stop_token cancelled;     // ends what is under way
};

// Keeps connections from one request to the next. One thread at a time.
class OutboundClient {
 public:
  OutboundClient();
  OutboundClient(const OutboundClient&) = delete;
  OutboundClient& operator=(const OutboundClient&) = delete;
  ~OutboundClient();

  // `own_origin`: the server's own address, "http://127.0.0.1:8080", for URIs that are paths; empty where there is
  // none.
  std::expected<HttpResponse, OutboundFailure> send(const WitRequest& request, const AllowedHosts& allowed,
                                                    const std::string& own_origin, const OutboundLimits& limits);

 private:
  class Transfer;
  std::unique_ptr<Transfer> transfer_;  // made when the first request is sent
};

}  // namespace wasirun::serve
