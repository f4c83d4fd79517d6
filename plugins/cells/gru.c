// What a gated recurrent unit does between two products; the equations stand in gru.py.
#define GATES 3
#define STATES 1
#define PARAMETERS 3  // bias of what the state says
#define KEEPS 4       // r z n, what the state says of n
#include "recurrence.h"

static inline void forward_row(int64_t H, In x, In bias, In *before, Out kept, Out *after) {
  In h_before = before[0];
  Out h = after[0];
  LOOP {
    const float r = sigmoid(x[j] + kept[j] + bias[j]);
    const float z = sigmoid(x[H + j] + kept[H + j] + bias[H + j]);
    const float said = kept[2 * H + j] + bias[2 * H + j];
    const float n = tanhyp(x[2 * H + j] + r * said);
    h[j] = n + z * (h_before[j] - n);
    kept[j] = r, kept[H + j] = z, kept[2 * H + j] = n, kept[3 * H + j] = said;
  }
}

static inline void backward_row(int64_t H, In x, In bias, In kept, In *before, In *after, Out *gradients, Out by_u,
                                Out by_x, Out by_bias) {
  In h_before = before[0];
  Out by_h = gradients[0];
  LOOP {
    const float r = kept[j], z = kept[H + j], n = kept[2 * H + j], said = kept[3 * H + j];
    const float by_n = by_h[j] * (1 - z) * (1 - n * n);
    by_x[j] = by_u[j] = by_n * said * r * (1 - r);
    by_x[H + j] = by_u[H + j] = by_h[j] * (h_before[j] - n) * z * (1 - z);
    by_x[2 * H + j] = by_n;
    by_u[2 * H + j] = by_n * r;
    by_h[j] *= z;
  }
#pragma omp simd
  for (int64_t j = 0; j < 3 * H; ++j) by_bias[j] += by_u[j];
}
