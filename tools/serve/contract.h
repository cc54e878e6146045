// What a module has to export and import so that it can answer requests, and how it is asked: one class per contract.
// The server knows this interface alone.
#pragma once

#include <wasi/trap.h>

#include <chrono>
#include <cstdint>
#include <expected>
#include <functional>
#include <stop_token>
#include <string>
#include <string_view>

#include "tools/serve/http_message.h"

namespace wasirun::serve {

// What kept a request from being answered by its guest; the metrics count by it.
enum class FailureKind : std::uint8_t {
  trap,       // the guest trapped, or ended with an exit code that says so
  answer,     // what it answered is no response, or too large
  deadline,   // it was out of time
  resources,  // no instance could be had
  cancelled,  // its client has gone away
};

// Why a request was not answered by the guest: what the client is told, and what the log is.
struct Failure {
  std::uint16_t status = 500;  // 500: it trapped or answered nonsense; 504: out of time; 503: no resources
  std::string message;         // for the log: a trap with its backtrace, what was wrong with the answer
  FailureKind kind = FailureKind::trap;
};

// The same of what ended a guest: out of time is 504, all else 500.
Failure failure_of(const wasi::Trap& trap);

// What one request may use, and where its guest's messages go.
struct RequestContext {
  std::chrono::steady_clock::time_point deadline;
  std::uint64_t memory_limit = 0;             // bytes of linear memories
  std::uint64_t response_limit = 0;           // bytes of the body of a response
  std::function<void(std::string_view)> log;  // what the guest writes to its standard error, in pieces as they come
  std::stop_token cancelled;                  // asked to stop: nobody waits for the answer any more
};

// `answer` runs the guest in an instance of its own; several threads call it at once.
class Contract {
 public:
  Contract() = default;
  Contract(const Contract&) = delete;
  Contract& operator=(const Contract&) = delete;
  virtual ~Contract() = default;

  virtual std::expected<HttpResponse, Failure> answer(const HttpRequest& request, const RequestContext& context) = 0;
};

}  // namespace wasirun::serve
