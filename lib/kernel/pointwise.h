/* Batch norm, ReLU and dropout of a row of pixels, and pooling, there and back: a vector of channels at a time, down
 * the row. */
#ifndef RS_KERNEL_POINTWISE_H
#define RS_KERNEL_POINTWISE_H

#include "kernel/kernel.h"
#include "kernel/vector.h"

/* A row of a map at some channel. */
INLINE float *row_at(const struct rs_map *map, int image, int i, int c)
{
    return rs_map_at(map, image, i, 0) + c;
}

/* Sums of a channel are in double: float squares would cancel where the mean is large. */
INLINE void moments_of(double *sum, double *squares, const float *y, ptrdiff_t pixel, int w, int count)
{
    wide s = load_wide(sum, count), q = load_wide(squares, count);
    for (int j = 0; j < w; j++, y += pixel) {
        wide v = widen(load_half(y, count));
        s += v;
        q += v * v;
    }
    store_wide(sum, s, count);
    store_wide(squares, q, count);
}

static void moments(double *sum, double *squares, const struct rs_map *y, int image, int i)
{
    int c = 0;
    for (; c + LANES / 2 <= y->c; c += LANES / 2)
        moments_of(sum + c, squares + c, row_at(y, image, i, c), y->pixel, y->w, LANES / 2);
    if (c < y->c)
        moments_of(sum + c, squares + c, row_at(y, image, i, c), y->pixel, y->w, y->c - c);
}

/* The finaliser "lowbias32" (Wellons, "Prospecting for hash functions", 2018), keyed before and between. */
INLINE bits hash(bits x, const uint32_t key[2])
{
    x += key[0];
    x = (x ^ x >> 16) * 0x7feb352du;
    x += key[1];
    x = (x ^ x >> 15) * 0x846ca68bu;
    return x ^ x >> 16;
}

INLINE bits lanes_from(uint32_t first)
{
    bits v = {0};
    for (int i = 0; i < LANES; i++)
        v[i] = first + (uint32_t)i;
    return v;
}

INLINE void act_of(const struct rs_map *z, const struct rs_map *y, int image, int i, int c,
                   const struct rs_kernel_act *act, int count, bool drop)
{
    const float *from = row_at(y, image, i, c);
    float *to = row_at(z, image, i, c);
    vec mean = load_some(act->mean + c, count), scale = load_some(act->scale + c, count);
    vec beta = load_some(act->beta + c, count);
    bits place = lanes_from((uint32_t)i * (uint32_t)y->w * (uint32_t)y->c + (uint32_t)c);
    for (int j = 0; j < y->w; j++, from += y->pixel, to += z->pixel) {
        vec v = relu((load_some(from, count) - mean) * scale + beta);
        if (drop) {
            bits stays = (bits)(hash(place, act->key) >> 16 >= act->threshold);
            v = (vec)((bits)(v * act->keep) & stays);
            place += (uint32_t)y->c;
        }
        store_some(to, v, count);
    }
}

static void act(const struct rs_map *z, const struct rs_map *y, int image, int i,
                const struct rs_kernel_act *act)
{
    int c = 0;
    for (; c + LANES <= y->c; c += LANES)
        if (act->threshold)
            act_of(z, y, image, i, c, act, LANES, true);
        else
            act_of(z, y, image, i, c, act, LANES, false);
    if (c < y->c)
        act_of(z, y, image, i, c, act, y->c - c, act->threshold > 0);
}

INLINE void slopes_of(double *dbeta, double *dgamma, const struct rs_map *const maps[3], int image, int i,
                      int c, const struct rs_kernel_slope *slope, int count)
{
    const float *dz = row_at(maps[0], image, i, c), *z = row_at(maps[1], image, i, c);
    const float *y = row_at(maps[2], image, i, c);
    half mean = load_half(slope->mean + c, count), scale = load_half(slope->scale + c, count);
    wide b = load_wide(dbeta + c, count), g = load_wide(dgamma + c, count);
    for (int j = 0; j < maps[0]->w; j++, dz += maps[0]->pixel, z += maps[1]->pixel, y += maps[2]->pixel) {
        half d = load_half(dz, count) * slope->keep, on = load_half(z, count);
        d = (half)((half_bits)(on != 0) & (half_bits)d);
        b += widen(d);
        g += widen(d * ((load_half(y, count) - mean) * scale));
    }
    store_wide(dbeta + c, b, count);
    store_wide(dgamma + c, g, count);
}

