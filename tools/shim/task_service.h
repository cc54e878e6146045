// containerd.task.v2.Task: its methods, in the terms of containers.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "task.pb.h"
#include "tools/shim/container.h"
#include "tools/shim/rpc_server.h"

namespace wasirun::shim {

class TaskService {
 public:
  // `shut_down`: called when the last container is gone and the shim is not wanted any more.
  TaskService(const ContainerHost& host, std::function<void()> shut_down)
      : host_(host), shut_down_(std::move(shut_down)) {}

  void handle(const rpc::Request& request, const Answer& answer);
  // Containers, and those that are being made.
  [[nodiscard]] std::size_t containers() const { return containers_.size(); }
  // Ends every container's process, and calls `done` when they all have ended.
  void kill_all(const std::function<void()>& done);

 private:
  struct Method;
  static const std::map<std::string, Method, std::less<>>& methods();
  template <class Request, void (TaskService::*method)(const Request&, const Answer&)>
  static Method method_of();

  void create(const task::CreateRequest& request, const Answer& answer);
  void start(const task::ProcessRequest& request, const Answer& answer);
  void state(const task::ProcessRequest& request, const Answer& answer);
  void wait(const task::ProcessRequest& request, const Answer& answer);
  void remove(const task::ProcessRequest& request, const Answer& answer);
  void kill(const task::KillRequest& request, const Answer& answer);
  void pids(const task::ContainerRequest& request, const Answer& answer);
  void stats(const task::ContainerRequest& request, const Answer& answer);
  void update(const task::UpdateRequest& request, const Answer& answer);
  void pause(const task::ContainerRequest& request, const Answer& answer);
  void resume(const task::ContainerRequest& request, const Answer& answer);
  void close_io(const task::CloseIORequest& request, const Answer& answer);
  void connect(const task::ContainerRequest& request, const Answer& answer);
  void shut_down(const task::ShutdownRequest& request, const Answer& answer);
  void exec(const task::ProcessRequest& request, const Answer& answer);
  void resize(const task::ProcessRequest& request, const Answer& answer);
  void checkpoint(const task::ContainerRequest& request, const Answer& answer);

  // Null, and the call has failed, where there is no such container, or when it is about a process that was added.
  std::shared_ptr<Container> find(const std::string& id, const std::string& exec_id, const Answer& answer);
  // The same where it must have a process.
  std::shared_ptr<Container> find_alive(const std::string& id, const std::string& exec_id, const Answer& answer);

  const ContainerHost& host_;
  std::function<void()> shut_down_;
  std::map<std::string, std::shared_ptr<Container>, std::less<>> containers_;
};

}  // namespace wasirun::shim
