/* A photograph made ready for a model: with the field of view that the model needs, at the size at which it knows
 * vessels. */
#ifndef RS_TASK_READY_H
#define RS_TASK_READY_H

#include "network/model.h"

struct rs_ready {
    double scale; /* 0: that of the field of view; else this */
    int64_t most; /* pixels that it may have when resized */

    const struct rs_image *image; /* what the network is to see: the photograph, or `resized` */
    const char *note;             /* what a user should know, or NULL; as long as an error's text */
    struct rs_image resized;      /* owned */
};

/* Enlarged more than so many times a photograph shows too little, and a note says so. By pipelines/coarse.mk, whose
 * photographs are 540 pixels across and the model enlarges to 800: Dice .794 as they are, .803 at 360 pixels (2.2
 * times), .771 at 270 (3.0), .741 at 216 (3.7), .685 at 162 (4.9), .611 at 108 (7.4). */
#define RS_READY_COARSE 3

/* A model that was normalised inside a field of view, or that knows its diameter, needs one: where the photograph has
 * none it is found, and added to it, less a rim of RS_READY_RIM of its diameter, since light that fades at the edge of
 * some cameras' photographs looks like a vessel; where none is found, that is all of the photograph. It is resized to
 * the model's diameter unless that makes it other by less than RS_READY_ALIKE, or `scale` tells otherwise. An error if
 * it cannot be used by the model, a patch being of no known scale, or is too large when resized. */
#define RS_READY_ALIKE .02
#define RS_READY_RIM .003
const char *rs_ready_make(struct rs_ready *ready, const struct rs_model *model, struct rs_image *photograph);

void rs_ready_free(struct rs_ready *ready);

#endif
