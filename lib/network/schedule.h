/* The learning rate in every step of a training. */
#ifndef RS_NETWORK_SCHEDULE_H
#define RS_NETWORK_SCHEDULE_H

#include <stdint.h>

enum rs_schedule_kind { RS_CONSTANT, RS_COSINE };

struct rs_schedule {
    enum rs_schedule_kind kind;
    double rate;   /* the highest */
    double warmup; /* share of the steps, in [0, 1] */
    int64_t steps; /* N, of the whole training */
};

/* In the step after `step` = s of N, with W = warmup N to the nearest whole number:
 *
 *   s < W             rate (s + 1) / (W + 1)                          the warm-up, linear
 *   else constant     rate
 *        cosine       rate (1 + cos(pi (s - W) / (N - W))) / 2        (Loshchilov and Hutter, SGDR, 2017, one cycle)
 */
double rs_schedule_rate(const struct rs_schedule *schedule, int64_t step);

#endif
