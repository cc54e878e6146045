// Bytes of a connection -> requests, by Boost.Beast's parser, within limits, and stricter than it where two readers
// could understand a request differently.
//
// Source: https://www.rfc-editor.org/rfc/rfc9112
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "tools/serve/http_message.h"

namespace wasirun::serve {

struct ParseLimits {
  std::uint32_t header_bytes = 32U << 10;  // request line and fields together: 431; beyond it in the line: 414
  std::uint64_t body_bytes = 8U << 20;     // 413
};

// Why a request is not one, and what its sender is told.
struct Refusal {
  std::uint16_t status = 400;
  std::string message;
};

// One request after the other. After a refusal nothing of the connection can be read any more.
class RequestParser {
 public:
  explicit RequestParser(const ParseLimits& limits);
  ~RequestParser();
  RequestParser(const RequestParser&) = delete;
  RequestParser& operator=(const RequestParser&) = delete;

  enum class Progress : std::uint8_t { need_more, complete, refused };
  struct Outcome {
    Progress progress = Progress::need_more;
    std::size_t consumed = 0;
  };
  // What was not consumed is to be put again, with more behind it. At `complete` the rest belongs to the next request.
  Outcome put(std::string_view bytes);

  [[nodiscard]] bool has_begun() const;        // whether it has some of a request
  [[nodiscard]] bool keeps_alive() const;      // of a complete one: whether another may follow
  [[nodiscard]] bool awaits_continue() const;  // the sender waits for "100 Continue" before it sends the body
  // Complete, or as far as it is known.
  [[nodiscard]] HttpRequest& request();
  [[nodiscard]] const Refusal& refusal() const;
  // For the next request; the last one is forgotten.
  void reset();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace wasirun::serve
