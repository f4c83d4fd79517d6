// Products of rows by weights, both in 8 bits. It knows nothing of cells.
//
// Each output and each row has its own scale: w = scale * q with q from -127 to 127, the largest of them 127. Sums are
// whole numbers, so they come out the same beside any other rows.
#pragma once
#include "maths.h"
#if defined(__AVX512VNNI__)
#include <immintrin.h>
#endif

#define PANEL8 32  // outputs that are computed side by side
#define ROWS8 12   // of a tile

INLINE int64_t fours_of(int64_t inputs) { return (inputs + 3) / 4; }

INLINE float largest_of(const float *x, int64_t count) {
  float largest = 1e-30f;
#pragma omp simd reduction(max : largest)
  for (int64_t k = 0; k < count; ++k) largest = fabsf(x[k]) > largest ? fabsf(x[k]) : largest;
  return largest;
}

// w (outputs, inputs) -> panels[outputs / PANEL8][inputs / 4][PANEL8][4] filled up with zeros, the scale of each output
// and what 128 in every input would add to its sum.
static void pack8(const float *w, int64_t outputs, int64_t inputs, int8_t *panels, float *scales, int32_t *offsets) {
  const int64_t fours = fours_of(inputs);
  memset(panels, 0, (outputs + PANEL8 - 1) / PANEL8 * fours * PANEL8 * 4);
  for (int64_t n = 0; n < outputs; ++n) {
    const float largest = largest_of(w + n * inputs, inputs);
    int8_t *panel = panels + n / PANEL8 * fours * PANEL8 * 4 + n % PANEL8 * 4;
    int32_t sum = 0;
    for (int64_t k = 0; k < inputs; ++k) {
      const int8_t q = (int8_t)lrintf(w[n * inputs + k] / largest * 127.0f);
      panel[k / 4 * PANEL8 * 4 + k % 4] = q;
      sum += q;
    }
    scales[n] = largest / 127.0f;
    offsets[n] = 128 * sum;
  }
}

// x: [inputs / 4][rows][4], 128 more than the input's whole number. sums: [rows][PANEL8].
INLINE void tile8(const int rows, const uint8_t *x, const int8_t *panel, int64_t fours, int32_t *sums) {
#if defined(__AVX512VNNI__)
  __m512i found[ROWS8][2];
#pragma GCC unroll 16
  for (int m = 0; m < rows; ++m) found[m][0] = found[m][1] = _mm512_setzero_si512();
  for (int64_t k = 0; k < fours; ++k, panel += PANEL8 * 4, x += rows * 4) {
    const __m512i left = _mm512_loadu_si512(panel), right = _mm512_loadu_si512(panel + 64);
#pragma GCC unroll 16
    for (int m = 0; m < rows; ++m) {
      int32_t four;
      memcpy(&four, x + m * 4, 4);
      const __m512i input = _mm512_set1_epi32(four);
      found[m][0] = _mm512_dpbusd_epi32(found[m][0], input, left);
      found[m][1] = _mm512_dpbusd_epi32(found[m][1], input, right);
    }
  }
#pragma GCC unroll 16
  for (int m = 0; m < rows; ++m) {
    _mm512_storeu_si512(sums + m * PANEL8, found[m][0]);
    _mm512_storeu_si512(sums + m * PANEL8 + 16, found[m][1]);
  }
#else
  memset(sums, 0, rows * PANEL8 * sizeof(int32_t));
  for (int64_t k = 0; k < fours; ++k, panel += PANEL8 * 4, x += rows * 4)
    for (int m = 0; m < rows; ++m)
      for (int n = 0; n < PANEL8; ++n) {
        int32_t sum = 0;
        for (int four = 0; four < 4; ++four) sum += (int32_t)x[m * 4 + four] * panel[n * 4 + four];
        sums[m * PANEL8 + n] += sum;
      }
#endif
}

#define TILE8(n) case n: tile8(n, x, panel, fours, sums); break;
static void tile8_of(int rows, const uint8_t *x, const int8_t *panel, int64_t fours, int32_t *sums) {
  switch (rows) {
    TILE8(1) TILE8(2) TILE8(3) TILE8(4) TILE8(5) TILE8(6) TILE8(7) TILE8(8) TILE8(9) TILE8(10) TILE8(11) TILE8(12)
  }
}

// Rows [from, to) of x, named by `rows`, as whole numbers in the order in which tile8 reads them, and their scales.
static void quantize(const float *x, const int64_t *rows, int64_t from, int64_t to, int64_t inputs, uint8_t *near,
                     float *scales) {
  for (int64_t m = from; m < to; ++m) {
    const float *row = x + rows[m] * inputs;
    scales[m] = largest_of(row, inputs) / 127.0f;
    const float inverse = 1.0f / scales[m];
    for (int64_t k = 0; k < fours_of(inputs) * 4; ++k)
      near[(k / 4 * (to - from) + m - from) * 4 + k % 4] =
          (uint8_t)((k < inputs ? (int32_t)nearbyintf(row[k] * inverse) : 0) + 128);
  }
}

// y[m][n] = bias[n] + sum over k of x[rows[m]][k] * w[n][k]; room: count * (inputs + 7) bytes.
static void product8(const float *x, const int64_t *rows, int64_t count, const int8_t *panels, const float *scales,
                     const int32_t *offsets, const float *bias, int64_t outputs, int64_t inputs, void *room, float *y,
                     int64_t y_stride) {
  float *row_scales = room;
  uint8_t *near = (uint8_t *)(row_scales + count);
  const int64_t tiles = (count + ROWS8 - 1) / ROWS8, fours = fours_of(inputs);
  for (int64_t i = 0; i < tiles; ++i)
    quantize(x, rows, count * i / tiles, count * (i + 1) / tiles, inputs, near + count * i / tiles * fours * 4,
             row_scales);
  for (int64_t n = 0; n < outputs; n += PANEL8)
    for (int64_t i = 0; i < tiles; ++i) {
      const int64_t from = count * i / tiles, to = count * (i + 1) / tiles;
      int32_t sums[ROWS8 * PANEL8];
      tile8_of((int)(to - from), near + from * fours * 4, panels + n * fours * 4, fours, sums);
      const int64_t width = outputs - n < PANEL8 ? outputs - n : PANEL8;
      for (int64_t m = from; m < to; ++m)
        for (int64_t j = 0; j < width; ++j)
          y[m * y_stride + n + j] =
              (bias ? bias[n + j] : 0.0f) +
              scales[n + j] * row_scales[m] * (float)(sums[(m - from) * PANEL8 + j] - offsets[n + j]);
    }
}
