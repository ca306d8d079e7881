#include "network/unet.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/rng.h"
#include "network/plan.h"

static bool ends_with(const char *name, const char *end)
{
    size_t length = strlen(name), tail = strlen(end);
    return length >= tail && !strcmp(name + length - tail, end);
}

static void fill(float *values, size_t count, float value)
{
    for (size_t i = 0; i < count; i++)
        values[i] = value;
}

void rs_unet_list(struct rs_unet *net, const struct rs_unet_shape *shape)
{
    *net = (struct rs_unet){.shape = *shape};
    rs_plan_lay_out(net);
}

void rs_unet_build(struct rs_unet *net, const struct rs_unet_shape *shape)
{
    rs_unet_list(net, shape);
    net->parameters = rs_alloc(net->parameter_count, sizeof *net->parameters);
    net->statistics = rs_alloc(net->statistic_count, sizeof *net->statistics);
    for (int i = 0; i < net->count; i++)
        if (ends_with(net->entries[i].name, "running_var"))
            fill(net->statistics + net->entries[i].offset, net->entries[i].count, 1);
}

void rs_unet_free(struct rs_unet *net)
{
    free(net->entries);
    free(net->parameters);
    free(net->statistics);
    *net = (struct rs_unet){0};
}

void rs_unet_draw(struct rs_unet *net, uint64_t seed)
{
    for (int i = 0; i < net->count; i++) {
        const struct rs_unet_entry *entry = &net->entries[i];
        float *values = net->parameters + entry->offset;
        if (entry->terms) {
            struct rs_rng rng = rs_rng_at(seed, "weights", 0, (uint64_t)i);
            double deviation = sqrt(2. / entry->terms);
            for (size_t k = 0; k < entry->count; k++)
                values[k] = (float)(deviation * rs_rng_normal(&rng));
        } else if (!entry->statistic) {
            fill(values, entry->count, strstr(entry->name, "norm") && ends_with(entry->name, "weight"));
        }
    }
}

/* PyTorch's values of an entry, one after the other, and where they are kept. */
struct walk {
    int index[4];
    size_t at;
};

static void next(struct walk *walk, const struct rs_unet_entry *entry)
{
    for (int axis = entry->rank - 1; axis >= 0; axis--) {
        walk->at += entry->stride[axis];
        if (++walk->index[axis] < entry->shape[axis])
            return;
        walk->at -= (size_t)entry->shape[axis] * entry->stride[axis];
        walk->index[axis] = 0;
    }
}

void rs_unet_to_torch(const struct rs_unet_entry *entry, float *torch, const float *ours)
{
    struct walk walk = {.at = entry->offset};
    for (size_t i = 0; i < entry->count; i++, next(&walk, entry))
        torch[i] = ours[walk.at];
}

void rs_unet_from_torch(const struct rs_unet_entry *entry, float *ours, const float *torch)
{
    struct walk walk = {.at = entry->offset};
    for (size_t i = 0; i < entry->count; i++, next(&walk, entry))
        ours[walk.at] = torch[i];
}

int rs_unet_multiple(const struct rs_unet_shape *shape)
{
    return 1 << (shape->levels - 1);
}

const char *rs_unet_not_finite(const struct rs_unet *net, const float *vector)
{
    for (int i = 0; i < net->count; i++)
        for (size_t k = 0; !net->entries[i].statistic && k < net->entries[i].count; k++)
            if (!isfinite(vector[net->entries[i].offset + k]))
                return net->entries[i].name;
    return NULL;
}
