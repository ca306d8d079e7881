#include "network/layout.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"

/* One behind the other, the last axis the fastest. */
static void shape_entry(struct rs_unet_entry *entry, int rank, const int shape[])
{
    entry->rank = rank;
    entry->count = 1;
    for (int i = rank - 1; i >= 0; i--) {
        entry->shape[i] = shape[i];
        entry->stride[i] = entry->count;
        entry->count *= (size_t)shape[i];
    }
}

static struct rs_unet_entry *add_entry(struct rs_unet *net, const char *name, const char *part,
                                       bool statistic, struct rs_unet_entry entry)
{
    size_t *total = statistic ? &net->statistic_count : &net->parameter_count;
    net->entries = rs_grow(net->entries, (size_t)net->count, sizeof *net->entries);
    entry.statistic = statistic;
    entry.offset = *total;
    snprintf(entry.name, sizeof entry.name, "%s.%s", name, part);
    *total += entry.count;
    net->entries[net->count] = entry;
    return &net->entries[net->count++];
}

static size_t add_vector(struct rs_unet *net, const char *name, const char *part, bool statistic, int count)
{
    struct rs_unet_entry entry = {0};
    shape_entry(&entry, 1, &count);
    return add_entry(net, name, part, statistic, entry)->offset;
}

struct rs_conv_place rs_layout_conv(struct rs_unet *net, const char *name, struct rs_conv conv, bool bias)
{
    int k = conv.size, shape[] = {conv.co, conv.ci, k, k};
    size_t co = (size_t)conv.co, ci = (size_t)conv.ci, stride[] = {1, co, (size_t)k * ci * co, ci * co};
    struct rs_conv_place at = {.conv = conv, .biases = bias ? conv.co : 0};
    struct rs_unet_entry entry = {.terms = k * k * conv.ci};
    shape_entry(&entry, 4, shape);
    memcpy(entry.stride, stride, sizeof stride);
    at.w = add_entry(net, name, "weight", false, entry)->offset;
    if (bias)
        at.b = add_vector(net, name, "bias", false, at.biases);
    return at;
}

struct rs_conv_place rs_layout_transposed(struct rs_unet *net, const char *name, int ci, int co)
{
    int shape[] = {ci, co, 2, 2};
    size_t c = (size_t)co, stride[] = {4 * c, 1, 2 * c, c};
    struct rs_conv_place at = {.conv = {1, ci, 4 * co}, .biases = co};
    struct rs_unet_entry entry = {.terms = ci};
    shape_entry(&entry, 4, shape);
    memcpy(entry.stride, stride, sizeof stride);
    at.w = add_entry(net, name, "weight", false, entry)->offset;
    at.b = add_vector(net, name, "bias", false, at.biases);
    return at;
}

struct rs_norm_place rs_layout_norm(struct rs_unet *net, const char *name, int c)
{
    struct rs_norm_place at;
    at.gamma = add_vector(net, name, "weight", false, c);
    at.beta = add_vector(net, name, "bias", false, c);
    at.mean = add_vector(net, name, "running_mean", true, c);
    at.variance = add_vector(net, name, "running_var", true, c);
    return at;
}

const float *rs_layout_bias(const struct rs_conv_place *at, const float *parameters, float *scratch)
{
    if (at->biases == 0 || at->biases == at->conv.co)
        return at->biases ? parameters + at->b : NULL;
    for (int o = 0; o < at->conv.co; o++)
        scratch[o] = parameters[at->b + (size_t)(o % at->biases)];
    return scratch;
}

void rs_layout_bias_gradient(const struct rs_conv_place *at, float *db, const float *outputs)
{
    memcpy(db, outputs, (size_t)at->biases * sizeof *db);
    for (int o = at->biases; o < at->conv.co; o++)
        db[o % at->biases] += outputs[o];
}
