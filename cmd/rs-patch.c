#include "base/rng.h"
#include "cli/tool.h"
#include "picture/patch.h"

static int64_t size = 64, count = 300, seed = 1, step;
static bool grid;
static struct rs_patch_want want;

static struct rs_option options[] = {
    {"size", RS_INT, &size, 1, RS_PATCH_MAX_SIZE, "N", .help = "width and height of a patch (64)"},
    {"count", RS_INT, &count, 1, 1e9, "N", .help = "random patches of every image (300)"},
    {"seed", RS_INT, &seed, 0, 0x1p53, "N", .help = "key of the random numbers (1)"},
    {"min-vessel", RS_REAL, &want.min_vessel, 0, 1e9, "SUM",
     .help = "least sum of the truth, white being 1 (0)"},
    {"min-bright", RS_REAL, &want.min_bright, 0, 1e9, "SUM",
     .help = "least sum of the photograph's samples (0)"},
    {"grid", RS_FLAG, &grid, .help = "regular patches that cover the image, padded"},
    {"step", RS_INT, &step, 1, RS_PATCH_MAX_SIZE, "N", .help = "from patch to patch of the grid (the size)"},
    {0},
};

static const struct rs_tool tool = {
    .name = "rs-patch",
    .operands = "[file ...]",
    .purpose = "cuts random or regular patches from every image",
    .options = options,
};

static void check_options(void)
{
    const char *random_only[] = {"count", "min-vessel", "min-bright"};
    for (size_t i = 0; grid && i < sizeof random_only / sizeof *random_only; i++)
        if (rs_tool_given(random_only[i]))
            rs_tool_usage("-%s has no meaning with -grid", random_only[i]);
    if (step && !grid)
        rs_tool_usage("-step has no meaning without -grid");
    if (step > size)
        rs_tool_usage("-step=%jd is more than -size=%jd: the grid would have gaps", (intmax_t)step,
                      (intmax_t)size);
    if (!step)
        step = size;
    want.size = (int)size;
}

static const char *cut_random(void *context, struct rs_image *image, uint64_t index)
{
    struct rs_image *patch = context;
    if (want.min_vessel > 0 && !image->has_vessel)
        rs_tool_usage("%s: -min-vessel needs a truth plane (_VESSEL)", rs_tool_here());
    for (int64_t k = 0; k < count; k++) {
        struct rs_rng rng = rs_rng_at((uint64_t)seed, tool.name, index, (uint64_t)k);
        const char *error = rs_patch_random(patch, image, &want, rng);
        if (error)
            return error;
        rs_tool_put(patch);
    }
    return NULL;
}

static const char *cut_grid(void *context, struct rs_image *image, uint64_t index)
{
    struct rs_image *patch = context;
    int x = 0, y = 0;
    (void)index;
    do {
        rs_patch_cut(patch, image, x, y, (int)size, (int)size, true);
        rs_tool_put(patch);
    } while (rs_patch_next(image, (int)size, (int)step, &x, &y));
    return NULL;
}

int main(int argc, char **argv)
{
    struct rs_image patch = {0};
    rs_tool_begin(&tool, argc, &argv);
    check_options();
    uint64_t read = rs_tool_images(argv, grid ? cut_grid : cut_random, &patch);
    rs_tool_say("images read: %ju, written: %ju", (uintmax_t)read, (uintmax_t)rs_tool_written());
    rs_image_free(&patch);
    return rs_tool_end();
}
