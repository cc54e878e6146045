// What a server tells: a line for each request, what guests write to their standard error, and what went wrong.
#pragma once

#include <wasi/error.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "tools/serve/access_log.h"
#include "tools/serve/log_writer.h"

namespace wasirun::serve {

struct ServeOptions;

// Thread-safe.
class ServerLog {
 public:
  static wasi::Result<std::unique_ptr<ServerLog>> open(const ServeOptions& options);

  void request(const Exchange& exchange, const Finish& finish);
  // Of wasirun's own; several lines where the text has some.
  void message(std::string_view text);
  // A line of a guest's.
  void guest(std::string_view line);
  [[nodiscard]] std::uint64_t dropped() const;
  // Waits until all has been written, or for some seconds.
  void flush();

 private:
  ServerLog(LogFormat format, std::unique_ptr<LogWriter> messages, std::unique_ptr<LogWriter> file, bool has_access);

  LogFormat format_;
  std::unique_ptr<LogWriter> messages_;
  std::unique_ptr<LogWriter> file_;  // of requests; null: there is none of their own
  LogWriter* access_;                // null: nobody wants to know
};

// Makes lines of what a guest writes, in pieces as they come, to its standard error.
class GuestLines {
 public:
  explicit GuestLines(ServerLog& log) : log_(log) {}
  ~GuestLines();
  GuestLines(const GuestLines&) = delete;
  GuestLines& operator=(const GuestLines&) = delete;
  void write(std::string_view text);

 private:
  ServerLog& log_;
  std::string line_;  // what has no end yet
};

}  // namespace wasirun::serve
