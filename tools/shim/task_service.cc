#include "tools/shim/task_service.h"

#include <unistd.h>
#include <wasi/engine.h>

#include <csignal>

#include "base/printable.h"
#include "tools/shim/timestamp.h"

namespace wasirun::shim {

namespace {

constexpr std::string_view kServiceName = "containerd.task.v2.Task";

task::Status to_status(ContainerState state) {
  switch (state) {
    case ContainerState::creating:
    case ContainerState::created:
      return task::CREATED;
    case ContainerState::running:
      return task::RUNNING;
    case ContainerState::paused:
      return task::PAUSED;
    case ContainerState::stopped:
      return task::STOPPED;
  }
  return task::UNKNOWN;
}

// A call that has nothing to tell but that it was done.
Container::Done answer_empty(const Answer& answer) {
  return [answer](const wasi::Result<void>& result) {
    if (result) return answer.send(task::Empty());
    answer.fail(to_rpc_error(result.error()));
  };
}

}  // namespace

struct TaskService::Method {
  void (*call)(TaskService& service, const rpc::Request& request, const Answer& answer);
};

template <class Request, void (TaskService::*method)(const Request&, const Answer&)>
TaskService::Method TaskService::method_of() {
  return {[](TaskService& service, const rpc::Request& request, const Answer& answer) {
    Request message;
    if (!message.ParseFromString(request.payload())) {
      return answer.fail({RpcCode::invalid_argument, fmt::format("{}: the message is not what this method takes",
                                                                 wasi::printable(request.method()))});
    }
    (service.*method)(message, answer);
  }};
}

const std::map<std::string, TaskService::Method, std::less<>>& TaskService::methods() {
  static const std::map<std::string, Method, std::less<>> all{
      {"Create", method_of<task::CreateRequest, &TaskService::create>()},
      {"Start", method_of<task::ProcessRequest, &TaskService::start>()},
      {"State", method_of<task::ProcessRequest, &TaskService::state>()},
      {"Wait", method_of<task::ProcessRequest, &TaskService::wait>()},
      {"Delete", method_of<task::ProcessRequest, &TaskService::remove>()},
      {"Kill", method_of<task::KillRequest, &TaskService::kill>()},
      {"Pids", method_of<task::ContainerRequest, &TaskService::pids>()},
      {"Stats", method_of<task::ContainerRequest, &TaskService::stats>()},
      {"Update", method_of<task::UpdateRequest, &TaskService::update>()},
      {"Pause", method_of<task::ContainerRequest, &TaskService::pause>()},
      {"Resume", method_of<task::ContainerRequest, &TaskService::resume>()},
      {"CloseIO", method_of<task::CloseIORequest, &TaskService::close_io>()},
      {"Connect", method_of<task::ContainerRequest, &TaskService::connect>()},
      {"Shutdown", method_of<task::ShutdownRequest, &TaskService::shut_down>()},
      {"Exec", method_of<task::ProcessRequest, &TaskService::exec>()},
      {"ResizePty", method_of<task::ProcessRequest, &TaskService::resize>()},
      {"Checkpoint", method_of<task::ContainerRequest, &TaskService::checkpoint>()}};
  return all;
}

void TaskService::handle(const rpc::Request& request, const Answer& answer) {
  if (request.service() != kServiceName) {
    return answer.fail({RpcCode::unimplemented, fmt::format("there is no service \"{}\": expected {}",
                                                            wasi::printable(request.service()), kServiceName)});
  }
  const auto method = methods().find(request.method());
  if (method == methods().end()) {
    return answer.fail(
        {RpcCode::unimplemented, fmt::format("there is no method \"{}\"", wasi::printable(request.method()))});
  }
  method->second.call(*this, request, answer);
}

std::shared_ptr<Container> TaskService::find(const std::string& id, const std::string& exec_id, const Answer& answer) {
  const auto found = containers_.find(id);
  if (found == containers_.end()) {
    answer.fail({RpcCode::not_found, fmt::format("there is no container \"{}\"", wasi::printable(id))});
    return nullptr;
  }
  if (!exec_id.empty()) {
    answer.fail({RpcCode::not_found, fmt::format("container {} has no process \"{}\"", id, wasi::printable(exec_id))});
    return nullptr;
  }
  return found->second;
}

std::shared_ptr<Container> TaskService::find_alive(const std::string& id, const std::string& exec_id,
                                                   const Answer& answer) {
  auto container = find(id, exec_id, answer);
  if (container == nullptr) return nullptr;
  if (container->state() == ContainerState::stopped) {
    answer.fail({RpcCode::not_found, "process already finished"});
    return nullptr;
  }
  if (container->state() == ContainerState::creating) {
    answer.fail({RpcCode::failed_precondition, fmt::format("container {} is still being made", id)});
    return nullptr;
  }
  return container;
}

void TaskService::create(const task::CreateRequest& request, const Answer& answer) {
  const std::string& id = request.id();
  if (id.empty() || id.find('/') != std::string::npos || id == "." || id == "..") {
    return answer.fail({RpcCode::invalid_argument, "the container's id is no name"});
  }
  if (!request.bundle().starts_with('/')) {
    return answer.fail({RpcCode::invalid_argument, "the bundle is no absolute path"});
  }
  if (request.terminal()) {
    return answer.fail({RpcCode::invalid_argument, "containers of this runtime have no terminal"});
  }
  if (!request.checkpoint().empty()) {
    return answer.fail({RpcCode::unimplemented, "checkpoints are not supported"});
  }
  if (containers_.contains(id)) {
    return answer.fail({RpcCode::already_exists, fmt::format("container {} exists", id)});
  }
  CreateConfig config{.id = id,
                      .bundle = request.bundle(),
                      .rootfs = {},
                      .stdio = {.in = request.stdin(), .out = request.stdout(), .err = request.stderr()},
                      .options = {}};
  for (const task::Mount& mount : request.rootfs()) {
    config.rootfs.push_back({mount.type(), mount.source(), {mount.options().begin(), mount.options().end()}});
  }
  auto options = parse_options(request.options(), host_.options);
  if (!options) return answer.fail(to_rpc_error(options.error()));
  host_.log.set_level(options->log_level);
  config.options = *std::move(options);
  // Held until it is made or not; a failure may be told before create() returns.
  containers_[id] = nullptr;
  auto container = Container::create(host_, std::move(config), [this, id, answer](const wasi::Result<void>& result) {
    if (!result) {
      host_.log.write(Log::Level::error, "{}: {}", id, result.error().message);
      containers_.erase(id);
      return answer.fail(to_rpc_error(result.error()));
    }
    task::CreateResponse response;
    response.set_pid(static_cast<std::uint32_t>(containers_.at(id)->pid()));
    answer.send(response);
  });
  if (const auto place = containers_.find(id); place != containers_.end()) place->second = std::move(container);
}

void TaskService::start(const task::ProcessRequest& request, const Answer& answer) {
  const auto container = find(request.id(), request.exec_id(), answer);
  if (container == nullptr) return;
  if (container->state() != ContainerState::created) {
    return answer.fail({RpcCode::failed_precondition, fmt::format("container {} was started before", request.id())});
  }
  container->start([container, answer](const wasi::Result<void>& result) {
    if (!result) return answer.fail(to_rpc_error(result.error()));
    task::StartResponse response;
    response.set_pid(static_cast<std::uint32_t>(container->pid()));
    answer.send(response);
  });
}

void TaskService::state(const task::ProcessRequest& request, const Answer& answer) {
  const auto container = find(request.id(), request.exec_id(), answer);
  if (container == nullptr) return;
  task::StateResponse response;
  response.set_id(request.id());
  response.set_bundle(container->config().bundle);
  response.set_pid(static_cast<std::uint32_t>(container->pid()));
  response.set_status(to_status(container->state()));
  response.set_stdin(container->config().stdio.in);
  response.set_stdout(container->config().stdio.out);
  response.set_stderr(container->config().stdio.err);
  if (container->state() == ContainerState::stopped) {
    response.set_exit_status(container->exit_status().code);
    *response.mutable_exited_at() = to_timestamp(container->exit_status().time);
  }
  answer.send(response);
}

void TaskService::wait(const task::ProcessRequest& request, const Answer& answer) {
  const auto container = find(request.id(), request.exec_id(), answer);
  if (container == nullptr) return;
  const std::weak_ptr<Container> weak = container;
  const bool has_room = container->when_ended([weak, answer] {
    const auto ended = weak.lock();
    if (ended == nullptr) return;
    task::WaitResponse response;
    response.set_exit_status(ended->exit_status().code);
    *response.mutable_exited_at() = to_timestamp(ended->exit_status().time);
    answer.send(response);
  });
  if (!has_room) answer.fail({RpcCode::resource_exhausted, "too many wait for this container"});
}

void TaskService::remove(const task::ProcessRequest& request, const Answer& answer) {
  const auto container = find(request.id(), request.exec_id(), answer);
  if (container == nullptr) return;
  if (container->state() != ContainerState::stopped && container->state() != ContainerState::created) {
    return answer.fail({RpcCode::failed_precondition, fmt::format("container {} has not ended", request.id())});
  }
  if (!container->begin_removal()) {
    return answer.fail({RpcCode::failed_precondition, fmt::format("container {} is being deleted", request.id())});
  }
  container->remove([this, container, answer](const wasi::Result<void>&) {
    containers_.erase(container->config().id);
    task::DeleteResponse response;
    response.set_pid(static_cast<std::uint32_t>(container->pid()));
    response.set_exit_status(container->exit_status().code);
    *response.mutable_exited_at() = to_timestamp(container->exit_status().time);
    answer.send(response);
  });
}

void TaskService::kill(const task::KillRequest& request, const Answer& answer) {
  const auto container = find_alive(request.id(), request.exec_id(), answer);
  if (container == nullptr) return;
  if (request.signal() < 1 || request.signal() >= NSIG) {
    return answer.fail({RpcCode::invalid_argument, fmt::format("{} is no signal", request.signal())});
  }
  answer_empty(answer)(container->kill(static_cast<int>(request.signal()), request.all()));
}

void TaskService::pids(const task::ContainerRequest& request, const Answer& answer) {
  const auto container = find_alive(request.id(), "", answer);
  if (container == nullptr) return;
  task::PidsResponse response;
  for (const pid_t pid : container->processes()) {
    response.add_processes()->set_pid(static_cast<std::uint32_t>(pid));
  }
  answer.send(response);
}

void TaskService::stats(const task::ContainerRequest& request, const Answer& answer) {
  const auto container = find_alive(request.id(), "", answer);
  if (container == nullptr) return;
  const Cgroup* const cgroup = container->cgroup();
  if (cgroup == nullptr) return answer.fail({RpcCode::unknown, "the container's control group is not known"});
  task::StatsResponse response;
  *response.mutable_stats() = cgroup->metrics();
  answer.send(response);
}

void TaskService::update(const task::UpdateRequest& request, const Answer& answer) {
  const auto container = find_alive(request.id(), "", answer);
  if (container == nullptr) return;
  if (!request.has_resources()) return answer.send(task::Empty());
  const auto resources = parse_resources(request.resources().value());
  if (!resources) return answer.fail(to_rpc_error(resources.error()));
  answer_empty(answer)(container->update(*resources));
}

void TaskService::pause(const task::ContainerRequest& request, const Answer& answer) {
  const auto container = find_alive(request.id(), "", answer);
  if (container == nullptr) return;
  if (container->state() != ContainerState::running) {
    return answer.fail({RpcCode::failed_precondition, fmt::format("container {} is not running", request.id())});
  }
  answer_empty(answer)(container->set_paused(true));
}

void TaskService::resume(const task::ContainerRequest& request, const Answer& answer) {
  const auto container = find_alive(request.id(), "", answer);
  if (container == nullptr) return;
  if (container->state() != ContainerState::paused) {
    return answer.fail({RpcCode::failed_precondition, fmt::format("container {} is not paused", request.id())});
  }
  answer_empty(answer)(container->set_paused(false));
}

void TaskService::close_io(const task::CloseIORequest& request, const Answer& answer) {
  const auto container = find(request.id(), request.exec_id(), answer);
  if (container == nullptr) return;
  if (request.stdin()) container->close_input();
  answer.send(task::Empty());
}

void TaskService::connect(const task::ContainerRequest& request, const Answer& answer) {
  // Also asked about containers that are not there yet.
  task::ConnectResponse response;
  response.set_shim_pid(static_cast<std::uint32_t>(::getpid()));
  const auto found = containers_.find(request.id());
  if (found != containers_.end() && found->second != nullptr) {
    response.set_task_pid(static_cast<std::uint32_t>(found->second->pid()));
  }
  response.set_version(wasi::version());
  answer.send(response);
}

void TaskService::shut_down(const task::ShutdownRequest& request, const Answer& answer) {
  answer.send(task::Empty());
  if (request.now()) return kill_all(shut_down_);
  // Asked once for each container of a pod.
  if (containers_.empty()) shut_down_();
}

void TaskService::exec(const task::ProcessRequest& request, const Answer& answer) {
  const auto container = find(request.id(), "", answer);
  if (container == nullptr) return;
  answer.fail({RpcCode::unimplemented,
               "exec is not supported by the wasirun runtime: a WebAssembly container has no shell and no second "
               "program to run; use httpGet or tcpSocket probes, and the container's log"});
}

void TaskService::resize(const task::ProcessRequest& request, const Answer& answer) {
  const auto container = find(request.id(), "", answer);
  if (container == nullptr) return;
  answer.fail({RpcCode::unimplemented, "containers of the wasirun runtime have no terminal"});
}

void TaskService::checkpoint(const task::ContainerRequest& request, const Answer& answer) {
  const auto container = find(request.id(), "", answer);
  if (container == nullptr) return;
  answer.fail({RpcCode::unimplemented, "the wasirun runtime makes no checkpoints"});
}

void TaskService::kill_all(const std::function<void()>& done) {
  const auto left = std::make_shared<std::size_t>(1);
  const auto count_down = [left, done] {
    if (--*left == 0) done();
  };
  for (const auto& [id, container] : containers_) {
    // Those that are still being made end with the shim.
    if (container == nullptr || container->state() == ContainerState::creating) continue;
    if (container->state() == ContainerState::stopped || !container->when_ended(count_down)) continue;
    ++*left;
    static_cast<void>(container->kill(SIGKILL, false));
  }
  count_down();
}

}  // namespace wasirun::shim
