// A JSON reader and writer over variants, driven by stdin: recursion, maps and text in earnest.
#include <charconv>
#include <cstdint>
#include <iostream>
#include <iterator>
#include <map>
#include <string>
#include <variant>
#include <vector>

namespace {

struct Value;
using Array = std::vector<Value>;
using Object = std::map<std::string, Value>;
struct Value {
  std::variant<std::nullptr_t, bool, std::int64_t, std::string, Array, Object> data;
};

class Parser {
 public:
  explicit Parser(const std::string& text) : text_(text) {}
  bool parse(Value& value) { return read(value) && (skip(), at_ == text_.size()); }

 private:
  void skip() {
    while (at_ < text_.size() && std::string_view(" \t\r\n").find(text_[at_]) != std::string_view::npos) ++at_;
  }
  bool take(char c) {
    skip();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  bool word(std::string_view w) {
    if (text_.compare(at_, w.size(), w) != 0) return false;
    at_ += w.size();
    return true;
  }
  bool string(std::string& out) {
    if (!take('"')) return false;
    while (at_ < text_.size() && text_[at_] != '"') {
      if (text_[at_] == '\\') ++at_;
      out += text_[at_++];
    }
    return at_++ < text_.size();
  }
  bool read(Value& value) {
    skip();
    if (at_ >= text_.size()) return false;
    switch (text_[at_]) {
      case 'n':
        value.data = nullptr;
        return word("null");
      case 't':
        value.data = true;
        return word("true");
      case 'f':
        value.data = false;
        return word("false");
      case '"':
        return string(value.data.emplace<std::string>());
      case '[': {
        ++at_;
        auto& array = value.data.emplace<Array>();
        if (take(']')) return true;
        do {
          if (!read(array.emplace_back())) return false;
        } while (take(','));
        return take(']');
      }
      case '{': {
        ++at_;
        auto& object = value.data.emplace<Object>();
        if (take('}')) return true;
        do {
          std::string key;
          if (!string(key) || !take(':') || !read(object[key])) return false;
        } while (take(','));
        return take('}');
      }
      default: {
        std::int64_t number = 0;
        const auto [end, error] = std::from_chars(text_.data() + at_, text_.data() + text_.size(), number);
        if (error != std::errc()) return false;
        at_ = static_cast<std::size_t>(end - text_.data());
        value.data = number;
        return true;
      }
    }
  }
  const std::string& text_;
  std::size_t at_ = 0;
};

void print(std::ostream& out, const Value& value) {
  struct Printer {
    std::ostream& out;
    void operator()(std::nullptr_t) const { out << "null"; }
    void operator()(bool b) const { out << (b ? "true" : "false"); }
    void operator()(std::int64_t i) const { out << i; }
    void operator()(const std::string& s) const { out << '"' << s << '"'; }
    void operator()(const Array& array) const {
      out << '[';
      for (std::size_t i = 0; i < array.size(); ++i) {
        if (i > 0) out << ',';
        print(out, array[i]);
      }
      out << ']';
    }
    void operator()(const Object& object) const {
      out << '{';
      bool first = true;
      for (const auto& [key, member] : object) {
        out << (first ? "\"" : ",\"") << key << "\":";
        print(out, member);
        first = false;
      }
      out << '}';
    }
  };
  std::visit(Printer{out}, value.data);
}

}  // namespace

int main() {
  const std::string text((std::istreambuf_iterator<char>(std::cin)), std::istreambuf_iterator<char>());
  Value value;
  if (!Parser(text).parse(value)) {
    std::cout << "not JSON\n";
    return 1;
  }
  print(std::cout, value);
  std::cout << "\n";
  Value bad;
  const std::string broken = "{\"a\": [1, 2,}";
  std::cout << Parser(broken).parse(bad) << "\n";
  return 0;
}
