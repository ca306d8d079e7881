/* Convolution against its twin, and its gradients against the twin's central differences. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/kernel.h"
#include "layer/conv.h"
#include "tap.h"
#include "twins.h"

/* A case as the layer wants it. */
struct layer {
    const struct conv_case *t;
    struct rs_conv conv;
    bool bias;
    float *packed, *turned, *sums, *scratch;
};

static struct layer layer_new(const struct conv_case *t, bool bias)
{
    struct layer l = {.t = t, .conv = {t->size, t->ci, t->co}, .bias = bias};
    struct rs_conv turned = rs_conv_turned(l.conv);
    size_t there = rs_conv_scratch(l.conv, t->x.w), back = rs_conv_scratch(turned, t->x.w),
           weights = kernel_weights(t->size, t->ci, t->co), most = there > back ? there : back;
    l.packed = rs_alloc(rs_conv_packed(l.conv), sizeof(float));
    l.turned = rs_alloc(rs_conv_packed(turned), sizeof(float));
    l.sums = rs_alloc(rs_conv_sums(l.conv), sizeof(float));
    l.scratch = rs_alloc(most > weights ? most : weights, sizeof(float));
    rs_conv_pack(l.packed, l.conv, t->w, bias ? t->b : NULL);
    rs_conv_pack_turned(l.turned, l.conv, t->w, l.scratch);
    return l;
}

static void layer_free(struct layer *l)
{
    void *all[] = {l->packed, l->turned, l->sums, l->scratch};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
}

static struct rs_map forward(const struct layer *l, bool relu)
{
    struct rs_map y = map_like(&l->t->dy);
    rs_conv_forward(y, l->t->x, l->conv, l->packed, relu, l->scratch);
    return y;
}

static struct rs_map backward_data(const struct layer *l)
{
    struct rs_map dx = map_like(&l->t->x);
    rs_conv_forward(dx, l->t->dy, rs_conv_turned(l->conv), l->turned, false, l->scratch);
    return dx;
}

/* As many images at a time as `each`. */
static void backward_weights(const struct layer *l, float *dw, float *db, int each)
{
    memset(l->sums, 0, rs_conv_sums(l->conv) * sizeof *l->sums);
    for (int first = 0, n = l->t->x.n; first < n; first += each) {
        int count = n - first < each ? n - first : each;
        rs_conv_backward(l->sums, rs_map_images(l->t->dy, first, count), rs_map_images(l->t->x, first, count),
                         l->conv, l->scratch);
    }
    rs_conv_gradient(dw, db, l->conv, l->sums);
}

/* Channels that no vector divides are summed up as they come; others may be taken in Winograd's tiles. */
static bool by_products(const struct conv_case *t)
{
    return t->size == 1 || t->ci % 2 || t->co % 2;
}

static void check_result(const struct conv_case *t, const struct rs_map *found, const struct field *wanted,
                         const struct field *magnitude, const char *name)
{
    struct field f = field_of(found);
    size_t pixels = cells(&f) / (size_t)f.c;
    if (by_products(t))
        check_map(found, wanted, magnitude, (double)kernel_weights(t->size, t->ci + t->co - f.c, 1) + 1,
                  name);
    else
        ok(channel_error(f.v, wanted->v, magnitude->v, pixels, f.c) <= WINOGRAD && border_is_zero(found),
           "%s: within %g of the channel's largest sum", name, WINOGRAD);
    free(f.v);
}

static void check_weights(const struct conv_case *t, const float *dw, const char *name)
{
    size_t weights = kernel_weights(t->size, t->ci, t->co);
    if (by_products(t)) {
        check_array(dw, t->g.dw, t->g_size.dw, weights, t->x.n * t->x.h * t->x.w, name);
        return;
    }
    double *found = doubles(dw, weights);
    ok(channel_error(found, t->g.dw, t->g_size.dw, 9, t->ci * t->co) <= WINOGRAD_WEIGHTS,
       "%s: within %g of the channels' largest sum", name, WINOGRAD_WEIGHTS);
    free(found);
}

/* Without bias, the twin's is taken away again. */
static void remove_bias(struct conv_case *t)
{
    memset(t->b, 0, (size_t)t->co * sizeof *t->b);
}

static void check_forward(const struct layer *l, const char *name)
{
    char full[128];
    struct rs_map y = forward(l, false), cut = forward(l, true);
    snprintf(full, sizeof full, "%s: forward", name);
    check_result(l->t, &y, &l->t->y, &l->t->y_size, full);
    int wrong = 0;
    struct field plain = field_of(&y), relu = field_of(&cut);
    for (size_t i = 0; i < cells(&plain); i++)
        wrong += relu.v[i] != fmax(plain.v[i], 0);
    ok(wrong == 0 && border_is_zero(&cut), "%s: with ReLU", name);
    map_free(y);
    map_free(cut);
    free(plain.v);
    free(relu.v);
}

