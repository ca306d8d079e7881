#include "picture/whiten.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"

/* So many patches go through the matrix at once, which is larger than any cache. */
enum { TOGETHER = 16, QUADS = TOGETHER / 4 };
typedef float quad __attribute__((vector_size(16)));

int rs_whitening_size(const struct rs_whitening *whitening)
{
    return whitening->planes * whitening->width * whitening->height;
}

const char *rs_whitening_check(const struct rs_whitening *whitening)
{
    int64_t planes = whitening->planes, width = whitening->width, height = whitening->height;
    if (planes < 1 || width < 1 || height < 1 || width > RS_WHITENING_MOST || height > RS_WHITENING_MOST ||
        planes * width * height > RS_WHITENING_MOST)
        return rs_error("%jd x %jd of %jd planes are more than the %d numbers that are whitened at once",
                        (intmax_t)width, (intmax_t)height, (intmax_t)planes, RS_WHITENING_MOST);
    if (whitening->rank < 0 || whitening->rank >= planes * width * height)
        return rs_error("a rank of %d, where there are %jd numbers", whitening->rank,
                        (intmax_t)(planes * width * height));
    if (whitening->filter && (whitening->rank || width % 2 == 0 || height % 2 == 0))
        return rs_error("a filter of %jd x %jd, rank %d: it is odd, and of full rank", (intmax_t)width,
                        (intmax_t)height, whitening->rank);
    return NULL;
}

int rs_whitening_list(const struct rs_whitening *w, struct rs_whitening_array list[RS_WHITENING_ARRAYS])
{
    int64_t d = rs_whitening_size(w), rank = w->rank, means = w->filter ? w->planes : d;
    struct rs_whitening_array *to = list;
    *to++ = (struct rs_whitening_array){"whitening.mean", 1, {means}, 0, w->mean};
    if (w->filter)
        *to++ = (struct rs_whitening_array){
            "whitening.filter", 4, {w->planes, w->planes, w->height, w->width}, 0, w->matrix};
    else if (!rank)
        *to++ = (struct rs_whitening_array){"whitening.matrix", 2, {d, d}, 0, w->matrix};
    else {
        *to++ = (struct rs_whitening_array){"whitening.vectors", 2, {rank, d}, 0, w->vectors};
        *to++ = (struct rs_whitening_array){"whitening.scales", 1, {rank}, 0, w->scales};
        *to++ = (struct rs_whitening_array){"whitening.tail", 1, {1}, 0, w->tail};
    }
    for (struct rs_whitening_array *array = list; array < to; array++) {
        array->count = 1;
        for (int i = 0; i < array->rank; i++)
            array->count *= (size_t)array->shape[i];
    }
    return (int)(to - list);
}

void rs_whitening_reserve(struct rs_whitening *w)
{
    size_t d = (size_t)rs_whitening_size(w), rank = (size_t)w->rank, planes = (size_t)w->planes;
    w->mean = rs_alloc(w->filter ? planes : d, sizeof *w->mean);
    if (!rank) {
        w->matrix = rs_alloc(w->filter ? planes : d, d * sizeof *w->matrix);
        return;
    }
    w->vectors = rs_alloc(rank, d * sizeof *w->vectors);
    w->across = rs_alloc(d, rank * sizeof *w->across);
    w->scales = rs_alloc(rank, sizeof *w->scales);
    w->tail = rs_alloc(1, sizeof *w->tail);
}

const char *rs_whitening_finish(struct rs_whitening *w)
{
    struct rs_whitening_array list[RS_WHITENING_ARRAYS];
    int arrays = rs_whitening_list(w, list);
    for (int a = 0; a < arrays; a++)
        for (size_t i = 0; i < list[a].count; i++)
            if (!isfinite(list[a].values[i]))
                return rs_error("array '%s' has a value that is not finite", list[a].name);
    for (int k = 0; k < w->rank; k++)
        if (w->scales[k] <= 0 || *w->tail <= 0)
            return rs_error("array 'whitening.%s' has a value that is not above 0",
                            *w->tail <= 0 ? "tail" : "scales");
    size_t d = (size_t)rs_whitening_size(w), rank = (size_t)w->rank;
    for (size_t k = 0; k < rank; k++)
        for (size_t i = 0; i < d; i++)
            w->across[i * rank + k] = w->vectors[k * d + i];
    return NULL;
}

