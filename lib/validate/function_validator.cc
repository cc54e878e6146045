// Validation of bodies: the checked walk with the sink that makes nothing, here and nowhere else.
#include <algorithm>
#include <atomic>
#include <optional>
#include <vector>

#include "base/guard.h"
#include "base/on_threads.h"
#include "validate/empty_sink.h"
#include "validate/function_walk.h"
#include "validate/validator.h"

namespace wasi::validate {

namespace {
struct SilentSink : EmptySink {
  static constexpr bool kSilent = true;
};
}  // namespace

Result<wasm::FeatureSet> validate_function(const wasm::Module& module, wasm::FuncIndex function) {
  SilentSink sink;
  FunctionWalk<SilentSink, true> walk(module, function, sink);
  WASI_TRY(walk.run());
  return walk.features();
}

namespace {

// Bodies are dealt out in chunks of about this many bytes: small enough to balance, large enough that
// taking one costs nothing.
constexpr std::uint64_t kChunkBytes = 1 << 16;

std::vector<std::uint32_t> chunk_starts(const wasm::Module& module) {
  std::vector<std::uint32_t> starts;
  std::uint64_t bytes = kChunkBytes;
  for (std::uint32_t i = 0; i < module.bodies.size(); ++i) {
    if (bytes >= kChunkBytes) {
      starts.push_back(i);
      bytes = 0;
    }
    bytes += module.bodies[i].size;
  }
  starts.push_back(static_cast<std::uint32_t>(module.bodies.size()));
  return starts;
}

// What one thread found.
struct Findings {
  wasm::FeatureSet features;
  std::uint32_t failed = UINT32_MAX;  // the body
  std::optional<Error> error;
};

}  // namespace

Result<void> validate_functions(wasm::Module& module, unsigned threads) {
  const std::vector<std::uint32_t> starts = chunk_starts(module);
  const std::size_t chunks = starts.size() - 1;
  std::atomic<std::size_t> next_chunk = 0;
  // The first wrong body so far; bodies behind it need no look, those before it do.
  std::atomic<std::uint32_t> first_failed = UINT32_MAX;

  const auto work = [&](Findings& findings) {
    for (;;) {
      const std::size_t chunk = next_chunk.fetch_add(1, std::memory_order_relaxed);
      if (chunk >= chunks) return;
      for (std::uint32_t i = starts[chunk]; i < starts[chunk + 1]; ++i) {
        if (i > first_failed.load(std::memory_order_relaxed)) return;
        auto result = validate_function(module, wasm::FuncIndex(module.imported_functions + i));
        if (result) {
          findings.features |= *result;
          continue;
        }
        // Chunks are taken in order, so a thread's first failure is its lowest.
        findings.failed = i;
        findings.error = std::move(result).error();
        std::uint32_t before = first_failed.load(std::memory_order_relaxed);
        while (i < before && !first_failed.compare_exchange_weak(before, i, std::memory_order_relaxed)) {
        }
        return;
      }
    }
  };

  const std::size_t count = std::clamp<std::size_t>(threads, 1, std::max<std::size_t>(chunks, 1));
  std::vector<Findings> findings(count);
  // Nothing may leave a thread, and fewer of them do the same.
  const auto work_or_fail = [&](Findings& own) {
    const auto done = guarded([&]() -> Result<void> {
      work(own);
      return {};
    });
    if (done) return;
    first_failed.store(0, std::memory_order_relaxed);
    own.failed = 0;
    own.error = done.error();
  };
  base::on_threads(count, [&](std::size_t i) { work_or_fail(findings[i]); });

  const auto first = std::ranges::min_element(findings, {}, &Findings::failed);
  if (first->error) return std::unexpected(std::move(*first->error));
  for (const Findings& finding : findings) module.features |= finding.features;
  return {};
}

}  // namespace wasi::validate
