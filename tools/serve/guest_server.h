// A program that is a server itself: it runs once, on a thread of its own, with the sockets that it listens at.
#pragma once

#include <uv.h>
#include <wasi/instance.h>
#include <wasi/socket.h>
#include <wasi/store.h>
#include <wasi/trap.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "tools/serve/server.h"
#include "tools/serve/server_log.h"
#include "tools/serve/service.h"

namespace wasirun::serve {

class GuestServer : public Service {
 public:
  static wasi::Result<std::unique_ptr<GuestServer>> start(uv_loop_t& loop, const ServeOptions& options, ServerLog& log,
                                                          const std::vector<wasi::Socket>& sockets,
                                                          std::function<void()> changed);
  ~GuestServer() override;

  // Clients are not accepted any more at sockets that are ours alone, which the program notices, or not.
  void drain() override;
  void abort() override;
  [[nodiscard]] bool is_over() const override { return is_over_; }
  [[nodiscard]] std::string metrics() const override;
  [[nodiscard]] std::vector<std::string> addresses() const override;
  void close() override;

  // Of the program, when it is over: its exit code, 134 after a trap.
  [[nodiscard]] int exit_status() const { return exit_status_; }

 private:
  GuestServer(uv_loop_t& loop, ServerLog& log, std::function<void()> changed);
  // On the program's thread.
  void run(const wasi::TypedFunction<void()>& start);

  ServerLog& log_;
  std::function<void()> changed_;
  std::vector<int> own_listeners_;  // that nobody else has; they are open as long as the store is there
  std::vector<std::string> addresses_;
  std::unique_ptr<GuestLines> lines_;
  std::optional<wasi::Store> store_;
  std::optional<wasi::Interrupter> interrupter_;
  uv_async_t* async_ = nullptr;  // freed by the loop
  std::optional<wasi::Trap> trap_;
  int exit_status_ = 0;
  bool is_over_ = false;
  std::thread thread_;
};

}  // namespace wasirun::serve
