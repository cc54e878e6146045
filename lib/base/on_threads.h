// The same work on several threads at once, by whoever waits for it.
#pragma once

#include <cstddef>
#include <exception>
#include <thread>
#include <vector>

#include "base/no_signals.h"

namespace wasi::base {

// Calls work(0) here and, where threads can be had, work(1) to work(count - 1) on others, and returns when all have.
// Where fewer can be had the others are left out, so each call does what is still to do. It must not throw.
template <class Work>
void on_threads(std::size_t count, const Work& work) {
  std::vector<std::jthread> helpers;
  try {
    const NoSignals quiet;
    for (std::size_t i = 1; i < count; ++i) helpers.emplace_back([&work, i] { work(i); });
  } catch (const std::exception&) {  // bad_alloc, system_error
  }
  work(0);
}

}  // namespace wasi::base
