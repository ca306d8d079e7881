/* Resizing an image, with every plane alike: from edge to edge, pixel centres at halves.
 *
 * Planes but the field of view pass a separable filter, the one of Pillow's Image.resize. Where the image shrinks
 * the filter is widened by as much, so that every pixel has its part in the result and nothing finer than the new
 * pixels is left to alias. The photograph's is the cubic convolution of R. G. Keys ("Cubic convolution
 * interpolation for digital image processing", IEEE Trans. ASSP 29, 1981) with a = -1/2, which keeps it sharp; what
 * is over or under its samples is cut to 0..maxval. The truth's and a map's is the triangle, which has no negative
 * weights: a share of vessel stays one, its area is kept, and a probability comes from between its neighbours'.
 * The field of view is taken from the nearest pixel and is 0 or maxval. */
#ifndef RS_PICTURE_RESIZE_H
#define RS_PICTURE_RESIZE_H

#include "format/image.h"

/* A size in pixels: each side times `factor` > 0, rounded, and at least 1. An error if that is more than `most`
 * pixels in all. */
const char *rs_resize_size(const struct rs_image *image, double factor, int64_t most, int *width,
                           int *height);

/* By what an image is to be resized for its field of view to measure `diameter` pixels: the one that its plane tells,
 * or that is found in the photograph where it has none. An error if there is none. */
const char *rs_resize_factor(const struct rs_image *image, double diameter, double *factor);

/* `to` becomes `from` at that size, with the same planes and maxval; it starts as {0} and is not `from`. On the pool's
 * threads, the same samples for any number of them. Memory beside the two: that of 256 columns' worth of a row for
 * every thread. */
void rs_resize(struct rs_image *to, const struct rs_image *from, int width, int height);

#endif
