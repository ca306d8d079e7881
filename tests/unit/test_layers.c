/* Layers and the whole network against naive twins in double, and gradients against the twins' central
 * differences.
 *
 * U is a float's rounding. A sum of K products, in whatever order it is taken, errs by at most K U times the
 * sum of the products' magnitudes (Higham, "Accuracy and Stability of Numerical Algorithms", 2002,
 * section 3.1), so a twin that is run on magnitudes says what tolerance each entry has. */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "base/thread.h"
#include "blas/gemm.h"
#include "layer/act.h"
#include "layer/conv.h"
#include "layer/loss.h"
#include "layer/norm.h"
#include "layer/pool.h"
#include "layer/up.h"
#include "network/pass.h"
#include "tap.h"

static const double U = 0x1p-24;

/* Of the largest entry of a gradient. Sums of at most 300 terms err by 300 U = 2e-5 of the terms' magnitudes;
 * this leaves a factor of five to terms that cancel. */
static const double GRADIENT = 1e-4;

/* The twins' maps: double, without a border. */
struct field {
    int n, h, w, c;
    double *v;
};

static size_t cells(const struct field *f)
{
    return (size_t)f->n * (size_t)f->h * (size_t)f->w * (size_t)f->c;
}

static struct field field_new(int n, int h, int w, int c)
{
    struct field f = {n, h, w, c, NULL};
    f.v = rs_alloc(cells(&f), sizeof *f.v);
    return f;
}

/* The [c] of a pixel; NULL outside the image. */
static double *field_at(const struct field *f, int n, int y, int x)
{
    if (y < 0 || x < 0 || y >= f->h || x >= f->w)
        return NULL;
    return f->v + (((size_t)n * (size_t)f->h + (size_t)y) * (size_t)f->w + (size_t)x) * (size_t)f->c;
}

static struct rs_map map_new(int n, int h, int w, int c)
{
    struct rs_map map = {NULL, n, h, w, c};
    map.data = rs_alloc((size_t)n * rs_map_image(&map), sizeof *map.data);
    return map;
}

static size_t map_bytes(const struct rs_map *map)
{
    return (size_t)map->n * rs_map_image(map) * sizeof *map->data;
}

/* NaN in every pixel, none in the border: what a layer does not write will show. */
static struct rs_map map_unwritten(int n, int h, int w, int c)
{
    struct rs_map map = map_new(n, h, w, c);
    for (int row = 0; row < n * h; row++)
        for (int i = 0; i < w * c; i++)
            rs_map_at(&map, row / h, row % h, 0)[i] = (float)NAN;
    return map;
}

static struct rs_map map_like(const struct rs_map *map)
{
    return map_unwritten(map->n, map->h, map->w, map->c);
}

static struct field field_of(const struct rs_map *map)
{
    struct field f = field_new(map->n, map->h, map->w, map->c);
    double *to = f.v;
    for (int row = 0; row < map->n * map->h; row++)
        for (int i = 0; i < map->w * map->c; i++)
            *to++ = (double)rs_map_at(map, row / map->h, row % map->h, 0)[i];
    return f;
}

static struct rs_rng rng;

/* Uniform in [-1, 1). */
static float noise(void)
{
    return (float)(2 * rs_rng_uniform(&rng) - 1);
}

static struct rs_map map_noise(int n, int h, int w, int c)
{
    struct rs_map map = map_new(n, h, w, c);
    for (int row = 0; row < n * h; row++)
        for (int i = 0; i < w * c; i++)
            rs_map_at(&map, row / h, row % h, 0)[i] = noise();
    return map;
}

static float *noise_array(size_t count)
{
    float *values = rs_alloc(count, sizeof *values);
    for (size_t i = 0; i < count; i++)
        values[i] = noise();
    return values;
}

static double *doubles(const float *values, size_t count)
{
    double *copy = rs_alloc(count, sizeof *copy);
    for (size_t i = 0; i < count; i++)
        copy[i] = (double)values[i];
    return copy;
}

static void make_positive(double *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        values[i] = fabs(values[i]);
}

static bool border_is_zero(const struct rs_map *map)
{
    for (int n = 0; n < map->n; n++)
        for (int y = -1; y <= map->h; y++)
            for (int x = -1; x <= map->w; x++) {
                bool inside = y >= 0 && y < map->h && x >= 0 && x < map->w;
                for (int k = 0; !inside && k < map->c; k++)
                    if (rs_map_at(map, n, y, x)[k] != 0)
                        return false;
            }
    return true;
}

/* How many are further from what is wanted than `terms` roundings of their magnitude; NaN is far. */
static int count_far(const double *found, const double *wanted, const double *magnitude, size_t count,
                     double terms)
{
    int far = 0;
    for (size_t i = 0; i < count; i++)
        far += !(fabs(found[i] - wanted[i]) <= (terms + 1) * U * magnitude[i]);
    return far;
}

static void check_map(const struct rs_map *found, const struct field *wanted, const struct field *magnitude,
                      double terms, const char *name)
{
    struct field f = field_of(found);
    int far = count_far(f.v, wanted->v, magnitude->v, cells(&f), terms);
    ok(far == 0 && border_is_zero(found), "%s: %d of %zu entries off, border zero", name, far, cells(&f));
    free(f.v);
}

static void check_array(const float *found, const double *wanted, const double *magnitude, size_t count,
                        double terms, const char *name)
{
    double *f = doubles(found, count);
    int far = count_far(f, wanted, magnitude, count, terms);
    ok(far == 0, "%s: %d of %zu entries off", name, far, count);
    free(f);
}

/* --- Central differences --- */

/* A scalar function of variables that lie where its context points. */
struct function {
    double (*of)(const void *context);
    const void *context;
};

static double slope(const struct function *f, double *variable, double step)
{
    double here = *variable;
    *variable = here + step;
    double up = f->of(f->context);
    *variable = here - step;
    double down = f->of(f->context);
    *variable = here;
    return (up - down) / (2 * step);
}

/* Every entry of `found` against the slope by its variable. The step of 1e-6 leaves truncation and rounding
 * of double below 1e-9 of values of order 1. */
static void check_slopes(const struct function *f, double *variables, size_t count, const double *found,
                         const char *name)
{
    double most = 0, largest = 0;
    for (size_t i = 0; i < count; i++) {
        double wanted = slope(f, &variables[i], 1e-6);
        most = fmax(most, fabs(found[i] - wanted));
        largest = fmax(largest, fabs(wanted));
        if (isnan(found[i]))
            most = (double)INFINITY;
    }
    near(most / largest, 0, GRADIENT, "%s: all %zu entries by central differences", name, count);
}

static void check_slopes_map(const struct function *f, const struct field *variables,
                             const struct rs_map *found, const char *name)
{
    struct field d = field_of(found);
    check_slopes(f, variables->v, cells(variables), d.v, name);
    free(d.v);
}

static void check_slopes_array(const struct function *f, double *variables, size_t count, const float *found,
                               const char *name)
{
    double *d = doubles(found, count);
    check_slopes(f, variables, count, d, name);
    free(d);
}

static double weighed_sum(const struct field *weights, const struct field *y)
{
    double sum = 0;
    for (size_t i = 0; i < cells(y); i++)
        sum += weights->v[i] * y->v[i];
    return sum;
}

/* --- Maps --- */

static void test_map(void)
{
    const int heights[] = {1, 15, 16, 17, 33};
    for (size_t k = 0; k < sizeof heights / sizeof *heights; k++) {
        struct rs_map map = {NULL, 3, heights[k], 2, 1};
        int wrong = 0, next = 0;
        for (int shard = 0; shard < rs_map_bands(&map); shard++) {
            struct rs_band band = rs_map_band(&map, shard);
            wrong += band.image * map.h + band.from != next || band.to <= band.from;
            next = band.image * map.h + band.to;
        }
        ok(wrong == 0 && next == 3 * map.h, "bands of 3 maps %d high: every row once, in order", map.h);
    }
    struct rs_map map = map_new(2, 3, 4, 5);
    ok(rs_map_image(&map) == 5 * 6 * 5 && rs_map_at(&map, 0, -1, -1) == map.data &&
           rs_map_at(&map, 1, 3, 4) + 5 == map.data + 2 * rs_map_image(&map),
       "the border is the first and the last that a map has");
    free(map.data);
}

/* --- Convolution --- */

struct kernel {
    int size;
    const double *w, *b; /* b may be NULL */
};

static size_t kernel_weights(int size, int ci, int co)
{
    return (size_t)(size * size * ci) * (size_t)co;
}

/* The weights [ci][co] of tap (p, q). */
static size_t tap(int size, int p, int q, int ci, int co)
{
    return (size_t)((p * size + q) * ci) * (size_t)co;
}

static void add_product(double *y, const double *x, const double *w, int ci, int co)
{
    for (int c = 0; c < ci; c++)
        for (int o = 0; o < co; o++)
            y[o] += x[c] * w[c * co + o];
}

