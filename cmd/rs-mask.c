#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "cli/tool.h"
#include "network/model.h"
#include "task/mask.h"

static const char *threshold = "0.5", *model;
static double low = 1;
static int64_t least;

static struct rs_option options[] = {
    {"threshold", RS_TEXT, &threshold, .argument = "T|model|otsu",
     .help = "vessel where p >= T (the model's if -model is given, else 0.5)"},
    {"model", RS_MODEL, &model, .argument = "FILE",
     .help = "of -threshold=model (the one that came with the program)"},
    {"low", RS_REAL, &low, 0, 1, "T", .help = "and where p >= T, connected with such a pixel (none)"},
    {"min-area", RS_INT, &least, 0, RS_MAX_PIXELS, "PIXELS", .help = "smaller components are no vessel (0)"},
    {0},
};

static const struct rs_tool tool = {
    .name = "rs-mask",
    .operands = "[file ...]",
    .purpose = "turns maps of vessel probability into yes and no",
    .options = options,
};

struct state {
    struct rs_mask_options options;
    uint64_t marked;
};

static const char *mask(void *context, struct rs_image *image, uint64_t index)
{
    struct state *state = context;
    uint64_t marked;
    (void)index;
    const char *error = rs_mask_image(&state->options, image, &marked);
    if (error)
        return error;
    state->marked += marked;
    rs_tool_put(image);
    return NULL;
}

static struct rs_mask_options settings(void)
{
    struct rs_mask_options chosen = {.low = low, .least = (uint32_t)least};
    bool asks_model = rs_tool_given("threshold") ? !strcmp(threshold, "model") : model != NULL;
    if (model && !asks_model)
        rs_tool_usage("-model=FILE goes with -threshold=model");
    if (asks_model)
        model = rs_tool_model(model);
    const char *error = model ? NULL : rs_mask_parse_threshold(threshold, &chosen);
    if (error)
        rs_tool_usage("-threshold: %s", error);
    if (model)
        rs_tool_check(model, rs_model_read_threshold(model, &chosen.threshold));
    if (rs_tool_given("low") && !chosen.otsu && low > chosen.threshold)
        rs_tool_usage("-low=%g is above the threshold, %g", low, chosen.threshold);
    return chosen;
}

int main(int argc, char **argv)
{
    rs_tool_begin(&tool, argc, &argv);
    struct state state = {.options = settings()};
    uint64_t read = rs_tool_images(argv, mask, &state);
    rs_tool_say("maps read: %" PRIu64 ", vessel pixels: %" PRIu64, read, state.marked);
    return rs_tool_end();
}
