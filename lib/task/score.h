/* rs-score: maps of probability against their truth, as a table of tab-separated values.
 *
 * One image after another is counted; its histogram is kept only where the bootstrap or a threshold that
 * depends on all images needs it. */
#ifndef RS_TASK_SCORE_H
#define RS_TASK_SCORE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "format/image.h"

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

struct rs_score;

struct rs_score *rs_score_start(const struct rs_score_options *options);

/* Counts one image, whose maxval is that of all before it. Errors: no map with truth, no field of view where
 * it is asked for, a crop that does not fit, another maxval. */
const char *rs_score_add(struct rs_score *score, const struct rs_image *image);

/* Writes what can be written after the image just added, its row and before the first the header; nothing
 * where rows have to wait for the threshold. Errors as rs_error_write. */
const char *rs_score_write_row(const struct rs_score *score, FILE *out);

/* Writes the rows that waited, "all", and with draws "lower" and "upper". Errors as rs_error_write. */
const char *rs_score_write_end(const struct rs_score *score, FILE *out);

uint64_t rs_score_pixel_count(const struct rs_score *score); /* scored so far */

void rs_score_free(struct rs_score *score);

#endif
