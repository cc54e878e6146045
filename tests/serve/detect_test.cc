#include "tools/serve/detect.h"

#include <wasi/wasi.h>

#include <catch2/catch.hpp>
#include <string_view>

using wasirun::serve::ContractKind;
using wasirun::serve::detect_contract;

namespace {

wasi::Result<ContractKind> detect(std::string_view text) {
  const wasi::Engine engine;
  const auto module =
      wasi::Module::from_bytes(engine, std::span(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()));
  REQUIRE(module);
  return detect_contract(*module);
}

}  // namespace

TEST_CASE("Contracts by what modules export and import") {
  CHECK(detect(R"((module (func (export "_start"))))") == ContractKind::wagi);
  CHECK(detect(R"((module (import "wasi_snapshot_preview1" "sock_accept" (func (param i32 i32 i32) (result i32)))
                          (func (export "_start"))))") == ContractKind::server);
  CHECK(detect(R"((module (func (export "handle-http-request")) (func (export "canonical_abi_realloc"))
                          (func (export "_start"))))") == ContractKind::spin);
  CHECK(detect(R"((module (import "http" "router::new" (func (param i32))) (func (export "_start"))))") ==
        ContractKind::slight);
}

TEST_CASE("A module of none says what was looked for") {
  const auto none = detect(R"((module (global (export "_start") i32 (i32.const 1)) (func (export "main"))))");
  REQUIRE_FALSE(none);
  for (const char* part : {"handle-http-request", "router::new", "sock_accept", "_start"}) {
    CHECK_THAT(none.error().message, Catch::Contains(part));
  }
}

TEST_CASE("Contracts have names") {
  for (const auto kind : {ContractKind::wagi, ContractKind::spin, ContractKind::slight, ContractKind::server}) {
    CHECK(wasirun::serve::contract_named(name_of(kind)) == kind);
  }
  CHECK_FALSE(wasirun::serve::contract_named("fastcgi"));
}
