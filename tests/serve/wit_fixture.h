// Guests of Spin and slight for tests, in WAT, and what asks them.
#pragma once

#include <wasi/wasi.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/temp_dir.h"
#include "tools/serve/contracts.h"

namespace wasi::test {

// A module whose allocator never frees, from 4096 on. `imports` stand in front.
inline std::string wit_module(std::string_view functions, std::string_view imports = "") {
  return "(module " + std::string(imports) + R"(
    (memory (export "memory") 2 64)
    (global $top (mut i32) (i32.const 4096))
    (func $allocate (export "canonical_abi_realloc") (param i32 i32 i32) (param $size i32) (result i32)
      (local $at i32)
      (local.set $at (i32.and (i32.add (global.get $top) (i32.const 7)) (i32.const -8)))
      (global.set $top (i32.add (local.get $at) (local.get $size)))
      (block $fits
        (br_if $fits (i32.le_u (global.get $top) (i32.shl (memory.size) (i32.const 16))))
        (br_if $fits (i32.ne (i32.const -1)
          (memory.grow (i32.add (i32.const 1) (i32.shr_u (local.get $size) (i32.const 16))))))
        unreachable)
      (local.get $at))
    (func (export "canonical_abi_free") (param i32 i32 i32)) )" +
         std::string(functions) + ")";
}

// A handler of that name: its parameters are $method $uri $uri_size $headers $header_count $params $param_count
// $has_body $body $body_size.
inline std::string handler(std::string_view name, std::string_view body) {
  return "(func (export \"" + std::string(name) + R"(")
      (param $method i32) (param $uri i32) (param $uri_size i32) (param $headers i32) (param $header_count i32)
      (param $params i32) (param $param_count i32) (param $has_body i32) (param $body i32) (param $body_size i32)
      (result i32) )" +
         std::string(body) + ")";
}

// Stores a response at `at`: a status, and the lists that these expressions are, an address and a length each.
inline std::string store_response(int at, int status, std::string_view headers, std::string_view header_count,
                                  std::string_view body, std::string_view body_size) {
  const auto store = [&](std::string_view instruction, int offset, std::string_view value) {
    return "(" + std::string(instruction) + " (i32.const " + std::to_string(at + offset) + ") " + std::string(value) +
           ")";
  };
  return store("i32.store16", 0, "(i32.const " + std::to_string(status) + ")") +
         store("i32.store8", 4, "(i32.const 1)") + store("i32.store", 8, headers) +
         store("i32.store", 12, header_count) + store("i32.store8", 16, "(i32.const 1)") +
         store("i32.store", 20, body) + store("i32.store", 24, body_size);
}

inline wasirun::serve::HttpRequest request(std::string_view method, std::string_view target,
                                           std::vector<wasirun::serve::HttpField> fields = {}, std::string body = {}) {
  wasirun::serve::HttpRequest made;
  made.method = method;
  made.target = target;
  made.fields = std::move(fields);
  made.body = std::move(body);
  return made;
}

// A contract made from files in a directory of its own, and what its guests say.
class Served {
 public:
  using Make = wasi::Result<std::unique_ptr<wasirun::serve::Contract>> (*)(const wasirun::serve::GuestSetup&);

  Served(Make make, std::string_view manifest_name) : make_(make), manifest_name_(manifest_name) {}

  [[nodiscard]] const TempDir& folder() const { return folder_; }
  wasirun::serve::GuestSetup setup;
  wasirun::serve::RequestContext limits = {
      .deadline = {}, .memory_limit = 16U << 20, .response_limit = 1U << 20, .log = {}, .cancelled = {}};
  std::chrono::milliseconds time = std::chrono::seconds(20);
  std::string log;

  // Makes the contract from the files that are there by now.
  wasi::Result<void> begin() {
    setup.manifest = folder_ / manifest_name_;
    auto made = make_(setup);
    if (!made) return std::unexpected(made.error());
    contract_ = *std::move(made);
    return {};
  }
  [[nodiscard]] std::string error() {
    const auto begun = begin();
    return begun ? "" : begun.error().to_string();
  }
  void must_begin() {
    const std::string why = error();
    INFO(why);
    REQUIRE(why.empty());
  }

  [[nodiscard]] wasirun::serve::Contract& contract() { return *contract_; }

  std::expected<wasirun::serve::HttpResponse, wasirun::serve::Failure> ask(const wasirun::serve::HttpRequest& asked) {
    wasirun::serve::RequestContext context = limits;
    context.deadline = std::chrono::steady_clock::now() + time;
    context.log = [this](std::string_view text) { log += text; };
    return contract_->answer(asked, context);
  }
  std::expected<wasirun::serve::HttpResponse, wasirun::serve::Failure> get(std::string_view target) {
    return ask(request("GET", target));
  }
  // A response, or a failed test.
  wasirun::serve::HttpResponse must_get(std::string_view target) {
    auto response = get(target);
    if (!response) FAIL(response.error().message);
    return *std::move(response);
  }
  // Why it was not answered, or a failed test.
  wasirun::serve::Failure must_fail(const wasirun::serve::HttpRequest& asked) {
    auto response = ask(asked);
    if (response) FAIL("status " << response->status << ": " << response->body);
    return response.error();
  }

 private:
  Make make_;
  std::string manifest_name_;
  TempDir folder_;
  std::unique_ptr<wasirun::serve::Contract> contract_;
};

}  // namespace wasi::test
