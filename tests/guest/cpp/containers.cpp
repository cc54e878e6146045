// Streams, containers, algorithms and smart pointers, without exceptions.
#include <algorithm>
#include <array>
#include <deque>
#include <functional>
#include <iomanip>
#include <iostream>
#include <list>
#include <map>
#include <memory>
#include <numeric>
#include <optional>
#include <queue>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <variant>
#include <vector>

namespace {

struct Announcer {
  explicit Announcer(const char* n) : name(n) { std::cout << "made " << name << "\n"; }
  ~Announcer() { std::cout << "gone " << name << std::endl; }
  const char* name;
};
Announcer global("global");

struct Shape {
  virtual ~Shape() = default;
  [[nodiscard]] virtual double area() const = 0;
  [[nodiscard]] virtual std::string name() const { return "shape"; }
};
struct Named {
  virtual ~Named() = default;
  [[nodiscard]] virtual std::string label() const = 0;
};
struct Square : Shape, Named {
  explicit Square(double s) : side(s) {}
  [[nodiscard]] double area() const override { return side * side; }
  [[nodiscard]] std::string name() const override { return "square"; }
  [[nodiscard]] std::string label() const override { return "a " + name(); }
  double side;
};
struct Disc final : Shape {
  [[nodiscard]] double area() const override { return 3; }
};

template <class... Fs>
struct Overloaded : Fs... {
  using Fs::operator()...;
};

}  // namespace

int main() {
  Announcer local("local");
  std::map<std::string, int> counts;
  std::istringstream words("one two three two three three");
  for (std::string word; words >> word;) ++counts[word];
  for (const auto& [word, count] : counts) std::cout << std::setw(8) << word << std::setw(4) << count << "\n";

  std::unordered_map<int, std::vector<int>> buckets;
  for (int i = 0; i < 10000; ++i) buckets[i * i % 97].push_back(i);
  std::set<std::size_t> sizes;
  for (const auto& [key, bucket] : buckets) sizes.insert(bucket.size());
  for (std::size_t size : sizes) std::cout << size << " ";
  std::cout << "(" << buckets.size() << ")\n";

  std::vector<int> numbers(1000);
  std::iota(numbers.begin(), numbers.end(), 1);
  std::stable_partition(numbers.begin(), numbers.end(), [](int n) { return n % 3 == 0; });
  std::cout << numbers[0] << " " << numbers[332] << " " << numbers[333] << " " << numbers.back() << "\n";
  std::sort(numbers.begin(), numbers.end(), std::greater<>());
  std::cout << std::accumulate(numbers.begin(), numbers.end(), 0LL) << " "
            << *std::lower_bound(numbers.rbegin(), numbers.rend(), 500) << "\n";

  std::deque<int> ends;
  std::list<int> chain;
  std::priority_queue<int, std::vector<int>, std::greater<>> heap;
  for (int i = 0; i < 100; ++i) {
    (i % 2 == 0) ? ends.push_back(i) : ends.push_front(i);
    chain.push_back(i * 7 % 31);
    heap.push(i * 13 % 101);
  }
  chain.sort();
  chain.unique();
  std::cout << ends.front() << " " << ends[50] << " " << chain.size() << " " << heap.top() << "\n";

  std::vector<std::unique_ptr<Shape>> shapes;
  shapes.push_back(std::make_unique<Square>(1.5));
  shapes.push_back(std::make_unique<Disc>());
  for (const auto& shape : shapes) {
    const auto* named = dynamic_cast<const Named*>(shape.get());
    std::cout << shape->name() << " " << shape->area() << " " << (named != nullptr ? named->label() : "unnamed")
              << "\n";
  }
  std::shared_ptr<int> shared = std::make_shared<int>(5);
  std::weak_ptr<int> weak = shared;
  std::function<int(int)> add = [shared](int n) { return n + *shared; };
  shared.reset();
  std::cout << add(37) << " " << weak.use_count() << " ";
  add = nullptr;
  std::cout << weak.expired() << "\n";

  using Any = std::variant<int, double, std::string>;
  const std::array<Any, 3> values{Any(1), Any(2.5), Any(std::string("text"))};
  for (const Any& value : values) {
    std::visit(Overloaded{[](int i) { std::cout << "int " << i << "\n"; },
                          [](double d) { std::cout << "double " << d << "\n"; },
                          [](const std::string& s) { std::cout << "string " << s << "\n"; }},
               value);
  }
  std::optional<std::string_view> maybe;
  std::cout << maybe.value_or("nothing") << " ";
  maybe = "something";
  std::cout << maybe->substr(4) << "\n";
  const auto [a, b, c] = std::make_tuple(1, 'x', 2.5F);
  std::cout << a << b << c << "\n";
  std::cout << std::hex << std::showbase << 48879 << std::dec << " " << std::fixed << std::setprecision(3) << 2.0 / 3
            << " " << std::scientific << 12345.678 << std::defaultfloat << " " << std::boolalpha << true << "\n";
  std::string text;
  for (int i = 0; i < 1000; ++i) text += std::to_string(i);
  text.erase(100, 2000).insert(50, "inserted").replace(0, 3, "...");
  std::cout << text.size() << " " << text.find("inserted") << " " << text.substr(0, 20) << "\n";
  return 0;
}
