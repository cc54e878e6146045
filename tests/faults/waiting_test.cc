// Waiting where the kernel watches no more descriptors, from one point or another on: libuv would end the process.
#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <cerrno>
#include <chrono>
#include <string_view>
#include <thread>

#include "host_calls.h"
#include "runtime/store.h"
#include "wasi/guest.h"

namespace wasi::preview1::test {
namespace {

using wasi::test::HostCall;
using wasi::test::Verdict;

std::atomic<int> first_refused = 0;
std::atomic<int> refused = 0;
std::atomic<int> refusal = 0;

TEST_CASE("a guest waits although nothing more can be watched", "[waiting]") {
  int pipe[2];
  REQUIRE(::pipe2(pipe, O_CLOEXEC) == 0);
  Config config;
  config.in = {.kind = Stdio::Kind::fd, .fd = pipe[0]};
  Guest guest(config);
  // Should nothing wake it.
  REQUIRE(guest.store().set_deadline(std::chrono::steady_clock::now() + std::chrono::seconds(60)));
  refusal = GENERATE(ENOSPC, ENOMEM);
  int first = 0;
  do {
    INFO(first);
    first_refused = first;
    refused = 0;
    wasi::test::set_judge([](const HostCall& call) -> Verdict {
      if (std::string_view(call.name) != "epoll_ctl" || first_refused-- > 0) return {};
      ++refused;
      return {.error = refusal};
    });
    std::string told;
    // With a loop of its own, which is made, and goes, meanwhile.
    std::thread([&] {
      std::thread writer([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
        (void)!::write(pipe[1], "x", 1);
      });
      told = guest.read_text(0);
      writer.join();
    }).join();
    wasi::test::set_judge(nullptr);
    CHECK(told == "x");
  } while (refused != 0 && ++first < 50);
  // The loop's own three places, a timer's for the deadline, the pipe's.
  CHECK(first >= 5);
  for (const int end : pipe) ::close(end);
}

}  // namespace
}  // namespace wasi::preview1::test
