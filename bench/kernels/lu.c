// Doubles with a loop-carried division: LU decomposition with pivots of a 96 by 96 matrix.
#include "bench.h"

enum { kSide = 96 };

static double matrix[kSide][kSide];

static uint64_t run(uint32_t size) {
  Random random = {6};
  uint64_t sum = 0;
  for (uint32_t round = 0; round < size; round++) {
    for (int i = 0; i < kSide; i++) {
      for (int j = 0; j < kSide; j++) matrix[i][j] = random_unit(&random) - 0.5;
    }
    double determinant = 1;
    for (int k = 0; k < kSide; k++) {
      int pivot = k;
      for (int i = k + 1; i < kSide; i++) {
        if (__builtin_fabs(matrix[i][k]) > __builtin_fabs(matrix[pivot][k])) pivot = i;
      }
      if (pivot != k) {
        for (int j = 0; j < kSide; j++) {
          const double kept = matrix[k][j];
          matrix[k][j] = matrix[pivot][j];
          matrix[pivot][j] = kept;
        }
        determinant = -determinant;
      }
      determinant *= matrix[k][k];
      for (int i = k + 1; i < kSide; i++) {
        const double factor = matrix[i][k] / matrix[k][k];
        matrix[i][k] = factor;
        for (int j = k + 1; j < kSide; j++) matrix[i][j] -= factor * matrix[k][j];
      }
    }
    sum = add_checksum(sum, bits_of(determinant));
  }
  return sum;
}

KERNEL(71, NULL)
