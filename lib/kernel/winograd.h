/* Winograd's minimal filtering F(4x4, 3x3): 36 products where 144 were, in between transforms of tiles.
 * Lavin and Gray, "Fast algorithms for convolutional neural networks" (CVPR 2016), section 4.3:
 *
 *   Y = A^T [ (G g G^T) o (B^T d B) ] A,  and for the weights' gradient  dg = G^T [ (A dY A^T) o (B^T d B) ] G */
#ifndef RS_KERNEL_WINOGRAD_H
#define RS_KERNEL_WINOGRAD_H

#include "kernel/direct.h"

/* Tiles in a block; planes lie PAD floats further apart than need be, or all 36 would meet in one cache set. */
enum { TILES = 48, PLANES = 36, PAD = 16 };

INLINE ptrdiff_t plane_of(int c)
{
    return (ptrdiff_t)TILES * c + PAD;
}

static size_t winograd_scratch(int ci, int co)
{
    return PLANES * (size_t)(plane_of(ci) + plane_of(co));
}

/* B^T d */
INLINE void input_transform(vec t[6], const vec d[6])
{
    vec even = d[4] - 4 * d[2], odd = d[3] - 4 * d[1];
    vec far_even = d[4] - d[2], far_odd = 2 * (d[3] - d[1]);
    t[0] = 4 * d[0] - 5 * d[2] + d[4];
    t[1] = even + odd;
    t[2] = even - odd;
    t[3] = far_even + far_odd;
    t[4] = far_even - far_odd;
    t[5] = 4 * d[1] - 5 * d[3] + d[5];
}

/* A^T m */
INLINE void output_transform(vec y[4], const vec m[6])
{
    vec sum = m[1] + m[2], difference = m[1] - m[2];
    vec far_sum = m[3] + m[4], far_difference = m[3] - m[4];
    y[0] = m[0] + sum + far_sum;
    y[1] = difference + 2 * far_difference;
    y[2] = sum + 4 * far_sum;
    y[3] = difference + 8 * far_difference + m[5];
}

/* A dy */
INLINE void gradient_transform(vec t[6], const vec dy[4])
{
    vec even = dy[0] + dy[2], odd = dy[1] + dy[3];
    vec far_even = dy[0] + 4 * dy[2], far_odd = 2 * dy[1] + 8 * dy[3];
    t[0] = dy[0];
    t[1] = even + odd;
    t[2] = even - odd;
    t[3] = far_even + far_odd;
    t[4] = far_even - far_odd;
    t[5] = dy[3];
}

/* G g */
INLINE void weight_transform(vec t[6], const vec g[3])
{
    vec even = g[0] + g[2], far_even = g[0] + 4 * g[2], far_odd = 2 * g[1];
    t[0] = g[0] * (1.f / 4);
    t[1] = (even + g[1]) * (-1.f / 6);
    t[2] = (even - g[1]) * (-1.f / 6);
    t[3] = (far_even + far_odd) * (1.f / 24);
    t[4] = (far_even - far_odd) * (1.f / 24);
    t[5] = g[2];
}

/* G^T m */
INLINE void weight_gradient_transform(vec g[3], const vec m[6])
{
    vec near_sum = (m[1] + m[2]) * (-1.f / 6), near_difference = (m[2] - m[1]) * (1.f / 6);
    vec far_sum = (m[3] + m[4]) * (1.f / 24), far_difference = (m[3] - m[4]) * (1.f / 12);
    g[0] = m[0] * (1.f / 4) + near_sum + far_sum;
    g[1] = near_difference + far_difference;
    g[2] = near_sum + 4 * far_sum + m[5];
}

/* Tiles are numbered along rows, one image behind the other. */
struct grid {
    int across, an_image, count;
};

INLINE struct grid grid_of(const struct rs_map *map)
{
    int across = (map->w + RS_TILE - 1) / RS_TILE, down = (map->h + RS_TILE - 1) / RS_TILE;
    return (struct grid){across, across * down, across * down * map->n};
}

struct tile {
    int image, i, j; /* of its first output */
};

INLINE struct tile tile_of(const struct grid *grid, int number)
{
    int inside = number % grid->an_image;
    return (struct tile){number / grid->an_image, inside / grid->across * RS_TILE,
                         inside % grid->across * RS_TILE};
}

/* Into one of 36 streams, which are too many for the processor to see where they go on. */
INLINE void store_ahead(float *to, vec v)
{
    store(to, v);
    __builtin_prefetch(to + LANES, 1);
}

