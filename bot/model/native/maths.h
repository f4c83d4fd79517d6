// exp, sigmoid and tanh of floats, written without branches so that a compiler makes vector code of a loop over them.
// What is not a number stays so.
#pragma once
#include <math.h>
#include <stdint.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))

// e^x = 2^n * 2^f with n whole and |f| <= 1/2; 2^f by its Taylor series, relative error 2e-7.
INLINE float exponential(float x) {
  const float z = 1.44269504f * (x > 88.0f ? 88.0f : (x < -87.0f ? -87.0f : x));
  const float n = nearbyintf(z), f = z - n;
  float series = 1.54035304e-4f;
  series = series * f + 1.33335581e-3f;
  series = series * f + 9.61812911e-3f;
  series = series * f + 5.55041087e-2f;
  series = series * f + 2.40226507e-1f;
  series = series * f + 6.93147181e-1f;
  series = series * f + 1.0f;
  const int32_t exponent = ((int32_t)n + 127) << 23;  // the bits of 2^n
  float power;
  memcpy(&power, &exponent, sizeof power);
  return series * power;
}

INLINE float sigmoid(float x) { return 1.0f / (1.0f + exponential(-x)); }
INLINE float tanhyp(float x) { return 1.0f - 2.0f / (1.0f + exponential(2.0f * x)); }
