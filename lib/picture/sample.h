/* An image as a sample for training: normalised, with its truth and field of view beside it. */
#ifndef RS_PICTURE_SAMPLE_H
#define RS_PICTURE_SAMPLE_H

#include "picture/jitter.h"
#include "picture/prep.h"

/* Memory for one sample at a time: {0} at first, reused, rs_sample_free at the end. */
struct rs_sample {
    float *image;            /* [channels][h][w] */
    uint8_t *vessel, *fov;   /* [h][w]: 255 x share; 0 or 255 */
    size_t capacity;         /* pixels */
    struct rs_jitter jitter; /* set by the caller */
    uint64_t index;          /* of the image, for the jitter */
};

/* Writes `image`, which fits `prep` (rs_prep_fits), as one record of rs-tensor(5). Errors as rs_error_write.
 */
const char *rs_sample_write(FILE *stream, struct rs_sample *sample, const struct rs_prep *prep,
                            const struct rs_image *image);

void rs_sample_free(struct rs_sample *sample);

#endif