static void slopes(double *dbeta, double *dgamma, const struct rs_map *const maps[3], int image, int i,
                   const struct rs_kernel_slope *slope)
{
    int c = 0;
    for (; c + LANES / 2 <= maps[0]->c; c += LANES / 2)
        slopes_of(dbeta, dgamma, maps, image, i, c, slope, LANES / 2);
    if (c < maps[0]->c)
        slopes_of(dbeta, dgamma, maps, image, i, c, slope, maps[0]->c - c);
}

INLINE void norm_back_of(const struct rs_map *const maps[4], int image, int i, int c,
                         const struct rs_kernel_slope *slope, int count)
{
    float *dy = row_at(maps[0], image, i, c);
    const float *dz = row_at(maps[1], image, i, c), *z = row_at(maps[2], image, i, c);
    const float *y = row_at(maps[3], image, i, c);
    vec mean = load_some(slope->mean + c, count), scale = load_some(slope->scale + c, count) * slope->keep;
    vec steep = load_some(slope->slope + c, count), shift = load_some(slope->shift + c, count);
    for (int j = 0; j < maps[0]->w; j++) {
        vec d = scale * load_some(dz, count);
        d = (vec)((bits)(load_some(z, count) != 0) & (bits)d);
        store_some(dy, d - steep * (load_some(y, count) - mean) - shift, count);
        dy += maps[0]->pixel;
        dz += maps[1]->pixel;
        z += maps[2]->pixel;
        y += maps[3]->pixel;
    }
}

static void norm_back(const struct rs_map *const maps[4], int image, int i,
                      const struct rs_kernel_slope *slope)
{
    int c = 0;
    for (; c + LANES <= maps[0]->c; c += LANES)
        norm_back_of(maps, image, i, c, slope, LANES);
    if (c < maps[0]->c)
        norm_back_of(maps, image, i, c, slope, maps[0]->c - c);
}

INLINE vec choose(bits mask, vec yes, vec no)
{
    return (vec)((mask & (bits)yes) | (~mask & (bits)no));
}

INLINE void pool_of(const struct rs_map *y, const struct rs_map *x, int image, int i, int c, int count)
{
    float *to = row_at(y, image, i, c);
    const float *top = row_at(x, image, 2 * i, c), *low = top + x->row;
    for (int j = 0; j < y->w; j++, to += y->pixel, top += 2 * x->pixel, low += 2 * x->pixel) {
        vec p = load_some(top, count), q = load_some(top + x->pixel, count);
        vec r = load_some(low, count), s = load_some(low + x->pixel, count);
        vec upper = choose((bits)(p > q), p, q), lower = choose((bits)(r > s), r, s);
        store_some(to, choose((bits)(upper > lower), upper, lower), count);
    }
}

static void pool(const struct rs_map *y, const struct rs_map *x, int image, int i)
{
    int c = 0;
    for (; c + LANES <= y->c; c += LANES)
        pool_of(y, x, image, i, c, LANES);
    if (c < y->c)
        pool_of(y, x, image, i, c, y->c - c);
}

INLINE void add_where(float *to, bits mask, vec v, int count)
{
    store_some(to, load_some(to, count) + (vec)(mask & (bits)v), count);
}

INLINE void pool_back_of(const struct rs_map *dx, const struct rs_map *dy, const struct rs_map *x, int image,
                         int i, int c, int count)
{
    float *dtop = row_at(dx, image, 2 * i, c), *dlow = dtop + dx->row;
    const float *from = row_at(dy, image, i, c), *top = row_at(x, image, 2 * i, c), *low = top + x->row;
    for (int j = 0; j < dy->w; j++, from += dy->pixel) {
        vec p = load_some(top, count), q = load_some(top + x->pixel, count);
        vec r = load_some(low, count), s = load_some(low + x->pixel, count), d = load_some(from, count);
        bits left_top = (bits)(p >= q), left_low = (bits)(r >= s);
        bits upper = (bits)(choose(left_top, p, q) >= choose(left_low, r, s));
        add_where(dtop, upper & left_top, d, count);
        add_where(dtop + dx->pixel, upper & ~left_top, d, count);
        add_where(dlow, ~upper & left_low, d, count);
        add_where(dlow + dx->pixel, ~upper & ~left_low, d, count);
        top += 2 * x->pixel;
        low += 2 * x->pixel;
        dtop += 2 * dx->pixel;
        dlow += 2 * dx->pixel;
    }
}

static void pool_back(const struct rs_map *dx, const struct rs_map *dy, const struct rs_map *x, int image,
                      int i)
{
    int c = 0;
    for (; c + LANES <= dy->c; c += LANES)
        pool_back_of(dx, dy, x, image, i, c, LANES);
    if (c < dy->c)
        pool_back_of(dx, dy, x, image, i, c, dy->c - c);
}

#endif
