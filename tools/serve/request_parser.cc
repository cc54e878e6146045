// See request_parser.h.
#include "tools/serve/request_parser.h"

#include <algorithm>
// Beast asserts that the chunk which ends a body has two bytes in front of it, which it does not where it is the first
// one and comes in pieces: in builds with assertions clients could end the server.
#define BOOST_DISABLE_ASSERTS
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <optional>
#include <utility>

namespace wasirun::serve {

namespace {

namespace http = boost::beast::http;
using boost::beast::error_code;
using BeastView = boost::beast::string_view;

std::string_view to_view(BeastView view) { return {view.data(), view.size()}; }

constexpr std::string_view kLineEnd = "\r\n";
// Most bytes of a chunk's first line, or of the last chunk with its trailer.
constexpr std::size_t kMostChunkHeader = 16384;

Refusal refusal_of(const error_code& error, bool has_request_line) {
  if (error == http::error::header_limit) {
    return has_request_line ? Refusal{431, "the header is larger than the limit"}
                            : Refusal{414, "the request line is larger than the limit"};
  }
  if (error == http::error::body_limit) return {413, "the body is larger than the limit"};
  if (error == http::error::bad_version) return {505, "only HTTP/1.0 and HTTP/1.1 are spoken here"};
  return {400, "malformed request: " + error.message()};
}

}  // namespace

class RequestParser::Impl {
 public:
  explicit Impl(const ParseLimits& limits) : limits_(limits) {}

  Outcome put(std::string_view bytes) {
    std::size_t skipped = 0;
    // Empty lines in front of a request line are skipped, as old clients send them behind bodies.
    while (!reader_ && bytes.substr(skipped).starts_with(kLineEnd)) skipped += kLineEnd.size();
    const std::string_view rest = bytes.substr(skipped);
    if (rest.empty() || (!reader_ && rest == kLineEnd.substr(0, 1))) return {Progress::need_more, skipped};
    if (!reader_) reader_.emplace(*this);
    Outcome outcome = reader_->read(rest);
    outcome.consumed += skipped;
    return outcome;
  }

  [[nodiscard]] bool has_begun() const { return reader_.has_value(); }
  [[nodiscard]] bool keeps_alive() const { return reader_ && reader_->keep_alive(); }
  [[nodiscard]] bool awaits_continue() const { return reader_ && reader_->awaits_continue(); }
  HttpRequest& request() { return request_; }
  [[nodiscard]] const Refusal& refusal() const { return refusal_; }
  void reset() {
    reader_.reset();
    request_ = {};
    refusal_ = {};
  }

 private:
  class Reader : public http::basic_parser<true> {
   public:
    explicit Reader(Impl& owner) : owner_(owner) {
      eager(true);
      header_limit(owner.limits_.header_bytes);
      body_limit(owner.limits_.body_bytes);
    }

    Outcome read(std::string_view bytes) {
      error_code error;
      const std::size_t consumed = put(boost::asio::const_buffer(bytes.data(), bytes.size()), error);
      if (error == http::error::need_more) {
        error = {};
        // A header of its own has a limit; Beast wants the line of a chunk whole, too, and has none for that.
        if (is_header_done() && bytes.size() - consumed > kMostChunkHeader) {
          return refuse({400, "malformed request: the line of a chunk is too long"}, consumed);
        }
      }
      if (error) {
        return refuse(owner_.refusal_.message.empty() ? refusal_of(error, has_request_line_) : owner_.refusal_,
                      consumed);
      }
      return {is_done() ? Progress::complete : Progress::need_more, consumed};
    }

    [[nodiscard]] bool awaits_continue() const {
      return expects_continue_ && is_header_done() && !is_done() && !has_body_;
    }

   private:
    Outcome refuse(Refusal refusal, std::size_t consumed) {
      owner_.refusal_ = std::move(refusal);
      return {Progress::refused, consumed};
    }
    // Stops Beast; what is told is the refusal.
    void refuse(Refusal refusal, error_code& error) {
      owner_.refusal_ = std::move(refusal);
      error = http::error::bad_value;
    }

    void on_request_impl(http::verb /*method*/, BeastView method, BeastView target, int version,
                         error_code& error) override {
      has_request_line_ = true;
      HttpRequest& request = owner_.request_;
      request.method = to_view(method);
      header_bytes_ = method.size() + target.size();
      request.minor_version = version == 10 ? 0 : 1;
      read_target(to_view(target), request, error);
    }

