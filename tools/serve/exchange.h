// One request on its way: from the connection that it came on, by a worker's thread perhaps, to its response.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <memory>
#include <stop_token>
#include <utility>

#include "tools/serve/contract.h"
#include "tools/serve/http_message.h"
#include "tools/serve/memory_budget.h"

namespace wasirun::serve {

class Connection;

// What became of a request, for the log and the metrics.
struct Finish {
  std::uint16_t status = 0;      // kClientGone where nobody was there to be told
  std::uint64_t body_bytes = 0;  // of the response
  std::chrono::nanoseconds took{0};
};
// As other servers' logs have it, of a client that went away before it was answered.
inline constexpr std::uint16_t kClientGone = 499;

// Shared by the connection, which goes first where its client does, and whoever answers. `request` is not changed once
// it has been handed to somebody.
class Exchange {
 public:
  using Clock = std::chrono::steady_clock;

  Exchange(Connection* connection, MemoryBudget::Share share) : connection_(connection), share_(std::move(share)) {}
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  HttpRequest request;
  Clock::time_point arrived;   // its last byte
  Clock::time_point deadline;  // of the answer
  std::stop_source cancelled;  // when nobody waits for the answer any more

  // Of the thread that answers, until it is handed back to the loop's.
  std::expected<HttpResponse, Failure> outcome;
  bool got_guest = false;

  // All that follows: on the loop's thread alone.

  // Once; does nothing where the client has gone, or was told already that it took too long.
  void respond(HttpResponse response);
  [[nodiscard]] bool is_awaited() const { return connection_ != nullptr; }

 private:
  friend class Connection;
  Connection* connection_;     // null: it has been answered, or given up
  MemoryBudget::Share share_;  // of the request's body
};

// Who answers the requests of a listener. On the loop's thread alone.
class Handler {
 public:
  Handler() = default;
  Handler(const Handler&) = delete;
  Handler& operator=(const Handler&) = delete;
  virtual ~Handler() = default;

  // Calls exchange->respond(), now or later.
  virtual void handle(const std::shared_ptr<Exchange>& exchange) = 0;
  // Every request, also one that never got to handle() since it was malformed or came too slowly.
  virtual void finished(const Exchange& exchange, const Finish& finish) = 0;
  // A connection was opened or closed.
  virtual void connections_changed(std::size_t count) = 0;
};

}  // namespace wasirun::serve
