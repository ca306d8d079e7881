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

size_t rs_unet_place(const struct rs_unet_entry *entry, size_t i)
{
    size_t at = entry->offset;
    for (int axis = entry->rank - 1; axis >= 0; axis--) {
        size_t size = (size_t)entry->shape[axis];
        at += i % size * entry->stride[axis];
        i /= size;
    }
    return at;
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
