// One container in the shim: from Create to Delete. Its module or pause process is a child of the shim's; a native
// program is runc's to make, and the shim's to look after.
//
// Nothing waits: what takes time ends by a call of `Done`, from the loop.
#pragma once

#include <sys/types.h>
#include <uv.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tools/shim/bundle.h"
#include "tools/shim/cgroup.h"
#include "tools/shim/children.h"
#include "tools/shim/container_process.h"
#include "tools/shim/event_publisher.h"
#include "tools/shim/log.h"
#include "tools/shim/options.h"
#include "tools/shim/record.h"
#include "tools/shim/root_file_system.h"
#include "tools/shim/stdio_files.h"
#include "tools/shim/systemd_scope.h"
#include "tools/shim/workload.h"

namespace wasirun::shim {

// What containers share.
struct ContainerHost {
  uv_loop_t* loop;
  Children& children;
  EventPublisher& events;
  Log& log;
  std::string runc_root;
  Options options;                 // of containers about which containerd says nothing else
  std::string containerd_address;  // of its gRPC socket
  std::string containerd_namespace;
};

struct CreateConfig {
  std::string id;
  std::string bundle;  // absolute
  std::vector<SnapshotMount> rootfs;
  StdioPaths stdio;
  Options options;
};

enum class ContainerState : std::uint8_t { creating, created, running, paused, stopped };

struct ExitStatus {
  std::uint32_t code = 0;
  std::chrono::system_clock::time_point time;
};

class Container : public std::enable_shared_from_this<Container> {
 public:
  using Done = std::function<void(wasi::Result<void>)>;

  // After a failure there is nothing left of it.
  static std::shared_ptr<Container> create(const ContainerHost& host, CreateConfig config, Done done);
  Container(const ContainerHost& host, CreateConfig config) : host_(host), config_(std::move(config)) {}
  Container(const Container&) = delete;
  Container& operator=(const Container&) = delete;

  [[nodiscard]] const CreateConfig& config() const { return config_; }
  [[nodiscard]] ContainerState state() const { return state_; }
  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] const ExitStatus& exit_status() const { return exit_; }
  // Null where it could not be told.
  [[nodiscard]] const Cgroup* cgroup() const { return cgroup_ ? &*cgroup_ : nullptr; }
  [[nodiscard]] std::vector<pid_t> processes() const;

  // Of a created one.
  void start(Done done);
  // To its process, or to all in its control group.
  wasi::Result<void> kill(int signal, bool to_all);
  wasi::Result<void> set_paused(bool is_paused);
  // What it may use from now on.
  wasi::Result<void> update(const Resources& resources);
  // What reads its input comes to the end.
  void close_input() { input_keeper_.reset(); }
  // Of one that is stopped, or was never started: nothing is left of it. To be called once: begin_removal() is true the
  // first time.
  [[nodiscard]] bool begin_removal() { return !std::exchange(is_being_removed_, true); }
  void remove(Done done);
  // Called, in order, when it has ended and its output was read, or waited for in vain; at once if that is so. False,
  // and never called: too many wait already.
  [[nodiscard]] bool when_ended(std::function<void()> told);

 private:
  [[nodiscard]] wasi::Result<void> prepare();
  [[nodiscard]] wasi::Result<void> fork_process();
  [[nodiscard]] wasi::Result<void> ask_for_scope();
  void finish_asking_for_scope(int status, const std::string& complaint);
  [[nodiscard]] wasi::Result<void> create_by_runc();
  void read_status();
  void finish_runc_create(int status);
  void finish_creation(wasi::Result<void> result);
  void ended(int status);
  void tell_end();
  void note_oom();
  void watch_oom();
  void clean_up(std::function<void()> done);
  void finish_clean_up();
  void publish_start();
  [[nodiscard]] std::unexpected<wasi::Error> runc_failure(int status) const;
  [[nodiscard]] Runc runc() const { return {config_.options.runc, host_.runc_root}; }

  const ContainerHost& host_;
  CreateConfig config_;
  Bundle bundle_;
  Workload workload_;
  std::optional<Cgroup> cgroup_;
  std::string cgroup_path_;
  std::optional<SystemdScope> scope_;  // that systemd is asked for, or has made
  bool is_root_mounted_ = false;
  ContainerState state_ = ContainerState::creating;
  bool is_starting_ = false;  // runc is on it
  pid_t pid_ = 0;
  ExitStatus exit_;
  std::optional<int> early_end_;  // waitpid's status, while runc starts it
  wasi::os::UniqueFd status_;
  std::string status_text_;
  wasi::os::UniqueFd start_;
  wasi::os::UniqueFd input_keeper_;
  std::array<wasi::os::UniqueFd, 2> output_keepers_;
  uv_timer_t* output_timer_ = nullptr;  // while the end waits for it to be read; frees itself when it is closed
  std::chrono::steady_clock::time_point output_deadline_;
  wasi::os::UniqueFd oom_;
  uv_poll_t* status_poll_ = nullptr;  // free themselves when they are closed
  uv_poll_t* oom_poll_ = nullptr;
  std::uint64_t oom_kills_ = 0;  // that were told
  Done created_;
  Done removed_;
  bool is_being_removed_ = false;
  bool is_end_told_ = false;
  std::vector<std::function<void()>> told_at_end_;
};

}  // namespace wasirun::shim
