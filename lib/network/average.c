#include "network/average.h"

#include <math.h>
#include <string.h>

void rs_average_start(struct rs_average *average, double decay, const struct rs_unet *net)
{
    *average = (struct rs_average){.decay = decay};
    if (decay == 0)
        return;
    rs_unet_build(&average->net, &net->shape);
    memcpy(average->net.parameters, net->parameters, net->parameter_count * sizeof *net->parameters);
    memcpy(average->net.statistics, net->statistics, net->statistic_count * sizeof *net->statistics);
}

void rs_average_free(struct rs_average *average)
{
    if (average->decay != 0)
        rs_unet_free(&average->net);
}

/* By the difference: where nothing moves, nothing is rounded. */
static void move(float *average, const float *values, size_t count, float share)
{
    for (size_t i = 0; i < count; i++)
        average[i] += share * (values[i] - average[i]);
}

void rs_average_step(struct rs_average *average, const struct rs_unet *net, int64_t t)
{
    if (average->decay == 0)
        return;
    double decay = fmin(average->decay, (1 + (double)t) / (10 + (double)t));
    move(average->net.parameters, net->parameters, net->parameter_count, (float)(1 - decay));
    move(average->net.statistics, net->statistics, net->statistic_count, (float)(1 - decay));
}
