/* What a training pass keeps: of every map of the plan its values and their gradients, of every step its packed
 * weights and its batch norm, and for every thread the memory it works in. */
#ifndef RS_NETWORK_TAPE_H
#define RS_NETWORK_TAPE_H

#include "layer/norm.h"
#include "network/plan.h"

/* y of a unit lies before its batch norm; the gradient of its output becomes, in place, that of y. The norm of a
 * sum is the identity: for its ReLU and dropout. */
struct rs_tape_step {
    float *packed, *turned; /* weights, there and back */
    size_t sums;            /* where its gradient's sums begin in a worker's */
    struct rs_norm norm;
    struct rs_map y;
    int unit; /* how many units stand before it */
};

struct rs_tape_worker {
    float *scratch, *sums;
};

/* Steps [begin, end), which one thread may take a chunk of images through: no batch norm lies between them. The
 * last is a unit up to its batch norm, the step before the first a unit from there on. */
struct rs_tape_stage {
    int begin, end;
    size_t sums; /* floats, of all its steps */
};

struct rs_tape {
    struct rs_arena arena;
    struct rs_plan plan;
    struct rs_map z[RS_MAX_MAPS], d[RS_MAX_MAPS]; /* the input has no gradient; the logits' is the caller's */
    struct rs_tape_step steps[RS_MAX_STEPS];
    struct rs_tape_stage stages[RS_MAX_STEPS + 1];
    int stage_count;
    struct rs_tape_worker *workers; /* one a thread of the pool */
    int most_channels;
    float *infinite; /* [most_channels]: the beta of a batch norm without ReLU */
};

/* Memory for n images of h x w. Taken twice, counting and for good, the arena being reserved between. */
void rs_tape_start(struct rs_tape *tape, const struct rs_unet_shape *shape);
void rs_tape_take(struct rs_tape *tape, int n, int h, int w);
void rs_tape_free(struct rs_tape *tape);

/* A step's weights from the parameters, for forward or for backward. */
void rs_tape_pack(struct rs_tape *tape, int step, const float *parameters, int worker, bool back);

/* A worker's sums of the steps of a stage: cleared, and brought into a gradient laid out as the parameters. */
void rs_tape_clear(const struct rs_tape *tape, const struct rs_tape_stage *stage, int worker);
void rs_tape_keep(const struct rs_tape *tape, const struct rs_tape_stage *stage, int worker, float *gradient);

#endif
