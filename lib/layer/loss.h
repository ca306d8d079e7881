/* Binary log loss of logits: -t log p - (1 - t) log(1 - p) with p = 1 / (1 + exp(-x)), natural logarithm.
 * On the pool's threads; not to be called within rs_parallel. */
#ifndef RS_LAYER_LOSS_H
#define RS_LAYER_LOSS_H

#include <stdint.h>

#include "kernel/map.h"

/* The truth of a batch: vessel [n][h][w] is 255 x t; only pixels with fov [n][h][w] over 127 count (NULL: all
 * do). */
struct rs_truth {
    const uint8_t *vessel, *fov;
};

struct rs_loss {
    double sum;                 /* of the log loss of the pixels that count */
    int64_t count;              /* of them */
    int64_t correct, predicted; /* where p >= .5 as t > .5; where p >= .5 */
};

/* x: logits [n][h][w][1]. */
struct rs_loss rs_loss_forward(struct rs_map x, const struct rs_truth *truth);

/* dx: the gradient of the mean loss over `count` pixels, (p - t) / count; 0 where a pixel does not count.
 * `count` > 0. */
void rs_loss_backward(struct rs_map dx, struct rs_map x, const struct rs_truth *truth, int64_t count);

#endif
