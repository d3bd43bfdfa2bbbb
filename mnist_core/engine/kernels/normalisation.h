/* Batch normalisation. Its statistics are over all images of a batch, so the network is run up to
 * here for every block before any block goes on. A block's sums are kept apart and are added in
 * the order of the blocks. */
#pragma once
#include "lanes.h"

/* Coefficients of one channel, recomputed at every step. */
typedef struct {
    float scale, shift;                   /* output = input * scale + shift */
    float mean, inverse;                  /* of the batch: its mean, 1 / its deviation */
    float of_gradient, of_input, constant; /* input's gradient = these three, combined */
} Channel;

/* Sums of one block and channel: forward of (x - origin) and its square, with the origin there
 * so that nothing is lost where the mean is large; backward of dy and dy * normalised x. */
typedef struct {
    double first, second, origin;
} Sums;

INLINE void norm_sums(const vec *in, Sums *sums, const Shape s, ints live) {
    for (int c = 0; c < s.channels; c++) {
        const float origin = in[c * s.plane][0];
        vec first = all(0), second = all(0);
        for (int y = 0; y < s.height; y++)
            for (int x = 0; x < s.width; x++) {
                const vec d = in[c * s.plane + y * s.row + x] - origin;
                first += d;
                second += d * d;
            }
        sums[c] = (Sums){sum_of(only(live, first)), sum_of(only(live, second)), origin};
    }
}

/* From the blocks' sums to the channels' coefficients, and to the running statistics as torch
 * keeps them: the variance there is the unbiased one. `sums` has `channels_in_all` a block. */
static inline void norm_finish(const Sums *sums, int channels_in_all, int blocks, int images,
                               const Shape s, const float *weights, const float *biases,
                               Channel *channels, float *running_mean, float *running_variance,
                               double epsilon, double momentum) {
    const double pixels = (double)s.height * s.width, count = images * pixels;
    for (int c = 0; c < s.channels; c++) {
        double mean = 0, squares = 0, seen = 0;
        for (int b = 0; b < blocks; b++) {
            const Sums part = sums[b * channels_in_all + c];
            const double here = smaller(LANES, images - b * LANES) * pixels;
            const double offset = part.first / here, delta = part.origin + offset - mean;
            squares += part.second - part.first * offset;
            squares += delta * delta * seen * here / (seen + here);
            mean += delta * here / (seen + here);
            seen += here;
        }
        const double variance = squares / count, inverse = 1 / sqrt(variance + epsilon);
        Channel *to = channels + c;
        to->mean = mean;
        to->inverse = inverse;
        to->scale = weights[c] * inverse;
        to->shift = biases[c] - mean * (weights[c] * inverse);
        running_mean[c] += momentum * (mean - running_mean[c]);
        running_variance[c] += momentum * (squares / (count > 1 ? count - 1 : 1) - running_variance[c]);
    }
}

/* The coefficients in evaluation mode. */
static inline void norm_from_running(const Shape s, const float *weights, const float *biases,
                                     Channel *channels, const float *running_mean,
                                     const float *running_variance, double epsilon) {
    for (int c = 0; c < s.channels; c++) {
        const double scale = weights[c] / sqrt(running_variance[c] + epsilon);
        channels[c].scale = scale;
        channels[c].shift = biases[c] - running_mean[c] * scale;
    }
}

INLINE void norm_forward(const vec *in, vec *out, const Shape s, const Shape t,
                         const Channel *channels) {
    for (int c = 0; c < s.channels; c++) {
        const vec scale = all(channels[c].scale), shift = all(channels[c].shift);
        for (int y = 0; y < s.height; y++)
            for (int x = 0; x < s.width; x++)
                out[c * t.plane + y * t.row + x] = in[c * s.plane + y * s.row + x] * scale + shift;
    }
}

/* `s` is the input's shape and `t` the gradient's. */
INLINE void norm_gradient_sums(const vec *in, const vec *gradient, Sums *sums, const Shape s,
                               const Shape t, const Channel *channels, ints live) {
    for (int c = 0; c < s.channels; c++) {
        const vec mean = all(channels[c].mean);
        vec first = all(0), second = all(0);
        for (int y = 0; y < s.height; y++)
            for (int x = 0; x < s.width; x++) {
                const vec g = gradient[c * t.plane + y * t.row + x];
                first += g;
                second += g * (in[c * s.plane + y * s.row + x] - mean);
            }
        const double scaled = sum_of(only(live, second)) * channels[c].inverse;
        sums[c] = (Sums){sum_of(only(live, first)), scaled, 0};
    }
}

static inline void norm_gradient_finish(const Sums *sums, int channels_in_all, int blocks,
                                        int images, const Shape s, Channel *channels,
                                        float *weight_gradients, float *bias_gradients) {
    const double count = (double)images * s.height * s.width;
    for (int c = 0; c < s.channels; c++) {
        double first = 0, second = 0;
        for (int b = 0; b < blocks; b++) {
            first += sums[b * channels_in_all + c].first;
            second += sums[b * channels_in_all + c].second;
        }
        Channel *to = channels + c;
        weight_gradients[c] += second;
        bias_gradients[c] += first;
        to->of_gradient = to->scale;
        to->of_input = -to->scale * (second / count) * to->inverse;
        to->constant = -to->scale * (first / count) - to->mean * to->of_input;
    }
}

INLINE void norm_backward(const vec *in, vec *gradient, const Shape s, const Shape t,
                          const Channel *channels, ints live) {
    for (int c = 0; c < s.channels; c++) {
        const vec a = all(channels[c].of_gradient), b = all(channels[c].of_input);
        const vec constant = all(channels[c].constant);
        for (int y = 0; y < s.height; y++)
            for (int x = 0; x < s.width; x++) {
                vec *g = gradient + c * t.plane + y * t.row + x;
                *g = only(live, *g * a + (in[c * s.plane + y * s.row + x] * b + constant));
            }
    }
}
