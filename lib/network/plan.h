/* A U-Net as a list of steps between maps: what training, use and the model's description walk.
 *
 * Steps stand in the order in which they are computed. A map may be written in parts, by several steps, and read
 * by several; concatenation is no step: two steps write two spans of a map. In training a gradient goes the list
 * back; of the steps that read a span, the last of the list is the first to write its gradient, and those before
 * it add theirs. */
#ifndef RS_NETWORK_PLAN_H
#define RS_NETWORK_PLAN_H

#include "network/layout.h"

enum rs_step_kind {
    RS_STEP_UNIT,    /* 3x3 convolution, batch norm [, ReLU, dropout] */
    RS_STEP_PROJECT, /* 1x1 convolution [, ReLU] */
    RS_STEP_COPY,
    RS_STEP_ADD,  /* of `side`, ReLU, dropout */
    RS_STEP_GATE, /* by the scores of `side`: layer/gate.h */
    RS_STEP_POOL, /* 2x2 max pooling */
    RS_STEP_UP,   /* to twice the width and height */
};

/* Channels [first, first + c) of a map. */
struct rs_span {
    int map, first, c;
};

struct rs_step {
    enum rs_step_kind kind;
    struct rs_span in, out;
    struct rs_span side;       /* ADD, GATE: another input, which no other step reads */
    struct rs_conv_place conv; /* UNIT, PROJECT */
    struct rs_norm_place norm; /* UNIT */
    bool relu;                 /* UNIT, PROJECT */
    enum rs_up up;             /* UP */
    bool adds;                 /* its input's gradient: a later step reads that span, too */
    int level;                 /* of its input: 0 is the highest */
    int beyond;                /* pixels of its input that it looks beyond the one that it is at */
};

enum { RS_MAX_STEPS = 10 * RS_MAX_LEVELS, RS_MAX_MAPS = 10 * RS_MAX_LEVELS };

struct rs_plan {
    struct rs_plan_map {
        int level, c;
    } maps[RS_MAX_MAPS]; /* the first is the input, the last the logits */
    struct rs_step steps[RS_MAX_STEPS];
    int levels, map_count, count;
};

/* The plan of a network of that shape; its entries have the same order and places. */
struct rs_plan rs_plan_of(const struct rs_unet_shape *shape);

/* The same, and gives a network that has none its entries. */
struct rs_plan rs_plan_lay_out(struct rs_unet *net);

/* How many levels a step leads down (1: pooling, -1: up). */
int rs_step_descent(const struct rs_plan *plan, const struct rs_step *step);

/* Multiplications and additions of the convolutions for each pixel of the input, in use. */
double rs_plan_products(const struct rs_plan *plan);

bool rs_span_meets(struct rs_span a, struct rs_span b);

#endif
