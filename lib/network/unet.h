/* The U-Net (Ronneberger, Fischer and Brox, 2015) of the 2017 talk: three levels rather than five, batch
 * norm, dropout.
 *
 *   level l, going down:  block enc_l (channels c_l), 2x2 max pooling
 *   lowest level L:       block enc_L
 *   level l, going up:    up_l to twice the size and c_l channels, concatenation [enc_l, up_l],
 *                         block dec_l (channels c_l)
 *   head:                 1x1 convolution to one logit a pixel
 *
 * A block is twice: 3x3 convolution without bias, batch norm, ReLU, dropout. In a residual one (He, Zhang, Ren and
 * Sun, "Deep residual learning for image recognition", 2016) its input is added before the last ReLU, by way of a 1x1
 * convolution without bias, `shortcut`, where it has other channels; no batch norm there, since that of the sum's other
 * half has a bias for both.
 *
 * With attention the block is as it was, and what goes from enc_l to the concatenation passes a gate (Oktay et al.,
 * 2018, additive attention): times sigmoid(conv2(ReLU(conv1([up_l, enc_l])))), 1x1 convolutions with bias to c_l / 2
 * channels and to one. The paper's W_g and W_x are the two halves of conv1, its psi is conv2; the gating signal is up_l,
 * at the level's own size. Of the kinds of attention this one was taken because it looks at a pixel alone: a channel
 * attention (squeeze and excitation, CBAM) takes the mean of a whole image, so that neither could rows stream nor
 * would an image and a crop of it agree; a 7x7 spatial one would widen what a strip has to read.
 *
 * up_l is a 1x1 convolution and what
 * layer/up.h makes of its result; the other order is the same, at four times the cost. plan.h has the network
 * as steps, one after the other.
 *
 * Parameters lie in one vector, statistics (running mean and variance) in another; `entries` names their parts
 * as PyTorch would. */
#ifndef RS_NETWORK_UNET_H
#define RS_NETWORK_UNET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "layer/up.h"

enum { RS_MAX_LEVELS = 5, RS_MAX_CHANNELS = 1024 };

enum rs_block { RS_BLOCK_DOUBLE, RS_BLOCK_RESIDUAL, RS_BLOCK_ATTENTION };

struct rs_unet_shape {
    int inputs; /* planes: 1 or 3 */
    int levels; /* 2..RS_MAX_LEVELS */
    int channels[RS_MAX_LEVELS];
    enum rs_block block;
    enum rs_up up;
};

/* A named part of the parameters or of the statistics, an array of PyTorch's shape. Entry (i, j, ...) of it is
 * kept at offset + i * stride[0] + j * stride[1] + ...: a convolution's [co][ci][k][k] as [k][k][ci][co], a
 * transposed one's [ci][co][2][2] as [ci][2][2][co], all others as they are. */
struct rs_unet_entry {
    char name[40]; /* "enc1.conv1.weight" */
    bool statistic;
    int rank, shape[4];
    size_t stride[4];
    int terms;            /* weights: how many products an output sums; 0: no weights of a convolution */
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

/* Convolutions' weights from N(0, 2 / terms) (He, Zhang, Ren and Sun, 2015), biases and betas 0, gammas 1. */
void rs_unet_draw(struct rs_unet *net, uint64_t seed);

/* An entry's values as PyTorch has them, one after the other, out of and into its vector. */
void rs_unet_to_torch(const struct rs_unet_entry *entry, float *torch, const float *ours);
void rs_unet_from_torch(const struct rs_unet_entry *entry, float *ours, const float *torch);

/* Widths and heights are multiples of this: 2^(levels - 1). */
int rs_unet_multiple(const struct rs_unet_shape *shape);

/* The first part of the gradient or of the parameters (laid out alike) that is not finite; NULL if all are.
 */
const char *rs_unet_not_finite(const struct rs_unet *net, const float *vector);

#endif
