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

INLINE vec read_pixels(const void *from, int are_bytes, float scale, float offset) {
    if (!are_bytes) return *(const loose *)from * scale + offset;
    const ints whole = __builtin_convertvector(*(const bytes *)from, ints);
    return __builtin_convertvector(whole, vec) * scale + offset;
}

INLINE void place(vec *out, const Shape s, int pixel, const vec *values) {
    int y = pixel / s.width, x = pixel % s.width;
    for (int l = 0; l < LANES; l++) {
        out[y * s.row + x] = values[l];
        if (++x == s.width) x = 0, y++;
    }
}

/* LANES images, one behind each pointer, become channel 0 of a block. */
INLINE void load_images(const char *const *images, vec *out, const Shape s, int are_bytes,
                        float scale, float offset) {
    const int pixels = s.height * s.width, size = are_bytes ? 1 : 4;
    vec r[LANES];
    if (pixels < LANES) {
        for (int p = 0; p < pixels; p++)
            for (int l = 0; l < LANES; l++) {
                const char *from = images[l] + p * size;
                const float value = are_bytes ? *(const uint8_t *)from : *(const float *)from;
                out[p / s.width * s.row + p % s.width][l] = value * scale + offset;
            }
        return;
    }
    for (int p = 0; p < pixels; p += LANES) {
        p = smaller(p, pixels - LANES); /* the last piece overlaps, so as not to read beyond */
        UNROLL for (int l = 0; l < LANES; l++)
            r[l] = read_pixels(images[l] + p * size, are_bytes, scale, offset);
        transpose(r);
        place(out, s, p, r);
    }
}
