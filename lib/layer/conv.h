/* Convolution, 3x3 or 1x1, zero padding, stride 1:
 *
 *   y[n][i][j][o] = b[o] + sum over p,q,c of x[n][i+p-1][j+q-1][c] w[p][q][c][o]     (1x1: no p, q)
 *
 * Weights are [k][k][ci][co] with k = `size` = 1 or 3; PyTorch's [co][ci][k][k] is turned at the model file's
 * door. A 1x1 convolution may have a bias, a 3x3 one, which batch norm follows, has no gradient for it. Weights are packed once for many calls, as the kernel likes them. All runs in the caller's thread; maps
 * may be parts of larger ones. */
#ifndef RS_LAYER_CONV_H
#define RS_LAYER_CONV_H

#include <stdbool.h>

#include "kernel/map.h"

struct rs_conv {
    int size, ci, co; /* size: 1 or 3 */
};

/* The convolution that takes dy to dx: inputs and outputs swapped. */
struct rs_conv rs_conv_turned(struct rs_conv conv);

/* Floats of: packed weights and bias; the gradient's sums; scratch for any call on maps up to w pixels wide,
 * of which rs_conv_forward alone asks nothing: for that w may be 0. */
size_t rs_conv_packed(struct rs_conv conv);
size_t rs_conv_sums(struct rs_conv conv);
size_t rs_conv_scratch(struct rs_conv conv, int w);

/* From w and b [co] (NULL: none). */
void rs_conv_pack(float *packed, struct rs_conv conv, const float *w, const float *b);

/* For the turned convolution: w of `conv` turned half around. scratch: size * size * ci * co floats. */
void rs_conv_pack_turned(float *packed, struct rs_conv conv, const float *w, float *scratch);

/* y from x, of the same n, h, w; with `relu`, max(y, 0). dx from dy by the turned convolution. */
void rs_conv_forward(struct rs_map y, struct rs_map x, struct rs_conv conv, const float *packed, bool relu,
                     float *scratch);

/* Adds the convolution of x to y; 1x1 alone. */
void rs_conv_add(struct rs_map y, struct rs_map x, struct rs_conv conv, const float *packed, float *scratch);

/* Adds the gradient of the weights and the bias from dy and x to sums, which are the kernel's own. */
void rs_conv_backward(float *sums, struct rs_map dy, struct rs_map x, struct rs_conv conv, float *scratch);

/* dw [size][size][ci][co] and, unless NULL, db [co] from sums. */
void rs_conv_gradient(float *dw, float *db, struct rs_conv conv, const float *sums);

#endif
