#include <inttypes.h>

#include "base/thread.h"
#include "cli/tool.h"
#include "kernel/kernel.h"
#include "task/baseline.h"

static int method;
static int64_t threads;

static struct rs_option options[] = {
    {"method", RS_CHOICE, &method, .argument = "matched|tophat", .help = "how vessels are found (matched)"},
    {"threads", RS_INT, &threads, 1, 1024, "N", .help = "threads (as many as CPUs)"},
    {0},
};

static const struct rs_tool tool = {
    .name = "rs-baseline",
    .operands = "[file ...]",
    .purpose = "turns photographs into maps of vessels by filters, without a network",
    .options = options,
    .kernel = rs_kernel_name,
};

static const char *filter(void *context, struct rs_image *image, uint64_t index)
{
    struct rs_image *map = context;
    (void)index;
    const char *error = rs_baseline_image((enum rs_baseline_method)method, map, image);
    if (!error)
        rs_tool_put(map);
    return error;
}

int main(int argc, char **argv)
{
    struct rs_image map = {0};
    rs_tool_begin(&tool, argc, &argv);
    rs_tool_check(NULL, rs_threads_start((int)threads));
    rs_tool_check(NULL, rs_kernel_start());
    uint64_t count = rs_tool_images(argv, filter, &map);
    rs_tool_say("photographs filtered: %" PRIu64, count);
    rs_image_free(&map);
    return rs_tool_end();
}
