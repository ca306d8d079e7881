#include "cli/tool.h"
#include "picture/synth.h"

static int64_t count = 1, width = 565, height = 584, seed = 1;

static struct rs_option options[] = {
    {"count", RS_INT, &count, 1, 1e9, "N", .help = "how many (1)"},
    {"width", RS_INT, &width, RS_SYNTH_LEAST, RS_USUAL_PIXELS, "N", .help = "pixels in a row (565)"},
    {"height", RS_INT, &height, RS_SYNTH_LEAST, RS_USUAL_PIXELS, "N", .help = "rows (584)"},
    {"seed", RS_INT, &seed, 0, 0x1p53, "N", .help = "key of the random numbers (1)"},
    {0},
};

static const struct rs_tool tool = {
    .name = "rs-synth",
    .purpose = "draws fundus photographs with their truth",
    .options = options,
};

int main(int argc, char **argv)
{
    struct rs_image image = {0};
    rs_tool_begin(&tool, argc, &argv);
    if (width * height > RS_USUAL_PIXELS)
        rs_tool_usage("%jd x %jd pixels are more than %d", (intmax_t)width, (intmax_t)height,
                      RS_USUAL_PIXELS);
    for (int64_t k = 0; k < count; k++) {
        rs_synth_draw(&image, (int)width, (int)height, (uint64_t)seed, (uint64_t)k);
        rs_tool_put(&image);
    }
    rs_tool_say("images written: %ju", (uintmax_t)rs_tool_written());
    rs_image_free(&image);
    return rs_tool_end();
}
