// What an LSTM with multiplicative integration does between two products; the equations stand in mi_lstm.py.
#define GATES 4
#define STATES 2
#define PARAMETERS 16  // alpha, beta1, beta2, bias, 4 gates each
#define KEEPS 9        // what the state says, i f g o, tanh(c)
#include "recurrence.h"

static inline void forward_row(int64_t H, In x, In parameters, In *before, Out kept, Out *after) {
  In alpha = parameters, beta1 = alpha + 4 * H, beta2 = beta1 + 4 * H, bias = beta2 + 4 * H, c_before = before[1];
  Out gates = kept + 4 * H, h = after[0], c = after[1];
  for (int64_t j = 0; j < 4 * H; ++j)
    gates[j] = (alpha[j] * x[j] + beta1[j]) * kept[j] + beta2[j] * x[j] + bias[j];
  LOOP {
    const float i = sigmoid(gates[j]), f = sigmoid(gates[H + j]);
    const float g = tanhyp(gates[2 * H + j]), o = sigmoid(gates[3 * H + j]);
    c[j] = f * c_before[j] + i * g;
    const float bounded = tanhyp(c[j]);
    h[j] = o * bounded;
    gates[j] = i, gates[H + j] = f, gates[2 * H + j] = g, gates[3 * H + j] = o, gates[4 * H + j] = bounded;
  }
}

static inline void backward_row(int64_t H, In x, In parameters, In kept, In *before, In *after, Out *gradients,
                                Out by_u, Out by_x, Out by_parameters) {
  In alpha = parameters, beta1 = alpha + 4 * H, beta2 = beta1 + 4 * H, gates = kept + 4 * H, c_before = before[1];
  Out by_alpha = by_parameters, by_beta1 = by_alpha + 4 * H, by_beta2 = by_beta1 + 4 * H, by_bias = by_beta2 + 4 * H;
  Out by_h = gradients[0], by_c = gradients[1];
  LOOP {
    const float i = gates[j], f = gates[H + j], g = gates[2 * H + j], o = gates[3 * H + j], bounded = gates[4 * H + j];
    const float c = by_c[j] + by_h[j] * o * (1 - bounded * bounded);
    by_u[j] = c * g * i * (1 - i);
    by_u[H + j] = c * c_before[j] * f * (1 - f);
    by_u[2 * H + j] = c * i * (1 - g * g);
    by_u[3 * H + j] = by_h[j] * bounded * o * (1 - o);
    by_c[j] = c * f;
    by_h[j] = 0;
  }
#pragma omp simd
  for (int64_t j = 0; j < 4 * H; ++j) {
    const float by_gate = by_u[j], u = kept[j];
    by_alpha[j] += by_gate * x[j] * u;
    by_beta1[j] += by_gate * u;
    by_beta2[j] += by_gate * x[j];
    by_bias[j] += by_gate;
    by_x[j] = by_gate * (alpha[j] * u + beta2[j]);
    by_u[j] = by_gate * (alpha[j] * x[j] + beta1[j]);
  }
}
