/* Adam against algorithm 1 of Kingma and Ba (2015), in double and by hand.
 *
 * U is a float's rounding. A moment is rounded three times a step, and so is a quotient of moments; the
 * numbers below take steps of about lr, so that `STEPS` of them err by at most 10 STEPS U lr, and the
 * parameter that adds them up by U of its own size each time. */
#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "network/adam.h"
#include "tap.h"

static const double U = 0x1p-24, LR = 1e-3;

enum { STEPS = 8, COUNT = 5 };

static struct rs_adam start(size_t count)
{
    struct rs_adam adam = {.lr = LR, .beta1 = .9, .beta2 = .999, .epsilon = 1e-8};
    rs_adam_start(&adam, count);
    return adam;
}

/* A parameter in double. */
struct twin {
    double m, v, theta;
};

/* Algorithm 1, line by line. */
static void twin_step(struct twin *t, const struct rs_adam *adam, int step, double g)
{
    t->m = adam->beta1 * t->m + (1 - adam->beta1) * g;
    t->v = adam->beta2 * t->v + (1 - adam->beta2) * g * g;
    double m = t->m / (1 - pow(adam->beta1, step)), v = t->v / (1 - pow(adam->beta2, step));
    t->theta -= adam->lr * m / (sqrt(v) + adam->epsilon);
}

static const float gradients[STEPS][COUNT] = {
    {.5f, -2, 1e-3f, 3, 1e4f}, {.25f, -1, 0, -3, 1e4f}, {-.75f, 4, 2e-3f, 3, 0}, {.125f, 0, 0, -3, 0},
    {1, -.5f, -1e-3f, 3, 0},   {0, .25f, 5e-3f, -3, 0}, {-1, 1, 1e-4f, 3, 0},    {.5f, 8, 0, -3, 1}};

static void test_steps(struct rs_adam adam, const char *name)
{
    float theta[COUNT] = {1, -1, .5f, 0, 100};
    struct twin twin[COUNT] = {{0}};
    for (int i = 0; i < COUNT; i++)
        twin[i].theta = (double)theta[i];
    for (int step = 1; step <= STEPS; step++) {
        double far = 0;
        rs_adam_step(&adam, theta, gradients[step - 1]);
        for (int i = 0; i < COUNT; i++) {
            twin_step(&twin[i], &adam, step, (double)gradients[step - 1][i]);
            double tolerance = step * U * (10 * adam.lr + fabs(twin[i].theta));
            far = fmax(far, fabs((double)theta[i] - twin[i].theta) / tolerance);
        }
        near(far, 0, 1, "%s: step %d, in units of what rounding allows", name, step);
    }
    ok(adam.step == STEPS, "%s: steps are counted", name);
    rs_adam_free(&adam);
}

static void test_rates(void)
{
    struct rs_adam usual = start(COUNT), other = start(COUNT), none = start(COUNT);
    other.beta1 = .99;
    other.beta2 = .9;
    other.lr = .125;
    other.epsilon = 1e-2;
    none.beta1 = none.beta2 = 0;
    test_steps(usual, "usual rates");
    test_steps(other, "other rates");
    test_steps(none, "no memory");
}

/* The step that was taken from 0, in units of the learning rate. */
static double step_of(struct rs_adam *adam, float gradient)
{
    float theta = 0;
    rs_adam_step(adam, &theta, &gradient);
    return (double)theta / adam->lr;
}

/* Bias correction: m / (1 - beta1) is g and v / (1 - beta2) is g^2, so the first step is -lr g / (|g| +
 * epsilon). Without it, it would be .1 / sqrt(.001) = 3.2 times as long. */
static void test_first_step(void)
{
    const float sizes[] = {1e-4f, .03f, 1, -7, -1e6f};
    for (int i = 0; i < 5; i++) {
        struct rs_adam adam = start(1);
        double g = (double)sizes[i];
        near(step_of(&adam, sizes[i]), -g / (fabs(g) + 1e-8), 10 * U, "the first step against %g", g);
        rs_adam_free(&adam);
    }
}

/* By hand, beta1 = .9, beta2 = .999, epsilon next to nothing:
 * g = 1, -1:  m = .1, then .09 - .1 = -.01, over 1 - .81 = .19: -1/19; v is 1 both times.
 * g = 3, 0:   m = .3, then .27, over .19: 27/19; v = .009, then .008991, over .001999; the root of 8991/1999.
 * g = 2, 2:   the same step twice. */
static void test_by_hand(void)
{
    const struct {
        float first, second;
        double step;
    } cases[] = {{1, -1, 1. / 19}, {3, 0, -27. / 19 / sqrt(8991. / 1999)}, {2, 2, -1}};
    for (int i = 0; i < 3; i++) {
        struct rs_adam adam = start(1);
        step_of(&adam, cases[i].first);
        near(step_of(&adam, cases[i].second), cases[i].step, 20 * U, "%g, then %g: the second step",
             (double)cases[i].first, (double)cases[i].second);
        rs_adam_free(&adam);
    }
}

/* Epsilon stands outside the root: g / (|g| + 1e-8). Inside, sqrt(g^2 + 1e-8) would leave 1e-4 of the step at
 * g = 1e-8.
 */
static void test_epsilon(void)
{
    const struct {
        float g;
        double step;
    } cases[] = {{1e-8f, -.5}, {-3e-8f, .75}, {1e-9f, -1. / 11}, {1e-10f, -1. / 101}};
    for (int i = 0; i < 4; i++) {
        struct rs_adam adam = start(1);
        near(step_of(&adam, cases[i].g), cases[i].step, 20 * U, "the first step against a gradient of %g",
             (double)cases[i].g);
        rs_adam_free(&adam);
    }
}

static void test_zero(void)
{
    struct rs_adam adam = start(2);
    float theta[2] = {.5f, -3};
    const float none[2] = {0, 0};
    for (int i = 0; i < 3; i++)
        rs_adam_step(&adam, theta, none);
    ok(theta[0] == .5f && theta[1] == -3, "no gradient, no step");
    rs_adam_free(&adam);
    ok(!adam.mean && !adam.square, "moments are given back");
}

int main(void)
{
    test_rates();
    test_first_step();
    test_by_hand();
    test_epsilon();
    test_zero();
    return done();
}
