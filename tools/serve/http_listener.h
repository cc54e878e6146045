// A listening socket and its connections, on a loop. All on the loop's thread.
#pragma once

#include <uv.h>
#include <wasi/socket.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "tools/serve/connection.h"
#include "tools/serve/exchange.h"
#include "tools/serve/memory_budget.h"

namespace wasirun::serve {

// "127.0.0.1:80", "tcp:127.0.0.1:80", "unix:/run/app.sock", "fd:3" -> a socket that listens there.
wasi::Result<wasi::Socket> open_listener(std::string_view address);

class HttpListener {
 public:
  struct Config {
    ConnectionLimits connection;
    std::size_t most_connections = 10'000;  // more wait at the socket until others end
  };
  // Begins to accept. `loop`, `handler` and `budget` must live until the listener has been closed and the loop has run
  // then.
  static wasi::Result<std::unique_ptr<HttpListener>> start(uv_loop_t& loop, const wasi::Socket& socket,
                                                           Handler& handler, MemoryBudget& budget,
                                                           const Config& config);
  ~HttpListener();
  HttpListener(const HttpListener&) = delete;
  HttpListener& operator=(const HttpListener&) = delete;

  // No more connections, and the socket is closed, unless somebody else has it too; those that there are end with the
  // response that is under way.
  void drain();
  // Ends all connections now.
  void abort();
  [[nodiscard]] std::size_t connections() const { return connections_.size(); }
  [[nodiscard]] const std::string& address() const { return address_; }

 private:
  friend class Connection;
  HttpListener(uv_loop_t& loop, const wasi::Socket& socket, Handler& handler, MemoryBudget& budget,
               const Config& config);

  union Server {
    uv_handle_t handle;
    uv_stream_t stream;
    uv_tcp_t tcp;
    uv_pipe_t pipe;
  };

  wasi::Result<void> open();
  void accept();
  void removed(Connection& connection);
  // Connections are looked at when the earliest of them is due.
  void watch(std::uint64_t due);
  void look_at_due();
  [[nodiscard]] std::string_view date();

  uv_loop_t& loop_;
  std::optional<wasi::Socket> socket_;  // until it drains: an open one would go on collecting clients
  std::string address_;
  Handler& handler_;
  MemoryBudget& budget_;
  Config config_;
  // Handles are freed when the loop has closed them, which may be after the listener's end.
  Server* server_ = nullptr;
  uv_timer_t* timer_ = nullptr;
  uv_handle_type type_ = UV_TCP;
  bool drains_ = false;
  std::uint64_t next_look_ = UINT64_MAX;
  std::unordered_set<Connection*> connections_;
  std::vector<char> read_buffer_;  // of all connections: what one reads is taken from it at once
  std::string date_;
  std::int64_t date_second_ = -1;
};

}  // namespace wasirun::serve
