// What an LSTM does between two products; the equations stand in lstm.py.
#define GATES 4
#define STATES 2
#define PARAMETERS 0
#define KEEPS 5  // i f g o, tanh(c)
#include "recurrence.h"

static inline void forward_row(int64_t H, In x, In parameters, In *before, Out kept, Out *after) {
  In c_before = before[1];
  Out h = after[0], c = after[1];
  LOOP {
    const float i = sigmoid(x[j] + kept[j]);
    const float f = sigmoid(x[H + j] + kept[H + j]);
    const float g = tanhyp(x[2 * H + j] + kept[2 * H + j]);
    const float o = sigmoid(x[3 * H + j] + kept[3 * H + j]);
    c[j] = f * c_before[j] + i * g;
    const float bounded = tanhyp(c[j]);
    h[j] = o * bounded;
    kept[j] = i, kept[H + j] = f, kept[2 * H + j] = g, kept[3 * H + j] = o, kept[4 * H + j] = bounded;
  }
}

static inline void backward_row(int64_t H, In x, In parameters, In kept, In *before, In *after, Out *gradients,
                                Out by_u, Out by_x, Out by_parameters) {
  In c_before = before[1];
  Out by_h = gradients[0], by_c = gradients[1];
  LOOP {
    const float i = kept[j], f = kept[H + j], g = kept[2 * H + j], o = kept[3 * H + j], bounded = kept[4 * H + j];
    const float c = by_c[j] + by_h[j] * o * (1 - bounded * bounded);
    by_x[j] = by_u[j] = c * g * i * (1 - i);
    by_x[H + j] = by_u[H + j] = c * c_before[j] * f * (1 - f);
    by_x[2 * H + j] = by_u[2 * H + j] = c * i * (1 - g * g);
    by_x[3 * H + j] = by_u[3 * H + j] = by_h[j] * bounded * o * (1 - o);
    by_c[j] = c * f;
    by_h[j] = 0;
  }
}
