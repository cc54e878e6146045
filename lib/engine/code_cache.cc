#include "engine/code_cache.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

#include "base/checksum.h"
#include "base/guard.h"
#include "base/result.h"
#include "engine/build_id.h"
#include "os/entropy.h"
#include "os/file_mapping.h"
#include "os/retry.h"

namespace wasi::detail {

namespace {

constexpr std::string_view kSuffix = ".cwasm";
constexpr std::string_view kUnfinished = ".unfinished";
constexpr std::string_view kKnownFile = ".file";
constexpr std::string_view kSound = ".sound";
constexpr std::size_t kHashDigits = 32;
// What is older has lost its process.
constexpr std::chrono::minutes kLongestWriting{10};
constexpr std::size_t kMostKnownFiles = 1000;
// The checksums of smaller files are looked at in less time than it takes to ask for what was noted of them.
constexpr std::uint64_t kLeastNotedBytes = 1U << 20;
// Nobody writes into a file once it has its name here. So the clock of the files needs no more than to go on.
constexpr std::chrono::milliseconds kSettled{100};
// Which it has done, on any machine, when so much time has passed.
constexpr std::chrono::milliseconds kClockStep{12};

std::unexpected<Error> refused(std::string_view what, const std::filesystem::path& path) {
  return fail(ErrorKind::io, "cannot {} {}: {}", what, path.string(), std::generic_category().message(errno));
}

bool is_own(const struct stat& status) { return status.st_uid == ::geteuid() && (status.st_mode & 022) == 0; }

constexpr std::string_view kHexDigits = "0123456789abcdef";

bool is_entry(std::string_view name) {
  return name.size() == kHashDigits + kSuffix.size() && name.ends_with(kSuffix) &&
         name.find_first_not_of(kHexDigits) == kHashDigits;
}

bool is_sound_note(std::string_view name) {
  return name.ends_with(kSound) && is_entry(name.substr(0, name.size() - kSound.size()));
}

bool is_known_file(std::string_view name) {
  return name.ends_with(kKnownFile) && name.find_first_not_of("-0123456789abcdef") == name.size() - kKnownFile.size();
}

std::string text_of(const os::FileIdentity& file) {
  return fmt::format("{:x}-{:x}-{:x}-{:x}-{:x}", file.device, file.inode, file.size,
                     static_cast<std::uint64_t>(file.modified), static_cast<std::uint64_t>(file.changed));
}

// What a file is stands there itself, no hash of it: nobody can make another one that is taken for it. Empty where it
// is not known how long that holds.
std::string known_file(const os::FileIdentity& file, std::string_view options) {
  const std::string boot = os::boot_id();
  if (boot.empty()) return {};
  const std::string rest = fmt::format("{} {} {}", build_id(), boot, options);
  const auto [high, low] = base::wide_checksum({{reinterpret_cast<const std::uint8_t*>(rest.data()), rest.size()}});
  return fmt::format("{}-{:016x}{:016x}{}", text_of(file), high, low, kKnownFile);
}

// What is noted of a file that was looked at; empty where it is not known how long that holds.
std::string sound_note(const os::FileIdentity& file) {
  const std::string boot = os::boot_id();
  return boot.empty() ? boot : text_of(file) + " " + boot;
}

std::string read_link(int directory, const std::string& name) {
  std::array<char, 256> target;  // more than any of ours
  const ssize_t size = ::readlinkat(directory, name.c_str(), target.data(), target.size());
  return size < 0 ? std::string() : std::string(target.data(), static_cast<std::size_t>(size));
}

// In the place of the one that is there.
void make_link(int directory, const std::string& name, const std::string& target) {
  if (::symlinkat(target.c_str(), directory, name.c_str()) == 0 || errno != EEXIST) return;
  if (::unlinkat(directory, name.c_str(), 0) == 0) {
    static_cast<void>(::symlinkat(target.c_str(), directory, name.c_str()));
  }
}

std::chrono::system_clock::time_point time_of(const timespec& time) {
  return std::chrono::system_clock::time_point(std::chrono::duration_cast<std::chrono::system_clock::duration>(
      std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec)));
}

// A directory and those above it, each for its owner alone where it has to be made.
Result<void> make_directories(const std::filesystem::path& path) {
  if (::mkdir(path.c_str(), 0700) == 0 || errno == EEXIST) return {};
  if (errno != ENOENT || !path.has_parent_path() || path.parent_path() == path) return refused("make", path);
  WASI_TRY(make_directories(path.parent_path()));
  if (::mkdir(path.c_str(), 0700) == 0 || errno == EEXIST) return {};
  return refused("make", path);
}

// A file under a name of its own, which is removed unless it gets its place.
class NewFile {
 public:
  explicit NewFile(int directory) : directory_(directory) {}
  ~NewFile() {
    if (fd_ && !is_placed_) ::unlinkat(directory_, name_.c_str(), 0);
  }
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;

