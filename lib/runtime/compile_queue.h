// Functions that wait for their compilation in the background, and the threads that do it: few, of low priority,
// started when there is something to do.
//
// Modules that go take their functions off the queue, and cancel and wait for one that is being compiled: a compiler
// polls every few KiB of a body. One that takes longer between polls is absent meanwhile (Absence), and nobody waits.
// A forked process has none of the threads, and whatever they held is held for ever: the
// queue takes nothing there, and lets go of nothing.
// Thread-safe.
#pragma once

#include <wasi/error.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

namespace wasi::runtime {

struct FunctionCode;
struct ModuleCode;
class Preparation;

struct CompileJob {
  ModuleCode* module = nullptr;
  FunctionCode* function = nullptr;        // null: `keeps`, or the module's code from an earlier run is looked for
  std::optional<std::uint64_t> loop = {};  // for whose sake
  bool keeps = false;                      // what the module has run is compiled for the next run
};

// How a job does something without its module, and without whoever made the queue: they may go meanwhile.
class Absence {
 public:
  virtual ~Absence() = default;
  // From now on the job touches neither of them. False where it is not wanted any more, and it stays.
  [[nodiscard]] virtual bool leave() = 0;
  // False where they have gone. Else they are there until the job is done.
  [[nodiscard]] virtual bool come_back() = 0;
  // What come_back() said last; true before that.
  [[nodiscard]] virtual bool is_back() const = 0;
};

class CompileQueue {
 public:
  // Does not throw.
  using Work = std::function<void(const CompileJob& job, Preparation& preparation, Absence& absence)>;

  // `niceness` is added to that of the thread which adds the first job.
  CompileQueue(Work work, unsigned most_threads, int niceness);
  ~CompileQueue();
  CompileQueue(const CompileQueue&) = delete;
  CompileQueue& operator=(const CompileQueue&) = delete;

  // False where there is no thread, or no memory.
  [[nodiscard]] bool add(const CompileJob& job);
  void forget(const ModuleCode& module);
  void wait();
  // Made by this process, not by one that it was forked from.
  [[nodiscard]] bool is_own() const;

 private:
  struct State;
  std::shared_ptr<State> state_;  // which absent jobs outlive the queue with
};

}  // namespace wasi::runtime
