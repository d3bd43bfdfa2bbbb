/* What generated code works on: a network, the batch it is at, and one block of images.
 *
 * The generated file defines, before this one is included:
 *   PARAMETERS, CLASSES   how many there are
 *   CHANNELS              of all batch normalisations together
 *   ARENA, SCRATCH        vectors that one block's values and gradients take; scratch of a thread
 *   KEEPS_BLOCKS          1 where every block's values are needed until the batch is done
 *   GROUPS                parts of a batch whose gradients are summed apart
 *   IMAGE                 the shape of an image
 */
#pragma once
#include <stdatomic.h>

#include "activation.h"
#include "correlation.h"
#include "loss.h"
#include "normalisation.h"
#include "pooling.h"
#include "threads.h"
#include "weights.h"

typedef struct {
    const char *images;
    const int64_t *index;   /* rows of `images` to take, or NULL for the first ones */
    const int64_t *labels;  /* of the batch, in its order */
    float *logits;          /* (count, CLASSES), written */
    int count, are_bytes;   /* pixels are uint8, or else float32 */
    float scale, offset;    /* network input = pixel * scale + offset */
    float smoothing;
    uint64_t key;           /* of all that is random in this step */
} Batch;

typedef struct {
    Pool pool;
    int blocks, most;               /* in this batch; at most */
    float *parameters, *gradients;  /* torch's memory */
    float *running;                 /* all means, then all variances */
    int64_t *batches_tracked;       /* one a batch normalisation */
    const double *rates;            /* one a dropout */
    float *group_gradients;         /* of each group */
    vec *arenas, *scratch;
    Sums *sums;                     /* blocks × CHANNELS */
    Channel *channels;
    double *losses;                 /* one a block */
    Batch batch;
    int segment;
    atomic_int next;
} Network;

typedef struct {
    Network *network;
    const float *parameters;
    float *gradients;
    vec *values, *scratch;
    int number, first, images;
    ints live;
} Block;

#define IN(offset) (block->values + (offset))
#define WEIGHTS(offset) (block->parameters + (offset))
#define GRADIENTS(offset) (block->gradients + (offset))
#define BLOCK_SUMS(first) (block->network->sums + block->number * CHANNELS + (first))
#define OF_CHANNELS(first) (block->network->channels + (first))
#define RATE(number) block->network->rates[number]

INLINE Stream stream_of(const Block *block, int layer) {
    return stream(block->network->batch.key, layer, block->first);
}

static inline void load_block(const Block *block, vec *to) {
    const Batch *batch = &block->network->batch;
    const int pixels = IMAGE.height * IMAGE.width, size = batch->are_bytes ? 1 : 4;
    const char *images[LANES];
    for (int c = 0; c < IMAGE.channels; c++) {
        for (int l = 0; l < LANES; l++) {
            /* idle lanes repeat the first image, so that they hold ordinary numbers */
            const int64_t at = block->first + (l < block->images ? l : 0);
            const int64_t row = batch->index ? batch->index[at] : at;
            images[l] = batch->images + (row * IMAGE.channels + c) * (int64_t)pixels * size;
        }
        load_images(images, to + c * IMAGE.plane, IMAGE, batch->are_bytes, batch->scale,
                    batch->offset);
    }
}

static inline void store_logits(const Block *block, const vec *logits) {
    float *to = block->network->batch.logits + (int64_t)block->first * CLASSES;
    for (int l = 0; l < block->images; l++)
        for (int c = 0; c < CLASSES; c++) to[l * CLASSES + c] = logits[c][l];
}

static inline void block_loss(const Block *block, const vec *logits, vec *gradient) {
    const Batch *batch = &block->network->batch;
    block->network->losses[block->number] =
        cross_entropy(logits, gradient, CLASSES, batch->labels + block->first, block->images,
                      batch->count, batch->smoothing, block->live);
}