  // False: errno says why.
  bool write(const std::string& name, std::span<const std::uint8_t> bytes) {
    std::uint64_t random = 0;  // a part of it would do
    if (os::random_bytes({reinterpret_cast<std::uint8_t*>(&random), sizeof(random)}) < 0) return false;
    name_ = fmt::format("{}.{:016x}{}", name, random, kUnfinished);
    fd_ = os::UniqueFd(::openat(directory_, name_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!fd_) return false;
    while (!bytes.empty()) {
      const ssize_t count = os::retry([&] { return ::write(fd_.get(), bytes.data(), bytes.size()); });
      if (count < 0) return false;
      bytes = bytes.subspan(static_cast<std::size_t>(count));
    }
    written_ = os::identity_of(fd_.get());
    if (::renameat(directory_, name_.c_str(), directory_, name.c_str()) != 0) return false;
    is_placed_ = true;
    return true;
  }

  // What it is in its place, where it has the content that was written. Waits until whoever changes that makes another
  // file of it.
  [[nodiscard]] std::optional<os::FileIdentity> wait_until_settled() const {
    const auto placed = os::identity_of(fd_.get());
    if (!placed || !written_ || placed->modified != written_->modified || placed->size != written_->size) return {};
    std::this_thread::sleep_for(kClockStep);
    return os::identity_of(fd_.get()) == placed ? placed : std::nullopt;
  }

 private:
  int directory_;
  std::string name_;
  os::UniqueFd fd_;
  std::optional<os::FileIdentity> written_;
  bool is_placed_ = false;
};

}  // namespace

std::optional<std::filesystem::path> CodeCache::default_directory() {
  if (::getauxval(AT_SECURE) != 0) return std::nullopt;
  const auto absolute = [](const char* variable) -> std::optional<std::filesystem::path> {
    const char* const value = std::getenv(variable);
    if (value == nullptr || *value != '/') return std::nullopt;
    return value;
  };
  if (const auto caches = absolute("XDG_CACHE_HOME")) return *caches / "wasirun";
  if (const auto home = absolute("HOME")) return *home / ".cache" / "wasirun";
  return std::nullopt;
}

std::string CodeCache::name_of(const jit::CodeTarget& target, std::span<const std::uint8_t> module) {
  const std::string options = fmt::format("{} {:x} {} {} {}", build_id(), target.cpu,
                                          static_cast<unsigned>(target.checks), target.charges_fuel, target.strict);
  const auto [high, low] =
      base::wide_checksum({{reinterpret_cast<const std::uint8_t*>(options.data()), options.size()}, module});
  return fmt::format("{:016x}{:016x}{}", high, low, kSuffix);
}

Result<os::UniqueFd> CodeCache::open_directory(Missing missing) const {
  const auto open = [this] {
    return os::UniqueFd(
        os::retry([&] { return ::open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC); }));
  };
  os::UniqueFd directory = open();
  if (!directory && errno == ENOENT && missing == Missing::is_made) {
    WASI_TRY(make_directories(directory_));
    directory = open();
  }
  struct stat status = {};
  if (!directory || ::fstat(directory.get(), &status) != 0) return refused("use", directory_);
  if (!is_own(status)) {
    return fail(ErrorKind::io, "cannot use {} for machine code: it is not this user's own, or others can write to it",
                directory_.string());
  }
  return directory;
}

