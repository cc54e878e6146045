#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "tools/serve/access_log.h"
#include "tools/serve/log_writer.h"

using wasirun::serve::Exchange;
using wasirun::serve::Finish;
using wasirun::serve::LogFormat;
using wasirun::serve::LogWriter;
using wasirun::serve::MemoryBudget;

namespace {

const std::chrono::system_clock::time_point kNow{std::chrono::seconds(1'796'038'626)};

std::string line(LogFormat format, const wasirun::serve::HttpRequest& request, const Finish& finish) {
  MemoryBudget budget(1);
  Exchange exchange(nullptr, MemoryBudget::Share(budget));
  exchange.request = request;
  return access_line(format, exchange, finish, kNow);
}

const wasirun::serve::HttpRequest kRequest = {.method = "GET",
                                              .target = "/a?b",
                                              .authority = "h",
                                              .fields = {{"User-Agent", "x \"y\"\n"}},
                                              .body = {},
                                              .remote_address = "10.0.0.1"};
const Finish kFinish = {.status = 200, .body_bytes = 6, .took = std::chrono::milliseconds(2)};

std::string content(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace

TEST_CASE("Lines of the access log") {
  CHECK(line(LogFormat::common, kRequest, kFinish) ==
        R"(10.0.0.1 - - [30/Nov/2026:11:37:06 +0000] "GET /a?b HTTP/1.1" 200 6)");
  CHECK(line(LogFormat::combined, kRequest, kFinish) ==
        R"(10.0.0.1 - - [30/Nov/2026:11:37:06 +0000] "GET /a?b HTTP/1.1" 200 6 "-" "x \"y\"\n")");
  // What was no request.
  CHECK(line(LogFormat::common, {}, {.status = 400}) == R"(- - - [30/Nov/2026:11:37:06 +0000] "-" 400 0)");
}

TEST_CASE("Objects of the access log") {
  auto request = kRequest;
  request.target = "/\xff";
  const auto object = nlohmann::json::parse(line(LogFormat::json, request, kFinish));
  CHECK(object["time"] == "2026-11-30T11:37:06.000Z");
  CHECK(object["method"] == "GET");
  CHECK(object["status"] == 200);
  CHECK(object["bytes"] == 6);
  CHECK(object["seconds"] == 0.002);
  CHECK(object["user_agent"] == "x \"y\"\n");
  CHECK(object["remote"] == "10.0.0.1");
  const auto message = nlohmann::json::parse(message_line(LogFormat::json, "guest", "a\x1b", kNow));
  CHECK(message["kind"] == "guest");
  CHECK(message["message"] == "a\x1b");
  CHECK(message_line(LogFormat::common, "guest", "a\x1b", kNow) == "2026-11-30T11:37:06.000Z guest: a\\x1b");
}

TEST_CASE("All lines get to the file, each whole") {
  const auto path = std::filesystem::temp_directory_path() / ("wasirun-log-" + std::to_string(::getpid()));
  {
    auto log = LogWriter::open(path.string());
    REQUIRE(log);
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        for (int k = 0; k < 1000; ++k) (*log)->line("a line");
      });
    }
    for (std::thread& thread : threads) thread.join();
    (*log)->flush();
    CHECK(content(path).size() == 4 * 1000 * 7);
    (*log)->line("the last");
    CHECK((*log)->dropped() == 0);
  }
  CHECK(content(path).ends_with("a line\nthe last\n"));
  std::filesystem::remove(path);
  CHECK_FALSE(LogWriter::open("/nowhere/at/all"));
}

TEST_CASE("A reader that does not read holds up nobody") {
  std::array<int, 2> pipe{};
  REQUIRE(::pipe(pipe.data()) == 0);
  {
    auto log = LogWriter::to(pipe[1]);
    REQUIRE(log);
    const std::string text(1000, 'x');
    for (int i = 0; i < 20'000; ++i) (*log)->line(text);
    CHECK((*log)->dropped() > 0);
  }  // and its end is not waited for
  ::close(pipe[0]);
  ::close(pipe[1]);
}
