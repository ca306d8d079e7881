/* rs-score: maps of probability counted against their truth; task/report.h writes what comes of it.
 *
 * One image after another is counted; its histogram is kept only where the bootstrap or a threshold that
 * depends on all images needs it. */
#ifndef RS_TASK_SCORE_H
#define RS_TASK_SCORE_H

#include <stdbool.h>
#include <stdint.h>

#include "format/image.h"
#include "measure/histogram.h"

/* Which pixels count. */
struct rs_score_pixels {
    const char *text;        /* as parsed; not owned */
    bool crop, fov;          /* neither: all */
    int x, y, width, height; /* of the crop */
};

/* "fov", "image" or "crop:X,Y,W,H". */
const char *rs_score_parse_pixels(const char *text, struct rs_score_pixels *pixels);

struct rs_score_options {
    struct rs_score_pixels pixels;
    double threshold; /* in [0, 1] */
    bool best_dice;   /* instead of `threshold` that of the best Dice on the pooled pixels: an oracle */
    int64_t draws;    /* of the bootstrap; 0: none */
    uint64_t seed;
};

/* A number from 0 to 1 or "best-dice", into `options`. */
const char *rs_score_parse_threshold(const char *text, struct rs_score_options *options);

/* One stream of maps. To be read, and changed by what follows alone. */
struct rs_score {
    struct rs_score_options options;
    uint64_t images;
    struct rs_histogram one, all; /* the last image; every image */
    struct rs_packed *kept;       /* [images], or NULL where nothing waits for them; owned */
};

struct rs_score *rs_score_start(const struct rs_score_options *options);
void rs_score_free(struct rs_score *score);

/* Counts one image, whose maxval is that of all before it. Errors: no map with truth, no field of view where
 * it is asked for, a crop that does not fit, another maxval. */
const char *rs_score_add(struct rs_score *score, const struct rs_image *image);

/* Whether two images that rs_score_add has taken with these pixels can be compared: of one size, with one
 * truth, yes or no, at every pixel, and the same pixels scored. Their probabilities and maxvals may differ.
 * The error says what does not agree. */
const char *rs_score_pair(const struct rs_score_pixels *pixels, const struct rs_image *a,
                          const struct rs_image *b);

uint64_t rs_score_pixel_count(const struct rs_score *score); /* scored so far */

double rs_score_threshold(const struct rs_score *score); /* of all images so far; NaN as best Dice's */

#endif
