#include <string.h>

#include "base/error.h"
#include "base/number.h"
#include "base/thread.h"
#include "cli/tool.h"
#include "kernel/kernel.h"
#include "task/infer.h"

static const char *path, *scale = "auto";
static int64_t step, threads, memory = RS_INFER_MEMORY;
static int tta;

static struct rs_option options[] = {
    {"model", RS_MODEL, &path, .argument = "FILE",
     .help = "the model, made by rs-train (the one that came with the program)"},
    {"scale", RS_TEXT, &scale, .argument = "auto|none|FACTOR",
     .help = "resize photographs for the network (auto: to the model's diameter)"},
    {"tta", RS_CHOICE, &tta, .argument = "none|flips",
     .help = "flips: the mean over mirror images (of the model that came with the program; else none)"},
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
    if (error)
        return error;
    if (rs_infer_note(state->infer))
        rs_tool_warn(rs_error_at(rs_tool_here(), rs_infer_note(state->infer)));
    rs_tool_put(&state->map);
    return NULL;
}

static void check_step(const struct rs_prep *prep)
{
    int least = prep->width < prep->height ? prep->width : prep->height;
    if (step && !rs_prep_is_by_patch(prep))
        rs_tool_usage("-step goes with a model of patch-wise normalisation, which %s is not", path);
    if (step > least)
        rs_tool_usage("-step=%jd leaves gaps between patches of %d", (intmax_t)step, least);
}

static struct rs_infer_options settings(void)
{
    struct rs_infer_options chosen = {.memory = (size_t)memory << 20,
                                      .step = (int)step,
                                      .scale = strcmp(scale, "none") ? 0 : 1,
                                      .most = rs_tool_max_pixels(),
                                      .flips = tta};
    if (strcmp(scale, "none") && strcmp(scale, "auto")) {
        const char *error = rs_parse_real(scale, .001, 1000, &chosen.scale);
        if (error)
            rs_tool_usage("-scale: %s, auto or none", error);
    }
    return chosen;
}

int main(int argc, char **argv)
{
    struct rs_model model;
    struct state state = {0};
    rs_tool_begin(&tool, argc, &argv);
    if (!path && !rs_tool_given("tta")) /* its threshold was chosen so */
        tta = 1;
    struct rs_infer_options chosen = settings();
    path = rs_tool_model(path);
    rs_tool_check(path, rs_model_load(&model, path));
    check_step(&model.prep);
    rs_tool_check(NULL, rs_threads_start((int)threads));
    rs_tool_check(NULL, rs_kernel_start());
    state.infer = rs_infer_start(&model, &chosen);
    uint64_t count = rs_tool_images(argv, infer, &state);
    rs_tool_say("photographs segmented: %ju", (uintmax_t)count);
    rs_infer_free(state.infer);
    rs_image_free(&state.map);
    rs_model_free(&model);
    return rs_tool_end();
}
