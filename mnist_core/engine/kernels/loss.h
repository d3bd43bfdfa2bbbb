/* Cross-entropy with label smoothing, and the way of images in and logits out. */
#pragma once
#include "mathematics.h"

/* Logits become their own gradient, of the mean over `batch` images; lanes that are not live get
 * zero. Returns the block's sum of losses in nats. */
INLINE double cross_entropy(const vec *logits, vec *gradient, const int classes,
                            const int64_t *labels, int images, int batch, float smoothing,
                            ints live) {
    ints label = {0};
    for (int l = 0; l < images; l++) label[l] = (int32_t)labels[l];
    vec highest = logits[0];
    for (int c = 1; c < classes; c++) highest = pick(logits[c] > highest, logits[c], highest);
    vec sum = all(0), at_label = all(0), total = all(0);
    for (int c = 0; c < classes; c++) {
        const vec shifted = logits[c] - highest;
        gradient[c] = exponential(shifted);
        sum += gradient[c];
        total += shifted;
        at_label = pick(label == c, shifted, at_label);
    }
    const float other = smoothing / classes;
    const vec share = 1.0f / sum;
    for (int c = 0; c < classes; c++) {
        const vec target = other + only(label == c, all(1.0f - smoothing));
        gradient[c] = only(live, (gradient[c] * share - target) / (float)batch);
    }
    double loss = 0;
    for (int l = 0; l < images; l++)
        loss += log(sum[l]) - (1.0 - smoothing) * at_label[l] - (double)other * total[l];
    return loss;
}

/* LANES pixels, each `step` behind the one before it, row by row. */
INLINE void place(vec *out, const Shape s, int pixel, const int step, const vec *values) {
    if (s.row == s.width) {
        UNROLL for (int l = 0; l < LANES; l++) out[pixel + l * step] = values[l];
        return;
    }
    int y = pixel / s.width, x = pixel % s.width;
    for (int l = 0; l < LANES; l++) {
        out[y * s.row + x] = values[l];
        for (x += step; x >= s.width; x -= s.width) y++;
    }
}

/* Float pixels from `p` on, a square of LANES images by LANES pixels. */
INLINE void load_floats(const char *const *images, int p, vec *out, const Shape s, float scale,
                        float offset) {
    vec r[LANES];
    UNROLL for (int l = 0; l < LANES; l++)
        r[l] = *(const bytes *)(images[l] + p * 4) * scale + offset;
    transpose(r);
    place(out, s, p, 1, r);
}

/* Byte pixels from `p` on: four neighbours travel as one word, whose lowest byte is the first
 * (as on all processors that the engine is compiled for). */
INLINE void load_bytes(const char *const *images, int p, vec *out, const Shape s, float scale,
                       float offset) {
    vec r[LANES], values[LANES];
    UNROLL for (int l = 0; l < LANES; l++) r[l] = *(const bytes *)(images[l] + p);
    transpose(r);
    UNROLL for (int byte = 0; byte < 4; byte++) {
        UNROLL for (int l = 0; l < LANES; l++) {
            const ints pixel = ((ints)r[l] >> (8 * byte)) & 255;
            values[l] = __builtin_convertvector(pixel, vec) * scale + offset;
        }
        place(out, s, p + byte, 4, values);
    }
}

/* Images of too few pixels for the above. */
INLINE void load_few(const char *const *images, vec *out, const Shape s, int are_bytes,
                     float scale, float offset) {
    for (int y = 0; y < s.height; y++)
        for (int x = 0; x < s.width; x++)
            for (int l = 0; l < LANES; l++) {
                const int p = y * s.width + x;
                const float value =
                    are_bytes ? (float)(uint8_t)images[l][p] : ((const float *)images[l])[p];
                out[y * s.row + x][l] = value * scale + offset;
            }
}

/* LANES images, one behind each pointer, become channel 0 of a block. */
INLINE void load_images(const char *const *images, vec *out, const Shape s, int are_bytes,
                        float scale, float offset) {
    const int pixels = s.height * s.width, piece = are_bytes ? 4 * LANES : LANES;
    if (pixels < 4 * LANES) {
        load_few(images, out, s, are_bytes, scale, offset);
        return;
    }
    for (int p = 0; p < pixels; p += piece) {
        p = smaller(p, pixels - piece); /* the last piece overlaps, so as not to read beyond */
        if (are_bytes)
            load_bytes(images, p, out, s, scale, offset);
        else
            load_floats(images, p, out, s, scale, offset);
    }
}
