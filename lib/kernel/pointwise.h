/* Batch norm, ReLU and dropout of a row of pixels, and pooling, there and back: a vector of channels at a time, down
 * the row. */
#ifndef RS_KERNEL_POINTWISE_H
#define RS_KERNEL_POINTWISE_H

#include <stdbool.h>

#include "kernel/kernel.h"
#include "kernel/vector.h"

/* A row of a map at some channel. */
INLINE float *row_at(const struct rs_map *map, int image, int i, int c)
{
    return rs_map_at(map, image, i, 0) + c;
}

/* Calls function(..., c, vectors, count) for the channels of a row, two vectors at a time as long as there are so many,
 * then one, then what is left: the lines of a pixel are fetched one behind the other. Where lanes do not all count,
 * `count` do. */
#define FOR_CHANNELS(channels, function, ...)                                                                \
    do {                                                                                                     \
        int c_ = 0;                                                                                          \
        for (; c_ + 2 * LANES <= (channels); c_ += 2 * LANES)                                                \
            function(__VA_ARGS__, c_, 2, LANES);                                                             \
        if (c_ + LANES <= (channels)) {                                                                      \
            function(__VA_ARGS__, c_, 1, LANES);                                                             \
            c_ += LANES;                                                                                     \
        }                                                                                                    \
        if (c_ < (channels))                                                                                 \
            function(__VA_ARGS__, c_, 1, (channels)-c_);                                                     \
    } while (0)

/* Two sums of each of a vector of channels, in double: float squares would cancel where the mean is large. */
struct sums {
    wide first[2], second[2];
};

INLINE int in_half(int h, int count)
{
    int left = count - h * (LANES / 2);
    return left < 0 ? 0 : left < LANES / 2 ? left : LANES / 2;
}

INLINE struct sums load_both(const double *first, const double *second, int count)
{
    struct sums sums;
#pragma GCC unroll 2
    for (int h = 0; h < 2; h++) {
        sums.first[h] = load_wide(first + h * (LANES / 2), in_half(h, count));
        sums.second[h] = load_wide(second + h * (LANES / 2), in_half(h, count));
    }
    return sums;
}

INLINE void store_both(double *first, double *second, struct sums sums, int count)
{
#pragma GCC unroll 2
    for (int h = 0; h < 2; h++) {
        store_wide(first + h * (LANES / 2), sums.first[h], in_half(h, count));
        store_wide(second + h * (LANES / 2), sums.second[h], in_half(h, count));
    }
}

INLINE void add_moments(struct sums *sums, vec y)
{
    wide halves[2];
    widen(halves, y);
#pragma GCC unroll 2
    for (int h = 0; h < 2; h++) {
        sums->first[h] += halves[h];
        sums->second[h] += halves[h] * halves[h];
    }
}

INLINE void moments_of(double *sum, double *squares, const struct rs_map *y, int image, int i, int c,
                       int vectors, int count)
{
    const float *from = row_at(y, image, i, c);
    struct sums sums[2];
#pragma GCC unroll 2
    for (int v = 0; v < vectors; v++)
        sums[v] = load_both(sum + c + v * LANES, squares + c + v * LANES, count);
    for (int j = 0; j < y->w; j++, from += y->pixel)
#pragma GCC unroll 2
        for (int v = 0; v < vectors; v++)
            add_moments(&sums[v], load_some(from + v * LANES, count));
#pragma GCC unroll 2
    for (int v = 0; v < vectors; v++)
        store_both(sum + c + v * LANES, squares + c + v * LANES, sums[v], count);
}

