#include "base/thread.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>

#include "base/error.h"

/* How often a thread that waits for others looks before it goes to sleep: some ten microseconds. Where work comes
 * in small pieces, waking up would take as long as the work. */
enum { LOOKS = 1000 };

static struct {
    pthread_mutex_t lock;
    pthread_cond_t start, done;
    int threads;
    cpu_set_t may_run; /* the CPUs of the process, before any thread was pinned */
    atomic_int looks;  /* 0 where threads have no CPU of their own */
    atomic_int busy;
    atomic_ulong round, joined; /* joined: the last before the youngest threads */
    void (*work)(void *, int, int);
    void *context;
    int shards;
    atomic_int next;
} pool = {.lock = PTHREAD_MUTEX_INITIALIZER,
          .start = PTHREAD_COND_INITIALIZER,
          .done = PTHREAD_COND_INITIALIZER,
          .threads = 1};

static void take_shards(int worker)
{
    for (;;) {
        int shard = atomic_fetch_add(&pool.next, 1);
        if (shard >= pool.shards)
            return;
        pool.work(pool.context, shard, worker);
    }
}

/* A thread of its own for every CPU stays there: left alone, two may sit on one CPU for some time. Fewer threads than
 * CPUs are left alone, or the first CPUs would get the threads of every process. */
static void pin(pthread_t thread, int number)
{
    cpu_set_t own;
    int cpu = 0;
    while (!CPU_ISSET(cpu, &pool.may_run) || number-- > 0)
        cpu++;
    CPU_ZERO(&own);
    CPU_SET(cpu, &own);
    pthread_setaffinity_np(thread, sizeof own, &own);
}

static void breathe(void)
{
#ifdef __x86_64__
    __builtin_ia32_pause();
#endif
}

static void wait_for_round(unsigned long seen)
{
    for (int look = atomic_load(&pool.looks); look > 0; look--, breathe())
        if (atomic_load(&pool.round) != seen)
            return;
    pthread_mutex_lock(&pool.lock);
    while (atomic_load(&pool.round) == seen)
        pthread_cond_wait(&pool.start, &pool.lock);
    pthread_mutex_unlock(&pool.lock);
}

static void wait_for_workers(void)
{
    for (int look = atomic_load(&pool.looks); look > 0; look--, breathe())
        if (atomic_load(&pool.busy) == 0)
            return;
    pthread_mutex_lock(&pool.lock);
    while (atomic_load(&pool.busy) > 0)
        pthread_cond_wait(&pool.done, &pool.lock);
    pthread_mutex_unlock(&pool.lock);
}

/* No round begins before all have ended the one before, so that none is missed. */
static void *worker_main(void *number)
{
    for (unsigned long seen = atomic_load(&pool.joined);; seen++) {
        wait_for_round(seen);
        take_shards((int)(intptr_t)number);
        if (atomic_fetch_sub(&pool.busy, 1) > 1)
            continue;
        pthread_mutex_lock(&pool.lock);
        pthread_cond_signal(&pool.done);
        pthread_mutex_unlock(&pool.lock);
    }
    return NULL;
}

const char *rs_threads_start(int threads)
{
    if (pool.threads > 1)
        pthread_setaffinity_np(pthread_self(), sizeof pool.may_run, &pool.may_run);
    else if (sched_getaffinity(0, sizeof pool.may_run, &pool.may_run))
        CPU_ZERO(&pool.may_run);
    int cpus = CPU_COUNT(&pool.may_run);
    threads = threads ? threads : cpus ? cpus : 1;
    atomic_store(&pool.looks, threads <= cpus ? LOOKS : 0);
    atomic_store(&pool.joined, atomic_load(&pool.round));
    for (; pool.threads < threads; pool.threads++) {
        pthread_t thread;
        int failed = pthread_create(&thread, NULL, worker_main, (void *)(intptr_t)pool.threads);
        if (failed)
            return rs_error("cannot start thread %d: %s", pool.threads + 1, strerror(failed));
        if (threads == cpus)
            pin(thread, pool.threads);
        pthread_detach(thread);
    }
    if (threads > 1 && threads == cpus)
        pin(pthread_self(), 0);
    return NULL;
}

int rs_threads(void)
{
    return pool.threads;
}

void rs_parallel(void (*work)(void *context, int shard, int worker), void *context, int shards)
{
    if (pool.threads == 1 || shards == 1) {
        for (int shard = 0; shard < shards; shard++)
            work(context, shard, 0);
        return;
    }
    pthread_mutex_lock(&pool.lock);
    pool.work = work;
    pool.context = context;
    pool.shards = shards;
    atomic_store(&pool.next, 0);
    atomic_store(&pool.busy, pool.threads - 1);
    atomic_fetch_add(&pool.round, 1);
    pthread_cond_broadcast(&pool.start);
    pthread_mutex_unlock(&pool.lock);
    take_shards(0);
    wait_for_workers();
}
