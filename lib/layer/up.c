#include "layer/up.h"

#include <string.h>

#include "base/thread.h"

struct pass {
    struct rs_map y, a, b;
};

static void up_band(void *context, int shard, int worker)
{
    (void)worker;
    const struct pass *pass = context;
    struct rs_band band = rs_map_band(&pass->y, shard);
    int c = pass->y.c;
    for (int i = band.from; i < band.to; i++) {
        float *y = rs_map_at(&pass->y, band.image, i, 0);
        const float *x = rs_map_at(&pass->a, band.image, i / 2, 0);
        for (int j = 0; j < pass->a.w; j++, x += c)
            for (int copy = 0; copy < 2; copy++, y += c)
                memcpy(y, x, (size_t)c * sizeof *y);
    }
}

void rs_up_forward(struct rs_map y, struct rs_map x)
{
    struct pass pass = {.y = y, .a = x};
    rs_parallel(up_band, &pass, rs_map_bands(&y));
}

static void up_back_band(void *context, int shard, int worker)
{
    (void)worker;
    const struct pass *pass = context;
    struct rs_band band = rs_map_band(&pass->a, shard);
    int c = pass->a.c;
    for (int i = band.from; i < band.to; i++) {
        float *dx = rs_map_at(&pass->a, band.image, i, 0);
        const float *top = rs_map_at(&pass->y, band.image, 2 * i, 0);
        const float *low = rs_map_at(&pass->y, band.image, 2 * i + 1, 0);
        for (int j = 0; j < pass->a.w; j++, dx += c, top += 2 * c, low += 2 * c)
            for (int k = 0; k < c; k++)
                dx[k] = (top[k] + top[k + c]) + (low[k] + low[k + c]);
    }
}

void rs_up_backward(struct rs_map dx, struct rs_map dy)
{
    struct pass pass = {.y = dy, .a = dx};
    rs_parallel(up_back_band, &pass, rs_map_bands(&dx));
}

static void join_band(void *context, int shard, int worker)
{
    (void)worker;
    const struct pass *pass = context;
    struct rs_band band = rs_map_band(&pass->y, shard);
    size_t ca = (size_t)pass->a.c, cb = (size_t)pass->b.c;
    for (int i = band.from; i < band.to; i++) {
        float *y = rs_map_at(&pass->y, band.image, i, 0);
        const float *a = rs_map_at(&pass->a, band.image, i, 0), *b = rs_map_at(&pass->b, band.image, i, 0);
        for (int j = 0; j < pass->y.w; j++, y += ca + cb, a += ca, b += cb) {
            memcpy(y, a, ca * sizeof *y);
            memcpy(y + ca, b, cb * sizeof *y);
        }
    }
}

void rs_join_forward(struct rs_map y, struct rs_map a, struct rs_map b)
{
    struct pass pass = {y, a, b};
    rs_parallel(join_band, &pass, rs_map_bands(&y));
}

static void split_band(void *context, int shard, int worker)
{
    (void)worker;
    const struct pass *pass = context;
    struct rs_band band = rs_map_band(&pass->y, shard);
    size_t ca = (size_t)pass->a.c, cb = (size_t)pass->b.c;
    for (int i = band.from; i < band.to; i++) {
        const float *dy = rs_map_at(&pass->y, band.image, i, 0);
        float *da = rs_map_at(&pass->a, band.image, i, 0), *db = rs_map_at(&pass->b, band.image, i, 0);
        for (int j = 0; j < pass->y.w; j++, dy += ca + cb, da += ca, db += cb) {
            memcpy(da, dy, ca * sizeof *da);
            memcpy(db, dy + ca, cb * sizeof *db);
        }
    }
}

void rs_join_backward(struct rs_map da, struct rs_map db, struct rs_map dy)
{
    struct pass pass = {dy, da, db};
    rs_parallel(split_band, &pass, rs_map_bands(&dy));
}
