// Where printed text is collected until there is enough of it for the sink.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

#include "text/print.h"

namespace wasi::text {

class Output {
 public:
  explicit Output(const PrintSink& sink) : sink_(sink) {}

  // To append to; checkpoint() now and then hands on what it holds.
  std::string& text() { return text_; }
  void checkpoint() {
    if (text_.size() >= kBlock) flush();
  }
  void flush() {
    if (!stopped_ && !text_.empty()) stopped_ = !sink_(text_);
    text_.clear();
  }
  // The sink wants no more.
  [[nodiscard]] bool stopped() const { return stopped_; }

  // Nesting is untrusted, so lines are not indented beyond some depth.
  static std::size_t columns(std::size_t depth) { return 2 * std::min<std::size_t>(depth, 40); }
  void indent(std::size_t depth) { text_.append(columns(depth), ' '); }

 private:
  static constexpr std::size_t kBlock = 64 << 10;
  const PrintSink& sink_;
  std::string text_;
  bool stopped_ = false;
};

}  // namespace wasi::text
