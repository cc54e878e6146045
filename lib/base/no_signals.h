// Threads of the library's own take no signals: those are the embedder's.
#pragma once

#include <pthread.h>

#include <csignal>

namespace wasi::base {

// While it lives, this thread takes no signals, and neither do threads that it starts.
class NoSignals {
 public:
  NoSignals() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~NoSignals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  NoSignals(const NoSignals&) = delete;
  NoSignals& operator=(const NoSignals&) = delete;

 private:
  sigset_t before_;
};

}  // namespace wasi::base
