// Deadlines and interrupts around host functions, in stores that call each other, for some calls, without a thread.
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <thread>

#include "engine/fixture.h"

using namespace wasi;
using namespace wasi::test;
using std::chrono::milliseconds, std::chrono::hours, std::chrono::steady_clock;

namespace {

constexpr std::string_view kCalls = R"((module (import "" "h" (func $h))
  (func (export "unrolled") (call $h) (call $h) (call $h) (call $h) (call $h))
  (func (export "one") (result i32) (i32.const 1))
  (func $nothing)
  (func (export "call") (call $nothing))
  (func (export "run") (loop (br 0)))))";

struct Guest {
  Store store;
  Instance instance;
  Guest(const Engine& engine, const Linker& linker)
      : store(engine), instance(must(linker.instantiate(store, load(engine, kCalls)))) {}
  [[nodiscard]] std::expected<void, Trap> call(std::string_view name) const {
    return must(instance.function<void()>(name))();
  }
};

// No thread can be made while this exists: none has address space for its stack.
struct NoThreads {
  pthread_attr_t before;
  NoThreads() {
    REQUIRE(pthread_getattr_default_np(&before) == 0);
    pthread_attr_t huge;
    REQUIRE(pthread_attr_init(&huge) == 0);
    REQUIRE(pthread_attr_setstacksize(&huge, std::size_t{1} << 47) == 0);
    REQUIRE(pthread_setattr_default_np(&huge) == 0);
  }
  ~NoThreads() { pthread_setattr_default_np(&before); }
};

// The deadline thread is one for the process: a child of its own has none yet.
int status_of_child(int (*body)()) {
  const pid_t child = fork();
  if (child == 0) _exit(body());
  int status = -1;
  REQUIRE(waitpid(child, &status, 0) == child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 100 + WTERMSIG(status);
}

}  // namespace

TEST_CASE("A deadline ends straight code at the host function that passes it") {
  const Engine engine;
  Linker linker(engine);
  int calls = 0;
  linker.define("", "h", [&] {
    if (++calls != 2) return;
    std::this_thread::sleep_until(steady_clock::now() + milliseconds(30));
  });
  Guest guest(engine, linker);
  must(guest.store.set_deadline(steady_clock::now() + milliseconds(20)));
  const auto result = guest.call("unrolled");
  REQUIRE_FALSE(result);
  CHECK(result.error().code == TrapCode::deadline_exceeded);
  CHECK(calls <= 2);
  REQUIRE(result.error().backtrace.size() == 1);
}

TEST_CASE("An interrupt ends straight code at the host function during which it comes") {
  const Engine engine;
  Linker linker(engine);
  int calls = 0;
  std::optional<Interrupter> interrupter;
  linker.define("", "h", [&] {
    if (++calls == 2) interrupter->interrupt();
  });
  Guest guest(engine, linker);
  interrupter = guest.store.interrupter();
  const auto result = guest.call("unrolled");
  REQUIRE_FALSE(result);
  CHECK(result.error().code == TrapCode::interrupted);
  CHECK(calls == 2);
  // It is answered.
  calls = 10;
  must(guest.call("unrolled"));
}

TEST_CASE("An interrupt that comes too late can be taken back") {
  const Engine engine;
  Linker linker(engine);
  linker.define("", "h", [] {});
  Guest guest(engine, linker);
  guest.store.interrupter().interrupt();
  guest.store.clear_interrupt();
  must(guest.call("call"));
  guest.store.interrupter().interrupt();
  CHECK_FALSE(guest.call("call"));
  // A deadline is no interrupt.
  must(guest.store.set_deadline(steady_clock::now() - milliseconds(1)));
  guest.store.clear_interrupt();
  CHECK_FALSE(guest.call("run"));
}

TEST_CASE("A deadline for some calls ends with its scope") {
  const Engine engine;
  Linker linker(engine);
  linker.define("", "h", [] {});
  Guest guest(engine, linker);
  {
    const auto scope = guest.store.limit_calls(steady_clock::now() + milliseconds(5));
    REQUIRE(scope);
    CHECK(guest.call("run").error().code == TrapCode::deadline_exceeded);
    CHECK(guest.call("call").error().code == TrapCode::deadline_exceeded);
  }
  must(guest.call("call"));
  // The store's own deadline holds inside, when it is the earlier one, and behind.
  must(guest.store.set_deadline(steady_clock::now() + milliseconds(5)));
  {
    const auto scope = guest.store.limit_calls(steady_clock::now() + hours(1));
    REQUIRE(scope);
    CHECK(guest.call("run").error().code == TrapCode::deadline_exceeded);
  }
  CHECK(guest.call("call").error().code == TrapCode::deadline_exceeded);
  must(guest.store.set_deadline(std::nullopt));
  {
    const auto outer = guest.store.limit_calls(steady_clock::now() + hours(1));
    const auto inner = guest.store.limit_calls(steady_clock::now() - milliseconds(1));
    CHECK_FALSE(guest.call("run"));
  }
  must(guest.call("call"));
}

