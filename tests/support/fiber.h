// A stack that the test switches to, as embedders' fibers and coroutines do.
#pragma once

#include <ucontext.h>

#include <cstddef>
#include <functional>
#include <span>
#include <utility>
#include <vector>

namespace wasi::test {

// Runs `body` on a stack of its own, in turns with whoever resumes it. Below the stack lie bytes of which none may be
// written.
class Fiber {
 public:
  Fiber(std::size_t bytes, std::function<void(Fiber&)> body)
      : bytes_(bytes), arena_(kGuarded + bytes, std::byte{0x5A}), body_(std::move(body)) {
    getcontext(&fiber_);
    fiber_.uc_stack.ss_sp = stack().data();
    fiber_.uc_stack.ss_size = bytes;
    fiber_.uc_link = &resumer_;
    const auto self = reinterpret_cast<std::uintptr_t>(this);
    makecontext(&fiber_, reinterpret_cast<void (*)()>(&Fiber::start), 2, static_cast<unsigned>(self >> 32),
                static_cast<unsigned>(self));
  }
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  // Until it waits or is done.
  void resume() { swapcontext(&resumer_, &fiber_); }
  void wait() { swapcontext(&fiber_, &resumer_); }
  [[nodiscard]] bool is_done() const { return is_done_; }

  [[nodiscard]] std::span<std::byte> stack() { return std::span(arena_).subspan(kGuarded, bytes_); }
  [[nodiscard]] std::size_t overwritten() const {
    std::size_t count = 0;
    for (std::size_t i = 0; i < kGuarded; ++i) count += arena_[i] == std::byte{0x5A} ? 0 : 1;
    return count;
  }

 private:
  static constexpr std::size_t kGuarded = std::size_t{1} << 20;
  static void start(unsigned high, unsigned low) {
    auto& self = *reinterpret_cast<Fiber*>(std::uintptr_t{high} << 32 | low);
    self.body_(self);
    self.is_done_ = true;
  }
  std::size_t bytes_;
  std::vector<std::byte> arena_;
  std::function<void(Fiber&)> body_;
  ucontext_t fiber_{};
  ucontext_t resumer_{};
  bool is_done_ = false;
};

}  // namespace wasi::test
