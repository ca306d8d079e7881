/* Sums of maps of one shape, pixel by pixel, and ReLU by itself. */
#ifndef RS_LAYER_SUM_H
#define RS_LAYER_SUM_H

#include <stdbool.h>

#include "kernel/map.h"

/* y = a + b, with `relu` max(a + b, 0); y may be a or b. A NaN stays one. */
void rs_sum_forward(struct rs_map y, struct rs_map a, struct rs_map b, bool relu);

/* y = x */
void rs_sum_copy(struct rs_map y, struct rs_map x);

/* d, where y = max(x, 0) is 0, becomes 0: the gradient of y that of x. */
void rs_sum_mask(struct rs_map d, struct rs_map y);

#endif
