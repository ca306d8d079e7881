#include "layer/up.h"

#include <string.h>

static void nearest_row(const struct rs_map *y, const struct rs_map *x, int image, int i)
{
    float *to = rs_map_at(y, image, i, 0);
    const float *from = rs_map_at(x, image, i / 2, 0);
    for (int j = 0; j < y->w; j++, to += y->pixel)
        memcpy(to, from + j / 2 * x->pixel, (size_t)y->c * sizeof *to);
}

static void transposed_row(const struct rs_map *y, const struct rs_map *x, int image, int i)
{
    float *to = rs_map_at(y, image, i, 0);
    const float *from = rs_map_at(x, image, i / 2, 0) + i % 2 * 2 * y->c;
    for (int j = 0; j < y->w; j++, to += y->pixel)
        memcpy(to, from + j / 2 * x->pixel + j % 2 * y->c, (size_t)y->c * sizeof *to);
}

/* Two neighbouring pixels of y's row from the columns left of, at and right of one of x, each in the nearer and the
 * farther of two rows. */
static void mix(float *restrict left, float *restrict right, const float *const near[3],
                const float *const far[3], int c)
{
    for (int k = 0; k < c; k++) {
        float before = .75f * near[0][k] + .25f * far[0][k], at = .75f * near[1][k] + .25f * far[1][k];
        float behind = .75f * near[2][k] + .25f * far[2][k];
        left[k] = .25f * before + .75f * at;
        right[k] = .75f * at + .25f * behind;
    }
}

static void bilinear_row(const struct rs_map *y, const struct rs_map *x, int image, int i,
                         const struct rs_up_sides *sides)
{
    bool edge = i % 2 ? i / 2 == x->h - 1 && !sides->below : i == 0 && !sides->above;
    ptrdiff_t far = edge ? 0 : i % 2 ? x->row : -x->row;
    float *to = rs_map_at(y, image, i, 0);
    const float *at = rs_map_at(x, image, i / 2, 0);
    for (int j = 0; j < x->w; j++, at += x->pixel, to += 2 * y->pixel) {
        const float *left = j > 0 || sides->left ? at - x->pixel : at;
        const float *right = j < x->w - 1 || sides->right ? at + x->pixel : at;
        mix(to, to + y->pixel, (const float *const[]){left, at, right},
            (const float *const[]){left + far, at + far, right + far}, y->c);
    }
}

void rs_up_forward(struct rs_map y, struct rs_map x, enum rs_up kind, struct rs_up_sides sides)
{
    for (int row = 0; row < y.n * y.h; row++)
        if (kind == RS_UP_NEAREST)
            nearest_row(&y, &x, row / y.h, row % y.h);
        else if (kind == RS_UP_BILINEAR)
            bilinear_row(&y, &x, row / y.h, row % y.h, &sides);
        else
            transposed_row(&y, &x, row / y.h, row % y.h);
}

static void nearest_back(const struct rs_map *dx, const struct rs_map *dy, int image, int i)
{
    float *to = rs_map_at(dx, image, i, 0);
    const float *top = rs_map_at(dy, image, 2 * i, 0), *low = top + dy->row;
    for (int j = 0; j < dx->w; j++, to += dx->pixel, top += 2 * dy->pixel, low += 2 * dy->pixel)
        for (int k = 0; k < dx->c; k++)
            to[k] = (top[k] + top[k + dy->pixel]) + (low[k] + low[k + dy->pixel]);
}

static void transposed_back(const struct rs_map *dx, const struct rs_map *dy, int image, int i)
{
    size_t bytes = (size_t)dy->c * sizeof *dx->data;
    float *to = rs_map_at(dx, image, i, 0);
    const float *top = rs_map_at(dy, image, 2 * i, 0);
    for (int j = 0; j < dx->w; j++, to += dx->pixel, top += 2 * dy->pixel)
        for (int part = 0; part < 4; part++)
            memcpy(to + part * dy->c, top + part / 2 * dy->row + part % 2 * dy->pixel, bytes);
}

/* How much of y's pixels 2i - 1 to 2i + 2 is x's pixel i, of `size`. */
static void shares(float share[4], int i, int size)
{
    const float inner[] = {.25f, .75f, .75f, .25f}, first[] = {0, 1, .75f, .25f}, last[] = {.25f, .75f, 1, 0};
    memcpy(share, i == 0 ? first : i == size - 1 ? last : inner, sizeof inner);
    if (size == 1)
        share[1] = share[2] = 1, share[3] = 0;
}

static void bilinear_back(const struct rs_map *dx, const struct rs_map *dy, int image, int i)
{
    float across[4], down[4];
    float *to = rs_map_at(dx, image, i, 0);
    shares(down, i, dx->h);
    for (int j = 0; j < dx->w; j++, to += dx->pixel) {
        shares(across, j, dx->w);
        memset(to, 0, (size_t)dx->c * sizeof *to);
        for (int p = 0; p < 4; p++)
            for (int q = 0; q < 4; q++) {
                const float *from = rs_map_at(dy, image, 2 * i + p - 1, 2 * j + q - 1);
                float share = down[p] * across[q];
                for (int k = 0; share > 0 && k < dx->c; k++) /* there is no pixel where it is 0 */
                    to[k] += share * from[k];
            }
    }
}

void rs_up_backward(struct rs_map dx, struct rs_map dy, enum rs_up kind)
{
    void (*const back[])(const struct rs_map *, const struct rs_map *, int,
                         int) = {[RS_UP_NEAREST] = nearest_back,
                                 [RS_UP_BILINEAR] = bilinear_back,
                                 [RS_UP_TRANSPOSED] = transposed_back};
    for (int row = 0; row < dx.n * dx.h; row++)
        back[kind](&dx, &dy, row / dx.h, row % dx.h);
}
