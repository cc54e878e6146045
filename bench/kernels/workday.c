// For curves of tiering: a day of work of many kinds, in functions of their own that are met again and again. One
// repetition takes a millisecond natively; with their number grows the time and nothing else.
#include "bench.h"

enum { kCells = 1024, kSide = 24 };

static uint32_t cells[kCells];
static double a[kSide][kSide], b[kSide][kSide];
static char text[2048];

static uint32_t __attribute__((noinline)) hash_text(const char* at, size_t size) {
  uint32_t hash = 2166136261u;
  for (size_t i = 0; i < size; i++) hash = (hash ^ (uint8_t)at[i]) * 16777619u;
  return hash;
}

static void __attribute__((noinline)) sift(uint32_t* heap, uint32_t at, uint32_t size) {
  const uint32_t value = heap[at];
  for (uint32_t child; (child = 2 * at + 1) < size; at = child) {
    if (child + 1 < size && heap[child + 1] > heap[child]) child++;
    if (heap[child] <= value) break;
    heap[at] = heap[child];
  }
  heap[at] = value;
}

static void __attribute__((noinline)) heap_sort(uint32_t* numbers, uint32_t size) {
  for (uint32_t i = size / 2; i-- > 0;) sift(numbers, i, size);
  for (uint32_t end = size - 1; end > 0; end--) {
    const uint32_t kept = numbers[0];
    numbers[0] = numbers[end];
    numbers[end] = kept;
    sift(numbers, 0, end);
  }
}

static double __attribute__((noinline)) multiply(void) {
  double trace = 0;
  for (int i = 0; i < kSide; i++) {
    for (int j = 0; j < kSide; j++) {
      double sum = 0;
      for (int k = 0; k < kSide; k++) sum += a[i][k] * b[k][j];
      if (i == j) trace += sum;
    }
  }
  return trace;
}

static uint32_t __attribute__((noinline)) count_words(const char* at) {
  uint32_t words = 0;
  int is_inside = 0;
  for (; *at != '\0'; at++) {
    switch (*at) {
      case ' ':
      case '.':
      case ',':
        is_inside = 0;
        break;
      default:
        words += !is_inside;
        is_inside = 1;
    }
  }
  return words;
}

static uint32_t __attribute__((noinline)) descend(uint32_t n, uint32_t depth) {
  return depth == 0 ? n & 15 : descend(n * 5 + 1, depth - 1) + descend(n * 3 + 2, depth - 1);
}

// A hash table of words: how often each was met.
typedef struct {
  char word[12];
  uint32_t count;
} Entry;
static Entry table[512];

static uint32_t __attribute__((noinline)) meet_word(const char* word) {
  uint32_t at = hash_text(word, strlen(word)) % 512;
  while (table[at].count != 0 && strcmp(table[at].word, word) != 0) at = (at + 1) % 512;
  if (table[at].count == 0) strcpy(table[at].word, word);
  return ++table[at].count;
}

// Builds an expression as text and evaluates it by recursive descent.
static char expression[512];

static char* __attribute__((noinline)) write_expression(char* to, uint32_t seed, int depth) {
  if (depth == 0) {
    uint32_t number = seed % 1000;
    char digits[4];
    int count = 0;
    do digits[count++] = (char)('0' + number % 10);
    while ((number /= 10) != 0);
    while (count > 0) *to++ = digits[--count];
    return to;
  }
  *to++ = '(';
  to = write_expression(to, seed * 1664525u + 1013904223u, depth - 1);
  *to++ = "+-*/"[seed >> 13 & 3];
  to = write_expression(to, seed * 22695477u + 1, depth - 1);
  *to++ = ')';
  return to;
}

static int64_t __attribute__((noinline)) evaluate(const char** at) {
  if (**at != '(') {
    int64_t number = 0;
    for (; **at >= '0' && **at <= '9'; ++*at) number = number * 10 + (**at - '0');
    return number;
  }
  ++*at;
  const int64_t left = evaluate(at);
  const char operation = *(*at)++;
  const int64_t right = evaluate(at);
  ++*at;
  switch (operation) {
    case '+':
      return left + right;
    case '-':
      return left - right;
    case '*':
      return left * right % 1000003;
    default:
      return right == 0 ? left : left / right;
  }
}

static uint32_t twice(uint32_t x) { return 2 * x; }
static uint32_t flip(uint32_t x) { return ~x; }
static uint32_t spread(uint32_t x) { return x * 2654435761u; }
static uint32_t fold(uint32_t x) { return x ^ x >> 15; }
static uint32_t (*const kSteps[4])(uint32_t) = {twice, flip, spread, fold};

static uint64_t run(uint32_t size) {
  Random random = {37};
  for (int i = 0; i < kSide; i++) {
    for (int j = 0; j < kSide; j++) {
      a[i][j] = random_unit(&random);
      b[i][j] = random_unit(&random);
    }
  }
  for (size_t i = 0; i + 1 < sizeof text; i++) text[i] = "abcdefghijkl, . "[random_below(&random, 16)];
  memset(table, 0, sizeof table);
  uint64_t sum = 0;
  for (uint32_t step = 0; step < size; step++) {
    for (int i = 0; i < kCells; i++) cells[i] = (uint32_t)random_next(&random);
    heap_sort(cells, kCells / 2);
    a[step % kSide][step * 5 % kSide] = random_unit(&random);
    sum = add_checksum(sum, bits_of(multiply()));
    text[step % (sizeof text - 1)] = "xyz ,"[step % 5];
    sum = add_checksum(sum, hash_text(text, sizeof text) + count_words(text));
    sum = add_checksum(sum, descend(step, 9));
    for (int word = 0; word < 60; word++) {
      char name[12];
      for (uint32_t i = 0; i < 4; i++) name[i] = "abcd"[cells[word] >> 8 * i & 3];
      name[4] = '\0';
      sum += meet_word(name);
    }
    *write_expression(expression, (uint32_t)sum, 5) = '\0';
    const char* at = expression;
    sum = add_checksum(sum, (uint64_t)evaluate(&at));
    uint32_t x = (uint32_t)sum;
    for (int i = 0; i < kCells; i++) x = kSteps[cells[i] & 3](x);
    sum = add_checksum(sum, x + cells[7]);
  }
  return sum;
}

KERNEL(28, NULL)
