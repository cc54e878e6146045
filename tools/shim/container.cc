#include "tools/shim/container.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <csignal>

#include "base/printable.h"
#include "base/result.h"
#include "task.pb.h"
#include "tools/shim/cgroup_path.h"
#include "tools/shim/host_file.h"
#include "tools/shim/json_node.h"
#include "tools/shim/record.h"
#include "tools/shim/timestamp.h"

namespace wasirun::shim {

namespace {

std::string end_text(int status) {
  if (WIFSIGNALED(status)) return fmt::format("signal {}", WTERMSIG(status));
  return fmt::format("exit code {}", WEXITSTATUS(status));
}

bool has_failed(int status) { return !WIFEXITED(status) || WEXITSTATUS(status) != 0; }

uv_poll_t* start_polling(uv_loop_t* loop, int fd, void* data, uv_poll_cb callback) {
  auto* const poll = new uv_poll_t;
  uv_poll_init(loop, poll, fd);
  poll->data = data;
  uv_poll_start(poll, UV_READABLE, callback);
  return poll;
}

// Comes again until it is stopped.
uv_timer_t* start_timer(uv_loop_t* loop, std::chrono::milliseconds pause, void* data, uv_timer_cb callback) {
  auto* const timer = new uv_timer_t;
  uv_timer_init(loop, timer);
  timer->data = data;
  const auto milliseconds = static_cast<std::uint64_t>(pause.count());
  uv_timer_start(timer, callback, milliseconds, milliseconds);
  return timer;
}

template <class Handle>
void stop(Handle*& handle) {
  if (handle == nullptr) return;
  uv_close(reinterpret_cast<uv_handle_t*>(handle),
           [](uv_handle_t* closed) { delete reinterpret_cast<Handle*>(closed); });
  handle = nullptr;
}

constexpr std::size_t kLongestStatus = 65536;
constexpr std::chrono::seconds kOutputPatience{1};
constexpr std::chrono::milliseconds kOutputPause{1};

}  // namespace

std::shared_ptr<Container> Container::create(const ContainerHost& host, CreateConfig config, Done done) {
  auto container = std::make_shared<Container>(host, std::move(config));
  container->created_ = std::move(done);
  if (const auto prepared = container->prepare(); !prepared) {
    container->finish_creation(std::unexpected(prepared.error()));
  }
  return container;
}

wasi::Result<void> Container::prepare() {
  bundle_ = WASI_TRY(read_bundle(config_.bundle));
  if (bundle_.process.has_terminal) {
    return wasi::fail(wasi::ErrorKind::argument, "process.terminal: containers of this runtime have no terminal");
  }
  is_root_mounted_ = !config_.rootfs.empty();
  WASI_TRY(mount_snapshot(config_.rootfs, bundle_.root));
  workload_ = WASI_TRY(find_workload(bundle_));
  if (workload_.kind == WorkloadKind::native) return create_by_runc();
  cgroup_path_ = WASI_TRY(cgroup_path(bundle_.cgroups_path, config_.id));
  cgroup_ = Cgroup::at(cgroup_path_);
  scope_ = systemd_scope(bundle_.cgroups_path, config_.options.systemd_cgroup);
  if (!scope_) {
    WASI_TRY(cgroup_->create());
    WASI_TRY(cgroup_->apply(bundle_.resources));
  }
  return fork_process();
}

wasi::Result<void> Container::fork_process() {
  StdioFiles stdio = WASI_TRY(open_stdio(config_.stdio));
  input_keeper_ = std::move(stdio.input_keeper);
  output_keepers_ = std::move(stdio.output_keepers);
  const ImageSource image{host_.containerd_address, host_.containerd_namespace, config_.id};
  const ProcessPlan plan{.bundle = bundle_,
                         .workload = workload_,
                         .cgroup = *cgroup_,
                         .systemd_group = scope_ ? cgroup_path_ : "",
                         .image = image,
                         .code = config_.options.code};
  ContainerProcess process = WASI_TRY(fork_container(plan, stdio));
  pid_ = process.pid;
  status_ = std::move(process.status);
  start_ = std::move(process.start);
  workload_.module_file.reset();
  host_.children.watch(pid_, [self = shared_from_this()](int status) { self->ended(status); });
  // From here on a failure is told when the process has ended.
  const auto written =
      write_record(config_.bundle, {.pid = pid_, .start_time = start_time_of(pid_), .cgroup = cgroup_path_});
  if (!written) host_.log.write(Log::Level::warning, "{}: {}", config_.id, written.error().message);
  ::fcntl(status_.get(), F_SETFL, O_NONBLOCK);
  status_poll_ = start_polling(host_.loop, status_.get(), this,
                               [](uv_poll_t* poll, int, int) { static_cast<Container*>(poll->data)->read_status(); });
  if (!scope_) return {};
  if (const auto asked = ask_for_scope(); !asked) {
    status_text_ = asked.error().message;
    start_.reset();  // ends the process
  }
  return {};
}

wasi::Result<void> Container::ask_for_scope() {
  // What it has to say when it fails.
  const int complaint = ::memfd_create("busctl", MFD_CLOEXEC);
  if (complaint < 0) return host_failure("memfd_create");
  const auto kept = std::make_shared<wasi::os::UniqueFd>(complaint);
  const auto command = start_scope_command(*scope_, pid_, bundle_.resources, cgroup_->version());
  WASI_TRY(host_.children.run(command, {-1, -1, complaint}, [self = shared_from_this(), kept](int status) {
    self->finish_asking_for_scope(status, read_file(fmt::format("/proc/self/fd/{}", kept->get())).value_or(""));
  }));
  return {};
}

void Container::finish_asking_for_scope(int status, const std::string& complaint) {
  if (state_ != ContainerState::creating) return;  // it was killed meanwhile
  if (has_failed(status)) {
    status_text_ = fmt::format("systemd was asked, by busctl, for the scope {}: {}", wasi::printable(scope_->name),
                               complaint.empty() ? end_text(status) : wasi::printable(complaint));
    start_.reset();
    return;
  }
  static_cast<void>(::write(start_.get(), "!", 1));
}

void Container::read_status() {
  char piece[4096];
  while (true) {
    const auto count = ::read(status_.get(), piece, sizeof(piece));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) return;
    // The end without a word is followed by the process's, and told then.
    if (count <= 0) return stop(status_poll_);
    if (piece[0] == kReady) {
      stop(status_poll_);
      return finish_creation({});
    }
    if (status_text_.size() < kLongestStatus) status_text_.append(piece, static_cast<std::size_t>(count));
  }
}

