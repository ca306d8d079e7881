/* From a map [n][h][w] to one of twice its height and width, y [n][2h][2w][c].
 *
 *   nearest:     every pixel becomes four
 *   bilinear:    as PyTorch does with align_corners=False: y's pixels 2i and 2i + 1 of a row or a column are
 *                x[i - 1] / 4 + 3 x[i] / 4 and 3 x[i] / 4 + x[i + 1] / 4; beyond an edge, x is its last pixel
 *   transposed:  x has 4c channels [2][2][c], the four pixels that each becomes: behind a 1x1 convolution to
 *                them, this is a transposed 2x2 convolution of stride 2 */
#ifndef RS_LAYER_UP_H
#define RS_LAYER_UP_H

#include <stdbool.h>

#include "kernel/map.h"

enum rs_up { RS_UP_NEAREST, RS_UP_BILINEAR, RS_UP_TRANSPOSED };

/* Sides on which the image goes on beyond x: bilinear reads the pixels there, in x's memory. */
struct rs_up_sides {
    bool above, below, left, right;
};

void rs_up_forward(struct rs_map y, struct rs_map x, enum rs_up kind, struct rs_up_sides sides);

/* dx from dy, of whole images. */
void rs_up_backward(struct rs_map dx, struct rs_map dy, enum rs_up kind);

#endif
