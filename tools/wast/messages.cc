#include "tools/wast/messages.h"

namespace wasi::spec {

namespace {

// `expected` as in the script; `ours` is how our message of the same class begins.
struct MessageClass {
  std::string_view expected;
  std::string_view ours;
};

constexpr MessageClass kClasses[] = {
#define SPEC_MESSAGE(expected, ours) {expected, ours},
#include "tools/wast/message_classes.def"
#undef SPEC_MESSAGE
};

}  // namespace

bool matches_message(std::string_view expected, std::string_view actual) {
  if (actual.starts_with(expected)) return true;
  for (const MessageClass& row : kClasses) {
    if (row.expected == expected && actual.starts_with(row.ours)) return true;
  }
  return false;
}

}  // namespace wasi::spec
