/* Where the parts of layers begin: each call adds its entries behind those that a network has. */
#ifndef RS_NETWORK_LAYOUT_H
#define RS_NETWORK_LAYOUT_H

#include "layer/conv.h"
#include "network/unet.h"

/* A convolution, its weights and `biases` biases at w and b of the parameters. Output o takes bias o % biases;
 * 0: there are none. */
struct rs_conv_place {
    struct rs_conv conv;
    int biases;
    size_t w, b;
};

/* gamma and beta in the parameters, mean and variance in the statistics. */
struct rs_norm_place {
    size_t gamma, beta, mean, variance;
};

/* "NAME.weight" and, with `bias`, "NAME.bias". */
struct rs_conv_place rs_layout_conv(struct rs_unet *net, const char *name, struct rs_conv conv, bool bias);

/* A transposed 2x2 convolution, stride 2, with bias: the 1x1 convolution to 4 co channels that
 * RS_UP_TRANSPOSED takes. */
struct rs_conv_place rs_layout_transposed(struct rs_unet *net, const char *name, int ci, int co);

/* "NAME.weight", "NAME.bias", "NAME.running_mean", "NAME.running_var" */
struct rs_norm_place rs_layout_norm(struct rs_unet *net, const char *name, int c);

/* The bias of every output, in the parameters or, where outputs share one, in scratch [co]; NULL without. */
const float *rs_layout_bias(const struct rs_conv_place *at, const float *parameters, float *scratch);

/* Its gradient db from that of every output, all [co]. */
void rs_layout_bias_gradient(const struct rs_conv_place *at, float *db, const float *outputs);

#endif
