/* Kernels: the inner loops of layers, one set of them an instruction set, from one source.
 *
 * Each set has its own bits: vectors of other widths add up in another order. Within a set, a result does not
 * depend on what part of a map it is computed with. Weights are [k][k][ci][co]; `packed` weights, sums and
 * scratch are laid out as the set likes; `*_floats` say how many floats they need. */
#ifndef RS_KERNEL_KERNEL_H
#define RS_KERNEL_KERNEL_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/map.h"

/* Packed weights with their bias, for a convolution of size x size. */
struct rs_kernel_conv {
    int size;
    const float *packed, *bias; /* bias [co rounded up to `lanes`] */
    bool relu;                  /* afterwards */
    float *scratch;
};

/* ReLU's input is (y - mean) * scale + beta, arrays [c]; then an element stays with its share of 2^16 that is not
 * below `threshold`, times `keep`. What is dropped depends on the two keys and the element's place alone. */
struct rs_kernel_act {
    const float *mean, *scale, *beta;
    unsigned threshold;
    float keep;
    uint32_t key[2];
};

/* The gradient through that: dy = scale * d - slope * (y - mean) - shift, where d is dz * keep, or 0 where ReLU or
 * dropout left nothing of y. */
struct rs_kernel_slope {
    struct rs_kernel_act act;
    const float *inverse; /* scale is gamma times this */
    const float *slope, *shift;
};

struct rs_kernel {
    const char *name;
    int lanes;

    /* w [k][co] to packed [k x co rounded up] */
    void (*pack)(float *packed, const float *w, int k, int co);
    void (*direct)(const struct rs_map *y, const struct rs_map *x, const struct rs_kernel_conv *conv);
    /* sums [k][co rounded up] += x^T dy; scratch [w][co rounded up] */
    void (*direct_gradient)(float *sums, const struct rs_map *dy, const struct rs_map *x, int size,
                            float *scratch);
    void (*direct_unpack)(float *dw, const float *sums, int k, int co);

    /* Winograd's F(4x4, 3x3) (Lavin and Gray, "Fast algorithms for convolutional neural networks", 2016, section
     * 4.3), 3x3 alone, channels in multiples of `lanes`: packed and sums [36][ci][co], scratch
     * winograd_scratch(ci, co) */
    void (*winograd_pack)(float *packed, const float *w, int ci, int co);
    void (*winograd)(const struct rs_map *y, const struct rs_map *x, const struct rs_kernel_conv *conv);
    void (*winograd_gradient)(float *sums, const struct rs_map *dy, const struct rs_map *x, float *scratch);
    void (*winograd_unpack)(float *dw, const float *sums, int ci, int co);
    size_t (*winograd_scratch)(int ci, int co);

    /* Of one row of w pixels: */
    void (*moments)(double *sum, double *squares, const struct rs_map *y, int image, int i);
    void (*act)(const struct rs_map *z, const struct rs_map *y, int image, int i,
                const struct rs_kernel_act *act);
    /* dbeta += d, dgamma += d * (y - mean) * inverse */
    void (*slopes)(double *dbeta, double *dgamma, const struct rs_map *dz, const struct rs_map *y, int image,
                   int i, const struct rs_kernel_slope *slope);
    /* dy may be dz */
    void (*norm_back)(const struct rs_map *dy, const struct rs_map *dz, const struct rs_map *y, int image,
                      int i, const struct rs_kernel_slope *slope);
    /* y's row i is the largest of x's rows 2i and 2i + 1; dx += dy where the largest was, the first of equals */
    void (*pool)(const struct rs_map *y, const struct rs_map *x, int image, int i);
    void (*pool_back)(const struct rs_map *dx, const struct rs_map *dy, const struct rs_map *x, int image,
                      int i);

    /* Of plain rows: to[x] = sum over k < taps, in this order, of weights[k] * from[k][x], for x in [0, width).
     * `to` is none of them; taps >= 1. */
    void (*combine)(float *to, int width, int taps, const float *const *from, const float *weights);
};

/* The best set for this processor, or the one that RS_KERNEL names; chosen once. */
const struct rs_kernel *rs_kernel(void);

/* "avx2": its name, or what is wrong with RS_KERNEL. */
const char *rs_kernel_name(void);

/* An error if RS_KERNEL names none that this processor can run. Call before the first rs_kernel. */
const char *rs_kernel_start(void);

#endif
