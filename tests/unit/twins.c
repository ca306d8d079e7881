#include "twins.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tap.h"

struct rs_rng rng;

/* --- Fields --- */

size_t cells(const struct field *f)
{
    return (size_t)f->n * (size_t)f->h * (size_t)f->w * (size_t)f->c;
}

struct field field_new(int n, int h, int w, int c)
{
    struct field f = {n, h, w, c, NULL};
    f.v = rs_alloc(cells(&f), sizeof *f.v);
    return f;
}

double *field_at(const struct field *f, int n, int y, int x)
{
    if (y < 0 || x < 0 || y >= f->h || x >= f->w)
        return NULL;
    return f->v + (((size_t)n * (size_t)f->h + (size_t)y) * (size_t)f->w + (size_t)x) * (size_t)f->c;
}

struct field field_of(const struct rs_map *map)
{
    struct field f = field_new(map->n, map->h, map->w, map->c);
    double *to = f.v;
    for (int at = 0; at < map->n * map->h * map->w; at++)
        for (int k = 0; k < map->c; k++)
            *to++ = (double)rs_map_at(map, at / (map->h * map->w), at / map->w % map->h, at % map->w)[k];
    return f;
}

double *doubles(const float *values, size_t count)
{
    double *copy = rs_alloc(count, sizeof *copy);
    for (size_t i = 0; i < count; i++)
        copy[i] = (double)values[i];
    return copy;
}

void make_positive(double *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        values[i] = fabs(values[i]);
}

/* --- Maps --- */

float noise(void)
{
    return (float)(2 * rs_rng_uniform(&rng) - 1);
}

float *noise_array(size_t count)
{
    float *values = rs_alloc(count, sizeof *values);
    for (size_t i = 0; i < count; i++)
        values[i] = noise();
    return values;
}

struct rs_map map_new(int n, int h, int w, int c)
{
    return rs_map_over(rs_alloc(rs_map_floats(n, h, w, c), sizeof(float)), n, h, w, c);
}

void map_free(struct rs_map map)
{
    free(map.data - map.row - map.pixel);
}

size_t map_bytes(const struct rs_map *map)
{
    return rs_map_floats(map->n, map->h, map->w, map->c) * sizeof *map->data;
}

static void map_fill(const struct rs_map *map, float (*value)(void))
{
    for (int at = 0; at < map->n * map->h * map->w; at++)
        for (int k = 0; k < map->c; k++)
            rs_map_at(map, at / (map->h * map->w), at / map->w % map->h, at % map->w)[k] = value();
}

struct rs_map map_noise(int n, int h, int w, int c)
{
    struct rs_map map = map_new(n, h, w, c);
    map_fill(&map, noise);
    return map;
}

static float not_a_number(void)
{
    return (float)NAN;
}

struct rs_map map_unwritten(int n, int h, int w, int c)
{
    struct rs_map map = map_new(n, h, w, c);
    map_fill(&map, not_a_number);
    return map;
}

struct rs_map map_like(const struct rs_map *map)
{
    return map_unwritten(map->n, map->h, map->w, map->c);
}

struct rs_map map_of(const struct field *f)
{
    struct rs_map map = map_new(f->n, f->h, f->w, f->c);
    const double *from = f->v;
    for (int at = 0; at < f->n * f->h * f->w; at++)
        for (int k = 0; k < f->c; k++)
            rs_map_at(&map, at / (f->h * f->w), at / f->w % f->h, at % f->w)[k] = (float)*from++;
    return map;
}

void map_copy(struct rs_map to, const struct rs_map *from)
{
    for (int at = 0; at < from->n * from->h * from->w; at++) {
        int n = at / (from->h * from->w), i = at / from->w % from->h, j = at % from->w;
        memcpy(rs_map_at(&to, n, i, j), rs_map_at(from, n, i, j), (size_t)from->c * sizeof(float));
    }
}

bool map_same(const struct rs_map *a, const struct rs_map *b)
{
    bool same = a->n == b->n && a->h == b->h && a->w == b->w && a->c == b->c;
    for (int at = 0; same && at < a->n * a->h * a->w; at++) {
        int n = at / (a->h * a->w), i = at / a->w % a->h, j = at % a->w;
        same = !memcmp(rs_map_at(a, n, i, j), rs_map_at(b, n, i, j), (size_t)a->c * sizeof(float));
    }
    return same;
}

