// Doubles with square roots and divisions: five bodies that pull each other.
#include "bench.h"

typedef struct {
  double x, y, z, vx, vy, vz, mass;
} Body;

static uint64_t run(uint32_t size) {
  enum { kBodies = 5 };
  Body bodies[kBodies];
  Random random = {9};
  for (int i = 0; i < kBodies; i++) {
    Body* body = &bodies[i];
    body->x = (random_unit(&random) - 0.5) * 20 + i * 5;
    body->y = (random_unit(&random) - 0.5) * 20;
    body->z = (random_unit(&random) - 0.5) * 2;
    body->vx = random_unit(&random) - 0.5;
    body->vy = random_unit(&random) - 0.5;
    body->vz = (random_unit(&random) - 0.5) / 10;
    body->mass = i == 0 ? 40 : random_unit(&random) / 10;
  }
  const double dt = 0.001;
  for (uint64_t steps = (uint64_t)size * 1000; steps > 0; steps--) {
    for (int i = 0; i < kBodies; i++) {
      Body* a = &bodies[i];
      for (int j = i + 1; j < kBodies; j++) {
        Body* b = &bodies[j];
        const double dx = a->x - b->x, dy = a->y - b->y, dz = a->z - b->z;
        const double square = dx * dx + dy * dy + dz * dz;
        const double strength = dt / (square * __builtin_sqrt(square));
        a->vx -= dx * b->mass * strength;
        a->vy -= dy * b->mass * strength;
        a->vz -= dz * b->mass * strength;
        b->vx += dx * a->mass * strength;
        b->vy += dy * a->mass * strength;
        b->vz += dz * a->mass * strength;
      }
    }
    for (int i = 0; i < kBodies; i++) {
      bodies[i].x += dt * bodies[i].vx;
      bodies[i].y += dt * bodies[i].vy;
      bodies[i].z += dt * bodies[i].vz;
    }
  }
  return add_words(0, bodies, sizeof bodies);
}

KERNEL(110, NULL)
