/* rs-norm -fit: what a normalisation has to learn from many images, before any is normalised. */
#ifndef RS_TASK_FIT_H
#define RS_TASK_FIT_H

#include "base/progress.h"
#include "picture/prep.h"
#include "task/covariance.h"

/* {0} at first; the prep, of a mode that is fitted, is known with the first image. */
struct rs_fit {
    struct rs_prep_sums sums;        /* dataset */
    struct rs_covariance covariance; /* zca and zca-filter */
    struct rs_image window;
    struct rs_progress progress;
};

/* Adds an image that fits `prep`: its pixels, or the patch that it is, or as many windows of the photograph as start
 * every half window, of those that lie in the field of view altogether where that is asked for. `progress`: whether a
 * terminal may show how far this is. An error if the prep makes no whitening that can be. */
const char *rs_fit_add(struct rs_fit *fit, const struct rs_prep *prep, const struct rs_image *image,
                       bool progress);

/* Learns, sets prep's constants or its whitening (rs_prep_free is due), and writes the file. */
const char *rs_fit_save(struct rs_fit *fit, struct rs_prep *prep, const char *path);

void rs_fit_free(struct rs_fit *fit);

#endif
