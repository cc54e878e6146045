// What a server runs on its loop: requests for guests, or a guest that is a server itself. On the loop's thread alone.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace wasirun::serve {

class Service {
 public:
  Service() = default;
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;
  virtual ~Service() = default;

  // No new work; what is under way may end.
  virtual void drain() = 0;
  // What is under way is given up: clients are cut off, guests interrupted.
  virtual void abort() = 0;
  // Whether nothing is under way any more, after one of these. The service says so by `changed`, too.
  [[nodiscard]] virtual bool is_over() const = 0;
  // Its part of /metrics.
  [[nodiscard]] virtual std::string metrics() const = 0;
  [[nodiscard]] virtual std::vector<std::string> addresses() const = 0;
  // Closes what it has on the loop; the loop runs once more then.
  virtual void close() = 0;
};

}  // namespace wasirun::serve
