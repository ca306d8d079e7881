/* What the classical filters work on: one plane of numbers, and which of its pixels are in the field of view. */
#ifndef RS_FILTER_PLANE_H
#define RS_FILTER_PLANE_H

#include <stdint.h>

#include "format/image.h"

struct rs_plane {
    int width, height;
    float *at;       /* [height][width]; owned, as the next */
    uint8_t *inside; /* [height][width]: 1 in the field of view, else 0 */
};

/* All 0 and outside; rs_plane_free is due. */
struct rs_plane rs_plane_start(int width, int height);
void rs_plane_free(struct rs_plane *plane);

/* How dark a photograph is, from 0 to 255: 255 (1 - green / maxval), or of its one plane, the mean of each square
 * of `block` x `block` pixels. Vessels are bright in it. Inside is a square that is so as a whole, by the
 * image's field of view; all of them where it has none. */
struct rs_plane rs_plane_of(const struct rs_image *photograph, int block);

/* The value at the middle of pixel (x, y) of the photograph that the plane was made of: linear between the
 * middles of squares, and that of the nearest beyond them. */
float rs_plane_between(const struct rs_plane *plane, int block, int x, int y);

/* What is within `radius` pixels of an outside pixel, across, down or both, is outside, too. Beyond the plane's
 * edges nothing is outside. */
void rs_plane_shrink(struct rs_plane *plane, int radius);

/* `to` [height][width] becomes the mean of `from` over the inside pixels of a square of 2 radius + 1; 0 where it
 * has none. */
void rs_plane_mean(const struct rs_plane *plane, float *to, const float *from, int radius);

/* Takes from every inside pixel its surroundings' mean (over a square as above), and divides it by the geometric
 * mean of the standard deviations of the surroundings and of the whole plane. Outside becomes 0: no more and no
 * less than what is around, so that the edge of the field of view is none to a filter that comes after. */
void rs_plane_flatten(struct rs_plane *plane, int radius);

#endif
