/* Temperature scaling (Guo, Pleiss, Sun and Weinberger, ICML 2017, section 4.2), by which a network that is too sure of
 * itself, or not sure enough, says what its probabilities are worth: of a probability p, or the mean of several,
 *
 *   q = 1 / (1 + exp(-logit(p) / T)),  logit(p) = log(p / (1 - p)).
 *
 * p is first brought within what a map of 16 bits can say, since T is fitted to such maps: [RS_SURE, 1 - RS_SURE].
 * The order of probabilities stays, so do the areas under the curves, and what a threshold t of p marks, that of q marks
 * which t itself becomes. */
#ifndef RS_MEASURE_TEMPERATURE_H
#define RS_MEASURE_TEMPERATURE_H

#include "measure/histogram.h"

/* The least and the most that is fitted or read. */
#define RS_COLDEST .01
#define RS_HOTTEST 100.

/* The least probability that a map of 16 bits has: half a level (layer/probability.h). */
#define RS_SURE (.5 / 65536)

/* q of p in [0, 1] at T; p itself, to the bit, at 1. */
double rs_temper(double p, double temperature);

/* What a threshold becomes: 0, which marks all, stays; any other is one that levels of a map can be below and above.
 * NaN if either is. */
double rs_temper_threshold(double t, double temperature);

/* Mean log loss at T (measure/scores.h) of the pixels of a histogram; NaN without any. */
double rs_tempered_log_loss(const struct rs_histogram *h, double temperature);

/* The T of the lowest log loss, in [RS_COLDEST, RS_HOTTEST]: to 1e-12 of itself, as far as rounding allows. NaN without
 * both vessel and background; 1 where all p are 1/2. */
double rs_best_temperature(const struct rs_histogram *h);

#endif
