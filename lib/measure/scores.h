/* How well a map of probabilities agrees with the truth: the figures of rs-score(1).
 *
 * n pixels, y = 1 for vessel and 0 for background, p as in measure/histogram.h. At a threshold t a pixel is
 * marked where p >= t; TP and FP count the marked pixels that are vessel and background, FN and TN the
 * others. A figure that the data leave undefined (a division by 0) is NaN. */
#ifndef RS_MEASURE_SCORES_H
#define RS_MEASURE_SCORES_H

#include "measure/histogram.h"

enum { RS_FIGURES = 15 };

struct rs_scores {
    uint64_t count; /* n */
    union {
        struct {
            double prevalence; /* share of vessel */
            /* Chance that the vessel pixel of a random pair of vessel and background has the higher p, ties
             * as 1/2 (Hanley and McNeil, Radiology 1982); exact. NaN without both kinds. */
            double auc_roc;
            /* Average precision: the precision at every distinct p, weighted by the sensitivity gained there.
             * NaN without vessel. */
            double auc_pr;
            double log_loss; /* mean of -log p (vessel) and -log(1 - p) (background), natural logarithm */
            double brier;    /* mean of (p - y)^2 (Brier, 1950) */
            /* Expected calibration error (Guo et al., ICML 2017): the mean over pixels of |mean p - mean y|
             * in the pixel's bin of measure/curve.h. */
            double ece;
            double threshold;    /* t */
            double accuracy;     /* (TP + TN) / n */
            double balanced_acc; /* (sensitivity + specificity) / 2 */
            double sensitivity;  /* TP / (TP + FN) */
            double specificity;  /* TN / (TN + FP) */
            double precision;    /* TP / (TP + FP) */
            double dice;         /* 2 TP / (2 TP + FP + FN), also called F1 */
            double iou;          /* TP / (TP + FP + FN), Jaccard's index */
            double mcc;          /* (TP TN - FP FN) / sqrt((TP+FP)(TP+FN)(TN+FP)(TN+FN)) (Matthews, 1975) */
        };
        double figures[RS_FIGURES]; /* the same, in this order */
    };
};

extern const char *const rs_figure_names[RS_FIGURES];

/* All figures. With a threshold of NaN those behind it are NaN. */
struct rs_scores rs_scores_of(const struct rs_histogram *h, double threshold);

/* The threshold of the best Dice: some k / levels, 0 <= k < levels, the smallest of equals. NaN without
 * vessel. */
double rs_best_dice_threshold(const struct rs_histogram *h);

#endif
