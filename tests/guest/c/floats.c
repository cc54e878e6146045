// Floats in text and back, and the operations whose results are exact on every machine.
#include <float.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double kValues[] = {0.0,
                                 -0.0,
                                 1.0,
                                 -1.5,
                                 0.1,
                                 1.0 / 3,
                                 123456789.125,
                                 1e21,
                                 1e22,
                                 1e-5,
                                 5e-324,
                                 2.2250738585072014e-308,
                                 1.7976931348623157e308,
                                 0.5,
                                 2.5,
                                 3.5,
                                 1e15,
                                 999999.5,
                                 4503599627370497.5};

static uint64_t bits(double value) {
  uint64_t result;
  memcpy(&result, &value, sizeof result);
  return result;
}

static void formats(double v) {
  printf("[%f] [%.0f] [%.3e] [%g] [%.17g] [%+12.4f] [%-12.2e] [%012.3f]\n", v, v, v, v, v, v, v, v);
  // Libraries spell subnormal numbers in more than one way.
  if (v == 0 || fabs(v) >= DBL_MIN) printf("[%a]\n", v);
}

int main(void) {
  volatile double zero = 0.0;
  for (size_t i = 0; i < sizeof kValues / sizeof kValues[0]; i++) {
    double v = kValues[i];
    formats(v);
    char text[64];
    snprintf(text, sizeof text, "%.17g", v);
    printf("round trip %d\n", bits(strtod(text, NULL)) == bits(v));
    printf("%g %g %g %g %g %g\n", floor(v), ceil(v), trunc(v), rint(v), fabs(v), copysign(3, v));
    if (v >= 0) printf("sqrt %.17g\n", sqrt(v));
    int exponent;
    double mantissa = frexp(v, &exponent);
    printf("frexp %.17g %d, ldexp %.17g, next %.17g\n", mantissa, exponent, ldexp(v, 3), nextafter(v, 10));
  }
  printf("[%f] [%e] [%F] [%g]\n", INFINITY, -INFINITY, INFINITY, 1 / zero);
  printf("nan is itself: %d, max with nan %g\n", NAN == NAN, fmax(NAN, 2));
  printf("fmod %.17g %.17g, remainder %.17g\n", fmod(10.5, 3), fmod(-1e300, 7), remainder(10.5, 3));
  printf("fma %.17g, hypot %.17g\n", fma(1.0000001, 1.0000001, -1), hypot(3, 4));
  printf("lround %ld %ld %ld, llrint %lld\n", lround(2.5), lround(-2.5), lround(0.49999999999999994),
         llrint(1e10 + 0.5));
  printf("float %.9g %.9g %d\n", (double)(0.1f + 0.2f), (double)(16777216.0f + 1.0f), (int)sizeof(float));
  printf("conversions %d %u %lld %.1f %.1f\n", (int)-3.99, (unsigned)3.99, (long long)1e18, (double)INT64_MAX,
         (double)UINT64_MAX);
  printf("strtod %.17g %.17g %.17g %.17g\n", strtod("0x1.8p3", NULL), strtod("1e400", NULL), strtod(" -.5e1x", NULL),
         strtod("inf", NULL));
  printf("scan ");
  double a, b;
  int n = sscanf("3.25 -1e-3 tail", "%lf %lf", &a, &b);
  printf("%d %g %g\n", n, a, b);
  double sum = 0, term = 1;
  for (int i = 1; i < 40; i++) {
    sum += term;
    term /= i;
  }
  printf("e %.17g, epsilon %g\n", sum, DBL_EPSILON);
  return 0;
}
