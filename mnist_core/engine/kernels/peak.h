/* As many multiply-adds as a core can do: nothing is loaded or stored. */
#pragma once
#include "lanes.h"

enum { CHAINS = 12 }; /* two units, four cycles each, and some more */

__attribute__((visibility("default"))) float peak_run(int64_t rounds, float factor) {
    vec sums[CHAINS];
    UNROLL for (int i = 0; i < CHAINS; i++) sums[i] = all((float)i);
    for (int64_t r = 0; r < rounds; r++)
        UNROLL for (int i = 0; i < CHAINS; i++) sums[i] = sums[i] * factor + 1.0f;
    float total = 0;
    UNROLL for (int i = 0; i < CHAINS; i++) total += sums[i][0];
    return total;
}

/* Floating-point operations of a round. */
__attribute__((visibility("default"))) int peak_operations(void) { return 2 * LANES * CHAINS; }
