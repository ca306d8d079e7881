#include "layer/conv.h"

#include <string.h>

#include "kernel/kernel.h"

/* By channels alone, so that all of a layer is computed one way, whatever part of a map is at hand. */
static bool by_winograd(struct rs_conv conv)
{
    int lanes = rs_kernel()->lanes;
    return conv.size == 3 && conv.ci % lanes == 0 && conv.co % lanes == 0;
}

static int padded(int co)
{
    int lanes = rs_kernel()->lanes;
    return (co + lanes - 1) / lanes * lanes;
}

static int taps(struct rs_conv conv)
{
    return conv.size * conv.size;
}

/* Floats of the kernel's weights, and of its sums, which lie alike; the bias follows. */
static size_t weights(struct rs_conv conv)
{
    int multiply = by_winograd(conv) ? 36 : taps(conv);
    return (size_t)multiply * (size_t)conv.ci * (size_t)padded(conv.co);
}

struct rs_conv rs_conv_turned(struct rs_conv conv)
{
    return (struct rs_conv){conv.size, conv.co, conv.ci};
}

size_t rs_conv_packed(struct rs_conv conv)
{
    return weights(conv) + (size_t)padded(conv.co);
}

size_t rs_conv_sums(struct rs_conv conv)
{
    return weights(conv) + (size_t)conv.co;
}

size_t rs_conv_scratch(struct rs_conv conv, int w)
{
    return by_winograd(conv) ? rs_kernel()->winograd_scratch(conv.ci, conv.co)
                             : (size_t)w * (size_t)padded(conv.co);
}

void rs_conv_pack(float *packed, struct rs_conv conv, const float *w, const float *b)
{
    float *bias = packed + weights(conv);
    memset(bias, 0, (size_t)padded(conv.co) * sizeof *bias);
    if (b)
        memcpy(bias, b, (size_t)conv.co * sizeof *bias);
    if (by_winograd(conv))
        rs_kernel()->winograd_pack(packed, w, conv.ci, conv.co);
    else
        rs_kernel()->pack(packed, w, taps(conv) * conv.ci, conv.co);
}

void rs_conv_pack_turned(float *packed, struct rs_conv conv, const float *w, float *scratch)
{
    for (int k = taps(conv) - 1; k >= 0; k--) {
        float *to = scratch + (size_t)k * (size_t)conv.ci * (size_t)conv.co;
        for (int c = 0; c < conv.ci; c++)
            for (int o = 0; o < conv.co; o++)
                to[(size_t)o * (size_t)conv.ci + (size_t)c] = *w++;
    }
    rs_conv_pack(packed, rs_conv_turned(conv), scratch, NULL);
}

void rs_conv_forward(struct rs_map y, struct rs_map x, struct rs_conv conv, const float *packed, bool relu,
                     float *scratch)
{
    struct rs_kernel_conv call = {conv.size, packed, packed + weights(conv), relu, scratch};
    if (by_winograd(conv))
        rs_kernel()->winograd(&y, &x, &call);
    else
        rs_kernel()->direct(&y, &x, &call);
}

/* Row by row, by way of the scratch, which a 1x1 convolution itself has no use for. */
void rs_conv_add(struct rs_map y, struct rs_map x, struct rs_conv conv, const float *packed, float *scratch)
{
    struct rs_map sum = {.data = scratch, .n = 1, .h = 1, .w = y.w, .c = y.c, .pixel = y.c};
    sum.row = sum.image = y.w * sum.pixel;
    for (int row = 0; row < y.n * y.h; row++) {
        struct rs_map from = rs_map_window(rs_map_images(x, row / y.h, 1), row % y.h, 0, 1, y.w);
        struct rs_map to = rs_map_window(rs_map_images(y, row / y.h, 1), row % y.h, 0, 1, y.w);
        rs_conv_forward(sum, from, conv, packed, false, NULL);
        for (int j = 0; j < y.w; j++)
            for (int k = 0; k < y.c; k++)
                to.data[j * to.pixel + k] += scratch[j * y.c + k];
    }
}

static void add_bias(float *db, const struct rs_map *dy)
{
    for (int row = 0; row < dy->n * dy->h; row++) {
        const float *at = rs_map_at(dy, row / dy->h, row % dy->h, 0);
        for (int j = 0; j < dy->w; j++, at += dy->pixel)
            for (int o = 0; o < dy->c; o++)
                db[o] += at[o];
    }
}

void rs_conv_backward(float *sums, struct rs_map dy, struct rs_map x, struct rs_conv conv, float *scratch)
{
    if (by_winograd(conv))
        rs_kernel()->winograd_gradient(sums, &dy, &x, scratch);
    else
        rs_kernel()->direct_gradient(sums, &dy, &x, conv.size, scratch);
    if (conv.size == 1)
        add_bias(sums + weights(conv), &dy);
}

void rs_conv_gradient(float *dw, float *db, struct rs_conv conv, const float *sums)
{
    if (by_winograd(conv))
        rs_kernel()->winograd_unpack(dw, sums, conv.ci, conv.co);
    else
        rs_kernel()->direct_unpack(dw, sums, taps(conv) * conv.ci, conv.co);
    if (db)
        memcpy(db, sums + weights(conv), (size_t)conv.co * sizeof *db);
}
