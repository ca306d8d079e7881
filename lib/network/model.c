#include "network/model.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/number.h"
#include "base/outfile.h"
#include "picture/prep_meta.h"
#include "picture/statistics.h"

/* Words of the metadata; the first of each is what a model without the key is. */
static const char *const blocks[] = {
    [RS_BLOCK_DOUBLE] = "double", [RS_BLOCK_RESIDUAL] = "residual", [RS_BLOCK_ATTENTION] = "attention", NULL};
static const char *const ups[] = {
    [RS_UP_NEAREST] = "nearest", [RS_UP_BILINEAR] = "bilinear", [RS_UP_TRANSPOSED] = "transposed", NULL};

static void set_real(struct rs_meta *meta, const char *key, double value)
{
    char text[32];
    rs_print_real(value, text);
    rs_meta_set(meta, key, "%s", text);
}

void rs_model_to_meta(const struct rs_model *model, struct rs_meta *meta)
{
    const struct rs_unet_shape *shape = &model->net.shape;
    char channels[64] = "";
    for (int l = 0; l < shape->levels; l++) {
        size_t used = strlen(channels);
        snprintf(channels + used, sizeof channels - used, "%s%d", l ? "," : "", shape->channels[l]);
    }
    rs_meta_set(meta, "network", "unet");
    rs_meta_set(meta, "inputs", "%d", shape->inputs);
    rs_meta_set(meta, "channels", "%s", channels);
    if (shape->block)
        rs_meta_set(meta, "block", "%s", blocks[shape->block]);
    if (shape->up)
        rs_meta_set(meta, "up", "%s", ups[shape->up]);
    set_real(meta, "dropout", model->dropout);
    rs_prep_to_meta(&model->prep, meta);
    if (model->has_threshold)
        set_real(meta, "threshold", model->threshold);
    if (model->temperature != 1)
        set_real(meta, "temperature", model->temperature);
    if (model->diameter > 0)
        set_real(meta, "diameter", model->diameter);
    if (model->about[0])
        rs_meta_set(meta, "about", "%s", model->about);
    rs_meta_set(meta, "training", "%s", model->training);
    rs_meta_set(meta, "kernel", "%s", model->kernel);
}

static void add_array(struct rs_record *record, const struct rs_unet_entry *entry)
{
    int64_t shape[4];
    for (int i = 0; i < entry->rank; i++)
        shape[i] = entry->shape[i];
    rs_record_add(record, entry->name, RS_F32, entry->rank, shape);
}

static float *vector_of(const struct rs_unet *net, const struct rs_unet_entry *entry)
{
    return entry->statistic ? net->statistics : net->parameters;
}

static const char *write_arrays(FILE *file, const struct rs_unet *net)
{
    for (int i = 0; i < net->count; i++) {
        const struct rs_unet_entry *entry = &net->entries[i];
        float *torch = rs_alloc(entry->count, sizeof *torch);
        rs_unet_to_torch(entry, torch, vector_of(net, entry));
        errno = 0;
        bool written = fwrite(torch, sizeof *torch, entry->count, file) == entry->count;
        free(torch);
        if (!written)
            return rs_error_write(errno);
    }
    return NULL;
}

const char *rs_model_save(const struct rs_model *model, const char *path)
{
    struct rs_outfile out;
    const char *error = rs_outfile_open(&out, path);
    if (error)
        return error;
    struct rs_record record = {0};
    rs_meta_set(&record.meta, "kind", "rs-model");
    rs_model_to_meta(model, &record.meta);
    for (int i = 0; i < model->net.count; i++)
        add_array(&record, &model->net.entries[i]);
    if (model->prep.whitening)
        rs_whitening_describe(model->prep.whitening, &record);
    error = rs_record_write(out.file, &record);
    if (!error)
        error = write_arrays(out.file, &model->net);
    if (!error && model->prep.whitening)
        error = rs_whitening_write(model->prep.whitening, out.file);
    rs_record_free(&record);
    if (!error)
        return rs_outfile_commit(&out);
    rs_outfile_abort(&out);
    return error;
}

