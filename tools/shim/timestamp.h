// Times as protobuf has them.
#pragma once

#include <chrono>

#include "rpc.pb.h"

namespace wasirun::shim {

inline rpc::Timestamp to_timestamp(std::chrono::system_clock::time_point time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  rpc::Timestamp timestamp;
  timestamp.set_seconds(seconds.time_since_epoch().count());
  timestamp.set_nanos(static_cast<std::int32_t>(std::chrono::nanoseconds(time - seconds).count()));
  return timestamp;
}

}  // namespace wasirun::shim