static struct field conv_twin(const struct field *x, int co, const struct kernel *k)
{
    struct field y = field_new(x->n, x->h, x->w, co);
    int reach = k->size / 2;
    for (int at = 0; at < y.n * y.h * y.w; at++) {
        int n = at / (y.h * y.w), i = at / y.w % y.h, j = at % y.w;
        double *to = field_at(&y, n, i, j);
        if (k->b)
            memcpy(to, k->b, (size_t)co * sizeof *to);
        for (int p = 0; p < k->size; p++)
            for (int q = 0; q < k->size; q++) {
                const double *from = field_at(x, n, i + p - reach, j + q - reach);
                if (from)
                    add_product(to, from, k->w + tap(k->size, p, q, x->c, co), x->c, co);
            }
    }
    return y;
}

/* What a convolution's inputs get back. */
struct conv_gradient {
    struct field dx;
    double *dw, *db;
};

static void conv_gradient_free(struct conv_gradient *g)
{
    free(g->dx.v);
    free(g->dw);
    free(g->db);
}

/* The chain rule, product by product. */
static void return_product(const struct conv_gradient *g, double *dx, const double *x, const double *dy,
                           size_t at, const double *w, int co)
{
    for (int c = 0; c < g->dx.c; c++)
        for (int o = 0; o < co; o++) {
            dx[c] += dy[o] * w[at + (size_t)(c * co + o)];
            g->dw[at + (size_t)(c * co + o)] += dy[o] * x[c];
        }
}

static struct conv_gradient conv_back_twin(const struct field *dy, const struct field *x,
                                           const struct kernel *k)
{
    struct conv_gradient g = {field_new(x->n, x->h, x->w, x->c),
                              rs_alloc(kernel_weights(k->size, x->c, dy->c), sizeof(double)),
                              rs_alloc((size_t)dy->c, sizeof(double))};
    int reach = k->size / 2;
    for (int at = 0; at < dy->n * dy->h * dy->w; at++) {
        int n = at / (dy->h * dy->w), i = at / dy->w % dy->h, j = at % dy->w;
        const double *from = field_at(dy, n, i, j);
        for (int o = 0; o < dy->c; o++)
            g.db[o] += from[o];
        for (int p = 0; p < k->size; p++)
            for (int q = 0; q < k->size; q++) {
                double *dx = field_at(&g.dx, n, i + p - reach, j + q - reach);
                if (dx)
                    return_product(&g, dx, field_at(x, n, i + p - reach, j + q - reach), from,
                                   tap(k->size, p, q, x->c, dy->c), k->w, dy->c);
            }
    }
    return g;
}

/* A convolution with its data, in float and in double. */
struct conv_case {
    int size, ci, co;
    struct rs_map x, dy;
    float *w, *b, *scratch;
    struct rs_conv conv;
    struct field xd, dyd;
    double *wd, *bd;
    struct kernel kernel;
};

static struct conv_case conv_case_new(int size, bool bias, int n, int h, int w, int ci, int co)
{
    struct conv_case t = {.size = size, .ci = ci, .co = co};
    t.x = map_noise(n, h, w, ci);
    t.dy = map_noise(n, h, w, co);
    t.w = noise_array(kernel_weights(size, ci, co));
    t.b = noise_array((size_t)co);
    t.scratch = rs_alloc(rs_conv_scratch(size, ci, co), sizeof *t.scratch);
    t.conv = (struct rs_conv){size, t.w, bias ? t.b : NULL, t.scratch};
    t.xd = field_of(&t.x);
    t.dyd = field_of(&t.dy);
    t.wd = doubles(t.w, kernel_weights(size, ci, co));
    t.bd = doubles(t.b, (size_t)co);
    t.kernel = (struct kernel){size, t.wd, bias ? t.bd : NULL};
    return t;
}

static void conv_case_free(struct conv_case *t)
{
    void *all[] = {t->x.data, t->dy.data, t->w, t->b, t->scratch, t->xd.v, t->dyd.v, t->wd, t->bd};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
}

static void conv_case_make_positive(struct conv_case *t)
{
    make_positive(t->xd.v, cells(&t->xd));
    make_positive(t->dyd.v, cells(&t->dyd));
    make_positive(t->wd, kernel_weights(t->size, t->ci, t->co));
    make_positive(t->bd, (size_t)t->co);
}

static void check_conv_forward(struct conv_case *t, const struct field *wanted, const struct field *magnitude,
                               const char *name)
{
    char full[128];
    struct rs_map y = map_like(&t->dy);
    rs_conv_forward(y, t->x, &t->conv);
    snprintf(full, sizeof full, "%s: forward", name);
    check_map(&y, wanted, magnitude, t->size * t->size * t->ci + 1, full);
    free(y.data);
}

static void check_conv_backward(struct conv_case *t, const struct conv_gradient *wanted,
                                const struct conv_gradient *magnitude, const char *name)
{
    char full[128];
    size_t weights = kernel_weights(t->size, t->ci, t->co);
    double pixels = t->x.n * t->x.h * t->x.w;
    struct rs_map dx = map_like(&t->x);
    float *dw = rs_alloc(weights, sizeof *dw), *db = rs_alloc((size_t)t->co, sizeof *db);
    dw[0] = db[0] = (float)NAN;
    rs_conv_backward_data(dx, t->dy, &t->conv);
    rs_conv_backward_weights(dw, db, t->dy, t->x, &t->conv);
    snprintf(full, sizeof full, "%s: gradient of the data", name);
    check_map(&dx, &wanted->dx, &magnitude->dx, t->size * t->size * t->co, full);
    snprintf(full, sizeof full, "%s: gradient of the weights", name);
    check_array(dw, wanted->dw, magnitude->dw, weights, pixels, full);
    snprintf(full, sizeof full, "%s: gradient of the bias", name);
    check_array(db, wanted->db, magnitude->db, (size_t)t->co, pixels, full);
    free(dx.data);
    free(dw);
    free(db);
}

static void test_conv_case(struct conv_case *t, const char *name)
{
    struct field y = conv_twin(&t->xd, t->co, &t->kernel);
    struct conv_gradient g = conv_back_twin(&t->dyd, &t->xd, &t->kernel);
    conv_case_make_positive(t);
    struct field y_size = conv_twin(&t->xd, t->co, &t->kernel);
    struct conv_gradient g_size = conv_back_twin(&t->dyd, &t->xd, &t->kernel);
    check_conv_forward(t, &y, &y_size, name);
    check_conv_backward(t, &g, &g_size, name);
    free(y.v);
    free(y_size.v);
    conv_gradient_free(&g);
    conv_gradient_free(&g_size);
}

/* 37 x 31 and 3 x 600 are more than one block of positions, 2 x 255 is just one; 17 images are more than
 * there are shards. */