static const char *read_int(const struct rs_meta *meta, const char *key, int low, int high, int *value)
{
    const char *text = rs_meta_get(meta, key);
    int64_t number = 0;
    const char *error = text ? rs_parse_int(text, low, high, &number) : rs_error("missing");
    *value = (int)number;
    return error ? rs_error("metadata '%s': %s", key, error) : NULL;
}

/* `*value` is left as it is where the key is missing. */
static const char *read_real(const struct rs_meta *meta, const char *key, double low, double high,
                             double *value)
{
    const char *text = rs_meta_get(meta, key);
    const char *error = text ? rs_parse_real(text, low, high, value) : NULL;
    return error ? rs_error("metadata '%s': %s", key, error) : NULL;
}

const char *rs_model_choices_from_meta(struct rs_model *model, const struct rs_meta *meta)
{
    model->has_threshold = rs_meta_get(meta, "threshold");
    model->temperature = 1;
    const char *error = read_real(meta, "threshold", 0, 1, &model->threshold);
    return error ? error : read_real(meta, "temperature", RS_COLDEST, RS_HOTTEST, &model->temperature);
}

/* The word's place in a list that ends with NULL; 0 where there is no such key. */
static const char *read_word(const struct rs_meta *meta, const char *key, const char *const *words,
                             int *index)
{
    const char *text = rs_meta_get(meta, key);
    for (*index = 0; text && words[*index] && strcmp(words[*index], text); ++*index)
        ;
    return words[*index] ? NULL
                         : rs_error("metadata '%s': '%s' is not one that this version knows", key, text);
}

const char *rs_model_shape(const struct rs_meta *meta, struct rs_unet_shape *shape)
{
    const char *network = rs_meta_get(meta, "network"), *channels = rs_meta_get(meta, "channels");
    int64_t list[RS_MAX_LEVELS];
    int block = 0, up = 0;
    if (!network || strcmp(network, "unet"))
        return rs_error("network '%s' is not one that this version knows", network ? network : "");
    const char *error = read_int(meta, "inputs", 1, 3, &shape->inputs);
    if (!error)
        error =
            rs_parse_list(channels ? channels : "", 1, RS_MAX_CHANNELS, RS_MAX_LEVELS, list, &shape->levels);
    for (int l = 0; !error && l < shape->levels; l++)
        shape->channels[l] = (int)list[l];
    if (!error && shape->levels < 2)
        error = rs_error("metadata 'channels': a network of one level");
    if (!error)
        error = read_word(meta, "block", blocks, &block);
    if (!error)
        error = read_word(meta, "up", ups, &up);
    shape->block = (enum rs_block)block;
    shape->up = (enum rs_up)up;
    return error;
}

static void copy_text(char *to, size_t size, const char *from)
{
    snprintf(to, size, "%s", from ? from : "");
}

static const char *check_prep(const struct rs_prep *prep, const struct rs_unet_shape *shape)
{
    int multiple = rs_unet_multiple(shape);
    if (rs_prep_channels(prep) != shape->inputs)
        return rs_error("%d inputs, but a normalisation to %d planes", shape->inputs, rs_prep_channels(prep));
    if (rs_prep_is_by_patch(prep) && (prep->width % multiple || prep->height % multiple))
        return rs_error("patches of %dx%d are no multiple of %d, which %d levels need", prep->width,
                        prep->height, multiple, shape->levels);
    return NULL;
}

static const char *read_meta(struct rs_model *model, const struct rs_meta *meta)
{
    const char *kind = rs_meta_get(meta, "kind");
    struct rs_unet_shape shape = {0};
    if (!kind || strcmp(kind, "rs-model"))
        return rs_error("not a model made by rs-train");
    const char *error = rs_model_shape(meta, &shape);
    if (!error)
        error = rs_prep_from_meta(&model->prep, meta);
    if (!error)
        error = check_prep(&model->prep, &shape);
    if (!error)
        error = rs_meta_get(meta, "dropout") ? read_real(meta, "dropout", 0, 1, &model->dropout)
                                             : rs_error("metadata 'dropout': missing");
    if (!error)
        error = rs_model_choices_from_meta(model, meta);
    if (!error)
        error = read_real(meta, "diameter", RS_NARROWEST, RS_WIDEST, &model->diameter);
    if (error)
        return error;
    copy_text(model->about, sizeof model->about, rs_meta_get(meta, "about"));
    copy_text(model->training, sizeof model->training, rs_meta_get(meta, "training"));
    copy_text(model->kernel, sizeof model->kernel, rs_meta_get(meta, "kernel"));
    model->net.shape = shape;
    return NULL;
}

