// What a server counts, and how Prometheus reads it. On the loop's thread alone.
// Source: https://prometheus.io/docs/instrumenting/exposition_formats/
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "tools/serve/contract.h"

namespace wasirun::serve {

// What is looked at when somebody asks, as opposed to what is counted.
struct Gauges {
  std::size_t connections = 0;
  std::size_t running = 0;
  std::size_t queued = 0;
  std::uint64_t log_lines_dropped = 0;
};

class Metrics {
 public:
  // Upper ends of the histogram's buckets, in microseconds.
  static constexpr std::array<std::uint32_t, 16> kBuckets = {
      100,    250,     500,     1'000,   2'500,     5'000,     10'000,    25'000,
      50'000, 100'000, 250'000, 500'000, 1'000'000, 2'500'000, 5'000'000, 10'000'000};

  void count_request(std::uint16_t status, std::chrono::nanoseconds took, std::uint64_t body_bytes);
  void count_failure(FailureKind kind) { ++failures_[static_cast<std::size_t>(kind)]; }
  void count_instance() { ++instances_; }
  void count_refusal() { ++refused_; }

  // The text format, version 0.0.4.
  [[nodiscard]] std::string to_text(const Gauges& gauges) const;

 private:
  std::map<std::uint16_t, std::uint64_t> by_status_;
  std::array<std::uint64_t, kBuckets.size() + 1> by_time_{};  // each alone; the last: longer than all
  std::chrono::nanoseconds time_{0};
  std::uint64_t requests_ = 0;
  std::uint64_t body_bytes_ = 0;
  std::array<std::uint64_t, 5> failures_{};
  std::uint64_t instances_ = 0;
  std::uint64_t refused_ = 0;
};

// What Prometheus' own libraries tell of a process: memory, processor time, descriptors.
std::string process_metrics();

}  // namespace wasirun::serve
