// Requests from listeners to guests: the queue, the workers, and what is counted and logged on the way.
#pragma once

#include <uv.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "tools/serve/contract.h"
#include "tools/serve/http_listener.h"
#include "tools/serve/metrics.h"
#include "tools/serve/server.h"
#include "tools/serve/server_log.h"
#include "tools/serve/service.h"
#include "tools/serve/worker_pool.h"

namespace wasirun::serve {

class RequestService : public Service, private Handler {
 public:
  // `changed` is called, on the loop's thread, when is_over() may have become true.
  static wasi::Result<std::unique_ptr<RequestService>> start(uv_loop_t& loop, const ServeOptions& options,
                                                             std::unique_ptr<Contract> contract, ServerLog& log,
                                                             const std::vector<wasi::Socket>& sockets,
                                                             std::function<void()> changed);
  ~RequestService() override;

  void drain() override;
  void abort() override;
  [[nodiscard]] bool is_over() const override;
  [[nodiscard]] std::string metrics() const override;
  [[nodiscard]] std::vector<std::string> addresses() const override;
  void close() override;

 private:
  RequestService(uv_loop_t& loop, const ServeOptions& options, std::unique_ptr<Contract> contract, ServerLog& log,
                 std::function<void()> changed);

  void handle(const std::shared_ptr<Exchange>& exchange) override;
  void finished(const Exchange& exchange, const Finish& finish) override;
  void connections_changed(std::size_t count) override;
  // On a worker's thread.
  void work(const std::shared_ptr<Exchange>& exchange);
  std::expected<HttpResponse, Failure> ask(Exchange& exchange);
  // Back on the loop's.
  void take_completed();
  void complete(Exchange& exchange);
  [[nodiscard]] std::size_t connections() const;

  const std::string route_;
  const std::uint64_t memory_limit_;
  const std::uint64_t response_limit_;
  std::unique_ptr<Contract> contract_;
  ServerLog& log_;
  std::function<void()> changed_;
  Metrics metrics_;
  MemoryBudget budget_;
  std::uint64_t under_way_ = 0;  // requests that workers have, or have not given back yet
  uv_async_t* async_ = nullptr;  // freed by the loop
  std::mutex mutex_;
  std::vector<std::shared_ptr<Exchange>> completed_;  // guarded by mutex_
  std::vector<std::unique_ptr<HttpListener>> listeners_;
  std::unique_ptr<WorkerPool> pool_;  // first to go
};

}  // namespace wasirun::serve
