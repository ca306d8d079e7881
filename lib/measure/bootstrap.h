/* How far figures would move with other images: the percentile bootstrap (Efron, 1979) over whole images,
 * since the pixels of one image are not independent. */
#ifndef RS_MEASURE_BOOTSTRAP_H
#define RS_MEASURE_BOOTSTRAP_H

#include "measure/scores.h"

struct rs_bootstrap {
    size_t images; /* a draw takes as many, with replacement */
    int64_t draws;
    uint64_t seed; /* draw i is keyed (seed, "rs-score", 0, i): the same images of any stream of as many */
};

/* One stream of maps. */
struct rs_maps {
    int levels; /* of the images' histograms */
    double threshold;
    const struct rs_packed *images; /* [images of the bootstrap] */
};

/* Bounds that hold the middle 95 % of each pooled figure over the draws. Draws in which a figure is NaN are
 * left out of its bounds; a figure with no draw left, and every figure of fewer than two images, has the
 * bounds NaN. `lower->count` and `upper->count` are those of all images. */
void rs_bootstrap(const struct rs_bootstrap *how, const struct rs_maps *maps, struct rs_scores *lower,
                  struct rs_scores *upper);

/* Of a figure of one stream minus that of another. */
struct rs_difference {
    double lower, upper; /* hold the middle 95 % of the draws */
    double p;            /* rs_two_sided_p of the draws */
};

/* The paired bootstrap: every draw takes the same images of both streams, image i of which must be maps of
 * one photograph. NaN as above. */
void rs_bootstrap_paired(const struct rs_bootstrap *how, const struct rs_maps *first,
                         const struct rs_maps *second, struct rs_difference differences[RS_FIGURES]);

/* The quantile `share` in [0, 1] of the `values` that are not NaN, linear between neighbours (Hyndman and
 * Fan, 1996, definition 7); NaN if there is none. Sorts `values`. */
double rs_quantile(double *values, size_t count, double share);

/* The two-sided p of 0 among values drawn around a difference: twice (k + 1) / (N + 1), at most 1, where of
 * the N values that are not NaN k are at or below 0, or at or above it, whichever are fewer (with the
 * correction of Davison and Hinkley, "Bootstrap Methods and their Application", 1997, 4.2); NaN if there is
 * none. */
double rs_two_sided_p(const double *values, size_t count);

#endif
