/* Patches: windows cut from an image, at random or on a grid, with every plane alike. */
#ifndef RS_PICTURE_PATCH_H
#define RS_PICTURE_PATCH_H

#include <stdbool.h>

#include "base/rng.h"
#include "format/image.h"

enum {
    RS_PATCH_MAX_SIZE = 8192,
    RS_PATCH_TRIES = 1000 /* places looked at for one random patch, before giving up */
};

/* `patch` becomes the window of `width` x `height` whose top left corner is at (x, y) of `image`, 0 <= x, y.
 * What hangs over the right or lower edge is 0 in every plane: black, and outside the field of view.
 * `with_fov` adds a field of view where the image has none: the part that lies in the image. `patch` starts
 * as {0} and is not `image`. */
void rs_patch_cut(struct rs_image *patch, const struct rs_image *image, int x, int y, int width, int height,
                  bool with_fov);

/* What a random patch is: a square of `size` whose truth plane sums to at least `min_vessel` and whose
 * photograph, all of its planes together, to at least `min_bright`. A sum is counted in full-white samples:
 * samples / maxval. So a white RGB patch of 64 x 64 is as bright as 12288. */
struct rs_patch_want {
    int size; /* 1..RS_PATCH_MAX_SIZE */
    double min_vessel, min_bright;
};

/* `patch` becomes the first of up to RS_PATCH_TRIES windows, uniformly placed by `rng`, that is as wanted;
 * the window lies in the image altogether. Errors: the image is smaller than the patch, has no truth though
 * min_vessel > 0, or no window was found. */
const char *rs_patch_random(struct rs_image *patch, const struct rs_image *image,
                            const struct rs_patch_want *want, struct rs_rng rng);

/* Steps through the corners (*x, *y) of the squares of `size` that cover the image: from (0, 0) by `step`
 * (1..size), row after row, each row and each column of squares ending with the first that reaches the edge.
 * False after the last. */
bool rs_patch_next(const struct rs_image *image, int size, int step, int *x, int *y);

#endif
