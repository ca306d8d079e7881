/* Batch norm with its ReLU and dropout against the twin, and its gradients against the twin's central
 * differences. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/kernel.h"
#include "layer/norm.h"
#include "tap.h"
#include "twins.h"

static const struct rs_drop no_drop = {.p = 0}, some_drop = {.p = .3, .seed = 1, .layer = 2, .step = 3};

/* A batch norm with its data, in float and in double. */
struct norm_case {
    int c;
    double pixels;
    struct rs_map y, z, dz;
    float *gamma, *beta, *running_mean, *running_variance, *dgamma, *dbeta;
    double *sums;
    struct rs_norm norm;
    const struct rs_drop *drop;
    struct field yd, dzd, mask;
    double *gammad, *betad;
};

static struct norm_case norm_case_of(struct rs_map y, const struct rs_drop *drop)
{
    size_t c = (size_t)y.c;
    struct norm_case t = {.c = y.c, .pixels = rs_norm_pixels(&y), .y = y, .drop = drop};
    float **const arrays[] = {&t.running_mean, &t.running_variance, &t.dgamma,     &t.dbeta,     &t.norm.mean,
                              &t.norm.inverse, &t.norm.scale,       &t.norm.slope, &t.norm.shift};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
        *arrays[i] = rs_alloc(c, sizeof(float));
    t.z = map_like(&y);
    t.dz = map_noise(y.n, y.h, y.w, y.c);
    t.norm.gamma = t.gamma = noise_array(c);
    t.norm.beta = t.beta = noise_array(c);
    t.sums = rs_alloc(2 * c, sizeof *t.sums);
    t.yd = field_of(&y);
    t.dzd = field_of(&t.dz);
    t.mask = drop_mask(drop, y.n, y.h, y.w, y.c);
    t.gammad = doubles(t.gamma, c);
    t.betad = doubles(t.beta, c);
    for (int k = 0; k < t.c; k++)
        t.running_variance[k] = 1;
    return t;
}

static void norm_case_free(struct norm_case *t)
{
    void *all[] = {
        t->gamma,     t->beta,         t->running_mean, t->running_variance, t->dgamma,    t->dbeta,
        t->sums,      t->yd.v,         t->dzd.v,        t->mask.v,           t->gammad,    t->betad,
        t->norm.mean, t->norm.inverse, t->norm.scale,   t->norm.slope,       t->norm.shift};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
    map_free(t->y);
    map_free(t->z);
    map_free(t->dz);
}

/* The batch in two parts, each with the number of its first image. */
struct part {
    int first, count;
};

static struct part part_of(const struct rs_map *map, int number)
{
    int half = map->n / 2;
    return number ? (struct part){half, map->n - half} : (struct part){0, half};
}

static void clear_sums(struct norm_case *t)
{
    memset(t->sums, 0, 2 * (size_t)t->c * sizeof *t->sums);
}

static void measure(struct norm_case *t)
{
    clear_sums(t);
    for (int i = 0; i < 2; i++) {
        struct part part = part_of(&t->y, i);
        rs_norm_moments(t->sums, rs_map_images(t->y, part.first, part.count));
    }
    rs_norm_measure(&t->norm, t->c, t->sums, t->pixels, t->running_mean, t->running_variance);
}

static void forward(struct norm_case *t, struct rs_map z, struct rs_map y)
{
    for (int i = 0; i < 2; i++) {
        struct part part = part_of(&y, i);
        rs_norm_forward(rs_map_images(z, part.first, part.count), rs_map_images(y, part.first, part.count),
                        &t->norm, t->drop, part.first);
    }
}

static void backward(struct norm_case *t, struct rs_map dy, struct rs_map dz)
{
    clear_sums(t);
    for (int i = 0; i < 2; i++) {
        struct part p = part_of(&t->y, i);
        rs_norm_slopes(t->sums, rs_map_images(dz, p.first, p.count), rs_map_images(t->y, p.first, p.count),
                       &t->norm, t->drop, p.first);
    }
    rs_norm_gradient(&t->norm, t->c, t->sums, t->pixels, t->dgamma, t->dbeta);
    rs_norm_backward(dy, dz, t->y, &t->norm, t->drop, 0);
}

