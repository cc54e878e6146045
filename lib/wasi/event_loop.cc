// See event_loop.h.
#include "wasi/event_loop.h"

#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <mutex>

namespace wasi::preview1 {

std::expected<EventLoop*, int> EventLoop::of_this_thread() {
  thread_local std::unique_ptr<EventLoop> mine;
  if (mine != nullptr && mine->process_ == ::getpid()) return mine.get();
  mine.reset();
  std::unique_ptr<EventLoop> made(new EventLoop);
  if (const int error = made->start(); error != 0) return std::unexpected(error);
  mine = std::move(made);
  return mine.get();
}

int EventLoop::start() {
  process_ = ::getpid();
  set_.reset(::epoll_create1(EPOLL_CLOEXEC));
  if (!set_) return errno;
  // libuv's errors are negative errnos.
  if (const int error = ::uv_loop_init(&loop_); error != 0) return -error;
  has_loop_ = true;
  if (const int error = ::uv_async_init(&loop_, &wake_, [](uv_async_t*) {}); error != 0) return -error;
  has_wake_ = true;
  if (const int error = ::uv_poll_init(&loop_, &news_, set_.get()); error != 0) return -error;
  has_news_ = true;
  if (const int error = ::uv_poll_start(&news_, UV_READABLE, [](uv_poll_t*, int, int) {}); error != 0) return -error;
  return take_places();
}

// libuv aborts the process when the kernel refuses to watch one more descriptor for it, and a guest may have used up
// what there is (fs.epoll.max_user_watches, memory). So what libuv is going to watch gets its place in libuv's set
// here, where an error can be told; libuv then changes what is there.
int EventLoop::take_places() {
  for (const int fd : {set_.get(), loop_.async_io_watcher.fd, loop_.signal_io_watcher.fd}) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = fd;
    if (::epoll_ctl(::uv_backend_fd(&loop_), EPOLL_CTL_ADD, fd, &event) != 0) return errno;
  }
  return 0;
}

EventLoop::~EventLoop() {
  if (!has_loop_) return;
  // In a forked child, closing as it is would take the handles out of the parent's epoll set, which both have.
  if (process_ != ::getpid()) ::uv_loop_fork(&loop_);
  if (has_news_) ::uv_close(reinterpret_cast<uv_handle_t*>(&news_), nullptr);
  if (has_wake_) ::uv_close(reinterpret_cast<uv_handle_t*>(&wake_), nullptr);
  ::uv_run(&loop_, UV_RUN_DEFAULT);
  ::uv_loop_close(&loop_);
}

void EventLoop::wake() { ::uv_async_send(&wake_); }

int EventLoop::watch(int fd, std::uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.fd = fd;
  if (::epoll_ctl(set_.get(), EPOLL_CTL_ADD, fd, &event) == 0) return 0;
  // Left over from a wait whose end went wrong.
  if (errno == EEXIST) return ::epoll_ctl(set_.get(), EPOLL_CTL_MOD, fd, &event) == 0 ? 0 : errno;
  // What cannot be waited for is always ready; poll() has said so.
  return errno == EPERM ? 0 : errno;
}

int EventLoop::set(Timer& timer, const std::optional<std::uint64_t>& time) {
  if (!time && !timer.is_set) return 0;
  if (!timer.fd) {
    timer.fd.reset(::timerfd_create(timer.clock, TFD_CLOEXEC | TFD_NONBLOCK));
    if (!timer.fd) return errno;
    if (const int error = watch(timer.fd.get(), EPOLLIN); error != 0) {
      timer.fd.reset();
      return error;
    }
  }
  itimerspec setting{};  // zero: off
  if (time) {
    const std::uint64_t at = std::max<std::uint64_t>(*time, 1);
    setting.it_value.tv_sec = static_cast<time_t>(at / 1'000'000'000);
    setting.it_value.tv_nsec = static_cast<long>(at % 1'000'000'000);
  }
  if (::timerfd_settime(timer.fd.get(), TFD_TIMER_ABSTIME, &setting, nullptr) != 0) return errno;
  timer.is_set = time.has_value();
  return 0;
}

EventLoop::Watch::Watch(EventLoop& loop, runtime::ExecState& exec, std::span<const pollfd> fds, const Until& until)
    : loop_(loop), exec_(exec), fds_(fds.first(0)) {
  {
    const std::lock_guard lock(exec.parker.mutex);
    exec.parker.waker = &loop;
  }
  error_ = loop.set(loop.monotonic_, until.monotonic);
  if (error_ == 0) error_ = loop.set(loop.realtime_, until.realtime);
  for (std::size_t i = 0; i < fds.size() && error_ == 0; ++i) {
    // The bits of epoll are those of poll.
    if (fds[i].fd >= 0) error_ = loop.watch(fds[i].fd, static_cast<std::uint16_t>(fds[i].events));
    if (error_ == 0) fds_ = fds.first(i + 1);
  }
}

EventLoop::Watch::~Watch() {
  for (const pollfd& fd : fds_) {
    if (fd.fd >= 0) ::epoll_ctl(loop_.set_.get(), EPOLL_CTL_DEL, fd.fd, nullptr);
  }
  const std::lock_guard lock(exec_.parker.mutex);
  exec_.parker.waker = nullptr;
}

void EventLoop::Watch::sleep() { ::uv_run(&loop_.loop_, UV_RUN_ONCE); }

}  // namespace wasi::preview1
