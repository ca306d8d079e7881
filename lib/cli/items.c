#include "cli/items.h"

#include "base/error.h"

struct items {
    const struct rs_tool_each *each;
    struct rs_image image;
    struct rs_tensor_record record;
    bool are_tensors; /* told by the first */
    uint64_t count;
};

/* "P1" to "P7" begin an image. "P" alone may be the length of a record's header, whose second byte is never so
 * high in what rs-norm writes. Two characters just read can be put back: they are still in the buffer. */
static bool is_image(FILE *stream)
{
    int first = getc(stream), second = first == 'P' ? getc(stream) : EOF;
    if (second != EOF)
        ungetc(second, stream);
    if (first != EOF)
        ungetc(first, stream);
    return first == 'P' && second >= '1' && second <= '7';
}

static const char *next_image(struct items *items, FILE *stream, bool *more)
{
    const char *error = rs_tool_read(stream, &items->image, more);
    if (error || !*more)
        return error;
    rs_tool_say_image(&items->image);
    return items->each->image(&items->image, items->count++);
}

static const char *next_record(struct items *items, FILE *stream, bool *more)
{
    struct rs_tensor_record *record = &items->record;
    const char *error = rs_tensor_read(stream, rs_tool_max_pixels(), record, more);
    if (error || !*more)
        return error;
    const struct rs_tensor *shape = &record->shape;
    if (rs_tool_verbose())
        rs_tool_say("%s: tensor [%d,%d,%d,%d]", rs_tool_here(), shape->samples, shape->channels,
                    shape->height, shape->width);
    for (int n = 0; !error && n < shape->samples; n++)
        error = items->each->sample(record, n, items->count++);
    return error;
}

/* What is neither is read as a tensor, and the message says so. */
static const char *next_item(void *context, FILE *stream, uint64_t number, bool *more)
{
    struct items *items = context;
    if (number == 0)
        items->are_tensors = !is_image(stream);
    return items->are_tensors ? rs_error_at("tensor", next_record(items, stream, more))
                              : next_image(items, stream, more);
}

uint64_t rs_tool_items(char **paths, const struct rs_tool_each *each)
{
    struct items items = {.each = each};
    rs_tool_loop(paths, next_item, &items);
    rs_image_free(&items.image);
    rs_tensor_free(&items.record);
    return items.count;
}
