#include "tools/serve/metrics.h"

#include <catch2/catch.hpp>
#include <chrono>
#include <regex>
#include <sstream>
#include <string>

using wasirun::serve::FailureKind;
using wasirun::serve::Metrics;
using namespace std::chrono_literals;

namespace {

// Every line is a comment or a sample, and every sample's family was described.
void check_format(const std::string& text) {
  std::istringstream lines(text);
  const std::regex sample(R"re(([a-z_]+?)(_bucket|_sum|_count)?(\{[a-z]+="[^"]*"\})? [-+0-9.e]+)re");
  std::string family;
  for (std::string line; std::getline(lines, line);) {
    INFO(line);
    std::smatch match;
    if (line.starts_with("# TYPE ")) {
      family = line.substr(7, line.find(' ', 7) - 7);
    } else if (!line.starts_with("# HELP ")) {
      REQUIRE(std::regex_match(line, match, sample));
      CHECK(line.starts_with(family));
    }
  }
  CHECK(text.ends_with('\n'));
}

}  // namespace

TEST_CASE("What was counted is told") {
  Metrics metrics;
  metrics.count_request(200, 50us, 6);
  metrics.count_request(200, 100us, 6);
  metrics.count_request(200, 101us, 6);
  metrics.count_request(504, 20s, 0);
  metrics.count_failure(FailureKind::deadline);
  metrics.count_refusal();
  metrics.count_instance();
  const std::string text = metrics.to_text({.connections = 3, .running = 2, .queued = 1, .log_lines_dropped = 4});
  check_format(text);
  for (const char* line :
       {"wasirun_http_requests_total{code=\"200\"} 3", "wasirun_http_requests_total{code=\"504\"} 1",
        // Buckets count all that are within them.
        "wasirun_http_request_duration_seconds_bucket{le=\"0.0001\"} 2",
        "wasirun_http_request_duration_seconds_bucket{le=\"0.00025\"} 3",
        "wasirun_http_request_duration_seconds_bucket{le=\"10\"} 3",
        "wasirun_http_request_duration_seconds_bucket{le=\"+Inf\"} 4", "wasirun_http_request_duration_seconds_count 4",
        "wasirun_http_response_body_bytes_total 18", "wasirun_http_refused_total 1", "wasirun_http_connections 3",
        "wasirun_http_running 2", "wasirun_http_queued 1", "wasirun_instances_total 1",
        "wasirun_failures_total{reason=\"deadline\"} 1", "wasirun_failures_total{reason=\"trap\"} 0",
        "wasirun_log_lines_dropped_total 4"}) {
    CHECK_THAT(text, Catch::Contains(std::string(line) + "\n"));
  }
  CHECK_THAT(text, Catch::Contains("wasirun_http_request_duration_seconds_sum 20.00025"));
}

TEST_CASE("What is told of the process") {
  const std::string text = wasirun::serve::process_metrics();
  check_format(text);
  for (const char* name : {"\nprocess_cpu_seconds_total ", "\nprocess_resident_memory_bytes ", "\nprocess_open_fds "}) {
    CHECK_THAT(text, Catch::Contains(name));
  }
}