static void test_conv(void)
{
    const struct {
        int n, h, w, ci, co;
    } sizes[] = {{1, 1, 1, 1, 1},   {1, 1, 7, 2, 3},   {1, 7, 1, 3, 2},    {2, 3, 5, 5, 16},
                 {17, 5, 3, 3, 5},  {17, 1, 2, 1, 2},  {2, 9, 11, 16, 33}, {1, 6, 4, 33, 16},
                 {2, 37, 31, 3, 5}, {1, 3, 600, 2, 1}, {1, 2, 255, 2, 2}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (int kind = 0; kind < 4; kind++) {
            char name[96];
            int size = kind & 1 ? 3 : 1;
            struct conv_case t =
                conv_case_new(size, kind & 2, sizes[i].n, sizes[i].h, sizes[i].w, sizes[i].ci, sizes[i].co);
            snprintf(name, sizeof name, "%dx%d%s, %d to %d channels, %d of %d x %d", size, size,
                     kind & 2 ? " with bias" : "", t.ci, t.co, t.x.n, t.x.w, t.x.h);
            test_conv_case(&t, name);
            conv_case_free(&t);
        }
}

static double conv_function(const void *context)
{
    const struct conv_case *t = context;
    struct field y = conv_twin(&t->xd, t->co, &t->kernel);
    double sum = weighed_sum(&t->dyd, &y);
    free(y.v);
    return sum;
}

static void test_conv_slopes(void)
{
    for (int size = 1; size <= 3; size += 2) {
        char name[64];
        struct conv_case t = conv_case_new(size, true, 2, 3, 4, 3, 2);
        struct function f = {conv_function, &t};
        struct rs_map dx = map_like(&t.x);
        float dw[9 * 3 * 2], db[2];
        rs_conv_backward_data(dx, t.dy, &t.conv);
        rs_conv_backward_weights(dw, db, t.dy, t.x, &t.conv);
        snprintf(name, sizeof name, "%dx%d convolution", size, size);
        check_slopes_map(&f, &t.xd, &dx, name);
        check_slopes_array(&f, t.wd, kernel_weights(size, 3, 2), dw, name);
        check_slopes_array(&f, t.bd, 2, db, name);
        free(dx.data);
        conv_case_free(&t);
    }
}

/* --- Pooling, upsampling, joining --- */

static const int channel_counts[] = {1, 2, 3, 5, 16, 33};
enum { CHANNEL_COUNTS = sizeof channel_counts / sizeof *channel_counts };

static struct field pool_twin(const struct field *x)
{
    struct field y = field_new(x->n, x->h / 2, x->w / 2, x->c);
    for (int at = 0; at < y.n * y.h * y.w; at++)
        for (int k = 0; k < x->c; k++) {
            int n = at / (y.h * y.w), i = at / y.w % y.h, j = at % y.w;
            double most = field_at(x, n, 2 * i, 2 * j)[k];
            for (int d = 1; d < 4; d++)
                most = fmax(most, field_at(x, n, 2 * i + d / 2, 2 * j + d % 2)[k]);
            field_at(&y, n, i, j)[k] = most;
        }
    return y;
}

static struct field up_twin(const struct field *x)
{
    struct field y = field_new(x->n, 2 * x->h, 2 * x->w, x->c);
    for (int at = 0; at < y.n * y.h * y.w; at++) {
        int n = at / (y.h * y.w), i = at / y.w % y.h, j = at % y.w;
        memcpy(field_at(&y, n, i, j), field_at(x, n, i / 2, j / 2), (size_t)x->c * sizeof *x->v);
    }
    return y;
}

static struct field join_twin(const struct field *a, const struct field *b)
{
    struct field y = field_new(a->n, a->h, a->w, a->c + b->c);
    for (size_t at = 0; at < cells(a) / (size_t)a->c; at++) {
        double *to = y.v + at * (size_t)y.c;
        memcpy(to, a->v + at * (size_t)a->c, (size_t)a->c * sizeof *to);
        memcpy(to + a->c, b->v + at * (size_t)b->c, (size_t)b->c * sizeof *to);
    }
    return y;
}

static void test_pool(void)
{
    for (int i = 0; i < CHANNEL_COUNTS; i++) {
        char name[64];
        int n = i % 2 ? 17 : 1, h = 2 + 6 * i, w = 40 - 6 * i;
        struct rs_map x = map_noise(n, h, w, channel_counts[i]);
        struct rs_map y = map_unwritten(n, h / 2, w / 2, x.c);
        struct field xd = field_of(&x), wanted = pool_twin(&xd);
        rs_pool_forward(y, x);
        snprintf(name, sizeof name, "pooling %d of %d x %d, %d channels", n, w, h, x.c);
        struct field nothing = field_new(n, h / 2, w / 2, x.c);
        check_map(&y, &wanted, &nothing, 0, name);
        free(x.data);
        free(y.data);
        free(xd.v);
        free(wanted.v);
        free(nothing.v);
    }
}

/* A layer of one input without parameters: y = twin(x), seen through weights dy. */
struct plain_case {
    struct field (*twin)(const struct field *x);
    struct field x, dy;
};

static double plain_function(const void *context)
{
    const struct plain_case *t = context;
    struct field y = t->twin(&t->x);
    double sum = weighed_sum(&t->dy, &y);
    free(y.v);
    return sum;
}

static void check_plain(struct field (*twin)(const struct field *), const struct rs_map *x,
                        const struct rs_map *dy, const struct rs_map *dx, const char *name)
{
    struct plain_case t = {twin, field_of(x), field_of(dy)};
    struct function f = {plain_function, &t};
    check_slopes_map(&f, &t.x, dx, name);
    free(t.x.v);
    free(t.dy.v);
}

static void test_pool_slopes(void)
{
    struct rs_map x = map_noise(2, 6, 4, 3), dy = map_noise(2, 3, 2, 3), dx = map_new(2, 6, 4, 3);
    rs_pool_backward(dx, dy, x);
    check_plain(pool_twin, &x, &dy, &dx, "pooling");
    rs_pool_backward(dx, dy, x);
    struct field twice = field_of(&dx);
    int far = 0;
    memset(dx.data, 0, map_bytes(&dx));
    rs_pool_backward(dx, dy, x);
    struct field once = field_of(&dx);
    for (size_t i = 0; i < cells(&once); i++)
        far += twice.v[i] != 2 * once.v[i];
    ok(far == 0 && border_is_zero(&dx), "pooling adds to the gradient that is there");
    free(once.v);
    free(twice.v);
    free(x.data);
    free(dy.data);
    free(dx.data);
}

/* Each row: the four in row order, and which of them gets the gradient. */
static void test_pool_ties(void)
{
    const struct {
        float x[4];
        int first;
    } ties[] = {{{0, 0, 0, 0}, 0}, {{1, 1, 0, 1}, 0},     {{0, 1, 1, 0}, 1},     {{0, 0, 1, 1}, 2},
                {{0, 1, 0, 1}, 1}, {{-1, -2, -1, -1}, 0}, {{-3, -2, -1, -1}, 2}, {{0, 0, 0, 1}, 3}};
    for (size_t i = 0; i < sizeof ties / sizeof *ties; i++) {
        struct rs_map x = map_new(1, 2, 2, 1), dx = map_new(1, 2, 2, 1), dy = map_new(1, 1, 1, 1);
        int wrong = 0;
        *rs_map_at(&dy, 0, 0, 0) = 1;
        for (int k = 0; k < 4; k++)
            *rs_map_at(&x, 0, k / 2, k % 2) = ties[i].x[k];
        rs_pool_backward(dx, dy, x);
        for (int k = 0; k < 4; k++)
            wrong += *rs_map_at(&dx, 0, k / 2, k % 2) != (float)(k == ties[i].first);
        ok(wrong == 0, "of equals the first in row order: %g %g %g %g", (double)ties[i].x[0],
           (double)ties[i].x[1], (double)ties[i].x[2], (double)ties[i].x[3]);
        free(x.data);
        free(dx.data);
        free(dy.data);
    }
}

/* The sum of four: three roundings. */
static struct field up_back_twin(const struct field *dy)
{
    struct field dx = field_new(dy->n, dy->h / 2, dy->w / 2, dy->c);
    for (int at = 0; at < dy->n * dy->h * dy->w; at++) {
        int n = at / (dy->h * dy->w), i = at / dy->w % dy->h, j = at % dy->w;
        for (int k = 0; k < dy->c; k++)
            field_at(&dx, n, i / 2, j / 2)[k] += field_at(dy, n, i, j)[k];
    }
    return dx;
}

static void check_up_backward(const struct rs_map *dy, int n, int h, int w, int c)
{
    char name[64];
    struct rs_map dx = map_unwritten(n, h, w, c);
    struct field dyd = field_of(dy), wanted = up_back_twin(&dyd);
    make_positive(dyd.v, cells(&dyd));
    struct field magnitude = up_back_twin(&dyd);
    rs_up_backward(dx, *dy);
    snprintf(name, sizeof name, "upsampling %d of %d x %d, %d channels: gradient", n, w, h, c);
    check_map(&dx, &wanted, &magnitude, 3, name);
    free(dx.data);
    free(dyd.v);
    free(wanted.v);
    free(magnitude.v);
}

static void test_up(void)
{
    for (int i = 0; i < CHANNEL_COUNTS; i++) {
        char name[64];
        int n = i % 2 ? 17 : 1, h = 1 + 4 * i, w = 19 - 3 * i, c = channel_counts[i];
        struct rs_map x = map_noise(n, h, w, c), y = map_unwritten(n, 2 * h, 2 * w, c);
        struct rs_map dy = map_noise(n, 2 * h, 2 * w, c);
        struct field xd = field_of(&x), wanted = up_twin(&xd), nothing = field_new(n, 2 * h, 2 * w, c);
        rs_up_forward(y, x);
        snprintf(name, sizeof name, "upsampling %d of %d x %d, %d channels", n, w, h, c);
        check_map(&y, &wanted, &nothing, 0, name);
        check_up_backward(&dy, n, h, w, c);
        void *all[] = {x.data, y.data, dy.data, xd.v, wanted.v, nothing.v};
        for (size_t k = 0; k < sizeof all / sizeof *all; k++)
            free(all[k]);
    }
}

static void test_up_slopes(void)
{
    struct rs_map x = map_noise(2, 3, 2, 3), dy = map_noise(2, 6, 4, 3), dx = map_like(&x);
    rs_up_backward(dx, dy);
    check_plain(up_twin, &x, &dy, &dx, "upsampling");
    free(x.data);
    free(dy.data);
    free(dx.data);
}

static void test_join_case(int n, int h, int w, int ca, int cb)
{
    char name[96];
    struct rs_map a = map_noise(n, h, w, ca), b = map_noise(n, h, w, cb), y = map_unwritten(n, h, w, ca + cb);
    struct rs_map da = map_like(&a), db = map_like(&b);
    struct field ad = field_of(&a), bd = field_of(&b), wanted = join_twin(&ad, &bd);
    struct field nothing = field_new(n, h, w, ca + cb);
    rs_join_forward(y, a, b);
    snprintf(name, sizeof name, "joining %d and %d channels, %d of %d x %d", ca, cb, n, w, h);
    check_map(&y, &wanted, &nothing, 0, name);
    rs_join_backward(da, db, y); /* its own result given back comes apart into what it was */
    check_map(&da, &ad, &nothing, 0, "  the first comes back");
    check_map(&db, &bd, &nothing, 0, "  and the second");
    void *all[] = {a.data, b.data, y.data, da.data, db.data, ad.v, bd.v, wanted.v, nothing.v};
    for (size_t k = 0; k < sizeof all / sizeof *all; k++)
        free(all[k]);
}

struct join_case {
    struct field a, b, dy;
};

static double join_function(const void *context)
{
    const struct join_case *t = context;
    struct field y = join_twin(&t->a, &t->b);
    double sum = weighed_sum(&t->dy, &y);
    free(y.v);
    return sum;
}

static void test_join_slopes(void)
{
    struct rs_map a = map_noise(2, 3, 2, 1), b = map_noise(2, 3, 2, 3), dy = map_noise(2, 3, 2, 4);
    struct rs_map da = map_like(&a), db = map_like(&b);
    struct join_case t = {field_of(&a), field_of(&b), field_of(&dy)};
    struct function f = {join_function, &t};
    rs_join_backward(da, db, dy);
    check_slopes_map(&f, &t.a, &da, "joining, the first");
    check_slopes_map(&f, &t.b, &db, "joining, the second");
    void *all[] = {a.data, b.data, dy.data, da.data, db.data, t.a.v, t.b.v, t.dy.v};
    for (size_t k = 0; k < sizeof all / sizeof *all; k++)
        free(all[k]);
}

static void test_joins(void)
{
    test_join_case(1, 1, 1, 1, 1);
    test_join_case(17, 3, 5, 2, 3);
    test_join_case(2, 17, 7, 16, 5);
    test_join_case(1, 33, 1, 33, 33);
}

/* --- Batch norm --- */

/* A channel's mean and biased variance, in two passes. */
static void moments(const struct field *y, int channel, double *mean, double *variance)
{
    size_t pixels = cells(y) / (size_t)y->c;
    *mean = *variance = 0;
    for (size_t i = 0; i < pixels; i++)
        *mean += y->v[i * (size_t)y->c + (size_t)channel] / (double)pixels;
    for (size_t i = 0; i < pixels; i++) {
        double deviation = y->v[i * (size_t)y->c + (size_t)channel] - *mean;
        *variance += deviation * deviation / (double)pixels;
    }
}

static struct field norm_twin(const struct field *y, const double *gamma, const double *beta)
{
    struct field z = field_new(y->n, y->h, y->w, y->c);
    for (int k = 0; k < y->c; k++) {
        double mean, variance;
        moments(y, k, &mean, &variance);
        for (size_t i = (size_t)k; i < cells(y); i += (size_t)y->c)
            z.v[i] = (y->v[i] - mean) / sqrt(variance + 1e-5) * gamma[k] + beta[k];
    }
    return z;
}

/* A batch norm with its data, in float and in double. */
struct norm_case {
    int c;
    struct rs_map y, dz;
    float *gamma, *beta, *running_mean, *running_variance;
    struct rs_norm norm;
    struct field yd, dzd;
    double *gammad, *betad;
};

static struct norm_case norm_case_of(struct rs_map y)
{
    size_t c = (size_t)y.c;
    struct norm_case t = {.c = y.c, .y = y, .dz = map_noise(y.n, y.h, y.w, y.c)};
    t.gamma = noise_array(c);
    t.beta = noise_array(c);
    t.running_mean = rs_alloc(c, sizeof(float));
    t.running_variance = rs_alloc(c, sizeof(float));
    t.norm = (struct rs_norm){t.gamma, t.beta, rs_alloc(c, sizeof(float)), rs_alloc(c, sizeof(float)),
                              rs_alloc(rs_norm_sums(&y), sizeof(double))};
    t.yd = field_of(&y);
    t.dzd = field_of(&t.dz);
    t.gammad = doubles(t.gamma, c);
    t.betad = doubles(t.beta, c);
    for (int k = 0; k < t.c; k++)
        t.running_variance[k] = 1;
    return t;
}

static void norm_case_free(struct norm_case *t)
{
    void *all[] = {t->y.data,          t->dz.data, t->gamma, t->beta,   t->norm.mean, t->norm.inverse,
                   t->norm.sums,       t->yd.v,    t->dzd.v, t->gammad, t->betad,     t->running_mean,
                   t->running_variance};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
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
            size.v[i] = (fabs(t->yd.v[i] - mean) + fabs(mean)) * inverse * gamma + fabs(t->betad[k]);
    }
    return size;
}

