/* Runs the generated segments over a batch, and the functions that Python calls.
 *
 * A batch's blocks form groups. Threads take whole groups, whichever is next; a group's gradients
 * are summed in the order of its blocks, and the groups' in the order of the groups. So the result
 * depends neither on the number of threads nor on which of them was faster.
 *
 * The generated file defines TRAINING (segments), SEGMENTS, after_segment, before_evaluation and
 * evaluate, before this one is included.
 */
#pragma once
#include "block.h"

#ifdef _WIN32
#include <malloc.h>
#define EXPORT __declspec(dllexport)
#else
#define EXPORT __attribute__((visibility("default")))
#endif
#ifdef __linux__
#include <sys/mman.h>
#endif

#define HUGE_PAGE (2 << 20)

/* Between the gradients of two groups; they share no line of the cache. */
#define GROUP_STRIDE ((int64_t)(PARAMETERS + 31) / 16 * 16)

static void *zeros(size_t size) {
#ifdef _WIN32
    void *memory = _aligned_malloc(size + 64, 64);
#else
    const size_t page = size < HUGE_PAGE ? 64 : HUGE_PAGE; /* fewer misses in address look-up */
    size = (size + page - 1) / page * page;
    void *memory = NULL;
    if (posix_memalign(&memory, page, size ? size : page)) return NULL;
#if defined(__linux__) && defined(MADV_HUGEPAGE)
    if (page == HUGE_PAGE) madvise(memory, size, MADV_HUGEPAGE);
#endif
#endif
    if (memory) memset(memory, 0, size);
    return memory;
}

static void release(void *memory) {
#ifdef _WIN32
    _aligned_free(memory);
#else
    free(memory);
#endif
}

static int groups_of(const Network *n) { return smaller(GROUPS, n->blocks); }

static Block block_at(Network *n, int number, int group, int arena, int thread) {
    Block block = {
        .network = n,
        .parameters = n->parameters,
        .gradients = n->group_gradients + group * GROUP_STRIDE,
        .values = n->arenas + (int64_t)arena * ARENA,
        .scratch = n->scratch + (int64_t)thread * SCRATCH,
        .number = number,
        .first = number * LANES,
    };
    block.images = smaller(LANES, n->batch.count - block.first);
    for (int l = 0; l < LANES; l++) block.live[l] = l < block.images ? -1 : 0;
    return block;
}

static void train_groups(void *network, int thread) {
    Network *n = network;
    const int groups = groups_of(n);
    for (int g; (g = atomic_fetch_add(&n->next, 1)) < groups;) {
        if (n->segment == 0)
            memset(n->group_gradients + g * GROUP_STRIDE, 0, PARAMETERS * sizeof(float));
        for (int b = g * n->blocks / groups; b < (g + 1) * n->blocks / groups; b++) {
            Block block = block_at(n, b, g, KEEPS_BLOCKS ? b : thread, thread);
            TRAINING[n->segment](&block);
        }
    }
}

static void add_groups(void *network, int thread) {
    Network *n = network;
    const int groups = groups_of(n), piece = 4096;
    (void)thread;
    for (int64_t from; (from = (int64_t)atomic_fetch_add(&n->next, 1) * piece) < PARAMETERS;)
        for (int64_t i = from; i < from + piece && i < PARAMETERS; i++) {
            float sum = n->group_gradients[i];
            for (int g = 1; g < groups; g++) sum += n->group_gradients[g * GROUP_STRIDE + i];
            n->gradients[i] = sum;
        }
}

static void evaluate_blocks(void *network, int thread) {
    Network *n = network;
    for (int b; (b = atomic_fetch_add(&n->next, 1)) < n->blocks;) {
        Block block = block_at(n, b, 0, thread, thread);
        evaluate(&block);
    }
}

static void share_out(Network *n, Task task) {
    atomic_store(&n->next, 0);
    pool_run(&n->pool, task, n);
}

EXPORT void engine_close(Network *n) {
    if (!n) return;
    pool_stop(&n->pool);
    void *all_memory[] = {n->group_gradients, n->arenas, n->scratch, n->sums, n->channels,
                          n->losses};
    for (size_t i = 0; i < sizeof all_memory / sizeof *all_memory; i++) release(all_memory[i]);
    free(n);
}

/* A network for batches of up to `most_images`, or NULL where memory runs out. The buffers stay
 * the caller's. */
EXPORT Network *engine_open(int threads, int most_images, float *parameters, float *gradients,
                            float *running, int64_t *batches_tracked,
                            const double *rates) {
    Network *n = calloc(1, sizeof(Network));
    if (!n) return NULL;
    n->most = (most_images + LANES - 1) / LANES;
    n->parameters = parameters;
    n->gradients = gradients;
    n->running = running;
    n->batches_tracked = batches_tracked;
    n->rates = rates;
    if (!pool_start(&n->pool, threads)) return free(n), NULL;
    const size_t arenas = KEEPS_BLOCKS ? larger(n->most, n->pool.threads) : n->pool.threads;
    n->group_gradients = zeros(GROUPS * GROUP_STRIDE * sizeof(float));
    n->arenas = zeros(arenas * ARENA * sizeof(vec));
    n->scratch = zeros((size_t)n->pool.threads * SCRATCH * sizeof(vec));
    n->sums = zeros(((size_t)n->most * CHANNELS + 1) * sizeof(Sums));
    n->channels = zeros((CHANNELS + 1) * sizeof(Channel));
    n->losses = zeros(n->most * sizeof(double));
    if (n->group_gradients && n->arenas && n->scratch && n->sums && n->channels && n->losses)
        return n;
    engine_close(n);
    return NULL;
}

/* One step's forward and backward pass: gradients of the mean loss are written. Returns the mean
 * loss in nats. `batch.count` is at most what the network was opened for. */
EXPORT double engine_step(Network *n, const Batch *batch) {
    n->batch = *batch;
    n->batch.key = mix64(batch->key);
    n->blocks = (batch->count + LANES - 1) / LANES;
    for (n->segment = 0; n->segment < SEGMENTS; n->segment++) {
        share_out(n, train_groups);
        after_segment(n);
    }
    share_out(n, add_groups);
    double loss = 0;
    for (int b = 0; b < n->blocks; b++) loss += n->losses[b];
    return loss / batch->count;
}

/* Logits in evaluation mode, of any number of images. */
EXPORT void engine_forward(Network *n, const Batch *batch) {
    n->batch = *batch;
    n->blocks = (batch->count + LANES - 1) / LANES;
    before_evaluation(n);
    share_out(n, evaluate_blocks);
}
