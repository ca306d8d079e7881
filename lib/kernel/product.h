/* The one inner loop of convolutions: sums of products in registers. */
#ifndef RS_KERNEL_PRODUCT_H
#define RS_KERNEL_PRODUCT_H

#include "kernel/vector.h"

/* A walk over k products: x at (i, k) is x[i * each + k * next], and w at k is the vectors at w + k * width. */
struct walk {
    const float *x, *w;
    ptrdiff_t each, next, width;
    int count;
};

/* sums[i][j] += sum over k of x(i, k) w(k)[j], i < rows, j < vectors, which are constants where this is inlined.
 * k runs upwards whatever the block, so that a sum's bits do not depend on the block that it fell in. */
INLINE void add_products(vec sums[MOST][2], int rows, int vectors, struct walk walk)
{
    for (int k = 0; k < walk.count; k++) {
        vec w[2];
#pragma GCC unroll 2
        for (int j = 0; j < vectors; j++)
            w[j] = load(walk.w + j * LANES);
#pragma GCC unroll 12
        for (int i = 0; i < rows; i++)
#pragma GCC unroll 2
            for (int j = 0; j < vectors; j++)
                sums[i][j] += walk.x[i * walk.each] * w[j];
        walk.x += walk.next;
        walk.w += walk.width;
    }
}

INLINE void clear_sums(vec sums[MOST][2], int rows, int vectors)
{
#pragma GCC unroll 12
    for (int i = 0; i < rows; i++)
#pragma GCC unroll 2
        for (int j = 0; j < vectors; j++)
            sums[i][j] = (vec){0};
}

INLINE void load_sums(vec sums[MOST][2], int rows, int vectors, const float *from, ptrdiff_t each)
{
#pragma GCC unroll 12
    for (int i = 0; i < rows; i++)
#pragma GCC unroll 2
        for (int j = 0; j < vectors; j++)
            sums[i][j] = load(from + i * each + j * LANES);
}

INLINE void store_sums(float *to, ptrdiff_t each, vec sums[MOST][2], int rows, int vectors)
{
#pragma GCC unroll 12
    for (int i = 0; i < rows; i++)
#pragma GCC unroll 2
        for (int j = 0; j < vectors; j++)
            store(to + i * each + j * LANES, sums[i][j]);
}

/* The next block of `left` rows. */
INLINE int block_of(int left)
{
    return left >= MOST ? MOST : left >= SOME ? SOME : left >= FEW ? FEW : 1;
}

/* Calls function(..., rows, vectors) with constants for the one of the eight that is wanted. */
#define WITH_BLOCK(function, rows, vectors, ...)                                                             \
    do {                                                                                                     \
        if ((vectors) == 2)                                                                                  \
            (rows) == MOST   ? function(__VA_ARGS__, MOST, 2)                                                \
            : (rows) == SOME ? function(__VA_ARGS__, SOME, 2)                                                \
            : (rows) == FEW  ? function(__VA_ARGS__, FEW, 2)                                                 \
                             : function(__VA_ARGS__, 1, 2);                                                   \
        else                                                                                                 \
            (rows) == MOST   ? function(__VA_ARGS__, MOST, 1)                                                \
            : (rows) == SOME ? function(__VA_ARGS__, SOME, 1)                                                \
            : (rows) == FEW  ? function(__VA_ARGS__, FEW, 1)                                                 \
                             : function(__VA_ARGS__, 1, 1);                                                   \
    } while (0)

/* Weights lie in panels of two vectors of output channels, the last of one where that is enough; lanes beyond
 * the last channel are zero. */
INLINE int padded(int co)
{
    return (co + LANES - 1) / LANES * LANES;
}

INLINE int panel_vectors(int co, int o)
{
    return co - o > LANES ? 2 : 1;
}

#endif
