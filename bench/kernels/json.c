// JSON: parses a document of some 40 KiB into a tree, changes it, and prints it again.
#include "bench.h"

typedef enum { kNull, kFalse, kTrue, kNumber, kString, kArray, kObject } Kind;
typedef struct Value {
  Kind kind;
  double number;
  char* text;           // of a string
  char* name;           // where it is a member of an object
  struct Value* first;  // of an array or object
  struct Value* next;
} Value;

typedef struct {
  const char* at;
  int failed;
} Parser;

static void skip_space(Parser* parser) {
  while (*parser->at == ' ' || *parser->at == '\n' || *parser->at == '\t' || *parser->at == '\r') parser->at++;
}

static int take(Parser* parser, char c) {
  skip_space(parser);
  if (*parser->at != c) return 0;
  parser->at++;
  return 1;
}

static unsigned parse_hex(Parser* parser) {
  unsigned value = 0;
  for (int i = 0; i < 4; i++) {
    const char c = *parser->at;
    const int digit = c >= '0' && c <= '9'   ? c - '0'
                      : c >= 'a' && c <= 'f' ? c - 'a' + 10
                      : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                             : -1;
    if (digit < 0) {
      parser->failed = 1;
      return 0;
    }
    value = value * 16 + (unsigned)digit;
    parser->at++;
  }
  return value;
}

static char* parse_string(Parser* parser) {
  const char* end = parser->at;
  while (*end != '"' && *end != '\0') end += *end == '\\' && end[1] != '\0' ? 2 : 1;
  char* text = allocate((size_t)(end - parser->at) + 1);
  char* to = text;
  while (*parser->at != '"') {
    char c = *parser->at++;
    if (c == '\0') {
      parser->failed = 1;
      break;
    }
    if (c == '\\') {
      c = *parser->at++;
      if (c == 'n') {
        c = '\n';
      } else if (c == 't') {
        c = '\t';
      } else if (c == 'u') {
        const unsigned code = parse_hex(parser);
        if (code >= 0x800) *to++ = (char)(0xe0 | code >> 12);
        if (code >= 0x80) *to++ = code >= 0x800 ? (char)(0x80 | (code >> 6 & 63)) : (char)(0xc0 | code >> 6);
        c = code >= 0x80 ? (char)(0x80 | (code & 63)) : (char)code;
      }
    }
    *to++ = c;
  }
  if (!parser->failed) parser->at++;
  *to = '\0';
  return text;
}

static double parse_number(Parser* parser) {
  const int is_negative = *parser->at == '-';
  if (is_negative) parser->at++;
  double number = 0;
  if (*parser->at < '0' || *parser->at > '9') parser->failed = 1;
  for (; *parser->at >= '0' && *parser->at <= '9'; parser->at++) number = number * 10 + (*parser->at - '0');
  if (*parser->at == '.') {
    double place = 1;
    for (parser->at++; *parser->at >= '0' && *parser->at <= '9'; parser->at++) {
      place *= 10;
      number = number * 10 + (*parser->at - '0');
    }
    number /= place;
  }
  return is_negative ? -number : number;
}

static int take_word(Parser* parser, const char* word) {
  const size_t length = strlen(word);
  if (strncmp(parser->at, word, length) != 0) return 0;
  parser->at += length;
  return 1;
}

static Value* parse_value(Parser* parser) {
  Value* value = allocate(sizeof *value);
  memset(value, 0, sizeof *value);
  skip_space(parser);
  if (*parser->at == '{' || *parser->at == '[') {
    value->kind = *parser->at == '{' ? kObject : kArray;
    const char close = value->kind == kObject ? '}' : ']';
    parser->at++;
    Value** last = &value->first;
    if (take(parser, close)) return value;
    do {
      char* name = NULL;
      if (value->kind == kObject) {
        if (!take(parser, '"')) parser->failed = 1;
        if (parser->failed) return value;
        name = parse_string(parser);
        if (!take(parser, ':')) parser->failed = 1;
      }
      *last = parse_value(parser);
      (*last)->name = name;
      last = &(*last)->next;
    } while (!parser->failed && take(parser, ','));
    if (!take(parser, close)) parser->failed = 1;
  } else if (*parser->at == '"') {
    parser->at++;
    value->kind = kString;
    value->text = parse_string(parser);
  } else if (take_word(parser, "null")) {
    value->kind = kNull;
  } else if (take_word(parser, "true")) {
    value->kind = kTrue;
  } else if (take_word(parser, "false")) {
    value->kind = kFalse;
  } else {
    value->kind = kNumber;
    value->number = parse_number(parser);
  }
  return value;
}

