// The configuration of WASI programs.
#include "c_api/wasi_config.h"

#include <fcntl.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "c_api/objects.h"
#include "c_api/types.h"
#include "os/retry.h"
#include "os/unique_fd.h"

using namespace wasi;

namespace {

// Whether a stream can be opened there; it is, again, for each program.
Result<void> check_opens(const char* path, int flags) {
  if (path == nullptr) return c::null_argument("path");
  const os::UniqueFd file(os::retry([&] { return ::open(path, flags | O_CLOEXEC, 0666); }));
  if (file) return {};
  return fail(ErrorKind::io, "cannot open {}: {}", path, std::strerror(errno));
}

constexpr int kForOutput = O_WRONLY | O_CREAT | O_TRUNC;

Stdio writer(ptrdiff_t (*callback)(void*, const unsigned char*, size_t), c::Finalizer finalizer) {
  auto shared = std::make_shared<c::Finalizer>(std::move(finalizer));
  return Stdio::writer(
      [callback, shared](std::span<const std::uint8_t> bytes) -> std::expected<std::size_t, std::errc> {
        const ptrdiff_t taken = callback(shared->data(), bytes.data(), bytes.size());
        if (taken >= 0) return static_cast<std::size_t>(taken);
        return std::unexpected(static_cast<std::errc>(-taken));
      });
}

}  // namespace

void wasi_config_delete(wasi_config_t* config) { delete config; }

wasi_config_t* wasi_config_new(void) {
  return c::attempt<wasi_config_t*>(nullptr, []() -> Result<wasi_config_t*> { return new wasi_config_t(); });
}

bool wasi_config_set_argv(wasi_config_t* config, size_t argc, const char* argv[]) {
  return c::attempt(false, [&]() -> Result<bool> {
    config->config.args(std::vector<std::string>(argv, argv + argc));
    return true;
  });
}

void wasi_config_inherit_argv(wasi_config_t* config) {
  c::attempt([&]() -> Result<void> {
    std::ifstream file("/proc/self/cmdline", std::ios::binary);
    const std::string all((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    if (!file.good() && all.empty()) return fail(ErrorKind::io, "cannot read /proc/self/cmdline");
    std::vector<std::string> args;
    for (std::size_t begin = 0; begin < all.size();) {
      const std::size_t end = std::min(all.find('\0', begin), all.size());
      args.push_back(all.substr(begin, end - begin));
      begin = end + 1;
    }
    config->config.args(std::move(args));
    return {};
  });
}

bool wasi_config_set_env(wasi_config_t* config, size_t envc, const char* names[], const char* values[]) {
  return c::attempt(false, [&]() -> Result<bool> {
    for (size_t i = 0; i < envc; ++i) {
      if (names[i][0] == 0 || std::strchr(names[i], '=') != nullptr) {
        return fail(ErrorKind::argument, "an environment variable cannot have the name \"{}\"", names[i]);
      }
    }
    for (size_t i = 0; i < envc; ++i) config->config.env(names[i], values[i]);
    return true;
  });
}

void wasi_config_inherit_env(wasi_config_t* config) {
  c::attempt([&] { config->config.inherit_env(); });
}

bool wasi_config_set_stdin_file(wasi_config_t* config, const char* path) {
  return c::attempt(false, [&]() -> Result<bool> {
    WASI_TRY(check_opens(path, O_RDONLY));
    config->config.stdin_from(Stdio::file(path));
    return true;
  });
}

void wasi_config_set_stdin_bytes(wasi_config_t* config, wasm_byte_vec_t* binary) {
  const c::OwnedBytes taken(binary);
  c::attempt([&] { config->config.stdin_from(Stdio::bytes(std::string(taken->data, taken->size))); });
}

void wasi_config_inherit_stdin(wasi_config_t* config) {
  c::attempt([&] { config->config.stdin_from(Stdio::inherit()); });
}

bool wasi_config_set_stdout_file(wasi_config_t* config, const char* path) {
  return c::attempt(false, [&]() -> Result<bool> {
    WASI_TRY(check_opens(path, kForOutput));
    config->config.stdout_to(Stdio::file(path));
    return true;
  });
}

bool wasi_config_set_stderr_file(wasi_config_t* config, const char* path) {
  return c::attempt(false, [&]() -> Result<bool> {
    WASI_TRY(check_opens(path, kForOutput));
    config->config.stderr_to(Stdio::file(path));
    return true;
  });
}

void wasi_config_inherit_stdout(wasi_config_t* config) {
  c::attempt([&] { config->config.stdout_to(Stdio::inherit()); });
}

void wasi_config_inherit_stderr(wasi_config_t* config) {
  c::attempt([&] { config->config.stderr_to(Stdio::inherit()); });
}

void wasi_config_set_stdout_custom(wasi_config_t* config, ptrdiff_t (*callback)(void*, const unsigned char*, size_t),
                                   void* data, void (*finalizer)(void*)) {
  c::Finalizer taken(data, finalizer);
  c::attempt([&] { config->config.stdout_to(writer(callback, std::move(taken))); });
}

void wasi_config_set_stderr_custom(wasi_config_t* config, ptrdiff_t (*callback)(void*, const unsigned char*, size_t),
                                   void* data, void (*finalizer)(void*)) {
  c::Finalizer taken(data, finalizer);
  c::attempt([&] { config->config.stderr_to(writer(callback, std::move(taken))); });
}

bool wasi_config_preopen_dir(wasi_config_t* config, const char* host_path, const char* guest_path,
                             wasi_dir_perms dir_perms, wasi_file_perms file_perms) {
  return c::attempt(false, [&]() -> Result<bool> {
    if (host_path == nullptr || guest_path == nullptr) return c::null_argument("path");
    const bool writes = (dir_perms & WASI_DIR_PERMS_WRITE) != 0;
    if (writes != ((file_perms & WASI_FILE_PERMS_WRITE) != 0)) {
      return fail(ErrorKind::argument, "a directory and its files are writable together, or neither of them");
    }
    config->config.preopen(host_path, guest_path, writes ? Access::read_write : Access::read_only);
    return true;
  });
}