wasi::Result<void> Container::create_by_runc() {
  StdioFiles stdio = WASI_TRY(open_stdio(config_.stdio));
  input_keeper_ = std::move(stdio.input_keeper);
  output_keepers_ = std::move(stdio.output_keepers);
  const std::string log = config_.bundle + "/runc.log";
  ::unlink(log.c_str());
  std::vector<std::string> words{"--log", log, "--log-format", "json"};
  if (systemd_scope(bundle_.cgroups_path, config_.options.systemd_cgroup)) words.emplace_back("--systemd-cgroup");
  words.insert(words.end(),
               {"create", "--bundle", config_.bundle, "--pid-file", config_.bundle + "/init.pid", config_.id});
  host_.children.expect();
  const auto started = host_.children.run(
      runc_command(runc(), std::move(words)), {stdio.streams[0].get(), stdio.streams[1].get(), stdio.streams[2].get()},
      [self = shared_from_this()](int status) { self->finish_runc_create(status); });
  if (!started) {
    host_.children.none_came();
    return std::unexpected(started.error());
  }
  // Before anything else, so that `delete` finds what runc may be making.
  return write_record(config_.bundle, {.runc = runc()});
}

void Container::finish_runc_create(int status) {
  const auto text =
      has_failed(status) ? std::unexpected(runc_failure(status).error()) : read_file(config_.bundle + "/init.pid");
  if (text) std::from_chars(text->data(), text->data() + text->size(), pid_);
  if (pid_ <= 0) {
    host_.children.none_came();
    return finish_creation(text ? wasi::fail(wasi::ErrorKind::io, "runc told no process number")
                                : std::unexpected(text.error()));
  }
  auto cgroup = Cgroup::of_process(pid_);
  if (cgroup) cgroup_ = *std::move(cgroup);
  const auto written = write_record(config_.bundle, {.pid = pid_, .start_time = start_time_of(pid_), .runc = runc()});
  if (!written) host_.log.write(Log::Level::warning, "{}: {}", config_.id, written.error().message);
  finish_creation({});
  host_.children.adopt(pid_, [self = shared_from_this()](int end) { self->ended(end); });
}

std::unexpected<wasi::Error> Container::runc_failure(int status) const {
  constexpr int kNotFound = 127;
  if (WIFEXITED(status) && WEXITSTATUS(status) == kNotFound) {
    return wasi::fail(wasi::ErrorKind::io,
                      "{} is a native program, for which runc is needed, and {} is not installed on this node",
                      wasi::printable(bundle_.process.args.front()), wasi::printable(config_.options.runc));
  }
  // Lines of JSON, of which the last says what was wrong.
  std::string lines = read_file(config_.bundle + "/runc.log").value_or("");
  while (lines.ends_with('\n')) lines.pop_back();
  const std::string last = lines.substr(lines.rfind('\n') + 1);
  const auto document = nlohmann::json::parse(last, nullptr, false);
  const bool has_text = document.is_object() && document.contains("msg") && document["msg"].is_string();
  return wasi::fail(wasi::ErrorKind::io, "runc: {}", has_text ? document["msg"].get<std::string>() : end_text(status));
}

