#include "base/thread.h"
#include "cli/tool.h"
#include "picture/warp.h"

static int64_t copies = 3, seed = 1, threads;
static struct rs_warp_range range = {.angle = 270, .zoom = {1, 1}};
static bool original = true, hard;

static struct rs_option options[] = {
    {"copies", RS_INT, &copies, 0, 1e9, "N", .help = "moved copies of every image (3)"},
    {"angle", RS_REAL, &range.angle, 0, 360, "MAX", .help = "turn by 0 to MAX degrees (270)"},
    {"flip", RS_FLAG, &range.mirror, .help = "mirror every other copy, by chance"},
    {"quarter", RS_FLAG, &range.quarter, .help = "turn by 0 to 3 right angles more"},
    {"zoom", RS_PAIR, &range.zoom, .25, 4, "LOW,HIGH", .help = "make larger, LOW to HIGH times (1,1)"},
    {"seed", RS_INT, &seed, 0, 0x1p53, "N", .help = "key of the random numbers (1)"},
    {"no-original", RS_NEGATED, &original, .help = "write the copies alone"},
    {"threads", RS_INT, &threads, 1, 1024, "N", .help = "threads (as many as CPUs)"},
    {"hard", RS_FLAG, &hard, .help = "truth 0 or maxval rather than a share"},
    {0},
};

static const struct rs_tool tool = {
    .name = "rs-rotate",
    .operands = "[file ...]",
    .purpose = "writes every image and rotated copies of it",
    .options = options,
};

struct scratch {
    struct rs_warp warp;
    struct rs_image out;
};

static void put(struct rs_image *image)
{
    if (hard)
        rs_warp_harden(image);
    rs_tool_put(image);
}

static const char *rotate(void *context, struct rs_image *image, uint64_t index)
{
    struct scratch *scratch = context;
    if (original) {
        rs_image_copy(&scratch->out, image, true);
        put(&scratch->out);
    }
    rs_warp_prepare(&scratch->warp, image);
    for (int64_t k = 0; k < copies; k++) {
        struct rs_warp_move move = rs_warp_draw(&range, (uint64_t)seed, index, (uint64_t)k);
        rs_warp_turn(&scratch->out, &scratch->warp, &move);
        put(&scratch->out);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    struct scratch scratch = {0};
    rs_tool_begin(&tool, argc, &argv);
    if (!original && copies == 0)
        rs_tool_usage("-no-original with -copies=0 leaves nothing to write");
    if (range.zoom[0] > range.zoom[1])
        rs_tool_usage("-zoom=LOW,HIGH: %g is more than %g", range.zoom[0], range.zoom[1]);
    rs_tool_check(NULL, rs_threads_start((int)threads));
    uint64_t read = rs_tool_images(argv, rotate, &scratch);
    rs_tool_say("images read: %ju, written: %ju", (uintmax_t)read, (uintmax_t)rs_tool_written());
    rs_warp_free(&scratch.warp);
    rs_image_free(&scratch.out);
    return rs_tool_end();
}
