/* Photographs through windows that overlap, each of the size of the patches that a model was trained on. */
#ifndef RS_TASK_WINDOWS_H
#define RS_TASK_WINDOWS_H

#include "network/model.h"
#include "task/canvas.h"

struct rs_windows;

/* For one model, which must live as long; windows start every `step` pixels (0: half a window), the last of a row or
 * column so that it ends with the photograph. The maps of all that are computed at once take `memory` bytes at most, beside
 * their inputs and logits. */
struct rs_windows *rs_windows_new(const struct rs_model *model, int step, size_t memory);
void rs_windows_free(struct rs_windows *windows);

/* Adds the probabilities of all windows, each mirrored by `flip`, to a canvas of the photograph's size. An error if the
 * memory does not suffice for one at a time. */
const char *rs_windows_run(struct rs_windows *windows, const struct rs_view *view, struct rs_canvas *canvas,
                           struct rs_flip flip);

/* Divides the sums by the number of windows that see each pixel. */
void rs_windows_average(const struct rs_windows *windows, struct rs_canvas *canvas);

#endif
