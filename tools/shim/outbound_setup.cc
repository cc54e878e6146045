#include "tools/shim/outbound_setup.h"

#include <fcntl.h>
#include <netdb.h>
#include <nss.h>

#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "tools/serve/curl_library.h"
#include "tools/shim/host_file.h"
#include "tools/shim/root_file_system.h"

namespace wasirun::shim {

namespace {

// Of Debian and Alpine, Red Hat, SUSE; in Go's order.
constexpr const char* kCertificates[] = {"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt",
                                         "/etc/ssl/ca-bundle.pem", "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
                                         "/etc/ssl/cert.pem"};
constexpr std::size_t kLargest = std::size_t{4} << 20;

// Where an image, or who runs it, may say that they are.
constexpr std::string_view kVariable = "SSL_CERT_FILE=";

std::string find_certificates(const Bundle& bundle) {
  std::vector<std::string> own;
  for (const std::string_view variable : bundle.process.env) {
    if (variable.starts_with(kVariable)) own.emplace_back(variable.substr(kVariable.size()));
  }
  own.insert(own.end(), std::begin(kCertificates), std::end(kCertificates));
  for (const std::string& path : own) {
    const auto file = open_in_container(bundle, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    if (!file) continue;
    if (auto text = read_file(fmt::format("/proc/self/fd/{}", file->get()), kLargest); text && !text->empty()) {
      return *std::move(text);
    }
  }
  for (const char* const path : kCertificates) {
    if (auto text = read_file(path, kLargest); text && !text->empty()) return *std::move(text);
  }
  return {};
}

}  // namespace

wasi::Result<void> prepare_requests(const Bundle& bundle) {
  // Both are built into the C library; others are modules, which would be loaded from where the image says.
  ::__nss_configure_lookup("hosts", "files dns");
  // The same of OpenSSL, whose configuration may name modules.
  ::setenv("OPENSSL_CONF", "/dev/null", 1);
  serve::use_certificates(find_certificates(bundle));
  if (const auto library = serve::curl_library(); !library)
    return wasi::fail(wasi::ErrorKind::io, "{}", library.error());
  return {};
}

}  // namespace wasirun::shim
