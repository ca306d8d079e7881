/* Every kernel set that this processor can run, against twins in double. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/kernel.h"
#include "tap.h"
#include "twins.h"

enum { SETS = 3 };

static const struct rs_kernel *sets[SETS];
static int set_count;

static void find_sets(void)
{
    static const char *const names[SETS] = {"base", "avx2", "avx512"};
    for (int i = 0; i < SETS; i++) {
        setenv("RS_KERNEL", names[i], 1);
        const char *error = rs_kernel_start();
        if (error)
            skip(error, "a set of kernels");
        else
            sets[set_count++] = rs_kernel();
        ok(error || (!strcmp(rs_kernel()->name, names[i]) && !strcmp(rs_kernel_name(), names[i])),
           "RS_KERNEL=%s", names[i]);
    }
    setenv("RS_KERNEL", "abacus", 1);
    error_has(rs_kernel_start(), "RS_KERNEL=abacus: no such kernel", "a set that there is not");
    error_has(rs_kernel_name(), "abacus", "has no name either");
    setenv("RS_KERNEL", "", 1);
    no_error(rs_kernel_start(), "an empty name is none");
    ok(rs_kernel() == sets[set_count - 1], "and gives the best, %s", rs_kernel()->name);
}

/* --- Convolution --- */

static size_t padded(const struct rs_kernel *kernel, int co)
{
    return (size_t)((co + kernel->lanes - 1) / kernel->lanes * kernel->lanes);
}

/* One of the two ways to a convolution. */
struct way {
    const struct rs_kernel *kernel;
    bool winograd;
};

static bool can(struct way way, const struct conv_case *t)
{
    return !way.winograd ||
           (t->size == 3 && t->ci % way.kernel->lanes == 0 && t->co % way.kernel->lanes == 0);
}

/* Just the floats that the header asks for. */
static float *weights_new(struct way way, int size, int ci, int co)
{
    return rs_alloc((size_t)(way.winograd ? 36 : size * size) * (size_t)ci * padded(way.kernel, co),
                    sizeof(float));
}

static float *scratch_new(struct way way, int w, int ci, int co)
{
    return rs_alloc(way.winograd ? way.kernel->winograd_scratch(ci, co) : (size_t)w * padded(way.kernel, co),
                    sizeof(float));
}

/* Weights w [size][size][ci][co], bias b [co] (NULL: none). */
struct filter {
    int size;
    const float *w, *b;
};

static void forward(struct way way, struct rs_map y, struct rs_map x, const struct filter *filter, bool relu)
{
    float *packed = weights_new(way, filter->size, x.c, y.c), *scratch = scratch_new(way, y.w, x.c, y.c);
    float *bias = rs_alloc(padded(way.kernel, y.c), sizeof *bias);
    struct rs_kernel_conv conv = {filter->size, packed, bias, relu, scratch};
    if (filter->b)
        memcpy(bias, filter->b, (size_t)y.c * sizeof *bias);
    if (way.winograd) {
        way.kernel->winograd_pack(packed, filter->w, x.c, y.c);
        way.kernel->winograd(&y, &x, &conv);
    } else {
        way.kernel->pack(packed, filter->w, filter->size * filter->size * x.c, y.c);
        way.kernel->direct(&y, &x, &conv);
    }
    free(packed);
    free(scratch);
    free(bias);
}

/* dw of as many images at a time as `each`. */
static void gradient(struct way way, float *dw, struct rs_map dy, struct rs_map x, int size, int each)
{
    float *sums = weights_new(way, size, x.c, dy.c), *scratch = scratch_new(way, dy.w, x.c, dy.c);
    for (int first = 0; first < x.n; first += each) {
        int count = x.n - first < each ? x.n - first : each;
        struct rs_map some_dy = rs_map_images(dy, first, count), some_x = rs_map_images(x, first, count);
        if (way.winograd)
            way.kernel->winograd_gradient(sums, &some_dy, &some_x, scratch);
        else
            way.kernel->direct_gradient(sums, &some_dy, &some_x, size, scratch);
    }
    if (way.winograd)
        way.kernel->winograd_unpack(dw, sums, x.c, dy.c);
    else
        way.kernel->direct_unpack(dw, sums, size * size * x.c, dy.c);
    free(sums);
    free(scratch);
}

