/* Light: how far the colour of a pixel is from that of the surround, which is that of the darkest corner. It is
 * the difference in the plane where that is largest, so that the surround may be black, grey or white. */
#ifndef RS_PICTURE_LIGHT_H
#define RS_PICTURE_LIGHT_H

#include <stdbool.h>

#include "format/image.h"

/* The planes that are looked at, and what counts as light in them. */
struct rs_light {
    const struct rs_image *image; /* not owned */
    int first, planes;            /* 1 to 3 planes */
    double surround[3];           /* its colour */
    double threshold;             /* from which on there is light */
};

/* The light of a small copy, in which noise and lettering are of little weight: of the mean colour of each square
 * of `block` x `block` pixels. About 65536 in all. */
struct rs_light_copy {
    int width, height, block;
    float *light; /* [height][width]; owned: free() it */
};

/* Sets light->surround and light->threshold, which is a quarter of the median of what Otsu's method takes for the
 * lit part: the edge of the field of view is soft, and masks that people draw lie on either side of its middle.
 * `copy` is made whatever comes of it. False if all of it has one colour. */
bool rs_light_find(struct rs_light *light, struct rs_light_copy *copy);

double rs_light_at(const struct rs_light *light, int column, int row);

#endif
