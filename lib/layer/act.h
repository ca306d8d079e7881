/* ReLU, then inverted dropout: z = 0 with probability p, else max(z, 0) / (1 - p) (Srivastava et al., 2014).
 */
#ifndef RS_LAYER_ACT_H
#define RS_LAYER_ACT_H

#include <stdint.h>

#include "layer/map.h"

/* What is dropped depends on (seed, layer, step) and the place in the map alone. p is held to 1/65536; 0 is
 * no dropout. */
struct rs_drop {
    double p; /* [0, 1) */
    uint64_t seed, layer, step;
};

void rs_act_forward(struct rs_map z, const struct rs_drop *drop); /* in place */

/* dz in place: 0 where z, forward's result, is 0 (not active, or dropped), else / (1 - p). */
void rs_act_backward(struct rs_map dz, struct rs_map z, const struct rs_drop *drop);

#endif