/* Half around, inputs and outputs swapped. */
static float *turned(const struct conv_case *t)
{
    int taps = t->size * t->size;
    float *to = rs_alloc(kernel_weights(t->size, t->ci, t->co), sizeof *to);
    for (int k = 0; k < taps; k++)
        for (int c = 0; c < t->ci; c++)
            for (int o = 0; o < t->co; o++)
                to[((taps - 1 - k) * t->co + o) * t->ci + c] = t->w[(k * t->ci + c) * t->co + o];
    return to;
}

/* What a way makes of a case. */
struct result {
    struct rs_map y, dx;
    float *dw;
};

static struct result result_of(struct way way, const struct conv_case *t)
{
    struct result r = {map_like(&t->dy), map_like(&t->x),
                       rs_alloc(kernel_weights(t->size, t->ci, t->co), sizeof(float))};
    float *w = turned(t);
    forward(way, r.y, t->x, &(struct filter){t->size, t->w, t->b}, false);
    forward(way, r.dx, t->dy, &(struct filter){t->size, w, NULL}, false);
    gradient(way, r.dw, t->dy, t->x, t->size, t->x.n);
    free(w);
    return r;
}

static void result_free(struct result *r)
{
    map_free(r->y);
    map_free(r->dx);
    free(r->dw);
}

/* The same again, maps lying in larger ones amid NaN, images one at a time. */
static bool same_on_islands(struct way way, const struct conv_case *t, const struct result *r)
{
    struct island x = island_of(&t->x), dy = island_of(&t->dy);
    struct island y = island_unwritten(r->y.n, r->y.h, r->y.w, r->y.c);
    struct island dx = island_unwritten(r->dx.n, r->dx.h, r->dx.w, r->dx.c);
    size_t weights = kernel_weights(t->size, t->ci, t->co);
    float *w = turned(t), *dw = rs_alloc(weights, sizeof *dw);
    forward(way, y.map, x.map, &(struct filter){t->size, t->w, t->b}, false);
    forward(way, dx.map, dy.map, &(struct filter){t->size, w, NULL}, false);
    gradient(way, dw, dy.map, x.map, t->size, 1);
    bool same = map_same(&y.map, &r->y) && map_same(&dx.map, &r->dx) &&
                !memcmp(dw, r->dw, weights * sizeof *dw) && island_intact(&y) && island_intact(&dx) &&
                island_intact(&x) && island_intact(&dy);
    struct island *all[] = {&x, &dy, &y, &dx};
    for (int i = 0; i < 4; i++)
        island_free(all[i]);
    free(w);
    free(dw);
    return same;
}

static bool same_with_relu(struct way way, const struct conv_case *t, const struct result *r)
{
    struct rs_map cut = map_like(&r->y);
    int wrong = 0;
    forward(way, cut, t->x, &(struct filter){t->size, t->w, t->b}, true);
    struct field plain = field_of(&r->y), relu = field_of(&cut);
    for (size_t i = 0; i < cells(&plain); i++)
        wrong += relu.v[i] != fmax(plain.v[i], 0);
    bool zero = border_is_zero(&cut);
    map_free(cut);
    free(plain.v);
    free(relu.v);
    return wrong == 0 && zero;
}

/* The worst of many cases, in units of a channel's largest sum of magnitudes. */
struct worst {
    double y, dx, dw;
    int cases, strays; /* strays: read or wrote what is not theirs, or differ when they do not */
    char where[64];    /* the last stray */
};

static double map_error(const struct rs_map *found, const struct field *wanted, const struct field *size)
{
    struct field f = field_of(found);
    double error = channel_error(f.v, wanted->v, size->v, cells(&f) / (size_t)f.c, f.c);
    free(f.v);
    return error;
}

static void judge(struct worst *worst, struct way way, const struct conv_case *t)
{
    struct result r = result_of(way, t);
    double *dw = doubles(r.dw, kernel_weights(t->size, t->ci, t->co));
    worst->cases++;
    worst->y = fmax(worst->y, map_error(&r.y, &t->y, &t->y_size));
    worst->dx = fmax(worst->dx, map_error(&r.dx, &t->g.dx, &t->g_size.dx));
    worst->dw =
        fmax(worst->dw, channel_error(dw, t->g.dw, t->g_size.dw, (size_t)(t->size * t->size), t->ci * t->co));
    if (!border_is_zero(&r.y) || !border_is_zero(&r.dx) || !same_on_islands(way, t, &r) ||
        !same_with_relu(way, t, &r)) {
        worst->strays++;
        snprintf(worst->where, sizeof worst->where, " %dx%d, %d to %d, %d of %d x %d", t->size, t->size,
                 t->ci, t->co, t->x.n, t->x.w, t->x.h);
    }
    free(dw);
    result_free(&r);
}

