/* rs-infer: whole photographs to maps of vessel probability. */
#ifndef RS_TASK_INFER_H
#define RS_TASK_INFER_H

#include "network/model.h"

struct rs_infer;

enum { RS_INFER_MEMORY = 192 /* MiB, where nothing else is said */ };

struct rs_infer_options {
    size_t memory; /* bytes that the network's maps may take, beside the photograph and its map */
    int step;      /* between windows; 0: half a patch */
    double
        scale; /* by which photographs are resized for the network; 0: to the model's diameter, if it has one */
    int64_t most; /* pixels that they may have then */
    bool flips;   /* the mean of what is said of the photograph and its three mirror images */
};

/* Memory and plan for one model, which must live as long. A model whose normalisation is that of each patch
 * is run in windows of exactly that patch's size, averaged where they overlap; any other model is run over the whole
 * photograph. Neither the memory nor the number of threads changes a bit of the result. */
struct rs_infer *rs_infer_start(const struct rs_model *model, const struct rs_infer_options *options);
void rs_infer_free(struct rs_infer *infer);

/* `map` becomes a PROB image of the photograph's size, maxval 65535, with its planes of truth and field of
 * view; outside a field of view, given or found (task/ready.h), its probability is 0. One that is found is added to the
 * photograph, not to the map. `map` starts as {0}. An error if the photograph's planes are not the model's, the
 * memory does not suffice, or the network says NaN, as it may of weights that are finite but huge. */
const char *rs_infer_image(struct rs_infer *infer, struct rs_image *map, struct rs_image *photograph);

/* What a user should know of that photograph, or NULL. */
const char *rs_infer_note(const struct rs_infer *infer);

/* The network's input for the window at (x, y) of a photograph that is ready and fits: [channels][height][width] of a
 * patch, or for a whole photograph of its size rounded up (rs_infer_size). Black outside the photograph, and
 * outside the field of view. */
void rs_infer_input(const struct rs_infer *infer, const struct rs_image *photograph, int x, int y,
                    float *input);
void rs_infer_size(const struct rs_infer *infer, const struct rs_image *photograph, int *width, int *height);

#endif
