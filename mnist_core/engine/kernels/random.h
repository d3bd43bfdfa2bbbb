/* Random numbers that follow from where they are used and from nothing else: seed, step, layer,
 * image and feature. However the work is shared out, they are the same. */
#pragma once
#include "lanes.h"

/* splitmix64's finaliser (Steele, Lea, Flood 2014). */
INLINE uint64_t mix64(uint64_t x) {
    x = (x + 0x9e3779b97f4a7c15u);
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

/* A 32-bit hash in which every bit depends on every other (C. Wellons' lowbias32). */
INLINE bits mix32(bits x) {
    x = (x ^ (x >> 16)) * 0x7feb352du;
    x = (x ^ (x >> 15)) * 0x846ca68bu;
    return x ^ (x >> 16);
}

typedef struct {
    bits images;  /* a random number an image */
    uint32_t key;
} Stream;

INLINE Stream stream(uint64_t step_key, int layer, int first_image) {
    const uint64_t key = mix64(step_key + (uint64_t)layer);
    bits images;
    UNROLL for (int l = 0; l < LANES; l++) images[l] = (uint32_t)(first_image + l);
    return (Stream){mix32(images + (uint32_t)key), (uint32_t)(key >> 32)};
}

/* Whole numbers, uniform over 32 bits, for one feature of every image. */
INLINE bits draw(const Stream s, int feature) {
    return mix32(s.images ^ ((uint32_t)feature * 0x9e3779b9u + s.key));
}

/* In [0, 1), with 24 bits. */
INLINE vec uniform(const Stream s, int feature) {
    return __builtin_convertvector((ints)(draw(s, feature) >> 8), vec) * 0x1p-24f;
}