INLINE void spread_input(float *to, ptrdiff_t plane, const float *x, ptrdiff_t row, ptrdiff_t pixel)
{
    vec half_way[6][6];
#pragma GCC unroll 6
    for (int b = 0; b < 6; b++) {
        vec d[6], t[6];
#pragma GCC unroll 6
        for (int a = 0; a < 6; a++)
            d[a] = load(x + a * row + b * pixel);
        input_transform(t, d);
#pragma GCC unroll 6
        for (int a = 0; a < 6; a++)
            half_way[a][b] = t[a];
    }
#pragma GCC unroll 6
    for (int a = 0; a < 6; a++) {
        vec t[6];
        input_transform(t, half_way[a]);
#pragma GCC unroll 6
        for (int b = 0; b < 6; b++)
            store_ahead(to + (a * 6 + b) * plane, t[b]);
    }
}

INLINE void spread_gradient(float *to, ptrdiff_t plane, const float *dy, ptrdiff_t row, ptrdiff_t pixel)
{
    vec half_way[6][4];
#pragma GCC unroll 4
    for (int b = 0; b < 4; b++) {
        vec d[4], t[6];
#pragma GCC unroll 4
        for (int a = 0; a < 4; a++)
            d[a] = load(dy + a * row + b * pixel);
        gradient_transform(t, d);
#pragma GCC unroll 6
        for (int a = 0; a < 6; a++)
            half_way[a][b] = t[a];
    }
#pragma GCC unroll 6
    for (int a = 0; a < 6; a++) {
        vec t[6];
        gradient_transform(t, half_way[a]);
#pragma GCC unroll 6
        for (int b = 0; b < 6; b++)
            store_ahead(to + (a * 6 + b) * plane, t[b]);
    }
}

/* V: [36][TILES][ci] from the inputs of tiles [first, first + count) */
static void spread_inputs(float *planes, const struct rs_map *x, const struct grid *grid, int first,
                          int count)
{
    for (int t = 0; t < count; t++) {
        struct tile tile = tile_of(grid, first + t);
        const float *from = rs_map_at(x, tile.image, tile.i - 1, tile.j - 1);
        for (int c = 0; c < x->c; c += LANES)
            spread_input(planes + t * x->c + c, plane_of(x->c), from + c, x->row, x->pixel);
    }
}

static void spread_gradients(float *planes, const struct rs_map *dy, const struct grid *grid, int first,
                             int count)
{
    for (int t = 0; t < count; t++) {
        struct tile tile = tile_of(grid, first + t);
        const float *from = rs_map_at(dy, tile.image, tile.i, tile.j);
        for (int c = 0; c < dy->c; c += LANES)
            spread_gradient(planes + t * dy->c + c, plane_of(dy->c), from + c, dy->row, dy->pixel);
    }
}

INLINE void gather_output(const struct rs_map *y, struct tile tile, const float *planes, int c,
                          const struct rs_kernel_conv *conv)
{
    vec half_way[4][6], bias = load(conv->bias + c);
    ptrdiff_t plane = plane_of(y->c);
#pragma GCC unroll 6
    for (int b = 0; b < 6; b++) {
        vec m[6], t[4];
#pragma GCC unroll 6
        for (int a = 0; a < 6; a++)
            m[a] = load(planes + (a * 6 + b) * plane);
        output_transform(t, m);
#pragma GCC unroll 4
        for (int a = 0; a < 4; a++)
            half_way[a][b] = t[a];
    }
    float *to = rs_map_at(y, tile.image, tile.i, tile.j) + c;
#pragma GCC unroll 4
    for (int a = 0; a < 4; a++) {
        vec t[4];
        output_transform(t, half_way[a]);
        if (tile.i + a >= y->h)
            return;
#pragma GCC unroll 4
        for (int b = 0; b < 4; b++)
            if (tile.j + b < y->w)
                store(to + a * y->row + b * y->pixel, conv->relu ? relu(t[b] + bias) : t[b] + bias);
    }
}

static void gather_outputs(const struct rs_map *y, const float *planes, const struct grid *grid, int first,
                           int count, const struct rs_kernel_conv *conv)
{
    for (int t = 0; t < count; t++)
        for (int c = 0; c < y->c; c += LANES)
            gather_output(y, tile_of(grid, first + t), planes + t * y->c + c, c, conv);
}

INLINE void plane_block(float *m, const float *v, const float *w, int ci, int co, int rows, int vectors)
{
    vec sums[MOST][2];
    clear_sums(sums, rows, vectors);
    add_products(sums, rows, vectors, (struct walk){v, w, ci, 1, vectors * LANES, ci});
    store_sums(m, co, sums, rows, vectors);
}

