#include "base/thread.h"
#include "cli/tool.h"
#include "kernel/kernel.h"
#include "task/infer.h"

static const char *path;
static int64_t step, threads, memory = RS_INFER_MEMORY;

static struct rs_option options[] = {
    {"model", RS_INPUT, &path, .argument = "FILE", .help = "the model, made by rs-train; must be given"},
    {"memory", RS_INT, &memory, 1, 1 << 20, "MIB", .help = "memory for the network's maps, in MiB (192)"},
    {"step", RS_INT, &step, 1, 8192, "N",
     .help = "pixels between windows of a patch-wise model (half a patch)"},
    {"threads", RS_INT, &threads, 1, 1024, "N", .help = "threads (as many as CPUs)"},
    {0},
};

static const struct rs_tool tool = {
    .name = "rs-infer",
    .operands = "[file ...]",
    .purpose = "turns photographs into maps of vessel probability",
    .options = options,
    .kernel = rs_kernel_name,
};

struct state {
    struct rs_infer *infer;
    struct rs_image map;
};

static const char *infer(void *context, struct rs_image *image, uint64_t index)
{
    struct state *state = context;
    (void)index;
    const char *error = rs_infer_image(state->infer, &state->map, image);
    if (!error)
        rs_tool_put(&state->map);
    return error;
}

static void check_step(const struct rs_prep *prep)
{
    int least = prep->width < prep->height ? prep->width : prep->height;
    if (step && prep->mode != RS_PREP_PATCH)
        rs_tool_usage("-step goes with a model of patch-wise normalisation, which %s is not", path);
    if (step > least)
        rs_tool_usage("-step=%jd leaves gaps between patches of %d", (intmax_t)step, least);
}

int main(int argc, char **argv)
{
    struct rs_model model;
    struct state state = {0};
    rs_tool_begin(&tool, argc, &argv);
    if (!path)
        rs_tool_usage("-model=FILE must be given");
    rs_tool_check(path, rs_model_load(&model, path));
    check_step(&model.prep);
    rs_tool_check(NULL, rs_threads_start((int)threads));
    rs_tool_check(NULL, rs_kernel_start());
    state.infer = rs_infer_start(&model, (int)step, (size_t)memory << 20);
    uint64_t count = rs_tool_images(argv, infer, &state);
    rs_tool_say("photographs segmented: %ju", (uintmax_t)count);
    rs_infer_free(state.infer);
    rs_image_free(&state.map);
    rs_model_free(&model);
    return rs_tool_end();
}
