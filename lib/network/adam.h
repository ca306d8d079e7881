/* Adam exactly as published (Kingma and Ba, 2015, algorithm 1): bias-corrected moments, epsilon outside the
 * root. */
#ifndef RS_NETWORK_ADAM_H
#define RS_NETWORK_ADAM_H

#include <stddef.h>
#include <stdint.h>

struct rs_adam {
    double lr, beta1, beta2, epsilon;
    int64_t step; /* steps taken */
    size_t count;
    float *mean, *square; /* first and second moment [count], owned */
};

void rs_adam_start(struct rs_adam *adam, size_t count); /* sets moments and step, not the rates */
void rs_adam_free(struct rs_adam *adam);

/* One step: parameters [count] moved against gradient [count]. */
void rs_adam_step(struct rs_adam *adam, float *parameters, const float *gradient);

#endif