/* M = V U in each plane, `tiles` of them. */
static void multiply_planes(float *m, const float *v, const float *packed, int ci, int co, int tiles)
{
    for (int plane = 0; plane < PLANES; plane++, m += plane_of(co), v += plane_of(ci), packed += ci * co)
        for (int o = 0; o < co; o += 2 * LANES) {
            int vectors = panel_vectors(co, o);
            for (int t = 0, rows; t < tiles; t += rows) {
                rows = block_of(tiles - t);
                WITH_BLOCK(plane_block, rows, vectors, m + t * co + o, v + t * ci, packed + o * ci, ci, co);
            }
        }
}

static void winograd(const struct rs_map *y, const struct rs_map *x, const struct rs_kernel_conv *conv)
{
    struct grid grid = grid_of(y);
    float *v = conv->scratch, *m = v + PLANES * plane_of(x->c);
    for (int first = 0, count; first < grid.count; first += count) {
        count = grid.count - first < TILES ? grid.count - first : TILES;
        spread_inputs(v, x, &grid, first, count);
        multiply_planes(m, v, conv->packed, x->c, y->c, count);
        gather_outputs(y, m, &grid, first, count, conv);
    }
}

/* sums += V^T D in each plane */
INLINE void plane_gradient_block(float *sums, const float *v, const float *d, int ci, int co, int tiles,
                                 int rows, int vectors)
{
    vec products[MOST][2];
    load_sums(products, rows, vectors, sums, co);
    add_products(products, rows, vectors, (struct walk){v, d, 1, ci, co, tiles});
    store_sums(sums, co, products, rows, vectors);
}

static void multiply_gradients(float *sums, const float *v, const float *d, int ci, int co, int tiles)
{
    for (int plane = 0; plane < PLANES; plane++, sums += ci * co, v += plane_of(ci), d += plane_of(co))
        for (int o = 0; o < co; o += 2 * LANES) {
            int vectors = panel_vectors(co, o);
            for (int c = 0, rows; c < ci; c += rows) {
                rows = block_of(ci - c);
                WITH_BLOCK(plane_gradient_block, rows, vectors, sums + c * co + o, v + c, d + o, ci, co,
                           tiles);
            }
        }
}

static void winograd_gradient(float *sums, const struct rs_map *dy, const struct rs_map *x, float *scratch)
{
    struct grid grid = grid_of(dy);
    float *v = scratch, *d = v + PLANES * plane_of(x->c);
    for (int first = 0, count; first < grid.count; first += count) {
        count = grid.count - first < TILES ? grid.count - first : TILES;
        spread_inputs(v, x, &grid, first, count);
        spread_gradients(d, dy, &grid, first, count);
        multiply_gradients(sums, v, d, x->c, dy->c, count);
    }
}

/* packed: in each plane, panels of [ci][their width] */
static void winograd_pack(float *packed, const float *w, int ci, int co)
{
    ptrdiff_t tap = (ptrdiff_t)ci * co;
    for (int c = 0; c < ci; c++)
        for (int o = 0; o < co; o += LANES) {
            int panel = o / (2 * LANES) * (2 * LANES), width = panel_vectors(co, panel) * LANES;
            float *to = packed + panel * ci + c * width + o - panel;
            vec half_way[6][3], t[6];
            for (int q = 0; q < 3; q++) {
                const float *from = w + q * tap + c * co + o;
                weight_transform(t, (vec[]){load(from), load(from + 3 * tap), load(from + 6 * tap)});
                for (int a = 0; a < 6; a++)
                    half_way[a][q] = t[a];
            }
            for (int a = 0; a < 6; a++) {
                weight_transform(t, half_way[a]);
                for (int b = 0; b < 6; b++)
                    store(to + (a * 6 + b) * tap, t[b]);
            }
        }
}

static void winograd_unpack(float *dw, const float *sums, int ci, int co)
{
    ptrdiff_t tap = (ptrdiff_t)ci * co;
    for (ptrdiff_t at = 0; at < tap; at += LANES) {
        vec half_way[3][6], m[6], t[3];
        for (int b = 0; b < 6; b++) {
            for (int a = 0; a < 6; a++)
                m[a] = load(sums + (a * 6 + b) * tap + at);
            weight_gradient_transform(t, m);
            for (int p = 0; p < 3; p++)
                half_way[p][b] = t[p];
        }
        for (int p = 0; p < 3; p++) {
            weight_gradient_transform(t, half_way[p]);
            for (int q = 0; q < 3; q++)
                store(dw + (p * 3 + q) * tap + at, t[q]);
        }
    }
}

#endif
