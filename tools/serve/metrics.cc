// See metrics.h.
#include "tools/serve/metrics.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string_view>

namespace wasirun::serve {

namespace {

constexpr std::string_view kFailureNames[] = {"trap", "answer", "deadline", "resources", "cancelled"};
static_assert(std::size(kFailureNames) == static_cast<std::size_t>(FailureKind::cancelled) + 1);

class Text {
 public:
  void family(std::string_view name, std::string_view type, std::string_view help) {
    fmt::format_to(std::back_inserter(text_), "# HELP {0} {2}\n# TYPE {0} {1}\n", name, type, help);
  }
  template <class T>
  void sample(std::string_view name, const T& value) {
    fmt::format_to(std::back_inserter(text_), "{} {}\n", name, value);
  }
  template <class T>
  void single(std::string_view name, std::string_view type, std::string_view help, const T& value) {
    family(name, type, help);
    sample(name, value);
  }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

double seconds(std::chrono::nanoseconds time) { return std::chrono::duration<double>(time).count(); }

}  // namespace

void Metrics::count_request(std::uint16_t status, std::chrono::nanoseconds took, std::uint64_t body_bytes) {
  ++by_status_[status];
  const auto bucket = std::ranges::lower_bound(
      kBuckets, took, {}, [](std::uint32_t end) { return std::chrono::nanoseconds(std::chrono::microseconds(end)); });
  ++by_time_[static_cast<std::size_t>(bucket - kBuckets.begin())];
  time_ += took;
  ++requests_;
  body_bytes_ += body_bytes;
}

std::string Metrics::to_text(const Gauges& gauges) const {
  Text text;
  text.family("wasirun_http_requests_total", "counter",
              "Requests that were answered, by status; 499: the client had gone.");
  for (const auto& [status, count] : by_status_) {
    text.sample(fmt::format("wasirun_http_requests_total{{code=\"{}\"}}", status), count);
  }
  text.family("wasirun_http_request_duration_seconds", "histogram",
              "From a request's last byte to its response's, waiting included.");
  std::uint64_t so_far = 0;
  for (std::size_t i = 0; i < kBuckets.size(); ++i) {
    so_far += by_time_[i];
    text.sample(fmt::format("wasirun_http_request_duration_seconds_bucket{{le=\"{}\"}}",
                            seconds(std::chrono::microseconds(kBuckets[i]))),
                so_far);
  }
  text.sample("wasirun_http_request_duration_seconds_bucket{le=\"+Inf\"}", requests_);
  text.sample("wasirun_http_request_duration_seconds_sum", seconds(time_));
  text.sample("wasirun_http_request_duration_seconds_count", requests_);
  text.single("wasirun_http_response_body_bytes_total", "counter", "Bytes of responses' bodies.", body_bytes_);
  text.single("wasirun_http_refused_total", "counter", "Requests that found the queue full.", refused_);
  text.single("wasirun_http_connections", "gauge", "Open connections.", gauges.connections);
  text.single("wasirun_http_running", "gauge", "Requests that guests are answering.", gauges.running);
  text.single("wasirun_http_queued", "gauge", "Requests that wait for a guest.", gauges.queued);
  text.single("wasirun_instances_total", "counter", "Requests that were handed to an instance of their own.",
              instances_);
  text.family("wasirun_failures_total", "counter", "Requests that their guests did not answer, by the reason.");
  for (std::size_t i = 0; i < failures_.size(); ++i) {
    text.sample(fmt::format("wasirun_failures_total{{reason=\"{}\"}}", kFailureNames[i]), failures_[i]);
  }
  text.single("wasirun_log_lines_dropped_total", "counter", "Lines of the log that found no room.",
              gauges.log_lines_dropped);
  return text.take();
}

std::string process_metrics() {
  Text text;
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto microseconds = [](const timeval& time) {
    return std::chrono::seconds(time.tv_sec) + std::chrono::microseconds(time.tv_usec);
  };
  text.single("process_cpu_seconds_total", "counter", "Processor time, of the kernel's for it too.",
              seconds(microseconds(usage.ru_utime) + microseconds(usage.ru_stime)));
  std::ifstream statm("/proc/self/statm");
  std::uint64_t virtual_pages = 0;
  std::uint64_t resident_pages = 0;
  if (statm >> virtual_pages >> resident_pages) {
    const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    text.single("process_resident_memory_bytes", "gauge", "Memory that is in use.", resident_pages * page);
    text.single("process_virtual_memory_bytes", "gauge", "Address space, most of it reserved for guests' memories.",
                virtual_pages * page);
  }
  std::error_code error;
  const auto descriptors = std::filesystem::directory_iterator("/proc/self/fd", error);
  if (!error) {
    // The one that is open for counting is none.
    const auto count = std::distance(begin(descriptors), end(descriptors)) - 1;
    text.single("process_open_fds", "gauge", "Open descriptors.", count);
  }
  return text.take();
}

}  // namespace wasirun::serve
