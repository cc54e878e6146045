// The table of descriptors, also under threads that open and close at once.
#include "wasi/fd_table.h"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <thread>
#include <vector>

#include "wasi/host_file.h"

namespace wasi::preview1 {
namespace {

// A file whose number on the host can be asked for.
class NullFile final : public HostFile {
 public:
  explicit NullFile(int host)
      : HostFile(HostHandle::owned(os::UniqueFd(host)), FileType::character_device, right::kOfStreams), host_(host) {}
  [[nodiscard]] int number() const { return host_; }

 private:
  int host_;
};

Descriptor open_null() {
  Descriptor descriptor;
  descriptor.file = std::make_shared<NullFile>(::open("/dev/null", O_RDWR | O_CLOEXEC));
  descriptor.base = right::fd_read | right::fd_write;
  return descriptor;
}

int host_of(const Descriptor& descriptor) { return dynamic_cast<const NullFile&>(*descriptor.file).number(); }
bool is_open_on_host(int host) { return ::fcntl(host, F_GETFD) != -1; }

TEST_CASE("the lowest free number is given", "[fd_table]") {
  FdTable table;
  for (std::uint32_t i = 0; i < 4; ++i) CHECK(table.insert(open_null()) == i);
  CHECK(table.take(1) != nullptr);
  CHECK(table.take(1) == nullptr);
  CHECK(table.take(4) == nullptr);
  CHECK(table.find(1) == nullptr);
  CHECK(table.insert(open_null()) == 1U);
  const int moved = host_of(*table.find(3));
  CHECK(table.renumber(3, 0));
  CHECK(host_of(*table.find(0)) == moved);
  CHECK_FALSE(table.renumber(3, 0));
  CHECK_FALSE(table.renumber(0, 3));
  CHECK(table.renumber(0, 0));
  CHECK(table.insert(open_null()) == 3U);
}

TEST_CASE("what is closed while somebody holds it is closed when nobody does", "[fd_table]") {
  FdTable table;
  (void)table.insert(open_null());
  auto held = table.find(0);
  const int host = host_of(*held);
  REQUIRE(table.take(0) != nullptr);
  CHECK(is_open_on_host(host));
  held.reset();
  CHECK_FALSE(is_open_on_host(host));
}

TEST_CASE("threads open, use and close", "[fd_table]") {
  FdTable table;
  std::atomic<int> mistakes{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 500; ++n) {
        const auto number = table.insert(open_null());
        if (!number) {
          ++mistakes;
          continue;
        }
        const auto found = table.find(*number);
        if (found != nullptr) mistakes += ::write(host_of(*found), "x", 1) == 1 ? 0 : 1;
        // Others may close it first, and open another under the number.
        (void)table.take(static_cast<std::uint32_t>(n) % 8);
        if (found != nullptr) {
          found->base &= right::fd_read;
          mistakes += found->base == right::fd_read && is_open_on_host(host_of(*found)) ? 0 : 1;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(mistakes == 0);
}

}  // namespace
}  // namespace wasi::preview1