void Container::finish_creation(wasi::Result<void> result) {
  const auto self = shared_from_this();
  stop(status_poll_);
  if (!result) {
    return clean_up([self, result] { std::exchange(self->created_, nullptr)(result); });
  }
  state_ = ContainerState::created;
  watch_oom();
  task::TaskCreate event;
  event.set_container_id(config_.id);
  event.set_bundle(config_.bundle);
  for (const SnapshotMount& mount : config_.rootfs) {
    task::Mount& added = *event.add_rootfs();
    added.set_type(mount.type);
    added.set_source(mount.source);
    for (const std::string& option : mount.options) added.add_options(option);
  }
  event.mutable_io()->set_stdin(config_.stdio.in);
  event.mutable_io()->set_stdout(config_.stdio.out);
  event.mutable_io()->set_stderr(config_.stdio.err);
  event.set_pid(static_cast<std::uint32_t>(pid_));
  host_.events.publish("/tasks/create", "containerd.events.TaskCreate", event);
  std::exchange(created_, nullptr)({});
}

void Container::publish_start() {
  state_ = ContainerState::running;
  task::TaskStart event;
  event.set_container_id(config_.id);
  event.set_pid(static_cast<std::uint32_t>(pid_));
  host_.events.publish("/tasks/start", "containerd.events.TaskStart", event);
}

void Container::start(Done done) {
  if (workload_.kind != WorkloadKind::native) {
    // A process that was killed meanwhile is told by its end.
    static_cast<void>(::write(start_.get(), "!", 1));
    start_.reset();
    publish_start();
    return done({});
  }
  is_starting_ = true;
  const auto finish = [self = shared_from_this(), done](int status) {
    self->is_starting_ = false;
    if (has_failed(status)) {
      done(self->runc_failure(status));
    } else {
      self->publish_start();
      done({});
    }
    if (self->early_end_) self->ended(*self->early_end_);
  };
  const std::vector<std::string> words{"--log",   config_.bundle + "/runc.log", "--log-format", "json", "start",
                                       config_.id};
  const auto started = host_.children.run(runc_command(runc(), words), {-1, -1, -1}, finish);
  if (!started) {
    is_starting_ = false;
    done(std::unexpected(started.error()));
  }
}

wasi::Result<void> Container::kill(int signal, bool to_all) {
  // What is frozen does not even die.
  if (state_ == ContainerState::paused && signal == SIGKILL) static_cast<void>(set_paused(false));
  if (to_all && cgroup_) {
    for (const pid_t pid : cgroup_->processes()) ::kill(pid, signal);
    return {};
  }
  if (::kill(pid_, signal) != 0) return host_failure("kill");
  return {};
}

wasi::Result<void> Container::set_paused(bool is_paused) {
  if (!cgroup_) return wasi::fail(wasi::ErrorKind::unsupported, "the container's control group is not known");
  WASI_TRY(cgroup_->set_frozen(is_paused));
  state_ = is_paused ? ContainerState::paused : ContainerState::running;
  task::TaskNotice event;
  event.set_container_id(config_.id);
  host_.events.publish(is_paused ? "/tasks/paused" : "/tasks/resumed",
                       is_paused ? "containerd.events.TaskPaused" : "containerd.events.TaskResumed", event);
  return {};
}

wasi::Result<void> Container::update(const Resources& resources) {
  if (!cgroup_) return wasi::fail(wasi::ErrorKind::unsupported, "the container's control group is not known");
  WASI_TRY(cgroup_->apply(resources));
  if (!scope_) return {};
  // Also what systemd thinks that it is, so that it does not take it back. The files count until then.
  const auto command = update_scope_command(*scope_, resources, cgroup_->version());
  if (command.empty()) return {};
  const auto told = [self = shared_from_this()](int status) {
    if (!has_failed(status)) return;
    self->host_.log.write(Log::Level::warning, "{}: systemd was not told of new limits, by busctl: {}",
                          self->config_.id, end_text(status));
  };
  WASI_TRY(host_.children.run(command, {-1, -1, -1}, told));
  return {};
}

void Container::watch_oom() {
  if (!cgroup_) return;
  oom_ = cgroup_->watch_oom();
  if (!oom_) return;
  oom_poll_ = start_polling(host_.loop, oom_.get(), this, [](uv_poll_t* poll, int, int) {
    auto& self = *static_cast<Container*>(poll->data);
    char piece[4096];
    if (::read(self.oom_.get(), piece, sizeof(piece)) <= 0 && errno != EAGAIN) return stop(self.oom_poll_);
    self.note_oom();
  });
}

