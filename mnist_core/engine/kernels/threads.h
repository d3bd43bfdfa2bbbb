/* A pool of threads that sleep until there is work.
 *
 * A thread looks for work for some microseconds before it falls asleep, because waking up takes
 * longer than most pauses within a step. It does not look any longer: beside other busy processes
 * it would take the time that the one it waits for needs. */
#pragma once
#include <stdlib.h>

typedef void (*Task)(void *argument, int thread);

#ifdef _WIN32
/* One thread: the caller's. */
typedef struct {
    int threads;
} Pool;

static int pool_start(Pool *pool, int threads) {
    (void)threads;
    pool->threads = 1;
    return 1;
}

static void pool_run(Pool *pool, Task task, void *argument) {
    (void)pool;
    task(argument, 0);
}

static void pool_stop(Pool *pool) { (void)pool; }
#else
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <time.h>

#define MOST_NANOSECONDS 60000 /* of looking before falling asleep */

typedef struct Pool Pool;

typedef struct {
    Pool *pool;
    int number;
    pthread_t id;
} Worker;

struct Pool {
    int threads;
    atomic_int open, busy, stopping; /* written with the lock held */
    atomic_uint round;
    pthread_mutex_t lock;
    pthread_cond_t start, done;
    Task task;
    void *argument;
    Worker *workers;
};

static int64_t nanoseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void relax(void) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

static int nothing_to_do(Pool *pool, unsigned seen) {
    return (pool->round == seen || !pool->open) && !pool->stopping;
}

static int others_are_busy(Pool *pool, unsigned unused) {
    (void)unused;
    return pool->busy;
}

/* Returns when there is nothing to wait for, or after a while. */
static void wait_briefly(Pool *pool, int (*must_wait)(Pool *, unsigned), unsigned seen) {
    const int64_t end = nanoseconds() + MOST_NANOSECONDS;
    while (must_wait(pool, seen) && nanoseconds() < end)
        for (int i = 0; i < 8 && must_wait(pool, seen); i++) relax();
}

static void *pool_worker(void *pointer) {
    Worker *worker = pointer;
    Pool *pool = worker->pool;
    unsigned seen = 0;
    for (;;) {
        wait_briefly(pool, nothing_to_do, seen);
        pthread_mutex_lock(&pool->lock);
        while (nothing_to_do(pool, seen)) pthread_cond_wait(&pool->start, &pool->lock);
        if (pool->stopping) break; /* with the lock held */
        seen = pool->round;
        pool->busy++;
        pthread_mutex_unlock(&pool->lock);
        pool->task(pool->argument, worker->number);
        pthread_mutex_lock(&pool->lock);
        if (!--pool->busy) pthread_cond_signal(&pool->done);
        pthread_mutex_unlock(&pool->lock);
    }
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

/* Starts the threads beside the caller's own; where the system gives fewer, it makes do. */
static int pool_start(Pool *pool, int threads) {
    pool->threads = 1;
    pool->workers = calloc(threads, sizeof(Worker));
    if (!pool->workers) return 0;
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->start, NULL);
    pthread_cond_init(&pool->done, NULL);
    sigset_t every, before; /* signals belong to the caller's threads */
    sigfillset(&every);
    pthread_sigmask(SIG_SETMASK, &every, &before);
    while (pool->threads < threads) {
        Worker *worker = pool->workers + pool->threads;
        *worker = (Worker){pool, pool->threads, 0};
        if (pthread_create(&worker->id, NULL, pool_worker, worker)) break;
        pool->threads++;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return 1;
}

/* Runs the task on the caller's thread and on those that wake up meanwhile, and returns when all
 * of them are done. The task takes pieces of work until there are none: a thread that the system
 * wakes too late, as it does beside other busy processes, is not waited for. */
static void pool_run(Pool *pool, Task task, void *argument) {
    pthread_mutex_lock(&pool->lock);
    pool->task = task;
    pool->argument = argument;
    pool->open = 1;
    pool->round++;
    if (pool->threads > 1) pthread_cond_broadcast(&pool->start);
    pthread_mutex_unlock(&pool->lock);
    task(argument, 0);
    pthread_mutex_lock(&pool->lock);
    pool->open = 0; /* who wakes up now stays away */
    pthread_mutex_unlock(&pool->lock);
    if (pool->busy) wait_briefly(pool, others_are_busy, 0);
    pthread_mutex_lock(&pool->lock);
    while (pool->busy) pthread_cond_wait(&pool->done, &pool->lock);
    pthread_mutex_unlock(&pool->lock);
}

static void pool_stop(Pool *pool) {
    if (!pool->workers) return;
    pthread_mutex_lock(&pool->lock);
    pool->stopping = 1;
    pthread_cond_broadcast(&pool->start);
    pthread_mutex_unlock(&pool->lock);
    for (int t = 1; t < pool->threads; t++) pthread_join(pool->workers[t].id, NULL);
    free(pool->workers);
    pool->workers = NULL;
}
#endif
