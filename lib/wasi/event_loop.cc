// See event_loop.h.
#include "wasi/event_loop.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <mutex>

namespace wasi::preview1 {
namespace {

// What a first loop of libuv takes: a set, a pipe for the process, a pipe and an eventfd of its own.
constexpr std::size_t kPipes = 3;

bool has_descriptors() {
  std::array<os::UniqueFd, 2 * kPipes> held;
  for (std::size_t i = 0; i < held.size(); i += 2) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return false;
    held[i].reset(ends[0]);
    held[i + 1].reset(ends[1]);
  }
  return true;
}

bool init(uv_loop_t& loop) {
  if (!has_descriptors()) return false;
  if (::uv_loop_init(&loop) == 0) return true;
  // Which some versions do not close.
  if (loop.backend_fd > 0) ::close(loop.backend_fd);
  return false;
}

}  // namespace

bool EventLoop::prepare() {
  static std::atomic<bool> is_prepared = false;
  static std::mutex mutex;
  if (is_prepared.load(std::memory_order_acquire)) return true;
  const std::lock_guard lock(mutex);
  if (is_prepared.load(std::memory_order_relaxed)) return true;
  uv_loop_t loop{};
  if (!init(loop)) return false;
  ::uv_loop_close(&loop);
  is_prepared.store(true, std::memory_order_release);
  return true;
}

EventLoop* EventLoop::of_this_thread() {
  thread_local std::unique_ptr<EventLoop> mine;
  if (mine != nullptr && mine->process_ == ::getpid()) return mine.get();
  mine.reset();
  if (!prepare()) return nullptr;
  std::unique_ptr<EventLoop> made(new EventLoop);
  if (!made->start()) return nullptr;
  mine = std::move(made);
  return mine.get();
}

bool EventLoop::start() {
  process_ = ::getpid();
  set_.reset(::epoll_create1(EPOLL_CLOEXEC));
  if (!set_ || !init(loop_)) return false;
  has_loop_ = true;
  if (!take_place(loop_.async_io_watcher.fd) || !take_place(loop_.signal_io_watcher.fd)) return false;
  if (::uv_async_init(&loop_, &wake_, [](uv_async_t*) {}) != 0) return false;
  has_wake_ = true;
  if (::uv_poll_init(&loop_, &news_, set_.get()) != 0) return false;
  has_news_ = true;
  // Both give the set's place up, so that is taken behind them.
  return ::uv_poll_start(&news_, UV_READABLE, [](uv_poll_t*, int, int) {}) == 0 && take_place(set_.get());
}

// The kernel may refuse to watch one more descriptor (fs.epoll.max_user_watches, memory), in the midst of uv_run(). So
// what libuv is going to watch gets its place in libuv's set here; libuv then changes what is there.
bool EventLoop::take_place(int fd) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = fd;
  return ::epoll_ctl(::uv_backend_fd(&loop_), EPOLL_CTL_ADD, fd, &event) == 0;
}

EventLoop::~EventLoop() {
  if (!has_loop_) return;
  if (process_ != ::getpid()) {
    abandon();
    return;
  }
  if (has_news_) ::uv_close(reinterpret_cast<uv_handle_t*>(&news_), nullptr);
  if (has_wake_) ::uv_close(reinterpret_cast<uv_handle_t*>(&wake_), nullptr);
  ::uv_run(&loop_, UV_RUN_DEFAULT);
  ::uv_loop_close(&loop_);
}

// In a forked child: closing as usual would take the handles out of the parent's epoll set, which both have, and
// uv_loop_fork() needs a set that there may not be. The descriptors are closed, a few hundred bytes stay.
void EventLoop::abandon() {
  for (const int fd :
       {loop_.async_io_watcher.fd, loop_.signal_pipefd[0], loop_.signal_pipefd[1], ::uv_backend_fd(&loop_)}) {
    if (fd >= 0) ::close(fd);
  }
}

void EventLoop::wake() { ::uv_async_send(&wake_); }

bool EventLoop::watch(int fd, std::uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.fd = fd;
  if (::epoll_ctl(set_.get(), EPOLL_CTL_ADD, fd, &event) == 0) return true;
  // Left over from a wait whose end went wrong.
  if (errno == EEXIST) return ::epoll_ctl(set_.get(), EPOLL_CTL_MOD, fd, &event) == 0;
  // What cannot be waited for is always ready; poll() has said so.
  return errno == EPERM;
}

bool EventLoop::set(Timer& timer, const std::optional<std::uint64_t>& time) {
  if (!time && !timer.is_set) return true;
  if (!timer.fd) {
    timer.fd.reset(::timerfd_create(timer.clock, TFD_CLOEXEC | TFD_NONBLOCK));
    if (!timer.fd) return false;
    if (!watch(timer.fd.get(), EPOLLIN)) {
      timer.fd.reset();
      return false;
    }
  }
  itimerspec setting{};  // zero: off
  if (time) {
    const std::uint64_t at = std::max<std::uint64_t>(*time, 1);
    setting.it_value.tv_sec = static_cast<time_t>(at / 1'000'000'000);
    setting.it_value.tv_nsec = static_cast<long>(at % 1'000'000'000);
  }
  if (::timerfd_settime(timer.fd.get(), TFD_TIMER_ABSTIME, &setting, nullptr) != 0) return false;
  timer.is_set = time.has_value();
  return true;
}

EventLoop::Watch::Watch(EventLoop& loop, runtime::ExecState& exec, std::span<const pollfd> fds, const Until& until)
    : loop_(loop), exec_(exec), fds_(fds.first(0)) {
  {
    const std::lock_guard lock(exec.parker.mutex);
    exec.parker.waker = &loop;
  }
  is_complete_ = loop.set(loop.monotonic_, until.monotonic) && loop.set(loop.realtime_, until.realtime);
  for (std::size_t i = 0; i < fds.size() && is_complete_; ++i) {
    // The bits of epoll are those of poll.
    if (fds[i].fd >= 0) is_complete_ = loop.watch(fds[i].fd, static_cast<std::uint16_t>(fds[i].events));
    if (is_complete_) fds_ = fds.first(i + 1);
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
