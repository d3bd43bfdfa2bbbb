/* Gradients of a convolution's weights, and of a linear layer's. */
#pragma once
#include "lanes.h"

/* Weights are outs × outer × rows × inner. With a kernel of more than one column, outer counts
 * the input's channels and inner the columns; with one column, inner counts the channels. */
typedef struct {
    int outs, outer, rows, inner;
    int outer_gap, inner_gap;               /* strides of the input, in vectors */
    int height, width, out_row, out_plane;  /* of the output's gradient */
    int in_height, in_row;
    int step_y, step_x, top, left;          /* tap 0 of output (y, x): (y * step_y + top, …) */
    int band;                               /* rows at a time, so that they stay in the L1 cache */
} Taps;

INLINE void taps_tile(const vec *in, const vec *gradient, vec *sums, const Taps k, int from,
                      int to, const int inner, const int outs) {
    const int stride = k.outer * k.rows * k.inner;
    vec held[32];
    UNROLL for (int o = 0; o < outs; o++)
        UNROLL for (int n = 0; n < inner; n++) held[o * inner + n] = sums[o * stride + n];
    for (int y = from; y < to; y++) {
        const vec *x = in + y * k.step_y * k.in_row, *g = gradient + y * k.out_row;
        for (int i = 0; i < k.width; i++, x += k.step_x, g++) {
            vec values[32];
            UNROLL for (int n = 0; n < inner; n++) values[n] = x[n * k.inner_gap];
            UNROLL for (int o = 0; o < outs; o++) {
                const vec factor = g[o * k.out_plane];
                UNROLL for (int n = 0; n < inner; n++) held[o * inner + n] += factor * values[n];
            }
        }
    }
    UNROLL for (int o = 0; o < outs; o++)
        UNROLL for (int n = 0; n < inner; n++) sums[o * stride + n] = held[o * inner + n];
}

INLINE void taps_band(const vec *in, const vec *gradient, vec *sums, const Taps k, int from,
                      int to, const int inner, const int outs) {
    const int rest = k.inner % inner, whole = k.inner - rest;
    for (int c = 0; c < k.outer; c++)
        for (int v = 0; v < k.rows; v++) {
            const int row = k.top + v;
            const int y0 = larger(from, row < 0 ? (-row + k.step_y - 1) / k.step_y : 0);
            const int y1 = smaller(to, (k.in_height - 1 - row + k.step_y) / k.step_y);
            const vec *x = in + c * k.outer_gap + row * k.in_row + k.left;
            vec *at = sums + (c * k.rows + v) * k.inner;
            for (int n = 0; n < whole; n += inner)
                taps_tile(x + n * k.inner_gap, gradient, at + n, k, y0, y1, inner, outs);
            if (rest)
                taps_tile(x + whole * k.inner_gap, gradient, at + whole, k, y0, y1, rest, outs);
        }
}

INLINE void bias_band(const vec *gradient, vec *sums, const Taps k, int from, int to,
                      const int outs) {
    for (int o = 0; o < outs; o++) {
        vec sum = sums[o];
        for (int y = from; y < to; y++)
            for (int x = 0; x < k.width; x++) sum += gradient[o * k.out_plane + y * k.out_row + x];
        sums[o] = sum;
    }
}

INLINE void taps_outs(const vec *in, const vec *gradient, vec *sums, float *weights, float *bias,
                      const Taps k, const int inner, const int outs) {
    const int count = outs * k.outer * k.rows * k.inner;
    memset(sums, 0, (count + outs) * sizeof(vec));
    for (int from = 0; from < k.height; from += k.band) {
        const int to = smaller(from + k.band, k.height);
        taps_band(in, gradient, sums, k, from, to, inner, outs);
        if (bias) bias_band(gradient, sums + count, k, from, to, outs);
    }
    add_sums(weights, sums, count);
    if (bias) add_sums(bias, sums + count, outs);
}

/* Adds the gradients of a convolution's weights and bias (or NULL). `sums` is scratch for
 * outs × (outer × rows × inner + 1) vectors of the tile. */
INLINE void taps_gradient(const vec *in, const vec *gradient, vec *sums, float *weights,
                          float *bias, const Taps k, const int inner, const int outs) {
    const int rest = k.outs % outs, whole = k.outs - rest, stride = k.outer * k.rows * k.inner;
    for (int o = 0; o < whole; o += outs)
        taps_outs(in, gradient + o * k.out_plane, sums, weights + o * stride, bias ? bias + o : 0,
                  k, inner, outs);
    if (rest)
        taps_outs(in, gradient + whole * k.out_plane, sums, weights + whole * stride,
                  bias ? bias + whole : 0, k, inner, rest);
}

/* A linear layer has one product a weight and image: here inputs are the lanes, and the sum over
 * the images runs inside a tile of outs × vecs vectors. */
INLINE void outer_tile(const float *rows, int row, const vec *gradient, float *weights, int ins,
                       int left, const int vecs, const int outs) {
    vec held[32];
    const float *gradients = (const float *)gradient;
    UNROLL for (int t = 0; t < outs * vecs; t++) held[t] = all(0);
    for (int image = 0; image < LANES; image++) {
        vec values[8];
        UNROLL for (int v = 0; v < vecs; v++) values[v] = *(vec *)(rows + image * row + v * LANES);
        UNROLL for (int o = 0; o < outs; o++) {
            const vec factor = all(gradients[o * LANES + image]);
            UNROLL for (int v = 0; v < vecs; v++) held[o * vecs + v] += factor * values[v];
        }
    }
    UNROLL for (int o = 0; o < outs; o++)
        UNROLL for (int v = 0; v < vecs; v++) {
            float *to = weights + o * ins + v * LANES;
            if ((v + 1) * LANES <= left)
                *(loose *)to += held[o * vecs + v];
            else
                for (int l = 0; v * LANES + l < left; l++) to[l] += held[o * vecs + v][l];
        }
}

INLINE void outer_outs(const float *rows, const vec *gradient, float *weights, int ins,
                       const int vecs, const int outs) {
    const int row = (ins + LANES - 1) / LANES * LANES, wide = vecs * LANES;
    const int rest = row % wide / LANES, whole = row - rest * LANES;
    for (int i = 0; i < whole; i += wide)
        outer_tile(rows + i, row, gradient, weights + i, ins, ins - i, vecs, outs);
    if (rest)
        outer_tile(rows + whole, row, gradient, weights + whole, ins, ins - whole, rest, outs);
}

/* Adds the gradients of a linear layer's weights (outs × ins) and bias (or NULL). `scratch` has
 * room for ins vectors, rounded up to a multiple of LANES. */
INLINE void outer_gradient(const vec *in, const vec *gradient, vec *scratch, float *weights,
                           float *bias, int ins, int outs, const int tile_vecs,
                           const int tile_outs) {
    const int row = (ins + LANES - 1) / LANES * LANES;
    float *rows = (float *)scratch;
    for (int i = 0; i < row; i += LANES) {
        vec r[LANES];
        UNROLL for (int l = 0; l < LANES; l++) r[l] = i + l < ins ? in[i + l] : all(0);
        transpose(r);
        UNROLL for (int l = 0; l < LANES; l++) *(vec *)(rows + l * row + i) = r[l];
    }
    const int rest = outs % tile_outs, whole = outs - rest;
    for (int o = 0; o < whole; o += tile_outs)
        outer_outs(rows, gradient + o, weights + o * ins, ins, tile_vecs, tile_outs);
    if (rest) outer_outs(rows, gradient + whole, weights + whole * ins, ins, tile_vecs, rest);
    if (bias) add_sums(bias, gradient, outs);
}
