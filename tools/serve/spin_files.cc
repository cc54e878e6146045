#include "tools/serve/spin_files.h"

#include <fmt/format.h>
#include <fnmatch.h>
#include <wasi/memory_directory.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>
#include <system_error>
#include <utility>

namespace wasirun::serve {

namespace {

namespace fs = std::filesystem;

// Names in a row, deeper than any real folder.
constexpr int kDeepest = 256;

wasi::Error io_error(const fs::path& path, const std::string& why) {
  return {.kind = wasi::ErrorKind::io, .message = fmt::format("{}: {}", path.string(), why)};
}

// The first name of a path, and what is behind its slash.
std::pair<std::string_view, std::string_view> split(std::string_view path) {
  const std::size_t slash = path.find('/');
  if (slash == std::string_view::npos) return {path, {}};
  return {path.substr(0, slash), path.substr(slash + 1)};
}

// Collects files under the paths at which guests see them, relative to "/".
class Collection {
 public:
  // Every file in a directory and below it; links are not followed.
  wasi::Result<void> add_tree(const fs::path& source, const std::string& destination) {
    std::error_code failed;
    if (!fs::is_directory(source, failed)) return std::unexpected(io_error(source, "a directory is expected"));
    fs::recursive_directory_iterator entries(source, failed);
    for (; !failed && entries != fs::recursive_directory_iterator(); entries.increment(failed)) {
      if (entries.depth() > kDeepest) return std::unexpected(io_error(source, "the directories are too deep"));
      if (!entries->is_regular_file(failed) || entries->is_symlink(failed)) continue;
      const fs::path below = entries->path().lexically_relative(source);
      if (auto added = add(entries->path(), (fs::path(destination) / below).string()); !added) return added;
    }
    if (failed) return std::unexpected(io_error(source, failed.message()));
    return {};
  }

  // The files of a folder whose paths match a pattern.
  wasi::Result<void> add_matches(const fs::path& folder, std::string_view pattern, const std::string& seen, int depth) {
    if (depth > kDeepest) return std::unexpected(io_error(folder, "the directories are too deep"));
    const auto [name, rest] = split(pattern);
    if (name == ".") return add_matches(folder, rest, seen, depth + 1);
    if (name == "**" && !rest.empty()) {
      if (auto here = add_matches(folder, rest, seen, depth + 1); !here) return here;
    }
    std::error_code failed;
    fs::directory_iterator entries(folder, failed);
    for (; !failed && entries != fs::directory_iterator(); entries.increment(failed)) {
      const fs::directory_entry& entry = *entries;
      const std::string entry_name = entry.path().filename().string();
      const std::string entry_seen = seen.empty() ? entry_name : seen + "/" + entry_name;
      std::error_code ignored;
      if (name == "**") {
        // Not into links, which may lead around in circles.
        if (entry.is_directory(ignored) && !entry.is_symlink(ignored)) {
          if (auto below = add_matches(entry.path(), pattern, entry_seen, depth + 1); !below) return below;
        }
        continue;
      }
      if (fnmatch(std::string(name).c_str(), entry_name.c_str(), FNM_NOESCAPE) != 0) continue;
      if (!rest.empty()) {
        if (!entry.is_directory(ignored)) continue;
        if (auto below = add_matches(entry.path(), rest, entry_seen, depth + 1); !below) return below;
      } else if (entry.is_regular_file(ignored)) {
        if (auto added = add(entry.path(), entry_seen); !added) return added;
      }
    }
    if (failed) return std::unexpected(io_error(folder, failed.message()));
    return {};
  }

  [[nodiscard]] const std::map<std::string, fs::path>& files() const { return files_; }

 private:
  wasi::Result<void> add(const fs::path& source, const std::string& destination) {
    files_.insert_or_assign(destination, source);
    if (files_.size() > kMostFiles) {
      return std::unexpected(wasi::Error{.kind = wasi::ErrorKind::limit,
                                         .message = fmt::format("more than {} files for one component", kMostFiles)});
    }
    return {};
  }

