/* Weighted sums of rows: a filter's taps, along a row, down a column or aslant, are all rows that are shifted. */
#ifndef RS_KERNEL_COMBINE_H
#define RS_KERNEL_COMBINE_H

#include "kernel/vector.h"

enum { STRETCH = 4 }; /* vectors of sums that are held in registers */

INLINE void combine_stretch(float *to, int vectors, int taps, const float *const *from, const float *weights,
                            ptrdiff_t at)
{
    vec sums[STRETCH];
#pragma GCC unroll 4
    for (int i = 0; i < vectors; i++)
        sums[i] = weights[0] * load(from[0] + at + i * LANES);
    for (int k = 1; k < taps; k++)
#pragma GCC unroll 4
        for (int i = 0; i < vectors; i++)
            sums[i] += weights[k] * load(from[k] + at + i * LANES);
#pragma GCC unroll 4
    for (int i = 0; i < vectors; i++)
        store(to + at + i * LANES, sums[i]);
}

/* What is left over of a row is done with a vector that ends where the row does; of a short row, element by element. */
static void combine(float *to, int width, int taps, const float *const *from, const float *weights)
{
    int at = 0;
    for (; at + STRETCH * LANES <= width; at += STRETCH * LANES)
        combine_stretch(to, STRETCH, taps, from, weights, at);
    for (; at + LANES <= width; at += LANES)
        combine_stretch(to, 1, taps, from, weights, at);
    if (at < width && width >= LANES)
        combine_stretch(to, 1, taps, from, weights, width - LANES);
    for (; at < width && width < LANES; at++) {
        float sum = weights[0] * from[0][at];
        for (int k = 1; k < taps; k++)
            sum += weights[k] * from[k][at];
        to[at] = sum;
    }
}

#endif
