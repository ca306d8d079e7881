/* peak THREADS: how many GFLOP/s (f32, a fused multiply-add counting two) so many threads reach at once when
 * nothing is in the way: the sums stay in registers, and there are enough of them to hide the latency. Built once
 * for each instruction set; status 3 where this processor lacks it. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#if defined __AVX512F__
enum { VECTOR = 64 };
#define NEEDED __builtin_cpu_supports("avx512f")
#elif defined __FMA__
enum { VECTOR = 32 };
#define NEEDED (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
#else
enum { VECTOR = 16 };
#define NEEDED 1
#endif

typedef float vector __attribute__((vector_size(VECTOR)));
enum { SUMS = 12, ROUNDS = 1 << 20, MAX_THREADS = 1024 };
static const double seconds = .3;

struct worker {
    pthread_t thread;
    pthread_barrier_t *start;
    double gflops;
};

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* x -> x / 2 + 1/2 stays finite, whatever x is, and cannot be computed beforehand. */
static void burn(vector sums[SUMS])
{
    vector half = {0};
    half += .5f;
    for (int round = 0; round < ROUNDS; round++)
#pragma GCC unroll 12
        for (int i = 0; i < SUMS; i++)
            sums[i] = sums[i] * half + half;
}

static void *work(void *context)
{
    struct worker *worker = context;
    vector sums[SUMS] = {{0}};
    volatile float kept;
    long runs = 0;
    pthread_barrier_wait(worker->start);
    double begun = now(), spent;
    do {
        burn(sums);
        runs++;
        spent = now() - begun;
    } while (spent < seconds);
    for (int i = 0; i < SUMS; i++)
        kept = sums[i][0];
    (void)kept;
    worker->gflops = 1e-9 * 2 * SUMS * VECTOR / sizeof(float) * ROUNDS * (double)runs / spent;
    return NULL;
}

int main(int argc, char **argv)
{
    static struct worker workers[MAX_THREADS];
    pthread_barrier_t start;
    int threads = argc == 2 ? atoi(argv[1]) : 0;
    if (threads < 1 || threads > MAX_THREADS) {
        fputs("usage: peak THREADS\n", stderr);
        return 2;
    }
    if (!NEEDED)
        return 3;
    pthread_barrier_init(&start, NULL, (unsigned)threads);
    double total = 0;
    for (int i = 0; i < threads; i++) {
        workers[i].start = &start;
        if (pthread_create(&workers[i].thread, NULL, work, &workers[i])) {
            fputs("peak: no more threads\n", stderr);
            return 1;
        }
    }
    for (int i = 0; i < threads; i++) {
        pthread_join(workers[i].thread, NULL);
        total += workers[i].gflops;
    }
    printf("%.1f\n", total);
    return fflush(stdout) ? 1 : 0;
}
