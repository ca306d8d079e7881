/* An image as a sample for training: normalised, with its truth and field of view beside it. */
#ifndef RS_PICTURE_SAMPLE_H
#define RS_PICTURE_SAMPLE_H

#include "format/tensor.h"
#include "picture/jitter.h"
#include "picture/prep.h"

/* Memory for samples on their way: {0} at first, reused, rs_sample_free at the end. */
struct rs_sample {
    float *image;          /* [RS_SAMPLES][channels][h][w] */
    uint8_t *vessel, *fov; /* [RS_SAMPLES][h][w]: 255 x share; 0 or 255 */
    size_t capacity;       /* pixels of each */
    struct rs_image wide;  /* with a margin */
    struct rs_tensor shape;
    int count;               /* that wait to be whitened together */
    struct rs_jitter jitter; /* set by the caller */
    uint64_t index;          /* of the next image to be written, for the jitter */
};

enum { RS_SAMPLES = 4 * RS_PREP_TOGETHER };

/* Writes `image`, which fits `prep` (rs_prep_fits), as one record of rs-tensor(5), at once or, where rs_prep_gathers,
 * with others later: rs_sample_flush is due at the end. Errors as rs_error_write. */
const char *rs_sample_write(FILE *stream, struct rs_sample *sample, const struct rs_prep *prep,
                            const struct rs_image *image);
const char *rs_sample_flush(FILE *stream, struct rs_sample *sample, const struct rs_prep *prep);

void rs_sample_free(struct rs_sample *sample);

#endif
