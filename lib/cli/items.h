/* For commands that read images and tensors alike. Apart from cli/tool.h, since the others need no JSON. */
#ifndef RS_CLI_ITEMS_H
#define RS_CLI_ITEMS_H

#include "cli/tool.h"
#include "format/tensor.h"

/* What is done to an image, or to one sample of a tensor: `index` counts them over all of the input. */
struct rs_tool_each {
    const char *(*image)(const struct rs_image *image, uint64_t index);
    const char *(*sample)(const struct rs_tensor_record *record, int n, uint64_t index);
};

/* As rs_tool_images, for a stream of either kind: what the first byte of the input is told by goes for all of it.
 * Returns how many images or samples there were. */
uint64_t rs_tool_items(char **paths, const struct rs_tool_each *each);

#endif