    // In origin form, or in absolute form, as proxies are asked.
    void read_target(std::string_view target, HttpRequest& request, error_code& error) {
      constexpr std::string_view kScheme = "http://";
      if (request.method == "CONNECT") return refuse({501, "CONNECT is not spoken here"}, error);
      if (!target.starts_with('/')) {
        if (target.size() <= kScheme.size() || !same_name(target.substr(0, kScheme.size()), kScheme)) {
          request.target = target;
          return refuse({400, "malformed request: the target is neither a path nor an http:// address"}, error);
        }
        target.remove_prefix(kScheme.size());
        const std::size_t end = std::min(target.find_first_of("/?"), target.size());
        request.authority = target.substr(0, end);
        is_absolute_ = true;
        target.remove_prefix(end);
        if (!target.starts_with('/')) request.target = "/";
      }
      request.target += target.substr(0, target.find('#'));
    }

    void on_field_impl(http::field name, BeastView text, BeastView value, error_code& error) override {
      if (is_header_done()) return;  // of a trailer: nobody asked for them
      HttpRequest& request = owner_.request_;
      // Beast's own limit is of what it has not read yet.
      header_bytes_ += text.size() + value.size() + 4;
      if (header_bytes_ > owner_.limits_.header_bytes) {
        return refuse({431, "the header is larger than the limit"}, error);
      }
      switch (name) {
        case http::field::host:
          if (has_host_) return refuse({400, "malformed request: more than one Host"}, error);
          has_host_ = true;
          if (!is_absolute_) request.authority = to_view(value);
          break;
        case http::field::transfer_encoding:
          if (request.minor_version == 0) {
            return refuse({400, "malformed request: Transfer-Encoding in HTTP/1.0"}, error);
          }
          // Also "gzip, chunked", which would leave the guest with bytes that it knows nothing about.
          if (!same_name(to_view(value), "chunked")) {
            return refuse({501, "the only transfer coding that is spoken here is chunked"}, error);
          }
          break;
        case http::field::expect:
          if (!same_name(to_view(value), "100-continue")) {
            return refuse({417, "the only expectation that can be met is 100-continue"}, error);
          }
          expects_continue_ = request.minor_version == 1;
          break;
        default:
          break;
      }
      request.fields.push_back({std::string(to_view(text)), std::string(to_view(value))});
    }

    void on_header_impl(error_code& error) override {
      if (owner_.request_.minor_version == 1 && !has_host_) {
        refuse({400, "malformed request: HTTP/1.1 without Host"}, error);
      }
    }
    void on_body_init_impl(const boost::optional<std::uint64_t>& length, error_code& /*error*/) override {
      // A length is a promise until it is kept: memory is taken for some of it at once.
      constexpr std::uint64_t kMostAtOnce = 65536;
      if (length) owner_.request_.body.reserve(std::min(*length, kMostAtOnce));
    }
    std::size_t on_body_impl(BeastView body, error_code& /*error*/) override {
      has_body_ = true;
      owner_.request_.body += to_view(body);
      return body.size();
    }
    void on_chunk_header_impl(std::uint64_t /*size*/, BeastView /*extensions*/, error_code& /*error*/) override {
      has_body_ = true;
    }
    std::size_t on_chunk_body_impl(std::uint64_t /*remain*/, BeastView body, error_code& /*error*/) override {
      owner_.request_.body += to_view(body);
      return body.size();
    }
    void on_finish_impl(error_code& /*error*/) override {}
    void on_response_impl(int /*code*/, BeastView /*reason*/, int /*version*/, error_code& /*error*/) override {}

    Impl& owner_;
    std::size_t header_bytes_ = 0;
    bool has_request_line_ = false;
    bool is_absolute_ = false;
    bool has_host_ = false;
    bool expects_continue_ = false;
    bool has_body_ = false;  // whether some of it has come
  };

  ParseLimits limits_;
  std::optional<Reader> reader_;
  HttpRequest request_;
  Refusal refusal_;
};

RequestParser::RequestParser(const ParseLimits& limits) : impl_(std::make_unique<Impl>(limits)) {}
RequestParser::~RequestParser() = default;
RequestParser::Outcome RequestParser::put(std::string_view bytes) { return impl_->put(bytes); }
bool RequestParser::has_begun() const { return impl_->has_begun(); }
bool RequestParser::keeps_alive() const { return impl_->keeps_alive(); }
bool RequestParser::awaits_continue() const { return impl_->awaits_continue(); }
HttpRequest& RequestParser::request() { return impl_->request(); }
const Refusal& RequestParser::refusal() const { return impl_->refusal(); }
void RequestParser::reset() { impl_->reset(); }

}  // namespace wasirun::serve
