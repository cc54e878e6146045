// See server_log.h.
#include "tools/serve/server_log.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/result.h"
#include "tools/serve/server.h"

namespace wasirun::serve {

namespace {

using std::chrono::system_clock;

// A guest's line that is longer is told in pieces.
constexpr std::size_t kMostLine = 8192;

}  // namespace

wasi::Result<std::unique_ptr<ServerLog>> ServerLog::open(const ServeOptions& options) {
  auto messages = WASI_TRY(LogWriter::to(STDERR_FILENO));
  std::unique_ptr<LogWriter> file;
  if (options.access_log == ServeOptions::AccessLog::file) file = WASI_TRY(LogWriter::open(options.access_log_file));
  const bool has_access = options.access_log != ServeOptions::AccessLog::none;
  return std::unique_ptr<ServerLog>(
      new ServerLog(options.log_format, std::move(messages), std::move(file), has_access));
}

ServerLog::ServerLog(LogFormat format, std::unique_ptr<LogWriter> messages, std::unique_ptr<LogWriter> file,
                     bool has_access)
    : format_(format), messages_(std::move(messages)), file_(std::move(file)), access_(nullptr) {
  if (has_access) access_ = file_ != nullptr ? file_.get() : messages_.get();
}

void ServerLog::request(const Exchange& exchange, const Finish& finish) {
  if (access_ != nullptr) access_->line(access_line(format_, exchange, finish, system_clock::now()));
}

void ServerLog::message(std::string_view text) {
  while (text.ends_with('\n')) text.remove_suffix(1);
  messages_->line(message_line(format_, "wasirun", text, system_clock::now()));
}

void ServerLog::guest(std::string_view line) {
  messages_->line(message_line(format_, "guest", line, system_clock::now()));
}

std::uint64_t ServerLog::dropped() const { return messages_->dropped() + (file_ == nullptr ? 0 : file_->dropped()); }

void ServerLog::flush() {
  messages_->flush();
  if (file_ != nullptr) file_->flush();
}

GuestLines::~GuestLines() {
  if (!line_.empty()) log_.guest(line_);
}

void GuestLines::write(std::string_view text) {
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::size_t taken = std::min({end, text.size(), kMostLine - line_.size()});
    line_ += text.substr(0, taken);
    text.remove_prefix(taken);
    const bool is_ended = text.starts_with('\n');
    if (is_ended) text.remove_prefix(1);
    if (is_ended || line_.size() >= kMostLine) {
      log_.guest(line_);
      line_.clear();
    }
  }
}

}  // namespace wasirun::serve
