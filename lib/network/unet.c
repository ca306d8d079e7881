#include "network/unet.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/rng.h"

static size_t add_entry(struct rs_unet *net, const char *name, bool statistic, size_t count)
{
    size_t *total = statistic ? &net->statistic_count : &net->parameter_count;
    net->entries = rs_realloc(net->entries, (size_t)net->count + 1, sizeof *net->entries);
    struct rs_unet_entry *entry = &net->entries[net->count++];
    *entry =
        (struct rs_unet_entry){.statistic = statistic, .co = (int)count, .offset = *total, .count = count};
    snprintf(entry->name, sizeof entry->name, "%s", name);
    *total += count;
    return entry->offset;
}

static struct rs_conv_place add_conv(struct rs_unet *net, const char *name, int size, int ci, int co,
                                     bool bias)
{
    char full[40];
    struct rs_conv_place at = {.size = size, .ci = ci, .co = co};
    snprintf(full, sizeof full, "%s.weight", name);
    at.w = add_entry(net, full, false, (size_t)size * (size_t)size * (size_t)ci * (size_t)co);
    struct rs_unet_entry *entry = &net->entries[net->count - 1];
    entry->convolution = true;
    entry->size = size;
    entry->ci = ci;
    entry->co = co;
    snprintf(full, sizeof full, "%s.bias", name);
    if (bias)
        at.b = add_entry(net, full, false, (size_t)co);
    return at;
}

static struct rs_norm_place add_norm(struct rs_unet *net, const char *name, int c)
{
    char full[40];
    size_t at[4];
    static const char *const parts[] = {"weight", "bias", "running_mean", "running_var"};
    for (int i = 0; i < 4; i++) {
        snprintf(full, sizeof full, "%s.%s", name, parts[i]);
        at[i] = add_entry(net, full, i >= 2, (size_t)c);
    }
    return (struct rs_norm_place){at[0], at[1], at[2], at[3]};
}

static struct rs_block_place add_block(struct rs_unet *net, const char *kind, int level, int ci, int co)
{
    struct rs_block_place block;
    for (int i = 0; i < 2; i++) {
        char name[24];
        snprintf(name, sizeof name, "%s%d.conv%d", kind, level, i + 1);
        block.conv[i] = add_conv(net, name, 3, i ? co : ci, co, false);
        snprintf(name, sizeof name, "%s%d.norm%d", kind, level, i + 1);
        block.norm[i] = add_norm(net, name, co);
    }
    return block;
}

/* Lays out the network's parts, in the order PyTorch code would define them; entries are made anew each time.
 */
static struct rs_unet_plan lay_out(struct rs_unet *net)
{
    struct rs_unet_plan plan = {0};
    const int *c = net->shape.channels;
    int levels = net->shape.levels;
    net->count = 0;
    net->parameter_count = net->statistic_count = 0;
    for (int l = 1; l <= levels; l++)
        plan.enc[l - 1] = add_block(net, "enc", l, l == 1 ? net->shape.inputs : c[l - 2], c[l - 1]);
    for (int l = levels - 1; l >= 1; l--) {
        char name[16];
        snprintf(name, sizeof name, "up%d", l);
        plan.up[l - 1] = add_conv(net, name, 1, c[l], c[l - 1], true);
        plan.dec[l - 1] = add_block(net, "dec", l, 2 * c[l - 1], c[l - 1]);
    }
    plan.head = add_conv(net, "head", 1, c[0], 1, true);
    return plan;
}

struct rs_unet_plan rs_unet_plan_of(const struct rs_unet_shape *shape)
{
    struct rs_unet copy = {.shape = *shape};
    struct rs_unet_plan plan = lay_out(&copy);
    free(copy.entries);
    return plan;
}

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
    lay_out(net);
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
        if (entry->convolution) {
            struct rs_rng rng = rs_rng_at(seed, "weights", 0, (uint64_t)i);
            double deviation = sqrt(2. / ((double)entry->size * entry->size * entry->ci));
            for (size_t k = 0; k < entry->count; k++)
                values[k] = (float)(deviation * rs_rng_normal(&rng));
        } else if (!entry->statistic) {
            fill(values, entry->count, strstr(entry->name, "norm") && ends_with(entry->name, "weight"));
        }
    }
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
