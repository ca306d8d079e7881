/* Probabilities of a photograph, added up: of windows that overlap, of its mirror images. */
#ifndef RS_TASK_CANVAS_H
#define RS_TASK_CANVAS_H

#include "kernel/map.h"
#include "task/view.h"

struct rs_canvas {
    int width, height;
    float *sum; /* [height][width] of p = sigmoid(logit); owned */
    size_t room;
};

/* Makes it that size and every sum 0. It starts as {0}. */
void rs_canvas_clear(struct rs_canvas *canvas, int width, int height);
void rs_canvas_free(struct rs_canvas *canvas);

/* Adds the probabilities of image n of logits [n][part.height][part.width][1], which were mirrored, where the part has
 * pixels of the canvas. */
void rs_canvas_add(struct rs_canvas *canvas, const struct rs_map *logits, int n, struct rs_rectangle part,
                   struct rs_flip flip);

#endif
