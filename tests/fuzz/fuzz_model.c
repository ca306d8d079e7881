/* Models: one that is loaded is whole and of its own description, and is loaded again as it was when saved;
 * files of statistics likewise. */
#include "fuzz.h"

#include <math.h>

#include "network/model.h"
#include "picture/statistics.h"

static void check_model(const struct rs_model *model)
{
    const struct rs_unet *net = &model->net;
    must(net->shape.levels >= 2 && net->shape.levels <= RS_MAX_LEVELS);
    must(rs_prep_channels(&model->prep) == net->shape.inputs);
    must(!rs_unet_not_finite(net, net->parameters));
    for (size_t i = 0; i < net->statistic_count; i++)
        must(isfinite(net->statistics[i]));
    must(model->dropout >= 0 && model->dropout <= 1);
    must(model->temperature >= RS_COLDEST && model->temperature <= RS_HOTTEST);
    must(model->diameter == 0 || (model->diameter >= RS_NARROWEST && model->diameter <= RS_WIDEST));
    must(!model->has_threshold || (model->threshold >= 0 && model->threshold <= 1));
}

static void compare(const struct rs_model *a, const struct rs_model *b)
{
    struct rs_meta of_a = {0}, of_b = {0};
    rs_model_to_meta(a, &of_a);
    rs_model_to_meta(b, &of_b);
    must(!rs_meta_differ(&of_a, &of_b));
    must(!memcmp(a->net.parameters, b->net.parameters, a->net.parameter_count * sizeof(float)));
    must(!memcmp(a->net.statistics, b->net.statistics, a->net.statistic_count * sizeof(float)));
    rs_meta_free(&of_a);
    rs_meta_free(&of_b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char saved[64];
    struct rs_model model, back;
    struct rs_prep prep;
    fuzz_put(data, size);
    snprintf(saved, sizeof saved, "/dev/shm/fuzz_model.%d", getpid());
    const char *path = fuzz_path(), *error = rs_model_load(&model, path);
    if (!error) {
        check_model(&model);
        must(!rs_model_save(&model, saved) && !rs_model_load(&back, saved));
        compare(&model, &back);
        rs_model_free(&model);
        rs_model_free(&back);
        unlink(saved);
    } else if (!strcmp(error, "not a model made by rs-train") && !rs_statistics_load(&prep, path)) {
        must(!rs_statistics_save(&prep, 1, saved));
        rs_prep_free(&prep);
        must(!rs_statistics_load(&prep, saved));
        rs_prep_free(&prep);
        unlink(saved);
    }
    return 0;
}
