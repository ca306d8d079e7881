/* A trained U-Net as use wants it: batch norm in the weights, weights packed for the kernel. */
#ifndef RS_NETWORK_FOLDED_H
#define RS_NETWORK_FOLDED_H

#include "layer/conv.h"
#include "network/unet.h"

struct rs_folded_conv {
    struct rs_conv conv;
    float *packed;
};

/* Level l stands at [l - 1], as in rs_unet_plan. */
struct rs_folded {
    struct rs_unet_shape shape;
    struct rs_folded_conv enc[RS_MAX_LEVELS][2], dec[RS_MAX_LEVELS][2], up[RS_MAX_LEVELS], head;
    struct rs_arena arena;
};

void rs_folded_make(struct rs_folded *folded, const struct rs_unet *net);
void rs_folded_free(struct rs_folded *folded);

#endif
