/* Maps; pooling, upsampling and the loss against naive twins in double, and their gradients against the twins'
 * central differences. */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "layer/gate.h"
#include "layer/loss.h"
#include "layer/pool.h"
#include "layer/sum.h"
#include "layer/up.h"
#include "tap.h"
#include "twins.h"

/* --- Maps --- */

/* A map's border: one above and to the left, below and to the right what completes a tile and one more. */
static void test_map(void)
{
    const int sizes[][2] = {{1, 1}, {3, 4}, {4, 5}, {8, 7}};
    for (int i = 0; i < 4; i++) {
        int h = sizes[i][0], w = sizes[i][1], tall = (h + 3) / 4 * 4 + 2, wide = (w + 3) / 4 * 4 + 2;
        struct rs_map map = map_new(2, h, w, 5);
        const float *base = map.data - map.row - map.pixel;
        ok(rs_map_floats(2, h, w, 5) == 2u * (unsigned)(tall * wide * 5) &&
               rs_map_at(&map, 0, -1, -1) == base && rs_map_at(&map, 1, -1, -1) == base + tall * wide * 5 &&
               rs_map_at(&map, 1, tall - 2, wide - 2) + 5 == base + 2 * tall * wide * 5,
           "%d x %d: the border is the first and the last that a map has", w, h);
        map_free(map);
    }
}

/* A part of a part is where it should be. */
static void test_map_parts(void)
{
    struct rs_map map = map_noise(3, 9, 7, 6);
    struct rs_map part = rs_map_channels(rs_map_window(rs_map_images(map, 1, 2), 2, 3, 5, 4), 1, 3);
    struct rs_map inner = rs_map_channels(rs_map_window(part, 1, 0, 3, 2), 2, 1);
    ok(part.n == 2 && part.h == 5 && part.w == 4 && part.c == 3 &&
           rs_map_at(&part, 1, 4, 3) == rs_map_at(&map, 2, 6, 6) + 1,
       "channels of a window of images");
    ok(inner.n == 2 && inner.h == 3 && inner.w == 2 && inner.c == 1 &&
           rs_map_at(&inner, 1, 2, 1) == rs_map_at(&map, 2, 5, 4) + 3,
       "and the same of that");
    map_free(map);
}

static void test_map_arena(void)
{
    struct rs_arena arena = {0};
    struct rs_map counted = rs_map_take(&arena, 2, 3, 5, 7), part = rs_map_images(counted, 1, 1);
    ok(!counted.data && !part.data && !rs_map_channels(counted, 1, 2).data && arena.used > 0,
       "while the arena counts, there is a map but no data");
    rs_arena_reserve(&arena);
    struct rs_map map = rs_map_take(&arena, 2, 3, 5, 7);
    struct field f = field_of(&map);
    double sum = 0;
    for (size_t i = 0; i < cells(&f); i++)
        sum += fabs(f.v[i]);
    ok(sum == 0 && border_is_zero(&map), "then it is zeros");
    free(f.v);
    rs_arena_free(&arena);
}

/* --- Pooling, upsampling --- */

static const int channel_counts[] = {1, 2, 3, 5, 16, 33};
enum { CHANNEL_COUNTS = sizeof channel_counts / sizeof *channel_counts };

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
        map_free(x);
        map_free(y);
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
    struct field once = field_of(&dx);
    rs_pool_backward(dx, dy, x);
    struct field twice = field_of(&dx);
    int far = 0;
    for (size_t i = 0; i < cells(&once); i++)
        far += twice.v[i] != 2 * once.v[i];
    ok(far == 0 && border_is_zero(&dx), "pooling adds to the gradient that is there");
    free(once.v);
    free(twice.v);
    map_free(x);
    map_free(dy);
    map_free(dx);
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
        map_free(x);
        map_free(dx);
        map_free(dy);
    }
}

/* Ways up: what they make of a pixel, and in how many roundings; channels of x for each of y. */
static const struct up_case {
    enum rs_up kind;
    const char *name;
    struct field (*twin)(const struct field *x);
    int parts, roundings;
} ups[] = {{RS_UP_NEAREST, "nearest", nearest_twin, 1, 0},
           {RS_UP_BILINEAR, "bilinear", bilinear_twin, 1, 6},
           {RS_UP_TRANSPOSED, "transposed", spread_twin, 4, 0}};

