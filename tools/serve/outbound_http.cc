#include "tools/serve/outbound_http.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>
#include <utility>

#include "base/byte_reader.h"
#include "base/printable.h"
#include "tools/serve/curl_library.h"

namespace wasirun::serve {

namespace {

constexpr int kMostRedirects = 10;

// Fields that are libcurl's to write, since they say how the message is sent.
constexpr std::string_view kFramingFields[] = {"connection", "content-length",    "expect", "te",
                                               "trailer",    "transfer-encoding", "upgrade"};
// Fields that are for one server and no other.
constexpr std::string_view kSecretFields[] = {"authorization", "cookie", "cookie2", "proxy-authorization",
                                              "www-authenticate"};
// Fields about a body that is not sent again.
constexpr std::string_view kContentFields[] = {"content-type", "content-encoding", "content-language",
                                               "content-location"};

template <class Names>
bool is_one_of(std::string_view name, const Names& names) {
  return std::ranges::any_of(names, [&](std::string_view each) { return same_name(name, each); });
}

OutboundFailure failure(OutboundError error, std::string message) { return {error, std::move(message)}; }

// A URL, as libcurl reads it: what is checked is then what is asked.
class Url {
 public:
  explicit Url(const CurlLibrary& curl) : curl_(curl), handle_(curl.url()) {}
  Url(const Url&) = delete;
  Url& operator=(const Url&) = delete;
  ~Url() { curl_.url_cleanup(handle_); }

  // An absolute one, or relative to what it was before. False: it is none.
  [[nodiscard]] bool set(const std::string& text) const {
    return handle_ != nullptr && !text.contains('\0') &&
           curl_.url_set(handle_, CURLUPART_URL, text.c_str(), 0) == CURLUE_OK;
  }
  [[nodiscard]] std::string part(CURLUPart part, unsigned flags = 0) const {
    char* text = nullptr;
    if (curl_.url_get(handle_, part, &text, flags) != CURLUE_OK) return {};
    std::string copy(text);
    curl_.free(text);
    return copy;
  }
  void forget_user() const {
    curl_.url_set(handle_, CURLUPART_USER, nullptr, 0);
    curl_.url_set(handle_, CURLUPART_PASSWORD, nullptr, 0);
  }
  [[nodiscard]] std::uint16_t port() const {
    const std::string digits = part(CURLUPART_PORT, CURLU_DEFAULT_PORT);
    std::uint16_t port = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), port);
    return port;
  }
  // Scheme, host and port.
  [[nodiscard]] std::string origin() const {
    return fmt::format("{}://{}:{}", part(CURLUPART_SCHEME), part(CURLUPART_HOST), port());
  }
  // For the log: without what may be secret.
  [[nodiscard]] std::string shown() const { return wasi::printable(origin() + part(CURLUPART_PATH)); }
  [[nodiscard]] CURLU* handle() const { return handle_; }

 private:
  const CurlLibrary& curl_;
  CURLU* handle_;
};

bool is_redirect(std::uint16_t status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

}  // namespace

// A handle of libcurl, and one exchange at a time with it.
class OutboundClient::Transfer {
 public:
  explicit Transfer(const CurlLibrary& curl) : curl_(curl), handle_(curl.easy_init()) {}
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;
  ~Transfer() { curl_.easy_cleanup(handle_); }

  [[nodiscard]] const CurlLibrary& curl() const { return curl_; }

  std::expected<HttpResponse, OutboundFailure> perform(const Url& url, const WitRequest& request,
                                                       const OutboundLimits& limits);

 private:
  struct Progress {
    HttpResponse response;
    const OutboundLimits* limits = nullptr;
    std::string wrong;  // what of the answer is
  };

  static std::size_t on_header(char* data, std::size_t size, std::size_t count, void* user);
  static std::size_t on_body(char* data, std::size_t size, std::size_t count, void* user);
  static int on_progress(void* user, curl_off_t, curl_off_t, curl_off_t, curl_off_t);

  // Null without memory.
  curl_slist* fields(const WitRequest& request);
  template <class Value>
  void set(CURLoption option, Value value) {
    curl_.easy_setopt(handle_, option, value);
  }

  const CurlLibrary& curl_;
  CURL* handle_;
};

