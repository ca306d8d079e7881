/* Streams of images: netpbm's PAM and PNM, any number end to end; rs-image(5). */
#ifndef RS_FORMAT_PAM_H
#define RS_FORMAT_PAM_H

#include <stdio.h>

#include "format/image.h"

/* Reads the next image of the stream, of at most `most` pixels (-max-pixels; to RS_MAX_PIXELS), into `image`
 * (which starts as {0} and is reused). `*more` is false, and `image` untouched, at a clean end of the stream.
 * Memory is taken as samples come, not by what the header says. After an error the stream is not to be read on,
 * nor the image's samples. */
const char *rs_image_read(FILE *stream, int64_t most, struct rs_image *image, bool *more);

/* Writes one plane as raw PGM, more planes and patches as PAM. Errors as rs_error_write; what the stream still buffers is not
 * checked. */
const char *rs_image_write(FILE *stream, const struct rs_image *image);

#endif
