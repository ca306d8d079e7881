/* 2x2 max pooling, stride 2. */
#ifndef RS_LAYER_POOL_H
#define RS_LAYER_POOL_H

#include "kernel/map.h"

/* y [n][h/2][w/2][c] from x [n][h][w][c]; h and w even. */
void rs_pool_forward(struct rs_map y, struct rs_map x);

/* Adds dy to the entry of dx that was the largest of its four in x, the first in row order where several
 * were. */
void rs_pool_backward(struct rs_map dx, struct rs_map dy, struct rs_map x);

#endif
