// Where a guest's thread sleeps until a descriptor, a clock or somebody who interrupts it wakes it: a loop of libuv.
//
// Each thread of the host has a loop of its own, made at its first wait for a descriptor that has to sleep, so waiting
// guests share nothing. It starts no threads and holds six of the host's descriptors (a seventh after a wait for a
// realtime). Where these cannot be had there is no loop: waiting.cc does without.
//
// A guest may have used up what the host has of descriptors, of memory, of places in epoll sets, and libuv aborts the
// process in many a place where it finds none. So whatever can fail is done here first, where it is no more than an
// answer: prepare(), and the order of start().
//
// uv_poll makes what it watches O_NONBLOCK. That belongs to the open file, which other processes may share (a
// terminal, the parent's pipe), so a guest's descriptors go into an epoll set of ours and libuv watches the set.
// Times are timerfds in that set: libuv's own timers count in milliseconds, these in nanoseconds, and one that
// counts on the realtime clock follows when that is set.
#pragma once

#include <poll.h>
#include <sys/types.h>
#include <uv.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "os/unique_fd.h"
#include "runtime/exec_state.h"
#include "runtime/parking.h"

namespace wasi::preview1 {

// How long to wait: to the earlier of two times, in nanoseconds of their clocks. Neither: for ever.
struct Until {
  std::optional<std::uint64_t> monotonic;
  std::optional<std::uint64_t> realtime;
};

class EventLoop final : private runtime::Waker {
 public:
  // Makes what libuv has once for the whole process: its first loop aborts where there are no two descriptors left.
  // Before a guest could have opened anything, so before any is given a directory or a socket. False, and nothing
  // done, where there are not as many now.
  static bool prepare();
  // The loop of the thread that calls; null where the host cannot make one.
  static EventLoop* of_this_thread();
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  // One wait: from here on, what is watched and runtime::interrupt() wake the thread that is or will be in sleep().
  // `fds` holds each descriptor once; one that is negative is left out, as by poll().
  class Watch {
   public:
    Watch(EventLoop& loop, runtime::ExecState& exec, std::span<const pollfd> fds, const Until& until);
    ~Watch();
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

    // False where something cannot be watched.
    [[nodiscard]] bool is_complete() const { return is_complete_; }
    // Returns when there may be news, which may also be none.
    void sleep();

   private:
    EventLoop& loop_;
    runtime::ExecState& exec_;
    std::span<const pollfd> fds_;
    bool is_complete_ = false;
  };

 private:
  struct Timer {
    clockid_t clock;
    os::UniqueFd fd;
    bool is_set = false;
  };

  EventLoop() = default;
  bool start();
  bool take_place(int fd);
  bool watch(int fd, std::uint32_t events);
  bool set(Timer& timer, const std::optional<std::uint64_t>& time);
  void abandon();
  void wake() override;  // from any thread

  uv_loop_t loop_{};
  uv_poll_t news_{};
  uv_async_t wake_{};
  bool has_loop_ = false;  // these must be closed
  bool has_news_ = false;
  bool has_wake_ = false;
  pid_t process_ = 0;  // a forked child needs loops of its own
  os::UniqueFd set_;
  Timer monotonic_{CLOCK_MONOTONIC, {}};
  Timer realtime_{CLOCK_REALTIME, {}};
};

}  // namespace wasi::preview1
