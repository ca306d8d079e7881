/* Convolutions against OpenBLAS: columns of inputs times the matrix of weights. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "blas/gemm.h"
#include "kernel/kernel.h"
#include "layer/conv.h"
#include "tap.h"
#include "twins.h"

/* [pixels][size][size][ci] of an image: what each output sees. */
static float *columns_of(const struct rs_map *x, int image, int size)
{
    int k = size * size * x->c, reach = size / 2;
    float *columns = rs_alloc((size_t)(x->h * x->w) * (size_t)k, sizeof *columns), *to = columns;
    for (int at = 0; at < x->h * x->w; at++)
        for (int tap = 0; tap < size * size; tap++)
            for (int c = 0; c < x->c; c++)
                *to++ =
                    rs_map_at(x, image, at / x->w + tap / size - reach, at % x->w + tap % size - reach)[c];
    return columns;
}

/* y [n][h][w][co], dense. */
static float *gemm_forward(const struct conv_case *t)
{
    int pixels = t->x.h * t->x.w, k = t->size * t->size * t->ci;
    struct rs_gemm shape = {.m = pixels, .n = t->co, .k = k, .lda = k, .ldb = t->co, .ldc = t->co};
    float *y = rs_alloc((size_t)(t->x.n * pixels) * (size_t)t->co, sizeof *y);
    for (int n = 0; n < t->x.n; n++) {
        float *columns = columns_of(&t->x, n, t->size);
        rs_gemm(&shape, columns, t->w, 0, y + (ptrdiff_t)n * pixels * t->co);
        free(columns);
    }
    return y;
}

/* dw [k][co] */
static float *gemm_backward(const struct conv_case *t)
{
    int pixels = t->x.h * t->x.w, k = t->size * t->size * t->ci;
    struct rs_gemm shape = {
        .m = k, .n = t->co, .k = pixels, .ta = true, .lda = k, .ldb = t->co, .ldc = t->co};
    float *dw = rs_alloc(kernel_weights(t->size, t->ci, t->co), sizeof *dw);
    for (int n = 0; n < t->x.n; n++) {
        float *columns = columns_of(&t->x, n, t->size), *dy = columns_of(&t->dy, n, 1);
        rs_gemm(&shape, columns, dy, 1, dw);
        free(columns);
        free(dy);
    }
    return dw;
}

/* The layer's own results, as dense. */
static void run_layer(const struct conv_case *t, struct rs_map y, float *dw)
{
    struct rs_conv conv = {t->size, t->ci, t->co};
    float *packed = rs_alloc(rs_conv_packed(conv), sizeof *packed);
    float *sums = rs_alloc(rs_conv_sums(conv), sizeof *sums);
    float *scratch = rs_alloc(rs_conv_scratch(conv, t->x.w), sizeof *scratch);
    rs_conv_pack(packed, conv, t->w, NULL);
    rs_conv_forward(y, t->x, conv, packed, false, scratch);
    rs_conv_backward(sums, t->dy, t->x, conv, scratch);
    rs_conv_gradient(dw, NULL, conv, sums);
    free(packed);
    free(sums);
    free(scratch);
}

/* In units of the magnitudes that the twin has summed up in double. */
static void test_case(int size, int n, int h, int w, int ci, int co)
{
    struct conv_case t = conv_case_new(size, n, h, w, ci, co);
    size_t weights = kernel_weights(size, ci, co), pixels = (size_t)(n * h * w);
    memset(t.b, 0, (size_t)co * sizeof *t.b);
    struct rs_map y = map_like(&t.dy);
    float *dw = rs_alloc(weights, sizeof *dw), *gemm_y = gemm_forward(&t), *gemm_dw = gemm_backward(&t);
    conv_case_twins(&t);
    run_layer(&t, y, dw);
    struct field found = field_of(&y);
    double *wanted = doubles(gemm_y, pixels * (size_t)co), *dw_found = doubles(dw, weights),
           *dw_wanted = doubles(gemm_dw, weights);
    near(channel_error(found.v, wanted, t.y_size.v, pixels, co), 0, WINOGRAD,
         "%dx%d, %d to %d channels, %d of %d x %d: OpenBLAS's result", size, size, ci, co, n, w, h);
    near(channel_error(dw_found, dw_wanted, t.g_size.dw, (size_t)(size * size), ci * co), 0, WINOGRAD_WEIGHTS,
         "  and its gradient of the weights");
    void *all[] = {dw, gemm_y, gemm_dw, found.v, wanted, dw_found, dw_wanted};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
    map_free(y);
    conv_case_free(&t);
}

int main(void)
{
    static const int sizes[][5] = {{1, 1, 1, 1, 1},    {2, 5, 7, 3, 5},     {3, 9, 4, 16, 16},
                                   {1, 37, 31, 8, 33}, {2, 24, 20, 32, 48}, {1, 3, 70, 48, 16}};
    rng = rs_rng_at(1, "test", 0, 0);
    no_error(rs_kernel_start(), "a kernel");
    no_error(rs_gemm_start(1), "OpenBLAS");
    for (int i = 0; i < 6; i++)
        for (int size = 1; size <= 3; size += 2)
            test_case(size, sizes[i][0], sizes[i][1], sizes[i][2], sizes[i][3], sizes[i][4]);
    return done();
}
