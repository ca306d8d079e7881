/* Direct convolution of any shape: a block of pixels times a panel of output channels in registers. */
#ifndef RS_KERNEL_DIRECT_H
#define RS_KERNEL_DIRECT_H

#include <stdbool.h>
#include <string.h>

#include "kernel/kernel.h"
#include "kernel/product.h"

/* From w [k][co] to panels, each [k][its width]; panel o begins at o * k. */
static void pack(float *packed, const float *w, int k, int co)
{
    for (int o = 0; o < co; o += 2 * LANES) {
        int width = panel_vectors(co, o) * LANES, used = co - o < width ? co - o : width;
        for (int i = 0; i < k; i++, packed += width) {
            memset(packed, 0, (size_t)width * sizeof *packed);
            memcpy(packed, w + (ptrdiff_t)i * co + o, (size_t)used * sizeof *packed);
        }
    }
}

/* Where inputs of neighbouring taps lie one behind the other, a row of taps is one run of products. */
struct runs {
    int rows, each, count; /* rows of taps, runs in a row, products in a run */
};

INLINE struct runs runs_of(const struct rs_map *x, int size)
{
    return x->pixel == x->c ? (struct runs){size, 1, size * x->c} : (struct runs){size, size, x->c};
}

struct direct {
    const struct rs_map *y, *x;
    const struct rs_kernel_conv *conv;
    struct runs runs;
};

INLINE void direct_block(const struct direct *d, int image, int i, int j, int o, int rows, int vectors)
{
    vec sums[MOST][2];
    const struct rs_map *y = d->y, *x = d->x;
    int reach = d->runs.rows / 2, width = vectors * LANES;
    const float *w = d->conv->packed + (ptrdiff_t)o * d->conv->size * d->conv->size * x->c;
    clear_sums(sums, rows, vectors);
    for (int p = 0; p < d->runs.rows; p++) {
        const float *from = rs_map_at(x, image, i + p - reach, j - reach);
        for (int q = 0; q < d->runs.each; q++, from += x->pixel, w += d->runs.count * width)
            add_products(sums, rows, vectors, (struct walk){from, w, x->pixel, 1, width, d->runs.count});
    }
    for (int r = 0; r < rows && j + r < y->w; r++)
        for (int v = 0; v < vectors; v++) {
            int at = o + v * LANES, left = y->c - at;
            float *to = rs_map_at(y, image, i, j + r) + at;
            vec sum = sums[r][v] + load(d->conv->bias + at);
            store_some(to, d->conv->relu ? relu(sum) : sum, left);
        }
}

static void direct_row(const struct direct *d, int image, int i, int o)
{
    int vectors = panel_vectors(d->y->c, o), end = (d->y->w + RS_TILE - 1) / RS_TILE * RS_TILE;
    for (int j = 0, rows; j < d->y->w; j += rows) {
        rows = block_of(end - j);
        WITH_BLOCK(direct_block, rows, vectors, d, image, i, j, o);
    }
}

static void direct(const struct rs_map *y, const struct rs_map *x, const struct rs_kernel_conv *conv)
{
    struct direct d = {y, x, conv, runs_of(x, conv->size)};
    for (int image = 0; image < y->n; image++)
        for (int o = 0; o < y->c; o += 2 * LANES)
            for (int i = 0; i < y->h; i++)
                direct_row(&d, image, i, o);
}

/* The gradient of weights: for every row of dy, sums [k][padded co] += x^T dy. */
struct gradient {
    float *sums;
    const float *dy, *x; /* of a row: dy [w][dy_pixel], x at the first tap */
    ptrdiff_t dy_pixel, x_pixel, stride;
    int w;
};

INLINE void gradient_block(const struct gradient *g, int k, int o, int rows, int vectors)
{
    vec sums[MOST][2];
    float *at = g->sums + k * g->stride + o;
    load_sums(sums, rows, vectors, at, g->stride);
    add_products(sums, rows, vectors, (struct walk){g->x + k, g->dy + o, 1, g->x_pixel, g->dy_pixel, g->w});
    store_sums(at, g->stride, sums, rows, vectors);
}

static void gradient_run(const struct gradient *g, int count, int co)
{
    for (int o = 0; o < co; o += 2 * LANES) {
        int vectors = panel_vectors(co, o);
        for (int k = 0, rows; k < count; k += rows) {
            rows = block_of(count - k);
            WITH_BLOCK(gradient_block, rows, vectors, g, k, o);
        }
    }
}

static void pad_row(float *to, const struct rs_map *dy, int image, int i, int width)
{
    for (int j = 0; j < dy->w; j++, to += width)
        memcpy(to, rs_map_at(dy, image, i, j), (size_t)dy->c * sizeof *to);
}

/* scratch [w][padded co], zero behind co */
static void direct_gradient(float *sums, const struct rs_map *dy, const struct rs_map *x, int size,
                            float *scratch)
{
    int width = padded(dy->c), reach = size / 2;
    struct runs runs = runs_of(x, size);
    struct gradient g = {.dy_pixel = dy->pixel, .x_pixel = x->pixel, .stride = width, .w = dy->w};
    if (width != dy->c) {
        memset(scratch, 0, (size_t)dy->w * (size_t)width * sizeof *scratch);
        g.dy_pixel = width;
    }
    for (int image = 0; image < dy->n; image++)
        for (int i = 0; i < dy->h; i++) {
            g.dy = rs_map_at(dy, image, i, 0);
            if (width != dy->c) {
                pad_row(scratch, dy, image, i, width);
                g.dy = scratch;
            }
            g.sums = sums;
            for (int p = 0; p < runs.rows; p++) {
                g.x = rs_map_at(x, image, i + p - reach, -reach);
                for (int q = 0; q < runs.each; q++, g.x += x->pixel, g.sums += runs.count * g.stride)
                    gradient_run(&g, runs.count, dy->c);
            }
        }
}

/* dw [k][co] from sums [k][padded co] */
static void direct_unpack(float *dw, const float *sums, int k, int co)
{
    for (int i = 0; i < k; i++, dw += co, sums += padded(co))
        memcpy(dw, sums, (size_t)co * sizeof *dw);
}

#endif
