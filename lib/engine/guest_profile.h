// Where a guest spends its time, by samples: for profilers. Not of the public API.
#pragma once

#include <wasi/store.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wasi::runtime {
class GuestSampler;
}

namespace wasi::detail {

// Stacks are chains of nodes, which many samples have in common.
struct GuestProfile {
  enum class Code : std::uint8_t { interpreted, baseline, optimised };
  struct Function {
    std::string module;  // by the name section; empty: it has none
    std::string name;    // from there, or an export; empty: unknown
    std::uint32_t index = 0;
  };
  struct Frame {
    std::uint32_t function = 0;           // in functions
    std::optional<std::uint64_t> offset;  // of the instruction in the module
    std::string file = {};                // of the source, where the module's line tables say; else empty
    std::uint32_t line = 0;
    Code code = Code::interpreted;
    bool is_inlined = false;  // into the code of its caller
  };
  struct Node {
    std::optional<std::uint32_t> caller;  // a node before this one; empty: the host called
    std::uint32_t frame = 0;              // in frames
  };
  struct Sample {
    std::chrono::nanoseconds at;  // since `begin`
    std::uint32_t node = 0;       // the newest frame
    std::uint32_t thread = 0;     // 0: the store's own; others are wasi-threads
  };

  std::chrono::system_clock::time_point begin;
  std::chrono::nanoseconds duration{0};
  std::chrono::microseconds period{0};
  std::vector<Function> functions;
  std::vector<Frame> frames;
  std::vector<Node> nodes;
  std::vector<Sample> samples;  // in order
};

std::string_view name_of(GuestProfile::Code code);  // "interpreter", "baseline", "optimised"

// Samples the guests of a store from its construction until finish(), on the thread that runs them, and with them the
// threads of wasi-threads.
class GuestProfiler {
 public:
  static Result<GuestProfiler> start(const Store& store, std::chrono::microseconds period);
  GuestProfiler(GuestProfiler&&) noexcept;
  GuestProfiler& operator=(GuestProfiler&&) = delete;
  ~GuestProfiler();

  // Once, while no guest of the store runs.
  GuestProfile finish();

 private:
  explicit GuestProfiler(std::chrono::microseconds period);
  std::chrono::microseconds period_;
  std::chrono::system_clock::time_point begin_;
  std::chrono::steady_clock::time_point begin_steady_;
  std::unique_ptr<runtime::GuestSampler> sampler_;
};

}  // namespace wasi::detail
