/* Batch normalisation (Ioffe and Szegedy, 2015, algorithm 1), a channel at a time over all pixels of the
 * batch:
 *
 *   z = (y - mean) / sqrt(variance + 1e-5) * gamma + beta
 *
 * In training, mean and (biased) variance are the batch's; otherwise they are running averages. Per-channel
 * arrays are [c]. `sums` is scratch: rs_norm_sums doubles. */
#ifndef RS_LAYER_NORM_H
#define RS_LAYER_NORM_H

#include "layer/map.h"

struct rs_norm {
    const float *gamma, *beta;
    float *mean, *inverse; /* the mean, and 1 / sqrt(variance + 1e-5), that forward and backward use */
    double *sums;
};

size_t rs_norm_sums(const struct rs_map *y); /* doubles of scratch for a map of this shape */

/* Sets norm->mean and norm->inverse from the batch, and moves the running averages by a tenth towards it: the
 * mean, and the unbiased variance (over count - 1), as PyTorch does with momentum .1. */
void rs_norm_measure(const struct rs_norm *norm, struct rs_map y, float *running_mean,
                     float *running_variance);

/* Sets norm->mean and norm->inverse from running averages. */
void rs_norm_recall(const struct rs_norm *norm, int c, const float *running_mean,
                    const float *running_variance);

/* z may be y. */
void rs_norm_forward(struct rs_map z, struct rs_map y, const struct rs_norm *norm);

/* dy from dz, through the batch's own statistics (dy may be dz); dgamma and dbeta are overwritten. */
void rs_norm_backward(struct rs_map dy, float *dgamma, float *dbeta, struct rs_map dz, struct rs_map y,
                      const struct rs_norm *norm);

#endif
