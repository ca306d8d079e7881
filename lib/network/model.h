/* A model file: a trained network and all that is needed to use it; rs-model(5). */
#ifndef RS_NETWORK_MODEL_H
#define RS_NETWORK_MODEL_H

#include "format/safetensors.h"
#include "measure/temperature.h"
#include "network/unet.h"
#include "picture/prep.h"

/* The least and the most of a diameter. */
#define RS_NARROWEST 1.
#define RS_WIDEST 1e5

/* Room for what a model says of itself */
enum { RS_ABOUT_SIZE = 512 };

struct rs_model {
    struct rs_unet net;
    struct rs_prep prep; /* how photographs become its input */
    double dropout;
    bool has_threshold;
    double threshold;          /* of p, of best Dice on data that it was not trained on */
    double temperature;        /* T of measure/temperature.h; 1 where none was fitted */
    double diameter;           /* pixels, of the field of view that it was trained at; 0: unknown */
    char about[RS_ABOUT_SIZE]; /* what its maker says of it, for people; may be empty */
    char training[512];        /* the options that shaped the weights, in canonical order */
    char kernel[128]; /* what computed: the same seed gives the same bytes on the same kernel alone */
};

/* What a model file says of itself, but for its kind: architecture, normalisation, threshold, temperature and
 * diameter where there are any, about, training, kernel. */
void rs_model_to_meta(const struct rs_model *model, struct rs_meta *meta);

/* What a validation has chosen, threshold and temperature, from metadata. */
const char *rs_model_choices_from_meta(struct rs_model *model, const struct rs_meta *meta);

/* The network that such metadata describe. */
const char *rs_model_shape(const struct rs_meta *meta, struct rs_unet_shape *shape);

/* Replaces `path` whole or not at all. Errors do not name it. */
const char *rs_model_save(const struct rs_model *model, const char *path);

/* Checks everything: names and shapes are those of the architecture that the metadata describe, every weight
 * is finite, nothing is missing, nothing is left over. On success rs_model_free is due. */
const char *rs_model_load(struct rs_model *model, const char *path);

void rs_model_free(struct rs_model *model);

/* The threshold alone; an error if the model has none. */
const char *rs_model_read_threshold(const char *path, double *threshold);

#endif