void rs_whitening_free(struct rs_whitening *w)
{
    free(w->mean);
    free(w->matrix);
    free(w->vectors);
    free(w->across);
    free(w->scales);
    free(w->tail);
    *w = (struct rs_whitening){0};
}

/* y [rows] = matrix [rows][columns] x [columns], of TOGETHER vectors side by side. */
static void multiply(quad (*y)[QUADS], const float *matrix, const quad (*x)[QUADS], int rows, int columns)
{
    for (int row = 0; row < rows; row++) {
        quad sum[QUADS] = {{0}};
        for (int i = 0; i < columns; i++)
            for (int k = 0; k < QUADS; k++)
                sum[k] += matrix[i] * x[i][k];
        memcpy(y[row], sum, sizeof sum);
        matrix += columns;
    }
}

/* y = tail x + V (s - tail) V^T x; between [rank] */
static void multiply_truncated(const struct rs_whitening *w, quad (*y)[QUADS], quad (*between)[QUADS],
                               const quad (*x)[QUADS])
{
    int d = rs_whitening_size(w);
    multiply(between, w->vectors, x, w->rank, d);
    for (int r = 0; r < w->rank; r++)
        for (int k = 0; k < QUADS; k++)
            between[r][k] *= w->scales[r] - *w->tail;
    multiply(y, w->across, (const quad(*)[QUADS])between, d, w->rank);
    for (int i = 0; i < d; i++)
        for (int k = 0; k < QUADS; k++)
            y[i][k] += *w->tail * x[i][k];
}

void rs_whiten(const struct rs_whitening *w, float *x, int count)
{
    int d = rs_whitening_size(w);
    quad(*from)[QUADS] = rs_alloc(2 * (size_t)d + (size_t)w->rank, sizeof *from);
    quad(*to)[QUADS] = from + d, (*between)[QUADS] = to + d;
    for (int done = 0; done < count; done += TOGETHER) {
        int n = count - done < TOGETHER ? count - done : TOGETHER;
        float *patches = x + (size_t)done * (size_t)d;
        for (int k = 0; k < n; k++)
            for (int i = 0; i < d; i++)
                from[i][k / 4][k % 4] = patches[(size_t)k * (size_t)d + (size_t)i] - w->mean[i];
        if (w->rank)
            multiply_truncated(w, to, between, (const quad(*)[QUADS])from);
        else
            multiply(to, w->matrix, (const quad(*)[QUADS])from, d, d);
        for (int k = 0; k < n; k++)
            for (int i = 0; i < d; i++)
                patches[(size_t)k * (size_t)d + (size_t)i] = to[i][k / 4][k % 4];
    }
    free(from);
}

/* One row of one plane from the window's rows of all planes. */
static void filter_row(const struct rs_whitening *w, float *restrict y, const float *taps, const float *x,
                       int width, size_t plane)
{
    int wide = width + w->width - 1;
    memset(y, 0, (size_t)width * sizeof *y);
    for (int c = 0; c < w->planes; c++)
        for (int row = 0; row < w->height; row++)
            for (int column = 0; column < w->width; column++) {
                const float tap = *taps++, *restrict from =
                                               x + c * plane + (size_t)row * (size_t)wide + column;
                for (int j = 0; j < width; j++)
                    y[j] += tap * from[j];
            }
}

void rs_whiten_filter(const struct rs_whitening *w, float *y, const float *x, int width, int height)
{
    size_t d = (size_t)rs_whitening_size(w), wide = (size_t)(width + w->width - 1);
    for (int plane = 0; plane < w->planes; plane++)
        for (int row = 0; row < height; row++, y += width)
            filter_row(w, y, w->matrix + (size_t)plane * d, x + (size_t)row * wide, width,
                       wide * (size_t)(height + w->height - 1));
}