void Container::note_oom() {
  if (!cgroup_) return;
  const std::uint64_t kills = cgroup_->oom_kills();
  if (kills <= oom_kills_) return;
  oom_kills_ = kills;
  task::TaskNotice event;
  event.set_container_id(config_.id);
  host_.events.publish("/tasks/oom", "containerd.events.TaskOOM", event);
}

void Container::ended(int status) {
  if (state_ == ContainerState::creating) {
    if (status_poll_ != nullptr) read_status();
    if (state_ == ContainerState::creating) {
      const bool was_oom = cgroup_ && cgroup_->oom_kills() > 0;
      return finish_creation(status_text_.empty()
                                 ? wasi::fail(wasi::ErrorKind::io,
                                              "the container's process ended before it was ready: {}{}",
                                              end_text(status), was_oom ? " (out of memory)" : "")
                                 : wasi::fail(wasi::ErrorKind::io, "{}", status_text_));
    }
  }
  if (is_starting_) {
    early_end_ = status;
    return;
  }
  // Whoever asks why it ended must know by then.
  note_oom();
  stop(oom_poll_);
  state_ = ContainerState::stopped;
  exit_.code = static_cast<std::uint32_t>(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
  exit_.time = std::chrono::system_clock::now();
  start_.reset();
  input_keeper_.reset();
  if (!std::ranges::any_of(output_keepers_, has_unread)) return tell_end();
  output_deadline_ = std::chrono::steady_clock::now() + kOutputPatience;
  output_timer_ = start_timer(host_.loop, kOutputPause, this, [](uv_timer_t* timer) {
    auto& self = *static_cast<Container*>(timer->data);
    const bool is_late = std::chrono::steady_clock::now() >= self.output_deadline_;
    if (is_late || std::ranges::none_of(self.output_keepers_, has_unread)) self.tell_end();
  });
}

// A client that is told of the end stops waiting for its end of the fifos to be opened, which it does in the background
// while it asks for the container: of one that wrote little and ended at once it would get nothing. Thus the end is
// told only when the output was read, within reason.
void Container::tell_end() {
  is_end_told_ = true;
  stop(output_timer_);
  output_keepers_ = {};
  task::TaskExit event;
  event.set_container_id(config_.id);
  event.set_id(config_.id);
  event.set_pid(static_cast<std::uint32_t>(pid_));
  event.set_exit_status(exit_.code);
  *event.mutable_exited_at() = to_timestamp(exit_.time);
  host_.events.publish("/tasks/exit", "containerd.events.TaskExit", event);
  for (const auto& told : std::exchange(told_at_end_, {})) told();
  if (removed_) remove(std::exchange(removed_, nullptr));
}

bool Container::when_ended(std::function<void()> told) {
  constexpr std::size_t kMostWaiters = 4096;
  if (is_end_told_) {
    told();
    return true;
  }
  if (told_at_end_.size() == kMostWaiters) return false;
  told_at_end_.push_back(std::move(told));
  return true;
}

std::vector<pid_t> Container::processes() const {
  std::vector<pid_t> pids = cgroup_ ? cgroup_->processes() : std::vector<pid_t>();
  if (pids.empty()) pids.push_back(pid_);
  return pids;
}

void Container::remove(Done done) {
  if (state_ == ContainerState::created) {
    removed_ = std::move(done);
    ::kill(pid_, SIGKILL);
    return;
  }
  if (!is_end_told_) tell_end();
  clean_up([self = shared_from_this(), done = std::move(done)] {
    task::TaskDelete event;
    event.set_container_id(self->config_.id);
    event.set_id(self->config_.id);
    event.set_pid(static_cast<std::uint32_t>(self->pid_));
    event.set_exit_status(self->exit_.code);
    *event.mutable_exited_at() = to_timestamp(self->exit_.time);
    self->host_.events.publish("/tasks/delete", "containerd.events.TaskDelete", event);
    done({});
  });
}

void Container::clean_up(std::function<void()> done) {
  stop(oom_poll_);
  if (workload_.kind != WorkloadKind::native || !workload_.module_file) {
    finish_clean_up();
    return done();
  }
  const auto finish = [self = shared_from_this(), done](int) {
    self->finish_clean_up();
    done();
  };
  const std::vector<std::string> words{"delete", "--force", config_.id};
  if (!host_.children.run(runc_command(runc(), words), {-1, -1, -1}, finish)) finish(0);
}

void Container::finish_clean_up() {
  if (cgroup_ && workload_.kind != WorkloadKind::native) {
    if (const auto removed = cgroup_->remove(); !removed) {
      host_.log.write(Log::Level::warning, "{}: {}", config_.id, removed.error().message);
    }
  }
  if (is_root_mounted_) unmount_snapshot(bundle_.root);
  remove_record(config_.bundle);
}

}  // namespace wasirun::shim
