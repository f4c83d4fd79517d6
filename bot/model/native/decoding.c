// What sampling needs beside a cell's own step: products for chosen rows, and the draw of a token.
#include <stdlib.h>

#include "product.h"
#include "quantized.h"

int64_t panel_size(void) { return PANEL; }
int64_t panel8_size(void) { return PANEL8; }

void pack_weight(const float *w, int64_t outputs, int64_t inputs, int64_t stride_out, int64_t stride_in, float *panels) {
  pack(w, outputs, inputs, stride_out, stride_in, panels);
}

void pack_weight8(const float *w, int64_t outputs, int64_t inputs, int8_t *panels, float *scales, int32_t *offsets) {
  pack8(w, outputs, inputs, panels, scales, offsets);
}

// y[m] = bias + x[rows[m]] by the packed weights. room: count * inputs floats.
void multiply(const float *x, const int64_t *rows, int64_t count, const float *panels, const float *bias,
              int64_t outputs, int64_t inputs, float *room, float *y, int64_t y_stride) {
  for (int64_t m = 0; m < count; ++m) {
    memcpy(room + m * inputs, x + rows[m] * inputs, inputs * sizeof(float));
    if (bias) memcpy(y + m * y_stride, bias, outputs * sizeof(float));
  }
  product(room, count, inputs, 1, panels, outputs, inputs, y, y_stride, bias != NULL);
}

void multiply8(const float *x, const int64_t *rows, int64_t count, const int8_t *panels, const float *scales,
               const int32_t *offsets, const float *bias, int64_t outputs, int64_t inputs, void *room, float *y,
               int64_t y_stride) {
  product8(x, rows, count, panels, scales, offsets, bias, outputs, inputs, room, y, y_stride);
}

static float sum_of(const float *p, int64_t V) {
  float sum = 0;
#pragma omp simd reduction(+ : sum)
  for (int64_t v = 0; v < V; ++v) sum += p[v];
  return sum;
}

static float sum_from(const float *p, int64_t V, float least) {
  float sum = 0;
#pragma omp simd reduction(+ : sum)
  for (int64_t v = 0; v < V; ++v) sum += p[v] >= least ? p[v] : 0.0f;
  return sum;
}

static int64_t count_from(const float *p, int64_t V, float least) {
  int64_t count = 0;
#pragma omp simd reduction(+ : count)
  for (int64_t v = 0; v < V; ++v) count += p[v] >= least;
  return count;
}

INLINE float float_of(uint32_t bits) {
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

// The greatest bound that keeps at least `enough`, by halving the bits of a float: positive floats are ordered as their
// bits are. `kept` tells how much a bound keeps.
#define GREATEST_BOUND(kept, enough)                         \
  uint32_t low = 0, high = 0x7f7fffff;                       \
  while (low < high) {                                       \
    const uint32_t middle = low + (high - low + 1) / 2;      \
    if ((kept)(p, V, float_of(middle)) >= (enough)) low = middle; \
    else high = middle - 1;                                  \
  }                                                          \
  return float_of(low);

static float bound_of_count(const float *p, int64_t V, int64_t enough) { GREATEST_BOUND(count_from, enough) }
static float bound_of_sum(const float *p, int64_t V, float enough) { GREATEST_BOUND(sum_from, enough) }

static void cut(float *p, int64_t V, float least) {
  for (int64_t v = 0; v < V; ++v) p[v] = p[v] >= least ? p[v] : 0.0f;
}

static void truncate(float *p, int64_t V, int64_t top_k, float top_p, float min_p) {
  if (top_k > 0 && top_k < V) cut(p, V, bound_of_count(p, V, top_k));
  if (top_p < 1.0f) cut(p, V, bound_of_sum(p, V, top_p * sum_of(p, V)));
  if (min_p > 0.0f) {
    float largest = 0;
    for (int64_t v = 0; v < V; ++v) largest = p[v] > largest ? p[v] : largest;
    cut(p, V, min_p * largest);
  }
}

// One id a row of logits (count, V) by inverse transform, and its loss at temperature 1 with nothing left out.
// inverse_temperatures and uniforms: one a row; barred: -inf where an id must not be drawn, else 0, V of them for all
// rows (stride 0) or for each (stride V). room: V floats.
void draw(const float *logits, int64_t count, int64_t V, const float *inverse_temperatures, const float *barred,
          int64_t stride, const double *uniforms, int64_t top_k, float top_p, float min_p, float *room, int64_t *ids,
          double *losses) {
  for (int64_t m = 0; m < count; ++m, logits += V, barred += stride) {
    float highest = -INFINITY, allowed = -INFINITY, total = 0;
    for (int64_t v = 0; v < V; ++v) {
      const float masked = logits[v] + barred[v];
      highest = logits[v] > highest ? logits[v] : highest;
      allowed = masked > allowed ? masked : allowed;
    }
#pragma omp simd reduction(+ : total)
    for (int64_t v = 0; v < V; ++v) {
      total += exponential(logits[v] - highest);
      room[v] = barred[v] < 0 ? 0.0f : exponential((logits[v] - allowed) * inverse_temperatures[m]);
    }
    truncate(room, V, top_k, top_p, min_p);
    double sum = 0, below = 0;
    for (int64_t v = 0; v < V; ++v) sum += room[v];
    int64_t id = 0, last = 0;
    const double aim = uniforms[m] * sum;
    for (id = 0; id < V; ++id) {
      if (room[id] > 0) last = id;
      below += room[id];
      if (below > aim) break;
    }
    ids[m] = id < V ? id : last;
    losses[m] = (double)(highest + logf(total)) - (double)logits[ids[m]];
  }
}