static int whole_tiles(int size)
{
    return (size + RS_TILE - 1) / RS_TILE * RS_TILE;
}

bool border_is_zero(const struct rs_map *map)
{
    for (int n = 0; n < map->n; n++)
        for (int y = -1; y <= whole_tiles(map->h); y++)
            for (int x = -1; x <= whole_tiles(map->w); x++) {
                bool inside = y >= 0 && y < map->h && x >= 0 && x < map->w;
                for (int k = 0; !inside && k < map->c; k++)
                    if (rs_map_at(map, n, y, x)[k] != 0)
                        return false;
            }
    return true;
}

/* Left and right of the border, above and below it, in front of the channels and behind them. */
enum { LEFT = 2, RIGHT = 3, ABOVE = 1, BELOW = 2, FRONT = 3, BEHIND = 2 };

struct island island_unwritten(int n, int h, int w, int c)
{
    struct island island = {.map = {.n = n, .h = h, .w = w, .c = c, .pixel = FRONT + c + BEHIND}};
    struct rs_map *map = &island.map;
    map->row = (LEFT + 1 + whole_tiles(w) + 1 + RIGHT) * map->pixel;
    map->image = (ABOVE + 1 + whole_tiles(h) + 1 + BELOW) * map->row;
    island.floats = (size_t)n * (size_t)map->image;
    island.all = rs_alloc(island.floats, sizeof(float));
    island.before = rs_alloc(island.floats, sizeof(float));
    map->data = island.all + (ABOVE + 1) * map->row + (LEFT + 1) * map->pixel + FRONT;
    for (size_t i = 0; i < island.floats; i++) {
        uint32_t bits = 0x7fc00000 | (uint32_t)(i & 0x3fffff);
        memcpy(&island.all[i], &bits, sizeof bits);
    }
    memcpy(island.before, island.all, island.floats * sizeof(float));
    return island;
}

struct island island_of(const struct rs_map *from)
{
    struct island island = island_unwritten(from->n, from->h, from->w, from->c);
    for (int n = 0; n < from->n; n++)
        for (int y = -1; y <= whole_tiles(from->h); y++)
            for (int x = -1; x <= whole_tiles(from->w); x++)
                memset(rs_map_at(&island.map, n, y, x), 0, (size_t)from->c * sizeof(float));
    map_copy(island.map, from);
    memcpy(island.before, island.all, island.floats * sizeof(float));
    return island;
}

bool island_intact(const struct island *island)
{
    struct rs_map before = island->map;
    before.data = island->before + (island->map.data - island->all);
    map_copy(before, &island->map);
    return !memcmp(island->before, island->all, island->floats * sizeof(float));
}

void island_free(struct island *island)
{
    free(island->all);
    free(island->before);
}

/* --- Checks --- */

/* How many are further from what is wanted than `terms` roundings of their magnitude; NaN is far. */
static int count_far(const double *found, const double *wanted, const double *magnitude, size_t count,
                     double terms)
{
    int far = 0;
    for (size_t i = 0; i < count; i++)
        far += !(fabs(found[i] - wanted[i]) <= (terms + 1) * U * magnitude[i]);
    return far;
}

void check_map(const struct rs_map *found, const struct field *wanted, const struct field *magnitude,
               double terms, const char *name)
{
    struct field f = field_of(found);
    int far = count_far(f.v, wanted->v, magnitude->v, cells(&f), terms);
    ok(far == 0 && border_is_zero(found), "%s: %d of %zu entries off, border zero", name, far, cells(&f));
    free(f.v);
}

void check_array(const float *found, const double *wanted, const double *magnitude, size_t count,
                 double terms, const char *name)
{
    double *f = doubles(found, count);
    int far = count_far(f, wanted, magnitude, count, terms);
    ok(far == 0, "%s: %d of %zu entries off", name, far, count);
    free(f);
}