static void check_norm_forward(struct norm_case *t, const char *name)
{
    char full[96];
    struct rs_map z = map_like(&t->y);
    struct field wanted = norm_twin(&t->yd, t->gammad, t->betad), size = norm_magnitude(t);
    rs_norm_measure(&t->norm, t->y, t->running_mean, t->running_variance);
    rs_norm_forward(z, t->y, &t->norm);
    snprintf(full, sizeof full, "%s: forward", name);
    check_map(&z, &wanted, &size, 5, full);
    free(wanted.v);
    free(size.v);
    free(z.data);
}

/* The gradients of one channel by the formula of the paper, and in `size` what rounding can do to them: as
 * forward, the mean's rounding is |mean| inverse, times whatever yhat is multiplied with. */
struct norm_gradient {
    double dgamma, dbeta, dgamma_size, dbeta_size;
};

static struct norm_gradient norm_back_twin(const struct norm_case *t, int k, struct field *dy,
                                           struct field *size)
{
    struct norm_gradient g = {0};
    double mean, variance, count = (double)cells(&t->yd) / t->c;
    moments(&t->yd, k, &mean, &variance);
    double inverse = 1 / sqrt(variance + 1e-5), gamma = t->gammad[k];
    for (size_t i = (size_t)k; i < cells(&t->yd); i += (size_t)t->c) {
        double dz = t->dzd.v[i], hat = (t->yd.v[i] - mean) * inverse;
        g.dbeta += dz;
        g.dgamma += dz * hat;
        g.dbeta_size += fabs(dz);
        g.dgamma_size += fabs(dz) * (fabs(hat) + fabs(mean) * inverse);
    }
    for (size_t i = (size_t)k; i < cells(&t->yd); i += (size_t)t->c) {
        double dz = t->dzd.v[i], hat = (t->yd.v[i] - mean) * inverse,
               hat_size = fabs(hat) + fabs(mean) * inverse;
        dy->v[i] = gamma * inverse * (dz - g.dbeta / count - hat * g.dgamma / count);
        size->v[i] =
            fabs(gamma) * inverse * (fabs(dz) + g.dbeta_size / count + hat_size * g.dgamma_size / count);
    }
    return g;
}

static void check_norm_backward(struct norm_case *t, const char *name)
{
    char full[96];
    int off = 0;
    struct rs_map dy = map_like(&t->y);
    struct field wanted = field_new(dy.n, dy.h, dy.w, dy.c), size = field_new(dy.n, dy.h, dy.w, dy.c);
    float *dgamma = rs_alloc((size_t)t->c, sizeof *dgamma), *dbeta = rs_alloc((size_t)t->c, sizeof *dbeta);
    rs_norm_backward(dy, dgamma, dbeta, t->dz, t->y, &t->norm);
    for (int k = 0; k < t->c; k++) {
        struct norm_gradient g = norm_back_twin(t, k, &wanted, &size);
        off += !(fabs((double)dgamma[k] - g.dgamma) <= 6 * U * g.dgamma_size);
        off += !(fabs((double)dbeta[k] - g.dbeta) <= 2 * U * g.dbeta_size);
    }
    snprintf(full, sizeof full, "%s: gradient of the data", name);
    check_map(&dy, &wanted, &size, 12, full);
    ok(off == 0, "%s: gradients of gamma and beta", name);
    void *all[] = {dy.data, wanted.v, size.v, dgamma, dbeta};
    for (size_t k = 0; k < sizeof all / sizeof *all; k++)
        free(all[k]);
}

