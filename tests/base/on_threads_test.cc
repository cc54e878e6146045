// The same work on several threads: each part of it once, on threads that leave signals to the program's own.
#include "base/on_threads.h"

#include <pthread.h>

#include <array>
#include <atomic>
#include <catch2/catch.hpp>
#include <csignal>

namespace wasi::base {
namespace {

bool is_blocked(int signal) {
  sigset_t set;
  pthread_sigmask(SIG_SETMASK, nullptr, &set);
  return sigismember(&set, signal) == 1;
}

}  // namespace

TEST_CASE("work is called once with each number, the first of them on this thread") {
  std::array<std::atomic<int>, 4> calls = {};
  const pthread_t self = pthread_self();
  std::atomic<int> here{0};
  on_threads(calls.size(), [&](std::size_t i) {
    ++calls.at(i);
    if (pthread_equal(self, pthread_self()) != 0) here += i == 0 ? 1 : 100;
  });
  for (const auto& count : calls) CHECK(count == 1);
  CHECK(here == 1);
}

TEST_CASE("threads of the library's own take no signals, and this one takes those that it took") {
  std::atomic<int> blocked{0};
  on_threads(3, [&](std::size_t i) {
    if (i != 0 && is_blocked(SIGTERM)) ++blocked;
    if (i == 0 && is_blocked(SIGTERM)) blocked += 100;
  });
  CHECK(blocked == 2);
  CHECK_FALSE(is_blocked(SIGTERM));
}

}  // namespace wasi::base
