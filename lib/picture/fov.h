/* The field of view of a photograph: the round part that shows retina, on a surround of one colour.
 *
 * The surround's colour is that of the darkest corner; how far a pixel's colour is from it, in the plane where
 * they differ most, is its light. The threshold is a quarter of the usual light inside, for the edge is soft, and
 * masks that people have drawn lie on either side of its middle. A circle is looked for in a small copy of the
 * photograph, where noise and labels are of little weight, and then measured in the photograph itself, along
 * rays. It may be cut off by the photograph's edges, and by horizontal and vertical lines within. */
#ifndef RS_PICTURE_FOV_H
#define RS_PICTURE_FOV_H

#include <stdbool.h>

#include "format/image.h"

enum { RS_FOV_RAYS = 720 };

struct rs_fov {
    bool found;
    double x, y, diameter; /* of the circle, in pixels; (0, 0) is the upper left corner of the image */
    int left, top, right,
        bottom; /* where it is cut off: what is inside has left <= column < right, and so on */
    float outline[RS_FOV_RAYS]; /* distance from (x, y) of the edge, clockwise from the right: a few per cent
                                     from the circle at most, where the edge has dents and tabs or is no circle */
};

/* Finds it in the photograph's planes, whatever plane of field of view the image has. Where none is found, all
 * of the image is inside: left, top, right and bottom are its edges; x, y and diameter are 0. */
void rs_fov_find(struct rs_fov *fov, const struct rs_image *image);

/* The same in the field-of-view plane, which the image must have. */
void rs_fov_measure(struct rs_fov *fov, const struct rs_image *image);

/* That of the plane where there is one, else what is found. */
void rs_fov_of(struct rs_fov *fov, const struct rs_image *image);

/* Its edge moves inwards by that share of its diameter, but for where it is cut off. */
void rs_fov_shrink(struct rs_fov *fov, double share);

/* Whether the middle of the pixel is inside. */
bool rs_fov_inside(const struct rs_fov *fov, int column, int row);

/* The image, which has none, gets `fov` as its field of view. */
void rs_fov_add(struct rs_image *image, const struct rs_fov *fov);

/* `to` becomes `from` with `fov` as its field of view, in place of one that it may have. Starts as {0}. */
void rs_fov_apply(struct rs_image *to, const struct rs_image *from, const struct rs_fov *fov);

#endif