static void check_norm_in_place(struct norm_case *t)
{
    struct rs_map apart = map_like(&t->y), dy = map_like(&t->y);
    float dgamma[2][64], dbeta[2][64];
    rs_norm_forward(apart, t->y, &t->norm);
    rs_norm_backward(dy, dgamma[0], dbeta[0], t->dz, t->y, &t->norm);
    rs_norm_backward(t->dz, dgamma[1], dbeta[1], t->dz, t->y, &t->norm);
    ok(!memcmp(t->dz.data, dy.data, map_bytes(&dy)) &&
           !memcmp(dgamma[0], dgamma[1], (size_t)t->c * sizeof(float)) &&
           !memcmp(dbeta[0], dbeta[1], (size_t)t->c * sizeof(float)),
       "  the same gradient in place");
    rs_norm_forward(t->y, t->y, &t->norm);
    ok(!memcmp(t->y.data, apart.data, map_bytes(&apart)), "  and the same result");
    free(apart.data);
    free(dy.data);
}

static void test_norm(void)
{
    const struct {
        int n, h, w, c;
    } sizes[] = {{1, 1, 1, 1},    {1, 1, 2, 2},   {17, 3, 1, 3}, {2, 17, 5, 5},
                 {1, 33, 31, 16}, {3, 16, 2, 33}, {17, 37, 3, 2}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        char name[64];
        struct norm_case t = norm_case_of(map_noise(sizes[i].n, sizes[i].h, sizes[i].w, sizes[i].c));
        snprintf(name, sizeof name, "batch norm, %d of %d x %d, %d channels", t.y.n, t.y.w, t.y.h, t.c);
        check_norm_forward(&t, name);
        check_norm_backward(&t, name);
        check_norm_in_place(&t);
        norm_case_free(&t);
    }
}

static double norm_function(const void *context)
{
    const struct norm_case *t = context;
    struct field z = norm_twin(&t->yd, t->gammad, t->betad);
    double sum = weighed_sum(&t->dzd, &z);
    free(z.v);
    return sum;
}

