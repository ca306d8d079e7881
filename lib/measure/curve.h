/* What a map can do at every threshold, and what its probabilities are worth. */
#ifndef RS_MEASURE_CURVE_H
#define RS_MEASURE_CURVE_H

#include "measure/histogram.h"

/* A threshold k / levels, 0 <= k <= levels, marks the pixels of level k and above; 1 marks none. The rates
 * are those of measure/scores.h, false_positive_rate being 1 - specificity; undefined, NaN. */
struct rs_curve_point {
    double threshold, false_positive_rate, sensitivity, precision;
};

struct rs_curve {
    size_t count;
    struct rs_curve_point *at; /* [count], thresholds descending; free() it */
};

/* The point of threshold 1, where no precision is defined, and one for every level that has a pixel: all that
 * any threshold can reach. Trapezoids over sensitivity by false positive rate make auc_roc, and precision
 * times the sensitivity gained, summed, auc_pr. */
struct rs_curve rs_curve_of(const struct rs_histogram *h);

/* Points of any curve, x not falling. */
struct rs_point {
    double x, y;
};

/* The area between the first point and the last by trapezoids: over the points of a ROC curve, auc_roc. */
double rs_area_of_trapezoids(const struct rs_point *at, size_t count);

/* The sum of y times the x gained since the point before, from 0: over sensitivity and precision, auc_pr. */
double rs_area_of_steps(const struct rs_point *at, size_t count);

enum { RS_ECE_BINS = 15 };

/* The pixels with lower < p < upper: no p, (2k + 1) / (2 levels), is at an edge of an odd number of bins. */
struct rs_bin {
    double lower, upper;
    uint64_t count;
    double mean, prevalence; /* mean p and share of vessel; NaN without pixels */
};

/* The reliability diagram (DeGroot and Fienberg, The Statistician 1983) in RS_ECE_BINS bins of equal width,
 * ascending. */
void rs_calibration_of(const struct rs_histogram *h, struct rs_bin bins[RS_ECE_BINS]);

/* The expected calibration error (Guo et al., ICML 2017): the mean over the pixels of `count` bins, in any
 * order, of |mean - prevalence|; NaN without pixels. */
double rs_calibration_error(const struct rs_bin *bins, int count);

#endif
