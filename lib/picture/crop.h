/* Patches of normalised photographs: the windows of picture/patch.h, cut from tensors. */
#ifndef RS_PICTURE_CROP_H
#define RS_PICTURE_CROP_H

#include "format/tensor.h"
#include "picture/patch.h"
#include "picture/prep.h"

/* A sample of a record, to be cut. Starts as {0} and may be reused; rs_crop_free at the end. */
struct rs_crop {
    struct rs_tensor shape; /* of this one sample */
    struct rs_tensor_sample sample;
    struct rs_prep prep; /* how it was made, and the size of the patches */
    float *image;        /* of a patch: [channels][size][size]; owned, as are the planes beside it */
    uint8_t *vessel, *fov;
    int size; /* that they have room for */
};

/* Sample `n` of `record`, which must stay as long, to be cut into squares of `size`. Errors: the metadata are not
 * rs-norm's, or the numbers are those of patches normalised by themselves, of which a part would be none. */
const char *rs_crop_start(struct rs_crop *crop, const struct rs_tensor_record *record, int n, int size);

/* The ground that the sample is. Errors as rs_patch_ground; and its brightness is not known any more. */
const char *rs_crop_ground(struct rs_patch_ground *ground, const struct rs_crop *crop,
                           const struct rs_patch_want *want);

/* Writes the square at (x, y), 0 <= x, y, as a record whose metadata has `patch`. What hangs over the edges is
 * rs_prep_beyond, no vessel, and outside the field of view. `with_fov` adds a field of view where the sample has
 * none: the part that lies in it. Errors as rs_error_write. */
const char *rs_crop_write(FILE *stream, struct rs_crop *crop, int x, int y, bool with_fov);

void rs_crop_free(struct rs_crop *crop);

#endif