static void release(Value* value) {
  while (value != NULL) {
    Value* next = value->next;
    release(value->first);
    free(value->text);
    free(value->name);
    free(value);
    value = next;
  }
}

static char* print_string(char* to, const char* text) {
  *to++ = '"';
  for (; *text != '\0'; text++) {
    if (*text == '"' || *text == '\\') {
      *to++ = '\\';
      *to++ = *text;
    } else if (*text == '\n') {
      *to++ = '\\';
      *to++ = 'n';
    } else {
      *to++ = *text;
    }
  }
  *to++ = '"';
  return to;
}

static char* print_integer(char* to, int64_t number) {
  char digits[24];
  int count = 0;
  if (number < 0) {
    *to++ = '-';
    number = -number;
  }
  do digits[count++] = (char)('0' + number % 10);
  while ((number /= 10) != 0);
  while (count > 0) *to++ = digits[--count];
  return to;
}

static char* print_value(char* to, const Value* value) {
  static const char* const kWords[] = {"null", "false", "true"};
  if (value->kind <= kTrue) {
    for (const char* word = kWords[value->kind]; *word != '\0'; word++) *to++ = *word;
  } else if (value->kind == kNumber) {
    // Three places behind the point are all that the documents here have.
    const int64_t thousandths = (int64_t)(value->number * 1000 + (value->number < 0 ? -0.5 : 0.5));
    if (thousandths < 0 && thousandths > -1000) *to++ = '-';
    to = print_integer(to, thousandths / 1000);
    int64_t rest = thousandths < 0 ? -thousandths % 1000 : thousandths % 1000;
    if (rest != 0) *to++ = '.';
    for (int64_t place = 100; rest != 0; rest %= place, place /= 10) *to++ = (char)('0' + rest / place);
  } else if (value->kind == kString) {
    to = print_string(to, value->text);
  } else {
    *to++ = value->kind == kObject ? '{' : '[';
    for (const Value* member = value->first; member != NULL; member = member->next) {
      if (value->kind == kObject) {
        to = print_string(to, member->name);
        *to++ = ':';
      }
      to = print_value(to, member);
      if (member->next != NULL) *to++ = ',';
    }
    *to++ = value->kind == kObject ? '}' : ']';
  }
  *to = '\0';
  return to;
}

static void change(Value* value) {
  for (; value != NULL; value = value->next) {
    if (value->kind == kNumber) value->number = value->number * 1.25 + 1;
    if (value->kind == kNumber && value->number > 1e6) value->number = value->number / 1e6 - 7;
    if (value->kind == kTrue || value->kind == kFalse) value->kind = value->kind == kTrue ? kFalse : kTrue;
    change(value->first);
  }
}

static char text[2][256 * 1024];

static uint64_t run(uint32_t size) {
  Random random = {26};
  char* to = text[0];
  *to++ = '[';
  for (int i = 0; i < 250; i++) {
    if (i != 0) *to++ = ',';
    to += sprintf(
        to, "\n {\"id\": %d, \"name\": \"item \\u00e9\\u20ac %u \\\"quoted\\\"\\n\", \"price\": %u.%03u, \"tags\": [",
        i, random_below(&random, 1000), random_below(&random, 10000), random_below(&random, 1000));
    for (uint32_t tags = random_below(&random, 6); tags > 0; tags--)
      to += sprintf(to, "\"t%u\"%s", tags, tags > 1 ? ", " : "");
    to += sprintf(to, "], \"inner\": {\"flag\": %s, \"none\": null, \"deep\": [[-%u], {}, []]}}",
                  random_below(&random, 2) != 0 ? "true" : "false", random_below(&random, 500));
  }
  strcpy(to, "\n]");
  uint64_t sum = 0;
  for (uint32_t round = 0; round < size; round++) {
    Parser parser = {text[round & 1], 0};
    Value* value = parse_value(&parser);
    skip_space(&parser);
    if (parser.failed || *parser.at != '\0') return 0;
    change(value);
    const char* end = print_value(text[~round & 1], value);
    sum = add_checksum(sum, (uint64_t)(end - text[~round & 1]));
    release(value);
  }
  return add_words(sum, text[size & 1], strlen(text[size & 1]));
}

KERNEL(33, NULL)
