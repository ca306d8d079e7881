/* Jitter against its formula, and the deviations of what is drawn. */
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "picture/jitter.h"
#include "tap.h"

enum { PIXELS = 6, PLANES = 3 };

static const uint8_t field[PIXELS] = {255, 255, 0, 255, 255, 0};

static void fill(float x[PLANES][PIXELS])
{
    for (int p = 0; p < PLANES; p++)
        for (int i = 0; i < PIXELS; i++)
            x[p][i] = (float)(.5 * i - 1 + p);
}

/* A plane's gain and offset, from its first two pixels, which lie at p - 1 and p - .5. */
static void found_of(float x[PLANES][PIXELS], int p, double *gain, double *offset)
{
    *gain = 2 * ((double)x[p][1] - (double)x[p][0]);
    *offset = (double)x[p][0] - *gain * (p - 1);
}

static void test_line(void)
{
    const struct rs_jitter jitter = {.15, .075, 3};
    float x[PLANES][PIXELS], whole[PLANES][PIXELS];
    double worst = 0, gain, offset;
    int touched = 0;
    fill(x);
    fill(whole);
    rs_jitter_apply(&jitter, 5, x[0], PLANES, PIXELS, field);
    rs_jitter_apply(&jitter, 5, whole[0], PLANES, PIXELS, NULL);
    for (int p = 0; p < PLANES; p++) {
        found_of(x, p, &gain, &offset);
        for (int i = 0; i < PIXELS; i++) {
            double was = .5 * i - 1 + p, wanted = gain * was + offset;
            worst = fmax(worst, fabs((double)whole[p][i] - wanted));
            if (field[i])
                worst = fmax(worst, fabs((double)x[p][i] - wanted));
            else
                touched += x[p][i] != (float)was;
        }
    }
    near(worst, 0, 1e-5,
         "one line through all numbers of a plane"); /* floats of up to 4, told from two of them */
    ok(touched == 0, "outside the field of view nothing is done");
}

static void test_none(void)
{
    const struct rs_jitter none = {0, 0, 3};
    float x[PLANES][PIXELS], was[PLANES][PIXELS];
    fill(x);
    fill(was);
    rs_jitter_apply(&none, 5, x[0], PLANES, PIXELS, NULL);
    ok(!memcmp(x, was, sizeof x), "deviations of 0 change nothing");
}

/* Over many images: variances of a plane's gain and offset, and what two planes have in common. Of 20000 draws a
 * variance is known to 1 %, five times which is let pass. */
static void test_deviations(double shared, double plane)
{
    enum { IMAGES = 20000 };
    const struct rs_jitter jitter = {shared, plane, 1};
    double gains = 0, offsets = 0, common = 0, mixed = 0, mean = 0;
    for (uint64_t i = 0; i < IMAGES; i++) {
        float x[PLANES][PIXELS];
        double gain[2], offset[2];
        fill(x);
        rs_jitter_apply(&jitter, i, x[0], PLANES, PIXELS, NULL);
        for (int p = 0; p < 2; p++)
            found_of(x, p, &gain[p], &offset[p]);
        mean += (gain[0] - 1 + offset[0]) / IMAGES;
        gains += (gain[0] - 1) * (gain[0] - 1) / IMAGES;
        offsets += offset[0] * offset[0] / IMAGES;
        common += (gain[0] - 1) * (gain[1] - 1) / IMAGES;
        mixed += (gain[0] - 1) * offset[0] / IMAGES;
    }
    double variance = shared * shared + plane * plane;
    near(gains, variance, .05 * variance, "%g shared, %g by plane: the variance of the gain", shared, plane);
    near(offsets, variance, .05 * variance, "and of the offset");
    near(common, shared * shared, .05 * variance, "the planes share what they are to share");
    near(mixed, 0, .05 * variance, "gain and offset have nothing to do with each other");
    near(mean, 0, .05 * sqrt(variance), "both are as often more as less");
}

int main(void)
{
    test_line();
    test_none();
    test_deviations(.15, .075);
    test_deviations(0, .2);
    test_deviations(.3, 0);
    return done();
}
