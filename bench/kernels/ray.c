// Single precision with branches and small structures by value: a picture of spheres, with shadows and mirrors.
#include "bench.h"

typedef struct {
  float x, y, z;
} Vec;

static Vec vec(float x, float y, float z) { return (Vec){x, y, z}; }
static Vec add(Vec a, Vec b) { return vec(a.x + b.x, a.y + b.y, a.z + b.z); }
static Vec sub(Vec a, Vec b) { return vec(a.x - b.x, a.y - b.y, a.z - b.z); }
static Vec scale(Vec a, float by) { return vec(a.x * by, a.y * by, a.z * by); }
static float dot(Vec a, Vec b) { return a.x * b.x + a.y * b.y + a.z * b.z; }
static Vec normal(Vec a) { return scale(a, 1.0f / __builtin_sqrtf(dot(a, a))); }

typedef struct {
  Vec centre;
  float radius, shade, mirror;
} Sphere;

enum { kSpheres = 24 };
static Sphere spheres[kSpheres];

// The nearest sphere that the ray meets, and where along it; -1 for none.
static int meet(Vec from, Vec direction, float* distance) {
  int nearest = -1;
  for (int i = 0; i < kSpheres; i++) {
    const Vec to = sub(spheres[i].centre, from);
    const float along = dot(to, direction);
    const float square = along * along - dot(to, to) + spheres[i].radius * spheres[i].radius;
    if (along <= 0 || square <= 0) continue;
    const float at = along - __builtin_sqrtf(square);
    if (at > 0.001f && at < *distance) {
      *distance = at;
      nearest = i;
    }
  }
  return nearest;
}

static float trace(Vec from, Vec direction, int depth) {
  const Vec light = {0.48f, 0.8f, -0.36f};
  float distance = 1e9f;
  const int hit = meet(from, direction, &distance);
  if (hit < 0) return direction.y > 0 ? 0.2f + 0.6f * direction.y : 0.1f;
  const Sphere* sphere = &spheres[hit];
  const Vec at = add(from, scale(direction, distance));
  const Vec up = normal(sub(at, sphere->centre));
  float shade = 0.1f;
  float shadow = 1e9f;
  const float lit = dot(up, light);
  if (lit > 0 && meet(at, light, &shadow) < 0) shade += sphere->shade * lit;
  if (depth < 4 && sphere->mirror > 0) {
    const Vec reflected = sub(direction, scale(up, 2 * dot(direction, up)));
    shade += sphere->mirror * trace(at, reflected, depth + 1);
  }
  return shade;
}

static uint64_t run(uint32_t size) {
  Random random = {12};
  for (int i = 0; i < kSpheres; i++) {
    spheres[i].centre = vec((float)random_unit(&random) * 8 - 4, (float)random_unit(&random) * 6 - 3,
                            4 + (float)random_unit(&random) * 8);
    spheres[i].radius = 0.3f + (float)random_unit(&random);
    spheres[i].shade = 0.3f + (float)random_unit(&random) * 0.6f;
    spheres[i].mirror = i % 3 == 0 ? 0.5f : 0;
  }
  uint64_t sum = 0;
  for (uint32_t y = 0; y < size; y++) {
    for (uint32_t x = 0; x < size; x++) {
      const Vec direction = normal(vec((float)x / (float)size - 0.5f, 0.5f - (float)y / (float)size, 0.8f));
      sum = add_checksum(sum, (uint64_t)(int64_t)(trace(vec(0, 0, -2), direction, 0) * 255));
    }
  }
  return sum;
}

KERNEL(200, NULL)