double channel_error(const double *found, const double *wanted, const double *magnitude, size_t count, int c)
{
    double worst = 0;
    for (int k = 0; k < c; k++) {
        double most = 0, largest = 0;
        for (size_t i = (size_t)k; i < count * (size_t)c; i += (size_t)c) {
            most = isnan(found[i]) ? (double)INFINITY : fmax(most, fabs(found[i] - wanted[i]));
            largest = fmax(largest, magnitude[i]);
        }
        worst = fmax(worst, most > 0 ? most / largest : 0);
    }
    return worst;
}

double slope(const struct function *f, double *variable, double step)
{
    double here = *variable;
    *variable = here + step;
    double up = f->of(f->context);
    *variable = here - step;
    double down = f->of(f->context);
    *variable = here;
    return (up - down) / (2 * step);
}

/* The step of 1e-6 leaves truncation and rounding of double below 1e-9 of values of order 1. */
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

void check_slopes_map(const struct function *f, const struct field *variables, const struct rs_map *found,
                      const char *name)
{
    struct field d = field_of(found);
    check_slopes(f, variables->v, cells(variables), d.v, name);
    free(d.v);
}

void check_slopes_array(const struct function *f, double *variables, size_t count, const float *found,
                        const char *name)
{
    double *d = doubles(found, count);
    check_slopes(f, variables, count, d, name);
    free(d);
}

double weighed_sum(const struct field *weights, const struct field *y)
{
    double sum = 0;
    for (size_t i = 0; i < cells(y); i++)
        sum += weights->v[i] * y->v[i];
    return sum;
}

/* --- Convolution --- */

size_t kernel_weights(int size, int ci, int co)
{
    return (size_t)(size * size * ci) * (size_t)co;
}

/* The weights [ci][co] of tap (p, q). */
static size_t tap(int size, int p, int q, int ci, int co)
{
    return (size_t)((p * size + q) * ci) * (size_t)co;
}

static void add_product(double *restrict y, const double *restrict x, const double *restrict w, int ci,
                        int co)
{
    for (int c = 0; c < ci; c++)
        for (int o = 0; o < co; o++)
            y[o] += x[c] * w[c * co + o];
}

struct field conv_twin(const struct field *x, const struct kernel *k)
{
    struct field y = field_new(x->n, x->h, x->w, k->co);
    int reach = k->size / 2;
    for (int at = 0; at < y.n * y.h * y.w; at++) {
        int n = at / (y.h * y.w), i = at / y.w % y.h, j = at % y.w;
        double *to = field_at(&y, n, i, j);
        if (k->b)
            memcpy(to, k->b, (size_t)k->co * sizeof *to);
        for (int p = 0; p < k->size; p++)
            for (int q = 0; q < k->size; q++) {
                const double *from = field_at(x, n, i + p - reach, j + q - reach);
                if (from)
                    add_product(to, from, k->w + tap(k->size, p, q, x->c, k->co), x->c, k->co);
            }
    }
    return y;
}

void conv_gradient_free(struct conv_gradient *g)
{
    free(g->dx.v);
    free(g->dw);
    free(g->db);
}

/* The chain rule, product by product. */
static void return_product(double *restrict dx, double *restrict dw, const double *restrict x,
                           const double *restrict dy, const double *restrict w, int ci, int co)
{
    for (int c = 0; c < ci; c++)
        for (int o = 0; o < co; o++) {
            dx[c] += dy[o] * w[c * co + o];
            dw[c * co + o] += dy[o] * x[c];
        }
}

struct conv_gradient conv_back_twin(const struct field *dy, const struct field *x, const struct kernel *k)
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
                size_t w = tap(k->size, p, q, x->c, dy->c);
                if (dx)
                    return_product(dx, g.dw + w, field_at(x, n, i + p - reach, j + q - reach), from, k->w + w,
                                   x->c, dy->c);
            }
    }
    return g;
}

struct conv_case conv_case_new(int size, int n, int h, int w, int ci, int co)
{
    struct conv_case t = {.size = size, .ci = ci, .co = co};
    t.x = map_noise(n, h, w, ci);
    t.dy = map_noise(n, h, w, co);
    t.w = noise_array(kernel_weights(size, ci, co));
    t.b = noise_array((size_t)co);
    return t;
}

