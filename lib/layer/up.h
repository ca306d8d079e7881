/* Nearest-neighbour upsampling by 2, and the skip connection's concatenation of channels. */
#ifndef RS_LAYER_UP_H
#define RS_LAYER_UP_H

#include "layer/map.h"

/* y [n][2h][2w][c] from x [n][h][w][c]. */
void rs_up_forward(struct rs_map y, struct rs_map x);

/* dx: the sum of the four entries of dy that x went to. */
void rs_up_backward(struct rs_map dx, struct rs_map dy);

/* y [n][h][w][ca+cb]: the channels of a, then those of b. */
void rs_join_forward(struct rs_map y, struct rs_map a, struct rs_map b);

/* da and db: their shares of dy. */
void rs_join_backward(struct rs_map da, struct rs_map db, struct rs_map dy);

#endif
