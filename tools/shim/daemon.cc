#include "tools/shim/daemon.h"

#include <sys/prctl.h>
#include <unistd.h>
#include <uv.h>

#include <csignal>
#include <memory>
#include <optional>

#include "tools/shim/children.h"
#include "tools/shim/container.h"
#include "tools/shim/event_publisher.h"
#include "tools/shim/log.h"
#include "tools/shim/record.h"
#include "tools/shim/rpc_server.h"
#include "tools/shim/task_service.h"

namespace wasirun::shim {

namespace {

constexpr std::uint64_t kFlushTime = 3000;  // milliseconds
// A shim that has no container, and to which nobody is connected, was left behind: after two of these it ends.
constexpr std::uint64_t kIdleCheck = 20'000;

class Daemon {
 public:
  explicit Daemon(DaemonConfig config) : config_(std::move(config)) {
    uv_loop_init(&loop_);
    log_.open(config_.log_fifo);
    log_.set_level(config_.options.log_level);
    children_.emplace(&loop_);
    events_.emplace(&loop_, config_.event_address, config_.containerd_namespace);
    host_.emplace(&loop_, *children_, *events_, log_, runc_root_of(config_.containerd_namespace), config_.options,
                  config_.containerd_address, config_.containerd_namespace);
    service_.emplace(*host_, [this] { shut_down(); });
    server_.emplace(&loop_, std::move(config_.listener),
                    [this](const rpc::Request& request, const Answer& answer) { service_->handle(request, answer); });
    for (std::size_t i = 0; i < std::size(signals_); ++i) {
      uv_signal_init(&loop_, &signals_[i]);
      signals_[i].data = this;
    }
    const auto end = [](uv_signal_t* handle, int) { static_cast<Daemon*>(handle->data)->end(); };
    uv_signal_start(&signals_[0], end, SIGTERM);
    uv_signal_start(&signals_[1], end, SIGINT);
    uv_timer_init(&loop_, &idle_timer_);
    idle_timer_.data = this;
    uv_timer_start(
        &idle_timer_, [](uv_timer_t* timer) { static_cast<Daemon*>(timer->data)->check_idle(); }, kIdleCheck,
        kIdleCheck);
  }
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;
  void run() { uv_run(&loop_, UV_RUN_DEFAULT); }

 private:
  // From the outside: containers do not survive whoever looks after them.
  void end() {
    log_.write(Log::Level::info, "told to end by a signal; {} containers", service_->containers());
    service_->kill_all([this] { shut_down(); });
  }

  void check_idle() {
    const bool is_idle = service_->containers() == 0 && server_ && server_->connections() == 0;
    if (is_idle && was_idle_) shut_down();
    was_idle_ = is_idle;
  }

  void shut_down() {
    if (std::exchange(is_ending_, true)) return;
    // No shim that starts from now on must find this one.
    ::unlink(config_.socket_path.c_str());
    events_->flush(kFlushTime, [this] { uv_stop(&loop_); });
  }

  DaemonConfig config_;
  uv_loop_t loop_{};
  Log log_;
  std::optional<Children> children_;
  std::optional<EventPublisher> events_;
  std::optional<ContainerHost> host_;
  std::optional<TaskService> service_;
  std::optional<RpcServer> server_;
  uv_signal_t signals_[2]{};
  uv_timer_t idle_timer_{};
  bool was_idle_ = false;
  bool is_ending_ = false;
};

}  // namespace

[[noreturn]] void run_daemon(DaemonConfig config) {
  std::signal(SIGPIPE, SIG_IGN);
  // Processes of containers that lose their parent become ours.
  ::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  Daemon daemon(std::move(config));
  daemon.run();
  // Nothing is taken down: callbacks that are still to come find everything in its place until there is nothing.
  ::_exit(0);
}

}  // namespace wasirun::shim
