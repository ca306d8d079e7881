/* The exponential moving average of a network over the steps of its training, which does better than the network of
 * any one step while the rate is high (Polyak and Juditsky, 1992, average alike; exponentially as Tarvainen and
 * Valpola, "Mean teachers are better role models", 2017). */
#ifndef RS_NETWORK_AVERAGE_H
#define RS_NETWORK_AVERAGE_H

#include "network/unet.h"

struct rs_average {
    double decay; /* D in [0, 1); 0: no average is kept, and `net` is empty */
    struct rs_unet net;
};

/* Begins as a copy of `net`. */
void rs_average_start(struct rs_average *average, double decay, const struct rs_unet *net);
void rs_average_free(struct rs_average *average);

/* After step t = 1, 2, ... of `net`, for every parameter and every running statistic: a = d a + (1 - d) x, where
 * d = min(D, (1 + t) / (10 + t)), so that what was drawn at random is soon forgotten. Nothing if D is 0. */
void rs_average_step(struct rs_average *average, const struct rs_unet *net, int64_t t);

#endif
