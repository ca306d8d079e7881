/* Patches: windows cut at random or on a grid, with every plane alike. Where they lie is found here for images and
 * for normalised samples (picture/crop.h); images are cut here. */
#ifndef RS_PICTURE_PATCH_H
#define RS_PICTURE_PATCH_H

#include <stdbool.h>

#include "base/rng.h"
#include "format/image.h"

enum {
    RS_PATCH_MAX_SIZE = 8192,
    RS_PATCH_TRIES = 1000 /* places looked at for one random patch, before giving up */
};

/* `patch` becomes the window of `width` x `height` whose top left corner is at (x, y) of `image`.
 * What hangs over an edge is 0 in every plane: black, and outside the field of view.
 * It is marked as a patch. `with_fov` adds a field of view where the image has none: the part that lies in the image. `patch` starts
 * as {0} and is not `image`. */
void rs_patch_cut(struct rs_image *patch, const struct rs_image *image, int x, int y, int width, int height,
                  bool with_fov);

/* What a random patch is: a square of `size` whose truth plane sums to at least `min_vessel` and whose
 * photograph, all of its planes together, to at least `min_bright`. A sum is counted in full-white samples:
 * samples / maxval. So a white RGB patch of 64 x 64 is as bright as 12288. */
struct rs_patch_want {
    int size; /* 1..RS_PATCH_MAX_SIZE */
    double min_vessel, min_bright;
    bool in_fov; /* lies in the box around the field of view */
};

/* What patches are cut from: an image, or a normalised sample of the same size. */
struct rs_patch_ground {
    const void *of; /* it; not owned */
    int width, height;
    struct rs_patch_box {
        int left, top, right, bottom; /* right and bottom are behind the last pixel */
    } box;                            /* in which random patches lie */
    struct rs_patch_sums {
        double bright, vessel;
    } (*sums)(const void *of, int x, int y, int size); /* of a square; white is 1 */
};

/* Widens a box, {width, height, 0, 0} at first, to hold a pixel. */
void rs_patch_box_add(struct rs_patch_box *box, int x, int y);

/* An error if what is wanted cannot be told without the truth or the field of view, but it is not there. */
const char *rs_patch_lacks(const struct rs_patch_want *want, bool has_vessel, bool has_fov);

/* The ground that an image is. Errors: patches are wanted in a field of view that it has not; it has no truth
 * though min_vessel > 0. */
const char *rs_patch_ground(struct rs_patch_ground *ground, const struct rs_image *image,
                            const struct rs_patch_want *want);

/* (*x, *y) becomes the corner of the first of up to RS_PATCH_TRIES squares, uniformly placed by `rng` in the
 * ground's box, that is as wanted. Errors: the box is smaller than the square, or none was found. */
const char *rs_patch_place(const struct rs_patch_ground *ground, const struct rs_patch_want *want,
                           struct rs_rng rng, int *x, int *y);

/* Steps through the corners (*x, *y) of the squares of `size` that cover the ground: from (0, 0) by `step`
 * (1..size), row after row, each row and each column of squares ending with the first that reaches the edge.
 * False after the last. */
bool rs_patch_next(const struct rs_patch_ground *ground, int size, int step, int *x, int *y);

#endif
