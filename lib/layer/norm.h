/* Batch normalisation (Ioffe and Szegedy, 2015, algorithm 1), a channel at a time over all pixels of the batch,
 * then ReLU, then inverted dropout (Srivastava et al., 2014): 0 with probability p, else / (1 - p):
 *
 *   z = drop(max(0, (y - mean) / sqrt(variance + 1e-5) * gamma + beta))
 *
 * In training, mean and (biased) variance are the batch's. A batch is taken in parts: each part's sums are added
 * up by whoever knows the parts. All arrays of channels are [c]; sums are [2][c]. */
#ifndef RS_LAYER_NORM_H
#define RS_LAYER_NORM_H

#include <stdint.h>

#include "kernel/map.h"

struct rs_norm {
    const float *gamma, *beta;
    float *mean, *inverse, *scale; /* the mean, 1 / sqrt(variance + 1e-5), and gamma times that */
    float *slope, *shift;          /* of the gradient */
};

/* What is dropped depends on (seed, layer, step), the image's number and the place in it alone. p is held to
 * 1/65536; 0 is no dropout. */
struct rs_drop {
    double p; /* [0, 1) */
    uint64_t seed, layer, step;
};

static inline double rs_norm_pixels(const struct rs_map *y)
{
    return (double)y->n * y->h * y->w;
}

/* Adds the sums of y and of y^2. */
void rs_norm_moments(double *sums, struct rs_map y);

/* Sets mean, inverse and scale from the sums over `pixels` pixels, and moves the running averages by a tenth
 * towards them: the mean, and the unbiased variance (over pixels - 1), as PyTorch does with momentum .1. */
void rs_norm_measure(const struct rs_norm *norm, int c, const double *sums, double pixels,
                     float *running_mean, float *running_variance);

/* z from y; z may be y. `image`, here and below: the number of y's first image in the batch. */
void rs_norm_forward(struct rs_map z, struct rs_map y, const struct rs_norm *norm, const struct rs_drop *drop,
                     int image);

/* z = (y - mean) / sqrt(variance + 1e-5) * gamma + beta alone. With a beta of infinity, which all that comes to ReLU
 * passes, and no dropout, the functions below are its way back. */
void rs_norm_affine(struct rs_map z, struct rs_map y, const struct rs_norm *norm);

/* Adds the sums that are the gradients of beta and of gamma. */
void rs_norm_slopes(double *sums, struct rs_map dz, struct rs_map y, const struct rs_norm *norm,
                    const struct rs_drop *drop, int image);

/* Sets dgamma, dbeta and what rs_norm_backward needs from the sums. */
void rs_norm_gradient(const struct rs_norm *norm, int c, const double *sums, double pixels, float *dgamma,
                      float *dbeta);

/* dy from dz; dy may be dz. */
void rs_norm_backward(struct rs_map dy, struct rs_map dz, struct rs_map y, const struct rs_norm *norm,
                      const struct rs_drop *drop, int image);

/* A convolution of `co` channels (weights [k][co], no bias) and running averages to one convolution with bias [co]:
 * what evaluation runs. */
void rs_norm_fold(float *w, float *bias, int k, int co, const struct rs_norm *norm, const float *running_mean,
                  const float *running_variance);

#endif
