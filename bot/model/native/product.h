// Products of rows by a matrix that is packed once and used many times. It knows nothing of cells.
//
// y[m][n] = sum over k of x[m][k] * w[n][k]. Every y is summed over k = 0, 1, 2 ... in one accumulator, so a row
// comes out the same to the last bit whatever rows stand beside it.
#pragma once
#include <stdint.h>
#include <string.h>

#include "maths.h"

#if defined(__AVX512F__)
#define LANES 16  // floats in a register
#define MOST_ROWS 13  // of a tile: 26 sums, 2 columns of weights and the rest of 32 registers
#elif defined(__AVX__)
#define LANES 8
#define MOST_ROWS 6  // 12 sums of 16 registers
#else
#define LANES 4
#define MOST_ROWS 8
#endif
#define PANEL (2 * LANES)  // outputs that are computed side by side
#define MOST_TILES 5  // that share a panel while it is near
#define DEPTH 512  // inputs that are summed before the next panel: so much of a panel stays in the nearest cache

typedef float Lanes __attribute__((vector_size(4 * LANES), aligned(4), may_alias));

INLINE int64_t panels_of(int64_t outputs) { return (outputs + PANEL - 1) / PANEL; }

// w (outputs, inputs) at strides -> panels[panels_of(outputs)][inputs][PANEL], filled up with zeros.
static void pack(const float *w, int64_t outputs, int64_t inputs, int64_t stride_out, int64_t stride_in,
                 float *panels) {
  if (stride_out == 1 && outputs % PANEL == 0) {
    for (int64_t p = 0; p < panels_of(outputs); ++p)
      for (int64_t k = 0; k < inputs; ++k, panels += PANEL)
        memcpy(panels, w + k * stride_in + p * PANEL, PANEL * sizeof(float));
    return;
  }
  for (int64_t p = 0; p < panels_of(outputs); ++p, panels += inputs * PANEL)
    for (int64_t k0 = 0; k0 < inputs; k0 += DEPTH)  // a block at a time: it stays near while its columns are read
      for (int64_t j = 0; j < PANEL; ++j) {
        const int64_t n = p * PANEL + j, k1 = k0 + DEPTH < inputs ? k0 + DEPTH : inputs;
        for (int64_t k = k0; k < k1; ++k) panels[k * PANEL + j] = n < outputs ? w[n * stride_out + k * stride_in] : 0.0f;
      }
}

// x: [inputs][rows], so that one column of it is read in a row.
INLINE void tile(const int rows, const float *x, const float *panel, int64_t inputs, float *y, int64_t y_stride,
                 int64_t width, int add) {
  Lanes sums[MOST_ROWS][2];
#pragma GCC unroll 16
  for (int m = 0; m < rows; ++m) {
    sums[m][0] = sums[m][1] = (Lanes){0};
    if (add) memcpy(sums[m], y + m * y_stride, (width == PANEL ? PANEL : width) * sizeof(float));
  }
  for (int64_t k = 0; k < inputs; ++k, panel += PANEL, x += rows) {
    const Lanes left = *(const Lanes *)panel, right = *(const Lanes *)(panel + LANES);
#pragma GCC unroll 16
    for (int m = 0; m < rows; ++m) {
      sums[m][0] += x[m] * left;
      sums[m][1] += x[m] * right;
    }
  }
#pragma GCC unroll 16
  for (int m = 0; m < rows; ++m) {
    if (width == PANEL) {
      *(Lanes *)(y + m * y_stride) = sums[m][0];
      *(Lanes *)(y + m * y_stride + LANES) = sums[m][1];
    } else {
      memcpy(y + m * y_stride, sums[m], width * sizeof(float));
    }
  }
}

#define TILE(n) case n: tile(n, x, panel, inputs, y, y_stride, width, add); break;
static void tile_of(int rows, const float *x, const float *panel, int64_t inputs, float *y, int64_t y_stride,
                    int64_t width, int add) {
  switch (rows) {
    TILE(1) TILE(2) TILE(3) TILE(4) TILE(5) TILE(6)
#if MOST_ROWS > 6
    TILE(7) TILE(8)
#endif
#if MOST_ROWS > 8
    TILE(9) TILE(10) TILE(11) TILE(12) TILE(13)
#endif
  }
}

// Rows [from, to) of x at inputs [0, depth) -> near[depth][to - from].
static void bring_near(const float *x, int64_t stride_row, int64_t stride_in, int64_t from, int64_t to, int64_t depth,
                       float *near) {
  const int64_t rows = to - from;
  x += from * stride_row;
  if (stride_row == 1)
    for (int64_t k = 0; k < depth; ++k) memcpy(near + k * rows, x + k * stride_in, rows * sizeof(float));
  else
    for (int64_t m = 0; m < rows; ++m)
      for (int64_t k = 0; k < depth; ++k) near[k * rows + m] = x[m * stride_row + k * stride_in];
}

// x (rows, inputs) at strides, by packed weights -> y (rows, outputs), or added to it. Panel by panel: each is read from
// afar once.
static void product(const float *x, int64_t rows, int64_t stride_row, int64_t stride_in, const float *panels,
                    int64_t outputs, int64_t inputs, float *y, int64_t y_stride, int add) {
  float near[MOST_TILES * MOST_ROWS * DEPTH];
  for (; rows > MOST_TILES * MOST_ROWS; rows -= MOST_TILES * MOST_ROWS) {
    product(x, MOST_TILES * MOST_ROWS, stride_row, stride_in, panels, outputs, inputs, y, y_stride, add);
    x += MOST_TILES * MOST_ROWS * stride_row, y += MOST_TILES * MOST_ROWS * y_stride;
  }
  const int64_t tiles = (rows + MOST_ROWS - 1) / MOST_ROWS;
  for (int64_t k = 0; k < inputs; k += DEPTH) {
    const int64_t depth = inputs - k < DEPTH ? inputs - k : DEPTH;
    for (int64_t i = 0; i < tiles; ++i)
      bring_near(x + k * stride_in, stride_row, stride_in, rows * i / tiles, rows * (i + 1) / tiles, depth,
                 near + rows * i / tiles * depth);
    for (int64_t n = 0; n < outputs; n += PANEL)
      for (int64_t i = 0; i < tiles; ++i) {
        const int64_t m = rows * i / tiles, next = rows * (i + 1) / tiles;
        tile_of((int)(next - m), near + m * depth, panels + n * inputs + k * PANEL, depth, y + m * y_stride + n,
                y_stride, outputs - n < PANEL ? outputs - n : PANEL, add || k > 0);
      }
  }
}
