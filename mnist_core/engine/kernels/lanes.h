/* A vector holds one value of each of LANES images: "images are the lanes".
 *
 * Only the vector extensions that gcc, clang and zig share are used. How many lanes there are
 * follows from the widest registers of the processor the code is compiled for.
 */
#pragma once
#include <math.h>
#include <stdint.h>
#include <string.h>

#if defined(__AVX512F__)
#define LANES 16
#elif defined(__AVX__)
#define LANES 8
#else
#define LANES 4
#endif

#define INLINE static inline __attribute__((always_inline))
#define FUNCTION static __attribute__((noinline)) void /* compiled once, however often called */
#ifdef __clang__
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 64")
#endif

typedef float vec __attribute__((vector_size(4 * LANES)));
typedef int32_t ints __attribute__((vector_size(4 * LANES)));
typedef uint32_t bits __attribute__((vector_size(4 * LANES)));
/* Where a vector begins at any float, or at any byte. */
typedef float loose __attribute__((vector_size(4 * LANES), aligned(4)));
typedef float bytes __attribute__((vector_size(4 * LANES), aligned(1), may_alias));

/* A value of C channels of rows by columns; strides count vectors. Between two rows there may
 * be a border of zeros, so that a convolution reads past the edge of an image without asking. */
typedef struct {
    int channels, height, width, row, plane;
} Shape;

INLINE int larger(int a, int b) { return a > b ? a : b; }
INLINE int smaller(int a, int b) { return a < b ? a : b; }

/* Minus zero rather than plus: -0 + 0 is 0, so that compilers would have to keep the sum. */
INLINE vec all(float value) { return value - (vec){}; }

INLINE vec pick(ints where, vec yes, vec no) {
    return (vec)((where & (ints)yes) | (~where & (ints)no));
}

INLINE vec only(ints where, vec value) { return (vec)(where & (ints)value); }

/* Two vectors a and b seen as rows of a matrix: blocks of `s` columns are exchanged. */
#define LOW(l, s) ((l) & (s) ? LANES + (l) - (s) : (l))
#define HIGH(l, s) ((l) & (s) ? LANES + (l) : (l) + (s))
#define FOUR(F, s, l) F(l, s), F(l + 1, s), F(l + 2, s), F(l + 3, s)
#if LANES == 16
#define EACH_LANE(F, s) FOUR(F, s, 0), FOUR(F, s, 4), FOUR(F, s, 8), FOUR(F, s, 12)
#elif LANES == 8
#define EACH_LANE(F, s) FOUR(F, s, 0), FOUR(F, s, 4)
#else
#define EACH_LANE(F, s) FOUR(F, s, 0)
#endif
#if defined(__clang__) || __GNUC__ >= 12
#define SHUFFLE(F, s, a, b) __builtin_shufflevector(a, b, EACH_LANE(F, s))
#else
#define SHUFFLE(F, s, a, b) __builtin_shuffle(a, b, (ints){EACH_LANE(F, s)})
#endif

#define EXCHANGE(r, s)                                     \
    UNROLL for (int i_ = 0; i_ < LANES; i_++) if (!(i_ & (s))) { \
        vec low_ = SHUFFLE(LOW, s, r[i_], r[i_ + (s)]);    \
        r[i_ + (s)] = SHUFFLE(HIGH, s, r[i_], r[i_ + (s)]); \
        r[i_] = low_;                                      \
    }

/* LANES vectors as the rows of a square matrix, transposed in place. */
INLINE void transpose(vec *r) {
#if LANES == 16
    EXCHANGE(r, 8)
#endif
#if LANES >= 8
    EXCHANGE(r, 4)
#endif
    EXCHANGE(r, 2)
    EXCHANGE(r, 1)
}

#define FOLD(r, s)                                         \
    UNROLL for (int i_ = 0; i_ < (s); i_++) r[i_] =        \
        SHUFFLE(LOW, s, r[i_], r[i_ + (s)]) + SHUFFLE(HIGH, s, r[i_], r[i_ + (s)]);

/* Lane l of the result is the sum over the lanes of r[l], always in the same order. */
INLINE vec sums_of_lanes(vec *r) {
#if LANES == 16
    FOLD(r, 8)
#endif
#if LANES >= 8
    FOLD(r, 4)
#endif
    FOLD(r, 2)
    FOLD(r, 1)
    return r[0];
}

/* to[i] += the sum over the lanes of from[i], for `count` vectors. */
static inline void add_sums(float *to, const vec *from, int count) {
    vec r[LANES];
    int i = 0;
    for (; i + LANES <= count; i += LANES) {
        UNROLL for (int l = 0; l < LANES; l++) r[l] = from[i + l];
        *(loose *)(to + i) += sums_of_lanes(r);
    }
    if (i == count) return;
    for (int l = 0; l < LANES; l++) r[l] = i + l < count ? from[i + l] : all(0);
    vec sums = sums_of_lanes(r);
    for (int l = 0; i + l < count; l++) to[i + l] += sums[l];
}

INLINE double sum_of(vec v) {
    double sum = 0;
    for (int l = 0; l < LANES; l++) sum += v[l];
    return sum;
}
