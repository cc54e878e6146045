// Calls through pointers of many types, tables of functions, callbacks with state, variable arguments.
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef int (*binary)(int, int);
static int add(int a, int b) { return a + b; }
static int sub(int a, int b) { return a - b; }
static int mul(int a, int b) { return a * b; }
static int shift(int a, int b) { return (int)((unsigned)a << (b & 31)); }
static const binary kOperations[] = {add, sub, mul, shift};

typedef double (*mixed)(int8_t, uint64_t, float, double, const char*);
static double mixed_a(int8_t a, uint64_t b, float c, double d, const char* e) {
  return a + (double)b + c + d + (double)strlen(e);
}
static double mixed_b(int8_t a, uint64_t b, float c, double d, const char* e) { return a * (double)b - c * d - e[0]; }

struct shape {
  const struct shape_type* type;
  double a, b;
};
struct shape_type {
  const char* name;
  double (*area)(const struct shape*);
  void (*scale)(struct shape*, double);
};
static double rectangle_area(const struct shape* s) { return s->a * s->b; }
static double circle_area(const struct shape* s) { return 3.0 * s->a * s->a; }
static void scale_both(struct shape* s, double by) { s->a *= by, s->b *= by; }
static void scale_one(struct shape* s, double by) { s->a *= by; }
static const struct shape_type kRectangle = {"rectangle", rectangle_area, scale_both};
static const struct shape_type kCircle = {"circle", circle_area, scale_one};

struct list {
  int values[8];
};
static struct list big_by_value(struct list in, int by) {
  for (int i = 0; i < 8; i++) in.values[i] = in.values[i] * by + i;
  return in;
}

static long sum_all(const char* kinds, ...) {
  va_list arguments;
  va_start(arguments, kinds);
  double sum = 0;
  for (; *kinds != 0; kinds++) {
    if (*kinds == 'i') sum += va_arg(arguments, int);
    if (*kinds == 'l') sum += (double)va_arg(arguments, long long);
    if (*kinds == 'd') sum += va_arg(arguments, double);
    if (*kinds == 's') sum += (double)strlen(va_arg(arguments, const char*));
  }
  va_end(arguments);
  return (long)(sum * 1000);
}

static int descending;
static int compare(const void* a, const void* b) {
  int x = *(const int*)a, y = *(const int*)b;
  return descending ? (x < y) - (x > y) : (x > y) - (x < y);
}

static void each(int from, int to, void (*visit)(int, void*), void* state) {
  for (int i = from; i < to; i++) visit(i, state);
}
static void hash_it(int i, void* state) { *(uint32_t*)state = *(uint32_t*)state * 16777619u ^ (uint32_t)i; }

int main(void) {
  int value = 7;
  for (int i = 0; i < 1000; i++) value = kOperations[i % 4](value, i % 13 + 1);
  printf("operations %d\n", value);
  mixed functions[] = {mixed_a, mixed_b};
  for (int i = 0; i < 2; i++) printf("mixed %.10g\n", functions[i](-5, 1ULL << 40, 0.25f, 1e-3, "text"));
  struct shape shapes[] = {{&kRectangle, 2, 3}, {&kCircle, 2, 0}};
  for (int i = 0; i < 2; i++) {
    shapes[i].type->scale(&shapes[i], 1.5);
    printf("%s %g\n", shapes[i].type->name, shapes[i].type->area(&shapes[i]));
  }
  struct list list = {{1, 2, 3, 4, 5, 6, 7, 8}};
  struct list (*volatile indirect)(struct list, int) = big_by_value;
  list = indirect(indirect(list, 3), -2);
  for (int i = 0; i < 8; i++) printf("%d ", list.values[i]);
  printf("\nvariable %ld\n", sum_all("ildsis", 1, -5LL, 2.25, "four", 7, ""));
  int numbers[2000];
  uint32_t seed = 42;
  for (int i = 0; i < 2000; i++) numbers[i] = (int)(seed = seed * 1103515245 + 12345);
  for (descending = 0; descending < 2; descending++) {
    qsort(numbers, 2000, sizeof(int), compare);
    uint32_t hash = 2166136261u;
    for (int i = 0; i < 2000; i++) hash_it(numbers[i], &hash);
    printf("sorted %d %d %08x\n", numbers[0], numbers[1999], hash);
  }
  uint32_t hash = 0;
  each(0, 10000, hash_it, &hash);
  printf("callback %08x, same function %d\n", hash, kOperations[0] == add);
  return 0;
}
