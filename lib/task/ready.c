#include "task/ready.h"

#include <math.h>

#include "base/error.h"
#include "picture/fov.h"
#include "picture/resize.h"

/* Resized by so little it would only be blurred. */
static double unless_alike(double factor)
{
    return fabs(factor - 1) < RS_READY_ALIKE ? 1 : factor;
}

static const char *note_of_none(const struct rs_image *photograph, bool resizes)
{
    if (photograph->has_fov)
        return resizes ? "no circle in its field of view; taken at its own size" : NULL;
    return resizes ? "no field of view found; all of it is taken, at its own size"
                   : "no field of view found; all of it is taken";
}

/* What is to be said of one that was found. */
static const char *note_of_size(double diameter, double factor)
{
    if (factor <= RS_READY_COARSE)
        return NULL;
    return rs_error(
        "its field of view, %.0f pixels across, is enlarged %.1f times: too coarse for thin vessels",
        diameter, factor);
}

/* Finds the field of view, if it is needed, adds it, and tells the factor. */
static const char *look_at(struct rs_ready *ready, const struct rs_model *model, struct rs_image *photograph,
                           double *factor)
{
    bool resizes = ready->scale <= 0 && model->diameter > 0;
    bool adds = !photograph->has_fov && (model->diameter > 0 || model->prep.fov_only);
    struct rs_fov fov;
    *factor = ready->scale > 0 ? ready->scale : 1;
    if (resizes && photograph->is_patch)
        return rs_error("a patch, whose scale nothing tells; -scale does");
    if (!resizes && !adds)
        return NULL;
    rs_fov_of(&fov, photograph);
    if (!fov.found)
        ready->note = note_of_none(photograph, resizes);
    else if (resizes) {
        *factor = unless_alike(model->diameter / fov.diameter);
        ready->note = note_of_size(fov.diameter, *factor);
    }
    if (adds) {
        rs_fov_shrink(&fov, RS_READY_RIM);
        rs_fov_add(photograph, &fov);
    }
    return NULL;
}

const char *rs_ready_make(struct rs_ready *ready, const struct rs_model *model, struct rs_image *photograph)
{
    double factor;
    int width = photograph->width, height = photograph->height;
    ready->note = NULL;
    ready->image = photograph;
    const char *error = look_at(ready, model, photograph, &factor);
    if (!error)
        error = rs_prep_fits(&model->prep, photograph);
    if (!error)
        error = rs_resize_size(photograph, factor, factor > 1 ? ready->most : RS_MAX_PIXELS, &width, &height);
    if (error || (width == photograph->width && height == photograph->height))
        return error;
    rs_resize(&ready->resized, photograph, width, height);
    ready->image = &ready->resized;
    return NULL;
}

void rs_ready_free(struct rs_ready *ready)
{
    rs_image_free(&ready->resized);
}
