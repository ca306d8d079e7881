#include "base/error.h"
#include "cli/tool.h"
#include "picture/fov.h"

static bool print, replace;

static struct rs_option options[] = {
    {"print", RS_FLAG, &print, .help = "no images: a table (TSV) of centres and diameters"},
    {"replace", RS_FLAG, &replace, .help = "find it where an image has one, too"},
    {0},
};

static const struct rs_tool tool = {
    .name = "rs-fov",
    .operands = "[file ...]",
    .purpose = "finds the field of view of photographs that have none",
    .options = options,
};

struct state {
    uint64_t given, found; /* images that had one; images in which one was found */
    struct rs_image out;
};

static bool is_given(const struct rs_image *image)
{
    return image->has_fov && !replace;
}

static void find(struct state *state, const struct rs_image *image, struct rs_fov *fov)
{
    rs_fov_find(fov, image);
    state->found += fov->found;
    if (!fov->found)
        rs_tool_warn(rs_error_at(rs_tool_here(), "no field of view found; the whole image is taken"));
}

static const char *add(void *context, struct rs_image *image, uint64_t index)
{
    struct state *state = context;
    struct rs_fov fov;
    (void)index;
    if (image->subject == RS_PROB)
        return rs_error("a map of probabilities, not a photograph");
    state->given += is_given(image);
    if (is_given(image)) {
        rs_tool_put(image);
        return NULL;
    }
    find(state, image, &fov);
    rs_fov_apply(&state->out, image, &fov);
    rs_tool_put(&state->out);
    return NULL;
}

static const char *tell(void *context, struct rs_image *image, uint64_t index)
{
    struct state *state = context;
    struct rs_fov fov;
    if (image->subject == RS_PROB)
        return rs_error("a map of probabilities, not a photograph");
    state->given += is_given(image);
    if (is_given(image))
        rs_fov_measure(&fov, image);
    else
        find(state, image, &fov);
    if (fov.found)
        printf("%ju\tyes\t%.2f\t%.2f\t%.2f\n", (uintmax_t)index + 1, fov.x, fov.y, fov.diameter);
    else
        printf("%ju\tno\tNA\tNA\tNA\n", (uintmax_t)index + 1);
    return NULL;
}

int main(int argc, char **argv)
{
    static struct state state;
    rs_tool_begin(&tool, argc, &argv);
    if (print)
        puts("image\tfound\tx\ty\tdiameter");
    uint64_t read = rs_tool_images(argv, print ? tell : add, &state);
    rs_tool_say("photographs read: %ju, fields of view given: %ju, found: %ju", (uintmax_t)read,
                (uintmax_t)state.given, (uintmax_t)state.found);
    rs_image_free(&state.out);
    return rs_tool_end();
}