static struct field act_twin(const struct norm_case *t)
{
    struct affine affine = {.gamma = t->gammad, .beta = t->betad};
    struct field z = norm_twin(&t->yd, &affine);
    for (size_t i = 0; i < cells(&z); i++)
        z.v[i] = fmax(z.v[i], 0) * t->mask.v[i];
    return z;
}

/* What the float operations of z can be off, in units of U: a rounding of the mean moves all of z by |mean|
 * inverse |gamma|, the others are of z's own terms. */
static struct field norm_magnitude(const struct norm_case *t)
{
    struct field size = field_new(t->y.n, t->y.h, t->y.w, t->c);
    for (int k = 0; k < t->c; k++) {
        double mean, variance, gamma = fabs(t->gammad[k]);
        moments(&t->yd, k, &mean, &variance);
        double inverse = 1 / sqrt(variance + 1e-5);
        for (size_t i = (size_t)k; i < cells(&size); i += (size_t)t->c)
            size.v[i] =
                ((fabs(t->yd.v[i] - mean) + fabs(mean)) * inverse * gamma + fabs(t->betad[k])) * t->mask.v[i];
    }
    return size;
}

/* Roundings: of mean, inverse, scale, difference, product, sum, and of the product with what dropout keeps. */
static void check_norm_forward(struct norm_case *t, const char *name)
{
    char full[128];
    struct field wanted = act_twin(t), size = norm_magnitude(t);
    measure(t);
    forward(t, t->z, t->y);
    snprintf(full, sizeof full, "%s: forward", name);
    check_map(&t->z, &wanted, &size, 6, full);
    free(wanted.v);
    free(size.v);
}

/* The gradients of one channel by the formula of the paper, and in `size` what rounding can do to them: as
 * forward, the mean's rounding is |mean| inverse, times whatever yhat is multiplied with. */
struct norm_gradient {
    double dgamma, dbeta, dgamma_size, dbeta_size;
};

/* Where dropout and ReLU let it through. */
static double passed(const struct norm_case *t, const struct field *z, size_t i)
{
    return z->v[i] != 0 ? t->dzd.v[i] * t->mask.v[i] : 0;
}

static struct norm_gradient norm_back_twin(const struct norm_case *t, const struct field *z, int k,
                                           struct field *dy, struct field *size)
{
    struct norm_gradient g = {0};
    double mean, variance;
    moments(&t->yd, k, &mean, &variance);
    double inverse = 1 / sqrt(variance + 1e-5), gamma = t->gammad[k];
    for (size_t i = (size_t)k; i < cells(&t->yd); i += (size_t)t->c) {
        double d = passed(t, z, i), hat = (t->yd.v[i] - mean) * inverse;
        g.dbeta += d;
        g.dgamma += d * hat;
        g.dbeta_size += fabs(d);
        g.dgamma_size += fabs(d) * (fabs(hat) + fabs(mean) * inverse);
    }
    for (size_t i = (size_t)k; i < cells(&t->yd); i += (size_t)t->c) {
        double d = passed(t, z, i), hat = (t->yd.v[i] - mean) * inverse,
               hat_size = fabs(hat) + fabs(mean) * inverse;
        dy->v[i] = gamma * inverse * (d - g.dbeta / t->pixels - hat * g.dgamma / t->pixels);
        size->v[i] = fabs(gamma) * inverse *
                     (fabs(d) + g.dbeta_size / t->pixels + hat_size * g.dgamma_size / t->pixels);
    }
    return g;
}