static void test_norm_slopes(void)
{
    struct norm_case t = norm_case_of(map_noise(2, 3, 4, 3));
    struct function f = {norm_function, &t};
    struct rs_map dy = map_like(&t.y);
    float dgamma[3], dbeta[3];
    rs_norm_measure(&t.norm, t.y, t.running_mean, t.running_variance);
    rs_norm_backward(dy, dgamma, dbeta, t.dz, t.y, &t.norm);
    check_slopes_map(&f, &t.yd, &dy, "batch norm, data");
    check_slopes_array(&f, t.gammad, 3, dgamma, "batch norm, gamma");
    check_slopes_array(&f, t.betad, 3, dbeta, "batch norm, beta");
    free(dy.data);
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
    struct norm_case t = norm_case_of(y);
    rs_norm_measure(&t.norm, t.y, t.running_mean, t.running_variance);
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

/* Each batch rounds the average to float once. */
static void test_norm_running(void)
{
    enum { BATCHES = 5, C = 3 };
    float mean[C] = {0}, variance[C] = {1, 1, 1};
    double mean_twin[C] = {0}, variance_twin[C] = {1, 1, 1};
    for (int batch = 0; batch < BATCHES; batch++) {
        struct norm_case t = norm_case_of(map_noise(batch + 1, 3, 5, C));
        double count = 15 * (batch + 1);
        rs_norm_measure(&t.norm, t.y, mean, variance);
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
    struct norm_case t = norm_case_of(map_noise(1, 1, 1, 1));
    rs_norm_measure(&t.norm, t.y, t.running_mean, t.running_variance);
    near((double)t.running_variance[0], .9, U,
         "one pixel has no unbiased variance: its biased one, 0, is taken");
    near((double)t.norm.inverse[0], 1 / sqrt(1e-5), 400 * U, "and the deviation is epsilon's");
    norm_case_free(&t);
}

static void test_norm_recall(void)
{
    struct norm_case t = norm_case_of(map_noise(1, 3, 3, 2));
    const float mean[] = {.25f, -3}, variance[] = {0, 4};
    struct rs_map z = map_like(&t.y);
    int far = 0;
    rs_norm_recall(&t.norm, 2, mean, variance);
    rs_norm_forward(z, t.y, &t.norm);
    for (int i = 0; i < 18; i++) {
        int k = i % 2;
        double inverse = 1 / sqrt((double)variance[k] + 1e-5), shifted = t.yd.v[i] - (double)mean[k];
        double wanted = shifted * inverse * t.gammad[k] + t.betad[k];
        double found = (double)rs_map_at(&z, 0, i / 6, i / 2 % 3)[k];
        far += !(fabs(found - wanted) <= 6 * U * (fabs(shifted * inverse * t.gammad[k]) + fabs(t.betad[k])));
    }
    ok(far == 0, "recalled averages are what forward uses");
    free(z.data);
    norm_case_free(&t);
}

/* --- ReLU and dropout --- */

static const struct rs_drop no_drop = {.p = 0};

static void test_relu(void)
{
    for (int i = 0; i < CHANNEL_COUNTS; i++) {
        int n = i % 2 ? 17 : 1, h = 1 + 7 * i, w = 31 - 5 * i, wrong = 0;
        struct rs_map z = map_noise(n, h, w, channel_counts[i]), dz = map_noise(n, h, w, channel_counts[i]);
        struct field before = field_of(&z), dbefore = field_of(&dz);
        rs_act_forward(z, &no_drop);
        rs_act_backward(dz, z, &no_drop);
        struct field after = field_of(&z), dafter = field_of(&dz);
        for (size_t k = 0; k < cells(&before); k++) {
            wrong += after.v[k] != fmax(before.v[k], 0);
            wrong += dafter.v[k] != (before.v[k] > 0 ? dbefore.v[k] : 0);
        }
        ok(wrong == 0 && border_is_zero(&z) && border_is_zero(&dz), "ReLU on %d of %d x %d, %d channels", n,
           w, h, channel_counts[i]);
        void *all[] = {z.data, dz.data, before.v, dbefore.v, after.v, dafter.v};
        for (size_t k = 0; k < sizeof all / sizeof *all; k++)
            free(all[k]);
    }
}

static void test_relu_special(void)
{
    struct rs_map z = map_new(1, 1, 4, 1);
    float *row = rs_map_at(&z, 0, 0, 0);
    row[0] = (float)NAN;
    row[1] = (float)-NAN;
    row[2] = -INFINITY;
    row[3] = INFINITY;
    rs_act_forward(z, &no_drop);
    ok(isnan(row[0]) && isnan(row[1]), "NaN stays NaN through ReLU");
    ok(row[2] == 0 && isinf(row[3]), "infinities are cut and kept");
    free(z.data);
}

static struct rs_map map_ones(int n, int h, int w, int c)
{
    struct rs_map map = map_new(n, h, w, c);
    for (int row = 0; row < n * h; row++)
        for (int i = 0; i < w * c; i++)
            rs_map_at(&map, row / h, row % h, 0)[i] = 1;
    return map;
}

/* What is dropped of ones; kept entries tell the scale. */
static struct field drop_mask(const struct rs_drop *drop, int n, int h, int w, int c)
{
    struct rs_map ones = map_ones(n, h, w, c);
    rs_act_forward(ones, drop);
    struct field mask = field_of(&ones);
    free(ones.data);
    return mask;
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

/* Every row of every image has numbers of its own. */
static void test_drop_places(void)
{
    enum { N = 3, H = 19, ROW = 37 * 11 };
    const struct rs_drop drop = {.5, 1, 2, 3};
    struct field mask = drop_mask(&drop, N, H, 37, 11);
    double most = 0;
    for (size_t a = 0; a < N * H; a++)
        for (size_t b = 0; b < a; b++) {
            double differ = 0;
            for (size_t i = 0; i < ROW; i++)
                differ += mask.v[a * ROW + i] != mask.v[b * ROW + i];
            most = fmax(most, fabs(differ / ROW - .5));
        }
    near(most, 0, 2.5 / sqrt(ROW), "each two of %d rows differ in half of what they drop", N * H);
    free(mask.v);
}

static void test_drop_none(void)
{
    const struct rs_drop drop = {.p = 0, .seed = 7};
    struct rs_map z = map_noise(2, 5, 7, 3), relu = map_like(&z);
    memcpy(relu.data, z.data, map_bytes(&z));
    rs_act_forward(z, &drop);
    for (int row = 0; row < 10; row++)
        for (int i = 0; i < 21; i++) {
            float *at = rs_map_at(&relu, row / 5, row % 5, 0) + i;
            *at = *at > 0 ? *at : 0;
        }
    ok(!memcmp(z.data, relu.data, map_bytes(&z)), "p = 0 drops nothing and scales nothing");
    free(z.data);
    free(relu.data);
}

/* ReLU and dropout with a mask that is known. */
struct act_case {
    struct field z, dz, mask;
};

static double act_function(const void *context)
{
    const struct act_case *t = context;
    double sum = 0;
    for (size_t i = 0; i < cells(&t->z); i++)
        sum += t->dz.v[i] * fmax(t->z.v[i], 0) * t->mask.v[i];
    return sum;
}

static void test_act_slopes(double p)
{
    char name[64];
    const struct rs_drop drop = {.p = p, .seed = 1};
    struct rs_map z = map_noise(2, 3, 4, 3), dz = map_noise(2, 3, 4, 3);
    struct act_case t = {field_of(&z), field_of(&dz), drop_mask(&drop, 2, 3, 4, 3)};
    struct function f = {act_function, &t};
    rs_act_forward(z, &drop);
    rs_act_backward(dz, z, &drop);
    int differ = 0, zeros = 0;
    for (int i = 0; i < 72; i++) {
        const float *at = rs_map_at(&z, i / 36, i / 12 % 3, i / 3 % 4),
                    *d = rs_map_at(&dz, i / 36, i / 12 % 3, i / 3 % 4);
        differ += (at[i % 3] == 0) != (d[i % 3] == 0);
        zeros += at[i % 3] == 0;
    }
    ok(differ == 0 && zeros > 0 && zeros < 72, "p = %g: the gradient is 0 just where the result is", p);
    snprintf(name, sizeof name, "ReLU and dropout of %g", p);
    check_slopes_map(&f, &t.z, &dz, name);
    void *all[] = {z.data, dz.data, t.z.v, t.dz.v, t.mask.v};
    for (size_t k = 0; k < sizeof all / sizeof *all; k++)
        free(all[k]);
}

/* --- Loss --- */

/* Logits with their truth; field of view where `fov` is set. The first pixels are just over and just under
 * half of both. */
struct loss_case {
    struct rs_map x;
    struct field xd;
    uint8_t *vessel, *fov;
    struct rs_truth truth;
};

static struct loss_case loss_case_new(int n, int h, int w, bool in_fov)
{
    struct loss_case t = {.x = map_noise(n, h, w, 1)};
    size_t pixels = (size_t)n * (size_t)h * (size_t)w;
    t.vessel = rs_alloc(pixels, 1);
    t.fov = rs_alloc(pixels, 1);
    for (size_t i = 0; i < pixels; i++) {
        t.vessel[i] = (uint8_t)(i < 4 ? 128 - i % 2 : rs_rng_below(&rng, 256));
        t.fov[i] = (uint8_t)(i < 4 ? 128 - i / 2 : rs_rng_below(&rng, 256));
    }
    for (int row = 0; row < n * h; row++)
        for (int j = 0; j < w; j++)
            *rs_map_at(&t.x, row / h, row % h, j) *= 10;
    t.xd = field_of(&t.x);
    t.truth = (struct rs_truth){t.vessel, in_fov ? t.fov : NULL};
    return t;
}

static void loss_case_free(struct loss_case *t)
{
    free(t->x.data);
    free(t->xd.v);
    free(t->vessel);
    free(t->fov);
}

/* The definition as it is written; long double, since 1 - p cancels. */
static double log_loss(double logit, double t)
{
    long double p = 1 / (1 + expl(-(long double)logit));
    return (double)(-(long double)t * logl(p) - (1 - (long double)t) * logl(1 - p));
}

static struct rs_loss loss_twin(const struct loss_case *t)
{
    struct rs_loss loss = {0};
    for (size_t i = 0; i < cells(&t->xd); i++) {
        if (t->truth.fov && t->fov[i] <= 127)
            continue;
        bool says = t->xd.v[i] > 0, is = t->vessel[i] > 127;
        loss.sum += log_loss(t->xd.v[i], t->vessel[i] / 255.);
        loss.count++;
        loss.correct += says == is;
        loss.predicted += says;
    }
    return loss;
}

static double loss_function(const void *context)
{
    struct rs_loss loss = loss_twin(context);
    return loss.sum / (double)loss.count;
}

static void test_loss_case(int n, int h, int w, bool in_fov)
{
    struct loss_case t = loss_case_new(n, h, w, in_fov);
    struct rs_loss found = rs_loss_forward(t.x, &t.truth), wanted = loss_twin(&t);
    struct function f = {loss_function, &t};
    struct rs_map dx = map_like(&t.x);
    ok(found.count == wanted.count && found.correct == wanted.correct && found.predicted == wanted.predicted,
       "loss of %d of %d x %d%s: the same pixels count", n, w, h, in_fov ? " in the field of view" : "");
    near(found.sum / wanted.sum, 1, (double)(wanted.count + 10) * DBL_EPSILON,
         "  and the sum is the definition's");
    rs_loss_backward(dx, t.x, &t.truth, found.count);
    check_slopes_map(&f, &t.xd, &dx, "  gradient");
    ok(border_is_zero(&dx), "  and a border of zeros");
    free(dx.data);
    loss_case_free(&t);
}

static void test_loss(void)
{
    for (int in_fov = 0; in_fov < 2; in_fov++) {
        test_loss_case(1, 1, 1, in_fov);
        test_loss_case(2, 3, 5, in_fov);
        test_loss_case(17, 7, 2, in_fov);
        test_loss_case(1, 17, 9, in_fov);
    }
}

/* Far from 0 the loss is the logit's size, or next to nothing; never infinite. */
static void test_loss_extremes(void)
{
    const float logits[] = {-1000, -60, 60, 1000};
    for (int i = 0; i < 8; i++) {
        struct rs_map x = map_new(1, 1, 1, 1), dx = map_new(1, 1, 1, 1);
        uint8_t vessel = i % 2 ? 255 : 0;
        struct rs_truth truth = {&vessel, NULL};
        double logit = (double)(*rs_map_at(&x, 0, 0, 0) = logits[i / 2]);
        bool wrong = (logit > 0) != (vessel > 0);
        struct rs_loss loss = rs_loss_forward(x, &truth);
        rs_loss_backward(dx, x, &truth, 1);
        near(loss.sum, wrong ? fabs(logit) : 0, 1e-25, "the loss of logit %g where the truth is %d", logit,
             vessel);
        near((double)*rs_map_at(&dx, 0, 0, 0), wrong ? (logit > 0 ? 1 : -1) : 0, 1e-25, "  and its gradient");
        free(x.data);
        free(dx.data);
    }
}

static void test_loss_not_a_number(void)
{
    struct rs_map x = map_new(1, 1, 2, 1);
    const uint8_t vessel[] = {0, 255}, fov[] = {0, 255};
    struct rs_truth all = {vessel, NULL}, half = {vessel, fov};
    *rs_map_at(&x, 0, 0, 0) = (float)NAN;
    ok(isnan(rs_loss_forward(x, &all).sum), "a logit that is no number shows in the loss");
    ok(isfinite(rs_loss_forward(x, &half).sum), "unless it is outside the field of view");
    free(x.data);
}

/* --- The whole network --- */

/* The network by its description, in double: parameters `p` in the layout of the plan. What is dropped is
 * taken from the layer, whose masks have tests of their own; `drop` counts the blocks' halves in the order
 * they are met. `margin` becomes the distance of the nearest ReLU or pooling to its kink. */
struct net_twin {
    struct rs_unet_plan plan;
    struct rs_unet_shape shape;
    const double *p;
    struct rs_drop *drop;
    double *margin;
};

static void relu_twin(struct field *z, double *margin)
{
    for (size_t i = 0; i < cells(z); i++) {
        *margin = fmin(*margin, fabs(z->v[i]));
        z->v[i] = fmax(z->v[i], 0);
    }
}

/* The distance of the largest of each four to the next; four zeros have no gradient to misplace. */
static void pool_margin(const struct field *x, const struct field *y, double *margin)
{
    for (int at = 0; at < x->n * x->h * x->w; at++)
        for (int k = 0; k < x->c; k++) {
            int n = at / (x->h * x->w), i = at / x->w % x->h, j = at % x->w;
            double most = field_at(y, n, i / 2, j / 2)[k], gap = most - field_at(x, n, i, j)[k];
            if (most > 0 && gap > 0)
                *margin = fmin(*margin, gap);
        }
}

static void drop_twin(struct field *z, struct rs_drop *drop)
{
    struct field mask = drop_mask(drop, z->n, z->h, z->w, z->c);
    for (size_t i = 0; i < cells(z); i++)
        z->v[i] *= mask.v[i];
    drop->layer++;
    free(mask.v);
}

static struct field block_twin(const struct net_twin *net, const struct rs_block_place *at,
                               const struct field *x)
{
    struct field z = {0};
    for (int i = 0; i < 2; i++) {
        struct kernel kernel = {3, net->p + at->conv[i].w, NULL};
        struct field y = conv_twin(i ? &z : x, at->conv[i].co, &kernel);
        free(z.v);
        z = norm_twin(&y, net->p + at->norm[i].gamma, net->p + at->norm[i].beta);
        relu_twin(&z, net->margin);
        drop_twin(&z, net->drop);
        free(y.v);
    }
    return z;
}

/* Level l from its input to its result: down, through what is below, and up again. */
static struct field level_twin(const struct net_twin *net, int l, const struct field *x)
{
    struct field down = block_twin(net, &net->plan.enc[l], x);
    if (l + 1 == net->shape.levels)
        return down;
    struct field pooled = pool_twin(&down), below = level_twin(net, l + 1, &pooled), large = up_twin(&below);
    pool_margin(&down, &pooled, net->margin);
    const struct rs_conv_place *up = &net->plan.up[l];
    struct kernel kernel = {1, net->p + up->w, net->p + up->b};
    struct field narrow = conv_twin(&large, up->co, &kernel), joined = join_twin(&down, &narrow);
    struct field result = block_twin(net, &net->plan.dec[l], &joined);
    struct field *all[] = {&down, &pooled, &below, &large, &narrow, &joined};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]->v);
    return result;
}

static struct field logits_twin(const struct net_twin *net, const struct field *x)
{
    net->drop->layer = 0;
    struct field top = level_twin(net, 0, x);
    struct kernel head = {1, net->p + net->plan.head.w, net->p + net->plan.head.b};
    struct field logits = conv_twin(&top, 1, &head);
    free(top.v);
    return logits;
}

/* A network, a batch, and both once more in double. */
struct net_case {
    struct rs_unet net;
    struct rs_unet_work *work;
    struct rs_map x, dlogits;
    struct loss_case loss; /* for its truth alone */
    float *gradient;
    struct net_twin twin;
    struct field xd;
    double *p, margin;
    struct rs_drop drop;
};

static double net_function(const void *context)
{
    const struct net_case *t = context;
    struct field logits = logits_twin(&t->twin, &t->xd);
    struct loss_case loss = t->loss;
    loss.xd = logits;
    double mean = loss_function(&loss);
    free(logits.v);
    return mean;
}

/* He's weights, and batch norms that differ from the identity. */
static void draw_all(struct rs_unet *net)
{
    rs_unet_draw(net, 5);
    for (int i = 0; i < net->count; i++)
        for (size_t k = 0;
             !net->entries[i].statistic && !net->entries[i].convolution && k < net->entries[i].count; k++)
            net->parameters[net->entries[i].offset + k] += .3f * noise();
}

static void fill_input(struct rs_map to, const struct rs_map *from)
{
    memcpy(to.data, from->data, (size_t)to.n * rs_map_image(&to) * sizeof *to.data);
}

static struct net_case net_case_new(const struct rs_unet_shape *shape, int n, int size)
{
    struct net_case t = {0};
    rs_unet_build(&t.net, shape);
    draw_all(&t.net);
    t.work = rs_unet_work_new(&t.net, n, size, size, true);
    t.x = map_noise(n, size, size, shape->inputs);
    t.dlogits = map_new(n, size, size, 1);
    t.loss = loss_case_new(n, size, size, true);
    t.gradient = rs_alloc(t.net.parameter_count, sizeof *t.gradient);
    t.xd = field_of(&t.x);
    t.p = doubles(t.net.parameters, t.net.parameter_count);
    t.margin = (double)INFINITY;
    fill_input(rs_unet_input(t.work), &t.x);
    return t;
}

static void net_case_free(struct net_case *t)
{
    rs_unet_work_free(t->work);
    rs_unet_free(&t->net);
    loss_case_free(&t->loss);
    void *all[] = {t->x.data, t->dlogits.data, t->gradient, t->xd.v, t->p};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
}

static double run_net(struct net_case *t, const struct rs_drop *drop)
{
    struct rs_map logits = rs_unet_forward(&t->net, t->work, drop);
    struct rs_loss loss = rs_loss_forward(logits, &t->loss.truth);
    rs_loss_backward(t->dlogits, logits, &t->loss.truth, loss.count);
    return loss.sum / (double)loss.count;
}

/* Logits of order 1 behind up to 16 convolutions and batch norms: each sum of K <= 90 terms errs by about
 * sqrt(K) U, some 6e-7 of its size, and a batch norm of few pixels may pass on several times that. */
static void check_net_logits(struct net_case *t, struct rs_map logits)
{
    struct field wanted = logits_twin(&t->twin, &t->xd), found = field_of(&logits);
    double most = 0;
    for (size_t i = 0; i < cells(&found); i++)
        most = fmax(most, isnan(found.v[i]) ? (double)INFINITY : fabs(found.v[i] - wanted.v[i]));
    near(most, 0, 2e-5, "  logits are the twin's");
    free(wanted.v);
    free(found.v);
}

/* A few entries of every part against the twin's central differences, in units of the part's largest
 * gradient; the worst of all parts. A step of 1e-7 crosses no kink that is 1e-5 away, and leaves double's
 * rounding 1e-9. */
static double worst_part(struct net_case *t, const char **name)
{
    enum { SAMPLES = 4 };
    struct function f = {net_function, t};
    double worst = 0;
    for (int i = 0; i < t->net.count; i++) {
        const struct rs_unet_entry *e = &t->net.entries[i];
        double largest = 0, most = 0;
        if (e->statistic)
            continue;
        for (size_t k = 0; k < e->count; k++)
            largest = fmax(largest, fabs((double)t->gradient[e->offset + k]));
        for (size_t s = 0; s < SAMPLES && s < e->count; s++) {
            size_t at = e->offset + (e->count > SAMPLES ? rs_rng_below(&rng, e->count) : s);
            most = fmax(most, fabs(slope(&f, &t->p[at], 1e-7) - (double)t->gradient[at]));
        }
        if (!(most / largest <= worst)) {
            worst = most / largest;
            *name = e->name;
        }
    }
    return worst;
}

static void test_net(const struct rs_unet_shape *shape, int n, int size, double dropout)
{
    struct net_case t = net_case_new(shape, n, size);
    const struct rs_drop drop = t.drop = (struct rs_drop){.p = dropout, .seed = 3, .layer = 99, .step = 9};
    const char *name = "none";
    t.twin = (struct net_twin){rs_unet_plan_of(shape), *shape, t.p, &t.drop, &t.margin};
    double loss = run_net(&t, &drop), twin = net_function(&t);
    ok(t.margin > 1e-5, "%d levels, dropout %g: no unit is within %.2g of its kink", shape->levels, dropout,
       t.margin);
    near(loss, twin, 2e-5, "  the loss is the twin's"); /* no steeper in the logits than 1 */
    check_net_logits(&t, rs_unet_forward(&t.net, t.work, &drop));
    rs_unet_backward(&t.net, t.work, t.dlogits, t.gradient, &drop);
    double worst = worst_part(&t, &name);
    near(worst, 0, GRADIENT, "  gradients of all parts, %s the worst", name);
    net_case_free(&t);
}

static void test_nets(void)
{
    const struct rs_unet_shape shapes[] = {{1, 2, {3, 2}}, {3, 3, {2, 3, 5}}, {3, 4, {2, 3, 2, 3}}};
    test_net(&shapes[0], 3, 6, 0);
    test_net(&shapes[1], 2, 8, 0);
    test_net(&shapes[2], 2, 16, 0);
    test_net(&shapes[0], 3, 6, .25);
    test_net(&shapes[1], 2, 8, .25);
    test_net(&shapes[2], 2, 16, .25);
}

/* He's variance, 2 / (k k ci). The mean of N squares of normal numbers has a standard deviation of sqrt(2 /
 * N), that of N normal numbers 1 / sqrt(N); five of them. */
static void check_drawn(const struct rs_unet *net, const struct rs_unet_entry *e)
{
    const float *values = net->parameters + e->offset;
    double sum = 0, squares = 0, count = (double)e->count, variance = 2. / (e->size * e->size * e->ci);
    int wrong = 0, wanted = strstr(e->name, "norm") && strstr(e->name, "weight");
    for (size_t k = 0; k < e->count; k++) {
        sum += (double)values[k];
        squares += (double)values[k] * (double)values[k];
        wrong += values[k] != (float)wanted;
    }
    if (!e->convolution) {
        ok(wrong == 0, "%s starts as %d", e->name, wanted);
        return;
    }
    near(squares / count / variance, 1, 5 * sqrt(2 / count), "%s has He's variance", e->name);
    near(sum / sqrt(count * variance), 0, 5, "%s has mean 0", e->name);
}

static void test_draw(void)
{
    const struct rs_unet_shape shape = {3, 2, {24, 40}};
    struct rs_unet net[3];
    for (int i = 0; i < 3; i++) {
        rs_unet_build(&net[i], &shape);
        rs_unet_draw(&net[i], i < 2 ? 11 : 12);
    }
    size_t bytes = net[0].parameter_count * sizeof(float);
    ok(!memcmp(net[0].parameters, net[1].parameters, bytes), "the same seed draws the same network");
    ok(memcmp(net[0].parameters, net[2].parameters, bytes), "another seed another");
    for (int i = 0; i < net[0].count; i++)
        if (!net[0].entries[i].statistic)
            check_drawn(&net[0], &net[0].entries[i]);
    int wrong = 0;
    for (int i = 0; i < net[0].count; i++)
        for (size_t k = 0; net[0].entries[i].statistic && k < net[0].entries[i].count; k++)
            wrong += net[0].statistics[net[0].entries[i].offset + k] !=
                     (float)(strstr(net[0].entries[i].name, "var") != 0);
    ok(wrong == 0, "statistics are those of a fresh batch norm");
    for (int i = 0; i < 3; i++)
        rs_unet_free(&net[i]);
}

static void test_not_finite(void)
{
    const struct rs_unet_shape shape = {1, 2, {2, 3}};
    struct rs_unet net;
    int wrong = 0, parts = 0;
    rs_unet_build(&net, &shape);
    ok(!rs_unet_not_finite(&net, net.parameters), "a fresh network is finite");
    for (int i = 0; i < net.count; i++) {
        const struct rs_unet_entry *e = &net.entries[i];
        if (e->statistic)
            continue;
        float *last = &net.parameters[e->offset + e->count - 1];
        *last = parts++ % 2 ? (float)NAN : -INFINITY;
        const char *name = rs_unet_not_finite(&net, net.parameters);
        wrong += !name || strcmp(name, e->name);
        *last = 0;
    }
    ok(wrong == 0 && parts == 22, "each of %d parts is named when its last entry is not finite", parts);
    rs_unet_free(&net);
}

/* --- The same bytes --- */

static void test_work_use(void)
{
    const struct rs_unet_shape shape = {3, 3, {3, 4, 5}};
    const struct rs_drop drop = {.p = .25, .seed = 3};
    struct net_case small = net_case_new(&shape, 2, 8), large = net_case_new(&shape, 5, 8);
    size_t bytes = small.net.parameter_count * sizeof(float);
    memcpy(large.net.parameters, small.net.parameters, bytes);
    run_net(&large, &drop); /* leaves something of five images everywhere */
    rs_unet_work_use(large.work, 2);
    fill_input(rs_unet_input(large.work), &small.x);
    large.dlogits.n = 2;
    memcpy(large.net.statistics, small.net.statistics, small.net.statistic_count * sizeof(float));
    struct loss_case own = large.loss;
    large.loss = small.loss;
    ok(run_net(&large, &drop) == run_net(&small, &drop), "two images in memory for five: the same loss");
    large.loss = own;
    rs_unet_backward(&small.net, small.work, small.dlogits, small.gradient, &drop);
    rs_unet_backward(&large.net, large.work, large.dlogits, large.gradient, &drop);
    ok(!memcmp(small.gradient, large.gradient, bytes), "the same gradient");
    ok(!memcmp(small.net.statistics, large.net.statistics, small.net.statistic_count * sizeof(float)),
       "the same running statistics");
    struct rs_map a = rs_unet_infer(&small.net, small.work), b = rs_unet_infer(&large.net, large.work);
    ok(!memcmp(a.data, b.data, map_bytes(&a)) && b.n == 2, "the same logits in use");
    net_case_free(&small);
    net_case_free(&large);
}

/* All that a run gave, behind each other. */
struct bytes {
    char *data;
    size_t size;
};

static void keep(struct bytes *kept, const void *data, size_t size)
{
    kept->data = rs_realloc(kept->data, kept->size + size, 1);
    memcpy(kept->data + kept->size, data, size);
    kept->size += size;
}

static void keep_map(struct bytes *kept, const struct rs_map *map)
{
    keep(kept, map->data, map_bytes(map));
}

static void run_conv(struct bytes *kept)
{
    for (int size = 1; size <= 3; size += 2) {
        struct conv_case t = conv_case_new(size, true, 17, 19, 31, 5, 7);
        struct rs_map y = map_like(&t.dy), dx = map_like(&t.x);
        float dw[9 * 5 * 7] = {0}, db[7];
        rs_conv_forward(y, t.x, &t.conv);
        rs_conv_backward_data(dx, t.dy, &t.conv);
        rs_conv_backward_weights(dw, db, t.dy, t.x, &t.conv);
        keep_map(kept, &y);
        keep_map(kept, &dx);
        keep(kept, dw, sizeof dw);
        keep(kept, db, sizeof db);
        free(y.data);
        free(dx.data);
        conv_case_free(&t);
    }
}

static void run_norm_and_act(struct bytes *kept)
{
    const struct rs_drop drop = {.p = .3, .seed = 1, .layer = 2, .step = 3};
    struct norm_case t = norm_case_of(map_noise(17, 37, 9, 5));
    struct rs_map z = map_like(&t.y);
    float dgamma[5], dbeta[5];
    rs_norm_measure(&t.norm, t.y, t.running_mean, t.running_variance);
    rs_norm_forward(z, t.y, &t.norm);
    rs_act_forward(z, &drop);
    rs_act_backward(t.dz, z, &drop);
    keep_map(kept, &z);
    keep_map(kept, &t.dz);
    rs_norm_backward(t.dz, dgamma, dbeta, t.dz, t.y, &t.norm);
    keep_map(kept, &t.dz);
    keep(kept, dgamma, sizeof dgamma);
    keep(kept, dbeta, sizeof dbeta);
    keep(kept, t.running_variance, 5 * sizeof(float));
    free(z.data);
    norm_case_free(&t);
}

static void run_shapes(struct bytes *kept)
{
    struct rs_map x = map_noise(5, 34, 6, 3), small = map_new(5, 17, 3, 3), dx = map_new(5, 34, 6, 3);
    struct rs_map joined = map_new(5, 34, 6, 6), a = map_new(5, 34, 6, 3), b = map_new(5, 34, 6, 3);
    rs_pool_forward(small, x);
    rs_pool_backward(dx, small, x);
    rs_up_forward(a, small);
    rs_join_forward(joined, dx, a);
    rs_join_backward(b, a, joined);
    rs_up_backward(small, b);
    struct rs_map *all[] = {&x, &small, &dx, &joined, &a, &b};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        keep_map(kept, all[i]);
        free(all[i]->data);
    }
}