static const struct rs_up_sides whole = {0};

static void test_up(const struct up_case *up)
{
    for (int i = 0; i < CHANNEL_COUNTS; i++) {
        char name[64];
        int n = i % 2 ? 17 : 1, h = 1 + 4 * i, w = 19 - 3 * i, c = channel_counts[i];
        struct rs_map x = map_noise(n, h, w, up->parts * c), y = map_unwritten(n, 2 * h, 2 * w, c);
        struct field xd = field_of(&x), wanted = up->twin(&xd);
        make_positive(xd.v, cells(&xd));
        struct field magnitude = up->twin(&xd);
        rs_up_forward(y, x, up->kind, whole);
        snprintf(name, sizeof name, "%s: %d of %d x %d, %d channels", up->name, n, w, h, c);
        check_map(&y, &wanted, &magnitude, up->roundings, name);
        map_free(x);
        map_free(y);
        free(xd.v);
        free(wanted.v);
        free(magnitude.v);
    }
}

/* What the twin, which is linear, says of each pixel and channel of x by itself. */
static struct field adjoint(const struct up_case *up, const struct field *dy)
{
    struct field dx = field_new(dy->n, dy->h / 2, dy->w / 2, up->parts * dy->c);
    struct field one = field_new(dx.n, dx.h, dx.w, dx.c);
    for (size_t i = 0; i < cells(&dx); i++) {
        one.v[i] = 1;
        struct field y = up->twin(&one);
        dx.v[i] = weighed_sum(dy, &y);
        free(y.v);
        one.v[i] = 0;
    }
    free(one.v);
    return dx;
}

/* Sums of up to 16 products. */
static void test_up_backward(const struct up_case *up)
{
    static const int sizes[][2] = {{1, 1}, {1, 4}, {2, 2}, {3, 1}, {5, 6}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        char name[64];
        int h = sizes[i][0], w = sizes[i][1], c = 3;
        struct rs_map dy = map_noise(2, 2 * h, 2 * w, c), dx = map_unwritten(2, h, w, up->parts * c);
        struct field dyd = field_of(&dy), wanted = adjoint(up, &dyd);
        make_positive(dyd.v, cells(&dyd));
        struct field magnitude = adjoint(up, &dyd);
        rs_up_backward(dx, dy, up->kind);
        snprintf(name, sizeof name, "%s: the gradient of %d x %d", up->name, w, h);
        check_map(&dx, &wanted, &magnitude, 18, name);
        map_free(dy);
        map_free(dx);
        free(dyd.v);
        free(wanted.v);
        free(magnitude.v);
    }
}

/* Any part of an image comes to the same bits as the whole, and reads nothing beyond the sides that it is told of. */
static void test_up_parts(const struct up_case *up)
{
    enum { H = 5, W = 6, C = 3 };
    struct rs_map x = map_noise(1, H, W, up->parts * C), y = map_unwritten(1, 2 * H, 2 * W, C);
    int differ = 0;
    rs_up_forward(y, x, up->kind, whole);
    for (int at = 0; at < H * W; at++) {
        int i = at / W, j = at % W;
        for (int h = 1; i + h <= H; h++)
            for (int w = 1; j + w <= W; w++) {
                struct rs_up_sides sides = {i > 0, i + h<H, j> 0, j + w < W};
                struct rs_map found = map_unwritten(1, 2 * h, 2 * w, C);
                struct rs_map wanted = rs_map_window(y, 2 * i, 2 * j, 2 * h, 2 * w);
                rs_up_forward(found, rs_map_window(x, i, j, h, w), up->kind, sides);
                differ += !map_same(&found, &wanted);
                map_free(found);
            }
    }
    ok(differ == 0, "%s: parts of an image as the whole of it", up->name);
    map_free(x);
    map_free(y);
}

