/* Convolution, 3x3 or 1x1, zero padding, stride 1:
 *
 *   y[n][i][j][o] = b[o] + sum over p,q,c of x[n][i+p-1][j+q-1][c] w[p][q][c][o]     (1x1: no p, q)
 *
 * Weights are [k][k][ci][co] with k = `size` = 1 or 3; PyTorch's [co][ci][k][k] is turned at the model file's
 * door. Scratch memory is the caller's: rs_conv_scratch floats, the most of all its layers. */
#ifndef RS_LAYER_CONV_H
#define RS_LAYER_CONV_H

#include "layer/map.h"

struct rs_conv {
    int size;       /* 1 or 3 */
    const float *w; /* [size][size][ci][co] */
    const float *b; /* [co], or NULL for none */
    float *scratch;
};

/* Floats of scratch that a convolution of ci to co channels needs in any of its three directions with the
 * pool's present number of threads. */
size_t rs_conv_scratch(int size, int ci, int co);

/* y from x; same n, h, w. */
void rs_conv_forward(struct rs_map y, struct rs_map x, const struct rs_conv *conv);

/* dx from dy. */
void rs_conv_backward_data(struct rs_map dx, struct rs_map dy, const struct rs_conv *conv);

/* dw [size][size][ci][co] and, unless NULL, db [co], from dy and x; both are overwritten. */
void rs_conv_backward_weights(float *dw, float *db, struct rs_map dy, struct rs_map x,
                              const struct rs_conv *conv);

#endif
