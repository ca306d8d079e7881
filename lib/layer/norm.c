#include "layer/norm.h"

#include <math.h>

#include "base/rng.h"
#include "kernel/kernel.h"

static const double EPSILON = 1e-5, MOMENTUM = .1;

enum { SHARES = 65536 };

static unsigned dropped(const struct rs_drop *drop)
{
    return (unsigned)(drop->p * SHARES + .5);
}

static float keep_of(const struct rs_drop *drop)
{
    return (float)SHARES / (float)(SHARES - dropped(drop));
}

void rs_norm_moments(double *sums, struct rs_map y)
{
    for (int row = 0; row < y.n * y.h; row++)
        rs_kernel()->moments(sums, sums + y.c, &y, row / y.h, row % y.h);
}

void rs_norm_measure(const struct rs_norm *norm, int c, const double *sums, double pixels,
                     float *running_mean, float *running_variance)
{
    for (int k = 0; k < c; k++) {
        double mean = sums[k] / pixels, variance = fmax(sums[c + k] / pixels - mean * mean, 0);
        double unbiased = pixels > 1 ? variance * pixels / (pixels - 1) : variance;
        norm->mean[k] = (float)mean;
        norm->inverse[k] = (float)(1 / sqrt(variance + EPSILON));
        norm->scale[k] = norm->inverse[k] * norm->gamma[k];
        running_mean[k] = (float)((1 - MOMENTUM) * (double)running_mean[k] + MOMENTUM * mean);
        running_variance[k] = (float)((1 - MOMENTUM) * (double)running_variance[k] + MOMENTUM * unbiased);
    }
}

/* Of the image of that number in its batch. */
static struct rs_kernel_act act_of(const struct rs_norm *norm, const struct rs_drop *drop, int image)
{
    struct rs_rng rng = rs_rng_at(drop->seed, "dropout", drop->step << 8 | drop->layer, (uint64_t)image);
    uint64_t key = rs_rng_next(&rng);
    return (struct rs_kernel_act){norm->mean,    norm->scale,   norm->beta,
                                  dropped(drop), keep_of(drop), {(uint32_t)key, (uint32_t)(key >> 32)}};
}

static struct rs_kernel_slope slope_of(const struct rs_norm *norm, const struct rs_drop *drop, int image)
{
    return (struct rs_kernel_slope){act_of(norm, drop, image), norm->inverse, norm->slope, norm->shift};
}

void rs_norm_forward(struct rs_map z, struct rs_map y, const struct rs_norm *norm, const struct rs_drop *drop,
                     int image)
{
    for (int n = 0; n < y.n; n++) {
        struct rs_kernel_act act = act_of(norm, drop, image + n);
        for (int i = 0; i < y.h; i++)
            rs_kernel()->act(&z, &y, n, i, &act);
    }
}

void rs_norm_affine(struct rs_map z, struct rs_map y, const struct rs_norm *norm)
{
    for (int row = 0; row < y.n * y.h; row++) {
        float *to = rs_map_at(&z, row / y.h, row % y.h, 0);
        const float *from = rs_map_at(&y, row / y.h, row % y.h, 0);
        for (int j = 0; j < y.w; j++, to += z.pixel, from += y.pixel)
            for (int k = 0; k < y.c; k++)
                to[k] = (from[k] - norm->mean[k]) * norm->scale[k] + norm->beta[k];
    }
}

void rs_norm_slopes(double *sums, struct rs_map dz, struct rs_map y, const struct rs_norm *norm,
                    const struct rs_drop *drop, int image)
{
    for (int n = 0; n < y.n; n++) {
        struct rs_kernel_slope slope = slope_of(norm, drop, image + n);
        for (int i = 0; i < y.h; i++)
            rs_kernel()->slopes(sums, sums + y.c, &dz, &y, n, i, &slope);
    }
}

/* The paper's chain rule, gathered: dy = gamma inverse (d - mean(d) - yhat mean(d yhat)), which is
 * scale d - slope (y - mean) - shift with constants of the channel. */
void rs_norm_gradient(const struct rs_norm *norm, int c, const double *sums, double pixels, float *dgamma,
                      float *dbeta)
{
    for (int k = 0; k < c; k++) {
        dbeta[k] = (float)sums[k];
        dgamma[k] = (float)sums[c + k];
        norm->slope[k] = norm->scale[k] * norm->inverse[k] * (float)(sums[c + k] / pixels);
        norm->shift[k] = norm->scale[k] * (float)(sums[k] / pixels);
    }
}

void rs_norm_backward(struct rs_map dy, struct rs_map dz, struct rs_map y, const struct rs_norm *norm,
                      const struct rs_drop *drop, int image)
{
    for (int n = 0; n < y.n; n++) {
        struct rs_kernel_slope slope = slope_of(norm, drop, image + n);
        for (int i = 0; i < y.h; i++)
            rs_kernel()->norm_back(&dy, &dz, &y, n, i, &slope);
    }
}

void rs_norm_fold(float *w, float *bias, int k, int co, const struct rs_norm *norm, const float *running_mean,
                  const float *running_variance)
{
    for (int o = 0; o < co; o++) {
        double scale = (double)norm->gamma[o] / sqrt((double)running_variance[o] + EPSILON);
        bias[o] = (float)((double)norm->beta[o] - (double)running_mean[o] * scale);
        for (int i = 0; i < k; i++)
            w[i * co + o] = (float)((double)w[i * co + o] * scale);
    }
}