static void test_up_islands(const struct up_case *up)
{
    struct rs_map x = map_noise(3, 3, 5, up->parts * 5), y = map_unwritten(3, 6, 10, 5), dx = map_like(&x);
    struct rs_map dy = map_noise(3, 6, 10, 5);
    struct island ix = island_of(&x), idy = island_of(&dy), iy = island_unwritten(3, 6, 10, 5),
                  idx = island_unwritten(3, 3, 5, up->parts * 5);
    rs_up_forward(y, x, up->kind, whole);
    rs_up_forward(iy.map, ix.map, up->kind, whole);
    rs_up_backward(dx, dy, up->kind);
    rs_up_backward(idx.map, idy.map, up->kind);
    ok(map_same(&iy.map, &y) && island_intact(&iy), "%s: from and to parts of maps", up->name);
    ok(map_same(&idx.map, &dx) && island_intact(&idx), "%s: its gradient, too", up->name);
    struct island *islands[] = {&ix, &idy, &iy, &idx};
    struct rs_map *maps[] = {&x, &dy, &y, &dx};
    for (int i = 0; i < 4; i++) {
        island_free(islands[i]);
        map_free(*maps[i]);
    }
}

static void test_ups(void)
{
    for (int i = 0; i < UPS; i++) {
        test_up(&ups[i]);
        test_up_backward(&ups[i]);
        test_up_parts(&ups[i]);
        test_up_islands(&ups[i]);
    }
}

/* A join is a map of which encoder and decoder each write half: the same results, and the other half as it
 * was. */
static void test_parts(void)
{
    struct rs_map x = map_noise(3, 6, 10, 5), y = map_unwritten(3, 3, 5, 5), dy = map_noise(3, 3, 5, 5),
                  dx = map_new(3, 6, 10, 5);
    struct island ix = island_of(&x), idy = island_of(&dy), idx = island_of(&dx),
                  iy = island_unwritten(3, 3, 5, 5);
    rs_pool_forward(y, x);
    rs_pool_forward(iy.map, ix.map);
    rs_pool_backward(dx, dy, x);
    rs_pool_backward(idx.map, idy.map, ix.map);
    ok(map_same(&iy.map, &y) && island_intact(&iy), "pooling from and to parts of maps");
    ok(map_same(&idx.map, &dx) && island_intact(&idx), "and its gradient");
    struct island *islands[] = {&ix, &idy, &idx, &iy};
    struct rs_map *maps[] = {&x, &dy, &dx, &y};
    for (int i = 0; i < 4; i++) {
        island_free(islands[i]);
        map_free(*maps[i]);
    }
}

/* --- Gate, sum --- */

struct gate_case {
    struct field x, s, dy;
};

static struct field gate_twin(const struct gate_case *t)
{
    struct field y = field_new(t->x.n, t->x.h, t->x.w, t->x.c);
    for (size_t i = 0; i < cells(&y); i++)
        y.v[i] = t->x.v[i] / (1 + exp(-t->s.v[i / (size_t)y.c]));
    return y;
}

static double gate_function(const void *context)
{
    const struct gate_case *t = context;
    struct field y = gate_twin(t);
    double sum = weighed_sum(&t->dy, &y);
    free(y.v);
    return sum;
}

/* Parts of maps: two roundings, of the gate and of the product. */
static void test_gate(int c)
{
    struct rs_map x = map_noise(2, 3, 5, c), s = map_noise(2, 3, 5, 1), dy = map_noise(2, 3, 5, c);
    struct rs_map y = map_unwritten(2, 3, 5, c), dx = map_like(&x), ds = map_like(&s);
    struct island iy = island_unwritten(2, 3, 5, c), idx = island_unwritten(2, 3, 5, c), ix = island_of(&x);
    struct gate_case t = {field_of(&x), field_of(&s), field_of(&dy)};
    struct function f = {gate_function, &t};
    struct field wanted = gate_twin(&t), size = gate_twin(&t);
    make_positive(size.v, cells(&size));
    rs_gate_forward(y, x, s);
    check_map(&y, &wanted, &size, 2, "gate");
    rs_gate_backward(dx, ds, dy, x, s);
    check_slopes_map(&f, &t.x, &dx, "gate, its input");
    check_slopes_map(&f, &t.s, &ds, "gate, its score");
    rs_gate_forward(iy.map, ix.map, s);
    rs_gate_backward(idx.map, ds, dy, ix.map, s);
    ok(map_same(&iy.map, &y) && island_intact(&iy) && map_same(&idx.map, &dx) && island_intact(&idx),
       "%d channels: from and to parts of maps", c);
    struct island *islands[] = {&iy, &idx, &ix};
    for (int i = 0; i < 3; i++)
        island_free(islands[i]);
    struct rs_map *maps[] = {&x, &s, &dy, &y, &dx, &ds};
    for (int i = 0; i < 6; i++)
        map_free(*maps[i]);
    struct field *fields[] = {&t.x, &t.s, &t.dy, &wanted, &size};
    for (int i = 0; i < 5; i++)
        free(fields[i]->v);
}