void conv_case_twins(struct conv_case *t)
{
    size_t weights = kernel_weights(t->size, t->ci, t->co), co = (size_t)t->co;
    struct field x = field_of(&t->x), dy = field_of(&t->dy);
    double *w = doubles(t->w, weights), *b = doubles(t->b, co);
    struct kernel kernel = {t->size, t->co, w, b};
    t->y = conv_twin(&x, &kernel);
    t->g = conv_back_twin(&dy, &x, &kernel);
    make_positive(x.v, cells(&x));
    make_positive(dy.v, cells(&dy));
    make_positive(w, weights);
    make_positive(b, co);
    t->y_size = conv_twin(&x, &kernel);
    t->g_size = conv_back_twin(&dy, &x, &kernel);
    void *all[] = {x.v, dy.v, w, b};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
}

void conv_case_free(struct conv_case *t)
{
    map_free(t->x);
    map_free(t->dy);
    free(t->w);
    free(t->b);
    free(t->y.v);
    free(t->y_size.v);
    conv_gradient_free(&t->g);
    conv_gradient_free(&t->g_size);
}

/* --- Pooling, upsampling --- */

struct field pool_twin(const struct field *x)
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

struct field nearest_twin(const struct field *x)
{
    struct field y = field_new(x->n, 2 * x->h, 2 * x->w, x->c);
    for (int at = 0; at < y.n * y.h * y.w; at++) {
        int n = at / (y.h * y.w), i = at / y.w % y.h, j = at % y.w;
        memcpy(field_at(&y, n, i, j), field_at(x, n, i / 2, j / 2), (size_t)x->c * sizeof *x->v);
    }
    return y;
}

/* Where pixel i of twice as many lies among `size`, as PyTorch has it: between `low` and `high`, at `share` of the
 * way. */
static void source_of(int i, int size, int *low, int *high, double *share)
{
    double at = fmax((i + .5) / 2 - .5, 0);
    *low = (int)at;
    *high = *low + 1 < size ? *low + 1 : *low;
    *share = at - *low;
}

struct field bilinear_twin(const struct field *x)
{
    struct field y = field_new(x->n, 2 * x->h, 2 * x->w, x->c);
    for (int at = 0; at < y.n * y.h * y.w; at++) {
        int n = at / (y.h * y.w), i = at / y.w % y.h, j = at % y.w, top, low, left, right;
        double down, across;
        source_of(i, x->h, &top, &low, &down);
        source_of(j, x->w, &left, &right, &across);
        for (int k = 0; k < x->c; k++)
            field_at(&y, n, i, j)[k] =
                (1 - down) *
                    ((1 - across) * field_at(x, n, top, left)[k] + across * field_at(x, n, top, right)[k]) +
                down * ((1 - across) * field_at(x, n, low, left)[k] + across * field_at(x, n, low, right)[k]);
    }
    return y;
}

struct field spread_twin(const struct field *x)
{
    struct field y = field_new(x->n, 2 * x->h, 2 * x->w, x->c / 4);
    for (int at = 0; at < y.n * y.h * y.w; at++) {
        int n = at / (y.h * y.w), i = at / y.w % y.h, j = at % y.w;
        for (int k = 0; k < y.c; k++)
            field_at(&y, n, i, j)[k] = field_at(x, n, i / 2, j / 2)[(i % 2 * 2 + j % 2) * y.c + k];
    }
    return y;
}

struct field transposed_twin(const struct field *x, const struct kernel *k)
{
    struct field y = field_new(x->n, 2 * x->h, 2 * x->w, k->co);
    for (int at = 0; at < y.n * y.h * y.w; at++) {
        int n = at / (y.h * y.w), i = at / y.w % y.h, j = at % y.w;
        for (int o = 0; o < k->co; o++) {
            double sum = k->b[o];
            for (int c = 0; c < x->c; c++)
                sum += field_at(x, n, i / 2, j / 2)[c] * k->w[((c * 2 + i % 2) * 2 + j % 2) * k->co + o];
            field_at(&y, n, i, j)[o] = sum;
        }
    }
    return y;
}

/* --- Batch norm, dropout --- */

void moments(const struct field *y, int channel, double *mean, double *variance)
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

