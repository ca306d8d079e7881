#include "layer/conv.h"

#include <string.h>

#include "base/thread.h"
#include "blas/gemm.h"

/* An image with its border is one run of pixels in memory, so a convolution is a product over a run of
 * positions, and a row of the unfolded matrix is `size` runs of `size` pixels. What a run computes in the
 * border columns between two rows is thrown away. */
enum { BLOCK = 512, SHARDS = 16 };

struct pass {
    struct rs_map y, x;
    const struct rs_conv *conv;
    float *partial; /* backward weights: [SHARDS][k*k*ci + 1][co], the last row for the bias */
};

static size_t weights(int size, int ci, int co)
{
    return (size_t)size * (size_t)size * (size_t)ci * (size_t)co;
}

static size_t unfolded(int size, int ci)
{
    return size == 1 ? 0 : (size_t)BLOCK * (size_t)size * (size_t)size * (size_t)ci;
}

size_t rs_conv_scratch(int size, int ci, int co)
{
    int most = ci > co ? ci : co; /* backward-data unfolds dy, and turns one set of weights */
    return (size_t)rs_threads() * unfolded(size, most) + SHARDS * (weights(size, ci, co) + (size_t)co);
}

/* Positions run from the first pixel to the last, in memory order, border columns between them included. */
static int positions(const struct rs_map *map)
{
    return map->h * (map->w + 2) - 2;
}

static int blocks(const struct rs_map *map)
{
    return (positions(map) + BLOCK - 1) / BLOCK;
}

struct block {
    int image, first, count;
};

static struct block block_of(const struct rs_map *map, int image, int index)
{
    int first = index * BLOCK, left = positions(map) - first;
    return (struct block){image, first, left < BLOCK ? left : BLOCK};
}

static float *position(const struct rs_map *map, const struct block *block)
{
    return rs_map_at(map, block->image, 0, 0) + (ptrdiff_t)block->first * map->c;
}

/* The matrix [count][size*size*ci] that turns a convolution into a product; x itself for 1x1. */
static const float *unfold(const struct rs_map *x, int size, const struct block *block, float *to)
{
    const float *from = position(x, block);
    if (size == 1)
        return from;
    ptrdiff_t row = (ptrdiff_t)(x->w + 2) * x->c;
    size_t run = 3 * (size_t)x->c;
    float *at = to;
    for (int i = 0; i < block->count; i++, from += x->c)
        for (int p = -1; p <= 1; p++, at += run)
            memcpy(at, from + p * row - x->c, run * sizeof *at);
    return to;
}

static void clear_border(const struct rs_map *y, const struct block *block)
{
    float *at = position(y, block);
    int stride = y->w + 2, column = (block->first + 1) % stride;
    for (int i = 0; i < block->count; i++, at += y->c) {
        if (column == 0 || column == stride - 1)
            memset(at, 0, (size_t)y->c * sizeof *at);
        column = column + 1 == stride ? 0 : column + 1;
    }
}

static void forward_block(void *context, int shard, int worker)
{
    const struct pass *pass = context;
    const struct rs_conv *conv = pass->conv;
    const struct rs_map *y = &pass->y, *x = &pass->x;
    int each = blocks(y), depth = conv->size * conv->size * x->c;
    struct block block = block_of(y, shard / each, shard % each);
    float *out = position(y, &block);
    const float *in =
        unfold(x, conv->size, &block, conv->scratch + (size_t)worker * unfolded(conv->size, x->c));
    for (int i = 0; conv->b && i < block.count; i++)
        memcpy(out + (size_t)i * (size_t)y->c, conv->b, (size_t)y->c * sizeof *out);
    struct rs_gemm shape = {.m = block.count, .n = y->c, .k = depth, .lda = depth, .ldb = y->c, .ldc = y->c};
    rs_gemm(&shape, in, conv->w, conv->b != NULL, out);
    clear_border(y, &block);
}

void rs_conv_forward(struct rs_map y, struct rs_map x, const struct rs_conv *conv)
{
    struct pass pass = {.y = y, .x = x, .conv = conv};
    rs_parallel(forward_block, &pass, y.n * blocks(&y));
}

/* The gradient of the data is the convolution of dy with the weights turned half around, inputs and outputs
 * swapped. */
static void turn_weights(float *to, const float *w, int size, int ci, int co)
{
    int taps = size * size;
    for (int k = 0; k < taps; k++)
        for (int c = 0; c < ci; c++)
            for (int o = 0; o < co; o++)
                to[((size_t)(taps - 1 - k) * (size_t)co + (size_t)o) * (size_t)ci + (size_t)c] = *w++;
}

void rs_conv_backward_data(struct rs_map dx, struct rs_map dy, const struct rs_conv *conv)
{
    float *turned = conv->scratch;
    struct rs_conv back = {conv->size, turned, NULL, conv->scratch + weights(conv->size, dx.c, dy.c)};
    turn_weights(turned, conv->w, conv->size, dx.c, dy.c);
    rs_conv_forward(dx, dy, &back);
}

static void add_bias_gradient(float *db, const struct rs_map *dy, int image)
{
    for (int y = 0; y < dy->h; y++) {
        const float *at = rs_map_at(dy, image, y, 0);
        for (int x = 0; x < dy->w; x++)
            for (int o = 0; o < dy->c; o++)
                db[o] += *at++;
    }
}

static void backward_shard(void *context, int shard, int worker)
{
    const struct pass *pass = context;
    const struct rs_conv *conv = pass->conv;
    const struct rs_map *dy = &pass->y, *x = &pass->x;
    int depth = conv->size * conv->size * x->c;
    size_t count = weights(conv->size, x->c, dy->c);
    float *partial = pass->partial + (size_t)shard * (count + (size_t)dy->c);
    float *scratch = conv->scratch + (size_t)worker * unfolded(conv->size, x->c);
    memset(partial, 0, (count + (size_t)dy->c) * sizeof *partial);
    for (int image = shard * x->n / SHARDS; image < (shard + 1) * x->n / SHARDS; image++) {
        for (int i = 0; i < blocks(dy); i++) {
            struct block block = block_of(dy, image, i);
            const float *in = unfold(x, conv->size, &block, scratch);
            struct rs_gemm shape = {.m = depth,
                                    .n = dy->c,
                                    .k = block.count,
                                    .ta = true,
                                    .lda = depth,
                                    .ldb = dy->c,
                                    .ldc = dy->c};
            rs_gemm(&shape, in, position(dy, &block), 1, partial);
        }
        add_bias_gradient(partial + count, dy, image);
    }
}

void rs_conv_backward_weights(float *dw, float *db, struct rs_map dy, struct rs_map x,
                              const struct rs_conv *conv)
{
    size_t count = weights(conv->size, x.c, dy.c), stride = count + (size_t)dy.c;
    struct pass pass = {.y = dy, .x = x, .conv = conv};
    pass.partial = conv->scratch + (size_t)rs_threads() * unfolded(conv->size, x.c);
    rs_parallel(backward_shard, &pass, SHARDS);
    memcpy(dw, pass.partial, count * sizeof *dw);
    for (int shard = 1; shard < SHARDS; shard++)
        for (size_t i = 0; i < count; i++)
            dw[i] += pass.partial[(size_t)shard * stride + i];
    for (int o = 0; db && o < dy.c; o++) {
        db[o] = 0;
        for (int shard = 0; shard < SHARDS; shard++)
            db[o] += pass.partial[(size_t)shard * stride + count + (size_t)o];
    }
}