std::optional<CodeCache::Found> CodeCache::open_entry(int directory, const std::string& name) const {
  os::RegularFile file;
  file.fd = os::UniqueFd(
      os::retry([&] { return ::openat(directory, name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK); }));
  struct stat status = {};
  if (!file.fd || ::fstat(file.fd.get(), &status) != 0 || !S_ISREG(status.st_mode) || !is_own(status)) {
    return std::nullopt;
  }
  file.size = static_cast<std::uint64_t>(status.st_size);
  const auto open = [&](jit::Soundness soundness) -> std::optional<Found> {
    auto image = jit::CodeImage::open(file, (directory_ / name).string(), build_id(), 0, {}, soundness);
    if (!image) return std::nullopt;
    return Found{*std::move(image), status.st_ino, name};
  };
  const auto identity = file.size < kLeastNotedBytes ? std::nullopt : os::identity_of(file.fd.get());
  const std::string expected = identity ? sound_note(*identity) : std::string();
  if (expected.empty()) {
    auto found = open(jit::Soundness::unknown);
    if (found) ::futimens(file.fd.get(), nullptr);
    return found;
  }
  // To say in its own times that a file was used would make another one of it: that goes into those of the note.
  const std::string note = name + std::string(kSound);
  if (read_link(directory, note) == expected) {
    auto found = open(jit::Soundness::known);
    if (found) ::utimensat(directory, note.c_str(), nullptr, AT_SYMLINK_NOFOLLOW);
    return found;
  }
  auto found = open(jit::Soundness::unknown);
  if (found && os::is_settled(*identity, kSettled)) found->unchecked = identity;
  return found;
}