struct field norm_twin(const struct field *y, const struct affine *affine)
{
    struct field z = field_new(y->n, y->h, y->w, y->c);
    for (int k = 0; k < y->c; k++) {
        double mean, variance;
        if (affine->mean) {
            mean = affine->mean[k];
            variance = affine->variance[k];
        } else {
            moments(y, k, &mean, &variance);
        }
        for (size_t i = (size_t)k; i < cells(y); i += (size_t)y->c)
            z.v[i] = (y->v[i] - mean) / sqrt(variance + 1e-5) * affine->gamma[k] + affine->beta[k];
    }
    return z;
}

struct rs_norm identity_norm(void)
{
    static float zeros[64], ones[64];
    for (int k = 0; k < 64; k++)
        ones[k] = 1;
    return (struct rs_norm){ones, zeros, zeros, ones, ones, zeros, zeros};
}

static float one(void)
{
    return 1;
}

struct field drop_mask(const struct rs_drop *drop, int n, int h, int w, int c)
{
    struct rs_map ones = map_new(n, h, w, c);
    struct rs_norm norm = identity_norm();
    map_fill(&ones, one);
    rs_norm_forward(ones, ones, &norm, drop, 0);
    struct field mask = field_of(&ones);
    map_free(ones);
    return mask;
}

/* --- Loss --- */

struct loss_case loss_case_new(int n, int h, int w, bool in_fov)
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

