/* Use of a U-Net on batches of patches, groups of them on the pool's threads. */
#ifndef RS_NETWORK_EVALUATE_H
#define RS_NETWORK_EVALUATE_H

#include "network/flow.h"

enum {
    RS_GROUP = 8 /* patches a thread runs at once: enough to fill the tiles of a small patch's lowest level */
};

/* For batches of up to n patches of h x w, `group` of them at once on each thread, and on no more threads than n has
 * groups. The network is taken as it is now. */
struct rs_evaluator;
struct rs_evaluator *rs_evaluator_new(const struct rs_unet *net, int n, int h, int w, int group);
void rs_evaluator_free(struct rs_evaluator *evaluator);

/* The input map [n][h][w][inputs], to be filled. */
struct rs_map rs_evaluator_input(const struct rs_evaluator *evaluator);

/* Logits [n][h][w][1] of the first n patches, owned by `evaluator`. */
struct rs_map rs_evaluator_run(struct rs_evaluator *evaluator, int n);

#endif
