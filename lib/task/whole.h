/* Photographs through the network as a whole: in strips, one after the other, each on all threads. */
#ifndef RS_TASK_WHOLE_H
#define RS_TASK_WHOLE_H

#include "network/model.h"
#include "task/canvas.h"

struct rs_whole;

/* For one model, which must live as long; a strip takes `memory` bytes at most, on fewer threads if need be. */
struct rs_whole *rs_whole_new(const struct rs_model *model, size_t memory);
void rs_whole_free(struct rs_whole *whole);

/* Adds the probabilities of all that is seen, mirrored by `flip`, to a canvas of the photograph's size. An error if the
 * memory does not suffice for the narrowest strips on one thread. */
const char *rs_whole_run(struct rs_whole *whole, const struct rs_view *view, struct rs_canvas *canvas,
                         struct rs_flip flip);

/* The size that the photograph is filled up to with black, so that the network can halve it often enough. */
void rs_whole_size(const struct rs_model *model, const struct rs_image *photograph, int *width, int *height);

#endif
