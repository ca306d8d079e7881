/* Use of a U-Net: images flow through it from top to bottom.
 *
 * Every layer computes the rows that it can as soon as the rows that it needs are there, and forgets what nobody
 * needs any more, so that memory grows with an image's width and not with its height, and stays in the cache. A
 * wide image is cut into strips of columns; a strip reads as many columns to its left and right as its result
 * depends on. What is computed for a pixel is the same, to the bit, however the image is cut. */
#ifndef RS_NETWORK_FLOW_H
#define RS_NETWORK_FLOW_H

#include "network/folded.h"

/* n images of one size, multiples of rs_unet_multiple, of which the columns [from, to) are wanted. Each layer's
 * rows are computed in so many parts side by side on the pool's threads, which share no work; 0 or 1: in the caller's
 * thread. */
struct rs_flow_strip {
    int n, width, height, from, to, parts;
};

/* Who gives the input, in the caller's thread: fills rows.h rows at row y and column x of the images, rows.w wide. */
typedef void rs_flow_source(void *context, struct rs_map rows, int y, int x);

/* Who takes the logits [n][rows][to - from][1] of rows y and below, at column x = from. */
typedef void rs_flow_sink(void *context, struct rs_map logits, int y, int x);

struct rs_flow;
struct rs_flow *rs_flow_new(const struct rs_folded *folded, const struct rs_flow_strip *strip);
void rs_flow_free(struct rs_flow *flow);

/* Bytes that rs_flow_new would take. */
size_t rs_flow_bytes(const struct rs_folded *folded, const struct rs_flow_strip *strip);

/* A flow may run any number of times. */
void rs_flow_run(struct rs_flow *flow, rs_flow_source *source, rs_flow_sink *sink, void *context);

#endif
