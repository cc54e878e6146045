// Files that the command makes and removes: they go also when a signal ends it.
//
// The signals are those whose default is to end the process, but for SIGKILL, which nobody can see coming, and memory
// faults, which are for the engine. One that was ignored when the command started stays ignored. The process then still
// ends by its signal, as whoever sent it expects.
#pragma once

#include <csignal>
#include <string>

namespace wasirun {

namespace detail {
struct RemovedEntry;
}

// A file that such a signal removes as long as this object lives. Who owns the file removes it in all other cases.
class RemovedFile {
 public:
  RemovedFile() = default;
  // `path` exists. What takes its place later is not touched.
  explicit RemovedFile(const std::string& path);
  RemovedFile(RemovedFile&& other) noexcept;
  RemovedFile& operator=(RemovedFile&& other) noexcept;
  ~RemovedFile();

 private:
  detail::RemovedEntry* entry_ = nullptr;
};

// Lets these signals wait, as far as this thread gets them: from before a file is made until it is a RemovedFile.
class SignalsWait {
 public:
  SignalsWait();
  ~SignalsWait();
  SignalsWait(const SignalsWait&) = delete;
  SignalsWait& operator=(const SignalsWait&) = delete;

 private:
  sigset_t before_{};
};

}  // namespace wasirun
