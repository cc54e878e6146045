// Samples of what a store's guests do, for profilers: a thread asks now and then, by a bit of ExecState::interrupt, and
// the store's own thread answers at its next poll (loop heads, entries, around host functions) with who is on its
// stack. So all tiers answer, code costs what it costs without, and a sample is late by some microseconds at most.
//
// One store is sampled by one sampler, and with it the stores of the program that it runs with others (program.h). Time
// that a guest spends in host functions counts for where it called them.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "runtime/sample_interrupt.h"

namespace wasi::runtime {

struct FunctionCode;
class Program;

class GuestSampler {
 public:
  enum class Code : std::uint8_t { interpreted, baseline, optimised };

  struct Frame {
    const FunctionCode* function = nullptr;
    std::uint64_t offset = kNoOffset;  // of the instruction in the module
    Code code = Code::interpreted;
    bool is_inlined = false;  // its code is in that of the frame below it
    friend auto operator<=>(const Frame&, const Frame&) = default;
  };
  static constexpr std::uint64_t kNoOffset = UINT64_MAX;

  // A stack is a node and those above it: who calls stands before whom is called.
  struct Node {
    std::uint32_t caller = kNoNode;
    std::uint32_t frame = 0;  // in frames()
    friend auto operator<=>(const Node&, const Node&) = default;
  };
  static constexpr std::uint32_t kNoNode = UINT32_MAX;

  struct Sample {
    std::chrono::steady_clock::time_point at;
    std::uint32_t node = kNoNode;
    std::uint32_t thread = 0;  // 0: of the store's own; others in the order in which they were met
  };

  // Samples from now on. Throws std::system_error where no thread can be had.
  GuestSampler(ExecState& exec, std::chrono::microseconds period);
  ~GuestSampler();
  GuestSampler(const GuestSampler&) = delete;
  GuestSampler& operator=(const GuestSampler&) = delete;

  // No more samples. What is below is read behind this, and names functions of the store, which still lives.
  void stop();
  [[nodiscard]] const std::vector<Frame>& frames() const { return frames_; }
  [[nodiscard]] const std::vector<Node>& nodes() const { return nodes_; }
  [[nodiscard]] const std::vector<Sample>& samples() const { return samples_; }
  [[nodiscard]] std::uint64_t lost() const { return lost_; }  // for want of memory

  // The answer, on the store's thread, where a poll has seen the bit.
  static void answer(ExecState& exec);
  // The store has joined its program, and leaves it: on its thread.
  static void joined(const ExecState& exec);
  static void left(const ExecState& exec);

 private:
  void run();
  void ask();
  [[nodiscard]] bool is_of(const ExecState& exec) const;
  void sample(const ExecState& exec);
  void record(const ExecState& exec);
  std::uint32_t frame_number(const Frame& frame);

  ExecState& exec_;
  const std::chrono::microseconds period_;
  std::vector<Frame> frames_;
  std::vector<Node> nodes_;
  std::vector<Sample> samples_;
  std::uint64_t lost_ = 0;
  std::map<Frame, std::uint32_t> frame_numbers_;
  std::map<Node, std::uint32_t> node_numbers_;
  std::vector<Frame> stack_;          // of the present sample, newest first
  std::shared_ptr<Program> program_;  // of the store; null: it runs alone
  std::map<const ExecState*, std::uint32_t> threads_;
  std::uint32_t next_thread_ = 1;

  std::mutex mutex_;
  std::condition_variable ending_;
  bool is_ending_ = false;
  std::thread thread_;
};

}  // namespace wasi::runtime
