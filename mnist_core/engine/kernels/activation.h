/* Activations and dropout, value by value. `out` may be `in` but for PReLU, whose gradient needs
 * its input; the others' follow from their output. Gradients are changed in place. */
#pragma once
#include "mathematics.h"
#include "random.h"

typedef enum { RELU, LEAKY_RELU, ELU, SELU, TANH } Activation;

#define SELU_SCALE 1.0507009873554804934193349852946f
#define SELU_ALPHA 1.6732632423543772848170429916717f

/* `slope` is LeakyReLU's for negative values, and ELU's alpha. */
INLINE vec activate(vec x, const Activation kind, const float slope) {
    switch (kind) {
        case RELU: return only(~(x <= 0.0f), x);
        case LEAKY_RELU: return pick(x > 0.0f, x, x * slope);
        case ELU: return pick(x > 0.0f, x, slope * (exponential(x) - 1.0f));
        case SELU:
            return SELU_SCALE * pick(x > 0.0f, x, SELU_ALPHA * (exponential(x) - 1.0f));
        default: return tangent(x);
    }
}

INLINE vec activation_gradient(vec y, vec g, const Activation kind, const float slope) {
    switch (kind) {
        case RELU: return only(~(y <= 0.0f), g);
        case LEAKY_RELU: return pick(y > 0.0f, g, g * slope);
        case ELU: return g * pick(y > 0.0f, all(1), y + slope);
        case SELU: return g * pick(y > 0.0f, all(SELU_SCALE), y + SELU_SCALE * SELU_ALPHA);
        default: return g * (1.0f - y * y);
    }
}

INLINE void activation_forward(const vec *in, vec *out, const Shape s, const Shape t,
                               const Activation kind, const float slope) {
    for (int c = 0; c < s.channels; c++)
        for (int y = 0; y < s.height; y++)
            for (int x = 0; x < s.width; x++)
                out[c * t.plane + y * t.row + x] =
                    activate(in[c * s.plane + y * s.row + x], kind, slope);
}

/* `s` is the output's shape and `t` the gradient's. */
INLINE void activation_backward(const vec *out, vec *gradient, const Shape s, const Shape t,
                                const Activation kind, const float slope) {
    for (int c = 0; c < s.channels; c++)
        for (int y = 0; y < s.height; y++)
            for (int x = 0; x < s.width; x++) {
                vec *g = gradient + c * t.plane + y * t.row + x;
                *g = activation_gradient(out[c * s.plane + y * s.row + x], *g, kind, slope);
            }
}

/* `each` is 1 where every channel has a slope of its own, and else 0. */
INLINE void prelu_forward(const vec *in, vec *out, const Shape s, const Shape t,
                          const float *slopes, const int each) {
    for (int c = 0; c < s.channels; c++)
        for (int y = 0; y < s.height; y++)
            for (int x = 0; x < s.width; x++) {
                const vec value = in[c * s.plane + y * s.row + x];
                out[c * t.plane + y * t.row + x] =
                    pick(value > 0.0f, value, value * slopes[c * each]);
            }
}

INLINE void prelu_backward(const vec *in, vec *gradient, const Shape s, const Shape t,
                           const float *slopes, float *slope_gradients, const int each) {
    for (int c = 0; c < s.channels; c++) {
        vec sum = all(0);
        for (int y = 0; y < s.height; y++)
            for (int x = 0; x < s.width; x++) {
                const vec value = in[c * s.plane + y * s.row + x];
                vec *g = gradient + c * t.plane + y * t.row + x;
                sum += only(~(value > 0.0f), *g * value);
                *g = pick(value > 0.0f, *g, *g * slopes[c * each]);
            }
        add_sums(slope_gradients + c * each, &sum, 1);
    }
}

INLINE void rrelu_forward(const vec *in, vec *out, const Shape s, const Shape t, const Stream r,
                          const float lower, const float upper) {
    for (int c = 0; c < s.channels; c++)
        for (int y = 0; y < s.height; y++)
            for (int x = 0; x < s.width; x++) {
                const vec value = in[c * s.plane + y * s.row + x];
                const int feature = (c * s.height + y) * s.width + x;
                const vec slope = lower + (upper - lower) * uniform(r, feature);
                out[c * t.plane + y * t.row + x] = pick(value > 0.0f, value, value * slope);
            }
}

INLINE void rrelu_backward(const vec *out, vec *gradient, const Shape s, const Shape t,
                           const Stream r, const float lower, const float upper) {
    for (int c = 0; c < s.channels; c++)
        for (int y = 0; y < s.height; y++)
            for (int x = 0; x < s.width; x++) {
                const int feature = (c * s.height + y) * s.width + x;
                const vec slope = lower + (upper - lower) * uniform(r, feature);
                vec *g = gradient + c * t.plane + y * t.row + x;
                *g = pick(out[c * s.plane + y * s.row + x] > 0.0f, *g, *g * slope);
            }
}

/* Zeroes the share `rate` of the values and scales the others up; serves forward (`in` to `out`)
 * and backward (the gradient onto itself). */
INLINE void dropout(const vec *in, vec *out, const Shape s, const Shape t, const Stream r,
                    const double rate) {
    const uint32_t threshold = rate < 1 ? (uint32_t)(rate * 0x1p32) : UINT32_MAX;
    const float scale = rate < 1 ? (float)(1 / (1 - rate)) : 0;
    for (int c = 0; c < s.channels; c++)
        for (int y = 0; y < s.height; y++)
            for (int x = 0; x < s.width; x++) {
                const int feature = (c * s.height + y) * s.width + x;
                const ints kept = (ints)(draw(r, feature) >= threshold);
                out[c * t.plane + y * t.row + x] =
                    only(kept, in[c * s.plane + y * s.row + x] * scale);
            }
}
