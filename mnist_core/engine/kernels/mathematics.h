/* Elementary functions of vectors, to about two units in the last place. NaN stays NaN. */
#pragma once
#include "lanes.h"

/* e^x by 2^n * e^r with |r| <= ln 2 / 2, and a polynomial for e^r (Cephes' expf). Above 88.7 it
 * is infinite, below -87.3 zero. */
INLINE vec exponential(vec x) {
    const vec round = all(12582912.0f); /* adding it leaves whole numbers */
    vec n = (x * 1.44269504f + round) - round;
    vec r = x - n * 0.693359375f + n * 2.12194440e-4f;
    vec p = all(1.9875691500e-4f);
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * (r * r) + r + 1.0f;
    const ints large = x > 88.72283f, tiny = x < -87.33654f;
    /* halved and doubled again, since 2^128 has no float while e^88.7 does */
    vec power = (vec)((__builtin_convertvector(only(~(large | tiny), n), ints) + 126) << 23);
    vec value = p * power * 2.0f;
    value = pick(large, all(INFINITY), value);
    value = pick(tiny, all(0), value);
    return pick(x == x, value, x);
}

/* tanh by a polynomial near zero, where 1 - 2 / (e^2x + 1) would lose digits (Cephes' tanhf). */
INLINE vec tangent(vec x) {
    const vec z = x * x;
    vec p = all(-5.70498872745e-3f);
    p = p * z + 2.06390887954e-2f;
    p = p * z - 5.37397155531e-2f;
    p = p * z + 1.33314422036e-1f;
    p = p * z - 3.33332819422e-1f;
    const vec near = p * z * x + x;
    const vec far = 1.0f - 2.0f / (exponential(x + x) + 1.0f);
    return pick((x < 0.625f) & (x > -0.625f), near, far);
}
