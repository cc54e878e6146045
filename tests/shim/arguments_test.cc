#include "tools/shim/arguments.h"

#include <catch2/catch.hpp>
#include <vector>

#include "tools/shim/mount_options.h"
#include "tools/shim/shim_socket.h"
#include "tools/shim/wasm_program.h"

#include <sys/mount.h>

namespace wasirun::shim {
namespace {

wasi::Result<Arguments> parse(std::vector<const char*> words) { return parse_arguments(words); }

TEST_CASE("containerd's command line") {
  const auto start = parse({"-namespace", "k8s.io", "-address", "/run/c.sock", "-publish-binary", "/bin/containerd",
                            "-id", "abc", "-debug", "start"});
  REQUIRE(start);
  CHECK(start->action == Action::start);
  CHECK(start->containerd_namespace == "k8s.io");
  CHECK(start->address == "/run/c.sock");
  CHECK(start->id == "abc");
  CHECK(start->debug);
  const auto remove = parse({"--namespace=n", "--id=x", "--bundle=/b", "delete"});
  REQUIRE(remove);
  CHECK(remove->action == Action::remove);
  CHECK(remove->bundle == "/b");
  CHECK(remove->containerd_namespace == "n");
}

TEST_CASE("flags that are not known are passed over with their values") {
  const auto start = parse({"-new", "value", "-newer=1", "-flag", "-id", "x", "-last", "start"});
  REQUIRE(start);
  CHECK(start->action == Action::start);
  CHECK(start->id == "x");
}

TEST_CASE("mistakes of a command line") {
  CHECK(parse({"halt"}).error().message == "\"halt\" is no action of a shim: expected start or delete");
  CHECK(parse({"-id"}).error().message == "-id needs a value");
  CHECK(parse({""}).error().message == "\"\" is no action of a shim: expected start or delete");
}

TEST_CASE("options of mounts") {
  const MountOptions options = parse_mount_options({"rbind", "ro", "nosuid", "rprivate", "size=64k", "mode=755"});
  CHECK(options.flags == (MS_BIND | MS_REC | MS_RDONLY | MS_NOSUID));
  CHECK(options.propagation == (MS_PRIVATE | MS_REC));
  CHECK(options.data == "size=64k,mode=755");
  CHECK(parse_mount_options({"ro", "rw"}).flags == 0);
}

TEST_CASE("names of programs") {
  CHECK(parse_program_name("/app.wasm").path == "/app.wasm");
  CHECK(parse_program_name("/app.wasm").function == "_start");
  CHECK(parse_program_name("/app.wasm#run").path == "/app.wasm");
  CHECK(parse_program_name("/app.wasm#run").function == "run");
  CHECK(parse_program_name("/app.wasm#").function == "_start");
  CHECK(parse_program_name("/a#b/app.wasm#f").path == "/a#b/app.wasm");
}

TEST_CASE("sockets are named by what they are for, and short") {
  const std::string path = shim_socket_path("/run/containerd/containerd.sock", "k8s.io", std::string(64, 'f'));
  CHECK(path == shim_socket_path("/run/containerd/containerd.sock", "k8s.io", std::string(64, 'f')));
  CHECK(path != shim_socket_path("/run/containerd/containerd.sock", "k8s.io", std::string(64, 'e')));
  CHECK(path != shim_socket_path("/run/containerd/containerd.sock", "k8s.i", "o" + std::string(64, 'f')));
  CHECK(path.size() < 100);
}

}  // namespace
}  // namespace wasirun::shim
