// Events for containerd: a ttrpc client of its address, which sends them in order, one at a time.
//
// Nothing waits for it. While containerd is away (it may be restarted, and asks for the state of everything then),
// events are kept and sent again, the oldest dropped beyond a bound.
#pragma once

#include <uv.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>

#include "rpc.pb.h"
#include "tools/shim/frames.h"

namespace wasirun::shim {

class EventPublisher {
 public:
  // `address`: the path of a socket, or unix://PATH; empty: events go nowhere.
  EventPublisher(uv_loop_t* loop, std::string_view address, std::string containerd_namespace);
  EventPublisher(const EventPublisher&) = delete;
  EventPublisher& operator=(const EventPublisher&) = delete;
  // The loop has to run once more for the handles to be closed.
  ~EventPublisher();

  // `topic`: "/tasks/start"; `type`: "containerd.events.TaskStart".
  void publish(std::string_view topic, std::string_view type, const google::protobuf::MessageLite& event);
  // Calls `done`, once, when everything has been taken, or after `milliseconds`.
  void flush(std::uint64_t milliseconds, std::function<void()> done);

 private:
  void connect();
  void disconnect();
  void retry_later();
  void send_first();
  void receive(std::string_view bytes);
  void finish_flush();

  uv_loop_t* loop_;
  std::string path_;
  std::string namespace_;
  std::deque<std::string> queue_;  // serialized requests
  uv_pipe_t* pipe_ = nullptr;      // frees itself when it is closed
  bool is_connected_ = false;
  bool is_waiting_ = false;   // for the answer about the first of the queue
  std::uint32_t stream_ = 1;  // of the next request: odd numbers are the client's
  std::uint64_t delay_ = 0;   // before the next attempt to connect, in milliseconds
  uv_timer_t* retry_timer_;   // free themselves when they are closed
  uv_timer_t* flush_timer_;
  std::function<void()> flushed_;
  FrameReader reader_;
  char piece_[4096];
};

}  // namespace wasirun::shim
