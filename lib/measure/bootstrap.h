/* How far figures would move with other images: the percentile bootstrap (Efron, 1979) over whole images,
 * since the pixels of one image are not independent. */
#ifndef RS_MEASURE_BOOTSTRAP_H
#define RS_MEASURE_BOOTSTRAP_H

#include "measure/scores.h"

struct rs_bootstrap {
    int levels; /* of the images' histograms */
    double threshold;
    int64_t draws;
    uint64_t seed; /* draw i is keyed (seed, "rs-score", 0, i) */
};

/* Bounds that hold the middle 95 % of each pooled figure over the draws; a draw takes `count` of the `count`
 * images with replacement. Draws in which a figure is NaN are left out of its bounds; a figure with no draw
 * left, and every figure of fewer than two images, has the bounds NaN. `lower->count` and `upper->count` are
 * those of all images. */
void rs_bootstrap(const struct rs_bootstrap *how, const struct rs_packed *images, size_t count,
                  struct rs_scores *lower, struct rs_scores *upper);

/* The quantile `share` in [0, 1] of the `values` that are not NaN, linear between neighbours (Hyndman and
 * Fan, 1996, definition 7); NaN if there is none. Sorts `values`. */
double rs_quantile(double *values, size_t count, double share);

#endif