TEST_CASE("A scope may outlive its store") {
  const Engine engine;
  auto store = std::make_unique<Store>(engine);
  auto scope = store->limit_calls(steady_clock::now() + hours(1));
  REQUIRE(scope);
  const DeadlineScope moved = std::move(*scope);
  store.reset();
}

TEST_CASE("Guests that host functions call inherit the deadline and the interrupts of the caller") {
  const Engine engine;
  Linker inner_linker(engine);
  inner_linker.define("", "h", [] {});
  Guest inner(engine, inner_linker);
  std::optional<TrapCode> inner_code;
  std::optional<Interrupter> interrupter;
  std::thread other;
  Linker linker(engine);
  linker.define("", "h", [&] {
    if (interrupter) {
      other = std::thread([&] {
        std::this_thread::sleep_for(milliseconds(5));
        interrupter->interrupt();
      });
    }
    const auto result = inner.call("run");
    if (!result) inner_code = result.error().code;
  });
  Guest outer(engine, linker);
  SECTION("the deadline") {
    must(outer.store.set_deadline(steady_clock::now() + milliseconds(10)));
    CHECK(outer.call("unrolled").error().code == TrapCode::deadline_exceeded);
    CHECK(inner_code == TrapCode::deadline_exceeded);
  }
  SECTION("an interrupt") {
    interrupter = outer.store.interrupter();
    CHECK(outer.call("unrolled").error().code == TrapCode::interrupted);
    CHECK(inner_code == TrapCode::interrupted);
    other.join();
  }
  SECTION("its own deadline, where that is the earlier one, is no matter of the outer store") {
    must(outer.store.set_deadline(steady_clock::now() + hours(1)));
    must(inner.store.set_deadline(steady_clock::now() + milliseconds(5)));
    must(outer.call("unrolled"));
    CHECK(inner_code == TrapCode::deadline_exceeded);
    must(inner.store.set_deadline(std::nullopt));
  }
  // Nothing of it stays behind.
  must(inner.call("call"));
}

TEST_CASE("Stores that call each other in a circle all stop") {
  const Engine engine;
  std::array<std::unique_ptr<Guest>, 3> guests;
  int depth = 0;
  Linker linker(engine);
  linker.define("", "h", [&] {
    ++depth;
    static_cast<void>(guests[static_cast<std::size_t>(depth) % 3]->call(depth == 7 ? "run" : "unrolled"));
  });
  for (auto& guest : guests) guest = std::make_unique<Guest>(engine, linker);
  must(guests[0]->store.set_deadline(steady_clock::now() + milliseconds(10)));
  CHECK(guests[0]->call("unrolled").error().code == TrapCode::deadline_exceeded);
  CHECK(depth == 7);
  must(guests[1]->call("call"));
}

TEST_CASE("Where no thread can be had to watch a deadline, setting one is an error and the next try works") {
  CHECK(status_of_child([] {
          const Engine engine;
          Linker linker(engine);
          linker.define("", "h", [] {});
          Guest guest(engine, linker);
          {
            const NoThreads none;
            const auto refused = guest.store.set_deadline(steady_clock::now() - milliseconds(1));
            if (refused || refused.error().kind != ErrorKind::limit) return 1;
            if (guest.store.limit_calls(steady_clock::now())) return 2;
            if (!guest.call("call")) return 3;
          }
          if (!guest.store.set_deadline(steady_clock::now() + milliseconds(5))) return 4;
          const auto result = guest.call("run");
          return !result && result.error().code == TrapCode::deadline_exceeded ? 0 : 5;
        }) == 0);
}

TEST_CASE("A store that is made with a deadline keeps it without a thread") {
  CHECK(status_of_child([] {
          const Engine engine;
          Linker linker(engine);
          std::optional<Instance> inner;
          linker.define("", "h", [&] { static_cast<void>(must(inner->function<void()>("run"))()); });
          const NoThreads none;
          Store store(engine, {.deadline = milliseconds(20)});
          const Module module = load(engine, kCalls);
          const Instance instance = must(linker.instantiate(store, module));
          // A guest of another store that it waits for polls for it.
          Store other(engine);
          inner = must(linker.instantiate(other, module));
          const auto result = must(instance.function<void()>("unrolled"))();
          if (result || result.error().code != TrapCode::deadline_exceeded) return 1;
          const auto again = must(instance.function<void()>("run"))();
          return !again && again.error().code == TrapCode::deadline_exceeded ? 0 : 2;
        }) == 0);
}
