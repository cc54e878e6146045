// See trace.h.
#include "wasi/trace.h"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <iterator>
#include <system_error>

namespace wasi::preview1 {
namespace {

thread_local std::int32_t thread_number = 0;

// Who is in the sink, which may throw.
class Writing {
 public:
  explicit Writing(std::atomic<std::thread::id>& writer) : writer_(writer) {
    writer_.store(std::this_thread::get_id(), std::memory_order_relaxed);
  }
  ~Writing() { writer_.store(std::thread::id(), std::memory_order_relaxed); }
  Writing(const Writing&) = delete;
  Writing& operator=(const Writing&) = delete;

 private:
  std::atomic<std::thread::id>& writer_;
};

}  // namespace

void describe_error(std::string& out, Errno error) {
  if (error == Errno::success) {
    out += '0';
    return;
  }
  out += name_of(error);
  const int host = host_errno(error);
  // The one error that hosts do not know.
  out += host == 0 ? " (Capabilities insufficient)" : " (" + std::system_category().message(host) + ")";
}

void set_trace_thread(std::int32_t number) { thread_number = number; }

bool matches(const std::string& pattern, std::string_view function) {
  return ::fnmatch(pattern.c_str(), std::string(function).c_str(), 0) == 0;
}

bool Tracer::shows(std::string_view function) const {
  if (writer_.load(std::memory_order_relaxed) == std::this_thread::get_id()) return false;
  const auto& patterns = config_.functions;
  return patterns.empty() ||
         std::ranges::any_of(patterns, [&](const std::string& pattern) { return matches(pattern, function); });
}

void Tracer::write(std::string_view line) {
  if (thread_number != 0) has_threads_.store(true, std::memory_order_relaxed);
  const std::lock_guard lock(mutex_);
  const Writing writing(writer_);
  if (!has_threads_.load(std::memory_order_relaxed)) return config_.sink(line);
  config_.sink(fmt::format("[tid {}] {}", thread_number, line));
}

CallTrace::CallTrace(Tracer& tracer, std::string_view function) : tracer_(tracer), function_(function) {
  text_ = function;
  text_ += '(';
  starts();
}

bool CallTrace::waits() {
  if (is_unfinished_) return false;
  is_unfinished_ = true;
  tracer_.write(text_ + " <unfinished ...>");
  text_ = fmt::format("<... {} resumed>", function_);
  return true;
}

void CallTrace::write() {
  if (tracer_.config().times) {
    const auto microseconds = std::chrono::duration_cast<std::chrono::microseconds>(end_ - start_).count();
    fmt::format_to(std::back_inserter(text_), " <{}.{:06}>", microseconds / 1'000'000, microseconds % 1'000'000);
  }
  tracer_.write(text_);
}

}  // namespace wasi::preview1