static struct worst reports[SETS][2];

/* All sets, both ways. The twins serve all of them. */
static void judge_all(struct conv_case *t)
{
    conv_case_twins(t);
    for (int i = 0; i < set_count; i++)
        for (int winograd = 0; winograd < 2; winograd++) {
            struct way way = {sets[i], winograd};
            if (can(way, t))
                judge(&reports[i][winograd], way, t);
        }
    conv_case_free(t);
}

static void report(const char *name)
{
    for (int i = 0; i < set_count; i++)
        for (int winograd = 0; winograd < 2; winograd++) {
            const struct worst *w = &reports[i][winograd];
            if (!w->cases)
                continue;
            printf("# %s, %s, %s: %d cases, errors %.2g, %.2g, %.2g\n", sets[i]->name,
                   winograd ? "Winograd" : "direct", name, w->cases, w->y, w->dx, w->dw);
            near(fmax(w->y, w->dx), 0, WINOGRAD, "%s, %s, %s: forward, and turned", sets[i]->name,
                 winograd ? "Winograd" : "direct", name);
            near(w->dw, 0, WINOGRAD_WEIGHTS, "  the weights' gradient");
            ok(w->strays == 0, "  nothing else read or written, the same bytes in parts of maps%s", w->where);
        }
    memset(reports, 0, sizeof reports);
}

static void test_small_maps(void)
{
    for (int h = 1; h <= 20; h++)
        for (int w = 1; w <= 20; w++) {
            struct conv_case whole = conv_case_new(3, 1, h, w, 16, 16), odd = conv_case_new(3, 1, h, w, 3, 5),
                             point = conv_case_new(1, 1, h, w, 5, 3);
            judge_all(&whole);
            judge_all(&odd);
            judge_all(&point);
        }
    report("maps of 1 x 1 to 20 x 20");
}

/* All pairs, and what more than one block of tiles or of channels makes of them. */
static void test_channels(void)
{
    static const int counts[] = {1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 24, 31, 32, 33, 48, 70};
    enum { COUNTS = sizeof counts / sizeof *counts };
    for (int i = 0; i < COUNTS * COUNTS; i++)
        for (int size = 1; size <= 3; size += 2) {
            struct conv_case t = conv_case_new(size, 2, 3, 5, counts[i / COUNTS], counts[i % COUNTS]);
            judge_all(&t);
        }
    report("channels of 1 to 70");
}