static void check_norm_backward(struct norm_case *t, const char *name)
{
    char full[128];
    int off = 0;
    struct rs_map dy = map_like(&t->y);
    struct field z = field_of(&t->z), wanted = field_new(dy.n, dy.h, dy.w, dy.c),
                 size = field_new(dy.n, dy.h, dy.w, dy.c);
    backward(t, dy, t->dz);
    for (int k = 0; k < t->c; k++) {
        struct norm_gradient g = norm_back_twin(t, &z, k, &wanted, &size);
        off += !(fabs((double)t->dgamma[k] - g.dgamma) <= 6 * U * g.dgamma_size);
        off += !(fabs((double)t->dbeta[k] - g.dbeta) <= 2 * U * g.dbeta_size);
    }
    snprintf(full, sizeof full, "%s: gradient of the data", name);
    check_map(&dy, &wanted, &size, 13, full);
    ok(off == 0, "%s: gradients of gamma and beta", name);
    map_free(dy);
    free(z.v);
    free(wanted.v);
    free(size.v);
}

static void check_norm_in_place(struct norm_case *t)
{
    struct rs_map dy = map_like(&t->y);
    float dgamma[64], dbeta[64];
    size_t bytes = (size_t)t->c * sizeof(float);
    backward(t, dy, t->dz);
    memcpy(dgamma, t->dgamma, bytes);
    memcpy(dbeta, t->dbeta, bytes);
    backward(t, t->dz, t->dz);
    ok(map_same(&t->dz, &dy) && border_is_zero(&t->dz) && !memcmp(dgamma, t->dgamma, bytes) &&
           !memcmp(dbeta, t->dbeta, bytes),
       "  the same gradient in place");
    forward(t, t->y, t->y);
    ok(map_same(&t->y, &t->z) && border_is_zero(&t->y), "  and the same result");
    map_free(dy);
}

/* The parts' sums and the whole batch's, which no rounding of a float tells apart. */
static void check_norm_whole(struct norm_case *t)
{
    struct rs_map z = map_like(&t->y);
    double *sums = rs_alloc(2 * (size_t)t->c, sizeof *sums);
    rs_norm_moments(sums, t->y);
    measure(t);
    rs_norm_forward(z, t->y, &t->norm, t->drop, 0);
    ok(!memcmp(sums, t->sums, 2 * (size_t)t->c * sizeof *sums) && map_same(&z, &t->z),
       "  the same sums and result without parts");
    map_free(z);
    free(sums);
}

