/* Nearest-neighbour upsampling by 2. */
#ifndef RS_LAYER_UP_H
#define RS_LAYER_UP_H

#include "kernel/map.h"

/* y [n][2h][2w][c] from x [n][h][w][c]. */
void rs_up_forward(struct rs_map y, struct rs_map x);

/* dx: the sum of the four entries of dy that x went to. */
void rs_up_backward(struct rs_map dx, struct rs_map dy);

#endif
