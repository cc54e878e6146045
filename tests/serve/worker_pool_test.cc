#include "tools/serve/worker_pool.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <memory>
#include <semaphore>
#include <thread>

#include "tools/serve/memory_budget.h"

using wasirun::serve::MemoryBudget;
using wasirun::serve::WorkerPool;

TEST_CASE("The queue takes what the limits say, and no more") {
  std::counting_semaphore<> begun(0);
  std::counting_semaphore<> may_end(0);
  std::atomic<int> done = 0;
  WorkerPool pool({.threads = 2, .queued = 3}, [&](const WorkerPool::Job&) {
    begun.release();
    may_end.acquire();
    ++done;
  });
  CHECK(pool.running() == 0);
  REQUIRE(pool.push(nullptr));
  begun.acquire();
  REQUIRE(pool.push(nullptr));
  begun.acquire();
  CHECK(pool.running() == 2);
  for (int i = 0; i < 3; ++i) REQUIRE(pool.push(nullptr));
  CHECK(pool.queued() == 3);
  CHECK_FALSE(pool.push(nullptr));
  // One ends: its thread takes one from the queue, in which there is room again.
  may_end.release();
  begun.acquire();
  CHECK(pool.queued() == 2);
  CHECK(pool.push(nullptr));
  CHECK_FALSE(pool.push(nullptr));
  may_end.release(5);
  for (int i = 0; i < 3; ++i) begun.acquire();
  while (pool.running() != 0) std::this_thread::yield();
  CHECK(done == 6);
}

TEST_CASE("Without a queue there is room for as many as there are threads") {
  std::counting_semaphore<> begun(0);
  std::counting_semaphore<> may_end(0);
  WorkerPool pool({.threads = 2, .queued = 0}, [&](const WorkerPool::Job&) {
    begun.release();
    may_end.acquire();
  });
  REQUIRE(pool.push(nullptr));
  REQUIRE(pool.push(nullptr));
  CHECK_FALSE(pool.push(nullptr));
  may_end.release(2);
}

TEST_CASE("What waits is dropped with the pool, what runs is not") {
  std::atomic<int> done = 0;
  std::counting_semaphore<> begun(0);
  std::counting_semaphore<> may_end(0);
  {
    WorkerPool pool({.threads = 1, .queued = 10}, [&](const WorkerPool::Job&) {
      begun.release();
      may_end.acquire();
      ++done;
    });
    for (int i = 0; i < 5; ++i) REQUIRE(pool.push(nullptr));
    begun.acquire();
    may_end.release(5);
  }
  CHECK(done >= 1);
  CHECK(done <= 5);
}

TEST_CASE("A budget of memory is all shares together") {
  MemoryBudget budget(100);
  MemoryBudget::Share one(budget);
  CHECK(one.set(60));
  {
    MemoryBudget::Share two(budget);
    CHECK(two.set(40));
    CHECK_FALSE(two.set(41));
    CHECK(budget.used() == 101);
    MemoryBudget::Share moved = std::move(two);
    CHECK(two.set(0));
    CHECK(budget.used() == 101);
    CHECK(moved.set(10));
    one = std::move(moved);
    CHECK(budget.used() == 10);
  }
  CHECK(budget.used() == 10);
  CHECK(one.set(0));
  CHECK(budget.used() == 0);
}