/* The arrays must be those of the network, one by one, before memory is taken for them. */
static const char *match(const struct rs_model *model, const struct rs_record *record)
{
    struct rs_record wanted = {0};
    struct rs_unet net;
    rs_unet_list(&net, &model->net.shape);
    for (int i = 0; i < net.count; i++)
        add_array(&wanted, &net.entries[i]);
    rs_unet_free(&net);
    if (rs_prep_whitens(&model->prep)) {
        struct rs_whitening form = rs_prep_form(&model->prep);
        rs_whitening_describe(&form, &wanted);
    }
    const char *error = rs_record_match(record, &wanted, "this network");
    rs_record_free(&wanted);
    return error;
}

static const struct rs_unet_entry *entry_of(const struct rs_unet *net, const char *name)
{
    int i = 0;
    while (strcmp(net->entries[i].name, name))
        i++;
    return &net->entries[i];
}

static const char *check_values(const float *values, const struct rs_unet_entry *entry)
{
    bool variance = strstr(entry->name, "running_var");
    for (size_t k = 0; k < entry->count; k++)
        if (!isfinite(values[k]) || (variance && values[k] < 0))
            return rs_error("array '%s' has a value that is %s", entry->name,
                            isfinite(values[k]) ? "a negative variance" : "not finite");
    return NULL;
}

static const char *read_weights(FILE *file, struct rs_unet *net, const struct rs_unet_entry *entry)
{
    float *torch = rs_alloc(entry->count, sizeof *torch);
    const char *error = fread(torch, sizeof *torch, entry->count, file) == entry->count
                            ? check_values(torch, entry)
                            : rs_error("ends in the middle of array '%s'", entry->name);
    if (!error)
        rs_unet_from_torch(entry, vector_of(net, entry), torch);
    free(torch);
    return error;
}

static const char *read_arrays(FILE *file, struct rs_model *model, const struct rs_record *record)
{
    struct rs_whitening *whitening = model->prep.whitening;
    const char *error = NULL;
    for (int i = 0; i < record->count && !error; i++) {
        const struct rs_array *array = &record->arrays[i];
        if (rs_whitening_has(whitening, array))
            error = rs_whitening_read(whitening, file, array);
        else
            error = read_weights(file, &model->net, entry_of(&model->net, array->name));
    }
    if (!error && whitening)
        error = rs_whitening_finish(whitening);
    return error || getc(file) == EOF ? error : rs_error("junk after the last array");
}

static const char *load(struct rs_model *model, FILE *file, struct rs_record *record)
{
    bool more;
    const char *error = rs_record_read(file, record, &more);
    if (!error)
        error = more ? read_meta(model, &record->meta) : rs_error("empty");
    if (error)
        return error;
    struct rs_unet_shape shape = model->net.shape;
    error = match(model, record);
    if (error)
        return error;
    rs_unet_build(&model->net, &shape);
    if (rs_prep_whitens(&model->prep))
        rs_prep_reserve(&model->prep);
    error = read_arrays(file, model, record);
    if (error)
        rs_model_free(model);
    return error;
}

const char *rs_model_load(struct rs_model *model, const char *path)
{
    struct rs_record record = {0};
    *model = (struct rs_model){0};
    FILE *file = fopen(path, "rb");
    if (!file)
        return rs_error("%s", strerror(errno));
    const char *error = load(model, file, &record);
    rs_record_free(&record);
    fclose(file);
    return error;
}

void rs_model_free(struct rs_model *model)
{
    rs_unet_free(&model->net);
    rs_prep_free(&model->prep);
}

const char *rs_model_read_threshold(const char *path, double *threshold)
{
    struct rs_model model;
    const char *error = rs_model_load(&model, path);
    if (error)
        return error;
    *threshold = model.threshold;
    if (!model.has_threshold)
        error = rs_error("no threshold in this model, trained without -validate: give a number instead");
    rs_model_free(&model);
    return error;
}
