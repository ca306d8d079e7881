/* The vectors of the instruction set that this file is compiled for. */
#ifndef RS_KERNEL_VECTOR_H
#define RS_KERNEL_VECTOR_H

#include <stddef.h>
#include <stdint.h>

/* A product holds MOST x 2 vectors of sums in registers, and needs three more; what is left over goes by SOME,
 * FEW and one. */
#if defined __AVX512F__
enum { LANES = 16, MOST = 12, SOME = 8, FEW = 4 };
#elif defined __AVX2__
enum { LANES = 8, MOST = 6, SOME = 4, FEW = 2 };
#elif defined __aarch64__
enum { LANES = 4, MOST = 12, SOME = 8, FEW = 4 };
#else
enum { LANES = 4, MOST = 6, SOME = 4, FEW = 2 };
#endif

#define INLINE static inline __attribute__((always_inline))

typedef float vec __attribute__((vector_size(4 * LANES)));
typedef uint32_t bits __attribute__((vector_size(4 * LANES)));
typedef double wide __attribute__((vector_size(4 * LANES))); /* half as many */

typedef vec vec_anywhere __attribute__((aligned(4), may_alias));
typedef wide wide_anywhere __attribute__((aligned(8), may_alias));

INLINE vec load(const float *from)
{
    return *(const vec_anywhere *)from;
}

INLINE void store(float *to, vec v)
{
    *(vec_anywhere *)to = v;
}

/* The first `count` lanes alone; the others are zero. */
INLINE vec load_some(const float *from, int count)
{
    vec v = {0};
    if (count >= LANES)
        return load(from);
    for (int i = 0; i < count; i++)
        v[i] = from[i];
    return v;
}

INLINE void store_some(float *to, vec v, int count)
{
    if (count >= LANES)
        store(to, v);
    for (int i = 0; count < LANES && i < count; i++)
        to[i] = v[i];
}

INLINE wide load_wide(const double *from, int count)
{
    wide v = {0};
    if (count >= LANES / 2)
        return *(const wide_anywhere *)from;
    for (int i = 0; i < count; i++)
        v[i] = from[i];
    return v;
}

INLINE void store_wide(double *to, wide v, int count)
{
    if (count >= LANES / 2)
        *(wide_anywhere *)to = v;
    for (int i = 0; count < LANES / 2 && i < count; i++)
        to[i] = v[i];
}

/* Converted whole: gcc 12 takes halves apart again and again. */
INLINE void widen(wide to[2], vec v)
{
    typedef double all __attribute__((vector_size(8 * LANES)));
    union {
        all whole;
        wide halves[2];
    } both = {__builtin_convertvector(v, all)};
    to[0] = both.halves[0];
    to[1] = both.halves[1];
}

/* As written, NaN stays NaN: a run that has broken must show it. */
INLINE vec relu(vec v)
{
    return (vec)(~(bits)(v < 0) & (bits)v);
}

#endif
