#include "layer/norm.h"

#include <math.h>
#include <string.h>

#include "base/thread.h"

static const double EPSILON = 1e-5, MOMENTUM = .1;

struct pass {
    struct rs_map z, y; /* backward: dz and y */
    struct rs_map dy;
    const struct rs_norm *norm;
    const float *dbeta, *dgamma; /* [c] */
};

size_t rs_norm_sums(const struct rs_map *y)
{
    return 2 * ((size_t)rs_map_bands(y) + 1) * (size_t)y->c;
}

static double pixels(const struct rs_map *y)
{
    return (double)y->n * y->h * y->w;
}

/* A band's sums of y and y^2, in double: float squares would cancel where the mean is large. */
static void measure_band(void *context, int shard, int worker)
{
    (void)worker;
    const struct pass *pass = context;
    struct rs_band band = rs_map_band(&pass->y, shard);
    int c = pass->y.c;
    double *sum = pass->norm->sums + 2 * (size_t)shard * (size_t)c, *squares = sum + c;
    memset(sum, 0, 2 * (size_t)c * sizeof *sum);
    for (int i = band.from; i < band.to; i++) {
        const float *y = rs_map_at(&pass->y, band.image, i, 0);
        for (int j = 0; j < pass->y.w; j++, y += c)
            for (int k = 0; k < c; k++) {
                double v = (double)y[k];
                sum[k] += v;
                squares[k] += v * v;
            }
    }
}

/* Adds up the bands' pairs of sums in order, into the pair behind the last. */
static const double *total(const struct rs_norm *norm, const struct rs_map *y)
{
    size_t pair = 2 * (size_t)y->c, bands = (size_t)rs_map_bands(y);
    double *all = norm->sums + bands * pair;
    memset(all, 0, pair * sizeof *all);
    for (size_t band = 0; band < bands; band++)
        for (size_t k = 0; k < pair; k++)
            all[k] += norm->sums[band * pair + k];
    return all;
}

void rs_norm_measure(const struct rs_norm *norm, struct rs_map y, float *running_mean,
                     float *running_variance)
{
    struct pass pass = {.y = y, .norm = norm};
    rs_parallel(measure_band, &pass, rs_map_bands(&y));
    const double *sum = total(norm, &y), *squares = sum + y.c;
    double count = pixels(&y);
    for (int k = 0; k < y.c; k++) {
        double mean = sum[k] / count, variance = fmax(squares[k] / count - mean * mean, 0);
        double unbiased = count > 1 ? variance * count / (count - 1) : variance;
        norm->mean[k] = (float)mean;
        norm->inverse[k] = (float)(1 / sqrt(variance + EPSILON));
        running_mean[k] = (float)((1 - MOMENTUM) * (double)running_mean[k] + MOMENTUM * mean);
        running_variance[k] = (float)((1 - MOMENTUM) * (double)running_variance[k] + MOMENTUM * unbiased);
    }
}

void rs_norm_recall(const struct rs_norm *norm, int c, const float *running_mean,
                    const float *running_variance)
{
    for (int k = 0; k < c; k++) {
        norm->mean[k] = running_mean[k];
        norm->inverse[k] = (float)(1 / sqrt((double)running_variance[k] + EPSILON));
    }
}

static void forward_row(void *context, int image, int i)
{
    const struct pass *pass = context;
    const struct rs_norm *norm = pass->norm;
    int c = pass->y.c;
    const float *y = rs_map_at(&pass->y, image, i, 0);
    float *z = rs_map_at(&pass->z, image, i, 0);
    for (int j = 0; j < pass->y.w; j++, y += c, z += c)
        for (int k = 0; k < c; k++)
            z[k] = (y[k] - norm->mean[k]) * norm->inverse[k] * norm->gamma[k] + norm->beta[k];
}

void rs_norm_forward(struct rs_map z, struct rs_map y, const struct rs_norm *norm)
{
    struct pass pass = {.z = z, .y = y, .norm = norm};
    rs_map_rows(&y, forward_row, &pass);
}

/* A band's sums of dz and dz * (y - mean) * inverse: the gradients of beta and gamma. */
static void gradient_band(void *context, int shard, int worker)
{
    (void)worker;
    const struct pass *pass = context;
    const struct rs_norm *norm = pass->norm;
    struct rs_band band = rs_map_band(&pass->y, shard);
    int c = pass->y.c;
    double *dbeta = norm->sums + 2 * (size_t)shard * (size_t)c, *dgamma = dbeta + c;
    memset(dbeta, 0, 2 * (size_t)c * sizeof *dbeta);
    for (int i = band.from; i < band.to; i++) {
        const float *y = rs_map_at(&pass->y, band.image, i, 0), *dz = rs_map_at(&pass->z, band.image, i, 0);
        for (int j = 0; j < pass->y.w; j++, y += c, dz += c)
            for (int k = 0; k < c; k++) {
                dbeta[k] += (double)dz[k];
                dgamma[k] += (double)(dz[k] * ((y[k] - norm->mean[k]) * norm->inverse[k]));
            }
    }
}

/* The paper's chain rule, gathered: dy = gamma inverse (dz - mean(dz) - yhat mean(dz yhat)), which is
 * scale dz - slope (y - mean) - shift with constants of the channel: [3][c], kept where the sums were. */
static void gather(const struct pass *pass)
{
    const struct rs_norm *norm = pass->norm;
    int c = pass->y.c;
    double count = pixels(&pass->y);
    float *scale = (void *)norm->sums, *slope = scale + c, *shift = slope + c;
    for (int k = 0; k < c; k++) {
        scale[k] = norm->gamma[k] * norm->inverse[k];
        slope[k] = scale[k] * norm->inverse[k] * (float)((double)pass->dgamma[k] / count);
        shift[k] = scale[k] * (float)((double)pass->dbeta[k] / count);
    }
}

static void backward_row(void *context, int image, int i)
{
    const struct pass *pass = context;
    int c = pass->y.c;
    const float *mean = pass->norm->mean, *scale = (const void *)pass->norm->sums;
    const float *slope = scale + c, *shift = slope + c;
    const float *y = rs_map_at(&pass->y, image, i, 0), *dz = rs_map_at(&pass->z, image, i, 0);
    float *dy = rs_map_at(&pass->dy, image, i, 0);
    for (int j = 0; j < pass->y.w; j++, y += c, dz += c, dy += c)
        for (int k = 0; k < c; k++)
            dy[k] = scale[k] * dz[k] - slope[k] * (y[k] - mean[k]) - shift[k];
}

void rs_norm_backward(struct rs_map dy, float *dgamma, float *dbeta, struct rs_map dz, struct rs_map y,
                      const struct rs_norm *norm)
{
    struct pass pass = {.z = dz, .y = y, .dy = dy, .norm = norm, .dbeta = dbeta, .dgamma = dgamma};
    rs_parallel(gradient_band, &pass, rs_map_bands(&y));
    const double *all = total(norm, &y);
    for (int k = 0; k < y.c; k++) {
        dbeta[k] = (float)all[k];
        dgamma[k] = (float)all[k + y.c];
    }
    gather(&pass);
    rs_map_rows(&y, backward_row, &pass);
}
