#include "base/rng.h"
#include "cli/items.h"
#include "picture/crop.h"

static int64_t size = 64, count = 300, seed = 1, step;
static int pixels;
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
    {"pixels", RS_CHOICE, &pixels, .argument = "image|fov",
     .help = "random patches lie anywhere, or in the box around the field of view (image)"},
    {"grid", RS_FLAG, &grid, .help = "regular patches that cover the image, padded"},
    {"step", RS_INT, &step, 1, RS_PATCH_MAX_SIZE, "N", .help = "from patch to patch of the grid (the size)"},
    {0},
};

static const struct rs_tool tool = {
    .name = "rs-patch",
    .operands = "[file ...]",
    .purpose = "cuts random or regular patches from every image or tensor",
    .options = options,
};

static void check_options(void)
{
    const char *random_only[] = {"count", "min-vessel", "min-bright", "pixels"};
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
    want.in_fov = pixels;
}

/* Cuts what one image or sample is to give, each patch by put(x, y). */
static const char *cut(const struct rs_patch_ground *ground, uint64_t index, void (*put)(int x, int y))
{
    int x = 0, y = 0;
    if (grid) {
        do
            put(x, y);
        while (rs_patch_next(ground, (int)size, (int)step, &x, &y));
        return NULL;
    }
    for (int64_t k = 0; k < count; k++) {
        struct rs_rng rng = rs_rng_at((uint64_t)seed, tool.name, index, (uint64_t)k);
        const char *error = rs_patch_place(ground, &want, rng, &x, &y);
        if (error)
            return error;
        put(x, y);
    }
    return NULL;
}

static struct rs_image patch;
static const struct rs_image *image;
static struct rs_crop crop;
static uint64_t written;

static void put_image(int x, int y)
{
    rs_patch_cut(&patch, image, x, y, (int)size, (int)size, grid);
    rs_tool_put(&patch);
    written++;
}

static void put_tensor(int x, int y)
{
    rs_tool_check("stdout", rs_crop_write(stdout, &crop, x, y, grid));
    written++;
}

static void check_truth(bool has_vessel)
{
    if (want.min_vessel > 0 && !has_vessel)
        rs_tool_usage("%s: -min-vessel needs a truth plane (_VESSEL)", rs_tool_here());
}

static const char *cut_image(const struct rs_image *from, uint64_t index)
{
    struct rs_patch_ground ground;
    check_truth(from->has_vessel);
    image = from;
    const char *error = rs_patch_ground(&ground, from, &want);
    return error ? error : cut(&ground, index, put_image);
}

static const char *cut_sample(const struct rs_tensor_record *record, int n, uint64_t index)
{
    struct rs_patch_ground ground;
    check_truth(record->shape.has_vessel);
    if (want.min_bright > 0)
        rs_tool_usage("%s: -min-bright has no meaning for normalised numbers", rs_tool_here());
    const char *error = rs_crop_start(&crop, record, n, (int)size);
    if (!error)
        error = rs_crop_ground(&ground, &crop, &want);
    return error ? error : cut(&ground, index, put_tensor);
}

int main(int argc, char **argv)
{
    static const struct rs_tool_each each = {cut_image, cut_sample};
    rs_tool_begin(&tool, argc, &argv);
    check_options();
    uint64_t read = rs_tool_items(argv, &each);
    rs_tool_say("images read: %ju, written: %ju", (uintmax_t)read, (uintmax_t)written);
    rs_image_free(&patch);
    rs_crop_free(&crop);
    return rs_tool_end();
}
