/* Where the network's answers go: added up for every pixel, of windows that overlap and of mirror images, or, where each
 * pixel gets one, into the map at once. */
#ifndef RS_TASK_CANVAS_H
#define RS_TASK_CANVAS_H

#include "kernel/map.h"
#include "task/view.h"

struct rs_canvas {
    int width, height;
    float *sum; /* [height][width] of p = sigmoid(logit); owned */
    size_t room;

    struct rs_image *map; /* what is written, instead of sums; NULL: nothing */
    const struct rs_image *photograph;
    double temperature; /* for the map: task/prob.h */

    bool broken; /* a probability was no number */
};

/* It starts as {0}, and is used for the next photograph by either of these: sums, every one 0; or the map of a
 * photograph. */
void rs_canvas_sum(struct rs_canvas *canvas, int width, int height);
void rs_canvas_write(struct rs_canvas *canvas, struct rs_image *map, const struct rs_image *photograph,
                     double temperature);
void rs_canvas_free(struct rs_canvas *canvas);

/* Adds, or writes, the probabilities of image n of logits [n][part.height][part.width][1], which were mirrored, where
 * the part has pixels of the canvas. */
void rs_canvas_add(struct rs_canvas *canvas, const struct rs_map *logits, int n, struct rs_rectangle part,
                   struct rs_flip flip);

#endif
