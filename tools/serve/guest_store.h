// The store of one request's guest, within the limits of its request.
#pragma once

#include <wasi/linker.h>
#include <wasi/stdio.h>
#include <wasi/store.h>

#include <expected>
#include <functional>
#include <optional>
#include <stop_token>

#include "tools/serve/contract.h"
#include "tools/serve/contracts.h"

namespace wasirun::serve {

// Stays where it is made: while it lives, the guest is interrupted when nobody waits for the answer any more.
class GuestStore {
 public:
  // What it is to be given, with the request's deadline and limit of memory.
  GuestStore(const GuestSetup& setup, const RequestContext& context);
  GuestStore(const GuestStore&) = delete;
  GuestStore& operator=(const GuestStore&) = delete;

  // Empty, or why there is no store: get() is not to be called then.
  [[nodiscard]] const std::optional<Failure>& failure() const { return failure_; }
  [[nodiscard]] wasi::Store& get() { return *store_; }
  // Ends the guest at its next loop or call, from any thread, or from a function that it called.
  void interrupt() { interrupter_->interrupt(); }

 private:
  struct Interrupt {
    GuestStore& store;
    void operator()() const { store.interrupt(); }
  };

  std::optional<Failure> failure_;
  std::optional<wasi::Interrupter> interrupter_;  // outlives the store, whose threads may still use it
  std::optional<wasi::Store> store_;
  std::optional<std::stop_callback<Interrupt>> on_cancel_;
};

// The same of an instantiation: what is not to be had is 503, what the start function does is as any trap.
Failure failure_of(const wasi::InstantiationError& error);

// A standard stream whose bytes go to the request's log; lives no longer than the context.
wasi::Stdio log_stream(const RequestContext& context);

}  // namespace wasirun::serve