static void test_large_maps(void)
{
    static const struct {
        int n, h, w, ci, co;
    } sizes[] = {{1, 70, 70, 16, 16}, {1, 1, 70, 16, 32}, {1, 70, 1, 32, 16},  {2, 33, 47, 16, 16},
                 {1, 64, 64, 5, 7},   {1, 61, 29, 7, 9},  {1, 23, 70, 48, 16}, {1, 42, 69, 1, 8},
                 {3, 28, 28, 4, 8},   {1, 68, 21, 8, 24}, {1, 35, 66, 3, 16},  {60, 2, 3, 16, 32},
                 {49, 4, 4, 16, 16},  {17, 9, 6, 9, 17},  {1, 67, 5, 16, 3}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (int size = 1; size <= 3; size += 2) {
            struct conv_case t =
                conv_case_new(size, sizes[i].n, sizes[i].h, sizes[i].w, sizes[i].ci, sizes[i].co);
            judge_all(&t);
        }
    report("maps of up to 70 x 70");
}

/* Data that floats find hard, pixel (i, j), channel k. */
static float far_mean(int i, int j, int k)
{
    (void)i, (void)j;
    return (k % 2 ? -1000 : 1000) + .001f * noise();
}

static float many_scales(int i, int j, int k)
{
    (void)i, (void)j;
    return noise() * powf(10, (float)(k % 9 - 4));
}

static float checkers(int i, int j, int k)
{
    return ((i + j) % 2 ? -1.f : 1.f) * (1 + .001f * noise()) * (float)(k + 1);
}

static float one_peak(int i, int j, int k)
{
    return i == 4 && j == 5 && k % 3 == 0 ? 1e6f : 1e-3f * noise();
}

static float halves(int i, int j, int k)
{
    (void)k;
    return i < 5 ? 1e4f : j % 2 ? 1e-4f * noise() : 0;
}

static void refill(const struct rs_map *map, float (*value)(int, int, int))
{
    for (int at = 0; at < map->n * map->h * map->w; at++)
        for (int k = 0; k < map->c; k++)
            rs_map_at(map, at / (map->h * map->w), at / map->w % map->h, at % map->w)[k] =
                value(at / map->w % map->h, at % map->w, k);
}

/* Of data (1), gradients (2), and weights (4) whose outputs differ in scale. */
static void refill_case(struct conv_case *t, float (*value)(int, int, int), int what)
{
    size_t weights = kernel_weights(t->size, t->ci, t->co);
    if (what & 1)
        refill(&t->x, value);
    if (what & 2)
        refill(&t->dy, value);
    for (size_t k = 0; what & 4 && k < weights; k++)
        t->w[k] *= powf(10, (float)((int)(k % (size_t)t->co) % 7 - 3));
}

static void test_hard_data(void)
{
    static float (*const values[])(int, int, int) = {far_mean, many_scales, checkers, one_peak, halves};
    static const int channels[][2] = {{16, 32}, {32, 16}, {5, 16}, {3, 7}};
    for (int kind = 0; kind < 5; kind++)
        for (int what = 1; what < 8; what++)
            for (int i = 0; i < 8; i++) {
                struct conv_case t =
                    conv_case_new(i < 4 ? 3 : 1, 2, 11, 14, channels[i % 4][0], channels[i % 4][1]);
                refill_case(&t, values[kind], what);
                judge_all(&t);
            }
    report("far means, many scales, peaks and edges");
}

/* A window of a map, its neighbours around it, is what it is in the whole map: for Winograd where it begins with
 * a tile and ends with one, or with the map. */
static void test_windows(struct way way, int size, int ci, int co)
{
    static const int windows[][4] = {{0, 0, 17, 18}, {4, 8, 8, 4},   {8, 0, 9, 18}, {0, 12, 4, 6},
                                     {16, 16, 1, 2}, {12, 4, 5, 12}, {3, 5, 7, 9},  {1, 2, 16, 15}};
    int wrong = 0;
    struct conv_case t = conv_case_new(size, 2, 17, 18, ci, co);
    struct rs_map whole = map_like(&t.dy), cut = map_like(&t.dy);
    struct filter filter = {size, t.w, t.b};
    forward(way, whole, t.x, &filter, false);
    for (int i = 0; i < (way.winograd ? 6 : 8); i++) {
        const int *at = windows[i];
        struct rs_map from = rs_map_window(t.x, at[0], at[1], at[2], at[3]);
        struct rs_map to = rs_map_window(cut, at[0], at[1], at[2], at[3]);
        struct rs_map wanted = rs_map_window(whole, at[0], at[1], at[2], at[3]);
        forward(way, to, from, &filter, false);
        wrong += !map_same(&to, &wanted);
    }
    ok(wrong == 0, "%s, %s, %dx%d, %d to %d: windows are what they are in the whole", way.kernel->name,
       way.winograd ? "Winograd" : "direct", size, size, ci, co);
    map_free(whole);
    map_free(cut);
    conv_case_free(&t);
}

static void test_all_windows(void)
{
    for (int i = 0; i < set_count; i++) {
        struct way direct = {sets[i], false}, winograd = {sets[i], true};
        test_windows(direct, 1, 5, 7);
        test_windows(direct, 3, 3, 16);
        test_windows(direct, 3, 16, 33);
        test_windows(winograd, 3, 16, 16);
        test_windows(winograd, 3, 32, 48);
    }
}

/* --- Batch norm, ReLU and dropout --- */

/* Rows of maps of C channels, and arrays of just C. */
enum { H = 3, W = 7, CHANNELS = 70 };

struct rows {
    int c;
    struct rs_map y, z, dz;
    float *mean, *scale, *beta, *inverse, *slope, *shift;
    struct rs_kernel_act act;
    struct rs_kernel_slope back;
    const double *start; /* of sums, [2][c] */
};

static struct rows rows_new(int c, unsigned threshold)
{
    struct rows t = {.c = c, .y = map_noise(1, H, W, c), .dz = map_noise(1, H, W, c)};
    float **const arrays[] = {&t.mean, &t.scale, &t.beta, &t.inverse, &t.slope, &t.shift};
    for (int i = 0; i < 6; i++)
        *arrays[i] = noise_array((size_t)c);
    t.z = map_like(&t.y);
    t.act = (struct rs_kernel_act){t.mean, t.scale,
                                   t.beta, threshold,
                                   1.25f,  {(uint32_t)rs_rng_next(&rng), (uint32_t)rs_rng_next(&rng)}};
    t.back = (struct rs_kernel_slope){t.act, t.inverse, t.slope, t.shift};
    float *start = noise_array(2 * (size_t)c);
    t.start = doubles(start, 2 * (size_t)c);
    free(start);
    return t;
}

static void rows_free(struct rows *t)
{
    void *all[] = {t->mean, t->scale, t->beta, t->inverse, t->slope, t->shift, (void *)t->start};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
    map_free(t->y);
    map_free(t->z);
    map_free(t->dz);
}

/* The sums of a kernel over all rows of maps, [2][c] to be freed, from where `start` left them. */
static double *sums_of(const struct rs_kernel *kernel, const struct rows *t, struct rs_map dz,
                       struct rs_map y, bool back)
{
    size_t c = (size_t)t->c;
    double *first = rs_alloc(c, sizeof *first), *second = rs_alloc(c, sizeof *second);
    double *both = rs_alloc(2 * c, sizeof *both);
    memcpy(first, t->start, c * sizeof *first);
    memcpy(second, t->start + c, c * sizeof *second);
    for (int i = 0; i < H; i++)
        if (back)
            kernel->slopes(first, second, &dz, &y, 0, i, &t->back);
        else
            kernel->moments(first, second, &y, 0, i);
    memcpy(both, first, c * sizeof *first);
    memcpy(both + c, second, c * sizeof *second);
    free(first);
    free(second);
    return both;
}

/* The same from maps that lie in larger ones. */
static bool same_sums(const struct rs_kernel *kernel, const struct rows *t, const double *sums, bool back)
{
    struct island dz = island_of(&t->dz), y = island_of(&t->y);
    double *found = sums_of(kernel, t, dz.map, y.map, back);
    bool same =
        !memcmp(found, sums, 2 * (size_t)t->c * sizeof *sums) && island_intact(&dz) && island_intact(&y);
    free(found);
    island_free(&dz);
    island_free(&y);
    return same;
}

/* The i-th pixel of a map. */
static double at(const struct rs_map *map, int i, int k)
{
    return (double)rs_map_at(map, 0, i / W, i % W)[k];
}

/* Sums of H W terms in double; squares of floats are exact there. */
static int count_wrong_moments(const struct rs_kernel *kernel, const struct rows *t)
{
    double *found = sums_of(kernel, t, t->dz, t->y, false);
    int wrong = !same_sums(kernel, t, found, false);
    for (int k = 0; k < t->c; k++) {
        double sum = t->start[k], squares = t->start[t->c + k], size = fabs(sum),
               squares_size = fabs(squares);
        for (int i = 0; i < H * W; i++) {
            double y = at(&t->y, i, k);
            sum += y;
            squares += y * y;
            size += fabs(y);
            squares_size += y * y;
        }
        wrong += !(fabs(found[k] - sum) <= 2 * H * W * 0x1p-53 * size);
        wrong += !(fabs(found[t->c + k] - squares) <= 2 * H * W * 0x1p-53 * squares_size);
    }
    free(found);
    return wrong;
}

/* Terms are floats: d is rounded once, d yhat four times; their sum is not. */
static int count_wrong_slopes(const struct rs_kernel *kernel, const struct rows *t)
{
    double *found = sums_of(kernel, t, t->dz, t->y, true), keep = (double)t->act.keep;
    int wrong = !same_sums(kernel, t, found, true);
    for (int k = 0; k < t->c; k++) {
        double dbeta = t->start[k], dgamma = t->start[t->c + k], beta_size = 0, gamma_size = 0;
        double mean = (double)t->mean[k], scale = (double)t->inverse[k];
        for (int i = 0; i < H * W; i++) {
            double d = at(&t->z, i, k) != 0 ? at(&t->dz, i, k) * keep : 0, y = at(&t->y, i, k) - mean;
            dbeta += d;
            dgamma += d * y * scale;
            beta_size += fabs(d);
            gamma_size += fabs(d * y * scale);
        }
        wrong += !(fabs(found[k] - dbeta) <= 1.01 * U * beta_size);
        wrong += !(fabs(found[t->c + k] - dgamma) <= 4.01 * U * gamma_size);
    }
    free(found);
    return wrong;
}

/* "lowbias32" with keys, a number at a time. A pixel in an even column and its right neighbour share one hash. */
static uint32_t hash_twin(uint32_t x, const uint32_t key[2])
{
    x += key[0];
    x ^= x >> 16;
    x *= 0x7feb352du;
    x += key[1];
    x ^= x >> 15;
    x *= 0x846ca68bu;
    return x ^ x >> 16;
}

static void act_rows(const struct rs_kernel *kernel, const struct rows *t, struct rs_map z, struct rs_map y)
{
    for (int i = 0; i < H; i++)
        kernel->act(&z, &y, 0, i, &t->act);
}

static bool same_act(const struct rs_kernel *kernel, const struct rows *t)
{
    struct island y = island_of(&t->y), z = island_unwritten(1, H, W, t->c), in_place = island_of(&t->y);
    act_rows(kernel, t, z.map, y.map);
    act_rows(kernel, t, in_place.map, in_place.map);
    bool same = map_same(&z.map, &t->z) && map_same(&in_place.map, &t->z) && island_intact(&z) &&
                island_intact(&in_place) && island_intact(&y);
    island_free(&y);
    island_free(&z);
    island_free(&in_place);
    return same;
}

/* Sets t's z. Roundings: difference, product, sum, product. */
static int count_wrong_act(const struct rs_kernel *kernel, const struct rows *t)
{
    act_rows(kernel, t, t->z, t->y);
    int wrong = !same_act(kernel, t) + !border_is_zero(&t->z);
    double keep = t->act.threshold ? (double)t->act.keep : 1;
    for (int i = 0; i < H * W; i++)
        for (int k = 0; k < t->c; k++) {
            double scaled = (at(&t->y, i, k) - (double)t->mean[k]) * (double)t->scale[k];
            double beta = (double)t->beta[k], wanted = keep * fmax(scaled + beta, 0);
            int left = i / W * W + i % W / 2 * 2;
            uint32_t drawn = hash_twin((uint32_t)(left * t->c + k), t->act.key);
            if ((i == left ? drawn >> 16 : drawn & 0xffff) < t->act.threshold)
                wanted = 0;
            wrong += !(fabs(at(&t->z, i, k) - wanted) <= 4 * U * keep * (fabs(scaled) + fabs(beta)));
        }
    return wrong;
}

static void back_rows(const struct rs_kernel *kernel, const struct rows *t, struct rs_map dy,
                      struct rs_map dz, struct rs_map y)
{
    for (int i = 0; i < H; i++)
        kernel->norm_back(&dy, &dz, &y, 0, i, &t->back);
}

static bool same_back(const struct rs_kernel *kernel, const struct rows *t, const struct rs_map *wanted)
{
    struct island dz = island_of(&t->dz), y = island_of(&t->y), dy = island_unwritten(1, H, W, t->c);
    back_rows(kernel, t, dy.map, dz.map, y.map);
    bool same = map_same(&dy.map, wanted) && island_intact(&dy) && island_intact(&dz);
    back_rows(kernel, t, dz.map, dz.map, y.map);
    same = same && map_same(&dz.map, wanted) && island_intact(&dz) && island_intact(&y);
    struct island *all[] = {&dz, &y, &dy};
    for (int i = 0; i < 3; i++)
        island_free(all[i]);
    return same;
}

/* Roundings: two of scale d, two of slope (y - mean), two differences, each of all that is before it. */
static int count_wrong_back(const struct rs_kernel *kernel, const struct rows *t)
{
    struct rs_map dy = map_like(&t->y);
    back_rows(kernel, t, dy, t->dz, t->y);
    int wrong = !same_back(kernel, t, &dy) + !border_is_zero(&dy);
    for (int i = 0; i < H * W; i++)
        for (int k = 0; k < t->c; k++) {
            double d = at(&t->z, i, k) != 0 ? at(&t->dz, i, k) * (double)t->act.keep : 0;
            double first = (double)t->scale[k] * d, shift = (double)t->shift[k];
            double second = (double)t->slope[k] * (at(&t->y, i, k) - (double)t->mean[k]);
            wrong += !(fabs(at(&dy, i, k) - (first - second - shift)) <=
                       4 * U * (fabs(first) + fabs(second) + fabs(shift)));
        }
    map_free(dy);
    return wrong;
}

/* --- Pooling --- */

/* A few numbers, so that many are equal. */
static float few(int i, int j, int k)
{
    (void)i, (void)j, (void)k;
    return (float)rs_rng_below(&rng, 4);
}

static void pool_rows(const struct rs_kernel *kernel, struct rs_map y, struct rs_map dx, struct rs_map dy,
                      struct rs_map x)
{
    for (int i = 0; i < H; i++) {
        kernel->pool(&y, &x, 0, i);
        kernel->pool_back(&dx, &dy, &x, 0, i);
    }
}

/* Which of four in row order is the first of the largest. */
static int largest_of(const struct rs_map *x, int i, int j, int k)
{
    int best = 0;
    for (int d = 1; d < 4; d++)
        if (rs_map_at(x, 0, 2 * i + d / 2, 2 * j + d % 2)[k] >
            rs_map_at(x, 0, 2 * i + best / 2, 2 * j + best % 2)[k])
            best = d;
    return best;
}

/* Where dx was `before`; everything is exact. */
static int count_pool_twin(const struct rs_map *y, const struct rs_map *dx, const struct rs_map *before,
                           const struct rs_map *dy, const struct rs_map *x)
{
    int wrong = 0;
    for (int at = 0; at < H * W * x->c; at++) {
        int i = at / (W * x->c), j = at / x->c % W, k = at % x->c, best = largest_of(x, i, j, k);
        wrong += rs_map_at(y, 0, i, j)[k] != rs_map_at(x, 0, 2 * i + best / 2, 2 * j + best % 2)[k];
        for (int d = 0; d < 4; d++) {
            float was = rs_map_at(before, 0, 2 * i + d / 2, 2 * j + d % 2)[k];
            wrong += rs_map_at(dx, 0, 2 * i + d / 2, 2 * j + d % 2)[k] !=
                     (d == best ? was + rs_map_at(dy, 0, i, j)[k] : was);
        }
    }
    return wrong;
}

static int count_wrong_pool(const struct rs_kernel *kernel, int c)
{
    struct rs_map x = map_new(1, 2 * H, 2 * W, c), dy = map_noise(1, H, W, c), y = map_like(&dy),
                  before = map_noise(1, 2 * H, 2 * W, c), dx = map_like(&before);
    refill(&x, few);
    map_copy(dx, &before);
    struct island in = island_of(&x), from = island_of(&dy), to = island_of(&before),
                  out = island_unwritten(1, H, W, c);
    pool_rows(kernel, y, dx, dy, x);
    pool_rows(kernel, out.map, to.map, from.map, in.map);
    int wrong = count_pool_twin(&y, &dx, &before, &dy, &x) + !map_same(&out.map, &y) +
                !map_same(&to.map, &dx) + !border_is_zero(&y) + !border_is_zero(&dx);
    struct rs_map *maps[] = {&x, &dy, &y, &before, &dx};
    struct island *islands[] = {&in, &from, &to, &out};
    for (int i = 0; i < 4; i++) {
        wrong += !island_intact(islands[i]);
        island_free(islands[i]);
    }
    for (int i = 0; i < 5; i++)
        map_free(*maps[i]);
    return wrong;
}

static void test_pointwise(const struct rs_kernel *kernel)
{
    int wrong[5] = {0};
    for (int c = 1; c <= CHANNELS; c++) {
        wrong[4] += count_wrong_pool(kernel, c);
        for (unsigned threshold = 0; threshold <= 32768; threshold += 16384) {
            struct rows t = rows_new(c, threshold);
            wrong[0] += count_wrong_moments(kernel, &t);
            wrong[1] += count_wrong_act(kernel, &t);
            wrong[2] += count_wrong_slopes(kernel, &t);
            wrong[3] += count_wrong_back(kernel, &t);
            rows_free(&t);
        }
    }
    static const char *const names[] = {"moments", "act", "slopes", "norm_back", "pool and pool_back"};
    for (int i = 0; i < 5; i++)
        ok(wrong[i] == 0, "%s, %s: %d wrong of 1 to %d channels", kernel->name, names[i], wrong[i], CHANNELS);
}

int main(void)
{
    rng = rs_rng_at(1, "test", 0, 0);
    find_sets();
    test_small_maps();
    test_channels();
    test_large_maps();
    test_hard_data();
    test_all_windows();
    for (int i = 0; i < set_count; i++)
        test_pointwise(sets[i]);
    return done();
}
