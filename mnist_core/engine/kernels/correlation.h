/* Convolution forward, the gradient of its input, and both of a linear layer.
 *
 * All four are sums of weight times vector over taps and channels; they differ in the strides
 * and in the direction in which a kernel is walked through. A tile of neighbouring outputs stays
 * in registers until it is done.
 */
#pragma once
#include "lanes.h"

typedef struct {
    int outs, ins;                     /* channels */
    int height, width;                 /* outputs to compute */
    int in_height, in_width;           /* where the input is more than zeros */
    int in_row, in_plane;              /* strides of the input, in vectors */
    int out_row, out_step, out_plane;  /* strides of the output */
    int step_y, step_x, top, left;     /* tap 0 of output (y, x): (y * step_y + top, …) */
    int taps_y, taps_x, direction;     /* the next tap is one further (1) or one back (-1) */
    int to_out, to_in, to_y, to_x;     /* strides of the weights, in floats */
    int adds;                          /* to what is in the output, or else overwrites it */
} Correlation;

/* The taps from `*from` to `*to` are those that meet the input at all. */
INLINE void taps_within(int first, int last, int taps, int size, int direction, int *from,
                        int *to) {
    *from = direction > 0 ? larger(0, -last) : larger(0, first - size + 1);
    *to = direction > 0 ? smaller(taps, size - first) : smaller(taps, last + 1);
}

INLINE void correlate_tile(const vec *in, const float *weights, const float *bias, vec *out,
                           const Correlation k, int y, int x, const int pixels, const int outs) {
    vec sums[32];
    UNROLL for (int o = 0; o < outs; o++)
        UNROLL for (int p = 0; p < pixels; p++)
            sums[o * pixels + p] =
                k.adds ? out[o * k.out_plane + y * k.out_row + (x + p) * k.out_step]
                       : all(bias ? bias[o] : 0);
    const int row = y * k.step_y + k.top, column = x * k.step_x + k.left;
    int from_y, to_y, from_x, to_x;
    taps_within(row, row, k.taps_y, k.in_height, k.direction, &from_y, &to_y);
    taps_within(column, column + (pixels - 1) * k.step_x, k.taps_x, k.in_width, k.direction,
                &from_x, &to_x);
    for (int v = from_y; v < to_y; v++)
        for (int u = from_x; u < to_x; u++) {
            const vec *at = in + (row + v * k.direction) * k.in_row + column + u * k.direction;
            const float *weight = weights + v * k.to_y + u * k.to_x;
            for (int i = 0; i < k.ins; i++, at += k.in_plane, weight += k.to_in) {
                vec values[32];
                UNROLL for (int p = 0; p < pixels; p++) values[p] = at[p * k.step_x];
                UNROLL for (int o = 0; o < outs; o++) {
                    const vec w = all(weight[o * k.to_out]);
                    UNROLL for (int p = 0; p < pixels; p++) sums[o * pixels + p] += w * values[p];
                }
            }
        }
    UNROLL for (int o = 0; o < outs; o++)
        UNROLL for (int p = 0; p < pixels; p++)
            out[o * k.out_plane + y * k.out_row + (x + p) * k.out_step] = sums[o * pixels + p];
}

INLINE void correlate_outs(const vec *in, const float *weights, const float *bias, vec *out,
                           const Correlation k, const int pixels, const int outs) {
    const int rest = k.width % pixels;
    for (int y = 0; y < k.height; y++) {
        for (int x = 0; x + pixels <= k.width; x += pixels)
            correlate_tile(in, weights, bias, out, k, y, x, pixels, outs);
        if (rest) correlate_tile(in, weights, bias, out, k, y, k.width - rest, rest, outs);
    }
}

/* `pixels` neighbours of a row × `outs` channels make a tile; what is left over makes smaller
 * ones. `bias` may be NULL. */
INLINE void correlate(const vec *in, const float *weights, const float *bias, vec *out,
                      const Correlation k, const int pixels, const int outs) {
    const int rest = k.outs % outs, whole = k.outs - rest;
    for (int o = 0; o < whole; o += outs)
        correlate_outs(in, weights + o * k.to_out, bias ? bias + o : 0, out + o * k.out_plane, k,
                       pixels, outs);
    if (rest)
        correlate_outs(in, weights + whole * k.to_out, bias ? bias + whole : 0,
                       out + whole * k.out_plane, k, pixels, rest);
}

/* Rows of the weights at a time in a wide linear layer's input gradient: each lies on a page of
 * its own, and a core knows the addresses of some hundred pages only. */
#define PAGES 32

/* The gradient of a linear layer's input; `outs` and `ins` are the layer's. */
INLINE void linear_input_gradient(const vec *gradient, const float *weights, vec *out, int outs,
                                  int ins, const int tile) {
    for (int o = 0; o < outs; o += PAGES) {
        const Correlation k = {
            .outs = ins, .ins = smaller(PAGES, outs - o), .height = 1, .width = 1,
            .in_height = 1, .in_width = 1, .in_plane = 1, .out_plane = 1, .out_step = 1,
            .taps_y = 1, .taps_x = 1, .direction = 1, .to_out = 1, .to_in = ins, .adds = o > 0};
        correlate(gradient + o, weights + o * ins, 0, out, k, 1, tile);
    }
}
