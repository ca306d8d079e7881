/* From logits to the levels of a 16-bit map. */
#ifndef RS_LAYER_PROBABILITY_H
#define RS_LAYER_PROBABILITY_H

#include <math.h>

enum { RS_LEVELS = 65536 };

/* p = 1 / (1 + exp(-logit)) */
static inline double rs_sigmoid(double logit)
{
    return 1 / (1 + exp(-logit));
}

/* min(65535, floor(65536 p)): the level q that stands for (q + 1/2) / 65536. 0 of what is no number. */
static inline int rs_level(double p)
{
    return p >= 1 ? RS_LEVELS - 1 : p > 0 ? (int)(RS_LEVELS * p) : 0;
}

#endif