/* How many of y are not what `relu` makes of a + b. */
static int wrong_sums(const struct rs_map *y, const struct rs_map *a, const struct rs_map *b, bool relu)
{
    int wrong = 0;
    for (int at = 0; at < y->h * y->w * y->c; at++) {
        int i = at / y->c / y->w, j = at / y->c % y->w, k = at % y->c;
        float sum = rs_map_at(a, 0, i, j)[k] + rs_map_at(b, 0, i, j)[k];
        wrong += rs_map_at(y, 0, i, j)[k] != (relu && sum < 0 ? 0 : sum);
    }
    return wrong;
}

static void test_sum(void)
{
    struct rs_map a = map_noise(1, 5, 3, 7), b = map_noise(1, 5, 3, 7), y = map_like(&a), d = map_like(&a);
    struct island iy = island_unwritten(1, 5, 3, 7), ia = island_of(&a);
    int wrong = 0;
    for (int relu = 0; relu < 2; relu++) {
        rs_sum_forward(y, a, b, relu);
        ok(wrong_sums(&y, &a, &b, relu) == 0 && border_is_zero(&y), "a sum%s", relu ? " and ReLU" : "");
        rs_sum_forward(iy.map, ia.map, b, relu);
        ok(map_same(&iy.map, &y) && island_intact(&iy), "  of parts of maps");
    }
    rs_sum_copy(d, a);
    ok(map_same(&d, &a) && border_is_zero(&d), "a copy");
    rs_sum_mask(d, y);
    for (int at = 0; at < 5 * 3 * 7; at++) {
        int i = at / 21, j = at / 7 % 3, k = at % 7;
        float wanted = rs_map_at(&y, 0, i, j)[k] > 0 ? rs_map_at(&a, 0, i, j)[k] : 0;
        wrong += rs_map_at(&d, 0, i, j)[k] != wanted;
    }
    ok(wrong == 0, "a gradient goes where ReLU let something through");
    *rs_map_at(&a, 0, 1, 1) = (float)NAN;
    rs_sum_forward(a, a, b, true);
    ok(isnan(*rs_map_at(&a, 0, 1, 1)), "what is no number stays none");
    map_free(a);
    map_free(b);
    map_free(y);
    map_free(d);
    island_free(&iy);
    island_free(&ia);
}

/* --- Loss --- */

/* Whether long double is longer than double as the test runs: valgrind computes the one as the other. */
static bool is_long(void)
{
    volatile long double one = 1, above = one + LDBL_EPSILON;
    return above > one;
}

static void test_loss_case(int n, int h, int w, bool in_fov)
{
    struct loss_case t = loss_case_new(n, h, w, in_fov);
    struct rs_loss found = rs_loss_forward(t.x, &t.truth), wanted = loss_twin(&t);
    struct function f = {mean_loss, &t};
    struct rs_map dx = map_like(&t.x);
    ok(found.count == wanted.count && found.correct == wanted.correct && found.predicted == wanted.predicted,
       "loss of %d of %d x %d%s: the same pixels count", n, w, h, in_fov ? " in the field of view" : "");
    if (is_long())
        near(found.sum / wanted.sum, 1, (double)(wanted.count + 10) * DBL_EPSILON,
             "  and the sum is the definition's");
    else
        skip("no long double, which the definition wants", "and the sum is the definition's");
    rs_loss_backward(dx, t.x, &t.truth, found.count);
    check_slopes_map(&f, &t.xd, &dx, "  gradient");
    ok(border_is_zero(&dx), "  and a border of zeros");
    map_free(dx);
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
        map_free(x);
        map_free(dx);
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
    map_free(x);
}

int main(void)
{
    rng = rs_rng_at(1, "test", 0, 0);
    test_map();
    test_map_parts();
    test_map_arena();
    test_pool();
    test_pool_slopes();
    test_pool_ties();
    test_ups();
    test_parts();
    test_gate(1);
    test_gate(19);
    test_sum();
    test_loss();
    test_loss_extremes();
    test_loss_not_a_number();
    return done();
}
