// Where a command writes what it makes: stdout, or a file that appears whole or not at all.
#pragma once

#include <wasi/error.h>

#include <cstdio>
#include <string>
#include <string_view>

#include "tools/wasirun/removed_files.h"

namespace wasirun {

// A regular file is written beside its place and renamed when it is complete; pipes and devices are written as they
// are. Without finish() nothing is left behind, nor by a signal that ends the process.
class OutputFile {
 public:
  // Empty or "-": stdout. A file that is there already keeps nothing of its own, permissions included.
  static wasi::Result<OutputFile> open(const std::string& path, bool is_executable = false);
  OutputFile(OutputFile&& other) noexcept;
  OutputFile& operator=(OutputFile&&) = delete;
  ~OutputFile();

  // False when the place is full or nobody reads any more; finish(), or of stdout finish_stdout(), says why.
  bool write(std::string_view text);
  wasi::Result<void> finish();

 private:
  OutputFile() = default;
  wasi::Error error() const;

  std::FILE* file_ = nullptr;
  bool is_stdout_ = false;
  int failure_ = 0;         // errno of the first failed write
  std::string path_;        // as the user wrote it
  std::string unfinished_;  // what is to be renamed; empty: nothing
  RemovedFile removed_;     // that
};

}  // namespace wasirun
