// How an instance answers a request by one of its exports: the same for Spin and slight, but for what it returns.
#pragma once

#include <wasi/instance.h>

#include <cstdint>
#include <expected>
#include <string_view>
#include <utility>

#include "tools/serve/contract.h"
#include "tools/serve/wit_http.h"
#include "tools/serve/wit_memory.h"

namespace wasirun::serve {

// A handler has been called.
struct WitAnswer {
  WitMemory memory;
  std::uint32_t address = 0;  // of what it returned
};

// Calls `_initialize`, where the instance exports it, and then the handler.
std::expected<WitAnswer, Failure> ask(const wasi::Instance& instance, std::string_view handler,
                                      const WitRequest& request);

// That the guest answered nonsense.
Failure bad_answer(std::string_view what);

// The response at an address, as it may be sent.
std::expected<HttpResponse, Failure> response_of(const WitAnswer& answer, std::uint64_t address,
                                                 const RequestContext& context);

}  // namespace wasirun::serve
