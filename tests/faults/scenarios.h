// Calls of every function of preview1, whose host calls are then made to fail one by one.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "world.h"

namespace wasi::preview1::test {

// A host call whose failure the guest does not notice, rightly.
struct Harmless {
  std::string_view call;
  int error = 0;  // 0: whatever the error is
};

struct Scenario {
  std::string_view function;
  std::string_view what = {};
  std::function<void(World&)> prepare = {};
  std::function<Errno(World&)> call = {};
  // What the guest has got, after a success.
  std::function<std::string(World&)> look = {};
  // Host calls that it is seen to make; none at all where this is empty.
  std::vector<std::string_view> rests_on = {};
  std::vector<Harmless> harmless = {};
  // Checks a transfer: that as many bytes as the guest was told (none after an error) have arrived, once and in order,
  // and that what has not can still be had. Instead of comparing with a run without faults.
  std::function<void(World&, std::size_t told)> verify = {};
  // A name that an error may leave behind: made before the step that failed.
  std::string_view leaves = {};
  // Host calls of these names are the function's own; elsewhere read() and write() are the event loop's.
  bool uses_read_and_write = false;
  bool waits = true;  // EAGAIN of the host's is not an answer
};

std::vector<Scenario> scenarios();

}  // namespace wasi::preview1::test