static void test_norm(void)
{
    const struct {
        int n, h, w, c;
    } sizes[] = {{1, 1, 1, 1},    {1, 1, 2, 2},   {17, 3, 1, 3}, {2, 17, 5, 5},
                 {1, 33, 31, 16}, {3, 16, 2, 33}, {17, 37, 3, 2}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (int drops = 0; drops < 2; drops++) {
            char name[80];
            struct norm_case t = norm_case_of(map_noise(sizes[i].n, sizes[i].h, sizes[i].w, sizes[i].c),
                                              drops ? &some_drop : &no_drop);
            snprintf(name, sizeof name, "batch norm%s, %d of %d x %d, %d channels",
                     drops ? " with dropout" : "", t.y.n, t.y.w, t.y.h, t.c);
            check_norm_forward(&t, name);
            check_norm_backward(&t, name);
            check_norm_whole(&t);
            check_norm_in_place(&t);
            norm_case_free(&t);
        }
}

static double norm_function(const void *context)
{
    const struct norm_case *t = context;
    struct field z = act_twin(t);
    double sum = weighed_sum(&t->dzd, &z);
    free(z.v);
    return sum;
}

/* The distance of the nearest ReLU to its kink. */
static double margin(const struct norm_case *t)
{
    struct affine affine = {.gamma = t->gammad, .beta = t->betad};
    struct field z = norm_twin(&t->yd, &affine);
    double least = (double)INFINITY;
    for (size_t i = 0; i < cells(&z); i++)
        least = fmin(least, fabs(z.v[i]));
    free(z.v);
    return least;
}

static void test_norm_slopes(const struct rs_drop *drop)
{
    struct norm_case t = norm_case_of(map_noise(2, 3, 4, 3), drop);
    struct function f = {norm_function, &t};
    struct rs_map dy = map_like(&t.y);
    int zeros = 0, differ = 0;
    ok(margin(&t) > 1e-4, "dropout %g: no ReLU is within %.2g of its kink", drop->p, margin(&t));
    measure(&t);
    forward(&t, t.z, t.y);
    backward(&t, dy, t.dz);
    struct field z = field_of(&t.z), wanted = act_twin(&t);
    for (size_t i = 0; i < cells(&z); i++) {
        zeros += z.v[i] == 0;
        differ += (z.v[i] == 0) != (wanted.v[i] == 0);
    }
    ok(differ == 0 && zeros > 0 && zeros < 72, "  the result is 0 where the twin's is, %d times", zeros);
    check_slopes_map(&f, &t.yd, &dy, "  batch norm, data");
    check_slopes_array(&f, t.gammad, 3, t.dgamma, "  batch norm, gamma");
    check_slopes_array(&f, t.betad, 3, t.dbeta, "  batch norm, beta");
    map_free(dy);
    free(z.v);
    free(wanted.v);
    norm_case_free(&t);
}

/* Mean 1000, standard deviation .01. Sums of N squares in double err by at most 3 N 2^-53 mean^2, which is
 * the tolerance of the variance, and half as much, over the variance, that of the inverse deviation; floats
 * would be off by a million times more. The mean itself is kept as a float. */
static void test_norm_far_mean(void)
{
    struct rs_map y = map_new(2, 17, 5, 2);
    for (int i = 0; i < 2 * 17 * 5; i++)
        for (int k = 0; k < 2; k++)
            rs_map_at(&y, i / 85, i / 5 % 17, i % 5)[k] =
                (float)((k ? -1000 : 1000) + .01 * rs_rng_normal(&rng));
    struct norm_case t = norm_case_of(y, &no_drop);
    measure(&t);
    for (int k = 0; k < 2; k++) {
        double mean, variance, error = 3 * 170 * 0x1p-53 * 1e6;
        moments(&t.yd, k, &mean, &variance);
        near((double)t.norm.mean[k], mean, 1000 * U, "mean of numbers about %g", mean);
        near((double)t.norm.inverse[k] * sqrt(variance + 1e-5), 1, error / (variance + 1e-5) / 2 + U,
             "inverse deviation of numbers within %.3g of %g", sqrt(variance), mean);
        near((double)t.running_variance[k], .9 + .1 * variance * 170 / 169, error + U,
             "the running variance moved by a tenth of it");
    }
    norm_case_free(&t);
}

/* Numbers that do not vary: what cancels to less than nothing is no variance. */
static void test_norm_flat(void)
{
    struct rs_map y = map_new(1, 3, 7, 2);
    for (int i = 0; i < 21; i++)
        for (int k = 0; k < 2; k++)
            rs_map_at(&y, 0, i / 7, i % 7)[k] = k ? .1f : 12345.678f;
    struct norm_case t = norm_case_of(y, &no_drop);
    measure(&t);
    forward(&t, t.z, t.y);
    int far = 0;
    struct field z = field_of(&t.z);
    for (size_t i = 0; i < cells(&z); i++)
        far += !(fabs(z.v[i] - fmax(t.betad[i % 2], 0)) <= U);
    ok(far == 0 && (double)t.running_variance[0] <= .9 + 1e-6, "numbers that do not vary become beta");
    free(z.v);
    norm_case_free(&t);
}

/* Each batch rounds the average to float once. */
static void test_norm_running(void)
{
    enum { BATCHES = 5, C = 3 };
    float mean[C] = {0}, variance[C] = {1, 1, 1};
    double mean_twin[C] = {0}, variance_twin[C] = {1, 1, 1};
    for (int batch = 0; batch < BATCHES; batch++) {
        struct norm_case t = norm_case_of(map_noise(batch + 1, 3, 5, C), &no_drop);
        double count = 15 * (batch + 1);
        rs_norm_moments(t.sums, t.y);
        rs_norm_measure(&t.norm, C, t.sums, t.pixels, mean, variance);
        for (int k = 0; k < C; k++) {
            double m, v;
            moments(&t.yd, k, &m, &v);
            mean_twin[k] = .9 * mean_twin[k] + .1 * m;
            variance_twin[k] = .9 * variance_twin[k] + .1 * v * count / (count - 1);
        }
        norm_case_free(&t);
    }
    for (int k = 0; k < C; k++) {
        near((double)mean[k], mean_twin[k], BATCHES * U, "running mean of channel %d", k + 1);
        near((double)variance[k], variance_twin[k], BATCHES * U, "running variance of channel %d", k + 1);
    }
}

static void test_norm_one_pixel(void)
{
    struct norm_case t = norm_case_of(map_noise(1, 1, 1, 1), &no_drop);
    measure(&t);
    near((double)t.running_variance[0], .9, U,
         "one pixel has no unbiased variance: its biased one, 0, is taken");
    near((double)t.norm.inverse[0], 1 / sqrt(1e-5), 400 * U, "and the deviation is epsilon's");
    norm_case_free(&t);
}

/* The folded convolution of a pixel says what norm says of the convolution; double, rounded once. */
static void test_norm_fold(void)
{
    enum { K = 7, CO = 3 };
    const float mean[CO] = {.25f, -3, 0}, variance[CO] = {0, 4, 1e-3f};
    float *w = noise_array(K * CO), *gamma = noise_array(CO), *beta = noise_array(CO), bias[CO] = {9, 9, 9};
    double *before = doubles(w, K * CO);
    struct rs_norm norm = {.gamma = gamma, .beta = beta};
    int far = 0;
    rs_norm_fold(w, bias, K, CO, &norm, mean, variance);
    for (int o = 0; o < CO; o++) {
        double scale = (double)gamma[o] / sqrt((double)variance[o] + 1e-5), shift = (double)mean[o] * scale;
        for (int i = 0; i < K; i++) {
            double wanted = before[i * CO + o] * scale;
            far += !(fabs((double)w[i * CO + o] - wanted) <= 1.01 * U * fabs(wanted));
        }
        far += !(fabs((double)bias[o] - ((double)beta[o] - shift)) <=
                 1.01 * U * (fabs((double)beta[o]) + fabs(shift)));
    }
    ok(far == 0, "a convolution folded with running averages");
    free(w);
    free(gamma);
    free(beta);
    free(before);
}

/* --- ReLU and dropout --- */

static void test_relu(void)
{
    static const int channel_counts[] = {1, 2, 3, 5, 16, 33};
    for (int i = 0; i < 6; i++) {
        int n = i % 2 ? 17 : 1, h = 1 + 7 * i, w = 31 - 5 * i, wrong = 0;
        struct rs_map y = map_noise(n, h, w, channel_counts[i]), z = map_like(&y);
        struct rs_norm norm = identity_norm();
        rs_norm_forward(z, y, &norm, &no_drop, 0);
        struct field before = field_of(&y), after = field_of(&z);
        for (size_t k = 0; k < cells(&before); k++)
            wrong += after.v[k] != fmax(before.v[k], 0);
        ok(wrong == 0 && border_is_zero(&z),
           "ReLU on %d of %d x %d, %d channels; nothing is dropped, nothing scaled", n, w, h,
           channel_counts[i]);
        map_free(y);
        map_free(z);
        free(before.v);
        free(after.v);
    }
}

/* In every lane: a run that has broken must show it. */
static void test_relu_special(void)
{
    enum { C = 33 };
    struct rs_map y = map_new(1, 1, 4, C);
    struct rs_norm norm = identity_norm();
    const float values[] = {(float)NAN, (float)-NAN, -INFINITY, INFINITY};
    int wrong = 0;
    for (int i = 0; i < 4 * C; i++)
        rs_map_at(&y, 0, 0, i / C)[i % C] = values[i / C];
    rs_norm_forward(y, y, &norm, &no_drop, 0);
    for (int k = 0; k < C; k++) {
        wrong += !isnan(rs_map_at(&y, 0, 0, 0)[k]) || !isnan(rs_map_at(&y, 0, 0, 1)[k]);
        wrong += rs_map_at(&y, 0, 0, 2)[k] != 0 || !isinf(rs_map_at(&y, 0, 0, 3)[k]);
    }
    ok(wrong == 0, "NaN stays NaN through ReLU, infinities are cut and kept");
    map_free(y);
}

/* The share dropped of N is binomial: five standard deviations. */
static void test_drop_rate(double p)
{
    const struct rs_drop drop = {.p = p, .seed = 7, .layer = 2, .step = 3};
    struct field mask = drop_mask(&drop, 3, 37, 29, 11);
    double count = (double)cells(&mask), held = floor(p * 65536 + .5) / 65536, dropped = 0;
    int wrong = 0;
    for (size_t i = 0; i < cells(&mask); i++) {
        dropped += mask.v[i] == 0;
        wrong += mask.v[i] != 0 && mask.v[i] != (double)(float)(1 / (1 - held));
    }
    near(dropped / count, held, 5 * sqrt(held * (1 - held) / count), "share dropped at p = %g", p);
    ok(wrong == 0, "what is kept at p = %g grows by 1 / (1 - p)", p);
    free(mask.v);
}

static void test_drop_key(void)
{
    const struct rs_drop keys[] = {{.5, 1, 2, 3}, {.5, 1, 2, 3}, {.5, 2, 2, 3}, {.5, 1, 3, 3}, {.5, 1, 2, 4}};
    const char *const parts[] = {"nothing", "nothing", "seed", "layer", "step"};
    struct field first = drop_mask(&keys[0], 2, 32, 7, 3);
    double count = (double)cells(&first);
    for (int i = 1; i < 5; i++) {
        struct field mask = drop_mask(&keys[i], 2, 32, 7, 3);
        double differ = 0;
        for (size_t k = 0; k < cells(&mask); k++)
            differ += mask.v[k] != first.v[k];
        if (i == 1)
            ok(differ == 0, "the same seed, layer and step drop the same");
        else /* two fair coins differ in half of the throws, give or take five deviations */
            near(differ / count, .5, 2.5 / sqrt(count), "another %s drops others", parts[i]);
        free(mask.v);
    }
    free(first.v);
}

/* Parts of what is dropped, `each` from one to the next, of `count` entries `step` apart: two fair coins, as
 * above. */
static void check_drop_parts(const struct field *mask, int parts, size_t each, int count, size_t step,
                             const char *name)
{
    double most = 0;
    for (int a = 0; a < parts; a++)
        for (int b = 0; b < a; b++) {
            double differ = 0;
            for (int i = 0; i < count; i++)
                differ += mask->v[(size_t)a * each + (size_t)i * step] !=
                          mask->v[(size_t)b * each + (size_t)i * step];
            most = fmax(most, fabs(differ / count - .5));
        }
    near(most, 0, 2.5 / sqrt(count), "each two of %d %s differ in half of what they drop", parts, name);
}

/* Every row of every image, every column and every channel has numbers of its own. */
static void test_drop_places(void)
{
    enum { N = 3, H = 19, W = 37, C = 11 };
    const struct rs_drop drop = {.5, 1, 2, 3};
    struct field mask = drop_mask(&drop, N, H, W, C);
    check_drop_parts(&mask, N * H, (size_t)W * C, W * C, 1, "rows");
    check_drop_parts(&mask, W, C, N * H, (size_t)W * C, "columns of a channel");
    check_drop_parts(&mask, C, 1, N * H * W, C, "channels");
    free(mask.v);
}

int main(void)
{
    rng = rs_rng_at(1, "test", 0, 0);
    no_error(rs_kernel_start(), "a kernel");
    test_norm();
    test_norm_slopes(&no_drop);
    test_norm_slopes(&some_drop);
    test_norm_far_mean();
    test_norm_flat();
    test_norm_running();
    test_norm_one_pixel();
    test_norm_fold();
    test_relu();
    test_relu_special();
    test_drop_rate(.2);
    test_drop_rate(.5);
    test_drop_rate(.9);
    test_drop_key();
    test_drop_places();
    return done();
}