void loss_case_free(struct loss_case *t)
{
    map_free(t->x);
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

struct rs_loss loss_twin(const struct loss_case *t)
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

double mean_loss(const void *loss_case)
{
    struct rs_loss loss = loss_twin(loss_case);
    return loss.sum / (double)loss.count;
}

/* --- The whole network --- */

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

const struct rs_unet_entry *entry_named(const struct rs_unet *net, const char *name)
{
    for (int i = 0; i < net->count; i++)
        if (!strcmp(net->entries[i].name, name))
            return &net->entries[i];
    printf("Bail out! no array %s\n", name);
    exit(1);
}

static const double *values_of(const struct net_twin *net, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Of the entry whose name is printed so. */
static const double *values_of(const struct net_twin *net, const char *format, ...)
{
    char name[64];
    va_list args;
    va_start(args, format);
    vsnprintf(name, sizeof name, format, args);
    va_end(args);
    const struct rs_unet_entry *entry = entry_named(&net->net, name);
    return (entry->statistic ? net->statistics : net->p) + entry->offset;
}

/* "enc1.norm2": level 0 is the first, half 0 too. */
static struct affine affine_of(const struct net_twin *net, const char *what, int level, int half)
{
    int l = level + 1, i = half + 1;
    struct affine affine = {.gamma = values_of(net, "%s%d.norm%d.weight", what, l, i),
                            .beta = values_of(net, "%s%d.norm%d.bias", what, l, i)};
    if (net->statistics) {
        affine.mean = values_of(net, "%s%d.norm%d.running_mean", what, l, i);
        affine.variance = values_of(net, "%s%d.norm%d.running_var", what, l, i);
    }
    return affine;
}

static struct field copy_of(const struct field *x)
{
    struct field copy = field_new(x->n, x->h, x->w, x->c);
    memcpy(copy.v, x->v, cells(x) * sizeof *x->v);
    return copy;
}

/* x as a residual block adds it. */
static struct field shortcut_twin(const struct net_twin *net, const char *what, int level,
                                  const struct field *x)
{
    int c = net->net.shape.channels[level];
    if (x->c != c) {
        struct kernel kernel = {1, c, values_of(net, "%s%d.shortcut.weight", what, level + 1), NULL};
        return conv_twin(x, &kernel);
    }
    return copy_of(x);
}

static struct field block_twin(struct net_twin *net, const char *what, int level, const struct field *x)
{
    struct field z = {0};
    for (int i = 0; i < 2; i++) {
        const double *w = values_of(net, "%s%d.conv%d.weight", what, level + 1, i + 1);
        struct kernel kernel = {3, net->net.shape.channels[level], w, NULL};
        struct affine affine = affine_of(net, what, level, i);
        struct field y = conv_twin(i ? &z : x, &kernel);
        free(z.v);
        z = norm_twin(&y, &affine);
        if (i && net->net.shape.block == RS_BLOCK_RESIDUAL) {
            struct field side = shortcut_twin(net, what, level, x);
            for (size_t k = 0; k < cells(&z); k++)
                z.v[k] += side.v[k];
            free(side.v);
        }
        relu_twin(&z, &net->margin);
        if (!net->statistics)
            drop_twin(&z, &net->drop);
        free(y.v);
    }
    return z;
}

/* As it is defined: first to twice the size, then a 1x1 convolution; or both at once. */
static struct field up_twin(const struct net_twin *net, int level, const struct field *below)
{
    struct kernel kernel = {1, net->net.shape.channels[level], values_of(net, "up%d.weight", level + 1),
                            values_of(net, "up%d.bias", level + 1)};
    if (net->net.shape.up == RS_UP_TRANSPOSED)
        return transposed_twin(below, &kernel);
    struct field large = net->net.shape.up == RS_UP_NEAREST ? nearest_twin(below) : bilinear_twin(below);
    struct field narrow = conv_twin(&large, &kernel);
    free(large.v);
    return narrow;
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

/* What of x goes to the right: all of it, or what a gate lets through that also sees what comes from below. */
static struct field gate_twin(struct net_twin *net, int level, const struct field *x,
                              const struct field *below)
{
    if (net->net.shape.block != RS_BLOCK_ATTENTION)
        return copy_of(x);
    int l = level + 1, c = x->c > 1 ? x->c / 2 : 1;
    struct kernel first = {1, c, values_of(net, "gate%d.conv1.weight", l),
                           values_of(net, "gate%d.conv1.bias", l)};
    struct kernel second = {1, 1, values_of(net, "gate%d.conv2.weight", l),
                            values_of(net, "gate%d.conv2.bias", l)};
    struct field both = join_twin(below, x), hidden = conv_twin(&both, &first);
    relu_twin(&hidden, &net->margin);
    struct field score = conv_twin(&hidden, &second), y = field_new(x->n, x->h, x->w, x->c);
    for (size_t i = 0; i < cells(&y); i++)
        y.v[i] = x->v[i] / (1 + exp(-score.v[i / (size_t)y.c]));
    struct field *all[] = {&both, &hidden, &score};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]->v);
    return y;
}

/* Level l from its input to its result: down, through what is below, and up again. */
static struct field level_twin(struct net_twin *net, int l, const struct field *x)
{
    struct field down = block_twin(net, "enc", l, x);
    if (l + 1 == net->net.shape.levels)
        return down;
    struct field pooled = pool_twin(&down), below = level_twin(net, l + 1, &pooled);
    pool_margin(&down, &pooled, &net->margin);
    struct field narrow = up_twin(net, l, &below), left = gate_twin(net, l, &down, &narrow);
    struct field joined = join_twin(&left, &narrow), result = block_twin(net, "dec", l, &joined);
    struct field *all[] = {&down, &pooled, &below, &narrow, &left, &joined};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]->v);
    return result;
}

struct field logits_twin(struct net_twin *net, const struct field *x)
{
    net->drop.layer = 0;
    net->margin = (double)INFINITY;
    struct field top = level_twin(net, 0, x);
    struct kernel head = {1, 1, values_of(net, "head.weight"), values_of(net, "head.bias")};
    struct field logits = conv_twin(&top, &head);
    free(top.v);
    return logits;
}

const char *kind_name(const struct rs_unet_shape *shape)
{
    static char name[32];
    static const char *const blocks[] = {"double", "residual", "attention"}, *const ups[] = {"nearest",
                                                                                             "bilinear",
                                                                                             "transposed"};
    snprintf(name, sizeof name, "%s, %s", blocks[shape->block], ups[shape->up]);
    return name;
}

void draw_all(struct rs_unet *net)
{
    rs_unet_draw(net, 5);
    for (int i = 0; i < net->count; i++)
        for (size_t k = 0; !net->entries[i].statistic && !net->entries[i].terms && k < net->entries[i].count;
             k++)
            net->parameters[net->entries[i].offset + k] += .3f * noise();
}
