#include "tools/serve/wit_guest.h"

#include <fmt/format.h>

namespace wasirun::serve {

Failure bad_answer(std::string_view what) {
  return {.status = 500,
          .message = fmt::format("the guest's answer is no response: {}", what),
          .kind = FailureKind::answer};
}

std::expected<WitAnswer, Failure> ask(const wasi::Instance& instance, std::string_view handler,
                                      const WitRequest& request) {
  const auto fail = [](std::string message) {
    return std::unexpected(Failure{.status = 500, .message = std::move(message), .kind = FailureKind::trap});
  };
  const auto function = instance.function<WitHandler>(handler);
  if (!function) return fail(function.error().message);
  auto memory = WitMemory::of(instance);
  if (!memory) return fail(std::move(memory).error());
  if (const auto done = instance.initialize(); !done) return std::unexpected(failure_of(done.error()));
  const auto address = call_handler(*function, *memory, request);
  if (!address) return std::unexpected(failure_of(address.error()));
  return WitAnswer{.memory = *std::move(memory), .address = *address};
}

std::expected<HttpResponse, Failure> response_of(const WitAnswer& answer, std::uint64_t address,
                                                 const RequestContext& context) {
  auto lifted = lift_response(answer.memory, address, context.response_limit);
  if (!lifted) return std::unexpected(bad_answer(lifted.error()));
  auto sendable = to_sendable(*std::move(lifted));
  if (!sendable) return std::unexpected(bad_answer(sendable.error()));
  return *std::move(sendable);
}

}  // namespace wasirun::serve
