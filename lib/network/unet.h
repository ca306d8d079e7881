/* The U-Net (Ronneberger, Fischer and Brox, 2015) of the 2017 talk: three levels rather than five, batch
 * norm, dropout.
 *
 *   level l, going down:  block enc_l (channels c_l), 2x2 max pooling
 *   lowest level L:       block enc_L
 *   level l, going up:    nearest upsampling, 1x1 convolution up_l to c_l channels,
 *                         concatenation [enc_l, up_l], block dec_l (channels c_l)
 *   head:                 1x1 convolution to one logit a pixel
 *
 * A block is twice: 3x3 convolution without bias, batch norm, ReLU, dropout. Parameters lie in one vector,
 * statistics (running mean and variance) in another; `entries` names their parts as PyTorch would. */
#ifndef RS_NETWORK_UNET_H
#define RS_NETWORK_UNET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RS_MAX_LEVELS = 5, RS_MAX_CHANNELS = 1024 };

struct rs_unet_shape {
    int inputs; /* planes: 1 or 3 */
    int levels; /* 2..RS_MAX_LEVELS */
    int channels[RS_MAX_LEVELS];
};

/* A named part of the parameters or of the statistics. Convolutions' weights are kept as [k][k][ci][co], one
 * behind the other; PyTorch's shape is [co][ci][k][k]. Other parts have rank 1, `co` long. */
struct rs_unet_entry {
    char name[40]; /* "enc1.conv1.weight" */
    bool statistic, convolution;
    int size, ci, co;     /* convolutions: k, channels in, channels out */
    size_t offset, count; /* floats, in its vector */
};

struct rs_unet {
    struct rs_unet_shape shape;
    struct rs_unet_entry *entries; /* in PyTorch's order of definition */
    int count;
    size_t parameter_count, statistic_count;
    float *parameters, *statistics;
};

/* The network's entries and counts alone, no values. */
void rs_unet_list(struct rs_unet *net, const struct rs_unet_shape *shape);

/* Builds the network, its parameters zero, its statistics those of a fresh batch norm. */
void rs_unet_build(struct rs_unet *net, const struct rs_unet_shape *shape);
void rs_unet_free(struct rs_unet *net);

/* Convolutions' weights from N(0, 2 / (k k ci)) (He, Zhang, Ren and Sun, 2015), biases and betas 0, gammas 1.
 */
void rs_unet_draw(struct rs_unet *net, uint64_t seed);

/* Widths and heights are multiples of this: 2^(levels - 1). */
int rs_unet_multiple(const struct rs_unet_shape *shape);

/* Where the parts of a convolution and of a batch norm begin, in parameters (w, b, gamma, beta) and in
 * statistics. */
struct rs_conv_place {
    int size, ci, co;
    size_t w, b; /* b: of the 1x1 convolutions alone */
};
struct rs_norm_place {
    size_t gamma, beta, mean, variance;
};
struct rs_block_place {
    struct rs_conv_place conv[2];
    struct rs_norm_place norm[2];
};

/* The same network by its structure: level l stands at [l - 1]. */
struct rs_unet_plan {
    struct rs_block_place enc[RS_MAX_LEVELS], dec[RS_MAX_LEVELS];
    struct rs_conv_place up[RS_MAX_LEVELS], head;
};
struct rs_unet_plan rs_unet_plan_of(const struct rs_unet_shape *shape);

/* The first part of the gradient or of the parameters (laid out alike) that is not finite; NULL if all are.
 */
const char *rs_unet_not_finite(const struct rs_unet *net, const float *vector);

#endif