static void run_whole(struct bytes *kept)
{
    const struct rs_unet_shape shape = {3, 3, {5, 6, 7}};
    const struct rs_drop drop = {.p = .2, .seed = 1};
    struct net_case t = net_case_new(&shape, 3, 24);
    double loss = run_net(&t, &drop);
    rs_unet_backward(&t.net, t.work, t.dlogits, t.gradient, &drop);
    keep(kept, &loss, sizeof loss);
    keep(kept, t.gradient, t.net.parameter_count * sizeof(float));
    struct rs_map logits = rs_unet_infer(&t.net, t.work);
    keep_map(kept, &logits);
    net_case_free(&t);
}

static struct bytes run_everything(void (*run)(struct bytes *))
{
    struct bytes kept = {0};
    rng = rs_rng_at(1, "test", 0, 0);
    run(&kept);
    return kept;
}

/* The pool only grows: what one thread gave is kept, then made again. */
static void test_threads(void)
{
    const struct {
        const char *name;
        void (*run)(struct bytes *);
    } parts[] = {{"convolutions", run_conv},
                 {"batch norm, ReLU and dropout", run_norm_and_act},
                 {"pooling, upsampling and joining", run_shapes},
                 {"a network", run_whole}};
    enum { PARTS = sizeof parts / sizeof *parts };
    struct bytes alone[PARTS];
    for (int i = 0; i < PARTS; i++)
        alone[i] = run_everything(parts[i].run);
    for (int threads = 3; threads <= 4; threads++) {
        no_error(rs_threads_start(threads), "%d threads start", threads);
        for (int i = 0; i < PARTS; i++) {
            struct bytes now = run_everything(parts[i].run);
            ok(now.size == alone[i].size && !memcmp(now.data, alone[i].data, now.size),
               "%s: the same %zu bytes from 1 and %d threads", parts[i].name, now.size, threads);
            free(now.data);
        }
    }
    for (int i = 0; i < PARTS; i++)
        free(alone[i].data);
}

int main(void)
{
    rng = rs_rng_at(1, "test", 0, 0);
    no_error(rs_threads_start(1), "one thread");
    no_error(rs_gemm_start(4), "OpenBLAS is the threaded build");
    test_map();
    test_conv();
    test_conv_slopes();
    test_pool();
    test_pool_slopes();
    test_pool_ties();
    test_up();
    test_up_slopes();
    test_joins();
    test_join_slopes();
    test_norm();
    test_norm_slopes();
    test_norm_far_mean();
    test_norm_running();
    test_norm_one_pixel();
    test_norm_recall();
    test_relu();
    test_relu_special();
    test_drop_rate(.2);
    test_drop_rate(.5);
    test_drop_rate(.9);
    test_drop_key();
    test_drop_places();
    test_drop_none();
    test_act_slopes(0);
    test_act_slopes(.3);
    test_loss();
    test_loss_extremes();
    test_loss_not_a_number();
    test_nets();
    test_draw();
    test_not_finite();
    test_work_use();
    test_threads();
    return done();
}
