/* A chunk of a batch's images on its way through one step, there and back, in one thread. */
#ifndef RS_NETWORK_CHUNK_H
#define RS_NETWORK_CHUNK_H

#include "network/tape.h"

struct rs_chunk {
    const struct rs_tape *tape;
    struct rs_drop drop; /* its layer is set here */
    int first, count;    /* images */
    const struct rs_tape_worker *worker;
    double *moments; /* [2][channels] of the unit at hand, to be added to */
};

/* Step i: its output, of a unit y and its moments. */
void rs_chunk_forward(const struct rs_chunk *chunk, int i);

/* Of unit i: its output from y, once the batch norm is measured. */
void rs_chunk_finish(const struct rs_chunk *chunk, int i);

/* Of unit i: adds what its batch norm's gradient needs to the moments, once the gradient of its output is
 * complete. */
void rs_chunk_slopes(const struct rs_chunk *chunk, int i);

/* Step i: adds to the sums of its weights' gradient, and sets, or where others were before adds to, the gradient
 * of its input. */
void rs_chunk_backward(const struct rs_chunk *chunk, int i);

#endif
