// Indirect calls: objects of eight kinds, each with a table of functions, met in an order that nobody can predict.
#include "bench.h"

typedef struct Shape Shape;
typedef struct {
  int64_t (*area)(const Shape*);
  int64_t (*edge)(const Shape*);
  void (*grow)(Shape*, int32_t by);
} Methods;
struct Shape {
  const Methods* methods;
  int32_t a, b;
};

#define SHAPE(name, area_of, edge_of, grown_a, grown_b)          \
  static int64_t name##_area(const Shape* s) { return area_of; } \
  static int64_t name##_edge(const Shape* s) { return edge_of; } \
  static void name##_grow(Shape* s, int32_t by) {                \
    s->a = (grown_a) & 0xffff;                                   \
    s->b = (grown_b) & 0xffff;                                   \
  }

SHAPE(square, (int64_t)s->a * s->a, 4 * (int64_t)s->a, s->a + by, s->b)
SHAPE(rectangle, (int64_t)s->a * s->b, 2 * ((int64_t)s->a + s->b), s->a + by, s->b + by)
SHAPE(triangle, (int64_t)s->a * s->b / 2, (int64_t)s->a + s->b + 5, s->a + 2 * by, s->b + by)
SHAPE(circle, (int64_t)s->a * s->a * 355 / 113, (int64_t)s->a * 710 / 113, s->a + by, s->b ^ by)
SHAPE(ellipse, (int64_t)s->a * s->b * 355 / 113, ((int64_t)s->a + s->b) * 355 / 113, s->a ^ by, s->b + by)
SHAPE(ring, (int64_t)s->a * s->a - (int64_t)s->b * s->b, (int64_t)s->a + s->b, s->a + by, s->b - by)
SHAPE(line, s->b & 1, s->a, s->a + by, s->b + 1)
SHAPE(point, s->a & 3, s->b & 3, s->a ^ by, s->b)

#define METHODS(name) {name##_area, name##_edge, name##_grow}
static const Methods kMethods[8] = {METHODS(square),  METHODS(rectangle), METHODS(triangle), METHODS(circle),
                                    METHODS(ellipse), METHODS(ring),      METHODS(line),     METHODS(point)};

enum { kCount = 4096 };
static Shape shapes[kCount];

static uint64_t run(uint32_t size) {
  Random random = {11};
  for (int i = 0; i < kCount; i++) {
    shapes[i].methods = &kMethods[random_below(&random, 8)];
    shapes[i].a = (int32_t)random_below(&random, 1000);
    shapes[i].b = (int32_t)random_below(&random, 1000);
  }
  int64_t sum = 0;
  for (uint32_t round = 0; round < size; round++) {
    for (int i = 0; i < kCount; i++) {
      Shape* shape = &shapes[i];
      sum += shape->methods->area(shape) ^ shape->methods->edge(shape);
      shape->methods->grow(shape, (int32_t)(sum & 7));
    }
  }
  return (uint64_t)sum;
}

KERNEL(100, NULL)
