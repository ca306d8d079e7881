#include "cli/partner.h"

#include <inttypes.h>

#include "base/error.h"
#include "base/operand.h"
#include "cli/tool.h"

struct rs_partner rs_partner_open(const char *option, const char *path, char **operands)
{
    for (; rs_operand_is_stdin(path) && *operands; operands++)
        if (rs_operand_is_stdin(*operands))
            rs_tool_usage("-%s=-: stdin is an operand already", option);
    return (struct rs_partner){.stream = rs_tool_open(path), .name = rs_operand_name(path)};
}

/* Whether there was another image. */
static bool read_image(struct rs_partner *partner)
{
    bool more;
    snprintf(partner->here, sizeof partner->here, "%.500s: image %" PRIu64, partner->name, ++partner->images);
    rs_tool_check(partner->here, rs_tool_read(partner->stream, &partner->image, &more));
    return more;
}

const struct rs_image *rs_partner_next(struct rs_partner *partner)
{
    const struct rs_image *image = &partner->image;
    if (!read_image(partner))
        rs_tool_fail(rs_tool_here(), rs_error("no partner: %.500s ends before its image %" PRIu64,
                                              partner->name, partner->images));
    char kind[RS_KIND_SIZE];
    rs_image_kind(image, kind);
    if (rs_tool_verbose())
        rs_tool_say("%s: %s %dx%d, maxval %d", partner->here, kind, image->width, image->height,
                    image->maxval);
    return image;
}

void rs_partner_close(struct rs_partner *partner)
{
    if (read_image(partner))
        rs_tool_fail(partner->here, "no partner: the operands have ended");
    rs_operand_close(partner->stream);
    rs_image_free(&partner->image);
}
