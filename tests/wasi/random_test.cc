// Calls without sense, thousands of them: every function with arguments that are nearly right, wrong and extreme.
// Nothing crashes, nothing waits for ever, and nothing outside of the preopen changes.
#include <catch2/catch.hpp>
#include <chrono>
#include <filesystem>
#include <random>

#include "guest.h"
#include "runtime/store.h"
#include "support/temp_dir.h"
#include "wasi/table.h"

namespace wasi::preview1 {
namespace {

using test::Guest;

class Calls {
 public:
  Calls(Guest& guest, std::mt19937& random) : guest_(guest), random_(random) {
    for (const std::string_view path : {"file",
                                        "sub",
                                        "sub/file",
                                        "new",
                                        "sub/new",
                                        "link",
                                        "link/",
                                        "out",
                                        "out/",
                                        "out/secret",
                                        "../outside/secret",
                                        "sub/../../outside",
                                        ".",
                                        "..",
                                        "./",
                                        "/",
                                        "sub/",
                                        "sub/.",
                                        "link/new",
                                        "out/new",
                                        "",
                                        "a/../b",
                                        "file/",
                                        "new/"}) {
      paths_.emplace_back(guest.put(path), path.size());
    }
    buffer_ = guest.allocate(4096);
    for (std::uint32_t at = 0; at < 4096; at += 8) {
      // Half of it are good buffers, which also pass for subscriptions.
      guest.write(buffer_ + at, static_cast<std::uint32_t>(pick({buffer_, buffer_ + 64, 0xFFFF'FFF0U, 1U, 2U})));
      guest.write(buffer_ + at + 4, static_cast<std::uint32_t>(pick({0, 1, 8, 64, 0xFFFF'FFFFU})));
    }
  }

  Errno any() {
    const auto infos = function_infos();
    const FunctionInfo& info = infos[random_() % infos.size()];
    std::vector<std::uint64_t> arguments;
    for (const ParamInfo& kind : info.kinds) {
      if (kind.shape == Shape::fd) {
        arguments.push_back(pick({0, 1, 2, 3, 3, 3, 4, 4, 5, 6, 7, 99, 0xFFFF'FFFF}));
      } else if (kind.type == "path") {
        const auto& [address, size] = paths_[random_() % paths_.size()];
        arguments.push_back(random_() % 50 == 0 ? 0xFFFF'FFFF : address);
        arguments.push_back(random_() % 50 == 0 ? 0xFFFF'FFFF : size);
      } else {
        for (const char letter : kind.signature) {
          arguments.push_back(letter == 'I'
                                  ? pick({0, 1, 2, 8, 64, 4096, INT64_MAX, UINT64_MAX, right::kAll})
                                  : pick({0, 1, 2, 3, 4, 8, buffer_, buffer_ + 64, buffer_ + 1, 0xFFFF'FFFF}));
        }
      }
    }
    // Whoever waits is stopped at once.
    guest_.store().keep_deadline(std::chrono::steady_clock::now());
    INFO(info.name);
    const Errno error = guest_.call(info.name, arguments);
    if (guest_.trap()) {
      CHECK((guest_.trap()->code == TrapCode::deadline_exceeded || guest_.trap()->is_exit()));
    } else if (info.returns) {
      CHECK(error <= Errno::notcapable);
    }
    return error;
  }

 private:
  std::uint64_t pick(std::initializer_list<std::uint64_t> values) { return values.begin()[random_() % values.size()]; }

  Guest& guest_;
  std::mt19937& random_;
  std::vector<std::pair<std::uint32_t, std::size_t>> paths_;
  std::uint32_t buffer_ = 0;
};

TEST_CASE("random calls crash nothing and reach nothing outside", "[random]") {
  const bool walk = GENERATE(false, true);
  std::mt19937 random(walk ? 1 : 2);
  int succeeded = 0;
  for (int round = 0; round < 60; ++round) {
    const wasi::test::TempDir dir;
    dir.make_directory("root/sub");
    dir.make_directory("outside");
    dir.write("root/file", "file");
    dir.write("root/sub/file", "sub/file");
    dir.write("outside/secret", "secret");
    dir.link("sub", "root/link");
    dir.link("../outside", "root/out");
    Guest guest(test::with_directory(dir / "root", Access::read_write, walk));
    Calls calls(guest, random);
    for (int i = 0; i < 500; ++i) {
      if (calls.any() == Errno::success) ++succeeded;
    }
    INFO("round " << round);
    CHECK(dir.read("outside/secret") == "secret");
    CHECK(std::distance(std::filesystem::directory_iterator(dir / "outside"), {}) == 1);
    CHECK(std::distance(std::filesystem::directory_iterator(dir.path()), {}) == 2);
  }
  // Otherwise the arguments would be too wild to test anything.
  CHECK(succeeded > 1000);
}

}  // namespace
}  // namespace wasi::preview1
