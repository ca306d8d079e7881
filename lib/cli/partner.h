/* A second stream of images, read in step with the operands: image i of the one belongs to image i of the
 * other, and neither may end first. */
#ifndef RS_CLI_PARTNER_H
#define RS_CLI_PARTNER_H

#include <stdint.h>
#include <stdio.h>

#include "format/image.h"

struct rs_partner {
    FILE *stream;
    const char *name;
    char here[600]; /* "file: image 3", of the image read last, for a message */
    uint64_t images;
    struct rs_image image;
};

/* Opens `path` ("-" is stdin), or fails; a usage error of -`option` where stdin is an operand, too. */
struct rs_partner rs_partner_open(const char *option, const char *path, char **operands);

/* From within rs_tool_images: the partner of its image, good until the next call; fails if there is none.
 * With -verbose, says what it is. */
const struct rs_image *rs_partner_next(struct rs_partner *partner);

/* After rs_tool_images: fails unless this stream ends here, too. */
void rs_partner_close(struct rs_partner *partner);

#endif