void CodeCache::note_sound(const Found& found) const {
  if (!found.unchecked || !found.image->check()) return;
  const auto directory = open_directory(Missing::is_an_error);
  if (!directory) return;
  const os::UniqueFd file(
      ::openat(directory->get(), found.name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
  const std::string note = sound_note(*found.unchecked);
  // As it was before, and is still.
  if (!file || note.empty() || os::identity_of(file.get()) != found.unchecked) return;
  make_link(directory->get(), found.name + std::string(kSound), note);
}

std::optional<CodeCache::Found> CodeCache::find(const std::string& name, std::span<const std::uint8_t> module) const {
  const auto directory = open_directory(Missing::is_an_error);
  if (!directory) return std::nullopt;
  auto found = open_entry(directory->get(), name);
  if (!found || !std::ranges::equal(found->image->module(), module)) return std::nullopt;
  const auto memory = jit::CodeImage::memory_of(found->image);
  if (memory != nullptr && !memory->check()) return std::nullopt;
  return found;
}

std::optional<CodeCache::Found> CodeCache::find_file(const os::FileIdentity& file, std::string_view options) const {
  const auto directory = open_directory(Missing::is_an_error);
  if (!directory) return std::nullopt;
  const std::string name = read_link(directory->get(), known_file(file, options));
  if (!is_entry(name)) return std::nullopt;
  auto found = open_entry(directory->get(), name);
  if (!found || found->image->module().size() != file.size) return std::nullopt;
  return found;
}

void CodeCache::note_file(const os::FileIdentity& file, std::string_view options, const std::string& name) const {
  const auto directory = open_directory(Missing::is_an_error);
  if (!directory) return;
  // The same link is of no other code, unless that was removed: whoever finds nothing behind it notes it anew.
  make_link(directory->get(), known_file(file, options), name);
}

std::uint64_t CodeCache::inode_of(const std::string& name) const {
  struct stat status = {};
  return ::stat((directory_ / name).c_str(), &status) == 0 ? status.st_ino : 0;
}

Result<void> CodeCache::store(const std::string& name, std::span<const std::uint8_t> bytes) const {
  return guarded([&]() -> Result<void> {
    if (bytes.size() > limit_) {
      return fail(ErrorKind::limit, "the code's {} bytes are more than the cache's limit of {}", bytes.size(), limit_);
    }
    const os::UniqueFd directory = WASI_TRY(open_directory(Missing::is_made));
    NewFile file(directory.get());
    if (!file.write(name, bytes)) return refused("write to", directory_);
    if (bytes.size() >= kLeastNotedBytes) {
      const auto placed = file.wait_until_settled();
      const std::string note = placed ? sound_note(*placed) : std::string();
      if (!note.empty()) make_link(directory.get(), name + std::string(kSound), note);
    }
    remove_oldest(directory.get());
    return {};
  });
}

Result<std::vector<CodeCache::File>> CodeCache::list(int directory, bool removes_leftovers) const {
  const int copy = ::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(copy < 0 ? nullptr : ::fdopendir(copy), ::closedir);
  if (stream == nullptr) {
    if (copy >= 0) ::close(copy);
    return refused("read", directory_);
  }
  const auto now = std::chrono::system_clock::now();
  std::vector<File> files;
  std::map<std::string, std::chrono::system_clock::time_point, std::less<>> notes;  // when they were used
  std::size_t known_files = 0;
  while (const dirent* const entry = ::readdir(stream.get())) {
    struct stat status = {};
    if (::fstatat(directory, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0) continue;
    const std::string_view name = entry->d_name;
    if (is_entry(name)) {
      files.push_back({std::string(name), static_cast<std::uint64_t>(status.st_size), time_of(status.st_mtim)});
    } else if (removes_leftovers && name.ends_with(kUnfinished) && now - time_of(status.st_mtim) > kLongestWriting) {
      ::unlinkat(directory, entry->d_name, 0);
    } else if (is_sound_note(name)) {
      notes.emplace(name.substr(0, name.size() - kSound.size()), time_of(status.st_mtim));
    } else if (removes_leftovers && is_known_file(name)) {
      // Whose code has gone, or more than anybody has modules: those are noted again when they are met.
      struct stat code = {};
      if (++known_files > kMostKnownFiles || ::fstatat(directory, entry->d_name, &code, 0) != 0) {
        ::unlinkat(directory, entry->d_name, 0);
      }
    }
  }
  for (File& file : files) {
    const auto note = notes.find(file.name);
    if (note == notes.end()) continue;
    file.used = std::max(file.used, note->second);
    notes.erase(note);
  }
  for (const auto& [name, used] : notes) {
    if (removes_leftovers) ::unlinkat(directory, (name + std::string(kSound)).c_str(), 0);
  }
  std::ranges::sort(files, std::ranges::greater(), &File::used);
  return files;
}

void CodeCache::remove_oldest(int directory) const {
  const auto files = list(directory, true);
  if (!files) return;
  std::uint64_t bytes = 0;
  for (const File& file : *files) {
    bytes += file.bytes;
    if (bytes > limit_) ::unlinkat(directory, file.name.c_str(), 0);
  }
}

Result<std::vector<CodeCache::File>> CodeCache::files() const {
  return guarded([&]() -> Result<std::vector<File>> {
    const auto directory = open_directory(Missing::is_an_error);
    if (directory) return list(directory->get(), false);
    if (::access(directory_.c_str(), F_OK) != 0 && errno == ENOENT) return std::vector<File>();
    return std::unexpected(directory.error());
  });
}

Result<void> CodeCache::clear() const {
  return guarded([&]() -> Result<void> {
    const std::vector<File> files = WASI_TRY(this->files());
    if (files.empty()) return {};
    const os::UniqueFd directory = WASI_TRY(open_directory(Missing::is_an_error));
    for (const File& file : files) {
      if (::unlinkat(directory.get(), file.name.c_str(), 0) != 0 && errno != ENOENT)
        return refused("empty", directory_);
    }
    static_cast<void>(list(directory.get(), true));
    return {};
  });
}

}  // namespace wasi::detail