static void moments(double *sum, double *squares, const struct rs_map *y, int image, int i)
{
    FOR_CHANNELS(y->c, moments_of, sum, squares, y, image, i);
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

INLINE vec only(bits mask, vec v)
{
    return (vec)(mask & (bits)v);
}

/* A vector of channels on its way through batch norm, ReLU and dropout. */
struct lane {
    vec mean, scale, beta;
    bits place; /* of the next pixel */
};

INLINE struct lane lane_of(const struct rs_kernel_act *act, const struct rs_map *y, int i, int c, int count)
{
    return (struct lane){load_some(act->mean + c, count), load_some(act->scale + c, count),
                         load_some(act->beta + c, count),
                         lanes_from((uint32_t)i * (uint32_t)y->w * (uint32_t)y->c + (uint32_t)c)};
}

/* Where dropout lets a pixel and its right neighbour through: one hash has 16 bits for each. */
INLINE void draw(bits stays[2], struct lane *lane, const struct rs_map *y, const struct rs_kernel_act *act)
{
    bits drawn = hash(lane->place, act->key);
    stays[0] = (bits)(drawn >> 16 >= act->threshold);
    stays[1] = (bits)((drawn & 0xffff) >= act->threshold);
    lane->place += 2 * (uint32_t)y->c;
}

INLINE void act_pixel(float *to, const float *from, const struct lane *lane, const bits *stays, float keep,
                      int count)
{
    vec v = relu((load_some(from, count) - lane->mean) * lane->scale + lane->beta);
    store_some(to, stays ? only(*stays, v * keep) : v, count);
}

INLINE void act_of(const struct rs_map *z, const struct rs_map *y, int image, int i,
                   const struct rs_kernel_act *act, bool drop, int c, int vectors, int count)
{
    const float *from = row_at(y, image, i, c);
    float *to = row_at(z, image, i, c);
    struct lane lanes[2];
#pragma GCC unroll 2
    for (int v = 0; v < vectors; v++)
        lanes[v] = lane_of(act, y, i, c + v * LANES, count);
    for (int j = 0; j < y->w; j += 2, from += 2 * y->pixel, to += 2 * z->pixel)
#pragma GCC unroll 2
        for (int v = 0; v < vectors; v++) {
            bits stays[2];
            if (drop)
                draw(stays, &lanes[v], y, act);
            act_pixel(to + v * LANES, from + v * LANES, &lanes[v], drop ? &stays[0] : NULL, act->keep, count);
            if (j + 1 < y->w)
                act_pixel(to + z->pixel + v * LANES, from + y->pixel + v * LANES, &lanes[v],
                          drop ? &stays[1] : NULL, act->keep, count);
        }
}

static void act(const struct rs_map *z, const struct rs_map *y, int image, int i,
                const struct rs_kernel_act *act)
{
    if (act->threshold)
        FOR_CHANNELS(y->c, act_of, z, y, image, i, act, true);
    else
        FOR_CHANNELS(y->c, act_of, z, y, image, i, act, false);
}

/* dz where ReLU and dropout let y through; `off` is y - mean. */
INLINE vec passed(vec dz, vec off, const struct lane *lane, const bits *stays)
{
    bits on = ~(bits)(off * lane->scale + lane->beta <= 0);
    return only(stays ? on & *stays : on, dz);
}

INLINE void slopes_pixel(struct sums *sums, const float *dz, const float *y, const struct lane *lane,
                         const bits *stays, vec keep, vec inverse, int count)
{
    vec off = load_some(y, count) - lane->mean;
    vec d = passed(load_some(dz, count) * keep, off, lane, stays);
    wide dbeta[2], dgamma[2];
    widen(dbeta, d);
    widen(dgamma, d * (off * inverse));
#pragma GCC unroll 2
    for (int h = 0; h < 2; h++) {
        sums->first[h] += dbeta[h];
        sums->second[h] += dgamma[h];
    }
}

INLINE void slopes_of(double *dbeta, double *dgamma, const struct rs_map *dz, const struct rs_map *y,
                      int image, int i, const struct rs_kernel_slope *slope, bool drop, int c, int vectors,
                      int count)
{
    const float *from = row_at(dz, image, i, c), *at = row_at(y, image, i, c);
    struct lane lanes[2];
    struct sums sums[2];
    vec inverse[2], keep = (vec){0} + slope->act.keep;
#pragma GCC unroll 2
    for (int v = 0; v < vectors; v++) {
        lanes[v] = lane_of(&slope->act, y, i, c + v * LANES, count);
        sums[v] = load_both(dbeta + c + v * LANES, dgamma + c + v * LANES, count);
        inverse[v] = load_some(slope->inverse + c + v * LANES, count);
    }
    for (int j = 0; j < y->w; j += 2, from += 2 * dz->pixel, at += 2 * y->pixel)
#pragma GCC unroll 2
        for (int v = 0; v < vectors; v++) {
            bits stays[2];
            if (drop)
                draw(stays, &lanes[v], y, &slope->act);
            slopes_pixel(&sums[v], from + v * LANES, at + v * LANES, &lanes[v], drop ? &stays[0] : NULL, keep,
                         inverse[v], count);
            if (j + 1 < y->w)
                slopes_pixel(&sums[v], from + dz->pixel + v * LANES, at + y->pixel + v * LANES, &lanes[v],
                             drop ? &stays[1] : NULL, keep, inverse[v], count);
        }
#pragma GCC unroll 2
    for (int v = 0; v < vectors; v++)
        store_both(dbeta + c + v * LANES, dgamma + c + v * LANES, sums[v], count);
}

static void slopes(double *dbeta, double *dgamma, const struct rs_map *dz, const struct rs_map *y, int image,
                   int i, const struct rs_kernel_slope *slope)
{
    if (slope->act.threshold)
        FOR_CHANNELS(y->c, slopes_of, dbeta, dgamma, dz, y, image, i, slope, true);
    else
        FOR_CHANNELS(y->c, slopes_of, dbeta, dgamma, dz, y, image, i, slope, false);
}

/* Of a vector of channels; scale is of what came through, times `keep`. */
struct back {
    vec scale, slope, shift;
};

INLINE void back_pixel(float *dy, const float *dz, const float *y, const struct lane *lane,
                       const struct back *back, const bits *stays, int count)
{
    vec off = load_some(y, count) - lane->mean;
    vec d = passed(back->scale * load_some(dz, count), off, lane, stays);
    store_some(dy, d - back->slope * off - back->shift, count);
}

INLINE void norm_back_of(const struct rs_map *dy, const struct rs_map *dz, const struct rs_map *y, int image,
                         int i, const struct rs_kernel_slope *slope, bool drop, int c, int vectors, int count)
{
    float *to = row_at(dy, image, i, c);
    const float *from = row_at(dz, image, i, c), *at = row_at(y, image, i, c);
    struct lane lanes[2];
    struct back back[2];
#pragma GCC unroll 2
    for (int v = 0; v < vectors; v++) {
        lanes[v] = lane_of(&slope->act, y, i, c + v * LANES, count);
        back[v] =
            (struct back){lanes[v].scale * slope->act.keep, load_some(slope->slope + c + v * LANES, count),
                          load_some(slope->shift + c + v * LANES, count)};
    }
    for (int j = 0; j < y->w; j += 2, to += 2 * dy->pixel, from += 2 * dz->pixel, at += 2 * y->pixel)
#pragma GCC unroll 2
        for (int v = 0; v < vectors; v++) {
            bits stays[2];
            if (drop)
                draw(stays, &lanes[v], y, &slope->act);
            back_pixel(to + v * LANES, from + v * LANES, at + v * LANES, &lanes[v], &back[v],
                       drop ? &stays[0] : NULL, count);
            if (j + 1 < y->w)
                back_pixel(to + dy->pixel + v * LANES, from + dz->pixel + v * LANES,
                           at + y->pixel + v * LANES, &lanes[v], &back[v], drop ? &stays[1] : NULL, count);
        }
}

static void norm_back(const struct rs_map *dy, const struct rs_map *dz, const struct rs_map *y, int image,
                      int i, const struct rs_kernel_slope *slope)
{
    if (slope->act.threshold)
        FOR_CHANNELS(y->c, norm_back_of, dy, dz, y, image, i, slope, true);
    else
        FOR_CHANNELS(y->c, norm_back_of, dy, dz, y, image, i, slope, false);
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
