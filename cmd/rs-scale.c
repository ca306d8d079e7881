#include "base/thread.h"
#include "cli/tool.h"
#include "picture/resize.h"

static double factor, diameter;
static int64_t threads;

static struct rs_option options[] = {
    {"factor", RS_REAL, &factor, .001, 1000, "F",
     .help = "resize each side by F; this or -diameter must be given"},
    {"diameter", RS_REAL, &diameter, 1, 1e6, "PIXELS", .help = "resize for a field of view of that diameter"},
    {"threads", RS_INT, &threads, 1, 1024, "N", .help = "threads (as many as CPUs)"},
    {0},
};

static const struct rs_tool tool = {
    .name = "rs-scale",
    .operands = "[file ...]",
    .purpose = "resizes images, every plane alike",
    .options = options,
};

static const char *scale(void *context, struct rs_image *image, uint64_t index)
{
    struct rs_image *out = context;
    int width, height;
    (void)index;
    const char *error = diameter > 0 ? rs_resize_factor(image, diameter, &factor) : NULL;
    if (!error)
        error = rs_resize_size(image, factor, rs_tool_max_pixels(), &width, &height);
    if (error)
        return error;
    rs_resize(out, image, width, height);
    rs_tool_put(out);
    return NULL;
}

int main(int argc, char **argv)
{
    struct rs_image out = {0};
    rs_tool_begin(&tool, argc, &argv);
    if (rs_tool_given("factor") == rs_tool_given("diameter"))
        rs_tool_usage("either -factor=F or -diameter=PIXELS must be given");
    rs_tool_check(NULL, rs_threads_start((int)threads));
    uint64_t count = rs_tool_images(argv, scale, &out);
    rs_tool_say("images resized: %ju", (uintmax_t)count);
    rs_image_free(&out);
    return rs_tool_end();
}