  std::map<std::string, fs::path> files_;
};

std::string without_slashes(std::string_view path) {
  while (path.starts_with('/')) path.remove_prefix(1);
  while (path.ends_with('/')) path.remove_suffix(1);
  return std::string(path);
}

// Whether the directories can be given as they are: nothing is chosen from them, and none lies in another.
bool stand_for_themselves(const SpinFiles& files) {
  if (!files.patterns.empty() || !files.excluded.empty()) return false;
  for (const SpinPlacement& one : files.placements) {
    for (const SpinPlacement& other : files.placements) {
      const std::string place = without_slashes(one.destination);
      const std::string inner = without_slashes(other.destination);
      if (&one != &other && (place.empty() || inner == place || inner.starts_with(place + "/"))) return false;
    }
  }
  return true;
}

wasi::Result<std::string> read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (!file.is_open() || file.bad()) return std::unexpected(io_error(path, "cannot be read"));
  return text;
}

wasi::Result<wasi::MemoryDirectory> read_files(const std::map<std::string, fs::path>& files, const SpinFiles& chosen,
                                               const fs::path& folder) {
  const wasi::MemoryDirectory tree;
  std::uint64_t size = 0;
  for (const auto& [destination, source] : files) {
    const std::string path = source.lexically_relative(folder).string();
    if (std::ranges::any_of(chosen.excluded, [&](const std::string& out) { return matches_pattern(path, out); })) {
      continue;
    }
    std::error_code failed;
    size += fs::file_size(source, failed);
    if (failed) return std::unexpected(io_error(source, failed.message()));
    if (size > kMostBytes) {
      return std::unexpected(wasi::Error{
          .kind = wasi::ErrorKind::limit,
          .message = fmt::format("the files of one component have more than {} bytes; a whole directory, {{ source, "
                                 "destination }}, may have any number",
                                 kMostBytes)});
    }
    auto text = read_file(source);
    if (!text) return std::unexpected(std::move(text).error());
    if (auto added = tree.add_file(destination, *std::move(text)); !added) return std::unexpected(added.error());
  }
  return tree;
}

}  // namespace

bool matches_pattern(std::string_view path, std::string_view pattern) {
  const auto [name, rest] = split(pattern);
  if (name == "**" && !rest.empty()) {
    for (std::string_view below = path;;) {
      if (matches_pattern(below, rest)) return true;
      const std::size_t slash = below.find('/');
      if (slash == std::string_view::npos) return false;
      below = below.substr(slash + 1);
    }
  }
  if (name == "**") return true;
  const auto [first, below] = split(path);
  if (fnmatch(std::string(name).c_str(), std::string(first).c_str(), FNM_NOESCAPE) != 0) return false;
  if (rest.empty() || below.empty()) return rest.empty() && below.empty();
  return matches_pattern(below, rest);
}

wasi::Result<void> mount_files(const SpinFiles& files, const fs::path& folder, wasi::WasiConfig& wasi) {
  if (files.placements.empty() && files.patterns.empty()) return {};
  if (stand_for_themselves(files)) {
    for (const SpinPlacement& placement : files.placements) {
      const fs::path source = folder / placement.source;
      std::error_code failed;
      if (!fs::is_directory(source, failed)) return std::unexpected(io_error(source, "a directory is expected"));
      wasi.preopen(source, "/" + without_slashes(placement.destination), wasi::Access::read_only);
    }
    return {};
  }
  Collection collection;
  for (const std::string& pattern : files.patterns) {
    if (auto added = collection.add_matches(folder, pattern, "", 0); !added) return added;
  }
  for (const SpinPlacement& placement : files.placements) {
    if (auto added = collection.add_tree(folder / placement.source, without_slashes(placement.destination)); !added) {
      return added;
    }
  }
  const auto tree = read_files(collection.files(), files, folder);
  if (!tree) return std::unexpected(tree.error());
  wasi.preopen(*tree, "/", wasi::Access::read_only);
  return {};
}

}  // namespace wasirun::serve