static void check_backward(const struct layer *l, const char *name)
{
    char full[128];
    const struct conv_case *t = l->t;
    size_t weights = kernel_weights(t->size, t->ci, t->co);
    struct rs_map dx = backward_data(l);
    float *dw = rs_alloc(weights, sizeof *dw), *db = rs_alloc((size_t)t->co, sizeof *db);
    float *parts = rs_alloc(weights, sizeof *parts);
    dw[0] = db[0] = (float)NAN;
    backward_weights(l, dw, t->size == 1 ? db : NULL, t->x.n);
    snprintf(full, sizeof full, "%s: gradient of the data", name);
    check_result(t, &dx, &t->g.dx, &t->g_size.dx, full);
    snprintf(full, sizeof full, "%s: gradient of the weights", name);
    check_weights(t, dw, full);
    snprintf(full, sizeof full, "%s: gradient of the bias", name);
    if (t->size == 1)
        check_array(db, t->g.db, t->g_size.db, (size_t)t->co, t->x.n * t->x.h * t->x.w, full);
    else
        ok(isnan(db[0]), "%s: none of the bias", name);
    backward_weights(l, parts, NULL, 2);
    ok(!memcmp(dw, parts, weights * sizeof *dw), "%s: the same two images at a time", name);
    map_free(dx);
    free(dw);
    free(db);
    free(parts);
}

static void test_conv_case(int size, bool bias, int n, int h, int w, int ci, int co)
{
    char name[96];
    struct conv_case t = conv_case_new(size, n, h, w, ci, co);
    if (!bias)
        remove_bias(&t);
    conv_case_twins(&t);
    struct layer l = layer_new(&t, bias);
    snprintf(name, sizeof name, "%dx%d%s, %d to %d channels, %d of %d x %d", size, size,
             bias ? " with bias" : "", ci, co, n, w, h);
    check_forward(&l, name);
    check_backward(&l, name);
    layer_free(&l);
    conv_case_free(&t);
}

static void test_conv(void)
{
    const struct {
        int n, h, w, ci, co;
    } sizes[] = {{1, 1, 1, 1, 1},   {1, 1, 7, 2, 3},    {1, 7, 1, 3, 2},     {2, 3, 5, 5, 16},
                 {17, 5, 3, 3, 5},  {17, 1, 2, 1, 2},   {2, 9, 11, 16, 33},  {1, 6, 4, 33, 16},
                 {2, 37, 31, 3, 5}, {1, 3, 600, 2, 1},  {1, 2, 255, 2, 3},   {1, 1, 1, 16, 16},
                 {3, 7, 9, 8, 4},   {17, 4, 4, 16, 32}, {2, 33, 30, 16, 16}, {1, 6, 130, 32, 48}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (int kind = 0; kind < 4; kind++)
            test_conv_case(kind & 1 ? 3 : 1, kind & 2, sizes[i].n, sizes[i].h, sizes[i].w, sizes[i].ci,
                           sizes[i].co);
}

/* Adding is to compute, then to add; to and from parts of maps. */
static void test_conv_add(int ci, int co)
{
    struct conv_case t = conv_case_new(1, 3, 5, 7, ci, co);
    struct layer l = layer_new(&t, true);
    struct rs_map y = map_like(&t.dy);
    struct island ix = island_of(&t.x), iy = island_of(&t.dy);
    rs_conv_forward(y, t.x, (struct rs_conv){1, ci, co}, l.packed, false, l.scratch);
    rs_conv_add(iy.map, ix.map, (struct rs_conv){1, ci, co}, l.packed, l.scratch);
    int wrong = 0;
    for (int at = 0; at < 3 * 5 * 7; at++)
        for (int k = 0; k < co; k++) {
            int n = at / 35, i = at / 7 % 5, j = at % 7;
            wrong +=
                rs_map_at(&iy.map, n, i, j)[k] != rs_map_at(&t.dy, n, i, j)[k] + rs_map_at(&y, n, i, j)[k];
        }
    ok(wrong == 0 && island_intact(&iy), "1x1, %d to %d channels, added to what is there", ci, co);
    island_free(&ix);
    island_free(&iy);
    map_free(y);
    layer_free(&l);
    conv_case_free(&t);
}

/* The convolution as a function of data, weights and bias, seen through weights dy. */
struct variables {
    struct kernel kernel;
    struct field x, dy;
};

static double conv_function(const void *context)
{
    const struct variables *t = context;
    struct field y = conv_twin(&t->x, &t->kernel);
    double sum = weighed_sum(&t->dy, &y);
    free(y.v);
    return sum;
}

static void test_conv_slopes(int size, int ci, int co)
{
    char name[64];
    size_t weights = kernel_weights(size, ci, co);
    struct conv_case t = conv_case_new(size, 2, 3, 4, ci, co);
    double *w = doubles(t.w, weights), *b = doubles(t.b, (size_t)co);
    struct variables v = {{size, co, w, b}, field_of(&t.x), field_of(&t.dy)};
    struct function f = {conv_function, &v};
    struct layer l = layer_new(&t, true);
    struct rs_map dx = backward_data(&l);
    float *dw = rs_alloc(weights, sizeof *dw), *db = rs_alloc((size_t)co, sizeof *db);
    backward_weights(&l, dw, db, 2);
    snprintf(name, sizeof name, "%dx%d convolution, %d to %d channels", size, size, ci, co);
    check_slopes_map(&f, &v.x, &dx, name);
    check_slopes_array(&f, w, weights, dw, name);
    if (size == 1)
        check_slopes_array(&f, b, (size_t)co, db, name);
    void *all[] = {w, b, v.x.v, v.dy.v, dw, db};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
    map_free(dx);
    layer_free(&l);
    conv_case_free(&t);
}

int main(void)
{
    rng = rs_rng_at(1, "test", 0, 0);
    no_error(rs_kernel_start(), "a kernel");
    test_conv();
    test_conv_add(3, 5);
    test_conv_add(16, 33);
    test_conv_slopes(1, 3, 2);
    test_conv_slopes(3, 3, 2);
    test_conv_slopes(3, 16, 16);
    return done();
}