std::size_t OutboundClient::Transfer::on_header(char* data, std::size_t size, std::size_t count, void* user) {
  Progress& progress = *static_cast<Progress*>(user);
  std::string_view line(data, size * count);
  while (line.ends_with('\n') || line.ends_with('\r')) line.remove_suffix(1);
  if (line.starts_with("HTTP/")) {
    // Of another response than an interim one before.
    progress.response.fields.clear();
  } else if (const std::size_t colon = line.find(':'); colon != std::string_view::npos) {
    std::string name(line.substr(0, colon));
    std::ranges::transform(name, name.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    std::string_view value = line.substr(colon + 1);
    while (value.starts_with(' ') || value.starts_with('\t')) value.remove_prefix(1);
    while (value.ends_with(' ') || value.ends_with('\t')) value.remove_suffix(1);
    if (!wasi::base::is_utf8(line)) {
      progress.wrong = "a header of the answer is not UTF-8: " + wasi::printable(name);
      return 0;
    }
    progress.response.fields.push_back({std::move(name), std::string(value)});
  }
  return size * count;
}

std::size_t OutboundClient::Transfer::on_body(char* data, std::size_t size, std::size_t count, void* user) {
  Progress& progress = *static_cast<Progress*>(user);
  if (size * count > progress.limits->body_limit - progress.response.body.size()) {
    progress.wrong = fmt::format("the answer has more than {} bytes", progress.limits->body_limit);
    return 0;
  }
  progress.response.body.append(data, size * count);
  return size * count;
}

int OutboundClient::Transfer::on_progress(void* user, curl_off_t /*down*/, curl_off_t /*downloaded*/, curl_off_t /*up*/,
                                          curl_off_t /*uploaded*/) {
  return static_cast<const Progress*>(user)->limits->cancelled.stop_requested() ? 1 : 0;
}

curl_slist* OutboundClient::Transfer::fields(const WitRequest& request) {
  curl_slist* list = nullptr;
  const auto append = [&](const std::string& line) {
    curl_slist* const longer = curl_.slist_append(list, line.c_str());
    if (longer != nullptr) list = longer;
    return longer != nullptr;
  };
  bool complete = append("Expect:");
  bool has_type = false;
  for (const HttpField& field : request.headers) {
    if (is_one_of(field.name, kFramingFields)) continue;
    has_type = has_type || same_name(field.name, "content-type");
    // Its way to say that a field is empty, rather than to leave one out.
    complete = complete && append(field.value.empty() ? field.name + ";" : field.name + ": " + field.value);
  }
  // Else it would call any body that of a form.
  if (!has_type) complete = complete && append("Content-Type:");
  if (complete) return list;
  curl_.slist_free_all(list);
  return nullptr;
}

std::expected<HttpResponse, OutboundFailure> OutboundClient::Transfer::perform(const Url& url,
                                                                               const WitRequest& request,
                                                                               const OutboundLimits& limits) {
  const auto left =
      std::chrono::duration_cast<std::chrono::milliseconds>(limits.deadline - std::chrono::steady_clock::now()).count();
  if (left <= 0) return std::unexpected(failure(OutboundError::runtime_error, "no time is left"));
  if (handle_ == nullptr) return std::unexpected(failure(OutboundError::runtime_error, "no memory"));
  curl_slist* const lines = fields(request);
  if (lines == nullptr) return std::unexpected(failure(OutboundError::runtime_error, "no memory"));

  Progress progress{.response = {}, .limits = &limits, .wrong = {}};
  const std::string_view method = *method_of(request.method);
  curl_.easy_reset(handle_);  // connections stay
  set(CURLOPT_CURLU, url.handle());
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_FOLLOWLOCATION, 0L);
  set(CURLOPT_PROXY, "");
  if (const std::string& certificates = curl_certificates(); !certificates.empty()) {
    // Files of these names are somebody else's.
    curl_blob blob{
        .data = const_cast<char*>(certificates.data()), .len = certificates.size(), .flags = CURL_BLOB_NOCOPY};
    set(CURLOPT_CAINFO_BLOB, &blob);
    set(CURLOPT_CAPATH, static_cast<const char*>(nullptr));
    set(CURLOPT_CAINFO, static_cast<const char*>(nullptr));
  }
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_QUICK_EXIT, 1L);  // at the deadline, threads that wait for name servers are left behind
  set(CURLOPT_TIMEOUT_MS, static_cast<long>(std::min<std::int64_t>(left, 1'000'000'000)));
  set(CURLOPT_HTTPHEADER, lines);
  set(CURLOPT_HEADERFUNCTION, &on_header);
  set(CURLOPT_HEADERDATA, &progress);
  set(CURLOPT_WRITEFUNCTION, &on_body);
  set(CURLOPT_WRITEDATA, &progress);
  set(CURLOPT_XFERINFOFUNCTION, &on_progress);
  set(CURLOPT_XFERINFODATA, &progress);
  set(CURLOPT_NOPROGRESS, 0L);
  if (method == "HEAD") {
    set(CURLOPT_NOBODY, 1L);
  } else {
    if (!request.body.empty() || method == "POST" || method == "PUT" || method == "PATCH") {
      set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
      set(CURLOPT_POSTFIELDS, request.body.data());
    }
    set(CURLOPT_CUSTOMREQUEST, std::string(method).c_str());
  }
  const CURLcode code = curl_.easy_perform(handle_);
  long status = 0;
  curl_.easy_getinfo(handle_, CURLINFO_RESPONSE_CODE, &status);
  curl_.slist_free_all(lines);
  if (code != CURLE_OK) {
    return std::unexpected(failure(OutboundError::runtime_error,
                                   progress.wrong.empty() ? curl_.easy_strerror(code) : std::move(progress.wrong)));
  }
  progress.response.status = static_cast<std::uint16_t>(status);
  return std::move(progress.response);
}

OutboundClient::OutboundClient() = default;
OutboundClient::~OutboundClient() = default;

std::expected<HttpResponse, OutboundFailure> OutboundClient::send(const WitRequest& request,
                                                                  const AllowedHosts& allowed,
                                                                  const std::string& own_origin,
                                                                  const OutboundLimits& limits) {
  const bool to_self = request.uri.starts_with('/');
  if (to_self ? !allowed.allows_self() : allowed.empty()) {
    return std::unexpected(
        failure(OutboundError::destination_not_allowed, "allowed_http_hosts does not have its host"));
  }
  if (to_self && own_origin.empty()) {
    return std::unexpected(failure(OutboundError::runtime_error, "the server has no address of its own to ask"));
  }
  if (auto sendable = to_sendable({.status = 200, .fields = request.headers, .body = {}}); !sendable) {
    return std::unexpected(failure(OutboundError::runtime_error, std::move(sendable).error()));
  }
  if (!transfer_) {
    const auto curl = curl_library();
    if (!curl) return std::unexpected(failure(OutboundError::runtime_error, curl.error()));
    transfer_ = std::make_unique<Transfer>(**curl);
  }

  const Url url(transfer_->curl());
  if (!url.set(to_self ? own_origin + request.uri : request.uri)) {
    return std::unexpected(failure(OutboundError::invalid_url, "its URI is none of HTTP"));
  }
  const std::string first_origin = url.origin();
  WitRequest next = request;
  for (int redirects = 0;; ++redirects) {
    const bool is_allowed = allowed.allows(url.part(CURLUPART_SCHEME), url.part(CURLUPART_HOST), url.port()) ||
                            (to_self && url.origin() == first_origin);
    if (!is_allowed) {
      return std::unexpected(failure(OutboundError::destination_not_allowed,
                                     fmt::format("allowed_http_hosts does not have the host of {}", url.shown())));
    }
    auto response = transfer_->perform(url, next, limits);
    if (!response) {
      response.error().message = fmt::format("{}: {}", url.shown(), response.error().message);
      return response;
    }
    const HttpField* const location = find_field(response->fields, "location");
    if (!is_redirect(response->status) || location == nullptr) return response;
    if (redirects == kMostRedirects) {
      return std::unexpected(failure(OutboundError::runtime_error,
                                     fmt::format("{}: more than {} redirects", url.shown(), kMostRedirects)));
    }

    const std::string origin = url.origin();
    if (!url.set(location->value)) {
      return std::unexpected(failure(OutboundError::runtime_error, origin + " redirects to what is no URL of HTTP"));
    }
    if (url.origin() != origin) {
      url.forget_user();
      std::erase_if(next.headers, [](const HttpField& field) {
        return is_one_of(field.name, kSecretFields) || same_name(field.name, "host");
      });
    }
    if (response->status <= 303) {
      if (next.method != *wit_method("HEAD")) next.method = *wit_method("GET");
      next.body.clear();
      std::erase_if(next.headers, [](const HttpField& field) { return is_one_of(field.name, kContentFields); });
    }
  }
}

}  // namespace wasirun::serve
