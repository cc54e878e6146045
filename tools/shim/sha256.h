// SHA-256, by which content is named in containerd's store.
#pragma once

#include <nettle/sha2.h>

#include <string>
#include <string_view>

namespace wasirun::shim {

class Sha256 {
 public:
  Sha256();
  void add(std::string_view bytes);
  // Of all that was added, in 64 hexadecimal digits; begins anew.
  std::string hex();

 private:
  sha256_ctx context_;
};

}  // namespace wasirun::shim
