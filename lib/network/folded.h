/* A trained U-Net as use wants it: batch norm in the weights, weights packed for the kernel. */
#ifndef RS_NETWORK_FOLDED_H
#define RS_NETWORK_FOLDED_H

#include "network/plan.h"

struct rs_folded {
    struct rs_plan plan;
    float *packed[RS_MAX_STEPS]; /* of the steps that have weights */
    struct rs_arena arena;
};

void rs_folded_make(struct rs_folded *folded, const struct rs_unet *net);
void rs_folded_free(struct rs_folded *folded);

#endif
