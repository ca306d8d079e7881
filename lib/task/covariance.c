#include "task/covariance.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/thread.h"
#include "blas/gemm.h"

void rs_covariance_start(struct rs_covariance *sums, int size)
{
    const size_t d = (size_t)size, tile = RS_COVARIANCE_TILE;
    *sums = (struct rs_covariance){.size = size};
    sums->mean = rs_alloc(d, sizeof *sums->mean);
    sums->scatter = rs_alloc(d, d * sizeof *sums->scatter);
    sums->batch = rs_alloc(d, RS_COVARIANCE_BATCH * sizeof *sums->batch);
    sums->batch_mean = rs_alloc(d, sizeof *sums->batch_mean);
    sums->apart = rs_alloc(d, sizeof *sums->apart);
    sums->tiles = rs_alloc((size_t)rs_threads(), tile * tile * sizeof *sums->tiles);
}

static int tile_rows(const struct rs_covariance *sums, int from)
{
    return sums->size - from < RS_COVARIANCE_TILE ? sums->size - from : RS_COVARIANCE_TILE;
}

/* Tiles on and above the diagonal are numbered row by row of tiles. */
static void place(const struct rs_covariance *sums, int number, int *row, int *column)
{
    int tiles = (sums->size + RS_COVARIANCE_TILE - 1) / RS_COVARIANCE_TILE, first = 0;
    for (; number >= tiles - first; first++)
        number -= tiles - first;
    *row = first * RS_COVARIANCE_TILE;
    *column = (first + number) * RS_COVARIANCE_TILE;
}

static void add_tile(void *context, int number, int worker)
{
    struct rs_covariance *sums = context;
    int row, column, d = sums->size;
    place(sums, number, &row, &column);
    struct rs_gemm shape = {.m = tile_rows(sums, row),
                            .n = tile_rows(sums, column),
                            .k = sums->filled,
                            .ta = true,
                            .lda = d,
                            .ldb = d,
                            .ldc = RS_COVARIANCE_TILE};
    float *tile = sums->tiles + (size_t)worker * RS_COVARIANCE_TILE * RS_COVARIANCE_TILE;
    rs_gemm(&shape, sums->batch + row, sums->batch + column, 0, tile);
    double weight = (double)sums->count * sums->filled / ((double)sums->count + sums->filled);
    for (int i = 0; i < shape.m; i++) {
        double *to = sums->scatter + (size_t)(row + i) * (size_t)d + column;
        const float *from = tile + (size_t)i * RS_COVARIANCE_TILE;
        double apart = weight * sums->apart[row + i];
        for (int j = 0; j < shape.n; j++)
            to[j] += (double)from[j] + apart * sums->apart[column + j];
    }
}

/* The batch becomes deviations from its mean. */
static void center(struct rs_covariance *sums)
{
    size_t d = (size_t)sums->size;
    memset(sums->batch_mean, 0, d * sizeof *sums->batch_mean);
    for (int n = 0; n < sums->filled; n++)
        for (size_t i = 0; i < d; i++)
            sums->batch_mean[i] += (double)sums->batch[(size_t)n * d + i];
    for (size_t i = 0; i < d; i++) {
        sums->batch_mean[i] /= sums->filled;
        sums->apart[i] = sums->batch_mean[i] - sums->mean[i];
    }
    for (int n = 0; n < sums->filled; n++)
        for (size_t i = 0; i < d; i++) {
            float *x = &sums->batch[(size_t)n * d + i];
            *x = (float)((double)*x - sums->batch_mean[i]);
        }
}

static void flush(struct rs_covariance *sums)
{
    int tiles = (sums->size + RS_COVARIANCE_TILE - 1) / RS_COVARIANCE_TILE;
    center(sums);
    rs_parallel(add_tile, sums, tiles * (tiles + 1) / 2);
    double share = sums->filled / ((double)sums->count + sums->filled);
    for (int i = 0; i < sums->size; i++)
        sums->mean[i] += sums->apart[i] * share;
    sums->count += sums->filled;
    sums->filled = 0;
}

float *rs_covariance_next(struct rs_covariance *sums)
{
    return sums->batch + (size_t)sums->filled * (size_t)sums->size;
}

void rs_covariance_add(struct rs_covariance *sums)
{
    if (++sums->filled == RS_COVARIANCE_BATCH)
        flush(sums);
}

void rs_covariance_end(struct rs_covariance *sums)
{
    if (sums->filled)
        flush(sums);
}

void rs_covariance_free(struct rs_covariance *sums)
{
    free(sums->mean);
    free(sums->scatter);
    free(sums->batch);
    free(sums->batch_mean);
    free(sums->apart);
    free(sums->tiles);
    *sums = (struct rs_covariance){0};
}
