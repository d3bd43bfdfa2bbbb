/* Max and average pooling, and the copy that flattening is. */
#pragma once
#include "lanes.h"

typedef struct {
    Shape in, out;
    int height, width, step_y, step_x, top, left; /* the window; top and left are <= 0 */
} Window;

/* The taps of the window at `place` that meet the image. Where no window sticks out, these are
 * constants, and the loops over them unroll. */
INLINE int first_tap(int before, int place) { return before ? larger(0, -place) : 0; }

INLINE int last_tap(int taps, int size, int place, int furthest) {
    return furthest + taps <= size ? taps : smaller(taps, size - place);
}

#define EACH_TAP(k, y, x, v, u)                                                            \
    for (int v = first_tap((k).top, (y) * (k).step_y + (k).top),                           \
             v##_end = last_tap((k).height, (k).in.height, (y) * (k).step_y + (k).top,     \
                                ((k).out.height - 1) * (k).step_y + (k).top);              \
         v < v##_end; v++)                                                                 \
        for (int u = first_tap((k).left, (x) * (k).step_x + (k).left),                     \
                 u##_end = last_tap((k).width, (k).in.width, (x) * (k).step_x + (k).left,  \
                                    ((k).out.width - 1) * (k).step_x + (k).left);          \
             u < u##_end; u++)

INLINE int index_of(const Window k, const Shape s, int c, int y, int x) {
    return c * s.plane + (y * k.step_y + k.top) * s.row + x * k.step_x + k.left;
}

INLINE ints beats(vec value, vec best) { return (value > best) | (value != value); }

INLINE void max_pool_forward(const vec *in, vec *out, const Window k) {
    for (int c = 0; c < k.out.channels; c++)
        for (int y = 0; y < k.out.height; y++)
            for (int x = 0; x < k.out.width; x++) {
                vec best = all(-INFINITY);
                EACH_TAP(k, y, x, v, u) {
                    const vec value = in[index_of(k, k.in, c, y, x) + v * k.in.row + u];
                    best = pick(beats(value, best), value, best);
                }
                out[c * k.out.plane + y * k.out.row + x] = best;
            }
}

/* The gradient goes to the first of equal maxima, row by row. `to` and `from` are the shapes of
 * the input's and the output's gradients. */
INLINE void max_pool_backward(const vec *in, const vec *out, vec *in_gradient,
                              const vec *out_gradient, const Window k, const Shape to,
                              const Shape from) {
    const int apart = k.step_y >= k.height && k.step_x >= k.width;
    const int covered = apart && k.step_y == k.height && k.step_x == k.width && !k.top &&
                        !k.left && k.in.height % k.height == 0 && k.in.width % k.width == 0;
    for (int c = 0; c < k.in.channels; c++) {
        if (!covered)
            for (int y = 0; y < k.in.height; y++)
                for (int x = 0; x < k.in.width; x++)
                    in_gradient[c * to.plane + y * to.row + x] = all(0);
        for (int y = 0; y < k.out.height; y++)
            for (int x = 0; x < k.out.width; x++) {
                const vec best = out[c * k.out.plane + y * k.out.row + x];
                const vec g = out_gradient[c * from.plane + y * from.row + x];
                ints open = (ints)(all(0) == all(0));
                EACH_TAP(k, y, x, v, u) {
                    const vec value = in[index_of(k, k.in, c, y, x) + v * k.in.row + u];
                    const ints here = open & ((value == best) | (value != value));
                    vec *slot = in_gradient + index_of(k, to, c, y, x) + v * to.row + u;
                    *slot = apart ? only(here, g) : *slot + only(here, g);
                    open &= ~here;
                }
            }
    }
}

INLINE float share_of(const Window k, int y, int x, const int count_padding) {
    if (count_padding) return 1.0f / (k.height * k.width);
    const int row = y * k.step_y + k.top, column = x * k.step_x + k.left;
    const int rows = smaller(k.height, k.in.height - row) - larger(0, -row);
    const int columns = smaller(k.width, k.in.width - column) - larger(0, -column);
    return 1.0f / (rows * columns);
}

INLINE void average_pool_forward(const vec *in, vec *out, const Window k,
                                 const int count_padding) {
    for (int c = 0; c < k.out.channels; c++)
        for (int y = 0; y < k.out.height; y++)
            for (int x = 0; x < k.out.width; x++) {
                vec sum = all(0);
                EACH_TAP(k, y, x, v, u)
                    sum += in[index_of(k, k.in, c, y, x) + v * k.in.row + u];
                out[c * k.out.plane + y * k.out.row + x] =
                    sum * share_of(k, y, x, count_padding);
            }
}

/* `k.in` is the shape of the input's gradient, `k.out` that of the output's. */
INLINE void average_pool_backward(vec *in_gradient, const vec *out_gradient, const Window k,
                                  const int count_padding) {
    for (int c = 0; c < k.in.channels; c++) {
        for (int y = 0; y < k.in.height; y++)
            for (int x = 0; x < k.in.width; x++)
                in_gradient[c * k.in.plane + y * k.in.row + x] = all(0);
        for (int y = 0; y < k.out.height; y++)
            for (int x = 0; x < k.out.width; x++) {
                const vec g = out_gradient[c * k.out.plane + y * k.out.row + x] *
                              share_of(k, y, x, count_padding);
                EACH_TAP(k, y, x, v, u)
                    in_gradient[index_of(k, k.in, c, y, x) + v * k.in.row + u] += g;
            }
    }
}

/* Between a value with borders and the same one without. */
INLINE void copy(const vec *in, vec *out, const Shape s, const Shape t) {
    for (int c = 0; c < s.channels; c++)
        for (int y = 0; y < s.height; y++)
            for (int x = 0; x < s.width; x++)
                out[c * t.plane + y * t.row + x] = in[c * s.plane + y * s.row + x];
}
