// A recurrent layer over a whole window, forward and backward, and step by step for sampling.
//
// A cell's own file says how many GATES, STATES and PARAMETERS it has and how much it KEEPS for the backward pass, each
// in units of hidden_size, and defines what happens between two matrix products, for one row of the batch:
//
//   forward_row   what the input says (x, GATES), what the state says (u, the first GATES of kept), the state before
//                 -> the state after; overwrites kept with what the backward pass needs
//   backward_row  the same, and the gradient by the state after -> the gradients by u, by x and by the parameters;
//                 the gradient by the state before, except what comes through u
//
// The first state is the output and the one that is multiplied by the recurrent weight. H is hidden_size.
// Shapes: T steps, B rows. It knows nothing of torch.
#pragma once
#include "maths.h"
#include "product.h"

#define LOOP _Pragma("omp simd") for (int64_t j = 0; j < H; ++j)

typedef const float *restrict In;
typedef float *restrict Out;

static inline void forward_row(int64_t H, In x, In parameters, In *before, Out kept, Out *after);
static inline void backward_row(int64_t H, In x, In parameters, In kept, In *before, In *after, Out *gradients, Out by_u,
                                Out by_x, Out by_parameters);

typedef struct {
  int64_t steps, rows, hidden;
  const float *table;    // projected inputs, a row of GATES each
  const int64_t *places; // (T, B): the row of the table that is read; NULL: row t * B + b
  const float *weight;   // packed: (GATES H, H) forward, (H, GATES H) backward
  const float *parameters;  // PARAMETERS H
  float *states[STATES];    // (T + 1, B, H), the first of each is given
  float *kept;              // (T, B, KEEPS H)
  int64_t keeps_all;        // 0: no backward pass will come, one step's room is enough
} Window;

typedef struct {
  const float *by_outputs;   // (T, B, H)
  float *by_states[STATES];  // (B, H): by the state after the window on entry, by the one before it on return
  float *by_weight;          // (GATES H, H), added to
  float *by_table;           // as table; added to where there are places
  float *by_parameters;      // PARAMETERS H, added to
  int64_t chunk;             // steps whose gradients by the weight are summed in one product
  float *by_u;               // room: (chunk, B, GATES H)
  float *packed_outputs;     // room: chunk * B inputs of H outputs, packed
} Gradients;

INLINE const float *input_of(const Window *w, int64_t t, int64_t b) {
  const int64_t place = t * w->rows + b;
  return w->table + (w->places ? w->places[place] : place) * GATES * w->hidden;
}

INLINE float *kept_of(const Window *w, int64_t t, int64_t b) {
  return w->kept + ((w->keeps_all ? t : 0) * w->rows + b) * KEEPS * w->hidden;
}

INLINE float *state_of(const Window *w, int number, int64_t t, int64_t b) {
  return w->states[number] + (t * w->rows + b) * w->hidden;
}

int64_t panel_size(void) { return PANEL; }

void pack_weight(const float *w, int64_t outputs, int64_t inputs, int64_t stride_out, int64_t stride_in, float *panels) {
  pack(w, outputs, inputs, stride_out, stride_in, panels);
}

void forward(const Window *w) {
  const int64_t H = w->hidden;
  for (int64_t t = 0; t < w->steps; ++t) {
    product(state_of(w, 0, t, 0), w->rows, H, 1, w->weight, GATES * H, H, kept_of(w, t, 0), KEEPS * H, 0);
    for (int64_t b = 0; b < w->rows; ++b) {
      const float *before[STATES];
      float *after[STATES];
      for (int s = 0; s < STATES; ++s) before[s] = state_of(w, s, t, b), after[s] = state_of(w, s, t + 1, b);
      forward_row(H, input_of(w, t, b), w->parameters, (In *)before, kept_of(w, t, b), (Out *)after);
    }
  }
}

// Steps [from, to), last first, but for the gradient by the weight.
static void backward_steps(const Window *w, const Gradients *g, int64_t from, int64_t to) {
  const int64_t H = w->hidden, G = GATES * H;
  float by_x[G];
  for (int64_t t = to - 1; t >= from; --t) {
    for (int64_t b = 0; b < w->rows; ++b) {
      const float *before[STATES], *after[STATES];
      float *gradients[STATES];
      const float *by_output = g->by_outputs + (t * w->rows + b) * H;
      for (int s = 0; s < STATES; ++s) {
        before[s] = state_of(w, s, t, b), after[s] = state_of(w, s, t + 1, b);
        gradients[s] = g->by_states[s] + b * H;
      }
      LOOP gradients[0][j] += by_output[j];
      const float *x = input_of(w, t, b);
      backward_row(H, x, w->parameters, kept_of(w, t, b), (In *)before, (In *)after, (Out *)gradients,
                   g->by_u + ((t - from) * w->rows + b) * G, by_x, g->by_parameters);
      float *by_table = g->by_table + (x - w->table);
      if (w->places)
        for (int64_t k = 0; k < G; ++k) by_table[k] += by_x[k];
      else
        memcpy(by_table, by_x, G * sizeof(float));
    }
    product(g->by_u + (t - from) * w->rows * G, w->rows, G, 1, w->weight, H, G, g->by_states[0], H, 1);
  }
}

void backward(const Window *w, const Gradients *g) {
  const int64_t H = w->hidden, G = GATES * H;
  for (int64_t from, to = w->steps; to > 0; to = from) {
    from = to > g->chunk ? to - g->chunk : 0;
    backward_steps(w, g, from, to);
    const int64_t inputs = (to - from) * w->rows;
    pack(state_of(w, 0, from, 0), H, inputs, 1, H, g->packed_outputs);
    product(g->by_u, G, 1, G, g->packed_outputs, H, inputs, g->by_weight, H, 1);
  }
}

// One step of chosen rows, their states (capacity, H) changed in place. u (count, KEEPS H): what the state says stands
// in the first GATES; table and places as above, one place a row.
void step_rows(int64_t count, int64_t hidden, const float *table, const int64_t *places, const float *parameters,
               const int64_t *rows, float **states, float *u) {
  const int64_t H = hidden;
  float room[STATES * H];
  for (int64_t m = 0; m < count; ++m) {
    const float *before[STATES];
    float *after[STATES];
    for (int s = 0; s < STATES; ++s) before[s] = states[s] + rows[m] * H, after[s] = room + s * H;
    const float *x = table + (places ? places[m] : m) * GATES * H;
    forward_row(H, x, parameters, (In *)before, u + m * KEEPS * H, (Out *)after);
    for (int s = 0; s < STATES; ++s) memcpy(states[s] + rows[m] * H, after[s], H * sizeof(float));
  }
}
