/* The moving average of a network against a loop in double, and the schedules of the learning rate.
 *
 * An average in float is rounded thrice a step: the difference, its share, the sum. All values below stay
 * within 1, so that a step errs by at most 4 U, and by as much more as it has erred before. */
#include <math.h>

#include "base/rng.h"
#include "network/average.h"
#include "network/schedule.h"
#include "tap.h"

static const double U = 0x1p-24;

enum { STEPS = 300, MOST = 4096 };

static struct rs_unet build(uint64_t seed)
{
    struct rs_unet_shape shape = {.inputs = 1, .levels = 2, .channels = {2, 3}};
    struct rs_unet net;
    rs_unet_build(&net, &shape);
    rs_unet_draw(&net, seed);
    return net;
}

/* A training that goes nowhere: every value anew, in [-1, 1). */
static void wander(struct rs_unet *net, struct rs_rng *rng)
{
    for (size_t i = 0; i < net->parameter_count; i++)
        net->parameters[i] = (float)(2 * rs_rng_uniform(rng) - 1);
    for (size_t i = 0; i < net->statistic_count; i++)
        net->statistics[i] = (float)(2 * rs_rng_uniform(rng) - 1);
}

/* Line by line, as the header has it. */
static void twin_step(double *a, const float *x, size_t count, double decay, int t)
{
    double d = (1. + t) / (10. + t) < decay ? (1. + t) / (10. + t) : decay;
    for (size_t i = 0; i < count; i++)
        a[i] = d * a[i] + (1 - d) * (double)x[i];
}

static void copy(double *to, const float *from, size_t count)
{
    for (size_t i = 0; i < count; i++)
        to[i] = (double)from[i];
}

static double farthest(const double *a, const float *b, size_t count)
{
    double far = 0;
    for (size_t i = 0; i < count; i++) {
        double apart = fabs(a[i] - (double)b[i]);
        if (isnan(apart))
            return apart;
        far = fmax(far, apart);
    }
    return far;
}

static void test_steps(double decay)
{
    static double parameters[MOST], statistics[MOST];
    struct rs_unet net = build(5);
    struct rs_rng rng = rs_rng_at(5, "test", 0, 0);
    struct rs_average average;
    size_t n = net.parameter_count, m = net.statistic_count;
    rs_average_start(&average, decay, &net);
    copy(parameters, net.parameters, n);
    copy(statistics, net.statistics, m);
    ok(n < MOST && farthest(parameters, average.net.parameters, n) == 0 &&
           farthest(statistics, average.net.statistics, m) == 0,
       "decay %g: it begins as the network", decay);
    for (int t = 1; t <= STEPS; t++) {
        wander(&net, &rng);
        rs_average_step(&average, &net, t);
        twin_step(parameters, net.parameters, n, decay, t);
        twin_step(statistics, net.statistics, m, decay, t);
    }
    near(farthest(parameters, average.net.parameters, n), 0, 4 * STEPS * U, "  parameters");
    near(farthest(statistics, average.net.statistics, m), 0, 4 * STEPS * U, "  statistics");
    rs_average_free(&average);
    rs_unet_free(&net);
}

/* By hand: from 0 towards 1, d = 2/11 and 3/12: 9/11, then 1 - 2/11 * 3/12 = 21/22. */
static void test_first_steps(void)
{
    struct rs_unet net = build(1);
    struct rs_average average;
    net.parameters[0] = 0;
    rs_average_start(&average, .99, &net);
    net.parameters[0] = 1;
    rs_average_step(&average, &net, 1);
    near((double)average.net.parameters[0], 9. / 11, 2 * U, "the first step leaves 2/11 of what was drawn");
    rs_average_step(&average, &net, 2);
    near((double)average.net.parameters[0], 21. / 22, 2 * U, "the second 1/22");
    rs_average_free(&average);
    rs_unet_free(&net);
}

static void test_none(void)
{
    struct rs_unet net = build(1);
    struct rs_average average;
    rs_average_start(&average, 0, &net);
    rs_average_step(&average, &net, 1);
    ok(!average.net.parameters, "without decay, no average");
    rs_average_free(&average);
    rs_unet_free(&net);
}

static double rate(enum rs_schedule_kind kind, double warmup, int64_t step, int64_t steps)
{
    struct rs_schedule schedule = {kind, .01, warmup, steps};
    return rs_schedule_rate(&schedule, step);
}

static void test_schedule(void)
{
    const double exact = 1e-17;
    for (int s = 0; s < 10; s += 3)
        near(rate(RS_CONSTANT, 0, s, 10), .01, 0, "constant, step %d", s);
    near(rate(RS_COSINE, 0, 0, 8), .01, 0, "a cosine begins at the rate");
    near(rate(RS_COSINE, 0, 4, 8), .005, exact, "  has half of it half way");
    near(rate(RS_COSINE, 0, 2, 8), .01 * (.5 + sqrt(.125)), exact, "  at a quarter 1/2 + 1/sqrt(8) of it");
    near(rate(RS_COSINE, 0, 8, 8), 0, exact, "  and would end at 0");
    for (int s = 0; s < 4; s++)
        near(rate(RS_COSINE, .4, s, 10), .002 * (s + 1), exact, "four steps of warm-up: step %d", s);
    near(rate(RS_COSINE, .4, 4, 10), .01, 0, "  then the whole rate");
    near(rate(RS_COSINE, .4, 7, 10), .005, exact, "  then a cosine over the other six");
    near(rate(RS_CONSTANT, .4, 3, 10), .008, exact, "constant: the same warm-up");
    near(rate(RS_CONSTANT, .4, 9, 10), .01, 0, "  and from then on the rate");
    near(rate(RS_COSINE, .29, 28, 100), .01 * 29 / 30, exact, "a share is rounded to whole steps: 29 of 100");
    near(rate(RS_COSINE, .29, 29, 100), .01, 0, "  and no more");
    near(rate(RS_COSINE, 1, 9, 10), .01 * 10 / 11, exact, "all of it warm-up: the rate is not reached");
}

int main(void)
{
    test_steps(.99);
    test_steps(.5);
    test_steps(.9999);
    test_first_steps();
    test_none();
    test_schedule();
    return done();
}
