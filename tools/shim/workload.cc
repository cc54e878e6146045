#include "tools/shim/workload.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <string_view>
#include <vector>

#include "base/printable.h"
#include "base/result.h"
#include "tools/shim/root_file_system.h"

namespace wasirun::shim {

namespace {

std::string join_path(std::string_view directory, std::string_view name) {
  return std::string(directory) + (directory.ends_with('/') ? "" : "/") + std::string(name);
}

// Where a program of this name may be.
std::vector<std::string> candidates(const ProcessConfig& process, const std::string& name) {
  if (name.starts_with('/')) return {name};
  std::vector<std::string> paths{join_path(process.cwd, name)};
  if (name.find('/') != std::string::npos) return paths;
  for (const std::string_view variable : process.env) {
    if (!variable.starts_with("PATH=")) continue;
    const std::string_view list = variable.substr(5);
    for (std::size_t begin = 0; begin <= list.size();) {
      const std::size_t end = std::min(list.find(':', begin), list.size());
      if (list[begin] == '/') paths.push_back(join_path(list.substr(begin, end - begin), name));
      begin = end + 1;
    }
  }
  return paths;
}

enum class FileKind : std::uint8_t { module, native, directory, unknown };

FileKind kind_of(int file) {
  struct stat status{};
  if (::fstat(file, &status) == 0 && S_ISDIR(status.st_mode)) return FileKind::directory;
  char magic[4] = {};
  const auto count = ::pread(file, magic, sizeof(magic), 0);
  if (count == 4 && std::memcmp(magic, "\0asm", 4) == 0) return FileKind::module;
  if (count == 4 && std::memcmp(magic,
                                "\x7f"
                                "ELF",
                                4) == 0)
    return FileKind::native;
  if (count >= 2 && std::memcmp(magic, "#!", 2) == 0) return FileKind::native;
  return FileKind::unknown;
}

// The manifest that the argument means: it, or one in the directory that it is. Empty: none.
std::string find_manifest(const Bundle& bundle, const std::string& argument) {
  constexpr std::string_view kManifests[] = {"/spin.toml", "/slightfile.toml"};
  const std::string path = argument.starts_with('/') ? argument : join_path(bundle.process.cwd, argument);
  for (const std::string_view manifest : kManifests) {
    if (path.ends_with(manifest)) return path;
    std::string inside = join_path(path, manifest.substr(1));
    if (open_in_container(bundle, inside, O_RDONLY | O_NONBLOCK | O_NOCTTY)) return inside;
  }
  return "";
}

constexpr std::string_view kSlightManifest = "/slightfile.toml";

wasi::Result<Workload> find_application(const Bundle& bundle, std::string manifest) {
  Workload workload;
  workload.kind = WorkloadKind::http;
  workload.http = WASI_TRY(parse_http_config(bundle));
  if (manifest.ends_with(kSlightManifest)) {
    // The module has no other name there.
    workload.program.path = manifest.substr(0, manifest.size() - kSlightManifest.size()) + "/app.wasm";
    workload.module_file = WASI_TRY(open_in_container(bundle, workload.program.path, O_RDONLY | O_NONBLOCK | O_NOCTTY));
  }
  workload.http.manifest = std::move(manifest);
  return workload;
}

wasi::Result<void> take_for_module(const Bundle& bundle, Workload& workload) {
  workload.kind = WorkloadKind::wasm;
  if (bundle.annotation("wasirun.dev/http").empty()) return {};
  workload.kind = WorkloadKind::http;
  workload.http = WASI_TRY(parse_http_config(bundle));
  return {};
}

}  // namespace

wasi::Result<Workload> find_workload(const Bundle& bundle) {
  Workload workload;
  if (bundle.is_sandbox()) {
    workload.kind = WorkloadKind::sandbox;
    return workload;
  }
  const std::string& argument = bundle.process.args.front();
  if (std::string manifest = find_manifest(bundle, argument); !manifest.empty()) {
    return find_application(bundle, std::move(manifest));
  }
  workload.program = parse_program_name(argument);
  // A file's name may hold the sign as well.
  for (const std::string& name : {argument, workload.program.path}) {
    for (const std::string& path : candidates(bundle.process, name)) {
      auto file = open_in_container(bundle, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
      if (!file) continue;
      const FileKind kind = kind_of(file->get());
      if (kind == FileKind::directory) continue;
      if (kind == FileKind::unknown) {
        return wasi::fail(wasi::ErrorKind::argument,
                          "{}: neither a WebAssembly module nor a program that this system runs",
                          wasi::printable(path));
      }
      if (kind == FileKind::module) WASI_TRY(take_for_module(bundle, workload));
      workload.module_file = *std::move(file);
      if (name == argument && argument != workload.program.path) workload.program = {argument, "_start"};
      return workload;
    }
  }
  workload.missing =
      fmt::format("exec: {}: there is no such file in the container, or it cannot be read", wasi::printable(argument));
  WASI_TRY(take_for_module(bundle, workload));
  return workload;
}

}  // namespace wasirun::shim
