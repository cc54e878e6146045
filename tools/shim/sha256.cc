#include "tools/shim/sha256.h"

#include <fmt/format.h>

#include <cstdint>

namespace wasirun::shim {

Sha256::Sha256() { nettle_sha256_init(&context_); }

void Sha256::add(std::string_view bytes) {
  nettle_sha256_update(&context_, bytes.size(), reinterpret_cast<const std::uint8_t*>(bytes.data()));
}

std::string Sha256::hex() {
  std::uint8_t digest[SHA256_DIGEST_SIZE];
  nettle_sha256_digest(&context_, sizeof(digest), digest);
  std::string text;
  for (const std::uint8_t byte : digest) text += fmt::format("{:02x}", byte);
  return text;
}

}  // namespace wasirun::shim
