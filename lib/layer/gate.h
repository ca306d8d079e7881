/* A gate: y = a x with a = 1 / (1 + exp(-s)), where s [n][h][w][1] is the score of a pixel and x [n][h][w][c] (Oktay
 * et al., "Attention U-Net: learning where to look for the pancreas", 2018, equation 1). */
#ifndef RS_LAYER_GATE_H
#define RS_LAYER_GATE_H

#include "kernel/map.h"

void rs_gate_forward(struct rs_map y, struct rs_map x, struct rs_map s);

/* dx = a dy, ds = a (1 - a) times the sum of dy x over the channels. */
void rs_gate_backward(struct rs_map dx, struct rs_map ds, struct rs_map dy, struct rs_map x, struct rs_map s);

#endif
