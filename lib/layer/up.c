#include "layer/up.h"

#include <string.h>

/* Upsampling reads or writes a; joining a and b. */
struct pass {
    struct rs_map y, a, b;
};

static void up_row(void *context, int image, int i)
{
    const struct pass *pass = context;
    int c = pass->y.c;
    float *y = rs_map_at(&pass->y, image, i, 0);
    const float *x = rs_map_at(&pass->a, image, i / 2, 0);
    for (int j = 0; j < pass->a.w; j++, x += c)
        for (int copy = 0; copy < 2; copy++, y += c)
            memcpy(y, x, (size_t)c * sizeof *y);
}

void rs_up_forward(struct rs_map y, struct rs_map x)
{
    struct pass pass = {.y = y, .a = x};
    rs_map_rows(&y, up_row, &pass);
}

static void up_back_row(void *context, int image, int i)
{
    const struct pass *pass = context;
    int c = pass->a.c;
    float *dx = rs_map_at(&pass->a, image, i, 0);
    const float *top = rs_map_at(&pass->y, image, 2 * i, 0);
    const float *low = rs_map_at(&pass->y, image, 2 * i + 1, 0);
    for (int j = 0; j < pass->a.w; j++, dx += c, top += 2 * c, low += 2 * c)
        for (int k = 0; k < c; k++)
            dx[k] = (top[k] + top[k + c]) + (low[k] + low[k + c]);
}

void rs_up_backward(struct rs_map dx, struct rs_map dy)
{
    struct pass pass = {.y = dy, .a = dx};
    rs_map_rows(&dx, up_back_row, &pass);
}

static void join_row(void *context, int image, int i)
{
    const struct pass *pass = context;
    size_t ca = (size_t)pass->a.c, cb = (size_t)pass->b.c;
    float *y = rs_map_at(&pass->y, image, i, 0);
    const float *a = rs_map_at(&pass->a, image, i, 0), *b = rs_map_at(&pass->b, image, i, 0);
    for (int j = 0; j < pass->y.w; j++, y += ca + cb, a += ca, b += cb) {
        memcpy(y, a, ca * sizeof *y);
        memcpy(y + ca, b, cb * sizeof *y);
    }
}

void rs_join_forward(struct rs_map y, struct rs_map a, struct rs_map b)
{
    struct pass pass = {y, a, b};
    rs_map_rows(&y, join_row, &pass);
}

static void split_row(void *context, int image, int i)
{
    const struct pass *pass = context;
    size_t ca = (size_t)pass->a.c, cb = (size_t)pass->b.c;
    const float *dy = rs_map_at(&pass->y, image, i, 0);
    float *da = rs_map_at(&pass->a, image, i, 0), *db = rs_map_at(&pass->b, image, i, 0);
    for (int j = 0; j < pass->y.w; j++, dy += ca + cb, da += ca, db += cb) {
        memcpy(da, dy, ca * sizeof *da);
        memcpy(db, dy + ca, cb * sizeof *db);
    }
}

void rs_join_backward(struct rs_map da, struct rs_map db, struct rs_map dy)
{
    struct pass pass = {dy, da, db};
    rs_map_rows(&dy, split_row, &pass);
}
